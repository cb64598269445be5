"""Promise: the snippets of the README and of the pages in docs/ run, those of a page one after the other."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foxnn

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    "README.md",
    "docs/checkpoints.md",
    "docs/estimators.md",
    "docs/exports.md",
    "docs/layers.md",
    "docs/names.md",
    "docs/training.md",
]
#: Run below, and by test_cli.py (in its own words), test_damaged_files.py and test_foxnn_1_0.py, which compare.
ELSEWHERE = ["docs/own_loop.md", "docs/command_line.md", "docs/file_format.md", "docs/foxnn_1_0.md"]

pytestmark = pytest.mark.skipif(not (ROOT / "docs").exists(), reason="needs the repository")


def snippets(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)


def run(page: str, names: dict[str, Any]) -> str:
    """Run the snippets of a page; returns what they print."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for snippet in snippets(page):
            exec(compile(snippet, page, "exec"), names)
    return printed.getvalue()


def names_of(page: str) -> dict[str, Any]:
    """What the snippets of a page take for granted."""
    rng = np.random.default_rng(0)
    n_in, n_out = (784, 10) if "checkpoints" in page else (20, 3)
    X, y = rng.standard_normal((100, n_in)), rng.integers(n_out, size=100)
    names = {"foxnn": foxnn, "X": X, "y": y}
    if "exports" in page:
        names |= {"nn": foxnn.neural_network([20, 8, 3]), "X_val": X}
    return names if page in ("README.md", "docs/checkpoints.md", "docs/exports.md") else {}


def test_no_page_is_left_out() -> None:
    pages = ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
    assert {page for page in pages if snippets(page)} == {*PAGES, *ELSEWHERE}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.filterwarnings("ignore:FigureCanvasAgg")
def test_snippets_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib").use("agg")
    monkeypatch.chdir(tmp_path)
    if page in ("README.md", "docs/checkpoints.md"):  # which train for long
        fit = foxnn.NeuralNetwork.fit
        monkeypatch.setattr(foxnn.NeuralNetwork, "fit", lambda *args, **options: fit(*args, **{**options, "epochs": 1}))
        monkeypatch.setattr(foxnn.datasets, "load_mnist", foxnn.datasets.load_mnist_sample)
    run(page, names_of(page))


def test_the_page_on_own_loops() -> None:
    pytest.importorskip("scipy")
    names: dict[str, Any] = {}
    printed = run("docs/own_loop.md", names)
    losses = [float(loss) for loss in re.findall(r"'loss': ([0-9.e-]+)", printed)]
    assert losses[0] < 0.05  # the loop by hand
    assert losses[1] < 1e-4  # SciPy
    below = re.search(r"below the line: ([0-9.]+)", printed)
    assert below is not None
    assert float(below[1]) == pytest.approx(0.9, abs=0.05)
    assert names["old"].sizes == [4, 32, 16, 32, 5]
    assert names["nn"].predict([[100, 1990]]).item() == pytest.approx(345_000, rel=0.05)
    assert np.isfinite(names["nn"].predict(names["houses"])).all()
