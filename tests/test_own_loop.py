"""Promise: a training loop of one's own computes what `fit` computes. forward, backward and apply_gradients give the
bits of `train_on_batch`; gradients of anything, with respect to parameters and inputs, are those of central
differences; after an error all is as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy_reference import ACTIVATIONS, Network, one_hot
from test_gradients import LOSSES, central_differences, data, flat, kind_for, relative_error, smooth_network

import foxnn

SIZES = [5, 37, 20, 3]


def batches(n: int = 12, rows: int = 9) -> list[tuple[Any, Any]]:
    random = np.random.default_rng(0)
    return [(random.normal(size=(rows, 5)), random.normal(size=(rows, 3))) for _ in range(n)]


def state_of(nn: foxnn.NeuralNetwork) -> bytes:
    """All of a network, with what its optimizer remembers."""
    return nn.__reduce__()[1][0]


def parameters(nn: foxnn.NeuralNetwork) -> list[Any]:
    return [part for layer in nn.layers for part in (layer.weights, layer.bias)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", foxnn.optimizers.names())
def test_the_loop_by_hand_has_the_bits_of_train_on_batch(optimizer: str, dtype: str) -> None:
    options = {"activation": "tanh", "output": "arctan", "dropout": 0.3, "dtype": dtype, "seed": 3}
    by_hand, ours = foxnn.neural_network(SIZES, **options), foxnn.neural_network(SIZES, **options)
    by_hand.optimizer = foxnn.optimizers.get(optimizer)
    ours.optimizer = foxnn.optimizers.get(optimizer)
    for X, T in batches():
        T = T.astype(dtype)
        y = by_hand.forward(X)
        by_hand.apply_gradients(by_hand.backward((y - T) * T.dtype.type(1 / len(T))))
        ours.train_on_batch(X, T)
        for mine, other in zip(parameters(by_hand), parameters(ours), strict=True):
            np.testing.assert_array_equal(mine, other)
    assert by_hand.epoch == ours.epoch


@pytest.mark.parametrize("output", ["linear", "sigmoid", "softmax", "softplus", "elu"])
def test_gradients_of_any_function_of_the_outputs(output: str) -> None:
    """Here of sum(c sin y), with respect to parameters and inputs."""
    X, _, _ = data([4, 6, 3], "half_squared_error", "real", seed=1)
    nn = smooth_network([4, 6, 3], X, activation="tanh", output=output)
    c = np.random.default_rng(2).normal(size=(len(X), 3))

    class Objective:
        layers = nn.layers

        def evaluate(self, x: Any) -> dict[str, float]:
            return {"loss": float((c * np.sin(nn.predict(x))).sum())}

    y = nn.forward(X)
    gradients, d_input = nn.backward(c * np.cos(y), input_gradient=True)
    expected = np.empty_like(X)
    for index in np.ndindex(X.shape):
        step = np.zeros_like(X)
        step[index] = 1e-5
        expected[index] = (Objective().evaluate(X + step)["loss"] - Objective().evaluate(X - step)["loss"]) / 2e-5
    assert relative_error(d_input, expected) < 1e-6
    assert relative_error(flat(gradients), central_differences(Objective(), X)) < 1e-6  # type: ignore[arg-type]


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_of_every_loss_with_respect_to_the_inputs(loss: str) -> None:
    X, y, weights = data([4, 6, 3], loss, kind_for(loss), seed=3)
    nn = smooth_network([4, 6, 3], X, activation="tanh", loss=loss)
    expected = np.empty_like(X)
    for index in np.ndindex(X.shape):
        step = np.zeros_like(X)
        step[index] = 1e-5
        losses = [nn.evaluate(x, y, weights)["loss"] for x in (X + step, X - step)]
        expected[index] = (losses[0] - losses[1]) / 2e-5
    assert relative_error(nn.input_gradients(X, y, weights), expected) < 1e-6


def test_inputs_are_differentiated_as_they_are_given() -> None:
    """uint8 is read as x / 255, and whoever asks for its gradient means that of x."""
    images = np.random.default_rng(0).integers(0, 256, (6, 5), dtype=np.uint8)
    nn = foxnn.neural_network(SIZES, "tanh", "linear", dtype="float64", seed=0)
    T = np.ones((6, 3))
    y = nn.forward(images)
    _, d_input = nn.backward((y - T) / 6, input_gradient=True)
    np.testing.assert_allclose(d_input, nn.input_gradients(images / 255, T) / 255, rtol=1e-12)
    np.testing.assert_allclose(nn.input_gradients(images, T), d_input, rtol=1e-12)
    np.testing.assert_allclose(nn.jacobian(images), nn.jacobian(images / 255) / 255, rtol=1e-12)


def test_agrees_with_pytorch() -> None:
    torch = pytest.importorskip("torch")
    nn = foxnn.neural_network(SIZES, "gelu", "linear", dtype="float64", seed=0)
    module = nn.to_torch()
    X, T = batches(1)[0]
    x = torch.tensor(X, requires_grad=True)
    y = module(x)
    loss = (y - torch.tensor(T)).pow(4).mean()
    d = torch.autograd.grad(loss, y, retain_graph=True)[0].numpy()
    loss.backward()
    nn.forward(X)
    gradients, d_input = nn.backward(d, input_gradient=True)
    np.testing.assert_allclose(d_input, x.grad.numpy(), atol=1e-12)
    linear = [part for part in module if isinstance(part, torch.nn.Linear)]
    for (weights, bias), part in zip(gradients, linear, strict=True):
        np.testing.assert_allclose(weights, part.weight.grad.numpy().T, atol=1e-12)
        np.testing.assert_allclose(bias, part.bias.grad.numpy(), atol=1e-12)


def test_backward_may_be_repeated_and_is_linear() -> None:
    nn = foxnn.neural_network(SIZES, "tanh", "linear", dtype="float64", dropout=0.4, seed=0)
    y = nn.forward(batches(1)[0][0])
    random = np.random.default_rng(1)
    d, e = random.normal(size=y.shape), random.normal(size=y.shape)
    parts = [flat(nn.backward(v)) for v in (d, e, 2 * d - e)]
    np.testing.assert_allclose(parts[2], 2 * parts[0] - parts[1], atol=1e-12)
    np.testing.assert_array_equal(flat(nn.backward(d)), parts[0])


def test_forward_drops_as_training_does_until_a_step_is_made() -> None:
    nn = foxnn.neural_network(SIZES, "tanh", "linear", dropout=0.5, seed=0)
    X = batches(1)[0][0]
    first = nn.forward(X)
    np.testing.assert_array_equal(nn.forward(X, training=False), nn.predict(X))
    np.testing.assert_array_equal(nn.forward(X), first)
    assert (first != nn.predict(X)).any()
    zeros = [(np.zeros_like(layer.weights), np.zeros_like(layer.bias)) for layer in nn.layers]
    nn.apply_gradients(zeros)
    assert (nn.forward(X) != first).any()


def test_other_uses_of_the_network_do_not_disturb_what_forward_kept() -> None:
    X, T = batches(1)[0]
    nn = foxnn.neural_network(SIZES, "tanh", "linear", seed=0)
    d = (nn.forward(X) - T).astype(np.float32)
    expected = flat(nn.backward(d))
    nn.forward(X)
    nn.predict(X + 1), nn.evaluate(X + 1, T), nn.loss_and_gradients(X + 1, T), nn.input_gradients(X + 1, T)
    nn.jacobian(X + 1), nn.layer_outputs(X + 1)
    np.testing.assert_array_equal(flat(nn.backward(d)), expected)


CHANGES = {
    "weights": lambda nn, X, T: setattr(nn.layers[0], "weights", 0.5),
    "bias": lambda nn, X, T: setattr(nn.layers[1], "bias", 0.5),
    "activation": lambda nn, X, T: setattr(nn.layers[0], "activation", "relu"),
    "dropout": lambda nn, X, T: setattr(nn, "dropout", 0.5),
    "step": lambda nn, X, T: nn.train_on_batch(X, T),
    "fit": lambda nn, X, T: nn.fit(X, T, epochs=1, verbose=False),
    "own step": lambda nn, X, T: nn.apply_gradients(nn.backward(T)),
    "layer": lambda nn, X, T: nn.next_layer(foxnn.layer(3, 3)),
    "mutation": lambda nn, X, T: nn.random_mutation(0.1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_backward_through_a_network_that_has_changed_is_refused(change: str) -> None:
    X, T = batches(1)[0]
    nn = foxnn.neural_network(SIZES, "tanh", "linear", seed=0)
    nn.forward(X)
    CHANGES[change](nn, X, T)
    with pytest.raises(RuntimeError, match="has changed since the forward pass"):
        nn.backward(T)
    nn.forward(X)
    nn.backward(T)


def test_wrong_arguments_are_refused_and_change_nothing() -> None:
    X, T = batches(1)[0]
    nn = foxnn.neural_network(SIZES, "tanh", "linear", seed=0)
    with pytest.raises(RuntimeError, match="there was no forward pass"):
        nn.backward(T)
    nn.train_on_batch(X, T)
    nn.forward(X)
    gradients = nn.backward(T)
    before = state_of(nn)
    for wrong, error, words in (
        (T[:-1], ValueError, r"d_output: got an array of shape \(8, 3\); it takes shape \(9, 3\)"),
        (T[:, :2], ValueError, "d_output"),
        (np.where(np.isin(T, T[3, 1]), np.nan, T), ValueError, "d_output: got nan"),
        (1e300 * T, ValueError, "float32 can hold"),
        ("abc", TypeError, "d_output"),
        (1.0, ValueError, "d_output"),
    ):
        with pytest.raises(error, match=words):
            nn.backward(wrong)
    for wrong, error, words in (
        (gradients[:-1], ValueError, "got 2 of them; it takes a pair for each of the 3 layers"),
        ([*gradients[:-1], gradients[0]], ValueError, r"gradients\[2\] weights: got an array of shape \(5, 37\)"),
        ([*gradients[:-1], (gradients[2][0], np.full(3, np.inf))], ValueError, r"gradients\[2\] bias: got inf"),
        ([*gradients[:-1], gradients[2][0]], TypeError, r"gradients\[2\]: got ndarray"),
        ([*gradients[:-1], ("a", "b")], TypeError, r"gradients\[2\] weights"),
    ):
        with pytest.raises(error, match=words):
            nn.apply_gradients(wrong)
    assert state_of(nn) == before


def test_a_step_that_overflows_says_so() -> None:
    nn = foxnn.neural_network([1, 1], output="linear", seed=0)
    nn.optimizer = foxnn.optimizers.SGD(1e30)
    with pytest.raises(foxnn.DivergenceError, match="an update would be no longer finite"):
        nn.apply_gradients([([[1e30]], [1.0])])
    assert np.isfinite(nn.layers[0].weights).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_bits_for_any_number_of_threads(dtype: str) -> None:
    def result(n_threads: int) -> list[Any]:
        nn = foxnn.neural_network([40, 130, 70, 5], "relu", "softmax", dropout=0.2, dtype=dtype, seed=0)
        nn.n_threads = n_threads
        random = np.random.default_rng(0)
        X, labels = random.normal(size=(300, 40)), random.integers(5, size=300)
        for _ in range(3):
            y = nn.forward(X)
            gradients, d_input = nn.backward((y - one_hot(labels, 5)) / 300, input_gradient=True)
            nn.apply_gradients(gradients)
        return [
            *parameters(nn), d_input, nn.input_gradients(X, labels), nn.jacobian(X[:50]), *nn.layer_outputs(X)
        ]  # fmt: skip

    one = result(1)
    for n_threads in (2, 3, 8):
        for a, b in zip(one, result(n_threads), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_outputs_of_every_layer(dtype: str) -> None:
    names = ["sigmoid", "gelu", "relu"]
    nn = foxnn.neural_network([7, 30, 17, 40, 4], names, "softmax", dtype=dtype, dropout=0.5, seed=0)
    X = np.random.default_rng(0).normal(size=(5000, 7))  # more than go through at once
    outputs = nn.layer_outputs(X)
    reference = Network(nn)
    expected = [ACTIVATIONS[name](z) for name, z in zip([*names, "softmax"], reference.logits(X), strict=True)]
    for got, value in zip(outputs, expected, strict=True):
        assert got.dtype == nn.dtype
        np.testing.assert_allclose(got, value, atol=1e-5 if dtype == "float32" else 1e-13)
    np.testing.assert_array_equal(outputs[-1], nn.predict(X))


def test_a_single_sample() -> None:
    nn = foxnn.neural_network([2, 4, 3], "tanh", "linear", dtype="float64", seed=0)
    y = nn.forward([0.1, 0.2])
    assert y.shape == (3,)
    gradients, d_input = nn.backward(np.ones(3), input_gradient=True)
    nn.forward([[0.1, 0.2]])
    np.testing.assert_array_equal(flat(gradients), flat(nn.backward(np.ones((1, 3)))))
    np.testing.assert_allclose(nn.jacobian([0.1, 0.2]).sum(axis=0), d_input[0], atol=1e-14)


def test_penalties_are_in_the_gradients_of_the_loss() -> None:
    """And gradients are used as they are: by hand as in `fit`, to the last bit. Those of `backward` have none."""
    X, T = (np.concatenate(parts).astype(np.float32) for parts in zip(*batches(), strict=True))
    by_hand, ours = (foxnn.neural_network(SIZES, "tanh", "linear", seed=3, l1=1e-3, l2=1e-2) for _ in range(2))
    by_hand.optimizer = foxnn.optimizers.SGD(0.1)
    ours.fit(X, T, epochs=1, batch_size=9, optimizer="sgd", learning_rate=0.1, shuffle=False, verbose=False)
    for begin in range(0, len(X), 9):
        x, t = X[begin : begin + 9], T[begin : begin + 9]
        _, gradients = by_hand.loss_and_gradients(x, t)
        plain = by_hand.backward((by_hand.forward(x) - t) / np.float32(len(x)))
        for layer, (dW, db), (plain_dW, plain_db) in zip(by_hand.layers, gradients, plain, strict=True):
            penalty = 1e-3 * np.sign(layer.weights) + 1e-2 * layer.weights
            np.testing.assert_allclose(dW, plain_dW + penalty, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(db, plain_db, rtol=1e-5, atol=1e-6)
        by_hand.apply_gradients(gradients)
    for mine, other in zip(parameters(by_hand), parameters(ours), strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("options", [{"clip_value": 0.01}, {"clip_norm": 0.05}], ids=str)
def test_clipping_and_max_norm_are_those_of_fit(options: dict[str, float]) -> None:
    X, T = (np.concatenate(parts).astype(np.float32) for parts in zip(*batches(), strict=True))
    ours, by_hand = (foxnn.neural_network(SIZES, "tanh", "linear", seed=3, max_norm=0.8) for _ in range(2))
    for nn in (ours, by_hand):
        nn.optimizer = foxnn.optimizers.Momentum(0.1, **options)
    ours.fit(X, T, epochs=1, batch_size=9, optimizer=ours.optimizer, shuffle=False, verbose=False)
    for begin in range(0, len(X), 9):
        by_hand.apply_gradients(by_hand.loss_and_gradients(X[begin : begin + 9], T[begin : begin + 9])[1])
    for mine, other in zip(parameters(by_hand), parameters(ours), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_normalised_layers_train_by_hand_and_with_a_loss_of_ones_own_as_they_do() -> None:
    def half_squared_error(y_true: Any, y_pred: Any) -> Any:
        return ((y_pred - y_true) ** 2).sum(axis=1) / 2, y_pred - y_true

    sizes = [5, 37, foxnn.BatchNorm(), 20, foxnn.LayerNorm(), 3]
    by_hand, own, ours = (
        foxnn.neural_network(sizes, "tanh", "linear", loss=loss, dtype="float64", seed=3)
        for loss in ("half_squared_error", half_squared_error, "half_squared_error")
    )
    for X, T in batches():
        y = by_hand.forward(X)
        by_hand.apply_gradients(by_hand.backward((y - T) * (1 / len(T))))
        own.train_on_batch(X, T)
        ours.train_on_batch(X, T)
    for nn in (by_hand, own):
        assert nn.layers[0].array_names[-1] == "running_variance"
        for layer, other in zip(nn.layers, ours.layers, strict=True):
            for name in layer.array_names:
                np.testing.assert_array_equal(layer.get_array(name), other.get_array(name))
    np.testing.assert_allclose(by_hand.forward(X, training=False), ours.predict(X), atol=1e-13)
