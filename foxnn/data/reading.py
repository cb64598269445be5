"""How inputs are read, and a warning where they are read in another way than those that a network was trained on.

uint8 is taken for pixels and read as ``x / 255``, and everything else as it is, unless `scale` and `offset` say how. So
the same pixels as uint8 and as integers or floats up to 255 are different inputs: a network that was trained on one of
them and is given the other one computes nonsense. What tells them apart is remembered, by the core, with the network:
whether it was trained on uint8 or on other numbers beyond 1. (Numbers up to 1 are what pixels are read as, and tell
nothing.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foxnn._arrays import _parts
from foxnn._options import real, unknown
from foxnn._warnings import warn_user

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

#: uint8 data is taken for images: it is read as x / 255 unless told otherwise.
U8_SCALE = 1 / 255
#: What a network may have been trained on, besides "", which tells nothing.
_KINDS = (PIXELS, NUMBERS) = ("uint8", "numbers beyond 1")
#: Bytes of an array that are looked at to find out what it is: rows from all over it.
_LOOKED_AT = 2**25


def kind_of(inputs: npt.NDArray[Any]) -> str:
    """What inputs are, as far as that tells how others should be read."""
    if inputs.dtype == np.uint8:
        return PIXELS
    return NUMBERS if _most_beyond_one(inputs[:: 1 + inputs.nbytes // _LOOKED_AT]) is not None else ""


def checked_kind(value: Any) -> str:
    """One of these, as a file holds it."""
    if value is not None and value not in _KINDS:
        raise unknown("trained_on", value, _KINDS)
    return value or ""


def _most_beyond_one(inputs: npt.NDArray[Any]) -> float | None:
    """The largest number of the first rows that have one beyond 1."""
    most = (part.max() for part in _parts(inputs))
    return next((float(value) for value in most if value > 1), None)


class Reading:
    """How the inputs of one call are read, in one array or in several; it warns once.

    Parameters
    ----------
    network : NeuralNetwork
    scale, offset : float, optional
        Inputs are read as ``x * scale + offset``; by default the network's.
    beside : str, default ""
        What kind of inputs are given beside these, if that is known: rather than those that came before, they tell how
        these should be read.
    """

    def __init__(
        self, network: NeuralNetwork, scale: float | None = None, offset: float | None = None, beside: str = ""
    ) -> None:
        self._network, self.beside = network, beside
        self._scale = network.scale if scale is None else scale
        self._offset = network.offset if offset is None else offset
        self._has_warned = False

    @property
    def is_default(self) -> bool:
        """Whether the inputs' type says how they are read."""
        return self._scale is None and self._offset is None

    def kind_of(self, inputs: npt.NDArray[Any]) -> str:
        """What inputs are; nothing worth remembering if it is said how they are read."""
        return kind_of(inputs) if self.is_default else ""

    def factors(self, inputs: npt.NDArray[Any]) -> tuple[float, float]:
        """Scale and offset for checked inputs."""
        scale = self._scale
        if scale is None:
            scale = U8_SCALE if inputs.dtype == np.uint8 and self._offset is None else 1.0
        return real("scale", scale), 0.0 if self._offset is None else real("offset", self._offset)

    def of(self, inputs: npt.NDArray[Any], name: str = "X") -> tuple[float, float]:
        """Scale and offset for checked inputs, and a warning if they should have been others."""
        factors = self.factors(inputs)
        self.compare(inputs, name)
        return factors

    def compare(self, inputs: npt.NDArray[Any], name: str) -> None:
        """Warn if inputs are read in another way than those before, unless it was said how."""
        expected = (self.beside or self._network._core.trained_on) if self.is_default and not self._has_warned else ""
        message = ""
        if expected == NUMBERS and inputs.dtype == np.uint8:
            message = (
                f"{name}: got uint8, which is read as x / 255, for a network that was given numbers beyond 1, read as "
                "they are; scale=1 reads uint8 so, too"
            )
        elif expected == PIXELS and inputs.dtype != np.uint8:
            most = _most_beyond_one(inputs)
            if most is not None:
                message = (
                    f"{name}: got numbers up to {most:g}, which are read as they are, for a network that was given "
                    "uint8, read as x / 255; scale=1/255 reads others so, too, and scale=1 says that they are meant"
                )
        if message:
            self._has_warned = True
            warn_user(f"{message} (an argument of fit, evaluate and predict, or nn.scale)")

    def learn(self, inputs: npt.NDArray[Any], *, unless_known: bool = False) -> None:
        """Remember what a batch was that is trained on; one within 0 to 1 tells nothing."""
        core = self._network._core
        known = core.trained_on
        if (known and unless_known) or (known == NUMBERS and inputs.dtype != np.uint8):
            return
        kind = self.kind_of(inputs)
        if kind:
            core.trained_on = kind
