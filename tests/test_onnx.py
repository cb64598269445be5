"""Promise: every network as ONNX says what it says here, and dense ONNX models of others do so here."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from peak_memory import PEAK_MEMORY
from test_c_export import ACTIVATIONS, assert_close, random_network
from test_damaged_files import memory_to_read

import foxnn

onnx = pytest.importorskip("onnx", reason="needs the package onnx")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs the package onnxruntime")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402


def run_onnx(path: Path, X: Any) -> Any:
    """The outputs of the model in onnxruntime."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: X})[0]


def write(path: Path, nodes: list[Any], constants: dict[str, Any], n_in: Any, n_out: int, dtype: Any = np.float32,
          opset: int = 18) -> Path:  # fmt: skip
    """A model of these nodes from "x" to "y"; floats in the constants become arrays of the dtype."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    made = {
        name: np.asarray(value, None if np.asarray(value).dtype.kind == "i" else dtype)
        for name, value in constants.items()
    }
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", kind, ["n", n_in] if isinstance(n_in, int) else ["n", *n_in])],
        [helper.make_tensor_value_info("y", kind, ["n", n_out])],
        [numpy_helper.from_array(value, name) for name, value in made.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), path)
    return path


def chain(*operators: Any) -> list[Any]:
    """Nodes one after another, each (operator, further inputs..., {attributes})."""
    nodes = []
    for i, (operator, *more) in enumerate(operators):
        attributes = more.pop() if more and isinstance(more[-1], dict) else {}
        source = "x" if i == 0 else f"t{i}"
        target = "y" if i + 1 == len(operators) else f"t{i + 1}"
        nodes.append(helper.make_node(operator, [source, *more], [target], name=f"node{i}", **attributes))
    return nodes


RANDOM = np.random.default_rng(0)
W1, W2, B1, B2 = (RANDOM.normal(size=shape).astype(np.float32) for shape in ((3, 4), (4, 2), (4,), (2,)))


def check_import(path: Path, n_in: Any = 3) -> foxnn.NeuralNetwork:
    """Read it, and compare with onnxruntime."""
    nn = foxnn.from_onnx(path)
    shape = (n_in,) if isinstance(n_in, int) else n_in
    X = np.random.default_rng(1).normal(size=(9, *shape)).astype(nn.dtype)
    assert_close(nn.predict(X.reshape(9, -1)), run_onnx(path, X), 1e-6 if nn.dtype == np.float32 else 1e-12)
    return nn


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_export_and_back(activation: str, tmp_path: Path) -> None:
    for seed, dtype in ((0, "float32"), (1, "float32"), (2, "float64")):
        nn = random_network(activation, dtype, seed)
        if seed == 0:
            nn.scale, nn.offset = 0.25, -0.5
        X = np.random.default_rng(1).normal(size=(9, nn.sizes[0])).astype(np.float32)
        nn.to_onnx(tmp_path / "net.onnx")
        model = onnx.load(tmp_path / "net.onnx")
        onnx.checker.check_model(model, full_check=True)
        expected = nn.predict(X)
        assert_close(run_onnx(tmp_path / "net.onnx", X), expected, 1e-6)
        assert run_onnx(tmp_path / "net.onnx", X[:1]).shape == (1, nn.sizes[-1])  # the batch is as large as one likes
        back = foxnn.from_onnx(tmp_path / "net.onnx")
        assert back.sizes == nn.sizes
        shown = "relu" if activation == "foxnn_relu" else activation
        assert back.layers[-1].activation == shown
        assert (back.scale, back.offset) == (nn.scale, nn.offset)
        assert_close(back.predict(X), expected, 1e-6)


def test_parameters_of_activations_go_there_and_back(tmp_path: Path) -> None:
    nn = foxnn.neural_network([2, 3, 2], activation=foxnn.Activation("elu", alpha=0.3), seed=0,
                              output=foxnn.Activation("leaky_relu", negative_slope=0.2))  # fmt: skip
    nn.to_onnx(tmp_path / "net.onnx")
    back = foxnn.from_onnx(tmp_path / "net.onnx")
    assert [layer.activation for layer in back.layers] == [layer.activation for layer in nn.layers]
    for layer, same in zip(nn.layers, back.layers, strict=True):
        np.testing.assert_array_equal(layer.weights, same.weights)


def test_weights_that_float32_cannot_hold(tmp_path: Path) -> None:
    nn = foxnn.neural_network([1, 1], init=1e300, dtype="float64")
    with pytest.raises(ValueError, match="more than float32"):
        nn.to_onnx(tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []


def test_as_pytorch_writes_it(tmp_path: Path) -> None:
    """Gemm with transposed weights, Flatten, Dropout, and gelu by erf."""
    nodes = chain(("Flatten", {"axis": 1}), ("Gemm", "w1t", "b1", {"transB": 1}), ("Dropout",), ("Div", "root"),
                  ("Erf",), ("Add", "one"), ("Mul", "t3"), ("Mul", "half"),
                  ("Gemm", "w2", "b2", {"beta": 0.5}))  # fmt: skip
    constants = {"w1t": W1.T, "b1": B1, "root": np.sqrt(2), "one": 1.0, "half": 0.5, "w2": W2, "b2": B2}
    nn = check_import(write(tmp_path / "net.onnx", nodes, constants, (3, 1), 2), (3, 1))
    assert [layer.activation.name for layer in nn.layers] == ["gelu", "linear"]


def test_as_keras_writes_it(tmp_path: Path) -> None:
    """MatMul and Add, Identity, swish in two operators, softmax; and one unit, whose bias is a number."""
    nodes = chain(("MatMul", "w1"), ("Add", "b1"), ("Sigmoid",), ("Mul", "t2"), ("MatMul", "w2"), ("Add", "b2"),
                  ("Softmax", {"axis": -1}), ("Identity",))  # fmt: skip
    nn = check_import(write(tmp_path / "net.onnx", nodes, {"w1": W1, "b1": B1, "w2": W2, "b2": B2}, 3, 2))
    assert [layer.activation.name for layer in nn.layers] == ["silu", "softmax"]
    nodes = chain(("MatMul", "w"), ("Add", "b"), ("Sigmoid",))
    nn = check_import(write(tmp_path / "one.onnx", nodes, {"w": W1[:, :1], "b": B1[:1]}, 3, 1))
    assert [layer.activation.name for layer in nn.layers] == ["sigmoid"]


def test_as_scikit_learn_writes_it(tmp_path: Path) -> None:
    """Standardised inputs, MatMul and Add of a row, Reshape at the end; and the two probabilities of a sigmoid."""
    nodes = chain(("Sub", "mean"), ("Div", "deviation"), ("MatMul", "w1"), ("Add", "b1"), ("Relu",), ("MatMul", "w2"),
                  ("Add", "b2"), ("Reshape", "shape"))  # fmt: skip
    constants = {"mean": [0.5, 1, -2], "deviation": [1.5, 2, 3], "w1": W1, "b1": B1[None], "w2": W2[:, :1],
                 "b2": B2[None, :1], "shape": np.array([-1, 1])}  # fmt: skip
    nn = check_import(write(tmp_path / "net.onnx", nodes, constants, 3, 1, np.float64))
    assert nn.dtype == np.float64
    assert nn.sizes == [3, 4, 1]
    nodes = [*chain(("MatMul", "w"), ("Add", "b"), ("Sigmoid",))[:2], helper.make_node("Sigmoid", ["t2"], ["p"]),
             helper.make_node("Sub", ["one", "p"], ["q"]),
             helper.make_node("Concat", ["q", "p"], ["y"], axis=1)]  # fmt: skip
    nn = check_import(write(tmp_path / "two.onnx", nodes, {"w": W1[:, :1], "b": B1[None, :1], "one": 1.0}, 3, 2))
    assert nn.sizes == [3, 2]
    assert nn.layers[0].activation == "softmax"


def test_batch_normalisation_goes_into_the_weights(tmp_path: Path) -> None:
    constants = {"w1": W1, "b1": B1, "w2": W2, "g": B1 + 3, "h": B1, "m": B1 / 2, "v": B1**2 + 1}
    normal = ("BatchNormalization", "g", "h", "m", "v")
    for nodes in (
        chain(("Gemm", "w1", "b1"), normal, ("Relu",), ("MatMul", "w2")),
        chain(("Gemm", "w1", "b1"), ("Relu",), normal, ("MatMul", "w2")),
    ):
        nn = check_import(write(tmp_path / "net.onnx", nodes, constants, 3, 2, opset=15))
        assert nn.sizes == [3, 4, 2]
    nodes = chain(("Gemm", "w1", "b1"), ("Relu",), normal)  # at the end it scales the outputs
    nn = check_import(write(tmp_path / "end.onnx", nodes, constants, 3, 4, opset=15))
    assert (nn.sizes, nn.scale_outputs) == ([3, 4], "standard")
    nodes = chain(("Gemm", "w1", "b1"), ("Relu",), ("Mul", "h"))  # by numbers that are not all positive it is a layer
    assert check_import(write(tmp_path / "layer.onnx", nodes, constants, 3, 4)).sizes == [3, 4, 4]


def node(operator: str, *names: str, **attributes: Any) -> Any:
    """Of the inputs and, at last, the output."""
    return helper.make_node(operator, names[:-1], names[-1:], **attributes)


def normalisations() -> dict[str, tuple[list[Any], int]]:
    """Layer normalisation of "t" as "u", as it is spelled by others, and the opset that this takes."""
    gamma_and_beta = [node("Mul", "n", "g", "gn"), node("Add", "gn", "h", "u")]
    mean, variance = node("ReduceMean", "t", "mean", axes=[-1]), node("ReduceMean", "square", "variance", axes=[-1])
    deviation = [node("Add", "variance", "epsilon", "more"), node("Sqrt", "more", "deviation")]
    return {
        "one operator": ([node("LayerNormalization", "t", "g", "h", "u", epsilon=0.01)], 17),
        "one operator without a shift": ([node("LayerNormalization", "t", "g", "u", axis=1, epsilon=0.01)], 17),
        "a power": ([mean, node("Sub", "t", "mean", "c"), node("Pow", "c", "two", "square"), variance, *deviation,
                     node("Div", "c", "deviation", "n"), *gamma_and_beta], 13),
        "axes as an input": ([node("ReduceMean", "t", "axes", "mean"), node("Sub", "mean", "t", "c"),
                              node("Mul", "c", "c", "square"), node("ReduceMean", "square", "axes", "variance"),
                              *deviation, node("Neg", "c", "d"), node("Div", "d", "deviation", "n"),
                              *gamma_and_beta], 18),
        "without gamma and beta": ([mean, node("Sub", "t", "mean", "c"), node("Mul", "c", "c", "square"), variance,
                                    *deviation, node("Div", "c", "deviation", "u")], 13),
        "a factor and a shift for each row": (
            [mean, node("Sub", "t", "mean", "c"), node("Mul", "c", "c", "square"), variance, *deviation,
             node("Reciprocal", "deviation", "r"), node("Mul", "r", "g", "rg"), node("Mul", "t", "rg", "first"),
             node("Mul", "mean", "rg", "second"), node("Sub", "h", "second", "third"),
             node("Add", "first", "third", "u")], 13),
    }  # fmt: skip


@pytest.mark.parametrize("spelling", normalisations())
@pytest.mark.parametrize("after", ["Tanh", "Identity", "Relu"])
def test_layer_normalisation_in_every_spelling(spelling: str, after: str, tmp_path: Path) -> None:
    nodes, opset = normalisations()[spelling]
    constants = {"w1": W1, "w2": W2, "b1": B1, "b2": B2, "g": B1 + 2, "h": B1 / 2, "epsilon": 0.01, "two": 2.0,
                 "axes": np.array([1])}  # fmt: skip
    nodes = [node("Gemm", "x", "w1", "b1", "t"), *nodes, node(after, "u", "v"), node("Gemm", "v", "w2", "b2", "y")]
    nn = check_import(write(tmp_path / "net.onnx", nodes, constants, 3, 2, opset=opset))
    assert nn.layers[0].norm == foxnn.LayerNorm(epsilon=0.01)
    assert (nn.sizes, nn.layers[0].activation.name) == ([3, 4, 2], {"Identity": "linear"}.get(after, after.lower()))


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([node("LayerNormalization", "x", "g3", "t"), node("Gemm", "t", "w1", "y")], "right after a dense layer"),
        ([node("Gemm", "x", "w1", "t"), node("Relu", "t", "u"), node("LayerNormalization", "u", "g", "v"),
          node("Gemm", "v", "w2", "y")], "right after a dense layer"),
        ([node("Gemm", "x", "w1", "t"), node("LayerNormalization", "t", "g", "y")], "comes after the last dense layer"),
        ([node("Gemm", "x", "w1", "t"), node("LayerNormalization", "t", "g", "y", axis=0)], "samples apart"),
        ([node("Gemm", "x", "w1", "t"), node("ReduceMean", "t", "u", axes=[1]), node("Sub", "t", "u", "v"),
          node("Gemm", "v", "w2", "y")], r"Gemm: comes after ReduceMean, which makes no layer normalisation"),
        ([node("Gemm", "x", "w1", "t"), node("ReduceMean", "t", "u", axes=[1]), node("Sub", "t", "u", "y")],
         "operator ReduceMean, Sub: makes no layer normalisation"),
        ([node("Gemm", "x", "w1", "t"), node("ReduceMean", "t", "u", axes=[0]), node("Sub", "t", "u", "y")],
         "ReduceMean: is not the mean of each sample's numbers, as a column"),
        ([node("Gemm", "x", "w1", "t"), node("ReduceMean", "t", "u", axes=[1], keepdims=0), node("Relu", "u", "y")],
         "ReduceMean: is not the mean of each sample's numbers, as a column"),
    ],
)  # fmt: skip
def test_other_normalisations_of_rows_are_refused(nodes: list[Any], message: str, tmp_path: Path) -> None:
    constants = {"w1": W1, "w2": W2, "g": B1, "g3": B1[:3]}
    with pytest.raises(ValueError, match=message):
        foxnn.from_onnx(write(tmp_path / "net.onnx", nodes, constants, 3, 4, opset=17))


@pytest.mark.parametrize("after", ["Sigmoid", "Softmax", "Exp"])
@pytest.mark.parametrize("by", [2.5, B1[:1] ** 2 + 1, B1**2 + 1])
def test_outputs_may_be_scaled(after: str, by: Any, tmp_path: Path) -> None:
    nodes = chain(("Gemm", "w1", "b1"), (after,), ("Mul", "by"), ("Sub", "by"))
    nn = check_import(write(tmp_path / "net.onnx", nodes, {"w1": W1 / 4, "b1": B1 / 4, "by": by}, 3, 4))
    assert (nn.layers[0].activation.name, nn.scale_outputs) == (after.lower(), "standard")
    np.testing.assert_allclose(nn.output_scaling.spread, np.broadcast_to(by, 4), rtol=1e-6)


def test_scalers_of_scikit_learn(tmp_path: Path) -> None:
    nodes = chain(("Scaler", {"offset": [0.5, 1.0, -2.0], "scale": [2.0, 0.5, 0.25]}), ("MatMul", "w1"), ("Tanh",))
    nodes[0].domain = "ai.onnx.ml"
    path = write(tmp_path / "net.onnx", nodes, {"w1": W1}, 3, 4)
    model = onnx.load(path)
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
    onnx.save(model, path)
    assert check_import(path).sizes == [3, 4]


def test_constants_that_are_computed(tmp_path: Path) -> None:
    nodes = [helper.make_node("Transpose", ["wt"], ["w"], perm=[1, 0]),
             helper.make_node("Constant", [], ["b"], value=numpy_helper.from_array(B1)),
             *chain(("MatMul", "w"), ("Add", "b"))]  # fmt: skip
    check_import(write(tmp_path / "net.onnx", nodes, {"wt": W1.T}, 3, 4))


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (chain(("Gemm", "w1"), ("LogSoftmax",)), r"operator LogSoftmax \(node1\): has no counterpart"),
        (chain(("Gemm", "w1"), ("Softmax",), ("MatMul", "w2")), "operator MatMul .*comes after softmax"),
        (chain(("Gemm", "w1"), ("HardSwish",), ("MatMul", "w2")), "operator HardSwish: makes no activation"),
        (chain(("Gemm", "w1"), ("Clip", "zero", "many")), "operator Clip: makes no activation"),
        (chain(("Gemm", "w1"), ("Relu",), ("Add", "x")), r"operator Add \(node2\): joins branches"),
        (chain(("Gemm", "w1"), ("PRelu", "b1")), "operator PRelu .*differ from unit to unit"),
        (
            chain(
                ("Gemm", "w2"),
            ),
            "takes 4 inputs where there are 3",
        ),
        (chain(("Gemm", "w1", {"transA": 1})), "operator Gemm .*not a product of inputs and constant weights"),
        (chain(("Relu",)), "operator Relu: no layer before it"),
        (chain(("LSTM", "w1", "w2")), "operator LSTM .*has no counterpart"),
        (chain(("Gemm", "w1"), ("Mul", "w1")), "constant of shape"),
        (chain(("Gemm", "w1"), ("Reshape", "shape")), "gives samples another size"),
    ],
)
def test_refusals_name_the_operator(nodes: Any, message: str, tmp_path: Path) -> None:
    nodes = [helper.make_node(n.op_type, n.input, n.output, n.name,
             **{a.name: helper.get_attribute_value(a) for a in n.attribute}) for n in nodes]  # fmt: skip
    constants = {"w1": W1, "w2": W2, "b1": B1, "zero": 0.0, "many": 500.0,
                 "shape": np.array([-1, 2])}  # fmt: skip
    path = write(tmp_path / "net.onnx", nodes, constants, 3, 4)
    with pytest.raises(ValueError, match=message):
        foxnn.from_onnx(path)


def test_metadata_goes_there_and_back_or_is_refused(tmp_path: Path) -> None:
    nn, path = foxnn.neural_network([2, 2], output="softmax"), tmp_path / "net.onnx"
    nn.metadata = {"classes": ["a", "ü"], "table": {"mean": [0.1, 1e300], "none": None}}
    nn.to_onnx(path)
    assert foxnn.from_onnx(path).metadata == nn.metadata
    assert run_onnx(path, np.zeros((1, 2), np.float32)).shape == (1, 2)
    for text in ("", "[]", "{", '{"a": NaN}', "[" * 100_000):
        model = onnx.load(path)
        model.metadata_props[0].value = text
        onnx.save(model, tmp_path / "bad.onnx")
        with pytest.raises(foxnn.FileFormatError, match=r"bad\.onnx: its metadata of foxnn is damaged"):
            foxnn.from_onnx(tmp_path / "bad.onnx")
    before = path.read_bytes()
    nn.metadata["classes"] = {1, 2}
    with pytest.raises(TypeError, match=r"^metadata: .*; it takes what JSON can hold"):
        nn.to_onnx(path)
    assert path.read_bytes() == before


def test_what_is_no_onnx_file(tmp_path: Path) -> None:
    for content in (b"", b"not a model", b"\x08\x07" * 100):
        (tmp_path / "bad.onnx").write_bytes(content)
        with pytest.raises(foxnn.FileFormatError, match=r"bad\.onnx: damaged, or not an ONNX file"):
            foxnn.from_onnx(tmp_path / "bad.onnx")
    with pytest.raises(FileNotFoundError):
        foxnn.from_onnx(tmp_path / "none.onnx")


def test_damage_is_no_other_error_than_a_value_error(tmp_path: Path) -> None:
    random_network("gelu", "float32").to_onnx(tmp_path / "net.onnx")
    content = (tmp_path / "net.onnx").read_bytes()
    random = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(content[: random.integers(1, len(content) + 1)] if random.random() < 0.3 else content)
        for at in random.integers(len(damaged), size=random.integers(1, 4)):
            damaged[at] = random.integers(256)
        (tmp_path / "bad.onnx").write_bytes(damaged)
        with suppress(ValueError):  # ONNX files have no checksum: some damage is another network
            foxnn.from_onnx(tmp_path / "bad.onnx")


def large(spelling: str, path: Path) -> Path:
    """A network of 10 MB, most of it two matrices of weights, as exporters write it."""
    w1, w2 = (RANDOM.normal(size=shape).astype(np.float32) for shape in ((500, 4000), (4000, 125)))
    constants = {"w1": w1, "b1": np.ones(4000, np.float32), "w2": w2, "b2": np.ones(125, np.float32)}
    nodes = chain(("MatMul", "w1"), ("Add", "b1"), ("Relu",), ("MatMul", "w2"), ("Add", "b2"))
    if spelling == "Gemm":
        nodes = chain(("Gemm", "w1", "b1"), ("Relu",), ("Gemm", "w2", "b2"))
    if spelling == "transposed":
        norms = [("BatchNormalization", *[name] * 4) for name in ("b1", "b2")]
        first, second = (("Gemm", name, {"transB": 1}) for name in ("w1", "w2"))
        nodes = chain(first, norms[0], ("Relu",), second, norms[1])
        constants |= {"w1": w1.T, "w2": w2.T}
    if spelling == "Transpose":
        constants |= {"turned1": w1.T, "turned2": w2.T}
        del constants["w1"], constants["w2"]
        nodes = [node("Transpose", "turned1", "w1"), node("Transpose", "turned2", "w2"), *nodes]
    write(path, nodes, constants, 500, 125, opset=17)
    model = onnx.load(path)
    if spelling == "typed":
        for tensor in model.graph.initializer:
            numbers = numpy_helper.to_array(tensor)
            tensor.CopyFrom(helper.make_tensor(tensor.name, TensorProto.FLOAT, numbers.shape, numbers.ravel()))
    if spelling == "constants":
        for tensor in model.graph.initializer:
            model.graph.node.insert(0, helper.make_node("Constant", [], [tensor.name], value=tensor))
        del model.graph.initializer[:]
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("spelling", ["Gemm", "MatMul", "transposed", "Transpose", "typed", "constants"])
def test_reading_takes_no_more_than_about_twice_the_file(spelling: str, tmp_path: Path) -> None:
    path = large(spelling, tmp_path / "large.onnx")
    nodes, constants = chain(("Gemm", "w1", "b1"), ("Relu",), ("Gemm", "w2")), {"w1": W1, "b1": B1, "w2": W2}
    if spelling == "Transpose":  # which brings in another part of onnx
        nodes, constants = [node("Transpose", "turned1", "w1"), *nodes], {"turned1": W1.T, "b1": B1, "w2": W2}
    small = write(tmp_path / "small.onnx", nodes, constants, 3, 2)
    assert memory_to_read("from_onnx", path, small) < 2.25 * path.stat().st_size


@pytest.mark.parametrize("width", [10**8, 2**62, -4])
@pytest.mark.parametrize(
    "nodes",
    [
        chain(("Softmax",), ("Mul", "half")),
        chain(("Relu",), ("Softmax",)),
        chain(("ReduceMean", {"axes": [1]}), ("Neg",)),
        chain(("Gemm", "w2"),),
    ],
)  # fmt: skip
def test_a_small_file_cannot_ask_for_much_memory(nodes: list[Any], width: int, tmp_path: Path) -> None:
    path = write(tmp_path / "net.onnx", nodes, {"half": np.full(1, 0.5), "w2": W2}, width, 2, opset=17)
    assert refused_in_little_memory(path, "input 'x': of .* numbers; the file has weights for fewer")


def test_constants_cannot_grow_without_end(tmp_path: Path) -> None:
    nodes = [node("Concat", f"b{i}", f"b{i}", f"b{i + 1}", axis=0) for i in range(30)]
    path = write(tmp_path / "net.onnx", [*nodes, node("Add", "x", "b30", "y")], {"b0": B1}, 3, 4)
    assert refused_in_little_memory(path, "operator Concat: makes more numbers than the file has")


def refused_in_little_memory(path: Path, message: str) -> bool:
    """Whether it takes less than a megabyte to refuse a file."""
    with suppress(ValueError):  # brings in the modules
        foxnn.from_onnx(path)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message):
            foxnn.from_onnx(path)
        return tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_normalised_inputs_are_refused(tmp_path: Path) -> None:
    path = write(
        tmp_path / "net.onnx", chain(("ReduceMean", {"axes": [1]}), ("Gemm", "w2")), {"w2": W2}, 4, 2, opset=17
    )
    with pytest.raises(ValueError, match=r"ReduceMean \(node0\): comes before the first layer"):
        foxnn.from_onnx(path)


def test_constants_may_be_integers(tmp_path: Path) -> None:
    w, w_after = np.array([[1, -2], [3, 4], [-1, 2]]), np.array([[2], [-3]])
    nodes = chain(("Gemm", "w", {"alpha": 0.5}), ("Relu",), ("Div", "by"), ("Gemm", "w_after"), ("Mul", "half"))
    constants = {"w": w, "by": np.array([4, 5]), "w_after": w_after, "half": np.array([0.5])}
    nn = foxnn.from_onnx(write(tmp_path / "net.onnx", nodes, constants, 3, 1))
    X = np.array([[1.0, 2, 3], [-4, 5, 6]])
    np.testing.assert_allclose(nn.predict(X), np.maximum(X @ w / 2, 0) / [4, 5] @ w_after / 2, rtol=1e-6)


def test_a_factor_that_integers_cannot_hold(tmp_path: Path) -> None:
    nodes = chain(("Gemm", "w", {"alpha": 1e38}))
    nn = foxnn.from_onnx(write(tmp_path / "net.onnx", nodes, {"w": np.array([[1], [2]])}, 2, 1))
    np.testing.assert_allclose(nn.layers[0].weights, [[1e38], [2e38]], rtol=1e-6)


def test_weights_in_another_file(tmp_path: Path) -> None:
    path = write(tmp_path / "net.onnx", chain(("Gemm", "w1", "b1"), ("Tanh",)), {"w1": W1, "b1": B1}, 3, 4)
    expected = foxnn.from_onnx(path).predict([1, 2, 3])
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="weights", size_threshold=0)
    weights = (tmp_path / "weights").read_bytes()
    np.testing.assert_array_equal(foxnn.from_onnx(path).predict([1, 2, 3]), expected)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        np.testing.assert_array_equal(foxnn.from_onnx("net.onnx").predict([1, 2, 3]), expected)
    (tmp_path / "weights").write_bytes(weights[:-1])
    with pytest.raises(foxnn.FileFormatError, match=r"net\.onnx"):
        foxnn.from_onnx(path)
    (tmp_path / "weights").unlink()
    with pytest.raises(foxnn.FileFormatError, match=r"net\.onnx"):
        foxnn.from_onnx(path)


def test_a_constant_may_be_used_twice(tmp_path: Path) -> None:
    square = RANDOM.normal(size=(3, 3)).astype(np.float32)
    nodes = chain(("Gemm", "w", "b"), ("Tanh",), ("Gemm", "w", "b", {"transB": 1}), ("Mul", "b"), ("Sub", "b"))
    assert check_import(write(tmp_path / "net.onnx", nodes, {"w": square, "b": square[0]}, 3, 3)).sizes == [3, 3, 3]


def test_functions_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "net.onnx", [node("Dense", "x", "w1", "b1", "y", domain="own")], {"w1": W1, "b1": B1}, 3, 4)
    model = onnx.load(path)
    nodes = [node("MatMul", "x", "w", "p"), node("Add", "p", "b", "q"), node("Tanh", "q", "y")]
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    model.functions.append(helper.make_function("own", "Dense", ["x", "w", "b"], ["y"], nodes, opsets[:1]))
    model.opset_import.append(opsets[1])
    onnx.save(model, path)
    assert check_import(path).sizes == [3, 4]


def test_constants_that_are_no_real_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "net.onnx", chain(("MatMul", "w1"), ("Add", "b1")), {"w1": W1, "b1": B1}, 3, 4)
    model = onnx.load(path)
    model.graph.initializer[1].CopyFrom(numpy_helper.from_array(B1.astype(np.complex64), "b1"))
    onnx.save(model, path)
    with pytest.raises(ValueError, match="constants: one is of complex64; a foxnn network has real numbers"):
        foxnn.from_onnx(path)


def test_which_output(tmp_path: Path) -> None:
    nodes = [helper.make_node("Gemm", ["x", "w"], ["y"]), helper.make_node("Relu", ["y"], ["z"])]
    graph = helper.make_graph(
        nodes, "test", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 4]) for name in "yz"],
        [numpy_helper.from_array(W1, "w")],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), tmp_path / "two.onnx")
    with pytest.raises(ValueError, match="output: the file has y, z; say which"):
        foxnn.from_onnx(tmp_path / "two.onnx")
    with pytest.raises(ValueError, match="output: got 'q'; the file has: y, z"):
        foxnn.from_onnx(tmp_path / "two.onnx", output="q")
    assert foxnn.from_onnx(tmp_path / "two.onnx", output="z").layers[0].activation == "relu"


# ---- casts, shapes, parts, and numbers beside activations ----------------------------------------------------------


def of_input(path: Path, kind: int, shape: Any = ("n", 3)) -> Path:
    """The model with inputs of another type and shape."""
    model = onnx.load(path)
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", kind, shape))
    onnx.save(model, path)
    return path


INT64, INT8, FLOAT, FLOAT16, BOOL, DOUBLE = (
    {"to": getattr(TensorProto, name)} for name in ("INT64", "INT8", "FLOAT", "FLOAT16", "BOOL", "DOUBLE")
)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (
            chain(("Cast", INT64), ("Cast", FLOAT), ("MatMul", "w1")),
            r"Cast .node0.: to INT64: rounds numbers to integers",
        ),
        (chain(("Gemm", "w1"), ("Cast", INT64), ("Cast", FLOAT), ("Relu",)), "Cast .node1.: to INT64: rounds numbers"),
        (chain(("Gemm", "w1"), ("Cast", INT8), ("Cast", FLOAT)), "Cast .node1.: to INT8: rounds numbers"),
        (chain(("Gemm", "w1"), ("Cast", BOOL), ("Cast", FLOAT)), "Cast .node1.: to BOOL: makes numbers true or false"),
        (chain(("Gemm", "w1"), ("Cast", {"to": TensorProto.FLOAT8E4M3FN}), ("Cast", FLOAT)), "to FLOAT8E4M3FN: foxnn"),
        (chain(("Gemm", "w1"), ("CastLike", "seven"), ("Cast", FLOAT)), "CastLike .node1.: to INT32: rounds"),
        (chain(("Gemm", "w1"), ("Greater", "zero"), ("Cast", INT64), ("Mul", "seven")), "Mul .*computes with integers"),
        (chain(("Gemm", "w1"), ("Floor",)), "operator Floor .*has no counterpart"),
    ],
)
def test_casts_that_change_numbers_are_refused(nodes: list[Any], message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "net.onnx", nodes, {"w1": W1, "zero": 0.0, "seven": np.array(7)}, 3, 4, opset=19)
    with pytest.raises(ValueError, match=message):
        foxnn.from_onnx(path)


def test_integer_inputs(tmp_path: Path) -> None:
    """They are what they are until something is computed of them as integers."""
    constants = {"w1": W1, "by": np.array([2]), "half": 0.5}
    whole = write(tmp_path / "net.onnx", chain(("Cast", FLOAT), ("Mul", "half"), ("MatMul", "w1")), constants, 3, 4)
    nn = foxnn.from_onnx(of_input(whole, TensorProto.UINT8))
    X = np.array([[0, 200, 255], [3, 2, 1]], np.uint8)
    assert_close(nn.predict(X.astype(np.float32)), run_onnx(whole, X), 1e-6)
    wide = write(tmp_path / "a.onnx", chain(("Cast", INT64), ("Cast", FLOAT), ("MatMul", "w1")), constants, 3, 4)
    assert foxnn.from_onnx(of_input(wide, TensorProto.INT32)).sizes == [3, 4]
    narrow = write(tmp_path / "b.onnx", chain(("Cast", INT8), ("Cast", FLOAT), ("MatMul", "w1")), constants, 3, 4)
    with pytest.raises(ValueError, match=r"Cast \(node0\): to INT8: may cut integers off"):
        foxnn.from_onnx(of_input(narrow, TensorProto.INT64))
    divided = write(tmp_path / "c.onnx", chain(("Div", "by"), ("Cast", FLOAT), ("MatMul", "w1")), constants, 3, 4)
    with pytest.raises(ValueError, match=r"Div \(node0\): computes with integers; .*which Cast makes of them"):
        foxnn.from_onnx(of_input(divided, TensorProto.INT64))
    text = write(tmp_path / "d.onnx", chain(("Cast", FLOAT), ("MatMul", "w1")), constants, 3, 4)
    with pytest.raises(ValueError, match="input 'x': is not of real numbers"):
        foxnn.from_onnx(of_input(text, TensorProto.STRING))


def test_casts_that_keep_numbers(tmp_path: Path) -> None:
    nodes = chain(("Gemm", "w1"), ("Greater", "zero"), ("Cast", INT64), ("Cast", FLOAT), ("Gemm", "w2"))
    nn = check_import(write(tmp_path / "net.onnx", nodes, {"w1": W1, "w2": W2, "zero": 0.0}, 3, 2))
    assert nn.layers[0].activation == "threshold"
    nodes = chain(("Cast", DOUBLE), ("Cast", FLOAT), ("Gemm", "w1"), ("CastLike", "x"))
    check_import(write(tmp_path / "net.onnx", nodes, {"w1": W1}, 3, 4))


def test_dropout_in_training_mode_is_refused(tmp_path: Path) -> None:
    nodes = chain(("Gemm", "w1"), ("Dropout", "half", "yes"), ("Gemm", "w2"))
    path = write(tmp_path / "net.onnx", nodes, {"w1": W1, "w2": W2, "half": 0.5}, 3, 2)
    model = onnx.load(path)
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))
    onnx.save(model, path)
    with pytest.raises(ValueError, match=r"Dropout .*is in training mode"):
        foxnn.from_onnx(path)


def shape_chains() -> dict[str, tuple[list[Any], Any]]:
    """Nodes from x (n, 1, 3) to "rows" as exporters write x.view(x.size(0), -1) and Flatten."""
    size = [node("Shape", "x", "s"), node("Gather", "s", "zero", "b", axis=0), node("Unsqueeze", "b", "axes", "b1")]
    concat = node("Concat", "b1", "rest", "t", axis=0)
    known = [node("Shape", "x", "s"), node("Slice", "s", "one", "three", "parts"), node("ReduceProd", "parts", "p"),
             node("Slice", "s", "axes", "one", "b1"), node("Concat", "b1", "p", "t", axis=0)]  # fmt: skip
    return {
        "view": ([*size, concat, node("Reshape", "x", "t", "rows")], -1),
        "explicit": ([*size, concat, node("Reshape", "x", "t", "rows")], 3),
        "product": ([*known, node("Reshape", "x", "t", "rows")], -1),
        "start": ([node("Shape", "x", "b1", end=1), concat, node("Reshape", "x", "t", "rows")], -1),
        "cast": ([*size, concat, node("Cast", "t", "t1", **INT64), node("Reshape", "x", "t1", "rows")], -1),
        "zero": ([node("Concat", "axes", "rest", "t", axis=0), node("Reshape", "x", "t", "rows")], -1),
        "squeeze": ([node("Squeeze", "x", "one", "rows")], -1),
        "one to concat": ([node("Squeeze", "x", "one", "r"), node("Concat", "r", "rows", axis=1)], -1),
        "there and back": ([node("Flatten", "x", "r"), node("Unsqueeze", "r", "one", "u"),
                            node("Squeeze", "u", "one", "rows")], -1),
    }  # fmt: skip


@pytest.mark.parametrize("way", shape_chains())
def test_shapes_that_are_computed(way: str, tmp_path: Path) -> None:
    nodes, rest = shape_chains()[way]
    constants = {"zero": np.array(0), "axes": np.array([0]), "one": np.array([1]), "three": np.array([3]),
                 "rest": np.array([rest]), "w1": W1}  # fmt: skip
    path = write(tmp_path / "net.onnx", [*nodes, node("Gemm", "rows", "w1", "y")], constants, (1, 3), 4)
    assert check_import(path, (1, 3)).sizes == [3, 4]


@pytest.mark.parametrize(
    ("nodes", "shape", "message"),
    [
        (chain(("Reshape", "two_rows"), ("Gemm", "w1")), (1, 3), "Reshape .*makes 2 samples of however many there are"),
        (chain(("Reshape", "flat"), ("Gemm", "w1")), (1, 3), "Reshape .*gives samples another size"),
        (chain(("MatMul", "w1"), ("Flatten",)), (2, 3), r"takes samples of shape \(2, 3\), which are not rows"),
        (chain(("Sub", "b3"), ("Flatten",), ("Gemm", "w1")), (3, 1), r"a constant of shape \(3,\) for samples of"),
        (chain(("MatMul", "w1"), ("Softmax", {"axis": 1})), (1, 3), "Softmax .*is not over the numbers of each sample"),
        ([node("Shape", "x", "s"), node("Mul", "s", "s", "t"), node("Reshape", "x", "t", "r"),
          node("Gemm", "r", "w1", "y")], (1, 3), "Mul: computes with the number of samples, which is not known"),
        ([node("Shape", "x", "s"), node("Cast", "s", "t", **FLOAT), node("Gather", "t", "zero", "n"),
          node("Div", "x", "n", "r"), node("Flatten", "r", "f"), node("Gemm", "f", "w1", "y")], (1, 3),
         "Div: computes with the number of samples"),
        (chain(("Squeeze", "one"), ("Gemm", "w1")), (3, 1), "Squeeze .*more than one number"),
        (chain(("Unsqueeze", "zeros"), ("Gemm", "w1")), (3,), "Unsqueeze .*does not keep the samples apart"),
    ],
)  # fmt: skip
def test_shapes_that_are_no_rows_of_numbers(nodes: list[Any], shape: Any, message: str, tmp_path: Path) -> None:
    constants = {"w1": W1, "two_rows": np.array([2, -1]), "flat": np.array([-1]), "b3": B1[:3], "zero": np.array(0),
                 "one": np.array([1]), "zeros": np.array([0])}  # fmt: skip
    with pytest.raises(ValueError, match=message):
        foxnn.from_onnx(write(tmp_path / "net.onnx", nodes, constants, shape, 4))


def test_a_scaling_of_images_is_one_of_their_numbers(tmp_path: Path) -> None:
    by = np.array([2.0, 4.0]).reshape(2, 1, 1)
    nodes = chain(("Sub", "by"), ("Div", "by"), ("Flatten",), ("Gemm", "w"))
    w = RANDOM.normal(size=(8, 3)).astype(np.float32)
    nn = check_import(write(tmp_path / "net.onnx", nodes, {"by": by, "w": w}, (2, 2, 2), 3), (2, 2, 2))
    assert nn.input_scaling is not None
    assert nn.input_scaling.spread.tolist() == [2, 2, 2, 2, 4, 4, 4, 4]


def test_one_scaling_of_all_inputs_far_from_zero_keeps_their_digits(tmp_path: Path) -> None:
    nodes = chain(("Sub", "mean"), ("Div", "ten"), ("Gemm", "w1", "b1"))
    path = write(tmp_path / "net.onnx", nodes, {"mean": 1e5, "ten": 10.0, "w1": W1, "b1": B1}, 3, 4)
    nn = foxnn.from_onnx(path)
    X = np.random.default_rng(0).normal(1e5, 10, (9, 3)).astype(np.float32)
    assert_close(nn.predict(X), run_onnx(path, X), 2e-6)
    assert (nn.scale_inputs, nn.scale) == ("standard", None)


@pytest.mark.parametrize(
    ("operators", "name"),
    [
        ([("Mul", "thirty"), ("Sin",)], "sin"),
        ([("Mul", "thirty"), ("Add", "half"), ("Cos",)], "cos"),
        ([("Div", "half"), ("Neg",), ("Relu",)], "relu"),
        ([("Tanh",), ("Mul", "thirty")], "tanh"),
        ([("Mul", "half"), ("Sigmoid",), ("Mul", "thirty"), ("Sub", "half")], "sigmoid"),
        ([("Relu",), ("Neg",)], "relu"),
        ([("Mul", "half"), ("Softplus",), ("Div", "half")], "softplus"),
        ([("Mul", "half"), ("Mul", "b1"), ("Tanh",)], "tanh"),
        ([("LeakyRelu", {"alpha": 0.2}), ("Mul", "half")], "leaky_relu(negative_slope=0.2)"),
        ([("Swish", {"alpha": 1.702})], "silu"),
    ],
)
def test_numbers_beside_an_activation_go_into_the_weights(operators: Any, name: str, tmp_path: Path) -> None:
    if operators[0][0] == "Swish":  # as it is written before opset 24
        nodes = [node("Gemm", "x", "w1", "b1", "t"), node("Mul", "t", "slope", "u"), node("Sigmoid", "u", "v"),
                 node("Mul", "t", "v", "z"), node("Gemm", "z", "w2", "b2", "y")]  # fmt: skip
    else:
        nodes = chain(("Gemm", "w1", "b1"), *operators, ("Gemm", "w2", "b2"))
    constants = {"w1": W1, "b1": B1, "w2": W2, "b2": B2, "thirty": 30.0, "half": 0.5, "slope": 1.702}
    path = write(tmp_path / "net.onnx", nodes, constants, 3, 2)
    nn = foxnn.from_onnx(path)
    assert (nn.sizes, str(nn.layers[0].activation)) == ([3, 4, 2], name)
    X = np.random.default_rng(1).normal(size=(9, 3)).astype(np.float32)
    assert_close(nn.predict(X), run_onnx(path, X), 2e-5 if "thirty" in str(operators) else 2e-6)


def split(name: str, first: str, second: str, axis: int = 1) -> Any:
    return helper.make_node("Split", [name, "lengths"], [first, second], axis=axis)


def test_tiny_activations_are_not_taken_for_others(tmp_path: Path) -> None:
    for name in ("Tanh", "Sigmoid", "Sin"):
        nodes = chain(("Gemm", "w1", "b1"), (name,), ("Mul", "tiny"), ("Gemm", "w2", "b2"))
        constants = {"w1": W1, "b1": B1, "w2": W2 * 1e9, "b2": B2, "tiny": 1e-9}
        nn = check_import(write(tmp_path / "net.onnx", nodes, constants, 3, 2))
        assert nn.layers[0].activation.name == name.lower()


@pytest.mark.parametrize(
    ("nodes", "places"),
    [
        ([split("q", "y", "z")], [0, 1]),
        ([split("q", "z", "y", -1)], [2, 3]),
        ([node("Slice", "q", "one", "three", "one", "y")], [1, 2]),
        ([node("Slice", "q", "minus", "far", "one", "y")], [3]),
        ([node("Gather", "q", "places", "y", axis=1)], [3, 0]),
        ([split("q", "r", "z"), node("Softmax", "r", "y")], [0, 1]),
    ],
)
@pytest.mark.parametrize("after", ["Identity", "Tanh"])
def test_part_of_the_outputs(nodes: list[Any], places: list[int], after: str, tmp_path: Path) -> None:
    constants = {"w": W1, "b": B1, "lengths": np.array([2, 2]), "one": np.array([1]), "three": np.array([3]),
                 "minus": np.array([-1]), "far": np.array([2**31]), "places": np.array([3, 0])}  # fmt: skip
    nodes = [node("Gemm", "x", "w", "b", "p"), node(after, "p", "q"), *nodes]
    nn = check_import(write(tmp_path / "net.onnx", nodes, constants, 3, len(places)))
    if "Softmax" not in str(nodes) or after == "Identity":
        np.testing.assert_array_equal(nn.layers[0].weights, W1[:, places])


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([node("Gemm", "x", "w", "p"), node("Softmax", "p", "q"), split("q", "y", "z")],
         "Split: takes part of what comes out of softmax"),
        ([node("Slice", "x", "one", "two", "one", "p"), node("Gemm", "p", "v", "y")], "Slice: takes part of the in"),
        ([node("Gemm", "x", "w", "p"), node("Slice", "p", "one", "two", "zeros", "y")], "Slice: does not take whole"),
        ([node("Gemm", "x", "w", "p"), node("Gather", "p", "twice", "y", axis=1)], "Gather: takes some numbers twice"),
        ([node("Gemm", "x", "w", "p"), split("p", "q", "r"), node("Mul", "q", "r", "y")],
         "Mul: joins branches of the graph"),
    ],
)  # fmt: skip
def test_parts_that_foxnn_cannot_give(nodes: list[Any], message: str, tmp_path: Path) -> None:
    constants = {"w": W1, "v": W1[:1], "lengths": np.array([2, 2]), "one": np.array([1]), "two": np.array([2]),
                 "zeros": np.array([0]), "twice": np.array([1, 1])}  # fmt: skip
    with pytest.raises(ValueError, match=message):
        foxnn.from_onnx(write(tmp_path / "net.onnx", nodes, constants, 3, 2))


# ---- small files that ask for much ------------------------------------------------------------------------------

_BOMB = (
    PEAK_MEMORY
    + """\
