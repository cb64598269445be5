"""Promise: inputs that lie far from zero keep their digits in every export, and on the way back."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_scaling import exported

import foxnn

FORMATS = ["c", "js", "onnx", "torch", "keras", "sklearn"]


def far_away(mean: float, deviation: float, seed: int = 0) -> tuple[foxnn.NeuralNetwork, Any]:
    """A network whose inputs are of this mean and deviation; some of them."""
    random = np.random.default_rng(seed)
    nn = foxnn.neural_network([4, 16, 3], "tanh", "linear", scale_inputs="standard", seed=seed)
    for layer in nn.layers:
        layer.bias = random.normal(size=layer.n_out) / 2
    X = random.normal(mean, deviation, size=(200, 4))
    X[:, 1] = random.normal(size=200)  # beside one that is not far away
    X[:, 2] = random.normal(mean + 0.1234567, deviation / 1000, size=200)  # a mean that float32 does not have
    X = X.astype(np.float32)
    return nn.fit_scaling(X), X


def assert_as_predicted(got: Any, nn: foxnn.NeuralNetwork, X: Any) -> None:
    expected = nn.predict(X)
    assert np.abs(got - expected).max() <= 1e-6 * np.abs(expected).max()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras's
@pytest.mark.parametrize(("mean", "deviation"), [(2000, 10), (1e5, 1), (-3e6, 50), (0, 1)])
@pytest.mark.parametrize("to", FORMATS)
def test_exports(to: str, mean: float, deviation: float, tmp_path: Path) -> None:
    nn, X = far_away(mean, deviation)
    assert_as_predicted(exported(nn, X, to, tmp_path), nn, X)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras's
@pytest.mark.parametrize("to", FORMATS)
def test_a_large_offset(to: str, tmp_path: Path) -> None:
    """What `scale` and `offset` move far away, `scale_inputs` brings back."""
    nn, X = far_away(2, 1)
    nn.scale, nn.offset = 0.1, -2000.3
    nn.fit_scaling(X)
    assert_as_predicted(exported(nn, X, to, tmp_path), nn, X)


@pytest.mark.parametrize("to", ["c", "js", "onnx", "torch"])
@pytest.mark.parametrize("scale", [0.0, -0.5])
def test_a_scale_that_is_not_positive(to: str, scale: float, tmp_path: Path) -> None:
    nn, X = far_away(20, 10)
    nn.scale, nn.offset = scale, 3.0
    assert_as_predicted(exported(nn, X, to, tmp_path), nn, X)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("to", ["onnx", "torch", "keras", "sklearn"])
@pytest.mark.parametrize("mean", [2000, 1e5])
def test_there_and_back(to: str, mean: float, tmp_path: Path) -> None:
    """It comes back as `scale_inputs`."""
    nn, X = far_away(mean, 10)
    if to == "onnx":
        pytest.importorskip("onnx")
        nn.to_onnx(tmp_path / "net.onnx")
        back = foxnn.from_onnx(tmp_path / "net.onnx")
    elif to == "torch":
        pytest.importorskip("torch")
        back = foxnn.from_torch(nn.to_torch())
    elif to == "keras":
        pytest.importorskip("test_keras", reason="needs Keras 3 and a backend")
        back = foxnn.from_keras(nn.to_keras())
    else:
        pytest.importorskip("sklearn")
        back = foxnn.from_sklearn(nn.to_sklearn())
    assert (back.sizes, back.scale_inputs) == (nn.sizes, "standard")
    assert nn.input_scaling is not None
    assert back.input_scaling is not None
    np.testing.assert_allclose(back.input_scaling.shift, nn.input_scaling.shift, rtol=1e-7)
    np.testing.assert_allclose(back.input_scaling.spread, nn.input_scaling.spread, rtol=1e-6)
    assert_as_predicted(back.predict(X), nn, X)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mean", [2000, 1e5])
def test_scalers_of_scikit_learn(mean: float, tmp_path: Path) -> None:
    """Through ONNX and by themselves, they become `scale_inputs`."""
    pytest.importorskip("sklearn")
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

    _, X = far_away(mean, 10)
    X = X.astype(np.float64)
    y = X[:, 0] > X[:, 0].mean()
    for scaler in (StandardScaler(), StandardScaler(with_mean=False), StandardScaler(with_std=False), MinMaxScaler(),
                   MaxAbsScaler(), RobustScaler(), RobustScaler(with_centering=False)):  # fmt: skip
        model = make_pipeline(scaler, MLPClassifier((5,), max_iter=3, random_state=0)).fit(X, y)
        nn = foxnn.from_sklearn(model)
        assert nn.metadata["classes"] == [False, True]
        assert nn.scale_inputs == "standard"
        np.testing.assert_allclose(nn.predict(X)[:, 0], model.predict_proba(X)[:, 1], rtol=1e-9)
    with pytest.raises(ValueError, match=r"step 'minmaxscaler'.* has no counterpart in foxnn; it takes StandardScaler"):
        foxnn.from_sklearn(make_pipeline(MinMaxScaler(clip=True), model[-1]))
    with pytest.raises(ValueError, match="a pipeline that has not been fitted"):
        foxnn.from_sklearn(make_pipeline(StandardScaler(), model[-1]))

    skl2onnx = pytest.importorskip("skl2onnx")
    runtime = pytest.importorskip("onnxruntime")
    model = make_pipeline(StandardScaler(), MLPClassifier((5,), max_iter=3, random_state=0)).fit(X, y)
    exported_ = skl2onnx.to_onnx(model, X[:1].astype(np.float32), options={"zipmap": False})
    (tmp_path / "net.onnx").write_bytes(exported_.SerializeToString())
    nn = foxnn.from_onnx(tmp_path / "net.onnx", output="probabilities")
    assert nn.input_scaling is not None
    np.testing.assert_allclose(nn.input_scaling.shift, model[0].mean_, rtol=1e-6)
    session = runtime.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"])
    x = X.astype(np.float32)
    expected = session.run(["probabilities"], {session.get_inputs()[0].name: x})[0]
    np.testing.assert_allclose(nn.predict(x), expected, atol=1e-5)


def test_scalings_of_pytorch_and_onnx_in_other_words(tmp_path: Path) -> None:
    """A batch normalisation of the inputs; a factor that no scaling has."""
    onnx = pytest.importorskip("onnx")
    from test_onnx import B2, W1, chain, check_import, write

    assert onnx
    normal = ("BatchNormalization", "g", "h", "m", "v")
    constants = {"g": [1.0, -2, 0], "h": [0.5, 1, 2], "m": [1.0, 2, 3], "v": [1.0, 4, 9], "w": W1[:, :2], "b": B2}
    nn = check_import(write(tmp_path / "net.onnx", chain(normal, ("Gemm", "w", "b")), constants, 3, 2))
    assert nn.input_scaling is not None
    assert nn.input_scaling.spread.tolist() == [pytest.approx(1, rel=1e-5), 1, 1]  # the others are in the weights
    nodes = chain(("Mul", "half"), ("Sub", "m"), ("Mul", "g"), ("Add", "half"), ("MatMul", "w"), ("Tanh",))
    nn = check_import(write(tmp_path / "net.onnx", nodes, {**constants, "half": 0.5}, 3, 2))
    assert nn.scale_inputs == "standard"
    assert nn.scale is None
    # Before an activation it is a layer, in the file's numbers.
    nodes = chain(("Mul", "m"), ("Relu",), ("Gemm", "w", "b"))
    nn = check_import(write(tmp_path / "net.onnx", nodes, constants, 3, 2))
    assert (nn.sizes, nn.dtype, nn.scale_inputs) == ([3, 3, 2], np.float32, None)


@pytest.mark.filterwarnings("ignore")
def test_the_scaling_of_a_pytorch_module_goes_wherever_the_module_goes(tmp_path: Path) -> None:
    """Through pickle, a state_dict, TorchScript, and PyTorch's ONNX exporter."""
    torch = pytest.importorskip("torch", reason="needs the package torch")
    nn, X = far_away(2000, 10)
    module, x = nn.to_torch(), torch.tensor(X)
    expected = module(x).detach().numpy()
    other = far_away(-5, 3, seed=1)[0].to_torch()
    other.load_state_dict(module.state_dict())
    for same in (pickle.loads(pickle.dumps(module)), other, torch.jit.trace(module, x)):
        np.testing.assert_array_equal(same(x).detach().numpy(), expected)
    assert "Standardise(4)" in repr(module)
    pytest.importorskip("onnx")
    torch.onnx.export(module, (x,), str(tmp_path / "net.onnx"), dynamo=False)
    back = foxnn.from_onnx(tmp_path / "net.onnx")
    assert back.scale_inputs == "standard"
    assert_as_predicted(back.predict(X), nn, X)
