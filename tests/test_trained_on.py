"""A network that was trained on uint8, read as x / 255, warns of the same pixels in other types, and vice versa."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foxnn

RNG = np.random.default_rng(10)
N, N_IN = 40, 12
PIXELS = RNG.integers(0, 256, (N, N_IN)).astype(np.uint8)
PIXELS[:, 0] = 255
LABELS = RNG.integers(0, 3, N)
#: The pixels in types that are read as they are.
OTHERS: dict[str, Any] = {
    "int64": PIXELS.astype(np.int64),
    "int16": PIXELS.astype(np.int16),
    "float16": PIXELS.astype(np.float16),
    "float32": PIXELS.astype(np.float32),
    "float64": PIXELS.astype(np.float64),
    "other bytes": PIXELS.astype(">i4"),
    "columns": np.asfortranarray(PIXELS.astype(np.float64)),
    "lists": PIXELS.tolist(),
    "images": PIXELS.astype(np.float32).reshape(N, 1, 3, 4),
}
FLOATS = OTHERS["float32"]
HIGH, U8 = "got numbers up to 255, which are read as they are", "got uint8, which is read as x / 255"


both_ways = pytest.mark.parametrize(
    ("X", "other", "text"), [(PIXELS, FLOATS, HIGH), (FLOATS, PIXELS, U8)], ids=["uint8", "floats"]
)


def network(**options: Any) -> foxnn.neural_network:
    return foxnn.neural_network([N_IN, 8, 3], "tanh", **{"output": "softmax", "seed": 0, **options})


def trained_on(X: Any, **options: Any) -> foxnn.neural_network:
    nn = network(**options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.fit(X, LABELS, epochs=1)
    return nn


def warned(call: Callable[[], Any]) -> list[str]:
    """What a call warns of, at this file's line."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert {warning.filename for warning in caught} <= {__file__}
    assert {warning.category for warning in caught} <= {UserWarning}
    return [str(warning.message) for warning in caught]


def is_warned(call: Callable[[], Any], text: str) -> bool:
    """Whether a call warns once, and of that."""
    messages = warned(call)
    assert len(messages) <= 1
    return any(text in message for message in messages)


CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "predict": lambda nn, X: nn.predict(X),
    "call": lambda nn, X: nn(X),
    "predict_proba": lambda nn, X: nn.predict_proba(X),
    "predict of batches": lambda nn, X: nn.predict(iter([X] * 3)),
    "evaluate": lambda nn, X: nn.evaluate(X, LABELS, metrics=["mae"]),
    "evaluate of a sequence": lambda nn, X: nn.evaluate([(X, LABELS)] * 3),
    "evaluate of an iterator": lambda nn, X: nn.evaluate(iter([(X, LABELS)] * 3)),
    "test_on_batch": lambda nn, X: nn.test_on_batch(X, LABELS),
    "fit": lambda nn, X: nn.fit(X, LABELS, epochs=2, validation_data=(X, LABELS)),
    "fit of a sequence": lambda nn, X: nn.fit([(X, LABELS)] * 3, epochs=2),
    "fit of a generator": lambda nn, X: nn.fit(((X, LABELS) for _ in range(6)), epochs=2, steps_per_epoch=3),
    "partial_fit": lambda nn, X: nn.partial_fit(X, LABELS),
    "train_on_batch": lambda nn, X: nn.train_on_batch(X, LABELS),
    "loss_and_gradients": lambda nn, X: nn.loss_and_gradients(X, LABELS),
    "loss_and_gradient": lambda nn, X: nn.loss_and_gradient(nn.parameters, X, LABELS),
    "input_gradients": lambda nn, X: nn.input_gradients(X, LABELS),
    "forward": lambda nn, X: nn.forward(X),
    "jacobian": lambda nn, X: nn.jacobian(X),
    "layer_outputs": lambda nn, X: nn.layer_outputs(X),
    "find_learning_rate": lambda nn, X: foxnn.find_learning_rate(nn, X, LABELS),
}


