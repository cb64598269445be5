"""Promise: L1, L2, label smoothing, max-norm, noise on and dropout of inputs, and clipping of gradients are what their
papers say, in training and nowhere else, and follow a plain reference step by step."""

from __future__ import annotations

import copy
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy_reference import Network, Optimizer, one_hot

import foxnn
from foxnn import optimizers

SIZES, N, STEPS = [5, 8, 6, 3], 23, 20
_random = np.random.default_rng(0)
X, LABELS = _random.normal(size=(N, SIZES[0])), _random.integers(SIZES[-1], size=N)
WEIGHTS = _random.uniform(0.2, 2, N)
TIGHT = {"rtol": 1e-10, "atol": 1e-12}
OPTIMIZERS = [optimizers.get(name, 0.05) for name in optimizers.names()]
every_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: o.name)


def network(**options: Any) -> foxnn.NeuralNetwork:
    options = {"activation": "tanh", "output": "softmax", "dtype": "float64", "seed": 3, **options}
    nn = foxnn.neural_network(SIZES, **options)
    for layer in nn.layers:
        layer.bias = np.linspace(-0.5, 0.5, layer.n_out)
    return nn


def step_of(optimizer: optimizers.Optimizer) -> Optimizer:
    return Optimizer(optimizer.name, optimizer.learning_rate, **optimizer.hyper)


def assert_same(nn: foxnn.NeuralNetwork, reference: Network, **tolerance: float) -> None:
    for layer, W, b in zip(nn.layers, reference.W, reference.b, strict=True):
        np.testing.assert_allclose(layer.weights, W, **(tolerance or TIGHT))
        np.testing.assert_allclose(layer.bias, b, **(tolerance or TIGHT))


def same_bits(one: foxnn.NeuralNetwork, other: foxnn.NeuralNetwork) -> bool:
    return all(
        np.array_equal(a.weights, b.weights) and np.array_equal(a.bias, b.bias)
        for a, b in zip(one.layers, other.layers, strict=True)
    )


# ---- L1 and L2 ----------------------------------------------------------------------------------------------


@every_optimizer
@pytest.mark.parametrize(("l1", "l2"), [(0.01, 0.0), (0.0, 0.1), (0.02, 0.05)])
def test_penalties_follow_a_plain_reference(optimizer: optimizers.Optimizer, l1: float, l2: float) -> None:
    nn = network(l1=l1, l2=l2)
    reference, step = Network(nn), step_of(optimizer)
    assert (reference.l1, reference.l2) == (l1, l2)
    nn.optimizer = optimizer
    for _ in range(STEPS):
        nn.train_on_batch(X, LABELS, WEIGHTS)
        step.step(reference.parameters, reference.gradients(X, one_hot(LABELS, 3), WEIGHTS))
    assert_same(nn, reference)


def test_the_penalty_is_part_of_the_gradient_and_its_loss_alone() -> None:
    nn = network(l1=0.01, l2=0.1)
    plain = network()
    loss, gradients = nn.loss_and_gradients(X, LABELS)
    W = np.concatenate([layer.weights.ravel() for layer in nn.layers])
    penalty = 0.01 * np.abs(W).sum() + 0.05 * (W**2).sum()
    assert loss == pytest.approx(plain.evaluate(X, LABELS)["loss"] + penalty, rel=1e-13)
    for (dW, db), (plain_dW, plain_db), layer in zip(
        gradients, plain.loss_and_gradients(X, LABELS)[1], nn.layers, strict=True
    ):
        np.testing.assert_allclose(dW, plain_dW + 0.01 * np.sign(layer.weights) + 0.1 * layer.weights, **TIGHT)
        assert np.array_equal(db, plain_db)
    assert nn.evaluate(X, LABELS) == plain.evaluate(X, LABELS)
    assert nn.train_on_batch(X, LABELS) == plain.train_on_batch(X, LABELS)


def test_a_weight_of_zero_has_no_l1_penalty() -> None:
    nn = foxnn.neural_network([1, 1], output="linear", init="zeros", l1=5.0)
    nn.optimizer = optimizers.SGD(1.0)
    nn.train_on_batch([[0.0]], [0.0])
    assert nn.layers[0].weights.item() == 0


