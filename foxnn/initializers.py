"""How weights start: names of the distributions that the core draws them from."""

from __future__ import annotations

from typing import NoReturn

from foxnn import _core
from foxnn._names import resolve

#: Other names for the same initializers. Case, underscores and hyphens do not count.
ALIASES = {
    "xavier": "glorot_uniform",
    "xavier_uniform": "glorot_uniform",
    "xavier_normal": "glorot_normal",
    "glorot": "glorot_uniform",
    "he": "he_normal",
    "kaiming": "he_normal",
    "kaiming_uniform": "he_uniform",
    "kaiming_normal": "he_normal",
    "lecun": "lecun_normal",
    "zero": "zeros",
}

_DRAWN = "init=[weights, ...] for numbers that you have drawn yourself: an array (n_in, n_out) for each layer"

#: What other libraries call something that foxnn has in another way.
ELSEWHERE = {
    "ones": "init=1.0",
    "constant": "init=0.5 for any constant",
    "normal": _DRAWN,
    "uniform": _DRAWN,
    "random_normal": _DRAWN,
    "random_uniform": _DRAWN,
    "truncated_normal": _DRAWN,
    "variance_scaling": "the names that are its special cases, such as 'he_normal' and 'glorot_uniform'",
}


def names() -> list[str]:
    """Names of all initializers.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.initializers.names()[:2]
    ['glorot_uniform', 'glorot_normal']
    """
    return list(_core.INITIALIZERS)


def known_init(name: str) -> str:
    """foxnn's own name of an initializer.

    Examples
    --------
    >>> known_init("Kaiming_Uniform")
    'he_uniform'
    """
    return resolve("init", name, names(), ALIASES, ELSEWHERE)


def __getattr__(name: str) -> NoReturn:
    from foxnn._elsewhere import no_such

    raise no_such("foxnn.initializers", name)
