"""Networks as ONNX, in operators that old runtimes have too."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foxnn import _core
from foxnn._atomic import atomic_write
from foxnn._extras import needing
from foxnn.io._formulas import centring, reading, title, writing
from foxnn.io._layers import folded
from foxnn.io._meaning import metadata_as_text

if TYPE_CHECKING:
    from foxnn.activations import Activation
    from foxnn.layers.normalisation import Norm
    from foxnn.network import NeuralNetwork

#: Of 2020, and the file version that goes with it: every operator used here has not changed its meaning since.
OPSET, IR_VERSION = 13, 7
#: Under which name the file has the network's metadata, so that `foxnn predict` knows how to read tables for it.
METADATA = "foxnn"
_MOST_BYTES = 2**31 - 2**20  # what a protobuf can be

#: Activations that are one operator, and its attributes.
_OPERATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "relu": ("Relu", {}),
    "foxnn_relu": ("Relu", {}),
    "selu": ("Selu", {"alpha": 1.6732632423543772848, "gamma": 1.0507009873554804934}),
    "softplus": ("Softplus", {}),
    "softsign": ("Softsign", {}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
    "sin": ("Sin", {}),
    "cos": ("Cos", {}),
    "arctan": ("Atan", {}),
    "exp": ("Exp", {}),
    "softmax": ("Softmax", {"axis": 1}),
}


def to_onnx(network: NeuralNetwork, path: str | os.PathLike[str]) -> None:
    """Write a network as ONNX; see `NeuralNetwork.to_onnx`."""
    with needing("onnx", "google", message="this needs the package onnx: pip install foxnn[onnx]"):
        import onnx  # noqa: F401
    if 4 * network.n_parameters > _MOST_BYTES:
        raise ValueError(f"network: got {network.n_parameters:,} parameters; one ONNX file can hold 2 GB")
    model = _Graph().model(folded(network, "ONNX"))
    if text := metadata_as_text(network):
        model.metadata_props.add(key=METADATA, value=text)
    with atomic_write(path) as file:
        file.write(model.SerializeToString())


class _Graph:
    """Nodes and constants, in the order in which they are added; tensors go by their names."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        from onnx import helper

        output = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=output, **attributes))
        return output

    def constant(self, value: npt.ArrayLike, what: str = "constant") -> str:
        from onnx import numpy_helper

        with np.errstate(over="ignore"):
            array = np.asarray(value, np.float32)
        if not np.isfinite(array).all():
            raise ValueError(f"{what}: {np.abs(value).max():g} is more than float32, which ONNX files hold, can be")
        name = f"{what}_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def model(self, network: NeuralNetwork) -> Any:
        from onnx import TensorProto, checker, helper

        x = "x"
        centred, read = centring(network, np.float64), reading(network)
        if centred is not None:
            x = self.in_double(x, ("Sub", centred.shift), ("Mul", centred.factor), ("Add", centred.rest))
        elif read is not None:
            x = self.node("Add", self.node("Mul", x, self.constant(read[0], "scale")), self.constant(read[1], "offset"))
        for layer in network.layers:
            x = self.node("Gemm", x, self.constant(layer.weights, "weights"), self.constant(layer.bias, "bias"))
            if layer.norm is not None:
                x = self.layer_norm(layer.norm, x)
            x = self.activation(layer.activation, x)
        written = writing(network)
        if written is not None:
            self.in_double(x, ("Mul", written[0]), ("Add", written[1]))
        self.nodes[-1].output[0] = "y"
        ends = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size])
            for name, size in (("x", network._n_in), ("y", network._n_out))
        ]
        graph = helper.make_graph(self.nodes, "foxnn", ends[:1], ends[1:], self.constants, doc_string=title(network))
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="foxnn",
            producer_version=_core.config()["version"],
        )
        checker.check_model(model, full_check=True)
        return model

    def in_double(self, x: str, *steps: tuple[str, Any]) -> str:
        """Operators on the columns of x and constants, in double precision; those that change nothing are left out."""
        from onnx import TensorProto, numpy_helper

        x = self.node("Cast", x, to=TensorProto.DOUBLE)
        for operator, values in steps:
            if operator in ("Add", "Sub") and not np.any(values):
                continue
            name = f"scaling_{len(self.constants)}"
            self.constants.append(numpy_helper.from_array(np.asarray(values, np.float64), name))
            x = self.node(operator, x, name)
        return self.node("Cast", x, to=TensorProto.FLOAT)

    def layer_norm(self, norm: Norm, x: str) -> str:
        """Add the layer normalisation of x, from what opset 13 has."""

        def mean(of: str) -> str:
            return self.node("ReduceMean", of, axes=[1], keepdims=1)

        centred = self.node("Sub", x, mean(x))
        variance = self.node("Add", mean(self.node("Mul", centred, centred)), self.constant(norm.epsilon, "epsilon"))
        normal = self.node("Div", centred, self.node("Sqrt", variance))
        scaled = self.node("Mul", normal, self.constant(norm.gamma, "gamma"))
        return self.node("Add", scaled, self.constant(norm.beta, "beta"))

    def activation(self, activation: Activation, x: str) -> str:
        """Add the activation of x; for those that opset 13 lacks, what they are made of."""
        name = activation.name
        if name in _OPERATORS:
            operator, attributes = _OPERATORS[name]
            return self.node(operator, x, **attributes)
        if name == "linear":
            return x
        if name == "leaky_relu":
            return self.node("LeakyRelu", x, alpha=activation.parameters["negative_slope"])
        if name == "elu":
            return self.node("Elu", x, alpha=activation.parameters["alpha"])
        if name in ("hard_tanh", "relu6"):
            low, high = (-1, 1) if name == "hard_tanh" else (0, 6)
            return self.node("Clip", x, self.constant(low), self.constant(high))
        if name == "gelu":
            erf = self.node("Erf", self.node("Mul", x, self.constant(np.sqrt(0.5))))
            cdf = self.node("Mul", self.node("Add", erf, self.constant(1)), self.constant(0.5))
            return self.node("Mul", x, cdf)
        if name == "silu":
            return self.node("Mul", x, self.node("Sigmoid", x))
        if name == "mish":
            return self.node("Mul", x, self.node("Tanh", self.node("Softplus", x)))
        if name == "gaussian":
            return self.node("Exp", self.node("Neg", self.node("Mul", x, x)))
        if name == "threshold":
            from onnx import TensorProto

            return self.node("Cast", self.node("Greater", x, self.constant(0)), to=TensorProto.FLOAT)
        raise ValueError(f"activation: {name!r} has no form in ONNX")