# ---- label smoothing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", [0.1, 0.75])
@pytest.mark.parametrize(
    ("loss", "output", "classes"),
    [("cross_entropy", "softmax", 3), ("binary_cross_entropy", "sigmoid", 2),
     ("binary_cross_entropy", "softmax", 2), ("binary_cross_entropy", "hard_sigmoid", 2)],
)  # fmt: skip
def test_smoothed_labels_are_softer_targets(loss: str, output: str, classes: int, smoothing: float) -> None:
    """Also for outputs that the loss does not go with, where it is computed another way."""
    nn = network(output=output, loss=foxnn.Loss(loss, label_smoothing=smoothing))
    plain = network(output=output, loss=loss)
    hard = one_hot(LABELS, 3)
    soft = (1 - smoothing) * hard + smoothing / classes
    assert nn.evaluate(X, hard)["loss"] == pytest.approx(plain.evaluate(X, soft)["loss"], rel=1e-13)
    assert nn.evaluate(X, hard)["accuracy"] == plain.evaluate(X, hard)["accuracy"]
    history = [network.fit(X, y, epochs=3, batch_size=7) for network, y in ((nn, hard), (plain, soft))]
    np.testing.assert_allclose(history[0]["loss"], history[1]["loss"], rtol=1e-12)
    for ours, theirs in zip(nn.layers, plain.layers, strict=True):
        np.testing.assert_allclose(ours.weights, theirs.weights, **TIGHT)


def test_smoothed_classes_are_smoothed_one_hot_rows() -> None:
    options = {"loss": foxnn.Loss("cross_entropy", label_smoothing=0.2)}
    assert network(**options).evaluate(X, LABELS) == network(**options).evaluate(X, one_hot(LABELS, 3))
    twins = [network(**options) for _ in range(2)]
    for nn, y in zip(twins, (LABELS, one_hot(LABELS, 3)), strict=True):
        nn.fit(X, y, epochs=2)
    assert same_bits(*twins)


def test_a_single_output_has_two_classes() -> None:
    nn = foxnn.neural_network([2, 1], loss=foxnn.Loss("bce", label_smoothing=0.2), init="zeros", dtype="float64")
    nn.layers[0].bias = math.log(9)  # an output of 0.9
    assert nn.evaluate([[0, 0]], [1])["loss"] == pytest.approx(-0.9 * math.log(0.9) - 0.1 * math.log(0.1))


@pytest.mark.parametrize("loss", [name for name in foxnn.losses.names() if "cross_entropy" not in name])
def test_other_losses_have_no_labels_to_smooth(loss: str) -> None:
    with pytest.raises(ValueError, match="label_smoothing"):
        foxnn.Loss(loss, label_smoothing=0.1)


# ---- max-norm -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, optimizers.Momentum(0.05, clip_norm=100)], ids=repr)
@pytest.mark.parametrize("max_norm", [0.9, [0.5, None, 1.5]])
def test_max_norm_follows_a_plain_reference(optimizer: optimizers.Optimizer, max_norm: Any) -> None:
    """Also where all gradients are stored before the first is used, as for clipping."""
    nn = network(max_norm=max_norm)
    reference, step = Network(nn), step_of(optimizer)
    nn.optimizer = optimizer
    limits = max_norm if isinstance(max_norm, list) else [max_norm] * 3
    assert nn.max_norm == limits
    scaled = kept = 0
    for _ in range(STEPS):
        nn.train_on_batch(X, LABELS)
        step.step(reference.parameters, reference.gradients(X, one_hot(LABELS, 3), np.ones(N)))
        for W, limit in zip(reference.W, limits, strict=True):
            norms = np.linalg.norm(W, axis=0)  # of the weights into each unit
            W *= np.minimum(1, (limit or np.inf) / norms)
            scaled, kept = scaled + (norms > (limit or np.inf)).sum(), kept + (norms < (limit or np.inf)).sum()
    assert min(scaled, kept) > 20
    assert_same(nn, reference)


@pytest.mark.parametrize("n_out", [1, 7, 33, 100])
def test_no_norm_is_too_long_after_training(n_out: int) -> None:
    nn = foxnn.neural_network([40, n_out], output="linear", init="foxnn", max_norm=0.25, seed=1)
    random = np.random.default_rng(1)
    nn.fit(random.normal(size=(50, 40)), random.normal(size=(50, n_out)), epochs=1, optimizer="sgd", learning_rate=1)
    norms = np.linalg.norm(nn.layers[0].weights.astype(np.float64), axis=0)
    np.testing.assert_allclose(norms, 0.25, rtol=1e-6)


