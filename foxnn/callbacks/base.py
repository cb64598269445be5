"""What may happen during `fit` besides training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from foxnn._closed import Closed

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


class Callback(Closed):
    """Base of callbacks: override what you need.

    A callback that remembers something from one epoch to the next says so with `state` and `set_state`, for `fit` with
    `checkpoint`.

    Set ``network.stop_training = True`` to stop: after the epoch, or at once if done in `on_batch_end` or
    `on_progress`; the epoch then ends early. An exception ends the training and leaves the network usable.

    Attributes
    ----------
    every : int, default 0
        After how many batches `on_batch_end` is called; 0: never.

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

    every: int = 0

    def on_train_begin(self, network: NeuralNetwork, epochs: int, n_samples: int | None) -> None:
        """Before the first of `epochs` epochs of `n_samples` samples (None: nobody knows how many)."""

    def on_train_resume(
        self, network: NeuralNetwork, epochs: int, n_samples: int | None, state: dict[str, Any]
    ) -> None:
        """In place of `on_train_begin` when a training goes on, with what `state` returned when it was interrupted."""
        self.on_train_begin(network, epochs, n_samples)
        self.set_state(state)

    def on_epoch_begin(self, network: NeuralNetwork, epoch: int) -> None:
        """Before epoch number `epoch`, counted from 0."""

    def on_batch_end(self, network: NeuralNetwork, epoch: int, batch: int, values: dict[str, float]) -> None:
        """After each `every` batches; this one's number, counted from 0, and the means over the epoch so far."""

    def on_progress(self, network: NeuralNetwork, epoch: int, done: int, values: dict[str, float]) -> None:
        """Some twenty times a second: `done` samples of this epoch are behind us, with these means so far."""

    def on_epoch_end(self, network: NeuralNetwork, epoch: int, values: dict[str, float]) -> None:
        """After an epoch, with its values as they go into the history."""

    def on_train_end(self, network: NeuralNetwork) -> None:
        """After the last epoch, or after an error or Ctrl-C."""

    def state(self) -> dict[str, Any]:
        """What to remember if the training is interrupted: numbers, texts, arrays, and lists and dicts of them."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Remember what `state` returned; tuples have become lists."""
