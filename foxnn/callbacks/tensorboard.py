"""Curves for TensorBoard."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from foxnn._extras import needing
from foxnn._options import flag, path_text
from foxnn.callbacks._writing import going_on
from foxnn.callbacks.base import Callback
from foxnn.history import scalars

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


class TensorBoard(Callback):
    """Write the values of every epoch where TensorBoard finds them (needs tensorboardX: ``foxnn[tensorboard]``).

    ``tensorboard --logdir logs`` shows them. Values of the validation data (``val_loss``) are a run of their own, so
    that they share a chart with those of training.

    Parameters
    ----------
    folder : str or path-like, default "logs"
        Gets the folders ``train`` and ``validation``.
    histograms : bool, default False
        Whether to write histograms of weights and biases, too, and of what normalisations learn.

    Raises
    ------
    ImportError
        If tensorboardX is not installed.
    OSError
        Before training begins, if the folder cannot be made. Later failures of the disk are warnings, and training goes
        on.

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([1, 1])
    >>> nn.fit([[0.0]], [1.0], callbacks=[foxnn.callbacks.TensorBoard("logs/first")])  # doctest: +SKIP
    """

    def __init__(self, folder: str | os.PathLike[str] = "logs", histograms: bool = False) -> None:
        _writer_class()  # an import that fails had better fail now
        self.folder = path_text("folder", folder)
        self.histograms = flag("histograms", histograms)
        self._writers: dict[str, Any] = {}

    def on_train_begin(self, network: NeuralNetwork, epochs: int, n_samples: int | None) -> None:
        """Make the folder."""
        os.makedirs(self.folder, exist_ok=True)

    def on_epoch_end(self, network: NeuralNetwork, epoch: int, values: dict[str, float]) -> None:
        """Write the values."""
        with going_on(self.folder):
            self._write(network, epoch, values)

    def _write(self, network: NeuralNetwork, epoch: int, values: dict[str, float]) -> None:
        for name, value in scalars(values).items():
            writer = self._writer("validation" if name.startswith("val_") else "train")
            writer.add_scalar(name.removeprefix("val_"), value, epoch + 1)
        if self.histograms:
            for i, layer in enumerate(network.layers):
                for name in layer.array_names:
                    self._writer("train").add_histogram(f"layers.{i}.{name}", layer.get_array(name), epoch + 1)
        for writer in self._writers.values():
            writer.flush()

    def _writer(self, run: str) -> Any:
        if run not in self._writers:
            self._writers[run] = _writer_class()(os.path.join(self.folder, run))
        return self._writers[run]

    def on_train_end(self, network: NeuralNetwork) -> None:
        """Close the files."""
        writers, self._writers = self._writers, {}
        for writer in writers.values():
            with going_on(self.folder):
                writer.close()


def _writer_class() -> Any:
    message = "foxnn.callbacks.TensorBoard needs tensorboardX: pip install foxnn[tensorboard]"
    with needing("tensorboardX", message=message):
        from tensorboardX import SummaryWriter
    return SummaryWriter
