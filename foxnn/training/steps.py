"""Single steps of training, outside of epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from foxnn.errors import DivergenceError
from foxnn.training.warnings import warn_of_targets

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


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
        from foxnn.schedules import Pace
        from foxnn.schedules.rates import Rates

        found = Rates(Pace(None, None), network.dtype).of(rate, int(state.t), 1)
        rate = found if isinstance(found, float) else float(found[0])
    network._rate = rate
    return rate


def one_step(network: NeuralNetwork, X: Any, y: Any, sample_weight: Any) -> tuple[float, float]:
    """Train on all samples as one batch; loss and weight, summed over them.

    Plain arrays go to the core at once: people call this millions of times.
    """
    rate: float | None = None
    # What an optimizer remembers is forgotten for a new one's sake only when the samples have been checked: below.
    is_known = network._optimizer is network._optimizer_of_state
    if is_known and network.scale is None and network.offset is None and not network._unfitted:
        state = network._get_optimizer_state()
        given = network._optimizer.learning_rate
        rate = given if isinstance(given, float) else rate_of_step(network, state)
        if rate != network._rate:
            network._rate = rate
        trainer = network._trainer or network._get_trainer()
        least, most = network._loss.target_range
        done = trainer.plain_step(
            network._core,
            X,
            y,
            sample_weight,
            least,
            most,
            state,
            rate,
            network._l1,
            network._l2,
            network.settings._n_threads or 0,
            network._seed,
            network._epoch % 2**32,
        )
        if done is not None:
            outcome, loss, weight = done
            if outcome != "finished":
                check_step(network, outcome, state)
            return loss, weight
    from foxnn.training.loop import run_steps  # not above: it imports this file

    samples, targets = network._samples(X, y, sample_weight, trains=True)
    if not is_known:
        warn_of_targets(network, targets)
    n = len(samples)
    network._check_batch("X", n)
    loss, weight, _ = run_steps(network, samples, None, 0, n, n, rate=rate)
    return loss, weight
