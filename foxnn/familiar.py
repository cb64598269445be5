"""Networks under the names that they have in Keras, PyTorch and scikit-learn; docs/names.md lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foxnn._options import real
from foxnn.optimizers import checked_rate

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork
    from foxnn.optimizers import Rate

_PARAMETERS = "nn.get_weights() and nn.set_weights(arrays) are all parameters, nn.parameters is one vector of them"
_LAYERS = "each layer has its own: nn.layers[i]"

#: Attributes and methods of others' networks, and what there is here.
ELSEWHERE = {
    **dict.fromkeys(
        ("compile", "configure_optimizers"),
        "there is nothing to compile; neural_network(..., loss=...) takes the loss, fit(optimizer=..., metrics=...) "
        "what else there is",
    ),
    **dict.fromkeys(
        ("to", "cuda", "cpu"), "foxnn computes on the processor; neural_network(..., dtype=...) is the number type"
    ),
    "device": "foxnn computes on the processor; nn.n_threads says with how many threads",
    **dict.fromkeys(("float", "double", "half"), "neural_network(..., dtype=...) is the number type"),
    **dict.fromkeys(("state_dict", "named_parameters"), f"nn.save(path) writes all of it; {_PARAMETERS}"),
    "load_state_dict": f"foxnn.load(path) makes the network of a file; {_PARAMETERS}",
    **dict.fromkeys(("trainable_variables", "trainable_weights", "variables", "coefs_"), _PARAMETERS),
    **dict.fromkeys(("intercepts_", "bias", "weights", "activation", "activations"), _LAYERS),
    "output": "the last layer has it: nn.layers[-1].activation; nn.predict(X) computes outputs",
    "init": "it is only for new networks; nn.layers[i].weights = ... gives a layer others",
    "zero_grad": "gradients are not added up, so that there is nothing to clear",
    "step": "nn.train_on_batch(X, y) makes a step, nn.apply_gradients(gradients) one of your own gradients",
    "eval": "nn.predict and nn.evaluate never drop anything; only training does",
    "requires_grad_": "nn.layers[i].trainable = False freezes a layer",
    "get_config": "nn.layers[i].config is that of a layer; nn.save(path) writes all of it",
    "to_json": "nn.save(path) writes all of it",
    "save_weights": "nn.save(path) writes all of it",
    "load_weights": "foxnn.load(path) makes the network of a file; nn.copy_weights(other) takes its weights over",
    "fit_generator": "nn.fit takes generators",
    "predict_classes": "nn.predict(X).argmax(axis=1); of one sigmoid output nn.predict(X)[:, 0] > 0.5",
    "predict_on_batch": "nn.predict(X)",
    "predict_generator": "nn.predict takes generators",
    "evaluate_generator": "nn.evaluate takes generators",
    "score": "nn.evaluate(X, y) has the loss and the accuracy, and with metrics=['r2'] R squared",
    "get_params": "foxnn.MLPClassifier and foxnn.MLPRegressor are the estimators for scikit-learn",
    "set_params": "foxnn.MLPClassifier and foxnn.MLPRegressor are the estimators for scikit-learn",
    "fit_transform": "neural_network(..., scale_inputs='standard') scales inside the network",
    "classes_": "foxnn.MLPClassifier has them; a network's classes are numbers",
    "lr": "nn.learning_rate is that of nn.optimizer, and fit(learning_rate=...) takes one",
    "epochs": "fit(epochs=...) takes it; nn.epoch counts them",
    "batch_size": "fit(batch_size=...) takes it",
    "callbacks": "fit(callbacks=...) takes them",
    "metrics": "fit(metrics=...) and evaluate(metrics=...) take them",
    "modules": "nn.layers",
    "children": "nn.layers",
    "add_module": "nn.add(units, activation) adds a layer",
    "pop": "nn.remove(-1) removes the last layer",
    "clone": "nn.copy()",
    "apply": "nn.layers[i].weights = ... gives a layer other weights",
}


def set_learning_rate(network: NeuralNetwork, value: Rate) -> None:
    """See `NeuralNetwork.learning_rate`."""
    rate = checked_rate(value)
    if isinstance(rate, float):
        real("learning_rate", rate, 0, dtype=network.dtype)
    network.optimizer.learning_rate = rate


def predict_proba(network: NeuralNetwork, X: Any) -> npt.NDArray[Any]:
    """See `NeuralNetwork.predict_proba`."""
    output = network.layers[-1].activation
    least, most = output.bounds
    if least < 0 or most > 1 or network.scale_outputs is not None:
        raise ValueError(
            f"predict_proba: outputs of {str(output)!r} are no probabilities, as those of 'softmax' and 'sigmoid'; "
            "predict has them as they are"
        )
    p = network.predict(X)
    return np.concatenate([1 - p, p], axis=-1) if p.shape[-1] == 1 else p
