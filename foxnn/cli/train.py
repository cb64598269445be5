"""``foxnn train``: a network from images or a table, its quality on data it has not seen, and its file."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import foxnn
from foxnn.callbacks import Callback, EarlyStopping
from foxnn.callbacks.progress_bar import is_wanted
from foxnn.cli import training_data
from foxnn.cli.arguments import (
    DATASETS,
    add_delimiter,
    add_metrics,
    add_threads,
    at_least,
    command,
    names,
    positive,
    share,
    units,
)
from foxnn.cli.files import check_readable, check_writable
from foxnn.cli.report import EpochLines, architecture, line, quality, say, size
from foxnn.losses import NATURAL_OUTPUT, Loss

if TYPE_CHECKING:
    from foxnn.cli.arguments import Commands
    from foxnn.cli.training_data import TrainingData
    from foxnn.network import NeuralNetwork
    from foxnn.optimizers import Optimizer

__all__ = ["add_to"]

_EXAMPLES = """\
examples:
  foxnn train mnist
  foxnn train mnist --epochs 20 --dropout 0.2 --validation 0.1 --output digits.safetensors
  foxnn train mnist --epochs 20 --resume
  foxnn train --resume mnist.checkpoint.safetensors
  foxnn train iris.csv --target species
  foxnn train homes.csv --target price --ignore id,street --hidden 128,64 --loss huber
