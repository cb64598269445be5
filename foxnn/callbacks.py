"""What may happen during `fit` besides training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from foxnn._options import integer, real

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


class Callback:
    """Base of callbacks: override what you need.

    Set ``network.stop_training = True`` to stop after the epoch.

    Examples
    --------
    >>> import foxnn
    >>> class Print(foxnn.Callback):
    ...     def on_epoch_end(self, network, epoch, values):
    ...         print(epoch, sorted(values))
    >>> nn = foxnn.neural_network([1, 1], seed=0)
    >>> history = nn.fit([[0], [1]], [0, 1], epochs=1, callbacks=[Print()])
    0 ['accuracy', 'loss', 'seconds']
    """

    def on_train_begin(self, network: NeuralNetwork, epochs: int, n_samples: int) -> None:
        """Before the first of `epochs` epochs of `n_samples` samples."""

    def on_epoch_begin(self, network: NeuralNetwork, epoch: int) -> None:
        """Before epoch number `epoch`, counted from 0."""

    def on_progress(self, network: NeuralNetwork, epoch: int, done: int, values: dict[str, float]) -> None:
        """Some twenty times a second: `done` samples of this epoch are behind us, with these means so far."""

    def on_epoch_end(self, network: NeuralNetwork, epoch: int, values: dict[str, float]) -> None:
        """After an epoch, with its values as they go into the history."""

    def on_train_end(self, network: NeuralNetwork) -> None:
        """After the last epoch, or after an error or Ctrl-C."""


class EarlyStopping(Callback):
    """Stop when a value has not improved for some epochs, and go back to the best weights.

    Parameters
    ----------
    monitor : str, optional
        Name of a value in the history; by default ``val_loss``, or ``loss`` if nothing is validated. It is maximised
        if its name ends in ``accuracy``, and minimised if not.
    patience : int, default 3
        Epochs without improvement to wait for.
    min_delta : float, default 0
        By how much a value must be better to count.
    restore_best : bool, default True
        Whether the weights of the best epoch come back in the end.

    Attributes
    ----------
    best : float
        The best value.
    best_epoch : int
        Its epoch, counted from 0.

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([1, 1], output="linear", init="zeros")
    >>> stop = foxnn.EarlyStopping(patience=2)
    >>> history = nn.fit([[1.0]], [0.0], epochs=50, callbacks=[stop])
    >>> len(history["loss"]), stop.best_epoch
    (3, 0)
    """

    def __init__(
        self,
        monitor: str | None = None,
        patience: int = 3,
        min_delta: float = 0.0,
        restore_best: bool = True,
    ) -> None:
        self.monitor = monitor
        self.patience = integer("patience", patience, 1)
        self.min_delta = real("min_delta", min_delta, 0)
        self.restore_best = restore_best
        self._weights: list[tuple[Any, Any]] = []

    def on_train_begin(self, network: NeuralNetwork, epochs: int, n_samples: int) -> None:
        """Forget the last training."""
        self.best, self.best_epoch = math.nan, -1
        self._weights = []

    def on_epoch_end(self, network: NeuralNetwork, epoch: int, values: dict[str, float]) -> None:
        """Compare this epoch with the best one."""
        name = self.monitor or ("val_loss" if "val_loss" in values else "loss")
        if name not in values:
            raise ValueError(f"monitor: got {name!r}; this training has: {', '.join(values)}")
        value = values[name]
        gain = value - self.best if name.endswith("accuracy") else self.best - value
        if math.isnan(self.best) or gain > self.min_delta:
            self.best, self.best_epoch = value, epoch
            if self.restore_best:
                self._weights = [(layer.weights, layer.bias) for layer in network.layers]
        elif epoch - self.best_epoch >= self.patience:
            network.stop_training = True

    def on_train_end(self, network: NeuralNetwork) -> None:
        """Bring the best weights back."""
        for layer, (weights, bias) in zip(network.layers, self._weights, strict=False):
            layer.weights, layer.bias = weights, bias
        self._weights = []
