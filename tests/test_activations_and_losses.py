"""Promise: activations and losses are what they are called, to a few units in the last place (ulp) of either number
type, from the smallest arguments to the largest, at every position of a row, and without overflow from logits."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from as_in_files import _as_in_files, as_in_files  # noqa: F401  (a fixture)
from numpy_reference import ACTIVATIONS, LOSSES, sigmoid, softmax, softplus

import foxnn

pytestmark = as_in_files


DTYPES = [np.float32, np.float64]
both_types = pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])

#: How many ulp an activation may be off.
ULPS: dict[str, float] = {
    "sigmoid": 3, "tanh": 4, "relu": 0, "leaky_relu": 1, "elu": 2, "selu": 3, "gelu": 6, "silu": 4, "softplus": 4,
    "softsign": 2, "hard_sigmoid": 2, "hard_tanh": 0, "relu6": 0, "mish": 5, "sin": 2, "cos": 2, "gaussian": 3,
    "arctan": 6, "exp": 1.5, "linear": 0, "threshold": 0, "foxnn_relu": 0,
}  # fmt: skip

#: Without a fused multiply-add x^2 is rounded before exp takes it: this many ulp more for each x^2.
UNFUSED = {"gelu": 0.5, "gaussian": 1.0}


def arguments(dtype: Any) -> Any:
    """Numbers from everywhere, 8 to a row."""
    random = np.random.default_rng(0)
    info = np.finfo(dtype)
    edges = np.log(float(info.tiny)), np.log(float(info.max))
    x = np.concatenate([
        [0.0, -0.0, info.tiny, -info.tiny, info.smallest_subnormal, 1e4, -1e4, 1e30, -1e30, info.max, -info.max],
        [y for kink in (0.5, 1, 2, 3, 6) for x in (kink, -kink) for y in (x, np.nextafter(x, 9), np.nextafter(x, -9))],
        np.linspace(-20, 20, 8001),
        random.uniform(-1, 1, 4000),
        random.normal(size=4000) * 40,
        random.uniform(*edges, 4000),
        *(sign * np.logspace(float(np.log10(info.tiny)), 5, 4000) for sign in (1, -1)),
        *(sign * np.logspace(5, 30, 500) for sign in (1, -1)),
    ]).astype(dtype)  # fmt: skip
    return x[: len(x) // 8 * 8].reshape(-1, 8)


def network(n: int, output: Any, dtype: Any, **options: Any) -> foxnn.NeuralNetwork:
    """Passes what it is given on to the output's activation."""
    return foxnn.neural_network([n, n], output=output, init=[np.eye(n)], dtype=dtype, **options)


def ulp(x: Any, dtype: Any, least: float = 0.0) -> Any:
    """The unit in the last place of numbers of this size; no less than that of `least` or of 1000 smallest normals,
    below which a product of small numbers may lose digits."""
    info = np.finfo(dtype)
    size = np.minimum(np.maximum(np.abs(x), max(least, 1000 * float(info.tiny))), info.max)
    return np.spacing(size.astype(dtype)).astype(np.longdouble)


@both_types
@pytest.mark.parametrize("name", ULPS)
@np.errstate(over="ignore", under="ignore")
def test_values_of_activations(name: str, dtype: Any) -> None:
    x = arguments(dtype)
    got = network(8, name, dtype).predict(x)
    expected = ACTIVATIONS[name](x.astype(np.longdouble))
    finite = np.isfinite(expected.astype(dtype))
    assert np.array_equal(got[~finite], expected[~finite].astype(dtype))  # e^x beyond the largest number
    allowed = np.full(x.shape, float(ULPS[name]))
    if foxnn._core.config()["instruction_set"] == "baseline" and name in UNFUSED:
        allowed += 1 + UNFUSED[name] * np.minimum(np.abs(x.astype(np.float64)), 60) ** 2
    least = 0.5 if name == "hard_sigmoid" else 0.0  # which adds a half
    error = np.abs(np.where(finite, got, 0) - np.where(finite, expected, 0)) / ulp(expected, dtype, least)
    worst = np.unravel_index(np.argmax(error - allowed), error.shape)
    assert (error <= allowed).all(), f"{name}({x[worst]!r}): {got[worst]!r}, {float(error[worst]):.3g} ulp off"


