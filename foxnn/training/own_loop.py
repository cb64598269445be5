"""A training loop of one's own: forward, backward and the optimizer's step; and what gradients tell besides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from foxnn import _core
from foxnn._arguments import pointing
from foxnn._arrays import _as_numbers, as_inputs
from foxnn._options import flag
from foxnn.data.reading import Reading
from foxnn.errors import DivergenceError
from foxnn.layers.all_parameters import Gradients
from foxnn.layers.layer import checked_parameters

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

Array = npt.NDArray[Any]

#: Rows that go through the network together where all of its layers' outputs have to be kept.
_BLOCK_ROWS = 2048


class _Forward(NamedTuple):
    """The forward pass that `backward` goes on from."""

    core: Any
    trainer: Any
    rows: int
    reading: float  # what inputs were multiplied by


class OwnLoop:
    """Forward, backward and update by hand; part of `NeuralNetwork`."""

    _forward: _Forward | None = None

    def forward(self, X: Any, *, training: bool = True) -> Array:
        """Outputs for the inputs X, keeping what `backward` needs.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_in)
            As for `predict`.
        training : bool, default True
            As in training: with dropout and noise as they are set; the same units are dropped until a step of an
            optimizer has been made. Batch normalisation uses the batch's moments, and its running ones follow. False:
            as in prediction.

        Returns
        -------
        ndarray of shape (n_samples, n_out)
            Of shape (n_out,) if one sample was given as (n_in,).

        Raises
        ------
        ValueError, TypeError
            As for `predict`.
        RuntimeError
            If the network is being trained by another thread.

        Examples
        --------
        Half the squared error by hand:

        >>> import foxnn
        >>> nn = foxnn.neural_network([1, 1], output="linear", init="zeros")
        >>> nn.optimizer = foxnn.optimizers.SGD(0.5)
        >>> y = nn.forward([[1.0]])
        >>> gradients = nn.backward(y - [[2.0]])
        >>> nn.apply_gradients(gradients)
        >>> nn.predict([[1.0]]).item()
        2.0
        """
        network, training = _network(self), flag("training", training)
        with network._exclusively():
            inputs, scale, samples = self._inputs(X)
            if training:
                Reading(network).learn(inputs, unless_known=True)
                network._check_batch("X", len(inputs))
            last = self._forward
            trainer = network._plain_trainer() if last is None or last.core is not network._core else last.trainer
            y = network._forward_batch(trainer, samples, None, 0, len(inputs), training)
            self._forward = _Forward(network._core, trainer, len(inputs), scale)
        return cast("Array", y[0]) if network.sizes[0] > 1 and np.ndim(X) == 1 else y

    def backward(self, d_output: Any, *, input_gradient: bool = False) -> Any:
        """Gradients of whatever has the gradient `d_output` with respect to the outputs of the latest `forward`.

        Nothing is changed; several gradients may be had from one `forward`, until weights change.

        Parameters
        ----------
        d_output : array-like of shape (n_samples, n_out)
            As many rows as `forward` was given. Gradients are summed over the rows: for a mean loss, divide by their
            number.
        input_gradient : bool, default False
            Whether to return the gradient with respect to the inputs as well.

        Returns
        -------
        gradients : list of (ndarray of shape (n_in, n_out), ndarray of shape (n_out,))
            For each layer, with respect to its weights and its biases, and then, if it has a normalisation, to its
            gamma and beta; zero for layers that are not `trainable`.
        d_input : ndarray of shape (n_samples, n_in)
            Only with `input_gradient`.

        Raises
        ------
        ValueError, TypeError
            If `d_output` has another shape, or is not made of finite numbers.
        RuntimeError
            If there was no `forward`, or the network has changed since.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([1, 1], output="linear", init=[[[3.0]]])
        >>> y = nn.forward([[5.0]])
        >>> [(weights, bias)], d_input = nn.backward([[1.0]], input_gradient=True)
        >>> weights.item(), bias.item(), d_input.item()
        (5.0, 1.0, 3.0)
        """
        network, input_gradient = _network(self), flag("input_gradient", input_gradient)
        kept = self._forward
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

    def apply_gradients(self, gradients: Sequence[tuple[Any, ...]]) -> None:
        """One step of `optimizer` on given gradients.

        Parameters
        ----------
        gradients : sequence of (array-like of shape (n_in, n_out), array-like of shape (n_out,))
            For each layer those of its weights and biases, as `backward` and `loss_and_gradients` return them.
            Layers that are not `trainable` stay as they are. They are used as they are but for the optimizer's
            clipping: the penalties `l1` and `l2` are in those of `loss_and_gradients` already, and not in those of
            `backward`.

        Raises
        ------
        ValueError, TypeError
            If a shape does not fit or a gradient is not finite; nothing has changed then.
        DivergenceError
            If a weight would no longer be finite; it keeps its last finite value.
        RuntimeError
            If the network is being trained by another thread.

        Examples
        --------
        Adding up the gradients of two halves of a batch:

        >>> import foxnn
        >>> nn = foxnn.neural_network([1, 1], output="linear", init="zeros")
        >>> nn.optimizer = foxnn.optimizers.SGD(0.5)
        >>> _, first = nn.loss_and_gradients([[1.0]], [2.0])
        >>> _, second = nn.loss_and_gradients([[1.0]], [4.0])
        >>> nn.apply_gradients([(w + v, b + c) for (w, b), (v, c) in zip(first, second)])
        >>> nn.layers[0].weights.item(), nn.layers[0].bias.item()
        (3.0, 3.0)
        """
        from foxnn.training.steps import check_step, rate_of_step

        network = _network(self)
        with network._exclusively():
            checked = _checked_gradients(gradients, network)
            state = network._get_optimizer_state()
            outcome = network._plain_trainer().apply(
                network._core, checked, state, rate_of_step(network, state), network.n_threads or 0
            )
            check_step(network, outcome, state)
            network.epoch += 1  # the next batch drops other units

    @pointing
    def input_gradients(self, X: Any, y: Any, sample_weight: Any = None) -> Array:
        """Gradient of the loss of these samples as one batch, with respect to their inputs.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_in)
            The loss is a mean over the samples, so one sample's row is its own loss's gradient times its share of the
            weights.

        Raises
        ------
        ValueError, TypeError
            As for `fit`.
        DivergenceError
            If the loss is not finite.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 1], output="linear", init=[[[3.0], [1.0]]])
        >>> nn.input_gradients([[1.0, 0.0]], [2.0])
        array([[3., 1.]], dtype=float32)
        """
        network = _network(self)._as_it_is()
        network._check_scaled()
        inputs = as_inputs(X, network.sizes[0], dtype=network._dtype)
        samples, _ = network._samples(inputs, y, sample_weight)
        _, d_input = network._loss_and_gradients(samples, parameters=False, inputs=True)
        scale, _ = Reading(network).factors(inputs)
        return cast("Array", d_input if scale == 1 else d_input * network.dtype.type(scale))

    @pointing
    def jacobian(self, X: Any) -> Array:
        """Derivatives of every output with respect to every input, as in prediction.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_in)
            As for `predict`.

        Returns
        -------
        ndarray of shape (n_samples, n_out, n_in)
            ``[i, j, k]``: of output j with respect to input k, at sample i. Of shape (n_out, n_in) if one sample was
            given as (n_in,).

        Raises
        ------
        ValueError, TypeError
            As for `predict`.

        Notes
        -----
        By reverse accumulation, all outputs of some samples at once; it takes about three times the operations of
        `predict` for ``n_samples * n_out`` rows.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 3], output="linear", init=[[[1, 2, 3], [4, 5, 6]]])
        >>> nn.jacobian([0, 0])
        array([[1., 4.],
               [2., 5.],
               [3., 6.]], dtype=float32)
        """
        network = _network(self)._as_it_is()
        n_in, n_out = network.sizes[0], network.sizes[-1]
        inputs, scale, samples = network._inputs(X)
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

    @pointing
    def layer_outputs(self, X: Any) -> list[Array]:
        """Outputs of every layer, as in prediction.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_in)
            As for `predict`.

        Returns
        -------
        list of ndarray of shape (n_samples, n_out of the layer)
            After each layer's activation, from the first layer to the last.

        Raises
        ------
        ValueError, TypeError
            As for `predict`.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 2, 1], "relu", "linear", init=[[[1, 2], [0, -9]], [[1], [1]]])
        >>> hidden, output = nn.layer_outputs([[1, 1]])
        >>> hidden, output
        (array([[1., 0.]], dtype=float32), array([[1.]], dtype=float32))
        """
        network = _network(self)._as_it_is()
        inputs, _, samples = network._inputs(X)
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

    # ---- how it is done -------------------------------------------------------------------------------------

    def _inputs(self, X: Any) -> tuple[Array, float, Any]:
        """Checked inputs, what they are multiplied by, and both as the core's Samples."""
        network = _network(self)
        network._check_scaled()
        inputs = as_inputs(X, network.sizes[0], dtype=network._dtype)
        scale, offset = Reading(network).of(inputs)
        return inputs, scale, _core.Samples(inputs, None, None, None, scale, offset, "")

    def _plain_trainer(self) -> Any:
        """A trainer of the core without a loss: it works forward and backward when asked."""
        network = _network(self)
        return network._trainer_type(network._core, "", [])

    def _forward_batch(
        self, trainer: Any, samples: Any, order: npt.NDArray[np.int64] | None, begin: int, end: int, training: bool
    ) -> Array:
        network = _network(self)
        epoch = network.epoch % 2**32
        return cast("Array", trainer.forward_batch(
            network._core, samples, order, begin, end, training, network.n_threads or 0, network.seed, epoch
        ))  # fmt: skip

    def _loss_and_gradients(self, samples: Any, *, parameters: bool = True, inputs: bool = False) -> tuple[float, Any]:
        """The loss of samples as one batch, and its gradients: of the parameters, of the inputs, or both."""
        network = _network(self)
        view = network._as_it_is()
        trainer = view._get_trainer()
        # Kept for the next call, if neither layers nor loss have been changed by another thread meanwhile.
        if network._core is view._core and network._loss is view._loss and network._activations is view._activations:
            network._trainer = trainer
        loss, weight, gradients = trainer.gradients(
            view._core, samples, network.l1, network.l2, False, network.n_threads or 0, parameters, inputs
        )
        if weight == 0:
            raise DivergenceError("the loss of these samples is not finite, so it has no gradient")
        return float(loss / weight), gradients


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
        network._forward_batch(trainer, samples, rows, begin, end, False)
        return take(network, trainer, begin, end)

    if len(rows) <= most and forward(network, network._plain_trainer(), 0):
        return
    network = network._snapshot()
    trainer = network._plain_trainer()
    for begin in range(0, len(rows), most):
        forward(network, trainer, begin)


def _outputs_gradient(value: Any, rows: int, network: NeuralNetwork) -> Array:
    array = _as_numbers(value, "d_output")
    n_out = network.sizes[-1]
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


def _network(part: OwnLoop) -> NeuralNetwork:
    return cast("NeuralNetwork", part)
