"""Promise: NumPy in and out, and errors are exceptions. Whatever holds real numbers is taken, in place where it can be;
anything else is refused with a message that names the argument, what it got and what it takes, and nothing changes."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from peak_memory import PEAK_MEMORY, needs_proc

import foxnn
from foxnn._arrays import as_inputs

N_IN, N_OUT, N = 4, 3, 12
_random = np.random.default_rng(0)
X = _random.normal(size=(N, N_IN))
WHOLE = _random.integers(0, 100, (N, N_IN))
LABELS = np.arange(N) % N_OUT


def network(**options: Any) -> foxnn.NeuralNetwork:
    options = {"activation": "tanh", "output": "softmax", "seed": 1, **options}
    return foxnn.neural_network([N_IN, 5, N_OUT], **options)


# ---- what is taken ------------------------------------------------------------------------------------------

NUMBER_TYPES = [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "longdouble", ">i2", ">i8", ">u4", ">f2", ">f4", ">f8", "object",
]  # fmt: skip


@pytest.mark.parametrize("net_type", ["float32", "float64"])
@pytest.mark.parametrize("dtype", NUMBER_TYPES)
def test_number_types(dtype: str, net_type: str) -> None:
    whole = WHOLE % 2 if dtype == "bool" else WHOLE
    expected, nn = network(dtype=net_type), network(dtype=net_type)
    expected.fit(whole.astype(np.float64), LABELS, epochs=2, scale=0.01)
    nn.fit(whole.astype(dtype), LABELS, epochs=2, scale=0.01)
    outputs = nn.predict(whole.astype(dtype))
    assert outputs.dtype == net_type
    assert outputs.shape == (N, N_OUT)
    np.testing.assert_allclose(outputs, expected.predict(whole.astype(np.float64)), rtol=1e-5)


def test_uint8_is_read_as_an_image() -> None:
    nn, pixels = network(dtype="float64"), WHOLE.astype(np.uint8)
    np.testing.assert_allclose(nn.predict(pixels), nn.predict(WHOLE / 255), rtol=1e-13)
    np.testing.assert_allclose(nn.predict(pixels, scale=1), nn.predict(WHOLE), rtol=1e-13)
    images = pixels.reshape(N, 2, 2)
    assert np.array_equal(nn.predict(images), nn.predict(pixels))


@pytest.mark.parametrize("shape", [(2, 2), (1, 2, 2), (2, 2, 1), (4, 1), (1, 1, 1, 4)])
def test_any_shape_of_a_sample(shape: tuple[int, ...]) -> None:
    """Images with and without channels, contiguous or not, to train on, to evaluate and to predict of."""
    images = X.reshape(N, *shape)
    one, other = network(), network()
    one.fit(X, LABELS, epochs=2, validation_data=(X, LABELS))
    other.fit(images, LABELS, epochs=2, validation_data=(images, LABELS))
    assert one.train_on_batch(X, LABELS) == other.train_on_batch(images, LABELS)
    for given in (images, images.tolist(), np.asfortranarray(images)):
        assert np.array_equal(other.predict(given), one.predict(X))
        assert other.evaluate(given, LABELS) == one.evaluate(X, LABELS)
    assert np.array_equal(other.input_gradients(images, LABELS), one.input_gradients(X, LABELS))
    assert one.predict(images[:1]).shape == (1, N_OUT)


def test_strides() -> None:
    nn, expected = network(), network().predict(X)
    padded = np.zeros((3 * N, 2 * N_IN + 1))
    padded[::3, 1::2] = X
    for view in (padded[::3, 1::2], X.T.copy().T, X[::-1].copy()[::-1], X[:, ::-1].copy()[:, ::-1]):
        assert np.array_equal(nn.predict(view), expected)
        assert nn.evaluate(view, LABELS) == nn.evaluate(X, LABELS)


def test_containers(tmp_path: Path) -> None:
    nn, expected = network(), network().predict(X)
    frozen = X.copy()
    frozen.setflags(write=False)
    mapped = np.memmap(tmp_path / "X", np.float64, "w+", shape=X.shape)
    mapped[:] = X

    class Array:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return X

    for form in (
        X.tolist(), tuple(map(tuple, X)), [list(row) for row in X], list(X), frozen, mapped, Array(), X.astype(object),
        np.ma.masked_array(X), [[Fraction(value) for value in row] for row in X], memoryview(X),
    ):  # fmt: skip
        assert np.array_equal(nn.predict(form), expected)
        assert nn.evaluate(form, LABELS)["loss"] == nn.evaluate(X, LABELS)["loss"]
    for labels in (LABELS.tolist(), tuple(LABELS), LABELS.astype(np.int8), LABELS.astype(float), LABELS.astype(object)):
        assert nn.evaluate(X, labels) == nn.evaluate(X, LABELS)


def test_pandas() -> None:
    pd = pytest.importorskip("pandas")
    nn, frame = network(), pd.DataFrame(WHOLE, columns=list("abcd"))
    expected = nn.predict(WHOLE)
    assert np.array_equal(nn.predict(frame), expected)
    for dtype in ("Int64", "Float64", "Float32", "float32", "int16"):
        assert np.array_equal(nn.predict(frame.astype(dtype)), expected)
    assert np.array_equal(nn.predict(frame.astype({"a": "Int64", "b": "float32", "c": "int8"})), expected)
    mixed = frame.assign(d=frame.d % 2 == 0)
    assert np.array_equal(nn.predict(mixed), nn.predict(mixed.to_numpy(dtype=float)))
    for labels in (pd.Series(LABELS), pd.Series(LABELS, dtype="Int8"), pd.Series(LABELS, index=range(50, 50 + N))):
        assert nn.evaluate(frame, labels) == nn.evaluate(WHOLE, LABELS)
    weights = pd.Series(np.arange(1.0, N + 1), dtype="Float64")
    assert nn.evaluate(frame, LABELS, weights) == nn.evaluate(WHOLE, LABELS, np.arange(1.0, N + 1))
    with pytest.raises((TypeError, ValueError), match=r"^X: "):
        nn.predict(frame.astype("Int64").mask(frame > 50))
    with pytest.raises(TypeError, match=r"^X: "):
        nn.predict(frame.assign(d="text"))


def test_one_dimension() -> None:
    nn = network()
    assert nn.predict(X[0]).shape == (N_OUT,)
    assert np.array_equal(nn.predict(X[0]), nn.predict(X[:1])[0])
    assert np.array_equal(nn(X[0].tolist()), nn.predict(X[:1])[0])
    curve = foxnn.neural_network([1, 5, 1], seed=1)
    assert curve.predict(X[:, 0]).shape == (N, 1)
    assert np.array_equal(curve.predict(X[:, 0]), curve.predict(X[:, :1]))
    curve.fit(X[:, 0], LABELS.astype(float), epochs=1)
    network().train_on_batch(X[0], [1])


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_arrays_are_not_copied(dtype: Any) -> None:
    array = WHOLE.astype(dtype)
    for view in (array, array[2:7], array[::2], array[:, :N_IN], np.ascontiguousarray(array)):
        assert np.shares_memory(as_inputs(view, N_IN), view)
    wide = np.zeros((N, N_IN + 3), dtype)
    assert np.shares_memory(as_inputs(wide[:, 1 : 1 + N_IN], N_IN), wide)


def test_inputs_are_not_changed() -> None:
    array, labels, weights = X.copy(), LABELS.copy(), np.ones(N)
    network(dropout=0.5).fit(array, labels, epochs=3, sample_weight=weights, validation_split=0.25)
    assert np.array_equal(array, X)
    assert np.array_equal(labels, LABELS)
    assert np.array_equal(weights, np.ones(N))


def test_outputs_are_new_arrays() -> None:
    nn = network()
    first, second = nn.predict(X), nn.predict(X)
    assert not np.shares_memory(first, second)
    assert first.flags.owndata
    assert first.flags.writeable
    nn.layers[0].weights.copy()[:] = 0
    assert np.array_equal(nn.predict(X), first)


@needs_proc
def test_images_are_not_converted_all_at_once() -> None:
    """47 MB of uint8 would be 188 MB of float32."""
    script = """
