"""A training loop of one's own: forward, backward and the optimizer's step; and what gradients tell besides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from foxnn import _core
from foxnn._arrays import _as_numbers, as_inputs
from foxnn._options import flag
from foxnn.data.reading import Reading
from foxnn.data.scaling import check_fitted
from foxnn.errors import DivergenceError
from foxnn.layers.all_parameters import Gradients, set_vector
from foxnn.layers.layer import check_layers, checked_parameters
from foxnn.training.steps import check_step, rate_of_step

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

Array = npt.NDArray[Any]

#: Rows that go through the network together where all of its layers' outputs have to be kept.
_BLOCK_ROWS = 2048


class Forward(NamedTuple):
    """The forward pass that `backward` goes on from."""

    core: Any
    trainer: Any
    rows: int
    reading: float  # what inputs were multiplied by


def forward(network: NeuralNetwork, X: Any, *, training: bool = True) -> Array:
    """See `NeuralNetwork.forward`."""
    training = flag("training", training)
    with network._exclusively():
        inputs, scale, samples = _inputs(network, X)
        if training:
            Reading(network).learn(inputs, unless_known=True)
            network._check_batch("X", len(inputs))
        last = network._forward
        trainer = _plain_trainer(network) if last is None or last.core is not network._core else last.trainer
        y = _forward_batch(network, trainer, samples, None, 0, len(inputs), "training" if training else "prediction")
        network._forward = Forward(network._core, trainer, len(inputs), scale)
    return cast("Array", y[0]) if network._n_in > 1 and np.ndim(X) == 1 else y


def backward(network: NeuralNetwork, d_output: Any, *, input_gradient: bool = False) -> Any:
    """See `NeuralNetwork.backward`."""
    input_gradient = flag("input_gradient", input_gradient)
    kept = network._forward
    if kept is None:
        raise RuntimeError("backward: there was no forward pass; call forward(X) first")
    d = _outputs_gradient(d_output, kept.rows, network)
    with network._exclusively():
        result = None
        if kept.core is network._core:
            result = kept.trainer.backward_batch(network._core, d, True, input_gradient, network.n_threads or 0)
    if result is None:
        raise RuntimeError("backward: the network has changed since the forward pass; call forward(X) again")
    if input_gradient and kept.reading != 1:
        result[1][...] *= kept.reading
    return result


def apply_gradients(network: NeuralNetwork, gradients: Sequence[tuple[Any, ...]]) -> None:
    """See `NeuralNetwork.apply_gradients`."""
    with network._exclusively():
        checked = _checked_gradients(gradients, network)
        state = network._get_optimizer_state()
        outcome = _plain_trainer(network).apply(
            network._core, checked, state, rate_of_step(network, state), network.n_threads or 0
        )
        check_step(network, outcome, state)
        network.epoch += 1  # the next batch drops other units


def input_gradients(network: NeuralNetwork, X: Any, y: Any, sample_weight: Any = None) -> Array:
    """See `NeuralNetwork.input_gradients`."""
    network = network._as_it_is()
    check_fitted(network)
    inputs = as_inputs(X, network._n_in, dtype=network._dtype)
    samples, _ = network._samples(inputs, y, sample_weight)
    _, d_input = loss_and_gradients(network, samples, parameters=False, inputs=True)
    scale, _ = Reading(network).factors(inputs)
    return cast("Array", d_input if scale == 1 else d_input * network.dtype.type(scale))


def jacobian(network: NeuralNetwork, X: Any) -> Array:
    """See `NeuralNetwork.jacobian`."""
    network = network._as_it_is()
    n_in, n_out = network._n_in, network._n_out
    inputs, scale, samples = _inputs(network, X)
    rows = np.repeat(np.arange(len(inputs)), n_out)  # each sample once for each output
    out = np.empty((len(rows), n_in), network.dtype)

    def backward(network: NeuralNetwork, trainer: Any, begin: int, end: int) -> bool:
        d = np.tile(np.eye(n_out, dtype=network.dtype), ((end - begin) // n_out, 1))
        part = trainer.backward_batch(network._core, d, False, True, network.n_threads or 0)
        if part is not None:
            out[begin:end] = part
        return part is not None

    _in_blocks(network, samples, rows, max(1, _BLOCK_ROWS // n_out) * n_out, backward)
    if scale != 1:
        out *= network.dtype.type(scale)
    single = n_in > 1 and np.ndim(X) == 1
    return out if single else out.reshape(len(inputs), n_out, n_in)


def layer_outputs(network: NeuralNetwork, X: Any) -> list[Array]:
    """See `NeuralNetwork.layer_outputs`."""
    network = network._as_it_is()
    inputs, _, samples = _inputs(network, X)
    outputs = [np.empty((len(inputs), layer.n_out), network.dtype) for layer in network.layers]

    def take(network: NeuralNetwork, trainer: Any, begin: int, end: int) -> bool:
        for index, output in enumerate(outputs):
            part = trainer.layer_output(network._core, index, end - begin)
            if part is None:
                return False
            output[begin:end] = part
        return True

    _in_blocks(network, samples, np.arange(len(inputs)), _BLOCK_ROWS, take)
    return outputs


def _inputs(network: NeuralNetwork, X: Any) -> tuple[Array, float, Any]:
    """Checked inputs, what they are multiplied by, and both as the core's Samples."""
    check_fitted(network)
    inputs = as_inputs(X, network._n_in, dtype=network._dtype)
    scale, offset = Reading(network).of(inputs)
    return inputs, scale, _core.Samples(inputs, None, None, None, scale, offset, "")


