"""Four of scikit-learn's tables, against its own multilayer perceptron of the same shape: means over ten splits."""

import time
import warnings

import numpy as np
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

import foxnn

warnings.simplefilter("ignore", ConvergenceWarning)
for name in ("iris", "breast_cancer", "digits", "diabetes"):
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    regression = name == "diabetes"
    if regression:
        y = (y - y.mean()) / y.std()
    score = r2_score if regression else accuracy_score
    scores, seconds = [], [0.0, 0.0]
    for seed in range(10):
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed, test_size=0.3)
        scaler = StandardScaler().fit(X_train)
        X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
        options = {"epochs": 150, "batch_size": 32, "learning_rate": 2e-3}

        started = time.perf_counter()
        nn = foxnn.neural_network(
            [X.shape[1], 32, 1 if regression else len(np.unique(y))],
            activation="relu",
            output="linear" if regression else "softmax",
            init="glorot_uniform",  # as scikit-learn starts
            seed=seed,
        )
        nn.fit(X_train, y_train, **options)
        ours = nn.predict(X_test)[:, 0] if regression else nn.predict(X_test).argmax(axis=1)
        between = time.perf_counter()
        peer = {"batch_size": 32, "learning_rate_init": 2e-3, "max_iter": 150, "n_iter_no_change": 150}
        theirs = (MLPRegressor if regression else MLPClassifier)(hidden_layer_sizes=(32,), random_state=seed, **peer)
        theirs.fit(X_train, y_train)
        ended = time.perf_counter()

        scores.append((score(y_test, ours), score(y_test, theirs.predict(X_test))))
        seconds = [seconds[0] + between - started, seconds[1] + ended - between]
    ours, theirs = np.mean(scores, axis=0)
    kind = "R^2     " if regression else "accuracy"
    print(f"{name:14} {kind} foxnn {ours:.3f}, {seconds[0]:5.2f} s    scikit-learn {theirs:.3f}, {seconds[1]:5.2f} s")
