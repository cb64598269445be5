"""``foxnn train``: a network from images or a table, its quality on data it has not seen, and its file."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

import foxnn
from foxnn.callbacks import Callback, EarlyStopping
from foxnn.callbacks.progress_bar import is_wanted
from foxnn.cli import training_data
from foxnn.cli.arguments import DATASETS, add_threads, command, limit_threads
from foxnn.cli.files import check_readable, check_writable
from foxnn.cli.report import EpochLines, architecture, line, objective, quality, say, size
from foxnn.cli.training_options import (
    OF_TABLES,
    add_options,
    check_options,
    complete,
    make_network,
    make_optimizer,
)

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
_CHECKPOINT = ".checkpoint.safetensors"
_COMMAND = "command"  # its name in the metadata of a checkpoint


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
    add_options(parser)
    add_threads(parser)


def run(args: argparse.Namespace) -> int:
    """Carry out the command."""
    if isinstance(args.resume, str):
        args = _as_begun(args)
    with limit_threads(args.threads):
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    if args.data is None:
        raise ValueError(f"data: got none; it takes {', '.join(DATASETS)} or a CSV file (see foxnn train --help)")
    of_images = args.data in DATASETS
    complete(args, of_images)
    # All that may be wrong is found before minutes of downloading and training.
    _check_source(args, of_images)
    check_writable(args.output, args.data)
    check_options(args)

    data = training_data.images(args) if of_images else training_data.table(args)
    network = make_network(args, data.train.X.shape[1], data.n_out)
    optimizer = make_optimizer(args)
    network.metadata.update(data.metadata)
    network.metadata[_COMMAND] = args.given  # until the training is complete
    if not args.quiet:
        for label, text in data.description.items():
            line(label, text)
        line("network", architecture(network))
        line("training", f"{objective(network)}, {optimizer!r}, batches of {args.batch_size}, seed {args.seed}")
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


def _check_source(args: argparse.Namespace, of_images: bool) -> None:
    if of_images:
        for name in OF_TABLES:
            if getattr(args, name) is not None:
                raise ValueError(f"--{name.replace('_', '-')} is for tables; {args.data} is none")
        return
    check_readable(args.data)
    if args.target is None:
        from foxnn.datasets.records import read_records

        columns = ", ".join(map(repr, read_records(args.data, args.delimiter).columns))
        raise ValueError(f"--target is missing; it takes one of the columns of {args.data}: {columns}")


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
            class_weight=args.class_weight,
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
    _save(args, network)  # before the test, which Ctrl-C may cut short
    checkpoint.unlink(missing_ok=True)
    if early_stopping is not None and not args.quiet:
        n_epochs = len(network.history.epochs)
        line("best", f"epoch {early_stopping.best_epoch + 1} of {n_epochs} (val_loss {early_stopping.best:.4f})")
    if len(data.test.X):
        line("test", quality(network, data.recipe, *data.test, args.metrics))
    if not args.quiet:
        line("saved", f"{args.output} ({size(os.path.getsize(args.output))})")
    return 0


def _save(args: argparse.Namespace, network: NeuralNetwork) -> None:
    """Write the file, of which it is known that it could be written before the training; if not, then elsewhere."""
    from foxnn._atomic import write_or_rescue
    from foxnn.io import to_pieces

    write_or_rescue(args.output, list(to_pieces(network, args.output)))


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
    _save(args, network)
    return KeyboardInterrupt(
        f"interrupted after {done} of {args.epochs} epochs; saved the network as it was then: {args.output}; "
        "--resume goes on"
    )
