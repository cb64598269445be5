"""Metrics: how good outputs are, in terms that people use.

A metric is given by its name, ``nn.evaluate(X, y, metrics=["f1", "auc"])``, with options, ``Metric("f1",
average="macro")``, or as a function ``(y_true, y_pred)`` or ``(y_true, y_pred, sample_weight)``. In `fit` they are
taken of the validation data after every epoch (``val_f1``), or of the training data if there are none (``f1``), which
takes a pass through them of its own, about a third of an epoch's time.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from foxnn._arrays import Targets
from foxnn._closed import Closed
from foxnn._extras import needing
from foxnn._names import find, resolve
from foxnn._options import integer, unknown

_Array = npt.NDArray[Any]
_Weights = npt.NDArray[np.float64] | None


class Metric(Closed):
    """A metric and its options.

    Parameters
    ----------
    function : str or callable
        One of `foxnn.metrics.names()` or another name for it (``acc``, ``f1_score``, ``roc_auc``, ...), in small or
        capital letters and with or without underscores. Or a function of the targets, the network's outputs and, if it
        takes three arguments or one called ``sample_weight``, the samples' weights. Targets and outputs are arrays of
        the same shape if the targets are values, (n,) for a single output; else targets are classes (n,) of integers,
        and outputs (n, n_out). It returns a number.
    name : str, optional
        What it is called in the history; by default as it was named here, or the function's name.
    mode : "min", "max" or None
        Whether it should be small or large, which early stopping has to know. None: nobody knows. Of foxnn's own
        metrics it is known.
    on : "outputs" or "classes", default "outputs"
        Whether a function gets the outputs, or the classes that they mean: the largest output's number, or for outputs
        by themselves 0 and 1 below and above one half.
    **options
        Of the named metrics: ``k`` of "top_k_accuracy"; ``average`` of "precision", "recall" and "f1", "macro",
        "micro" or "weighted" as in scikit-learn (by default "macro", but of two classes that of class 1).

    Raises
    ------
    ValueError, TypeError
        If there is none of that name, or an option does not fit.
    ImportError
        When used, if it needs scikit-learn, which is not installed.

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([2, 3], output="softmax", init="zeros")
    >>> def share_of_first(y_true, y_pred):
    ...     return (y_pred == 0).mean()
    >>> metric = foxnn.metrics.Metric(share_of_first, on="classes")
    >>> nn.evaluate([[0, 1], [1, 0]], [0, 2], metrics=[metric, foxnn.metrics.Metric("top_k_accuracy", k=2)])
    {'loss': 1.098..., 'accuracy': 0.5, 'share_of_first': 1.0, 'top_k_accuracy': 0.5}
    """

    options: dict[str, Any]
    name: str

    def __init__(
        self,
        function: str | Callable[..., Any],
        name: str | None = None,
        mode: str | None = None,
        on: str = "outputs",
        **options: Any,
    ) -> None:
        if mode not in ("min", "max", None):
            raise unknown("mode", mode, ["min", "max"])
        if on not in ("outputs", "classes"):
            raise unknown("on", on, ["outputs", "classes"])
        self.options = {}
        if isinstance(function, str):
            known = resolve("metrics", function, _BY_NAME, ALIASES, ELSEWHERE)
            self._compute, self.mode = _BY_NAME[known]
            self.options = _checked_options(known, options)
        elif callable(function):
            if options:
                raise unknown("metric option", next(iter(options)), ["name", "mode", "on"])
            self._compute, self.mode = _of_function(function, on), mode
        else:
            raise TypeError(f"metrics: got {function!r}; it takes names, functions and foxnn.metrics.Metric")
        own_name = function if isinstance(function, str) else getattr(function, "__name__", "metric")
        self.name = own_name if name is None else str(name)
        self.function = function

    def __call__(self, targets: Targets, outputs: _Array, weights: _Weights) -> Any:
        """The value for checked targets, outputs (n, n_out) and weights (n,) or None."""
        try:
            return self._compute(targets, outputs, weights, **self.options)
        except _NotForThese as error:
            raise ValueError(f"metrics: {self.name!r} {error}") from None

    def check(self, targets: Targets, outputs: _Array, weights: _Weights) -> None:
        """Refuse what will not work on such data: tried on a few samples, but no function of the user's is called."""
        if isinstance(self.function, str):
            self(targets, outputs, weights)
        elif weights is not None and not _takes_weights(self.function):
            raise ValueError(f"metrics: {self.name!r} {_NO_WEIGHTS}")

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"Metric({self.function!r}{options})"


class _NotForThese(Exception):
    """The metric makes no sense for such targets."""


