"""Promise: a loss of one's own is as good as foxnn's. A copy of one trains to the same bits; its gradients are right;
weights, validation, callbacks, dropout and all else work with it; and whatever is wrong with it is said."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy_reference import LOSS_SLOPES, LOSSES, one_hot
from test_gradients import central_differences, flat, relative_error
from test_own_loop import parameters, state_of

import foxnn

N = 300
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(N, 5))
Y = np.stack([np.sin(X[:, 0]), X[:, 1] * X[:, 2], RANDOM.normal(size=N)], axis=1)
LABELS = RANDOM.integers(3, size=N)


def half_squared_error(y_true: Any, y_pred: Any) -> Any:
    error = y_pred - y_true.astype(y_pred.dtype)
    return (error**2).sum(axis=1) / 2, error


def as_a_whole(y_true: Any, y_pred: Any) -> Any:
    losses, gradient = half_squared_error(y_true, y_pred)
    return losses.mean(), gradient / len(y_pred)


def squares(nn: foxnn.NeuralNetwork) -> float:
    """The sum of those of all weights, which `l2` penalises."""
    return sum(float((layer.weights**2).sum()) for layer in nn.layers)


def network(loss: Any, **options: Any) -> foxnn.NeuralNetwork:
    chosen = {"activation": "tanh", "output": "arctan", "dropout": 0.2, "seed": 3} | options
    return foxnn.neural_network([5, 37, 20, 3], loss=loss, **chosen)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"shuffle": False, "batch_size": 7},
        {"optimizer": "sgd", "learning_rate": 0.1, "validation_split": 0.3},
        {"sample_weight": RANDOM.uniform(0, 2, N) * (RANDOM.random(N) > 0.2), "batch_size": 50},
        {"validation_data": (X[:50], Y[:50]), "batch_size": 400},
        {"optimizer": foxnn.optimizers.Adam(clip_norm=0.1), "batch_size": 30},
        {"learning_rate": lambda epoch: 1e-3 * (epoch + 1)},
    ],
    ids=["plain", "unshuffled", "split", "weights", "validation", "clipped", "schedule"],
)
def test_a_copy_of_a_loss_trains_to_the_same_bits(options: dict[str, Any], dtype: str) -> None:
    ours, copied = (network(loss, dtype=dtype) for loss in ("half_squared_error", half_squared_error))
    for nn in (ours, copied):
        nn.fit(X, Y, epochs=3, verbose=False, **options)
        if "learning_rate" not in options:
            nn.partial_fit(X, Y)
    for a, b in zip(parameters(ours), parameters(copied), strict=True):
        np.testing.assert_array_equal(a, b)
    assert list(ours.history) == list(copied.history)
    for name in ours.history:
        if name != "seconds":
            rtol = 1e-5 if dtype == "float32" else 1e-12
            np.testing.assert_allclose(ours.history[name], copied.history[name], rtol=rtol)
    for nn in (ours, copied):
        nn.optimizer = foxnn.optimizers.SGD()
    assert ours.train_on_batch(X, Y) == pytest.approx(copied.train_on_batch(X, Y), rel=1e-6)


def test_regularisation_works_with_it() -> None:
    options = {"l1": 1e-3, "l2": 1e-2, "max_norm": 1.5, "input_noise": 0.1, "input_dropout": 0.1}
    ours, copied = (network(loss, **options) for loss in ("half_squared_error", half_squared_error))
    for nn in (ours, copied):
        nn.layers[1].trainable = False
        nn.fit(X, Y, epochs=3, verbose=False)
    for a, b in zip(parameters(ours), parameters(copied), strict=True):
        np.testing.assert_array_equal(a, b)
    (loss, gradients), (other, copies) = ours.loss_and_gradients(X, Y), copied.loss_and_gradients(X, Y)
    assert loss == pytest.approx(other, rel=1e-6)
    np.testing.assert_allclose(flat(gradients), flat(copies), atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"l2": 0.1}], ids=["plain", "penalised"])
@pytest.mark.parametrize("frozen", [False, True], ids=["learning", "frozen"])
@pytest.mark.parametrize("norm", [foxnn.BatchNorm(), foxnn.LayerNorm()], ids=repr)
def test_it_sees_the_moments_and_the_dropout_that_foxnns_losses_see(norm: Any, frozen: bool, options: Any) -> None:
    weights = np.random.default_rng(7).uniform(0.2, 2, N)
    ours, copied = (
        foxnn.neural_network(
            [5, 37, norm, 20, norm, 3], "tanh", "arctan", loss=loss, dtype="float64", dropout=0.2, seed=3, **options
        )
        for loss in ("half_squared_error", half_squared_error)
    )
    for nn in (ours, copied):
        nn.layers[0].trainable = not frozen
        nn.fit(X, Y, epochs=2, batch_size=30, validation_split=0.2, verbose=False)
        nn.train_on_batch(X[:40], Y[:40])
    np.testing.assert_allclose(copied.history["val_loss"], ours.history["val_loss"], rtol=1e-12)
    before = copied.get_weights()
    for a, b in zip(before, ours.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)

    (loss, gradients), (expected, others) = (nn.loss_and_gradients(X, Y, weights) for nn in (copied, ours))
    assert loss == pytest.approx(expected, rel=1e-12)
    for arrays, other in zip(gradients, others, strict=True):
        for a, b in zip(arrays, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-13)
    d_inputs = (nn.input_gradients(X, Y, weights) for nn in (copied, ours))
    np.testing.assert_allclose(*d_inputs, rtol=1e-10, atol=1e-13)
    (loss, gradient), (expected, other) = (nn.loss_and_gradient(nn.parameters, X, Y) for nn in (copied, ours))
    assert loss == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient, other, rtol=1e-10, atol=1e-13)

    evaluated = copied.evaluate(X, Y)["loss"]
    assert evaluated == pytest.approx(ours.evaluate(X, Y)["loss"], rel=1e-12)
    if isinstance(norm, foxnn.BatchNorm):  # or else the moments could have been any
        assert abs(copied.loss_and_gradients(X, Y)[0] - copied.l2 / 2 * squares(copied) - evaluated) > 1e-4
    np.testing.assert_array_equal(copied.jacobian(X[:5]), ours.jacobian(X[:5]))
    for a, b in zip(before, copied.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["huber", "mean_absolute_error", "cross_entropy", "poisson"])
def test_gradients_are_right(name: str) -> None:
    def loss(y_true: Any, y_pred: Any) -> Any:
        return LOSSES[name](y_pred, y_true), LOSS_SLOPES[name](y_pred, y_true)

    targets, weights = RANDOM.uniform(0.1, 0.9, (20, 3)), RANDOM.uniform(0, 2, 20)
    nn = foxnn.neural_network([5, 6, 3], "tanh", "softmax", loss=loss, dtype="float64", l1=0.01, l2=0.1, seed=0)
    loss_, gradients = nn.loss_and_gradients(X[:20], targets, weights)
    builtin = foxnn.neural_network([5, 6, 3], "tanh", "softmax", loss=name, dtype="float64", l1=0.01, l2=0.1, seed=0)
    expected, others = builtin.loss_and_gradients(X[:20], targets, weights)
    assert loss_ == pytest.approx(expected, rel=1e-12)
    assert relative_error(flat(gradients), flat(others)) < 1e-12
    nn.l1 = nn.l2 = 0
    _, gradients = nn.loss_and_gradients(X[:20], targets, weights)
    assert relative_error(flat(gradients), central_differences(nn, X[:20], targets, weights)) < 1e-6
    d_input = builtin.input_gradients(X[:20], targets, weights)
    assert relative_error(nn.input_gradients(X[:20], targets, weights), d_input) < 1e-12
    assert nn.loss_and_gradient(nn.parameters, X[:20], targets)[0] == nn.evaluate(X[:20], targets)["loss"]


def test_one_loss_for_the_batch_as_a_whole() -> None:
    whole, each = network(as_a_whole, dtype="float64"), network(half_squared_error, dtype="float64")
    for nn in (whole, each):
        nn.fit(X, Y, epochs=3, batch_size=40, validation_split=0.2, verbose=False)
    for a, b in zip(parameters(whole), parameters(each), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)
    np.testing.assert_allclose(whole.history["loss"], each.history["loss"], rtol=1e-12)
    np.testing.assert_allclose(whole.history["val_loss"], each.history["val_loss"], rtol=1e-12)
    whole.fit(X, Y, epochs=1, sample_weight=np.full(N, 2.0), verbose=False)
    with pytest.raises(ValueError, match="with sample weights it takes a loss for each of them"):
        whole.fit(X, Y, epochs=1, sample_weight=np.arange(N), verbose=False)


def test_a_loss_that_is_no_mean_over_samples() -> None:
    """Minus the correlation of outputs and targets in a batch."""

    def minus_correlation(y_true: Any, y_pred: Any) -> Any:
        a, b = y_pred - y_pred.mean(), y_true - y_true.mean()
        norms = np.sqrt((a**2).sum() * (b**2).sum())
        r = (a * b).sum() / norms
        return -r, -(b / norms - r * a / (a**2).sum())

    target = np.tanh(X[:, :1] + X[:, 1:2])
    nn = foxnn.neural_network([5, 20, 1], "tanh", "linear", loss=minus_correlation, dtype="float64", seed=0)
    _, gradients = nn.loss_and_gradients(X, target)
    assert relative_error(flat(gradients), central_differences(nn, X, target)) < 1e-6
    nn.fit(X, target, epochs=40, batch_size=60, learning_rate=1e-2, verbose=False)
    assert np.corrcoef(nn.predict(X)[:, 0], target[:, 0])[0, 1] > 0.97


def test_targets_come_as_they_were_given() -> None:
    """Of any shape and type, those of the batch, in the batch's order."""
    codes = np.array([f"{i}" for i in range(N)])
    seen: list[Any] = []

    def loss(y_true: Any, y_pred: Any) -> Any:
        seen.append(y_true)
        return np.zeros(len(y_pred)), np.zeros_like(y_pred)

    nn = network(loss)
    nn.fit(X, codes, epochs=1, batch_size=64, verbose=False)
    assert [len(part) for part in seen] == [64, 64, 64, 64, 44]
    assert sorted(np.concatenate(seen).tolist()) == sorted(codes.tolist())
    assert (np.concatenate(seen) != codes).any()
    seen.clear()
    nn.evaluate(X, np.zeros((N, 4, 2), np.int8))
    assert (seen[0].shape, seen[0].dtype) == ((N, 4, 2), np.int8)


