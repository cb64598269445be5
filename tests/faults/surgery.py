"""Add, insert and remove layers while other threads do everything else with the network. Each call finds one network or
is refused; under AddressSanitizer (tools/sanitized_python.sh tests/faults/surgery.py 60) a mix of two would be seen.

    python tests/faults/surgery.py SECONDS
"""

from __future__ import annotations

import pickle
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import foxnn

_random = np.random.default_rng(0)
X, Y = _random.normal(size=(40, 20)), _random.normal(size=40)


def operate(nn: foxnn.NeuralNetwork, width: int) -> int:
    """Four operations, each tried again while a training refuses it."""
    for operation in (
        lambda: nn.insert(1, width, "tanh"),
        lambda: nn.add(2, "linear"),
        lambda: nn.remove(-1),
        lambda: nn.remove(1),
    ):
        while True:
            try:
                operation()
                break
            except RuntimeError:
                time.sleep(0.0001)
    return 4


def jacobian(nn: foxnn.NeuralNetwork) -> None:
    assert nn.jacobian(X[:3]).shape[1] in (1, 2)


def layer_outputs(nn: foxnn.NeuralNetwork) -> None:
    assert nn.layer_outputs(X)[0].shape[1] in (8, 3, 300)


def predict(nn: foxnn.NeuralNetwork) -> None:
    assert nn.predict(X).shape[1] in (1, 2)
    assert nn.predict(X.tolist()).shape[1] in (1, 2)


def own_loop(nn: foxnn.NeuralNetwork) -> None:
    nn.apply_gradients(nn.backward(np.ones_like(nn.forward(X))))


def save(nn: foxnn.NeuralNetwork) -> None:
    with tempfile.TemporaryDirectory() as folder:
        nn.save(Path(folder, "net.safetensors"), optimizer=True)
        assert foxnn.load(Path(folder, "net.safetensors")).predict(X).shape[1] in (1, 2)
        nn.to_npz(Path(folder, "net.npz"))
        nn.to_c(Path(folder, "net.h"))


#: Calls that may be refused, but that have nothing to complain of.
ALWAYS: list[Callable[[foxnn.NeuralNetwork], object]] = [
    predict,
    jacobian,
    layer_outputs,
    own_loop,
    save,
    lambda nn: nn.copy().predict(X),
    lambda nn: pickle.loads(pickle.dumps(nn)).predict(X),
    lambda nn: nn.get_weights(),
    lambda nn: nn.random_mutation(1e-6),
]
#: Calls with targets, or weights, that may not be for the layers there are.
IF_IT_FITS: list[Callable[[foxnn.NeuralNetwork], object]] = [
    lambda nn: nn.evaluate(X, Y),
    lambda nn: nn.loss_and_gradients(X, Y),
    lambda nn: nn.input_gradients(X, Y),
    lambda nn: nn.train_on_batch(X, Y),
    lambda nn: nn.fit(X, Y, epochs=2, verbose=False),
    lambda nn: nn.set_weights(nn.get_weights()),
    lambda nn: setattr(nn, "parameters", nn.parameters),
]
CALLS = [(call, (RuntimeError,)) for call in ALWAYS] + [(call, (RuntimeError, ValueError)) for call in IF_IT_FITS]


def main(seconds: float) -> int:
    nn = foxnn.neural_network([20, 8, 8, 1], activation="tanh", output="linear", seed=0)
    stop, errors = threading.Event(), []
    done = [0] * len(CALLS)

    def repeat(number: int) -> None:
        call, refusals = CALLS[number]
        while not stop.is_set():
            try:
                call(nn)
                done[number] += 1
            except refusals:
                pass
            except BaseException as error:
                errors.append(f"call {number}: {error!r}")
            time.sleep(0.0005)  # so that nobody is always refused

    operations = [0]

    def repeat_operations() -> None:
        while not stop.is_set():
            operations[0] += operate(nn, 3) + operate(nn, 300)

    threads = [threading.Thread(target=repeat, args=(item,)) for item in range(len(CALLS))]
    threads.append(threading.Thread(target=repeat_operations))
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join(60)
    print(f"{operations[0]} operations, {sum(done)} calls, {len(errors)} of them mixed up")
    print(*sorted(set(errors)), sep="\n")
    return len(errors)


if __name__ == "__main__":
    sys.exit(min(main(float(sys.argv[1])), 100))
