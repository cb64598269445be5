"""Make the sample of MNIST that foxnn carries: the first digits of every class.

    python tools/make_mnist_sample.py FOLDER_WITH_THE_FOUR_FILES

The digits stay in the order they have in MNIST, so the same source always gives the same sample.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foxnn.datasets import load_mnist, write_idx

PER_CLASS_TRAIN = 600
PER_CLASS_TEST = 100
DESTINATION = Path(__file__).parent.parent / "foxnn" / "datasets" / "mnist_sample"


def first_of_every_class(labels: NDArray[np.int64], n: int) -> NDArray[np.intp]:
    """Return the indices, in increasing order, of the first `n` labels of every class."""
    return np.sort(np.concatenate([np.flatnonzero(labels == label)[:n] for label in np.unique(labels)]))


def write_part(prefix: str, images: NDArray[np.uint8], labels: NDArray[np.int64], n: int) -> None:
    chosen = first_of_every_class(labels, n)
    write_idx(DESTINATION / f"{prefix}-images-idx3-ubyte.gz", images[chosen].reshape(-1, 28, 28))
    write_idx(DESTINATION / f"{prefix}-labels-idx1-ubyte.gz", labels[chosen].astype(np.uint8))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("source", type=Path, help="folder with the four files of MNIST")
    data = load_mnist(parser.parse_args().source)
    DESTINATION.mkdir(parents=True, exist_ok=True)
    write_part("train", data.X_train, data.y_train, PER_CLASS_TRAIN)
    write_part("t10k", data.X_test, data.y_test, PER_CLASS_TEST)


if __name__ == "__main__":
    main()
