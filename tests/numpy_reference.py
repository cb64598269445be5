"""A network in NumPy, written the obvious way, formulas as in their sources: what foxnn is held against."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848, 1.0507009873554804934


def sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z < 0, e, 1) / (1 + e)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def softplus(z):
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def _expm1_below_zero(z):
    return np.expm1(np.minimum(z, 0))


def mish(z):
    return z * np.tanh(softplus(z))


def erfc(z):
    """Python's, and to first order what is left of z after rounding it to double precision."""
    near = z.astype(np.float64)
    value, rest = np.vectorize(math.erfc)(near), z - near
    return value - rest * (2 / math.sqrt(math.pi)) * np.exp(-(near.astype(z.dtype) ** 2))


#: Value of every activation, of an array of logits and, for two of them, a parameter.
ACTIVATIONS: dict[str, Callable[..., np.ndarray]] = {
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z, negative_slope=0.01: np.where(z < 0, negative_slope * z, z),
    "elu": lambda z, alpha=1.0: np.where(z > 0, z, alpha * _expm1_below_zero(z)),
    "selu": lambda z: _SELU_SCALE * np.where(z > 0, z, _SELU_ALPHA * _expm1_below_zero(z)),
    "gelu": lambda z: z * erfc(-z / np.sqrt(z.dtype.type(2))) / 2,
    "silu": lambda z: z * sigmoid(z),
    "softplus": softplus,
    "softsign": lambda z: z / (1 + np.abs(z)),
    "hard_sigmoid": lambda z: np.clip(z / 6 + 0.5, 0, 1),
    "hard_tanh": lambda z: np.clip(z, -1, 1),
    "relu6": lambda z: np.clip(z, 0, 6),
    "mish": mish,
    "sin": np.sin,
    "cos": np.cos,
    "gaussian": lambda z: np.exp(-(z**2)),
    "arctan": np.arctan,
    "exp": np.exp,
    "linear": lambda z: z,
    "threshold": lambda z: (z > 0).astype(z.dtype),
    "foxnn_relu": lambda z: np.maximum(z, 0),
    "softmax": softmax,
}

#: Where an activation has no derivative (elu has one at 0 only if alpha is 1).
KINKS: dict[str, tuple[float, ...]] = {
    "relu": (0,),
    "leaky_relu": (0,),
    "elu": (0,),
    "selu": (0,),
    "hard_sigmoid": (-3, 3),
    "hard_tanh": (-1, 1),
    "relu6": (0, 6),
    "threshold": (0,),
    "foxnn_relu": (0,),
}

#: Derivative of some activations, of their logits.
SLOPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sigmoid": lambda z: sigmoid(z) * (1 - sigmoid(z)),
    "tanh": lambda z: 1 - np.tanh(z) ** 2,
    "relu": lambda z: (z > 0).astype(z.dtype),
    "softplus": sigmoid,
    "sin": np.cos,
    "gaussian": lambda z: -2 * z * np.exp(-(z**2)),
    "linear": np.ones_like,
    "exp": np.exp,
}


def smoothed(t: np.ndarray, label_smoothing: float, classes: int) -> np.ndarray:
    """Szegedy et al. 2016: targets of which that share is spread over all classes."""
    return (1 - label_smoothing) * t + label_smoothing / classes


#: Loss of every sample from outputs y and targets t, both (n, n_out), and for some of them a parameter.
LOSSES: dict[str, Callable[..., np.ndarray]] = {
    "half_squared_error": lambda y, t: ((y - t) ** 2).sum(axis=1) / 2,
    "mean_squared_error": lambda y, t: ((y - t) ** 2).mean(axis=1),
    "mean_absolute_error": lambda y, t: np.abs(y - t).mean(axis=1),
    "huber": lambda y, t, delta=1.0: np.where(
        np.abs(y - t) <= delta, (y - t) ** 2 / 2, delta * (np.abs(y - t) - delta / 2)
    ).mean(axis=1),
    "binary_cross_entropy": lambda y, t, label_smoothing=0.0: (
        -smoothed(t, label_smoothing, 2) * np.log(y) - smoothed(1 - t, label_smoothing, 2) * np.log(1 - y)
    ).mean(axis=1),
    "cross_entropy": lambda y, t, label_smoothing=0.0: (
        -(smoothed(t, label_smoothing, t.shape[1]) * np.log(y)).sum(axis=1)
    ),
    "poisson": lambda y, t: (y - t * np.log(y)).mean(axis=1),
}

