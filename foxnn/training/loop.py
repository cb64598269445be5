"""The loop over epochs: one call into the core for every twentieth of a second, progress and callbacks in between."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foxnn import _core, optimizers
from foxnn.data.samples import Part
from foxnn.data.scaling import check_fitted
from foxnn.errors import DivergenceError
from foxnn.history import History
from foxnn.training.before import Before
from foxnn.training.checkpoint import described_rate, kept
from foxnn.training.plan import Plan
from foxnn.training.steps import check_step, rate_of_step
from foxnn.training.warnings import warn_of_targets

if TYPE_CHECKING:
    from foxnn._arrays import Targets
    from foxnn.metrics import Metric
    from foxnn.network import NeuralNetwork
    from foxnn.training.checkpoint import Checkpoint, Interrupted
    from foxnn.training.plan import Data

#: Seconds after which the core comes back to Python, which then hears Ctrl-C and moves the progress bar.
CHUNK_SECONDS = 0.05
#: How far a training is, besides its progress.
_PLACE = ("epoch", "is_begun", "part", "before", "first_step", "heard", "rule")


# ---- steps --------------------------------------------------------------------------------------------------

_Sums = tuple[float, float, float]  # loss, weight and number of correct answers, summed over samples


def one_call(
    network: NeuralNetwork,
    samples: Any,
    order: npt.NDArray[np.int64] | None,
    progress: _core.Progress,
    end: int,
    batch_size: int,
    rate: float | npt.NDArray[np.float64],
    seconds: float,
    sum_gradients: bool = False,
) -> None:
    """One call into the core, which moves `progress` on: up to `end`, or until `seconds` have passed.

    `rate` is that of all steps or an array of each one's.
    """
    state = network._get_optimizer_state()
    trainer = network._get_trainer()  # a callback may have changed an activation, which makes a new one
    before = progress.steps
    if isinstance(rate, float):
        network._rate = rate
    outcome = trainer.run(
        samples,
        order,
        progress,
        end,
        state,
        batch_size,
        rate,
        network.l1,
        network.l2,
        sum_gradients,
        seconds,
        network.n_threads or 0,
        network.seed,
        network.epoch % 2**32,
    )
    if not isinstance(rate, float):
        steps = progress.steps - before
        network._rate = float(rate[steps if outcome == "loss" else steps - 1])
    check_step(network, outcome, state)


def run_steps(
    network: NeuralNetwork,
    samples: Any,
    order: npt.NDArray[np.int64] | None,
    begin: int,
    end: int,
    batch_size: int,
    *,
    rate: float | None = None,
    seconds: float = 0.0,
    on_progress: Callable[[int, float, float, float], None] | None = None,
    sum_gradients: bool = False,
) -> _Sums:
    """Train on a part of an order of samples, outside of epochs, at one rate; returns the sums.

    With `seconds`, Python takes over for a moment each time they have passed; `on_progress` then gets the position
    in the order and the three sums so far.
    """
    check_fitted(network)
    progress = _core.Progress(begin)
    if rate is None:
        rate = rate_of_step(network, network._get_optimizer_state())
    while progress.next < end:
        one_call(network, samples, order, progress, end, batch_size, rate, seconds, sum_gradients)
        if on_progress is not None:
            on_progress(progress.next, *progress.sums)
    return progress.sums


# ---- epochs -------------------------------------------------------------------------------------------------


def check_unchanged(network: NeuralNetwork, core: Any) -> None:
    """Raise if layers were added or removed since the data was looked at."""
    if network._core is not core:
        raise RuntimeError("another thread has changed the layers of this network meanwhile")


def train(
    network: NeuralNetwork,
    core: Any,
    plan: Plan,
    checkpoint: Checkpoint | None = None,
    found: Interrupted | None = None,
) -> History:
    """Carry out a plan, made for a network that had this core; with `found`, go on where it was interrupted."""
    with network._exclusively():
        check_unchanged(network, core)
        before = Before(network, None if found is None else found.network)
        with before.given_back(network), ExitStack() as at_the_end:
            at_the_end.callback(_note_rate, network, plan.optimizer, plan.optimizer.learning_rate)
            with nullcontext() if found is None else found.in_place_of(network):
                training = _prepared(network, plan, checkpoint, found, before)
                if found is not None and found.is_complete:
                    for callback, state in zip(kept(plan.callbacks), found.state["callbacks"], strict=True):
                        callback.set_state(state)
                    return network.history
                for callback in reversed(plan.callbacks):  # so that all are told, in their order
                    at_the_end.callback(callback.on_train_end, network)
                training.begin(None if found is None else found.state)
            training.run()
        if checkpoint is not None:
            checkpoint.finish(network, training.state())
    return network.history


def _note_rate(network: NeuralNetwork, optimizer: optimizers.Optimizer, given: Any) -> None:
    """Keep in mind what rate a training began with, and what rate it has left; see `Interrupted.as_begun`."""
    if network.optimizer is optimizer:
        network._last_rate = optimizer, given, optimizer.learning_rate


def _prepared(
    network: NeuralNetwork, plan: Plan, checkpoint: Checkpoint | None, found: Interrupted | None, before: Before
) -> _Training:
    """The training, before its first step or where it was interrupted."""
    if found is None:
        network.history = History()
    if network._unfitted:
        plan.data.fit_scaling(network)
    network.scale, network.offset = plan.scale, plan.offset
    if plan.trained_on is not None and (plan.trained_on or not plan.goes_on):  # a batch within 0 to 1 tells nothing
        network._core.trained_on = plan.trained_on
    network.optimizer = plan.optimizer
    network.stop_training = False
    training = _Training(network, plan, checkpoint, before)
    if found is not None:
        training.restore(found.state)
    return training


class _Training:
    """A plan that is being carried out, and how far it is.

    Attributes
    ----------
    progress : Progress
        Position in the present part of the data, steps of the training, sums of the epoch.
    epoch : int
    is_begun : bool
        Whether callbacks know that the epoch has begun.
    part : int
        Number of the present part.
    before : int
        Samples of the epoch in earlier parts.
    first_step : int
        Steps before the epoch.
    heard : int
        Batches of the epoch that `on_batch_end` need not hear of any more.
    rule : str
        How correct answers are counted; "": not at all, since parts differ.
    """

    def __init__(
        self, network: NeuralNetwork, plan: Plan, checkpoint: Checkpoint | None, before: Before | None
    ) -> None:
        from foxnn.schedules import Pace
        from foxnn.schedules.rates import Rates

        self.network, self.plan = network, plan
        steps = plan.data.steps
        whole = None if plan.goes_on or steps is None else steps * plan.epochs
        self.rates = Rates(Pace(steps, whole), network.dtype)
        self.first_step = int(network._get_optimizer_state().t) if plan.goes_on else 0
        self.progress = _core.Progress(0, self.first_step)
        self.epoch = self.part = self.before = self.heard = 0
        self.is_begun, self.rule = False, ""
        self._listeners = [callback for callback in plan.callbacks if callback.every]
        self._rate_given = plan.optimizer.learning_rate
        self._started = time.perf_counter()
        self._seconds = 0.0  # that an epoch has taken before it was interrupted
        self._checkpoint = checkpoint
        self._before = before  # until the first step
        self._targets_seen = False  # whether those of the first part have been looked at
        self._settled: dict[str, Any] | None = None  # the state before what must not be interrupted

    def begin(self, state: dict[str, Any] | None) -> None:
        """Tell callbacks that it begins, or goes on from a state."""
        arguments = self.network, self.plan.epochs, self.plan.data.n
        if state is None:
            for callback in self.plan.callbacks:
                callback.on_train_begin(*arguments)
            return
        states = dict(zip(map(id, kept(self.plan.callbacks)), state["callbacks"], strict=True))
        for callback in self.plan.callbacks:
            callback.on_train_resume(*arguments, states.get(id(callback), {}))

    def run(self) -> None:
        """Train for as many epochs as are left; what ends it early leaves a checkpoint.

        So does the end, from which an interruption of what comes after it is gone on with.
        """
        try:
            while self.epoch < self.plan.epochs and not self.network.stop_training:
                self._train_epoch()
            if self._checkpoint is not None:
                self._checkpoint.write(self.network, self.state())
        except DivergenceError:  # it would diverge again
            raise
        except BaseException:
            if self._checkpoint is not None:
                self._checkpoint.write(self.network, self._settled or self.state())
            raise

    def state(self) -> dict[str, Any]:
        """All that goes on from here, apart from the network."""
        rate = self.network.optimizer.learning_rate
        changed = {} if rate is self._rate_given else {"learning_rate": described_rate(rate, self.network._rate)}
        return {
            **{name: getattr(self, name) for name in _PLACE},
            "next": self.progress.next,
            "steps": self.progress.steps,
            "sums": list(self.progress.sums),
            **changed,
            "rate": self.network._rate,
            "network_epoch": self.network.epoch,
            "epochs_in_history": len(self.network.history.epochs),
            "seconds": time.perf_counter() - self._started if self.is_begun else 0.0,
            "stop": self.network.stop_training,
            "schedules": self.rates.state(rate),
            "callbacks": [callback.state() for callback in kept(self.plan.callbacks)],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Be where `state` was returned."""
        for name in _PLACE:
            setattr(self, name, state[name])
        self.progress = _core.Progress(state["next"], state["steps"], *state["sums"])
        self._seconds, self.network.stop_training = state["seconds"], state["stop"]
        optimizer, steps = self.network.optimizer, self.progress.steps
        if "learning_rate" in state:
            optimizer.learning_rate = optimizers.checked_rate(state["learning_rate"])
        self.rates.restore(optimizer.learning_rate, state["schedules"])
        self.network._rate = float(state["rate"])
        if steps and not isinstance(rate := self.rates.of(optimizer.learning_rate, steps - 1, 1), float):
            self.network._rate = float(rate[0])  # which a signal may have kept from being noted

    def _settle(self) -> None:
        """What follows cannot be gone on with halfway: interrupted, it will come again, beginning from here."""
        self._settled = None if self._checkpoint is None else self.state()

    def _write_if_due(self) -> None:
        if self._checkpoint is not None and self._checkpoint.is_due:
            self._checkpoint.write(self.network, self.state())

    @property
    def batches(self) -> int:
        """Batches of the epoch that are behind us."""
        return self.progress.steps - self.first_step

    @property
    def samples(self) -> int:
        """Samples of the epoch that are behind us."""
        return self.before + self.progress.next

    def _train_epoch(self) -> None:
        network = self.network
        self._started, self._seconds = time.perf_counter() - self._seconds, 0.0
        if not self.is_begun:
            self._settle()
            for callback in self.plan.callbacks:
                callback.on_epoch_begin(network, self.epoch)
            self.is_begun = True
            self._settled = None
        self._tick, self._told = time.perf_counter() + CHUNK_SECONDS, self.samples
        with closing(self.plan.data.parts(network)) as parts:  # type: ignore[type-var]
            for number, part in enumerate(parts):
                if number >= self.part:  # if not, it was trained on before an interruption
                    self._train_on(number, part)
                if network.stop_training:
                    break
        self._tell_progress()
        self._settle()
        self._end_epoch()
        self._settled = None
        if self._checkpoint is not None:
            self._write_if_due()

    def _end_epoch(self) -> None:
        network, epoch = self.network, self.epoch
        network.epoch += 1
        values = self._means()
        if self.rates.is_scheduled:
            values["learning_rate"] = network._rate
        values |= self._evaluated()
        values["seconds"] = time.perf_counter() - self._started
        network.history.append(values)
        self.rates.observe(values)
        for callback in self.plan.callbacks:
            callback.on_epoch_end(network, epoch, values)
        self.progress.begin_epoch()
        self.epoch, self.first_step = epoch + 1, self.progress.steps
        self.part = self.before = self.heard = 0
        self.is_begun = False

    def _evaluated(self) -> dict[str, Any]:
        """Loss and metrics of the validation data; or if there are none, metrics of the training data."""
        plan = self.plan
        if plan.validation is not None:
            found = evaluate(self.network, plan.validation, plan.metrics)
            return {f"val_{name}": value for name, value in found.items()}
        if not plan.metrics:
            return {}
        found = evaluate(self.network, plan.data.whole, plan.metrics)
        return {metric.name: found[metric.name] for metric in plan.metrics}

    def _train_on(self, number: int, part: Part) -> None:
        progress = self.progress
        if number > self.part:
            self._settle()
            self.part, self.before = number, self.samples
            progress.begin_part()
        correct = part.targets.correct
        if not self._targets_seen:
            warn_of_targets(self.network, part.targets)
            self._targets_seen = True
        self.rule = correct if self.rule == correct or progress.steps == self.first_step else ""
        self._settled = None
        while True:
            if self._listeners and self.heard < self.batches:
                self._tell_batch()
            if time.perf_counter() >= self._tick:
                self._tell_progress()
                self._tick = time.perf_counter() + CHUNK_SECONDS
                self._write_if_due()
            if progress.next >= part.n or self.network.stop_training:
                return
            self._advance(part)

    def _tell_batch(self) -> None:
        batches = self.batches
        due = [callback for callback in self._listeners if batches % callback.every == 0]
        if due:
            self._settle()
            values = self._means()
            for callback in due:
                callback.on_batch_end(self.network, self.epoch, batches - 1, values)
        self.heard = batches
        self._settled = None

    def _advance(self, part: Part) -> None:
        """One call into the core; it returns to Python at the latest when someone wants to hear of a batch."""
        network, progress = self.network, self.progress
        begin, taken = progress.next, progress.steps
        batches = taken - self.first_step
        steps = left = -(-(part.n - begin) // part.batch_size)
        for callback in self._listeners:
            steps = min(steps, callback.every - batches % callback.every)
        per_epoch = self.plan.data.steps
        sure = left if per_epoch is None else max(left, per_epoch - batches)  # of this epoch
        rate = self.rates.of(network.optimizer.learning_rate, taken, steps, sure)
        if not isinstance(rate, float):
            steps = len(rate)
        end = min(part.n, begin + steps * part.batch_size)
        seconds = max(self._tick - time.perf_counter(), 1e-6)
        one_call(network, part.samples, part.order, progress, end, part.batch_size, rate, seconds)
        if self._before is not None:
            self._before.forget_after_a_step(network)
            self._before = None

    def _tell_progress(self) -> None:
        if not self.plan.callbacks or self._told == self.samples:
            return
        samples = self.samples
        self._told = samples
        values = self._means()
        for callback in self.plan.callbacks:
            callback.on_progress(self.network, self.epoch, samples, values)

    def _means(self) -> dict[str, float]:
        loss, weight, correct = self.progress.sums
        values = {"loss": loss / weight if weight else math.nan}
        if self.rule:
            values["accuracy"] = correct / weight if weight else math.nan
        return values


def evaluate(network: NeuralNetwork, data: Data, metrics: Sequence[Metric] = ()) -> dict[str, Any]:
    """Loss, accuracy if the targets are classes, and metrics."""
    loss = weight = correct = 0.0
    rule: str | None = None
    seen: list[tuple[Targets, npt.NDArray[Any], npt.NDArray[np.float64] | None]] = []
    for batch in data.batches():  # of a stream, the sums are those of its batches
        sums = network._loss_sums(batch.core)
        loss, weight, correct = loss + sums[0], weight + sums[1], correct + sums[2]
        rule = batch.targets.correct if rule in (None, batch.targets.correct) else ""
        if metrics:
            seen.append(
                (
                    batch.targets,
                    network._core.predict(batch.inputs, *batch.reading, network.n_threads or 0),
                    batch.weights,
                )
            )
    result: dict[str, Any] = {"loss": loss / weight}
    if rule:
        result["accuracy"] = correct / weight
    if metrics:
        from foxnn.metrics import values_of

        result |= values_of(metrics, seen)
    return result
