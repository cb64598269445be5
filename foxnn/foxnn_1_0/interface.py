"""What FoxNN 1.0's networks could do: the names of its methods, on foxnn's core."""

from __future__ import annotations

import operator
import os
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from foxnn._options import MOST, integer
from foxnn.foxnn_1_0.data import as_row, one_train_data, train_data
from foxnn.foxnn_1_0.layer import NetworkLayer, mutate, shifted, stretched
from foxnn.foxnn_1_0.settings import Settings
from foxnn.layers.layer import Layer

if TYPE_CHECKING:
    from typing_extensions import Self

    from foxnn.network import NeuralNetwork


class Interface10:
    """The interface of FoxNN 1.0; part of `NeuralNetwork`."""

    settings: Settings

    @property
    def n_threads(self) -> int | None:
        """The most threads to use; None: as many as `foxnn.set_num_threads` allows."""
        return self.settings._n_threads

    @n_threads.setter
    def n_threads(self, value: int | None) -> None:
        self.settings._n_threads = None if value is None else integer("n_threads", value, 1, MOST)

    def __copy__(self) -> Self:
        return cast("Self", _network(self).copy())

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return cast("Self", _network(self).copy())

    # ---- layers ---------------------------------------------------------------------------------------------

    def next_layer(self, layer: Layer) -> None:
        """Append a copy of a layer.

        Parameters
        ----------
        layer : layer, or a layer of a network
            With as many inputs as the network has outputs.

        Raises
        ------
        ValueError, TypeError
            If it does not fit; nothing has changed then.
        RuntimeError
            If the network is being trained by another thread.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 3])
        >>> nn.next_layer(foxnn.layer([[1, 2, 3, 0.5]]))
        >>> nn.sizes
        [2, 3, 1]
        """
        if not isinstance(layer, Layer):
            raise TypeError(f"layer: got {layer!r}; it takes a foxnn.layer or a layer of a network")
        if layer.norm is not None:
            raise ValueError(f"layer: got one with {layer.norm}; it becomes the output, which has no normalisation")
        _network(self)._append_layer(layer.weights, layer.bias, layer.activation)

    def get_layer(self, i: int) -> NetworkLayer:
        """Layer number `i`, counted from 0: a view, with FoxNN 1.0's methods.

        Raises
        ------
        IndexError
            If there is no such layer.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 3, 1])
        >>> nn.get_layer(0).set_activation_function("tan_h")
        >>> nn.get_layer(0).get_name_activation_function()
        'tan_h'
        """
        network = _network(self)
        index, n = operator.index(i), len(network.layers)
        if not 0 <= index < n:
            raise IndexError(f"i: got {i!r}; this network has {n} layer{'s' * (n > 1)}, counted from 0")
        return NetworkLayer(network, index)

    def random_mutation(self, speed: float) -> None:
        """Add a random number, uniform in [-speed, speed), to every weight and bias.

        The numbers depend on the network's seed and on how many mutations came before, of this network and of those
        that `copy` made of it: a program gives the same result each time, and no two copies mutate alike.

        Parameters
        ----------
        speed : float

        Raises
        ------
        ValueError, TypeError
            If `speed` is not a finite number, or weights would not be finite; nothing has changed then.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 1], init="zeros", seed=0)
        >>> nn.random_mutation(0.5)
        >>> bool((abs(nn.layers[0].weights) <= 0.5).all())
        True
        """
        mutate(_network(self), shifted, speed)

    def smart_mutation(self, speed: float) -> None:
        """Replace every weight and bias w by a random number, uniform in [w - |w speed|, w + |w speed|).

        Parameters
        ----------
        speed : float
            0 changes nothing.

        Raises
        ------
        ValueError, TypeError
            As for `random_mutation`.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 1], init=4.0, seed=0)
        >>> nn.smart_mutation(0.25)
        >>> bool((abs(nn.layers[0].weights - 4) <= 1).all())
        True
        """
        mutate(_network(self), stretched, speed)

    # ---- outputs --------------------------------------------------------------------------------------------

    def get_out(self, input: Any) -> list[float]:
        """Outputs for one input, hardened if the settings say so.

        Parameters
        ----------
        input : list of float, or one_train_data

        Returns
        -------
        list of float
            With ``settings.max_on_last_layer`` 1 for the first maximum and 0 for the others; else with
            ``settings.one_if_value_greater_intermediate_value`` 1 from ``settings.intermediate_value`` on, 0 below.

        Raises
        ------
        ValueError, TypeError
            If `input` is not a list of as many finite numbers as the network has inputs.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 3], init=[[[1, 2, 3], [0, 0, 0]]])
        >>> nn.settings.max_on_last_layer = 1
        >>> nn.get_out([1, 0])
        [0.0, 0.0, 1.0]
        """
        network = _network(self)
        values = input.input if isinstance(input, one_train_data) else input
        with np.errstate(over="ignore"):
            row = as_row(values, "input", network._n_in).astype(network.dtype)
        return cast("list[float]", self._hardened(network.predict(row))[0].tolist())

    def _hardened(self, outputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Rows of outputs as the settings want them."""
        settings = self.settings
        if settings.max_on_last_layer:
            hard = np.zeros_like(outputs)
            hard[np.arange(len(outputs)), outputs.argmax(axis=1)] = 1
            return hard
        if settings.one_if_value_greater_intermediate_value:
            return (outputs >= settings.intermediate_value).astype(outputs.dtype)
        return outputs

    def testing(self, data: train_data) -> float:
        """Print and return how far outputs are from their targets.

        Printed are ``error = .. n_true = k/N``: k of N rows have every output within ``settings.min_error`` of its
        target. Outputs are hardened as by `get_out`.

        Parameters
        ----------
        data : train_data

        Returns
        -------
        float
            The mean over rows of the sum over outputs of |output - target|.

        Raises
        ------
        ValueError, TypeError
            If the data is empty or its rows do not fit the network.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([1, 1], output="linear", init=[[[2]]])
        >>> data = foxnn.train_data()
        >>> data.add_data([[1], [2]], [[2], [5]])
        >>> nn.testing(data)
        error = 5.000000000000000e-01 n_true = 1/2
        0.5
        """
        from foxnn.foxnn_1_0.training import check_fits

        check_fits(_network(self), data, "data")
        return self._test(data.inputs, data.outputs)

    def _test(self, inputs: npt.NDArray[Any], targets: npt.NDArray[Any]) -> float:
        distances = np.abs(self._hardened(_network(self).predict(inputs)).astype(np.float64) - targets)
        error = float(distances.sum() / len(targets))
        n_true = int((distances <= self.settings.min_error).all(axis=1).sum())
        print(f"error = {error:.15e} n_true = {n_true}/{len(targets)}")
        return error

    # ---- training -------------------------------------------------------------------------------------------

    def train(self, data_for_train: train_data, speed: float, max_iteration: int, size_train_batch: int = 1) -> None:
        """Train on mini-batches, in the mode that `settings` say.

        The gradient is the sum over the mini-batch, not the mean as in `fit`. The rows are shuffled for each pass
        over them with the network's seed, and the data stays as it is; a pass leaves out the rows that do not fill a
        mini-batch. With ``settings.n_print`` > 0, ``settings.part_for_test`` of the rows are held out: `testing` runs
        on them every `n_print` iterations, and they are never trained on.

        Parameters
        ----------
        data_for_train : train_data
        speed : float >= 0
            The learning rate.
        max_iteration : int
            Number of mini-batches.
        size_train_batch : int, default 1
            Rows in a mini-batch; 0 or more than there are: all.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit; nothing has changed then.
        DivergenceError
            If the loss or a weight is no longer finite; the network keeps its last finite weights.
        RuntimeError
            If the network is being trained by another thread.
        KeyboardInterrupt
            On Ctrl-C, after a whole step; the network stays usable.

        Examples
        --------
        >>> import foxnn
        >>> data = foxnn.train_data()
        >>> data.add_data([[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]])
        >>> nn = foxnn.neural_network([2, 8, 1], seed=1)
        >>> nn.settings.set_mode("Adam")
        >>> nn.train(data, 0.05, 2000, 4)
        >>> [round(nn.get_out(row.input)[0]) for row in data]
        [0, 1, 1, 0]
        """
        from foxnn.foxnn_1_0.training import train

        train(_network(self), data_for_train, speed, max_iteration, size_train_batch)

    def train_on_file(
        self, name_file: str | os.PathLike[str], speed: float, max_iteration: int, size_train_batch: int = 1
    ) -> None:
        """Train on the data in a text file, as by `train`.

        Parameters
        ----------
        name_file : str or path-like
            As `train_data` takes and saves it.
        speed, max_iteration, size_train_batch
            As for `train`.

        Raises
        ------
        FileFormatError
            If the file is damaged or of another kind; the message says where.
        OSError
            If it cannot be read.
        ValueError, TypeError, DivergenceError, RuntimeError, KeyboardInterrupt
            As for `train`.

        Examples
        --------
        >>> import foxnn, tempfile, os
        >>> data = foxnn.train_data()
        >>> data.add_data([[0], [1]], [[1], [0]])
        >>> nn = foxnn.neural_network([1, 1])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     data.save(os.path.join(folder, "data.txt"))
        ...     nn.train_on_file(os.path.join(folder, "data.txt"), 0.1, 100)
        """
        self.train(train_data(name_file), speed, max_iteration, size_train_batch)

    def print_info(self) -> None:
        """Print the layers and the settings.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.neural_network([2, 3, 1]).print_info()
        layer 0 n_in = 2 n_out = 3 activation_function = sigmoid
        layer 1 n_in = 3 n_out = 1 activation_function = sigmoid
        settings:
        ...
        """
        for i in range(len(_network(self).layers)):
            self.get_layer(i).print(i)
        self.settings.print_settings()


def _network(part: Interface10) -> NeuralNetwork:
    return cast("NeuralNetwork", part)
