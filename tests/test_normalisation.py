"""Promise: batch and layer normalisation are those of their papers: training follows a plain reference and PyTorch to
1e-10 in double precision, and prediction uses the running moments, whatever has changed since."""

from __future__ import annotations

import copy
import math
import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy_reference import Network, Optimizer, one_hot

import foxnn
from foxnn import optimizers

N = 23
_random = np.random.default_rng(0)
X, LABELS = _random.normal(size=(N, 5)), _random.integers(3, size=N)
TIGHT = {"rtol": 1e-10, "atol": 1e-11}
NORMS = [foxnn.BatchNorm(), foxnn.BatchNorm(momentum=0.3, epsilon=0.01), foxnn.LayerNorm(), foxnn.LayerNorm(0.1)]
every_norm = pytest.mark.parametrize("norm", NORMS, ids=repr)
PENALTIES = {"l1": 0.01, "l2": 0.1}
both_kinds = pytest.mark.parametrize("kind", [foxnn.BatchNorm, foxnn.LayerNorm])


def network(*norms: Any, **options: Any) -> foxnn.NeuralNetwork:
    """5-20-7-3 with these after the hidden layers, and numbers that are not the first ones."""
    first, second = norms if len(norms) == 2 else norms * 2
    options = {"activation": "tanh", "output": "softmax", "dtype": "float64", "seed": 3, **options}
    nn = foxnn.neural_network([5, 20, first, 7, second, 3], **options)
    random = np.random.default_rng(1)
    for layer in nn.layers[:-1]:
        layer.bias = random.normal(size=layer.n_out)
        for name in layer.norm.array_names:
            setattr(layer.norm, name, random.uniform(0.5, 1.5, layer.n_out))
    return nn


def assert_same(nn: foxnn.NeuralNetwork, reference: Network) -> None:
    for layer, W, b, norm in zip(nn.layers, reference.W, reference.b, reference.norms, strict=True):
        np.testing.assert_allclose(layer.weights, W, **TIGHT)
        np.testing.assert_allclose(layer.bias, b, **TIGHT)
        if norm:
            np.testing.assert_allclose(layer.norm.gamma, norm.gamma, **TIGHT)
            np.testing.assert_allclose(layer.norm.beta, norm.beta, **TIGHT)
        if norm and norm.axis == 0:
            np.testing.assert_allclose(layer.norm.running_mean, norm.mean, **TIGHT)
            np.testing.assert_allclose(layer.norm.running_variance, norm.variance, **TIGHT)


def same_bits(one: foxnn.NeuralNetwork, other: foxnn.NeuralNetwork) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


# ---- training -----------------------------------------------------------------------------------------------


@every_norm
@pytest.mark.parametrize("optimizer", [optimizers.get(name, 0.02) for name in optimizers.names()], ids=lambda o: o.name)
@pytest.mark.parametrize("options", [{}, PENALTIES, {**PENALTIES, "clip": 0.2}], ids=["plain", "penalised", "clipped"])
def test_training_follows_a_plain_reference(norm: Any, optimizer: optimizers.Optimizer, options: Any) -> None:
    """Penalties are of weights only; clipping is of all gradients."""
    options = dict(options)
    clip = options.pop("clip", None)
    nn = network(norm, **options)
    reference = Network(nn)
    step = Optimizer(optimizer.name, optimizer.learning_rate, **optimizer.hyper)
    nn.optimizer = optimizers.get(optimizer, clip_norm=clip) if clip else optimizer
    fixed = [layer.bias for layer in nn.layers]
    weights = np.random.default_rng(2).uniform(0.2, 2, N)  # the moments are of the rows, whatever they weigh
    for i in range(12):
        part = np.arange(N) % 4 != i % 4
        loss = np.average(reference.losses(X[part], one_hot(LABELS[part], 3)), weights=weights[part])
        assert nn.train_on_batch(X[part], LABELS[part], weights[part]) == pytest.approx(loss, rel=1e-10)
        gradients = reference.gradients(X[part], one_hot(LABELS[part], 3), weights[part])
        if clip:
            size = math.sqrt(sum((g**2).sum() for g in gradients))
            gradients = [g * min(1, clip / size) for g in gradients]
        step.step(reference.parameters, gradients)
        for each, bias in zip(reference.norms, fixed, strict=True):
            if each:
                each.follow()
                if each.axis == 0:  # not even AdamW's decay moves a bias that has no effect
                    reference.b[reference.norms.index(each)][...] = bias
    assert_same(nn, reference)
    np.testing.assert_allclose(nn.predict(X), reference.predict(X, training=False), **TIGHT)
    assert nn.evaluate(X, LABELS)["loss"] == pytest.approx(
        -np.log(reference.predict(X, training=False)[range(N), LABELS]).mean(), rel=1e-10
    )


