"""Classes with certain attributes and no others."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, NoReturn

from foxnn._arguments import pointing
from foxnn._names import meant


class Closed:
    """Base of foxnn's own classes: they say which attributes and arguments they have, and refuse others.

    Objects have the attributes of their class, those that it declares with a type, one for each parameter of the
    constructor, and private ones. Classes of users that are derived from foxnn's may have any.
    """

    __slots__ = ()

    #: Attributes that such things have in other libraries, and what there is here: an error that says so, by a
    #: descriptor, which costs nothing before someone looks (a `__getattr__` would slow down all that is looked up).
    _elsewhere: ClassVar[Mapping[str, str]] = {}

    _is_closed: ClassVar[bool] = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__.partition(".")[0] != "foxnn":
            cls._is_closed = False
            return
        if "__init__" in cls.__dict__:
            cls.__init__ = pointing(cls.__init__)  # type: ignore[method-assign]
        for name, text in cls.__dict__.get("_elsewhere", {}).items():
            setattr(cls, name, _Elsewhere(name, text))

    def __setattr__(self, name: str, value: Any) -> None:
        if name[0] != "_" and self._is_closed and name not in _attributes(type(self)):  # type: ignore[arg-type]
            raise AttributeError(_refusal(type(self), name), name=name, obj=self)
        object.__setattr__(self, name, value)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not _is_elsewhere(type(self), name)]


class Fixed(Closed):
    """Base of classes whose objects are values: what they are made of stays as it is."""

    __slots__ = ()

    def __setattr__(self, name: str, value: Any) -> None:
        if name[0] != "_" and self._is_closed and self._has(name):
            raise AttributeError(f"{title(type(self))}.{name} cannot be changed; make another one", name=name, obj=self)
        super().__setattr__(name, value)

    def _has(self, name: str) -> bool:
        """Whether that attribute has its value; one of the class may be a default."""
        if name in _slots(type(self)):  # type: ignore[arg-type]
            return hasattr(self, name)
        found = getattr(type(self), name, None)
        return name in getattr(self, "__dict__", ()) or (isinstance(found, property) and found.fset is None)


class _Elsewhere:
    """An attribute that only says what foxnn has instead."""

    def __init__(self, name: str, text: str) -> None:
        self._name, self.text = name, text
        self.__doc__ = f"Not in foxnn: {text}."

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(f"{title(owner)} has no {self._name!r}: {self.text}", name=self._name, obj=instance)


def title(cls: type) -> str:
    """What people call a class."""
    return "neural_network" if cls.__name__ == "NeuralNetwork" else cls.__name__


@cache
def _attributes(cls: type) -> frozenset[str]:
    """Public attributes that objects of a class have, or may have."""
    parameters = inspect.signature(cls.__init__).parameters.values()  # type: ignore[misc]
    names = {p.name for p in parameters if p.name != "self" and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    names = names.union(dir(cls), *(getattr(base, "__annotations__", ()) for base in cls.__mro__))
    return frozenset(name for name in names if name[0] != "_" and not _is_elsewhere(cls, name))


@cache
def _slots(cls: type) -> frozenset[str]:
    return frozenset(name for base in cls.__mro__ for name in getattr(base, "__slots__", ()))


def _is_elsewhere(cls: type, name: str) -> bool:
    return isinstance(inspect.getattr_static(cls, name, None), _Elsewhere)


def _refusal(cls: type, name: str) -> str:
    """What to say to whom assigns an attribute that a class does not have."""
    found = inspect.getattr_static(cls, name, None)
    if isinstance(found, _Elsewhere):
        return f"{title(cls)} has no {name!r}: {found.text}"
    near = meant(name, sorted(_attributes(cls)))
    return f"{title(cls)} has no attribute {name!r}" + ("" if near is None else f"; did you mean {near!r}?")
