"""Promise: names of other libraries are taken where they mean the same, and answered with foxnn's where not."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foxnn

PAGE = Path(__file__).resolve().parents[1] / "docs" / "names.md"


def lines() -> list[tuple[str, str, str, list[str]]]:
    """Of the table in docs/names.md: where, a name of others, whether it is taken ("=" or "see"), and ours."""
    if not PAGE.exists():
        return []
    rows = re.findall(r"^\| (.+?) +\| (.+?) +\| (=|see) (.+?) +\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    found = []
    for where, there, how, here in rows:
        ours = re.findall(r"`([^`]+)`", here)
        found += [(where, name, how, ours) for name in re.findall(r"`([^`]+)`", there)]
    return found


def metric_of(name: str) -> str:
    metric = foxnn.metrics.Metric(name)
    assert metric.name == name  # as the user will look for it in the history
    return next(own for own, (compute, _) in foxnn.metrics._BY_NAME.items() if compute is metric._compute)


def init_of(name: str) -> str:
    given, own = (foxnn.neural_network([3, 4, 2], init=init, seed=0).parameters for init in (name, INITS[name]))
    return INITS[name] if (given == own).all() else "something else"


INITS = {name: ours[0] for where, name, how, ours in lines() if where == "init" and how == "="}

VALUES: dict[str, Callable[[str], str]] = {
    "activation": lambda name: foxnn.neural_network([2, 2, 2], activation=name).layers[0].activation.name,
    "loss": lambda name: foxnn.Loss.of(name).name,
    "metric": metric_of,
    "init": lambda name: init_of(name) if name in INITS else str(foxnn.neural_network([1, 1], init=name)),
    "optimizer": lambda name: foxnn.optimizers.get(name).name,
}


@pytest.mark.parametrize(("where", "name", "how", "ours"), [line for line in lines() if line[0] in VALUES])
def test_the_table_of_values(where: str, name: str, how: str, ours: list[str]) -> None:
    if how == "=":
        assert VALUES[where](name) == ours[0]
        return
    with pytest.raises(ValueError, match=re.escape(ours[0])) as raised:
        VALUES[where](name)
    assert str(raised.value).startswith(f"{where.replace('metric', 'metrics')}: got {name!r}; foxnn has ")


X, Y = np.linspace(-1, 1, 8).reshape(4, 2), np.array([0, 1, 1, 0])


def network() -> foxnn.NeuralNetwork:
    return foxnn.neural_network([2, 3, 1], seed=0)


#: How to call what a line of the table names with one more argument.
CALLS: dict[str, Callable[..., Any]] = {
    "neural_network()": lambda **more: foxnn.neural_network(**({} if "sizes" in more else {"sizes": [2, 1]}), **more),
    "fit()": lambda **more: network().fit(X, Y, **more),
    "EarlyStopping()": lambda **more: foxnn.EarlyStopping(**more),
    "ModelCheckpoint()": lambda **more: foxnn.callbacks.ModelCheckpoint("net.safetensors", **more),
    "Adam()": lambda **more: foxnn.optimizers.Adam(**more),
    "RMSprop()": lambda **more: foxnn.optimizers.RMSprop(**more),
    "SGD()": lambda **more: foxnn.optimizers.SGD(**more),
    "Step()": lambda **more: foxnn.schedules.Step(0.1, **more),
    "Cosine()": lambda **more: foxnn.schedules.Cosine(0.1, **more),
    "save()": lambda **more: network().save(**more),
    "to_onnx()": lambda **more: network().to_onnx(**more),
    "load()": lambda **more: foxnn.load(**more),
    "MLPClassifier()": lambda **more: foxnn.MLPClassifier(**more),
}


@pytest.mark.parametrize(("where", "name", "how", "ours"), [line for line in lines() if line[0] in CALLS])
def test_the_table_of_arguments(where: str, name: str, how: str, ours: list[str]) -> None:
    if where == "MLPClassifier()":
        pytest.importorskip("sklearn")
    with pytest.raises(TypeError, match=re.escape(f"{where} has no {name!r}; ")) as raised:
        CALLS[where](**{name: 1})
    assert ours[0] in str(raised.value)
    assert raised.value.__context__ is None  # nothing but this is shown


def things() -> dict[str, Any]:
    nn = network()
    history = nn.fit(X, Y, epochs=1)
    modules = ("optimizers", "losses", "metrics", "activations", "initializers", "schedules", "callbacks")
    return {
        "nn.": nn,
        "layer.": nn.layers[0],
        "optimizer.": nn.optimizer,
        "history.": history,
        "foxnn.": foxnn,
        **{f"foxnn.{name}.": getattr(foxnn, name) for name in modules},
    }


@pytest.mark.parametrize(("where", "name", "how", "ours"), [line for line in lines() if line[0].endswith(".")])
def test_the_table_of_attributes(where: str, name: str, how: str, ours: list[str]) -> None:
    thing = things()[where]
    if how == "=":
        assert hasattr(thing, name)
        return
    assert not hasattr(thing, name)
    assert name not in dir(thing)
    use = getattr if where.startswith("foxnn.") else lambda thing, name: setattr(thing, name, 1)
    with pytest.raises(AttributeError) as raised:
        use(thing, name)
    assert ours[0] in str(raised.value)
    if where == "nn.":
        with pytest.raises(AttributeError, match=re.escape(str(raised.value))):
            getattr(thing, name)


def test_every_line_of_the_table_is_tried() -> None:
    if not PAGE.exists():
        pytest.skip("needs the repository")
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|")][2:]
    assert all(re.fullmatch(r"\| (.+?) +\| (`[^`]+`(, )?)+ +\| (=|see) `[^`]+`.* \|", row) for row in rows)
    assert len(rows) > 150
    assert {line[0] for line in lines()} == VALUES.keys() | CALLS.keys() | things().keys()


def test_signatures_are_seen() -> None:
    import inspect

    assert "learning_rate" in inspect.signature(foxnn.NeuralNetwork.fit).parameters
    assert list(inspect.signature(foxnn.optimizers.Adam).parameters)[:2] == ["learning_rate", "beta1"]
    assert (foxnn.NeuralNetwork.fit.__doc__ or "").startswith("Train for")


def test_errors_from_inside_are_left_as_they_are() -> None:
    with pytest.raises(TypeError, match=r"^epochs: got 'many'"):
        network().fit(X, Y, epochs="many")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'X'"):
        network().fit()  # type: ignore[call-arg]


def test_activations_of_all_layers_in_one_list() -> None:
    nn = foxnn.neural_network([2, 3, 4, 3], activation=["relu", "tanh", "softmax"])
    assert [layer.activation.name for layer in nn.layers] == ["relu", "tanh", "softmax"]
    assert nn.loss == "cross_entropy"
    with pytest.raises(ValueError, match=r"^activation: got 3 of them; it takes one for each of the 2 hidden layers"):
        foxnn.neural_network([2, 3, 4, 3], activation=["relu", "tanh", "softmax"], output="softmax")


def test_probabilities() -> None:
    one, two = network(), foxnn.neural_network([2, 3], output="softmax", seed=0)
    p = one.predict(X)
    assert (one.predict_proba(X) == np.hstack([1 - p, p])).all()
    assert one.predict_proba(X[0]).shape == (2,)
    assert (two.predict_proba(X) == two.predict(X)).all()
    several = foxnn.neural_network([2, 3], output="sigmoid", seed=0)  # questions of their own
    assert (several.predict_proba(X) == several.predict(X)).all()
    with pytest.raises(ValueError, match=r"^predict_proba: outputs of 'linear' are no probabilities"):
        foxnn.neural_network([2, 1], output="linear").predict_proba(X)


def test_the_learning_rate_of_the_optimizer() -> None:
    nn, twin = network(), network()
    nn.learning_rate, twin.optimizer = 0.25, foxnn.optimizers.Adam(0.25)
    for other in (nn, twin):
        other.train_on_batch(X, Y)
    assert nn.learning_rate == 0.25
    assert (nn.parameters == twin.parameters).all()
    for wrong in (-1.0, "fast", 1e-50):
        with pytest.raises((TypeError, ValueError), match=r"^learning_rate: got"):
            nn.learning_rate = wrong  # type: ignore[assignment]
    assert nn.learning_rate == 0.25


def test_a_batch_is_evaluated() -> None:
    nn = network()
    before = nn.parameters
    assert nn.test_on_batch(X, Y, [1, 2, 3, 4]) == nn.evaluate(X, Y, [1, 2, 3, 4])["loss"]
    assert (nn.parameters == before).all()


def keras_rates(losses: list[float], factor: float, patience: int, cooldown: int, least: float) -> list[float]:
    """Rates after each epoch, by the rules of keras.callbacks.ReduceLROnPlateau.on_epoch_end."""
    best, wait, cooling, rate, rates = np.inf, 0, 0, 0.5, []
    for loss in losses:
        if cooling > 0:
            cooling -= 1
            wait = 0
        if loss < best - 1e-4:
            best, wait = loss, 0
        elif cooling <= 0:
            wait += 1
            if wait >= patience and rate > least:
                rate, cooling, wait = max(rate * factor, least), cooldown, 0
        rates.append(rate)
    return rates


@pytest.mark.parametrize("patience", [0, 1, 2, 3])
@pytest.mark.parametrize("cooldown", [0, 1, 2, 4])
def test_rates_fall_on_plateaus_as_in_keras(patience: int, cooldown: int) -> None:
    losses = [*np.random.default_rng(3).integers(1, 9, 40).astype(float), *[1.0] * 20]
    nn, found = network(), []
    reduce = foxnn.callbacks.ReduceLROnPlateau("loss", 0.5, patience, cooldown=cooldown, min_lr=1e-3)
    nn.learning_rate = 0.5
    reduce.on_train_begin(nn, len(losses), None)
    for epoch, loss in enumerate(losses):
        reduce.on_epoch_end(nn, epoch, {"loss": loss})
        found.append(nn.learning_rate)
    assert found == keras_rates(losses, 0.5, patience, cooldown, 1e-3)


def test_reducing_rates_needs_a_number() -> None:
    reduce = foxnn.callbacks.ReduceLROnPlateau()
    with pytest.raises(
        ValueError, match=r"^learning_rate: got Cosine.*foxnn.schedules.ReduceOnPlateau takes schedules"
    ):
        network().fit(X, Y, learning_rate=foxnn.schedules.Cosine(0.1), callbacks=[reduce])


def test_own_classes_may_have_any_attribute() -> None:
    class Net(foxnn.NeuralNetwork):
        def __init__(self) -> None:
            super().__init__([2, 3, 1])
            self.lr, self.mine = 0.5, {"a": 1}

    class Watch(foxnn.Callback):
        def on_epoch_end(self, network: foxnn.NeuralNetwork, epoch: int, values: dict[str, float]) -> None:
            self.last = values

    class Halves(foxnn.schedules.Schedule):
        def __init__(self) -> None:
            self.half = 0.5

        def at(self, steps: Any, pace: Any) -> Any:
            return self.half ** (1 + steps)

    class Fast(foxnn.optimizers.Adam):
        def __init__(self) -> None:
            super().__init__(Halves())
            self.mine = 1

    nn, watch = Net(), Watch()
    nn.fit(X, Y, epochs=2, optimizer=Fast(), callbacks=[watch])
    assert (nn.lr, nn.copy().mine, watch.last["learning_rate"]) == (0.5, {"a": 1}, 0.25)


@pytest.mark.parametrize(
    ("make", "name", "message"),
    [
        (network, "optmizer", "neural_network has no attribute 'optmizer'; did you mean 'optimizer'?"),
        (lambda: network().layers[0], "trainabel", "Layer has no attribute 'trainabel'; did you mean 'trainable'?"),
        (lambda: foxnn.EarlyStopping(), "restore_best_weights", "EarlyStopping has no attribute .*'restore_best'"),
        (lambda: foxnn.callbacks.ModelCheckpoint("x.safetensors"), "filepath", "did you mean 'path'"),
        (lambda: foxnn.schedules.Cosine(0.1), "eta_min", "Cosine has no attribute 'eta_min'; did you mean 'minimum'?"),
        (lambda: foxnn.optimizers.Adam(), "clipnorm", "Adam has no attribute 'clipnorm'; did you mean 'clip_norm'?"),
        (lambda: foxnn.optimizers.Adam(), "beta1", r"Adam.beta1 cannot be changed; make another .*Adam\(beta1=...\)"),
        (lambda: foxnn.optimizers.Adam(), "hyper", "has no setter|can't set"),
        (lambda: foxnn.metrics.Metric("f1"), "average", "Metric has no attribute 'average'"),
        (lambda: foxnn.History(), "epoch", "History has no attribute 'epoch'; did you mean 'epochs'?"),
        (lambda: foxnn.Activation("elu"), "name", "Activation.name cannot be changed; make another one"),
        (lambda: foxnn.Activation("elu"), "alpha", "Activation has no attribute 'alpha'"),
        (lambda: foxnn.Loss("huber"), "parameters", "Loss.parameters cannot be changed; make another one"),
        (lambda: foxnn.Loss.of(print), "label", "CustomLoss.label cannot be changed; make another one"),
        (lambda: foxnn.BatchNorm(), "momentum", "BatchNorm.momentum cannot be changed; make another one"),
        (lambda: foxnn.BatchNorm(), "eps", "BatchNorm has no attribute 'eps'; did you mean 'epsilon'?"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_attributes_that_there_are_not(make: Callable[[], Any], name: str, message: str) -> None:
    thing = make()
    before = repr(thing)
    with pytest.raises(AttributeError, match=message):
        setattr(thing, name, 1)
    assert repr(thing) == before


def test_hyper_parameters_are_to_read() -> None:
    adam = foxnn.optimizers.Adam(beta1=0.5)
    with pytest.raises(TypeError, match="does not support item assignment"):
        adam.hyper["beta1"] = 0.25  # type: ignore[index]
    assert adam.hyper["beta1"] == 0.5


@pytest.mark.parametrize(
    "value", [foxnn.Activation("elu", alpha=2), foxnn.Loss("huber", delta=2), foxnn.Loss.of(print)]
)
def test_parameters_of_values_are_to_read(value: Any) -> None:
    before = repr(value)
    with pytest.raises(TypeError, match="does not support item assignment"):
        value.parameters["alpha"] = 0.25
    for twin in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert (repr(twin), twin, twin.parameters) == (before, value, value.parameters)


@pytest.mark.parametrize("rate", ["fast", -1.0, float("nan")])
def test_a_learning_rate_is_checked_when_it_is_assigned(rate: Any) -> None:
    adam = foxnn.optimizers.Adam()
    with pytest.raises((TypeError, ValueError), match=r"^learning_rate: got"):
        adam.learning_rate = rate
    assert adam == foxnn.optimizers.Adam()


def test_clipping_is_checked_when_it_is_assigned() -> None:
    adam = foxnn.optimizers.Adam(clip_norm=1)
    for value in ("much", -1.0, 0.0, float("nan")):
        with pytest.raises((TypeError, ValueError), match=r"^clip_norm: got"):
            adam.clip_norm = value  # type: ignore[assignment]
    with pytest.raises(ValueError, match=r"^clip_value: got 2 besides clip_norm=1.0; it takes one of the two"):
        adam.clip_value = 2
    assert adam == foxnn.optimizers.Adam(clip_norm=1)
    adam.clip_norm, adam.clip_value = None, 2
    assert adam == foxnn.optimizers.Adam(clip_value=2)


def test_things_are_copied_and_pickled_whole() -> None:
    things = [
        *(foxnn.optimizers.Adam(0.5, clip_norm=1), foxnn.Loss("huber", delta=2), foxnn.Activation("elu", alpha=2)),
        *(foxnn.BatchNorm(0.5), foxnn.schedules.Cosine(0.1, epochs=3)),
    ]
    for thing in things:
        assert copy.copy(thing) == copy.deepcopy(thing) == pickle.loads(pickle.dumps(thing)) == thing


@pytest.mark.parametrize(
    ("give", "near"),
    [
        (lambda: foxnn.neural_network([2, 2, 2], activation="LeekyReLU"), "leaky_relu"),
        (lambda: foxnn.Loss("MeanSquaredEror"), "mean_squared_error"),
        (lambda: foxnn.metrics.Metric("f1score2"), "f1_score"),
        (lambda: foxnn.neural_network([1, 1], init="kaimin"), "kaiming"),
        (lambda: foxnn.optimizers.get("RMSpropp"), "rmsprop"),
    ],
)
def test_the_nearest_name_is_found_in_any_spelling(give: Callable[[], Any], near: str) -> None:
    with pytest.raises(ValueError, match=f"did you mean '{near}'"):
        give()


def test_a_name_in_another_spelling_is_equal_to_it() -> None:
    nn = foxnn.neural_network([2, 2, 2], activation="ReLU", output="softmax")
    assert nn.layers[0].activation == "RELU"
    assert nn.layers[0].activation != "PReLU"
    assert nn.loss == "CategoricalCrossentropy"
    assert nn.loss != "CrossEntropyLoss"


def test_the_root_of_the_mean_squared_error() -> None:
    nn = foxnn.neural_network([1, 2], output="linear", init=[[[1.0, 2.0]]])
    x, y = np.array([[1.0], [2.0]]), np.array([[1.0, 0.0], [0.0, 4.0]])
    found = nn.evaluate(x, y, metrics=["RMSE", "mse"])
    assert found["RMSE"] == pytest.approx(np.sqrt(found["mse"])) == pytest.approx(np.sqrt((0 + 4 + 4 + 0) / 4))


def test_a_metric_under_another_name_is_watched_the_right_way() -> None:
    x = np.linspace(-1, 1, 40)
    nn = foxnn.neural_network([1, 4, 1], seed=0)
    stop = foxnn.EarlyStopping("val_acc", patience=2)
    history = nn.fit(
        x, x > 0, validation_data=(x, x > 0), epochs=20, metrics=["acc"], callbacks=[stop], learning_rate=0.1
    )
    assert stop.best == max(history["val_acc"])
    assert history["val_acc"] == history["val_accuracy"]


def test_estimators_take_them_too() -> None:
    pytest.importorskip("sklearn")
    x = np.linspace(-1, 1, 40)[:, None]
    names = {"activation": "ReLU", "max_iter": 5, "random_state": 0, "tol": 0.0}
    own = {**names, "activation": "relu"}
    with pytest.warns(Warning, match="Maximum iterations"):
        models = [foxnn.MLPRegressor(loss, **n).fit(x, x[:, 0]) for loss, n in (("L1", names), ("mae", own))]
    with pytest.warns(Warning, match="Maximum iterations"):
        models += [foxnn.MLPRegressor(loss, **own).fit(x, x[:, 0]) for loss in ("SquaredError", "squared_error")]
    predictions = [model.predict(x) for model in models]
    assert (predictions[0] == predictions[1]).all()
    assert (predictions[2] == predictions[3]).all()
