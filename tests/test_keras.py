"""Promise: models from and to Keras give the same outputs, and what has no counterpart is refused by name."""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_c_export import ACTIVATIONS, assert_close, random_network

import foxnn
from foxnn.cli import main
from foxnn.io.keras_format import multiplies_in

for backend in ("jax", "torch", "tensorflow"):
    if importlib.util.find_spec(backend) is not None:
        os.environ.setdefault("KERAS_BACKEND", backend)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    keras = pytest.importorskip("keras", minversion="3", reason="needs Keras 3 and a backend", exc_type=ImportError)
layers = keras.layers

# Keras and its backends have their own.
pytestmark = [pytest.mark.filterwarnings(f"ignore::{kind}") for kind in ("DeprecationWarning", "UserWarning")]

WITHOUT_COUNTERPART = {"sin", "cos", "gaussian", "arctan", "threshold"}


@contextmanager
def float64() -> Iterator[None]:
    """JAX has to be told that there is float64."""
    if keras.backend.backend() != "jax":
        yield
        return
    import jax

    jax.config.update("jax_enable_x64", True)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", False)


def run_keras(model: Any, X: Any) -> Any:
    return keras.ops.convert_to_numpy(model(X, training=False))


def check_import(model: Any, X: Any, tolerance: float = 1e-6) -> foxnn.NeuralNetwork:
    """Read it, and compare the outputs."""
    nn = foxnn.from_keras(model)
    assert_close(nn.predict(X.reshape(len(X), -1)), run_keras(model, X), tolerance)
    return nn


def inputs(*shape: int, dtype: Any = np.float32) -> Any:
    return np.random.default_rng(1).normal(1, 2, size=(9, *shape)).astype(dtype)


def randomized(model: Any) -> Any:
    """The model with random weights, statistics of normalisations too."""
    random = np.random.default_rng(0)
    for weights in model.weights:
        if len(weights.shape) and "seed" not in weights.path:
            values = random.normal(size=weights.shape) / np.sqrt(max(weights.shape[0], 1))
            weights.assign(np.abs(values) + 0.5 if "variance" in weights.path else values)
    return model


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name not in WITHOUT_COUNTERPART])
def test_to_keras_and_back(activation: str) -> None:
    nn = random_network(activation, "float32", dropout=0.25)
    nn.scale, nn.offset = 0.5, -0.25
    X = inputs(nn.sizes[0])
    model = nn.to_keras()
    assert_close(run_keras(model, X), nn.predict(X), 1e-6)
    back = foxnn.from_keras(model)
    assert (back.sizes, back.dtype, back.dropout) == (nn.sizes, nn.dtype, nn.dropout)
    assert (back.scale, back.offset) == (nn.scale, nn.offset)
    assert back.layers[-1].activation == ("relu" if activation == "foxnn_relu" else activation)
    for layer, same in zip(nn.layers, back.layers, strict=True):
        np.testing.assert_array_equal(layer.weights, same.weights)
        np.testing.assert_array_equal(layer.bias, same.bias)


def test_float64() -> None:
    nn = random_network("gelu", "float64")
    X = inputs(4, dtype=np.float64)
    if keras.backend.backend() == "jax":
        with pytest.raises(ValueError, match=r"network: is of float64, .*jax_enable_x64"):
            nn.to_keras()
    with float64():
        exact = multiplies_in("float64")  # PyTorch can, but Keras does not let it
        with nullcontext() if exact else pytest.warns(UserWarning, match="of float64.* multiplies in float32"):
            model = nn.to_keras()
        assert_close(run_keras(model, X), nn.predict(X), 1e-12 if exact else 1e-6)
        back = foxnn.from_keras(model)  # whatever Keras makes of them, the weights are all there
        assert back.dtype == np.float64
        np.testing.assert_array_equal(back.layers[0].weights, nn.layers[0].weights)


@pytest.mark.parametrize("activation", sorted(WITHOUT_COUNTERPART))
def test_activations_that_keras_does_not_have(activation: str) -> None:
    with pytest.raises(ValueError, match=f"'{activation}' has no counterpart in Keras"):
        random_network(activation, "float32").to_keras()


def test_parameters_of_activations_go_there_and_back() -> None:
    given = [foxnn.Activation("elu", alpha=0.3), foxnn.Activation("leaky_relu", negative_slope=0.2)]
    back = foxnn.from_keras(foxnn.neural_network([2, 3, 4, 1], activation=given).to_keras())
    assert [str(layer.activation) for layer in back.layers[:2]] == [str(activation) for activation in given]


