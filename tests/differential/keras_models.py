"""Models of Keras, on whatever backend there is."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

import foxnn
from differential import Case

NEEDS = ("keras",)
_NAMES = ["sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "softsign",
          "hard_sigmoid", "hard_tanh", "relu6", "mish", "linear"]  # fmt: skip


class Own(layers.Dense):
    """One that computes something else than its base."""

    def call(self, x: Any) -> Any:
        return 2 * super().call(x)


class Doubled(keras.Sequential):
    """One that computes something else than its base."""

    def call(self, *inputs: Any, **options: Any) -> Any:
        return 2 * super().call(*inputs, **options)


def _activation(random: np.random.Generator) -> Any:
    slope = float(random.uniform(0.01, 1))
    choices = [layers.ReLU(), layers.LeakyReLU(slope), layers.ELU(slope), layers.ReLU(negative_slope=slope),
               layers.ReLU(max_value=6), layers.Activation(_NAMES[random.integers(len(_NAMES))])]  # fmt: skip
    return choices[random.integers(len(choices))]


def _randomized(model: Any, random: np.random.Generator) -> Any:
    for weights in model.weights:
        if len(weights.shape) and "seed" not in weights.path:
            values = random.normal(size=weights.shape) / np.sqrt(weights.shape[0])
            weights.assign(np.abs(values) + 0.5 if "variance" in weights.path else values)
    return model


def _odd(random: np.random.Generator, width: int, x: Any) -> Any:
    """Something that may be refused, or not, of x."""
    choices = [
        lambda: Own(width)(x), lambda: layers.BatchNormalization()(x, training=True), lambda: layers.PReLU()(x),
        lambda: Doubled([keras.Input((width,)), layers.Dense(width)])(x), lambda: layers.Add()([x, x]),
        lambda: layers.ReLU(threshold=1.0)(x), lambda: layers.ReLU(max_value=2.0)(x), lambda: keras.ops.add(x, 1.0),
        lambda: layers.Softmax(axis=0)(x), lambda: layers.LayerNormalization()(x), lambda: layers.Dropout(0.5)(x),
        lambda: layers.Dense(width, activation=lambda y: -y)(x), lambda: layers.Activation("softmax")(x),
    ]  # fmt: skip
    return choices[random.integers(len(choices))]()


def case(random: np.random.Generator) -> Case:
    """Functional models in a chain, with models in them, and layers that are used twice."""
    chance = random.random
    shape = (int(random.integers(1, 6)),) if chance() < 0.7 else (2, int(random.integers(1, 4)))
    x = inputs = keras.Input(shape)
    if chance() < 0.2:
        x = layers.Rescaling(float(random.uniform(0.1, 2)), float(random.normal()))(x)
    if chance() < 0.2:
        numbers = random.normal(size=shape[-1]), random.uniform(0.5, 4, size=shape[-1])
        x = layers.Normalization(mean=numbers[0], variance=numbers[1], invert=bool(chance() < 0.3))(x)
    odd = bool(chance() < 0.25)
    if len(shape) > 1:
        odd |= (first := bool(chance() < 0.2))
        x = layers.Flatten(data_format="channels_first" if first else "channels_last")(x)
    shared, n = _activation(random), random.integers(1, 4)
    for i in range(n):
        width = int(random.integers(2, 6))
        if chance() < 0.2:
            inner = [keras.Input((x.shape[-1],)), layers.Dense(width), _activation(random)]
            x = keras.Sequential(inner)(x)
        elif chance() < 0.5:
            x = layers.Dense(width, activation=_NAMES[random.integers(len(_NAMES))], use_bias=bool(chance() < 0.8))(x)
        else:
            x = layers.Dense(width)(x)
            if chance() < 0.3:
                x = (layers.LayerNormalization() if chance() < 0.5 else layers.BatchNormalization())(x)
            x = (shared if chance() < 0.5 else _activation(random))(x)
        if chance() < 0.2:
            x = layers.Dropout(0.25)(x)
        if chance() < 0.2:
            x = layers.BatchNormalization(scale=bool(chance() < 0.5))(x)
        if odd and i == n - 1:
            x = _odd(random, width, x)
    if chance() < 0.2:
        twice = layers.Dense(x.shape[-1])
        x = twice(twice(x))
    x = layers.Dense(3, activation="softmax" if chance() < 0.3 else None)(x)
    model = _randomized(keras.Model(inputs, x), random)
    description = " ".join(type(layer).__name__ for layer in model.layers)

    def run(X: Any) -> Any:
        return keras.ops.convert_to_numpy(model(X.reshape(-1, *shape), training=False))

    return Case(description, lambda: foxnn.from_keras(model), run, int(np.prod(shape)), "float32", odd)
