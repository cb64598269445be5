"""foxnn: the fastest and smallest way to train and run dense neural networks on a CPU.

>>> import foxnn
>>> nn = foxnn.neural_network([784, 512, 512, 10])
"""

from typing import Any

try:
    from foxnn import _core
except ImportError as error:
    from importlib.util import find_spec
    from pathlib import Path

    if find_spec("foxnn._core"):  # there is one, perhaps in another folder, and it says what is wrong
        raise
    raise ImportError(
        f"foxnn in {Path(__file__).parent} has no compiled core: these are its sources, not an installed foxnn. "
        "`pip install .` in the folder above installs it; then start Python in another folder"
    ) from error

from foxnn import _arguments, activations, callbacks, datasets, initializers, losses, optimizers, plots
from foxnn import _forks as _forks  # which says what to do at a fork
from foxnn._threads import get_num_threads, num_threads, set_num_threads, show_config
from foxnn.activations import Activation
from foxnn.callbacks import Callback, EarlyStopping
from foxnn.errors import DivergenceError, FileFormatError
from foxnn.foxnn_1_0.data import one_train_data, train_data
from foxnn.foxnn_1_0.layer import layer
from foxnn.history import History
from foxnn.io import load
from foxnn.io.imports import from_keras, from_onnx, from_sklearn, from_torch
from foxnn.layers import BatchNorm, Dense, Layer, LayerNorm, Scale
from foxnn.losses import Loss
from foxnn.network import NeuralNetwork, neural_network

_arguments.likely += [NeuralNetwork.fit, NeuralNetwork.__init__, EarlyStopping.__init__]

__version__: str = _core.config()["version"]

__all__ = [
    "Activation",
    "BatchNorm",
    "Callback",
    "Dense",
    "DivergenceError",
    "EarlyStopping",
    "FileFormatError",
    "History",
    "Layer",
    "LayerNorm",
    "Loss",
    "NeuralNetwork",
    "Scale",
    "activations",
    "callbacks",
    "datasets",
    "find_learning_rate",
    "from_keras",
    "from_onnx",
    "from_sklearn",
    "from_torch",
    "get_num_threads",
    "initializers",
    "layer",
    "load",
    "losses",
    "metrics",
    "neural_network",
    "num_threads",
    "one_train_data",
    "optimizers",
    "plots",
    "schedules",
    "set_num_threads",
    "show_config",
    "train_data",
]

# Imported when first used.
_MODULES = ("metrics", "schedules")
_FUNCTIONS = {"find_learning_rate": "training.rate_search"}
_ESTIMATORS = ("MLPClassifier", "MLPRegressor")  # they need scikit-learn


def __getattr__(name: str) -> Any:
    if name in _MODULES or name in _FUNCTIONS:
        from importlib import import_module

        module = import_module(f"foxnn.{_FUNCTIONS.get(name, name)}")
        return getattr(module, name) if name in _FUNCTIONS else module
    if name not in _ESTIMATORS:
        from foxnn._elsewhere import no_such

        raise no_such("foxnn", name)
    try:
        from foxnn import estimators
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "sklearn":
            raise
        raise ImportError(f'foxnn.{name} needs scikit-learn 1.6 or later: pip install "foxnn[sklearn]"') from error
    return getattr(estimators, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES, *_FUNCTIONS, *_ESTIMATORS])
