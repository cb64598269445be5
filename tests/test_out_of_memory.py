"""Running out of memory is a `MemoryError`, after which every object is as it was.

The run of seconds here has some of the requests for memory fail. All of them, in half a minute:

    cc -O2 -shared -fPIC -o memory.so tests/faults/memory.c -ldl
    LD_PRELOAD=./memory.so python tests/faults/run_out_of_memory.py ./memory.so FOLDER 3 every
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from peak_memory import PEAK_MEMORY, needs_proc

import foxnn
from foxnn import _core

FAULTS = Path(__file__).parent / "faults"
#: With more than there are cores, a team has as many workers however busy the machine is.
THREADS = [1, 1 + (os.cpu_count() or 1)]
X = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a library is put before the C library")
@pytest.mark.parametrize("threads", THREADS)
def test_every_call_that_runs_out_of_memory_leaves_all_as_it_was(tmp_path: Path, threads: int) -> None:
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("needs gcc")
    library = tmp_path / "memory.so"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, FAULTS / "memory.c", "-ldl"], check=True)
    preload = " ".join(filter(None, [os.environ.get("LD_PRELOAD"), str(library)]))  # sanitizers have to come first
    run = subprocess.run(
        [sys.executable, FAULTS / "run_out_of_memory.py", library, tmp_path, str(threads)],
        env={**os.environ, "LD_PRELOAD": preload, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout.splitlines()[-1:] + run.stderr.splitlines()[-9:]
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    calls = [line for line in lines if "call" in line]
    assert not [call for call in calls if call["wrong"]]
    failed = {call["call"]: call["failed"] for call in calls}
    for name in ("create", "predict", "evaluate", "fit", "train_on_batch", "own loop", "jacobian", "copy", "load"):
        assert failed[name] >= 3, name
    for name in ("save large", "save text large", "to_c large", "to_js large", "to_npz large"):
        assert failed[name] >= 1, name


_LITTLE = """
import resource, sys
import numpy as np
import foxnn
nn = foxnn.neural_network([10, 60_000, 10], n_threads=int(sys.argv[1]), seed=0)
x = np.ones((400, 10), np.float32)
y = np.zeros((400, 10), np.float32)
small = nn.predict(x[:3])
loss = nn.fit(x[:8], y[:8], epochs=1, batch_size=4)
before = nn.predict(x[:3])
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 15_000_000,) * 2)
for call in (
    lambda: nn.predict(x),
    lambda: nn.evaluate(x, y),
    lambda: nn.fit(x, y, epochs=1, batch_size=400),
    lambda: nn.forward(x),
    lambda: nn.loss_and_gradients(x, y),
    lambda: nn.jacobian(x[:40]),
):
    try:
        call()
    except MemoryError:
        print("MemoryError")
