"""onnxruntime, which only predicts: Gemm, Relu and Softmax."""

from __future__ import annotations

from typing import Any

import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import threads
from problems import Array, Problem


def version() -> str:
    return onnxruntime.__version__


def model(problem: Problem) -> bytes:
    nodes, arrays, last = [], [], "X"
    for i, (weights, bias) in enumerate(problem.weights):
        arrays += [numpy_helper.from_array(weights, f"W{i}"), numpy_helper.from_array(bias, f"b{i}")]
        nodes.append(helper.make_node("Gemm", [last, f"W{i}", f"b{i}"], [f"z{i}"]))
        last = f"z{i}"
        if i + 1 < len(problem.weights):
            nodes.append(helper.make_node("Relu", [last], [f"a{i}"]))
            last = f"a{i}"
    if problem.loss == "cross_entropy":
        nodes.append(helper.make_node("Softmax", [last], ["p"], axis=1))
        last = "p"
    inputs = helper.make_tensor_value_info("X", TensorProto.FLOAT, ["n", problem.sizes[0]])
    outputs = helper.make_tensor_value_info(last, TensorProto.FLOAT, ["n", problem.sizes[-1]])
    graph = helper.make_graph(nodes, "network", [inputs], [outputs], arrays)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def predict(problem: Problem) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads.COUNT
    session = onnxruntime.InferenceSession(model(problem), options, providers=["CPUExecutionProvider"])
    names = [session.get_outputs()[0].name]

    def run(X: Array) -> Array:
        return session.run(names, {"X": X})[0]

    return run
