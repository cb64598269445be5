"""Fork while other threads train and use a network; the child has to be able to do everything with it.

python tests/faults/forks.py NUMBER
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

import foxnn

_random = np.random.default_rng(0)
X, Y = _random.normal(size=(600, 50)).astype(np.float32), _random.integers(3, size=600)


def in_the_child(nn: foxnn.NeuralNetwork, file: Path) -> None:
    assert nn.predict(X).shape == (600, 3)
    assert all(layer.weights.shape == (layer.n_in, layer.n_out) for layer in nn.layers)
    assert nn.parameters.size == nn.n_parameters
    nn.evaluate(X, Y)
    nn.jacobian(X[:2])
    nn.loss_and_gradients(X, Y)
    nn.save(file, optimizer=True)
    assert foxnn.load(file).sizes == nn.sizes
    nn.copy().train_on_batch(X, Y)
    nn.random_mutation(1e-6)
    nn.train_on_batch(X[:7], Y[:7])
    nn.forward(X[:9])
    nn.fit(X, Y, epochs=1, batch_size=300, verbose=False)
    nn.insert(1, 5, "relu")
    nn.train_on_batch(X, Y)


def child(nn: foxnn.NeuralNetwork, file: Path) -> int:
    """How it ended: 0, or what os.waitpid says of it."""
    process = os.fork()
    if process == 0:
        status = 1
        try:
            signal.alarm(30)  # a child that hangs ends, too
            in_the_child(nn, file)
            status = 0
        except BaseException as error:
            os.write(2, f"{error!r}\n".encode())
        finally:
            os._exit(status)
    return os.waitpid(process, 0)[1]


def main(number: int) -> int:
    foxnn.set_num_threads(2)
    nn = foxnn.neural_network(
        [50, 200, foxnn.BatchNorm(), 64, 3], activation="relu", output="softmax", scale_inputs="standard", seed=0
    )
    nn.fit_scaling(X)
    stop = threading.Event()

    def train() -> None:
        size = random.Random(0)
        while not stop.is_set():  # of many sizes, so that memory is often allocated anew
            n = size.choice([2, 30, 300, 600])
            nn.train_on_batch(X[:n], Y[:n])
            nn.fit(X, Y, epochs=1, batch_size=n, verbose=False)
            nn.layers[1].activation = size.choice(["relu", "tanh", "gelu"])

    def use() -> None:
        while not stop.is_set():
            nn.predict(X)
            nn.evaluate(X, Y)

    threads = [threading.Thread(target=work, daemon=True) for work in (train, use)]
    for thread in threads:
        thread.start()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(number):
            time.sleep(random.uniform(0, 0.01))
            failed += child(nn, Path(folder, "net.safetensors")) != 0
    stop.set()
    for thread in threads:
        thread.join(60)
    print(f"{number} children, {failed} of them hung or failed")
    return failed


if __name__ == "__main__":
    sys.exit(min(main(int(sys.argv[1])), 100))
