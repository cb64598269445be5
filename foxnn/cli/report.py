"""What the commands print of a network: its shape, its training, and how good it is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foxnn._arrays import Targets
from foxnn.callbacks import Callback
from foxnn.callbacks.progress_bar import shown
from foxnn.history import scalars
from foxnn.io._formulas import title
from foxnn.metrics import get, values_of

if TYPE_CHECKING:
    from foxnn.cli.recipe import Recipe
    from foxnn.network import NeuralNetwork

__all__ = ["EpochLines", "architecture", "line", "objective", "quality", "say", "shortened", "size"]

_WIDTH = 200  # characters of anything that may be of any length


def line(label: str, text: str) -> None:
    """Print a line of a labelled list, at once: there may be a pipe."""
    print(f"{label:<9} {text}", flush=True)


def say(message: str) -> None:
    """Print a message as one line on stderr; what it quotes from files cannot control the terminal."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message)
    print(f"foxnn: {shown}", file=sys.stderr)


def shortened(text: str) -> str:
    """Return a text, or its beginning and how long it is."""
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]} ... ({len(text):,} characters)"


def size(n_bytes: int) -> str:
    """Return a number of bytes for people.

    Examples
    --------
    >>> size(2_678_824), size(640)
    ('2.7 MB', '640 bytes')
    """
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= factor:
            return f"{n_bytes / factor:.1f} {unit}"
    return f"{n_bytes} bytes"


def architecture(network: NeuralNetwork) -> str:
    """Return the layers and the number of parameters in a line.

    Examples
    --------
    >>> import foxnn
    >>> architecture(foxnn.neural_network([4, 8, 3], activation="relu", output="softmax"))
    '4 -> 8 relu -> 3 softmax; 67 parameters of float32'
    """
    return f"{title(network)}; {network.n_parameters:,} parameters of {network.dtype}"


def objective(network: NeuralNetwork) -> str:
    """Return what training minimises: the loss, its unusual parameters, and the penalties there are.

    Examples
    --------
    >>> import foxnn
    >>> objective(foxnn.neural_network([4, 1], loss=foxnn.Loss("huber", delta=2), l2=1e-4))
    'huber, delta 2, l2 0.0001'
    """
    options = {**network.loss.unusual, "l1": network.l1, "l2": network.l2}
    return ", ".join([network.loss.name, *(f"{name} {value:g}" for name, value in options.items() if value)])


def quality(
    network: NeuralNetwork, recipe: Recipe | None, X: NDArray[Any], y: NDArray[Any], metrics: Sequence[str] = ()
) -> str:
    """Return loss and metrics: accuracy where there are classes, else R^2 and the root of the mean squared error.

    Parameters
    ----------
    network : NeuralNetwork
    recipe : Recipe, optional
        What X and y were made with.
    X : ndarray, shape (n, n_in)
    y : ndarray, shape (n,)
        As the network learns them.
    metrics : sequence of str
        Names of others. Those of a regression are in the units of the target; matrices have lines of their own.
    """
    values = network.evaluate(X, y)
    if not np.isfinite(list(values.values())).all():
        raise ValueError("some inputs or targets are so large that the loss is not finite")
    parts = [f"{name} {value:.4f}" for name, value in reversed(values.items())]
    seen: tuple[Targets, NDArray[Any], None] | None = None
    if recipe is not None and recipe.classes is None and "accuracy" not in values:
        truth, found = recipe.answers(y), recipe.answers(network.predict(X)[:, 0])
        parts = [*_fit(truth, found), *parts]
        seen = Targets(truth[:, None], None, ""), found[:, None], None
    elif metrics:
        seen = network._targets(y, len(X)), network.predict(X), None
    others = {} if seen is None else values_of(get(metrics), [seen])
    parts += [f"{name} {others[name]:.6g}" for name in metrics if np.ndim(others[name]) == 0 and name not in values]
    tables = [f"\n{name}\n{_table(others[name])}" for name in metrics if np.ndim(others[name])]
    return f"{', '.join(parts)} ({len(X):,} {'rows' if recipe else 'images'}){''.join(tables)}"


def _fit(truth: NDArray[Any], found: NDArray[Any]) -> list[str]:
    """How near the answers of a regression are, as a share of the spread of the right ones and in their units."""
    mean_square, spread = np.square(found - truth).mean(), np.var(truth)
    r2 = f"R^2 {1 - mean_square / spread:.4f}" if spread > 0 else "R^2 undefined (all values are the same)"
    return [r2, f"RMSE {np.sqrt(mean_square):.6g}"]


def _table(matrix: NDArray[Any]) -> str:
    cells = [[f"{number:g}" for number in row] for row in matrix]
    width = max(len(cell) for row in cells for cell in row)
    return "\n".join(" ".join(cell.rjust(width) for cell in row) for row in cells)


class EpochLines(Callback):
    """A line for every epoch, where there is no terminal to draw a bar in."""

    def on_train_begin(self, network: NeuralNetwork, epochs: int, n_samples: int | None) -> None:
        """Remember how many there may be."""
        self._epochs = epochs

    def on_epoch_end(self, network: NeuralNetwork, epoch: int, values: dict[str, float]) -> None:
        """Print the line."""
        number = f"{epoch + 1}/{self._epochs}".rjust(2 * len(str(self._epochs)) + 1)
        rest = "  ".join(f"{name} {shown(name, value)}" for name, value in scalars(values).items() if name != "seconds")
        print(f"epoch {number}  {rest}  {values['seconds']:.2f} s", flush=True)
