"""What keeps a network from learning its samples by heart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from foxnn._options import dropout_rate, one_for_each, real
from foxnn.layers.kinds import places, with_default

if TYPE_CHECKING:
    from foxnn.layers.config import LayerConfig
    from foxnn.network import NeuralNetwork


def with_regularisation(layers: Sequence[LayerConfig], dropout: Any, max_norm: Any, dtype: Any) -> list[LayerConfig]:
    """The layers with the network's dropout and max-norm, where they have none of their own."""
    rates = _checked_dropout(layers, dropout)
    rates |= {i: 0.0 for i in places(layers, "dropout") if i not in rates}  # the outputs drop nothing
    norms = _checked_max_norm(layers, max_norm, dtype)
    return with_default(with_default(layers, "dropout", rates), "max_norm", norms)


def set_all(network: NeuralNetwork, input_dropout: Any, input_noise: Any, l1: Any, l2: Any) -> None:
    """Check and keep what is not a layer's, for a core that is yet to be made."""
    network._input_dropout = dropout_rate("input_dropout", input_dropout)
    network._input_noise = real("input_noise", input_noise, 0, dtype=network.dtype)
    network.l1, network.l2 = l1, l2


def _checked_dropout(layers: Sequence[LayerConfig], value: Any) -> dict[int, float]:
    """The rates of hidden layers that drop, by their numbers, of one for all or a list."""
    hidden = places(layers[:-1], "dropout")
    rates = one_for_each("dropout", value, len(hidden), "hidden layers", lambda rate: dropout_rate("dropout", rate))
    return dict(zip(hidden, rates, strict=True))


def _checked_max_norm(layers: Sequence[LayerConfig], value: Any, dtype: Any) -> dict[int, float | None]:
    """The largest norms of layers, by their numbers, of one for all or a list."""

    def checked(norm: Any) -> float | None:
        return None if norm is None else real("max_norm", norm, 0, open_below=True, dtype=dtype)

    found = places(layers, "max_norm")
    return dict(zip(found, one_for_each("max_norm", value, len(found), "layers", checked), strict=True))


def apply_to_inputs(network: NeuralNetwork) -> None:
    """Tell the core what training does to the inputs."""
    network._core.set_input_noise(network._input_noise, network._input_dropout)
    network._trainer = None


def change(network: NeuralNetwork, setting: str, values: Mapping[int, Any]) -> None:
    """Give layers, by their numbers, another value of a setting, which has been checked."""
    configs = [layer.but(**{setting: values[i]}) if i in values else layer for i, layer in enumerate(network._configs)]
    for i in values:
        network._core.layer(i).set(setting, configs[i].core_setting(setting))
    network.__dict__.update(_configs=tuple(configs), _trainer=None)  # at once


def dropout_of(network: NeuralNetwork) -> list[float]:
    """See `NeuralNetwork.dropout`."""
    hidden = network._configs[:-1]
    return [getattr(hidden[i], "dropout") for i in places(hidden, "dropout")]  # noqa: B009


def set_dropout(network: NeuralNetwork, value: float | Sequence[float]) -> None:
    """See `NeuralNetwork.dropout`."""
    change(network, "dropout", _checked_dropout(network._configs, value))


def set_input_dropout(network: NeuralNetwork, value: float) -> None:
    """See `NeuralNetwork.input_dropout`."""
    network._input_dropout = dropout_rate("input_dropout", value)
    apply_to_inputs(network)


def set_input_noise(network: NeuralNetwork, value: float) -> None:
    """See `NeuralNetwork.input_noise`."""
    network._input_noise = real("input_noise", value, 0, dtype=network.dtype)
    apply_to_inputs(network)


def set_l1(network: NeuralNetwork, value: float) -> None:
    """See `NeuralNetwork.l1`."""
    network._l1 = real("l1", value, 0, dtype=network.dtype)


def set_l2(network: NeuralNetwork, value: float) -> None:
    """See `NeuralNetwork.l2`."""
    network._l2 = real("l2", value, 0, dtype=network.dtype)


def max_norm_of(network: NeuralNetwork) -> list[float | None]:
    """See `NeuralNetwork.max_norm`."""
    layers = network._configs
    return [getattr(layers[i], "max_norm") for i in places(layers, "max_norm")]  # noqa: B009


def set_max_norm(network: NeuralNetwork, value: float | Sequence[float | None] | None) -> None:
    """See `NeuralNetwork.max_norm`."""
    change(network, "max_norm", _checked_max_norm(network._configs, value, network.dtype))