@every_norm
@pytest.mark.parametrize("optimizer", ["adam", "momentum", "sgd"])
def test_training_is_that_of_pytorch(norm: Any, optimizer: str) -> None:
    torch = pytest.importorskip("torch")

    def module(size: int) -> Any:
        if isinstance(norm, foxnn.LayerNorm):
            return torch.nn.LayerNorm(size, eps=norm.epsilon)
        return torch.nn.BatchNorm1d(size, eps=norm.epsilon, momentum=norm.momentum)

    theirs = torch.nn.Sequential(
        torch.nn.Linear(5, 20), module(20), torch.nn.Tanh(), torch.nn.Linear(20, 7), module(7), torch.nn.Tanh(),
        torch.nn.Linear(7, 3),
    ).double()  # fmt: skip
    nn = foxnn.neural_network([5, 20, norm, 7, norm, 3], activation="tanh", output="softmax", dtype="float64", seed=3)
    pairs = list(zip(nn.layers, (theirs[0], theirs[3], theirs[6]), (theirs[1], theirs[4], None), strict=True))
    with torch.no_grad():
        for layer, linear, _ in pairs:
            linear.weight.copy_(torch.from_numpy(layer.weights.T.copy()))
            linear.bias.zero_()
    redundant = {0, 3} if isinstance(norm, foxnn.BatchNorm) else set()
    learnt = [p for name, p in theirs.named_parameters() if name not in {f"{i}.bias" for i in redundant}]
    step = {"adam": lambda: torch.optim.Adam(learnt, 0.02), "sgd": lambda: torch.optim.SGD(learnt, 0.1),
            "momentum": lambda: torch.optim.SGD(learnt, 0.05, momentum=0.9)}[optimizer]()  # fmt: skip
    nn.optimizer = optimizers.get(optimizer, step.param_groups[0]["lr"])
    for i in range(30):
        part = np.arange(N) % 4 != i % 4
        step.zero_grad()
        loss = torch.nn.functional.cross_entropy(theirs(torch.from_numpy(X[part])), torch.from_numpy(LABELS[part]))
        loss.backward()
        step.step()
        assert nn.train_on_batch(X[part], LABELS[part]) == pytest.approx(loss.item(), rel=1e-10)
    for layer, linear, module_ in pairs:
        np.testing.assert_allclose(layer.weights.T, linear.weight.detach(), **TIGHT)
        if module_ is None:
            continue
        np.testing.assert_allclose(layer.norm.gamma, module_.weight.detach(), **TIGHT)
        np.testing.assert_allclose(layer.norm.beta, module_.bias.detach(), **TIGHT)
        if isinstance(norm, foxnn.BatchNorm):
            np.testing.assert_allclose(layer.norm.running_mean, module_.running_mean, **TIGHT)
            np.testing.assert_allclose(layer.norm.running_variance, module_.running_var, **TIGHT)
    theirs.eval()
    outputs = theirs(torch.from_numpy(X)).softmax(dim=1).detach().numpy()
    np.testing.assert_allclose(nn.predict(X), outputs, **TIGHT)


