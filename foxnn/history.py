"""What happened during training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def scalars(values: Mapping[str, Any]) -> dict[str, float]:
    """The values that are numbers, not matrices."""
    return {name: value for name, value in values.items() if isinstance(value, (int, float))}


class History(Mapping[str, list[float]]):
    """Loss and metrics of every epoch, by name: ``loss``, ``accuracy``, ``val_loss``, ``val_accuracy``, ``seconds``.

    Training values are means over the epoch's batches, each taken just before its update; validation values are taken
    at the end of the epoch. A value that an epoch has not is NaN. ``learning_rate`` is there if it follows a schedule,
    and is that of the epoch's last step.

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([1, 1], output="linear", seed=0)
    >>> history = nn.fit([[0.0], [1.0]], [1.0, 3.0], epochs=3)
    >>> len(history["loss"]), history["loss"][2] < history["loss"][0]
    (3, True)
    """

    def __init__(self) -> None:
        self._epochs: list[dict[str, float]] = []

    def append(self, values: Mapping[str, float]) -> None:
        """Add the values of one more epoch."""
        self._epochs.append(dict(values))

    @property
    def epochs(self) -> list[dict[str, float]]:
        """The values of each epoch."""
        return self._epochs

    def __getitem__(self, name: str) -> list[float]:
        if name not in self._names():
            raise KeyError(f"{name!r}; there are: {', '.join(self._names()) or 'none yet'}")
        return [epoch.get(name, float("nan")) for epoch in self._epochs]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> list[str]:
        return list(dict.fromkeys(name for epoch in self._epochs for name in epoch))

    def __repr__(self) -> str:
        if not self._epochs:
            return "History(no epochs)"
        last = ", ".join(f"{name}={value:.4g}" for name, value in scalars(self._epochs[-1]).items())
        return f"History({len(self._epochs)} epochs; last: {last})"

    def plot(self, ax: Any = None) -> Any:
        """Draw the losses and accuracies over the epochs (needs matplotlib); returns the axes.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to draw; by default in a new figure.
        """
        from foxnn.plots import plot_history

        return plot_history(self, ax)
