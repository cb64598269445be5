"""Promise: nothing silent. What cannot be imported says why, and what to do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

import pytest

import foxnn

#: A program that trains, shows its progress, and has to do with files. It prints what it needed of others.
NEEDS = """
import sys

class OnlyThese:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in {*sys.stdlib_module_names, *sys.argv[1:], "foxnn"}:
            raise ModuleNotFoundError(f"not to be imported: {name}", name=name)

sys.meta_path.insert(0, OnlyThese())
import foxnn
from foxnn.cli import main

nn = foxnn.neural_network([2, 3, 1])
nn.fit([[0, 1], [1, 0]], [0, 1], epochs=2, verbose=True, checkpoint="run.safetensors")
for name in ("net.safetensors", "net.txt"):
    nn.save(name)
    assert abs(foxnn.load(name).predict([[1, 2]]) - nn.predict([[1, 2]])).max() < 1e-6
nn.to_c("net.h"), nn.to_js("net.mjs"), nn.to_npz("net.npz")
with open("table.csv", "w") as file:
    file.write("a,b\\n" + "1,2\\n3,4\\n2,3\\n" * 5)
assert main(["train", "table.csv", "--target", "b", "--epochs", "2"]) == 0
print("needed:", *sorted({"numpy", "tqdm", *sys.argv[1:]} & sys.modules.keys()))
"""


def test_sources_that_are_not_installed(tmp_path: Path) -> None:
    """In a folder of foxnn's sources, Python finds these and not what is installed."""
    package = tmp_path / "foxnn"
    shutil.copytree(
        Path(foxnn.__file__).parent, package, ignore=shutil.ignore_patterns("_core.*", "__pycache__", "mnist_sample")
    )
    run = subprocess.run(
        [sys.executable, "-S", "-c", "import foxnn"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    message = run.stderr.strip().splitlines()[-1]
    assert message.startswith(f"ImportError: foxnn in {package} has no compiled core: these are its sources")
    assert "`pip install .` in the folder above installs it" in message


def test_needs_what_is_declared_and_no_more(tmp_path: Path) -> None:
    project = Path(__file__).parents[1] / "pyproject.toml"
    if not project.exists():
        pytest.skip("needs pyproject.toml beside the tests")
    (declared,) = re.findall(r"^dependencies = \[(.*)\]$", project.read_text(encoding="utf-8"), re.MULTILINE)
    names = re.findall(r'"(\w+)', declared)
    run = subprocess.run(
        [sys.executable, "-c", NEEDS, *names], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1].split() == ["needed:", *sorted(names)]


def test_an_instruction_set_that_does_not_exist() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import foxnn"], env=os.environ | {"FOXNN_ISA": "rubbish"}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert run.stderr.strip().splitlines()[-1].startswith("ImportError: FOXNN_ISA is 'rubbish', but this build and")


@pytest.mark.parametrize(
    ("package", "use"),
    [
        ("onnx", lambda: foxnn.neural_network([2, 1]).to_onnx("net.onnx")),
        ("onnx", lambda: foxnn.from_onnx("net.onnx")),
        ("matplotlib", lambda: foxnn.plots.plot_images([[0.0]])),
        ("sklearn", lambda: foxnn.neural_network([2, 1]).evaluate([[0, 1], [1, 0]], [0, 1], metrics=["recall"])),
        ("sklearn", lambda: foxnn.neural_network([2, 1]).to_sklearn()),
        ("tensorboardX", lambda: foxnn.callbacks.TensorBoard("folder")),
    ],
)
def test_a_package_that_is_there_and_cannot_be_imported_says_why(
    package: str, use: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not missing: for want of a thread, for example, nobody should install it again."""

    class Broken(MetaPathFinder):
        def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
            if name.partition(".")[0] == package:
                raise ImportError("can't start new thread")

    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(ImportError, match=r"^can't start new thread$"):
        use()


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the module has another name")
@pytest.mark.parametrize("before", ["", "import foxnn; foxnn.neural_network([2, 1])"])
def test_a_subinterpreter_is_refused(before: str) -> None:
    """It does not wait for ever; and the main interpreter goes on."""
    script = f"""
import _xxsubinterpreters as interpreters
{before}
other = interpreters.create()
for _ in range(2):
    try:
        interpreters.run_string(other, "import foxnn")
    except interpreters.RunFailedError as error:
        print(error)
interpreters.destroy(other)
import foxnn
print(foxnn.neural_network([2, 1]).predict([[0, 0]]).shape)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False)
    assert run.returncode == 0, run.stderr
    *refused, last = run.stdout.splitlines()
    assert len(refused) == 2
    assert all("ImportError" in line and "main interpreter, and not in subinterpreters" in line for line in refused)
    assert last == "(1, 1)"
