"""Inputs such as a network will get, to find out which numbers there will be in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foxnn._arrays import as_inputs
from foxnn._options import path_text
from foxnn.data.reading import Reading

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

__all__ = ["inputs_like"]

#: Samples drawn if none are given; and of those that are, at most so many numbers are looked at.
_DRAWN = 1000
_MOST_NUMBERS = 2**24


def inputs_like(network: NeuralNetwork, samples: Any) -> tuple[npt.NDArray[np.float64], bool]:
    """Inputs (n, n_in) as the C code will be given them, and whether they were drawn.

    They are those of an array or of a file, every second, third, ... of them if there are very many; or, if there are
    none, drawn from what the network's `scale_inputs` has seen.

    Raises
    ------
    ValueError
        If there are neither.
    """
    n_in = network._n_in
    if samples is None:
        return _drawn(network), True
    if isinstance(samples, (str, os.PathLike)):
        samples = _read(path_text("samples", samples))
    X = as_inputs(samples, n_in, "samples", network._dtype)
    X = X[:: -(-len(X) * n_in // _MOST_NUMBERS)]
    # Pixels of uint8 are read by the network as x / 255, which C, knowing numbers only, has to be given.
    factor, _ = Reading(network).of(X, "samples")
    return X.astype(np.float64) * (factor if X.dtype == np.uint8 and network.scale is None else 1.0), False


def _drawn(network: NeuralNetwork) -> npt.NDArray[np.float64]:
    scaling, n_in = network.input_scaling, network._n_in
    if scaling is None:
        raise ValueError(
            "samples: got none; weights='int8' needs inputs such as the network will get, some hundred of them "
            "(--samples on the command line), or a network with scale_inputs, which knows their range"
        )
    random = np.random.default_rng(0)
    draw = random.normal if scaling.kind == "standard" else random.random
    X = draw(size=(max(1, min(_DRAWN, _MOST_NUMBERS // n_in)), n_in)) * scaling.spread + scaling.shift
    scale = 1.0 if network.scale is None else network.scale
    return (X - (network.offset or 0.0)) / scale if scale else X


def _read(path: str) -> Any:
    """The array of a .npy file, or the columns of a CSV file."""
    if path.lower().endswith(".npy"):
        try:
            return np.load(path, allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValueError(f"samples: {path} holds no array of numbers ({error})") from None
    from foxnn.datasets.table import load_csv

    return load_csv(path, dtype="float64").X
