"""XOR, the first thing everyone tries: sigmoids, two or four hidden units."""

import foxnn

X = [[0, 0], [0, 1], [1, 0], [1, 1]]
y = [0, 1, 1, 0]

for sizes in ([2, 2, 1], [2, 4, 1]):
    nn = foxnn.neural_network(sizes, seed=5)
    nn.fit(X, y, epochs=5000, batch_size=4, learning_rate=0.05)
    print(sizes, "error", nn.evaluate(X, y)["loss"])
    for x, answer in zip(X, nn.predict(X)[:, 0], strict=True):
        print(" ", x, f"{answer:.3f}")
