"""The layers of a network: views of them and of their parameters, what normalises them, and how they are changed."""

from foxnn.layers.layer import Layer
from foxnn.layers.normalisation import BatchNorm, LayerNorm

__all__ = ["BatchNorm", "Layer", "LayerNorm"]
