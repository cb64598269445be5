"""MNIST and Fashion-MNIST: images of 28 x 28 pixels in ten classes, to train on and to test with."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from foxnn._arguments import pointing
from foxnn._warnings import warn_user
from foxnn.datasets.cache import cache_folder
from foxnn.datasets.download import fetch
from foxnn.datasets.idx import idx_header, read_idx
from foxnn.datasets.mnist_files import FASHION_MNIST, FASHION_MNIST_CLASSES, MNIST, Collection, File
from foxnn.errors import FileFormatError

__all__ = ["FASHION_MNIST_CLASSES", "Dataset", "load_fashion_mnist", "load_mnist", "load_mnist_sample"]


class Dataset(NamedTuple):
    """Images and labels, those to train on and those to test with.

    Attributes
    ----------
    X_train : ndarray of uint8, shape (n_train, 784)
        Images, a row each: 28 rows of 28 pixels, 0 (background) to 255 (ink).
    y_train : ndarray of int64, shape (n_train,)
        Classes of these images, 0 to 9.
    X_test : ndarray of uint8, shape (n_test, 784)
        Images to test with.
    y_test : ndarray of int64, shape (n_test,)
        Classes of these images.

    Examples
    --------
    >>> X_train, y_train, X_test, y_test = load_mnist_sample()
    >>> load_mnist_sample().X_test.shape
    (1000, 784)
    """

    X_train: NDArray[np.uint8]
    y_train: NDArray[np.int64]
    X_test: NDArray[np.uint8]
    y_test: NDArray[np.int64]


_MAX_BYTES = 60_000 * 28 * 28
_SAMPLE_FOLDER = Path(__file__).parent / "mnist_sample"


@pointing
def load_mnist(folder: str | os.PathLike[str] | None = None, *, download: bool = True) -> Dataset:
    """Load MNIST, the handwritten digits: 60,000 to train on and 10,000 to test with.

    Looks in these places, in this order:

    1. `folder`, where one is given: nowhere else then;
    2. the folder that the environment variable FOXNN_DATA_DIR names, and ``mnist`` inside it, or ``MNIST/raw``, as
       torchvision has it; files in folders of their own names, as Kaggle has them, are found too;
    3. the cache: ``mnist`` in FOXNN_CACHE_DIR, or in the platform's folder for caches;
    4. the public mirrors (11 MB, kept in the cache), or ``mnist`` at the address in FOXNN_MIRROR, which
       must have the very files of the mirrors;
    5. the sample that comes with foxnn, 6,000 and 1,000 of the digits, and then a UserWarning says so.

    A folder has the four files ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``,
    ``t10k-images-idx3-ubyte`` and ``t10k-labels-idx1-ubyte``, as they are or compressed with gzip (".gz").
    Their content is checked by SHA-256 wherever it comes from. A damaged file in the cache is downloaded
    again.

    Parameters
    ----------
    folder : str or path-like, optional
        A folder with the four files.
    download : bool, default True
        Whether to use the network.

    Returns
    -------
    Dataset
        ``(X_train, y_train, X_test, y_test)``: images as uint8 of shape (n, 784), labels as int64 of shape
        (n,).

    Raises
    ------
    FileNotFoundError
        `folder`, or FOXNN_DATA_DIR, is no folder, or has only some of the files.
    FileFormatError
        A file in `folder` or FOXNN_DATA_DIR is damaged, or is not MNIST's.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition",
    Proceedings of the IEEE 86 (1998). Data by Y. LeCun, C. Cortes and C. J. C. Burges, under CC BY-SA 3.0.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # the sample will do here
    ...     X_train, y_train, X_test, y_test = load_mnist(download=False)
    >>> X_train.shape[1], y_train[:3].tolist()
    (784, [5, 0, 4])
    """
    found = _load_from_folders(MNIST, folder)
    if found is not None:
        return found
    try:
        return _load_from_cache(MNIST, download)
    except OSError as error:
        warn_user(
            "this is only the sample of MNIST that comes with foxnn, 6,000 digits to train on and 1,000 to "
            f"test with: {error}. {_how_to_place(MNIST)}"
        )
        return load_mnist_sample()


@pointing
def load_fashion_mnist(folder: str | os.PathLike[str] | None = None, *, download: bool = True) -> Dataset:
    """Load Fashion-MNIST, articles of clothing: 60,000 to train on and 10,000 to test with.

    Looks in the same places as `load_mnist`, in folders called ``fashion-mnist``; in FOXNN_DATA_DIR itself
    it does not look, since that has MNIST's files of the same names. No sample comes with foxnn. The
    classes are called `FASHION_MNIST_CLASSES`.

    Parameters
    ----------
    folder : str or path-like, optional
        A folder with the four files.
    download : bool, default True
        Whether to use the network (31 MB).

    Returns
    -------
    Dataset
        ``(X_train, y_train, X_test, y_test)``: images as uint8 of shape (n, 784), labels as int64 of shape
        (n,).

    Raises
    ------
    FileNotFoundError
        `folder`, or FOXNN_DATA_DIR, is no folder, or has only some of the files.
    FileFormatError
        A file in `folder` or FOXNN_DATA_DIR is damaged, or is not Fashion-MNIST's.
    OSError
        The data is not on this machine and cannot be downloaded; the message lists what each mirror said
        and how to place the files by hand.

    References
    ----------
    H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
    Algorithms", arXiv:1708.07747 (2017). Data by Zalando SE, under the MIT licence.

    Examples
    --------
    >>> X_train, y_train, X_test, y_test = load_fashion_mnist()  # doctest: +SKIP
    >>> FASHION_MNIST_CLASSES[9]
    'Ankle boot'
    """
    found = _load_from_folders(FASHION_MNIST, folder)
    if found is not None:
        return found
    try:
        return _load_from_cache(FASHION_MNIST, download)
    except OSError as error:
        raise OSError(f"{error}. {_how_to_place(FASHION_MNIST)}") from error


def load_mnist_sample() -> Dataset:
    """Load the sample of MNIST that comes with foxnn: 6,000 digits to train on, 1,000 to test with.

    It has the first 600 training and the first 100 test digits of every class, in MNIST's order. It needs no
    network, is always the same, and is meant for examples and tests.

    Returns
    -------
    Dataset
        ``(X_train, y_train, X_test, y_test)``: images as uint8 of shape (n, 784), labels as int64 of shape
        (n,).

    Examples
    --------
    >>> X_train, y_train, X_test, y_test = load_mnist_sample()
    >>> X_train.shape, X_test.shape
    ((6000, 784), (1000, 784))
    """
    return _dataset([read_idx(_SAMPLE_FOLDER / file.remote.name) for file in MNIST.files])


def _load_from_folders(collection: Collection, folder: str | os.PathLike[str] | None) -> Dataset | None:
    """Load from the folder given, or from FOXNN_DATA_DIR; None when the latter has no such data."""
    if folder is not None:
        given = _existing(Path(folder), "folder")
        inside = given / collection.torchvision / "raw"
        return _load_from_folder(collection, inside if inside.is_dir() else given)
    chosen = os.environ.get("FOXNN_DATA_DIR")
    if not chosen:
        return None
    data_dir = _existing(Path(chosen).expanduser(), "FOXNN_DATA_DIR")
    subfolders = [data_dir / collection.folder, data_dir / collection.torchvision / "raw"]
    for place in [data_dir, *subfolders] if collection.at_top else subfolders:
        if any(_copies(place, file) for file in collection.files):
            return _load_from_folder(collection, place)
    return None


def _existing(folder: Path, name: str) -> Path:
    if not folder.is_dir():
        raise FileNotFoundError(f"{name} is {str(folder)!r}, which is no folder")
    return folder


def _load_from_folder(collection: Collection, folder: Path) -> Dataset:
    missing = [file.remote.name for file in collection.files if not _copies(folder, file)]
    if missing:
        raise FileNotFoundError(f"{folder} lacks {', '.join(missing)} of {collection.title} (with or without the .gz)")
    return _dataset([_read(collection, _copies(folder, file)[0], file) for file in collection.files])


def _load_from_cache(collection: Collection, download: bool) -> Dataset:
    folder = cache_folder() / collection.folder
    arrays = [_read_cached(collection, folder, file) for file in collection.files]
    if any(array is None for array in arrays) and not download:
        raise FileNotFoundError(f"{folder} does not have all of {collection.title} undamaged, and download=False")
    mirrors = _mirrors(collection)
    # The small files first: where there is no network, one file is enough to know.
    for index in sorted(range(len(arrays)), key=lambda index: collection.files[index].remote.size):
        if arrays[index] is None:
            file = collection.files[index]
            arrays[index] = _read(collection, fetch(file.remote, mirrors, folder), file)
    return _dataset([array for array in arrays if array is not None])


def _mirrors(collection: Collection) -> tuple[str, ...]:
    chosen = os.environ.get("FOXNN_MIRROR")
    return (f"{chosen.rstrip('/')}/{collection.folder}/",) if chosen else collection.mirrors


def _copies(folder: Path, file: File) -> list[Path]:
    """Return where a folder has the file: compressed, unpacked, as some tools name it, or in a folder of its name."""
    name = file.remote.name
    unpacked = name.removesuffix(".gz")
    names = (name, unpacked, unpacked.replace("-idx", ".idx"))
    places = [folder / name for name in names] + [folder / name / name for name in names]  # Kaggle has both
    return [place for place in places if place.is_file()]


def _read_cached(collection: Collection, folder: Path, file: File) -> NDArray[Any] | None:
    for path in _copies(folder, file):
        try:
            return _read(collection, path, file)
        except FileFormatError:
            continue  # to be downloaded again
    return None


def _read(collection: Collection, path: Path, file: File) -> NDArray[Any]:
    array = read_idx(path, max_bytes=_MAX_BYTES)
    digest = hashlib.sha256(idx_header(array))
    digest.update(np.ascontiguousarray(array, array.dtype.newbyteorder(">")).data)
    found = digest.hexdigest()
    if found == file.sha256:
        return array
    for other in (MNIST, FASHION_MNIST):
        if any(found == belongs.sha256 for belongs in other.files):
            raise FileFormatError(f"{path}: this is not the file of {collection.title} but one of {other.title}")
    raise FileFormatError(
        f"{path}: damaged, or not of {collection.title}: the SHA-256 of its content is {found} instead of {file.sha256}"
    )


def _dataset(arrays: list[NDArray[Any]]) -> Dataset:
    X_train, y_train, X_test, y_test = arrays
    return Dataset(
        X_train.reshape(len(X_train), -1),
        y_train.astype(np.int64),
        X_test.reshape(len(X_test), -1),
        y_test.astype(np.int64),
    )


def _how_to_place(collection: Collection) -> str:
    names = ", ".join(file.remote.name for file in collection.files)
    return (
        f"To have all of {collection.title}, connect to the network, name a mirror in FOXNN_MIRROR, or put "
        f"{names} into a folder {collection.folder!r} and set FOXNN_DATA_DIR to the folder it is in"
    )
