"""The solver "lbfgs": SciPy's L-BFGS-B on the loss and the gradient that the core computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import scipy.optimize
from sklearn.utils.optimize import _check_optimize_result

from foxnn.estimators._parameters import loss_scales
from foxnn.training.own_loop import loss_and_gradient

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


class _Objective:
    """Regularised loss and its gradient as a function of all parameters in one vector."""

    def __init__(self, network: NeuralNetwork, X: Any, y: Any, sample_weight: Any, alpha: float) -> None:
        self._network = network
        self._samples, _ = network._samples(X, y, sample_weight, trains=True)
        self._scale, _ = loss_scales(network.loss, network._n_out)
        network.l2 = alpha / (len(X) if sample_weight is None else float(sample_weight.sum())) / self._scale
        self.value = np.inf  # the latest

    def __call__(self, parameters: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        if not np.isfinite(parameters).all():
            self.value = np.inf
            return self.value, np.zeros_like(parameters)
        loss, gradient = loss_and_gradient(self._network, parameters, self._samples)
        self.value = self._scale * loss
        return self.value, self._scale * gradient


def fit_lbfgs(estimator: Any, network: NeuralNetwork, X: Any, y: Any, sample_weight: Any) -> None:
    """Train until the gradient is small, or `max_iter` or `max_fun` is reached (with a ConvergenceWarning)."""
    objective = _Objective(network, X, y, sample_weight, estimator.alpha)

    def after_iteration(_: Any) -> None:
        estimator.loss_curve_.append(objective.value)
        if estimator.verbose:
            print(f"Iteration {len(estimator.loss_curve_)}, loss = {objective.value:.8f}")

    with network._exclusively():
        result = scipy.optimize.minimize(
            objective,
            network.parameters.astype(np.float64),
            method="L-BFGS-B",
            jac=True,
            callback=after_iteration,
            options={"maxfun": estimator.max_fun, "maxiter": estimator.max_iter, "gtol": estimator.tol},
        )
        if not np.isfinite(result.fun) or not np.isfinite(result.x).all():
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
                "preprocessed."
            )
        network.parameters = result.x
    estimator.n_iter_ = _check_optimize_result("lbfgs", result, estimator.max_iter)
    estimator.loss_ = float(result.fun)
