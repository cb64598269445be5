"""The loop over epochs: one call into the core for every twentieth of a second, progress and callbacks in between."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foxnn import _core, optimizers
from foxnn._arrays import as_inputs, as_targets, as_weights, class_weights
from foxnn._options import integer, real
from foxnn.callbacks import Callback
from foxnn.errors import DivergenceError
from foxnn.history import History

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

#: Seconds after which the core comes back to Python, which then hears Ctrl-C and moves the progress bar.
_CHUNK_SECONDS = 0.05
#: The number of the shuffle that picks the samples held out, out of the way of those of epochs.
_SPLIT_SHUFFLE = 2**32 - 1


@dataclass
class Plan:
    """What `fit` was asked to do, all checked."""

    samples: Any
    correct: str
    n: int
    pool: npt.NDArray[np.int64] | None  # the samples to train on; None: all
    epochs: int
    batch_size: int
    optimizer: optimizers.Optimizer
    validation: tuple[Any, Any] | None
    shuffle: bool
    callbacks: list[Callback]
    scale: float | None
    offset: float | None

    @classmethod
    def checked(
        cls,
        network: NeuralNetwork,
        X: Any,
        y: Any,
        *,
        epochs: int,
        batch_size: int,
        optimizer: optimizers.Optimizer,
        validation_data: tuple[Any, ...] | None,
        validation_split: float,
        sample_weight: Any,
        class_weight: Any,
        shuffle: bool,
        callbacks: Iterable[Callback],
        verbose: bool | int | str,
        scale: float | None,
        offset: float | None,
    ) -> Plan:
        """Check every argument of `fit` before anything changes."""
        from foxnn.progress import ProgressBar, is_wanted

        inputs = as_inputs(X, network.sizes[0], dtype=network.dtype.name)
        targets = as_targets(y, len(inputs), network.sizes[-1], network.loss.name, dtype=network.dtype.name)
        weights = class_weights(class_weight, targets, as_weights(sample_weight, len(inputs)))
        reading = network._reading(inputs, scale, offset)
        samples = _core.Samples(inputs, targets.values, targets.labels, weights, *reading, targets.correct)

        pool, validation = None, None
        split = real("validation_split", validation_split, 0, 1)
        if validation_data is not None:
            if split:
                raise ValueError("validation_split: got a share besides validation_data; it takes one of the two")
            validation = _validation_samples(network, validation_data, scale, offset)
        elif split:
            pool, held_out = _split(network.seed, len(inputs), split)
            values = None if targets.values is None else targets.values[held_out]
            labels = None if targets.labels is None else targets.labels[held_out]
            held_weights = None if weights is None else weights[held_out]
            validation = (
                _core.Samples(inputs[held_out], values, labels, held_weights, *reading, targets.correct),
                targets,
            )
        if not isinstance(callbacks, Iterable):
            raise TypeError(f"callbacks: got {callbacks!r}; it takes a list of foxnn.callbacks.Callback")
        chosen = list(callbacks)
        for callback in chosen:
            if not isinstance(callback, Callback):
                raise TypeError(f"callbacks: got {callback!r}; it takes objects of foxnn.callbacks.Callback")
        if is_wanted(verbose):
            chosen.append(ProgressBar())
        return cls(
            samples=samples,
            correct=targets.correct,
            n=len(inputs) if pool is None else len(pool),
            pool=pool,
            epochs=integer("epochs", epochs, 1),
            batch_size=integer("batch_size", batch_size, 1),
            optimizer=optimizer,
            validation=validation,
            shuffle=bool(shuffle),
            callbacks=chosen,
            scale=network.scale if scale is None else float(scale),
            offset=network.offset if offset is None else float(offset),
        )


def _validation_samples(
    network: NeuralNetwork, data: Any, scale: float | None, offset: float | None
) -> tuple[Any, Any]:
    if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
        raise ValueError("validation_data: it takes (X_val, y_val) or (X_val, y_val, sample_weight)")
    X, y, weight = data if len(data) == 3 else (*data, None)
    names = tuple(f"validation_data {part}" for part in ("X", "y", "sample_weight"))
    return network._samples(X, y, weight, scale, offset, names)  # type: ignore[arg-type]


def _split(seed: int, n: int, share: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Positions to train on and positions held out: at least one of each, each in the data's own order."""
    held = round(n * share)
    if held == 0 or held == n:
        raise ValueError(f"validation_split: {share} of {n} samples leaves nothing to train or to validate on")
    order = _core.shuffled_order(seed, _SPLIT_SHUFFLE, n)
    return np.sort(order[held:]), np.sort(order[:held])


