"""Checkpoints of `fit`: a training that was interrupted goes on, and ends with the same bits."""

from __future__ import annotations

import json
import os
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foxnn._options import integer, real
from foxnn.callbacks.progress_bar import ProgressBar
from foxnn.errors import FileFormatError

if TYPE_CHECKING:
    from foxnn.callbacks.base import Callback
    from foxnn.network import NeuralNetwork
    from foxnn.plan import Plan

#: Of the time, at most about this share goes into writing, however large the network.
_SHARE = 0.02
#: What there is to count in a training's state.
_COUNTS = ("part", "before", "next", "steps", "first_step", "heard", "network_epoch", "epochs_in_history")


class Interrupted:
    """What a checkpoint holds: the network as it was, and what `_Training.state` said.

    Attributes
    ----------
    network : NeuralNetwork
    state : dict
    is_complete : bool
        Whether the training had come to its end.
    """

    def __init__(self, network: NeuralNetwork, file: dict[str, Any]) -> None:
        self.network = network
        try:
            self.state, self.arguments, self.is_complete = file["state"], file["arguments"], bool(file["is_complete"])
            self.epoch = integer("epoch", self.state["epoch"], 0)
            self.epochs = integer("epochs", self.arguments["epochs"], 1)
            for name in _COUNTS:
                integer(name, self.state[name], 0)
            _, _, _ = (float(value) for value in self.state["sums"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FileFormatError(f"the state of the training does not make sense: {error!r}") from None

    def take_place_of(self, network: NeuralNetwork) -> None:
        """Turn `network` into the one that was interrupted."""
        network._become(self.network)
        network.epoch = self.state["network_epoch"]
        del network.history.epochs[self.state["epochs_in_history"] :]


class Checkpoint:
    """The file in which `fit` keeps its training.

    Parameters
    ----------
    path : str or path-like
        Ending in ``.safetensors``. `foxnn.load` reads it too: as the network that it holds.
    every : float, default 10
        Seconds from one writing to the next. Large networks are written less often, so that training takes at least
        98 % of the time.
    """

    def __init__(self, path: str | os.PathLike[str], every: float = 10.0) -> None:
        if not isinstance(path, (str, os.PathLike)) or not str(path).endswith(".safetensors"):
            raise ValueError(f"checkpoint: got {path!r}; it takes the name of a file that ends in .safetensors")
        self.path = Path(path)
        self.every = real("checkpoint_every", every, 0)
        self._arguments: dict[str, Any] = {}
        self._due = time.perf_counter() + self.every

    def find(self, resume: bool) -> Interrupted | None:
        """The training in the file, if there is one to go on with."""
        from foxnn.io.native import training_from_file

        if not self.path.exists():
            return None
        try:
            network, file = training_from_file(self.path)
            found = None if file is None else Interrupted(network, file)
        except FileFormatError as error:
            raise FileFormatError(f"{self.path}: {error}") from None
        if resume and found is None:
            raise ValueError(f"checkpoint: {self.path} holds a network, but no training that could go on")
        if not resume and found is not None and not found.is_complete:
            raise FileExistsError(
                f"checkpoint: {self.path} holds a training that was interrupted in epoch {found.epoch + 1} of "
                f"{found.epochs}; resume=True goes on with it, and without the file training begins anew"
            )
        return found if resume else None

    def compare(self, network: NeuralNetwork, plan: Plan, found: Interrupted | None) -> None:
        """Refuse to go on with other arguments than the training began with; to begin with, keep them in mind."""
        self._arguments = json.loads(json.dumps(_arguments(network, plan)))  # with lists for tuples, as in the file
        if found is None:
            return
        if network._is_seeded and network.seed != found.network.seed:
            raise ValueError(f"resume: seed: got {network.seed}; the training in {self.path} has {found.network.seed}")
        for name in {**self._arguments, **found.arguments}:
            got, began = self._arguments.get(name), found.arguments.get(name)
            if got == began:
                continue
            if name.endswith(" data"):
                raise ValueError(f"resume: the {name} are not those that the training in {self.path} began with")
            raise ValueError(f"resume: {name}: got {got!r}; the training in {self.path} began with {began!r}")
        self._arguments = found.arguments

    @property
    def is_due(self) -> bool:
        """Whether it is time to write."""
        return time.perf_counter() >= self._due

    def write(self, network: NeuralNetwork, state: dict[str, Any]) -> None:
        """Write the file; that this fails is a warning, since it must not end the training."""
        started = time.perf_counter()
        try:
            self._save(network, state, is_complete=False)
        except OSError as error:
            warnings.warn(f"cannot write the checkpoint {self.path}: {error}", RuntimeWarning, stacklevel=2)
        now = time.perf_counter()
        self._due = now + max(self.every, (now - started) / _SHARE)

    def finish(self, network: NeuralNetwork, state: dict[str, Any]) -> None:
        """Write the trained network."""
        self._save(network, state, is_complete=True)

    def _save(self, network: NeuralNetwork, state: dict[str, Any], *, is_complete: bool) -> None:
        from foxnn._atomic import replace_file
        from foxnn.io.native import to_pieces

        training = {"is_complete": is_complete, "arguments": self._arguments, "state": state}
        replace_file(self.path, to_pieces(network, optimizer=True, training=training))


def kept(callbacks: list[Callback]) -> list[Callback]:
    """The callbacks whose state a checkpoint has: a progress bar comes and goes."""
    return [callback for callback in callbacks if not isinstance(callback, ProgressBar)]


def _arguments(network: NeuralNetwork, plan: Plan) -> dict[str, Any]:
    """What must not change when a training goes on, as JSON can hold it."""
    from foxnn.io.native import described

    whole = described(network)
    for name in {"scale_inputs", "scale_outputs"} & whole.keys():
        whole[name] = whole[name]["kind"]  # which training turns into numbers
    changing = ("format", "foxnn", "seed", "epoch", "scale", "offset", "history", "settings_1_0", "metadata")
    return {
        **{name: value for name, value in whole.items() if name not in changing},
        "epochs": plan.epochs,
        "optimizer": plan.optimizer.config | {"learning_rate": described_rate(plan.optimizer.learning_rate, "code")},
        "callbacks": [type(callback).__name__ for callback in kept(plan.callbacks)],
        "metrics": [metric.name for metric in plan.metrics],
        "scale": plan.scale,
        "offset": plan.offset,
        **plan.data.described(),
        "validation data": None if plan.validation is None else plan.validation.digest(),
    }


def described_rate(learning_rate: Any, of_code: Any) -> Any:
    """A learning rate as JSON can hold it: a number, what it takes to make a schedule again, or for code `of_code`."""
    if isinstance(learning_rate, float):
        return learning_rate
    from foxnn import schedules

    return schedules.description(learning_rate, of_code)
