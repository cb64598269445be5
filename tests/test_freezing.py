"""Promise: a frozen layer is not touched, and the others train as if it were a part of the task."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_own_loop import batches, parameters, state_of

import foxnn

SIZES = [5, 37, 20, 3]
FROZEN = [frozen for frozen in product([False, True], repeat=3) if any(frozen)]


def network(frozen: tuple[bool, ...], **options: Any) -> foxnn.NeuralNetwork:
    nn = foxnn.neural_network(SIZES, "tanh", "linear", seed=1, **options)
    for layer, is_frozen in zip(nn.layers, frozen, strict=True):
        layer.trainable = not is_frozen
    return nn


def data() -> tuple[Any, Any]:
    parts = batches(20)
    return np.concatenate([X for X, _ in parts]), np.concatenate([T for _, T in parts])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("frozen", FROZEN)
def test_frozen_layers_stay_and_the_others_train_as_they_would(frozen: tuple[bool, ...], dtype: str) -> None:
    """Plain gradient descent on all layers, the frozen ones put back after each step, is the same thing."""
    frozen_ones, put_back = network(frozen, dtype=dtype), network((False,) * 3, dtype=dtype)
    start = [(layer.weights, layer.bias) for layer in put_back.layers]
    for nn in (frozen_ones, put_back):
        nn.optimizer = foxnn.optimizers.SGD(0.05)
    for X, T in batches():
        frozen_ones.train_on_batch(X, T)
        put_back.train_on_batch(X, T)
        for layer, is_frozen, (weights, bias) in zip(put_back.layers, frozen, start, strict=True):
            if is_frozen:
                layer.weights, layer.bias = weights, bias
    for a, b in zip(parameters(frozen_ones), parameters(put_back), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("optimizer", foxnn.optimizers.names())
def test_no_optimizer_touches_them_nor_forgets_about_them(optimizer: str) -> None:
    """Not by momentum, weight decay or max-norm; and training goes on from there when the layer thaws."""
    X, T = data()
    nn = network((False,) * 3)
    nn.optimizer = foxnn.optimizers.get(optimizer, 1e-3)
    nn.l1 = nn.l2 = 1e-3
    nn.partial_fit(X, T)
    remembered = [nn._optimizer_state.get(nn._core, 1, s) for s in range(foxnn._core.OPTIMIZERS[optimizer]["n_state"])]
    before = parameters(nn)
    nn.layers[1].trainable = False
    nn.max_norm = 0.5 * float(np.linalg.norm(before[2], axis=0).min())
    nn.partial_fit(X, T)
    nn.apply_gradients([(np.ones_like(layer.weights), np.ones_like(layer.bias)) for layer in nn.layers])
    for index, (a, b) in enumerate(zip(parameters(nn), before, strict=True)):
        assert (a == b).all() == (index in (2, 3))
    for s, (weights, bias) in enumerate(remembered):
        np.testing.assert_array_equal(nn._optimizer_state.get(nn._core, 1, s)[0], weights)
        np.testing.assert_array_equal(nn._optimizer_state.get(nn._core, 1, s)[1], bias)
    nn.layers[1].trainable = True
    nn.partial_fit(X, T)
    assert (nn.layers[1].weights != before[2]).any()


def test_gradients_of_frozen_layers_are_zero_and_the_others_right() -> None:
    X, T = data()
    free = network((False,) * 3, dtype="float64")
    loss, expected = free.loss_and_gradients(X, T)
    nn = network((True, False, True), dtype="float64")
    frozen_loss, gradients = nn.loss_and_gradients(X, T)
    assert frozen_loss == loss
    for index, (got, right) in enumerate(zip(gradients, expected, strict=True)):
        for a, b in zip(got, right, strict=True):
            np.testing.assert_array_equal(a, b if index == 1 else np.zeros_like(b))
    np.testing.assert_array_equal(nn.input_gradients(X, T), free.input_gradients(X, T))
    nn.forward(X), free.forward(X)
    (_, d_input), (_, right) = nn.backward(T, input_gradient=True), free.backward(T, input_gradient=True)
    np.testing.assert_array_equal(d_input, right)


def test_a_network_that_is_frozen_whole_only_measures() -> None:
    X, T = data()
    nn = network((True,) * 3)
    before = parameters(nn)
    history = nn.fit(X, T, epochs=2, verbose=False)
    assert history["loss"] == pytest.approx([nn.evaluate(X, T)["loss"]] * 2, rel=1e-5)
    for a, b in zip(parameters(nn), before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("n_threads", [2, 3, 8])
@pytest.mark.parametrize("frozen", [(True, False, False), (True, True, False), (False, False, True)])
def test_the_same_bits_for_any_number_of_threads(frozen: tuple[bool, ...], n_threads: int) -> None:
    X, T = data()
    alone, team = network(frozen, n_threads=1), network(frozen, n_threads=n_threads)
    alone.fit(X, T, epochs=2, verbose=False)
    team.fit(X, T, epochs=2, verbose=False)
    for a, b in zip(parameters(alone), parameters(team), strict=True):
        np.testing.assert_array_equal(a, b)


def test_copies_and_files_know_what_is_frozen(tmp_path: Path) -> None:
    nn = network((True, False, True))
    nn.save(tmp_path / "net.safetensors")
    for other in (nn.copy(), foxnn.load(tmp_path / "net.safetensors")):
        assert [layer.trainable for layer in other.layers] == [False, True, False]
        assert state_of(other) == state_of(nn)
    nn.next_layer(foxnn.layer(3, 2))
    assert [layer.trainable for layer in nn.layers] == [False, True, False, True]


def test_anything_but_true_and_false_is_refused() -> None:
    nn = network((False,) * 3)
    with pytest.raises(TypeError, match="trainable: got 'no'; it takes True or False"):
        nn.layers[0].trainable = "no"  # type: ignore[assignment]
    nn.layers[0].trainable = np.bool_(False)  # type: ignore[assignment]
    assert nn.layers[0].trainable is False


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("norm", [foxnn.BatchNorm(), foxnn.LayerNorm()], ids=["batch", "layer"])
def test_the_normalisation_of_a_frozen_layer_stays_too(norm: Any, index: int) -> None:
    """The running moments too, also if gradients go through it on their way down."""
    X, T = data()
    nn = foxnn.neural_network([5, 12, norm, 7, norm, 3], "tanh", "linear", seed=0)
    nn.partial_fit(X, T)
    nn.layers[index].trainable = False
    before = {name: nn.layers[index].get_array(name) for name in nn.layers[index].array_names}
    nn.fit(X, T, epochs=2, verbose=False)
    nn.forward(X)
    for name, array in before.items():
        np.testing.assert_array_equal(nn.layers[index].get_array(name), array)
