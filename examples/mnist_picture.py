"""Trains on MNIST and draws how it went, and the test digits it is least sure of (needs matplotlib)."""

import matplotlib.pyplot as plt
import numpy as np

import foxnn

X_train, y_train, X_test, y_test = foxnn.datasets.load_mnist()
nn = foxnn.neural_network([784, 512, 512, 10], activation="relu", output="softmax", dropout=0.2, seed=0)
history = nn.fit(X_train, y_train, epochs=20, batch_size=98, learning_rate=5e-4, validation_data=(X_test, y_test))

figure = plt.figure(figsize=(11, 3.6), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[1, 1.2])
ax = left.subplots()
history.plot(ax)
best = history["val_accuracy"][-1]
ax.set_title(f"784-512-512-10 on MNIST: {best:.2%} in {sum(history['seconds']):.0f} s", fontsize=10)

probabilities = nn.predict(X_test)
guess = probabilities.argmax(axis=1)
unsure = np.argsort(probabilities.max(axis=1))[:24]
titles = [f"{guess[i]}" if guess[i] == y_test[i] else f"{guess[i]} (is {y_test[i]})" for i in unsure]
foxnn.plots.plot_images(X_test[unsure], titles, columns=8, figure=right)
right.suptitle("the test digits it is least sure of, and what it took them for", fontsize=10)
figure.savefig("mnist.png", dpi=110)
print(f"mnist.png: test accuracy {best:.2%}")
