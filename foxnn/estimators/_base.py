"""What `MLPClassifier` and `MLPRegressor` have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, check_X_y, validate_data

from foxnn._closed import Closed
from foxnn.estimators._lbfgs import fit_lbfgs
from foxnn.estimators._parameters import (
    hidden_activations,
    hidden_norms,
    hidden_sizes,
    loss_scales,
    make_optimizer,
    refuse_with_lbfgs,
    start,
    threads_here,
)
from foxnn.estimators._stochastic import fit_stochastic
from foxnn.layers.normalisation import put_together
from foxnn.losses import Loss
from foxnn.network import NeuralNetwork

if TYPE_CHECKING:
    from typing_extensions import Self

    from foxnn.history import History

#: scikit-learn's names of output activations in foxnn's words.
_OUTPUTS = {"identity": "linear", "logistic": "sigmoid", "softmax": "softmax", "exp": "exp"}
#: Rows of a sparse matrix that prediction makes dense at once.
_SPARSE_ROWS = 4096
_NUMBERS = {"accept_sparse": ("csr", "csc"), "dtype": (np.float64, np.float32)}


class BaseMLP(Closed, BaseEstimator, ABC):  # type: ignore[misc]
    """Trains a `foxnn.NeuralNetwork` and holds it; what it has learned can be read, and set, as scikit-learn's."""

    # The network is the truth, unless someone has read or set the lists of arrays: those say what is to be then.
    _network: NeuralNetwork | None = None
    _coefs: list[Any] | None = None
    _intercepts: list[Any] | None = None
    _in_network: tuple[Any, ...] = ()

    def __setattr__(self, name: str, value: Any) -> None:
        if name[-1] == "_":  # what `fit` learns, and what functions of scikit-learn note beside it
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    # ---- what it has learned --------------------------------------------------------------------------------

    @property
    def coefs_(self) -> list[npt.NDArray[Any]]:
        """Weights of each layer, (n_in, n_out); the arrays are read-only, but others may take their place."""
        self._read()
        return self._coefs  # type: ignore[return-value]

    @coefs_.setter
    def coefs_(self, value: list[npt.NDArray[Any]]) -> None:
        self._coefs = value

    @property
    def intercepts_(self) -> list[npt.NDArray[Any]]:
        """Biases of each layer, (n_out,); the arrays are read-only, but others may take their place."""
        self._read()
        return self._intercepts  # type: ignore[return-value]

    @intercepts_.setter
    def intercepts_(self, value: list[npt.NDArray[Any]]) -> None:
        self._intercepts = value

    def _read(self) -> None:
        """Fill the lists that nobody has asked for so far."""
        if self._coefs is not None and self._intercepts is not None:
            return
        if self._network is None:
            raise AttributeError(f"this {type(self).__name__} has no weights yet; call fit first")
        layers = self._network.layers
        coefs, intercepts = (
            [np.asarray(layer.weights) for layer in layers],
            [np.asarray(layer.bias) for layer in layers],
        )
        in_network = [*coefs, *intercepts]
        self._coefs = coefs if self._coefs is None else self._coefs
        self._intercepts = intercepts if self._intercepts is None else self._intercepts
        self._in_network = tuple(in_network)

    def _learned(self, network: NeuralNetwork) -> None:
        self._network = network
        self._coefs = self._intercepts = None
        self._in_network = ()

    def _synced_network(self) -> NeuralNetwork:
        """The network, with the weights that the lists say."""
        if self._coefs is None and self._intercepts is None:
            assert self._network is not None
            return self._network
        self._read()
        given = (*self.coefs_, *self.intercepts_)
        if len(given) != len(self._in_network) or any(a is not b for a, b in zip(given, self._in_network, strict=True)):
            sizes = [len(self.coefs_[0]), *(len(bias) for bias in self.intercepts_)]
            parameters = list(zip(self.coefs_, self.intercepts_, strict=True))
            if self._network is None or self._network.sizes != sizes:
                dtype = np.asarray(self.coefs_[0]).dtype
                self._network = self._new_network(sizes, parameters, dtype)
            else:
                for layer, (weights, bias) in zip(self._network.layers, parameters, strict=True):
                    layer.weights, layer.bias = weights, bias
            self._in_network = given
        assert self._network is not None
        return self._network

    @property
    def network_(self) -> NeuralNetwork:
        """A copy of the trained network: to save, to look inside, or to train on in foxnn's own ways."""
        check_is_fitted(self)
        return self._synced_network().copy()

    @property
    def history_(self) -> History:
        """Loss and metrics of every epoch, as foxnn's own `fit` returns them."""
        if self._network is None:
            raise AttributeError(f"this {type(self).__name__} has no history yet; call fit first")
        return self._network.history

    @property
    def _optimizer(self) -> Any:
        return None if self._network is None else self._network.optimizer

    def __sklearn_is_fitted__(self) -> bool:
        return self._has_weights() and hasattr(self, "n_outputs_")

    def _has_weights(self) -> bool:
        return self._network is not None or (self._coefs is not None and self._intercepts is not None)

    def __getstate__(self) -> dict[str, Any]:
        if self._coefs is not None or self._intercepts is not None:
            self._synced_network()
        state = dict(super().__getstate__())
        if self._network is not None:
            for name in ("_coefs", "_intercepts", "_in_network"):  # they are in the network
                state.pop(name, None)
        return state

    def __copy__(self) -> Self:
        twin = type(self).__new__(type(self))
        twin.__setstate__(self.__getstate__())
        if self._network is not None:
            twin._network = self._network.copy()
        return twin

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # ---- training -------------------------------------------------------------------------------------------

    def _is_stochastic(self) -> bool:
        if isinstance(self.solver, str) and self.solver == "lbfgs":
            raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
        return True

    def _new_network(self, sizes: list[int], init: Any, dtype: Any, seed: int | None = None) -> NeuralNetwork:
        network = NeuralNetwork(
            put_together(sizes, [*hidden_norms(self.norm, len(sizes) - 2), None]),
            activation=hidden_activations(self.activation, len(sizes) - 2),
            output=_OUTPUTS[self.out_activation_],
            loss=self._loss(),
            init=init,
            dropout=self.dropout,
            dtype=dtype,
            seed=seed,
            input_dropout=self.input_dropout,
            input_noise=self.input_noise,
            max_norm=self.max_norm,
        )
        if self.solver != "lbfgs":
            network.optimizer = make_optimizer(self, loss_scales(network.loss, sizes[-1])[0])
        return network

    def _network_to_train(self, sizes: list[int], dtype: Any, first: bool, incremental: bool) -> NeuralNetwork:
        """A new network; or the old one to go on with, or one of its weights with a fresh optimizer."""
        rng = check_random_state(self.random_state)
        if first:
            parameters = start(rng, sizes, hidden_activations(self.activation, len(sizes) - 2), dtype)
            return self._new_network(sizes, parameters, dtype, _seed(rng))
        old = self._synced_network()
        if old.sizes != sizes:
            raise ValueError(f"hidden_layer_sizes: got a network of {sizes} units to go on from {old.sizes}")
        if incremental:
            return old
        network = self._new_network(sizes, "zeros", old.dtype, _seed(rng))
        if [layer.array_names for layer in network.layers] != [layer.array_names for layer in old.layers]:
            norms = [layer.norm for layer in old.layers[:-1]]
            raise ValueError(f"norm: got {self.norm!r} to go on from a network that has {norms}")
        network.copy_weights(old)
        return network

    def _reset_attributes(self) -> None:
        self.t_ = self.n_iter_ = 0
        self.loss_curve_: list[float] = []
        self._no_improvement_count = 0
        self.validation_scores_: list[float] | None = None
        self.best_validation_score_: float | None = None
        self.best_loss_: float | None = None if self.early_stopping else np.inf

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, X_val: Any = None, y_val: Any = None, *, incremental: bool = False
    ) -> Self:
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val, y_val: got one of them; it takes both or none")
        stochastic = self.solver != "lbfgs"
        if not stochastic:
            refuse_with_lbfgs(self, X_val is not None)
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        first = not self._has_weights() or not (self.warm_start or incremental)
        X, y = validate_data(self, X, y, multi_output=True, reset=first, **self._target_rules(), **_NUMBERS)
        X = _dense(X)
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        weights = self._with_class_weight(y, weights, incremental)
        targets = self._encode(y, incremental)
        validation = None
        if X_val is not None:
            X_val = _dense(validate_data(self, X_val, reset=False, **_NUMBERS))
            validation = (X_val, self._targets_of(self._checked_validation_target(X_val, y_val)))
        elif self.early_stopping and stochastic:
            X, targets, weights, validation = self._split(X, targets, weights)
        sizes = [X.shape[1], *hidden_sizes(self.hidden_layer_sizes), self.n_outputs_]
        if first:
            self.out_activation_ = self._output()
        network = self._network_to_train(sizes, X.dtype, first, incremental)
        if first:
            self._reset_attributes()
        if validation is not None and self.validation_scores_ is None:
            self.validation_scores_, self.best_validation_score_ = [], -np.inf
        self.n_layers_ = len(sizes)
        network.n_threads = threads_here()
        try:
            if stochastic:
                fit_stochastic(self, network, X, targets, weights, validation, incremental)
            else:
                fit_lbfgs(self, network, X, targets, weights)
        finally:
            network.n_threads = None
            self._learned(network)
        return self

    def _split(self, X: Any, targets: Any, weights: Any) -> tuple[Any, Any, Any, tuple[Any, ...]]:
        """Hold a share of the samples out, as scikit-learn does."""
        arrays = [X, targets] if weights is None else [X, targets, weights]
        parts = train_test_split(
            *arrays,
            random_state=check_random_state(self.random_state),
            test_size=self.validation_fraction,
            stratify=self._strata(targets),
        )
        if len(parts[1]) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        if weights is not None and not parts[5].any():
            raise ValueError(
                "sample_weight: got only zeros for the samples held out, which then have no score; it takes a larger "
                "'validation_fraction', another 'random_state', or X_val and y_val"
            )
        return parts[0], parts[2], None if weights is None else parts[4], tuple(parts[1::2])

    def _checked_validation_target(self, X_val: Any, y_val: Any) -> Any:
        _, y = check_X_y(X_val, y_val, multi_output=True, **self._target_rules(), **_NUMBERS)
        return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y

    # ---- what the two differ in -----------------------------------------------------------------------------

    def _target_rules(self) -> dict[str, Any]:
        return {}

    def _with_class_weight(self, y: Any, weights: Any, incremental: bool) -> Any:
        return weights

    def _strata(self, targets: Any) -> Any:
        return None

    @abstractmethod
    def _output(self) -> str:
        """Name of the last layer's activation."""

    @abstractmethod
    def _loss(self) -> Loss:
        """The loss that `loss` names."""

    @abstractmethod
    def _encode(self, y: Any, incremental: bool) -> Any:
        """Targets as a network takes them; sets `n_outputs_`."""

    @abstractmethod
    def _targets_of(self, y: Any) -> Any:
        """More targets of the same kind."""

    @abstractmethod
    def _validation_score(self, network: NeuralNetwork, X: Any, targets: Any, weights: Any = None) -> float:
        """What early stopping watches: the larger the better."""

    # ---- prediction -----------------------------------------------------------------------------------------

    def _outputs(self, X: Any, *, linear: bool = False) -> npt.NDArray[Any]:
        """What the network says, (n_samples, n_outputs), or would without its last activation."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, **_NUMBERS)
        network = self._synced_network()
        if linear:
            hidden = [layer.activation for layer in network.layers[:-1]]
            sizes = put_together(network.sizes, [layer.norm for layer in network.layers])
            twin = NeuralNetwork(sizes, hidden, "linear", init="zeros", dtype=network.dtype)
            twin.copy_weights(network)
            network = twin
        network.n_threads = threads_here()
        if not hasattr(X, "toarray"):
            return network.predict(X)
        rows = X.tocsr()
        parts = [network.predict(_dense(rows[i : i + _SPARSE_ROWS])) for i in range(0, rows.shape[0], _SPARSE_ROWS)]
        return np.concatenate(parts)


def _seed(rng: Any) -> int:
    return int(rng.randint(np.iinfo(np.int32).max))


def _dense(X: Any) -> npt.NDArray[Any]:
    return X.toarray(order="C") if hasattr(X, "toarray") else X  # type: ignore[no-any-return]


def log(probabilities: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Natural logarithms, in place; that of 0 is -inf."""
    with np.errstate(divide="ignore"):
        np.log(probabilities, out=probabilities)
    return probabilities
