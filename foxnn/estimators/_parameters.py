"""What the estimators' parameters may be, and what they mean in terms of networks, losses and optimizers."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

from foxnn import activations, losses, optimizers
from foxnn._names import find
from foxnn._options import MOST
from foxnn.activations import Activation
from foxnn.layers.normalisation import BatchNorm, Norm, from_config
from foxnn.losses import Loss
from foxnn.metrics import Metric
from foxnn.optimizers import Optimizer
from foxnn.schedules import Scaled, Schedule

_HIDDEN_ACTIVATIONS = {name for name in activations.names() if not Activation(name).output_only}


class _Names(StrOptions):  # type: ignore[misc]
    """Names that foxnn knows things by, its own and others', without regard to case and separators."""

    def __init__(self, own: Iterable[str], aliases: Mapping[str, str], also: Iterable[str] = ()) -> None:
        super().__init__({*own, *also})
        self._aliases = aliases

    def is_satisfied_by(self, value: Any) -> bool:
        return isinstance(value, str) and find(value, self.options, self._aliases) is not None


_POSITIVE = Interval(Real, 0, None, closed="neither")

_NOT_WITH_LBFGS = (
    *("dropout", "input_dropout", "input_noise", "l1", "max_norm", "clip_norm", "clip_value", "callbacks", "metrics"),
)

#: What both estimators take.
COMMON: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [_Names(_HIDDEN_ACTIVATIONS, activations.ALIASES), Activation, list, tuple],
    "solver": [StrOptions({"lbfgs", *optimizers.names()}), Optimizer],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"}), Schedule, callable],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="left")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
    "input_dropout": [Interval(Real, 0, 1, closed="left")],
    "input_noise": [Interval(Real, 0, None, closed="left")],
    "l1": [Interval(Real, 0, None, closed="left")],
    "max_norm": [_POSITIVE, "array-like", None],
    "norm": [StrOptions({"batch_norm", "layer_norm"}), Norm, list, tuple, None],
    "clip_norm": [_POSITIVE, None],
    "clip_value": [_POSITIVE, None],
    "callbacks": [list, tuple, None],
    "metrics": [str, callable, Metric, list, tuple, None],
}
CLASSIFIER: dict[str, list[Any]] = {
    **COMMON,
    "loss": [_Names(losses.names(), losses.ALIASES, ["log_loss"]), Loss],
    "label_smoothing": [Interval(Real, 0, 1, closed="left")],
    "class_weight": [StrOptions({"balanced"}), dict, list, None],
}
REGRESSOR: dict[str, list[Any]] = {**COMMON, "loss": [_Names(losses.names(), losses.ALIASES, ["squared_error"]), Loss]}


