"""Promise: what the pages on one's own loop say can be run from top to bottom."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest

PAGE = Path(__file__).resolve().parents[1] / "docs" / "own_loop.md"


@pytest.mark.skipif(not PAGE.exists(), reason="needs the repository")
def test_the_page_on_own_loops() -> None:
    pytest.importorskip("scipy")
    snippets = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(snippets) >= 8
    printed, names = io.StringIO(), {}
    with contextlib.redirect_stdout(printed):
        for snippet in snippets:
            exec(compile(snippet, str(PAGE), "exec"), names)
    losses = [float(loss) for loss in re.findall(r"'loss': ([0-9.e-]+)", printed.getvalue())]
    assert losses[0] < 0.05  # the loop by hand
    assert losses[1] < 1e-4  # SciPy
    below = float(re.search(r"below the line: ([0-9.]+)", printed.getvalue())[1])
    assert below == pytest.approx(0.9, abs=0.05)
    assert names["old"].sizes == [4, 32, 16, 32, 5]
    assert names["nn"].predict([[100, 1990]]).item() == pytest.approx(345_000, rel=0.05)
    assert np.isfinite(names["nn"].predict(names["houses"])).all()
