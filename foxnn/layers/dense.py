"""The dense layer, as it is put into the list that a network is made of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from foxnn._options import MOST, dropout_rate, integer, real
from foxnn.activations import Activation
from foxnn.initializers import known_init
from foxnn.layers.config import CoreSetting, LayerConfig
from foxnn.layers.normalisation import Norm, from_config

if TYPE_CHECKING:
    from typing_extensions import Self


class Dense(LayerConfig):
    """A dense layer with settings of its own: ``y = activation(norm(x @ weights + bias))``.

    In the list that a network is made of, an integer is a dense layer with the network's settings. What is given here
    counts before those of the network; what is None is the network's.

    Parameters
    ----------
    units : int
        Number of outputs.
    activation : str or Activation, optional
        Of the last layer: the network's output.
    norm : BatchNorm or LayerNorm, optional
        What normalises ``x @ weights + bias``; the same as one that follows the layer in the list.
    dropout : float in [0, 1), optional
        Share of the outputs that training sets to zero; hidden layers only.
    max_norm : float, optional
        The most that the Euclidean norm of the weights into one unit may be.
    init : str or float, optional
        How the weights start: the name of an initializer, or a number for all of them.
    trainable : bool, default True
        Whether training changes it.

    Raises
    ------
    ValueError, TypeError
        If there is no such option or a value does not fit.

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([20, foxnn.Dense(64, activation="gelu", dropout=0.2), foxnn.BatchNorm(), 3])
    >>> nn.layers[0].activation, nn.layers[1].activation, nn.dropout
    (Activation('gelu'), Activation('sigmoid'), [0.2])
    >>> foxnn.Dense(64, activation="gelu") == foxnn.Dense(64, foxnn.Activation("gelu"))
    True
    """

    kind = "dense"
    changeable = ("activation", "dropout", "max_norm")
    _required = ("units",)

    def __init__(
        self,
        units: int,
        activation: str | Activation | None = None,
        *,
        norm: Norm | None = None,
        dropout: float | None = None,
        max_norm: float | None = None,
        init: str | float | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(trainable=trainable)
        self.units = integer("units", units, 1, MOST)
        self.activation = None if activation is None else Activation.of(activation)
        if norm is not None and not isinstance(norm, Norm):
            raise TypeError(f"norm: got {norm!r}; it takes foxnn.BatchNorm() or foxnn.LayerNorm()")
        self.norm = norm
        self.dropout = None if dropout is None else dropout_rate("dropout", dropout)
        self.max_norm = None if max_norm is None else real("max_norm", max_norm, 0, open_below=True)
        self.init = None if init is None else known_init(init) if isinstance(init, str) else real("init", init)

    @property
    def config(self) -> dict[str, Any]:
        """All that it takes to make it again, as JSON can hold it: its kind, and its arguments by name.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.Dense(8, "relu").config["activation"]
        {'name': 'relu'}
        """
        activation = self.activation
        return {
            "kind": self.kind,
            "units": self.units,
            "activation": None if activation is None else {"name": activation.name, **activation.parameters},
            "norm": None if self.norm is None else self.norm.config,
            "dropout": self.dropout,
            "max_norm": self.max_norm,
            "init": self.init,
            "trainable": self.trainable,
        }

    @classmethod
    def _arguments(cls, config: dict[str, Any]) -> dict[str, Any]:
        activation, norm = config.get("activation"), config.get("norm")
        return config | {
            "activation": None if activation is None else Activation(**activation),
            "norm": None if norm is None else from_config(norm),
        }

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of what becomes of a sample of that shape."""
        return (self.units,)

    def parameter_shapes(self, input_shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Of the arrays that it learns, for inputs of that shape."""
        names = ("bias", *(() if self.norm is None else self.norm.parameter_names))
        return {"weights": (math.prod(input_shape), self.units), **dict.fromkeys(names, (self.units,))}

    def statistics_shapes(self, input_shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Of the arrays that it keeps for prediction besides."""
        norm = self.norm
        names = () if norm is None else norm.array_names[len(norm.parameter_names) :]
        return dict.fromkeys(names, (self.units,))

    def without_start(self) -> Self:
        """The same as a network keeps it."""
        return self.but(trainable=True, init=None)

    def core_setting(self, name: str) -> CoreSetting:
        """A setting as the core takes it."""
        if name == "activation":
            assert self.activation is not None
            return self.activation.name, list(self.activation.parameters.values())
        return "", [getattr(self, name) or 0.0]

    def core_settings(self) -> dict[str, CoreSetting]:
        """All that the core makes such a layer with."""
        settings = super().core_settings() | {"units": ("", [float(self.units)])}
        if self.norm is not None:
            settings["norm"] = self.norm.name, [self.norm.momentum, self.norm.epsilon]
        return settings

    def check_dtype(self, dtype: Any) -> None:
        """Refuse settings that a network of this dtype cannot hold."""
        for part in (self.activation, self.norm):
            if part is not None:
                part.check_dtype(dtype)
        if self.max_norm is not None:
            real("max_norm", self.max_norm, 0, open_below=True, dtype=dtype)
        if isinstance(self.init, float):
            real("init", self.init, dtype=dtype)

    @property
    def default_init(self) -> str:
        """Name of the initializer that suits it."""
        assert self.activation is not None
        return self.activation.default_init

    @property
    def title(self) -> str:
        """What it does after its linear part, in words, such as ``batch_norm relu``."""
        return str(self.activation) if self.norm is None else f"{self.norm.name} {self.activation}"
