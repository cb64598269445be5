"""The exceptions that foxnn adds to Python's own."""

__all__ = ["DivergenceError", "FileFormatError"]


class FileFormatError(ValueError):
    """A file is damaged, or is not in the format it should be in.

    The message names the file and says what is wrong with it.

    Examples
    --------
    >>> issubclass(FileFormatError, ValueError)
    True
    """


class DivergenceError(ArithmeticError):
    """Training left the finite numbers; the network keeps its last finite weights.

    Usual remedies: a smaller learning rate, scaled inputs, or gradient clipping.

    Examples
    --------
    >>> issubclass(DivergenceError, ArithmeticError)
    True
    """
