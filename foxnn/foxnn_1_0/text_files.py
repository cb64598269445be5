"""The text files of FoxNN 1.0: values that white space separates.

- Network: the settings in the order of `settings.NAMES`, then ``n_layers``; a layer is ``activation n_parameters
  parameters.. n_neurons``, a neuron is ``n_in+1 w.. t`` with the threshold t.
- Network, weights only: ``n_layers``; a layer is ``n_neurons``, a neuron as above. All activations are sigmoids.
- Data: ``n_rows n_inputs n_outputs``, then row by row inputs and outputs.

A name with white space in it stands in double quotes, with a backslash before a quote or a backslash inside.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt

from foxnn._atomic import replace_file
from foxnn.activations import Activation
from foxnn.errors import FileFormatError
from foxnn.foxnn_1_0.layer import ACTIVATIONS, activation_1_0, bias_of, name_1_0
from foxnn.foxnn_1_0.settings import NAMES, Settings

if TYPE_CHECKING:
    from foxnn.foxnn_1_0.data import train_data
    from foxnn.network import NeuralNetwork

_Matrix = npt.NDArray[np.float64]

#: Bytes read at a time.
_BLOCK = 1 << 18
#: A value is never so long.
_LONGEST = 1 << 12
#: Nor are all settings.
_LONGEST_SETTINGS = 1 << 16
#: Numbers written at a time.
_NUMBERS = 1 << 15

_INTEGERS = {"n_threads", "n_print", "auto_save_iteration", "step_to_zero_after_n"}
_FLAGS = {"max_on_last_layer", "one_if_value_greater_intermediate_value", "correct_summation"}
_TEXTS = {"auto_save_name_file", "mode"}


# ---- reading --------------------------------------------------------------------------------------------------


class Values:
    """The values of a file from `start` on, read block by block; mistakes are errors that name the line.

    Parameters
    ----------
    file : file object
        Open for reading bytes.
    start : int
        Where the first value begins.
    """

    def __init__(self, file: BinaryIO, start: int = 0) -> None:
        self._file, self._start = file, start
        self._size = os.fstat(file.fileno()).st_size
        file.seek(start)
        self._values: list[bytes] = []  # of the current block
        self._next = 0  # the next one's place among them
        self._rest = b""  # the beginning of a value that the block cut off
        self._underscore = False
        self.taken = 0  # values taken so far

    def _more(self) -> bool:
        """Whether there is a next value; reads it if need be."""
        while self._next == len(self._values):
            block = self._file.read(_BLOCK)
            if not block and not self._rest:
                return False
            text = self._rest + block
            end = len(text)
            if block:  # keep what may go on in the next block
                while end and text[end - 1 : end].strip():
                    end -= 1
                    if len(text) - end > _LONGEST:
                        raise FileFormatError(f"a value of more than {_LONGEST} characters: not a file of FoxNN 1.0")
            self._rest = text[end:]
            self._values, self._next = text[:end].split(), 0
            self._underscore = b"_" in text
        return True

    def error(self, reason: str, value: int | None = None) -> FileFormatError:
        """The error that value number `value` (by default the next) is wrong."""
        return FileFormatError(f"line {self._line(self.taken if value is None else value)}: {reason}")

    def _line(self, value: int) -> int:
        """The line that value number `value` stands in, or the last one."""
        self._file.seek(0)
        head = self._file.read(self._start)
        lines, last, inside = 1 + head.count(b"\n"), head[-1:] or b"\n", False
        while block := self._file.read(_BLOCK):
            for match in re.finditer(rb"\S+", block):
                if match.start() == 0 and inside:
                    continue  # goes on from the last block
                if value == 0:
                    return lines + block.count(b"\n", 0, match.start())
                value -= 1
            last = block[-1:]
            inside = bool(last.strip())
            lines += block.count(b"\n")
        return max(lines - (last == b"\n"), 1)

    def word(self, what: str) -> str:
        """The next value as it stands."""
        if not self._more():
            raise self.error(f"the file ends where {what} belongs")
        self._next += 1
        self.taken += 1
        return self._values[self._next - 1].decode(errors="backslashreplace")

    def integer(self, what: str, least: int) -> int:
        """The next value as an integer of at least `least`."""
        word = self.word(what)
        if not re.fullmatch(r"\+?[0-9]{1,18}", word) or int(word) < least:
            raise self.error(f"{what}: got {_shown(word)}; it takes an integer of at least {least}", self.taken - 1)
        return int(word)

    def room(self, n: int, width: int, what: str) -> _Matrix:
        """An array for n rows of numbers, if the file may hold them."""
        left = self._size - self._file.tell() + len(self._rest)  # a value takes a character, and one to separate it
        if n * width > len(self._values) - self._next + left // 2 + 1:
            raise self.error(f"{what}: {n} x {width} numbers belong here, and the file is too short to hold them")
        return np.empty((n, width))

    def fill(self, numbers: _Matrix, what: str) -> None:
        """Fill an array of shape (n,) with the next n values; they are finite numbers."""
        done = 0
        while done < len(numbers):
            if not self._more():
                raise self.error(f"the file ends where {len(numbers) - done} more numbers of {what} belong")
            words = self._values[self._next : self._next + len(numbers) - done]
            part = numbers[done : done + len(words)]
            try:
                part[:] = np.fromiter(map(float, words), np.float64, len(words))
                good = not self._underscore and bool(np.isfinite(part).all())
            except ValueError:
                good = False
            if not good:
                self._refuse(words, what)
            self._next += len(words)
            self.taken += len(words)
            done += len(words)

    def _refuse(self, words: list[bytes], what: str) -> None:
        """Say which of these values is not a finite number, if one is not."""
        for i, word in enumerate(words):
            try:
                good = b"_" not in word and np.isfinite(float(word))
            except ValueError:
                good = False
            if not good:
                shown = _shown(word.decode(errors="backslashreplace"))
                raise self.error(f"{what}: got {shown}; it takes finite numbers", self.taken + i)

    def end(self) -> None:
        """Refuse anything that follows."""
        if self._more():
            raise self.error(f"got {_shown(self.word(''))} where the file should end", self.taken - 1)


def _shown(word: str) -> str:
    return repr(word if len(word) <= 40 else word[:37] + "...")


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """The file; errors in its format name it."""
    with open(path, "rb") as file:
        try:
            yield file
        except FileFormatError as error:
            raise FileFormatError(f"{os.fspath(path)}: {error}") from None


def load_data(path: str | os.PathLike[str]) -> tuple[_Matrix, int]:
    """Read data from a text file.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    table : ndarray of shape (n_rows, n_inputs + n_outputs)
    n_inputs : int

    Raises
    ------
    FileFormatError
        If the file is damaged or of another kind; the message names the line.
    OSError
        If it cannot be read.
    """
    with _opened(path) as file:
        values = Values(file)
        n, n_inputs, n_outputs = (values.integer(what, 1) for what in ("n_rows", "n_inputs", "n_outputs"))
        table = values.room(n, n_inputs + n_outputs, "rows")
        values.fill(table.reshape(-1), "rows")
        values.end()
    return table, n_inputs


def load_network(path: str | os.PathLike[str], only_scale: bool = False, dtype: Any = None) -> NeuralNetwork:
    """Read a network from a text file.

    Parameters
    ----------
    path : str or path-like
    only_scale : bool, default False
        That the file holds weights only.
    dtype : "float32" or "float64", optional
        By default float64, which is what FoxNN 1.0 computed in.

    Returns
    -------
    NeuralNetwork

    Raises
    ------
    FileFormatError
        If the file is damaged or of another kind; the message names the line.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "weights.txt")
    ...     with open(path, "w") as file:
    ...         _ = file.write("1  1  3 0.5 0.25 1")  # one layer of one neuron: two weights and a threshold
    ...     load_network(path, only_scale=True).layers[0].bias.item()
    -1.0
    """
    from foxnn.network import NeuralNetwork

    dtype = NeuralNetwork._checked_dtype("float64" if dtype is None else dtype)
    with _opened(path) as file:
        settings, start = ({}, 0) if only_scale else _read_settings(file)
        values = Values(file, start)
        layers = []
        n_in = 0
        for index in range(values.integer("n_layers", 1)):
            activation, rows = _read_layer(values, index, n_in, only_scale)
            largest = float(np.abs(rows).max())
            if largest > float(np.finfo(dtype).max):
                raise FileFormatError(f"layer {index}: holds {largest:g}, which is more than {dtype} can")
            layers.append((activation, rows))
            n_in = len(rows)
        values.end()
    network = NeuralNetwork(
        [layers[0][1].shape[1] - 1, *(len(rows) for _, rows in layers)],
        activation=[activation for activation, _ in layers[:-1]],
        output=layers[-1][0],
        loss="half_squared_error",
        init=[(rows[:, :-1].T, bias_of(rows[:, -1])) for _, rows in layers],
        dtype=dtype,
    )
    network.settings.update(settings)
    return network


def _read_layer(values: Values, index: int, n_in: int, only_scale: bool) -> tuple[Activation, _Matrix]:
    """A layer's activation, and a row for each neuron: weights and threshold. The first layer says its n_in itself."""
    what = f"layer {index}"
    activation = Activation("sigmoid")
    if not only_scale:
        name = values.word(f"the activation of {what}")
        at = values.taken - 1
        if name not in ACTIVATIONS:
            raise values.error(f"{what}: unknown activation {_shown(name)}; it takes {', '.join(ACTIVATIONS)}", at)
        n_parameters = values.integer(f"{what} n_parameters", 0)
        try:
            activation_1_0(name, [1.0] * min(n_parameters, 100))
            parameters = np.empty(n_parameters)
            values.fill(parameters, f"{what} parameters")
            activation = activation_1_0(name, parameters.tolist())
        except FileFormatError:
            raise
        except ValueError as error:
            raise values.error(f"{what} {error}", values.taken - 1) from None
    n_neurons = values.integer(f"{what} n_neurons", 1)
    rows = np.empty((0, 0))
    for neuron in range(n_neurons):
        n_values = values.integer(f"{what} neuron {neuron}: number of weights and threshold", 2)
        n_in = n_in or n_values - 1
        if n_values != n_in + 1:
            raise values.error(
                f"{what} neuron {neuron}: says that it has {n_values} numbers; {n_in} inputs take {n_in} weights and a "
                f"threshold, {n_in + 1} numbers",
                values.taken - 1,
            )
        if neuron == 0:
            rows = values.room(n_neurons, n_values, what)
        values.fill(rows[neuron], f"{what} neuron {neuron}")
    return activation, rows


