"""Networks for others: what other programs and libraries read, or run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from foxnn._arguments import pointing
from foxnn.io.endings import path_for

if TYPE_CHECKING:
    from foxnn.io.c_export import RoundingError
    from foxnn.network import NeuralNetwork


class Exports:
    """Writing a network in the formats of others, or making it one of theirs; part of `NeuralNetwork`."""

    @pointing
    def to_c(
        self,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        dtype: Any = None,
        weights: str = "float",
        samples: Any = None,
    ) -> RoundingError | None:
        """Write the network as C99, for microcontrollers and other programs.

        It defines ``void NAME_predict(const T *x, T *y)``, which reads inputs as `scale`, `offset` and `scale_inputs`
        say, allocates nothing and needs nothing but libm. On AVR the weights stay in flash.

        Parameters
        ----------
        path : str or path-like
            ``net.h``, or any other name, for a header with everything in it; ``net.c`` for two files, ``net.c`` and
            ``net.h`` beside it, for programs of several files, which have the weights only once then.
        name : str, optional
            Begins all names in it; by default the file's, in which letters that C lacks become ``u`` and their number
            in Unicode (``größe.h``: ``gru00f6u00dfe``), other characters ``_``, and which begins with ``net_`` if it
            would begin with a digit or be a word of C.
        dtype : "float32" or "float64", optional
            Computes in ``float`` or ``double``; by default as the network does.
        weights : "float" or "int8", default "float"
            As what the weights are kept: as numbers of `dtype`, or rounded to integers of 8 bits with a scale for each
            unit, which take a quarter of the memory (of ``double``: an eighth). Then integers are all that is computed
            with between the inputs and the outputs, but in layers that are followed by a layer normalisation.
        samples : array-like of shape (n_samples, n_in), or path, optional
            For int8: some hundred inputs such as the network will get, from which it is seen how large numbers become,
            and what int8 costs; a file is one of NumPy's (``.npy``), or CSV with a column for each input. By default
            1,000 that are drawn from what `scale_inputs` was fitted to: from a normal distribution, or between the
            least and the largest number of each column.

        Returns
        -------
        RoundingError or None
            What int8 changes in the outputs: ``max`` and ``rms`` of the differences, and ``largest``, the largest
            output, all on the samples. It is also in a comment at the top of the file.

        Raises
        ------
        ValueError
            If the name is no identifier, a weight is more than `dtype` can hold, or `samples` do not fit; or if there
            are none where int8 needs them, as the network has no `scale_inputs`.
        OSError
            If the file cannot be written; an old one is as it was then.

        Examples
        --------
        >>> import foxnn, tempfile, os
        >>> nn = foxnn.neural_network([2, 3, 1])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     nn.to_c(os.path.join(folder, "net.h"))
        ...     error = nn.to_c(os.path.join(folder, "small.c"), weights="int8", samples=[[0.5, -1.0], [2.0, 0.0]])
        ...     sorted(os.listdir(folder))
        ['net.h', 'small.c', 'small.h']
        >>> error.max < 0.05
        True
        """
        from foxnn.io.c_export import to_c

        return to_c(_network(self), path_for("to_c", path), name=name, dtype=dtype, weights=weights, samples=samples)

    @pointing
    def to_js(
        self, path: str | os.PathLike[str], *, name: str | None = None, types: bool = False, script: bool = False
    ) -> None:
        """Write the network as one JavaScript module that exports ``predict(x)`` and needs nothing.

        ``predict`` takes an array, typed or not, and returns an array; `nIn` and `nOut` are their lengths. It computes
        in double precision; the weights are in the module as base64, in the network's number type.

        Parameters
        ----------
        path : str or path-like
            The file, such as ``net.mjs``.
        name : str, optional
            The variable that the script makes; by default after the file, as `to_c` does it.
        types : bool, default False
            Write TypeScript's declarations beside the module, where TypeScript looks for them: ``net.d.mts`` (of
            ``net.js``: ``net.d.ts``).
        script : bool, default False
            Write a classic script beside the module, ``net.js``, for pages that are opened from disk (``file://``),
            where browsers load no modules: after ``<script src="net.js"></script>`` there is ``net.predict``.

        Raises
        ------
        ValueError
            If the name is no identifier, or the file's name does not go with `types` or `script`.
        OSError
            If the file cannot be written; an old one is as it was then.

        Examples
        --------
        >>> import foxnn, tempfile, os
        >>> nn = foxnn.neural_network([2, 3, 1])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     nn.to_js(os.path.join(folder, "net.mjs"), types=True, script=True)
        ...     sorted(os.listdir(folder))
        ['net.d.mts', 'net.js', 'net.mjs']
        """
        from foxnn.io.js_export import to_js

        to_js(_network(self), path_for("to_js", path), name=name, types=types, script=script)

    @pointing
    def to_onnx(self, path: str | os.PathLike[str]) -> None:
        """Write the network as ONNX, which most runtimes read.

        The file has the input ``x`` of shape (batch, n_in) and the output ``y`` of shape (batch, n_out), both
        float32, as are the weights, and reads inputs as `scale` and `offset` say. It uses operators of opset 13, and
        has `metadata` as a text called "foxnn" among its own. Needs the package onnx: ``pip install foxnn[onnx]``.

        Parameters
        ----------
        path : str or path-like
            The file, such as ``net.onnx``.

        Raises
        ------
        ValueError
            If a weight is more than float32 can hold, or the network more than a file can (2 GB).
        OSError
            If the file cannot be written; an old one is as it was then.
        ImportError
            If onnx is not installed.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 3, 1])
        >>> nn.to_onnx("net.onnx")  # doctest: +SKIP
        """
        from foxnn.io.onnx_export import to_onnx

        to_onnx(_network(self), path_for("to_onnx", path))

    @pointing
    def to_npz(self, path: str | os.PathLike[str]) -> None:
        """Write the network as an archive of arrays, which ``numpy.load`` reads.

        It holds ``layers.0.weights`` (n_in, n_out), ``layers.0.bias`` (n_out,), ..., of a layer normalisation also
        ``layers.0.gamma`` and ``layers.0.beta`` (n_out,), and as ``description`` a text, in JSON: the activations and
        normalisations with their parameters, and how inputs and outputs are scaled. Batch normalisation is in the
        weights.

        Parameters
        ----------
        path : str or path-like
            The file, such as ``net.npz``.

        Raises
        ------
        OSError
            If the file cannot be written; an old one is as it was then.

        Examples
        --------
        >>> import foxnn, numpy as np, tempfile, os
        >>> nn = foxnn.neural_network([2, 3, 1])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     nn.to_npz(os.path.join(folder, "net.npz"))
        ...     with np.load(os.path.join(folder, "net.npz")) as arrays:
        ...         arrays["layers.0.weights"].shape
        (2, 3)
        """
        from foxnn.io.npz_export import to_npz

        to_npz(_network(self), path_for("to_npz", path))

    @pointing
    def to_torch(self) -> Any:
        """Make a PyTorch module that gives the same outputs.

        Needs the package torch.

        Returns
        -------
        torch.nn.Sequential
            Of ``Linear``, ``BatchNorm1d``, ``LayerNorm``, activations and ``Dropout``, in evaluation mode. Inputs are
            scaled by a first module, ``foxnn.io.torch_modules.Standardise``, ``(x - shift) / spread``; `scale` and
            `offset` alone are in the first layer's weights, and how outputs are scaled is in the last one's.

        Raises
        ------
        ValueError
            If an activation has no module in PyTorch: sin, cos, gaussian, arctan, exp and threshold. Or if outputs are
            scaled that are not linear.
        ImportError
            If torch is not installed.

        Examples
        --------
        >>> import foxnn
        >>> module = foxnn.neural_network([2, 3, 1]).to_torch()  # doctest: +SKIP
        """
        from foxnn.io.torch_format import to_torch

        return to_torch(_network(self))

    @pointing
    def to_keras(self) -> Any:
        """Make a Keras model that gives the same outputs, on the backend that Keras is set to.

        Needs Keras 3 and one of its backends.

        Returns
        -------
        keras.Sequential
            Of ``Rescaling`` (if the network has `scale` or `offset`) or ``Normalization`` (if it scales its
            inputs), ``Dense``, ``LayerNormalization``, activations and ``Dropout``; not compiled.
            Batch normalisation is in the weights, as are scaled outputs.

        Raises
        ------
        ValueError
            If an activation has no counterpart in Keras: sin, cos, gaussian, arctan and threshold. Or if outputs are
            scaled that are not linear, or the network is of float64 and the backend does not have that switched on.
        ImportError
            If Keras 3 is not installed.

        Warns
        -----
        UserWarning
            If the network is of float64 and Keras multiplies in float32 on this backend, as it does on PyTorch.

        Examples
        --------
        >>> import foxnn
        >>> model = foxnn.neural_network([2, 3, 1]).to_keras()  # doctest: +SKIP
        """
        from foxnn.io.keras_format import to_keras

        return to_keras(_network(self))

    @pointing
    def to_sklearn(self) -> Any:
        """Make a fitted ``MLPClassifier`` or ``MLPRegressor`` of scikit-learn that gives the same outputs.

        Of a network that scales its inputs: a pipeline of a ``StandardScaler`` and one of them.

        Needs scikit-learn.

        Returns
        -------
        sklearn.neural_network.MLPClassifier or MLPRegressor, or sklearn.pipeline.Pipeline
            A classifier if the output is softmax or sigmoid, whose ``predict_proba`` are the outputs (of one sigmoid:
            the probability of the second class) and whose classes are ``metadata["classes"]``, else 0, 1, ...; of
            several sigmoids, one for any number of labels at once. A regressor if the output is linear or exp.
            `scale` and `offset` alone are in the first layer's weights. Its ``partial_fit`` goes on from these
            weights, without a penalty on them (`alpha` is 0) and with an optimizer that knows nothing yet.

        Raises
        ------
        ValueError
            If scikit-learn has no such network: hidden layers of different activations, of others than sigmoid, tanh,
            relu and linear, with layer normalisation, or another output.
        ImportError
            If scikit-learn is not installed.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 3, 3], activation="relu", output="softmax", seed=0)
        >>> nn.to_sklearn()  # doctest: +SKIP
        MLPClassifier(alpha=0.0, hidden_layer_sizes=(3,))
        """
        from foxnn.io.sklearn_format import to_sklearn

        return to_sklearn(_network(self))


def _network(part: Exports) -> NeuralNetwork:
    return cast("NeuralNetwork", part)
