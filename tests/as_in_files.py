"""For tests of outputs and losses that new networks refuse, but files of earlier versions may have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from foxnn.compatibility import only_said

#: Marks of a module whose tests all do this.
as_in_files = [
    pytest.mark.usefixtures("_as_in_files"),
    pytest.mark.filterwarnings("ignore:this network cannot be trained"),
    pytest.mark.filterwarnings("ignore:activation. the derivative"),
]


@pytest.fixture
def _as_in_files() -> Iterator[None]:
    """What does not go together is said, not refused."""
    with only_said():
        yield
