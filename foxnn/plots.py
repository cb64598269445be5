"""Pictures of training and of images (needs matplotlib: ``pip install foxnn[plot]``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from foxnn._arguments import pointing
from foxnn._extras import needing
from foxnn._options import integer


class _Search(Protocol):
    """What there is to draw of a `RateSearch`."""

    @property
    def learning_rates(self) -> npt.NDArray[Any]: ...
    @property
    def losses(self) -> npt.NDArray[Any]: ...
    @property
    def smoothed(self) -> npt.NDArray[Any]: ...
    @property
    def suggestion(self) -> float: ...


def _pyplot() -> Any:
    with needing("matplotlib", message="this needs matplotlib: pip install foxnn[plot]"):
        import matplotlib.pyplot as plt
    return plt


@pointing
def plot_history(history: Mapping[str, Sequence[float]], ax: Any = None) -> Any:
    """Draw the losses over the epochs, and the accuracies if there are any.

    Parameters
    ----------
    history : History
        As returned by `NeuralNetwork.fit`.
    ax : matplotlib axes, optional
        Where to draw; by default in a new figure.

    Returns
    -------
    matplotlib axes
        Of the losses; the accuracies have an axis of their own on the right.

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import foxnn, matplotlib
    >>> matplotlib.use("agg")
    >>> nn = foxnn.neural_network([1, 1], seed=0)
    >>> ax = foxnn.plots.plot_history(nn.fit([[0], [1]], [0, 1], epochs=3))
    >>> ax.get_xlabel()
    'epoch'
    """
    if not isinstance(history, Mapping):
        raise TypeError(f"history: got {history!r}; it takes a foxnn.History, as fit returns it")
    if ax is None:
        ax = _pyplot().figure().subplots()
    right = None
    for name, values in history.items():
        epochs = np.arange(1, len(values) + 1)
        dashes = "--" if name.startswith("val_") else "-"
        if name.endswith("loss"):
            ax.plot(epochs, values, f"C0{dashes}", label=name)
        elif name.endswith("accuracy"):
            right = right or ax.twinx()
            right.plot(epochs, values, f"C1{dashes}", label=name)
    ax.set_xlabel("epoch")
    ax.set_ylabel("loss", color="C0")
    lines = ax.get_lines()
    if right is not None:
        right.set_ylabel("accuracy", color="C1")
        lines = [*lines, *right.get_lines()]
    ax.legend(handles=lines, loc="center right")
    return ax


@pointing
def plot_rate_search(search: _Search, ax: Any = None) -> Any:
    """Draw what `foxnn.find_learning_rate` found: losses over learning rates, and the rate that it suggests.

    Parameters
    ----------
    search : RateSearch
    ax : matplotlib axes, optional
        Where to draw; by default in a new figure.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import foxnn, matplotlib
    >>> matplotlib.use("agg")
    >>> nn = foxnn.neural_network([1, 1], output="linear", seed=0)
    >>> ax = foxnn.plots.plot_rate_search(foxnn.find_learning_rate(nn, [[0.0], [1.0]], [0.0, 1.0]))
    >>> ax.get_xlabel(), ax.get_xscale()
    ('learning rate', 'log')
    """
    if ax is None:
        ax = _pyplot().figure().subplots()
    ax.plot(search.learning_rates, search.losses, "C0", alpha=0.3, label="loss")
    ax.plot(search.learning_rates, search.smoothed, "C0", label="smoothed")
    ax.axvline(search.suggestion, color="C1", linestyle="--", label=f"suggestion: {search.suggestion:.2g}")
    ax.set_xscale("log")
    ax.set_xlabel("learning rate")
    ax.set_ylabel("loss")
    ax.legend()
    return ax


@pointing
def plot_images(images: Any, titles: Any = None, columns: int = 10, figure: Any = None) -> Any:
    """Draw square grey images in a grid.

    Parameters
    ----------
    images : array-like of shape (n, side * side) or (n, side, side)
    titles : sequence of str, optional
        One for each image.
    columns : int, default 10
    figure : matplotlib figure, optional
        Where to draw; by default in a new one.

    Returns
    -------
    matplotlib figure

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError, TypeError
        If the images are not square, there is not a title for each, or `columns` is less than 1.

    Examples
    --------
    >>> import foxnn, matplotlib
    >>> matplotlib.use("agg")
    >>> X_train, y_train, _, _ = foxnn.datasets.load_mnist_sample()
    >>> figure = foxnn.plots.plot_images(X_train[:20], titles=y_train[:20])
    >>> len(figure.axes)
    20
    """
    given = np.asarray(images)
    if given.ndim < 2:
        raise ValueError(f"images: got an array of shape {given.shape}; it takes shape (n, side * side)")
    columns = integer("columns", columns, 1)
    if titles is not None and len(titles) != len(given):
        raise ValueError(f"titles: got {len(titles)} for {len(given)} images; it takes one for each")
    pixels = given.reshape(len(given), -1)
    side = round(pixels.shape[1] ** 0.5)
    if side * side != pixels.shape[1]:
        raise ValueError(f"images: got {pixels.shape[1]} pixels each; it takes square images")
    rows = -(-len(pixels) // columns)
    if figure is None:
        figure = _pyplot().figure(figsize=(columns, 1.25 * rows))
    for i, image in enumerate(pixels):
        ax = figure.add_subplot(rows, columns, i + 1)
        ax.imshow(image.reshape(side, side), cmap="gray_r")
        ax.set_axis_off()
        if titles is not None:
            ax.set_title(str(titles[i]), fontsize=9)
    return figure
