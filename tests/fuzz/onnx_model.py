"""ONNX models."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import foxnn
from fuzz.mutations import damaged
from fuzz.text_network import predict

ERRORS = (foxnn.FileFormatError, ValueError)
NAMES_FILE = False  # what is refused as having no counterpart names the operator
MEMORY = 2.0  # the file and the message that it becomes, then that and arrays, then these and the network
OVERHEAD = 1 << 21  # activations are told by their values on a grid
TOKENS = (b"Relu", b"Gemm", b"MatMul", b"Softmax", b"Identity", b"Reshape", b"Clip", b"x", b"y", b"alpha", b"axis",
          b"ai.onnx.ml")  # fmt: skip

_OPERATORS = ["Relu", "Gemm", "MatMul", "Add", "Sub", "Mul", "Div", "Sigmoid", "Tanh", "Softmax", "Identity", "Reshape",
              "Flatten", "Cast", "Concat", "Transpose", "Neg", "Where", "Clip", "Elu", "Erf", "LeakyRelu", "PRelu",
              "Pow", "Dropout", "BatchNormalization", "Constant", "Squeeze", "Unsqueeze", "Conv", "Scaler", "ZipMap",
              "Loop", "ReduceMean", "LayerNormalization", "Sqrt", "Reciprocal", "Shape", "Gather", "Slice", "Split",
              "Expand", "CastLike", "ReduceProd", "Equal"]  # fmt: skip
_NUMBERS = [-1, 0, 1, 2, 3, 7, 2**31 - 1, 2**31, 2**62, -(2**63)]


def corpus() -> list[bytes]:
    """As foxnn writes them, and with what others use: MatMul and Add, constants, normalisations, several outputs."""
    from onnx import TensorProto, helper, numpy_helper

    files = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "net.onnx")
        for activation, norm in (("gelu", []), (foxnn.Activation("elu", alpha=0.5), []), ("mish", [foxnn.LayerNorm()])):
            nn = foxnn.neural_network([2, 3, *norm, 2], activation, "softmax", "half_squared_error", seed=0)
            nn.scale, nn.metadata = 0.5, {"classes": ["a", "b"]}
            if norm:
                nn.scale_inputs = nn.scale_outputs = "standard"
                nn.fit_scaling(np.eye(2), np.eye(2))
            nn.to_onnx(path)
            files.append(path.read_bytes())

    def axis(operator: str, inputs: list[str]) -> dict[str, int]:
        return {"axis": 0 if "rest" in inputs else 1} if operator in ("Concat", "Gather") else {}

    w, b = np.ones((2, 2), np.float32), np.ones(2, np.float32)
    for nodes in (
        [("MatMul", ["x", "w"], "p"), ("Add", ["p", "b"], "q"), ("BatchNormalization", ["q", "b", "b", "b", "b"], "r"),
         ("Clip", ["r", "zero", "six"], "s"), ("Reshape", ["s", "shape"], "t"), ("Gemm", ["t", "w", "b"], "y")],
        [("Transpose", ["w"], "v"), ("Sub", ["x", "b"], "o"), ("Div", ["o", "b"], "p"), ("MatMul", ["p", "v"], "q"),
         ("Sigmoid", ["q"], "r"), ("Mul", ["q", "r"], "s"), ("Identity", ["s"], "t"), ("Flatten", ["t"], "y")],
        [("Gemm", ["x", "column"], "p"), ("Sigmoid", ["p"], "q"), ("Sub", ["six", "q"], "r"),
         ("Concat", ["r", "q"], "y")],
        [("Gemm", ["x", "w"], "p"), ("LayerNormalization", ["p", "b", "b"], "q"), ("Tanh", ["q"], "r"),
         ("Gemm", ["r", "w", "b"], "s"), ("Sigmoid", ["s"], "t"), ("Mul", ["t", "b"], "y")],
        [("Shape", ["x"], "p"), ("Slice", ["p", "index", "index2", "index"], "q"), ("Concat", ["q", "rest"], "r"),
         ("Reshape", ["x", "r"], "s"), ("Gemm", ["s", "w", "b"], "t"), ("Gather", ["t", "places"], "u"),
         ("Mul", ["u", "six"], "v"), ("Sin", ["v"], "y")],
    ):  # fmt: skip
        made = [
            helper.make_node(operator, inputs, [output], **axis(operator, inputs)) for operator, inputs, output in nodes
        ]
        constants = {
            "w": w,
            "b": b,
            "column": w[:, :1],
            "six": np.float32(6),
            "zero": np.float32(0),
            "shape": np.array([-1, 2]),
            "index": np.array([0]),
            "index2": np.array([1]),
            "rest": np.array([-1]),
            "places": np.array([1, 0]),
        }
        constants["six"] = np.float32(1) if nodes[-1][0] == "Concat" else constants["six"]
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in "xy"]
        tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
        graph = helper.make_graph(made, "graph", ends[:1], ends[1:], tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        files.append(model.SerializeToString())
    return files


def damage(random: Random, corpus: list[bytes]) -> bytes:
    """Damage to the bytes, few of which are then a model; or to the model."""
    from onnx import ModelProto

    if random.random() < 0.3:
        return damaged(random, corpus, TOKENS)
    model = ModelProto.FromString(random.choice(corpus))
    for _ in range(random.choice((1, 1, 2, 3))):
        _change(random, model.graph)
    return bytes(model.SerializeToString())


def _change(random: Random, graph: Any) -> None:
    """Something else in a node, a constant or an end of the graph."""
    from onnx import helper

    nodes, tensors = graph.node, graph.initializer
    node, tensor = random.choice(nodes), random.choice(tensors)
    names = ["", "x", "y", *(t.name for t in tensors), *(n.output[0] for n in nodes)]
    how = random.randrange(12)
    if how == 0:
        node.op_type = random.choice(_OPERATORS)
    elif how == 1 and node.input:
        node.input[random.randrange(len(node.input))] = random.choice(names)
    elif how == 2:
        node.output[0] = random.choice(names[1:])
    elif how == 3 and len(nodes) > 1:
        del nodes[random.randrange(len(nodes))]
    elif how == 4:
        nodes.insert(random.randrange(len(nodes) + 1), node)
    elif how == 5 and node.input:
        del node.input[random.choice((0, -1))]
    elif how == 6:
        node.input.append(random.choice(names))
    elif how == 7:
        name = random.choice(
            ["alpha", "axis", "transA", "transB", "beta", "to", "perm", "epsilon", "min", "axes", "keepdims"]
        )
        value = random.choice([random.choice(_NUMBERS), random.uniform(-2, 2), 1e38, float("nan"), [1, 0], [5.0], "a"])
        node.attribute.append(helper.make_attribute(name, value))
    elif how == 8 and tensor.dims:
        tensor.dims[random.randrange(len(tensor.dims))] = random.choice(_NUMBERS)
    elif how == 9:
        tensor.data_type = random.randrange(25)
    elif how == 10:
        tensor.raw_data = damaged(random, [tensor.raw_data or b"0"])
    else:
        end = random.choice([*graph.input, *graph.output])
        end.type.tensor_type.shape.dim[-1].dim_value = random.choice(_NUMBERS)


def use(path: Path) -> None:
    """Read it, and predict."""
    predict(foxnn.from_onnx(path))