def test_to_keras_draws_no_random_numbers_and_trains_there() -> None:
    keras.utils.set_random_seed(7)
    first = keras.random.normal((3,))
    keras.utils.set_random_seed(7)
    model = foxnn.neural_network([2, 8, 1], "tanh", "linear", seed=0).to_keras()
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(keras.random.normal((3,))), first)
    X = inputs(2)
    model.compile("adam", "mse")
    before = model.evaluate(X, X[:, :1], verbose=0)
    model.fit(X, X[:, :1], epochs=20, verbose=0)
    assert model.evaluate(X, X[:, :1], verbose=0) < before


def test_every_kind_of_layer() -> None:
    model = keras.Sequential([
        keras.Input((2, 3)),
        layers.Rescaling(0.5, 0.25),
        layers.Flatten(),
        layers.Dense(7, use_bias=False),
        layers.BatchNormalization(),
        layers.LeakyReLU(0.1),
        layers.Dropout(0.5),
        keras.Sequential([layers.Dense(6, activation="relu"), layers.BatchNormalization(center=False)]),
        layers.Identity(),
        layers.Dense(5, activation=layers.ELU(0.3)),
        layers.Dense(5),
        layers.ReLU(max_value=6),
        layers.Dense(5, activation="leaky_relu"),
        layers.Dense(4),
        layers.ReLU(negative_slope=0.3),
        layers.Dense(3),
        layers.Activation("softmax"),
    ])  # fmt: skip
    nn = check_import(randomized(model), inputs(2, 3))
    names = [str(layer.activation) for layer in nn.layers]
    assert names == ["leaky_relu(negative_slope=0.1)", "relu", "elu(alpha=0.3)", "relu6",
                     "leaky_relu(negative_slope=0.2)", "leaky_relu(negative_slope=0.3)", "softmax"]  # fmt: skip
    assert nn.dropout == [0.5, 0, 0, 0, 0, 0]
    assert (nn.scale, nn.offset) == (0.5, 0.25)
    assert nn.loss == "cross_entropy"


@pytest.mark.parametrize("name", ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "celu", "selu", "gelu",
                                  "silu", "swish", "softplus", "softsign", "hard_sigmoid", "hard_tanh", "relu6", "mish",
                                  "exponential", "softmax"])  # fmt: skip
def test_activations_by_name(name: str) -> None:
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, activation=name)])
    check_import(randomized(model), inputs(3))


def test_normalization_of_the_inputs() -> None:
    for norm in (
        layers.Normalization(),
        layers.Normalization(invert=True),
        layers.Normalization(mean=2.0, variance=9.0),
    ):
        if norm.input_mean is None:
            norm.adapt(inputs(3) * [1, 10, 100])
        model = keras.Sequential([keras.Input((3,)), norm, layers.Rescaling(2.0), layers.Dense(4, activation="tanh")])
        check_import(randomized(model), inputs(3))


def test_layer_normalisation_there_and_back() -> None:
    model = randomized(keras.Sequential([
        keras.Input((3,)), layers.Dense(4), layers.LayerNormalization(epsilon=0.1), layers.ReLU(),
        layers.Dense(5), layers.LayerNormalization(scale=False), layers.Activation("tanh"), layers.Dense(2),
    ]))  # fmt: skip
    nn = check_import(model, inputs(3))
    assert [str(layer.norm) for layer in nn.layers] == ["LayerNorm(epsilon=0.1)", "LayerNorm(epsilon=0.001)", "None"]
    assert_close(run_keras(nn.to_keras(), inputs(3)), nn.predict(inputs(3)), 1e-6)


def test_functional_models() -> None:
    x = keras.Input((3,))
    twice = layers.Dense(3, activation="tanh")
    model = keras.Model(x, layers.Dense(2)(layers.Dropout(0.5)(twice(twice(x)))))
    nn = check_import(randomized(model), inputs(3))
    assert nn.sizes == [3, 3, 3, 2]
    np.testing.assert_array_equal(nn.layers[0].weights, nn.layers[1].weights)


def test_a_saved_model(tmp_path: Path) -> None:
    model = foxnn.neural_network([3, 4, 2], "elu", "softmax", dropout=0.1).to_keras()
    model.save(tmp_path / "net.keras")
    check_import(keras.saving.load_model(tmp_path / "net.keras"), inputs(3))


def test_low_precision_becomes_float32() -> None:
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dense(4, dtype="float16"), layers.Dense(2, dtype="mixed_float16")]
    )
    nn = foxnn.from_keras(model)
    assert nn.dtype == np.float32
    np.testing.assert_array_equal(nn.layers[0].weights, keras.ops.convert_to_numpy(model.layers[0].kernel))


@keras.saving.register_keras_serializable()
class Own(layers.Layer):
    def call(self, x: Any) -> Any:
        return x


