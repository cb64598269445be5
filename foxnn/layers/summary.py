"""The layers of a network as a table."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from foxnn.layers.layer import Layer
    from foxnn.network import NeuralNetwork


class Row(NamedTuple):
    """A layer; the first row is the inputs, which have only a shape."""

    layer: str
    output_shape: tuple[int, ...]
    parameters: int | None
    activation: str


class Summary:
    """What `NeuralNetwork.summary` returns: a table when it is printed, also in notebooks.

    Attributes
    ----------
    rows : list of Row
        Tuples (layer, output_shape, parameters, activation), the first one of the inputs.
    trainable, frozen : int
        Parameters that training changes, and that it does not.
    """

    def __init__(self, network: NeuralNetwork) -> None:
        network = network._as_it_is()
        layers = network.layers
        disturbed = _options(noise=network.input_noise, dropout=network.input_dropout)
        self.rows = [Row("inputs", network._shapes[0], None, ", ".join(disturbed))]
        self.rows += [
            Row(f"{i} {layer.kind}", layer.output_shape, layer.n_parameters, _title(layer))
            for i, layer in enumerate(layers)
        ]
        self.trainable = sum(layer.n_parameters for layer in layers if layer.trainable)
        self.frozen = network.n_parameters - self.trainable
        self._dtype = str(network.dtype)

    @property
    def total(self) -> str:
        """The numbers of parameters in words."""
        frozen = f", {self.frozen:,} of them frozen" if self.frozen else ""
        return f"{self.trainable + self.frozen:,} parameters of {self._dtype}{frozen}"

    def _cells(self) -> list[tuple[str, ...]]:
        cells: list[tuple[str, ...]] = [("layer", "output shape", "parameters", "activation")]
        for layer, shape, parameters, activation in self.rows:
            cells.append((layer, str(shape), "" if parameters is None else f"{parameters:,}", activation))
        return cells

    def __repr__(self) -> str:
        cells = self._cells()
        widths = [max(len(row[i]) for row in cells) for i in range(3)]
        lines = [
            f"{layer:<{widths[0]}}  {shape:<{widths[1]}}  {parameters:>{widths[2]}}  {activation}".rstrip()
            for layer, shape, parameters, activation in cells
        ]
        return "\n".join([*lines, self.total])

    def _repr_html_(self) -> str:
        head, *rows = (
            "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row)
            for row, tag in zip(self._cells(), ["th", *["td"] * len(self.rows)], strict=True)
        )
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
            f'<tfoot><tr><td colspan="4">{escape(self.total)}</td></tr></tfoot></table>'
        )


def _title(layer: Layer) -> str:
    config = layer._config
    does = [layer.title] if layer.title != layer.kind else []
    options = _options(dropout=getattr(config, "dropout", None), max_norm=getattr(config, "max_norm", None))
    return ", ".join([*does, *options, *([] if layer.trainable else ["frozen"])])


def _options(**options: float | None) -> list[str]:
    return [f"{name} {value:g}" for name, value in options.items() if value]