"""
# By default, for images and for tables.
_IMAGES = {"hidden": [512, 512], "epochs": 10, "batch_size": 98, "early_stopping": 0}
_TABLES = {"hidden": [64, 64], "epochs": 100, "batch_size": 32, "early_stopping": 10}
_VALIDATION = 0.1  # if training may stop early
_SCHEDULES = {"constant": None, "cosine": "Cosine", "one-cycle": "OneCycle"}  # over all epochs
_CHECKPOINT = ".checkpoint.safetensors"
_COMMAND = "command"  # its name in the metadata of a checkpoint
_OF_TABLES = ("target", "task", "ignore", "text_columns", "test", "delimiter")


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = command(commands, "train", run, "train a network on images or a table", _EXAMPLES)
    parser.add_argument("data", nargs="?", help="mnist, fashion-mnist or a CSV file whose first line names the columns")
    parser.add_argument(
        "--output", metavar="FILE", help="file of the network; by default called as the data, here, .safetensors"
    )
    parser.add_argument(
        "--resume", nargs="?", const=True, default=False, metavar="FILE",
        help="go on with the training that was interrupted, as the same command began it; ends with the same bits. "
        "With the FILE of its checkpoint, the command need not be given again",
    )  # fmt: skip
    parser.add_argument("--quiet", action="store_true", help="print only warnings and the result")
    _add_network(parser.add_argument_group("network"))
    _add_training(parser.add_argument_group("training"))
    _add_table(parser.add_argument_group("tables"))
    add_threads(parser)


def _add_network(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--hidden", type=units, metavar="UNITS",
        help="units of each hidden layer, or none; by default 512,512 for images and 64,64 for tables",
    )  # fmt: skip
    group.add_argument(
        "--activation", default="relu", metavar="NAME",
        help="of the hidden layers, or one for each with commas between; default relu",
    )  # fmt: skip
    group.add_argument("--dropout", type=float, default=0.0, metavar="SHARE", help="of hidden units; default 0")
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
    group.add_argument("--optimizer", default="adam", metavar="NAME", help="default adam")
    group.add_argument("--learning-rate", type=float, metavar="RATE", help="by default the optimizer's own")
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
    add_metrics(group, "what else to compute after every epoch, of the samples to validate on, and of the test")
    group.add_argument("--seed", type=at_least(0), default=0, metavar="N", help="of everything random; default 0")


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


def run(args: argparse.Namespace) -> int:
    """Carry out the command."""
    if isinstance(args.resume, str):
        args = _as_begun(args)
    if args.data is None:
        raise ValueError(f"data: got none; it takes {', '.join(DATASETS)} or a CSV file (see foxnn train --help)")
    of_images = args.data in DATASETS
    _complete(args, _IMAGES if of_images else _TABLES)
    # All that may be wrong is found before minutes of downloading and training.
    _check_source(args, of_images)
    check_writable(args.output, args.data)
    _network(args, 1, 1, loss=args.loss or "half_squared_error", output="linear")
    foxnn.metrics.get(args.metrics)
    optimizer = foxnn.optimizers.get(args.optimizer, args.learning_rate)
    schedule = _SCHEDULES[args.schedule or "constant"]
    if schedule is not None:
        optimizer.learning_rate = getattr(foxnn.schedules, schedule)(optimizer.learning_rate)

    data = training_data.images(args) if of_images else training_data.table(args)
    loss, output = _loss_and_output(args.loss, is_regression=data.n_out == 1)
    network = _network(args, data.train.X.shape[1], data.n_out, loss, output)
    network.metadata.update(data.metadata)
    network.metadata[_COMMAND] = args.given  # until the training is complete
    if not args.quiet:
        for label, text in data.description.items():
            line(label, text)
        line("network", architecture(network))
        line("training", f"{loss}, {optimizer!r}, batches of {args.batch_size}, seed {args.seed}")
    return _train(args, network, optimizer, data)


def _as_begun(args: argparse.Namespace) -> argparse.Namespace:
    """What the command said that began the training in the file of --resume; what is given again comes after it."""
    file, output, given = args.resume, args.output, args.given
    if not file.endswith(".safetensors") and args.data is None:  # --resume DATA, without a FILE
        args.data, args.resume = file, True
        return args
    if args.data is None:
        command = foxnn.load(file).metadata.get(_COMMAND)
        if (
            not isinstance(command, list)
            or not all(isinstance(word, str) for word in command)
            or command[:1] != given[:1]
        ):
            raise ValueError(f"--resume: {file!r} is no checkpoint of foxnn train")
        args = args.parse([*command, *given[1:]])
        args.given = [*command, *given[1:]]
    args.output = output or file.removesuffix(_CHECKPOINT) + ".safetensors"  # whatever the file says
    return args


def _complete(args: argparse.Namespace, defaults: dict[str, Any]) -> None:
    """Fill in what depends on the data and on other options."""
    if args.validation == 0:
        if args.early_stopping:
            raise ValueError("--early-stopping needs samples to validate on, but --validation is 0")
        args.early_stopping = 0
    for name, value in defaults.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    if args.validation is None:
        args.validation = _VALIDATION if args.early_stopping else 0.0
    if args.output is None:
        args.output = f"{Path(args.data).stem}.safetensors"
    if not args.output.endswith(".safetensors"):
        raise ValueError(f"--output: got {args.output!r}; it takes a name that ends in .safetensors")


def _check_source(args: argparse.Namespace, of_images: bool) -> None:
    if of_images:
        for name in _OF_TABLES:
            if getattr(args, name) is not None:
                raise ValueError(f"--{name.replace('_', '-')} is for tables; {args.data} is none")
        return
    check_readable(args.data)
    if args.target is None:
        from foxnn.datasets.records import read_records

        columns = ", ".join(map(repr, read_records(args.data, args.delimiter).columns))
        raise ValueError(f"--target is missing; it takes one of the columns of {args.data}: {columns}")


def _network(args: argparse.Namespace, n_in: int, n_out: int, loss: str, output: str) -> NeuralNetwork:
    activations = names(args.activation)
    return foxnn.neural_network(
        [n_in, *args.hidden, n_out],
        activation=activations[0] if len(activations) == 1 else activations,
        output=output,
        loss=loss,
        init=args.init,
        dropout=args.dropout,
        dtype=args.dtype,
        seed=args.seed,
    )


def _loss_and_output(name: str | None, *, is_regression: bool) -> tuple[str, str]:
    """Return the names of the loss and of the activation of the outputs."""
    if name is None:
        name = "half_squared_error" if is_regression else "cross_entropy"
    loss = Loss.of(name)
    if is_regression and loss.is_classification:
        fitting = [other for other in foxnn.losses.names() if not Loss.of(other).is_classification]
        raise ValueError(f"--loss: {name!r} is for classes, not for a regression, which takes {', '.join(fitting)}")
    return loss.name, NATURAL_OUTPUT.get(loss.name, "linear" if is_regression else "sigmoid")


def _train(args: argparse.Namespace, network: NeuralNetwork, optimizer: Optimizer, data: TrainingData) -> int:
    early_stopping = EarlyStopping(patience=args.early_stopping) if args.early_stopping else None
    show_bar = not args.quiet and is_wanted("auto")
    callbacks: list[Callback] = [] if early_stopping is None else [early_stopping]
    callbacks += [] if args.quiet or show_bar else [EpochLines()]
    checkpoint = _checkpoint(args)
    try:
        network.fit(
            *data.train,
            epochs=args.epochs,
            batch_size=args.batch_size,
            optimizer=optimizer,
            validation_data=data.validation if len(data.validation.X) else None,
            callbacks=callbacks,
            metrics=args.metrics,
            verbose=show_bar,
            checkpoint=checkpoint,
            resume=bool(args.resume),
        )
    except KeyboardInterrupt:
        raise _interrupted(args, network) from None
    except foxnn.DivergenceError as error:
        raise foxnn.DivergenceError(f"{error} Nothing was saved.") from None
    del network.metadata[_COMMAND]
    network.save(args.output)  # before the test, which Ctrl-C may cut short
    checkpoint.unlink(missing_ok=True)
    if early_stopping is not None and not args.quiet:
        n_epochs = len(network.history.epochs)
        line("best", f"epoch {early_stopping.best_epoch + 1} of {n_epochs} (val_loss {early_stopping.best:.4f})")
    if len(data.test.X):
        line("test", quality(network, data.recipe, *data.test, args.metrics))
    if not args.quiet:
        line("saved", f"{args.output} ({size(os.path.getsize(args.output))})")
    return 0


def _checkpoint(args: argparse.Namespace) -> Path:
    """The file of the training, beside that of the network; without --resume, a new one."""
    path = Path(args.output).with_suffix(_CHECKPOINT) if isinstance(args.resume, bool) else Path(args.resume)
    if not args.resume:
        if path.exists():
            say(f"warning: the training that was interrupted begins anew ({path} is gone); --resume would have gone on")
        path.unlink(missing_ok=True)
    elif not path.exists():
        raise FileNotFoundError(f"--resume: there is no training to go on with: {str(path)!r} is not there")
    return path


def _interrupted(args: argparse.Namespace, network: NeuralNetwork) -> KeyboardInterrupt:
    """Save what there is; but not less than an epoch, which is a mistyped command rather than a network."""
    done = len(network.history.epochs)
    if not done:
        return KeyboardInterrupt("interrupted before the first epoch was complete; --resume goes on")
    del network.metadata[_COMMAND]
    network.save(args.output)
    return KeyboardInterrupt(
        f"interrupted after {done} of {args.epochs} epochs; saved the network as it was then: {args.output}; "
        "--resume goes on"
    )
