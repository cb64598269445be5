"""A loss of one's own: the core goes forward and backward, and Python computes the loss in between."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from foxnn import _core
from foxnn._arrays import Targets, _contiguous_rows
from foxnn._warnings import warn_user
from foxnn.losses import CustomLoss

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

_Array = npt.NDArray[Any]
_Order = npt.NDArray[np.int64] | None


class GivenTargets(Targets):
    """Targets as a user gave them; as values or labels too, where they are that."""

    given: _Array

    def __len__(self) -> int:
        return len(self.given)

    def take(self, rows: Any) -> GivenTargets:
        """Some of them."""
        values, labels, correct = self
        part = GivenTargets(None if values is None else values[rows], None if labels is None else labels[rows], correct)
        part.given = self.given[rows]
        return part

    def samples(
        self, inputs: _Array, weights: _Array | None, reading: tuple[float, float], numbers: _Order = None
    ) -> Samples:
        """Inputs together with these."""
        core = _core.Samples(inputs, self.values, None, weights, *reading, "", numbers)
        return Samples(core, inputs, reading, weights, self)


class Samples(NamedTuple):
    """What the core has of samples, and what the loss needs of them."""

    core: Any
    inputs: _Array
    reading: tuple[float, float]
    weights: _Array | None
    targets: GivenTargets

    def __len__(self) -> int:
        return len(self.inputs)

    def fit_scaling(self, outputs: bool, kind: str, order: _Order, n_threads: int) -> Any:
        """As that of the core's samples."""
        return self.core.fit_scaling(outputs, kind, order, n_threads)


def given_targets(y: Any, n: int, n_out: int, name: str = "y") -> GivenTargets:
    """Targets of n samples, whatever they are."""
    given = np.asarray(y)
    if given.ndim == 0 or len(given) != n:
        raise ValueError(f"{name}: got shape {given.shape} for {n} samples; it takes one target a sample")
    values = labels = None
    correct = ""
    if given.ndim == 1 and n_out > 1 and given.dtype.kind in "iu" and given.min() >= 0 and given.max() < n_out:
        labels, correct = given.astype(np.int64), "largest"
    elif given.dtype.kind in "fiub" and given.reshape(n, -1).shape[1] == n_out:
        values = _contiguous_rows(given.reshape(n, n_out).astype(np.float64, copy=False))
    targets = GivenTargets(values, labels, correct)
    targets.given = given
    return targets


class _Value(NamedTuple):
    """What the loss of some rows came out as."""

    loss: float  # sum over the samples, with their weights
    weight: float
    gradient: _Array
    weighted: bool  # whether the gradient is that of each sample's own loss
    finite: bool


def warn_of_gradient(loss: CustomLoss, y_true: _Array, y_pred: _Array, value: _Array, gradient: _Array) -> None:
    """Warn if the gradient that a loss has returned is not what its difference quotient along that gradient says.

    Nothing is said where that quotient cannot be had: of a loss that is random, or not finite a small step away.
    """
    returned = float(np.abs(gradient).astype(np.float64).sum())
    if returned == 0:
        return
    step = 1e-3 * max(1.0, float(np.abs(y_pred).max()))
    again, before, after = (
        loss(y_true, (y_pred + size * np.sign(gradient)).astype(y_pred.dtype))[0] for size in (0, -step, step)
    )
    quotient = float((after - before).sum()) / (2 * step)
    noise = 20 * float(np.finfo(y_pred.dtype).eps) * float(np.abs(value).sum()) / step
    if not np.isfinite(quotient) or not np.array_equal(value, again):
        return
    if abs(quotient - returned) <= 0.2 * returned + noise:
        return
    n, ratio = len(y_pred), returned / quotient if quotient else math.inf
    guess = ""
    if abs(ratio + 1) < 0.2:
        guess = ": its sign is wrong"
    elif value.ndim == 0 and abs(ratio / n - 1) < 0.2:
        guess = ": it is that of a sum over the samples, and the loss is their mean"
    elif value.ndim == 1 and abs(ratio * n - 1) < 0.2:
        guess = ": it is that of the mean, and each sample's own is wanted"
    warn_user(
        f"loss: {loss.label} returns a gradient that is not that of the loss it returns: the derivative along it is "
        f"{quotient:.3g}, not {returned:.3g}{guess}"
    )