_AVERAGED = ("precision", "recall", "f1")


def _checked_options(name: str, options: dict[str, Any]) -> dict[str, Any]:
    allowed = {"top_k_accuracy": ["k"], **{key: ["average"] for key in _AVERAGED}}.get(name, [])
    for option, value in options.items():
        if option not in allowed:
            raise unknown(f"{name} option", option, allowed or ["(none)"])
        if option == "k":
            integer("k", value, 1)
        elif value not in ("macro", "micro", "weighted"):
            raise unknown("average", value, ["macro", "micro", "weighted"])
    return options


def get(metrics: Any) -> list[Metric]:
    """A list of metrics from what a user gives.

    Parameters
    ----------
    metrics : str, callable, Metric, or an iterable of these

    Raises
    ------
    ValueError, TypeError
        If one does not exist, or two have the same name.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.metrics.get(["mae", "r2"])
    [Metric('mae'), Metric('r2')]
    """
    if isinstance(metrics, (str, Metric)) or not isinstance(metrics, Iterable):
        metrics = [metrics]
    found = [metric if isinstance(metric, Metric) else Metric(metric) for metric in metrics]
    taken = {"loss", "seconds", "learning_rate", "epoch"}
    for metric in found:
        if metric.name in taken:
            raise ValueError(f"metrics: the name {metric.name!r} is taken; Metric(..., name=) gives another")
        taken.add(metric.name)
    return found


def names() -> list[str]:
    """Names of all metrics.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.metrics.names()
    ['accuracy', 'balanced_accuracy', 'top_k_accuracy', 'precision', 'recall', 'f1', 'auc', 'log_loss',
     'confusion_matrix', 'mse', 'rmse', 'mae', 'r2']
    """
    return list(_BY_NAME)


def should_be_large(name: str) -> bool | None:
    """Whether a metric of that name should be large; None: nobody knows.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.metrics.should_be_large("f1"), foxnn.metrics.should_be_large("mae")
    (True, False)
    """
    known = find(name, _BY_NAME, ALIASES)
    mode = None if known is None else _BY_NAME[known][1]
    return None if mode is None else mode == "max"


def values_of(metrics: Iterable[Metric], seen: list[tuple[Targets, _Array, _Weights]]) -> dict[str, Any]:
    """Values of metrics, by name, of all samples that were seen: targets, outputs and weights, batch by batch."""
    targets, outputs, weights = seen[0] if len(seen) == 1 else _joined(seen)
    found = {}
    for metric in metrics:
        value = np.asarray(metric(targets, outputs, weights))
        if value.dtype.kind not in "fiub":
            raise TypeError(f"metrics: {metric.name!r} returned {value!r}; it takes a number")
        found[metric.name] = value if value.ndim else float(value)
    return found


def _joined(seen: list[tuple[Targets, _Array, _Weights]]) -> tuple[Targets, _Array, _Weights]:
    kinds = {(targets.values is None, targets.correct) for targets, _, _ in seen}
    first = seen[0][0]
    rule = first.correct if len(kinds) == 1 else ""
    join = np.concatenate
    if first.labels is not None:
        targets = Targets(None, join([batch.labels for batch, _, _ in seen]), rule)
    else:
        targets = Targets(join([batch.values for batch, _, _ in seen]), None, rule)
    weights = None
    if any(given is not None for _, _, given in seen):
        weights = join([np.ones(len(outputs)) if given is None else given for _, outputs, given in seen])
    return targets, join([outputs for _, outputs, _ in seen]), weights


# ---- classes and values -------------------------------------------------------------------------------------


def _classes(targets: Targets, outputs: _Array) -> tuple[_Array, _Array]:
    """Classes of targets and outputs: (n,), or (n, n_out) of 0 and 1 if each output is a question of its own."""
    if targets.correct == "largest":
        truth = targets.labels if targets.labels is not None else targets.values.argmax(axis=1)  # type: ignore[union-attr]
        return truth, outputs.argmax(axis=1)
    if targets.correct == "sides":
        sides = [np.asarray(array) > 0.5 for array in (targets.values, outputs)]
        truth, found = (array.astype(np.int64) for array in sides)
        return (truth[:, 0], found[:, 0]) if outputs.shape[1] == 1 else (truth, found)
    raise _NotForThese("is for classes, but the targets are not classes")


def _values(targets: Targets, outputs: _Array) -> tuple[_Array, _Array]:
    """Targets and outputs as float64 (n, n_out); classes as rows with a one."""
    if targets.values is not None:
        return targets.values.astype(np.float64), outputs.astype(np.float64)
    return np.eye(outputs.shape[1])[targets.labels], outputs.astype(np.float64)