def run_steps(
    network: NeuralNetwork,
    samples: Any,
    order: npt.NDArray[np.int64] | None,
    begin: int,
    end: int,
    batch_size: int,
    *,
    seconds: float = 0.0,
    on_progress: Callable[[int, float, float, float], None] | None = None,
    sum_gradients: bool = False,
) -> tuple[float, float, float]:
    """Train on a part of an order of samples; loss, weight and number of correct answers, summed over the samples.

    With `seconds`, Python takes over for a moment each time they have passed; `on_progress` then gets the position
    in the order and the three sums so far.
    """
    loss = weight = correct = 0.0
    state = network._get_optimizer_state()
    while begin < end:
        trainer = network._get_trainer()  # a callback may have changed an activation, which makes a new one
        outcome, begin, _steps, loss, weight, correct = trainer.run(
            samples,
            order,
            begin,
            end,
            state,
            batch_size,
            network.optimizer.learning_rate,
            *network._penalty,
            sum_gradients,
            seconds,
            network.n_threads or 0,
            network.seed,
            network.epoch % 2**32,
            loss,
            weight,
            correct,
        )
        check_step(network, outcome, state)
        if on_progress is not None:
            on_progress(begin, loss, weight, correct)
    return loss, weight, correct


def check_step(network: NeuralNetwork, outcome: str, state: Any) -> None:
    """Raise if a step of the core's trainer came out as "loss" or "update": not finite."""
    if outcome in ("loss", "update"):
        what = "the loss is" if outcome == "loss" else "an update would be"
        step = int(state.t) + (outcome == "loss")
        raise DivergenceError(
            f"{what} no longer finite in epoch {network.epoch}, at step {step} of the optimizer (learning rate "
            f"{network.optimizer.learning_rate:g}); the network has kept its last finite "
            "weights. A smaller learning rate or scaled inputs usually help."
        )


def train(network: NeuralNetwork, plan: Plan) -> History:
    """Carry out a plan."""
    with network._exclusively():
        network.scale, network.offset = plan.scale, plan.offset
        network.optimizer = plan.optimizer
        network.history = History()
        network.stop_training = False
        callbacks = plan.callbacks
        try:
            for callback in callbacks:
                callback.on_train_begin(network, plan.epochs, plan.n)
            for epoch in range(plan.epochs):
                _train_epoch(network, plan, epoch)
                if network.stop_training:
                    break
        finally:
            for callback in callbacks:
                callback.on_train_end(network)
    return network.history


def _train_epoch(network: NeuralNetwork, plan: Plan, epoch: int) -> None:
    started = time.perf_counter()
    for callback in plan.callbacks:
        callback.on_epoch_begin(network, epoch)
    order = plan.pool
    if plan.shuffle:
        positions = _core.shuffled_order(network.seed, network.epoch % _SPLIT_SHUFFLE, plan.n)
        order = positions if plan.pool is None else plan.pool[positions]

    def on_progress(done: int, loss: float, weight: float, correct: float) -> None:
        values = _means(loss, weight, correct if plan.correct else None)
        for callback in plan.callbacks:
            callback.on_progress(network, epoch, done, values)

    totals = run_steps(
        network, plan.samples, order, 0, plan.n, plan.batch_size, seconds=_CHUNK_SECONDS, on_progress=on_progress
    )
    network.epoch += 1
    values = _means(*totals[:2], totals[2] if plan.correct else None)
    if plan.validation is not None:
        values |= {f"val_{name}": value for name, value in network._evaluate(*plan.validation).items()}
    values["seconds"] = time.perf_counter() - started
    network.history.append(values)
    for callback in plan.callbacks:
        callback.on_epoch_end(network, epoch, values)


def _means(loss: float, weight: float, correct: float | None) -> dict[str, float]:
    values = {"loss": loss / weight if weight else math.nan}
    if correct is not None:
        values["accuracy"] = correct / weight if weight else math.nan
    return values