#: What stands in quotes.
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(?=\s|$)', re.DOTALL)
#: What follows the name among the settings; FoxNN 1.0 wrote a name with spaces as it is, and this tells where it ends.
_AFTER_NAME = re.compile(
    r"(?<!\s)\s+[0-9]+\s+[01]\s+\S+\s+\S+\s+\S+\s+[0-9]+\s+\S+\s+(?:SGD|Adam|Nesterov)(?:\s|$)"
)  # fmt: skip


def _read_settings(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """The settings that a network's file begins with, and where they end."""
    head = file.read(_LONGEST_SETTINGS).decode("utf-8", "surrogateescape")
    complete = not file.read(1)
    at = 0
    settings: dict[str, Any] = {}
    trial = Settings()
    for name in NAMES:
        while at < len(head) and head[at].isspace():
            at += 1
        if at == len(head):
            raise _settings_error(head, at, f"the file ends where {name} belongs")
        word, end = _name(head, at) if name == "auto_save_name_file" else _word(head, at)
        try:
            settings[name] = _setting(name, word)
            setattr(trial._owner(name), name, settings[name])
        except (TypeError, ValueError) as error:
            reason = str(error) if name in settings else f"{name}: got {_shown(word)}; it takes a number"
            raise _settings_error(head, at, reason) from None
        at = end
    if at == len(head) and not complete:
        raise _settings_error(head, at, f"the settings go on for more than {_LONGEST_SETTINGS} bytes")
    if settings["n_threads"] == 1:  # 1.0's default, which is no wish for one thread
        settings["n_threads"] = None
    return settings, len(head[:at].encode("utf-8", "surrogateescape"))


def _settings_error(head: str, at: int, reason: str) -> FileFormatError:
    lines = head.count("\n", 0, at) + (at < len(head) or not head.endswith("\n"))
    return FileFormatError(f"line {max(lines, 1)}: {reason} (a file with weights only is read with only_scale=True)")


def _setting(name: str, word: str) -> Any:
    if name in _TEXTS:
        return word
    if name in _INTEGERS or name in _FLAGS:
        return int(word) if re.fullmatch(r"\+?[0-9]{1,18}", word) else word
    if "_" in word:
        raise ValueError(word)
    return float(word)


def _word(text: str, at: int) -> tuple[str, int]:
    word = text[at:].split(maxsplit=1)[0]
    return word, at + len(word)


def _name(text: str, at: int) -> tuple[str, int]:
    if quoted := _QUOTED.match(text, at):
        return re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL), quoted.end()
    after = _AFTER_NAME.search(text, at)
    return (text[at : after.start()], after.start()) if after else _word(text, at)


