"""Saving the network as training goes on."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foxnn._atomic import check_target, replace_file
from foxnn._background import Background
from foxnn._monitor import Monitor
from foxnn._options import flag, integer, path_text
from foxnn.callbacks._writing import going_on, warn
from foxnn.callbacks.base import Callback
from foxnn.io import to_pieces

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


class ModelCheckpoint(Callback):
    """Save the network after every epoch, or after those that are the best so far.

    A file takes the place of an old one only when it is whole and on the disk. While the disk works, training goes on:
    `fit` waits for the file when the next one is to be written, and before it returns.

    Parameters
    ----------
    path : str or path-like
        The file, as `NeuralNetwork.save` takes it. Names in braces stand for the epoch, counted from 1, and for values
        of the history: ``"net-{epoch:03d}-{val_loss:.3f}.safetensors"``. Folders are made if need be.
    monitor : str, optional
        Name of a value in the history; by default ``val_loss``, or ``loss`` if nothing is validated.
    save_best_only : bool, default False
        Whether to save only when the value is better than ever before.
    mode : "min", "max" or "auto", default "auto"
        Whether the value should be small or large; "auto": as is right for losses and foxnn's own metrics.
    period : int, default 1
        Without `save_best_only`: after how many epochs to save.

    Attributes
    ----------
    best : float
        The best value so far; NaN before the first epoch.
    last_path : str or None
        The file that was written last. Whoever asks for one of the two waits until the file is there.

    Raises
    ------
    ValueError
        During training, if there is no value of such a name.
    OSError
        Before training begins, if nothing can be written there. Later, as on a full disk, that is a warning when the
        next file is to be written, or at the end, and training goes on.

    Examples
    --------
    >>> import foxnn, os, tempfile
    >>> nn = foxnn.neural_network([1, 1], seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keep = foxnn.callbacks.ModelCheckpoint(os.path.join(folder, "net-{epoch}.safetensors"))
    ...     history = nn.fit([[0.0]], [1.0], epochs=2, callbacks=[keep])
    ...     sorted(os.listdir(folder))
    ['net-1.safetensors', 'net-2.safetensors']
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        monitor: str | None = None,
        save_best_only: bool = False,
        mode: str = "auto",
        period: int = 1,
    ) -> None:
        self.path = path_text("path", path)
        self._monitor = Monitor(monitor, mode)
        self.save_best_only = flag("save_best_only", save_best_only)
        self.period = integer("period", period, 1)
        if self.save_best_only and period != 1:
            raise ValueError(f"period: got {period} with save_best_only; it takes 1 then")
        self._best = math.nan
        self._last_path: str | None = None
        self._writing = Background()
        self._failure: tuple[str, BaseException] | None = None

    @property
    def best(self) -> float:
        """The best value so far."""
        self._wait()
        return self._best

    @property
    def last_path(self) -> str | None:
        """The file that was written last."""
        self._wait()
        return self._last_path

    def on_train_begin(self, network: NeuralNetwork, epochs: int, n_samples: int | None) -> None:
        """Make the folder, if its name is known."""
        folder, name = os.path.split(self.path)
        if "{" not in folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            check_target(os.path.join(folder, name))

    def on_epoch_end(self, network: NeuralNetwork, epoch: int, values: dict[str, float]) -> None:
        """Save, if it is time to."""
        self._wait()
        best = self._best
        if self.save_best_only:
            best = self._monitor.value(values)
            if not self._monitor.is_better(best, self._best):
                return
        elif (epoch + 1) % self.period:
            return
        path = self._path_of(epoch, values)
        with going_on(path):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            pieces = list(to_pieces(network, path))  # of the network as it is now
            self._writing.start(lambda: self._save(path, pieces, best))

    def _save(self, path: str, pieces: list[bytes | memoryview], best: float) -> None:
        try:
            replace_file(path, pieces)
        except (OSError, MemoryError) as error:
            self._failure = path, error
        else:
            self._best, self._last_path = best, path

    def _wait(self) -> None:
        """Wait for the file; say if it could not be written, in the thread that trains."""
        self._writing.wait()
        failure, self._failure = self._failure, None
        if failure is not None:
            warn(*failure)

    def on_train_end(self, network: NeuralNetwork) -> None:
        """Wait for the file."""
        self._wait()

    def state(self) -> dict[str, Any]:
        """The best value and the last file."""
        return {"best": self.best, "last_path": self.last_path}

    def set_state(self, state: dict[str, Any]) -> None:
        """See `Callback.set_state`."""
        self._best, self._last_path = state["best"], state["last_path"]

    def _path_of(self, epoch: int, values: dict[str, float]) -> str:
        named = {**values, "epoch": epoch + 1}
        try:
            return self.path.format_map(named)
        except (KeyError, ValueError, IndexError, TypeError) as error:
            raise ValueError(f"path: got {self.path!r} ({error!r}); it takes names of: {', '.join(named)}") from None
