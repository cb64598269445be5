"""Promise: nothing silent. Outputs, losses and targets that do not go together are refused or said before training."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foxnn
from foxnn.compatibility import only_said

X = np.linspace(-1, 1, 40)[:, None]
CLASSES = (X[:, 0] > 0).astype(int)

#: Outputs, losses, and what the refusal says.
MISMATCHES = [
    ("sigmoid", "cross_entropy", "it takes output='softmax'.*'binary_cross_entropy' takes outputs between 0 and 1"),
    ("linear", "cross_entropy", "it takes output='softmax'.*from the logits"),
    ("relu", "cross_entropy", "it takes output='softmax'"),
    ("exp", "cross_entropy", "it takes output='softmax'"),
    ("linear", "binary_cross_entropy", "output='sigmoid'.*from the logits"),
    ("tanh", "binary_cross_entropy", "takes outputs between 0 and 1"),
    ("relu", "binary_cross_entropy", "takes outputs between 0 and 1"),
    ("softplus", "binary_cross_entropy", "takes outputs between 0 and 1"),
    ("linear", "poisson", "takes outputs that are not negative"),
    ("leaky_relu", "poisson", "takes outputs that are not negative"),
    ("elu", "poisson", "takes outputs that are not negative"),
]
FITTING = [
    ("softmax", "cross_entropy"),
    ("sigmoid", "binary_cross_entropy"),
    ("hard_sigmoid", "binary_cross_entropy"),
    ("gaussian", "binary_cross_entropy"),
    ("softmax", "binary_cross_entropy"),
    ("exp", "poisson"),
    ("softplus", "poisson"),
    ("relu", "poisson"),
    ("sigmoid", "poisson"),
    (foxnn.Activation("elu", alpha=0), "poisson"),
    ("linear", "huber"),
    ("sigmoid", "half_squared_error"),
]


@pytest.mark.parametrize(("output", "loss", "message"), MISMATCHES)
def test_outputs_and_losses_that_do_not_go_together(output: str, loss: str, message: str) -> None:
    pattern = f"^loss: got '{loss}' with the output '{output}'; .*{message}"
    with pytest.raises(ValueError, match=pattern):
        foxnn.neural_network([2, 3, 2], output=output, loss=loss)
    with pytest.raises(ValueError, match=pattern):
        foxnn.neural_network([2, 3, 2], output=output, loss=foxnn.Loss(loss))
    nn = foxnn.neural_network([2, 3, 2], output=output, loss="huber")
    with pytest.raises(ValueError, match=pattern):
        nn.loss = loss
    assert nn.loss == "huber"
    nn = foxnn.neural_network([2, 3, 2], loss=loss)
    before = nn.layers[-1].activation
    with pytest.raises(ValueError, match=pattern):
        nn.layers[-1].activation = output
    assert nn.layers[-1].activation == before


@pytest.mark.parametrize(("output", "loss"), FITTING)
def test_what_goes_together(output: Any, loss: str) -> None:
    nn = foxnn.neural_network([2, 3, 2], output=output, loss=loss, seed=0)
    nn.fit(X.repeat(2, axis=1), np.eye(2)[CLASSES], epochs=1)


def test_one_softmax_output() -> None:
    message = re.escape("output: got 'softmax' for 1 output, which is always 1; it takes 'sigmoid', or two outputs")
    for loss in (None, "cross_entropy", "mean_squared_error"):
        with pytest.raises(ValueError, match=message):
            foxnn.neural_network([1, 4, 1], output="softmax", loss=loss)
    with pytest.raises(ValueError, match=message):
        foxnn.neural_network([1, 4, 1], loss="cross_entropy")
    nn = foxnn.neural_network([1, 4, 1])
    with pytest.raises(ValueError, match=message):
        nn.layers[-1].activation = "softmax"


@pytest.mark.parametrize(("output", "loss", "message"), MISMATCHES)
def test_files_of_earlier_versions_load_with_a_warning(output: str, loss: str, message: str, tmp_path: Path) -> None:
    with only_said(), pytest.warns(UserWarning, match="cannot be trained"):
        old = foxnn.neural_network([2, 3, 2], output=output, loss=loss, seed=0)
    path = tmp_path / "old.safetensors"
    old.save(path)
    with pytest.warns(UserWarning, match=f"cannot be trained: loss: got '{loss}'.*{message}"):
        nn = foxnn.load(path)
    assert np.array_equal(nn.predict([[1, 2]]), old.predict([[1, 2]]))
    before = nn.parameters
    with pytest.raises(ValueError, match=message):
        nn.fit([[1, 2]], [[0, 1]])
    assert np.array_equal(nn.parameters, before)


def test_a_network_that_lost_its_output_layer_has_to_get_another_loss() -> None:
    nn = foxnn.neural_network([2, 6, 5, 3], "relu", "softmax", seed=0)
    nn.remove(-1)
    assert nn.predict([[1, 2]]).shape == (1, 5)
    with pytest.raises(ValueError, match=r"^loss: got 'cross_entropy' with the output 'relu'"):
        nn.fit([[1, 2]], np.ones((1, 5)))
    nn.loss = "mse"
    nn.fit([[1, 2]], np.ones((1, 5)), epochs=1)


# ---- estimators -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "loss", ["cross_entropy", "categorical_crossentropy", "log_loss", foxnn.Loss("cross_entropy", label_smoothing=0.01)]
)
def test_cross_entropy_in_estimators(loss: Any) -> None:
    """Of two classes, or of several labels, the word means binary cross-entropy."""
    options: dict[str, Any] = {"loss": loss, "random_state": 0, "max_iter": 1000, "learning_rate_init": 0.01}
    two = foxnn.MLPClassifier((8,), **options).fit(X, CLASSES)
    assert two.score(X, CLASSES) == 1
    assert two.network_.loss.name == "binary_cross_entropy"
    labels = np.column_stack([CLASSES, 1 - CLASSES, X[:, 0] > 0.5]).astype(int)
    several = foxnn.MLPClassifier((8,), **options).fit(X, labels)
    assert several.score(X, labels) > 0.9
    three = foxnn.MLPClassifier((8,), **options).fit(X, CLASSES + (X[:, 0] > 0.5))
    assert three.network_.loss.name == "cross_entropy"
    if isinstance(loss, foxnn.Loss):
        assert two.network_.loss.parameters == three.network_.loss.parameters == {"label_smoothing": 0.01}


# ---- targets --------------------------------------------------------------------------------------------------

_BOUNDED = {
    "sigmoid": (0, 1),
    "tanh": (-1, 1),
    "softsign": (-1, 1),
    "hard_sigmoid": (0, 1),
    "hard_tanh": (-1, 1),
    "relu6": (0, 6),
    "sin": (-1, 1),
    "cos": (-1, 1),
    "gaussian": (0, 1),
    "arctan": (-np.pi / 2, np.pi / 2),
    "softmax": (0, 1),
    "relu": (0, np.inf),
    "exp": (0, np.inf),
    "softplus": (0, np.inf),
    "elu": (-1, np.inf),
    "selu": (-1.758, np.inf),
    "gelu": (-0.17, np.inf),
    "silu": (-0.278, np.inf),
    "mish": (-0.308, np.inf),
}


@pytest.mark.parametrize("name", [name for name in foxnn.activations.names() if name != "threshold"])
def test_bounds_are_those_of_the_function(name: str) -> None:
    """No output lies outside of them, and some come close."""
    z = np.concatenate([np.linspace(-60, 60, 20001), [-1e6, 1e6]])[:, None]
    n = 2 if name == "softmax" else 1
    nn = foxnn.neural_network([n, n], output=name, init=[np.eye(n)], dtype="float64")
    got = nn.predict(np.hstack([z, -z])[:, :n])
    least, most = foxnn.Activation(name).bounds
    assert least <= got.min()
    assert got.max() <= most
    if np.isfinite(least):
        assert got.min() < least + 1e-3 or name in ("softsign", "arctan")
    if np.isfinite(most):
        assert got.max() > most - 1e-3
    if name in _BOUNDED:
        assert foxnn.Activation(name).bounds == pytest.approx(_BOUNDED[name], abs=1e-3)
    else:
        assert (least, most) == (-np.inf, np.inf)


@pytest.mark.parametrize("name", _BOUNDED)
def test_targets_that_outputs_cannot_reach(name: str) -> None:
    least, most = _BOUNDED[name]
    reachable = np.clip(np.column_stack([X[:, 0], -X[:, 0]]), least, most)
    far = reachable.copy()
    far[3, 0] = least - 1 if np.isfinite(least) else most + 1
    x = X.repeat(2, axis=1)
    message = rf"^y: targets go from .* but outputs of '{name}' lie between .*output='linear' takes any"
    ways = {
        "fit": lambda nn, y: nn.fit(x, y, epochs=1),
        "stream": lambda nn, y: nn.fit([(x[:20], y[:20]), (x[20:], y[20:])].__iter__, epochs=1),
        "partial_fit": lambda nn, y: nn.partial_fit(x, y),
        "train_on_batch": lambda nn, y: nn.train_on_batch(x, y),
    }
    for way in ways.values():
        options: dict[str, Any] = {"activation": "tanh", "output": name, "loss": "mse", "seed": 0}
        with pytest.warns(UserWarning, match=message) as caught:
            way(foxnn.neural_network([2, 3, 2], **options), far)
        assert [Path(w.filename).name for w in caught] == [Path(__file__).name]  # the user's own line
    with_none = foxnn.neural_network([2, 3, 2], activation="tanh", output=name, loss="mse", seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ways["fit"](with_none, reachable)


def test_scaled_targets_are_what_outputs_have_to_reach() -> None:
    x = np.arange(1.0, 6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        foxnn.neural_network([1, 3, 1], scale_outputs="minmax", seed=0).fit(x, 2 * x, epochs=1)
    with pytest.warns(UserWarning, match=r"^y: targets \(scaled\) go from -1.41421 to 1.41421"):
        foxnn.neural_network([1, 3, 1], scale_outputs="standard", seed=0).fit(x, 2 * x, epochs=1)


# ---- layers that pass nothing on ------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["fit", "train_on_batch", "loss_and_gradients"])
def test_a_threshold_is_said_to_pass_nothing_on(way: str) -> None:
    call = {"fit": lambda nn: nn.fit(X, X, epochs=1)}.get(way, lambda nn: getattr(nn, way)(X, X))
    hidden = foxnn.neural_network([1, 3, 4, 1], ["threshold", "tanh"], "linear", seed=0)
    with pytest.warns(UserWarning, match="'threshold' in layer 0 is zero everywhere: training will not change layer 0"):
        call(hidden)
    output = foxnn.neural_network([1, 3, 1], "tanh", "threshold", seed=0)
    with pytest.warns(UserWarning, match="'threshold' in layer 1 .* will not change layers 0, 1 "):
        call(output)
    frozen = foxnn.neural_network([1, 3, 4, 1], ["threshold", "tanh"], "linear", seed=0)
    frozen.layers[0].trainable = False  # random features: nothing is meant to change below
    call(frozen)


# ---- optimizers -----------------------------------------------------------------------------------------------


def test_optimizers_are_checked_when_assigned() -> None:
    nn = foxnn.neural_network([1, 3, 1], seed=0)
    before = nn.optimizer
    with pytest.raises(ValueError, match=r"^optimizer: unknown name 'rubbish'; it takes one of: "):
        nn.optimizer = "rubbish"
    with pytest.raises(
        TypeError, match=r"^optimizer: got 3; it takes a name or an object such as foxnn\.optimizers\.Adam"
    ):
        nn.optimizer = 3
    assert nn.optimizer is before
    nn.optimizer = "SGD"
    assert nn.optimizer.config == foxnn.optimizers.SGD().config
    nn.train_on_batch(X, CLASSES)
    assert json.dumps(nn.optimizer.config)
