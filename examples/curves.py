"""Tanh networks fit curves: 2 sin(x) + 5, and one made of two very different halves."""

import numpy as np

import foxnn


def halves(x):
    return np.where(x < 0, x * np.sin(2 * np.pi * x), -x * np.sin(np.pi * x) + np.exp(x / 2) - 1)


x = np.linspace(-3, 3, 600)
curves = {"2 sin(x) + 5": 2 * np.sin(x) + 5, "two halves": halves(x)}
fits = {}
for name, y in curves.items():
    nn = foxnn.neural_network([1, 40, 40, 1], activation="tanh", output="linear", loss="mse", seed=0)
    for rate, epochs in ((3e-3, 600), (1e-3, 300), (3e-4, 200), (3e-5, 100)):
        nn.fit(x, y, epochs=epochs, batch_size=20, learning_rate=rate)
    fits[name] = nn.predict(x)[:, 0]
    print(f"{name}: largest error {np.abs(fits[name] - y).max():.4f}")

try:
    import matplotlib.pyplot as plt
except ImportError:
    raise SystemExit("pip install matplotlib to see the curves") from None
figure, axes = plt.subplots(1, 2, figsize=(10, 4))
for ax, (name, y) in zip(axes, curves.items(), strict=True):
    ax.plot(x, y, lw=5, alpha=0.3, label=name)
    ax.plot(x, fits[name], label="network")
    ax.legend()
figure.savefig("curves.png", dpi=120)
print("curves.png")
