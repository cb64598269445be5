"""What the inputs and the outputs of a network mean, as far as its metadata says: for exports."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from foxnn.data.reading import PIXELS, Reading
from foxnn.datasets.encoder import TableEncoder
from foxnn.errors import FileFormatError

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

__all__ = ["columns", "metadata_as_text", "metadata_from_text"]

#: Of more names, only the first are listed.
_MOST = 200


def metadata_as_text(network: NeuralNetwork) -> str:
    """What a network's metadata is in formats that keep texts for others; "" if there is none."""
    if not network.metadata:
        return ""
    try:
        return json.dumps(network.metadata, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"metadata: {error}; it takes what JSON can hold, with texts as keys") from None


def metadata_from_text(text: str) -> dict[str, Any]:
    """The metadata that `metadata_as_text` made a text of.

    Raises
    ------
    FileFormatError
        If it is something else.
    """

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is no number that JSON has")

    try:
        data = json.loads(text, parse_constant=refuse)
        if not isinstance(data, dict):
            raise ValueError("no object")
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"its metadata of foxnn is damaged: {error}") from None
    return data


def columns(network: NeuralNetwork) -> Iterator[str]:
    r"""Lines such as ``x[0]: "area"`` that fit into a comment of C or JavaScript.

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([2, 2], output="softmax")
    >>> nn.metadata["classes"] = ["no", "*/ yes"]
    >>> list(columns(nn))
    ['y[0]: "no"', 'y[1]: "*\\u002f yes"']
    """
    inputs, outputs = _of_table(network)
    if network._core.trained_on == PIXELS and Reading(network).is_default:
        yield "x: pixels from 0 to 255 divided by 255, as the uint8 was read that the network was trained on"
    yield from _lines("x", inputs, network._n_in)
    yield from _lines("y", _classes(network) if outputs is None else outputs, network._n_out)


def _lines(letter: str, texts: Sequence[str] | None, n: int) -> Iterator[str]:
    if texts is None or len(texts) != n:
        return
    for i, text in enumerate(texts[:_MOST]):
        yield f"{letter}[{i}]: {text}"
    if n > _MOST:
        yield f"... and {n - _MOST} more"


def _quoted(value: Any) -> str:
    """A name in ASCII on one line, which ends no comment, and is no trigraph or line that goes on in C."""
    text = json.dumps(value, default=str).replace("*/", "*\\u002f").replace("/*", "\\u002f*").replace("??", "?\\u003f")
    return text if len(text) <= 100 else f"{text[:100]} ..."


def _classes(network: NeuralNetwork) -> list[str] | None:
    classes = network.metadata.get("classes")
    if not isinstance(classes, list):
        return None
    if len(classes) == 2 and network._n_out == 1:
        return [f"of {_quoted(classes[1])}, not {_quoted(classes[0])}"]
    return [_quoted(name) for name in classes]


def _of_table(network: NeuralNetwork) -> tuple[list[str] | None, list[str] | None]:
    """What `foxnn train` says of the columns of its table."""
    table: Any = network.metadata.get("table")
    try:
        encoder = TableEncoder.from_json(table["encoder"])
        names = [_quoted(name) for name in encoder.feature_names]
        scaled = zip(table["mean"], table["deviation"], strict=True)
        inputs = [
            name if (mean, deviation) == (0, 1) else f"({name} - {mean:.9g}) / {deviation:.9g}"
            for name, (mean, deviation) in zip(names, scaled, strict=True)
        ]
        if encoder.target is None:
            return inputs, None
        if encoder.target.classes is not None:
            return inputs, [_quoted(label) for label in encoder.target.classes]
        mean, deviation = table["target_mean"], table["target_deviation"]
        name = _quoted(encoder.target.name)
        return inputs, [name if (mean, deviation) == (0, 1) else f"({name} - {mean:.9g}) / {deviation:.9g}"]
    except (FileFormatError, KeyError, TypeError, ValueError):  # whoever reads tables says what is wrong with it
        return None, None
