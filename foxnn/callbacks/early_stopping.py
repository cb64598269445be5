"""Stopping when nothing improves any more."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from foxnn._monitor import Monitor
from foxnn._options import flag, integer, real
from foxnn.callbacks._weights import bring_back, check_weights, weights_of
from foxnn.callbacks.base import Callback

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


class EarlyStopping(Callback):
    """Stop when a value has not improved for some epochs, and go back to the best weights.

    Parameters
    ----------
    monitor : str or callable, optional
        Name of a value in the history; by default ``val_loss``, or ``loss`` if nothing is validated. Or a function of
        the network that returns a number, called after every epoch.
    patience : int, default 3
        Epochs without improvement to wait for.
    min_delta : float, default 0
        By how much a value must be better to count.
    restore_best : bool, default True
        Whether the weights of the best epoch come back in the end.
    mode : "min", "max" or "auto", default "auto"
        Whether the value should be small or large; "auto": as is right for losses and foxnn's own metrics.

    Attributes
    ----------
    best : float
        The best value.
    best_epoch : int
        Its epoch, counted from 0.

    Raises
    ------
    ValueError
        During training, if there is no value of that name, or "auto" does not know it.

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([1, 1], output="linear", init="zeros")
    >>> stop = foxnn.EarlyStopping(patience=2)
    >>> history = nn.fit([[1.0]], [0.0], epochs=50, callbacks=[stop])
    >>> len(history["loss"]), stop.best_epoch
    (3, 0)
    """

    best: float
    best_epoch: int

    def __init__(
        self,
        monitor: str | Callable[[NeuralNetwork], float] | None = None,
        patience: int = 3,
        min_delta: float = 0.0,
        restore_best: bool = True,
        mode: str = "auto",
    ) -> None:
        self.monitor = monitor
        self._monitor = Monitor(None if callable(monitor) else monitor, mode)
        if callable(monitor) and mode == "auto":
            raise ValueError("mode: got 'auto' with a function to monitor; it takes 'min' or 'max'")
        self.patience = integer("patience", patience, 1)
        self.min_delta = real("min_delta", min_delta, 0)
        self.restore_best = flag("restore_best", restore_best)
        self._weights: list[dict[str, Any]] = []

    def on_train_begin(self, network: NeuralNetwork, epochs: int, n_samples: int | None) -> None:
        """Forget the last training."""
        self.best, self.best_epoch = math.nan, -1
        self._weights = []

    def on_epoch_end(self, network: NeuralNetwork, epoch: int, values: dict[str, float]) -> None:
        """Compare this epoch with the best one."""
        value = float(self.monitor(network)) if callable(self.monitor) else self._monitor.value(values)
        if self._monitor.is_better(value, self.best, self.min_delta):
            self.best, self.best_epoch = value, epoch
            if self.restore_best:
                self._weights = weights_of(network)
        elif epoch - self.best_epoch >= self.patience:
            network.stop_training = True

    def on_train_end(self, network: NeuralNetwork) -> None:
        """Bring the best weights back."""
        if self._weights:
            bring_back(network, self._weights)
        self._weights = []

    def state(self) -> dict[str, Any]:
        """The best value, its epoch, and the weights of it."""
        return {"best": self.best, "best_epoch": self.best_epoch, "weights": self._weights}

    def set_state(self, state: dict[str, Any]) -> None:
        """See `Callback.set_state`."""
        self.best, self.best_epoch = float(state["best"]), integer("best_epoch", state["best_epoch"], -1)
        self._weights = state["weights"]

    def on_train_resume(
        self, network: NeuralNetwork, epochs: int, n_samples: int | None, state: dict[str, Any]
    ) -> None:
        """See `Callback.on_train_resume`; refuses weights that are not the network's."""
        if state["weights"]:
            check_weights(network, state["weights"])
        super().on_train_resume(network, epochs, n_samples, state)