assert (nn.predict(x[:3]) == before).all()
nn.fit(x[:8], y[:8], epochs=1, batch_size=4)
print("used again")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits the address space")
@pytest.mark.parametrize("threads", THREADS)
def test_with_little_memory_large_work_is_refused_and_small_work_goes_on(threads: int) -> None:
    run = subprocess.run([sys.executable, "-c", _LITTLE, str(threads)], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["MemoryError"] * 6 + ["used again"]


_RESIDENT = (
    PEAK_MEMORY
    + """
import numpy as np
import foxnn

nn = foxnn.neural_network([10, 1_000_000, 1], n_threads=1, init="zeros", seed=0)
before = memory("VmRSS")
nn.predict(np.ones((2, 10), np.float32))
nn.evaluate(np.ones((2, 10), np.float32), np.zeros(2))
print(max(memory() - before, 0), max(memory("VmRSS") - before, 0))
"""
)


@needs_proc
def test_two_rows_through_a_wide_layer_take_the_memory_of_two_rows() -> None:
    run = subprocess.run([sys.executable, "-c", _RESIDENT], capture_output=True, text=True, check=True)
    most, kept = map(int, run.stdout.split())
    assert most < 300e6  # making the network took 80 MB of numbers more than it keeps
    assert kept < 30e6


def test_the_core_checks_what_it_is_given() -> None:
    net = _core.NetworkF32()
    with pytest.raises(IndexError):
        net.predict(X, 1, 0, 1)

    def insert(index: int, n_in: int, units: float, activation: str) -> None:
        net.insert(index, "dense", (n_in,), {"units": ("", [units]), "activation": (activation, [])})

    for units in (0, -1, 2**31, 2**62):
        with pytest.raises(ValueError, match="units"):
            insert(0, 4, units, "relu")
    insert(0, 4, 5, "relu")
    with pytest.raises(ValueError, match="before it"):
        insert(1, 4, 3, "linear")
    insert(1, 5, 3, "linear")
    with pytest.raises(IndexError):
        insert(3, 3, 3, "linear")
    with pytest.raises(IndexError):
        net.layer(2)
    with pytest.raises(ValueError, match="no such setting"):
        net.layer(0).set("stride", ("", [2.0]))
    with pytest.raises(IndexError):
        net.erase(2)
    with pytest.raises(ValueError, match="none"):
        net.read([(0, "gamma", -1)])
    trainer = _core.TrainerF32(net, "half_squared_error", [])
    state = _core.OptimizerF32(net, "adam", [])
    values = np.zeros((20, 3), np.float32)

    def samples(x: Any = X, y: Any = values, labels: Any = None) -> Any:
        return _core.Samples(x, y, labels, None, 1, 0, "")

    def run(given: Any, order: Any = None, end: int = 20, size: int = 4, optimizer: Any = state) -> None:
        trainer.run(given, order, _core.Progress(), end, optimizer, size, 0.1, 0, 0, False, 0, 2, 0, 0)

    run(samples())
    with pytest.raises(ValueError, match="end"):
        run(samples(), end=21)
    with pytest.raises(ValueError, match="end"):
        run(samples(), np.arange(19))
    for outside in (20, -1, 2**62):
        with pytest.raises(IndexError, match="order"):
            run(samples(), np.array([0] * 19 + [outside]))
    with pytest.raises(ValueError, match="batch_size"):
        run(samples(), size=0)
    with pytest.raises(ValueError, match="width"):
        run(samples(x=np.zeros((20, 5), np.float32)))
    with pytest.raises(ValueError, match="targets"):
        run(samples(y=np.zeros((20, 4), np.float32)))
    with pytest.raises(ValueError, match="targets"):
        run(samples(y=None, labels=np.full(20, 3)))
    with pytest.raises(ValueError, match="targets"):
        run(samples(y=None))
    with pytest.raises(ValueError, match="labels"):
        samples(y=None, labels=np.full(20, -1))
    with pytest.raises(IndexError):
        state.get(net, 0, 2)
    other = _core.NetworkF32()
    other.insert(0, "dense", (4,), {"units": ("", [500.0])})
    with pytest.raises(ValueError, match="optimizer"):
        state.get(other, 0, 0)
    with pytest.raises(ValueError, match="optimizer"):
        run(samples(), optimizer=_core.OptimizerF32(other, "adam", []))
    with pytest.raises(ValueError, match="another"):
        trainer.layer_output(other, 0, 20)
    assert trainer.layer_output(net, 0, 10**9) is None
    insert(1, 5, 700, "relu")  # the trainer's memory was for other layers
    run(samples(), optimizer=_core.OptimizerF32(net, "adam", []))
    assert np.isfinite(net.predict(X, 1, 0, 2)).all()


def test_a_layer_that_could_not_be_made_leaves_the_next_one_as_it_would_have_been(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nn, twin = (foxnn.neural_network([4, 8, 3], "relu", "linear", seed=0) for _ in range(2))

    def fails(*_: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(nn, "_replace_layers", fails)
        with pytest.raises(MemoryError):
            nn.insert(1, 6, "relu")
    for network in (nn, twin):
        network.insert(1, 6, "relu")
    assert (nn.predict(X) == twin.predict(X)).all()


_ENDLESS = [2**31, 2**62, 2**63, 10**30, 10**5000]


@pytest.mark.parametrize("number", _ENDLESS, ids=lambda number: f"{number.bit_length()}_bits")
def test_sizes_that_no_network_has_are_refused(number: int) -> None:
    nn = foxnn.neural_network([4, 3], seed=0)
    for argument, call in {
        r"sizes\[0\]": lambda: foxnn.neural_network([number, 4]),
        r"sizes\[1\]": lambda: foxnn.neural_network([4, number, 2]),
        "units": lambda: nn.add(number, "relu"),
        "batch_size": lambda: nn.fit(X, X[:, :3], batch_size=number),
        "n_threads": lambda: foxnn.neural_network([4, 3], n_threads=number),
    }.items():
        with pytest.raises(ValueError, match=f"{argument}: got .*it takes an integer .* at most 2147483647"):
            call()
    for argument, call in {
        "epochs": lambda: nn.fit(X, X[:, :3], epochs=number),
        "epoch": lambda: setattr(nn, "epoch", number),
        "index": lambda: nn.remove(number),
        "patience": lambda: foxnn.EarlyStopping(patience=number),
        "learning_rate": lambda: foxnn.optimizers.SGD(number),
        "l2": lambda: setattr(nn, "l2", number),
    }.items():
        if number > 10**29 and not (argument in ("learning_rate", "l2") and number < 10**300):
            with pytest.raises(ValueError, match=f"{argument}: got .*it takes|{argument}: got .*layer"):
                call()
    with pytest.raises(ValueError, match="X: got"):
        nn.predict([[10**5000, 0, 0, 0]])
    assert foxnn.neural_network([4, 3], seed=number).seed == number % 2**64


def test_largest_sizes_are_a_memory_error() -> None:
    """It says how much was wanted."""
    with pytest.raises(MemoryError, match=r"Unable to allocate 16 EiB for arrays of a network"):
        foxnn.neural_network([2**31 - 1, 2**31 - 1], init="zeros")
    with pytest.raises(MemoryError, match=r"Unable to allocate 32 EiB for arrays of a network"):
        foxnn.neural_network([2**31 - 1, 2**31 - 1], init="zeros", dtype="float64")


def test_what_cannot_be_had_is_named() -> None:
    script = """
import resource, foxnn
nn = foxnn.neural_network([1000, 20000], init="zeros")
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
for call in lambda: foxnn.neural_network([30000, 30000]), lambda: nn.insert(0, 500000, "relu"):
    try:
        call()
    except MemoryError as error:
        print(error)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout == (
        "Unable to allocate 3.35 GiB for arrays of a network\nUnable to allocate 1.86 GiB for arrays of a network\n"
    )


@pytest.mark.parametrize("sizes", [(2**62,), (10, 2**31)])
def test_estimators_name_sizes_that_no_network_has(sizes: tuple[int, ...]) -> None:
    pytest.importorskip("sklearn")
    with pytest.raises(ValueError, match="hidden_layer_sizes: got"):
        foxnn.MLPClassifier(sizes).fit(X[:4], [0, 1, 0, 1])


def test_the_list_of_sizes_is_a_copy() -> None:
    nn = foxnn.neural_network([4, 8, 3], seed=0)
    before = nn.predict(X)
    nn.sizes[0] = nn.sizes[1] = 100_000
    assert nn.sizes == [4, 8, 3]
    nn.fit(X, X[:, :3], epochs=1)
    assert nn.predict(X).shape == before.shape == (20, 3)
