"""Normalisation of a layer's linear outputs before its activation: what to put into the list of sizes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy.typing as npt

from foxnn._closed import Fixed
from foxnn._options import real

if TYPE_CHECKING:
    from typing_extensions import Self

    from foxnn.layers.layer import Layer


class Norm(Fixed):
    """Base of `BatchNorm` and `LayerNorm`.

    Attributes
    ----------
    gamma, beta : ndarray of shape (n_out,)
        Learnt scale and shift; read-only copies, assign to change them. Only of a layer of a network:
        ``nn.layers[i].norm``.
    """

    name: ClassVar[str]
    parameter_names: ClassVar[tuple[str, ...]] = ("gamma", "beta")
    array_names: ClassVar[tuple[str, ...]] = ("gamma", "beta")
    momentum: float = 0.0
    epsilon: float
    _layer: Layer | None = None

    def of(self, layer: Layer) -> Self:
        """The same of a layer, with arrays."""
        twin = copy.copy(self)
        twin._layer = layer
        return twin

    @property
    def config(self) -> dict[str, Any]:
        """All that it takes to make it again."""
        return {"name": self.name, "epsilon": self.epsilon}

    def check_dtype(self, dtype: Any) -> None:
        """Refuse settings that a network of this dtype cannot hold."""
        if self.momentum:
            real("momentum", self.momentum, 0, 1, open_below=True, closed_above=True, dtype=dtype)
        real("epsilon", self.epsilon, 0, open_below=True, dtype=dtype)

    def _array(self, name: str) -> npt.NDArray[Any]:
        return self._owner(name).get_array(name)

    def _set(self, name: str, value: Any) -> None:
        self._owner(name).set_array(name, value)

    def _owner(self, name: str) -> Layer:
        if self._layer is None:
            raise AttributeError(
                f"{name}: this {type(self).__name__} is not in a network; nn.layers[i].norm has arrays"
            )
        return self._layer

    @property
    def gamma(self) -> npt.NDArray[Any]:
        """Scale, shape (n_out,)."""
        return self._array("gamma")

    @gamma.setter
    def gamma(self, value: Any) -> None:
        self._set("gamma", value)

    @property
    def beta(self) -> npt.NDArray[Any]:
        """Shift, shape (n_out,)."""
        return self._array("beta")

    @beta.setter
    def beta(self, value: Any) -> None:
        self._set("beta", value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Norm) and self.config == other.config

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        plain = type(self)().config
        values = [f"{k}={v:g}" for k, v in self.config.items() if k != "name" and v != plain[k]]
        return f"{type(self).__name__}({', '.join(values)})"


class BatchNorm(Norm):
    """Batch normalisation of each unit, between the linear part of the dense layer before it and its activation.

    In training ``y = gamma (z - mean) / sqrt(variance + epsilon) + beta``, with the mean and the biased variance of the
    batch's rows (whatever their weights), and ``running <- (1 - momentum) running + momentum batch`` follows the mean
    and the unbiased variance. Prediction and evaluation use the running ones, and so does a layer that is not
    `trainable`. The layer's bias has no effect on training and stays as it is.

    A batch of one row, such as the last one of an epoch may be, has no variance: its normalised outputs are `beta`, and
    the running variance does not follow. Batches meant to be of one row are refused, as is a second one of one row in
    an epoch of batches that are given.

    Parameters
    ----------
    momentum : float in (0, 1], default 0.1
        How fast the running mean and variance follow.
    epsilon : float > 0, default 1e-5

    Attributes
    ----------
    gamma, beta, running_mean, running_variance : ndarray of shape (n_out,)
        Of a layer of a network, ``nn.layers[i].norm``: read-only copies, assign to change them. gamma and the
        running variance start at one, the others at zero.

    References
    ----------
    Ioffe and Szegedy (2015).

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([4, 8, foxnn.BatchNorm(), 3], activation="relu", output="softmax")
    >>> nn.sizes, nn.layers[0].norm, nn.layers[0].norm.gamma.shape
    ([4, 8, 3], BatchNorm(), (8,))
    """

    name = "batch_norm"
    array_names = ("gamma", "beta", "running_mean", "running_variance")

    def __init__(self, momentum: float = 0.1, epsilon: float = 1e-5) -> None:
        self.momentum = real("momentum", momentum, 0, 1, open_below=True, closed_above=True)
        self.epsilon = real("epsilon", epsilon, 0, open_below=True)

    @property
    def config(self) -> dict[str, Any]:
        """All that it takes to make it again."""
        return {"name": self.name, "momentum": self.momentum, "epsilon": self.epsilon}

    @property
    def running_mean(self) -> npt.NDArray[Any]:
        """Mean of what is normalised, as prediction uses it, shape (n_out,)."""
        return self._array("running_mean")

    @running_mean.setter
    def running_mean(self, value: Any) -> None:
        self._set("running_mean", value)

    @property
    def running_variance(self) -> npt.NDArray[Any]:
        """Variance of what is normalised, as prediction uses it, shape (n_out,); not negative."""
        return self._array("running_variance")

    @running_variance.setter
    def running_variance(self, value: Any) -> None:
        self._set("running_variance", value)


class LayerNorm(Norm):
    """Layer normalisation of each sample, between the linear part of the dense layer before it and its activation.

    ``y = gamma (z - mean) / sqrt(variance + epsilon) + beta``, with the mean and the biased variance over the layer's
    units, in training and prediction alike.

    Parameters
    ----------
    epsilon : float > 0, default 1e-5

    Attributes
    ----------
    gamma, beta : ndarray of shape (n_out,)
        Of a layer of a network, ``nn.layers[i].norm``: read-only copies, assign to change them. They start at one
        and at zero.

    References
    ----------
    Ba, Kiros and Hinton (2016).

    Examples
    --------
    >>> import foxnn
    >>> foxnn.neural_network([4, 8, foxnn.LayerNorm(), 3])
    neural_network([4, 8, LayerNorm(), 3], [sigmoid, sigmoid], loss='half_squared_error', dtype='float32')
    """

    name = "layer_norm"

    def __init__(self, epsilon: float = 1e-5) -> None:
        self.epsilon = real("epsilon", epsilon, 0, open_below=True)


_BY_NAME: dict[str, type[Norm]] = {cls.name: cls for cls in (BatchNorm, LayerNorm)}


def from_config(config: dict[str, Any]) -> Norm:
    """The normalisation that a `Norm.config` describes.

    Examples
    --------
    >>> from_config({"name": "layer_norm", "epsilon": 1e-3})
    LayerNorm(epsilon=0.001)
    """
    from foxnn._options import unknown

    options = dict(config)
    name = options.pop("name")
    if name not in _BY_NAME:
        raise unknown("norm", name, _BY_NAME)
    return _BY_NAME[name](**options)


def put_together(sizes: Sequence[int], norms: Sequence[Norm | None]) -> list[int | Norm]:
    """The list that a network of dense layers is made of: each one's size, and after it what normalises it."""
    layers = zip(sizes[1:], norms, strict=True)
    return [sizes[0], *(part for layer in layers for part in layer if part is not None)]