def _plain_trainer(network: NeuralNetwork) -> Any:
    """A trainer of the core without a loss: it works forward and backward when asked."""
    return network._trainer_type(network._core, "", [])


def _forward_batch(
    network: NeuralNetwork,
    trainer: Any,
    samples: Any,
    order: npt.NDArray[np.int64] | None,
    begin: int,
    end: int,
    purpose: Literal["training", "prediction"],
) -> Array:
    epoch = network.epoch % 2**32
    return cast("Array", trainer.forward_batch(
        network._core, samples, order, begin, end, purpose, network.n_threads or 0, network.seed, epoch
    ))  # fmt: skip


def loss_and_gradients(
    network: NeuralNetwork, samples: Any, *, parameters: bool = True, inputs: bool = False
) -> tuple[float, Any]:
    """The loss of samples as one batch, and its gradients: of the parameters, of the inputs, or both."""
    view = network._as_it_is()
    trainer = view._get_trainer()
    # Kept for the next call, if neither layers nor loss have been changed by another thread meanwhile.
    if network._core is view._core and network._loss is view._loss and network._configs is view._configs:
        network._trainer = trainer
    loss, weight, gradients = trainer.gradients(
        view._core, samples, network.l1, network.l2, False, network.n_threads or 0, parameters, inputs
    )
    if weight == 0:
        raise DivergenceError("the loss of these samples is not finite, so it has no gradient")
    return float(loss / weight), gradients


def loss_and_gradient(network: NeuralNetwork, parameters: Any, samples: Any) -> tuple[float, npt.NDArray[np.float64]]:
    """See `NeuralNetwork.loss_and_gradient`; of checked samples."""
    view = network._as_it_is()
    parameters = _as_numbers(parameters, "parameters")
    with np.errstate(over="ignore"):
        fits = bool(np.isfinite(parameters.astype(network.dtype)).all())
    if fits or not np.isfinite(parameters).all():  # what is not finite to begin with is refused
        set_vector(network, parameters)
        try:
            loss, gradients = loss_and_gradients(network, samples)
            check_layers(network, view)
            return loss, _flat(network, gradients)
        except DivergenceError:
            pass
    return np.inf, np.zeros(len(parameters))


def _flat(network: NeuralNetwork, gradients: Gradients) -> npt.NDArray[np.float64]:
    """Gradients of all layers as one vector, in the order of `parameters`."""
    parts = [
        part.ravel() for layer, pair in zip(network.layers, gradients, strict=True) if layer.trainable for part in pair
    ]
    return np.concatenate([np.empty(0), *parts])


def _in_blocks(
    network: NeuralNetwork,
    samples: Any,
    rows: npt.NDArray[np.int64],
    most: int,
    take: Callable[[NeuralNetwork, Any, int, int], bool],
) -> None:
    """Forward passes of rows, `most` at a time, each followed by take(network, trainer, begin, end) while it is kept.

    All of them with the same weights: if that takes several passes, or another thread has changed the network within
    the only one, of a copy.
    """

    def forward(network: NeuralNetwork, trainer: Any, begin: int) -> bool:
        end = min(begin + most, len(rows))
        _forward_batch(network, trainer, samples, rows, begin, end, "prediction")
        return take(network, trainer, begin, end)

    if len(rows) <= most and forward(network, _plain_trainer(network), 0):
        return
    network = network._snapshot()
    trainer = _plain_trainer(network)
    for begin in range(0, len(rows), most):
        forward(network, trainer, begin)


def _outputs_gradient(value: Any, rows: int, network: NeuralNetwork) -> Array:
    array = _as_numbers(value, "d_output")
    n_out = network._n_out
    if array.ndim == 1 and array.size == rows * n_out and 1 in (rows, n_out):
        array = array.reshape(rows, n_out)
    if array.shape != (rows, n_out):
        raise ValueError(
            f"d_output: got an array of shape {np.shape(value)}; it takes shape ({rows}, {n_out}), as the outputs"
        )
    return checked_parameters(array, (rows, n_out), "d_output", network.dtype)


def _checked_gradients(gradients: Any, network: NeuralNetwork) -> Gradients:
    layers = network.layers
    if not isinstance(gradients, Iterable):
        raise TypeError(f"gradients: got {gradients!r}; it takes a pair for each of the {len(layers)} layers")
    given = list(gradients)
    if len(given) != len(layers):
        raise ValueError(f"gradients: got {len(given)} of them; it takes a pair for each of the {len(layers)} layers")
    checked = []
    for i, (layer, arrays) in enumerate(zip(layers, given, strict=True)):
        names = layer.parameter_names
        if not isinstance(arrays, (tuple, list)) or len(arrays) != len(names):
            raise TypeError(
                f"gradients[{i}]: got {_kind(arrays)}; it takes gradients of {' and '.join(names)}, a tuple"
            )
        checked.append(tuple(
            checked_parameters(array, layer.parameter_shape(name), f"gradients[{i}] {name}", network.dtype)
            for name, array in zip(names, arrays, strict=True)
        ))  # fmt: skip
    return checked


def _kind(arrays: object) -> str:
    return f"{len(arrays)} arrays" if isinstance(arrays, (tuple, list)) else type(arrays).__name__
