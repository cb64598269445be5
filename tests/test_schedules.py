"""Learning-rate schedules: the rates of the papers and of PyTorch, at every step, whoever looks in between."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import foxnn
from foxnn import schedules
from foxnn.schedules import (
    Constant,
    Cosine,
    Exponential,
    Function,
    InverseScaling,
    LinearWarmup,
    OneCycle,
    Pace,
    ReduceOnPlateau,
    Scaled,
    Schedule,
    Step,
)

RNG = np.random.default_rng(5)
X = RNG.standard_normal((60, 4))
Y = RNG.standard_normal((60, 2))
BATCH, STEPS = 16, 4  # of an epoch

EXAMPLES: list[Schedule] = [
    Constant(0.01),
    Step(0.02, 0.5, epochs=2),
    Step(0.02, 0.5, steps=[3, 5, 11]),
    Exponential(0.02, 0.8),
    Cosine(0.02),
    Cosine(0.02, steps=3, restarts=True, stretch=1.5, minimum=0.001),
    LinearWarmup(Cosine(0.02), steps=5, start=0.1),
    OneCycle(0.05),
    InverseScaling(0.02, 0.7, steps=3),
    ReduceOnPlateau(Cosine(0.02), factor=0.3, patience=0, min_delta=10),
    Scaled(Exponential(0.02, 0.8), 0.5),
]


def network() -> foxnn.NeuralNetwork:
    return foxnn.neural_network([4, 5, 2], activation="tanh", output="linear", dtype="float64", dropout=0.2, seed=3)


def weights(nn: foxnn.NeuralNetwork) -> bytes:
    return b"".join(layer.weights.tobytes() + layer.bias.tobytes() for layer in nn.layers)


# ---- the rates ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "rate"),
    [
        (Constant(0.3), lambda t: 0.3),
        (Step(0.3, 0.5, epochs=2), lambda t: 0.3 * 0.5 ** (t // 2)),
        (Step(0.3, 0.5, steps=15), lambda t: 0.3 * 0.5 ** (round(t * 10) // 15)),
        (Step(0.3, 0.5, epochs=[3, 1]), lambda t: 0.3 * 0.5 ** ((t >= 1) + (t >= 3))),
        (Exponential(0.3, 0.5, epochs=3), lambda t: 0.3 * 2 ** (-t / 3)),
        (Cosine(0.3, minimum=0.1), lambda t: 0.1 + 0.2 * math.cos(math.pi * t / 5 / 2) ** 2),
        (Cosine(0.3, epochs=2), lambda t: 0.3 * math.cos(math.pi * min(t, 2) / 4) ** 2),
        (Cosine(0.3, epochs=1, restarts=True), lambda t: 0.3 * math.cos(math.pi * (t % 1) / 2) ** 2),
        (LinearWarmup(0.3, epochs=2, start=0.2), lambda t: 0.3 * (0.2 + 0.8 * min(t, 2) / 2)),
        (LinearWarmup(Cosine(0.3), epochs=2), lambda t: 0.3 * min(t / 2, math.cos(math.pi * max(t - 2, 0) / 6) ** 2)),
        (InverseScaling(0.3, 0.5, epochs=0.5), lambda t: 0.3 / math.sqrt(1 + 2 * t)),
        (Scaled(Exponential(0.3, 0.5), 2), lambda t: 0.6 * 0.5**t),
        (Function(lambda epoch: [0.1, 0.3, 0.2, 0.4, 0.1][epoch]), lambda t: [0.1, 0.3, 0.2, 0.4, 0.1][int(t)]),
        (Function(lambda step: 1 / (1 + step), per="step"), lambda t: 1 / (1 + round(10 * t))),
    ],
)  # fmt: skip
def test_closed_forms(schedule: Schedule, rate: Callable[[float], float]) -> None:
    expected = [rate(step / 10) for step in range(50)]
    np.testing.assert_allclose(schedule.rates(epochs=5, steps_per_epoch=10), expected, rtol=1e-12, atol=1e-15)


def torch_rates(make: Callable[[Any, Any], Any], n: int, rate: float, losses: list[float] | None = None) -> list[float]:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    scheduler = make(torch.optim.lr_scheduler, optimizer)
    found = []
    for i in range(n):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(*([] if losses is None else [losses[i]]))
    return found


@pytest.mark.parametrize(
    ("schedule", "make"),
    [
        (Step(0.3, 0.5, steps=7), lambda s, o: s.StepLR(o, 7, 0.5)),
        (Step(0.3, 0.2, steps=[4, 11, 12]), lambda s, o: s.MultiStepLR(o, [4, 11, 12], 0.2)),
        (Exponential(0.3, 0.9, steps=1), lambda s, o: s.ExponentialLR(o, 0.9)),
        (Cosine(0.3, steps=40, minimum=0.01), lambda s, o: s.CosineAnnealingLR(o, 40, 0.01)),
        (
            Cosine(0.3, steps=7, restarts=True, minimum=0.01),
            lambda s, o: s.CosineAnnealingWarmRestarts(o, 7, 1, 0.01),
        ),
        (Cosine(0.3, steps=3, restarts=True, stretch=2), lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, 2)),
        (Cosine(0.3, steps=1, restarts=True, stretch=3), lambda s, o: s.CosineAnnealingWarmRestarts(o, 1, 3)),
        (LinearWarmup(0.3, steps=6, start=0.25), lambda s, o: s.LinearLR(o, 0.25, 1, 6)),
        (
            LinearWarmup(Exponential(0.3, 0.9, steps=1), steps=6, start=0.25),
            lambda s, o: s.SequentialLR(o, [s.LinearLR(o, 0.25, 1, 6), s.ExponentialLR(o, 0.9)], [6]),
        ),
        (OneCycle(0.3), lambda s, o: s.OneCycleLR(o, 0.3, total_steps=41)),
        (
            OneCycle(0.3, rise=0.45, start=0.1, end=0.001),
            lambda s, o: s.OneCycleLR(o, 0.3, total_steps=41, pct_start=0.45, div_factor=10, final_div_factor=100),
        ),
        (InverseScaling(0.3, 0.6, steps=1), lambda s, o: s.LambdaLR(o, lambda t: (1 + t) ** -0.6)),
    ],
)  # fmt: skip
def test_pytorch_has_the_same_rates(schedule: Schedule, make: Callable[[Any, Any], Any]) -> None:
    expected = torch_rates(make, 40, 0.3)
    np.testing.assert_allclose(schedule.rates(epochs=1, steps_per_epoch=41)[:40], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize(("patience", "cooldown", "minimum"), [(0, 0, 0.0), (2, 0, 0.01), (1, 3, 0.0)])
def test_pytorch_reduces_on_the_same_plateaus(mode: str, patience: int, cooldown: int, minimum: float) -> None:
    losses = list(np.random.default_rng(1).standard_normal(60).cumsum() * 0.1)
    expected = torch_rates(
        lambda s, o: s.ReduceLROnPlateau(
            o, mode, 0.5, patience, threshold=0.02, threshold_mode="abs", cooldown=cooldown, min_lr=minimum, eps=0
        ),
        60,
        0.3,
        losses,
    )
    schedule = ReduceOnPlateau(
        0.3, "loss", 0.5, patience, min_delta=0.02, cooldown=cooldown, minimum=minimum, mode=mode
    ).begin()
    found = []
    for loss in losses:
        found.append(schedule.at(np.zeros(1), Pace(1, None))[0])
        schedule.observe({"loss": loss})
    assert len(set(found)) > 2
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_scikit_learn_has_the_same_inverse_scaling() -> None:
    sklearn = pytest.importorskip("sklearn.neural_network._stochastic_optimizers")
    optimizer = sklearn.SGDOptimizer([np.zeros(1)], learning_rate_init=0.3, lr_schedule="invscaling", power_t=0.4)
    rates = InverseScaling(0.3, 0.4, epochs=1 / 60).rates(epochs=5, steps_per_epoch=STEPS)
    for epoch in range(1, 5):
        optimizer.iteration_ends(epoch * 60)
        assert rates[epoch * STEPS] == pytest.approx(optimizer.learning_rate, rel=1e-12)


# ---- in training --------------------------------------------------------------------------------------------


def step_by_step(rates: Any) -> foxnn.NeuralNetwork:
    """One call of `fit` for each step, with the rate of that step, on the batches of a `fit` that does not shuffle."""
    nn = network()
    nn.dropout = 0
    for step, rate in enumerate(rates):
        batch = slice(step % STEPS * BATCH, (step % STEPS + 1) * BATCH)
        nn.fit(X[batch], Y[batch], epochs=1, batch_size=BATCH, optimizer="momentum", learning_rate=float(rate),
               shuffle=False)  # fmt: skip
    return nn


@pytest.mark.parametrize("schedule", EXAMPLES, ids=repr)
def test_every_step_has_its_rate(schedule: Schedule) -> None:
    """The same bits as steps taken one by one with these rates."""
    nn = network()
    nn.dropout = 0
    history = nn.fit(X, Y, epochs=3, batch_size=BATCH, optimizer="momentum", learning_rate=schedule, shuffle=False)
    rates = schedule.rates(epochs=3, steps_per_epoch=STEPS)
    if isinstance(schedule, ReduceOnPlateau):  # with these options it reduces after every epoch but the first
        rates[2 * STEPS :] *= 0.3
    assert history["learning_rate"] == pytest.approx(rates[STEPS - 1 :: STEPS], rel=1e-12)
    assert weights(nn) == weights(step_by_step(rates))


@pytest.mark.parametrize("schedule", EXAMPLES, ids=repr)
def test_chunks_do_not_show(schedule: Schedule, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bits are the same if Python takes over after every step, and if rates are computed three at a time."""
    first, second = network(), network()
    first.fit(X, Y, epochs=3, batch_size=BATCH, learning_rate=schedule)
    monkeypatch.setattr("foxnn.training.loop.CHUNK_SECONDS", 1e-9)
    monkeypatch.setattr("foxnn.schedules.rates._BLOCK", 3)
    second.fit(X, Y, epochs=3, batch_size=BATCH, learning_rate=schedule)
    assert weights(first) == weights(second)


