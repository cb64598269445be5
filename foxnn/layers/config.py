"""What layers are made with: the base of `foxnn.Dense` and all other kinds."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from foxnn._closed import Fixed
from foxnn._options import flag

if TYPE_CHECKING:
    from typing_extensions import Self

#: A setting as the core takes it: a name, such as an activation's, and numbers.
CoreSetting = tuple[str, list[float]]


class LayerConfig(Fixed):
    """Base of what can be put into the list that a network is made of.

    A new kind of layer is a subclass in a file beside this one, an entry in `foxnn.layers.kinds`, and a file with an
    entry in src_cpp/core/layers.

    Attributes
    ----------
    kind : str
        What the core calls it.
    trainable : bool
    """

    kind: ClassVar[str]
    #: Settings that can be changed in a network, and do not change which arrays there are.
    changeable: ClassVar[tuple[str, ...]] = ()
    #: Arguments that the constructor needs.
    _required: ClassVar[tuple[str, ...]] = ()
    trainable: bool

    def __init__(self, *, trainable: bool = True) -> None:
        self.trainable = flag("trainable", trainable)

    @property
    def config(self) -> dict[str, Any]:
        """All that it takes to make it again, as JSON can hold it: its kind, and its arguments by name."""
        return {"kind": self.kind, "trainable": self.trainable}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The layer that a `config` describes."""
        arguments = {name: value for name, value in config.items() if name != "kind"}
        if config.get("kind") != cls.kind:
            raise ValueError(f"kind: got {config.get('kind')!r}; {cls.__name__} takes {cls.kind!r}")
        return cls(**cls._arguments(arguments))

    @classmethod
    def _arguments(cls, config: dict[str, Any]) -> dict[str, Any]:
        """What becomes of the values of a `config` as arguments."""
        return config

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of what becomes of a sample of that shape."""
        return input_shape

    def parameter_shapes(self, input_shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Of the arrays that it learns, for inputs of that shape, by name and in order, before there is a layer."""
        return {}

    def statistics_shapes(self, input_shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Of the arrays that it keeps for prediction besides."""
        return {}

    def but(self, **changes: Any) -> Self:
        """The same with other settings, which have been checked."""
        if all(self.__dict__[name] is value for name, value in changes.items()):
            return self
        twin = copy.copy(self)
        twin.__dict__.update(changes)
        return twin

    def without_start(self) -> Self:
        """The same as a network keeps it, whose arrays are what has become of the start, and which says what learns."""
        return self.but(trainable=True)

    def core_setting(self, name: str) -> CoreSetting:
        """A setting as the core takes it."""
        raise KeyError(name)

    def core_settings(self) -> dict[str, CoreSetting]:
        """All that the core makes such a layer with."""
        return {name: self.core_setting(name) for name in self.changeable}

    def check_dtype(self, dtype: Any) -> None:
        """Refuse settings that a network of this dtype cannot hold."""

    @property
    def default_init(self) -> str:
        """Name of the initializer that suits it; "" if it always starts in the same way."""
        return ""

    @property
    def title(self) -> str:
        """What it does after its linear part, or else its kind, in words."""
        return self.kind

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LayerConfig) and self.config == other.config

    def __hash__(self) -> int:
        return hash(self.kind)

    def __repr__(self) -> str:
        given = [repr(getattr(self, name)) for name in self._required]
        plain = type(self)(*(getattr(self, name) for name in self._required))
        names = [name for name in self.config if name != "kind" and name not in self._required]
        given += [
            f"{name}={_shown(getattr(self, name))}" for name in names if getattr(self, name) != getattr(plain, name)
        ]
        return f"{type(self).__name__}({', '.join(given)})"


def _shown(value: Any) -> str:
    """An argument as it can be written: an activation without parameters by its name."""
    from foxnn.activations import Activation

    return repr(value.name if isinstance(value, Activation) and not value.parameters else value)