@pytest.mark.parametrize("call", CALLS)
def test_every_call_warns_once_of_inputs_of_the_other_kind(call: str) -> None:
    assert is_warned(lambda: CALLS[call](trained_on(PIXELS), FLOATS), HIGH)
    assert is_warned(lambda: CALLS[call](trained_on(FLOATS), PIXELS), U8)


@pytest.mark.parametrize("call", CALLS)
def test_no_call_warns_of_inputs_that_fit(call: str) -> None:
    for X, others in ((PIXELS, [PIXELS, FLOATS / 255, PIXELS > 127]), (FLOATS, [FLOATS, FLOATS / 255])):
        for other in others:
            assert not warned(lambda X=X, other=other: CALLS[call](trained_on(X), other))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", OTHERS)
def test_pixels_in_any_other_type(kind: str, dtype: str) -> None:
    nn, X = trained_on(PIXELS, dtype=dtype), OTHERS[kind]
    assert is_warned(lambda: nn.predict(X), HIGH)
    assert is_warned(lambda: nn.evaluate(X, LABELS), HIGH)
    assert not warned(lambda: nn.predict(X, scale=1 / 255))
    np.testing.assert_allclose(nn.predict(X, scale=1 / 255), nn.predict(PIXELS), rtol=1e-5)
    assert is_warned(lambda: trained_on(X, dtype=dtype).predict(PIXELS), U8)


