"""What a network's C code has, whether it computes in floats or in integers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foxnn.io._formulas import Language, formula, literal, rows, writing

if TYPE_CHECKING:
    from foxnn.activations import Activation
    from foxnn.network import NeuralNetwork

__all__ = ["Code"]

#: How AVR's C library reads from flash what takes as many bytes.
_FROM_FLASH = {"float": "pgm_read_float", "int8_t": "(int8_t)pgm_read_byte", "uint8_t": "pgm_read_byte",
               "int16_t": "(int16_t)pgm_read_word", "int32_t": "(int32_t)pgm_read_dword"}  # fmt: skip


class Code(ABC):
    """The parts of the code; `T` is the number type, `f` the suffix of its numbers and functions.

    All that is indexed is indexed from the start of a row or of a layer, never of a matrix: int has 16 bits on AVR.
    """

    def __init__(self, network: NeuralNetwork, name: str, dtype: str) -> None:
        self.network, self.name, self.dtype = network, name, dtype
        self.T, self.f = ("float", "f") if dtype == "float32" else ("double", "")
        self.size = np.dtype(dtype).itemsize
        self.constant_bytes = 0  # of the arrays written so far
        self.types: dict[str, None] = {}  # those that are read from flash, in the order in which they are met
        self._constants = list(self._make_constants())

    def signature(self) -> str:
        """What is declared."""
        return f"void {self.name}_predict(const {self.T} *x, {self.T} *y)"

    def constants(self) -> list[str]:
        """The arrays."""
        return self._constants

    # ---- what each kind of arithmetic has of its own

    @abstractmethod
    def headers(self) -> list[str]:
        """Of the C library."""

    @abstractmethod
    def stack(self) -> int:
        """Bytes that `predict` needs, about."""

    @abstractmethod
    def facts(self) -> Iterator[str]:
        """Lines of the comment."""

    @abstractmethod
    def functions(self) -> Iterator[str]:
        """What `predict` calls."""

    @abstractmethod
    def predict(self, linkage: str) -> Iterator[str]:
        """The function itself."""

    @abstractmethod
    def _make_constants(self) -> Iterator[str]: ...

    # ---- what they share

    def number(self, value: Any, what: str) -> str:
        """A number as C's text."""
        return literal(self._fitting(np.asarray(value, np.float64), what), self.dtype) + self.f

    def array(self, what: str, values: npt.NDArray[Any], shape: str) -> Iterator[str]:
        """An array in flash; integers as their type says, all others as `T`."""
        T, suffix = (self.T, self.f) if values.dtype.kind == "f" else (f"{values.dtype}_t", "")
        if values.dtype.kind == "f":
            values = self._fitting(values, what)
        yield f"/* {shape} */"
        yield f"static const {T} {self.name}_{what}[{values.size}] {self.name}_flash = {{"
        for line in rows(values, suffix):
            yield f"    {line}"
        yield "};"
        yield ""
        self.types[T] = None
        self.constant_bytes += values.size * (self.size if values.dtype.kind == "f" else values.dtype.itemsize)

    def _fitting(self, values: npt.NDArray[Any], what: str) -> npt.NDArray[Any]:
        with np.errstate(over="ignore"):
            fitting = values.astype(self.dtype)
        if not np.isfinite(fitting).all():
            raise ValueError(f"{what}: {np.abs(values).max():g} is more than {self.dtype} can hold")
        return fitting

    def flash(self) -> Iterator[str]:
        """Where the arrays are, and how one number of them is read."""
        name = self.name
        yield "/* Constants stay in flash, where that is a memory of its own. */"
        yield "#if defined(__AVR__)"
        yield "#include <avr/pgmspace.h>"
        yield f"#define {name}_flash PROGMEM"
        for T in self.types:
            if T in _FROM_FLASH:
                yield f"#define {name}_{T}(p) {_FROM_FLASH[T]}(p)"
            else:
                yield f"static inline {T} {name}_{T}(const {T} *p) {{"
                yield f"    {T} value;"
                yield "    memcpy_P(&value, p, sizeof value);"
                yield "    return value;"
                yield "}"
        yield "#else"
        yield f"#define {name}_flash"
        for T in self.types:
            yield f"#define {name}_{T}(p) (*(p))"
        yield "#endif"

    def read(self, T: str, pointer: str) -> str:
        """What reads a number from flash."""
        return f"{self.name}_{T}({pointer})"

    def activations(self, used: list[Activation]) -> Iterator[str]:
        """Activations of numbers of type `T`, each once for each set of parameters."""
        T, name = self.T, self.name
        language = Language(f"const {T}", f"{{}}{self.f}", f"{{}}{self.f}")
        seen: set[str] = set()
        for activation in used:
            function = self.function(activation)
            if function in seen or activation == "linear":
                continue
            seen.add(function)
            if activation == "softmax":
                yield f"static inline void {name}_softmax({T} *y, int n) {{"
                yield f"    {T} top = y[0], sum = 0.0{self.f};"
                yield "    for (int i = 1; i < n; i++)"
                yield "        if (y[i] > top) top = y[i];"
                yield "    for (int i = 0; i < n; i++) {"
                yield f"        y[i] = exp{self.f}(y[i] - top);"
                yield "        sum += y[i];"
                yield "    }"
                yield "    for (int i = 0; i < n; i++) y[i] /= sum;"
            else:
                for parameter, value in activation.parameters.items():
                    self.number(value, f"{activation.name} {parameter}")
                yield f"static inline {T} {function}({T} x) {{"
                for line in formula(activation, language):
                    yield f"    {line}"
            yield "}"
            yield ""

    def function(self, activation: Activation) -> str:
        """The name of an activation; of one with parameters, that of the first layer that has it."""
        if not activation.parameters:
            return f"{self.name}_{activation.name}"
        first = next(i for i, layer in enumerate(self.network.layers) if repr(layer.activation) == repr(activation))
        return f"{self.name}_{activation.name}_{first}"

    def activated(self, activation: Activation, y: str, n: int) -> Iterator[str]:
        """The call, or the loop, that puts n numbers of type `T` through an activation."""
        function = self.function(activation)
        if activation == "softmax":
            yield f"    {function}({y}, {n});"
        elif activation != "linear":
            yield f"    for (int i = 0; i < {n}; i++) {y}[i] = {function}({y}[i]);"

    def layer_norm(self) -> Iterator[str]:
        """The function that normalises rows."""
        T, f = self.T, self.f
        yield "/* y = gamma (y - mean) / deviation + beta */"
        yield f"static inline void {self.name}_layer_norm({T} *y, int n, const {T} *gamma, const {T} *beta,"
        yield f"    {T} epsilon) {{"
        yield f"    {T} mean = 0.0{f}, variance = 0.0{f};"
        yield "    for (int i = 0; i < n; i++) mean += y[i];"
        yield f"    mean /= ({T})n;"
        yield "    for (int i = 0; i < n; i++) variance += (y[i] - mean) * (y[i] - mean);"
        yield f"    const {T} deviation = sqrt{f}(variance / ({T})n + epsilon);"
        gamma, beta = self.read(T, "gamma + i"), self.read(T, "beta + i")
        yield f"    for (int i = 0; i < n; i++) y[i] = {gamma} * ((y[i] - mean) / deviation) + {beta};"
        yield "}"
        yield ""

    def norm_constants(self, index: int) -> Iterator[str]:
        """What a layer's normalisation has learned."""
        norm = self.network.layers[index].norm
        if norm is not None:
            yield from self.array(f"gamma_{index}", norm.gamma, f"[{len(norm.gamma)}]")
            yield from self.array(f"beta_{index}", norm.beta, f"[{len(norm.beta)}]")

    def normalised(self, index: int, y: str) -> Iterator[str]:
        """The call that normalises the numbers of type `T` that a layer has made."""
        layer, name = self.network.layers[index], self.name
        if layer.norm is not None:
            epsilon = self.number(layer.norm.epsilon, "epsilon")
            yield f"    {name}_layer_norm({y}, {layer.n_out}, {name}_gamma_{index}, {name}_beta_{index}, {epsilon});"

    def output_constants(self) -> Iterator[str]:
        """How outputs are scaled."""
        for what, values in zip(("spread", "shift"), writing(self.network) or (), strict=False):
            yield from self.array(f"output_{what}", np.asarray(values), f"[{self.network._n_out}]")

    def output_scaled(self) -> Iterator[str]:
        """The loop that scales the outputs."""
        if writing(self.network) is not None:
            spread, shift = (self.read(self.T, f"{self.name}_output_{what} + i") for what in ("spread", "shift"))
            yield f"    for (int i = 0; i < {self.network._n_out}; i++) y[i] = y[i] * {spread} + {shift};"