def _given(targets: Targets, outputs: _Array) -> tuple[_Array, _Array]:
    """Targets and outputs in the shapes that people think of them."""
    if targets.labels is not None:
        return targets.labels, outputs
    assert targets.values is not None
    return (targets.values[:, 0], outputs[:, 0]) if outputs.shape[1] == 1 else (targets.values, outputs)


def _of_function(function: Callable[..., Any], on: str) -> Callable[..., Any]:
    weighted = _takes_weights(function)
    prepare = _given if on == "outputs" else _classes

    def compute(targets: Targets, outputs: _Array, weights: _Weights) -> Any:
        arrays = prepare(targets, outputs)
        if weighted == "by name":
            return function(*arrays, sample_weight=weights)
        if weighted:
            return function(*arrays, weights)
        if weights is not None:
            raise _NotForThese(_NO_WEIGHTS)
        return function(*arrays)

    return compute


_NO_WEIGHTS = "takes no sample_weight, but the samples have weights"


def _takes_weights(function: Callable[..., Any]) -> str:
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:  # some builtins do not tell
        return ""
    if "sample_weight" in parameters:
        return "by name"
    positional = [p for p in parameters.values() if p.kind <= p.POSITIONAL_OR_KEYWORD and p.default is p.empty]
    return "in third place" if len(positional) == 3 else ""


# ---- foxnn's own --------------------------------------------------------------------------------------------


def _mean(values: _Array, weights: _Weights) -> float:
    return float(np.average(values, weights=weights))


def _accuracy(targets: Targets, outputs: _Array, weights: _Weights) -> float:
    truth, found = _classes(targets, outputs)
    right = truth == found
    return _mean(right if right.ndim == 1 else right.all(axis=1), weights)


def _top_k_accuracy(targets: Targets, outputs: _Array, weights: _Weights, k: int = 5) -> float:
    """The share of samples for which fewer than k outputs are larger than the right one (or equal, and before it)."""
    if targets.correct != "largest":
        raise _NotForThese("is for one class of several, but the targets are not such classes")
    truth, _ = _classes(targets, outputs)
    right = np.take_along_axis(outputs, truth[:, None], axis=1)
    before = np.arange(outputs.shape[1]) < truth[:, None]
    rank = ((outputs > right) | ((outputs == right) & before)).sum(axis=1)
    return _mean(rank < k, weights)


def _log_loss(targets: Targets, outputs: _Array, weights: _Weights) -> float:
    """Mean of -log of the probability of what is right, no probability being less than float64's epsilon."""
    _classes(targets, outputs)  # classes they have to be
    truth, found = _values(targets, outputs)
    least = np.finfo(np.float64).eps
    if targets.correct == "largest":
        return _mean(-np.log(np.maximum((truth * found).sum(axis=1) / found.sum(axis=1), least)), weights)
    each = truth * np.log(np.maximum(found, least)) + (1 - truth) * np.log(np.maximum(1 - found, least))
    return _mean(-each.mean(axis=1), weights)


def _mse(targets: Targets, outputs: _Array, weights: _Weights) -> float:
    truth, found = _values(targets, outputs)
    return _mean(np.square(truth - found).mean(axis=1), weights)


def _rmse(targets: Targets, outputs: _Array, weights: _Weights) -> float:
    """The root of the mean squared error over all samples and outputs."""
    return math.sqrt(_mse(targets, outputs, weights))


def _mae(targets: Targets, outputs: _Array, weights: _Weights) -> float:
    truth, found = _values(targets, outputs)
    return _mean(np.abs(truth - found).mean(axis=1), weights)


# ---- scikit-learn's -----------------------------------------------------------------------------------------


def _sklearn_metrics() -> Any:
    with needing("sklearn", message='this metric is scikit-learn\'s: pip install "foxnn[sklearn]"'):
        import sklearn.metrics
    return sklearn.metrics


def _balanced_accuracy(targets: Targets, outputs: _Array, weights: _Weights) -> float:
    """Mean recall of the classes that there are."""
    truth, found = _classes(targets, outputs)
    if truth.ndim > 1:
        raise _NotForThese("is for one class a sample, but the targets are several")
    recall = _sklearn_metrics().recall_score
    return float(recall(truth, found, labels=np.unique(truth), average="macro", sample_weight=weights, zero_division=0))


