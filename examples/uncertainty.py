"""A network that says how sure it is: a loss of one's own, of a mean and a spread for every input."""

import numpy as np

import foxnn


def gaussian_likelihood(y_true, y_pred):
    """Minus the logarithm of a normal density (Nix and Weigend 1994); the outputs are mean and log of the spread."""
    mean, log_spread = y_pred.T
    distance = (y_true - mean) * np.exp(-log_spread)
    loss = log_spread + distance**2 / 2
    return loss, np.stack([-distance * np.exp(-log_spread), 1 - distance**2], axis=1)


random = np.random.default_rng(0)
x = random.uniform(0, 10, 3000)
y = np.sin(x) + random.normal(size=3000) * 0.05 * x  # the noise grows with x

nn = foxnn.neural_network([1, 32, 32, 2], "tanh", "linear", loss=gaussian_likelihood, scale_inputs="standard", seed=0)
nn.fit(x, y, epochs=100, batch_size=50, learning_rate=3e-3, verbose=False)

print("   x    sin(x)   predicted")
for at in range(11):
    mean, log_spread = nn.predict([[at]])[0]
    spread = np.exp(log_spread)
    left, middle, right = (round(24 * (float(v) + 2)) for v in (mean - spread, mean, mean + spread))
    line = "".join("o" if i == middle else "-" if left <= i <= right else " " for i in range(96))
    print(f"{at:4d}  {np.sin(at):7.2f}  {mean:6.2f} +- {spread:.2f}  {line.rstrip()}")
