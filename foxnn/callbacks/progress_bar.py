"""The progress bar of `fit`."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any

from foxnn.callbacks.base import Callback
from foxnn.history import scalars

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


def is_wanted(verbose: object) -> bool:
    """Whether to show progress; "auto": in terminals and notebooks."""
    if isinstance(verbose, str):
        if verbose != "auto":
            raise ValueError(f"verbose: got {verbose!r}; it takes True, False or 'auto'")
        return sys.stderr.isatty() or _in_notebook()
    if not isinstance(verbose, (bool, int)):
        raise TypeError(f"verbose: got {verbose!r}; it takes True, False or 'auto'")
    return bool(verbose)


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"


def shown(name: str, value: float) -> str:
    """A value as it is printed."""
    return f"{value:.4g}" if name == "learning_rate" else f"{value:.4f}"


class ProgressBar(Callback):
    """A tqdm bar over all samples of all epochs, with loss, accuracy, samples per second and the time left."""

    _bar: Any = None

    def on_train_begin(self, network: NeuralNetwork, epochs: int, n_samples: int | None) -> None:
        """Open the bar."""
        if _in_notebook() and importlib.util.find_spec("ipywidgets"):  # which tqdm's widget is made of
            from tqdm.notebook import tqdm
        else:
            from tqdm import tqdm
        self._epochs, self._before, self._done = epochs, 0, 0
        self._bar = tqdm(
            total=None if n_samples is None else epochs * n_samples,
            unit=" samples",
            unit_scale=True,
            dynamic_ncols=True,
            file=sys.stderr,
        )

    def on_train_resume(
        self, network: NeuralNetwork, epochs: int, n_samples: int | None, state: dict[str, Any]
    ) -> None:
        """Open the bar where it was."""
        self.on_train_begin(network, epochs, n_samples)
        self._before = len(network.history.epochs) * (n_samples or 0)
        self._bar.initial = self._bar.n = self._before

    def on_progress(self, network: NeuralNetwork, epoch: int, done: int, values: dict[str, float]) -> None:
        """Move the bar."""
        self._show(epoch, values)
        self._done = done
        self._bar.update(self._before + done - self._bar.n)

    def on_epoch_end(self, network: NeuralNetwork, epoch: int, values: dict[str, float]) -> None:
        """Show the epoch's values."""
        self._before += self._done
        if self._bar.total is None:
            self._bar.total = self._epochs * self._done  # if epochs are alike
        self._show(epoch, {name: value for name, value in values.items() if name != "seconds"})

    def _show(self, epoch: int, values: dict[str, float]) -> None:
        self._bar.set_description_str(f"epoch {epoch + 1}/{self._epochs}", refresh=False)
        texts = {name: shown(name, value) for name, value in scalars(values).items()}
        self._bar.set_postfix(texts, refresh=False)

    def on_train_end(self, network: NeuralNetwork) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.refresh()
            self._bar.close()
            self._bar = None