import numpy, foxnn
nn = foxnn.neural_network([784, 4, 10], output="softmax", seed=0)
X = numpy.random.default_rng(0).integers(0, 256, (60000, 784), dtype=numpy.uint8)
y = numpy.zeros(60000, int)
nn.fit(X[:1000], y[:1000], epochs=1)
before = memory()
nn.fit(X, y, epochs=1, batch_size=1000)
nn.predict(X)
nn.evaluate(X, y)
print((memory() - before) / X.nbytes)
"""
    run = subprocess.run([sys.executable, "-c", PEAK_MEMORY + script], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) < 0.5


# ---- what is refused ----------------------------------------------------------------------------------------


def spoilt(value: float, row: int = 3, column: int = 1, dtype: Any = np.float64) -> Any:
    array = X.astype(dtype)
    array[row, column] = value
    return array


class Sparse:
    """Looks like one of SciPy's."""

    shape = (N, N_IN)

    def tocsr(self) -> None: ...


BAD_INPUTS: dict[str, tuple[Any, type[Exception], str]] = {
    "too wide": (np.zeros((N, 5)), ValueError, r"\(12, 5\).*\(n_samples, 4\)"),
    "too narrow": (np.zeros((N, 3)), ValueError, r"\(12, 3\).*\(n_samples, 4\)"),
    "three dimensions": (np.zeros((N, 4, 4)), ValueError, r"\(12, 4, 4\)"),
    "four dimensions": (np.zeros((N, 2, 2, 2)), ValueError, r"\(12, 2, 2, 2\).*\(n_samples, 4\).*4 numbers a sample"),
    "a column that is a single sample": (np.zeros((4, 1)), ValueError, r"\(4, 1\).*; a single sample has shape \(4,\)"),
    "pairs": (list(zip(X, LABELS, strict=True)), ValueError, r"got pairs; .*X, y = map\(np\.array, zip\(\*pairs\)\)"),
    "no dimension": (3.0, ValueError, r"\(\).*\(n_samples, 4\)"),
    "None": (None, ValueError, r"\(n_samples, 4\)"),
    "NaN": (spoilt(np.nan), ValueError, "got nan in row 3, column 1"),
    "NaN, float32": (spoilt(np.nan, dtype=np.float32), ValueError, "got nan in row 3, column 1"),
    "infinity": (spoilt(np.inf), ValueError, "got inf in row 3, column 1"),
    "minus infinity": (spoilt(-np.inf, 11, 3), ValueError, "got -inf in row 11, column 3"),
    "more than float32 holds": (spoilt(1e39), ValueError, r"1e\+39.*3\.4e38"),
    "None among numbers": ([[1, 2, 3, None]] * N, (TypeError, ValueError), ""),
    "no samples": (np.zeros((0, 4)), ValueError, "no samples"),
    "an empty list": ([], ValueError, ""),
    "batches": ([[X, LABELS], [X, LABELS]], ValueError, r"got pairs; .*iter\(batches\)"),
    "ragged": ([[1, 2, 3, 4], [1, 2]], ValueError, "different lengths"),
    "text": ([["a", "b", "c", "d"]] * N, TypeError, "real numbers"),
    "numbers as text": (X.astype(str), TypeError, "real numbers"),
    "bytes": (X.astype("S"), TypeError, "real numbers"),
    "complex": (X + 1j, TypeError, "complex128.*real numbers"),
    "dates": (WHOLE.astype("datetime64[s]"), TypeError, "real numbers"),
    "a dict": ({"a": 1}, TypeError, "real numbers"),
    "sparse": (Sparse(), TypeError, "sparse.*dense"),
    "masked": (np.ma.masked_greater(X, 0), ValueError, "masked"),
}

