"""Promise: parameters are handed out as read-only copies; assigning a whole array changes the network."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import foxnn


def network() -> foxnn.NeuralNetwork:
    return foxnn.neural_network([2, 3, foxnn.BatchNorm(), 1], seed=0)


PLACES: list[Callable[[foxnn.NeuralNetwork], Any]] = [
    lambda nn: nn.layers[0].weights,
    lambda nn: nn.layers[0].weights[0],
    lambda nn: nn.layers[1].bias,
    lambda nn: nn.layers[0].norm.gamma,
    lambda nn: nn.layers[0].norm.running_mean,
    lambda nn: nn.layers[0].get_array("beta"),
    lambda nn: nn.get_weights()[0],
    lambda nn: nn.parameters,
]


@pytest.mark.parametrize("read", PLACES)
def test_items_cannot_be_assigned(read: Callable[[foxnn.NeuralNetwork], Any]) -> None:
    nn = network()
    before = nn.parameters
    with pytest.raises(ValueError, match=r"^this array is a copy of .*; assign a whole one: w = layer.weights.copy"):
        read(nn)[0] = 7
    with pytest.raises(ValueError, match="read-only"):
        np.add(read(nn), 1, out=read(nn))
    assert (nn.parameters == before).all()


def test_operators_in_place_assign() -> None:
    nn = network()
    layer, before = nn.layers[0], nn.parameters
    layer.weights *= 0.5
    layer.bias += 1
    layer.norm.gamma /= [1, 2, 4]
    assert (layer.weights == before[:6].reshape(2, 3) * np.float32(0.5)).all()
    assert layer.bias.tolist() == [1, 1, 1]
    assert layer.norm.gamma.tolist() == [1, 0.5, 0.25]
    nn.parameters -= nn.parameters
    assert not nn.parameters.any()


def test_what_comes_of_them_is_plain() -> None:
    w = network().layers[0].weights
    for plain in (w * 2, w @ w.T, w.mean(axis=0), w.copy(), copy.copy(w), copy.deepcopy(w), np.array(w), np.exp(w)):
        assert type(plain) is np.ndarray
        assert plain.flags.writeable
    assert type(w.sum()) is np.float32
    assert type(pickle.loads(pickle.dumps(w))) is np.ndarray
    assert repr(w) == repr(np.asarray(w))
    changed = w.astype(np.float64)
    changed[0, 0], changed[1] = 7, changed[1] + 1
    changed *= 2
    assert changed[0, 0] == 14
