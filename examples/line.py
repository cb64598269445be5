"""One linear neuron finds the line 2 x + 5 in noise-free points."""

import numpy as np

import foxnn

x = np.linspace(-1, 1, 50)
nn = foxnn.neural_network([1, 1], output="linear", seed=0)
nn.fit(x, 2 * x + 5, epochs=100, batch_size=10, optimizer="sgd", learning_rate=0.1)
slope, intercept = nn.layers[0].weights.item(), nn.layers[0].bias.item()
print(f"y = {slope:.4f} x + {intercept:.4f}")