@both_kinds
def test_float32_agrees_with_float64(kind: Any) -> None:
    """Also for many rows and columns, with a mean far from zero."""
    random = np.random.default_rng(3)
    inputs, y = random.normal(size=(3000, 30)) + 3, random.integers(3, size=3000)
    losses = []
    for dtype in ("float32", "float64"):
        nn = foxnn.neural_network([30, 65, kind(), 3], activation="gelu", output="softmax", dtype=dtype, seed=1)
        nn.layers[0].bias = 50.0
        loss, gradients = nn.loss_and_gradients(inputs, y)
        losses.append((loss, np.concatenate([g.astype(np.float64).ravel() for arrays in gradients for g in arrays])))
    assert losses[0][0] == pytest.approx(losses[1][0], rel=1e-5)
    assert np.linalg.norm(losses[0][1] - losses[1][1]) < 2e-4 * np.linalg.norm(losses[1][1])


def test_a_bias_under_batch_normalisation_stays() -> None:
    for name in optimizers.names():
        nn = network(foxnn.BatchNorm(), foxnn.LayerNorm())
        before = [layer.bias for layer in nn.layers]
        nn.fit(X, LABELS, epochs=2, batch_size=6, optimizer=name)
        assert np.array_equal(nn.layers[0].bias, before[0])
        assert not np.array_equal(nn.layers[1].bias, before[1])


def test_a_batch_of_one_row() -> None:
    """Left over at the end of an epoch: it is normalised to beta, and the variance does not follow."""
    nn = foxnn.neural_network([2, 3, foxnn.BatchNorm(), 1], activation="linear", output="linear", dtype="float64")
    nn.layers[0].norm.beta = [1.0, 2.0, 3.0]
    first = nn.layers[0]
    W, b, W2 = first.weights, first.bias, nn.layers[1].weights
    history = nn.fit([[1.0, 2.0]], [0.0], epochs=1, batch_size=8, optimizer="sgd", learning_rate=0.0)
    assert history["loss"][0] == pytest.approx(float(([1, 2, 3] @ W2).item() ** 2 / 2))
    np.testing.assert_allclose(first.norm.running_mean, 0.1 * ([1.0, 2.0] @ W + b))
    assert np.array_equal(first.norm.running_variance, np.ones(3))


def test_batches_meant_to_be_of_one_row_are_refused() -> None:
    nn = network(foxnn.BatchNorm())
    before = nn.get_weights()
    data = foxnn.train_data()
    data.add_data([[0.0] * 5], [[0.0] * 3])
    for name, train in {
        "batch_size": lambda: nn.fit(X, LABELS, batch_size=1),
        "X": lambda: nn.train_on_batch(X[:1], LABELS[:1]),
        "X: got a batch": lambda: nn.forward(X[:1]),
        "size_train_batch": lambda: nn.train(data, 0.1, 1),
    }.items():
        with pytest.raises(ValueError, match=f"{name}.*batch normalisation takes at least two"):
            train()
    assert all(np.array_equal(a, b) for a, b in zip(nn.get_weights(), before, strict=True))
    network(foxnn.LayerNorm()).fit(X, LABELS, epochs=1, batch_size=1)


def test_a_step_that_fails_moves_no_moments() -> None:
    nn = foxnn.neural_network([1, 2, foxnn.BatchNorm(), 1], output="linear", init="foxnn", seed=0)
    before = nn.get_weights()
    with pytest.raises(foxnn.DivergenceError, match="loss"):
        nn.train_on_batch([[1.0], [2.0]], [1e30, -1e30])
    assert all(np.array_equal(a, b) for a, b in zip(nn.get_weights(), before, strict=True))
    nn.train_on_batch([[1.0], [2.0]], [1.0, -1.0])  # the next one may go on


