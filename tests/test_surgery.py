"""Promise: layers can be added, inserted and removed; weights stay wherever they fit, the others start as in a new
network, and the network goes on being one: it trains, and is saved and copied with all it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_own_loop import parameters, state_of

import foxnn

X = np.random.default_rng(0).normal(size=(30, 4))
Y = np.random.default_rng(1).integers(3, size=30)


def network(**options: Any) -> foxnn.NeuralNetwork:
    chosen = {"activation": ["tanh", "gelu"], "output": "softmax", "dropout": [0.1, 0.2], "seed": 5} | options
    nn = foxnn.neural_network([4, 8, 6, 3], **chosen)
    for layer in nn.layers:
        layer.bias = np.arange(layer.n_out) / 10
    return nn


def assert_kept(nn: foxnn.NeuralNetwork, old: foxnn.NeuralNetwork, kept: dict[int, int]) -> None:
    """These layers of nn are those of the old one, and no others are."""
    for i, layer in enumerate(nn.layers):
        for j, other in enumerate(old.layers):
            same = layer.weights.shape == other.weights.shape and bool((layer.weights == other.weights).all())
            assert same == (kept.get(i) == j), (i, j)
        if i in kept:
            np.testing.assert_array_equal(layer.bias, old.layers[kept[i]].bias)
            assert layer.activation == old.layers[kept[i]].activation


CHANGES = {
    # what is done: sizes, activations, dropout, and which old layer each one is
    "insert first": (lambda nn: nn.insert(0, 7, "relu", dropout=0.5), [4, 7, 8, 6, 3], "relu tanh gelu softmax",
                     [0.5, 0.1, 0.2], {2: 1, 3: 2}),
    "insert": (lambda nn: nn.insert(1, 7, "relu"), [4, 8, 7, 6, 3], "tanh relu gelu softmax", [0.1, 0, 0.2],
               {0: 0, 3: 2}),
    "insert, same width": (lambda nn: nn.insert(1, 8, "relu"), [4, 8, 8, 6, 3], "tanh relu gelu softmax", [0.1, 0, 0.2],
                           {0: 0, 2: 1, 3: 2}),
    "insert last": (lambda nn: nn.insert(2, 5, "elu", dropout=0.3), [4, 8, 6, 5, 3], "tanh gelu elu softmax",
                    [0.1, 0.2, 0.3], {0: 0, 1: 1}),
    "remove first": (lambda nn: nn.remove(0), [4, 6, 3], "gelu softmax", [0.2], {1: 2}),
    "remove": (lambda nn: nn.remove(1), [4, 8, 3], "tanh softmax", [0.1], {0: 0}),
    "remove last": (lambda nn: nn.remove(-1), [4, 8, 6], "tanh gelu", [0.1], {0: 0, 1: 1}),
    "replace the outputs": (lambda nn: (nn.remove(2), nn.add(3, "softmax")), [4, 8, 6, 3], "tanh gelu softmax",
                            [0.1, 0], {0: 0, 1: 1}),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:this network cannot be trained")  # a loss that went with the outputs of before
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("change", CHANGES)
def test_weights_stay_wherever_they_fit(change: str, dtype: str, tmp_path: Path) -> None:
    apply, sizes, activations, dropout, kept = CHANGES[change]
    old, nn = network(dtype=dtype), network(dtype=dtype)
    nn.partial_fit(X, Y)
    old.set_weights(nn.get_weights())
    apply(nn)
    assert nn.sizes == sizes
    assert [layer.activation.name for layer in nn.layers] == activations.split()
    assert nn.dropout == pytest.approx(dropout)
    assert_kept(nn, old, kept)
    for i, layer in enumerate(nn.layers):
        if i not in kept:
            assert (layer.bias == 0).all()
            spread = layer.weights.std() * np.sqrt(layer.n_in)
            assert 0.3 < spread < 2  # as initializers have it
    # the same from outside: what it computes, and what a file and a copy of it know
    outputs = nn.layer_outputs(X)
    assert [output.shape[1] for output in outputs] == sizes[1:]
    nn.save(tmp_path / "net.safetensors")
    for twin in (foxnn.load(tmp_path / "net.safetensors"), nn.copy()):
        np.testing.assert_array_equal(twin.predict(X), nn.predict(X))
    nn.loss = "mean_squared_error"
    nn.fit(X, np.ones((30, sizes[-1])), epochs=2, verbose=False)


def test_a_changed_network_trains_as_a_new_one_with_its_weights() -> None:
    """Nothing of the old layers is left in what trains: dropout, optimizer, memory."""
    changed = network()
    changed.fit(X, Y, epochs=1, verbose=False)
    changed.insert(1, 40, "relu", dropout=0.4)
    changed.remove(0)
    changed.remove(-1)
    changed.add(3, "softmax")  # so that what dropped was the output in between, which drops nothing
    new = foxnn.neural_network(changed.sizes, ["relu", "gelu"], "softmax", dropout=[0.4, 0], seed=5)
    new.set_weights(changed.get_weights())
    new.epoch = changed.epoch
    for nn in (changed, new):
        nn.fit(X, Y, epochs=3, batch_size=7, verbose=False)
    for a, b in zip(parameters(changed), parameters(new), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "options", [{"input_noise": 1.0}, {"input_dropout": 0.5}, {"max_norm": [0.1, 0.1, 0.1]}], ids=str
)
@pytest.mark.parametrize(
    "change", [lambda nn: nn.insert(2, 5, "relu"), lambda nn: nn.remove(1)], ids=["insert", "remove"]
)
def test_regularisation_stays(change: Any, options: dict[str, Any]) -> None:
    """Of the inputs, and of the layers that stay."""
    nn = network(dropout=0.0, **options)
    plain = network(dropout=0.0)
    for each in (nn, plain):
        change(each)
        each.optimizer = foxnn.optimizers.SGD(0.1)
        each.train_on_batch(X, Y)
    assert (nn.layers[0].weights != plain.layers[0].weights).any()


def test_new_layers_depend_on_the_seed_and_on_no_layer_before() -> None:
    first, second, other = network(), network(), network(seed=6)
    for nn in (first, second, other):
        nn.insert(1, 8, "tanh")
        nn.insert(1, 8, "tanh")
        nn.remove(1)
        nn.insert(1, 8, "tanh")
    np.testing.assert_array_equal(first.layers[1].weights, second.layers[1].weights)
    assert (first.layers[1].weights != other.layers[1].weights).any()
    assert (first.layers[1].weights != first.layers[2].weights).any()


def test_no_two_layers_start_alike_even_in_copies() -> None:
    nn = foxnn.neural_network([8, 8, 8, 8], "tanh", "linear", seed=0)
    nn.remove(0)
    nn.insert(0, 8, "tanh")
    nn.insert(0, 8, "tanh")
    nn.remove(2)
    twin = nn.copy()
    for network_ in (nn, twin):
        network_.insert(1, 8, "tanh")
    np.testing.assert_array_equal(twin.layers[1].weights, nn.layers[1].weights)
    weights = [layer.weights for layer in twin.layers]
    assert not any((a == b).any() for i, a in enumerate(weights) for b in weights[:i])


def test_how_a_new_layer_starts() -> None:
    nn = network()
    nn.insert(1, 8, "relu", init=(np.eye(8), np.full(8, 0.5)))
    np.testing.assert_array_equal(nn.layers[1].weights, np.eye(8))
    np.testing.assert_array_equal(nn.layers[1].bias, np.full(8, 0.5))
    nn.insert(1, 8, "relu", init="zeros")
    assert not nn.layers[1].weights.any()
    nn.insert(1, 8, "relu", init=0.25)
    assert (nn.layers[1].weights == 0.25).all()


def test_frozen_layers_stay_frozen_where_they_go() -> None:
    nn = network()
    nn.layers[0].trainable = nn.layers[1].trainable = False
    nn.insert(1, 7, "relu")
    assert [layer.trainable for layer in nn.layers] == [False, True, False, True]
    nn.remove(0)
    assert [layer.trainable for layer in nn.layers] == [True, False, True]


def test_wrong_arguments_are_refused_and_change_nothing() -> None:
    nn = network()
    nn.fit(X, Y, epochs=1, verbose=False)
    before = state_of(nn)
    for call, error, words in (
        (lambda: nn.insert(4, 7, "relu"), ValueError, r"index: got 4; it takes 0\.\.3"),
        (lambda: nn.insert(-1, 7, "relu"), ValueError, "index: got -1"),
        (lambda: nn.insert(1.5, 7, "relu"), TypeError, "index: got 1.5"),
        (lambda: nn.insert(1, 0, "relu"), ValueError, "units: got 0"),
        (lambda: nn.insert(1, 7, "rleu"), ValueError, "activation: unknown name 'rleu'"),
        (lambda: nn.insert(1, 7, "softmax"), ValueError, "activation: got 'softmax' for a hidden layer"),
        (lambda: nn.insert(1, 7, "relu", dropout=1), ValueError, "dropout: got 1"),
        (lambda: nn.insert(1, 7, "relu", init="hi"), ValueError, "init: unknown name 'hi'"),
        (lambda: nn.insert(1, 7, "relu", init=np.eye(7)), ValueError, r"init weights: .*\(7, 7\); it takes .*\(8, 7\)"),
        (lambda: nn.add(7, "relu"), ValueError, "index: got 3, after 'softmax'"),
        (lambda: nn.remove(3), ValueError, r"index: got 3; it takes -3\.\.2"),
        (lambda: nn.remove(-4), ValueError, "index: got -4"),
        (lambda: foxnn.neural_network([2, 1]).remove(0), ValueError, "index: got the only layer"),
        (lambda: foxnn.neural_network([2, 1]).insert(1, 2, "relu", dropout=0.5), ValueError, "dropout: got 0.5"),
    ):
        with pytest.raises(error, match=words):
            call()
        assert state_of(nn) == before


def test_not_while_it_is_being_trained() -> None:
    class Surgeon(foxnn.Callback):
        def on_epoch_end(self, network: foxnn.NeuralNetwork, epoch: int, values: dict[str, float]) -> None:
            network.insert(1, 7, "relu")

    nn = network()
    with pytest.raises(RuntimeError, match="is being trained"):
        nn.fit(X, Y, epochs=1, callbacks=[Surgeon()], verbose=False)
    assert nn.sizes == [4, 8, 6, 3]


@pytest.mark.parametrize(
    "use",
    [
        *(lambda layer, name=name: getattr(layer, name) for name in (
            "weights", "bias", "n_in", "n_out", "activation", "trainable", "norm", "title", "parameter_names",
            "array_names")),
        *(lambda layer, name=name, value=value: setattr(layer, name, value) for name, value in (
            ("weights", 1.0), ("bias", 1.0), ("activation", "relu"), ("trainable", False))),
        repr,
        lambda layer: layer.parameter_shape("bias"),
        lambda layer: layer.get_array("bias"),
        lambda layer: layer.set_array("bias", 2.0),
    ],
)  # fmt: skip
def test_a_layer_that_has_been_removed_says_so(use: Any) -> None:
    """Another thread may remove it at any moment."""
    nn = network()
    layer = nn.layers[2]
    nn.remove(1)
    before = state_of(nn)
    with pytest.raises(RuntimeError, match=r"layers\[2\]: it has been removed, the network has 2 layers now"):
        use(layer)
    assert state_of(nn) == before
