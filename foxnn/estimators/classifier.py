"""The classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    check_classification_targets,
    type_of_target,
    unique_labels,
)

from foxnn._names import plain
from foxnn.estimators._base import BaseMLP, log
from foxnn.estimators._parameters import CLASSIFIER
from foxnn.losses import Loss

if TYPE_CHECKING:
    from typing_extensions import Self

    from foxnn.network import NeuralNetwork


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """Multilayer perceptron that classifies, with scikit-learn's interface.

    It takes the parameters of `sklearn.neural_network.MLPClassifier`, with the same meanings, and more. Targets may be
    labels of any kind, texts too, or several labels a sample (an indicator matrix).

    Parameters
    ----------
    hidden_layer_sizes : array-like of int or int, default=(100,)
        Units of each hidden layer.
    activation : str, Activation, or list of one for each hidden layer, default="relu"
        Of the hidden layers: "identity", "logistic", "tanh", "relu" or another of `foxnn.activations.names()`.
    solver : {"adam", "sgd", "lbfgs"}, another name of `foxnn.optimizers.names()`, or Optimizer, default="adam"
        "sgd" has momentum; "lbfgs" is SciPy's L-BFGS-B on all samples at once. An `Optimizer` brings its own
        hyper-parameters, learning rate included.
    alpha : float, default=0.0001
        L2 penalty: each batch's loss grows by ``alpha / 2 * sum(weights**2) / batch_size``. A last, smaller batch of an
        epoch is treated like the others; with sample weights it is their mean times `batch_size` that counts.
    batch_size : int or "auto", default="auto"
        "auto": 200, or all samples if there are fewer.
    learning_rate : {"constant", "invscaling", "adaptive"}, Schedule or callable, default="constant"
        "invscaling": ``learning_rate_init / (t_ + 1)**power_t`` after each epoch. "adaptive": divided by 5 each time
        that `n_iter_no_change` epochs brought no improvement, until it is below 1e-6. "adam" ignores these two. A
        callable gets the number of epochs so far and gives the learning rate of the next; a schedule of
        `foxnn.schedules` brings its own rates, of every step.
    learning_rate_init : float, default=0.001
        Learning rate of all solvers but "lbfgs" and optimizers with their own.
    power_t : float, default=0.5
        Exponent of "invscaling".
    max_iter : int, default=200
        Epochs, or iterations of "lbfgs", at most.
    shuffle : bool, default=True
        Whether every epoch goes through the samples in a new order.
    random_state : int, RandomState instance or None, default=None
        Of weights at the start, of the samples held out, of shuffling and of dropout. The same int and data give the
        same result for any number of threads.
    tol : float, default=1e-4
        An epoch that is better by less than this counts as no improvement; "lbfgs" ends at gradients this small.
    verbose : bool or int, default=False
        Whether to print a line an epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights there are.
    momentum : float in [0, 1), default=0.9
        Of "sgd", "momentum" and "nesterov".
    nesterovs_momentum : bool, default=True
        Whether the momentum of "sgd" is Nesterov's.
    early_stopping : bool, default=False
        Whether it is the score on validation data that has to improve, and the best weights are kept in the end. The
        data are `X_val`, `y_val` if `fit` gets them; else a share of the samples is held out.
    validation_fraction : float in [0, 1), default=0.1
        The share held out.
    beta_1, beta_2 : float in [0, 1), default=0.9, 0.999
        Of "adam" and "adamw".
    epsilon : float, default=1e-8
        Of "adam" and "adamw".
    n_iter_no_change : int or inf, default=10
        Epochs without improvement before training stops.
    max_fun : int, default=15000
        How often "lbfgs" may compute the loss.
    dropout : float or array-like of float in [0, 1), default=0
        Share of the outputs of all hidden layers, or of each, that training drops.
    input_dropout : float in [0, 1), default=0
        Share of the inputs that training sets to zero.
    input_noise : float, default=0
        Standard deviation of the Gaussian noise that training adds to the inputs.
    l1 : float, default=0
        L1 penalty: each batch's loss grows by ``l1 * sum(abs(weights))``, however large the batch.
    max_norm : float, array-like of float or None for each layer, or None, default=None
        The most that the norm of the weights into one unit may be; the outputs are a layer, too.
    norm : str, BatchNorm, LayerNorm, list of one or None for each hidden layer, or None, default=None
        What normalises the hidden layers, before their activations: "batch_norm", "layer_norm" or an object.
    clip_norm, clip_value : float or None, default=None
        One of the two ways to clip gradients; see `foxnn.optimizers.Optimizer`. An `Optimizer` brings its own.
    class_weight : dict, "balanced", list of dict or None, default=None
        Multiplies the weights of each class's samples; "balanced": all classes weigh the same together.
    loss : "log_loss", another name of `foxnn.losses.names()`, or Loss, default="log_loss"
        Cross-entropy, by either name, is binary cross-entropy for two classes and for several labels.
    label_smoothing : float in [0, 1), default=0
        Share of every target that is spread over all classes. A `Loss` brings its own.
    callbacks : list of foxnn.Callback or None, default=None
        Served during `fit` and `partial_fit`, which give them the network.
    metrics : str, foxnn.metrics.Metric, callable, list of these, or None, default=None
        Taken after every epoch, of the validation data if there are any, else of the training data; see `history_` and
        `foxnn.metrics`. Functions get classes as numbers, their places in `classes_`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    coefs_, intercepts_ : list of ndarray of shape (n_in, n_out), list of ndarray of shape (n_out,)
        Weights and biases of each layer. To change a layer, put another array into the list; the arrays themselves are
        read-only.
    network_ : NeuralNetwork
        A copy of the trained network, to save or to train on in foxnn's own ways.
    history_ : foxnn.History
        Loss, without penalties, and `metrics` of every epoch of the last `fit` or `partial_fit`, as of foxnn's own
        networks; empty with "lbfgs".
    loss_ : float
        The loss, penalties included.
    loss_curve_ : list of float
        The loss of each epoch, or of each iteration of "lbfgs".
    best_loss_ : float or None
        The least loss; None with `early_stopping`.
    validation_scores_ : list of float or None
        The score on the validation data after each epoch, if there are any.
    best_validation_score_ : float or None
        The best of them.
    n_iter_ : int
        Epochs or iterations of the last `fit`.
    t_ : int
        Samples seen.
    n_layers_ : int
        Layers, inputs and outputs included.
    n_outputs_ : int
    out_activation_ : str
        Activation of the outputs, in scikit-learn's words.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Names of the features, if X had any.

    Examples
    --------
    >>> import foxnn
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = foxnn.MLPClassifier(hidden_layer_sizes=(16,), learning_rate_init=0.01, max_iter=500, random_state=0)
    >>> model.fit(X, y).score(X, y) > 0.95
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CLASSIFIER

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        input_dropout: float = 0.0,
        input_noise: float = 0.0,
        l1: float = 0.0,
        max_norm: Any = None,
        norm: Any = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        class_weight: Any = None,
        loss: Any = "log_loss",
        label_smoothing: float = 0.0,
        callbacks: Any = None,
        metrics: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.input_noise = input_noise
        self.l1 = l1
        self.max_norm = max_norm
        self.norm = norm
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.class_weight = class_weight
        self.loss = loss
        self.label_smoothing = label_smoothing
        self.callbacks = callbacks
        self.metrics = metrics

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> Self:
        """Train until nothing improves any more, or `max_iter` is reached (with a ConvergenceWarning).

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            float32 is kept, anything else becomes float64. A sparse matrix is made dense as a whole.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels, or an indicator matrix of several labels a sample.
        sample_weight : array-like of shape (n_samples,), optional
            At least 0.
        X_val, y_val : array-like, optional
            Validation data: scored after every epoch (`validation_scores_`), and decisive with `early_stopping`.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data do not fit, or the weights are no longer finite.

        Examples
        --------
        >>> import foxnn
        >>> model = foxnn.MLPClassifier((4,), max_iter=2000, learning_rate_init=0.1, random_state=0)
        >>> model.fit([[0.0], [1.0]], ["no", "yes"]).predict([[-1.0], [2.0]]).tolist()
        ['no', 'yes']
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

    @available_if(lambda self: self._is_stochastic())  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Train for one epoch on these samples, going on from where training was.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array-like of shape (n_classes,)
            All classes there will be; needed in the first call only.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            As for `fit`; and if a label is none of `classes`.

        Examples
        --------
        >>> import foxnn
        >>> model = foxnn.MLPClassifier((4,), random_state=0)
        >>> model.partial_fit([[0.0], [1.0]], [0, 1], classes=[0, 1, 2]).partial_fit([[2.0]], [2]).t_
        3
        """
        if _check_partial_fit_first_call(self, classes):
            multilabel = type_of_target(y).startswith("multilabel")
            self._label_binarizer = LabelBinarizer().fit(y if multilabel else classes)
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The likeliest class of each sample; with several labels, those likelier than not.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)

        Examples
        --------
        >>> import foxnn
        >>> model = foxnn.MLPClassifier((4,), solver="lbfgs", random_state=0).fit([[0.0], [1.0]], ["no", "yes"])
        >>> model.predict([[2.0]])
        array(['yes'], dtype='<U3')
        """
        outputs = self._outputs(X)
        labels: npt.NDArray[Any] = self._label_binarizer.inverse_transform(
            outputs[:, 0] if outputs.shape[1] == 1 else outputs
        )
        return labels

    def decision_function(self, X: Any) -> npt.NDArray[Any]:
        """What goes into the last activation: log-odds, which keep their digits where probabilities are all but 0 or 1.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or (n_samples,) for two classes

        Examples
        --------
        >>> import foxnn
        >>> model = foxnn.MLPClassifier((4,), solver="lbfgs", random_state=0).fit([[0.0], [1.0]], ["no", "yes"])
        >>> model.decision_function([[2.0]]).shape
        (1,)
        """
        scores = self._outputs(X, linear=True)
        return scores[:, 0] if scores.shape[1] == 1 and self._label_binarizer.y_type_ == "binary" else scores

    def predict_proba(self, X: Any) -> npt.NDArray[Any]:
        """Probability of each class, in the order of `classes_`.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)

        Examples
        --------
        >>> import foxnn
        >>> model = foxnn.MLPClassifier((4,), solver="lbfgs", random_state=0).fit([[0.0], [1.0]], ["no", "yes"])
        >>> model.predict_proba([[0.0], [2.0]]).round().tolist()
        [[1.0, 0.0], [0.0, 1.0]]
        """
        outputs = self._outputs(X)
        if outputs.shape[1] > 1 or self._label_binarizer.y_type_.startswith("multilabel"):
            return outputs
        return np.hstack([1 - outputs, outputs]) if len(self.classes_) == 2 else np.ones_like(outputs)

    def predict_log_proba(self, X: Any) -> npt.NDArray[Any]:
        """Natural logarithm of `predict_proba`.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)

        Examples
        --------
        >>> import foxnn
        >>> model = foxnn.MLPClassifier((4,), solver="lbfgs", random_state=0).fit([[0.0], [1.0]], ["no", "yes"])
        >>> model.predict_log_proba([[0.0], [2.0]]).argmax(axis=1).tolist()
        [0, 1]
        """
        return log(self.predict_proba(X))

    # ---- targets --------------------------------------------------------------------------------------------

    def _encode(self, y: Any, incremental: bool) -> Any:
        check_classification_targets(y)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
        elif self.warm_start and set(found := unique_labels(y)) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {found}"
            )
        targets = self._targets_of(y)
        kind = self._label_binarizer.y_type_
        self.n_outputs_ = targets.shape[1] if targets.ndim == 2 else len(self.classes_) if kind == "multiclass" else 1
        return targets

    def _targets_of(self, y: Any) -> Any:
        """Integer labels of several classes, zeros and ones of two, and a matrix of them for several labels."""
        if self._label_binarizer.y_type_.startswith("multilabel"):
            if not type_of_target(y).startswith("multilabel") or y.shape[1] != len(self.classes_):
                raise ValueError(f"y: it takes an indicator matrix of {len(self.classes_)} labels, as before")
            return self._label_binarizer.transform(y).astype(np.float32)
        found = unique_labels(y)
        if len(np.setdiff1d(found, self.classes_)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {found}."
            )
        if self._label_binarizer.y_type_ == "multiclass":
            return np.searchsorted(self.classes_, y)
        return self._label_binarizer.transform(y)[:, 0].astype(np.float32)

    def _with_class_weight(self, y: Any, weights: Any, incremental: bool) -> Any:
        if self.class_weight is None:
            return weights
        if incremental and isinstance(self.class_weight, str):
            raise ValueError('class_weight: got "balanced", but partial_fit does not see all samples; it takes a dict')
        of_class = compute_sample_weight(self.class_weight, y)
        return of_class if weights is None else of_class * weights

    def _strata(self, targets: Any) -> Any:
        return targets.astype(bool).reshape(-1, 1) if self.n_outputs_ == 1 else None  # as scikit-learn does

    def _output(self) -> str:
        return "softmax" if self._label_binarizer.y_type_ == "multiclass" else "logistic"

    def _loss(self) -> Loss:
        smoothing = {"label_smoothing": self.label_smoothing} if self.label_smoothing else {}
        if not isinstance(self.loss, str):
            if smoothing:
                raise ValueError(
                    f"label_smoothing: got {self.label_smoothing!r} besides {self.loss!r}, which brings its own"
                )
            loss = Loss.of(self.loss)
        else:
            loss = Loss("cross_entropy" if plain(self.loss) == "logloss" else self.loss, **smoothing)
        if loss.name == "cross_entropy" and self.out_activation_ != "softmax":  # of two classes, or several labels
            return Loss("binary_cross_entropy", **loss.parameters)
        return loss

    def _validation_score(self, network: NeuralNetwork, X: Any, targets: Any, weights: Any = None) -> float:
        """Accuracy."""
        outputs = network.predict(X)
        if self.out_activation_ == "softmax":
            right = outputs.argmax(axis=1) == targets
        else:
            right = ((outputs > 0.5) == targets.reshape(outputs.shape)).all(axis=1)
        return float(np.average(right, weights=weights))