BAD_TARGETS: dict[str, tuple[Any, type[Exception], str]] = {
    "too few": (LABELS[:-1], ValueError, r"\(11,\).*12 samples"),
    "too many": (np.arange(N + 1) % N_OUT, ValueError, r"\(13,\)"),
    "too wide": (np.zeros((N, 4)), ValueError, r"\(12, 4\).*\(12, 3\)"),
    "too narrow": (np.zeros((N, 2)), ValueError, r"\(12, 2\)"),
    "three dimensions": (np.zeros((N, 3, 1)), ValueError, r"\(12, 3, 1\)"),
    "a number": (1, ValueError, "one target a sample"),
    "label out of range": (LABELS + 1, ValueError, r"label 3 in row 2.*0\.\.2"),
    "negative label": (LABELS - 1, ValueError, r"label -1 in row 0.*0\.\.2"),
    "fractional label": (LABELS + 0.5, ValueError, r"label 0\.5 in row 0.*0\.\.2"),
    "huge label": (np.full(N, 2**62), ValueError, r"0\.\.2"),
    "NaN": (np.where(LABELS == 2, np.nan, LABELS), ValueError, "nan"),
    "NaN in values": (np.full((N, 3), np.nan), ValueError, "nan in row 0, column 0"),
    "infinity": (np.full((N, 3), np.inf), ValueError, "inf"),
    "more than float32 holds": (np.full((N, 3), 1e39), ValueError, r"1e\+39.*3\.4e38"),
    "negative share": (np.full((N, 3), -0.5), ValueError, "-0.5.*cross_entropy"),
    "text": (list("abcabcabcabc"), TypeError, "text.*integer classes"),
    "text objects": (np.array(list("abcabcabcabc"), dtype=object), TypeError, "text"),
    "complex": (LABELS + 0j, TypeError, "complex"),
    "ragged": ([[1], [1, 2]] * 6, ValueError, "different lengths"),
    "None": (None, (TypeError, ValueError), ""),
    "sparse": (Sparse(), TypeError, "sparse"),
    "masked": (np.ma.masked_equal(LABELS, 1), ValueError, "masked"),
}

