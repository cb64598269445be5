"""The stochastic solvers: scikit-learn's rules for stopping and for the learning rate, as a callback of `fit`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from foxnn._warnings import warn_user
from foxnn.callbacks import Callback
from foxnn.callbacks._weights import bring_back, weights_of
from foxnn.errors import DivergenceError
from foxnn.estimators._parameters import loss_scales, make_optimizer, schedule_of
from foxnn.training.loop import train
from foxnn.training.plan import Plan

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

#: Below this, an adaptive learning rate is not divided any more.
_LEAST_RATE = 1e-6


class _Watch(Callback):
    """Keeps the estimator's attributes up to date, adapts the learning rate and stops when nothing improves."""

    stopped: bool

    def __init__(self, estimator: Any, network: NeuralNetwork, n: int, n_batches: int, validation: Any) -> None:
        self._estimator = estimator
        self._n = n
        self._validation = validation
        gradient_scale, self._loss_scale = loss_scales(network.loss, network._n_out)
        self._l1, self._half_l2 = network.l1 * gradient_scale, 0.5 * network.l2 * gradient_scale
        self._late_share = 0.5 * (1 - 1 / n_batches)
        schedule = estimator.learning_rate
        self._schedule = "constant" if estimator.solver == "adam" and isinstance(schedule, str) else schedule
        own = schedule_of(estimator, gradient_scale)
        if own is None:
            self._rate = make_optimizer(estimator, gradient_scale).learning_rate
        else:
            network.optimizer.learning_rate = own
            self._schedule = "constant"  # nothing is left to do here
        self._best_weights: list[Any] = []
        self.stopped = False

    def on_train_begin(self, network: NeuralNetwork, epochs: int, n_samples: int | None) -> None:
        self._penalty = self._penalty_of(network)
        if self._estimator.early_stopping:
            self._remember(network)
        if callable(self._schedule):
            network.optimizer.learning_rate = float(self._schedule(len(self._estimator.loss_curve_)))

    def on_epoch_end(self, network: NeuralNetwork, epoch: int, values: dict[str, float]) -> None:
        e = self._estimator
        before, self._penalty = self._penalty, self._penalty_of(network)
        # The mean over the batches, each before its update: weights change about evenly over an epoch.
        e.loss_ = values["loss"] * self._loss_scale + before + (self._penalty - before) * self._late_share
        e.n_iter_ = epoch + 1
        e.t_ += self._n
        e.loss_curve_.append(e.loss_)
        if e.verbose:
            print(f"Iteration {e.n_iter_}, loss = {e.loss_:.8f}")
        if self._validation is not None:
            self._validate(network)
        self._count()
        if self._schedule == "invscaling":
            network.optimizer.learning_rate = self._rate / (e.t_ + 1) ** e.power_t
        elif callable(self._schedule):
            network.optimizer.learning_rate = float(self._schedule(len(e.loss_curve_)))
        if e._no_improvement_count > e.n_iter_no_change:
            self._no_progress(network)

    def _penalty_of(self, network: NeuralNetwork) -> float:
        if not self._l1 and not self._half_l2:
            return 0.0
        weights = [layer.weights.ravel() for layer in network.layers]
        with np.errstate(over="ignore"):
            penalty = self._half_l2 * sum(float(w @ w) for w in weights)
            return penalty + self._l1 * sum(float(np.abs(w).sum()) for w in weights) if self._l1 else penalty

    def _remember(self, network: NeuralNetwork) -> None:
        self._best_weights = weights_of(network)

    def restore_best(self, network: NeuralNetwork) -> None:
        """Bring the best weights back."""
        bring_back(network, self._best_weights)

    def _validate(self, network: NeuralNetwork) -> None:
        e = self._estimator
        score = e._validation_score(network, *self._validation)
        e.validation_scores_.append(score)
        if e.verbose:
            print(f"Validation score: {score:f}")
        self._last_is_better = score >= e.best_validation_score_ + e.tol
        if score > e.best_validation_score_:
            e.best_validation_score_ = score
            if e.early_stopping:
                self._remember(network)

    def _count(self) -> None:
        """Count the epochs without improvement by `tol`."""
        e = self._estimator
        if e.early_stopping:
            improved = self._last_is_better
        else:
            improved = not e.loss_curve_[-1] > e.best_loss_ - e.tol
            e.best_loss_ = min(e.best_loss_, e.loss_curve_[-1])
        e._no_improvement_count = 0 if improved else e._no_improvement_count + 1

    def _no_progress(self, network: NeuralNetwork) -> None:
        e = self._estimator
        what = "Validation score" if e.early_stopping else "Training loss"
        message = f"{what} did not improve more than tol={e.tol:f} for {e.n_iter_no_change} consecutive epochs."
        rate: Any = network.optimizer.learning_rate
        if self._schedule == "adaptive" and rate > _LEAST_RATE:
            network.optimizer.learning_rate = rate / 5
            e._no_improvement_count = 0
            outcome = f"Setting learning rate to {rate / 5:f}"
        else:
            network.stop_training = self.stopped = True
            outcome = "Learning rate too small. Stopping." if self._schedule == "adaptive" else "Stopping."
        if e.verbose:
            print(message, outcome)


def fit_stochastic(
    estimator: Any, network: NeuralNetwork, X: Any, y: Any, sample_weight: Any, validation: Any, incremental: bool
) -> None:
    """Train for up to `max_iter` epochs, or one if `incremental`."""
    n = len(X)
    batch_size = min(200, n) if estimator.batch_size == "auto" else int(estimator.batch_size)
    if batch_size > n:
        warn_user(f"batch_size={batch_size} is larger than the {n} samples; it is clipped.")
        batch_size = n
    scale, _ = loss_scales(network.loss, network._n_out)
    mean_weight = 1.0 if sample_weight is None else float(np.mean(sample_weight))
    network.l2 = estimator.alpha / (batch_size * mean_weight * scale) if mean_weight else 0.0
    network.l1 = estimator.l1 / scale
    callbacks, metrics = list(estimator.callbacks or ()), estimator.metrics or ()
    watch = _Watch(estimator, network, n, -(-n // batch_size), validation)
    estimator.n_iter_ = 0
    try:
        plan = Plan.checked(
            network,
            X,
            y,
            epochs=1 if incremental else estimator.max_iter,
            batch_size=batch_size,
            optimizer=network.optimizer,
            sample_weight=sample_weight,
            validation_data=None if validation is None or not (callbacks or metrics) else tuple(validation),
            shuffle=estimator.shuffle,
            callbacks=[watch, *callbacks],
            metrics=metrics,
            verbose=False,
            goes_on=incremental,
        )
        train(network, network._core, plan)
    except KeyboardInterrupt:
        warn_user("Training interrupted by user.")
    except DivergenceError as error:
        if not estimator.early_stopping or estimator.best_validation_score_ == -math.inf:
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
                f"preprocessed. ({error})"
            ) from error
        estimator.validation_scores_.append(math.nan)
        warn_user(f"The weights with the best validation score are kept: {error}", ConvergenceWarning)
    else:
        if not incremental and estimator.n_iter_ == estimator.max_iter and not network.stop_training:
            warn_user(
                f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the optimization hasn't "
                "converged yet.",
                ConvergenceWarning,
            )
    if estimator.early_stopping:
        watch.restore_best(network)