def test_huge_weights_come_back_to_their_norm() -> None:
    """Squares that overflow are no reason to lose a direction."""
    nn = foxnn.neural_network([2, 3], output="linear", max_norm=1.0, init=[[[3e30, 3.0, 0.0], [-4e30, 4.0, 0.0]]])
    nn.optimizer = optimizers.SGD(0.0)
    nn.train_on_batch([[0.0, 0.0]], [[0.0, 0.0, 0.0]])
    np.testing.assert_allclose(nn.layers[0].weights, [[0.6, 0.6, 0], [-0.8, 0.8, 0]], rtol=1e-6)


# ---- noise on inputs and dropout of inputs ------------------------------------------------------------------


def inputs_seen(inputs: Any, epoch: int = 0, seed: int = 1, **options: Any) -> Any:
    """The inputs (n, n_in) that a step of training sees, read off the step.

    Sample i has its own output, whose target is 1; from weights of zero, gradient descent on half the sum of squares
    makes the weights into that output the sample's inputs.
    """
    options = {"dtype": "float64", **options}
    n = len(inputs)
    fit = {key: options.pop(key) for key in ("scale", "shuffle") if key in options}
    probe = foxnn.neural_network([inputs.shape[1], n], output="linear", init="zeros", seed=seed, **options)
    probe.epoch = epoch
    probe.fit(inputs, np.eye(n), epochs=1, batch_size=n, optimizer="sgd", learning_rate=float(n), **fit)
    return probe.layers[0].weights.T


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_is_normal(dtype: str) -> None:
    from scipy import stats

    noise = inputs_seen(np.zeros((300, 203)), input_noise=2.0, dtype=dtype).astype(np.float64)
    assert stats.kstest(noise.ravel() / 2, "norm").pvalue > 1e-3
    for axis in (0, 1):  # no input and no sample is favoured
        means = noise.mean(axis=axis) / 2 * math.sqrt(noise.shape[axis])
        assert stats.kstest(means, "norm").pvalue > 1e-3
    assert 4 < np.abs(noise / 2).max() < 7


def test_noise_is_independent() -> None:
    """Between seeds, epochs, samples and inputs, and also between the four numbers made together."""
    zeros = np.zeros((100, 160))
    draws = [inputs_seen(zeros, epoch, seed, input_noise=1.0) for seed in (1, 2) for epoch in (0, 1)]
    first = draws[0]
    shifted = [np.roll(first, shift, axis) for axis in (0, 1) for shift in (1, 2, 4, 40, 80)]
    for one, other in [(a, b) for i, a in enumerate(draws) for b in draws[:i]] + [(first, s) for s in shifted]:
        for power in (1, 2):  # squares would tell of pairs that share a radius
            assert abs(np.corrcoef(one.ravel() ** power, other.ravel() ** power)[0, 1]) < 5 / math.sqrt(first.size)


