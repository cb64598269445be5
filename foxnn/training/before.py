"""A network as it was before a training, which it is again if the training fails before its first step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from foxnn.data import scaling

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

#: What a training sets before its first step; scalings are in the core too.
_SET = (
    "history", "scale", "offset", "stop_training", "_epoch", "_rate", "_optimizer", "_optimizer_of_state",
    "_optimizer_state", "_last_rate", "_kinds", "_scalings", "_unfitted",
)  # fmt: skip


class Before:
    """What to give back; the first step has it forgotten, and with it what the last optimizer remembered.

    Parameters
    ----------
    network : NeuralNetwork
        Which is about to be trained.
    interrupted : NeuralNetwork, optional
        The one whose training goes on in its place.
    """

    def __init__(self, network: NeuralNetwork, interrupted: NeuralNetwork | None = None) -> None:
        self._attributes: dict[str, Any] = dict(network.__dict__)
        states = [net._optimizer_state for net in (network, interrupted) if net is not None]
        self._steps = [(state, state.t) for state in states if state is not None]

    def forget_after_a_step(self, network: NeuralNetwork) -> None:
        """Forget all if the optimizer has made a step since."""
        state = network._optimizer_state
        if state is not None and state.t != next((t for known, t in self._steps if known is state), 0):
            self._attributes, self._steps = {}, []

    @contextmanager
    def given_back(self, network: NeuralNetwork) -> Iterator[None]:
        """After an error in the block, and no step, the network is as it was."""
        try:
            yield
        except BaseException:
            if self._attributes:
                self.forget_after_a_step(network)
            if before := self._attributes:
                if network._core is not before["_core"]:  # it has been another one since
                    network.__dict__ = before
                else:
                    if network._scalings is not before["_scalings"]:
                        scaling.assign_all(network, before["_kinds"], before["_scalings"])
                    # An optimizer's state kept for the new one may clip as that does: to be told again.
                    network.__dict__.update({name: before[name] for name in _SET}, _clips=None)
            raise
