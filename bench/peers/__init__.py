"""foxnn and its peers, each behind the same small interface, one file a peer.

A peer is a module with

``version()``
    Of the library.
``train(problem)``
    An object with ``run(n_steps)``, which trains on the next shuffled mini-batches; ``parameters()``, the weights and
    biases as they are now; and ``steps_per_call``, of which `n_steps` must be a multiple. Left out where it only
    predicts.
``predict(problem)``
    A function from inputs to outputs, NumPy arrays both, that uses the problem's first weights. Left out where another
    peer of the same library predicts.

Each is written as an experienced user of the library would, for speed.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

#: Modules by the names they are asked for. foxnn comes first: everything is compared with it.
MODULES = {
    "foxnn": "peers.foxnn_peer",
    "numpy": "peers.numpy_by_hand",
    "torch": "peers.torch_eager",
    "torch.compile": "peers.torch_compiled",
    "jax": "peers.jax_scan",
    "sklearn": "peers.scikit_learn",
    "keras": "peers.keras_on_jax",
    "onnxruntime": "peers.onnx_runtime",
}
#: What tables call them, where it is not the name.
LABELS = {"numpy": "NumPy", "torch": "PyTorch", "jax": "JAX", "sklearn": "scikit-learn", "keras": "Keras"}


def load(names: list[str] | None = None) -> dict[str, ModuleType]:
    """Peers by name, all by default; a line says which are not installed."""
    found = {}
    for name in names or MODULES:
        try:
            found[name] = import_module(MODULES[name])
        except ImportError as error:
            print(f"left out: {name} ({error})", flush=True)
    return found
