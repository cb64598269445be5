"""A factor for every number, as it is put into the list that a network is made of."""

from __future__ import annotations

from foxnn.layers.config import LayerConfig


class Scale(LayerConfig):
    """A layer that multiplies each of its inputs by a factor, which is learnt: ``y = x * factor``.

    Its ``parameters["factor"]`` have the shape of the inputs, and start at one. In front it learns how much each input
    counts, behind the outputs of a dense layer how much each unit does.

    Parameters
    ----------
    trainable : bool, default True
        Whether training changes it.

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([2, foxnn.Scale(), 3], output="linear", seed=0)
    >>> nn.layers[0].parameters["factor"] = [2.0, 0.5]
    >>> nn.layers[0].kind, nn.layers[0].output_shape
    ('scale', (2,))
    >>> nn.layer_outputs([[10.0, 10.0]])[0]
    array([[20.,  5.]], dtype=float32)
    """

    kind = "scale"

    def __init__(self, *, trainable: bool = True) -> None:
        super().__init__(trainable=trainable)

    def parameter_shapes(self, input_shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Of the arrays that it learns, for inputs of that shape."""
        return {"factor": input_shape}
