"""Networks from the models of others; what reads each of them is imported when it is called."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from foxnn._arguments import pointing
from foxnn._options import path_text

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

__all__ = ["from_keras", "from_onnx", "from_sklearn", "from_torch"]


@pointing
def from_keras(model: Any) -> NeuralNetwork:
    """Make a network of a Keras model, whatever backend it is on.

    Parameters
    ----------
    model : keras.Sequential or keras.Model, str or path-like
        Layers in one chain, models within models too: ``Dense`` with an activation, activations as layers,
        ``BatchNormalization`` (its moving statistics go into the weights beside it), ``Normalization`` and
        ``Rescaling`` (what scales each column before the first layer becomes `scale_inputs`), ``LayerNormalization``
        before an activation, ``Dropout``, ``Flatten``, ``Identity``, and ``Softmax`` at the end. Layers and models
        with a `call` of their own are refused, as nobody knows what it does, and calls with ``training=True``. Or the
        name of a file, ``.keras`` or ``.h5``, with such a model; Keras loads it, in its safe mode.

    Returns
    -------
    NeuralNetwork
        In the number type of the weights; other than float64 becomes float32. Its inputs are flattened samples.

    Raises
    ------
    ValueError
        If the model has something that a foxnn network cannot do; the message names the layer.
    FileFormatError
        If the file is damaged, or has no model of Keras.
    OSError
        If it cannot be read.
    TypeError
        If it is no model.
    ImportError
        If Keras 3 is not installed.

    Examples
    --------
    >>> import foxnn, keras  # doctest: +SKIP
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="tanh")])  # doctest: +SKIP
    >>> foxnn.from_keras(model)  # doctest: +SKIP
    neural_network([2, 3], [tanh], loss='half_squared_error', dtype='float32')
    """
    from foxnn.io import keras_format

    return keras_format.from_keras(model)


@pointing
def from_onnx(path: str | os.PathLike[str], *, output: str | None = None) -> NeuralNetwork:
    """Read a dense network from an ONNX file, as PyTorch, Keras, scikit-learn and foxnn write them.

    Fully connected layers (Gemm, or MatMul and Add), activations and layer normalisation in any spelling, batch
    normalisation, scaling of the inputs and the outputs, numbers beside activations, dropout, reshapes that keep the
    samples apart, and parts of a layer's outputs (Split, Slice, Gather) are taken; what changes numbers otherwise, such
    as casts to integers, is refused. Needs the package onnx: ``pip install foxnn[onnx]``.

    Parameters
    ----------
    path : str or path-like
        The ONNX file.
    output : str, optional
        Name of the output to read, if there are several; by default the one that is an array of real numbers.

    Returns
    -------
    NeuralNetwork
        In the number type of the file's weights.

    Raises
    ------
    ValueError
        If the file has something that a foxnn network cannot do; the message names the operator.
    FileFormatError
        If the file is damaged, or no ONNX file.
    OSError
        If it cannot be read.
    ImportError
        If onnx is not installed.

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.from_onnx("net.onnx")  # doctest: +SKIP
    """
    path = path_text("path", path)
    from foxnn.io import onnx_import

    return onnx_import.from_onnx(path, output=output)


@pointing
def from_sklearn(mlp: Any) -> NeuralNetwork:
    """Make a network of a fitted ``MLPClassifier`` or ``MLPRegressor`` of scikit-learn, or of a pipeline that ends so.

    Parameters
    ----------
    mlp : sklearn.neural_network.MLPClassifier or MLPRegressor, or sklearn.pipeline.Pipeline
        Fitted. In a pipeline, ``StandardScaler``, ``MinMaxScaler``, ``MaxAbsScaler``, ``RobustScaler`` and
        "passthrough" may come before it; they become `scale_inputs`.

    Returns
    -------
    NeuralNetwork
        Whose outputs are those of ``predict_proba``, or of ``predict`` for a regressor, as (n_samples, n_out) and in
        the number type of the weights. Of two classes, the one output is the probability of the second. The classes
        are in ``metadata["classes"]``, in the order of the outputs.

    Raises
    ------
    TypeError
        If it is something else.
    ValueError
        If it has not been fitted, has a step that foxnn does not know, or predicts in a way of its own.
    ImportError
        If scikit-learn is not installed.

    Examples
    --------
    >>> import foxnn
    >>> from sklearn.neural_network import MLPRegressor  # doctest: +SKIP
    >>> nn = foxnn.from_sklearn(MLPRegressor().fit([[0.0], [1.0]], [1.0, 2.0]))  # doctest: +SKIP
    """
    from foxnn.io import sklearn_format

    return sklearn_format.from_sklearn(mlp)


@pointing
def from_torch(module: Any) -> NeuralNetwork:
    """Make a network of a PyTorch module.

    Parameters
    ----------
    module : torch.nn.Module
        ``Linear``, or ``Sequential``, however nested, of ``Linear``, activations, ``Dropout``, ``Flatten``,
        ``Identity``, ``BatchNorm1d``, whose running statistics go into the weights beside it (before the first layer:
        into `scale_inputs`), ``LayerNorm`` before an activation, and at the end ``Softmax`` over the last dimension.
        It is read as it predicts in evaluation mode; a module that is there twice counts twice; weights that
        `torch.nn.utils.parametrizations` make are computed. Refused are modules with a `forward` of their own or with
        forward hooks, as nobody knows what they do, and weights that are quantized, complex or not there yet.

    Returns
    -------
    NeuralNetwork
        In the number type of the weights; other than float64 becomes float32.

    Raises
    ------
    ValueError
        If the module has something that a foxnn network cannot do; the message names it.
    TypeError
        If it is no module.
    ImportError
        If torch is not installed.

    Examples
    --------
    >>> import foxnn, torch  # doctest: +SKIP
    >>> foxnn.from_torch(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh()))  # doctest: +SKIP
    neural_network([2, 3], [tanh], loss='half_squared_error', dtype='float32')
    """
    from foxnn.io import torch_format

    return torch_format.from_torch(module)
