"""Promise: a layer has settings of its own, which count before the network's, and says what it is; and what it learns
can be read and assigned by name."""

from __future__ import annotations

import copy
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foxnn
from foxnn.layers.kinds import _KINDS, layer_from_config

X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
Y = np.random.default_rng(1).integers(3, size=40)


def test_a_dense_layer_with_nothing_of_its_own_is_an_integer() -> None:
    options = {"activation": "relu", "output": "softmax", "dropout": 0.25, "max_norm": 2.0, "seed": 3}
    plain = foxnn.neural_network([4, 8, 6, 3], **options)
    other = foxnn.neural_network([4, foxnn.Dense(8), foxnn.Dense(6), foxnn.Dense(3)], **options)
    for nn in (plain, other):
        nn.fit(X, Y, epochs=3)
    assert (repr(plain), plain.sizes, plain.dropout) == (repr(other), other.sizes, other.dropout)
    assert all((a == b).all() for a, b in zip(plain.get_weights(), other.get_weights(), strict=True))


def test_a_layers_own_settings_count_before_the_networks(tmp_path: Path) -> None:
    own = foxnn.Dense(
        8, activation="gelu", norm=foxnn.LayerNorm(), dropout=0.5, max_norm=1.5, init="orthogonal", trainable=False
    )
    nn = foxnn.neural_network(
        [4, own, 6, foxnn.Dense(3, "softmax")], "tanh", dropout=0.1, max_norm=3.0, init="zeros", seed=0
    )
    nn.save(tmp_path / "net.safetensors")
    for network in (nn, nn.copy(), foxnn.load(tmp_path / "net.safetensors")):
        first, second, last = network.layers
        assert [layer.activation.name for layer in network.layers] == ["gelu", "tanh", "softmax"]
        assert (network.dropout, network.max_norm) == ([0.5, 0.1], [1.5, 3.0, 3.0])
        assert (first.norm, second.norm) == (foxnn.LayerNorm(), None)
        assert [layer.trainable for layer in network.layers] == [False, True, True]
        np.testing.assert_allclose(first.weights @ first.weights.T, np.eye(4), atol=1e-5)
        assert not second.weights.any()
        assert not last.weights.any()
        assert network.loss == "cross_entropy"  # as the output is softmax
        network.dropout = 0.2
        network.layers[0].activation = "relu"
        assert (network.dropout, first.config["dropout"]) == ([0.2, 0.2], 0.2)
        assert first.config["activation"] == {"name": "relu"}


