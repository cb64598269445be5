"""Have every call run out of memory at its first request for it, at its second, and so on until it succeeds.

    LD_PRELOAD=memory.so python run_out_of_memory.py memory.so FOLDER THREADS [every] [name ...]

Each time on a new network, somewhat wider than the last one so that no memory kept by a thread is large enough, and
beside a twin that is left alone. After an error the network has to predict as the twin does, and a small step and the
same call, made again with memory enough, have to come to the same as the twin's. (If a training of many steps runs out
of memory after the first ones, these have been made; the network has to be usable then.) Of foxnn's core, requests of
512 bytes and more fail: see memory.c. Those of Python and NumPy fail where a network is written, which is their work,
and for 100,000 bytes and more, since some of NumPy's loops end the process for want of less. With "every", all fail;
else, of a call with many, some, for a run of seconds. With names, only those calls. With more threads than cores there
are as many workers as that, however busy the machine is.

Prints what was wrong, and how many requests failed, as JSON lines, each call's name before it begins.
"""

import ctypes
import json
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import foxnn
import foxnn.io

library, folder, threads = ctypes.CDLL(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
every, only = "every" in sys.argv, [name for name in sys.argv[4:] if name != "every"]

random = np.random.default_rng(0)
X = random.normal(size=(300, 8)).astype(np.float32)
y = random.integers(0, 4, 300)
width = 140  # so that even biases are more than a few bytes; wider each time


def network(**options):
    """A network with a bit of everything; two threads are worth while for all of its samples."""
    sizes = [8, width, foxnn.BatchNorm(), width, foxnn.LayerNorm(), 4]
    return foxnn.neural_network(sizes, "relu", "softmax", dropout=0.1, seed=1, n_threads=threads, **options)


def trained(**options):
    nn = network(**options)
    nn.optimizer = foxnn.optimizers.Adam(clip_norm=1.0)
    nn.train_on_batch(X[:20], y[:20])
    return nn


def without_moments():
    """Without running moments, which a forward pass changes."""
    nn = foxnn.neural_network([8, width, foxnn.LayerNorm(), 4], "relu", "softmax", dropout=0.1, seed=1,
                              n_threads=threads)  # fmt: skip
    nn.optimizer = foxnn.optimizers.Adam(clip_norm=1.0)
    return nn


def plain():
    """Without what some formats do not hold."""
    nn = foxnn.neural_network([8, width, 4], "relu", "sigmoid", seed=1, n_threads=threads)
    nn.train_on_batch(X[:20], y[:20])
    return nn


def large():
    """With arrays that Python and NumPy need much memory for."""
    nn = foxnn.neural_network([200, width, 200], "relu", "sigmoid", seed=1, n_threads=threads)
    nn.train_on_batch(np.ones((20, 200)), np.ones((20, 200)))
    return nn


def scaled():
    nn = foxnn.neural_network([8, width, 2], "tanh", "linear", seed=1, n_threads=threads, scale_inputs="standard",
                              scale_outputs="minmax")  # fmt: skip
    return nn.fit_scaling(X[:50], X[:50, :2])


def own_loop(nn):
    outputs = nn.forward(X)
    gradients, d_x = nn.backward(outputs / 300, input_gradient=True)
    nn.apply_gradients(gradients)
    return d_x


def forward_twice(nn):
    """What a forward pass keeps stays if a larger one fails."""
    outputs = nn.forward(X[:20], training=False)
    try:
        return nn.forward(X, training=False)
    except MemoryError:
        nn.backward(outputs)
        raise


def saved(name, **options):
    def call(nn):
        path = folder / name
        nn.save(path, **options)
        return path.read_bytes()

    return call


def exported(method, name, **options):
    def call(nn):
        path = folder / name
        getattr(nn, method)(path, **options)
        return path.read_bytes()

    return call


def saved_and_loaded(nn):
    nn.save(folder / "net.safetensors")
    return foxnn.load(folder / "net.safetensors").predict(X)


CALLS = {
    "create": (lambda: None, lambda _: network(init="he_normal").get_weights()),
    "create orthogonal": (lambda: None, lambda _: network(init="orthogonal").get_weights()),
    "predict": (trained, lambda nn: nn.predict(X)),
    "predict one": (trained, lambda nn: nn.predict(X[0])),
    "predict float64": (trained, lambda nn: nn.predict(X.astype(np.float64))),
    "predict narrow": (plain, lambda nn: nn.predict(X)),
    "evaluate": (trained, lambda nn: nn.evaluate(X, y, metrics=["f1"])),
    "fit": (network, lambda nn: nn.fit(X, y, epochs=2, batch_size=50, validation_split=0.2)["loss"]),
    "fit again": (trained, lambda nn: nn.fit(X, y, epochs=1, batch_size=300, optimizer="rmsprop")["loss"]),
    "fit scaled": (scaled, lambda nn: nn.fit(X, X[:, :2], epochs=1)["loss"]),
    "fit own loss": (
        lambda: foxnn.neural_network([8, width, 2], output="linear", loss=squares, seed=1, n_threads=threads),
        lambda nn: nn.fit(X, X[:, :2], epochs=1, batch_size=100)["loss"],
    ),
    "train_on_batch": (network, lambda nn: nn.train_on_batch(X, y)),
    "train_on_batch larger": (trained, lambda nn: nn.train_on_batch(X, y)),
    "partial_fit": (trained, lambda nn: nn.partial_fit(X, y) and None),
    "own loop": (without_moments, own_loop),
    "forward": (trained, forward_twice),
    "loss_and_gradients": (trained, lambda nn: nn.loss_and_gradients(X, y)),
    "input_gradients": (trained, lambda nn: nn.input_gradients(X, y)),
    "jacobian": (trained, lambda nn: nn.jacobian(X)),
    "layer_outputs": (trained, lambda nn: nn.layer_outputs(X)),
    "get_weights": (trained, lambda nn: nn.get_weights()),
    "set_weights": (trained, lambda nn: nn.set_weights([w * 0.5 for w in nn.get_weights()])),
    "fit_scaling": (scaled, lambda nn: nn.fit_scaling(X, X[:, 1:3]) and None),
    "insert": (trained, lambda nn: nn.insert(0, 12, "tanh")),
    "add": (plain, lambda nn: nn.add(width, "softmax")),
    "remove": (trained, lambda nn: nn.remove(0)),
    "activation": (trained, lambda nn: setattr(nn.layers[0], "activation", "gelu")),
    "copy": (trained, lambda nn: nn.copy().predict(X)),
    "save": (trained, saved("net.safetensors", optimizer=True)),
    "load": (trained, saved_and_loaded),
    "save text": (plain, saved("net.txt")),
    "to_c": (plain, exported("to_c", "net.h")),
    "to_js": (plain, exported("to_js", "net.js")),
    "to_npz": (plain, exported("to_npz", "net.npz")),
}  # fmt: skip
WRITING = {
    "save large": (large, saved("net.safetensors", optimizer=True)),
    "save text large": (large, saved("net.txt")),
    "to_c large": (large, exported("to_c", "net.h")),
    "to_js large": (large, exported("to_js", "net.js")),
    "to_npz large": (large, exported("to_npz", "net.npz")),
}
if find_spec("onnx"):
    WRITING["to_onnx"] = large, exported("to_onnx", "net.onnx")
WORDS = {
    512: (ctypes.c_char_p * 3)(b"foxnn/_core.", b"libstdc++", None),
    100_000: (ctypes.c_char_p * 6)(b"foxnn/_core.", b"libstdc++", b"the program", b"libpython", b"/numpy/", None),
}


OF_MANY_STEPS = {"fit", "fit again", "fit scaled", "fit own loss", "partial_fit"}


def squares(targets, outputs):
    """Half the squared error."""
    d = outputs - targets
    return (d * d).sum(axis=1) / 2, d


def same(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(np.array_equal(a, b))


def inputs_of(nn):
    return X if nn.sizes[0] == 8 else np.tile(X, nn.sizes[0] // 8 + 1)[:, : nn.sizes[0]]


def predictions(nn):
    return None if nn is None else nn.predict(inputs_of(nn))


def small_step(nn):
    """The loss of one on few samples."""
    n_out = nn.sizes[-1]
    if nn.loss.name == "cross_entropy":
        return nn.train_on_batch(inputs_of(nn)[:20], y[:20] % n_out)
    return nn.train_on_batch(inputs_of(nn)[:20], np.abs(np.sin(np.outer(X[:20, 0], np.arange(n_out)))))


def attempt(call, nn, n):
    """What a call comes to if its n-th request fails; whether that request came."""
    library.arm_memory(n)
    try:
        return call(nn), None, not library.disarm_memory()
    except Exception as error:
        return None, error, not library.disarm_memory()


def numbers():
    """1, 2, 3, .. with ever larger steps unless all are wanted."""
    n = 1
    while True:
        yield n
        n += 1 if every else 1 + n // 5


for name, (make, call) in (CALLS | WRITING).items():
    if only and name not in only:
        continue
    least = 100_000 if name in WRITING else 512
    print(json.dumps({"begin": name}), flush=True)
    call(make())  # what is imported or made once
    if not library.count_requests_of(WORDS[least], ctypes.c_size_t(least)):
        raise SystemExit("nothing to count requests of")
    width = 140
    failed, wrong = 0, []
    for n in numbers():
        width += 16
        nn, twin = make(), make()
        result, error, came = attempt(call, nn, n)
        failed += error is not None
        if error is None:
            right = same(result, call(twin)) and same(predictions(nn), predictions(twin))
        else:
            right = isinstance(error, MemoryError)
            is_as_before = same(predictions(nn), predictions(twin))
            if nn is not None:
                is_as_before &= same(small_step(nn), small_step(twin))
            is_as_before &= same(call(nn), call(twin)) and same(predictions(nn), predictions(twin))
            if not is_as_before:
                right &= name in OF_MANY_STEPS and bool(np.isfinite(predictions(nn)).all())
        if not right:
            wrong.append(f"request {n}: {error!r}")
        if not came:
            break
    print(json.dumps({"call": name, "failed": failed, "wrong": wrong[:5], "n_wrong": len(wrong)}), flush=True)
