"""Finding a learning rate: what the loss does while the rate grows from tiny to too large."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from foxnn import _core, optimizers
from foxnn._arguments import pointing
from foxnn._options import integer, real
from foxnn.errors import DivergenceError
from foxnn.network import NeuralNetwork
from foxnn.training.loop import one_call
from foxnn.training.plan import Plan

#: Share that the losses before have in a smoothed loss.
_SMOOTHING = 0.9
#: How many times the least smoothed loss is too much to go on.
_TOO_MUCH = 4.0


@dataclass(frozen=True)
class RateSearch:
    """What `find_learning_rate` found.

    Attributes
    ----------
    learning_rates : ndarray of shape (n,)
        Of each step.
    losses : ndarray of shape (n,)
        Of each step's batch, before the step.
    smoothed : ndarray of shape (n,)
        The losses' exponentially weighted means (0.9 of those before), as in Adam without their bias to 0.
    """

    learning_rates: npt.NDArray[np.float64]
    losses: npt.NDArray[np.float64]
    smoothed: npt.NDArray[np.float64]

    @property
    def suggestion(self) -> float:
        """A tenth of the rate at which the smoothed loss was least: large, but with a distance to too large."""
        return float(self.learning_rates[np.argmin(self.smoothed)] / 10)

    def __repr__(self) -> str:
        return f"RateSearch({len(self.losses)} steps; suggestion={self.suggestion:.2g})"

    def plot(self, ax: Any = None) -> Any:
        """Draw the losses over the rates (needs matplotlib); returns the axes.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to draw; by default in a new figure.
        """
        from foxnn.plots import plot_rate_search

        return plot_rate_search(self, ax)


@pointing
def find_learning_rate(
    network: NeuralNetwork,
    X: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    optimizer: str | optimizers.Optimizer | None = None,
    batch_size: int | None = None,
    start: float = 1e-6,
    end: float = 10.0,
    steps: int = 100,
) -> RateSearch:
    """Train a copy of a network while the learning rate grows from step to step, and see what becomes of the loss.

    It ends early when the loss explodes: when its smoothed value is four times the least so far, or not finite.

    Parameters
    ----------
    network : NeuralNetwork
        Stays as it is.
    X, y, sample_weight
        As for `NeuralNetwork.fit`.
    optimizer : str or Optimizer, optional
        By default the network's. Its own learning rate is not used.
    batch_size : int, default 32
    start, end : float
        The first and the last rate; between two steps it grows by the same factor.
    steps : int, default 100

    Returns
    -------
    RateSearch
        With `learning_rates`, `losses`, `suggestion` and `plot()`.

    Raises
    ------
    ValueError, TypeError
        As for `NeuralNetwork.fit`.

    References
    ----------
    Smith, Cyclical Learning Rates for Training Neural Networks (2017), section 3.3.

    Examples
    --------
    >>> import foxnn
    >>> X_train, y_train, _, _ = foxnn.datasets.load_mnist_sample()
    >>> nn = foxnn.neural_network([784, 32, 10], activation="relu", output="softmax", seed=0)
    >>> found = foxnn.find_learning_rate(nn, X_train, y_train)
    >>> 1e-3 < found.suggestion < 1e-1
    True
    """
    if not isinstance(network, NeuralNetwork):
        raise TypeError(f"network: got {network!r}; it takes a foxnn.neural_network")
    first = real("start", start, 0, open_below=True)
    last = real("end", end, first, open_below=True)
    count = integer("steps", steps, 2)
    twin = network.copy()
    chosen = optimizers.get(network.optimizer if optimizer is None else optimizer, first)
    plan = Plan.checked(
        twin, X, y, epochs=1, batch_size=batch_size, optimizer=chosen,
        sample_weight=sample_weight, verbose=False,
    )  # fmt: skip
    twin.scale, twin.offset, twin.optimizer = plan.scale, plan.offset, plan.optimizer
    rates = np.geomspace(first, last, count)
    losses: list[float] = []
    smoothed: list[float] = []
    mean = 0.0
    for loss in _losses(twin, plan, rates):
        mean = _SMOOTHING * mean + (1 - _SMOOTHING) * loss
        losses.append(loss)
        smoothed.append(mean / (1 - _SMOOTHING ** len(losses)))
        if smoothed[-1] > _TOO_MUCH * max(min(smoothed), 0):
            break
    if not losses:
        raise DivergenceError("the loss of the first batch is not finite already")
    return RateSearch(rates[: len(losses)], np.array(losses), np.array(smoothed))


def _losses(network: NeuralNetwork, plan: Plan, rates: npt.NDArray[np.float64]) -> Iterator[float]:
    """Loss of each batch before its step; a step for each rate, unless one goes too far."""
    step = 0
    while True:
        for part in plan.data.parts(network):
            for begin in range(0, part.n, part.batch_size):
                if step == len(rates):
                    return
                end = min(begin + part.batch_size, part.n)
                rate = float(rates[step])
                try:
                    progress = _core.Progress(begin)
                    one_call(network, part.samples, part.order, progress, end, part.batch_size, rate, 0.0)
                except DivergenceError:
                    return
                loss, weight, _ = progress.sums
                yield loss / weight if weight else 0.0
                step += 1
        network.epoch += 1