def test_a_constant_init_of_a_layers_own() -> None:
    nn = foxnn.neural_network([2, foxnn.Dense(3, init=0.5), 1], seed=0)
    assert (nn.layers[0].weights == 0.5).all()
    assert nn.layers[1].weights.any()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: foxnn.Dense(0), ValueError, "units: got 0; it takes"),
        (lambda: foxnn.Dense("8"), TypeError, "units: got '8'; it takes"),
        (lambda: foxnn.Dense(8, "rleu"), ValueError, "activation: unknown name 'rleu'"),
        (lambda: foxnn.Dense(8, norm="batch"), TypeError, "norm: got 'batch'; it takes foxnn.BatchNorm"),
        (lambda: foxnn.Dense(8, dropout=1), ValueError, "dropout: got 1; it takes"),
        (lambda: foxnn.Dense(8, max_norm=0), ValueError, "max_norm: got 0; it takes"),
        (lambda: foxnn.Dense(8, init="hee"), ValueError, "init: unknown name 'hee'"),
        (lambda: foxnn.Dense(8, trainable="no"), TypeError, "trainable: got 'no'; it takes"),
        (lambda: foxnn.Dense(8, use_bias=False), TypeError, "Dense.. has no 'use_bias'; every layer has biases"),
        (lambda: foxnn.Scale(trainable=2), TypeError, "trainable: got 2; it takes"),
        (lambda: foxnn.neural_network([foxnn.Dense(4), 3]), ValueError, r"sizes\[0\]: got Dense\(4\); it takes"),
        (lambda: foxnn.neural_network([4, foxnn.Dense]), TypeError, r"sizes\[1\]: got <class"),
        (lambda: foxnn.neural_network([4, foxnn.Dense(3, dropout=0.5)]), ValueError, "dropout of 0.5 for the outputs"),
        (lambda: foxnn.neural_network([4, foxnn.Dense(8, "softmax"), 3]), ValueError, "'softmax' for a hidden layer"),
        (lambda: foxnn.neural_network([4, foxnn.Scale(), foxnn.BatchNorm(), 3]), ValueError, "after a dense layer"),
        (lambda: foxnn.neural_network([4, 3, foxnn.Scale()], output="softmax"), ValueError, "has no activation"),
        (lambda: foxnn.Dense(8).__setattr__("units", 9), AttributeError, "Dense.units cannot be changed"),
        (lambda: foxnn.Dense.from_config({"kind": "scale"}), ValueError, "kind: got 'scale'; Dense takes 'dense'"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_layers_are_values() -> None:
    layer = foxnn.Dense(8, "elu", norm=foxnn.BatchNorm(epsilon=1e-3), dropout=0.5, max_norm=2, init=0.1)
    assert layer == foxnn.Dense(8, foxnn.Activation("elu"), norm=foxnn.BatchNorm(epsilon=1e-3), dropout=0.5,
                                max_norm=2.0, init=0.1)  # fmt: skip
    assert layer != foxnn.Dense(8, "elu")
    assert foxnn.Scale() != foxnn.Scale(trainable=False)
    assert repr(foxnn.Dense(8, "elu", dropout=0.5)) == "Dense(8, activation=Activation('elu', alpha=1), dropout=0.5)"
    assert repr(foxnn.Scale(trainable=False)) == "Scale(trainable=False)"
    for each in (layer, foxnn.Dense(3), foxnn.Scale(), foxnn.Scale(trainable=False)):
        assert layer_from_config(json.loads(json.dumps(each.config))) == each == copy.deepcopy(each)
        assert eval(repr(each), {**vars(foxnn)}) == each
        assert hash(each) == hash(copy.copy(each))


def test_the_layers_of_a_network_say_what_they_are() -> None:
    nn = foxnn.neural_network([4, foxnn.Scale(), foxnn.Dense(8, "relu"), foxnn.BatchNorm(), 3], dropout=0.5)
    assert [layer.kind for layer in nn.layers] == ["scale", "dense", "dense"]
    assert [layer.input_shape for layer in nn.layers] == [(4,), (4,), (8,)]
    assert [layer.output_shape for layer in nn.layers] == nn.sizes[1:] == [(4,), (8,), (3,)]
    assert nn.layers[1].config == foxnn.Dense(8, "relu", norm=foxnn.BatchNorm(), dropout=0.5).config
    for layer in nn.layers:
        again = layer_from_config(json.loads(json.dumps(layer.config)))
        assert again.parameter_shapes(layer.input_shape) == {k: v.shape for k, v in layer.parameters.items()}
        assert again.output_shape(layer.input_shape) == layer.output_shape
        both = again.parameter_shapes(layer.input_shape) | again.statistics_shapes(layer.input_shape)
        assert both == {name: layer.get_array(name).shape for name in layer.array_names}
    assert sorted(_KINDS) == sorted(foxnn._core.LAYERS)


def test_parameters_are_read_and_assigned_by_name() -> None:
    nn = foxnn.neural_network([4, 8, foxnn.LayerNorm(), 3])
    parameters = nn.layers[0].parameters
    assert list(parameters) == ["weights", "bias", "gamma", "beta"] == list(nn.layers[0].parameter_names)
    parameters["weights"] = np.ones((4, 8))
    parameters["gamma"] = 2.0
    assert (nn.layers[0].weights == 1).all()
    assert (nn.layers[0].norm.gamma == 2).all()
    with pytest.raises(ValueError, match="assign a whole one"):
        parameters["weights"][0, 0] = 7
    parameters["bias"] += 1
    assert (parameters["bias"] == 1).all()
    for name in ("wieghts", "running_mean"):
        with pytest.raises(KeyError, match="weights, bias, gamma, beta"):
            parameters[name]
        with pytest.raises(KeyError, match="weights, bias, gamma, beta"):
            parameters[name] = 1.0
    with pytest.raises(ValueError, match=r"weights: got an array of shape \(8, 4\)"):
        parameters["weights"] = np.ones((8, 4))
    with pytest.raises(ValueError, match="bias: "):
        parameters["bias"] = np.nan


def test_layers_go_into_a_network_with_all_their_settings() -> None:
    nn = foxnn.neural_network([4, 8, 3], activation="relu", output="softmax", seed=0)
    nn.insert(1, foxnn.Dense(6, "tanh", norm=foxnn.BatchNorm(), dropout=0.5, max_norm=2, init=0.25, trainable=False))
    new = nn.layers[1]
    assert (new.kind, new.norm, new.trainable) == ("dense", foxnn.BatchNorm(), False)
    assert (new.weights == 0.25).all()
    assert (nn.dropout, nn.max_norm) == ([0, 0.5], [None, 2, None])
    nn.fit(X, Y, epochs=2)
    assert (new.weights == 0.25).all()
    assert nn.layers[2].weights.shape == (6, 3)
    for given, error, message in (
        ((1, foxnn.Dense(6)), ValueError, "activation: got Dense"),
        ((1, foxnn.Dense(6, "relu"), "relu"), ValueError, "activation: got 'relu' beside"),
        ((1, foxnn.Dense(6, "softmax")), ValueError, "'softmax' for a hidden layer"),
        ((1, 6), TypeError, "activation: got none"),
    ):
        with pytest.raises(error, match=message):
            nn.insert(*given)
    with pytest.raises(ValueError, match="init: got 'zeros'; Scale"):
        nn.insert(1, foxnn.Scale(), init="zeros")
    assert nn.sizes == [4, 8, 6, 3]


def test_a_layer_that_is_no_longer_there_changes_nothing() -> None:
    """The core's handle keeps its layer alive, and refuses to change one that has been replaced."""
    core = foxnn._core.NetworkF32()
    for i, units in enumerate((3.0, 2.0)):
        core.insert(i, "dense", (4 if i == 0 else 3,), {"units": ("", [units])})
    first, second = core.layer(0), core.layer(1)
    core.erase(0)
    del core
    assert (first.kind, first.parameters, second.output_shape) == ("dense", {"weights": (4, 3), "bias": (3,)}, (2,))
    for change in (
        lambda: first.set("dropout", ("", [0.5])),
        lambda: setattr(first, "trainable", False),
        lambda: first.initialize("zeros", 0, 0, 1),
        lambda: second.set("dropout", ("", [0.5])),  # it had to get other weights
    ):
        with pytest.raises(ValueError, match="no longer in its network"):
            change()


def test_layers_may_be_changed_while_others_predict_and_train() -> None:
    nn = foxnn.neural_network([4, 64, 64, 3], "relu", "softmax", seed=0)
    done = threading.Event()

    def work(task: Any) -> None:
        while not done.is_set():
            task()

    tasks = (lambda: nn.predict(X), lambda: nn.layers[0].parameters["weights"], lambda: nn.summary())
    threads = [threading.Thread(target=work, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    try:
        for i in range(100):
            nn.train_on_batch(X, Y)
            nn.layers[i % 2].trainable = i % 3 > 0
            nn.dropout = [i % 4 / 10, 0.1]
            nn.layers[0].activation = ("relu", "tanh")[i % 2]
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert nn.dropout == [0.3, 0.1]


def test_the_summary_is_a_table() -> None:
    nn = foxnn.neural_network([20, foxnn.Dense(64, "gelu", dropout=0.2), foxnn.BatchNorm(), foxnn.Scale(), 3], seed=0)
    nn.layers[1].trainable = False
    summary = nn.summary()
    assert str(summary).splitlines() == [
        "layer    output shape  parameters  activation",
        "inputs   (20,)",
        "0 dense  (64,)              1,472  batch_norm gelu, dropout 0.2",
        "1 scale  (64,)                 64  frozen",
        "2 dense  (3,)                 195  sigmoid",
        "1,731 parameters of float32, 64 of them frozen",
    ]
    assert (summary.trainable, summary.frozen) == (1667, 64)
    assert summary.trainable + summary.frozen == nn.n_parameters
    page = summary._repr_html_()
    assert page.count("<tr>") == 6
    assert "<td>1,472</td>" in page
    assert page.startswith("<table>")
