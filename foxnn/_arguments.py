"""Arguments by names that a function does not have: an answer that says which it has."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any, TypeVar, cast

from foxnn._names import is_called, meant, plain

_F = TypeVar("_F", bound=Callable[..., Any])

#: What foxnn has, or does without, in the place of an argument of others.
_INSTEAD = {
    "amsgrad": "foxnn has Adam as it was published",
    "device": "foxnn computes on the processor, with n_threads threads",
    "early_stopping": "callbacks=[foxnn.EarlyStopping()] does it",
    "inplace": "foxnn has no such choice",
    "initial_epoch": "nn.epoch goes on by itself",
    "jit_compile": "foxnn has nothing to compile",
    "momentum": "foxnn.optimizers.Momentum and Nesterov have it",
    "nesterov": "foxnn.optimizers.Nesterov is a class of its own",
    "reduction": "losses are means over the samples",
    "use_bias": "every layer has biases",
    "save_weights_only": "files hold the whole network",
    "use_multiprocessing": "foxnn's threads read ahead by themselves",
    "validation_batch_size": "validation data need no batches",
    "validation_steps": "the whole of validation_data is taken",
    "warm_start": "fit goes on from the weights that there are",
    "weight_decay": "foxnn.optimizers.AdamW has it, and networks have l2",
    "workers": "foxnn's threads read ahead by themselves",
}
#: What arguments are likely to be meant for that were given to something else; `foxnn` itself says it.
likely: list[Callable[..., Any]] = []


def pointing(function: _F) -> _F:
    """The function, with an answer to arguments that it does not have: ``fit() has no 'lr'; did you mean ...?``.

    Each call takes some 50 ns more: nothing for what is called millions of times.
    """
    answer = _answer  # below, the globals are another module's

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            begun = error.__traceback__ is None or error.__traceback__.tb_next is not None
            message = None if begun else answer(function, kwargs)
            if message is None:
                raise
        raise TypeError(message)

    # With the globals of the function's own module: doctest and others go by them.
    own = FunctionType(call.__code__, function.__globals__, closure=call.__closure__)
    return cast("_F", functools.update_wrapper(own, function))


def _answer(function: Callable[..., Any], given: Iterable[str]) -> str | None:
    """What to say of the first argument that a function does not have; None: it has them all."""
    has = [name for name in inspect.signature(function).parameters if name != "self"]
    for name in given:
        if name not in has:
            return f"{_title(function)}() has no {name!r}; {_instead(name, has)}"
    return None


def _title(function: Callable[..., Any]) -> str:
    """What people call a function: a constructor by the name of its class."""
    place, _, name = function.__qualname__.rpartition(".")
    return ("neural_network" if place == "NeuralNetwork" else place) if name == "__init__" else name


def _instead(name: str, has: Iterable[str]) -> str:
    for other, text in _INSTEAD.items():
        if plain(other) == plain(name):
            return text
    near = meant(name, has)
    if near is not None:
        return f"did you mean {near!r}?"
    for function in likely:
        for known in inspect.signature(function).parameters:
            if is_called(name, known):
                return f"{_title(function)}() has {known!r}"
    return f"it takes: {', '.join(has)}"