def test_a_frozen_layer_normalises_as_in_prediction() -> None:
    nn = network(foxnn.BatchNorm())
    for layer in nn.layers[:2]:
        layer.trainable = False
    before, plain = nn.get_weights(), -np.log(nn.predict(X)[range(N), LABELS]).mean()
    assert nn.train_on_batch(X, LABELS) == pytest.approx(plain, rel=1e-12)
    assert all(np.array_equal(a, b) for a, b in zip(nn.get_weights()[:-2], before[:-2], strict=True))
    assert not np.array_equal(nn.layers[2].weights, before[-2])
    nn.layers[0].trainable = True  # the gradient goes through the frozen one
    loss, gradients = nn.loss_and_gradients(X, LABELS)
    reference = Network(nn)
    reference.norms[1].__class__ = _Frozen
    np.testing.assert_allclose(gradients[0][0], reference.gradients(X, one_hot(LABELS, 3), np.ones(N))[0], **TIGHT)
    assert loss == pytest.approx(reference.losses(X, one_hot(LABELS, 3)).mean())


class _Frozen(type(Network(network(foxnn.BatchNorm())).norms[0])):  # type: ignore[misc]
    def __call__(self, z: Any, training: bool) -> Any:
        return super().__call__(z, training=False)

    def backward(self, d: Any) -> Any:
        return d * self.gamma / self.deviation


# ---- prediction ---------------------------------------------------------------------------------------------


def expected_outputs(nn: foxnn.NeuralNetwork, inputs: Any) -> Any:
    return Network(nn).predict(inputs, training=False)


@every_norm
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_prediction_follows_every_change(norm: Any, activation: str) -> None:
    """What is folded into the weights is folded again."""
    nn = network(norm, activation=activation)
    random = np.random.default_rng(4)
    for layer in nn.layers:
        for name in layer.array_names:
            nn.predict(X)
            layer.set_array(name, random.uniform(0.5, 2, layer.parameter_shape(name)))
            np.testing.assert_allclose(nn.predict(X), expected_outputs(nn, X), **TIGHT)
            np.testing.assert_array_equal(nn.predict(X[3]), nn.predict(X)[3])
    for change in (
        lambda: nn.fit(X, LABELS, epochs=1),
        lambda: nn.train_on_batch(X, LABELS),
        lambda: nn.apply_gradients(nn.loss_and_gradients(X, LABELS)[1]),
        lambda: nn.forward(X),
        lambda: nn.set_weights([2 * array for array in nn.get_weights()]),
        lambda: nn.random_mutation(0.1),
    ):
        nn.predict(X)
        change()
        np.testing.assert_allclose(nn.predict(X), expected_outputs(nn, X), **TIGHT)
        assert nn.evaluate(X, LABELS)["loss"] == pytest.approx(-np.log(nn.predict(X)[range(N), LABELS]).mean())


def test_prediction_follows_what_else_can_change() -> None:
    """A copy, which has nothing to be old, says the same."""
    scaled = {"scale_inputs": "standard", "scale_outputs": "minmax"}
    nn = foxnn.neural_network([5, 20, foxnn.BatchNorm(), 7, 3], "tanh", dtype="float64", seed=3, **scaled)
    targets = one_hot(LABELS, 3)
    nn.fit(X, targets, epochs=2)
    other = nn.copy()
    other.fit(X, targets, epochs=2)
    before = nn.predict(X)
    for change in (
        lambda: setattr(nn.layers[0], "activation", "relu"),
        lambda: nn.fit_scaling(3 * X + 1, targets),
        lambda: nn.fit_scaling(3 * X + 1, 2 * targets),
        lambda: nn.copy_weights(other, layers=[0]),
        lambda: setattr(nn, "parameters", nn.parameters / 2),
        lambda: nn.partial_fit(X, targets),
        lambda: nn.insert(1, 6, "tanh"),
        lambda: nn.remove(1),
    ):
        change()
        after = nn.predict(X)
        assert (after != before).any()
        np.testing.assert_array_equal(after, nn.copy().predict(X))
        before = after


