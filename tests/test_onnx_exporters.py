"""Promise: dense ONNX models come in as PyTorch's two exporters, Keras's and scikit-learn's write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_c_export import assert_close
from test_onnx import run_onnx

import foxnn

pytest.importorskip("onnx", reason="needs the package onnx")
pytest.importorskip("onnxruntime", reason="needs the package onnxruntime")

# The exporters have their own.
pytestmark = [pytest.mark.filterwarnings("ignore")]

X = np.random.default_rng(1).normal(size=(9, 4)).astype(np.float32)


# ---- PyTorch --------------------------------------------------------------------------------------------------------


def export_torch(module: Any, path: Path, dynamo: bool) -> None:
    torch = pytest.importorskip("torch", reason="needs the package torch")
    if dynamo:
        pytest.importorskip("onnxscript", reason="needs the package onnxscript")
        batch = {"dynamic_shapes": ({0: torch.export.Dim("batch")},)}
    else:
        batch = {"dynamic_axes": {"input": {0: "batch"}}, "input_names": ["input"]}
    x = torch.zeros(2, 4, dtype=next(module.parameters()).dtype)
    torch.onnx.export(module.eval(), (x,), str(path), dynamo=dynamo, **batch)


def torch_modules() -> dict[str, Any]:
    torch = pytest.importorskip("torch", reason="needs the package torch")
    nn = torch.nn
    activations = [nn.Sigmoid(), nn.Tanh(), nn.ReLU(), nn.LeakyReLU(0.2), nn.ELU(0.3), nn.SELU(), nn.GELU(), nn.SiLU(),
                   nn.Softplus(), nn.Softsign(), nn.Hardsigmoid(), nn.Hardtanh(), nn.ReLU6(), nn.Mish()]  # fmt: skip
    torch.manual_seed(0)
    modules = {type(a).__name__: nn.Sequential(nn.Linear(4, 5), a, nn.Linear(5, 3)) for a in activations}
    norm = nn.BatchNorm1d(5)
    nn.init.uniform_(norm.running_mean)
    nn.init.uniform_(norm.running_var, 0.5, 2)
    modules["all at once"] = nn.Sequential(
        nn.Flatten(), nn.Linear(4, 6, bias=False), nn.ReLU(), nn.Dropout(0.5), nn.Linear(6, 5), norm, nn.Tanh(),
        nn.Sequential(nn.Identity(), nn.Linear(5, 3)), nn.Softmax(dim=1),
    )  # fmt: skip
    layer_norm = nn.LayerNorm(5, eps=0.01)
    nn.init.uniform_(layer_norm.weight)
    nn.init.uniform_(layer_norm.bias)
    modules["layer normalisation"] = nn.Sequential(
        nn.Linear(4, 5),
        layer_norm,
        nn.GELU(),
        nn.Linear(5, 5),
        nn.LayerNorm(5, elementwise_affine=False),
        nn.Linear(5, 2),
    )
    modules["of double"] = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1), nn.Sigmoid()).double()

    class Own(nn.Module):
        """What nobody but the exporter can read."""

        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Linear(4, 5), nn.Linear(5, 2)

        def forward(self, x: Any) -> Any:
            h = self.first((x - 1.5) / 2)
            return torch.softmax(self.last(h * torch.sigmoid(h)), dim=-1)

    modules["with a forward of its own"] = Own()
    return modules


@pytest.mark.parametrize("dynamo", [False, True])
def test_pytorch(dynamo: bool, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs the package torch")
    modules = torch_modules()
    if dynamo:  # which takes seconds for each
        modules = {name: modules[name] for name in ("GELU", "Mish", "Softplus", *[*modules][-4:])}
    for name, module in modules.items():
        path = tmp_path / f"{name}.onnx"
        export_torch(module, path, dynamo)
        nn = foxnn.from_onnx(path)
        double = name == "of double"
        with torch.no_grad():
            expected = module(torch.from_numpy(X.astype(nn.dtype))).numpy()
        assert nn.dtype == (np.float64 if double else np.float32), name
        assert_close(nn.predict(X), expected, 1e-12 if double else 1e-6)
        if "forward" in name:
            assert [layer.activation.name for layer in nn.layers] == ["silu", "softmax"]
            assert (nn.scale, nn.offset) == (0.5, -0.75)


def test_views_of_pytorch(tmp_path: Path) -> None:
    """Its older exporter computes the shape of x.view(x.size(0), -1) in the graph."""
    torch = pytest.importorskip("torch", reason="needs the package torch")

    class Viewed(torch.nn.Module):
        def __init__(self, n: int) -> None:
            super().__init__()
            self.first, self.last = torch.nn.Linear(4, 5), torch.nn.Linear(5, 2)
            self.view = {
                0: lambda x: x.view(x.size(0), -1), 1: lambda x: x.reshape(x.shape[0], 4),
                2: lambda x: x.view(-1, 4), 3: lambda x: torch.flatten(x, 1),
            }[n]  # fmt: skip

        def forward(self, x: Any) -> Any:
            return self.last(torch.sin(30 * self.first(self.view(x.view(-1, 1, 4)))))

    for n in range(4):
        torch.manual_seed(0)
        module = Viewed(n)
        export_torch(module, tmp_path / "net.onnx", dynamo=False)
        nn = foxnn.from_onnx(tmp_path / "net.onnx")
        assert (nn.sizes, nn.layers[0].activation) == ([4, 5, 2], "sin")
        with torch.no_grad():
            assert_close(nn.predict(X), module(torch.from_numpy(X)).numpy(), 1e-5)


# ---- Keras ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_keras(norm: str, tmp_path: Path) -> None:
    """The operators that the exporter of a backend makes; which of them can be tried depends on what is installed."""
    test_keras = pytest.importorskip("test_keras", reason="needs Keras 3 and a backend")
    keras, layers = test_keras.keras, test_keras.layers
    model = test_keras.randomized(keras.Sequential([
        keras.Input((4,)), layers.Rescaling(0.5, 0.25), layers.Dense(6, activation="relu"), layers.Dropout(0.5),
        layers.BatchNormalization(), layers.Dense(5, use_bias=False), layers.LeakyReLU(0.1),
        layers.Dense(5, activation="gelu"), layers.Dense(4),
        layers.LayerNormalization() if norm == "layer" else layers.BatchNormalization(),
        layers.Dense(4, activation="elu"), layers.Dense(3, activation="softmax"),
    ]))  # fmt: skip
    path = tmp_path / "net.onnx"
    model(X)  # the exporter wants to have seen a batch
    try:
        model.export(path, format="onnx", verbose=False)
    except ImportError as error:  # each backend's exporter is a package of its own
        pytest.skip(str(error))
    except RuntimeError as error:
        if norm == "batch" or keras.backend.backend() != "torch":
            raise
        pytest.skip(f"torch's exporter refuses Keras's LayerNormalization: {type(error).__name__}")
    if norm == "layer" and keras.backend.backend() == "jax":  # spelled in sums, each expanded by computed shapes
        with pytest.raises(ValueError, match="operator ReduceSum"):
            foxnn.from_onnx(path)
        return
    nn = foxnn.from_onnx(path)
    assert nn.sizes == [4, 6, 5, 5, 4, 4, 3]
    assert_close(nn.predict(X), test_keras.run_keras(model, X), 2e-6)


def test_flatten_of_keras(tmp_path: Path) -> None:
    test_keras = pytest.importorskip("test_keras", reason="needs Keras 3 and a backend")
    keras, layers = test_keras.keras, test_keras.layers
    model = test_keras.randomized(
        keras.Sequential([keras.Input((2, 2)), layers.Flatten(), layers.Dense(6, activation="relu"), layers.Dense(3)])
    )
    images = X.reshape(-1, 2, 2)
    model(images)
    try:
        model.export(tmp_path / "net.onnx", format="onnx", verbose=False)
    except ImportError as error:
        pytest.skip(str(error))
    assert_close(foxnn.from_onnx(tmp_path / "net.onnx").predict(X), test_keras.run_keras(model, images), 2e-6)


# ---- scikit-learn ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("kind", ["two classes", "three classes", "labels", "regression"])
@pytest.mark.parametrize("scaled", [False, True])
def test_scikit_learn(activation: str, kind: str, scaled: bool, tmp_path: Path) -> None:
    skl2onnx = pytest.importorskip("skl2onnx", reason="needs the package skl2onnx")
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    y = {"two classes": X[:, 0] > 0, "three classes": np.digitize(X[:, 0], [-0.5, 0.5]), "labels": (X[:, :3] > 0) * 1,
         "regression": X[:, 0]}[kind]  # fmt: skip
    model: Any = (MLPRegressor if kind == "regression" else MLPClassifier)(
        hidden_layer_sizes=(6, 5), activation=activation, max_iter=3, random_state=0
    )
    model = (make_pipeline(StandardScaler(), model) if scaled else model).fit(X * [1, 10, 1, 1], y)
    options = {} if kind == "regression" else {id(model): {"zipmap": False}}
    onx = skl2onnx.to_onnx(model, X[:1], options=options)
    path = tmp_path / "net.onnx"
    path.write_bytes(onx.SerializeToString())
    nn = foxnn.from_onnx(path)
    expected = model.predict(X).reshape(9, -1) if kind == "regression" else model.predict_proba(X)
    assert nn.predict(X).shape == expected.shape
    assert_close(nn.predict(X), expected, 2e-6)


def test_the_import_is_what_onnxruntime_computes(tmp_path: Path) -> None:
    """And not only near what the model was before it was exported."""
    export_torch(torch_modules()["all at once"], tmp_path / "net.onnx", dynamo=False)
    assert_close(foxnn.from_onnx(tmp_path / "net.onnx").predict(X), run_onnx(tmp_path / "net.onnx", X), 1e-6)
