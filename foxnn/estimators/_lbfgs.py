"""The solver "lbfgs": SciPy's L-BFGS-B on the loss and the gradient that the core computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import scipy.optimize
from sklearn.utils.optimize import _check_optimize_result

from foxnn.estimators._parameters import loss_scales

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


class _Objective:
    """Regularised loss and its gradient as a function of all parameters in one vector: the weights, then the biases."""

    def __init__(self, network: NeuralNetwork, X: Any, y: Any, sample_weight: Any, alpha: float) -> None:
        self._network = network
        self._samples, _ = network._samples(X, y, sample_weight)
        self._scale, _ = loss_scales(network.loss, network.sizes[-1])
        self._alpha = alpha / (len(X) if sample_weight is None else float(sample_weight.sum()))
        self.value = np.inf  # the latest

    def get(self) -> npt.NDArray[np.float64]:
        layers = self._network.layers
        parts = [layer.weights.ravel() for layer in layers] + [layer.bias for layer in layers]
        return np.concatenate(parts).astype(np.float64)

    def set(self, flat: npt.NDArray[np.float64]) -> bool:
        """Put the parameters into the network, if they are finite there."""
        with np.errstate(over="ignore"):
            values = flat.astype(self._network.dtype, copy=False)
        if not np.isfinite(values).all():
            return False
        begin = 0
        for layer in self._network.layers:
            end = begin + layer.n_in * layer.n_out
            layer.weights = values[begin:end].reshape(layer.n_in, layer.n_out)
            begin = end
        for layer in self._network.layers:
            layer.bias = values[begin : begin + layer.n_out]
            begin += layer.n_out
        return True

    def __call__(self, flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        network = self._network
        self.value, gradient = np.inf, np.zeros_like(flat)
        if not self.set(flat):
            return self.value, gradient
        loss, weight, gradients = network._get_trainer().gradients(
            network._core, self._samples, 0.0, 0.0, False, network.n_threads or 0
        )
        if weight == 0:  # the loss is not finite
            return self.value, gradient
        np.concatenate([g.ravel() for g, _ in gradients] + [g for _, g in gradients], out=gradient, casting="same_kind")
        gradient *= self._scale
        weights = flat[: sum(g.size for g, _ in gradients)]
        gradient[: len(weights)] += self._alpha * weights
        self.value = self._scale * loss / weight + 0.5 * self._alpha * float(weights @ weights)
        return self.value, gradient


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
            objective.get(),
            method="L-BFGS-B",
            jac=True,
            callback=after_iteration,
            options={"maxfun": estimator.max_fun, "maxiter": estimator.max_iter, "gtol": estimator.tol},
        )
        finite = objective.set(result.x)
    if not finite or not np.isfinite(result.fun):
        raise ValueError(
            "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
            "preprocessed."
        )
    estimator.n_iter_ = _check_optimize_result("lbfgs", result, estimator.max_iter)
    estimator.loss_ = float(result.fun)
