"""Promise: a kind of layer is one file of C++ and one of Python, and nothing else asks what kind it is: a factor for
every number does all that a dense layer does, and is refused by name where a format has no form for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foxnn

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 5)), RNG.normal(size=(60, 3))
LABELS, WEIGHTS = RNG.integers(3, size=60), RNG.uniform(0.2, 2, 60)

#: In front, between layers, after a normalisation, one after another, and last.
NETWORKS = {
    "first": [5, foxnn.Scale(), 7, 3],
    "hidden": [5, 7, foxnn.BatchNorm(), foxnn.Scale(), 6, foxnn.LayerNorm(), foxnn.Scale(), 3],
    "last": [5, 7, 3, foxnn.Scale(), foxnn.Scale()],
    "alone": [5, foxnn.Scale(), foxnn.Dense(3, "linear")],
}
every_network = pytest.mark.parametrize("sizes", NETWORKS.values(), ids=NETWORKS)


def network(sizes: list[Any], dtype: str = "float64", **options: Any) -> foxnn.NeuralNetwork:
    nn = foxnn.neural_network(sizes, activation="tanh", dtype=dtype, seed=1, **options)
    for i, layer in enumerate(nn.layers):
        if layer.kind == "scale":
            layer.parameters["factor"] = np.random.default_rng(i).uniform(0.5, 1.5, layer.output_shape)
    return nn


def same(a: foxnn.NeuralNetwork, b: foxnn.NeuralNetwork) -> bool:
    return all(x.tobytes() == y.tobytes() for x, y in zip(a.get_weights(), b.get_weights(), strict=True))


def flat(gradients: list[tuple[Any, ...]]) -> Any:
    return np.concatenate([part.ravel() for parts in gradients for part in parts])


@every_network
def test_it_multiplies(sizes: list[Any]) -> None:
    nn = network(sizes)
    before = X
    for layer, after in zip(nn.layers, nn.layer_outputs(X), strict=True):
        if layer.kind == "scale":
            np.testing.assert_array_equal(after, before * layer.parameters["factor"])
        before = after
    np.testing.assert_allclose(nn.predict(X), before, rtol=1e-12)
    assert nn.evaluate(X, Y)["loss"] == pytest.approx(np.square(before - Y).sum(axis=1).mean() / 2)


@every_network
def test_gradients_are_those_of_central_differences(sizes: list[Any]) -> None:
    nn = network(sizes, l2=0.01)
    _, gradients = nn.loss_and_gradients(X, Y, WEIGHTS)
    assert [len(parts) for parts in gradients] == [len(layer.parameter_names) for layer in nn.layers]
    parameters, step, slopes = nn.parameters, 1e-5, []
    for i in range(len(parameters)):
        ends = []
        for sign in (1, -1):
            moved = parameters.copy()
            moved[i] += sign * step
            nn.parameters = moved
            ends.append(nn.loss_and_gradients(X, Y, WEIGHTS)[0])
        slopes.append((ends[0] - ends[1]) / (2 * step))
    assert np.abs(flat(gradients) - slopes).max() < 1e-6


@every_network
def test_derivatives_for_the_inputs_are_those_of_central_differences(sizes: list[Any]) -> None:
    nn, step = network(sizes), 1e-5
    jacobian = nn.jacobian(X)
    for k in range(5):
        d = step * np.eye(5)[k]
        slopes = (nn.predict(X + d) - nn.predict(X - d)) / (2 * step)
        assert np.abs(jacobian[:, :, k] - slopes).max() < 1e-6
    if any(isinstance(layer.norm, foxnn.BatchNorm) for layer in nn.layers):
        return  # whose loss_and_gradients are those of training
    expected = np.einsum("ij,ijk->ik", (nn.predict(X) - Y) / len(X), jacobian)
    np.testing.assert_allclose(nn.input_gradients(X, Y), expected, atol=1e-12)


@every_network
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_bits_are_the_same_for_any_number_of_threads(sizes: list[Any], dtype: str) -> None:
    wide = [400 if size == 7 else size for size in sizes]
    x = RNG.normal(size=(3000, 5))
    results = []
    for n_threads in (1, 2, 3):
        nn = network(wide, dtype, n_threads=n_threads, dropout=0.2)
        nn.fit(x, x[:, :3], epochs=1, batch_size=2500)  # in parts, of which the gradients are added up
        nn.fit(x, x[:, :3], epochs=1, batch_size=64, optimizer=foxnn.optimizers.AdamW(clip_norm=0.5))
        results.append(nn)
    assert same(results[0], results[1])
    assert same(results[0], results[2])
    whole = results[0].predict(x)
    for other in (results[2].predict(x), np.concatenate([nn.predict(x[i : i + 7]) for i in range(0, 3000, 7)])):
        np.testing.assert_array_equal(whole, other)
    np.testing.assert_array_equal(whole[5], nn.predict(x[5]))


@every_network
@pytest.mark.parametrize("optimizer", foxnn.optimizers.names())
def test_every_optimizer_trains_it(sizes: list[Any], optimizer: str) -> None:
    if optimizer in ("lbfgs",):
        pytest.skip("has no steps")
    nn = network(sizes)
    before = [layer.parameters["factor"] for layer in nn.layers if layer.kind == "scale"]
    nn.fit(X, Y, epochs=3, batch_size=20, optimizer=optimizer)
    after = [layer.parameters["factor"] for layer in nn.layers if layer.kind == "scale"]
    assert all((a != b).all() for a, b in zip(before, after, strict=True))


@every_network
def test_own_loops_make_the_same_steps(sizes: list[Any]) -> None:
    ours, own, custom = (network(sizes) for _ in range(3))
    custom.loss = foxnn.losses.CustomLoss(lambda y, p: (np.square(p - y).sum(axis=1) / 2, p - y))
    for nn in (ours, own, custom):
        nn.optimizer = foxnn.optimizers.SGD(0.05)
    for i in range(0, 60, 20):
        x, y = X[i : i + 20], Y[i : i + 20]
        ours.train_on_batch(x, y)
        outputs = own.forward(x, training=True)
        own.apply_gradients(own.backward((outputs - y) / 20))
        custom.train_on_batch(x, y)
    for nn in (own, custom):
        for a, b in zip(ours.get_weights(), nn.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_penalties_are_not_for_it_whatever_the_loss() -> None:
    nn = network(NETWORKS["last"], l1=0.02, l2=0.1)
    custom = nn.copy()
    custom.loss = foxnn.losses.CustomLoss(lambda y, p: (np.square(p - y).sum(axis=1) / 2, p - y))
    (loss, gradients), (other, others) = (each.loss_and_gradients(X, Y) for each in (nn, custom))
    assert loss == pytest.approx(other, rel=1e-12)
    np.testing.assert_allclose(flat(gradients), flat(others), rtol=1e-9, atol=1e-13)


@every_network
def test_a_frozen_one_stays_as_it_is(sizes: list[Any]) -> None:
    nn, free = network(sizes), network(sizes)
    for layer in nn.layers:
        layer.trainable = layer.kind != "scale"
    before = [layer.parameters["factor"] for layer in nn.layers if layer.kind == "scale"]
    for each in (nn, free):
        each.train_on_batch(X, Y)
    after = [layer.parameters["factor"] for layer in nn.layers if layer.kind == "scale"]
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    for layer, other in zip(nn.layers, free.layers, strict=True):
        if layer.kind == "dense":
            np.testing.assert_array_equal(layer.weights, other.weights)
    assert nn.summary().frozen == sum(map(np.size, before))
    for i, layer in enumerate(nn.layers):
        layer.trainable = i + 1 == len(nn.layers)
    nn.train_on_batch(X, Y)  # nothing goes down further than the last


@every_network
@pytest.mark.parametrize("optimizer", [False, True])
def test_files_and_copies_keep_it(sizes: list[Any], optimizer: bool, tmp_path: Path) -> None:
    import pickle

    nn = network(sizes, dropout=0.1, max_norm=2.0)
    nn.layers[0].trainable = False
    nn.fit(X, Y, epochs=2)
    nn.save(tmp_path / "net.safetensors", optimizer=optimizer)
    others = [foxnn.load(tmp_path / "net.safetensors"), nn.copy(), pickle.loads(pickle.dumps(nn))]
    for other in others:
        assert same(nn, other)
        assert (repr(nn), nn.max_norm, str(nn.summary())) == (repr(other), other.max_norm, str(other.summary()))
        assert [layer.config for layer in nn.layers] == [layer.config for layer in other.layers]
    for other in (nn, *others) if optimizer else ():
        other.fit(X, Y, epochs=2)
        assert same(nn, other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda layers: layers[0].update(kind="scald"), "kind: unknown 'scald'|kind.*scald"),
        (lambda layers: layers[0].update(units=5), "units"),
        (lambda layers: layers[1].update(units=8), "array 'layers.1.weights'"),
        (lambda layers: layers.reverse(), "array 'layers.0.weights'"),
        (lambda layers: layers[0].pop("kind"), "kind"),
        (lambda layers: layers.__setitem__(0, 7), "does not make sense"),
    ],
)
def test_files_with_other_layers_than_arrays_are_refused(
    change: Any, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from foxnn.io import native

    original = native._described_layers

    def changed(network: foxnn.NeuralNetwork) -> Any:
        description = original(network)
        change(description["layers"])
        return description

    monkeypatch.setattr(native, "_described_layers", changed)
    network(NETWORKS["first"]).save(tmp_path / "net.safetensors")
    with pytest.raises(foxnn.FileFormatError, match=message):
        foxnn.load(tmp_path / "net.safetensors")


@every_network
def test_an_interrupted_training_goes_on_with_the_same_bits(sizes: list[Any], tmp_path: Path) -> None:
    class Stop(foxnn.Callback):
        stops = True

        def on_epoch_end(self, network: Any, epoch: int, values: Any) -> None:
            if epoch == 1 and self.stops:
                raise KeyboardInterrupt

    path = tmp_path / "run.safetensors"
    whole, begun, again = (network(sizes, dropout=0.1) for _ in range(3))
    whole.fit(X, Y, epochs=4)
    with pytest.raises(KeyboardInterrupt):
        begun.fit(X, Y, epochs=4, checkpoint=path, callbacks=[Stop()])
    with pytest.raises(ValueError, match="resume: "):
        foxnn.neural_network([5, 7, 3], dtype="float64").fit(X, Y, epochs=4, checkpoint=path, resume=True)
    Stop.stops = False
    again.fit(X, Y, epochs=4, checkpoint=path, callbacks=[Stop()], resume=True)
    assert same(whole, again)


def test_layers_around_it_come_and_go() -> None:
    nn = network([5, foxnn.Scale(), foxnn.Scale(), 7, foxnn.Scale(), 3])
    nn.insert(0, foxnn.Dense(4, "relu"))  # both that follow, and what comes after them, get inputs of another shape
    assert [layer.output_shape for layer in nn.layers] == [(4,), (4,), (4,), (7,), (7,), (3,)]
    assert all((nn.layers[i].parameters["factor"] == 1).all() for i in (1, 2))
    assert nn.layers[3].weights.any()
    assert (nn.layers[4].parameters["factor"] != 1).all()  # it has kept what it had
    nn.fit(X, Y, epochs=1)
    nn.remove(0)
    assert [layer.output_shape for layer in nn.layers] == [(5,), (5,), (7,), (7,), (3,)]
    nn.add(foxnn.Scale())
    nn.remove(-1)
    nn.remove(-1)  # the outputs are those of a scale
    assert nn.predict(X).shape == (60, 7)
    nn.remove(2)
    assert [layer.kind for layer in nn.layers] == ["scale", "scale", "scale"]
    assert nn.fit(X, X, epochs=1).epochs
    nn.insert(1, foxnn.Dense(2, "tanh"))
    assert nn.predict(X).shape == (60, 2)


def test_outputs_that_are_scaled_are_scaled_anew_where_their_number_changes() -> None:
    nn = foxnn.neural_network([5, 3, foxnn.Scale()], scale_outputs="standard", seed=0, dtype="float64")
    nn.fit(X, 5 * Y + 100, epochs=1)
    nn.insert(1, foxnn.Dense(2, "tanh"))
    nn.fit(X, (5 * Y + 100)[:, :2], epochs=1)
    assert abs(nn.predict(X).mean() - 100) < 20


FORMATS = {
    "to_c": "C", "to_js": "JavaScript", "to_onnx": "ONNX", "to_npz": "to_npz's archives", "to_torch": "PyTorch",
    "to_keras": "Keras", "to_sklearn": "scikit-learn", "save": "FoxNN 1.0's text files",
}  # fmt: skip
PACKAGES = {"to_onnx": "onnx", "to_torch": "torch", "to_keras": "keras", "to_sklearn": "sklearn"}


@pytest.mark.parametrize("method", FORMATS)
def test_formats_that_lack_it_refuse_it_by_name(method: str, tmp_path: Path) -> None:
    if method in PACKAGES:
        pytest.importorskip(PACKAGES[method])
    nn = network(NETWORKS["first"])
    suffix = {"save": ".txt", "to_c": ".c", "to_js": ".mjs", "to_onnx": ".onnx", "to_npz": ".npz"}.get(method)
    arguments = [] if suffix is None else [tmp_path / f"net{suffix}"]
    message = rf"layer 0: is Scale\(\), for which there is no form in {FORMATS[method]}"
    with pytest.raises(ValueError, match=message):
        getattr(nn, method)(*arguments)
    assert not list(tmp_path.iterdir())


def test_what_is_dense_only_says_so() -> None:
    nn = network(NETWORKS["first"])
    with pytest.raises(AttributeError, match=r"Layer\(5 -> 5, scale\) has no weights; it has factor"):
        nn.layers[0].weights  # noqa: B018
    with pytest.raises(AttributeError, match="has no activation"):
        nn.layers[0].activation = "relu"
    with pytest.raises(ValueError, match="layer 0: is Scale"):
        nn.random_mutation(0.1)
    assert not hasattr(nn.layers[0], "bias")
    assert nn.layers[0].norm is None