BAD_WEIGHTS: dict[str, tuple[Any, type[Exception], str]] = {
    "too few": (np.ones(N - 1), ValueError, r"\(11,\).*\(12,\)"),
    "two dimensions": (np.ones((N, 1)), ValueError, r"\(12, 1\).*\(12,\)"),
    "negative": (np.arange(N) - 1.0, ValueError, "negative weight -1"),
    "only zeros": (np.zeros(N), ValueError, "only zeros"),
    "NaN": (np.full(N, np.nan), ValueError, "nan"),
    "infinity": (np.full(N, np.inf), ValueError, "inf"),
    "text": (["1"] * N, TypeError, "real numbers"),
}

BAD_FIT_OPTIONS: list[tuple[str, Any]] = [
    *(("epochs", value) for value in (0, -1, 1.5, "3", None, True, np.nan, [1])),
    *(("batch_size", value) for value in (0, -1, 2.0, "all", False)),
    *(("learning_rate", value) for value in (np.nan, np.inf, -1e-3, "fast", [1], True)),
    *(("validation_split", value) for value in (1.5, 1.0, -0.1, np.nan, "half", 0.01, 0.99)),
    *(("scale", value) for value in (np.nan, np.inf, "big")),
    *(("offset", value) for value in (np.nan, "big")),
    *(("optimizer", value) for value in ("adm", "", 3, foxnn.optimizers.Adam)),
    *(("verbose", value) for value in ("loud", None, 0.5)),
    *(("callbacks", value) for value in ([3], [foxnn.EarlyStopping], foxnn.EarlyStopping())),
    *(("class_weight", value) for value in ("even", 3, {0: -1}, {0: np.nan}, {-1: 1}, {0.5: 1}, {0: "a"}, {3: 1})),
    *(("shuffle", value) for value in ("no", None, 2, [True])),
    *(("validation_data", value) for value in (X, (X,), (X, LABELS, None, None), 3, (X, LABELS[:-1]))),
    *(("validation_data", (bad, LABELS)) for bad in (X[:, :-1], spoilt(np.nan))),
    ("validation_data", (X, LABELS, np.ones(N - 1))),
]


@pytest.fixture
def trained() -> foxnn.NeuralNetwork:
    nn = network()
    nn.fit(X, LABELS, epochs=2, optimizer="momentum", learning_rate=0.3, scale=2.0, offset=0.5)
    return nn