def test_a_schedule_costs_no_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """One call into the core for an epoch, as without a schedule."""
    from foxnn.training import loop

    calls = []
    steps = loop.one_call
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 1000)
    monkeypatch.setattr(loop, "one_call", lambda *args: calls.append(args) or steps(*args))
    network().fit(X, Y, epochs=2, batch_size=1, learning_rate=Cosine(0.01))
    assert len(calls) == 2


def test_a_schedule_begins_with_fit_and_goes_on_with_partial_fit() -> None:
    schedule = Exponential(0.1, 0.5, steps=1)
    nn = network()
    assert nn.fit(X, Y, epochs=1, batch_size=BATCH, learning_rate=schedule)["learning_rate"] == [0.1 / 8]
    assert nn.fit(X, Y, epochs=1, batch_size=BATCH, learning_rate=schedule)["learning_rate"] == [0.1 / 8]
    nn = network()
    nn.optimizer = foxnn.optimizers.SGD(schedule)
    for _ in range(2):
        nn.partial_fit(X, Y, batch_size=BATCH)
    assert nn.history["learning_rate"] == [0.1 / 128]
    nn.train_on_batch(X, Y)
    assert nn._rate == 0.1 / 256


def test_one_schedule_serves_many_trainings() -> None:
    """What it keeps in mind belongs to the training."""
    schedule = LinearWarmup(ReduceOnPlateau(0.1, patience=0, min_delta=100), steps=1)
    rates = [network().fit(X, Y, epochs=3, learning_rate=schedule)["learning_rate"] for _ in range(2)]
    assert rates[0] == rates[1] == pytest.approx([0.1, 0.1, 0.01])


