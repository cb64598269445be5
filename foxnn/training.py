"""The loop over epochs: one call into the core for every twentieth of a second, progress and callbacks in between."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foxnn.errors import DivergenceError
from foxnn.history import History
from foxnn.plan import Plan
from foxnn.samples import Part

if TYPE_CHECKING:
    from foxnn._arrays import Targets
    from foxnn.metrics import Metric
    from foxnn.network import NeuralNetwork
    from foxnn.plan import Data

#: Seconds after which the core comes back to Python, which then hears Ctrl-C and moves the progress bar.
CHUNK_SECONDS = 0.05


# ---- steps --------------------------------------------------------------------------------------------------

_Sums = tuple[float, float, float]  # loss, weight and number of correct answers, summed over samples


def one_call(
    network: NeuralNetwork,
    samples: Any,
    order: npt.NDArray[np.int64] | None,
    begin: int,
    end: int,
    batch_size: int,
    rate: float | npt.NDArray[np.float64],
    sums: _Sums,
    seconds: float,
    sum_gradients: bool = False,
) -> tuple[int, int, _Sums]:
    """One call into the core: how far in the order it came, how many steps it took, and the sums with what was added.

    It trains up to `end`, or until `seconds` have passed. `rate` is that of all steps or an array of each one's.
    """
    state = network._get_optimizer_state()
    trainer = network._get_trainer()  # a callback may have changed an activation, which makes a new one
    outcome, begin, steps, loss, weight, correct = trainer.run(
        samples,
        order,
        begin,
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
        *sums,
    )
    network._rate = rate if isinstance(rate, float) else float(rate[steps if outcome == "loss" else steps - 1])
    check_step(network, outcome, state)
    return begin, steps, (loss, weight, correct)


def check_step(network: NeuralNetwork, outcome: str, state: Any) -> None:
    """Raise if a step of the core's trainer came out as "loss" or "update": not finite."""
    if outcome in ("loss", "update"):
        what = "the loss is" if outcome == "loss" else "an update would be"
        step = int(state.t) + (outcome == "loss")
        raise DivergenceError(
            f"{what} no longer finite in epoch {network.epoch}, at step {step} of the optimizer (learning rate "
            f"{network._rate:g}); the network has kept its last finite weights. A smaller learning rate or scaled "
            "inputs usually help."
        )


def rate_of_step(network: NeuralNetwork, state: Any) -> float:
    """The learning rate of a step outside of `fit`, where schedules go by the steps of the optimizer."""
    rate = network.optimizer.learning_rate
    if not isinstance(rate, float):
        from foxnn.schedules import Pace, Rates

        found = Rates(Pace(None, None)).of(rate, int(state.t), 1)
        rate = found if isinstance(found, float) else float(found[0])
    network._rate = rate
    return rate


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
) -> _Sums:
    """Train on a part of an order of samples, outside of epochs; returns the sums.

    With `seconds`, Python takes over for a moment each time they have passed; `on_progress` then gets the position
    in the order and the three sums so far.
    """
    network._check_scaled()
    sums = (0.0, 0.0, 0.0)
    rate = rate_of_step(network, network._get_optimizer_state())  # in more than one step at a time it is constant
    while begin < end:
        begin, _, sums = one_call(network, samples, order, begin, end, batch_size, rate, sums, seconds, sum_gradients)
        if on_progress is not None:
            on_progress(begin, *sums)
    return sums


# ---- epochs -------------------------------------------------------------------------------------------------


def train(network: NeuralNetwork, plan: Plan) -> History:
    """Carry out a plan."""
    with network._exclusively():
        if network._unfitted:
            plan.data.fit_scaling(network)
        network.scale, network.offset = plan.scale, plan.offset
        network.optimizer = plan.optimizer
        network.history = History()
        network.stop_training = False
        with ExitStack() as at_the_end:
            for callback in reversed(plan.callbacks):  # so that all are told, in their order
                at_the_end.callback(callback.on_train_end, network)
            for callback in plan.callbacks:
                callback.on_train_begin(network, plan.epochs, plan.data.n)
            _Training(network, plan).run()
    return network.history


