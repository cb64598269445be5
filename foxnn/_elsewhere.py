"""What modules of other libraries have, and where foxnn has it."""

from __future__ import annotations

from importlib import import_module

from foxnn._names import find, plain

_NETWORK = "foxnn.neural_network([784, 512, 10], activation='relu', output='softmax')"
_RATES = "learning_rate=function, of the number of the epoch, or a schedule: foxnn.schedules"

#: By module: names of others, and what there is here.
_ELSEWHERE: dict[str, dict[str, str]] = {
    "foxnn": {
        **dict.fromkeys(
            ("Sequential", "Model", "Module", "nn", "models", "MLP", "NN", "Network", "Perceptron", "Linear"),
            f"a network is made in one line, {_NETWORK}",
        ),
        **dict.fromkeys(("Dropout", "Input"), f"it is an argument, or a size, of {_NETWORK}"),
        **dict.fromkeys(("optim", "keras", "functional"), "foxnn.optimizers, foxnn.losses and foxnn.activations"),
        "regularizers": "neural_network(..., l1=, l2=, max_norm=, dropout=)",
        **dict.fromkeys(("Tensor", "tensor", "from_numpy"), "foxnn takes and returns NumPy arrays"),
        **dict.fromkeys(("load_model", "load_network", "read"), "foxnn.load(path)"),
        **dict.fromkeys(("save", "save_model"), "nn.save(path)"),
        **dict.fromkeys(
            ("manual_seed", "set_seed", "set_random_seed", "random"),
            "neural_network(..., seed=0) is all that is random",
        ),
        **dict.fromkeys(("device", "cuda"), "foxnn computes on the processor"),
        "no_grad": "nn.predict and nn.evaluate compute no gradients",
        **dict.fromkeys(("DataLoader", "utils"), "nn.fit takes arrays, and whatever gives batches of them"),
        "train_test_split": "fit(validation_split=0.1), or scikit-learn's",
    },
    "foxnn.callbacks": {
        **dict.fromkeys(("LearningRateScheduler", "LRScheduler"), _RATES),
        "TerminateOnNaN": "training that is no longer finite ends with foxnn.DivergenceError by itself",
        "BackupAndRestore": "fit(checkpoint=FILE, resume=True)",
        "History": "fit returns it",
        **dict.fromkeys(("ProgbarLogger", "TQDMProgressBar"), "ProgressBar, which fit(verbose=True) shows"),
    },
    "foxnn.schedules": {
        **dict.fromkeys(("StepLR", "MultiStepLR", "PiecewiseConstantDecay"), "foxnn.schedules.Step"),
        **dict.fromkeys(("ExponentialLR", "ExponentialDecay"), "foxnn.schedules.Exponential"),
        **dict.fromkeys(
            ("CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CosineDecay", "CosineDecayRestarts"),
            "foxnn.schedules.Cosine",
        ),
        "OneCycleLR": "foxnn.schedules.OneCycle",
        "InverseTimeDecay": "foxnn.schedules.InverseScaling",
        "LinearLR": "foxnn.schedules.LinearWarmup",
        "ReduceLROnPlateau": "foxnn.schedules.ReduceOnPlateau, or foxnn.callbacks.ReduceLROnPlateau as in Keras",
        "LambdaLR": "foxnn.schedules.Function",
    },
}
#: By module that has things by their names: how such a thing is written.
_WRITTEN = {
    "foxnn.activations": "foxnn.Activation({!r})",
    "foxnn.initializers": "neural_network(..., init={!r})",
    "foxnn.losses": "foxnn.Loss({!r})",
    "foxnn.metrics": "foxnn.metrics.Metric({!r})",
    "foxnn.optimizers": "foxnn.optimizers.{}",
}
#: Where things may be that were looked for somewhere else.
_MODULES = ("optimizers", "callbacks", "schedules", "metrics", "datasets", "plots")


def no_such(module: str, name: str) -> AttributeError:
    """The error for a name that a module does not have: where it is, or what there is in its place."""
    text = "" if name.startswith("_") else _elsewhere(module, name)
    return AttributeError(f"module {module!r} has no attribute {name!r}" + (text and f"; here: {text}"), name=name)


def _elsewhere(module: str, name: str) -> str:
    return _ELSEWHERE.get(module, {}).get(name) or _by_text(module, name) or _in_another(module, name)


def _by_text(module: str, name: str) -> str:
    """How to write what has a class of its own elsewhere, and here a name; the module is the one that asks."""
    if module not in _WRITTEN:
        return ""
    place = import_module(module)
    known = find(name, place.names(), place.ALIASES)
    if known and module == "foxnn.optimizers":
        known = type(place.get(known)).__name__
    return _WRITTEN[module].format(known) if known else ""


def _in_another(module: str, name: str) -> str:
    for place in _MODULES:
        there = import_module(f"foxnn.{place}")
        for known in getattr(there, "__all__", None) or vars(there):
            if f"foxnn.{place}" != module and known[0].isupper() and plain(known) == plain(name):
                return f"foxnn.{place}.{known}"
    return ""
