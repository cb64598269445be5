"""What `fit` and `evaluate` are asked to do: every argument checked before anything changes."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from foxnn import optimizers
from foxnn._options import MOST, flag, integer, real
from foxnn.callbacks.base import Callback
from foxnn.data.reading import Reading
from foxnn.data.samples import Epochs, samples_of, split
from foxnn.data.streams import Stream, gives_batches, stream_of

if TYPE_CHECKING:
    from foxnn.data.mapped import MappedArrays
    from foxnn.data.samples import Arrays
    from foxnn.metrics import Metric
    from foxnn.network import NeuralNetwork

#: What can be gone through, to train on or to evaluate.
Data: TypeAlias = "Arrays | MappedArrays | Stream"


@dataclass
class Plan:
    """What `fit` was asked to do, all checked."""

    data: Epochs | Stream
    epochs: int
    optimizer: optimizers.Optimizer
    validation: Data | None
    metrics: list[Metric]
    callbacks: list[Callback]
    scale: float | None
    offset: float | None
    goes_on: bool  # whether learning-rate schedules go on from the optimizer's steps
    trained_on: str | None  # what `foxnn.data.reading` makes of the inputs; None: streams learn it batch by batch

    @classmethod
    def checked(
        cls,
        network: NeuralNetwork,
        X: Any,
        y: Any,
        *,
        epochs: int = 10,
        batch_size: int | None = None,
        optimizer: optimizers.Optimizer,
        validation_data: Any = None,
        validation_split: float = 0.0,
        sample_weight: Any = None,
        class_weight: Any = None,
        shuffle: bool = True,
        callbacks: Iterable[Callback] = (),
        metrics: Any = (),
        verbose: bool | int | str = "auto",
        steps_per_epoch: int | None = None,
        scale: float | None = None,
        offset: float | None = None,
        goes_on: bool = False,
    ) -> Plan:
        """Check every argument of `fit` before anything changes."""
        epochs = integer("epochs", epochs, 1)
        optimizer.check_dtype(network.dtype)
        shuffle = flag("shuffle", shuffle)
        share = real("validation_split", validation_split, 0, 1)
        if validation_data is not None and share:
            raise ValueError("validation_split: got a share besides validation_data; it takes one of the two")
        reading = Reading(network, scale, offset)
        trained_on: str | None = None
        data: Epochs | Stream
        validation: Data | None = None
        if y is None:
            stream = stream_of(network, X, shuffle=shuffle, steps=steps_per_epoch, class_weight=class_weight,
                               reading=reading)  # fmt: skip
            _check_stream(stream, epochs, batch_size=batch_size, sample_weight=sample_weight,
                          validation_split=share or None)  # fmt: skip
            data = stream
        else:
            if steps_per_epoch is not None:
                raise ValueError(f"steps_per_epoch: got {steps_per_epoch!r} with arrays, whose length is known")
            arrays = samples_of(network, X, y, sample_weight, class_weight, reading=reading)
            trained_on = reading.kind_of(arrays.inputs)
            pool = None
            if share:
                pool, held_out = split(network.seed, len(arrays), share)
                validation = arrays.take(held_out)
            size = integer("batch_size", 32 if batch_size is None else batch_size, 1, MOST)
            network._check_batch("batch_size", size)
            data = Epochs(arrays, pool, size, shuffle)
        if validation_data is not None:
            validation = _validation(network, validation_data, Reading(network, scale, offset, trained_on or ""))
            if isinstance(data, Stream) and not isinstance(validation, Stream):
                reading.beside = reading.kind_of(validation.inputs)
        chosen = checked_metrics(network, metrics, data.whole if validation is None else validation)
        if chosen and validation is None and isinstance(data, Stream) and not data.again:
            raise ValueError("metrics: got some with an iterator, which can be gone through only once; they take "
                             "validation_data")  # fmt: skip
        return cls(
            data=data,
            epochs=epochs,
            optimizer=optimizer,
            validation=validation,
            metrics=chosen,
            callbacks=_checked_callbacks(callbacks, verbose),
            scale=network.scale if scale is None else float(scale),
            offset=network.offset if offset is None else float(offset),
            goes_on=goes_on,
            trained_on=trained_on,
        )


def _check_stream(stream: Stream, epochs: int, **unwanted: Any) -> None:
    """Refuse what makes no sense with batches that come as they are."""
    for name, value in unwanted.items():
        if value is not None:
            raise ValueError(f"{name}: got {value!r}, but X gives batches as they are; leave it out")
    if not stream.again and stream.steps is None and epochs > 1:
        raise ValueError(
            f"epochs: got {epochs} with an iterator, which can be gone through only once; it takes 1, or "
            "steps_per_epoch, or a function that returns a new iterator"
        )


def checked_metrics(network: NeuralNetwork, metrics: Any, data: Data) -> list[Metric]:
    """Metrics as a user gives them, if they make sense for the data."""
    if not isinstance(metrics, str) and isinstance(metrics, Sized) and not len(metrics):
        return []
    from foxnn.metrics import get

    chosen = get(metrics)
    data.check_metrics(network, chosen)
    return chosen


def _checked_callbacks(callbacks: Any, verbose: bool | int | str) -> list[Callback]:
    from foxnn.callbacks.progress_bar import ProgressBar, is_wanted

    if not isinstance(callbacks, Iterable):
        raise TypeError(f"callbacks: got {callbacks!r}; it takes a list of foxnn.callbacks.Callback")
    chosen = list(callbacks)
    for callback in chosen:
        if not isinstance(callback, Callback):
            raise TypeError(f"callbacks: got {callback!r}; it takes objects of foxnn.callbacks.Callback")
        integer(f"every of {type(callback).__name__}", callback.every, 0)
    if is_wanted(verbose) and not any(isinstance(callback, ProgressBar) for callback in chosen):
        chosen.append(ProgressBar())
    return chosen


def _validation(network: NeuralNetwork, data: Any, reading: Reading) -> Data:
    name = "validation_data"
    is_batches = isinstance(data, list) and all(isinstance(item, tuple) for item in data)
    if is_batches or not isinstance(data, (tuple, list)):
        if is_batches or gives_batches(data):
            stream = stream_of(network, data, name=name, reading=reading)
            if stream.again:
                return stream
        raise ValueError(
            f"{name}: got {type(data).__name__}; it takes (X_val, y_val), (X_val, y_val, sample_weight), or a "
            "sequence, an iterable or a function that gives such batches every time anew"
        )
    if len(data) not in (2, 3):
        raise ValueError(f"{name}: got {len(data)} parts; it takes (X_val, y_val) or (X_val, y_val, sample_weight)")
    X, y, weight = data if len(data) == 3 else (*data, None)
    names = (f"{name} X", f"{name} y", f"{name} sample_weight")
    return samples_of(network, X, y, weight, reading=reading, names=names)


def data_of(
    network: NeuralNetwork, X: Any, y: Any, sample_weight: Any, scale: float | None, offset: float | None
) -> Data:
    """Samples to evaluate, in arrays or from what gives batches."""
    if y is not None:
        return samples_of(network, X, y, sample_weight, reading=Reading(network, scale, offset))
    if sample_weight is not None:
        raise ValueError("sample_weight: got weights without y; they belong into the batches that X gives")
    return stream_of(network, X, reading=Reading(network, scale, offset))
