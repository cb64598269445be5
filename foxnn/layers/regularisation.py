"""What keeps a network from learning its samples by heart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from foxnn._options import dropout_rate, one_for_each, real

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


class Regularisation:
    """Dropout, noise, penalties and max-norm; part of `NeuralNetwork`."""

    def _set_regularisation(
        self, dropout: Any, input_dropout: Any, input_noise: Any, max_norm: Any, l1: Any, l2: Any
    ) -> None:
        """Check and keep all of it, for a core that is yet to be made."""
        self._dropout = self._checked_dropout(dropout)
        self._input_dropout = dropout_rate("input_dropout", input_dropout)
        self._input_noise = real("input_noise", input_noise, 0, dtype=_network(self).dtype)
        self._max_norm = self._checked_max_norm(max_norm)
        self.l1, self.l2 = l1, l2

    def _checked_dropout(self, dropout: Any) -> list[float]:
        hidden = len(_network(self).sizes) - 2
        return one_for_each("dropout", dropout, hidden, "hidden layers", lambda rate: dropout_rate("dropout", rate))

    def _checked_max_norm(self, max_norm: Any) -> list[float | None]:
        dtype = _network(self).dtype

        def checked(norm: Any) -> float | None:
            return None if norm is None else real("max_norm", norm, 0, open_below=True, dtype=dtype)

        return one_for_each("max_norm", max_norm, len(_network(self).sizes) - 1, "layers", checked)

    def _apply_regularisation(self) -> None:
        network = _network(self)
        for index, rate in enumerate(self._dropout):
            network._core.set_dropout(index, rate)
        for index, norm in enumerate(self._max_norm):
            network._core.set_max_norm(index, norm or 0.0)
        network._core.set_input_noise(self._input_noise, self._input_dropout)
        network._trainer = None

    @property
    def dropout(self) -> list[float]:
        """Share of each hidden layer's outputs that training drops; assign one rate for all or a list."""
        return list(self._dropout)

    @dropout.setter
    def dropout(self, value: float | Sequence[float]) -> None:
        self._dropout = self._checked_dropout(value)
        self._apply_regularisation()

    @property
    def input_dropout(self) -> float:
        """Share of the inputs that training drops; assign another one to change it."""
        return self._input_dropout

    @input_dropout.setter
    def input_dropout(self, value: float) -> None:
        self._input_dropout = dropout_rate("input_dropout", value)
        self._apply_regularisation()

    @property
    def input_noise(self) -> float:
        """Standard deviation of the noise that training adds to the inputs; assign another one to change it."""
        return self._input_noise

    @input_noise.setter
    def input_noise(self, value: float) -> None:
        self._input_noise = real("input_noise", value, 0, dtype=_network(self).dtype)
        self._apply_regularisation()

    @property
    def l1(self) -> float:
        """Weight of the L1 penalty, ``l1 |w|`` for each weight; assign another one to change it."""
        return self._l1

    @l1.setter
    def l1(self, value: float) -> None:
        self._l1 = real("l1", value, 0, dtype=_network(self).dtype)

    @property
    def l2(self) -> float:
        """Weight of the L2 penalty, ``l2 w^2 / 2`` for each weight; assign another one to change it."""
        return self._l2

    @l2.setter
    def l2(self, value: float) -> None:
        self._l2 = real("l2", value, 0, dtype=_network(self).dtype)

    @property
    def max_norm(self) -> list[float | None]:
        """For each layer, the most that the norm of a unit's weights may be; assign one for all or a list."""
        return list(self._max_norm)

    @max_norm.setter
    def max_norm(self, value: float | Sequence[float | None] | None) -> None:
        self._max_norm = self._checked_max_norm(value)
        self._apply_regularisation()


def _network(part: Regularisation) -> NeuralNetwork:
    return cast("NeuralNetwork", part)
