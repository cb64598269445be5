"""The text files of FoxNN 1.0: values that white space separates.

- Network: the settings as in `settings_text`, then ``n_layers``; a layer is ``activation n_parameters
  parameters.. n_neurons``, a neuron is ``n_in+1 w.. t`` with the threshold t.
- Network, weights only: ``n_layers``; a layer is ``n_neurons``, a neuron as above. All activations are sigmoids.
- Data: ``n_rows n_inputs n_outputs``, then row by row inputs and outputs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt

from foxnn._atomic import replace_file
from foxnn._files import open_regular
from foxnn.activations import Activation
from foxnn.errors import FileFormatError
from foxnn.foxnn_1_0.layer import ACTIVATIONS, activation_1_0, bias_of, name_1_0
from foxnn.foxnn_1_0.settings_text import read_settings, settings_lines
from foxnn.foxnn_1_0.values import Values, shown

if TYPE_CHECKING:
    from foxnn.foxnn_1_0.data import train_data
    from foxnn.network import NeuralNetwork

#: What it is called, in messages.
TITLE = "FoxNN 1.0's text"

_Matrix = npt.NDArray[np.float64]

#: Numbers written at a time.
_NUMBERS = 1 << 15


# ---- reading --------------------------------------------------------------------------------------------------


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """The file; errors in its format name it."""
    with open_regular(path) as file:
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
        settings, start = ({}, 0) if only_scale else read_settings(file)
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
            raise values.error(f"{what}: unknown activation {shown(name)}; it takes {', '.join(ACTIVATIONS)}", at)
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


def lost(network: NeuralNetwork) -> list[str]:
    """What a text file does not keep of a network, in words, besides how and in which number type it was trained."""
    parts = {
        f"the loss {network.loss.name}": network.loss != "half_squared_error",
        "dropout": any(network.dropout) or network.input_dropout,
        "noise on the inputs": network.input_noise,
        "penalties": network.l1 or network.l2,
        "max_norm": any(network.max_norm),
        "batch normalisation, which stays in the weights": any(layer.norm for layer in network.layers),
        "which layers are frozen": not all(layer.trainable for layer in network.layers),
        "metadata": network.metadata,
    }
    return [name for name, is_there in parts.items() if is_there]


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
    network = network._as_it_is()
    check_text(network, only_scale)
    return _pieces(_folded(network), only_scale)


def _pieces(network: NeuralNetwork, only_scale: bool) -> Iterator[bytes]:
    if not only_scale:
        yield from settings_lines(network.settings)
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