def test_a_callback_may_change_the_rate_or_the_schedule() -> None:
    class Change(foxnn.Callback):
        def on_epoch_begin(self, network: Any, epoch: int) -> None:
            network.optimizer.learning_rate = [Exponential(0.1, 0.5, epochs=1), 0.25, lambda e: 0.5 + e][epoch]

    history = network().fit(X, Y, epochs=3, batch_size=60, callbacks=[Change()], optimizer="sgd")
    assert [epoch.get("learning_rate") for epoch in history.epochs] == [0.1, None, 2.5]


def test_where_nobody_knows_the_length() -> None:
    """A schedule that has to know it says so, and what to do; nothing has changed."""
    nn = network()
    nn.optimizer = foxnn.optimizers.SGD(Cosine(0.1))
    before = weights(nn)
    for train in (nn.train_on_batch, nn.partial_fit):
        with pytest.raises(ValueError, match=r"how many steps the training takes.*steps="):
            train(X, Y)
    nn.optimizer = foxnn.optimizers.SGD(Step(0.1, epochs=2))
    with pytest.raises(ValueError, match="how many steps an epoch has"):
        nn.train_on_batch(X, Y)
    assert weights(nn) == before


@pytest.mark.parametrize("bad", [lambda epoch: -1.0, lambda epoch: float("nan"), lambda epoch: "fast"])
def test_functions_have_to_return_rates(bad: Any) -> None:
    nn = network()
    with pytest.raises((ValueError, TypeError), match="learning_rate: got"):
        nn.fit(X, Y, learning_rate=bad)
    nn.fit(X, Y, epochs=1)

    class Bad(Schedule):
        def at(self, steps: Any, pace: Pace) -> Any:
            return bad(0) * np.ones(len(steps)) if not isinstance(bad(0), str) else np.ones(3 * len(steps))

    with pytest.raises(ValueError, match="learning_rate: Bad"):
        nn.fit(X, Y, learning_rate=Bad())


