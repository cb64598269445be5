"""The layers of a network: what they are made with, views of them and of their parameters, and how they are changed."""

from foxnn.layers.dense import Dense
from foxnn.layers.layer import Layer
from foxnn.layers.normalisation import BatchNorm, LayerNorm
from foxnn.layers.scale import Scale

__all__ = ["BatchNorm", "Dense", "Layer", "LayerNorm", "Scale"]
