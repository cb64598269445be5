"""Checkpoints of `fit`: a training that was interrupted goes on, and ends with the same bits."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foxnn._options import integer, real
from foxnn._warnings import warn_user
from foxnn.callbacks.progress_bar import ProgressBar
from foxnn.errors import FileFormatError

if TYPE_CHECKING:
    from foxnn.callbacks.base import Callback
    from foxnn.network import NeuralNetwork
    from foxnn.optimizers import Optimizer
    from foxnn.training.plan import Plan

#: Of the time, at most about this share goes into writing, however large the network.
_SHARE = 0.02
#: What there is to count in a training's state.
_COUNTS = ("epoch", "part", "before", "next", "steps", "first_step", "heard", "network_epoch", "epochs_in_history")
#: What comes of a state that no training has had.
_NONSENSE = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError)


class Interrupted:
    """What a checkpoint holds: the network as it was, and what `_Training.state` said.

    Attributes
    ----------
    network : NeuralNetwork
    state : dict
    arguments : dict
        What the training was begun with.
    is_complete : bool
        Whether the training had come to its end.
    """

    def __init__(self, path: Path, network: NeuralNetwork, file: dict[str, Any]) -> None:
        self.network, self._path = network, path
        try:
            self.state, self.arguments, self.is_complete = file["state"], file["arguments"], file["is_complete"]
            self.epochs = integer("epochs", self.arguments["epochs"], 1)
            _check_state(self.state, self.epochs, len(network.history.epochs))
            if type(self.is_complete) is not bool:
                raise TypeError(f"is_complete: {self.is_complete!r}")
        except _NONSENSE as error:
            raise self._refusal(error) from None
        self.epoch = int(self.state["epoch"])

    def check(self, network: NeuralNetwork) -> None:
        """Refuse to go on with a network of another kind."""
        from foxnn.io.native import described

        ours, theirs = described(network), described(self.network)
        for name in ("sizes", "norms", "layers", "dtype"):
            got, began = (
                [{key: config.get(key) for key in ("kind", "units", "norm")} for config in of[name]]
                if name == "layers" and name in of
                else of.get(name)
                for of in (ours, theirs)
            )
            if got != began:
                raise ValueError(f"resume: {name}: got {got!r}; the training in {self._path} began with {began!r}")
        try:
            self.network.loss = network.loss  # which may be a function: not in files
        except ValueError as error:
            raise ValueError(f"resume: the network in {self._path} does not take this loss: {error}") from None

    @staticmethod
    def as_begun(network: NeuralNetwork, optimizer: Optimizer) -> Optimizer:
        """A copy of an optimizer, as it was given if it is still as the network's last training has left it.

        Callbacks may have changed its rate in that training, which is the one to go on with.
        """
        twin = optimizer.copy()
        if network._last_rate is not None:
            known, given, left = network._last_rate
            if optimizer is known and optimizer.learning_rate is left:
                twin.learning_rate = given
        return twin

    @contextmanager
    def in_place_of(self, network: NeuralNetwork) -> Iterator[None]:
        """Turn `network` into the one that was interrupted; after an error in the block, back again."""
        before = dict(network.__dict__)
        try:
            network._become(self.network)
            network.epoch = self.state["network_epoch"]
            del network.history.epochs[self.state["epochs_in_history"] :]
            yield
        except BaseException as error:
            network.__dict__ = before  # at once: a signal may come between two steps
            if isinstance(error, _NONSENSE):
                raise self._refusal(error) from error
            raise

    def _refusal(self, error: BaseException) -> FileFormatError:
        return FileFormatError(f"{self._path}: the state of the training does not make sense: {error!r}")


def _check_state(state: dict[str, Any], epochs: int, epochs_known: int) -> None:
    """Refuse what `_Training.state` cannot have said; callbacks and schedules look at their own states."""
    for name in _COUNTS:
        integer(name, state[name], 0, 2**53)
    if state["epoch"] + state["is_begun"] > epochs or state["steps"] < state["first_step"]:
        raise ValueError(f"epoch {state['epoch']} and steps {state['first_step']} to {state['steps']}")
    if not state["epoch"] == state["epochs_in_history"] <= epochs_known:
        raise ValueError(f"epoch {state['epoch']} and a history of {epochs_known}")
    for name in ("is_begun", "stop"):
        if type(state[name]) is not bool:
            raise TypeError(f"{name}: {state[name]!r}")
    for name in ("rate", "seconds"):
        real(name, state[name], 0)
    _, _, _ = (float(value) for value in state["sums"])
    for name in ("callbacks", "schedules"):
        if not all(isinstance(inner, dict) for inner in state[name]):
            raise TypeError(f"{name}: {state[name]!r}")


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

    def find(self, network: NeuralNetwork, resume: bool) -> Interrupted | None:
        """The training in the file, if there is one to go on with, which this network could have had."""
        from foxnn._atomic import check_target
        from foxnn.io.native import training_from_file

        check_target(self.path)  # rather than after the training
        if not self.path.exists():
            return None
        kept_network, file = training_from_file(self.path)
        found = None if file is None else Interrupted(self.path, kept_network, file)
        if resume and found is None:
            raise ValueError(f"checkpoint: {self.path} holds a network, but no training that could go on")
        if not resume and found is not None and not found.is_complete:
            raise FileExistsError(
                f"checkpoint: {self.path} holds a training that was interrupted in epoch "
                f"{min(found.epoch + 1, found.epochs)} of {found.epochs}; resume=True goes on with it, and without the "
                "file training begins anew"
            )
        if not resume or found is None:
            return None
        found.check(network)
        return found

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
        from foxnn._atomic import replace_file

        started = time.perf_counter()
        try:
            replace_file(self.path, self._pieces(network, state, is_complete=False))
        except (OSError, MemoryError) as error:
            reason = error if isinstance(error, OSError) else "there is not enough memory"
            warn_user(f"cannot write the checkpoint {self.path}: {reason}", RuntimeWarning)
        now = time.perf_counter()
        self._due = now + max(self.every, (now - started) / _SHARE)

    def finish(self, network: NeuralNetwork, state: dict[str, Any]) -> None:
        """Write the trained network: if not here, then elsewhere, which the error says."""
        from foxnn._atomic import write_or_rescue

        write_or_rescue(self.path, self._pieces(network, state, is_complete=True))

    def _pieces(self, network: NeuralNetwork, state: dict[str, Any], *, is_complete: bool) -> list[bytes | memoryview]:
        from foxnn.io.native import to_pieces

        training = {"is_complete": is_complete, "arguments": self._arguments, "state": state}
        return to_pieces(network, optimizer=True, training=training)


def kept(callbacks: list[Callback]) -> list[Callback]:
    """The callbacks whose state a checkpoint has: a progress bar comes and goes."""
    return [callback for callback in callbacks if not isinstance(callback, ProgressBar)]


def _arguments(network: NeuralNetwork, plan: Plan) -> dict[str, Any]:
    """What must not change when a training goes on, as JSON can hold it."""
    from foxnn.io.native import described

    whole = described(network)
    for name in {"scale_inputs", "scale_outputs"} & whole.keys():
        whole[name] = whole[name]["kind"]  # which training turns into numbers
    changing = ("format", "foxnn", "seed", "epoch", "scale", "offset", "trained_on", "history", "settings_1_0",
                "metadata")  # fmt: skip
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