# ---- writing --------------------------------------------------------------------------------------------------


def _folded(network: NeuralNetwork) -> NeuralNetwork:
    from foxnn.io._layers import folded

    return folded(network, "FoxNN 1.0's text files")


def check_text(network: NeuralNetwork, only_scale: bool = False) -> None:
    """Refuse a network that the text format cannot hold."""
    _folded(network)
    for index, layer in enumerate(network.layers):
        name = name_1_0(layer.activation)
        if name is None:
            raise ValueError(
                f"path: FoxNN 1.0's text files hold the activations {', '.join(ACTIVATIONS)}, and layer {index} has "
                f"{layer.activation}; a name ending in .safetensors keeps everything"
            )
        if only_scale and name != "sigmoid":
            raise ValueError(
                f"only_scale: a file with weights only stands for sigmoids, and layer {index} has {layer.activation}"
            )
    if network.scale is not None or network.offset is not None:
        raise ValueError(
            "path: FoxNN 1.0's text files do not hold the scale and offset that this network reads its inputs with; a "
            "name ending in .safetensors keeps everything"
        )
    if network.scale_inputs is not None or network.scale_outputs is not None:
        raise ValueError(
            "path: FoxNN 1.0's text files do not hold how this network scales its inputs and outputs; a name ending in "
            ".safetensors keeps everything"
        )


