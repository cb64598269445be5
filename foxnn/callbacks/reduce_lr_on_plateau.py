"""Lower learning rates when nothing improves any more, as Keras does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from foxnn._options import integer, real
from foxnn.callbacks.base import Callback
from foxnn.schedules import ReduceOnPlateau

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


class ReduceLROnPlateau(Callback):
    """Multiply the learning rate by `factor` when a value has not improved for `patience` epochs.

    `foxnn.schedules.ReduceOnPlateau` with the arguments of Keras, which counts otherwise: with ``patience=3`` the third
    epoch without improvement is the last one at the old rate, here, and there the fourth.

    Parameters
    ----------
    monitor : str, optional
        Name of a value in the history; by default ``val_loss``, or ``loss`` if nothing is validated.
    factor : float in (0, 1), default 0.1
    patience : int, default 10
        Epochs without improvement after which the rate is reduced.
    verbose : int, default 0
        Whether to print what is done.
    mode : "min", "max" or "auto", default "auto"
        Whether the value should be small or large; "auto": as is right for losses and foxnn's own metrics.
    min_delta : float, default 1e-4
        By how much a value must be better to count.
    cooldown : int, default 0
        Epochs to wait after a reduction; in the last of them counting begins again.
    min_lr : float, default 0
        What no reduction goes below.

    Raises
    ------
    ValueError
        During training, if the learning rate follows a schedule, or there is no value of that name.

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([1, 1], output="linear", init="zeros")
    >>> nn.fit([[1.0]], [0.0], epochs=5, callbacks=[foxnn.callbacks.ReduceLROnPlateau(patience=2)]).epochs[-1]["loss"]
    0.0
    >>> nn.learning_rate
    1e-05
    """

    def __init__(
        self,
        monitor: str | None = None,
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        patience, cooldown = integer("patience", patience, 0), integer("cooldown", cooldown, 0)
        self._plateau = ReduceOnPlateau(
            1.0, monitor, factor, max(patience - 1, 0), min_delta, max(cooldown - 1, 0), mode=mode
        )
        self._least = real("min_lr", min_lr, 0)
        self._verbose = integer("verbose", verbose, 0)

    def on_train_begin(self, network: NeuralNetwork, epochs: int, n_samples: int | None) -> None:
        """Forget the last training."""
        self._plateau = self._plateau.begin()

    def on_epoch_end(self, network: NeuralNetwork, epoch: int, values: dict[str, float]) -> None:
        """Reduce the rate, if it is time to."""
        rate = network.learning_rate
        if not isinstance(rate, float):
            raise ValueError(
                f"learning_rate: got {rate!r} with ReduceLROnPlateau, which takes a number; "
                "foxnn.schedules.ReduceOnPlateau takes schedules"
            )
        before = self._plateau.state["scale"]
        self._plateau.observe(values)
        if self._plateau.state["scale"] != before and rate > self._least:
            network.learning_rate = max(rate * self._plateau.factor, self._least)
            if self._verbose:
                print(f"epoch {epoch + 1}: ReduceLROnPlateau sets the learning rate to {network.learning_rate:g}")

    def state(self) -> dict[str, Any]:
        """What it has seen so far."""
        return dict(self._plateau.state)

    def set_state(self, state: dict[str, Any]) -> None:
        """See `Callback.set_state`."""
        self._plateau.state = dict(state)
