"""Promise: after an error before the first step of a training, the network is as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import pytest

import foxnn

X = np.random.default_rng(0).normal(3, 5, (60, 4)).astype(np.float32)
Y = X[:, :1] - X[:, 1:2]


class Fails(foxnn.callbacks.Callback):
    """Raises where it is told to."""

    every = 1

    def __init__(self, where: str, error: type[BaseException] = MemoryError) -> None:
        self.where, self.error = where, error

    def on_train_begin(self, network: Any, epochs: int, n: int | None) -> None:
        if self.where == "train begin":
            raise self.error

    def on_epoch_begin(self, network: Any, epoch: int) -> None:
        if self.where == "epoch begin":
            raise self.error

    def on_batch_end(self, network: Any, epoch: int, batch: int, values: Any) -> None:
        if self.where == "batch end":
            raise self.error


def trained(kind: str = "adam") -> Any:
    """A network that has been trained on other data."""
    nn = foxnn.neural_network([4, 8, 1], "tanh", "linear", seed=0, scale_inputs="standard")
    nn.fit(X / 2, Y, epochs=2, optimizer=kind, learning_rate=1e-3, scale=0.5, offset=1.0)
    return nn


def new(_: str = "") -> Any:
    return foxnn.neural_network([4, 8, 1], "tanh", "linear", seed=0, scale_inputs="minmax")


def state(nn: Any) -> tuple[Any, ...]:
    return (
        [w.tobytes() for w in nn.get_weights()], nn.history, list(nn.history.epochs), nn.optimizer, nn.scale, nn.offset,
        str(nn.input_scaling), str(nn.output_scaling), nn.stop_training, nn.epoch, nn._rate,
        b"".join(bytes(piece) for piece in pieces(nn)),
    )  # fmt: skip


def pieces(nn: Any) -> list[Any]:
    from foxnn.io.native import to_pieces

    return list(to_pieces(nn, optimizer=True))


def late_nan() -> Any:
    bad = X.copy()
    bad[3, 2] = np.nan
    return lambda: iter([(bad, Y)])


def no_rate(step: int) -> float:
    raise MemoryError


FAILURES: dict[str, Callable[[Any], object]] = {
    "a callback, at first": lambda nn: fit(nn, callbacks=[Fails("train begin")]),
    "a callback, Ctrl-C": lambda nn: fit(nn, callbacks=[Fails("epoch begin", KeyboardInterrupt)]),
    "a learning rate": lambda nn: fit(nn, learning_rate=no_rate),
    "another optimizer": lambda nn: fit(nn, optimizer="rmsprop", learning_rate=no_rate),
    "other clipping": lambda nn: nn.fit(
        X, Y, optimizer=foxnn.optimizers.Adam(no_rate, clip_norm=1e-3), scale=2.0, offset=0.25),
    "a divergence": lambda nn: fit(nn, y=np.full_like(Y, 1e38), learning_rate=1e-3),
    "no memory for the order": lambda nn: fit(nn, memory_for_order=False),
}  # fmt: skip


@contextmanager
def no_order() -> Iterator[None]:
    """There is no memory for an order of samples."""

    def fails(*_: Any) -> None:
        raise MemoryError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(foxnn._core, "shuffled_order", fails)
        yield


def fit(nn: Any, y: Any = Y, memory_for_order: bool = True, **options: Any) -> None:
    options = {"optimizer": "adam", "learning_rate": 1e-3, "scale": 2.0, "offset": 0.25} | options
    with nullcontext() if memory_for_order else no_order():
        nn.fit(X, y, epochs=3, batch_size=10, **options)


@pytest.mark.parametrize("kind", ["adam", "sgd", "new"])
@pytest.mark.parametrize("what", FAILURES)
def test_a_fit_that_fails_before_its_first_step_has_changed_nothing(what: str, kind: str) -> None:
    make = new if kind == "new" else trained
    nn, twin = make(kind), make(kind)
    before = state(nn)
    with pytest.raises((MemoryError, KeyboardInterrupt, foxnn.DivergenceError)):
        FAILURES[what](nn)
    assert state(nn) == before
    for each in (nn, twin):
        fit(each)
    assert all((a == b).all() for a, b in zip(nn.get_weights(), twin.get_weights(), strict=True))


def test_nor_has_one_whose_first_batch_is_bad() -> None:
    nn = trained()
    before = state(nn)
    with pytest.raises(ValueError, match="nan in row 3"):
        nn.fit(late_nan(), optimizer="sgd", scale=3.0)
    assert state(nn) == before


def test_what_comes_after_a_step_stays() -> None:
    nn = trained()
    before = state(nn)
    with pytest.raises(MemoryError):
        fit(nn, optimizer="sgd", callbacks=[Fails("batch end")])
    assert nn.optimizer.name == "sgd"
    assert (nn.scale, nn.offset) == (2.0, 0.25)
    assert state(nn)[0] != before[0]


def test_a_training_that_does_not_go_on_is_not_begun(tmp_path: Any) -> None:
    path = tmp_path / "run.safetensors"
    with pytest.raises(MemoryError):
        fit(trained(), callbacks=[Fails("batch end")], checkpoint=path)
    nn = trained()
    before, core = state(nn), nn._core
    with pytest.raises(MemoryError):
        fit(nn, callbacks=[Fails("epoch begin")], checkpoint=path, resume=True, memory_for_order=False)
    assert state(nn) == before
    assert nn._core is core


def test_nor_has_training_of_foxnn_1_0() -> None:
    nn = foxnn.neural_network([4, 8, 1], seed=0)
    nn.fit(X, Y > 0, epochs=1, optimizer="adam", learning_rate=1e-3)
    data = foxnn.train_data()
    data.add_data(X[:8].tolist(), (Y[:8] > 0).tolist())
    before = state(nn)
    with no_order(), pytest.raises(MemoryError):
        nn.train(data, 0.1, 5, 4)
    assert state(nn) == before
