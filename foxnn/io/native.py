"""The native file from inside: which parts of a network its description and its arrays hold.

A part that is new goes into `_PARTS`, or if it is an array into `_arrays` and `_shapes`. Files without it have to stay
readable, so it has a default, and is written only where it differs: then earlier versions still read all files that do
without it, and refuse the others. Nothing is ever taken out; what changes its meaning takes a new number of `FORMAT`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from foxnn import _core, optimizers
from foxnn._files import open_regular
from foxnn._options import integer, real, shown, unknown
from foxnn.activations import Activation
from foxnn.compatibility import only_said
from foxnn.data.reading import checked_kind
from foxnn.data.scaling import as_json, from_json
from foxnn.errors import FileFormatError
from foxnn.history import History, Rows
from foxnn.io import container
from foxnn.layers import normalisation
from foxnn.layers.kinds import layer_from_config, read_list
from foxnn.layers.normalisation import Norm, put_together
from foxnn.losses import Loss

if TYPE_CHECKING:
    from foxnn.io.container import Arrays
    from foxnn.layers.layer import Layer
    from foxnn.network import NeuralNetwork

FORMAT = 2

_Read = TypeVar("_Read")
_Shapes = dict[str, tuple[int, ...]]

#: What it takes to make a network; the other parts are then put into it.
_ARCHITECTURE = ("dtype", "loss", "seed")
#: Of which layers: if all are dense, as all versions know them; if not, in another way.
_DENSE, _ANY = ("sizes", "norms", "activations", "dropout"), ("input_shape", "layers")
#: What the optimizer remembers, if that is in the file.
_STATE = ("optimizer_of_state", "steps")


class _Part(NamedTuple):
    take: Callable[[NeuralNetwork], Any]
    put: Callable[[NeuralNetwork, Any], None]  # checks the value
    default: Any = ...  # of files that lack it; none: it has to be there


def _set(name: str, check: Callable[[Any], Any]) -> Callable[[NeuralNetwork, Any], None]:
    return lambda network, value: setattr(network, name, check(value))


def _attribute(name: str, default: Any) -> _Part:
    return _Part(lambda nn: getattr(nn, name), lambda nn, value: setattr(nn, name, value), default)


def _real_or_none(name: str) -> Callable[[Any], float | None]:
    return lambda value: None if value is None else real(name, value)


def _metadata(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"metadata: got {value!r}; it takes a dict of what JSON can hold")
    return value


def _history(epochs: Iterable[Mapping[str, Any]]) -> History:
    return History(Rows({str(name): _value(value) for name, value in epoch.items()} for epoch in epochs))


def _trainable(network: NeuralNetwork, flags: Any) -> None:
    for layer, flag in zip(network.layers, flags or [True] * len(network.layers), strict=True):
        layer.trainable = flag


def _layers_made(value: Any) -> int | None:
    return None if value is None else integer("layers_made", value, 1)


def _number(value: Any) -> Any:
    """A number, or its name if JSON has none of that kind ("nan", "inf"), which `float` takes; arrays as lists."""
    if isinstance(value, np.ndarray):
        return [_number(entry) for entry in value]
    value = float(value)
    return value if math.isfinite(value) else str(value)


def _value(value: Any) -> Any:
    """The number, or the array of numbers, that `_number` wrote."""
    return np.array([_value(entry) for entry in value]) if isinstance(value, list) else float(value)


#: By name. Attributes that check what is assigned to them, and have a default, are ``_attribute(name, default)``.
_PARTS = {
    "epoch": _Part(lambda nn: nn.epoch, _set("epoch", lambda value: integer("epoch", value, 0))),
    "trainable": _Part(
        lambda nn: None if all(layer.trainable for layer in nn.layers) else [layer.trainable for layer in nn.layers],
        _trainable,
        None,  # all of them
    ),
    "layers_made": _Part(lambda nn: nn._layers_made, _set("_layers_made", _layers_made), None),
    "input_dropout": _attribute("input_dropout", 0.0),
    "input_noise": _attribute("input_noise", 0.0),
    "l1": _attribute("l1", 0.0),
    "l2": _attribute("l2", 0.0),
    "max_norm": _Part(
        lambda nn: nn.max_norm if any(nn.max_norm) else None,
        lambda nn, value: setattr(nn, "max_norm", value),
        None,
    ),
    "scale_inputs": _Part(lambda nn: as_json(nn, 0), lambda nn, value: from_json(nn, 0, value), None),
    "scale_outputs": _Part(lambda nn: as_json(nn, 1), lambda nn, value: from_json(nn, 1, value), None),
    "scale": _Part(lambda nn: nn.scale, _set("scale", _real_or_none("scale"))),
    "offset": _Part(lambda nn: nn.offset, _set("offset", _real_or_none("offset"))),
    "trained_on": _Part(lambda nn: _trained_on(nn), lambda nn, value: _set_trained_on(nn, value), None),
    "optimizer": _Part(lambda nn: _config(nn, nn.optimizer), _set("optimizer", lambda value: _optimizer(value))),
    "settings_1_0": _Part(lambda nn: nn.settings.as_dict(), lambda nn, value: nn.settings.update(value)),
    "history": _Part(
        lambda nn: [{name: _number(value) for name, value in epoch.items()} for epoch in nn.history.epochs],
        _set("history", _history),
    ),
    "metadata": _Part(lambda nn: _metadata(nn.metadata), _set("metadata", _metadata)),
}


def _trained_on(network: NeuralNetwork) -> str | None:
    return network._core.trained_on or None


def _set_trained_on(network: NeuralNetwork, kind: Any) -> None:
    network._core.trained_on = checked_kind(kind)


def _config(network: NeuralNetwork, optimizer: optimizers.Optimizer) -> dict[str, Any]:
    """An optimizer as JSON can hold it: in place of a learning rate that is code, the rate of the last step."""
    config = optimizer.config
    if not isinstance(optimizer.learning_rate, float):
        from foxnn import schedules

        config["learning_rate"] = schedules.description(optimizer.learning_rate, network._rate)
    return config


def _optimizer(config: dict[str, Any]) -> optimizers.Optimizer:
    return optimizers.get(**{"optimizer" if name == "name" else name: value for name, value in config.items()})


def _arrays(network: NeuralNetwork) -> Iterator[tuple[str, Layer, str]]:
    """The name of each array in the file, whose it is, and its name there."""
    for i, layer in enumerate(network.layers):
        for name in layer.array_names:
            yield f"layers.{i}.{name}", layer, name


def _shapes(description: dict[str, Any]) -> _Shapes:
    """The arrays that go with a description."""
    shapes: _Shapes = {}
    shape, layers = read_list(_list(description))
    for i, layer in enumerate(layers):
        learnt = layer.parameter_shapes(shape)
        arrays = learnt | layer.statistics_shapes(shape)
        shape = layer.output_shape(shape)
        shapes |= {f"layers.{i}.{name}": array for name, array in arrays.items()}
        if "optimizer_of_state" in description:
            for s in range(_kept(description["optimizer_of_state"]["name"])):
                shapes |= {f"optimizer.{i}.{s}.{name}": array for name, array in learnt.items()}
    return shapes


def _list(description: dict[str, Any]) -> list[Any]:
    """The list that a network is made of."""
    if "layers" not in description:
        return put_together(description["sizes"], _norms(description))
    return [*description["input_shape"], *(layer_from_config(config) for config in description["layers"])]


def _norms(description: dict[str, Any]) -> list[Norm | None]:
    """What normalises each layer, where all are dense."""
    configs = description.get("norms", [None] * (len(description["sizes"]) - 1))
    return [None if config is None else normalisation.from_config(config) for config in configs]


def _squares(optimizer: str) -> range:
    """Which of them are made of squares of gradients."""
    kept = _kept(optimizer)
    return range(kept - int(_core.OPTIMIZERS[optimizer]["n_squares"]), kept)


def _memory(name: str, array: npt.NDArray[Any], squares: bool) -> npt.NDArray[Any]:
    """What an optimizer may remember: a square may have become infinite, but never NaN or negative."""
    if np.isnan(array).any():
        raise FileFormatError(f"array {name!r}: got NaN; it takes what an optimizer may remember")
    if squares and (array < 0).any():
        raise FileFormatError(f"array {name!r}: got {array.min():g}; it takes squares, which are not negative")
    return array


def _kept(optimizer: str) -> int:
    """How many numbers an optimizer remembers for each parameter."""
    if optimizer not in _core.OPTIMIZERS:
        raise unknown("optimizer", optimizer, _core.OPTIMIZERS)
    return int(_core.OPTIMIZERS[optimizer]["n_state"])


# ---- writing ------------------------------------------------------------------------------------------------


def described(network: NeuralNetwork) -> dict[str, Any]:
    """A network without its arrays, as JSON can hold it."""
    parts = {name: (part.take(network), part.default) for name, part in _PARTS.items()}
    return {
        "format": FORMAT,
        "foxnn": _core.config()["version"],
        **_described_layers(network),
        "dtype": network.dtype.name,
        "loss": network.loss.config,
        "seed": network.seed,
        **{name: value for name, (value, default) in parts.items() if value != default},
    }


def _described_layers(network: NeuralNetwork) -> dict[str, Any]:
    """The layers as JSON can hold them; what may change in a network is among `_PARTS`."""
    if not all(layer.kind == "dense" for layer in network._configs):
        elsewhere = ("max_norm", "init", "trainable")
        configs = [layer.config for layer in network._configs]
        layers = [{name: value for name, value in c.items() if name not in elsewhere} for c in configs]
        return {"input_shape": list(network._shapes[0]), "layers": layers}
    norms = [layer.norm for layer in network.layers]
    activations = [layer.activation for layer in network.layers]
    return {
        "sizes": network.sizes,
        **({"norms": [None if n is None else n.config for n in norms]} if any(norms) else {}),
        "activations": [{"name": a.name, **a.parameters} for a in activations],
        "dropout": network.dropout,
    }


def to_pieces(
    network: NeuralNetwork, *, optimizer: bool = False, training: dict[str, Any] | None = None
) -> list[bytes | memoryview]:
    """A network as the bytes of a file, in pieces, most of which are arrays of the network as it is now.

    With `optimizer`, also what its optimizer remembers; with `training`, also that: it may hold arrays.
    """
    network = network._as_it_is()
    description = described(network)
    state, of_state = (network._optimizer_state, network._optimizer_of_state) if optimizer else (None, None)
    places = {f"layers.{i}.{name}": (i, name, -1) for i, of in enumerate(network.layers) for name in of.array_names}
    if of_state is not None:
        places |= {
            f"optimizer.{i}.{s}.{name}": (i, name, s)
            for i, layer in enumerate(network.layers)
            for s in range(_kept(of_state.name))
            for name in layer.parameter_names
        }
    copies, steps = network._core.read(list(places.values()), state)
    arrays = dict(zip(places, copies, strict=True))
    if of_state is not None:
        description |= {"optimizer_of_state": _config(network, of_state), "steps": steps}
    if training is not None:
        description["training"] = _without_arrays(training, "training", arrays)
    try:
        return container.pack(description, arrays)
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"metadata: {error}; it takes what JSON can hold, with texts as keys") from None


def to_bytes(network: NeuralNetwork, *, optimizer: bool = False) -> bytes:
    """A network as the bytes of a file; with `optimizer`, also what its optimizer remembers."""
    return b"".join(to_pieces(network, optimizer=optimizer))


def _without_arrays(value: Any, name: str, arrays: Arrays) -> Any:
    """A value as JSON can hold it: arrays go elsewhere, under a name, and numbers that JSON has not become texts."""
    if isinstance(value, np.ndarray):
        arrays[name] = np.ascontiguousarray(value)
        return {"$array": name}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"$number": str(value)}
    if isinstance(value, dict):
        return {key: _without_arrays(inner, f"{name}.{key}", arrays) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_arrays(inner, f"{name}.{i}", arrays) for i, inner in enumerate(value)]
    return value


def _with_arrays(value: Any, arrays: Arrays) -> Any:
    """What `_without_arrays` took apart, with lists for tuples."""
    if isinstance(value, list):
        return [_with_arrays(inner, arrays) for inner in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"$array"}:
        return arrays[value["$array"]]
    if value.keys() == {"$number"}:
        return float(value["$number"])
    return {key: _with_arrays(inner, arrays) for key, inner in value.items()}


# ---- reading ------------------------------------------------------------------------------------------------


def from_file(path: str | os.PathLike[str]) -> NeuralNetwork:
    """The network in a file.

    It takes less than twice the memory of the network: each array of the file is gone when it is in the network.
    """
    with open_regular(path) as file, _naming(path):
        return _translated(lambda: _build(*_checked(file, os.fstat(file.fileno()).st_size)))


def training_from_file(path: str | os.PathLike[str]) -> tuple[NeuralNetwork, dict[str, Any] | None]:
    """The network in a file, and the training that `to_pieces` was given, if there is one."""

    def read(file: BinaryIO) -> tuple[NeuralNetwork, dict[str, Any] | None]:
        description, arrays = _checked(file, os.fstat(file.fileno()).st_size)
        network = _build(description, arrays)
        return network, _with_arrays(description["training"], arrays) if "training" in description else None

    with open_regular(path) as file, _naming(path):
        return _translated(lambda: read(file))


def from_bytes(data: bytes) -> NeuralNetwork:
    """The network that `to_bytes` turned into these bytes."""
    return _translated(lambda: _build(*_checked(BytesIO(data), len(data))))


@contextmanager
def _naming(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except FileFormatError as error:
        raise FileFormatError(f"{os.fspath(path)}: {error}") from None


def _translated(read: Callable[[], _Read]) -> _Read:
    try:
        return read()
    except FileFormatError:
        raise
    except KeyError as error:
        raise FileFormatError(f"the description of the network lacks {error}") from None
    except (TypeError, ValueError, AttributeError, IndexError, ArithmeticError, RecursionError) as error:
        raise FileFormatError(f"the description of the network does not make sense: {error}") from None


def _checked(file: BinaryIO, size: int) -> tuple[dict[str, Any], Arrays]:
    """The description, and the arrays that it takes: all of them, no others, and of the right dtype and shape."""
    with container.reading(file, size, {"history": Rows}) as reader:
        _check_description(reader.description, reader.layout)
        return reader.description, reader.arrays()


def _check_description(description: dict[str, Any], layout: container.Layout) -> None:
    written, writer = description["format"], f"foxnn {description.get('foxnn')}"
    if type(written) is not int or not 1 <= written <= FORMAT:
        raise FileFormatError(
            f"written in format {shown(written)} by {writer}; this version reads formats 1 to {FORMAT}"
        )
    layers = _ANY if "layers" in description else _DENSE
    known = ["format", "foxnn", *_ARCHITECTURE, *layers, *_PARTS, *_STATE, "training"]
    for name in description:
        if name not in known:
            raise FileFormatError(f"written by {writer} with {shown(name)}, which this version does not know")
    shapes = _shapes(description)
    dtype = {"float32": "F32", "float64": "F64"}.get(description["dtype"])
    if "training" in description:  # which tells itself what arrays it has
        layout = {name: array for name, array in layout.items() if not name.startswith("training.")}
    for name in [*shapes, *layout]:
        got, takes = layout.get(name), (dtype, shapes[name]) if name in shapes else None
        if got != takes:
            raise FileFormatError(f"array {shown(name)}: {_in_words(got)} where {_in_words(takes)} belongs")


def _in_words(array: tuple[Any, ...] | None) -> str:
    return "nothing" if array is None else f"{array[0]} of shape {list(array[1])}"


def _build(description: dict[str, Any], arrays: Arrays) -> NeuralNetwork:
    from foxnn.network import NeuralNetwork

    own: dict[str, Any] = {}
    if "layers" not in description:
        activations = [Activation(**a) for a in description["activations"]]
        own = {"activation": activations[:-1], "output": activations[-1], "dropout": description["dropout"]}
    with only_said():  # earlier versions took outputs and losses that do not go together
        network = NeuralNetwork(
            _list(description),
            loss=Loss.from_config(**description["loss"]),
            init="zeros",
            dtype=description["dtype"],
            seed=description["seed"],
            **own,
        )
    _fill(network, description, arrays)
    return network


def _fill(network: NeuralNetwork, description: dict[str, Any], arrays: Arrays) -> None:
    """Put everything into a network of the right architecture; the arrays go from where they were."""
    for name, layer, its_name in _arrays(network):
        try:
            layer.set_array(its_name, arrays.pop(name))
        except ValueError as error:
            raise FileFormatError(f"array {name!r}: {error}") from None
    if "optimizer_of_state" in description:
        network.optimizer = _optimizer(description["optimizer_of_state"])
        state = network._get_optimizer_state()
        state.t = real("steps", description["steps"], 0)
        for i in range(len(network.layers)):
            for s in range(_kept(network.optimizer.name)):
                names = [f"optimizer.{i}.{s}.{name}" for name in network.layers[i].parameter_names]
                squares = s in _squares(network.optimizer.name)
                state.set(network._core, i, s, *(_memory(name, arrays.pop(name), squares) for name in names))
    for name, part in _PARTS.items():
        value = description[name] if part.default is ... else description.get(name, part.default)
        try:
            part.put(network, value)
        except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise FileFormatError(f"{name!r} in the description of the network: {error}") from None
