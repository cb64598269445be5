"""FoxNN 1.0's own MNIST script, in its own words: sigmoids, Adam, speed 0.001, batches of 98, pixels in [-1, 1].

FoxNN 1.0 stalled at 75 % here, since its weights started in [-1, 1] and saturated the sigmoids. With the Glorot start
that is the default now, it passes 97 %.
"""

import time

import numpy as np

import foxnn

X_train, y_train, X_test, y_test = foxnn.datasets.load_mnist()
data = foxnn.train_data()
data.add_data(X_train * (2 / 255) - 1, np.eye(10)[y_train])

nn = foxnn.neural_network([784, 512, 512, 10], seed=0)
nn.settings.set_mode("Adam")

started = time.perf_counter()
for iterations in range(620, 6201, 620):
    nn.train(data, 0.001, 620, 98)
    correct = nn.predict(X_test * (2 / 255) - 1).argmax(axis=1) == y_test
    print(f"{iterations:4} iterations, {time.perf_counter() - started:5.1f} s: test accuracy {correct.mean():.2%}")
