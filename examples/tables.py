"""Four of scikit-learn's tables, against its own multilayer perceptron of the same shape."""

import numpy as np
from sklearn import datasets
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

import foxnn

for name in ("iris", "breast_cancer", "digits", "diabetes"):
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, test_size=0.3)
    scaler = StandardScaler().fit(X_train)
    X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
    if name == "diabetes":
        mean, deviation = y_train.mean(), y_train.std()
        sizes, output, loss, score = [10, 32, 1], "linear", "mse", r2_score
        targets = (y_train - mean) / deviation
        theirs = MLPRegressor(hidden_layer_sizes=(32,), batch_size=32, max_iter=40, random_state=0)
        theirs_score = score(y_test, theirs.fit(X_train, targets).predict(X_test) * deviation + mean)
    else:
        sizes, output, loss, score = [X.shape[1], 32, len(np.unique(y))], "softmax", None, accuracy_score
        targets = y_train
        theirs = MLPClassifier(hidden_layer_sizes=(32,), batch_size=32, max_iter=500, random_state=0)
        theirs_score = score(y_test, theirs.fit(X_train, targets).predict(X_test))
    nn = foxnn.neural_network(sizes, activation="relu", output=output, loss=loss, seed=0)
    history = nn.fit(X_train, targets, epochs=max(theirs.n_iter_, 40), batch_size=32)
    out = nn.predict(X_test)
    ours_score = score(y_test, out[:, 0] * deviation + mean if name == "diabetes" else out.argmax(axis=1))
    seconds = sum(history["seconds"])
    print(f"{name:14} foxnn {ours_score:.3f} in {seconds:.2f} s; scikit-learn {theirs_score:.3f}")
