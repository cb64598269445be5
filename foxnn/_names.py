"""Names that people bring from other libraries: taken where they mean the same, answered with ours where not.

All of them are in docs/names.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from foxnn._options import unknown


def plain(name: str) -> str:
    """A name without regard to case and separators.

    Examples
    --------
    >>> plain("LeakyReLU"), plain("leaky-relu"), plain("leaky_relu")
    ('leakyrelu', 'leakyrelu', 'leakyrelu')
    """
    return re.sub(r"[\W_]+", "", name).lower()


def find(name: str, own: Iterable[str], aliases: Mapping[str, str]) -> str | None:
    """What foxnn calls the thing of that name; None if there is none.

    Parameters
    ----------
    name : str
    own : iterable of str
        foxnn's own names.
    aliases : mapping of str to str
        Other names of the same things.
    """
    if name in own:
        return name
    wanted = plain(name)
    for known in own:
        if plain(known) == wanted:
            return known
    for alias, known in aliases.items():
        if plain(alias) == wanted:
            return known
    return None


def resolve(
    argument: str, name: str, own: Iterable[str], aliases: Mapping[str, str], elsewhere: Mapping[str, str]
) -> str:
    """What foxnn calls the thing of that name.

    Parameters
    ----------
    argument : str
        What messages call it.
    name, own, aliases
        As for `find`.
    elsewhere : mapping of str to str
        Names of things that foxnn has in another way, and which.

    Raises
    ------
    ValueError
        If there is none of that name; it says where else foxnn has it, or which name is the nearest.
    """
    known = find(name, own, aliases)
    if known is not None:
        return known
    for other, ours in elsewhere.items():
        if plain(other) == plain(name):
            raise ValueError(f"{argument}: got {name!r}; foxnn has {ours}")
    raise unknown(argument, name, own, aliases)


def meant(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that somebody means who says `name`: what others call so, or else the nearest.

    Examples
    --------
    >>> meant("lr", ["learning_rate", "l1"]), meant("optmizer", ["loss", "optimizer"]), meant("lr", ["path"])
    ('learning_rate', 'optimizer', None)
    """
    import difflib  # not above: only errors need it

    by_plain = {plain(known): known for known in reversed(list(names))}
    for known in by_plain.values():
        if plain(name) in map(plain, _OTHERS.get(known, "").split()):
            return known
    near = difflib.get_close_matches(plain(name), by_plain, n=1)
    return by_plain[near[0]] if near else None


def is_called(name: str, known: str) -> bool:
    """Whether others call foxnn's argument `known` so, or it is its name in another spelling."""
    return plain(name) in map(plain, (known, *_OTHERS.get(known, "").split()))


#: foxnn's arguments and attributes, and what others call them.
_OTHERS = {
    "X": "inputs data train_x X_train",
    "activation": "act activations activation_function hidden_activation nonlinearity",
    "bias": "biases intercept intercepts b",
    "batch_size": "batch bs mini_batch_size",
    "beta1": "betas",
    "callbacks": "callback",
    "class_weight": "class_weights",
    "clip_norm": "global_clipnorm max_grad_norm",
    "dropout": "dropout_rate drop p_drop",
    "epochs": "epoch n_epochs nb_epoch num_epochs max_epochs n_iter max_iter iterations step_size milestones T_max T_0",
    "epsilon": "eps",
    "factor": "gamma decay_rate",
    "folder": "log_dir",
    "hidden_layer_sizes": "layers hidden_sizes hidden_units layer_sizes units sizes architecture",
    "init": "initializer kernel_initializer initialization weight_init init_method",
    "l2": "alpha weight_decay kernel_regularizer reg_lambda",
    "learning_rate": "lr eta eta0 base_lr max_lr initial_learning_rate learning_rate_init step_size",
    "learning_rate_init": "lr eta eta0 base_lr",
    "loss": "loss_fn loss_function criterion objective",
    "max_iter": "epochs epoch n_epochs num_epochs max_epochs n_iter iterations",
    "metrics": "metric",
    "min_delta": "tol threshold",
    "minimum": "min_lr eta_min",
    "momentum": "nu",
    "n_parameters": "num_parameters n_params num_params",
    "n_threads": "n_jobs num_threads nthread threads",
    "negative_slope": "alpha slope",
    "network": "model net",
    "optimizer": "opt optim solver algorithm",
    "output": "output_activation out_activation final_activation last_activation",
    "path": "filepath filename fname file",
    "patience": "n_iter_no_change early_stopping_rounds",
    "period": "save_freq every_n_epochs",
    "random_state": "seed random_seed",
    "restore_best": "restore_best_weights",
    "rho": "decay alpha decay_rate gamma",
    "sample_weight": "sample_weights weights",
    "seed": "random_state random_seed rng",
    "solver": "optimizer opt optim",
    "sizes": "layers hidden_layer_sizes hidden_sizes hidden_units layer_sizes units shape architecture",
    "steps": "total_steps decay_steps max_iter",
    "validation_data": "validation val_data valid_data validation_set eval_set X_val y_val x_val val",
    "validation_split": "val_split validation_fraction test_size",
    "verbose": "verbosity",
    "weights": "weight kernel coef coefs W w",
    "y": "targets target labels train_y y_train",
}
