"""The network: a stack of dense layers that learns."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
import numpy.typing as npt

from foxnn import _core, familiar, optimizers
from foxnn._arguments import pointing
from foxnn._arrays import Targets, as_inputs, as_targets, as_weights
from foxnn._closed import Closed
from foxnn._options import flag, integer, real, seed_of, unknown
from foxnn.activations import Activation
from foxnn.callbacks.base import Callback
from foxnn.compatibility import check_output
from foxnn.data import scaling
from foxnn.data.reading import Reading
from foxnn.foxnn_1_0.interface import Interface10
from foxnn.foxnn_1_0.settings import Settings
from foxnn.history import History
from foxnn.initializers import known_init
from foxnn.io.endings import path_for
from foxnn.layers import all_parameters, regularisation, surgery
from foxnn.layers.all_parameters import Gradients
from foxnn.layers.dense import Dense
from foxnn.layers.kinds import read_list, with_activations
from foxnn.layers.layer import Layer, checked_parameters
from foxnn.layers.normalisation import BatchNorm, Norm
from foxnn.losses import CustomLoss, Loss
from foxnn.training import own_loop
from foxnn.training.steps import one_step
from foxnn.training.warnings import warn_of_flat_layers

if TYPE_CHECKING:
    from typing_extensions import Self

    from foxnn.io.c_export import RoundingError
    from foxnn.layers.config import LayerConfig
    from foxnn.layers.summary import Summary
    from foxnn.optimizers import Rate
    from foxnn.schedules import Schedule

_CORES = {"float32": (_core.NetworkF32, _core.TrainerF32, _core.OptimizerF32),
          "float64": (_core.NetworkF64, _core.TrainerF64, _core.OptimizerF64)}  # fmt: skip


class NeuralNetwork(Interface10, Closed):
    """A dense neural network (multilayer perceptron).

    ``foxnn.neural_network`` is another name of this class: ``foxnn.neural_network([784, 512, 512, 10])``.

    Parameters
    ----------
    sizes : sequence of int, Dense, Scale, BatchNorm or LayerNorm; or str or NeuralNetwork
        Number of inputs, and the layers: an integer is a dense layer of so many units, a `foxnn.Dense` one with
        settings of its own, which count before those given here; a `foxnn.BatchNorm` or `foxnn.LayerNorm` after a
        hidden one normalises what goes into its activation; `foxnn.Scale` multiplies each number by a factor. Or the
        name of a file to load, or a network to copy: of the other arguments these take only `only_scale`, `dtype`,
        `seed` and `n_threads`.
    activation : str, Activation, or a list of one for each hidden layer, default "sigmoid"
        See `foxnn.activations.names`. Without `output`, the list may have that of the last layer, too.
    output : str or Activation, optional
        Activation of the last layer. By default what `loss` goes with (softmax with cross-entropy, sigmoid with
        binary cross-entropy, exp with Poisson); else sigmoid if `activation` is the default, and linear if not.
    loss : str, Loss or callable, optional
        One of `foxnn.losses.names()`, or a function of targets and outputs: see `foxnn.losses.CustomLoss`. By default
        cross-entropy for a softmax output, else half the squared error (FoxNN 1.0's).
    init : str, float, or a list of arrays, optional
        How weights start: ``glorot_uniform``, ``glorot_normal``, ``he_uniform``, ``he_normal``, ``he_fan_max`` (normal,
        of variance 2 / max(n_in, n_out)), ``lecun_uniform``, ``lecun_normal``, ``orthogonal``, ``zeros``, ``foxnn``
        (uniform in [-1, 1), biases too), or another name for one of these (``xavier`` is ``glorot_uniform``, ``he`` and
        ``kaiming`` are ``he_normal``); a constant; or the weights themselves: for each layer an array (n_in, n_out)
        or a pair of it and a bias (n_out,). Biases start at zero. By default what suits each layer's activation.
    dropout : float or list of float in [0, 1), default 0
        Share of each hidden layer's outputs that training sets to zero (Srivastava et al. 2014).
    dtype : "float32" or "float64", optional
        By default float32, and float64 for a network from a text file.
    seed : int, optional
        Of everything random: the same seed and data give the same bits. By default a new one each time.
    n_threads : int, optional
        Exactly the most threads to use; by default as many as `foxnn.set_num_threads` allows.
    input_dropout : float in [0, 1), default 0
        Share of the inputs that training sets to zero.
    input_noise : float, default 0
        Standard deviation of the Gaussian noise that training adds to the inputs, as they are read (with `scale` and
        `offset`, and scaled); before `input_dropout`.
    l1, l2 : float, default 0
        Training minimises the loss plus the sum of ``l1 |w| + l2 w^2 / 2`` over all weights w; biases are not
        penalised. The losses that `fit` and `evaluate` report are without it.
    max_norm : float, or a list of float or None for each layer, optional
        The most that the Euclidean norm of the weights into one unit, a column of `Layer.weights`, may be: after each
        training step, longer ones are scaled down (Srivastava et al. 2014). One number is for all layers.
    scale_inputs : "standard" or "minmax", optional
        Inputs are scaled inside the network, column by column, to a mean of 0 and a standard deviation of 1, or to a
        range from 0 to 1. The first `fit` finds out how from the samples it trains on (or `fit_scaling` from others),
        and everything else takes and gives numbers as they are. Scaling is done in double precision.
    scale_outputs : "standard" or "minmax", optional
        The same for the targets of a regression: the loss is that of scaled targets and outputs; what `predict`
        returns is scaled back.

    Attributes
    ----------
    layers : tuple of Layer
    loss : Loss
    optimizer : Optimizer
        Used by `train_on_batch` and `partial_fit`; `fit` sets it.
    history : History
        Of the last `fit`.
    metadata : dict
        Anything of your own that JSON can hold; saved with the network.
    scale, offset : float or None
        How inputs are read: as ``x * scale + offset``. None: uint8 as ``x / 255``, anything else as it is; then there
        is a warning if a network that was trained on uint8 gets other numbers beyond 1, or the other way round.

    Raises
    ------
    ValueError, TypeError
        If an option does not exist or a value does not fit; the message lists what is taken.

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([2, 8, 1], activation="tanh", output="sigmoid", seed=0)
    >>> X = [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> history = nn.fit(X, [0, 1, 1, 0], epochs=300, batch_size=4, learning_rate=0.05)
    >>> nn.predict(X).round().ravel().tolist()
    [0.0, 1.0, 1.0, 0.0]
    """

    _elsewhere: ClassVar[Mapping[str, str]] = familiar.ELSEWHERE

    history: History
    scale: float | None
    offset: float | None
    metadata: dict[str, Any]
    stop_training: bool
    _rate: float  # learning rate of the last step
    _layers_made: int | None = None  # layers there have been so far; None: only those there are
    _forward: own_loop.Forward | None = None  # the latest, which `backward` goes on from
    _kinds: scaling.Kinds = (None, None)
    _scalings: scaling.Scalings = (None, None)
    _unfitted: bool = False  # whether a scaling is wanted that has not been fitted
    _input_dropout: float
    _input_noise: float
    _l1: float
    _l2: float

    def __init__(
        self,
        sizes: Sequence[int | Norm | LayerConfig] | str | os.PathLike[str] | NeuralNetwork,
        activation: Any = "sigmoid",
        output: str | Activation | None = None,
        loss: str | Loss | None = None,
        init: Any = None,
        dropout: float | Sequence[float] = 0.0,
        dtype: Any = None,
        seed: int | None = None,
        n_threads: int | None = None,
        only_scale: bool = False,
        *,
        input_dropout: float = 0.0,
        input_noise: float = 0.0,
        l1: float = 0.0,
        l2: float = 0.0,
        max_norm: float | Sequence[float | None] | None = None,
        scale_inputs: str | None = None,
        scale_outputs: str | None = None,
    ) -> None:
        if isinstance(sizes, (str, os.PathLike, NeuralNetwork)):
            from foxnn.io import load

            if isinstance(activation, bool):  # FoxNN 1.0: neural_network(name_file, only_scale)
                only_scale, activation = activation, "sigmoid"
            for name, value, default in (
                ("activation", activation, "sigmoid"),
                ("output", output, None),
                ("loss", loss, None),
                ("init", init, None),
                ("dropout", dropout, 0.0),
                ("input_dropout", input_dropout, 0.0),
                ("input_noise", input_noise, 0.0),
                ("l1", l1, 0.0),
                ("l2", l2, 0.0),
                ("max_norm", max_norm, None),
                ("scale_inputs", scale_inputs, None),
                ("scale_outputs", scale_outputs, None),
            ):
                if not (value is default or (isinstance(value, (str, int, float)) and value == default)):
                    raise ValueError(f"{name}: got {value!r}; a network that is loaded or copied has its own")
            if isinstance(sizes, NeuralNetwork):
                self.__dict__ = sizes.copy().__dict__
            else:
                self.__dict__ = load(sizes, only_scale=only_scale, dtype=dtype).__dict__
            if seed is not None:
                self.seed = seed
            if n_threads is not None:
                self.n_threads = n_threads
            return
        if only_scale:
            raise ValueError(f"only_scale: got {only_scale!r}; it is for networks that are loaded, not new ones")
        self.settings = Settings()
        shape, layers = read_list(sizes)
        self._dtype = self._checked_dtype("float32" if dtype is None else dtype)
        self._is_seeded = seed is not None
        self.seed = int.from_bytes(os.urandom(8), "little") >> 1 if seed is None else seed
        self.n_threads = n_threads
        chosen_loss = None if loss is None else Loss.of(loss)
        layers = with_activations(layers, activation, output, chosen_loss)
        layers = regularisation.with_regularisation(layers, dropout, max_norm, self.dtype)
        for layer in layers:
            layer.check_dtype(self._dtype)
        regularisation.set_all(self, input_dropout, input_noise, l1, l2)
        output_activation = getattr(layers[-1], "activation", None) or Activation("linear")
        default_loss = "cross_entropy" if output_activation == "softmax" else "half_squared_error"
        self._loss = chosen_loss or Loss(default_loss)
        kinds = scaling.checked_kind(scale_inputs, "scale_inputs"), scaling.checked_kind(scale_outputs, "scale_outputs")
        scaling.check_loss(self._loss, kinds[1])
        self._make_core(shape, layers)
        check_output(output_activation, self._n_out, self._loss)
        self._optimizer: optimizers.Optimizer = optimizers.Adam()
        self._loss.check_dtype(self._dtype)
        self.history = History()
        self.scale = self.offset = None
        self.metadata = {}
        self._epoch, self._rate = 0, 0.0
        self.stop_training = False
        self._initialize(init, layers)
        self.scale_inputs, self.scale_outputs = kinds

    # ---- construction ---------------------------------------------------------------------------------------

    @staticmethod
    def _checked_dtype(dtype: Any) -> str:
        try:
            name = str(np.dtype(dtype).name)
        except TypeError:
            name = str(dtype)
        if name not in _CORES:
            raise unknown("dtype", dtype, _CORES)
        return name

    def _make_core(self, shape: tuple[int, ...], layers: Sequence[LayerConfig]) -> None:
        network, self._trainer_type, self._optimizer_type = _CORES[self._dtype]
        self._core = network()
        for i, layer in enumerate(layers):
            self._core.insert(i, layer.kind, shape, layer.core_settings())
            self._core.layer(i).trainable = layer.trainable
            shape = self._core.layer(i).output_shape
        self._configs = tuple(layer.without_start() for layer in layers)
        self._shapes = _shapes_of(self._core, len(layers))
        self._trainer: Any = None  # made when first needed; made again when the layers change
        regularisation.apply_to_inputs(self)
        self._optimizer_state: Any = None
        self._optimizer_of_state: optimizers.Optimizer | None = None
        self._clips: tuple[float | None, float | None] = (None, None)  # as the optimizer's state has them
        self._last_rate: tuple[optimizers.Optimizer, Any, Any] | None = None  # whose it was in `fit`: given, and left
        self._training = _core.Exclusive()

    def _initialize(self, init: Any, layers: Sequence[LayerConfig]) -> None:
        """Give layers the parameters they start with: as they say themselves, or else as `init` says."""
        own = {i: layer.init for i, layer in enumerate(layers) if isinstance(layer, Dense) and layer.init is not None}
        dense = [i for i, layer in enumerate(layers) if isinstance(layer, Dense)]
        given: dict[int, Any]
        if init is None or isinstance(init, str):
            given = dict.fromkeys(range(len(layers)), init and known_init(init))
        elif not isinstance(init, Iterable):
            given = dict.fromkeys(dense, real("init", init))
        else:
            arrays = list(init)
            if len(arrays) != len(dense):
                raise ValueError(f"init: got {len(arrays)} arrays; it takes one for each of the {len(dense)} layers")
            given = dict(zip(dense, arrays, strict=True))
        for i, start in (given | own).items():
            if start is None or isinstance(start, str):
                if start == "zeros":  # as the core makes them
                    continue
                name = start or layers[i].default_init
                self._core.layer(i).initialize(name, self.seed, i, self.n_threads or 0)
            else:
                weights, bias = start if isinstance(start, tuple) and len(start) == 2 else (start, 0.0)
                shape = self._core.layer(i).parameters["weights"]
                names = f"init[{dense.index(i)}] weights", f"init[{dense.index(i)}] bias"
                weights = checked_parameters(weights, shape, names[0], self.dtype)
                bias = checked_parameters(bias, shape[1:], names[1], self.dtype)
                self._core.write([(i, "weights", weights), (i, "bias", bias)])

    def _set_activation(self, index: int, activation: Activation) -> None:
        is_last = index + 1 == len(self._configs)
        if activation.output_only and not is_last:
            raise ValueError(f"activation: got {activation.name!r} for a hidden layer; it works on outputs only")
        if is_last:
            check_output(activation, self._n_out, self._loss)
        activation.check_dtype(self.dtype)
        regularisation.change(self, "activation", {index: activation})

    def _append_layer(self, weights: Any, bias: Any, activation: Activation) -> None:
        """Append a layer, (n_in, n_out) and (n_out,); after an error nothing has changed."""
        n_in, n_out = weights.shape
        if n_in != self._n_out:
            raise ValueError(
                f"layer: got one of {n_in} inputs; it takes {self._n_out}, the number of outputs before it"
            )
        output = self.layers[-1].activation
        if output.output_only:
            raise ValueError(f"layer: got one to come after {output.name!r}, which works on outputs only")
        parameters = [
            checked_parameters(weights, (n_in, n_out), "layer weights", self.dtype),
            checked_parameters(bias, (n_out,), "layer bias", self.dtype),
        ]
        layer = Dense(n_out, activation, dropout=0.0)
        layer.check_dtype(self.dtype)
        with self._exclusively():
            core = self._core.copy()  # whoever is predicting goes on with the old one
            n = len(self._configs)
            core.insert(n, layer.kind, self._shapes[-1], layer.core_settings())
            core.write([(n, "weights", parameters[0]), (n, "bias", parameters[1])])
            self._replace_layers(core, n, n, [layer])

    def _replace_layers(self, core: Any, begin: int, end: int, new: Sequence[LayerConfig]) -> None:
        """Take over a core in which layers [begin, end) have been replaced by others."""
        configs = (*self._configs[:begin], *new, *self._configs[end:])
        shapes = _shapes_of(core, len(configs))
        changed: dict[str, Any] = {}
        if end == len(self._configs) or shapes[-1] != self._shapes[-1]:  # the outputs are others
            changed |= {
                "_scalings": (self._scalings[0], None),
                "_unfitted": self._unfitted or self._kinds[1] is not None,
            }
        changed |= {
            "_core": core,
            "_configs": configs,
            "_shapes": shapes,
            "_trainer": None,
            "_optimizer_state": None,
            "_optimizer_of_state": None,
        }
        self.__dict__.update(changed)  # at once: other threads and signals come before or after it

    # ---- what it is -----------------------------------------------------------------------------------------

    @property
    def sizes(self) -> list[Any]:
        """Number of inputs, and of outputs of each layer, a new list each time; with layers that are not dense, the
        shapes of these in place of the numbers."""
        if all(isinstance(layer, Dense) for layer in self._configs):
            return [math.prod(shape) for shape in self._shapes]
        return list(self._shapes)

    @property
    def _n_in(self) -> int:
        """How many numbers a sample of the inputs has."""
        return math.prod(self._shapes[0])

    @property
    def _n_out(self) -> int:
        """How many numbers a sample of the outputs has."""
        return math.prod(self._shapes[-1])

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, from the inputs on."""
        return tuple(Layer(self, i) for i in range(len(self._configs)))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Number type of weights and outputs."""
        return np.dtype(self._dtype)

    @property
    def seed(self) -> int:
        """What everything random is made of; assign another one for other numbers from then on."""
        return self._seed

    @seed.setter
    def seed(self, value: int) -> None:
        self._seed = seed_of(value)

    @property
    def epoch(self) -> int:
        """Epochs and single batches trained on so far; what is random in the next ones is made of it and `seed`."""
        return self._epoch

    @epoch.setter
    def epoch(self, value: int) -> None:
        self._epoch = integer("epoch", value, 0)

    @property
    def loss(self) -> Loss:
        """What training minimises; assign a name, a `Loss` or a function to change it."""
        return self._loss

    @loss.setter
    def loss(self, value: str | Loss) -> None:
        loss = Loss.of(value)
        scaling.check_loss(loss, self.scale_outputs)
        check_output(self.layers[-1].activation, self._n_out, loss)
        loss.check_dtype(self._dtype)
        self.__dict__.update(_loss=loss, _trainer=None)  # at once

    @property
    def optimizer(self) -> optimizers.Optimizer:
        """What `train_on_batch`, `partial_fit` and `apply_gradients` use, and what `fit` was last told to; assign one
        of `foxnn.optimizers`, or the name of one."""
        return self._optimizer

    @optimizer.setter
    def optimizer(self, value: str | optimizers.Optimizer) -> None:
        chosen = optimizers.get(value)
        chosen.check_dtype(self.dtype)
        self._optimizer = chosen

    @property
    def dropout(self) -> list[float]:
        """Share of each hidden layer's outputs that training drops; assign one rate for all or a list."""
        return regularisation.dropout_of(self)

    @dropout.setter
    def dropout(self, value: float | Sequence[float]) -> None:
        regularisation.set_dropout(self, value)

    @property
    def input_dropout(self) -> float:
        """Share of the inputs that training drops; assign another one to change it."""
        return self._input_dropout

    @input_dropout.setter
    def input_dropout(self, value: float) -> None:
        regularisation.set_input_dropout(self, value)

    @property
    def input_noise(self) -> float:
        """Standard deviation of the noise that training adds to the inputs; assign another one to change it."""
        return self._input_noise

    @input_noise.setter
    def input_noise(self, value: float) -> None:
        regularisation.set_input_noise(self, value)

    @property
    def l1(self) -> float:
        """Weight of the L1 penalty, ``l1 |w|`` for each weight; assign another one to change it."""
        return self._l1

    @l1.setter
    def l1(self, value: float) -> None:
        regularisation.set_l1(self, value)

    @property
    def l2(self) -> float:
        """Weight of the L2 penalty, ``l2 w^2 / 2`` for each weight; assign another one to change it."""
        return self._l2

    @l2.setter
    def l2(self, value: float) -> None:
        regularisation.set_l2(self, value)

    @property
    def max_norm(self) -> list[float | None]:
        """For each layer, the most that the norm of a unit's weights may be; assign one for all or a list."""
        return regularisation.max_norm_of(self)

    @max_norm.setter
    def max_norm(self, value: float | Sequence[float | None] | None) -> None:
        regularisation.set_max_norm(self, value)

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases, and of what normalisations learn."""
        return sum(layer.n_parameters for layer in self.layers)

    def __repr__(self) -> str:
        dense = [layer for layer in self._configs if isinstance(layer, Dense)]
        inner = ", ".join(str(layer.activation) for layer in dense)
        parts: list[Any] = [self._n_in]
        for layer in self._configs:
            parts += [layer.units, layer.norm][: 1 + (layer.norm is not None)] if isinstance(layer, Dense) else [layer]
        return f"neural_network({parts}, [{inner}], loss={self.loss.name!r}, dtype={self._dtype!r})"

    def summary(self) -> Summary:
        """The layers as a table: what comes out of each, its parameters, and what it does.

        Returns
        -------
        Summary
            Prints as the table, in notebooks too.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([4, foxnn.Dense(8, "relu", dropout=0.5), 3], output="softmax")
        >>> nn.layers[0].trainable = False
        >>> nn.summary()
        layer    output shape  parameters  activation
        inputs   (4,)
        0 dense  (8,)                  40  relu, dropout 0.5, frozen
        1 dense  (3,)                  27  softmax
        67 parameters of float32, 40 of them frozen
        """
        from foxnn.layers.summary import Summary

        return Summary(self)

    # ---- changing its layers --------------------------------------------------------------------------------

    @pointing
    def add(self, units: int | LayerConfig, activation: str | Activation | None = None, *, init: Any = None) -> None:
        """Append a layer: it becomes the output.

        Parameters
        ----------
        units : int, or a layer such as foxnn.Dense
            Number of its outputs, which become those of the network; or a layer with all its settings.
        activation : str or Activation
            See `foxnn.activations.names`. Not beside a layer, which has its own.
        init : str, float, or array, optional
            How its weights start, as for a new network: a name, a number, weights (n_in, units), or a pair of weights
            and bias. By default what suits the activation, drawn with the network's seed.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit, or the layer before works on outputs only (softmax); nothing has changed then.
        RuntimeError
            If the network is being trained by another thread.

        Notes
        -----
        The optimizer starts afresh.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([4, 8, 8], activation="relu", output="relu")
        >>> nn.add(3, "softmax")
        >>> nn.loss = "cross_entropy"
        >>> nn
        neural_network([4, 8, 8, 3], [relu, relu, softmax], loss='cross_entropy', dtype='float32')
        """
        self.insert(len(self.layers), units, activation, init=init)

    @pointing
    def insert(
        self,
        index: int,
        units: int | LayerConfig,
        activation: str | Activation | None = None,
        *,
        init: Any = None,
        dropout: float = 0.0,
    ) -> None:
        """Insert a layer before layer number `index`, whose number it takes.

        The layer that follows has other inputs then: its weights stay if there are as many as before, and start again
        if not, as in a new network; its bias then starts at zero.

        Parameters
        ----------
        index : int
            From 0 (before all others) to the number of layers (as by `add`).
        units : int, or a layer such as foxnn.Dense
            Number of its outputs; or a layer with all its settings.
        activation : str or Activation
            Any that is not for outputs only. Not beside a layer, which has its own.
        init
            As for `add`.
        dropout : float in [0, 1), default 0
            Share of its outputs that training drops, if it is not the last.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit; nothing has changed then.
        RuntimeError
            If the network is being trained by another thread.

        Notes
        -----
        The optimizer starts afresh.

        Examples
        --------
        A layer that changes nothing at first:

        >>> import foxnn, numpy as np
        >>> nn = foxnn.neural_network([4, 8, 3], activation="relu", output="softmax", seed=0)
        >>> before = nn.predict(np.ones((1, 4)))
        >>> nn.insert(1, 8, "relu", init=np.eye(8))
        >>> nn.sizes, bool((nn.predict(np.ones((1, 4))) == before).all())
        ([4, 8, 8, 3], True)
        """
        surgery.insert(self, index, units, activation, init=init, dropout=dropout)

    @pointing
    def remove(self, index: int) -> None:
        """Remove layer number `index`.

        The layer that follows has other inputs then, and starts again if there are not as many as before, as for
        `insert`. Without its last layer, a network has the outputs of the one before.

        Parameters
        ----------
        index : int
            Counted from 0, or from -1 for the last.

        Raises
        ------
        ValueError, TypeError
            If there is no such layer, or no other; nothing has changed then.
        RuntimeError
            If the network is being trained by another thread.

        Notes
        -----
        The optimizer starts afresh.

        Examples
        --------
        What the last hidden layer sees:

        >>> import foxnn
        >>> nn = foxnn.neural_network([784, 64, 16, 10], activation="relu", output="softmax")
        >>> nn.remove(-1)
        >>> nn
        neural_network([784, 64, 16], [relu, relu], loss='cross_entropy', dtype='float32')
        """
        surgery.remove(self, index)

    # ---- all its parameters ---------------------------------------------------------------------------------

    def get_weights(self) -> list[npt.NDArray[Any]]:
        """All parameters as a list of arrays: weights and bias of the first layer, of the second, ...

        A layer with a normalisation has gamma and beta after its bias, and with batch normalisation then the running
        mean and variance.

        Returns
        -------
        list of ndarray
            Read-only copies, of shapes (n_in, n_out), (n_out,), (n_in, n_out), ...

        Examples
        --------
        >>> import foxnn
        >>> [array.shape for array in foxnn.neural_network([2, 3, 1]).get_weights()]
        [(2, 3), (3,), (3, 1), (1,)]
        """
        return all_parameters.get_weights(self)

    @pointing
    def set_weights(self, weights: Iterable[Any]) -> None:
        """Take over a list of arrays as `get_weights` returns it.

        Parameters
        ----------
        weights : iterable of array-like

        Raises
        ------
        ValueError, TypeError
            If there are too few or too many of them, or one has another shape or is not finite; nothing has changed
            then.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 1])
        >>> nn.set_weights([[[1], [2]], [3]])
        >>> nn.layers[0].weights.ravel(), nn.layers[0].bias
        (array([1., 2.], dtype=float32), array([3.], dtype=float32))
        """
        all_parameters.set_weights(self, weights)

    @pointing
    def copy_weights(self, other: NeuralNetwork, layers: Iterable[int] | Mapping[int, int] | None = None) -> None:
        """Take over weights and biases from another network.

        Parameters
        ----------
        other : NeuralNetwork
            Of any number type.
        layers : iterable of int, or mapping of int to int, optional
            The layers to take over, counted from 0; or for each layer of this network that of the other one it is
            taken from. By default all of them.

        Raises
        ------
        ValueError, TypeError
            If a layer does not exist, or two differ in shape; nothing has changed then.

        Examples
        --------
        All but the output layer of a trained network, to go on from with another task:

        >>> import foxnn
        >>> old, new = foxnn.neural_network([4, 8, 8, 3]), foxnn.neural_network([4, 8, 8, 5])
        >>> new.copy_weights(old, layers=[0, 1])
        >>> bool((new.layers[1].weights == old.layers[1].weights).all())
        True
        """
        if not isinstance(other, NeuralNetwork):
            raise TypeError(f"other: got {other!r}; it takes a network")
        all_parameters.copy_weights(self, other, layers)

    @property
    def parameters(self) -> npt.NDArray[Any]:
        """All parameters that training may change, in one vector; assign another one to change them.

        Layer by layer, the weights (n_in, n_out) row by row, then the bias, then gamma and beta if it has a
        normalisation; layers that are not `trainable` are left out. It is read-only; ``nn.parameters += step`` assigns.

        Assigning a vector of another length, or with numbers that are not finite, raises ValueError and changes
        nothing.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 1], init=[([[1], [2]], [3])])
        >>> nn.parameters
        array([1., 2., 3.], dtype=float32)
        >>> nn.parameters = [4, 5, 6]
        >>> nn.layers[0].bias
        array([6.], dtype=float32)
        """
        return all_parameters.vector(self)

    @parameters.setter
    def parameters(self, value: Any) -> None:
        all_parameters.set_vector(self, value)

    def loss_and_gradient(
        self, parameters: Any, X: Any, y: Any, sample_weight: Any = None
    ) -> tuple[float, npt.NDArray[np.float64]]:
        """The loss of these samples as a function of all `parameters` in one vector, for optimizers such as SciPy's.

        Parameters
        ----------
        parameters : array-like of shape (n,)
            As the property `parameters`. The network takes them over.
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        loss : float
            Infinite if it is not finite, or if a parameter is more than the network's number type can hold (the
            network keeps those that it has then). Optimizers step back from there.
        gradient : ndarray of shape (n,) of float64
            Zero if the loss is infinite.

        Raises
        ------
        ValueError, TypeError
            As for `fit`, or if `parameters` is no vector of that length of finite numbers.

        Examples
        --------
        >>> import foxnn, numpy as np
        >>> from scipy.optimize import minimize
        >>> x = np.linspace(-1, 1, 50)
        >>> nn = foxnn.neural_network([1, 10, 1], "tanh", "linear", dtype="float64", seed=0)
        >>> result = minimize(nn.loss_and_gradient, nn.parameters, args=(x, x**2), jac=True, method="L-BFGS-B")
        >>> nn.parameters = result.x
        >>> nn.evaluate(x, x**2)["loss"] < 1e-5
        True
        """
        samples, _ = self._samples(X, y, sample_weight)
        return own_loop.loss_and_gradient(self, parameters, samples)

    # ---- scaling inside it ----------------------------------------------------------------------------------

    @property
    def scale_inputs(self) -> str | None:
        """How inputs are scaled: "standard", "minmax" or None; one that is assigned is fitted by the next `fit`."""
        return self._kinds[0]

    @scale_inputs.setter
    def scale_inputs(self, kind: str | None) -> None:
        scaling.set_scale_inputs(self, kind)

    @property
    def scale_outputs(self) -> str | None:
        """How targets and outputs are scaled, as `scale_inputs`; for losses whose targets may be any numbers."""
        return self._kinds[1]

    @scale_outputs.setter
    def scale_outputs(self, kind: str | None) -> None:
        scaling.set_scale_outputs(self, kind)

    @property
    def input_scaling(self) -> scaling.Scaling | None:
        """How inputs are scaled, if that has been fitted."""
        return self._scalings[0]

    @property
    def output_scaling(self) -> scaling.Scaling | None:
        """How targets are scaled, and outputs scaled back, if that has been fitted."""
        return self._scalings[1]

    @pointing
    def fit_scaling(self, X: Any, y: Any = None) -> Self:
        """Fit `scale_inputs` and `scale_outputs` to these samples.

        The first `fit` does that with the samples it trains on, and later ones leave it as it is; this is for fitting
        it to others, again, or before steps of one's own. What has been trained then means something else.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_in)
            As for `fit`, and read as `scale` and `offset` say.
        y : array-like of shape (n_samples, n_out)
            Needed if outputs are scaled.

        Returns
        -------
        NeuralNetwork
            The network itself.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit, or nothing is to be scaled; nothing has changed then.
        RuntimeError
            If the network is being trained by another thread.

        Notes
        -----
        The data is gone through once, in double precision, and not copied (Welford 1962; Chan, Golub and LeVeque
        1983). The result has the same bits for any number of threads.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 4, 1], "tanh", "linear", scale_inputs="minmax")
        >>> nn.fit_scaling([[0, 5], [10, 5]]).input_scaling
        Scaling(kind='minmax', shift=array([0., 5.]), spread=array([10.,  1.]))
        """
        scaling.fit_scaling(self, X, y)
        return self

    # ---- the way forward ------------------------------------------------------------------------------------

    def predict(self, X: Any, *, scale: float | None = None, offset: float | None = None) -> npt.NDArray[Any]:
        """Outputs for the inputs X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_in)
            Any real numbers. One sample may be given as (n_in,), and single inputs as (n_samples,). Of more dimensions,
            such as images of shape (n_samples, height, width), all but the first one's are a sample's.
            Or what gives batches of them, as for `fit` (a list is an array here), with or without targets.
        scale, offset : float, optional
            Inputs are read as ``X * scale + offset``; by default as the network was trained, with a warning if that is
            not how these are read: numbers beyond 1 after training on uint8, and the other way round.

        Returns
        -------
        ndarray of shape (n_samples, n_out)
            In the network's `dtype`; of shape (n_out,) if one sample was given as (n_in,).

        Raises
        ------
        ValueError
            If X is empty, has another width, or contains NaN or infinity.
        TypeError
            If X is not made of real numbers.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 2, 1], init=[[[0, 0], [1, 1]], [[0], [1]]])
        >>> nn.predict([[2, 3]]).round(4)
        array([[0.7216]], dtype=float32)
        """
        if self._unfitted:
            scaling.check_fitted(self)
        if scale is None and offset is None and self.scale is None and self.offset is None:
            out = self._core.predict_plain(X, self.settings._n_threads or 0)
            if out is not None:
                return out
        return self._predict_any(X, scale, offset)

    __call__ = predict

    def _predict_any(self, X: Any, scale: float | None, offset: float | None) -> npt.NDArray[Any]:
        """What `predict` returns for inputs that the core does not read as they are.

        Not in `predict` itself, since each call of a function with a comprehension makes cells for its variables.
        """
        reading = Reading(self, scale, offset)
        if isinstance(X, np.memmap) or not isinstance(X, (np.ndarray, list)):
            from foxnn.data.streams import input_batches

            batches = input_batches(self, X)
            if batches is not None:
                self = self._as_it_is()
                return np.concatenate([self._predict_rows(batch, reading) for batch in batches])
        self = self._as_it_is()
        out = self._predict_rows(X, reading)
        single = self._n_in > 1 and np.ndim(X) == 1
        return out[0] if single else out

    def _predict_rows(self, X: Any, reading: Reading) -> npt.NDArray[Any]:
        """Outputs (n, n_out) for inputs in an array, even for a single sample."""
        inputs = as_inputs(X, self._n_in, dtype=self._dtype)
        return self._core.predict(inputs, *reading.of(inputs), self.n_threads or 0)

    def _samples(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        names: tuple[str, str, str] = ("X", "y", "sample_weight"),
        *,
        trains: bool = False,
    ) -> tuple[Any, Targets]:
        """Checked data, for a step or for gradients, as the core's Samples, and its Targets."""
        scaling.check_fitted(self)
        inputs = as_inputs(X, self._n_in, names[0], self._dtype)
        targets = self._targets(y, len(inputs), names[1])
        weights = as_weights(sample_weight, len(inputs), names[2])
        reading = Reading(self)
        samples = targets.samples(inputs, weights, reading.of(inputs, names[0]))
        reading.learn(inputs, unless_known=not trains)
        return samples, targets

    def _targets(self, y: Any, n: int, name: str = "y") -> Targets:
        """Checked targets of n samples, for this network's loss."""
        if isinstance(self._loss, CustomLoss):
            from foxnn.training.custom_loss import given_targets

            return scaling.regression(self, given_targets(y, n, self._n_out, name))
        return scaling.regression(self, as_targets(y, n, self._n_out, self._loss, name, self._dtype))

    def _loss_sums(self, samples: Any) -> tuple[float, float, float]:
        """Loss, weight and number of correct answers, summed over samples."""
        n_threads = self.n_threads or 0
        if isinstance(self._loss, CustomLoss):
            return cast("tuple[float, float, float]", self._get_trainer().evaluate(samples, n_threads))
        return self._core.evaluate(samples, self._loss.name, list(self._loss.parameters.values()), n_threads)

    @pointing
    def evaluate(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        metrics: Any = (),
        scale: float | None = None,
        offset: float | None = None,
    ) -> dict[str, Any]:
        """Loss, accuracy if the targets are classes, and further metrics.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_in)
            Or what gives batches, as for `fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_out)
            As for `fit`.
        sample_weight : array-like of shape (n_samples,), optional
        metrics : iterable of str, Metric or callable, optional
            See `foxnn.metrics`.
        scale, offset : float, optional
            As for `predict`.

        Returns
        -------
        dict
            ``{"loss": ..., "accuracy": ...}`` and the metrics by their names; means over the weighted samples. With
            several outputs and one-hot or integer targets an answer is correct if the largest output is the right one;
            else if every output lies on the right side of one half.

        Raises
        ------
        ValueError, TypeError
            As for `fit`.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 3], output="softmax", init="zeros")
        >>> nn.evaluate([[0, 1], [1, 0]], [0, 2])
        {'loss': 1.098..., 'accuracy': 0.5}
        """
        from foxnn.training.loop import evaluate
        from foxnn.training.plan import checked_metrics, data_of

        network = self._as_it_is()
        scaling.check_fitted(network)
        data = data_of(network, X, y, sample_weight, scale=scale, offset=offset)
        return evaluate(network, data, checked_metrics(network, metrics, data))

    # ---- training -------------------------------------------------------------------------------------------

    @pointing
    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        epochs: int = 10,
        batch_size: int | None = None,
        optimizer: str | optimizers.Optimizer | None = None,
        learning_rate: float | Schedule | Callable[[int], float] | None = None,
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
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: float = 10.0,
        resume: bool = False,
    ) -> History:
        """Train for a number of epochs on shuffled mini-batches.

        What the optimizer remembers is kept from one `fit` to the next as long as it stays the same optimizer (its
        learning rate may change).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_in)
            Any real numbers, of any dtype and stride; uint8 and C-contiguous float32 and float64 are not copied. Of any
            shape with n_in numbers a sample, as for `predict`.
            Or, without y, what gives batches (X, y) or (X, y, sample_weight): a sequence of them (``len(batches)`` and
            ``batches[i]``), an iterable, a function that returns an iterator, or an iterator. See `foxnn.data.streams`.
        y : array-like of shape (n_samples,) or (n_samples, n_out)
            Classes 0, 1, .. as integers (for several outputs), or the values the outputs should have.
        epochs : int, default 10
        batch_size : int, optional
            By default 32. The last batch of an epoch may be smaller. Batches that are given have the size they have.
        optimizer : str or Optimizer, optional
            By default `nn.optimizer`: the one that was assigned to it or used last, "adam" at first. See
            `foxnn.optimizers.names`.
        learning_rate : float, Schedule or callable, optional
            Instead of the optimizer's own, in an optimizer like it. See `foxnn.schedules`; a callable gets the number
            of the epoch.
        validation_data : (X_val, y_val) or (X_val, y_val, sample_weight), or what gives batches of these, optional
            Evaluated after every epoch.
        validation_split : float in [0, 1), default 0
            Share of the samples, picked at random, to hold out and evaluate after every epoch.
        sample_weight : array-like of shape (n_samples,), optional
        class_weight : dict of int to float, or "balanced", optional
            Multiplies the weights of each class's samples; "balanced": all classes weigh the same together.
        shuffle : bool, default True
            Whether every epoch goes through the samples (or the batches of a sequence) in a new order.
        callbacks : iterable of Callback, optional
        metrics : iterable of str, Metric or callable, optional
            Taken of the validation data after every epoch (``val_f1``), or of the training data if there are none; see
            `foxnn.metrics`.
        verbose : bool or "auto", default "auto"
            Whether to show a progress bar; "auto": in terminals and notebooks.
        steps_per_epoch : int, optional
            After how many batches of an iterator or iterable an epoch ends; by default when there are no more.
        scale, offset : float, optional
            Inputs are read as ``X * scale + offset``, now and, since the network remembers them, later. By default
            uint8 is read as ``x / 255`` and everything else as it is.
        checkpoint : str or path-like, optional
            A file, ending in ``.safetensors``, in which the training is kept as it goes on, and when it is interrupted.
            See Notes.
        checkpoint_every : float, default 10
            After how many seconds to write it again; large networks take longer, so that writing takes at most 2 % of
            the time.
        resume : bool, default False
            Whether to go on with the training in `checkpoint`, if it is there.

        Returns
        -------
        History
            Loss and metrics of every epoch.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit, or X or y contain NaN or infinity; nothing has changed then.
        DivergenceError
            If the loss or a weight is no longer finite; the network keeps its last finite weights.
        RuntimeError
            If the network is being trained by another thread.
        KeyboardInterrupt
            On Ctrl-C, after a whole step; the network stays usable and `history` has the epochs that are complete.
        FileExistsError
            If `checkpoint` has a training that was interrupted, and `resume` is False.
        FileFormatError
            If `checkpoint` is damaged.

        Notes
        -----
        A script with ``nn.fit(..., checkpoint="run.safetensors", resume=True)`` may be stopped at any moment, by
        Ctrl-C, a signal or a power cut. Started again, it goes on from the last checkpoint and ends with the same bits
        as if it had not been stopped: weights, what the optimizer and callbacks remember, order of samples, random
        numbers and history (but for its seconds). It takes the same data and arguments, which is checked; the network
        may have another seed if it was not given one. When the training is complete, the file is that of the trained
        network, and ``fit`` with ``resume=True`` returns at once with what is in it. `foxnn.load` reads it as well.

        Examples
        --------
        >>> import foxnn, numpy as np
        >>> x = np.linspace(-1, 1, 20)
        >>> nn = foxnn.neural_network([1, 1], output="linear", seed=1)
        >>> history = nn.fit(x, 2 * x + 5, epochs=100, optimizer="sgd", learning_rate=0.5)
        >>> nn.layers[0].weights.round(3), nn.layers[0].bias.round(3)
        (array([[2.]], dtype=float32), array([5.], dtype=float32))
        """
        from foxnn.training.loop import train
        from foxnn.training.plan import Plan

        core, found = self._core, None
        resume = flag("resume", resume)
        if checkpoint is None:
            if resume:
                raise ValueError("resume: got True without a checkpoint to go on with; it takes checkpoint=FILE")
            if checkpoint_every != 10.0:
                raise ValueError(f"checkpoint_every: got {checkpoint_every!r} without a checkpoint=FILE to write")
            keeper = None
        else:
            from foxnn.training.checkpoint import Checkpoint

            keeper = Checkpoint(checkpoint, checkpoint_every)
            found = keeper.find(self, resume)
        chosen = optimizers.get(self.optimizer if optimizer is None else optimizer)
        if found is not None:
            chosen = found.as_begun(self, chosen)
        plan = Plan.checked(
            self if found is None else found.network,  # the seed of which may be another one
            X,
            y,
            epochs=epochs,
            batch_size=batch_size,
            optimizer=optimizers.get(chosen, learning_rate),
            validation_data=validation_data,
            validation_split=validation_split,
            sample_weight=sample_weight,
            class_weight=class_weight,
            shuffle=shuffle,
            callbacks=callbacks,
            metrics=metrics,
            verbose=verbose,
            steps_per_epoch=steps_per_epoch,
            scale=scale,
            offset=offset,
        )
        if keeper is not None:
            keeper.compare(self, plan, found)
        return train(self, core, plan, keeper, found)

    @pointing
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, *, batch_size: int = 32) -> Self:
        """Train for one epoch on these samples with `optimizer`, going on from where training was.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        batch_size : int, default 32

        Returns
        -------
        NeuralNetwork
            The network itself.

        Raises
        ------
        ValueError, TypeError, DivergenceError, RuntimeError
            As for `fit`.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 1], seed=0)
        >>> nn.partial_fit([[0, 1], [1, 0]], [0, 1]).epoch
        1
        """
        from foxnn.training.loop import train
        from foxnn.training.plan import Plan

        core = self._core
        plan = Plan.checked(self, X, y, epochs=1, batch_size=batch_size, optimizer=self.optimizer,
                            sample_weight=sample_weight, verbose=False, goes_on=True)  # fmt: skip
        train(self, core, plan)
        return self

    def train_on_batch(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """One step of `optimizer` on these samples as one batch.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        float
            The loss before the step.

        Raises
        ------
        ValueError, TypeError, DivergenceError, RuntimeError
            As for `fit`.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([1, 1], output="linear", init="zeros")
        >>> nn.optimizer = foxnn.optimizers.SGD(0.5)
        >>> nn.train_on_batch([[1.0]], [2.0]), nn.predict([[1.0]]).item()
        (2.0, 2.0)
        """
        with self._training.hold():  # as `with self._exclusively()`, without a call of a function
            loss, weight = one_step(self, X, y, sample_weight)
            self.__dict__["_epoch"] += 1  # the next batch drops other units; without `__setattr__`, which takes time
        return loss / weight

    @pointing
    def loss_and_gradients(self, X: Any, y: Any, sample_weight: Any = None) -> tuple[float, Gradients]:
        """The loss of these samples as one batch, and its gradient; nothing is changed.

        Nothing is dropped and no noise added. The penalties `l1` and `l2` are part of both. Batch normalisation uses
        the moments of these samples, as training does.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        loss : float
        gradients : list of (ndarray of shape (n_in, n_out), ndarray of shape (n_out,))
            For each layer, with respect to its weights and its biases, and then, if it has a normalisation, to its
            gamma and beta, of shape (n_out,) too; zero for layers that are not `trainable`.

        Raises
        ------
        ValueError, TypeError
            As for `fit`.
        DivergenceError
            If the loss is not finite.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([1, 1], output="linear", init="zeros")
        >>> loss, [(weights, bias)] = nn.loss_and_gradients([[3.0]], [2.0])
        >>> loss, weights.tolist(), bias.tolist()
        (2.0, [[-6.0]], [-2.0])
        """
        network = self._as_it_is()
        samples, _ = network._samples(X, y, sample_weight)
        return own_loop.loss_and_gradients(network, samples)

    # ---- training loops of one's own -----------------------------------------------------------------------

    def forward(self, X: Any, *, training: bool = True) -> npt.NDArray[Any]:
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
        return own_loop.forward(self, X, training=training)

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
        return own_loop.backward(self, d_output, input_gradient=input_gradient)

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
        own_loop.apply_gradients(self, gradients)

    @pointing
    def input_gradients(self, X: Any, y: Any, sample_weight: Any = None) -> npt.NDArray[Any]:
        """Gradient of the loss of these samples as one batch, with respect to their inputs.

        The loss is that of `loss_and_gradients`: without dropout and noise, batch normalisation with the moments of
        these samples.

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
        return own_loop.input_gradients(self, X, y, sample_weight)

    @pointing
    def jacobian(self, X: Any) -> npt.NDArray[Any]:
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
        return own_loop.jacobian(self, X)

    @pointing
    def layer_outputs(self, X: Any) -> list[npt.NDArray[Any]]:
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
        return own_loop.layer_outputs(self, X)

    # ---- what training works with ---------------------------------------------------------------------------

    def _get_trainer(self) -> Any:
        trainer = self._trainer
        if trainer is None:  # the first step with these layers and this loss
            check_output(self.layers[-1].activation, self._n_out, self._loss)  # layers may have been removed
            warn_of_flat_layers(self)
        if trainer is None or not trainer.trains(self._core):
            if isinstance(self._loss, CustomLoss):
                from foxnn.training.custom_loss import CustomTrainer

                trainer = CustomTrainer(self, self._loss)
            else:
                trainer = self._trainer_type(self._core, self.loss.name, list(self.loss.parameters.values()))
            self._trainer = trainer
        return trainer

    def _get_optimizer_state(self) -> Any:
        """What `optimizer` remembers: kept while it stays the same one, forgotten when another takes its place."""
        known = self._optimizer_of_state
        wanted = self._optimizer
        if known is not wanted:
            wanted.check_dtype(self.dtype)
            if type(known) is not type(wanted) or known.hyper != wanted.hyper:
                self._optimizer_state = self._optimizer_type(self._core, wanted.name, list(wanted.hyper.values()))
                self._clips = (None, None)
            self._optimizer_of_state = wanted
        clips = wanted.clip_value, wanted.clip_norm
        if clips != self._clips:
            wanted.check_dtype(self.dtype)
            self._optimizer_state.clip_value, self._optimizer_state.clip_norm = (clip or 0.0 for clip in clips)
            self._clips = clips
        return self._optimizer_state

    def _check_batch(self, name: str, rows: int) -> None:
        """Refuse batches that batch normalisation can make nothing of."""
        if rows == 1 and any(isinstance(layer.norm, BatchNorm) and layer.trainable for layer in self.layers):
            raise ValueError(f"{name}: got a batch of one sample; batch normalisation takes at least two, to compare")

    def _exclusively(self) -> _core.Hold:
        """For ``with``: one training at a time is let into a network, and another one raises instead of waiting."""
        return self._training.hold()

    def _as_it_is(self) -> Self:
        """The network of this moment: the same layers, whatever another thread adds or removes meanwhile."""
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)  # at once
        return view

    def _snapshot(self, *, folded: bool = False) -> Self:
        """The network of this moment with weights of its own, to be read; perhaps with batch normalisation in them."""
        twin = self._as_it_is()
        twin.__dict__.update(
            _core=twin._core.copy(folded), _trainer=None, _optimizer_state=None, _optimizer_of_state=None
        )
        return twin

    # ---- under the names that people know from other libraries ----------------------------------------------

    @property
    def learning_rate(self) -> float | Schedule:
        """That of `optimizer`, which all training uses; assign another one, also in a callback while `fit` runs.

        ``fit(learning_rate=...)`` takes another optimizer like it, with that rate.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([1, 1])
        >>> nn.learning_rate = 0.5
        >>> nn.optimizer
        Adam(learning_rate=0.5, beta1=0.9, beta2=0.999, epsilon=1e-08)
        """
        return self.optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Rate) -> None:
        familiar.set_learning_rate(self, value)

    def count_params(self) -> int:
        """`n_parameters`, as Keras calls it.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.neural_network([2, 3, 1]).count_params()
        13
        """
        return self.n_parameters

    @pointing
    def test_on_batch(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The loss of these samples; nothing is changed.

        Parameters
        ----------
        X, y, sample_weight
            As for `evaluate`, which has the accuracy and metrics as well.

        Returns
        -------
        float

        Raises
        ------
        ValueError, TypeError
            As for `evaluate`.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.neural_network([1, 1], output="linear", init="zeros").test_on_batch([[1.0]], [2.0])
        2.0
        """
        return float(self.evaluate(X, y, sample_weight)["loss"])

    @pointing
    def predict_proba(self, X: Any) -> npt.NDArray[Any]:
        """Probabilities of the classes, in columns as scikit-learn has them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_in)
            As for `predict`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            The outputs; of one output, which is the probability of class 1, that of class 0 and that of class 1.

        Raises
        ------
        ValueError, TypeError
            As for `predict`, or if outputs are no probabilities: not between 0 and 1.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.neural_network([2, 1], init="zeros").predict_proba([[1, 2]])
        array([[0.5, 0.5]], dtype=float32)
        """
        return familiar.predict_proba(self, X)

    # ---- files and copies -----------------------------------------------------------------------------------

    @pointing
    def save(self, path: str | os.PathLike[str], only_scale: bool = False, *, optimizer: bool = False) -> None:
        """Write the network to a file, which takes the place of an old one only when it is whole.

        Parameters
        ----------
        path : str or path-like
            Ending in ``.safetensors``: everything, exactly. In ``.txt``: the text format of FoxNN 1.0, in 17 digits,
            with a warning if it does not keep something, such as the loss.
        only_scale : bool, default False
            Write weights only, in text.
        optimizer : bool, default False
            Whether to write what the optimizer remembers too (of Adam twice the weights), so that the network read
            from the file trains on as this one would.

        Raises
        ------
        ValueError
            If the name ends in something else, or the text format cannot hold the network.
        OSError
            If the file cannot be written; an old one is as it was then.

        Examples
        --------
        >>> import foxnn, tempfile, os
        >>> nn = foxnn.neural_network([2, 3, 1])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     nn.save(os.path.join(folder, "net.safetensors"))
        """
        from foxnn.io import save

        save(self, path, only_scale=only_scale, optimizer=optimizer)

    @pointing
    def to_c(
        self,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        dtype: Any = None,
        weights: str = "float",
        samples: Any = None,
    ) -> RoundingError | None:
        """Write the network as C99, for microcontrollers and other programs.

        It defines ``void NAME_predict(const T *x, T *y)``, which reads inputs as `scale`, `offset` and `scale_inputs`
        say, allocates nothing and needs nothing but libm. On AVR the weights stay in flash.

        Parameters
        ----------
        path : str or path-like
            ``net.h``, or any other name, for a header with everything in it; ``net.c`` for two files, ``net.c`` and
            ``net.h`` beside it, for programs of several files, which have the weights only once then.
        name : str, optional
            Begins all names in it; by default the file's, in which letters that C lacks become ``u`` and their number
            in Unicode (``größe.h``: ``gru00f6u00dfe``), other characters ``_``, and which begins with ``net_`` if it
            would begin with a digit or be a word of C.
        dtype : "float32" or "float64", optional
            Computes in ``float`` or ``double``; by default as the network does.
        weights : "float" or "int8", default "float"
            As what the weights are kept: as numbers of `dtype`, or rounded to integers of 8 bits with a scale for each
            unit, which take a quarter of the memory (of ``double``: an eighth). Then integers are all that is computed
            with between the inputs and the outputs, but in layers that are followed by a layer normalisation.
        samples : array-like of shape (n_samples, n_in), or path, optional
            For int8: some hundred inputs such as the network will get, from which it is seen how large numbers become,
            and what int8 costs; a file is one of NumPy's (``.npy``), or CSV with a column for each input. By default
            1,000 that are drawn from what `scale_inputs` was fitted to: from a normal distribution, or between the
            least and the largest number of each column.

        Returns
        -------
        RoundingError or None
            What int8 changes in the outputs: ``max`` and ``rms`` of the differences, and ``largest``, the largest
            output, all on the samples. It is also in a comment at the top of the file.

        Raises
        ------
        ValueError
            If the name is no identifier, a weight is more than `dtype` can hold, or `samples` do not fit; or if there
            are none where int8 needs them, as the network has no `scale_inputs`.
        OSError
            If the file cannot be written; an old one is as it was then.

        Examples
        --------
        >>> import foxnn, tempfile, os
        >>> nn = foxnn.neural_network([2, 3, 1])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     nn.to_c(os.path.join(folder, "net.h"))
        ...     error = nn.to_c(os.path.join(folder, "small.c"), weights="int8", samples=[[0.5, -1.0], [2.0, 0.0]])
        ...     sorted(os.listdir(folder))
        ['net.h', 'small.c', 'small.h']
        >>> error.max < 0.05
        True
        """
        from foxnn.io.c_export import to_c

        return to_c(self, path_for("to_c", path), name=name, dtype=dtype, weights=weights, samples=samples)

    @pointing
    def to_js(
        self, path: str | os.PathLike[str], *, name: str | None = None, types: bool = False, script: bool = False
    ) -> None:
        """Write the network as one JavaScript module that exports ``predict(x)`` and needs nothing.

        ``predict`` takes an array, typed or not, and returns an array; `nIn` and `nOut` are their lengths. It computes
        in double precision; the weights are in the module as base64, in the network's number type.

        Parameters
        ----------
        path : str or path-like
            The file, such as ``net.mjs``.
        name : str, optional
            The variable that the script makes; by default after the file, as `to_c` does it.
        types : bool, default False
            Write TypeScript's declarations beside the module, where TypeScript looks for them: ``net.d.mts`` (of
            ``net.js``: ``net.d.ts``).
        script : bool, default False
            Write a classic script beside the module, ``net.js``, for pages that are opened from disk (``file://``),
            where browsers load no modules: after ``<script src="net.js"></script>`` there is ``net.predict``.

        Raises
        ------
        ValueError
            If the name is no identifier, or the file's name does not go with `types` or `script`.
        OSError
            If the file cannot be written; an old one is as it was then.

        Examples
        --------
        >>> import foxnn, tempfile, os
        >>> nn = foxnn.neural_network([2, 3, 1])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     nn.to_js(os.path.join(folder, "net.mjs"), types=True, script=True)
        ...     sorted(os.listdir(folder))
        ['net.d.mts', 'net.js', 'net.mjs']
        """
        from foxnn.io.js_export import to_js

        to_js(self, path_for("to_js", path), name=name, types=types, script=script)

    @pointing
    def to_onnx(self, path: str | os.PathLike[str]) -> None:
        """Write the network as ONNX, which most runtimes read.

        The file has the input ``x`` of shape (batch, n_in) and the output ``y`` of shape (batch, n_out), both
        float32, as are the weights, and reads inputs as `scale` and `offset` say. It uses operators of opset 13, and
        has `metadata` as a text called "foxnn" among its own. Needs the package onnx: ``pip install foxnn[onnx]``.

        Parameters
        ----------
        path : str or path-like
            The file, such as ``net.onnx``.

        Raises
        ------
        ValueError
            If a weight is more than float32 can hold, or the network more than a file can (2 GB).
        OSError
            If the file cannot be written; an old one is as it was then.
        ImportError
            If onnx is not installed.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 3, 1])
        >>> nn.to_onnx("net.onnx")  # doctest: +SKIP
        """
        from foxnn.io.onnx_export import to_onnx

        to_onnx(self, path_for("to_onnx", path))

    @pointing
    def to_npz(self, path: str | os.PathLike[str]) -> None:
        """Write the network as an archive of arrays, which ``numpy.load`` reads.

        It holds ``layers.0.weights`` (n_in, n_out), ``layers.0.bias`` (n_out,), ..., of a layer normalisation also
        ``layers.0.gamma`` and ``layers.0.beta`` (n_out,), and as ``description`` a text, in JSON: the activations and
        normalisations with their parameters, and how inputs and outputs are scaled. Batch normalisation is in the
        weights.

        Parameters
        ----------
        path : str or path-like
            The file, such as ``net.npz``.

        Raises
        ------
        OSError
            If the file cannot be written; an old one is as it was then.

        Examples
        --------
        >>> import foxnn, numpy as np, tempfile, os
        >>> nn = foxnn.neural_network([2, 3, 1])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     nn.to_npz(os.path.join(folder, "net.npz"))
        ...     with np.load(os.path.join(folder, "net.npz")) as arrays:
        ...         arrays["layers.0.weights"].shape
        (2, 3)
        """
        from foxnn.io.npz_export import to_npz

        to_npz(self, path_for("to_npz", path))

    @pointing
    def to_torch(self) -> Any:
        """Make a PyTorch module that gives the same outputs.

        Needs the package torch.

        Returns
        -------
        torch.nn.Sequential
            Of ``Linear``, ``BatchNorm1d``, ``LayerNorm``, activations and ``Dropout``, in evaluation mode. Inputs are
            scaled by a first module, ``foxnn.io.torch_modules.Standardise``, ``(x - shift) / spread``; `scale` and
            `offset` alone are in the first layer's weights, and how outputs are scaled is in the last one's.

        Raises
        ------
        ValueError
            If an activation has no module in PyTorch: sin, cos, gaussian, arctan, exp and threshold. Or if outputs are
            scaled that are not linear.
        ImportError
            If torch is not installed.

        Examples
        --------
        >>> import foxnn
        >>> module = foxnn.neural_network([2, 3, 1]).to_torch()  # doctest: +SKIP
        """
        from foxnn.io.torch_format import to_torch

        return to_torch(self)

    @pointing
    def to_keras(self) -> Any:
        """Make a Keras model that gives the same outputs, on the backend that Keras is set to.

        Needs Keras 3 and one of its backends.

        Returns
        -------
        keras.Sequential
            Of ``Rescaling`` (if the network has `scale` or `offset`) or ``Normalization`` (if it scales its
            inputs), ``Dense``, ``LayerNormalization``, activations and ``Dropout``; not compiled.
            Batch normalisation is in the weights, as are scaled outputs.

        Raises
        ------
        ValueError
            If an activation has no counterpart in Keras: sin, cos, gaussian, arctan and threshold. Or if outputs are
            scaled that are not linear, or the network is of float64 and the backend does not have that switched on.
        ImportError
            If Keras 3 is not installed.

        Warns
        -----
        UserWarning
            If the network is of float64 and Keras multiplies in float32 on this backend, as it does on PyTorch.

        Examples
        --------
        >>> import foxnn
        >>> model = foxnn.neural_network([2, 3, 1]).to_keras()  # doctest: +SKIP
        """
        from foxnn.io.keras_format import to_keras

        return to_keras(self)

    @pointing
    def to_sklearn(self) -> Any:
        """Make a fitted ``MLPClassifier`` or ``MLPRegressor`` of scikit-learn that gives the same outputs.

        Of a network that scales its inputs: a pipeline of a ``StandardScaler`` and one of them.

        Needs scikit-learn.

        Returns
        -------
        sklearn.neural_network.MLPClassifier or MLPRegressor, or sklearn.pipeline.Pipeline
            A classifier if the output is softmax or sigmoid, whose ``predict_proba`` are the outputs (of one sigmoid:
            the probability of the second class) and whose classes are ``metadata["classes"]``, else 0, 1, ...; of
            several sigmoids, one for any number of labels at once. A regressor if the output is linear or exp.
            `scale` and `offset` alone are in the first layer's weights. Its ``partial_fit`` goes on from these
            weights, without a penalty on them (`alpha` is 0) and with an optimizer that knows nothing yet.

        Raises
        ------
        ValueError
            If scikit-learn has no such network: hidden layers of different activations, of others than sigmoid, tanh,
            relu and linear, with layer normalisation, or another output.
        ImportError
            If scikit-learn is not installed.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 3, 3], activation="relu", output="softmax", seed=0)
        >>> nn.to_sklearn()  # doctest: +SKIP
        MLPClassifier(alpha=0.0, hidden_layer_sizes=(3,))
        """
        from foxnn.io.sklearn_format import to_sklearn

        return to_sklearn(self)

    def _become(self, other: NeuralNetwork) -> None:
        """Be as another network of the same kind; settings, metadata and who is training stay this one's."""
        own = ("settings", "metadata", "_training")
        self.__dict__.update({name: value for name, value in other.__dict__.items() if name not in own})

    def __reduce__(self) -> tuple[Any, ...]:
        from foxnn.io.native import from_bytes, to_bytes

        held = {"_loss": self._loss} if isinstance(self._loss, CustomLoss) else None  # files do not hold it
        return from_bytes, (to_bytes(self, optimizer=True),), held

    def copy(self) -> Self:
        """A network with the same layers, settings and optimizer state, independent of this one.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 1])
        >>> twin = nn.copy()
        >>> bool((twin.layers[0].weights == nn.layers[0].weights).all())
        True
        """
        self, twin = self._as_it_is(), self._as_it_is()
        if self._optimizer_state is None:
            twin._core = self._core.copy()
        else:
            twin._core, twin._optimizer_state = self._optimizer_state.copy_with(self._core)
        twin._trainer, twin._training, twin.stop_training = None, _core.Exclusive(), False
        twin.settings = self.settings.copy()
        twin.optimizer = self.optimizer.copy()
        if self._optimizer_of_state is not None:
            same = self._optimizer_of_state is self.optimizer
            twin._optimizer_of_state = twin.optimizer if same else self._optimizer_of_state.copy()
        twin.history = self.history.copy()
        twin.metadata = deepcopy(self.metadata)
        return twin


def _shapes_of(core: Any, n_layers: int) -> tuple[tuple[int, ...], ...]:
    """The shape of one sample of the inputs, and of what comes out of each layer."""
    return (core.layer(0).input_shape, *(core.layer(i).output_shape for i in range(n_layers)))


neural_network = NeuralNetwork
