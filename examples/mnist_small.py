"""A network of 784-16-16-10, small enough for a microcontroller, on MNIST."""

import foxnn

X_train, y_train, X_test, y_test = foxnn.datasets.load_mnist()
nn = foxnn.neural_network([784, 16, 16, 10], activation="relu", output="softmax", seed=0)
history = nn.fit(X_train, y_train, epochs=20, batch_size=32)
print(f"{nn.n_parameters} parameters, {sum(history['seconds']):.1f} s")
print(f"test accuracy {nn.evaluate(X_test, y_test)['accuracy']:.2%}")