def hidden_sizes(hidden_layer_sizes: Any) -> list[int]:
    """Numbers of units as a list."""
    sizes = list(hidden_layer_sizes) if hasattr(hidden_layer_sizes, "__iter__") else [hidden_layer_sizes]
    if any(size <= 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    if any(size > MOST for size in sizes):
        raise ValueError(f"hidden_layer_sizes: got {sizes}; it takes integers of at most {MOST}")
    return sizes


def hidden_activations(activation: Any, n_hidden: int) -> list[Activation]:
    """One activation for each hidden layer."""
    if isinstance(activation, (str, Activation)):
        return [Activation.of(activation)] * n_hidden
    if len(activation) != n_hidden:
        raise ValueError(
            f"activation: got {len(activation)} of them; it takes one for each of {n_hidden} hidden layers"
        )
    return [Activation.of(each) for each in activation]


def hidden_norms(norm: Any, n_hidden: int) -> list[Norm | None]:
    """What normalises each hidden layer."""
    given = list(norm) if isinstance(norm, (list, tuple)) else [norm] * n_hidden
    if len(given) != n_hidden:
        raise ValueError(f"norm: got {len(given)} of them; it takes one for each of {n_hidden} hidden layers")
    norms = [from_config({"name": each}) if isinstance(each, str) else each for each in given]
    for each in norms:
        if not (each is None or isinstance(each, Norm)):
            raise TypeError(f"norm: got {each!r}; it takes 'batch_norm', 'layer_norm', a foxnn.BatchNorm or LayerNorm")
    return norms


def refuse_with_lbfgs(estimator: Any, has_validation_data: bool) -> None:
    """Refuse what L-BFGS, which goes down one smooth function of the weights, cannot do."""
    norms = estimator.norm if isinstance(estimator.norm, (list, tuple)) else [estimator.norm]
    has_batch_norm = any(isinstance(norm, BatchNorm) or norm == "batch_norm" for norm in norms)
    unwanted = {name: getattr(estimator, name) for name in _NOT_WITH_LBFGS}
    unwanted |= {"batch normalisation": has_batch_norm, "validation data": has_validation_data}
    for name, value in unwanted.items():
        if np.any(np.asarray(value, dtype=object)):
            raise ValueError(f'solver: got "lbfgs", which does without {name}')


def start(rng: Any, sizes: list[int], hidden: list[Activation], dtype: Any) -> list[tuple[Any, Any]]:
    """Weights and biases of each layer, drawn as scikit-learn does: uniform, after Glorot and Bengio (2010)."""
    layers = []
    chosen = [*hidden, hidden[-1]] if hidden else [Activation("linear")]
    for n_in, n_out, activation in zip(sizes, sizes[1:], chosen, strict=False):
        bound = np.sqrt((2.0 if activation == "sigmoid" else 6.0) / (n_in + n_out))
        weights = rng.uniform(-bound, bound, (n_in, n_out)).astype(dtype, copy=False)
        layers.append((weights, rng.uniform(-bound, bound, n_out).astype(dtype, copy=False)))
    return layers


def loss_scales(loss: Loss, n_outputs: int) -> tuple[float, float]:
    """What foxnn's gradient and value of a loss are multiplied with to be scikit-learn's.

    For some losses foxnn takes the mean over the outputs where scikit-learn sums; and scikit-learn reports the mean of
    the squared errors over the outputs, but goes down the gradient of their sum.
    """
    if loss.name in ("binary_cross_entropy", "poisson"):
        return n_outputs, n_outputs
    return 1.0, 1 / n_outputs if loss.name == "half_squared_error" else 1.0


def make_optimizer(estimator: Any, scale: float) -> Optimizer:
    """The optimizer that `solver` describes, for gradients that are too small by the factor `scale`."""
    solver, rate, momentum = estimator.solver, float(estimator.learning_rate_init), float(estimator.momentum)
    clips = {name: getattr(estimator, name) for name in ("clip_norm", "clip_value")}
    clips = {name: clip / scale for name, clip in clips.items() if clip is not None}
    if isinstance(solver, Optimizer):
        for name in clips:
            raise ValueError(f"{name}: got {getattr(estimator, name)!r} besides an optimizer of its own, {solver!r}")
        return copy.copy(solver)  # its learning rate may change
    if solver == "sgd":
        solver = "nesterov" if estimator.nesterovs_momentum else "momentum"
        name, hyper = (solver, {"momentum": momentum}) if momentum else ("sgd", {})
        return optimizers.get(name, rate * scale, **hyper, **clips)
    if solver in ("momentum", "nesterov"):
        return optimizers.get(solver, rate * scale, momentum=momentum, **clips)
    if solver in ("adam", "adamw"):
        hyper = {"beta1": estimator.beta_1, "beta2": estimator.beta_2, "epsilon": estimator.epsilon / scale}
        return optimizers.get(solver, rate, **hyper, **clips)
    return optimizers.get(solver, rate, **clips)


def schedule_of(estimator: Any, scale: float) -> float | Schedule | None:
    """The schedule that `learning_rate` or `solver` is, if one is, for gradients too small by the factor `scale`."""
    solver, schedule = estimator.solver, estimator.learning_rate
    own = solver.learning_rate if isinstance(solver, Optimizer) else None
    if isinstance(own, Schedule):
        if schedule != "constant":
            raise ValueError(f"learning_rate: got {schedule!r} besides the schedule of solver; it takes one of the two")
        return own
    if not isinstance(schedule, Schedule):
        return None
    scales = solver in ("sgd", "momentum", "nesterov") and scale != 1
    return Scaled(schedule, scale) if scales else schedule


def threads_here() -> int | None:
    """One in a worker thread of joblib, which has others beside it; else as many as foxnn may use.

    joblib's worker processes need nothing: OMP_NUM_THREADS tells them their share.
    """
    if threading.current_thread() is threading.main_thread():
        return None
    from joblib.parallel import get_active_backend  # type: ignore[import-untyped]

    return 1 if getattr(get_active_backend()[0], "nesting_level", 0) else None
