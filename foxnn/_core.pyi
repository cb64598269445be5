"""The compiled core. Indices of layers count from 0; arrays of weights are (n_in, n_out), of biases (n_out,)."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[Any]
_Parameters = list[tuple[str, float, float, float, bool]]  # name, default, least, most, whether least is excluded

ACTIVATIONS: dict[str, dict[str, Any]]
LOSSES: dict[str, dict[str, Any]]
OPTIMIZERS: dict[str, dict[str, Any]]
INITIALIZERS: list[str]
LAYERS: list[str]  # kinds
SAMPLE_WEIGHTS: tuple[float, float]  # the least and the largest, besides 0

def activation_bounds(name: str, parameters: Sequence[float]) -> tuple[float, float]: ...
def config() -> dict[str, Any]: ...
def set_num_threads(n: int) -> None: ...
def wanted_threads() -> int: ...
def num_threads() -> int: ...
def shuffled_order(seed: int, epoch: int, n: int) -> npt.NDArray[np.int64]: ...
def uniform(seed: int, index: int, n: int) -> npt.NDArray[np.float64]: ...
def all_finite(matrix: _Array) -> bool: ...

class Hold:
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...

class Exclusive:
    def hold(self) -> Hold: ...  # for `with`; raises if someone has it

class Counter:
    value: int
    def __init__(self, value: int = 0) -> None: ...
    def next(self) -> int: ...

class Samples:
    def __init__(
        self,
        x: _Array,
        y: _Array | None,
        labels: npt.NDArray[np.int64] | None,
        weights: npt.NDArray[np.float64] | None,
        scale: float,
        offset: float,
        correct: str,
        numbers: npt.NDArray[np.int64] | None = None,
    ) -> None: ...
    def __len__(self) -> int: ...
    def fit_scaling(
        self, outputs: bool, kind: str, order: npt.NDArray[np.int64] | None, n_threads: int
    ) -> tuple[list[float], list[float]]: ...

class _Layer:  # of a network, which it keeps alive; ValueError for changes if it is no longer in it
    kind: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    parameters: dict[str, tuple[int, ...]]  # what it learns: shapes by name
    statistics: dict[str, tuple[int, ...]]  # what it keeps for prediction besides
    penalised: list[str]  # which parameters l1 and l2 penalise
    trainable: bool
    def set(self, setting: str, value: tuple[str, list[float]]) -> None: ...  # those of its kind
    def initialize(self, init: str, seed: int, stream: int, n_threads: int) -> None: ...

class _Network:
    trained_on: str  # "uint8", "numbers beyond 1" or "": see foxnn.data.reading
    def __init__(self) -> None: ...
    def copy(self, folded: bool = False) -> _Network: ...
    # How many layers that follow have inputs of another shape then, and start anew. So does erase.
    def insert(
        self, layer: int, kind: str, input_shape: Sequence[int], settings: Mapping[str, tuple[str, list[float]]]
    ) -> int: ...
    def erase(self, layer: int) -> int: ...
    def layer(self, layer: int) -> _Layer: ...  # IndexError if there is none
    # Copies of arrays, all of one moment: of the layer's (by number and name), or, if the last number is not negative,
    # of what an optimizer remembers of it under that number; and how many steps it has made.
    def read(
        self, places: Sequence[tuple[int, str, int]], optimizer: _Optimizer | None = None
    ) -> tuple[list[_Array], float]: ...
    def write(self, arrays: Sequence[tuple[int, str, _Array]]) -> None: ...  # all at once
    def set_scalings(self, input_shift: Any, input_spread: Any, output_shift: Any, output_spread: Any) -> None: ...
    def set_input_noise(self, deviation: float, dropout: float) -> None: ...
    def predict(self, x: _Array, scale: float, offset: float, n_threads: int) -> _Array: ...
    def predict_plain(self, x: Any, n_threads: int) -> _Array | None: ...
    def evaluate(
        self, samples: Samples, loss: str, parameters: Sequence[float], n_threads: int
    ) -> tuple[float, float, float]: ...

class NetworkF32(_Network): ...
class NetworkF64(_Network): ...

class _Optimizer:
    t: float
    hyper: list[float]
    clip_value: float
    clip_norm: float
    def __init__(self, network: _Network, name: str, hyper: Sequence[float]) -> None: ...
    def reset(self) -> None: ...
    # A copy of the network and of this, as they are between two steps.
    def copy_with(self, network: _Network) -> tuple[_Network, _Optimizer]: ...
    # Of the weights, the bias and, with a normalisation, gamma and beta.
    def get(self, network: _Network, layer: int, state: int) -> tuple[_Array, ...]: ...
    def set(self, network: _Network, layer: int, state: int, *arrays: _Array) -> None: ...

class OptimizerF32(_Optimizer): ...
class OptimizerF64(_Optimizer): ...

class Progress:
    def __init__(
        self, next: int = 0, steps: int = 0, loss: float = 0.0, weight: float = 0.0, correct: float = 0.0
    ) -> None: ...
    def advance(self, next: int, loss: float, weight: float, correct: float) -> None: ...  # by a step
    def begin_part(self) -> None: ...  # back to position 0
    def begin_epoch(self) -> None: ...  # and nothing summed
    @property
    def next(self) -> int: ...  # position in the order
    @property
    def steps(self) -> int: ...  # of all runs
    @property
    def sums(self) -> tuple[float, float, float]: ...  # loss, weight and correct answers

class _Trainer:
    def __init__(self, network: _Network, loss: str, parameters: Sequence[float]) -> None: ...
    def trains(self, network: _Network) -> bool: ...
    def run(
        self,
        samples: Samples,
        order: npt.NDArray[np.int64] | None,
        progress: Progress,
        end: int,
        optimizer: _Optimizer,
        batch_size: int,
        learning_rate: float | npt.NDArray[np.float64],  # of all steps, or of each
        l1: float,
        l2: float,
        sum: bool,
        seconds: float,
        n_threads: int,
        seed: int,
        epoch: int,
    ) -> str: ...
    # One step on plain arrays as one batch, targets within [least, most]: outcome, loss and weight. None if they are
    # not plain, or there may be something to complain of.
    def plain_step(
        self,
        network: _Network,
        x: Any,
        y: Any,
        weights: Any,
        least: float,
        most: float,
        optimizer: _Optimizer,
        learning_rate: float,
        l1: float,
        l2: float,
        n_threads: int,
        seed: int,
        epoch: int,
    ) -> tuple[str, float, float] | None: ...
    # Gradients of the parameters as a list, of the inputs as an array, or a pair of both.
    def gradients(
        self,
        network: _Network,
        samples: Samples,
        l1: float,
        l2: float,
        sum: bool,
        n_threads: int,
        parameters: bool = True,
        inputs: bool = False,
    ) -> tuple[float, float, Any]: ...
    def forward_batch(
        self,
        network: _Network,
        samples: Samples,
        order: npt.NDArray[np.int64] | None,
        begin: int,
        end: int,
        purpose: Literal["training", "gradients", "prediction"],
        n_threads: int,
        seed: int,
        epoch: int,
    ) -> _Array: ...
    def keeps(self, rows: int) -> bool: ...
    def layer_output(self, network: _Network, layer: int, rows: int) -> _Array | None: ...
    # These two: None if no forward_batch() of so many rows is kept.
    def backward_batch(self, network: _Network, d: _Array, parameters: bool, inputs: bool, n_threads: int) -> Any: ...
    def update_batch(
        self,
        network: _Network,
        d: _Array,
        weighted: bool,
        optimizer: _Optimizer,
        learning_rate: float,
        l1: float,
        l2: float,
        n_threads: int,
    ) -> str | None: ...
    def apply(
        self,
        network: _Network,
        gradients: Sequence[tuple[_Array, ...]],
        optimizer: _Optimizer,
        learning_rate: float,
        n_threads: int,
    ) -> str: ...

class TrainerF32(_Trainer): ...
class TrainerF64(_Trainer): ...
