"""What all tests share: which foxnn they test, how hypothesis draws its examples, and the full MNIST."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from foxnn.datasets import Dataset

collect_ignore = ["faults"]  # scripts that tests run

# `python -m pytest` puts the repository on the path, where foxnn/ has no compiled module. What is tested is
# what is installed, so this has to come before anything imports foxnn.
_REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _REPOSITORY]

# No deadline: a busy machine is not a bug. In CI the examples are the same in every run, so that a change is
# only blamed for what it did.
settings.register_profile("foxnn", deadline=None)
settings.register_profile("foxnn-ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("foxnn-ci" if os.environ.get("CI") else "foxnn")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "out_of_memory: asks for more memory than there can be")


@pytest.fixture(scope="session")
def _empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(autouse=True)
def _away_from_the_repository(_empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A Python that a test starts looks for modules where it is started: not where foxnn/ is without its core.
    monkeypatch.chdir(_empty_folder)


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    """The full MNIST: X_train (60000, 784) and X_test (10000, 784) of uint8, y_train and y_test of int64."""
    if not os.environ.get("FOXNN_DATA_DIR"):
        pytest.skip("needs the full MNIST: set FOXNN_DATA_DIR to the folder that has its files")
    from foxnn.datasets import load_mnist

    return load_mnist()