def test_a_loss_of_ones_own_may_predict() -> None:
    """Between the way forward and the step, after which what was folded for it is old."""

    def squares(y_true: Any, y_pred: Any) -> Any:
        nn.predict(X)
        return ((y_pred - y_true) ** 2).sum(axis=1), 2 * (y_pred - y_true)

    nn = network(foxnn.BatchNorm(), output="linear", loss=squares)
    for train in (
        lambda: nn.train_on_batch(X, one_hot(LABELS, 3)),
        lambda: nn.fit(X, one_hot(LABELS, 3), epochs=1, batch_size=N),
    ):
        train()
        np.testing.assert_allclose(nn.predict(X), expected_outputs(nn, X), **TIGHT)


@both_kinds
def test_rows_of_a_prediction_do_not_depend_on_one_another(kind: Any) -> None:
    random = np.random.default_rng(5)
    inputs = random.normal(size=(300, 30)).astype(np.float32)
    nn = foxnn.neural_network([30, 37, kind(), 16, kind(), 5], activation="gelu", seed=0)
    nn.fit(inputs, random.uniform(size=(300, 5)), epochs=1)
    whole = nn.predict(inputs)
    for rows in (1, 2, 7, 97):
        np.testing.assert_array_equal(
            np.concatenate([nn.predict(inputs[i : i + rows]) for i in range(0, 300, rows)]), whole
        )


def test_predictions_at_once_after_a_change() -> None:
    """All of them find the weights to be folded."""
    random = np.random.default_rng(6)
    inputs = random.normal(size=(50, 100)).astype(np.float32)
    nn = foxnn.neural_network([100, 300, foxnn.BatchNorm(), 10], seed=0)
    for trial in range(20):
        nn.layers[0].norm.gamma = 1.0 + trial
        expected = nn.copy().predict(inputs)
        outputs: list[Any] = [None] * 8
        start = threading.Barrier(8)

        def work(i: int, outputs: list[Any] = outputs, start: threading.Barrier = start) -> None:
            start.wait()
            outputs[i] = nn.predict(inputs)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(np.array_equal(output, expected) for output in outputs)


# ---- a loop of one's own ------------------------------------------------------------------------------------


@every_norm
def test_by_hand_as_in_training(norm: Any) -> None:
    ours, by_hand = network(norm, output="linear", loss="mse"), network(norm, output="linear", loss="mse")
    T = np.random.default_rng(7).normal(size=(N, 3))
    for nn in (ours, by_hand):
        nn.optimizer = optimizers.Adam(0.01)
    for _ in range(4):
        loss = ours.train_on_batch(X, T)
        y = by_hand.forward(X)
        assert ((y - T) ** 2).mean() == pytest.approx(loss, rel=1e-12)
        gradients, d_input = by_hand.backward(2 * (y - T) / y.size, input_gradient=True)
        np.testing.assert_allclose(d_input, by_hand.input_gradients(X, T), **TIGHT)
        by_hand.apply_gradients(gradients)
    for a, b in zip(ours.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, **TIGHT)
    before = by_hand.get_weights()
    np.testing.assert_allclose(by_hand.forward(X, training=False), by_hand.predict(X), **TIGHT)
    np.testing.assert_allclose(by_hand.layer_outputs(X)[-1], by_hand.predict(X), **TIGHT)
    step = 1e-6
    moved = [(by_hand.predict(X[:1] + step * e) - by_hand.predict(X[:1] - step * e))[0] / (2 * step) for e in np.eye(5)]
    np.testing.assert_allclose(by_hand.jacobian(X[0]), np.transpose(moved), rtol=1e-6, atol=1e-8)
    assert all(np.array_equal(a, b) for a, b in zip(by_hand.get_weights(), before, strict=True))


