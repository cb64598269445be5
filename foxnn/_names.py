"""Names that people bring from other libraries: taken where they mean the same, answered with ours where not.

All of them are in docs/names.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from foxnn._options import unknown


def plain(name: str) -> str:
    """A name without regard to case and separators.

    Examples
    --------
    >>> plain("LeakyReLU"), plain("leaky-relu"), plain("leaky_relu")
    ('leakyrelu', 'leakyrelu', 'leakyrelu')
    """
    return re.sub(r"[\W_]+", "", name).lower()


def find(name: str, own: Iterable[str], aliases: Mapping[str, str]) -> str | None:
    """What foxnn calls the thing of that name; None if there is none.

    Parameters
    ----------
    name : str
    own : iterable of str
        foxnn's own names.
    aliases : mapping of str to str
        Other names of the same things.
    """
    if name in own:
        return name
    wanted = plain(name)
    for known in own:
        if plain(known) == wanted:
            return known
    for alias, known in aliases.items():
        if plain(alias) == wanted:
            return known
    return None


def resolve(
    argument: str, name: str, own: Iterable[str], aliases: Mapping[str, str], elsewhere: Mapping[str, str]
) -> str:
    """What foxnn calls the thing of that name.

    Parameters
    ----------
    argument : str
        What messages call it.
    name, own, aliases
        As for `find`.
    elsewhere : mapping of str to str
        Names of things that foxnn has in another way, and which.

    Raises
    ------
    ValueError
        If there is none of that name; it says where else foxnn has it, or which name is the nearest.
    """
    known = find(name, own, aliases)
    if known is not None:
        return known
    for other, ours in elsewhere.items():
        if plain(other) == plain(name):
            raise ValueError(f"{argument}: got {name!r}; foxnn has {ours}")
    raise unknown(argument, name, own, aliases)


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that is meant by `name`, if any is like it."""
    import difflib  # not above: only errors need it

    by_plain = {plain(known): known for known in reversed(list(names))}
    near = difflib.get_close_matches(plain(name), by_plain, n=1)
    return by_plain[near[0]] if near else None