def _averaged(name: str) -> Callable[..., float]:
    def compute(targets: Targets, outputs: _Array, weights: _Weights, average: str | None = None) -> float:
        truth, found = _classes(targets, outputs)
        n_out = outputs.shape[1]
        if average is None:
            average = "binary" if truth.ndim == 1 and n_out <= 2 else "macro"
        labels = None if average == "binary" or truth.ndim > 1 else np.arange(max(n_out, 2))
        score = getattr(_sklearn_metrics(), name)
        return float(score(truth, found, labels=labels, average=average, sample_weight=weights, zero_division=0))

    return compute


def _auc(targets: Targets, outputs: _Array, weights: _Weights) -> float:
    """Area under the ROC curve; of several classes the mean of each one's against the rest; NaN if one is missing."""
    truth, _ = _classes(targets, outputs)
    auc = _sklearn_metrics().roc_auc_score
    if truth.ndim == 1 and outputs.shape[1] <= 2:
        return float(auc(truth, outputs[:, -1], sample_weight=weights)) if len(np.unique(truth)) == 2 else float("nan")
    one_hot = truth if truth.ndim > 1 else np.eye(outputs.shape[1], dtype=np.int64)[truth]
    if not (one_hot.any(axis=0) & ~one_hot.all(axis=0)).all():
        return float("nan")
    return float(auc(one_hot, outputs, average="macro", sample_weight=weights))


def _confusion_matrix(targets: Targets, outputs: _Array, weights: _Weights) -> npt.NDArray[Any]:
    """How often (or with which weight) class i was taken for class j, (n_classes, n_classes)."""
    truth, found = _classes(targets, outputs)
    if truth.ndim > 1:
        raise _NotForThese("is for one class a sample, but the targets are several")
    labels = np.arange(max(outputs.shape[1], 2))
    matrix: npt.NDArray[Any] = _sklearn_metrics().confusion_matrix(truth, found, labels=labels, sample_weight=weights)
    return matrix


def _r2(targets: Targets, outputs: _Array, weights: _Weights) -> float:
    """Coefficient of determination, the mean over the outputs; NaN of a single sample."""
    if len(outputs) < 2:
        return float("nan")
    return float(_sklearn_metrics().r2_score(*_values(targets, outputs), sample_weight=weights))


#: By name: the function of targets, outputs and weights, and whether it should be small or large.
_BY_NAME: dict[str, tuple[Callable[..., Any], str | None]] = {
    "accuracy": (_accuracy, "max"),
    "balanced_accuracy": (_balanced_accuracy, "max"),
    "top_k_accuracy": (_top_k_accuracy, "max"),
    "precision": (_averaged("precision_score"), "max"),
    "recall": (_averaged("recall_score"), "max"),
    "f1": (_averaged("f1_score"), "max"),
    "auc": (_auc, "max"),
    "log_loss": (_log_loss, "min"),
    "confusion_matrix": (_confusion_matrix, None),
    "mse": (_mse, "min"),
    "rmse": (_rmse, "min"),
    "mae": (_mae, "min"),
    "r2": (_r2, "max"),
}

#: Other names for the same metrics. Case, underscores and hyphens do not count.
ALIASES = {
    "acc": "accuracy",
    "accuracy_score": "accuracy",
    "binary_accuracy": "accuracy",
    "categorical_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy",
    "balanced_accuracy_score": "balanced_accuracy",
    "top_k_categorical_accuracy": "top_k_accuracy",
    "sparse_top_k_categorical_accuracy": "top_k_accuracy",
    "precision_score": "precision",
    "recall_score": "recall",
    "f1_score": "f1",
    "roc_auc": "auc",
    "roc_auc_score": "auc",
    "nll": "log_loss",
    "cross_entropy": "log_loss",
    "binary_cross_entropy": "log_loss",
    "categorical_cross_entropy": "log_loss",
    "sparse_categorical_cross_entropy": "log_loss",
    "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse",
    "mean_absolute_error": "mae",
    "r2_score": "r2",
}

#: What other libraries call something that foxnn has in another way.
ELSEWHERE = {
    "loss": "the loss without being asked",
    "top_k_accuracy_score": "'top_k_accuracy' with k=5; foxnn.metrics.Metric('top_k_accuracy', k=2) is scikit-learn's",
    "neg_mean_squared_error": "'mse', which is not negative",
    "neg_root_mean_squared_error": "'rmse', which is not negative",
    "neg_mean_absolute_error": "'mae', which is not negative",
    "neg_log_loss": "'log_loss', which is not negative",
    **{
        f"{name}_{average}": f"foxnn.metrics.Metric({name!r}, average={average!r})"
        for name in _AVERAGED
        for average in ("macro", "micro", "weighted")
    },
}


def __getattr__(name: str) -> NoReturn:
    from foxnn._elsewhere import no_such

    raise no_such("foxnn.metrics", name)
