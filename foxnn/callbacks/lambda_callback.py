"""Functions as a callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from foxnn._options import integer, unknown
from foxnn.callbacks.base import Callback

_HOOKS = [name for name in vars(Callback) if name.startswith("on_")]


class LambdaCallback(Callback):
    """A callback made of functions.

    Parameters
    ----------
    every : int, default 0
        After how many batches `on_batch_end` is called.
    **functions : callable
        By the names of `Callback`'s methods, with the same arguments, such as
        ``on_epoch_end=lambda network, epoch, values: ...``.

    Raises
    ------
    ValueError
        If `Callback` has no such method, or `on_batch_end` comes without `every`.

    Examples
    --------
    >>> import foxnn
    >>> tell = foxnn.callbacks.LambdaCallback(on_epoch_begin=lambda network, epoch: print("epoch", epoch))
    >>> history = foxnn.neural_network([1, 1]).fit([[0.0]], [1.0], epochs=2, callbacks=[tell])
    epoch 0
    epoch 1
    """

    def __init__(self, every: int = 0, **functions: Callable[..., Any]) -> None:
        self.every = integer("every", every, 0)
        for name, function in functions.items():
            if name not in _HOOKS:
                raise unknown("LambdaCallback", name, ["every", *_HOOKS])
            if not callable(function):
                raise TypeError(f"{name}: got {function!r}; it takes a function")
            setattr(self, name, function)
        if ("on_batch_end" in functions) != bool(self.every):
            raise ValueError(f"every: got {every}; on_batch_end takes at least 1, and is what it is for")