def test_classes_have_an_accuracy_and_class_weights() -> None:
    def cross_entropy(y_true: Any, y_pred: Any) -> Any:
        hot = one_hot(y_true, 3)
        return -(hot * np.log(y_pred)).sum(axis=1), -hot / y_pred

    ours, copied = (network(loss, output="softmax", dtype="float64") for loss in ("cross_entropy", cross_entropy))
    for nn in (ours, copied):
        nn.fit(X, LABELS, epochs=3, class_weight={0: 2.0, 2: 0.5}, validation_split=0.2, verbose=False)
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(ours.history[name], copied.history[name], rtol=1e-9)
    assert ours.evaluate(X, LABELS)["accuracy"] == copied.evaluate(X, LABELS)["accuracy"]


def test_it_sees_numbers_in_the_users_units() -> None:
    ours, copied = (
        network(loss, output="linear", dtype="float64", scale_inputs="standard", scale_outputs=scaled)
        for loss, scaled in (("half_squared_error", None), (half_squared_error, "standard"))
    )
    copied.fit_scaling(X, Y), ours.fit_scaling(X)
    copied.layers[2].weights = ours.layers[2].weights / copied.output_scaling.spread
    copied.layers[2].bias = -copied.output_scaling.shift / copied.output_scaling.spread
    np.testing.assert_allclose(copied.predict(X), ours.predict(X), atol=1e-12)
    assert copied.evaluate(X, Y)["loss"] == pytest.approx(ours.evaluate(X, Y)["loss"], rel=1e-12)
    (_, gradients), (_, others) = copied.loss_and_gradients(X, Y), ours.loss_and_gradients(X, Y)
    np.testing.assert_allclose(gradients[0][0], others[0][0], atol=1e-12)
    np.testing.assert_allclose(gradients[2][0], others[2][0] * copied.output_scaling.spread, atol=1e-12)


