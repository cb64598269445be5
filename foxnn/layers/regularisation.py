"""What keeps a network from learning its samples by heart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from foxnn._options import dropout_rate, one_for_each, real

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


def set_all(
    network: NeuralNetwork, dropout: Any, input_dropout: Any, input_noise: Any, max_norm: Any, l1: Any, l2: Any
) -> None:
    """Check and keep all of it, for a core that is yet to be made."""
    network._dropout = _checked_dropout(network, dropout)
    network._input_dropout = dropout_rate("input_dropout", input_dropout)
    network._input_noise = real("input_noise", input_noise, 0, dtype=network.dtype)
    network._max_norm = _checked_max_norm(network, max_norm)
    network.l1, network.l2 = l1, l2


def _checked_dropout(network: NeuralNetwork, dropout: Any) -> list[float]:
    hidden = len(network.sizes) - 2
    return one_for_each("dropout", dropout, hidden, "hidden layers", lambda rate: dropout_rate("dropout", rate))


def _checked_max_norm(network: NeuralNetwork, max_norm: Any) -> list[float | None]:
    dtype = network.dtype

    def checked(norm: Any) -> float | None:
        return None if norm is None else real("max_norm", norm, 0, open_below=True, dtype=dtype)

    return one_for_each("max_norm", max_norm, len(network.sizes) - 1, "layers", checked)


def apply(network: NeuralNetwork) -> None:
    """Tell the core."""
    for index, rate in enumerate(network._dropout):
        network._core.set_dropout(index, rate)
    for index, norm in enumerate(network._max_norm):
        network._core.set_max_norm(index, norm or 0.0)
    network._core.set_input_noise(network._input_noise, network._input_dropout)
    network._trainer = None


def set_dropout(network: NeuralNetwork, value: float | Sequence[float]) -> None:
    """See `NeuralNetwork.dropout`."""
    network._dropout = _checked_dropout(network, value)
    apply(network)


def set_input_dropout(network: NeuralNetwork, value: float) -> None:
    """See `NeuralNetwork.input_dropout`."""
    network._input_dropout = dropout_rate("input_dropout", value)
    apply(network)


def set_input_noise(network: NeuralNetwork, value: float) -> None:
    """See `NeuralNetwork.input_noise`."""
    network._input_noise = real("input_noise", value, 0, dtype=network.dtype)
    apply(network)


def set_l1(network: NeuralNetwork, value: float) -> None:
    """See `NeuralNetwork.l1`."""
    network._l1 = real("l1", value, 0, dtype=network.dtype)


def set_l2(network: NeuralNetwork, value: float) -> None:
    """See `NeuralNetwork.l2`."""
    network._l2 = real("l2", value, 0, dtype=network.dtype)


def set_max_norm(network: NeuralNetwork, value: float | Sequence[float | None] | None) -> None:
    """See `NeuralNetwork.max_norm`."""
    network._max_norm = _checked_max_norm(network, value)
    apply(network)