# ---- what else there is -------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["pickle", "copy", "file"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_copies_and_files_keep_everything(way: str, dtype: str, tmp_path: Path) -> None:
    nn = network(foxnn.BatchNorm(momentum=0.2, epsilon=0.01), foxnn.LayerNorm(epsilon=0.1), dtype=dtype)
    nn.fit(X, LABELS, epochs=2, batch_size=6)
    if way == "file":
        nn.save(tmp_path / "net.safetensors", optimizer=True)
        twin = foxnn.load(tmp_path / "net.safetensors")
    else:
        twin = pickle.loads(pickle.dumps(nn)) if way == "pickle" else copy.copy(nn)
    assert repr(twin) == repr(nn)
    assert [layer.norm for layer in twin.layers] == [layer.norm for layer in nn.layers]
    assert same_bits(twin, nn)
    for each in (nn, twin):
        each.fit(X, LABELS, epochs=2, batch_size=6)
    assert same_bits(twin, nn)
    np.testing.assert_array_equal(twin.predict(X), nn.predict(X))


def test_the_best_weights_come_back_with_their_moments() -> None:
    nn = network(foxnn.BatchNorm())
    states: list[list[Any]] = []

    class Keep(foxnn.Callback):
        def on_epoch_end(self, network: Any, epoch: int, values: Any) -> None:
            states.append(network.get_weights())

    stop = foxnn.EarlyStopping(patience=2, restore_best=True)
    history = nn.fit(X, LABELS, epochs=60, learning_rate=0.3, validation_data=(-X, LABELS), callbacks=[Keep(), stop])
    best = states[int(np.argmin(history["val_loss"]))]
    assert len(states) < 60
    assert all(np.array_equal(a, b) for a, b in zip(nn.get_weights(), best, strict=True))


def test_weights_as_lists_vectors_and_from_other_networks() -> None:
    nn, other = network(foxnn.BatchNorm(), foxnn.LayerNorm()), network(foxnn.BatchNorm(), foxnn.LayerNorm(), seed=9)
    nn.fit(X, LABELS, epochs=1)
    other.copy_weights(nn)
    assert same_bits(nn, other)
    assert [array.shape for array in nn.get_weights()][:6] == [(5, 20), (20,), (20,), (20,), (20,), (20,)]
    assert nn.parameters.size == nn.n_parameters == 5 * 20 + 3 * 20 + 20 * 7 + 3 * 7 + 7 * 3 + 3
    loss, gradient = nn.loss_and_gradient(nn.parameters + 0.01, X, LABELS)
    assert gradient.shape == nn.parameters.shape
    assert nn.loss_and_gradients(X, LABELS)[0] == loss
    assert np.array_equal(
        gradient, np.concatenate([g.ravel() for gs in nn.loss_and_gradients(X, LABELS)[1] for g in gs])
    )
    plain = foxnn.neural_network([5, 20, 7, 3])
    with pytest.raises(ValueError, match="BatchNorm"):
        plain.copy_weights(nn)


@both_kinds
def test_where_they_may_stand(kind: Any) -> None:
    norm = kind()
    for sizes, message in (
        ([4, norm, 3, 1], r"sizes\[1\]: .*inputs"),
        ([norm, 4, 3, 1], r"sizes\[0\]: .*inputs"),
        ([4, 3, 1, norm], r"sizes\[3\]: .*outputs"),
        ([4, 3, norm, norm, 1], r"sizes\[3\]: .*one normalisation"),
        ([4, norm], r"sizes\[1\]: .*inputs"),
    ):
        with pytest.raises(ValueError, match=message):
            foxnn.neural_network(sizes)
    for item in (kind, "batch_norm"):
        with pytest.raises(TypeError, match=r"sizes\[2\]: got .* or after a hidden layer's size foxnn.BatchNorm\(\)"):
            foxnn.neural_network([4, 3, item, 1])
    with pytest.raises(ValueError, match=r"sizes\[3\]: got 0"):  # its place, not its number among layers
        foxnn.neural_network([4, 3, norm, 0, 1])
    nn = foxnn.neural_network([4, 3, norm, 2, 1])
    assert nn.sizes == [4, 3, 2, 1]
    assert [layer.norm for layer in nn.layers] == [norm, None, None]
    with pytest.raises(AttributeError, match="not in a network"):
        norm.gamma  # noqa: B018