def test_noise_is_added_to_inputs_as_they_are_read() -> None:
    inputs = np.random.default_rng(2).integers(0, 256, (20, 30)).astype(np.uint8)
    noise = inputs_seen(np.zeros((20, 30)), input_noise=0.5)
    np.testing.assert_allclose(inputs_seen(inputs, input_noise=0.5), inputs / 255 + noise, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(
        inputs_seen(inputs, input_noise=0.5, scale=2.0), 2.0 * inputs + noise, rtol=1e-12, atol=1e-12
    )


def test_noise_belongs_to_a_sample_wherever_it_stands() -> None:
    zeros = np.zeros((50, 21))
    shuffled, sorted_ = (inputs_seen(zeros, input_noise=1.0, shuffle=shuffle) for shuffle in (True, False))
    assert np.array_equal(shuffled, sorted_)
    np.testing.assert_allclose(inputs_seen(zeros[:20], input_noise=1.0), sorted_[:20], rtol=1e-14)


@pytest.mark.parametrize("n_in", [1, 7, 513, 3000])
def test_inputs_are_dropped(n_in: int) -> None:
    seen = inputs_seen(np.ones((60, n_in)), input_dropout=0.2)
    kept = seen[seen != 0]
    np.testing.assert_allclose(kept, 1.25, rtol=1e-4)
    share = 1 - kept.size / seen.size
    assert abs(share - 0.2) < 5 * math.sqrt(0.2 * 0.8 / seen.size)
    if n_in > 100:
        for axis in (0, 1):
            spread = np.std(np.mean(seen == 0, axis=axis)) / math.sqrt(0.2 * 0.8 / seen.shape[axis])
            assert 0.8 < spread < 1.2


def test_inputs_are_dropped_apart_from_the_first_layer() -> None:
    """Their masks are not those of hidden units."""
    n = 40
    seen = inputs_seen(np.ones((n, 64)), input_dropout=0.5) > 0
    probe = foxnn.neural_network(
        [n, 64, 64], activation="linear", output="linear", dropout=0.5, init="zeros", dtype="float64", seed=1
    )
    probe.layers[0].bias, probe.layers[1].weights = 1.0, np.eye(64)
    probe.fit(np.eye(n), np.zeros((n, 64)), epochs=1, batch_size=n, optimizer="sgd", learning_rate=1.0)
    hidden = probe.layers[0].weights != 0
    assert 0.45 < np.mean(hidden) < 0.55
    assert abs(np.mean(seen == hidden) - 0.5) < 5 * 0.5 / math.sqrt(seen.size)


def test_nothing_random_happens_outside_training() -> None:
    options = {"input_noise": 1.0, "input_dropout": 0.5}
    nn, plain = network(**options), network()
    assert np.array_equal(nn.predict(X), plain.predict(X))
    assert nn.evaluate(X, LABELS) == plain.evaluate(X, LABELS)
    (loss, gradients), (plain_loss, plain_gradients) = (n.loss_and_gradients(X, LABELS) for n in (nn, plain))
    assert loss == plain_loss
    for ours, theirs in zip(gradients, plain_gradients, strict=True):
        assert np.array_equal(ours[0], theirs[0])
    nn.fit(X, LABELS, epochs=1)
    plain.fit(X, LABELS, epochs=1)
    assert not same_bits(nn, plain)


# ---- clipping -----------------------------------------------------------------------------------------------


def clipped(gradients: list[Any], clip_value: float | None = None, clip_norm: float | None = None) -> list[Any]:
    if clip_value is not None:
        return [np.clip(g, -clip_value, clip_value) for g in gradients]
    norm = math.sqrt(sum((g**2).sum() for g in gradients))
    return [g * min(1, clip_norm / norm) for g in gradients]


@every_optimizer
@pytest.mark.parametrize("clip", [{"clip_value": 0.05}, {"clip_norm": 0.3}], ids=str)
def test_clipping_follows_a_plain_reference(optimizer: optimizers.Optimizer, clip: dict[str, float]) -> None:
    """The penalties' gradients are clipped too."""
    nn = network(l1=0.01, l2=0.05)
    reference, step = Network(nn), step_of(optimizer)
    nn.optimizer = type(optimizer)(optimizer.learning_rate, **clip)
    changed = 0
    for _ in range(STEPS):
        nn.train_on_batch(X, LABELS, WEIGHTS)
        gradients = reference.gradients(X, one_hot(LABELS, 3), WEIGHTS)
        limited = clipped(gradients, **clip)
        changed += any((g != c).any() for g, c in zip(gradients, limited, strict=True))
        step.step(reference.parameters, limited)
    assert changed > 3
    assert_same(nn, reference)


@pytest.mark.parametrize("clip", [{"clip_value": 1e6}, {"clip_norm": 1e6}], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_small_gradients_are_left_as_they_are(clip: dict[str, float], dtype: str) -> None:
    """To the last bit."""
    twins = [network(dtype=dtype, l2=0.01, dropout=0.2) for _ in range(2)]
    for nn, options in zip(twins, ({}, clip), strict=True):
        nn.fit(X, LABELS, epochs=3, batch_size=7, optimizer=optimizers.Adam(**options))
    assert same_bits(*twins)


def test_clipping_survives_gradients_whose_squares_overflow() -> None:
    nn = foxnn.neural_network([1, 1], output="linear", init="zeros")
    nn.optimizer = optimizers.SGD(1.0, clip_norm=3.0)
    nn.train_on_batch([[0.75e15]], [[1e15]])
    np.testing.assert_allclose(nn.layers[0].weights, 3.0, rtol=1e-6)


def test_clipping_may_change_between_fits() -> None:
    """And the optimizer remembers what it did."""
    nn, reference = network(), Network(network())
    step = Optimizer("momentum", 0.05)
    for clip in ({}, {"clip_norm": 0.2}, {"clip_value": 0.02}):
        nn.fit(X, LABELS, epochs=2, batch_size=N, shuffle=False, optimizer=optimizers.Momentum(0.05, **clip))
        for _ in range(2):
            gradients = reference.gradients(X, one_hot(LABELS, 3), np.ones(N))
            step.step(reference.parameters, clipped(gradients, **clip) if clip else gradients)
    assert_same(nn, reference)


def test_clipping_is_one_or_the_other() -> None:
    with pytest.raises(ValueError, match=r"clip_norm: got 1.* besides clip_value=2"):
        optimizers.Adam(clip_norm=1, clip_value=2)
    for name in ("clip_norm", "clip_value"):
        for value in (0, -1, math.inf, math.nan):
            with pytest.raises(ValueError, match=name):
                optimizers.SGD(**{name: value})
    assert optimizers.get("adam", 0.1, clip_norm=2).clip_norm == 2
    assert optimizers.get(optimizers.Adam(clip_norm=2), 0.1) == optimizers.Adam(0.1, clip_norm=2)


# ---- all of them --------------------------------------------------------------------------------------------

ALL = {"l1": 1e-4, "l2": 1e-3, "max_norm": [1.0, None, 2.0], "input_noise": 0.1, "input_dropout": 0.2, "dropout": 0.25,
       "loss": foxnn.Loss("cross_entropy", label_smoothing=0.1)}  # fmt: skip


@pytest.mark.parametrize("way", ["pickle", "copy", "file", "neural_network"])
def test_copies_and_files_keep_everything(way: str, tmp_path: Path) -> None:
    nn = network(**ALL)
    nn.optimizer = optimizers.Adam(clip_norm=0.5)
    nn.fit(X, LABELS, epochs=1, optimizer=nn.optimizer)
    if way == "file":
        nn.save(tmp_path / "net.safetensors")
        twin = foxnn.load(tmp_path / "net.safetensors")
    else:
        ways = {"pickle": lambda n: pickle.loads(pickle.dumps(n)), "copy": copy.copy,
                "neural_network": foxnn.neural_network}  # fmt: skip
        twin = ways[way](nn)
    for name in (*ALL, "optimizer"):
        assert getattr(twin, name) == getattr(nn, name), name
    for network_ in (nn, twin):
        fresh = optimizers.Adam(clip_norm=0.5, beta1=0.8)  # files keep no optimizer's memory
        network_.fit(X, LABELS, epochs=2, batch_size=5, optimizer=fresh)
    assert same_bits(nn, twin)


def test_attributes_take_effect() -> None:
    """Assigned later they are what they would have been from the start."""
    nn, other = network(), network(**ALL)
    for name, value in ALL.items():
        setattr(nn, name, value)
    for network_ in (nn, other):
        network_.fit(X, LABELS, epochs=2)
    assert same_bits(nn, other)
    for name, value in {**dict.fromkeys(ALL, 0), "max_norm": None, "loss": "cross_entropy"}.items():
        setattr(nn, name, value)
    plain = network(init=[(layer.weights, layer.bias) for layer in nn.layers])
    plain.epoch = nn.epoch
    for layer, source in zip(plain.layers, nn.layers, strict=True):
        layer.bias = source.bias
    for network_ in (nn, plain):
        network_.fit(X, LABELS, epochs=1, optimizer="sgd")
    assert same_bits(nn, plain)


@pytest.mark.parametrize("name", ["l1", "l2", "input_noise", "input_dropout", "max_norm"])
@pytest.mark.parametrize("value", [-1, math.nan, math.inf, "much", [1, 2]])
def test_values_that_are_none(name: str, value: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=name):
        network(**{name: value})
    nn = network()
    before = getattr(nn, name)
    with pytest.raises((ValueError, TypeError), match=name):
        setattr(nn, name, value)
    assert getattr(nn, name) == before
    with pytest.raises(ValueError, match="has its own"):
        foxnn.neural_network(nn, **{name: 0.5})