def refuse(nn: foxnn.NeuralNetwork, error: Any, pattern: str, call: Callable[[], Any]) -> None:
    """The call raises such an error, and the network is as it was, its optimizer, memory and settings included."""
    before, optimizer, history, epoch = pickle.dumps(nn), nn.optimizer, nn.history, nn.epoch
    with pytest.raises(error) as caught:
        call()
    assert isinstance(caught.value, (ValueError, TypeError))
    assert re.search(pattern, str(caught.value)), f"{pattern!r} is not in {str(caught.value)!r}"
    assert pickle.dumps(nn) == before
    assert (nn.optimizer, nn.history, nn.epoch) == (optimizer, history, epoch)
    nn.fit(X, LABELS, epochs=1)  # and it can be used


@pytest.mark.parametrize("case", BAD_INPUTS)
def test_bad_inputs(trained: foxnn.NeuralNetwork, case: str) -> None:
    bad, error, pattern = BAD_INPUTS[case]
    pattern = f"^X: .*{pattern}"
    refuse(trained, error, pattern, lambda: trained.predict(bad))
    refuse(trained, error, pattern, lambda: trained.evaluate(bad, LABELS))
    refuse(trained, error, pattern, lambda: trained.fit(bad, LABELS))
    refuse(trained, error, pattern, lambda: trained.train_on_batch(bad, LABELS))
    refuse(trained, error, pattern, lambda: trained.loss_and_gradients(bad, LABELS))


@pytest.mark.parametrize("case", BAD_TARGETS)
def test_bad_targets(trained: foxnn.NeuralNetwork, case: str) -> None:
    bad, error, pattern = BAD_TARGETS[case]
    pattern = f"^y: .*{pattern}"
    refuse(trained, error, pattern, lambda: trained.evaluate(X, bad))
    refuse(trained, error, pattern, lambda: trained.fit(X, bad))
    refuse(trained, error, pattern, lambda: trained.partial_fit(X, bad))


@pytest.mark.parametrize("case", BAD_WEIGHTS)
def test_bad_sample_weights(trained: foxnn.NeuralNetwork, case: str) -> None:
    bad, error, pattern = BAD_WEIGHTS[case]
    pattern = f"^sample_weight: .*{pattern}"
    refuse(trained, error, pattern, lambda: trained.evaluate(X, LABELS, bad))
    refuse(trained, error, pattern, lambda: trained.fit(X, LABELS, sample_weight=bad))


@pytest.mark.parametrize(("option", "value"), BAD_FIT_OPTIONS, ids=lambda value: str(value)[:20])
def test_bad_options_of_fit(trained: foxnn.NeuralNetwork, option: str, value: Any) -> None:
    refuse(trained, (ValueError, TypeError), f"^{option}", lambda: trained.fit(X, LABELS, **{option: value}))


def test_validation_is_either_data_or_a_share(trained: foxnn.NeuralNetwork) -> None:
    options = {"validation_data": (X, LABELS), "validation_split": 0.5}
    refuse(trained, ValueError, "^validation_split", lambda: trained.fit(X, LABELS, **options))


@pytest.mark.parametrize(
    ("loss", "values", "pattern"),
    [
        ("binary_cross_entropy", np.full((N, N_OUT), 1.5), r"1\.5.*binary_cross_entropy.*\[0, 1\]"),
        ("poisson", np.full((N, N_OUT), -1), r"-1.*poisson.*\[0, inf\]"),
    ],
)
def test_targets_outside_of_what_the_loss_takes(loss: str, values: Any, pattern: str) -> None:
    nn = network(output=None, loss=loss)
    refuse(nn, ValueError, f"^y: .*{pattern}", lambda: nn.evaluate(X, values))


# ---- arrays that go to the core at once, which looks for itself whether they can be read ----------------------

X32, ONE_HOT = X.astype(np.float32), np.eye(N_OUT, dtype=np.float32)[LABELS]


def masked(array: Any) -> Any:
    return np.ma.masked_array(array, np.arange(array.size).reshape(array.shape) == 5)


