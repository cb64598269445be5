"""Some 300 small trainings and the checksums of what comes of them, in golden/trainings.txt.

They hold still what must not move while the code around it does: every activation, loss, optimizer, initializer,
regulariser, normalisation, kind of data and number type, in many widths, depths and batch sizes. A change that is meant
to change results writes the file anew, with AVX2's bits, and says so in CHANGELOG.md::

    FOXNN_ISA=avx2 python tests/golden_trainings.py > tests/golden/trainings.txt

Data are made of integers, so that they are the same with every version of NumPy, and starts are drawn from uniform
distributions unless another is named, so that they are the same with every C library.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

import foxnn

PATH = Path(__file__).parent / "golden" / "trainings.txt"

DTYPES = ("float32", "float64")
#: The output and the loss that go together, for each loss.
HEADS = {
    "half_squared_error": "linear",
    "mean_squared_error": "tanh",
    "mean_absolute_error": "arctan",
    "huber": "linear",
    "binary_cross_entropy": "sigmoid",
    "cross_entropy": "softmax",
    "poisson": "exp",
}
_N = 90

Training = Callable[[], foxnn.NeuralNetwork]


def numbers(n: int, columns: int, seed: int = 0) -> np.ndarray:
    """An (n, columns) array of multiples of 1/1024 in [-1, 1), in no visible order (Knuth's multiplicative hashing)."""
    index = np.arange(n * columns, dtype=np.uint64) + np.uint64(1 + 1_000_003 * seed)
    mixed = (index * np.uint64(2654435761)) & np.uint64(0xFFFFFFFF)
    mixed = ((mixed ^ (mixed >> np.uint64(15))) * np.uint64(2246822519)) & np.uint64(0xFFFFFFFF)
    return ((mixed >> np.uint64(21)).astype(np.float64) / 1024 - 1).reshape(n, columns)


def labels(n: int, classes: int) -> np.ndarray:
    return (((numbers(n, 1, 7)[:, 0] + 1) * 512).astype(np.int64) * classes) // 1024


def targets(loss: str, n: int, n_out: int) -> np.ndarray:
    if loss == "cross_entropy":
        return labels(n, n_out)
    values = numbers(n, n_out, 3)
    if loss == "binary_cross_entropy":
        return (values > 0).astype(np.float64)
    return values + 1 if loss == "poisson" else values / 2


def _trained(
    sizes: list[Any],
    *,
    activation: Any = "tanh",
    loss: str = "cross_entropy",
    parameters: dict[str, float] | None = None,
    output: str | None = None,
    optimizer: str = "adam",
    rate: float = 1 / 64,
    hyper: dict[str, Any] | None = None,
    n: int = _N,
    batch_size: int = 32,
    epochs: int = 3,
    inputs: Callable[[np.ndarray], Any] = lambda x: x,
    prepare: Callable[[foxnn.NeuralNetwork], Any] = lambda nn: None,
    fit: dict[str, Any] | None = None,
    **options: Any,
) -> foxnn.NeuralNetwork:
    n_in, n_out = sizes[0], sizes[-1]
    nn = foxnn.neural_network(
        sizes,
        activation=activation,
        output=output or HEADS[loss],
        loss=foxnn.Loss(loss, **(parameters or {})),
        **{"init": "glorot_uniform", "seed": 11, "dtype": "float32"} | options,
    )
    prepare(nn)
    nn.fit(
        inputs(numbers(n, n_in)),
        targets(loss, n, n_out),
        epochs=epochs,
        batch_size=batch_size,
        optimizer=foxnn.optimizers.get(optimizer, rate, **(hyper or {})),
        verbose=False,
        **(fit or {}),
    )
    return nn


def _own_loop(optimizer: str, dtype: str) -> foxnn.NeuralNetwork:
    """The halves of a step, single steps, and gradients that are handed back."""
    nn = foxnn.neural_network(
        [9, 17, foxnn.BatchNorm(), 5, 3], "silu", "linear", init="glorot_uniform", dtype=dtype, seed=5
    )
    nn.optimizer = foxnn.optimizers.get(optimizer, 1 / 64)
    x, y = numbers(_N, 9), numbers(_N, 3, 3)
    for first in range(0, _N, 30):
        rows = slice(first, first + 30)
        nn.train_on_batch(x[rows], y[rows])
        out = nn.forward(x[rows], training=True)
        gradients = nn.backward(out - y[rows])
        nn.apply_gradients(gradients)
        _, gradients = nn.loss_and_gradients(x[rows], y[rows])
        nn.apply_gradients(gradients)
    return nn


def _tiny_numbers(optimizer: str, dtype: str) -> foxnn.NeuralNetwork:
    """Gradients and weights of a layer whose products are no normal numbers, and a penalty on weights of no input."""
    nn = foxnn.neural_network([12, 20, 4], "relu", "linear", l2=1 / 64, dtype=dtype, init="glorot_uniform", seed=5)
    nn.optimizer = foxnn.optimizers.get(optimizer, 1 / 64)
    if "epsilon" in nn.optimizer.hyper:
        nn.optimizer = foxnn.optimizers.get(nn.optimizer, epsilon=1e-30)
    tiny = 2.0**-90 if dtype == "float32" else 2.0**-900
    nn.layers[0].weights = nn.layers[0].weights * tiny
    x = numbers(_N, 12) * tiny * (np.arange(12) % 3 > 0)
    for _ in range(100):
        nn.train_on_batch(x, numbers(_N, 4, 3))
    return nn


def _foxnn_1_0(mode: str) -> foxnn.NeuralNetwork:
    """FoxNN 1.0's interface, whose gradients are sums over the batch."""
    data = foxnn.train_data()
    data.add_data(numbers(60, 4).tolist(), ((numbers(60, 2, 3) + 1) / 2).tolist())
    nn = foxnn.neural_network([4, 10, 2], init="glorot_uniform", seed=3)
    nn.settings.set_mode(mode)
    nn.train(data, 1 / 64, 40, 7)
    return nn


def _gradients_of_many(dtype: str) -> foxnn.NeuralNetwork:
    """A step on gradients of more rows than go through at once, and weights made of those of the inputs."""
    n = 2500
    nn = foxnn.neural_network(
        [9, 17, foxnn.LayerNorm(), 5, 3], "silu", "linear", init="glorot_uniform", l2=1 / 64, dtype=dtype, seed=5
    )
    _, gradients = nn.loss_and_gradients(numbers(n, 9), numbers(n, 3, 3))
    nn.apply_gradients(gradients)
    d_inputs = nn.input_gradients(numbers(n, 9), numbers(n, 3, 3))
    nn.layers[0].weights = nn.layers[0].weights + d_inputs[-17:].T
    return nn


def _frozen(nn: foxnn.NeuralNetwork) -> None:
    nn.layers[1].trainable = False


def trainings() -> Iterator[tuple[str, Training]]:
    """Names, and what makes the network of that name."""

    def add(name: str, *arguments: Any, **options: Any) -> tuple[str, Training]:
        return name, lambda: _trained(*arguments, **options)

    hidden = [name for name in foxnn.activations.names() if name not in ("softmax", "threshold")]
    for name, dtype in product(hidden, DTYPES):
        yield add(f"activation {name} {dtype}", [10, 19, 12, 3], activation=name, dtype=dtype)
    for dtype in DTYPES:
        for a in (
            foxnn.Activation("leaky_relu", negative_slope=0.25),
            foxnn.Activation("elu", alpha=0.5),
        ):
            yield add(f"activation {a} {dtype}", [10, 19, 12, 3], activation=a, dtype=dtype)

    outputs = ("sigmoid", "tanh", "relu", "softplus", "softsign", "hard_sigmoid", "gaussian", "sin", "softmax")
    for name, dtype in product(outputs, DTYPES):
        yield add(f"output {name} {dtype}", [6, 11, 4], output=name, loss="mean_squared_error", dtype=dtype)

    for loss, n_out, dtype in product(HEADS, (3, 18), DTYPES):
        yield add(f"loss {loss} {n_out} {dtype}", [7, 16, n_out], loss=loss, dtype=dtype)
    for (loss, name, value), dtype in product(
        (
            ("huber", "delta", 0.25),
            ("binary_cross_entropy", "label_smoothing", 0.125),
            ("cross_entropy", "label_smoothing", 0.125),
        ),
        DTYPES,
    ):
        yield add(f"loss {loss} {name}={value} {dtype}", [7, 16, 5], loss=loss, parameters={name: value}, dtype=dtype)

    ways = {
        "plain": {},
        "clip_value": {"clip_value": 1 / 256},
        "clip_norm": {"clip_norm": 1 / 16},
    }
    for name, (way, hyper), dtype in product(foxnn.optimizers.names(), ways.items(), DTYPES):
        yield add(f"optimizer {name} {way} {dtype}", [12, 33, 10, 4], optimizer=name, hyper=hyper, dtype=dtype)
    for name, hyper in (
        ("momentum", {"momentum": 0.5}),
        ("nesterov", {"momentum": 0.5}),
        ("adagrad", {"epsilon": 1 / 1024}),
        ("rmsprop", {"rho": 0.5, "epsilon": 1 / 1024}),
        ("adam", {"beta1": 0.5, "beta2": 0.75, "epsilon": 1 / 1024}),
        ("adamw", {"beta1": 0.0, "beta2": 0.75, "weight_decay": 0.25}),
    ):
        yield add(f"optimizer {name} {hyper}", [12, 33, 10, 4], optimizer=name, hyper=hyper)

    for name, dtype in product(foxnn._core.INITIALIZERS, DTYPES):
        yield add(f"init {name} {dtype}", [13, 21, 9, 4], init=name, dtype=dtype, epochs=1)

    regularisers: dict[str, dict[str, Any]] = {
        "dropout": {"dropout": 0.25},
        "input_dropout": {"input_dropout": 0.25},
        "input_noise": {"input_noise": 0.125},
        "l1": {"l1": 1 / 1024},
        "l2": {"l2": 1 / 256},
        "max_norm": {"max_norm": 0.5},
        "all": {"dropout": 0.25, "input_dropout": 0.125, "input_noise": 0.125, "l1": 1e-4, "l2": 1e-3, "max_norm": 1},
    }
    for (name, options), optimizer, dtype in product(regularisers.items(), ("sgd", "momentum", "adam"), DTYPES):
        yield add(f"{name} {optimizer} {dtype}", [14, 35, 20, 4], optimizer=optimizer, dtype=dtype, **options)

    norms = {"batch": foxnn.BatchNorm(), "layer": foxnn.LayerNorm()}
    for (name, norm), activation, optimizer, dtype in product(
        norms.items(), ("relu", "gelu", "sigmoid"), ("sgd", "adam"), DTYPES
    ):
        sizes = [11, 30, norm, 17, norm, 4]
        yield add(
            f"norm {name} {activation} {optimizer} {dtype}",
            sizes,
            activation=activation,
            optimizer=optimizer,
            dtype=dtype,
        )
    mixed = [11, 30, foxnn.BatchNorm(momentum=0.5, epsilon=1e-3), 17, foxnn.LayerNorm(epsilon=1e-3), 4]
    yield add("norm mixed dropout clip", mixed, dropout=0.25, hyper={"clip_norm": 0.125}, l2=1e-3)

    for width in (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 48, 64, 65, 100, 130, 257):
        for dtype in DTYPES:
            yield add(f"width {width} {dtype}", [width, width, 5, width, 3], activation="relu", dtype=dtype, epochs=2)
    for batch_size in (1, 2, 3, 7, 14, 15, 28, 64, 97, 129, 200, 300):
        yield add(f"batch {batch_size}", [9, 40, 3], activation="relu", n=300, batch_size=batch_size, epochs=1)
    for depth in (1, 5, 12):
        yield add(f"depth {depth}", [9, *[18] * depth, 3], activation="elu")
    yield add("no hidden layer", [30, 10])
    for batch_size, dtype in product((130, 400), DTYPES):  # layers whose inputs are cut into tiles
        sizes = [70, 300, 260, 3]
        yield add(f"wide {batch_size} {dtype}", sizes, activation="relu", n=400, batch_size=batch_size, dtype=dtype)
    yield add("one batch of 1500", [20, 24, 3], n=1500, batch_size=1500)

    reading: dict[str, Callable[[np.ndarray], Any]] = {
        "float32": lambda x: x.astype(np.float32),
        "uint8": lambda x: ((x + 1) * 127).astype(np.uint8),
        "int16": lambda x: (x * 100).astype(np.int16),
        "columns backwards": lambda x: x[:, ::-1],
        "Fortran order": np.asfortranarray,
    }
    for (name, inputs), dtype in product(reading.items(), DTYPES):
        yield add(f"data {name} {dtype}", [16, 24, 3], inputs=inputs, dtype=dtype)
    for dtype in DTYPES:
        weights = (numbers(_N, 1, 9)[:, 0] + 1) * 2
        yield add(f"sample_weight {dtype}", [8, 24, 3], fit={"sample_weight": weights}, dtype=dtype)
        yield add(f"class_weight {dtype}", [8, 24, 3], fit={"class_weight": {0: 1, 1: 2, 2: 0.5}}, dtype=dtype)
        yield add(f"no shuffle {dtype}", [8, 24, 3], fit={"shuffle": False}, dtype=dtype)
        yield add(f"validation_split {dtype}", [8, 24, 3], fit={"validation_split": 0.25}, dtype=dtype)
        yield add(f"scale, offset {dtype}", [8, 24, 3], fit={"scale": 0.5, "offset": 0.25}, dtype=dtype)
        yield add(f"frozen {dtype}", [8, 24, 12, 3], prepare=_frozen, dtype=dtype)
        for kind in ("standard", "minmax"):
            scaled = {"scale_inputs": kind, "scale_outputs": kind}
            yield add(f"scaled {kind} {dtype}", [8, 24, 3], loss="half_squared_error", dtype=dtype, **scaled)

    # Batches of more rows than go through the network at once.
    for name, options in {
        "plain": {},
        "three parts": {"n": 3100, "batch_size": 3000},
        "wide": {"sizes": [20, 300, 3]},
        "dropout, noise": {"dropout": 0.25, "input_noise": 0.125, "input_dropout": 0.125},
        "penalties, max_norm": {"l1": 1 / 512, "l2": 1 / 64, "max_norm": 0.75},
        "clip_norm": {"hyper": {"clip_norm": 0.125}, "l2": 1 / 64},
        "clip_value": {"hyper": {"clip_value": 1 / 64}},
        "weights": {"fit": {"sample_weight": 1 + (np.arange(2500) % 5) / 4}},
        "batch_norm": {"sizes": [8, 24, foxnn.BatchNorm(), 3]},
        "layer_norm": {"sizes": [8, 24, foxnn.LayerNorm(), 3]},
        "frozen": {"sizes": [8, 24, 12, 3], "prepare": _frozen},
    }.items():
        sizes = options.pop("sizes", [8, 24, 3])
        for dtype in DTYPES:
            yield add(f"large batches, {name} {dtype}", sizes, dtype=dtype, **{"n": 2500, "batch_size": 1800} | options)
    for dtype in DTYPES:
        yield f"gradients of many rows {dtype}", lambda d=dtype: _gradients_of_many(d)

    schedules = foxnn.schedules
    for name, schedule in {
        "Step": schedules.Step(1 / 32, 0.5, epochs=1),
        "Exponential": schedules.Exponential(1 / 32, 0.5, epochs=1),
        "LinearWarmup": schedules.LinearWarmup(1 / 32, epochs=1),
        "Function": schedules.Function(lambda epoch: 1 / (32 + epoch)),
    }.items():
        yield add(f"schedule {name}", [8, 24, 3], fit={"learning_rate": schedule})

    for optimizer, dtype in product(("sgd", "momentum", "adam"), DTYPES):
        yield f"own loop {optimizer} {dtype}", lambda o=optimizer, d=dtype: _own_loop(o, d)
    for optimizer, dtype in product(foxnn.optimizers.names(), DTYPES):
        yield f"tiny numbers {optimizer} {dtype}", lambda o=optimizer, d=dtype: _tiny_numbers(o, d)
    for mode in ("Adam", "Nesterov", "SGD"):
        yield f"FoxNN 1.0 {mode}", lambda m=mode: _foxnn_1_0(m)


def checksum(nn: foxnn.NeuralNetwork) -> str:
    """Changes with any bit of any parameter, of what the network predicts, and of the losses on the way."""
    parts = [array.tobytes() for array in nn.get_weights()]
    parts.append(nn.predict(numbers(50, nn.sizes[0], 5)).tobytes())
    parts += [repr([float(value) for value in nn.history[name]]).encode() for name in nn.history if name != "seconds"]
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def recorded() -> dict[str, str]:
    """The checksums in the file, by name."""
    lines = PATH.read_text(encoding="utf-8").splitlines()
    return {name: value for value, name in (line.split(" ", 1) for line in lines)}


if __name__ == "__main__":
    for name, train in trainings():
        print(checksum(train()), name)
