"""A network in integers, for processors that compute in them what they can: see `foxnn.io.c_export.rounding`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from foxnn.io.c_export.code import Code
from foxnn.io.c_export.rounding import Hidden, Rounded, RoundingError, interval

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

__all__ = ["Int8Code"]


class Int8Code(Code):
    """Layers are sums of integers; only what comes in and what goes out are numbers of type `T`."""

    def __init__(self, network: NeuralNetwork, name: str, dtype: str, integers: Rounded, error: RoundingError) -> None:
        self.integers, self.error = integers, error
        super().__init__(network, name, dtype)

    def headers(self) -> list[str]:
        """Of the C library."""
        return ["math.h", "stdint.h"]

    def stack(self) -> int:
        """Bytes that `predict` needs, about."""
        return sum(self._widths()) * 2 + self._width_of_floats() * self.size

    def facts(self) -> Iterator[str]:
        """Lines of the comment."""
        yield f"Constants: {self.constant_bytes} bytes."
        yield "Weights are integers of 8 bits, times a scale for each unit; all between inputs and outputs is integers"
        yield "of 16 bits, and sums of 32. This changes the outputs by"
        yield f"{self.error}."
        yield "Inputs, and numbers between layers, that go far beyond those of the samples are cut off."

    def _widths(self) -> tuple[int, int]:
        inner = self.network.sizes[:-1]
        return max(inner[::2]), max(inner[1::2], default=0)

    def _width_of_floats(self) -> int:
        return max((layer.n_out for layer in self.network.layers if layer.norm is not None), default=0)

    def _make_constants(self) -> Iterator[str]:
        network, integers = self.network, self.integers
        if np.ndim(integers.factor):
            yield from self.array("input_shift", np.broadcast_to(integers.shift, network._n_in), "[n_in]")
            yield from self.array("input_factor", integers.factor, "[n_in]")
        for i, (layer, sums) in enumerate(zip(network.layers, integers.sums, strict=True)):
            n = f"[{layer.n_out}]"
            yield from self.array(f"weights_{i}", sums.weights, f"[{layer.n_out}][{layer.n_in}], a row for each unit")
            yield from self.array(f"bias_{i}", sums.bias, n)
            hidden = integers.hidden[i] if i < len(integers.hidden) else None
            if hidden is None or hidden.multiplier is None:
                yield from self.array(f"scales_{i}", sums.scales, n)
                yield from self.norm_constants(i)
                continue
            assert hidden.shift is not None
            yield from self.array(f"multipliers_{i}", hidden.multiplier, n)
            yield from self.array(f"shifts_{i}", hidden.shift, n)
            if hidden.table is not None and self._table(i) == i:
                title = f"{layer.activation}, from -2^15 to 2^15"
                yield from self.array(f"table_{i}", hidden.table, title)
        yield from self.output_constants()

    def _table(self, index: int) -> int:
        """The first layer with the same table as a layer."""
        tables = [b"" if hidden.table is None else hidden.table.tobytes() for hidden in self.integers.hidden]
        return tables.index(tables[index])

    # ---- functions

    def functions(self) -> Iterator[str]:
        """What `predict` calls."""
        hidden, layers = self.integers.hidden, self.network.layers
        in_floats = [layer.activation for layer in layers if layer.norm is not None] + [layers[-1].activation]
        yield from self.activations(in_floats)
        yield from self._rounded_function()
        yield from self._sum_function()
        if any(h.multiplier is not None for h in hidden):
            yield from self._hidden_function()
        if any(h.table is not None for h in hidden):
            yield from self._lookup_function()
        yield from self._floats_function()
        if self._width_of_floats():
            yield from self.layer_norm()

    def _rounded_function(self) -> Iterator[str]:
        T, f = self.T, self.f
        yield "/* The nearest integer, cut at +-largest; NaN becomes -largest. */"
        yield f"static inline int16_t {self.name}_rounded({T} x, int16_t largest) {{"
        yield f"    const {T} most = ({T})largest;"
        yield f"    x += x < 0.0{f} ? -0.5{f} : 0.5{f};"
        yield "    if (!(x > -most)) return (int16_t)-largest;"
        yield "    return x < most ? (int16_t)x : largest;"
        yield "}"
        yield ""

    def _sum_function(self) -> Iterator[str]:
        yield "/* bias + x weights of one unit; there is room for the largest x that there are */"
        arguments = "const int16_t *x, int n_in, const int8_t *weights, int32_t bias"
        yield f"static inline int32_t {self.name}_sum({arguments}) {{"
        yield "    const int16_t *const end = x + n_in;"
        yield f"    do bias += (int32_t)*x++ * {self.read('int8_t', 'weights++')}; while (x < end);"
        yield "    return bias;"
        yield "}"
        yield ""

    def _hidden_function(self) -> Iterator[str]:
        name = self.name
        multiplier, shift = self.read("int16_t", "multipliers + j"), self.read("uint8_t", "shifts + j")
        yield "/* y = the sums, times a factor for each, between low and high */"
        yield f"static inline void {name}_hidden(const int16_t *x, int n_in, const int8_t *weights,"
        yield "    const int32_t *bias, const int16_t *multipliers, const uint8_t *shifts, int16_t low, int16_t high,"
        yield "    int n_out, int16_t *y) {"
        yield "    for (int j = 0; j < n_out; j++) {"
        yield f"        int32_t sum = {name}_sum(x, n_in, weights, {self.read('int32_t', 'bias + j')}) >> {shift};"
        yield "        sum = sum > 65535 ? 65535 : sum < -65535 ? -65535 : sum;"
        yield f"        sum = (sum * {multiplier} + 16384) >> 15;"
        yield "        y[j] = sum < low ? low : sum > high ? high : (int16_t)sum;"
        yield "        weights += n_in;"
        yield "    }"
        yield "}"
        yield ""

    def _lookup_function(self) -> Iterator[str]:
        name = self.name
        yield "/* y = the function whose values at every 2^bits from -2^15 are in the table, with lines between them */"
        yield f"static inline void {name}_lookup(int16_t *y, int n, const int16_t *table, uint8_t bits) {{"
        yield "    for (int j = 0; j < n; j++) {"
        yield "        const int32_t x = (int32_t)y[j] + 32768, rest = x & (((int32_t)1 << bits) - 1);"
        yield "        const int16_t *const start = table + (x >> bits);"
        yield f"        const int32_t low = {self.read('int16_t', 'start')};"
        yield f"        const int32_t high = {self.read('int16_t', 'start + 1')};"
        yield "        y[j] = (int16_t)(low + (((high - low) * rest + ((int32_t)1 << (bits - 1))) >> bits));"
        yield "    }"
        yield "}"
        yield ""

    def _floats_function(self) -> Iterator[str]:
        T, name = self.T, self.name
        bias, scale = self.read("int32_t", "bias + j"), self.read(T, "scales + j")
        yield "/* y = the sums, in floats */"
        yield f"static inline void {name}_floats(const int16_t *x, int n_in, const int8_t *weights,"
        yield f"    const int32_t *bias, const {T} *scales, int n_out, {T} *y) {{"
        yield "    for (int j = 0; j < n_out; j++) {"
        yield f"        y[j] = ({T}){name}_sum(x, n_in, weights, {bias}) * {scale};"
        yield "        weights += n_in;"
        yield "    }"
        yield "}"
        yield ""

    # ---- predict

    def predict(self, linkage: str) -> Iterator[str]:
        """The function itself."""
        network, name = self.network, self.name
        yield f"{linkage}{self.signature()} {{"
        for buffer, width in zip("ab", self._widths(), strict=True):
            if width:
                yield f"    int16_t {buffer}[{width}];"
        if self._width_of_floats():
            yield f"    {self.T} floats[{self._width_of_floats()}];"
        largest = self.integers.largest
        yield f"    for (int i = 0; i < {network._n_in}; i++) a[i] = {name}_rounded({self._input()}, {largest});"
        for i, hidden in enumerate(self.integers.hidden):
            yield from self._layer(i, hidden, "ab"[i % 2], "ba"[i % 2])
        last = len(network.layers) - 1
        yield self._call("floats", last, "ab"[last % 2], f"{name}_scales_{last}", "y")
        yield from self.activated(network.layers[last].activation, "y", network._n_out)
        yield from self.output_scaled()
        yield "}"

    def _layer(self, i: int, hidden: Hidden, x: str, y: str) -> Iterator[str]:
        layer, name = self.network.layers[i], self.name
        n = layer.n_out
        if hidden.multiplier is None:
            yield self._call("floats", i, x, f"{name}_scales_{i}", "floats")
            yield from self.normalised(i, "floats")
            yield from self.activated(layer.activation, "floats", n)
            factor = self.number(1 / hidden.scale, "scale")
            yield f"    for (int i = 0; i < {n}; i++)"
            yield f"        {y}[i] = {name}_rounded(floats[i] * {factor}, {hidden.largest});"
            return
        more = f"{name}_multipliers_{i}, {name}_shifts_{i}, {hidden.low}, {hidden.high}"
        yield self._call("hidden", i, x, more, y)
        if hidden.step is not None:
            yield f"    for (int i = 0; i < {n}; i++) {y}[i] = {y}[i] > 0 ? {hidden.step} : 0;"
        if hidden.table is not None:
            yield f"    {name}_lookup({y}, {n}, {name}_table_{self._table(i)}, {interval(hidden.table)});"

    def _call(self, function: str, i: int, x: str, more: str, y: str) -> str:
        layer, name = self.network.layers[i], self.name
        arrays = f"{name}_weights_{i}, {name}_bias_{i}, {more}"
        return f"    {name}_{function}({x}, {layer.n_in}, {arrays}, {layer.n_out}, {y});"

    def _input(self) -> str:
        """The integer that x[i] becomes, before it is rounded."""
        shift, factor = self.integers.shift, self.integers.factor
        if np.ndim(factor):
            shift, factor = (self.read(self.T, f"{self.name}_input_{what} + i") for what in ("shift", "factor"))
            return f"(x[i] - {shift}) * {factor}"
        scale = self.number(factor, "scale")
        if not shift:
            return f"x[i] * {scale}"
        return f"(x[i] - ({self.number(shift, 'offset')})) * {scale}"
