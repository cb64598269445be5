"""Callbacks: what may happen during `fit` besides training."""

from typing import TYPE_CHECKING, Any

from foxnn.callbacks.base import Callback
from foxnn.callbacks.early_stopping import EarlyStopping

if TYPE_CHECKING:
    from foxnn.callbacks.csv_logger import CSVLogger
    from foxnn.callbacks.lambda_callback import LambdaCallback
    from foxnn.callbacks.model_checkpoint import ModelCheckpoint
    from foxnn.callbacks.progress_bar import ProgressBar
    from foxnn.callbacks.tensorboard import TensorBoard

__all__ = [
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "LambdaCallback",
    "ModelCheckpoint",
    "ProgressBar",
    "TensorBoard",
]

#: Imported when first used.
_MODULES = {
    "CSVLogger": "csv_logger",
    "LambdaCallback": "lambda_callback",
    "ModelCheckpoint": "model_checkpoint",
    "ProgressBar": "progress_bar",
    "TensorBoard": "tensorboard",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'foxnn.callbacks' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"foxnn.callbacks.{_MODULES[name]}"), name)