@pytest.mark.skipif(os.environ.get("FOXNN_ISA") == "baseline", reason="that is what is running")
def test_the_baseline_instruction_set() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__],
        env={**os.environ, "FOXNN_ISA": "baseline"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout[-3000:]


def test_every_activation_and_loss_is_tested() -> None:
    assert {*ULPS, "softmax"} == set(foxnn._core.ACTIVATIONS)
    assert set(LOSSES) == set(foxnn.losses.names())


@both_types
@pytest.mark.parametrize(
    "activation",
    [
        foxnn.Activation("elu", alpha=0.25),
        foxnn.Activation("elu", alpha=0),
        foxnn.Activation("leaky_relu", negative_slope=0.25),
        foxnn.Activation("leaky_relu", negative_slope=3),
    ],
    ids=repr,
)
def test_parameters_of_activations(activation: foxnn.Activation, dtype: Any) -> None:
    x = arguments(dtype)
    x = x[(np.abs(x) < 1e30).all(axis=1)]
    got = network(8, activation, dtype).predict(x)
    expected = ACTIVATIONS[activation.name](x.astype(np.longdouble), **activation.parameters)
    assert (np.abs(got - expected) <= 2 * ulp(expected, dtype)).all()


@both_types
@pytest.mark.parametrize("name", [name for name in ULPS if name != "foxnn_relu"])
def test_every_position_of_a_row(name: str, dtype: Any) -> None:
    """Rows of 1 to 40 give the same bits, so that no tail of a vector is anything special."""
    x = arguments(dtype).ravel()[:8000:7]
    expected = network(1, name, dtype).predict(x)[:, 0]
    for n in range(1, 41):
        rows = x[: len(x) // n * n].reshape(-1, n)
        got = network(n, name, dtype).predict(rows)
        assert np.array_equal(got.ravel(), expected[: rows.size])


@both_types
@pytest.mark.parametrize("n", [*range(1, 20), 31, 32, 33, 40, 1000])
def test_softmax(n: int, dtype: Any) -> None:
    random = np.random.default_rng(n)
    nn = network(n, "softmax", dtype)
    eps = float(np.finfo(dtype).eps)
    for scale in (1e-30, 0.1, 1.0, 30.0, 1e4, 1e30):
        z = (random.normal(size=(20, n)) * scale).astype(dtype)
        got = nn.predict(z)
        with np.errstate(under="ignore"):
            expected = softmax(z.astype(np.longdouble))
        shift = np.minimum(np.abs(z - z.max(axis=1, keepdims=True)), 1e3)  # rounded before exp takes it
        assert (np.abs(got - expected) <= (8 + shift) * ulp(expected, dtype)).all(), scale
        assert np.abs(got.sum(axis=1, dtype=np.float64) - 1).max() < 8 * eps


# ---- losses ---------------------------------------------------------------------------------------------------


def loss_of(nn: foxnn.NeuralNetwork, y: Any, t: Any) -> float:
    return nn.evaluate(y[None], t[None])["loss"]


@both_types
@pytest.mark.parametrize(
    "loss",
    [*foxnn.losses.names(), foxnn.Loss("huber", delta=0.25), foxnn.Loss("huber", delta=50)],
    ids=repr,
)
def test_values_of_losses(loss: Any, dtype: Any) -> None:
    """From the outputs themselves, of a linear layer, from huge to tiny errors and for every number of them."""
    loss = foxnn.Loss.of(loss)
    random = np.random.default_rng(0)
    for n in (*range(1, 41), 200):
        nn = network(n, "linear", dtype, loss=loss)
        for scale in (1e-6, 1.0, 1e4, 1e15):
            y, t = random.normal(size=(2, n)) * scale
            if loss.name in ("binary_cross_entropy", "cross_entropy"):
                y = random.uniform(0, 1, n) if scale == 1 else np.clip(np.abs(y), 0, 1 - 1e-6)
                y, t = np.maximum(y, 1e-30), random.choice([0, 1, 0.3], n)
            elif loss.name == "poisson":
                y, t = np.abs(y), random.integers(0, 9, n)
            y, t = y.astype(dtype), t.astype(dtype)
            exact = y.astype(np.longdouble)[None], t.astype(np.longdouble)[None]
            expected = LOSSES[loss.name](*exact, **loss.parameters)[0]
            size = abs(expected)
            if loss.name == "poisson":  # a difference: so much comes together
                size = np.mean(np.abs(exact[0]) + np.abs(exact[1] * np.log(exact[0])))
            elif loss.name == "binary_cross_entropy":  # 1 - y is rounded
                size = max(size, 1)
            assert abs(loss_of(nn, y, t) - expected) <= 12 * ulp(size, dtype), (n, scale)


@both_types
def test_binary_cross_entropy_from_logits(dtype: Any) -> None:
    nn = network(1, "sigmoid", dtype, loss="binary_cross_entropy")
    logits = [0, 1e-30, 1e-3, 0.5, 1, 5, 17, 30, 80, 100, 700, 1e3, 1e4, 1e30]
    for z in (dtype(sign * z) for z in logits for sign in (1, -1)):
        for t in (0, 1, 0.25):
            exact = np.longdouble(z)
            expected = np.maximum(exact, 0) - t * exact + np.log1p(np.exp(-np.abs(exact)))
            got, [(_, slope)] = nn.loss_and_gradients([[z]], [[t]])
            assert abs(got - expected) <= 4 * ulp(expected, dtype), (z, t)
            assert abs(slope[0] - (sigmoid(exact) - t)) <= 4 * np.finfo(dtype).eps


@both_types
@pytest.mark.parametrize("n", [2, 3, 8, 9, 17, 40])
def test_cross_entropy_from_logits(n: int, dtype: Any) -> None:
    random = np.random.default_rng(n)
    nn = network(n, "softmax", dtype, loss="cross_entropy")
    eps = float(np.finfo(dtype).eps)
    for scale in (1e-30, 1.0, 30.0, 1e3, 1e4):
        for label in range(n):
            z = (random.normal(size=n) * scale).astype(dtype)
            exact = z.astype(np.longdouble)
            top = exact.max()
            expected = np.log(np.exp(exact - top).sum()) + top - exact[label]
            got, [(_, slopes)] = nn.loss_and_gradients(z[None], [label])
            assert abs(got - expected) <= 6 * ulp(expected, dtype, 1.0), scale
            assert np.abs(slopes - (softmax(exact[None])[0] - (np.arange(n) == label))).max() <= (8 + 2 * scale) * eps


@both_types
def test_poisson_from_logarithms(dtype: Any) -> None:
    nn = network(1, "exp", dtype, loss="poisson")
    for z in (0, 1e-3, 1, -1, 5, -30, 80, -100, -1e3, -1e4):
        for t in (0, 1, 7):
            exact = np.longdouble(dtype(z))
            expected = np.exp(exact) - t * exact
            got, [(_, slope)] = nn.loss_and_gradients([[z]], [[t]])
            assert abs(got - expected) <= 4 * ulp(np.exp(exact) + abs(t * exact), dtype), (z, t)
            assert abs(slope[0] - (np.exp(exact) - t)) <= 4 * ulp(np.exp(exact) + t, dtype)


@both_types
@pytest.mark.parametrize("loss", foxnn.losses.names())
def test_logits_of_any_size_give_finite_losses(loss: str, dtype: Any) -> None:
    """Right answers cost nothing and wrong ones a finite amount, with finite gradients."""
    for output in (None, "softmax", "sigmoid", "hard_sigmoid", "softplus", "gaussian"):
        nn = network(3, output, dtype, loss=loss)
        for z in (0, 1e3, -1e3, 1e4, -1e4):
            if nn.layers[0].activation == "exp" and z != 0:
                continue  # e^1000 is no number
            if nn.layers[0].activation == "softplus" and loss == "binary_cross_entropy":
                continue  # not between 0 and 1
            for t in ([1, 0, 0], [0, 0, 1], [1, 1, 1]):
                value, gradients = nn.loss_and_gradients([[z, -z, z / 2]], [t])
                assert np.isfinite(value)
                assert all(np.isfinite(part).all() for pair in gradients for part in pair), (output, z, t)


@both_types
def test_losses_from_logits_agree_with_those_from_outputs(dtype: Any) -> None:
    random = np.random.default_rng(1)
    for output, loss, function in (
        ("sigmoid", "binary_cross_entropy", sigmoid), ("softmax", "cross_entropy", softmax), ("exp", "poisson", np.exp),
    ):  # fmt: skip
        z, t = random.normal(size=(6, 5)), np.eye(5)[random.integers(5, size=6)]
        from_logits = network(5, output, dtype, loss=loss).evaluate(z, t)["loss"]
        from_outputs = network(5, "linear", dtype, loss=loss).evaluate(function(z), t)["loss"]
        assert from_logits == pytest.approx(from_outputs, rel=20 * float(np.finfo(dtype).eps))


def test_the_reference_itself() -> None:
    """A few values known from elsewhere."""
    one = np.ones(1)
    assert softplus(0 * one) == pytest.approx(np.log(2))
    assert ACTIVATIONS["gelu"](one) == pytest.approx(0.8413447460685429)
    assert ACTIVATIONS["mish"](one) == pytest.approx(0.8650983882673103)
    assert ACTIVATIONS["selu"](-one) == pytest.approx(-1.1113307378125625)
