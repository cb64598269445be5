"""Promise: a network that scales is trained on and used with raw numbers, and computes what it would with numbers that
were scaled outside; it finds out how from what it trains on, and remembers."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_own_loop import parameters, state_of

import foxnn

N = 500
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(N, 4)) * [1, 100, 1e-3, 0] + [1e6, -5, 0, 7]  # far away, wide, narrow, constant
Y = np.stack([1e4 + 30 * np.tanh(X[:, 1] / 100), X[:, 2]], axis=1)


def network(**options: Any) -> foxnn.NeuralNetwork:
    chosen = {"scale_inputs": "standard", "scale_outputs": "standard", "dtype": "float64", "seed": 0} | options
    return foxnn.neural_network([4, 9, 2], "tanh", "linear", **chosen)


def by_hand(kind: str, x: Any) -> tuple[Any, Any]:
    """Shift and spread, as their definitions have it."""
    shift, spread = (x.mean(axis=0), x.std(axis=0)) if kind == "standard" else (x.min(axis=0), np.ptp(x, axis=0))
    return shift, np.where(spread < 1e-12, 1, spread)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("outputs", [None, "standard", "minmax"])
@pytest.mark.parametrize("inputs", [None, "standard", "minmax"])
def test_as_if_scaled_outside(inputs: str | None, outputs: str | None, dtype: str) -> None:
    x = X if inputs else X / [1e6, 100, 1e-3, 1]
    y = Y if outputs else Y / 1e4
    options = {"epochs": 4, "batch_size": 30, "validation_split": 0.2, "verbose": False, "callbacks": []}
    nn = network(scale_inputs=inputs, scale_outputs=outputs, dtype=dtype)
    history = nn.fit(x, y, **options)

    held_out = foxnn.data.samples.split(nn.seed, N, 0.2)[1]
    trained_on = np.setdiff1d(np.arange(N), held_out)  # the only ones it may learn anything from
    outside = network(scale_inputs=None, scale_outputs=None, dtype=dtype)
    (shift, spread), (y_shift, y_spread) = by_hand(inputs or "", x[trained_on]), by_hand(outputs or "", y[trained_on])
    if inputs is None:
        shift, spread = 0, 1
    if outputs is None:
        y_shift, y_spread = 0, 1
    if inputs:
        np.testing.assert_allclose(nn.input_scaling.shift, shift, rtol=1e-14)
        np.testing.assert_allclose(nn.input_scaling.spread, spread, rtol=1e-9)
        assert nn.input_scaling.kind == inputs
    scaled_x, scaled_y = (x - shift) / spread, (y - y_shift) / y_spread
    other = outside.fit(scaled_x, scaled_y, **options)

    rtol, atol = (1e-3, 1e-4) if dtype == "float32" else (1e-7, 1e-9)
    np.testing.assert_allclose(history["loss"], other["loss"], rtol=rtol)
    np.testing.assert_allclose(history["val_loss"], other["val_loss"], rtol=rtol)
    for a, b in zip(parameters(nn), parameters(outside), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)
    got = (nn.predict(x) - y_shift) / y_spread
    np.testing.assert_allclose(got, outside.predict(scaled_x), rtol=rtol, atol=1e-2 if dtype == "float32" else 1e-6)
    assert nn.evaluate(x, y)["loss"] == pytest.approx(outside.evaluate(scaled_x, scaled_y)["loss"], rel=rtol)
    assert nn.train_on_batch(x, y) == pytest.approx(outside.train_on_batch(scaled_x, scaled_y), rel=rtol)


def test_agrees_with_scikit_learn() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    for kind, scaler in (("standard", preprocessing.StandardScaler()), ("minmax", preprocessing.MinMaxScaler())):
        nn = network(scale_inputs=kind, scale_outputs=None).fit_scaling(X)
        expected = scaler.fit(X)
        shift = expected.mean_ if kind == "standard" else expected.data_min_
        spread = expected.scale_ if kind == "standard" else expected.data_range_ + (expected.data_range_ == 0)
        np.testing.assert_allclose(nn.input_scaling.shift, shift, rtol=1e-13)
        np.testing.assert_allclose(nn.input_scaling.spread, spread, rtol=1e-9)


def test_digits_are_kept_where_a_large_shift_is_taken_away() -> None:
    """A float32 network on float64 data around 1e9: scaled in single precision nothing would be left."""
    x = 1e9 + np.linspace(-1, 1, 200)
    nn = foxnn.neural_network([1, 20, 1], "tanh", "linear", scale_inputs="standard", seed=0)
    nn.fit(x, np.sin(3 * (x - 1e9)), epochs=300, learning_rate=1e-2, verbose=False)
    assert nn.evaluate(x, np.sin(3 * (x - 1e9)))["loss"] < 5e-3
    assert nn.input_scaling.spread.item() == pytest.approx(np.linspace(-1, 1, 200).std(), rel=1e-8)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int16])
def test_any_number_type_is_read(dtype: Any) -> None:
    images = RANDOM.integers(0, 200, (N, 4)).astype(dtype)
    nn, reference = (network(scale_outputs=None).fit_scaling(x) for x in (images, images.astype(np.float64)))
    other = images.astype(np.float64) / (255 if dtype == np.uint8 else 1)
    np.testing.assert_allclose(nn.predict(images), reference.predict(images.astype(np.float64)), rtol=1e-12)
    np.testing.assert_allclose(nn.predict(images), nn.predict(other), rtol=1e-12)  # uint8 is x / 255, as always
    np.testing.assert_allclose(nn.predict(images[0]), nn.predict(images)[0], rtol=1e-12)


def test_own_scale_and_offset_come_first() -> None:
    nn = network(scale_outputs=None)
    nn.scale, nn.offset = 2.0, 3.0
    nn.fit_scaling(X)
    np.testing.assert_allclose(nn.input_scaling.shift, 2 * X.mean(axis=0) + 3, rtol=1e-13)
    assert np.abs(nn.layer_outputs(X)[0]).max() < 1


def test_it_is_fitted_once_and_again_only_when_asked() -> None:
    nn = network()
    nn.partial_fit(X, Y)
    first = nn.input_scaling, nn.output_scaling
    nn.fit(2 * X, 3 * Y, epochs=1, verbose=False)
    assert nn.input_scaling is first[0]
    assert nn.output_scaling is first[1]
    nn.fit_scaling(2 * X, 3 * Y)
    np.testing.assert_allclose(nn.input_scaling.shift, 2 * first[0].shift, rtol=1e-12)
    np.testing.assert_allclose(nn.output_scaling.spread, 3 * first[1].spread, rtol=1e-12)
    nn.scale_inputs = "minmax"
    assert nn.input_scaling is None
    nn.fit(X, Y, epochs=1, verbose=False)
    np.testing.assert_array_equal(nn.input_scaling.shift, X.min(axis=0))
    nn.scale_inputs = nn.scale_outputs = None
    assert nn.input_scaling is nn.output_scaling is None
    nn.predict(X)


@pytest.mark.parametrize("use", ["predict", "evaluate", "train_on_batch", "loss_and_gradients", "forward", "jacobian",
                                 "layer_outputs", "input_gradients"])  # fmt: skip
def test_before_it_is_fitted_nothing_is_computed(use: str) -> None:
    nn = network()
    arguments = (X,) if use in ("predict", "forward", "jacobian", "layer_outputs") else (X, Y)
    with pytest.raises(RuntimeError, match="scale_inputs and scale_outputs: not fitted yet; call fit, or fit_scaling"):
        getattr(nn, use)(*arguments)
    nn.fit_scaling(X, Y)
    getattr(nn, use)(*arguments)


def test_derivatives_are_of_what_users_see() -> None:
    nn = network(scale_outputs="minmax")
    nn.fit(X, Y, epochs=3, verbose=False)
    x = X[:5]
    spread = nn.input_scaling.spread
    for k in range(4):
        step = 1e-4 * spread * (np.arange(4) == k)
        expected = (nn.predict(x + step) - nn.predict(x - step)) / (2e-4 * spread[k])
        np.testing.assert_allclose(nn.jacobian(x)[:, :, k], expected, rtol=1e-5, atol=1e-9 * np.abs(expected).max())
        losses = [nn.evaluate(x + s, Y[:5])["loss"] for s in (step, -step)]
        slope = (losses[0] - losses[1]) / (2e-4 * spread[k])
        assert nn.input_gradients(x, Y[:5])[:, k].sum() == pytest.approx(slope, rel=1e-4, abs=1e-9)
    y = nn.forward(x)
    np.testing.assert_array_equal(y, nn.predict(x))
    gradients, d_input = nn.backward(np.ones_like(y), input_gradient=True)
    np.testing.assert_allclose(d_input, nn.jacobian(x).sum(axis=1), rtol=1e-10)
    np.testing.assert_allclose(gradients[-1][1], len(x) * nn.output_scaling.spread, rtol=1e-12)


def test_the_same_bits_for_any_number_of_threads() -> None:
    x = np.random.default_rng(1).normal(size=(20_000, 37)).astype(np.float32)
    scalings = []
    for n_threads in (1, 2, 3, 8):
        for kind in ("standard", "minmax"):
            nn = foxnn.neural_network([37, 2], scale_inputs=kind, n_threads=n_threads, seed=0).fit_scaling(x)
            scalings.append(nn.input_scaling)
    for index, scaling in enumerate(scalings):
        np.testing.assert_array_equal(scaling.shift, scalings[index % 2].shift)
        np.testing.assert_array_equal(scaling.spread, scalings[index % 2].spread)
    np.testing.assert_allclose(scalings[0].shift, x.mean(axis=0, dtype=np.float64), atol=1e-14)
    np.testing.assert_allclose(scalings[0].spread, x.std(axis=0, dtype=np.float64), rtol=1e-13)
    np.testing.assert_array_equal(scalings[1].shift, x.min(axis=0))


@pytest.mark.parametrize("fitted", [False, True])
def test_files_copies_and_pickles_have_it(fitted: bool, tmp_path: Path) -> None:
    nn = network(scale_outputs="minmax")
    if fitted:
        nn.fit(X, Y, epochs=1, verbose=False)
    nn.save(tmp_path / "net.safetensors")
    for twin in (foxnn.load(tmp_path / "net.safetensors"), nn.copy(), pickle.loads(pickle.dumps(nn))):
        assert (twin.scale_inputs, twin.scale_outputs) == ("standard", "minmax")
        if fitted:
            np.testing.assert_array_equal(twin.predict(X), nn.predict(X))
            np.testing.assert_array_equal(twin.output_scaling.spread, nn.output_scaling.spread)
            assert twin.evaluate(X, Y) == nn.evaluate(X, Y)
        else:
            with pytest.raises(RuntimeError, match="not fitted"):
                twin.predict(X)


def test_other_outputs_are_fitted_again() -> None:
    nn = network()
    nn.fit(X, Y, epochs=1, verbose=False)
    nn.add(3, "linear")
    assert nn.output_scaling is None
    assert nn.input_scaling is not None
    nn.fit(X, RANDOM.normal(size=(N, 3)), epochs=1, verbose=False)
    assert nn.output_scaling.shift.shape == (3,)
    before = nn.output_scaling
    nn.insert(0, 4, "relu")
    nn.remove(1)
    assert nn.output_scaling is before


def test_regression_has_no_accuracy() -> None:
    rows = np.eye(2)[(X[:, 1] > 0).astype(int)]
    nn = network()
    assert "accuracy" not in nn.fit(X, rows, epochs=1, verbose=False)
    assert "accuracy" not in nn.evaluate(X, rows)
    nn.scale_outputs = None
    assert "accuracy" in nn.evaluate(X, rows)


def test_wrong_arguments_are_refused_and_change_nothing() -> None:
    nn, huge = network(), np.where(X == 7, 0, 1e308) * [1, -1, 1, -1]
    nn.fit(X, Y, epochs=1, verbose=False)
    huge[::2] *= -1
    before, labels = state_of(nn), np.zeros(N, int)
    sized = foxnn.neural_network
    for call, error, words in (
        (lambda: network(scale_inputs="normal"), ValueError, "scale_inputs: unknown name 'normal'.*standard, minmax"),
        (lambda: network(scale_outputs=True), ValueError, "scale_outputs: unknown name True"),
        (lambda: sized([2, 3], output="softmax", scale_outputs="minmax"), ValueError, "loss 'cross_entropy'"),
        (lambda: setattr(nn, "loss", "poisson"), ValueError, "scale_outputs: got 'standard' with the loss 'poisson'"),
        (lambda: nn.fit(X, labels, verbose=False), ValueError, "y: got classes; with scale_outputs it takes values"),
        (lambda: nn.evaluate(X, labels), ValueError, "y: got classes"),
        (lambda: nn.fit_scaling(X), ValueError, "y: got None; with scale_outputs it takes the targets"),
        (lambda: nn.fit_scaling(X[:, :3], Y), ValueError, "X: got an array of shape"),
        (lambda: nn.fit_scaling(X, Y[:3]), ValueError, "y: got shape"),
        (lambda: nn.fit_scaling(huge, Y), ValueError, "numbers too large to be scaled"),
        (lambda: sized([2, 3]).fit_scaling(X), ValueError, "fit_scaling: this network scales nothing"),
        (lambda: sized(nn, scale_inputs="minmax"), ValueError, "scale_inputs: got 'minmax'; a network that is"),
    ):
        with pytest.raises(error, match=words):
            call()
        assert state_of(nn) == before


def exported(nn: foxnn.NeuralNetwork, x: Any, to: str, folder: Path) -> Any:
    """What an export makes of inputs."""
    if to == "c":
        from test_c_export import GCC, run_c

        if GCC is None:
            pytest.skip("needs gcc")
        return run_c(nn, x, folder)
    if to == "js":
        from test_js_export import NODE, run_js

        if NODE is None:
            pytest.skip("needs node")
        return run_js([nn], [x], folder)[0]
    if to == "onnx":
        runtime = pytest.importorskip("onnxruntime")
        nn.to_onnx(folder / "net.onnx")
        session = runtime.InferenceSession(folder / "net.onnx", providers=["CPUExecutionProvider"])
        return session.run(None, {"x": x.astype(np.float32)})[0]
    if to == "torch":
        torch = pytest.importorskip("torch")
        return nn.to_torch()(torch.tensor(x)).detach().numpy()
    if to == "keras":
        test_keras = pytest.importorskip("test_keras", reason="needs Keras 3 and a backend")
        with test_keras.float64():
            return test_keras.run_keras(nn.to_keras(), x)
    if to == "sklearn":
        pytest.importorskip("sklearn")
        return nn.to_sklearn().predict(x)
    nn.to_npz(folder / "net.npz")
    with np.load(folder / "net.npz") as arrays:
        description = json.loads(arrays["description"].item())
        scale, unscale = description["scale_inputs"], description["scale_outputs"]
        hidden = np.tanh((x - scale["shift"]) / scale["spread"] @ arrays["layers.0.weights"] + arrays["layers.0.bias"])
        return (hidden @ arrays["layers.1.weights"] + arrays["layers.1.bias"]) * unscale["spread"] + unscale["shift"]


def keras_multiplies_in_float32() -> bool:
    import test_keras

    with test_keras.float64():
        return not test_keras.multiplies_in("float64")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:network. is of float64")  # Keras's
@pytest.mark.parametrize("to", ["c", "js", "onnx", "torch", "keras", "sklearn", "npz"])
def test_exports_take_raw_inputs(to: str, tmp_path: Path) -> None:
    dtype = "float32" if to == "onnx" else "float64"
    nn = network(dtype=dtype)
    nn.fit(X, Y, epochs=3, verbose=False)
    x = X[:20].astype(dtype)
    expected = nn.predict(x)
    error = np.abs(exported(nn, x, to, tmp_path) - expected).max(axis=0) / nn.output_scaling.spread
    # Where the scaling is in the weights, digits are lost to the inputs that are far away: most of float32's, which is
    # what Keras multiplies in on PyTorch.
    tolerance = {"onnx": 1e-3, "torch": 1e-8, "keras": 1e-6, "sklearn": 1e-8}.get(to, 1e-10)
    if to == "keras" and keras_multiplies_in_float32():
        tolerance = 0.1
    assert error.max() < tolerance


def test_exports_that_cannot_hold_it_say_so(tmp_path: Path) -> None:
    nn = network()
    with pytest.raises(RuntimeError, match="not fitted yet"):
        nn.to_c(tmp_path / "net.h")
    nn.fit_scaling(X, Y)
    with pytest.raises(ValueError, match=r"path: FoxNN 1\.0's text files do not hold how this network scales"):
        nn.save(tmp_path / "net.txt")
    nn.layers[1].activation = "sigmoid"
    pytest.importorskip("torch")
    with pytest.raises(ValueError, match="scale_outputs: outputs of sigmoid cannot be scaled here"):
        nn.to_torch()