def test_callbacks_progress_and_stopping() -> None:
    class Listener(foxnn.Callback):
        every = 2
        told = 0

        def on_batch_end(self, network: Any, epoch: int, batch: int, values: dict[str, float]) -> None:
            self.told += 1
            assert np.isfinite(values["loss"])

    listener = Listener()
    nn = network(half_squared_error)
    stop = foxnn.EarlyStopping("val_loss", patience=1, min_delta=10.0)
    history = nn.fit(X, Y, epochs=20, batch_size=50, validation_split=0.2, callbacks=[listener, stop], verbose=False)
    assert len(history["loss"]) == 2
    assert listener.told == 2 * (5 // 2)


@pytest.mark.parametrize("n_threads", [1, 2, 3, 8])
def test_the_same_bits_for_any_number_of_threads(n_threads: int) -> None:
    nn, other = (network(half_squared_error, n_threads=n) for n in (1, n_threads))
    nn.fit(X, Y, epochs=2, batch_size=100, verbose=False)
    other.fit(X, Y, epochs=2, batch_size=100, verbose=False)
    for a, b in zip(parameters(nn), parameters(other), strict=True):
        np.testing.assert_array_equal(a, b)


def test_files_do_not_hold_it_and_say_so(tmp_path: Path) -> None:
    nn = network(half_squared_error)
    nn.fit(X, Y, epochs=1, verbose=False)
    nn.save(tmp_path / "net.safetensors")
    loaded = foxnn.load(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(loaded.predict(X), nn.predict(X))
    for use in (loaded.fit, loaded.evaluate, loaded.train_on_batch, loaded.loss_and_gradients):
        with pytest.raises(ValueError, match=r"'half_squared_error', which files do not hold; assign it first"):
            use(X, Y)
    loaded.loss = half_squared_error
    assert loaded.evaluate(X, Y) == nn.evaluate(X, Y)
    for twin in (nn.copy(), pickle.loads(pickle.dumps(nn))):
        assert twin.loss == nn.loss
        assert state_of(twin) == state_of(nn)
        twin.fit(X, Y, epochs=1, verbose=False)
    loaded.loss = "mse"
    loaded.fit(X, Y, epochs=1, verbose=False)


def test_a_loss_that_is_not_finite_stops_training() -> None:
    class Grows:
        """Comes out as it should twice, and then times these."""

        def __init__(self, *factors: float) -> None:
            self.factors, self.calls = factors, 0

        def __call__(self, y_true: Any, y_pred: Any) -> Any:
            self.calls += 1
            losses, gradient = half_squared_error(y_true, y_pred)
            after = self.calls - 3  # those that look whether the gradient is right
            return (losses, gradient) if after < 3 else (losses * self.factors[0], gradient * self.factors[1])

    for function in (Grows(np.nan, 1), Grows(np.inf, 1), Grows(1, np.nan)):
        nn = network(function)
        with pytest.raises(foxnn.DivergenceError, match="the loss is no longer finite in epoch 0, at step 3"):
            nn.fit(X, Y, epochs=1, batch_size=10, verbose=False)
        two_steps = network(half_squared_error)
        two_steps.fit(X, Y, epochs=1, batch_size=10, callbacks=[_StopAfter(2)], verbose=False)
        for a, b in zip(parameters(nn), parameters(two_steps), strict=True):
            np.testing.assert_array_equal(a, b)


class _StopAfter(foxnn.Callback):
    def __init__(self, batches: int) -> None:
        self.every = batches

    def on_batch_end(self, network: Any, epoch: int, batch: int, values: dict[str, float]) -> None:
        network.stop_training = True


def test_what_does_not_count_may_be_anything() -> None:
    weights = np.ones(N)
    weights[::3] = 0
    missing = Y.copy()
    missing[::3] = np.nan
    nn, other = network(half_squared_error), network(half_squared_error)
    nn.fit(X, missing, epochs=2, sample_weight=weights, verbose=False)
    other.fit(X, Y, epochs=2, sample_weight=weights, verbose=False)
    for a, b in zip(parameters(nn), parameters(other), strict=True):
        np.testing.assert_array_equal(a, b)


def test_exceptions_pass_and_leave_the_last_whole_step() -> None:
    def interrupted(y_true: Any, y_pred: Any) -> Any:
        calls.append(1)
        if len(calls) == 3 + 3:  # the first three look whether the gradient is right
            raise KeyboardInterrupt
        return half_squared_error(y_true, y_pred)

    calls: list[int] = []
    nn, two_steps = network(interrupted), network(half_squared_error)
    with pytest.raises(KeyboardInterrupt):
        nn.fit(X, Y, epochs=1, batch_size=10, verbose=False)
    two_steps.fit(X, Y, epochs=1, batch_size=10, callbacks=[_StopAfter(2)], verbose=False)
    for a, b in zip(parameters(nn), parameters(two_steps), strict=True):
        np.testing.assert_array_equal(a, b)


def test_wrong_functions_are_refused_and_change_nothing() -> None:
    def returns(value: Any) -> Any:
        return lambda y_true, y_pred: value(y_pred)

    for function, error, words in (
        (returns(lambda y: 1.0), TypeError, r"has returned float; it takes \(loss, gradient\)"),
        (returns(lambda y: (np.zeros(3), y)), ValueError, r"losses of shape \(3,\); it takes \(\) or \(32,\)"),
        (returns(lambda y: (0.0, y[:, :2])), ValueError, r"a gradient of shape \(32, 2\); it takes \(32, 3\)"),
        (returns(lambda y: (0.0, None)), ValueError, r"a gradient of shape \(\)"),
    ):
        nn = network(function)
        before = parameters(nn)
        with pytest.raises(error, match=words):
            nn.fit(X, Y, epochs=1, verbose=False)
        for a, b in zip(parameters(nn), before, strict=True):
            np.testing.assert_array_equal(a, b)
    with pytest.raises(TypeError, match=r"loss: got 3; it takes a name, a foxnn\.Loss, or a function"):
        network(3)
    with pytest.raises(ValueError, match=r"y: got shape \(299,\) for 300 samples"):
        network(half_squared_error).fit(X, LABELS[1:], verbose=False)


def test_a_loss_that_changes_the_network_is_found_out() -> None:
    def meddles(y_true: Any, y_pred: Any) -> Any:
        nn.layers[0].weights = 0.5
        return half_squared_error(y_true, y_pred)

    nn = network(meddles)
    with pytest.raises(RuntimeError, match="the function has changed the network that is being trained"):
        nn.fit(X, Y, epochs=1, verbose=False)


# ---- gradients that are wrong ---------------------------------------------------------------------------------


def _sum_of_squares(y_true: Any, y_pred: Any) -> Any:
    return float(((y_pred - y_true) ** 2).sum(axis=1).mean()), 2 * (y_pred - y_true)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("function", "guess"),
    [
        (lambda t, y: (((y - t) ** 2).sum(axis=1), 2 * (t - y)), ": its sign is wrong$"),
        (_sum_of_squares, ": it is that of a sum over the samples, and the loss is their mean$"),
        (lambda t, y: (((y - t) ** 2).sum(axis=1), 2 * (y - t) / len(y)), ": it is that of the mean, and each"),
        (lambda t, y: (((y - t) ** 2).sum(axis=1), 3 * (y - t)), r", not [0-9.e+-]+$"),
    ],
    ids=["sign", "sum", "mean", "factor"],
)
def test_a_gradient_that_is_not_the_losss_is_said(function: Any, guess: str, dtype: str) -> None:
    nn = foxnn.neural_network([5, 4, 3], "tanh", "linear", loss=function, dtype=dtype, seed=0)
    with pytest.warns(
        UserWarning, match=r"^loss: .* returns a gradient that is not that of the loss.*" + guess
    ) as caught:
        nn.fit(X, Y, epochs=2, verbose=False)
    assert len(caught) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_right_gradients_are_left_in_peace(dtype: str, scale: float) -> None:
    """Smooth ones and ones with kinks, of any size; random ones; and what is not defined beside the outputs."""
    random = np.random.default_rng(0)
    losses = [
        lambda t, y: (((y - t) ** 2).sum(axis=1), 2 * (y - t)),
        lambda t, y: (np.abs(y - t).sum(axis=1), np.sign(y - t)),
        lambda t, y: (float(np.abs(y - t).mean()), np.sign(y - t) / y.size),
        lambda t, y: (np.logaddexp((y - t) / scale, (t - y) / scale).sum(axis=1), np.tanh((y - t) / scale) / scale),
        lambda t, y: (((y - t) ** 2).sum(axis=1), 2 * (y - t) * random.integers(2)),
        lambda t, y: (np.zeros(len(y)), np.zeros_like(y)),
    ]
    for function in losses:
        nn = foxnn.neural_network([5, 4, 3], "tanh", "linear", loss=function, dtype=dtype, seed=0)
        nn.fit(X, Y * scale, epochs=1, verbose=False)


def test_losses_of_other_libraries_are_refused() -> None:
    class MSELoss:
        __module__ = "torch.nn.modules.loss"

        def __call__(self, *_: Any) -> Any: ...

    with pytest.raises(TypeError, match=r"^loss: got .* of torch; it takes a name, a foxnn.Loss, or a function of two"):
        network(MSELoss())
    with pytest.raises(TypeError, match=r"^loss: got <class"):
        network(MSELoss)
