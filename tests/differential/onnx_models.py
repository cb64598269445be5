"""Models of ONNX, which onnxruntime runs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import foxnn
from differential import Case

NEEDS = ("onnx", "onnxruntime")


class Graph:
    """A chain of nodes that grows."""

    def __init__(self, random: np.random.Generator, dtype: str) -> None:
        self.random, self.dtype = random, dtype
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.type = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def constant(self, values: Any) -> str:
        array = np.asarray(values)
        array = array.astype(self.dtype) if array.dtype.kind == "f" else array
        self.constants.append(numpy_helper.from_array(array, f"c{len(self.constants)}"))
        return str(self.constants[-1].name)

    def node(self, operator: str, *inputs: str, n: int = 1, **attributes: Any) -> Any:
        outputs = [f"t{len(self.nodes)}_{i}" for i in range(n)]
        self.nodes.append(helper.make_node(operator, inputs, outputs, **attributes))
        return outputs[0] if n == 1 else outputs

    def number(self) -> str:
        """A single number, as a scalar or an array of one."""
        return self.constant(
            self.random.choice([0.5, 2.0, -1.5, 30.0, 0.1]) * np.ones([(), (1,)][self.random.integers(2)])
        )

    def row(self, width: int, positive: bool = False) -> str:
        values = self.random.normal(size=width)
        return self.constant(np.abs(values) + 0.5 if positive else values)


def _dense(graph: Graph, x: str, n_in: int, n_out: int) -> str:
    weights, chance = graph.random.normal(size=(n_in, n_out)) / np.sqrt(n_in), graph.random.random
    if chance() < 0.4:
        transposed = bool(chance() < 0.5)
        given = graph.constant(weights.T if transposed else weights)
        return graph.node("Gemm", x, given, graph.row(n_out), transB=int(transposed))
    x = graph.node("MatMul", x, graph.constant(weights))
    return (
        graph.node("Add", *([x, graph.row(n_out)] if chance() < 0.5 else [graph.row(n_out), x]))
        if chance() < 0.8
        else x
    )


def _normal(graph: Graph, x: str, width: int) -> str:
    if graph.random.random() < 0.5 or width == 1:
        given = [graph.row(width, True), graph.row(width), graph.row(width), graph.row(width, True)]
        return graph.node("BatchNormalization", x, *given)
    return graph.node("LayerNormalization", x, graph.row(width), graph.row(width))


def _activation(graph: Graph, x: str) -> str:
    random, node = graph.random, graph.node
    plain = [
        "Relu",
        "Sigmoid",
        "Tanh",
        "Elu",
        "Selu",
        "Softplus",
        "Softsign",
        "Sin",
        "Cos",
        "Atan",
        "LeakyRelu",
        "Identity",
    ]
    choices = [
        *[lambda name=name: node(name, x) for name in plain],
        lambda: node("LeakyRelu", x, alpha=float(random.uniform(0, 1))),
        lambda: node("Elu", x, alpha=float(random.uniform(0.1, 2))),
        lambda: node("Mul", x, node("Sigmoid", x)),
        lambda: node("Mul", x, node("Tanh", node("Softplus", x))),
        lambda: node("Clip", x, graph.constant(-1.0), graph.constant(1.0)),
        lambda: node("Clip", x, graph.constant(0.0), graph.constant(6.0)),
        lambda: node("HardSigmoid", x, alpha=1 / 6),
        lambda: node("Cast", node("Greater", x, graph.constant(0.0)), to=graph.type),
        lambda: node("Exp", node("Neg", node("Mul", x, x))),
        lambda: node("Mul", node("Mul", x, graph.constant(0.5)),
                     node("Add", node("Erf", node("Div", x, graph.constant(2**0.5))), graph.constant(1.0))),
    ]  # fmt: skip
    if graph.dtype == "float64":  # onnx's reference evaluator computes erf in float32
        choices.pop()
    return str(choices[random.integers(len(choices))]())


def _same(graph: Graph, x: str, width: int) -> str:
    """Something that changes nothing."""
    node, random = graph.node, graph.random
    samples = node("Gather", node("Shape", x), graph.constant(np.array(0)), axis=0)
    target = node(
        "Concat", node("Unsqueeze", samples, graph.constant(np.array([0]))), graph.constant(np.array([-1])), axis=0
    )
    choices = [
        lambda: node("Identity", x), lambda: node("Dropout", x), lambda: node("Flatten", x),
        lambda: node("Cast", x, to=graph.type), lambda: node("Concat", x, axis=1), lambda: node("Reshape", x, target),
        lambda: node("Reshape", x, graph.constant(np.array([-1, width]))),
        lambda: node("Squeeze", node("Unsqueeze", x, graph.constant(np.array([1]))), graph.constant(np.array([1]))),
    ]  # fmt: skip
    return str(choices[random.integers(len(choices))]())


def _part(graph: Graph, x: str, width: int) -> tuple[str, int]:
    random, integers = graph.random, lambda *values: graph.constant(np.array(values))
    first, n = int(random.integers(width)), int(random.integers(1, width + 1))
    if random.random() < 0.4:
        end = min(first + n, width)
        return graph.node("Slice", x, integers(first), integers(end), integers(1)), end - first
    if random.random() < 0.5 and n < width:
        parts = graph.node("Split", x, integers(n, width - n), n=2, axis=1)
        return (parts[0], n) if random.random() < 0.5 else (parts[1], width - n)
    return graph.node("Gather", x, integers(*random.permutation(width)[:n].tolist()), axis=1), n


def _odd(graph: Graph, x: str, width: int) -> str:
    """Something that may be refused, or not."""
    node, random = graph.node, graph.random
    choices = [
        lambda: node("Cast", node("Cast", x, to=TensorProto.INT64), to=graph.type),
        lambda: node("Cast", node("Cast", x, to=TensorProto.BOOL), to=graph.type),
        lambda: node("Floor", x), lambda: node("Softmax", x, axis=0), lambda: node("Softmax", x, axis=1),
        lambda: node("Mul", x, node("Sigmoid", node("Mul", x, graph.constant(1.702)))),
        lambda: node("Sub", x, node("ReduceMean", x, graph.constant(np.array([1])))),
        lambda: node("HardSwish", x), lambda: node("Add", node("Tanh", x), node("Relu", x)),
        lambda: node("PRelu", x, graph.row(width)), lambda: node("Pow", x, graph.constant(2.0)),
        lambda: node("Flatten", x, axis=0), lambda: node("Reshape", x, graph.constant(np.array([-1]))),
        lambda: node("Clip", x, graph.constant(-2.0), graph.constant(0.5)), lambda: node("Abs", x),
        lambda: node("Mul", node("Tanh", x), graph.constant(1e-9)),
        lambda: node("Add", x, node("Mul", graph.row(width), graph.row(width))),
    ]  # fmt: skip
    return str(choices[random.integers(len(choices))]())


def case(random: np.random.Generator) -> Case:
    """A chain of layers with what exporters write between them."""
    chance, dtype = random.random, "float64" if random.random() < 0.3 else "float32"
    graph, odd = Graph(random, dtype), bool(random.random() < 0.3)
    n_in = width = int(random.integers(1, 6))
    x, n = "x", int(random.integers(1, 4))
    if chance() < 0.3:
        x = graph.node("Sub", x, graph.row(width) if chance() < 0.5 else graph.number())
    if chance() < 0.3:
        x = graph.node("Div", x, graph.row(width, True) if chance() < 0.5 else graph.number())
    place = int(random.integers(n))
    for i in range(n):
        if chance() < 0.3:
            x = _same(graph, x, width)
        before, width = width, int(random.integers(1, 6))
        x = _dense(graph, x, before, width)
        if chance() < 0.2:
            x = _normal(graph, x, width)
        if odd and i == place:
            x = _odd(graph, x, width)
        if chance() < 0.3:
            x = graph.node(["Mul", "Div", "Add", "Sub"][random.integers(4)], x, graph.number())
        x = _activation(graph, x)
        if chance() < 0.2:
            x = graph.node(["Mul", "Div", "Add", "Sub"][random.integers(4)], x, graph.number())
        if chance() < 0.1:
            odd |= any(node.op_type == "LayerNormalization" for node in graph.nodes)  # of which no part can be taken
            x, width = _part(graph, x, width)
    before, width = width, int(random.integers(2, 5))
    x = _dense(graph, x, before, width)
    if chance() < 0.3:
        x, width = _part(graph, x, width)
    if chance() < 0.3 and width > 1:
        x = graph.node("Softmax", x)
    graph.node("Identity", x)
    graph.nodes[-1].output[0] = "y"
    ends = [helper.make_tensor_value_info(name, graph.type, ["n", size]) for name, size in (("x", n_in), ("y", None))]
    made = helper.make_graph(graph.nodes, "graph", ends[:1], ends[1:], graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=8).SerializeToString()

    def read() -> foxnn.NeuralNetwork:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "net.onnx")
            path.write_bytes(model)
            return foxnn.from_onnx(path)

    def run(X: Any) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 4
        try:
            session: Any = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            if "NOT_IMPLEMENTED" not in str(error):  # some operators of double precision
                raise
            session = ReferenceEvaluator(onnx.ModelProto.FromString(model))
        return session.run(None, {"x": X})[0]

    description = " ".join(node.op_type for node in onnx.ModelProto.FromString(model).graph.node)
    return Case(description, read, run, n_in, dtype, odd, tolerance=1e-5)  # attributes are of float32
