"""Interrupt calls that change a network at any moment, as Ctrl-C does; the network has to be usable after each of them.

python tests/faults/interrupts.py NUMBER
"""

from __future__ import annotations

import random
import signal
import sys
from collections import Counter
from collections.abc import Callable

import numpy as np

import foxnn

X, Y = np.random.default_rng(0).normal(size=(4, 4)), np.array([0, 1, 2, 1])
DATA = foxnn.train_data()
for row in X:
    DATA.add_data(foxnn.one_train_data(row, row[:3]))


class Interrupted(Exception):
    pass


def interrupt(*_: object) -> None:
    raise Interrupted


def until_interrupted(call: Callable[[], object], seconds: float) -> None:
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        while True:
            call()
    except Interrupted:
        pass


def new_network() -> foxnn.NeuralNetwork:
    nn = foxnn.neural_network([4, 8, 3], output="linear", scale_inputs="standard", seed=0)
    nn.fit_scaling(X)
    return nn


def insert_and_remove(nn: foxnn.NeuralNetwork) -> None:
    if len(nn.layers) < 3:
        nn.insert(1, 5, "relu")
    else:
        nn.remove(1)


def apply_gradients(nn: foxnn.NeuralNetwork) -> None:
    nn.apply_gradients(nn.backward(nn.forward(X)))


def train_1_0(nn: foxnn.NeuralNetwork) -> None:
    nn.train(DATA, 0.001, 20, 2)


CALLS: dict[str, Callable[[foxnn.NeuralNetwork], object]] = {
    "train_on_batch": lambda nn: nn.train_on_batch(X, Y),
    "fit": lambda nn: nn.fit(X, Y, epochs=2, batch_size=2, verbose=False),
    "partial_fit": lambda nn: nn.partial_fit(X, Y),
    "forward, backward, apply_gradients": apply_gradients,
    "fit_scaling": lambda nn: nn.fit_scaling(X),
    "insert, remove": insert_and_remove,
    "add": lambda nn: nn.add(3, "linear") if len(nn.layers) < 5 else [nn.remove(-1) for _ in range(3)],
    "train": train_1_0,
    "random_mutation": lambda nn: nn.random_mutation(1e-6),
    "set_weights": lambda nn: nn.set_weights(nn.get_weights()),
    "copy": lambda nn: nn.copy(),
}


def check(nn: foxnn.NeuralNetwork) -> None:
    """Everything fits together, and it learns."""
    assert nn.predict(X).shape == (4, nn.sizes[-1])
    assert [layer.weights.shape for layer in nn.layers] == list(zip(nn.sizes, nn.sizes[1:], strict=False))
    nn.train_on_batch(X, Y)
    nn.fit(X, Y, epochs=1, batch_size=4, verbose=False)
    nn.copy()


def main(number: int) -> int:
    signal.signal(signal.SIGALRM, interrupt)
    unusable: Counter[str] = Counter()
    names = list(CALLS)
    networks = {name: new_network() for name in names}
    for name, nn in networks.items():  # what is imported at the first call has been by then: imports are Python's
        CALLS[name](nn)
    for i in range(number):
        name = names[i % len(names)]
        until_interrupted(lambda name=name: CALLS[name](networks[name]), random.uniform(1e-4, 4e-3))
        try:
            check(networks[name])
        except Exception as error:
            unusable[f"{name}: {error!r}"] += 1
            networks[name] = new_network()
    print(f"{number} interrupts, {sum(unusable.values())} left a network unusable")
    for what, times in unusable.most_common():
        print(f"{times} times {what}")
    return len(unusable)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