@pytest.mark.parametrize(
    "make",
    [lambda: foxnn.BatchNorm(momentum=0), lambda: foxnn.BatchNorm(momentum=1.5), lambda: foxnn.BatchNorm(epsilon=0),
     lambda: foxnn.LayerNorm(epsilon=-1), lambda: foxnn.LayerNorm(epsilon=math.nan)],
)  # fmt: skip
def test_values_that_are_none(make: Any) -> None:
    with pytest.raises(ValueError, match=r"momentum|epsilon"):
        make()


def test_arrays_that_do_not_fit() -> None:
    norm = network(foxnn.BatchNorm()).layers[0].norm
    for name in norm.array_names:
        for value in (np.ones(3), np.full(20, np.nan), "ones"):
            with pytest.raises((ValueError, TypeError), match=name):
                setattr(norm, name, value)
    with pytest.raises(ValueError, match="not negative"):
        norm.running_variance = -1.0


def test_layers_come_and_go() -> None:
    nn = network(foxnn.BatchNorm(), foxnn.LayerNorm())
    with pytest.raises(ValueError, match="LayerNorm"):
        nn.remove(-1)  # its outputs would be normalised
    with pytest.raises(ValueError, match="BatchNorm"):
        foxnn.neural_network([3, 5]).next_layer(nn.layers[0])
    nn.insert(1, 20, "tanh")
    assert [layer.norm for layer in nn.layers] == [foxnn.BatchNorm(), None, foxnn.LayerNorm(), None]
    np.testing.assert_allclose(nn.predict(X), expected_outputs(nn, X), **TIGHT)
    nn.remove(0)
    assert [layer.norm for layer in nn.layers] == [None, foxnn.LayerNorm(), None]
    nn.fit(X, LABELS, epochs=1)
    np.testing.assert_allclose(nn.predict(X), expected_outputs(nn, X), **TIGHT)


def test_what_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from foxnn.cli import main

    nn = network(foxnn.BatchNorm(momentum=0.5), foxnn.LayerNorm())
    assert repr(nn).startswith(
        "neural_network([5, 20, BatchNorm(momentum=0.5), 7, LayerNorm(), 3], [tanh, tanh, softmax]"
    )
    assert repr(nn.layers[0]) == "Layer(5 -> 20, batch_norm tanh)"
    nn.save(tmp_path / "net.safetensors")
    main(["info", str(tmp_path / "net.safetensors")])
    shown = capsys.readouterr().out
    assert "0 dense  (20,)                160  batch_norm tanh\n" in shown
    assert "1 dense  (7,)                 161  layer_norm tanh\n" in shown


def test_the_interface_of_1_0() -> None:
    nn = network(foxnn.BatchNorm(), output="linear")
    np.testing.assert_allclose(nn.get_out(list(X[0])), nn.predict(X)[0], **TIGHT)
    nn.random_mutation(0.1)
    data = foxnn.train_data()
    data.add_data(X.tolist(), np.eye(3)[LABELS].tolist())
    nn.train(data, 0.01, 5, 8)
    np.testing.assert_allclose(nn.predict(X), expected_outputs(nn, X), **TIGHT)


def test_normalisation_does_what_it_is_for() -> None:
    """Outputs before the activation have mean beta and deviation gamma, over the batch or over the units."""
    for kind, axis in ((foxnn.BatchNorm, 0), (foxnn.LayerNorm, 1)):
        nn = foxnn.neural_network([5, 40, kind(epsilon=1e-12), 1], activation="linear", dtype="float64")
        nn.forward(10 * X + 3)
        y = nn._forward.trainer.layer_output(nn._core, 0, N)
        np.testing.assert_allclose(y.mean(axis=axis), 0, atol=1e-10)
        np.testing.assert_allclose(y.std(axis=axis), 1, rtol=1e-8)