def to_pieces(network: NeuralNetwork, *, only_scale: bool = False) -> Iterator[bytes]:
    """A network as the pieces of a text file, one after the other, in 17 digits, which is exact.

    The file holds layers and settings, as FoxNN 1.0 had them, with batch normalisation in the weights: not the loss,
    dropout, seed, history and metadata.

    Parameters
    ----------
    network : NeuralNetwork
    only_scale : bool, default False
        Weights and thresholds only.

    Raises
    ------
    ValueError
        If the format does not have an activation of the network; with `only_scale`, any but sigmoid.
    """
    check_text(network, only_scale)
    return _pieces(_folded(network), only_scale)


def _pieces(network: NeuralNetwork, only_scale: bool) -> Iterator[bytes]:
    if not only_scale:
        for name, value in {**network.settings.as_dict(), "n_threads": network.settings.n_threads}.items():
            if name in NAMES:
                yield f"{_written(name, value)}\n".encode("utf-8", "surrogateescape")
    yield b"%d\n" % len(network.layers)
    for layer in network.layers:
        if not only_scale:
            parameters = list(layer.activation.parameters.values())
            yield f"{name_1_0(layer.activation)}\n{len(parameters)}\n".encode()
            yield from _lines(np.array(parameters, dtype=np.float64).reshape(1, -1))
        yield b"%d\n" % layer.n_out
        neurons = np.column_stack([layer.weights.T, bias_of(layer.bias)])
        yield from _lines(neurons, start=f"{layer.n_in + 1}\n")


def save_data(data: train_data, path: str | os.PathLike[str]) -> None:
    """Write data to a text file, in 17 digits, which is exact.

    Parameters
    ----------
    data : train_data
    path : str or path-like
        An old file is replaced only when the new one is whole.

    Raises
    ------
    ValueError
        If there are no rows.
    OSError
        If the file cannot be written.
    """
    if data.size() == 0:
        raise ValueError("data: got no rows; a file takes at least one")
    replace_file(path, _data_pieces(data.inputs, data.outputs))


def _data_pieces(inputs: _Matrix, outputs: _Matrix) -> Iterator[bytes]:
    n, width = len(inputs), inputs.shape[1] + outputs.shape[1]
    yield b"%d\n%d\n%d\n" % (n, inputs.shape[1], outputs.shape[1])
    step = max(_NUMBERS // width, 1)
    for i in range(0, n, step):
        yield from _lines(np.hstack([inputs[i : i + step], outputs[i : i + step]]))


def _lines(rows: npt.NDArray[Any], start: str = "") -> Iterator[bytes]:
    """Rows of numbers, one number a line, with `start` before each row."""
    form = start + "%.16e\n" * rows.shape[1]
    for row in rows:
        yield (form % tuple(row.tolist())).encode()


def _written(name: str, value: Any) -> str:
    if name in _TEXTS:
        return _quoted(value)
    return str(int(value)) if name in _INTEGERS or name in _FLAGS else f"{value:.16e}"


def _quoted(name: str) -> str:
    if name.split() == [name] and not name.startswith('"'):
        return name
    return '"' + re.sub(r'([\\"])', r"\\\1", name) + '"'
