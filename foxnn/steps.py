"""Single steps of training, outside of epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from foxnn.errors import DivergenceError

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

        found = Rates(Pace(None, None)).of(rate, int(state.t), 1)
        rate = found if isinstance(found, float) else float(found[0])
    network._rate = rate
    return rate


def one_step(network: NeuralNetwork, samples: Any) -> tuple[float, float]:
    """Train on all samples as one batch; loss and weight, summed over them.

    Nothing that only longer runs need is done here: people call it millions of times.
    """
    network._check_scaled()
    state = network._get_optimizer_state()
    outcome, loss, weight = network._get_trainer().step(
        samples,
        state,
        rate_of_step(network, state),
        network._l1,
        network._l2,
        network.settings._n_threads or 0,
        network._seed,
        network.epoch % 2**32,
    )
    if outcome != "finished":
        check_step(network, outcome, state)
    return loss, weight