import sys
import foxnn, onnx, onnx.checker, onnx.inliner, onnx.reference
before = memory()
try:
    foxnn.from_onnx(sys.argv[1])
except (ValueError, foxnn.FileFormatError) as error:
    print(error)
print((memory() - before) // 2**20)
"""
)


def _diagonal() -> Any:
    factor = numpy_helper.from_array(np.ones(20_000, np.float32), "factor")
    nodes = [helper.make_node("Mul", ["x", "factor"], ["m"]), helper.make_node("Relu", ["m"], ["y"])]
    return helper.make_model(
        helper.make_graph(nodes, "g", [_value("x", 20_000)], [_value("y", 20_000)], [factor]),
        opset_imports=[helper.make_opsetid("", 18)],
    )


def _value(name: str, n: int) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, n])


def _nested() -> Any:
    opset = [helper.make_opsetid("", 18), helper.make_opsetid("f", 1)]
    functions = []
    for level in range(20):
        inner = ("Relu", "") if level == 0 else (f"f{level - 1}", "f")
        nodes = [helper.make_node(inner[0], [a], [b], domain=inner[1]) for a, b in (("a", "b"), ("b", "c"))]
        functions.append(helper.make_function("f", f"f{level}", ["a"], ["c"], nodes, opset))
    graph = helper.make_graph([helper.make_node("f19", ["x"], ["y"], domain="f")], "g", [_value("x", 2)],
                              [_value("y", 2)])  # fmt: skip
    return helper.make_model(graph, functions=functions, opset_imports=opset)


def _row(operator: str, n: int, twice: bool) -> Any:
    nodes = [helper.make_node(operator, [f"v{i}"] * (1 + twice), [f"v{i + 1}"]) for i in range(n)]
    return helper.make_model(helper.make_graph(nodes, "g", [_value("v0", 2)], [_value(f"v{n}", 2)]),
                             opset_imports=[helper.make_opsetid("", 18)])  # fmt: skip


@pytest.mark.parametrize(("make", "message"), [
    (_diagonal, "operator Mul: a factor for each of 20,000 units"), (_nested, "functions that come to 1,048,576 nodes"),
    (lambda: _row("Relu", 500, False), "operator Relu: comes after 100 operators"),
    (lambda: _row("Add", 60, True), "operator Add: comes after"),
], ids=["diagonal", "functions", "relu", "doubled"])  # fmt: skip
def test_a_small_file_takes_little_memory_and_time(make: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb.onnx"
    onnx.save(make(), path)
    assert path.stat().st_size < 100_000
    run = subprocess.run([sys.executable, "-c", _BOMB, path], capture_output=True, text=True, timeout=60)
    assert message in run.stdout, run.stderr[-1000:]
    assert int(run.stdout.split()[-1]) < 64  # MiB
