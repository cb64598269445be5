"""Callbacks: what may happen during `fit` besides training."""

from typing import TYPE_CHECKING, Any

from foxnn.callbacks.base import Callback
from foxnn.callbacks.early_stopping import EarlyStopping

if TYPE_CHECKING:
    from foxnn.callbacks.csv_logger import CSVLogger
    from foxnn.callbacks.lambda_callback import LambdaCallback
    from foxnn.callbacks.model_checkpoint import ModelCheckpoint
    from foxnn.callbacks.progress_bar import ProgressBar
    from foxnn.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
    from foxnn.callbacks.tensorboard import TensorBoard

__all__ = [
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "LambdaCallback",
    "ModelCheckpoint",
    "ProgressBar",
    "ReduceLROnPlateau",
    "TensorBoard",
]

#: Imported when first used.
_MODULES = {
    "CSVLogger": "csv_logger",
    "LambdaCallback": "lambda_callback",
    "ModelCheckpoint": "model_checkpoint",
    "ProgressBar": "progress_bar",
    "ReduceLROnPlateau": "reduce_lr_on_plateau",
    "TensorBoard": "tensorboard",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        from foxnn._elsewhere import no_such

        raise no_such("foxnn.callbacks", name)
    from importlib import import_module

    return getattr(import_module(f"foxnn.callbacks.{_MODULES[name]}"), name)