def test_a_function_hears_of_the_epochs_that_there_are() -> None:
    heard: list[int] = []
    network().fit(X, Y, epochs=3, batch_size=BATCH, learning_rate=lambda epoch: heard.append(epoch) or 0.1)
    assert heard == [0, 1, 2]


# ---- what can be given, saved and compared ------------------------------------------------------------------


@pytest.mark.parametrize("schedule", EXAMPLES, ids=repr)
def test_schedules_survive_json_and_files(schedule: Schedule, tmp_path: Any) -> None:
    again = schedules.get(json.loads(json.dumps(schedule.config)))
    assert again == schedule
    assert (again.rates(3, 20) == schedule.rates(3, 20)).all()
    assert eval(repr(schedule)) == schedule
    nn = network()
    nn.fit(X, Y, epochs=1, learning_rate=schedule)
    nn.save(tmp_path / "net.safetensors")
    for other in (foxnn.load(tmp_path / "net.safetensors"), nn.copy()):
        assert other.optimizer == nn.optimizer
        assert other.optimizer.learning_rate == schedule


@pytest.mark.parametrize(
    "rate",
    [lambda epoch: 0.1 / (1 + epoch), LinearWarmup(Function(lambda step: 0.1 / (1 + step // 4), "step"), steps=1)],
)
def test_files_hold_the_rate_of_the_moment_of_functions(rate: Any, tmp_path: Any) -> None:
    nn = network()
    nn.fit(X, Y, epochs=2, batch_size=BATCH, learning_rate=rate)
    nn.save(tmp_path / "net.safetensors")
    assert foxnn.load(tmp_path / "net.safetensors").optimizer.learning_rate == nn.history["learning_rate"][-1] == 0.05


def test_every_schedule_has_an_example_here() -> None:
    assert {schedule.name for schedule in EXAMPLES} == set(schedules.names())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Step(0.1), "epochs: Step needs a duration"),
        (lambda: Cosine(0.1, epochs=1, steps=1), "steps: got 1 besides epochs"),
        (lambda: Cosine(0.1, epochs=0), r"epochs: got 0; it takes a number in \(0, inf"),
        (lambda: Cosine(0.1, stretch=0.5), "stretch: got 0.5"),
        (lambda: OneCycle(0.1, rise=1), "rise: got 1"),
        (lambda: Constant(-1), "learning_rate: got -1"),
        (lambda: LinearWarmup(-1, steps=2), "learning_rate: got -1"),
        (lambda: ReduceOnPlateau(0.1, factor=1), "factor: got 1"),
        (lambda: ReduceOnPlateau(0.1, mode="up"), "mode: unknown name 'up'.*min, max, auto"),
        (lambda: Function(lambda e: 0.1, per="year"), "per: unknown name 'year'.*epoch, step"),
        (lambda: schedules.get({"schedule": "cosinus"}), "schedule: unknown name 'cosinus'.*did you mean 'cosine'"),
        (lambda: schedules.get({"schedule": "cosine", "rate": 1}), "cosine parameter: unknown name 'rate'"),
        (lambda: foxnn.optimizers.Adam({"schedule": "step", "learning_rate": 1}), "needs a duration"),
    ],
)
def test_what_cannot_be(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_class_is_not_a_function_of_the_epoch() -> None:
    """It could be called with the number of the epoch as its rate."""
    nn = foxnn.neural_network([2, 1], seed=0)
    for take in (
        lambda: nn.fit(np.zeros((3, 2)), np.zeros(3), learning_rate=Cosine),
        lambda: foxnn.optimizers.SGD(Cosine),
    ):
        with pytest.raises(TypeError, match=r"learning_rate: got the class Cosine; it takes .*Cosine\(1e-3\)"):
            take()


def test_estimators_take_schedules() -> None:
    sklearn = pytest.importorskip("sklearn")
    y = (Y[:, 0] > 0).astype(int)
    given: dict[str, Any] = {
        "hidden_layer_sizes": (5,),
        "max_iter": 4,
        "batch_size": BATCH,
        "random_state": 0,
        "tol": 0,
    }
    rates = []

    class Note(foxnn.Callback):
        def on_epoch_end(self, network: Any, epoch: int, values: dict[str, float]) -> None:
            rates.append(values["learning_rate"])

    schedule = Exponential(0.1, 0.5)
    expected = list(schedule.rates(4, STEPS)[STEPS - 1 :: STEPS])
    with pytest.warns(sklearn.exceptions.ConvergenceWarning):
        foxnn.MLPClassifier(learning_rate=schedule, callbacks=[Note()], **given).fit(X, y)
    assert rates == expected
    model = sklearn.clone(foxnn.MLPClassifier(learning_rate=schedule, callbacks=[Note()], **given))
    for _ in range(4):  # goes on where it was
        model.partial_fit(X, y, classes=[0, 1])
    assert rates == 2 * expected
    with pytest.warns(sklearn.exceptions.ConvergenceWarning):
        foxnn.MLPRegressor(solver=foxnn.optimizers.SGD(schedule), callbacks=[Note()], **given).fit(X, y)
    assert rates == 3 * expected
    with pytest.raises(ValueError, match="learning_rate: got 'adaptive' besides the schedule of solver"):
        foxnn.MLPRegressor(solver=foxnn.optimizers.SGD(schedule), learning_rate="adaptive", **given).fit(X, y)


def test_no_rates_are_computed_beyond_the_end() -> None:
    """They might be too large for numbers, as those of a rate that grows."""
    schedule = Exponential(1e-9, 10.0, steps=1)
    history = network().fit(X, Y, epochs=2, batch_size=BATCH, learning_rate=schedule)
    assert history["learning_rate"] == pytest.approx([1e-6, 1e-2])