def skipping() -> Any:
    x = keras.Input((3,))
    return keras.Model(x, layers.Add()([x, layers.Dense(3)(x)]))


def two_outputs() -> Any:
    x = keras.Input((3,))
    return keras.Model(x, [layers.Dense(3)(x), layers.Dense(2)(x)])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([layers.Dense(2), layers.LayerNormalization(name="n")], "layer n, .*: comes after the last dense layer"),
        ([layers.Dense(2, activation="log_softmax", name="d")], "layer d, Dense: .*'log_softmax' has no counterpart"),
        ([layers.Dense(2, activation=lambda x: x, name="d")], "layer d, Dense: .*'<lambda>' has no counterpart"),
        ([layers.Dense(2), layers.ReLU(max_value=1, name="r")], "layer r, ReLU: with these parameters"),
        ([layers.Dense(2), layers.ReLU(threshold=1.0, name="r")], "layer r, ReLU: with these parameters"),
        ([layers.Dense(2), layers.Softmax(axis=0, name="s")], "layer s, Softmax: with these parameters"),
        ([layers.Dense(2), layers.PReLU(name="p")], "layer p, PReLU: has no counterpart"),
        ([layers.Dense(2), layers.GaussianNoise(0.1, name="g")], "layer g, GaussianNoise: has no counterpart"),
        ([layers.Dense(2), Own(name="own")], r"layer own, Own: is not known \(of test_keras\); it takes Inp"),
        ([layers.Dense(2, activation="relu"), layers.ReLU(name="r")], "layer r, ReLU: comes after relu"),
        ([layers.ReLU(name="r"), layers.Dense(2)], "layer r, ReLU: comes before the first dense layer"),
        ([layers.Dropout(0.5, name="d"), layers.Dense(2)], "layer d, Dropout: comes before the first dense"),
        ([layers.Dense(2), layers.Dropout(0.5)], "ends with dropout"),
        ([layers.Dense(2, activation="relu"), layers.BatchNormalization(name="b")], "layer b, .*: comes last"),
        ([layers.Dense(2, activation="softmax"), layers.Dense(2)], "softmax"),
        ([layers.Reshape((3, 1)), layers.Dense(2, name="d")], "layer reshape.*, Reshape: has no counterpart"),
        ([layers.Flatten()], "has no dense layer"),
    ],
)  # fmt: skip
def test_refusals_name_the_layer(parts: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        foxnn.from_keras(keras.Sequential([keras.Input((3,)), *parts]))


def dense(name: str = "d", **options: Any) -> Any:
    return layers.Dense(2, name=name, **options)


def test_classes_with_a_call_of_their_own_are_refused() -> None:
    class Doubled(keras.Sequential):
        def call(self, x: Any, **options: Any) -> Any:
            return 2 * super().call(x, **options)

    class Functional(keras.Model):
        def call(self, x: Any, **options: Any) -> Any:
            return -x

    class Dense(layers.Dense):
        def call(self, x: Any, training: Any = None) -> Any:
            return 2 * super().call(x)

    class ReLU(layers.Layer):
        def call(self, x: Any) -> Any:
            return x

    ReLU.__module__ = "keras.src.layers.activations.relu"
    x = keras.Input((3,))
    changed = keras.Sequential([keras.Input((3,)), dense()])
    changed.layers[0].call = lambda x: x
    for model, message in (
        (Doubled([keras.Input((3,)), dense()]), "Doubled: has a `call` of its own"),
        (keras.Sequential([keras.Input((3,)), Doubled([keras.Input((3,)), dense()])]), "Doubled: has a `call` of its"),
        (Functional(x, dense()(x), name="f"), "layer f, Functional: has a `call` of its own"),
        (keras.Sequential([keras.Input((3,)), Dense(2, name="own")]), "layer own, Dense: has a `call` of its own"),
        (keras.Sequential([keras.Input((3,)), dense(), ReLU(name="r")]), "layer r, ReLU: has no counterpart"),
        (keras.Sequential([keras.Input((3,)), dense(activation=ReLU(name="r"))]), "layer r, ReLU: has no counterpart"),
        (changed, r"layer d, Dense: has a `call` of its own.*from_onnx"),
        (
            keras.Sequential([keras.Input((4, 3)), layers.TimeDistributed(dense(), name="t"), layers.Flatten()]),
            "layer t, TimeDistributed: has no counterpart",
        ),
        (keras.Model(x, keras.ops.add(dense()(x), 1.0)), "Add: has no counterpart"),
    ):
        with pytest.raises(ValueError, match=message):
            foxnn.from_keras(model)


def test_subclasses_that_compute_what_their_base_does() -> None:
    class Trained(keras.Model):
        def train_step(self, *data: Any) -> Any:
            raise NotImplementedError

    class Wide(layers.Dense):
        def __init__(self, **options: Any) -> None:
            super().__init__(9, activation="relu", **options)

    x = keras.Input((3,))
    check_import(randomized(Trained(x, dense(kernel_regularizer="l2")(Wide()(x)))), inputs(3))


def test_calls_that_do_not_predict_are_refused() -> None:
    """Dropout that stays on, batch normalisation by the batch; of models within models too."""
    x = keras.Input((3,))
    inner = keras.Sequential([keras.Input((2,)), layers.Dropout(0.5)], name="inner")
    for model in (
        keras.Model(x, dense("e")(layers.Dropout(0.5, name="l")(dense()(x), training=True))),
        keras.Model(x, dense("e")(layers.BatchNormalization(name="l")(dense()(x), training=True))),
        keras.Model(x, dense("e")(inner(dense()(x), training=True))),
    ):
        with pytest.raises(ValueError, match=r"layer (l|inner), .*: is called with training=True; it takes"):
            foxnn.from_keras(model)
    model = keras.Model(x, dense("e")(layers.BatchNormalization()(dense()(x), training=False)))
    check_import(randomized(model), inputs(3))


def test_flatten_that_changes_the_order() -> None:
    model = keras.Sequential([keras.Input((2, 3)), layers.Flatten("channels_first", name="f"), dense()])
    with pytest.raises(ValueError, match="layer f, Flatten: changes the order of the numbers"):
        foxnn.from_keras(model)
    rows = keras.Sequential([keras.Input((3,)), layers.Flatten("channels_first"), dense()])
    check_import(randomized(rows), inputs(3))


def test_a_layer_that_is_used_twice_counts_twice() -> None:
    act, inner = layers.ReLU(), keras.Sequential([keras.Input((3,)), layers.Dense(3), layers.ELU(0.5)])
    x = keras.Input((3,))
    model = keras.Model(x, inner(act(layers.Dense(3)(act(inner(inner(x)))))))
    with pytest.raises(ValueError, match="ReLU: comes after elu"):
        foxnn.from_keras(model)
    first, last = layers.Dense(3), layers.Dense(3)
    model = randomized(keras.Model(x, inner(act(last(act(first(inner(inner(x)))))))))
    assert len(check_import(model, inputs(3)).layers) == 5


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_files(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"net.{ending}"
    model = foxnn.neural_network([3, 4, 2], "elu", "softmax", dropout=0.1, seed=1).to_keras()
    model.compile("adam", "mse")
    model.save(path)
    for name in (path, str(path)):
        assert_close(foxnn.from_keras(name).predict(inputs(3)), run_keras(model, inputs(3)), 1e-6)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(foxnn.FileFormatError, match=rf"net\.{ending}: damaged, or no model of Keras"):
        foxnn.from_keras(path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=rf"net\.{ending}"):
        foxnn.from_keras(path)


def test_the_command_line_takes_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = foxnn.neural_network([2, 4, 1], "elu", "linear", seed=1).to_keras()
    model.save(tmp_path / "net.keras")
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    assert main(["predict", str(tmp_path / "net.keras"), str(tmp_path / "t.csv")]) == 0
    got = np.array([[float(capsys.readouterr().out.split()[-1])]])
    assert_close(got, run_keras(model, np.array([[1.0, 2.0]])), 1e-6)


def test_files_that_would_run_code(tmp_path: Path) -> None:
    path = tmp_path / "net.keras"
    keras.Sequential([keras.Input((3,)), layers.Lambda(lambda x: 2 * x), dense()]).save(path)
    with pytest.raises(ValueError, match=r"net\.keras: Keras does not load it: .*(lambda|Lambda)"):
        foxnn.from_keras(path)
    with pytest.raises(ValueError, match=r"model: got .*net\.onnx'; it takes files of Keras that end in \.keras"):
        foxnn.from_keras(tmp_path / "net.onnx")


def test_models_that_are_no_chain_of_rows() -> None:
    with pytest.raises(ValueError, match="Add: joins branches"):
        foxnn.from_keras(skipping())
    with pytest.raises(ValueError, match="model: has 1 inputs and 2 outputs"):
        foxnn.from_keras(two_outputs())
    with pytest.raises(ValueError, match=r"layer d, Dense: takes samples of shape .*Flatten comes before it"):
        foxnn.from_keras(keras.Sequential([keras.Input((2, 3)), layers.Dense(2, name="d")]))
    with pytest.raises(ValueError, match="model: is not built"):
        foxnn.from_keras(keras.Sequential([layers.Dense(2)]))
    with pytest.raises(TypeError, match=r"model: got Dense; it takes a keras\.Sequential"):
        foxnn.from_keras(layers.Dense(2))
