"""Promise: training follows a plain reference step by step. Fifty steps of every optimizer are those of its
paper's formula and those of PyTorch; what an optimizer remembers is kept, or dropped, as documented."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy_reference import Network, Optimizer, one_hot

import foxnn
from foxnn import optimizers

SIZES, N, BATCH, STEPS = [5, 8, 6, 3], 23, 7, 50  # 7 + 7 + 7 + 2 samples an epoch

CASES = [
    optimizers.SGD(0.3),
    optimizers.Momentum(0.05),
    optimizers.Momentum(0.05, momentum=0.5),
    optimizers.Nesterov(0.05),
    optimizers.Nesterov(0.05, momentum=0.5),
    optimizers.Adagrad(0.05),
    optimizers.Adagrad(0.05, epsilon=0.01),
    optimizers.RMSprop(0.01),
    optimizers.RMSprop(0.01, rho=0.6, epsilon=0.01),
    optimizers.Adam(0.02),
    optimizers.Adam(0.02, beta1=0.5, beta2=0.9, epsilon=0.01),
    optimizers.AdamW(0.02),
    optimizers.AdamW(0.02, beta1=0.5, beta2=0.9, epsilon=0.01, weight_decay=0.3),
]
all_optimizers = pytest.mark.parametrize("optimizer", CASES, ids=repr)

_random = np.random.default_rng(0)
X, LABELS = _random.normal(size=(N, SIZES[0])), _random.integers(SIZES[-1], size=N)


def network(dtype: str = "float64") -> foxnn.NeuralNetwork:
    nn = foxnn.neural_network(SIZES, activation="tanh", output="softmax", dtype=dtype, seed=3)
    for layer in nn.layers:
        layer.bias = np.linspace(-0.5, 0.5, layer.n_out)
    return nn


def batches(steps: int, start: int = 0) -> list[Any]:
    """The parts of X that a number of steps go through, in order, epoch after epoch."""
    parts = [slice(i, i + BATCH) for i in range(0, N, BATCH)]
    return list(itertools.islice(itertools.cycle(parts), start, start + steps))


def train(nn: foxnn.NeuralNetwork, optimizer: optimizers.Optimizer, steps: int, start: int = 0) -> None:
    nn.optimizer = optimizer
    for part in batches(steps, start):
        nn.train_on_batch(X[part], LABELS[part])


def train_reference(reference: Network, optimizer: Optimizer, steps: int, start: int = 0) -> None:
    for part in batches(steps, start):
        ones = np.ones(len(X[part]))
        gradients = reference.gradients(X[part], one_hot(LABELS[part], SIZES[-1]), ones)
        optimizer.step(reference.parameters, gradients)


def reference_optimizer(optimizer: optimizers.Optimizer) -> Optimizer:
    return Optimizer(optimizer.name, optimizer.learning_rate, **optimizer.hyper)


def distance(nn: foxnn.NeuralNetwork, other: Any) -> float:
    """Largest difference of any weight or bias."""
    theirs = zip(other.W, other.b, strict=True) if isinstance(other, Network) else [
        (layer.weights, layer.bias) for layer in other.layers
    ]  # fmt: skip
    return max(
        max(np.abs(layer.weights - W).max(), np.abs(layer.bias - b).max())
        for layer, (W, b) in zip(nn.layers, theirs, strict=True)
    )


def test_every_optimizer_is_tested() -> None:
    assert {case.name for case in CASES} == set(optimizers.names())


@all_optimizers
def test_fifty_steps_of_train_on_batch(optimizer: optimizers.Optimizer) -> None:
    nn, start = network(), network()
    reference = Network(nn)
    train(nn, optimizer, STEPS)
    train_reference(reference, reference_optimizer(optimizer), STEPS)
    assert distance(nn, reference) < 1e-12
    assert distance(nn, start) > 0.02


@all_optimizers
def test_fifty_steps_of_fit(optimizer: optimizers.Optimizer) -> None:
    nn = network()
    reference = Network(nn)
    epochs = 13
    assert epochs * len(range(0, N, BATCH)) >= STEPS
    nn.fit(X, LABELS, epochs=epochs, batch_size=BATCH, optimizer=optimizer, shuffle=False)
    train_reference(reference, reference_optimizer(optimizer), epochs * len(range(0, N, BATCH)))
    assert distance(nn, reference) < 1e-12


@all_optimizers
def test_float32_follows_float64(optimizer: optimizers.Optimizer) -> None:
    small, exact = network("float32"), network()
    for to, source in zip(exact.layers, small.layers, strict=True):
        to.weights, to.bias = source.weights, source.bias
    train(small, optimizer, STEPS)
    train(exact, optimizer, STEPS)
    assert distance(small, exact) < 1e-4


@pytest.fixture
def torch() -> Iterator[Any]:
    """PyTorch on one thread, which is the fastest for so small a network."""
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield torch
    torch.set_num_threads(threads)


@all_optimizers
def test_fifty_steps_of_pytorch(optimizer: optimizers.Optimizer, torch: Any) -> None:
    nn = network()
    modules: list[Any] = []
    for layer in nn.layers:
        linear = torch.nn.Linear(layer.n_in, layer.n_out, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(layer.weights.T))
            linear.bias.copy_(torch.from_numpy(layer.bias))
        modules += [linear, torch.nn.Tanh()]
    model = torch.nn.Sequential(*modules[:-1])
    hyper = optimizer.hyper
    betas = (hyper.get("beta1"), hyper.get("beta2"))
    kind, options = {
        "sgd": (torch.optim.SGD, {}),
        "momentum": (torch.optim.SGD, {"momentum": hyper.get("momentum")}),
        "nesterov": (torch.optim.SGD, {"momentum": hyper.get("momentum"), "nesterov": True}),
        "adagrad": (torch.optim.Adagrad, {"eps": hyper.get("epsilon")}),
        "rmsprop": (torch.optim.RMSprop, {"alpha": hyper.get("rho"), "eps": hyper.get("epsilon")}),
        "adam": (torch.optim.Adam, {"betas": betas, "eps": hyper.get("epsilon")}),
        "adamw": (
            torch.optim.AdamW,
            {"betas": betas, "eps": hyper.get("epsilon"), "weight_decay": hyper.get("weight_decay")},
        ),
    }[optimizer.name]
    theirs = kind(model.parameters(), lr=optimizer.learning_rate, **options)
    for part in batches(STEPS):
        theirs.zero_grad()
        outputs = model(torch.from_numpy(X[part]))
        torch.nn.functional.cross_entropy(outputs, torch.from_numpy(LABELS[part])).backward()
        theirs.step()
    train(nn, optimizer, STEPS)
    for layer, linear in zip(nn.layers, model[::2], strict=True):
        assert np.abs(layer.weights - linear.weight.detach().numpy().T).max() < 1e-12
        assert np.abs(layer.bias - linear.bias.detach().numpy()).max() < 1e-12


@all_optimizers
def test_state_is_kept_between_fits(optimizer: optimizers.Optimizer) -> None:
    once, twice, by_name = network(), network(), network()
    options = {"batch_size": BATCH, "shuffle": False}
    once.fit(X, LABELS, epochs=10, optimizer=optimizer, **options)
    for _ in range(2):
        twice.fit(X, LABELS, epochs=5, optimizer=copy.copy(optimizer), **options)
    assert distance(once, twice) == 0
    if optimizer == optimizers.get(optimizer.name, optimizer.learning_rate):
        for _ in range(2):
            by_name.fit(
                X,
                LABELS,
                epochs=5,
                optimizer=optimizer.name,
                learning_rate=optimizer.learning_rate,
                **options,
            )
        assert distance(once, by_name) == 0


@all_optimizers
def test_state_is_dropped_when_the_optimizer_changes(optimizer: optimizers.Optimizer) -> None:
    other = optimizers.Momentum(0.02, momentum=0.7)
    nn = network()
    reference = Network(nn)
    for chosen in (optimizer, other, optimizer):
        train(nn, chosen, 10)
        train_reference(reference, reference_optimizer(chosen), 10)
    assert distance(nn, reference) < 1e-12


def test_state_is_dropped_when_a_hyper_parameter_changes() -> None:
    nn = network()
    reference = Network(nn)
    for beta1 in (0.9, 0.8):
        train(nn, optimizers.Adam(0.01, beta1=beta1), 10)
        train_reference(reference, Optimizer("adam", 0.01, beta1=beta1), 10)
    assert distance(nn, reference) < 1e-12


@all_optimizers
def test_a_change_of_the_learning_rate_keeps_the_state(optimizer: optimizers.Optimizer) -> None:
    nn, by_fit, changed_in_place = network(), network(), network()
    reference, steps = Network(nn), 2 * len(range(0, N, BATCH))
    follow = reference_optimizer(optimizer)
    own = copy.copy(optimizer)
    for index, rate in enumerate((0.02, 0.005, 0.05)):
        train(nn, optimizers.get(optimizer, rate), steps, index * steps)
        own.learning_rate = rate
        train(changed_in_place, own, steps, index * steps)
        by_fit.fit(X, LABELS, epochs=2, batch_size=BATCH, shuffle=False, optimizer=optimizer, learning_rate=rate)
        follow.lr = rate
        train_reference(reference, follow, steps, index * steps)
    for network_ in (nn, by_fit, changed_in_place):
        assert distance(network_, reference) < 1e-12


def test_one_optimizer_serves_many_networks() -> None:
    shared, nets = optimizers.Adam(0.02), [network(), network()]
    alone = network()
    for step in range(10):
        for nn in nets:
            train(nn, shared, 1, step)
    train(alone, optimizers.Adam(0.02), 10)
    assert distance(nets[0], alone) == distance(nets[1], alone) == 0


def test_a_learning_rate_of_zero_changes_nothing_but_the_state() -> None:
    nn, start = network(), network()
    for optimizer in CASES:
        train(nn, optimizers.get(optimizer, 0.0), 3)
        assert distance(nn, start) == 0


# ---- which one fit takes ----------------------------------------------------------------------------------------


def _fitted(assign: Any = None, **options: Any) -> foxnn.NeuralNetwork:
    nn = foxnn.neural_network([1, 4, 1], activation="tanh", output="linear", seed=0)
    if assign is not None:
        assign(nn)
    x = np.linspace(-1, 1, 20).reshape(-1, 1)
    nn.fit(x, x**2, epochs=2, **options)
    return nn


def _same(nn: foxnn.NeuralNetwork, other: foxnn.NeuralNetwork) -> bool:
    return bool((nn.parameters == other.parameters).all()) and nn.optimizer == other.optimizer


def test_fit_takes_the_networks_optimizer() -> None:
    """An assigned one, or rate; what is given to `fit` comes first; Adam if nobody has said anything."""
    nesterov = foxnn.optimizers.Nesterov(0.25)
    assert _same(_fitted(), _fitted(optimizer="adam"))
    assigned = _fitted(lambda nn: setattr(nn, "optimizer", nesterov))
    assert assigned.optimizer is nesterov
    assert _same(assigned, _fitted(optimizer=foxnn.optimizers.Nesterov(0.25)))
    assert _same(_fitted(lambda nn: setattr(nn, "learning_rate", 0.5)), _fitted(learning_rate=0.5))
    with_rate = _fitted(lambda nn: setattr(nn, "optimizer", nesterov), learning_rate=0.125)
    assert _same(with_rate, _fitted(optimizer=foxnn.optimizers.Nesterov(0.125)))
    assert nesterov.learning_rate == 0.25  # the given object is as it was
    assert _same(_fitted(lambda nn: setattr(nn, "optimizer", "sgd"), optimizer="adam"), _fitted())


def test_fit_goes_on_with_the_optimizer_of_the_fit_before_also_from_a_file(tmp_path: Path) -> None:
    x = np.linspace(-1, 1, 20).reshape(-1, 1)
    nn = _fitted(optimizer=foxnn.optimizers.Momentum(0.125))
    nn.save(tmp_path / "net.safetensors", optimizer=True)
    twin, loaded = nn.copy(), foxnn.load(tmp_path / "net.safetensors")
    nn.fit(x, x**2, epochs=2)
    for other in (twin, loaded):
        other.fit(x, x**2, epochs=2, optimizer=foxnn.optimizers.Momentum(0.125))
        assert _same(nn, other)


def test_an_optimizer_that_has_made_no_step_is_not_kept() -> None:
    nn = _fitted()
    before = nn.optimizer
    with pytest.raises(ValueError, match="learning_rate: got -1"):
        nn.fit([[0.0]], [0.0], learning_rate=lambda epoch: -1.0)
    assert nn.optimizer is before
    with pytest.raises(ValueError, match="learning_rate: got -1"):
        nn.fit([[0.0]], [0.0], epochs=2, learning_rate=lambda epoch: 1.0 - 2 * epoch)
    assert nn.optimizer is not before


def test_find_learning_rate_takes_the_networks_optimizer() -> None:
    x = np.linspace(-1, 1, 20).reshape(-1, 1)
    nn = foxnn.neural_network([1, 4, 1], activation="tanh", output="linear", seed=0)
    nn.optimizer = "sgd"
    found = foxnn.find_learning_rate(nn, x, x**2, steps=20)
    assert (found.losses == foxnn.find_learning_rate(nn, x, x**2, steps=20, optimizer="sgd").losses).all()