#: Derivative of a sample's loss with respect to each of its outputs.
LOSS_SLOPES: dict[str, Callable[..., np.ndarray]] = {
    "half_squared_error": lambda y, t: y - t,
    "mean_squared_error": lambda y, t: 2 * (y - t) / y.shape[1],
    "mean_absolute_error": lambda y, t: np.sign(y - t) / y.shape[1],
    "huber": lambda y, t, delta=1.0: np.clip(y - t, -delta, delta) / y.shape[1],
    "binary_cross_entropy": lambda y, t, label_smoothing=0.0: (
        (smoothed(1 - t, label_smoothing, 2) / (1 - y) - smoothed(t, label_smoothing, 2) / y) / y.shape[1]
    ),
    "cross_entropy": lambda y, t, label_smoothing=0.0: -smoothed(t, label_smoothing, t.shape[1]) / y,
    "poisson": lambda y, t: (1 - t / y) / y.shape[1],
}


class Normalisation:
    """Ioffe and Szegedy 2015 (over the batch, axis 0), Ba et al. 2016 (over the units, axis 1)."""

    def __init__(self, norm) -> None:
        self.axis = 0 if norm.name == "batch_norm" else 1
        self.epsilon = norm.epsilon
        self.gamma, self.beta = norm.gamma.astype(np.float64), norm.beta.astype(np.float64)
        if self.axis == 0:
            self.momentum = norm.momentum
            self.mean, self.variance = norm.running_mean.astype(np.float64), norm.running_variance.astype(np.float64)

    def __call__(self, z, training: bool) -> np.ndarray:
        self.z = z
        mean, variance = z.mean(axis=self.axis, keepdims=True), z.var(axis=self.axis, keepdims=True)
        if self.axis == 0 and not training:
            mean, variance = self.mean, self.variance
        self.deviation = np.sqrt(variance + self.epsilon)
        self.normal = (z - mean) / self.deviation
        return self.gamma * self.normal + self.beta

    def backward(self, d) -> np.ndarray:
        d = d * self.gamma / self.deviation
        mean = {"axis": self.axis, "keepdims": True}
        return d - d.mean(**mean) - self.normal * (d * self.normal).mean(**mean)

    def follow(self) -> None:
        """Move the running moments towards those of the latest batch."""
        if self.axis == 0:
            self.mean = (1 - self.momentum) * self.mean + self.momentum * self.z.mean(axis=0)
            self.variance = (1 - self.momentum) * self.variance + self.momentum * self.z.var(axis=0, ddof=1)