class _Training:
    """A plan that is being carried out, and how far it is.

    Attributes
    ----------
    epoch, step : int
        Epochs and steps behind us: what learning-rate schedules depend on.
    batches, samples : int
        Those of this epoch that are behind us.
    sums : (float, float, float)
        Of this epoch.
    """

    def __init__(self, network: NeuralNetwork, plan: Plan) -> None:
        from foxnn.schedules import Pace, Rates

        self.network, self.plan = network, plan
        steps = plan.data.steps
        whole = None if plan.goes_on or steps is None else steps * plan.epochs
        self.rates = Rates(Pace(steps, whole))
        self.epoch = 0
        self.step = int(network._get_optimizer_state().t) if plan.goes_on else 0
        self._listeners = [callback for callback in plan.callbacks if callback.every]

    def run(self) -> None:
        """Train for as many epochs as are left."""
        while self.epoch < self.plan.epochs and not self.network.stop_training:
            self._train_epoch()

    def _train_epoch(self) -> None:
        network, callbacks = self.network, self.plan.callbacks
        started = time.perf_counter()
        for callback in callbacks:
            callback.on_epoch_begin(network, self.epoch)
        self.batches = self.samples = 0
        self.sums: _Sums = (0.0, 0.0, 0.0)
        self._rule: str | None = None
        self._tick, self._told = time.perf_counter() + CHUNK_SECONDS, 0
        with closing(self.plan.data.parts(network)) as parts:  # type: ignore[type-var]
            for part in parts:
                self._train_on(part)
                if network.stop_training:
                    break
        self._tell_progress()
        network.epoch += 1
        values = self._means()
        if self.rates.is_scheduled:
            values["learning_rate"] = network._rate
        values |= self._evaluated()
        values["seconds"] = time.perf_counter() - started
        network.history.append(values)
        self.rates.observe(values)
        for callback in callbacks:
            callback.on_epoch_end(network, self.epoch, values)
        self.epoch += 1

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

    def _train_on(self, part: Part) -> None:
        self._rule = part.correct if self._rule in (None, part.correct) else ""
        begin = 0
        while True:
            begin = self._advance(part, begin)
            due = [callback for callback in self._listeners if self.batches % callback.every == 0]
            values = self._means() if due else {}
            for callback in due:
                callback.on_batch_end(self.network, self.epoch, self.batches - 1, values)
            if time.perf_counter() >= self._tick:
                self._tell_progress()
                self._tick = time.perf_counter() + CHUNK_SECONDS
            if begin >= part.n or self.network.stop_training:
                return

    def _advance(self, part: Part, begin: int) -> int:
        """One call into the core; it returns to Python at the latest when someone wants to hear of a batch."""
        network = self.network
        left = -(-(part.n - begin) // part.batch_size)
        steps = min([left, *(callback.every - self.batches % callback.every for callback in self._listeners)])
        rate = self.rates.of(network.optimizer.learning_rate, self.step, steps, self._steps_left(left))
        if not isinstance(rate, float):
            steps = len(rate)
        end = min(part.n, begin + steps * part.batch_size)
        seconds = max(self._tick - time.perf_counter(), 1e-6)
        position, taken, self.sums = one_call(
            network, part.samples, part.order, begin, end, part.batch_size, rate, self.sums, seconds
        )
        self.batches += taken
        self.step += taken
        self.samples += position - begin
        return position

    def _steps_left(self, of_part: int) -> int:
        """How many steps of this epoch are left for sure."""
        per_epoch = self.plan.data.steps
        return of_part if per_epoch is None else max(of_part, per_epoch - self.batches)

    def _tell_progress(self) -> None:
        if self._told == self.samples:
            return
        self._told = self.samples
        values = self._means()
        for callback in self.plan.callbacks:
            callback.on_progress(self.network, self.epoch, self.samples, values)

    def _means(self) -> dict[str, float]:
        loss, weight, correct = self.sums
        values = {"loss": loss / weight if weight else math.nan}
        if self._rule:
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