@pytest.mark.parametrize(
    ("x", "y", "weights", "pattern"),
    [
        (spoilt(np.nan, 0, 0, np.float32), LABELS, None, "^X: got nan in row 0, column 0"),
        (spoilt(-np.inf, N - 1, N_IN - 1, np.float32), LABELS, None, "^X: got -inf in row 11, column 3"),
        (spoilt(np.nan, 0, 0), LABELS, None, "^X: got nan in row 0, column 0"),
        (spoilt(-1e39), LABELS, None, r"^X: got 1e\+39"),
        (X32[:, :3].copy(), LABELS, None, "^X: .*4"),
        (X32[:0], LABELS[:0], None, "^X: got no samples"),
        (masked(X32), LABELS, None, "^X: got a masked array"),
        (X32, LABELS + 1, None, "^y: got the label 3 in row 2"),
        (X32, LABELS - 1, None, "^y: got the label -1 in row 0"),
        (X32, LABELS.astype(np.int32) - 1, None, "^y: got the label -1 in row 0"),
        (X32, LABELS.astype(np.uint8) + np.uint8(1), None, "^y: got the label 3 in row 2"),
        (X32, LABELS[:-1], None, "^y: .*12 samples"),
        (X32, masked(LABELS), None, "^y: got a masked array"),
        (X32, np.where(ONE_HOT == 1, np.float32(np.nan), 0), None, "^y: got nan in row 0, column 0"),
        (X32, ONE_HOT * np.float64(1e39), None, r"^y: got 1e\+39"),
        (X32, ONE_HOT - 0.5, None, r"^y: got -0\.5.*cross_entropy"),
        (X32, ONE_HOT.astype(np.float64) - 0.5, None, r"^y: got -0\.5.*cross_entropy"),
        (X32, ONE_HOT[:-1], None, r"^y: .*12 samples"),
        (X32, ONE_HOT[:, :2].copy(), None, r"^y: .*\(12, 3\)"),
        (X32, LABELS, np.ones(N - 1), "^sample_weight: .*11"),
        (X32, LABELS, np.ones((N, 2)), r"^sample_weight: .*\(12, 2\)"),
        (X32, LABELS, np.arange(N) - 1.0, "^sample_weight: got the negative weight -1"),
        (X32, LABELS, np.zeros(N), "^sample_weight: got only zeros"),
        (X32, LABELS, np.full(N, np.inf), "^sample_weight: got inf"),
        (X32, LABELS, masked(np.ones(N)), "^sample_weight: got a masked array"),
    ],
)
def test_bad_arrays_in_the_cores_number_types(x: Any, y: Any, weights: Any, pattern: str) -> None:
    nn = network()
    nn.train_on_batch(X32, LABELS)
    refuse(nn, ValueError, pattern, lambda: nn.train_on_batch(x, y, weights))
    if pattern.startswith("^X"):
        refuse(nn, ValueError, pattern, lambda: nn.predict(x))