class Network:
    """Weights `W` and biases `b` of all layers, taken from a foxnn network; activations and loss by name."""

    def __init__(self, nn) -> None:
        self.W = [layer.weights.astype(np.float64) for layer in nn.layers]
        self.b = [layer.bias.astype(np.float64) for layer in nn.layers]
        self.activations = [layer.activation.name for layer in nn.layers]
        self.loss, self.loss_parameters = nn.loss.name, nn.loss.parameters
        self.l1, self.l2 = nn.l1, nn.l2
        self.norms = [layer.norm and Normalisation(layer.norm) for layer in nn.layers]

    @property
    def parameters(self) -> list[np.ndarray]:
        norms = [norm for norm in self.norms if norm]
        return [*self.W, *self.b, *(norm.gamma for norm in norms), *(norm.beta for norm in norms)]

    def logits(self, X, training: bool = True) -> list[np.ndarray]:
        """What goes into each layer's activation."""
        logits = []
        for W, b, activation, norm in zip(self.W, self.b, self.activations, self.norms, strict=True):
            logits.append(norm(X @ W + b, training) if norm else X @ W + b)
            X = ACTIVATIONS[activation](logits[-1])
        return logits

    def predict(self, X, training: bool = True) -> np.ndarray:
        return ACTIVATIONS[self.activations[-1]](self.logits(X, training)[-1])

    def losses(self, X, T) -> np.ndarray:
        return LOSSES[self.loss](self.predict(X), T, **self.loss_parameters)

    def gradients(self, X, T, weights) -> list[np.ndarray]:
        """Gradients of the weighted mean loss, in the order of `parameters`: the chain rule, backwards."""
        logits = self.logits(X)
        outputs = [ACTIVATIONS[a](z) for a, z in zip(self.activations, logits, strict=True)]
        inputs = [X, *outputs[:-1]]
        d = LOSS_SLOPES[self.loss](outputs[-1], T, **self.loss_parameters) * (weights / weights.sum())[:, None]
        dW, db, d_gamma, d_beta = [], [], [], []
        for layer in reversed(range(len(self.W))):
            if self.activations[layer] == "softmax":
                y = outputs[layer]
                jacobian = np.stack([np.diag(row) - np.outer(row, row) for row in y])
                d = np.einsum("ni,nij->nj", d, jacobian)
            else:
                d = d * SLOPES[self.activations[layer]](logits[layer])
            norm = self.norms[layer]
            if norm:
                d_gamma.insert(0, (d * norm.normal).sum(axis=0))
                d_beta.insert(0, d.sum(axis=0))
                d = norm.backward(d)
            dW.insert(0, inputs[layer].T @ d + self.l1 * np.sign(self.W[layer]) + self.l2 * self.W[layer])
            db.insert(0, d.sum(axis=0) * (not norm or norm.axis == 1))  # under batch normalisation exactly zero
            d = d @ self.W[layer].T
        return [*dW, *db, *d_gamma, *d_beta]


class Optimizer:
    """The steps of one optimizer on a list of arrays, which it changes in place."""

    def __init__(self, name: str, learning_rate: float, **hyper: float) -> None:
        self.lr, self.t = learning_rate, 0
        self.update = getattr(self, name)
        self.hyper = hyper
        self.state: list[dict[str, np.ndarray]] = []

    def step(self, parameters: Sequence[np.ndarray], gradients: Sequence[np.ndarray]) -> None:
        self.t += 1
        if not self.state:
            self.state = [{name: np.zeros_like(w) for name in "vsm"} for w in parameters]
        for w, g, state in zip(parameters, gradients, self.state, strict=True):
            w[...] = self.update(w, g, state, **self.hyper)

    def sgd(self, w, g, state):
        return w - self.lr * g

    def momentum(self, w, g, state, momentum=0.9):  # Polyak 1964, Sutskever et al. 2013
        state["v"] = momentum * state["v"] - self.lr * g
        return w + state["v"]

    def nesterov(self, w, g, state, momentum=0.9):  # Sutskever et al. 2013, at the point looked ahead to
        state["v"] = momentum * state["v"] - self.lr * g
        return w + momentum * state["v"] - self.lr * g

    def adagrad(self, w, g, state, epsilon=1e-10):  # Duchi et al. 2011
        state["s"] = state["s"] + g**2
        return w - self.lr * g / (np.sqrt(state["s"]) + epsilon)

    def rmsprop(self, w, g, state, rho=0.9, epsilon=1e-8):  # Hinton 2012
        state["s"] = rho * state["s"] + (1 - rho) * g**2
        return w - self.lr * g / (np.sqrt(state["s"]) + epsilon)

    def adam(self, w, g, state, beta1=0.9, beta2=0.999, epsilon=1e-8):  # Kingma and Ba 2015, algorithm 1
        state["m"] = beta1 * state["m"] + (1 - beta1) * g
        state["v"] = beta2 * state["v"] + (1 - beta2) * g**2
        m_hat = state["m"] / (1 - beta1**self.t)
        v_hat = state["v"] / (1 - beta2**self.t)
        return w - self.lr * m_hat / (np.sqrt(v_hat) + epsilon)

    def adamw(self, w, g, state, weight_decay=0.01, **hyper):  # Loshchilov and Hutter 2019
        return self.adam(w, g, state, **hyper) - self.lr * weight_decay * w


def one_hot(labels, n: int) -> np.ndarray:
    return np.eye(n)[labels]
