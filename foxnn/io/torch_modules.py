"""Modules of PyTorch's kind that PyTorch does not have; this file needs it to be imported."""

from __future__ import annotations

import torch

__all__ = ["Standardise"]


class Standardise(torch.nn.Module):  # type: ignore[misc]  # PyTorch need not be there
    """``(x - shift) / spread``, column by column.

    PyTorch's own ``BatchNorm1d`` multiplies first when it predicts, and loses the digits of inputs that lie far from
    zero.

    Parameters
    ----------
    shift, spread : torch.Tensor of shape (n,)
        In the number type of the inputs.
    """

    shift: torch.Tensor
    spread: torch.Tensor

    def __init__(self, shift: torch.Tensor, spread: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("shift", shift)
        self.register_buffer("spread", spread)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the scaled inputs, of the shape (..., n) of x."""
        return (x - self.shift) / self.spread

    def extra_repr(self) -> str:
        """Return the number of columns, for `repr`."""
        return str(len(self.shift))