@pytest.mark.parametrize("rows", [1, 7, 20_000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_single_number_beyond_1_is_enough(rows: int, dtype: str) -> None:
    nn = trained_on(PIXELS)
    X = np.ones((rows, N_IN), dtype)
    assert not warned(lambda: nn.predict(X))
    X[-1, -1] = 1.5
    assert is_warned(lambda: nn.predict(X), "got numbers up to 1.5")
    if rows == 1:
        assert is_warned(lambda: nn.predict(X[0]), "got numbers up to 1.5")


def test_outputs_are_those_without_the_warning() -> None:
    nn, other = trained_on(PIXELS), trained_on(PIXELS)
    other._core.trained_on = ""
    with pytest.warns(UserWarning, match=HIGH):
        found = nn.predict(FLOATS)
    np.testing.assert_array_equal(found, other.predict(FLOATS))
    with pytest.warns(UserWarning, match=HIGH):
        loss = nn.train_on_batch(FLOATS, LABELS)
    assert loss == other.train_on_batch(FLOATS, LABELS)


def test_who_says_how_inputs_are_read_is_not_warned() -> None:
    nn = trained_on(PIXELS)
    assert not warned(lambda: nn.predict(FLOATS, scale=1))
    assert not warned(lambda: nn.evaluate(FLOATS, LABELS, offset=0.0))
    nn.scale = 1 / 255
    for call in CALLS.values():
        assert not warned(lambda call=call: call(nn.copy(), FLOATS))
    nn = network()
    nn.fit(PIXELS, LABELS, epochs=1, scale=1 / 255)
    assert not warned(lambda: nn.predict(FLOATS))
    np.testing.assert_allclose(nn.predict(FLOATS), nn.predict(PIXELS), rtol=1e-6)


@both_ways
def test_it_goes_with_the_network(X: Any, other: Any, text: str, tmp_path: Path) -> None:
    nn = trained_on(X)
    nn.save(tmp_path / "net.safetensors")
    for twin in (
        foxnn.load(tmp_path / "net.safetensors"),
        foxnn.neural_network(tmp_path / "net.safetensors"),
        foxnn.neural_network(nn),
        nn.copy(),
        copy.deepcopy(nn),
        pickle.loads(pickle.dumps(nn)),
    ):
        assert is_warned(lambda twin=twin: twin.predict(other), text)
    nn.insert(1, 5, "relu")
    assert is_warned(lambda: nn.predict(other), text)
    nn.remove(0)
    assert is_warned(lambda: nn.predict(other), text)


def test_files_hold_it_only_where_there_is_something_to_tell(tmp_path: Path) -> None:
    from foxnn.io.native import described

    assert described(trained_on(PIXELS))["trained_on"] == "uint8"
    assert described(trained_on(FLOATS))["trained_on"] == "numbers beyond 1"
    for nn in (network(), trained_on(FLOATS / 255)):
        assert "trained_on" not in described(nn)


@both_ways
def test_it_goes_with_the_weights_that_read_inputs(X: Any, other: Any, text: str) -> None:
    nn = trained_on(X)
    for layers in (None, [0], {0: 0}):
        twin = network()
        twin.copy_weights(nn, layers)
        assert is_warned(lambda twin=twin: twin.predict(other), text)
    twin = network()
    twin.copy_weights(nn, [1])
    assert not warned(lambda: twin.predict(other))


@pytest.mark.parametrize("value", ["int8", "", ["uint8"], 8, True])
def test_files_that_say_something_else_are_refused(value: Any, tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    from foxnn.io import container, native

    nn, path = trained_on(PIXELS), tmp_path / "net.safetensors"
    nn.save(path)
    pieces = container.pack(native.described(nn) | {"trained_on": value}, load_file(path))
    path.write_bytes(b"".join(pieces))
    with pytest.raises(foxnn.FileFormatError, match="'trained_on' in the description of the network"):
        foxnn.load(path)


@both_ways
@pytest.mark.parametrize(
    "train",
    [
        lambda nn, X: nn.train_on_batch(X, LABELS),
        lambda nn, X: nn.partial_fit(X, LABELS),
        lambda nn, X: nn.fit([(X, LABELS)] * 2, epochs=1),
        lambda nn, X: nn.fit(iter([(X, LABELS)] * 2), epochs=1),
        lambda nn, X: nn.apply_gradients(nn.loss_and_gradients(X, LABELS)[1]),
        lambda nn, X: nn.apply_gradients(nn.backward(nn.forward(X))),
        lambda nn, X: [nn.train_on_batch(part, LABELS) for part in (X[:0:-1] / 255, X / 255, X) if len(part) == N],
    ],
    ids=["train_on_batch", "partial_fit", "sequence", "iterator", "gradients", "forward", "late"],
)
def test_every_way_to_train_is_remembered(train: Any, X: Any, other: Any, text: str) -> None:
    nn = network()
    assert not warned(lambda: train(nn, X))
    assert is_warned(lambda: nn.predict(other), text)


def test_plain_steps_remember_what_the_first_batch_did_not_tell() -> None:
    """Floats within 0 and 1, for many steps, and then others: those steps go to the core at once."""
    nn = network()
    for _ in range(3):
        nn.train_on_batch(FLOATS / 255, LABELS)
    assert not warned(lambda: nn.predict(PIXELS))
    nn.train_on_batch(FLOATS, LABELS)
    assert is_warned(lambda: nn.predict(PIXELS), U8)


def test_the_last_fit_decides_and_batches_within_1_tell_nothing() -> None:
    nn = trained_on(PIXELS)
    nn.partial_fit(FLOATS / 255, LABELS)
    nn.train_on_batch(FLOATS / 255, LABELS)
    assert is_warned(lambda: nn.predict(FLOATS), HIGH)
    nn.fit(FLOATS / 255, LABELS, epochs=1)
    assert not warned(lambda: (nn.predict(FLOATS), nn.predict(PIXELS)))
    nn.fit(FLOATS, LABELS, epochs=1)
    assert is_warned(lambda: nn.predict(PIXELS), U8)
    assert not warned(lambda: nn.predict(FLOATS))


@both_ways
def test_validation_data_are_read_as_the_training_data(X: Any, other: Any, text: str) -> None:
    both = [(X, (other, LABELS)), (X, [(other, LABELS)] * 2)]
    for train, validation in both:
        assert is_warned(lambda t=train, v=validation: network().fit(t, LABELS, epochs=2, validation_data=v), text)
    messages = warned(lambda: network().fit([(X, LABELS)] * 2, epochs=2, validation_data=(other, LABELS)))
    assert len(messages) == 1  # of one or of the other
    assert not warned(lambda: network().fit(X, LABELS, epochs=2, validation_data=(X, LABELS)))
    assert not warned(lambda: network().fit(X, LABELS, epochs=1, scale=1, validation_data=(other, LABELS)))


def test_scaling_inside_makes_no_difference() -> None:
    for kind in ("standard", "minmax"):
        assert is_warned(lambda kind=kind: trained_on(PIXELS, scale_inputs=kind).predict(FLOATS), HIGH)
        nn = network(scale_inputs=kind)
        nn.fit_scaling(PIXELS)
        assert is_warned(lambda nn=nn: nn.fit(FLOATS, LABELS, epochs=1), HIGH)


def test_warnings_may_be_errors() -> None:
    """Also those of batches that a thread reads; nothing is trained then."""
    nn = trained_on(PIXELS)
    before = nn.parameters
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for call in ("predict", "fit", "fit of a sequence", "train_on_batch", "evaluate of a sequence"):
            with pytest.raises(UserWarning, match=HIGH):
                CALLS[call](nn, FLOATS)
    np.testing.assert_array_equal(nn.parameters, before)


def test_memory_mapped_files(tmp_path: Path) -> None:
    mapped = np.memmap(tmp_path / "pixels.bin", np.int16, "w+", shape=PIXELS.shape)
    mapped[:] = PIXELS
    assert is_warned(lambda: trained_on(PIXELS).predict(mapped), HIGH)
    assert is_warned(lambda: trained_on(PIXELS).evaluate(mapped, LABELS), HIGH)
    assert is_warned(lambda: trained_on(mapped).predict(PIXELS), U8)


def test_a_checkpoint_goes_on_with_it(tmp_path: Path) -> None:
    class Stop(foxnn.Callback):
        def on_epoch_end(self, network: Any, epoch: int, values: Any) -> None:
            raise KeyboardInterrupt

    path = tmp_path / "run.safetensors"
    with pytest.raises(KeyboardInterrupt):
        network().fit(PIXELS, LABELS, epochs=3, checkpoint=path, callbacks=[Stop()])
    assert is_warned(lambda: foxnn.load(path).predict(FLOATS), HIGH)
    nn = network()
    stop = Stop()
    stop.on_epoch_end = lambda *_: None
    nn.fit(PIXELS, LABELS, epochs=3, checkpoint=path, resume=True, callbacks=[stop])
    assert is_warned(lambda: nn.predict(FLOATS), HIGH)


def test_exports_say_what_they_take(tmp_path: Path) -> None:
    nn = trained_on(PIXELS)
    note = "x: pixels from 0 to 255 divided by 255"
    nn.to_c(tmp_path / "net.h")
    nn.to_js(tmp_path / "net.mjs")
    assert note in (tmp_path / "net.h").read_text()
    assert note in (tmp_path / "net.mjs").read_text()
    assert is_warned(lambda: nn.to_c(tmp_path / "net.h", weights="int8", samples=FLOATS), "samples: " + HIGH)
    assert not warned(lambda: nn.to_c(tmp_path / "net.h", weights="int8", samples=PIXELS))
    nn.scale = 1 / 255
    nn.to_c(tmp_path / "net.h")
    assert note not in (tmp_path / "net.h").read_text()


def test_estimators_read_everything_as_it_is() -> None:
    model = foxnn.MLPClassifier((4,), max_iter=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it does not converge
        model.fit(PIXELS, LABELS)
    found: list[Any] = []
    assert not warned(lambda: found.extend(model.predict_proba(X) for X in (PIXELS, FLOATS, PIXELS.astype(np.int64))))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)
    np.testing.assert_array_equal(found[0], found[2])