class CustomTrainer:
    """Takes the place of the core's trainer."""

    def __init__(self, network: NeuralNetwork, loss: CustomLoss) -> None:
        self._core, self._loss, self._n_layers = network._core, loss, len(network.layers)
        self._trainer_type = network._trainer_type
        self._trainer = self._new()
        self._checked = False  # whether its gradient has been compared with difference quotients

    def _new(self) -> Any:
        return self._trainer_type(self._core, "", [])

    def trains(self, core: Any) -> bool:
        """Whether it trains this core."""
        return core is self._core

    def run(
        self,
        samples: Samples,
        order: _Order,
        progress: _core.Progress,
        end: int,
        optimizer: Any,
        batch_size: int,
        rate: float | npt.NDArray[np.float64],
        l1: float,
        l2: float,
        sum: bool,
        seconds: float,
        n_threads: int,
        seed: int,
        epoch: int,
    ) -> str:
        """Train on a part of an order of samples, as the core's trainer does."""
        if sum or not isinstance(samples, Samples):
            raise ValueError("loss: got one of one's own; FoxNN 1.0's `train` takes foxnn's losses")
        pause = time.perf_counter() + seconds if seconds else math.inf
        first = progress.steps
        while True:
            begin = progress.next
            stop = min(begin + batch_size, end)
            outputs = self._trainer.forward_batch(
                self._core, samples.core, order, begin, stop, "training", n_threads, seed, epoch
            )
            rows = slice(begin, stop) if order is None else order[begin:stop]
            value = self._value(samples, rows, outputs)
            if not value.finite:
                return "loss"
            step_rate = rate if isinstance(rate, float) else float(rate[progress.steps - first])
            correct, before = _correct(samples, rows, outputs), optimizer.t
            try:
                outcome = self._trainer.update_batch(
                    self._core, value.gradient, value.weighted, optimizer, step_rate, l1, l2, n_threads
                )
            finally:  # a signal may raise right after the update
                if optimizer.t != before:
                    progress.advance(stop, value.loss, value.weight, correct)
            if outcome is None:
                raise RuntimeError("loss: the function has changed the network that is being trained")
            if outcome != "finished" or stop >= end:
                return str(outcome)
            if time.perf_counter() >= pause:
                return "paused"

    def plain_step(self, *_: Any) -> None:
        """One step on arrays as they are: never, since the function gets the targets as they were given."""

    def gradients(
        self,
        core: Any,
        samples: Samples,
        l1: float,
        l2: float,
        sum: bool,
        n_threads: int,
        parameters: bool = True,
        inputs: bool = False,
    ) -> tuple[float, float, Any]:
        """Loss and gradients of all samples as one batch, as the core's trainer has them."""
        trainer, n, found = self._new(), len(samples), None
        if l1 or l2:  # whose part of it is of these weights too
            core = core.copy()
            trainer = self._trainer_type(core, "", [])
        while found is None:
            outputs = trainer.forward_batch(core, samples.core, None, 0, n, "gradients", n_threads, 0, 0)
            value = self._value(samples, slice(None), outputs)
            if not value.finite:
                return 0.0, 0.0, None
            d = value.gradient
            if value.weighted:
                weights = np.ones(n) if samples.weights is None else samples.weights
                d = (weights / weights.sum()).astype(d.dtype)[:, None] * d
            found = trainer.backward_batch(core, d, parameters, inputs, n_threads)
            if found is None:  # another thread has changed the network in between: that cannot happen to a copy
                core = core.copy()
                trainer = self._trainer_type(core, "", [])
        if parameters and (l1 or l2):
            self._penalise(core, found[0] if inputs else found, l1, l2)
        return value.loss + value.weight * self._penalty(core, l1, l2), value.weight, found

    def evaluate(self, samples: Samples, n_threads: int) -> tuple[float, float, float]:
        """Loss, weight and number of correct answers, summed over the samples."""
        outputs = self._core.predict(samples.inputs, *samples.reading, n_threads)
        value = self._value(samples, slice(None), outputs)
        return value.loss, value.weight, _correct(samples, slice(None), outputs)

    def _value(self, samples: Samples, rows: Any, outputs: _Array) -> _Value:
        weights = None if samples.weights is None else samples.weights[rows]
        y_true = samples.targets.given[rows]
        losses, gradient = self._loss(y_true, outputs)
        if not self._checked and np.isfinite(losses).all():
            self._checked = True
            warn_of_gradient(self._loss, y_true, outputs, losses, gradient)
        if losses.ndim == 0:
            if weights is not None and (weights != weights[0]).any():
                raise ValueError(
                    "loss: the function has returned one loss for all samples; with sample weights it takes a loss for "
                    "each of them"
                )
            weight = float(len(outputs) if weights is None else weights.sum())
            finite = bool(np.isfinite(losses) and np.isfinite(gradient).all())
            return _Value(float(losses) * weight, weight, gradient, False, finite)
        if weights is not None:
            counts = weights != 0
            if not counts.all():  # what does not count may be anything
                losses, gradient = np.where(counts, losses, 0), np.where(counts[:, None], gradient, 0)
        finite = bool(np.isfinite(losses).all() and np.isfinite(gradient).all())
        loss = float(losses.sum() if weights is None else losses @ weights)
        return _Value(loss, float(len(outputs) if weights is None else weights.sum()), gradient, True, finite)

    def _penalty(self, core: Any, l1: float, l2: float) -> float:
        if not (l1 or l2):
            return 0.0
        weights = [w.astype(np.float64) for w in core.read([(i, name, -1) for i, _, name in self._penalised(core)])[0]]
        return sum(l1 * float(np.abs(w).sum()) + l2 / 2 * float((w * w).sum()) for w in weights)

    def _penalised(self, core: Any) -> Iterator[tuple[int, int, str]]:
        """Of each parameter that `l1` and `l2` penalise: its layer's number, its own in the layer, and its name."""
        for i in range(self._n_layers):
            layer = core.layer(i)
            yield from ((i, k, name) for k, name in enumerate(layer.parameters) if name in layer.penalised)

    def _penalise(self, core: Any, gradients: Any, l1: float, l2: float) -> None:
        for i, k, name in self._penalised(core):
            if core.layer(i).trainable:
                (weights,), _ = core.read([(i, name, -1)])
                gradients[i][k][...] += (l1 * np.sign(weights) + l2 * weights).astype(weights.dtype)


def _correct(samples: Samples, rows: Any, outputs: _Array) -> float:
    labels = samples.targets.labels
    if labels is None:
        return 0.0
    right = outputs.argmax(axis=1) == labels[rows]
    return float(right.sum() if samples.weights is None else samples.weights[rows][right].sum())