@pytest.mark.parametrize("x", [spoilt(np.nan), spoilt(np.nan, dtype=np.float32)])
def test_a_bad_batch_costs_an_optimizer_nothing(x: Any) -> None:
    """Another one has been assigned, and has done nothing yet when the first one comes back."""
    nn, expected = network(), network()
    first = nn.optimizer = expected.optimizer = foxnn.optimizers.Adam(0.1)
    for each in (nn, expected):
        each.train_on_batch(X32, LABELS)
    nn.optimizer = foxnn.optimizers.Momentum(0.1)
    with pytest.raises(ValueError, match=r"^X: got nan"):
        nn.train_on_batch(x, LABELS)
    nn.optimizer = first
    for each in (nn, expected):
        each.train_on_batch(X32, LABELS)
    assert all(np.array_equal(a.weights, b.weights) for a, b in zip(nn.layers, expected.layers, strict=True))


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, np.int32, np.uint8])
@pytest.mark.parametrize("loss", ["binary_cross_entropy", "mean_squared_error"])
def test_targets_above_one_in_the_cores_number_types(loss: str, kind: Any) -> None:
    twos = np.full(N, 2, kind)
    nn = foxnn.neural_network([N_IN, 5, 1], output="sigmoid", loss=loss)
    nn.train_on_batch(X32, twos // 2)
    if loss == "mean_squared_error":
        nn.train_on_batch(X32, twos)
    else:
        with pytest.raises(ValueError, match=r"^y: got 2; .*binary_cross_entropy"):
            nn.train_on_batch(X32, twos)


@pytest.mark.parametrize("bad", [spoilt(np.nan), spoilt(1e39), spoilt(np.inf, dtype=np.float32)])
def test_one_bad_row_among_many(bad: Any) -> None:
    """So many that they are looked at while they are read, or without the interpreter's lock."""
    rows = np.concatenate([np.repeat(X, 500, axis=0).astype(bad.dtype), bad])
    with pytest.raises(ValueError, match=r"^X: got"):
        network().predict(rows)
    assert np.isfinite(network().predict(rows[:-N])).all()


def laid_out(array: Any, how: str) -> Any:
    """The same numbers, otherwise in memory."""
    if how == "F":
        return np.asfortranarray(array)
    if how == "every other row":
        return np.repeat(array, 2, axis=0)[::2]
    if how == "reversed":
        return array[::-1].copy()[::-1]
    if how == "unaligned":
        view = np.empty(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
        view[:] = array
        return view
    return array.copy()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("order", ["C", "F", "every other row", "reversed", "unaligned"])
def test_arrays_in_place_or_copied(dtype: str, kind: str, order: str) -> None:
    """The same bits as of lists, whatever the arrays hold and however they lie in memory."""
    inputs, column = X32.astype(kind), (X[:, :1] * 0.1).astype(np.float32).astype(kind)
    shares = np.linspace(0.1, 2, N)
    for n_out, targets in [
        *((N_OUT, LABELS.astype(integers)) for integers in (np.int64, np.int32, np.uint8, np.int16)),
        *((1, LABELS.astype(integers)) for integers in (np.int64, np.int32, np.uint8, np.int16)),
        (N_OUT, ONE_HOT.astype(kind)),
        (1, column),
        (1, column[:, 0].copy()),
    ]:
        for weights in (None, shares, shares.astype(np.float32)):
            nn, expected = (foxnn.neural_network([N_IN, 5, n_out], "tanh", dtype=dtype, seed=1) for _ in range(2))
            given = [None if a is None else laid_out(a, order) for a in (inputs, targets, weights)]
            loss = nn.train_on_batch(*given)
            assert loss == expected.train_on_batch(*(None if a is None else a.tolist() for a in given))
            assert all(np.array_equal(a.weights, b.weights) for a, b in zip(nn.layers, expected.layers, strict=True))
            outputs = nn.predict(given[0])
            assert np.array_equal(outputs, expected.predict(inputs.tolist()))
            one = nn.predict(laid_out(inputs[0], order))
            assert one.shape == (n_out,)
            assert np.array_equal(one, expected.predict(inputs[0].tolist()))


BAD_NETWORKS: list[tuple[str, dict[str, Any]]] = [
    *(("sizes", {"sizes": value}) for value in ([], [3], [3, 0], [3, -1, 2], [3, 1.5], [3, "a"], 3, None, [3, True])),
    *(("activation", {"activation": value}) for value in ("rely", 3, None, ["relu"], ["relu"] * 4, "softmax")),
    *(("output", {"output": value}) for value in ("soft", 3)),
    *(("loss", {"loss": value}) for value in ("hinge", 3)),
    *(("init", {"init": value}) for value in ("hey", np.nan, np.inf, [1], [np.zeros((2, 2))] * 3)),
    *(("init", {"init": [np.zeros((4, 5)), np.full((5, 5), np.nan), np.zeros((5, 3))]}) for _ in range(1)),
    *(("dtype", {"dtype": value}) for value in ("float16", "int32", int, "double precision", 3)),
    *(("seed", {"seed": value}) for value in (-1, 1.5, "a")),
    *(("n_threads", {"n_threads": value}) for value in (0, -1, 1.5, "all")),
    *(("dropout", {"dropout": value}) for value in (-0.1, 1.0, np.nan, "half", [0.1], [0.1, 2])),
]


@pytest.mark.parametrize(("argument", "options"), BAD_NETWORKS, ids=lambda value: str(value)[:40])
def test_bad_networks(argument: str, options: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError), match=f"^{argument}"):
        foxnn.neural_network(**{"sizes": [4, 5, 5, 3], **options})


@pytest.mark.parametrize(
    ("make", "pattern"),
    [
        (lambda: foxnn.Activation("relu", alpha=1), "relu parameter.*'alpha'"),
        (lambda: foxnn.Activation("elu", alpha=-1), r"elu alpha.*-1.*\[0, inf\)"),
        (lambda: foxnn.Activation("elu", alpha=np.nan), "elu alpha.*nan"),
        (lambda: foxnn.Activation("leaky_relu", negative_slope="a"), "negative_slope.*'a'"),
        (lambda: foxnn.Loss("huber", delta=0), r"huber delta.*\(0, inf\)"),
        (lambda: foxnn.Loss("huber", beta=1), "huber parameter.*'beta'.*delta"),
        (lambda: foxnn.optimizers.SGD(-1), "learning_rate.*-1"),
        (lambda: foxnn.optimizers.Momentum(momentum=1), r"momentum.*\[0, 1\)"),
        (lambda: foxnn.optimizers.Nesterov(momentum=-0.1), "momentum.*-0.1"),
        (lambda: foxnn.optimizers.Adagrad(epsilon=0), r"epsilon.*\(0, inf\)"),
        (lambda: foxnn.optimizers.RMSprop(rho=1.5), "rho.*1.5"),
        (lambda: foxnn.optimizers.Adam(beta1=1), "beta1"),
        (lambda: foxnn.optimizers.Adam(beta2=np.nan), "beta2.*nan"),
        (lambda: foxnn.optimizers.AdamW(weight_decay=-1), "weight_decay"),
        (lambda: foxnn.EarlyStopping(patience=0), "patience.*at least 1"),
        (lambda: foxnn.EarlyStopping(min_delta=-1), "min_delta"),
        (lambda: foxnn.set_num_threads(0), "at least 1"),
        (lambda: foxnn.set_num_threads(1.5), "integer"),
    ],
)
def test_bad_parameters(make: Callable[[], Any], pattern: str) -> None:
    with pytest.raises((ValueError, TypeError), match=pattern):
        make()


@pytest.mark.parametrize(
    ("make", "near", "names"),
    [
        (lambda: network(activation="relo"), "relu", foxnn.activations.names()),
        (lambda: network(loss="poison"), "poisson", foxnn.losses.names()),
        (lambda: network(init="glorot_norml"), "glorot_normal", foxnn._core.INITIALIZERS),
        (lambda: network().fit(X, LABELS, optimizer="adan"), "adam", foxnn.optimizers.names()),
    ],
)
def test_an_unknown_name_is_answered_with_those_that_exist(make: Any, near: str, names: list[str]) -> None:
    with pytest.raises(ValueError, match=f"did you mean {near!r}") as caught:
        make()
    assert all(name in str(caught.value) for name in names)


@pytest.mark.parametrize(
    "value",
    [np.zeros((4, 4)), np.zeros(20), np.full((4, 5), np.nan), "a", [[1, 2], [3]], None, np.zeros((4, 5)) * 1j, 1e300],
    ids=lambda value: str(value)[:20],
)
def test_bad_weights(value: Any) -> None:
    nn = network()
    refuse(nn, (ValueError, TypeError), "^weights: ", lambda: setattr(nn.layers[0], "weights", value))


@pytest.mark.parametrize("value", [np.zeros(4), np.zeros((5, 1)), np.full(5, np.inf), "a", None])
def test_bad_biases(value: Any) -> None:
    nn = network()
    refuse(nn, (ValueError, TypeError), "^bias: ", lambda: setattr(nn.layers[0], "bias", value))


def test_bad_changes() -> None:
    nn = network()
    for name, value in (("activation", "rely"), ("activation", "softmax")):
        refuse(nn, ValueError, "^activation: ", lambda name=name, value=value: setattr(nn.layers[0], name, value))
    refuse(nn, ValueError, "^loss: ", lambda: setattr(nn, "loss", "hinge"))


def test_numbers_of_numpy_as_options() -> None:
    plain = foxnn.neural_network([4, 5, 3], init=0.25, dropout=0.5, seed=1)
    nn = foxnn.neural_network(np.array([4, 5, 3]), init=np.float32(0.25), dropout=np.float32(0.5), seed=np.int64(1))
    for network, number, whole in ((plain, float, int), (nn, np.float32, np.int16)):
        network.fit(X, LABELS, epochs=whole(2), batch_size=whole(5), learning_rate=number(0.5), scale=number(2))
    assert np.array_equal(nn.layers[0].weights, plain.layers[0].weights)
