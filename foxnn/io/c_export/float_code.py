"""A network in floats or doubles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from foxnn.io._formulas import centring, reading
from foxnn.io.c_export.code import Code

__all__ = ["FloatCode"]


class FloatCode(Code):
    """Every number is of type `T`, as in the network."""

    def headers(self) -> list[str]:
        """Of the C library."""
        return ["math.h"]

    def stack(self) -> int:
        """Bytes that `predict` needs, about."""
        return sum(self._widths()) * self.size

    def facts(self) -> Iterator[str]:
        """Lines of the comment."""
        yield f"Constants: {self.constant_bytes} bytes."

    def _widths(self) -> tuple[int, int]:
        """What the two buffers between layers have to hold: what even and what odd layers read."""
        inner = self.network.sizes[:-1] if reading(self.network) is not None else [0, *self.network.sizes[1:-1]]
        return max(inner[::2]), max(inner[1::2], default=0)

    def _make_constants(self) -> Iterator[str]:
        centred = centring(self.network, self.dtype)
        if centred is not None:
            yield from self.array("input_shift", centred.shift, f"[{self.network._n_in}]")
            yield from self.array("input_factor", centred.factor, f"[{self.network._n_in}]")
        for i, layer in enumerate(self.network.layers):
            bias = layer.bias
            if i == 0 and centred is not None:
                bias = bias + centred.rest @ layer.weights.astype(np.float64)
            yield from self.array(f"weights_{i}", layer.weights, f"[{layer.n_in}][{layer.n_out}], by rows")
            yield from self.array(f"bias_{i}", bias, f"[{layer.n_out}]")
            yield from self.norm_constants(i)
        yield from self.output_constants()

    def functions(self) -> Iterator[str]:
        """What `predict` calls."""
        T = self.T
        yield from self.activations([layer.activation for layer in self.network.layers])
        yield "/* y = bias + x weights */"
        yield f"static inline void {self.name}_dense(const {T} *x, int n_in, const {T} *weights, const {T} *bias,"
        yield f"    int n_out, {T} *y) {{"
        yield f"    for (int j = 0; j < n_out; j++) y[j] = 0.0{self.f};"
        yield "    for (int i = 0; i < n_in; i++) {"
        yield f"        for (int j = 0; j < n_out; j++) y[j] += x[i] * {self.read(T, 'weights + j')};"
        yield "        weights += n_out;"
        yield "    }"
        yield f"    for (int j = 0; j < n_out; j++) y[j] += {self.read(T, 'bias + j')};"
        yield "}"
        yield ""
        if any(layer.norm for layer in self.network.layers):
            yield from self.layer_norm()

    def predict(self, linkage: str) -> Iterator[str]:
        """The function itself."""
        network, name, T = self.network, self.name, self.T
        yield f"{linkage}{self.signature()} {{"
        for buffer, width in zip("ab", self._widths(), strict=True):
            if width:
                yield f"    {T} {buffer}[{width}];"
        source, value = "x", self._input()
        if value is not None:
            yield f"    for (int i = 0; i < {network._n_in}; i++) a[i] = {value};"
            source = "a"
        for i, layer in enumerate(network.layers):
            target = "y" if i + 1 == len(network.layers) else "ba"[i % 2]
            yield (
                f"    {name}_dense({source}, {layer.n_in}, {name}_weights_{i}, {name}_bias_{i}, {layer.n_out}, "
                f"{target});"
            )
            yield from self.normalised(i, target)
            yield from self.activated(layer.activation, target, layer.n_out)
            source = target
        yield from self.output_scaled()
        yield "}"

    def _input(self) -> str | None:
        """What becomes of x[i] before the first layer, if it does not stay as it is."""
        centred, read = centring(self.network, self.dtype), reading(self.network)
        if centred is None and read is None:
            return None
        if centred is None:
            scale, offset = (self.number(v, w) for v, w in zip(read or (), ("scale", "offset"), strict=True))
            return f"x[i] * {scale} + {offset}"
        shift, factor = (self.read(self.T, f"{self.name}_input_{what} + i") for what in ("shift", "factor"))
        return f"(x[i] - {shift}) * {factor}"
