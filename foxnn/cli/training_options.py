"""The options of ``foxnn train``, and what they make: a loss, a network, an optimizer."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import foxnn
from foxnn.cli.arguments import above_zero, add_delimiter, add_metrics, at_least, names, number, positive, share, units
from foxnn.layers.normalisation import BatchNorm, LayerNorm, put_together
from foxnn.losses import NATURAL_OUTPUT, Loss

if TYPE_CHECKING:
    from foxnn.cli.arguments import Parser
    from foxnn.network import NeuralNetwork
    from foxnn.optimizers import Optimizer

__all__ = ["OF_TABLES", "add_options", "check_options", "complete", "make_network", "make_optimizer"]

#: Options that only tables have.
OF_TABLES = ("target", "task", "ignore", "text_columns", "test", "delimiter")
# By default, for images and for tables.
_IMAGES = {"hidden": [512, 512], "epochs": 10, "batch_size": 98, "early_stopping": 0}
_TABLES = {"hidden": [64, 64], "epochs": 100, "batch_size": 32, "early_stopping": 10}
_VALIDATION = 0.1  # if training may stop early
_NORMS = {"batch": BatchNorm, "layer": LayerNorm}
_SCHEDULES = {"constant": None, "cosine": "Cosine", "one-cycle": "OneCycle"}  # over all epochs


def add_options(parser: Parser) -> None:
    """Add all that says how to train, and what."""
    _add_network(parser.add_argument_group("network"))
    _add_training(parser.add_argument_group("training"))
    _add_regularisation(parser.add_argument_group("regularisation"))
    _add_table(parser.add_argument_group("tables"))


def _add_network(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--hidden", type=units, metavar="UNITS",
        help="units of each hidden layer, or none; by default 512,512 for images and 64,64 for tables",
    )  # fmt: skip
    group.add_argument(
        "--activation", default="relu", metavar="NAME",
        help="of the hidden layers, or one for each with commas between; default relu",
    )  # fmt: skip
    group.add_argument("--norm", choices=tuple(_NORMS), help="normalises what goes into each hidden activation")
    group.add_argument("--init", metavar="NAME", help="how weights start; by default what suits the activation")
    group.add_argument(
        "--loss", metavar="NAME", help="by default cross_entropy for classes and half_squared_error for numbers"
    )
    group.add_argument("--dtype", default="float32", metavar="TYPE", help="float32 (default) or float64")


def _add_training(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--epochs", type=positive, metavar="N", help="by default 10 for images and at most 100 for tables"
    )
    group.add_argument("--batch-size", type=positive, metavar="N", help="by default 98 for images and 32 for tables")
    group.add_argument(
        "--optimizer", default="adam", metavar="NAME", help=f"{', '.join(foxnn.optimizers.names())}; default adam"
    )
    group.add_argument("--learning-rate", type=number(0), metavar="RATE", help="by default the optimizer's own")
    group.add_argument("--momentum", type=share, metavar="M", help="of momentum and nesterov; default 0.9")
    group.add_argument("--weight-decay", type=number(0), metavar="W", help="of adamw; default 0.01")
    clipping = group.add_mutually_exclusive_group()
    clipping.add_argument(
        "--clip-norm", type=above_zero, metavar="NORM", help="scales all gradients of a step together down to this norm"
    )
    clipping.add_argument("--clip-value", type=above_zero, metavar="VALUE", help="limits each number of the gradients")
    group.add_argument(
        "--schedule", choices=tuple(_SCHEDULES),
        help="how the learning rate goes: as it is (constant, default), falling along a cosine, or up and down once",
    )  # fmt: skip
    group.add_argument(
        "--validation", type=share, metavar="SHARE",
        help="of the samples, to be evaluated after every epoch; default 0.1 with early stopping, else 0",
    )  # fmt: skip
    group.add_argument(
        "--early-stopping", type=at_least(0), metavar="PATIENCE",
        help="epochs to go on without a better validation loss, and then back to the best; 0: go on to the end; "
        "by default 0 for images and 10 for tables",
    )  # fmt: skip
    group.add_argument(
        "--class-weight", choices=("balanced",), help="lets all classes weigh the same together, however rare they are"
    )
    add_metrics(group, "what else to compute after every epoch, of the samples to validate on, and of the test")
    group.add_argument("--seed", type=at_least(0), default=0, metavar="N", help="of everything random; default 0")


def _add_regularisation(group: argparse._ArgumentGroup) -> None:
    for name, kind, metavar, what in (
        ("--dropout", share, "SHARE", "of hidden units, left out in training"),
        ("--input-dropout", share, "SHARE", "of inputs, left out in training"),
        ("--input-noise", number(0), "DEVIATION", "standard deviation of noise on the inputs in training"),
        ("--l1", number(0), "L1", "training minimises the loss plus L1 |w| for each weight w"),
        ("--l2", number(0), "L2", "plus L2 w^2 / 2 for each weight w"),
        ("--label-smoothing", share, "SHARE", "of each target, spread over all classes"),
    ):
        group.add_argument(name, type=kind, default=0.0, metavar=metavar, help=f"{what}; default 0")
    group.add_argument(
        "--max-norm", type=above_zero, metavar="NORM", help="the most that the norm of a unit's weights may be"
    )


def _add_table(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--target", metavar="COLUMN", help="the column to predict")
    group.add_argument("--task", choices=("classification", "regression"), help="by default what the target looks like")
    group.add_argument("--ignore", type=names, metavar="COLUMNS", help="columns to leave out")
    group.add_argument(
        "--text-columns", type=names, metavar="COLUMNS", help="columns of texts that have numbers in them"
    )
    group.add_argument(
        "--test", type=share, metavar="SHARE", help="of the rows, to be held out for the result; default 0.2"
    )
    add_delimiter(group)


def complete(args: argparse.Namespace, of_images: bool) -> None:
    """Fill in what depends on the data and on other options."""
    if args.validation == 0:
        if args.early_stopping:
            raise ValueError("--early-stopping needs samples to validate on, but --validation is 0")
        args.early_stopping = 0
    for name, value in (_IMAGES if of_images else _TABLES).items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    if args.validation is None:
        args.validation = _VALIDATION if args.early_stopping else 0.0
    if args.output is None:
        args.output = f"{Path(args.data).stem}.safetensors"
    if not args.output.endswith(".safetensors"):
        raise ValueError(f"--output: got {args.output!r}; it takes a name that ends in .safetensors")


def check_options(args: argparse.Namespace) -> None:
    """Raise if there is anything wrong that can be known without the data."""
    for name in ("norm", "dropout"):
        if getattr(args, name) and not args.hidden:
            raise ValueError(f"--{name} is for hidden layers, but --hidden is none")
    make_network(args, 1, 2)._check_batch("--batch-size", args.batch_size)
    make_optimizer(args)
    foxnn.metrics.get(args.metrics)


def make_network(args: argparse.Namespace, n_in: int, n_out: int) -> NeuralNetwork:
    """Return the network to train: with one output it learns numbers, else classes."""
    is_regression = n_out == 1
    if is_regression and args.class_weight is not None:
        raise ValueError(f"--class-weight is for classes; {args.target!r} has numbers")
    loss = _loss(args, is_regression)
    activations = names(args.activation)
    norm = None if args.norm is None else _NORMS[args.norm]()
    return foxnn.neural_network(
        put_together([n_in, *args.hidden, n_out], [*(norm for _ in args.hidden), None]),
        activation=activations[0] if len(activations) == 1 else activations,
        output=NATURAL_OUTPUT.get(loss.name, "linear" if is_regression else "sigmoid"),
        loss=loss,
        init=args.init,
        dropout=args.dropout,
        dtype=args.dtype,
        seed=args.seed,
        input_dropout=args.input_dropout,
        input_noise=args.input_noise,
        l1=args.l1,
        l2=args.l2,
        max_norm=args.max_norm,
    )


def _loss(args: argparse.Namespace, is_regression: bool) -> Loss:
    loss = Loss.of(args.loss or ("half_squared_error" if is_regression else "cross_entropy"))
    if is_regression and loss.is_classification:
        fitting = [other for other in foxnn.losses.names() if not Loss.of(other).is_classification]
        raise ValueError(
            f"--loss: {args.loss!r} is for classes, not for a regression, which takes {', '.join(fitting)}"
        )
    if not args.label_smoothing:
        return loss
    if "label_smoothing" not in loss.parameters:
        fitting = [other for other in foxnn.losses.names() if "label_smoothing" in Loss(other).parameters]
        got = f"{args.label_smoothing:g} with the loss {loss.name!r}"
        raise ValueError(f"--label-smoothing: got {got}; it is for {', '.join(fitting)}")
    return Loss(loss.name, label_smoothing=args.label_smoothing)


def make_optimizer(args: argparse.Namespace) -> Optimizer:
    """Return the optimizer, with its learning rate or schedule."""
    plain = foxnn.optimizers.get(args.optimizer)
    options = ("momentum", "weight_decay", "clip_norm", "clip_value")
    given = {name: getattr(args, name) for name in options if getattr(args, name) is not None}
    for name in ("momentum", "weight_decay"):
        if name in given and name not in plain.hyper:
            fitting = [other for other in foxnn.optimizers.names() if name in foxnn.optimizers.get(other).hyper]
            option = f"--{name.replace('_', '-')}"
            raise ValueError(
                f"{option}: got {given[name]:g} with --optimizer {plain.name}; it is for {', '.join(fitting)}"
            )
    optimizer = foxnn.optimizers.get(plain, args.learning_rate, **given)
    schedule = _SCHEDULES[args.schedule or "constant"]
    if schedule is not None:
        optimizer.learning_rate = getattr(foxnn.schedules, schedule)(optimizer.learning_rate)
    return optimizer
