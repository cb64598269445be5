"""FoxNN 1.0's `train`: a number of mini-batches, with tests, saves and forgetting in between."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foxnn import _core, optimizers
from foxnn._atomic import replace_file
from foxnn._options import integer, real
from foxnn.data.samples import SPLIT_SHUFFLE, shuffled
from foxnn.foxnn_1_0.data import train_data
from foxnn.foxnn_1_0.settings import Settings
from foxnn.training.before import Before
from foxnn.training.loop import CHUNK_SECONDS, check_unchanged, run_steps

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

_Positions = npt.NDArray[np.int64]

#: Rows that are put in order at a time.
_ROWS_AHEAD = 1 << 16


def check_fits(network: NeuralNetwork, data: object, name: str) -> None:
    """Refuse what is not data for that network."""
    if not isinstance(data, train_data):
        raise TypeError(f"{name}: got {type(data).__name__}; it takes foxnn.train_data")
    if data.size() == 0:
        raise ValueError(f"{name}: got no rows; it takes at least one")
    got, takes = (data.inputs.shape[1], data.outputs.shape[1]), (network._n_in, network._n_out)
    if got != takes:
        raise ValueError(
            f"{name}: got rows of {got[0]} inputs and {got[1]} outputs; this network takes {takes[0]} and {takes[1]}"
        )


def optimizer_of(settings: Settings, speed: float) -> optimizers.Optimizer:
    """The optimizer that the settings describe."""
    optimization = settings.settings_optimization
    adam = optimization.adam
    if optimization.mode == "Adam":
        return optimizers.Adam(speed, beta1=adam.betta_1, beta2=adam.betta_2, epsilon=adam.epsilon)
    if optimization.mode == "Nesterov":
        return optimizers.Nesterov(speed, momentum=optimization.nesterov.gamma)
    return optimizers.SGD(speed)


class MiniBatches:
    """Rows in the order of training: mini-batches of `size` out of passes over the rows, each shuffled anew.

    Parameters
    ----------
    network : NeuralNetwork
        Its seed and epoch are the address of a shuffle; its epoch counts the passes.
    rows : ndarray of shape (n,)
        The rows to train on.
    size : int
        At most n. If it is n there is nothing to shuffle: a sum over all rows does not depend on their order.
    """

    def __init__(self, network: NeuralNetwork, rows: _Positions, size: int) -> None:
        self._network, self._rows, self._size = network, rows, size
        self._ahead = rows[:0]
        self._passes = 0

    @property
    def most_steps(self) -> int:
        """How many steps to take at most before asking for more rows."""
        if any(self._network.dropout):  # the masks of a pass are addressed by its number
            return (len(self._ahead) or len(self._rows)) // self._size
        return max(_ROWS_AHEAD // self._size, 1)

    def take(self, steps: int) -> _Positions:
        """The rows of the next steps."""
        parts, n = [self._ahead], len(self._ahead)
        while n < steps * self._size:
            parts.append(self._next_pass())
            n += len(parts[-1])
        rows = np.concatenate(parts)
        self._ahead = rows[steps * self._size :]
        return rows[: steps * self._size]

    def _next_pass(self) -> _Positions:
        self.end()
        self._passes += 1
        n = len(self._rows)
        if self._size == n:
            return self._rows
        return self._rows[shuffled(self._network, n)[: n - n % self._size]]

    def end(self) -> None:
        """Close the pass, if one is open: the next one has another number."""
        if self._passes:
            self._network.epoch += 1


def held_out(network: NeuralNetwork, n: int) -> tuple[_Positions, _Positions]:
    """Rows to train on and rows to test on, each in the order of the data: always the same of n rows."""
    share = network.settings.part_for_test
    held = int(round(n * share, 6)) if network.settings.n_print else 0
    if held == 0:
        return np.arange(n), np.arange(0)
    if held == n:
        raise ValueError(
            f"settings.part_for_test: {share:g} of {n} rows leaves nothing to train on; it takes less with n_print > 0"
        )
    order = _core.shuffled_order(network.seed, SPLIT_SHUFFLE, n)
    return np.sort(order[held:]), np.sort(order[:held])


def _saver(network: NeuralNetwork) -> Any:
    """What to call to save the network automatically; refuses a network that the file cannot hold."""
    from foxnn.foxnn_1_0.text_files import check_text, to_pieces

    name = network.settings.auto_save_name_file
    if os.path.splitext(name)[1] == ".safetensors":
        return lambda: network.save(name)
    check_text(network)
    return lambda: replace_file(name, to_pieces(network))


def train(network: NeuralNetwork, data: train_data, speed: float, max_iteration: int, size_train_batch: int) -> None:
    """Train as `Interface10.train` says."""
    settings, core = network.settings, network._core
    check_fits(network, data, "data_for_train")
    optimizer = optimizer_of(settings, real("speed", speed, 0))
    iterations = integer("max_iteration", max_iteration, 0)
    size = integer("size_train_batch", size_train_batch, 0)
    rows, test_rows = held_out(network, data.size())
    size = min(size, len(rows)) or len(rows)
    network._check_batch("size_train_batch", size)
    names = ("data_for_train input", "data_for_train out", "")
    samples, _ = network._samples(data.inputs, data.outputs, None, names=names, trains=True)
    test = data.inputs[test_rows], data.outputs[test_rows]
    save = _saver(network) if settings.auto_save_iteration else None

    with network._exclusively(), ExitStack() as at_an_error:
        check_unchanged(network, core)
        before = Before(network)
        at_an_error.enter_context(before.given_back(network))
        network.optimizer = optimizer
        forget_after = settings.settings_optimization.adam.step_to_zero_after_n if optimizer.name == "adam" else 0
        batches = MiniBatches(network, rows, size)
        progress = Progress(iterations, settings.n_print)
        done = 0
        try:
            while done < iterations:
                state = network._get_optimizer_state()
                if forget_after and state.t >= forget_after:
                    state.reset()
                steps = min(iterations - done, batches.most_steps)
                for period, offset in (
                    (settings.n_print, done),
                    (settings.auto_save_iteration, done),
                    (forget_after, int(state.t)),
                ):
                    if period:
                        steps = min(steps, period - offset % period)
                order = batches.take(steps)
                run_steps(
                    network, samples, order, 0, len(order), size, seconds=CHUNK_SECONDS, sum_gradients=True,
                    on_progress=lambda position, *_, before=done: progress.show(before + position // size),
                )  # fmt: skip
                done += steps
                before.forget_after_a_step(network)
                if save is not None and done % settings.auto_save_iteration == 0:
                    save()
                if progress.at_print(done):
                    progress.finish(done)
                    if len(test_rows):
                        network._test(*test)
                    print(f"iteration = {done}\n", flush=True)
        finally:
            batches.end()


class Progress:
    """A line for every `n_print` iterations, in a terminal redrawn as they go by."""

    def __init__(self, iterations: int, n_print: int) -> None:
        self._iterations, self._n_print = iterations, n_print
        self._live = bool(n_print) and sys.stdout.isatty()
        self._started = time.perf_counter()

    def at_print(self, done: int) -> bool:
        """Whether to print after that many iterations."""
        return bool(self._n_print) and (done % self._n_print == 0 or done == self._iterations)

    def show(self, done: int) -> None:
        """Redraw the line."""
        if self._live:
            print("\r" + self._line(done), end="", flush=True)

    def finish(self, done: int) -> None:
        """End the line with the time that its iterations took."""
        now = time.perf_counter()
        print(("\r" if self._live else "") + f"{self._line(done)} train_time = {now - self._started:.3f}")
        self._started = now

    def _line(self, done: int) -> str:
        first = (done - 1) // self._n_print * self._n_print
        total = min(self._n_print, self._iterations - first)
        return f"train progressbar: {done - first:{len(str(total))}}/{total} ({100 * (done - first) // total:3}%)"
