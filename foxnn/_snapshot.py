"""Parameters as they are handed out: read-only, since changing a copy would change nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt


class Snapshot(np.ndarray[Any, Any]):
    """An array that is read-only, and says how to change what it is a copy of.

    What is computed from it is a plain array, with ``*=`` and its like as well, so that ``layer.weights *= 0.5``
    assigns halves. What NumPy takes from it without computing (views, copies) is of its kind; copies can be written to.

    Examples
    --------
    >>> snapshot(np.ones(2))[0] = 7
    Traceback (most recent call last):
    ValueError: this array is a copy of a network's parameters, which would not change with it; ...
    """

    def __setitem__(self, key: Any, value: Any) -> None:
        if not self.flags.writeable:
            raise ValueError(
                "this array is a copy of a network's parameters, which would not change with it; assign a whole one: "
                "w = layer.weights.copy(); w[0, 0] = 7; layer.weights = w"
            )
        super().__setitem__(key, value)

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        plain = np.asarray(array)
        return plain if plain.ndim else plain[()]

    def copy(self, order: Any = "C") -> Any:
        """A plain array that can be written to."""
        return np.array(self, order=order)

    def __repr__(self) -> str:
        return repr(np.asarray(self))

    def __reduce__(self) -> Any:
        return np.asarray(self).__reduce__()

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()


def _in_place(name: str) -> Callable[[Any, Any], Any]:
    """The operator in place, which for what is read-only is the one that returns a new array."""
    inside, new = getattr(np.ndarray, f"__i{name}__"), getattr(np.ndarray, f"__{name}__")

    def operate(self: Any, other: Any) -> Any:
        return inside(self, other) if self.flags.writeable else new(np.asarray(self), other)

    return operate


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    setattr(Snapshot, f"__i{_name}__", _in_place(_name))


def snapshot(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """An array that nobody else has, as a read-only one."""
    array.flags.writeable = False
    return array.view(Snapshot)
