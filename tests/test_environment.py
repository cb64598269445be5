"""Promise: foxnn takes what threads the environment grants, and goes on with fewer where there are none to be had."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

import foxnn
from foxnn._background import Background
from foxnn.data.read_ahead import read_ahead

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits and affinity as Linux has them")
two_cores = pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two cores")

#: What decides on threads; a test sets what it wants of it.
DECIDES = (
    *("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OMP_PROC_BIND", "OMP_PLACES", "OMP_DYNAMIC", "OMP_WAIT_POLICY"),
    *("GOMP_CPU_AFFINITY", "OPENBLAS_NUM_THREADS"),
)


def run_script(script: str, *arguments: str, **environment: str) -> tuple[str, str]:
    """What a new process prints, and its warnings. It has to come to its end."""
    inherited = {name: value for name, value in os.environ.items() if name not in DECIDES}
    run = subprocess.run(
        [sys.executable, "-W", "always", "-c", script, *arguments],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip(), run.stderr


# ---- threads that are not to be had -----------------------------------------------------------------------------

#: Every call that works with a team, on enough rows for one.
CALLS = {
    "fit": "nn.fit(X, y, epochs=1, batch_size=1000)['loss']",
    "train_on_batch": "nn.train_on_batch(X, y)",
    "predict": "nn.predict(X).sum()",
    "evaluate": "nn.evaluate(X, y)",
    "gradients": "nn.loss_and_gradients(X, y)[0]",
    "forward and backward": "nn.forward(X).sum(), nn.backward(nn.predict(X))[0][0].sum()",
    "scaling": "foxnn.neural_network([300, 3], scale_inputs='standard', seed=0).fit(X, y, epochs=1)['loss']",
    "estimator": "foxnn.MLPClassifier((40,), max_iter=1, tol=0, random_state=0).fit(X, y).loss_",
}

#: The call on one thread, then with a limit that leaves no room for a second one. A limit of memory allows half of what
#: a thread's stack takes.
WITHOUT_THREADS = """
import os, resource, sys, warnings, numpy, foxnn
limit, call = sys.argv[1:]
X, y = numpy.random.default_rng(0).normal(size=(2000, 300)).astype("float32"), numpy.arange(2000) % 3
nn = foxnn.neural_network([300, 40, 3], output="softmax", seed=0)
if "MLP" in call:
    warnings.filterwarnings("ignore", category=__import__("sklearn").exceptions.ConvergenceWarning)
foxnn.set_num_threads(1)
print(eval(call))
if limit == "processes":
    if os.getuid() == 0:  # whom no such limit binds
        os.setgid(54321)
        os.setuid(54321)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
elif limit == "memory":
    with open("/proc/self/statm") as file:
        size = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + 2**19, -1))
elif limit != "none":
    with open(limit + "/cgroup.procs", "w") as file:
        file.write(str(os.getpid()))
foxnn.set_num_threads(2)
print(eval(call))
print(eval(call))
"""


@linux
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("limit", ["processes", "memory"])
def test_without_more_threads_it_goes_on_with_fewer(call: str, limit: str) -> None:
    """The process does not end, the numbers are the same, and one warning says what happened."""
    if call == CALLS["estimator"]:
        pytest.importorskip("sklearn")
        if limit == "memory":
            pytest.skip("scikit-learn's checks take more memory than a thread does")
    expected, nothing = run_script(WITHOUT_THREADS, "none", call)
    assert "RuntimeWarning" not in nothing
    out, warned = run_script(WITHOUT_THREADS, limit, call)
    assert out == expected
    (warning,) = [line for line in warned.splitlines() if "RuntimeWarning: foxnn could start only 0 of 1" in line]
    assert warning.startswith("<string>:")  # the user's own line


@pytest.fixture
def group_of_one() -> Any:
    """A control group that has no place for another thread."""
    for parent in ("/sys/fs/cgroup", "/sys/fs/cgroup/pids"):  # of version 2 and 1
        group = Path(parent) / f"foxnn_test_{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            if (group / "pids.max").exists():  # else it is no group for this
                (group / "pids.max").write_text("1")
                yield group
                return
        finally:
            group.rmdir()
    pytest.skip("no control group for processes can be made here")


@linux
def test_a_container_without_room_for_threads(group_of_one: Path) -> None:
    expected, _ = run_script(WITHOUT_THREADS, "none", CALLS["fit"])
    out, warned = run_script(WITHOUT_THREADS, str(group_of_one), CALLS["fit"])
    assert out == expected
    assert warned.count("RuntimeWarning: foxnn could start only 0 of 1 further threads") == 1


@linux
def test_threads_are_made_when_there_is_room_again() -> None:
    script = """
import os, resource, time, warnings, numpy, foxnn
def threads():
    return len(os.listdir("/proc/self/task"))
warnings.simplefilter("error")
if os.getuid() == 0:
    os.setgid(54321)
    os.setuid(54321)
most = resource.getrlimit(resource.RLIMIT_NPROC)[1]
X, nn = numpy.zeros((2000, 300), "float32"), foxnn.neural_network([300, 300, 3], n_threads=2)
before = threads()
resource.setrlimit(resource.RLIMIT_NPROC, (0, most))
try:
    nn.predict(X)
except RuntimeWarning:
    print("warned")
resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
end = time.monotonic() + 60
while threads() == before and time.monotonic() < end:
    nn.predict(X)
print(threads() - before)
"""
    assert run_script(script)[0].split() == ["warned", "1"]


@pytest.mark.parametrize("n", [100_000, 2**31 - 1])
def test_any_number_of_threads_is_taken_and_not_made(n: int) -> None:
    script = """
import sys, threading, numpy, foxnn
n = int(sys.argv[1])
nn = foxnn.neural_network([1000, 1000, 3], n_threads=n)
X = numpy.zeros((20000, 1000), "float32")
nn.predict(X)
foxnn.set_num_threads(n)
nn.n_threads = None
nn.predict(X)
print(foxnn.get_num_threads())
try:
    import os
    print(len(os.listdir("/proc/self/task")))
except OSError:
    print(0)
"""
    used, threads = run_script(script, str(n))[0].split()
    most = max(64, 4 * (os.cpu_count() or 1))
    assert int(used) == most
    assert int(threads) <= most + 1 + (os.cpu_count() or 1)  # NumPy has some of its own


@linux
def test_all_callers_share_a_bounded_number_of_threads() -> None:
    script = """
import os, threading, time, numpy, foxnn
X = numpy.zeros((2000, 300), "float32")
def call():
    foxnn.neural_network([300, 300, 3], n_threads=8).predict(X)
before = len(os.listdir("/proc/self/task"))
for _ in range(3):
    callers = [threading.Thread(target=call) for _ in range(20)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
one_by_one = [threading.Thread(target=call) for _ in range(20)]
for caller in one_by_one:
    caller.start()
    caller.join()
time.sleep(0.5)  # a thread that has ended may still be listed
print(len(os.listdir("/proc/self/task")) - before)
"""
    assert 0 < int(run_script(script)[0]) <= max(64, 4 * (os.cpu_count() or 1))


# ---- Python's threads -------------------------------------------------------------------------------------------


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)


@pytest.mark.usefixtures("no_threads")
def test_what_a_thread_would_do_is_done_without_one() -> None:
    background, done = Background(), []
    with pytest.warns(RuntimeWarning, match="does without a thread.*can't start new thread"):
        background.start(lambda: done.append(1))
    assert done == [1]
    with pytest.warns(RuntimeWarning):
        background.start(lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    with pytest.raises(ZeroDivisionError):
        background.wait()
    with pytest.warns(RuntimeWarning):
        assert list(read_ahead(iter(range(5)), 2)) == [0, 1, 2, 3, 4]
    closed = []

    def source() -> Any:
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)

    items = read_ahead(source(), 2)
    with pytest.warns(RuntimeWarning):
        assert next(items) == 1
    items.close()  # type: ignore[attr-defined]
    assert closed


def test_batches_and_checkpoints_without_threads(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    random = np.random.default_rng(0)
    batches = [(random.normal(size=(8, 4)), random.integers(0, 3, 8)) for _ in range(5)]
    files = [tmp_path / name for name in ("with.safetensors", "without.safetensors")]

    def trained(file: Path) -> Any:
        nn = foxnn.neural_network([4, 8, 3], output="softmax", seed=0)
        nn.fit(batches, epochs=2, callbacks=[foxnn.callbacks.ModelCheckpoint(file)])
        return foxnn.load(file).parameters

    expected = trained(files[0])
    request.getfixturevalue("no_threads")
    with pytest.warns(RuntimeWarning, match="does without a thread"):
        np.testing.assert_array_equal(trained(files[1]), expected)


# ---- cores ------------------------------------------------------------------------------------------------------

#: How many threads there are to be, and where those that work may run.
THREADS = """
import os, numpy, foxnn
before = set(os.listdir("/proc/self/task"))
foxnn.neural_network([300, 300, 3]).predict(numpy.zeros((2000, 300), "float32"))
helpers = sorted(map(int, set(os.listdir("/proc/self/task")) - before))
print(foxnn.get_num_threads(), [sorted(os.sched_getaffinity(helper)) for helper in helpers])
"""


@linux
@two_cores
@pytest.mark.parametrize(
    "environment",
    [
        *("OMP_PROC_BIND=true", "OMP_PROC_BIND=close", "OMP_PROC_BIND=spread", "OMP_PROC_BIND=master"),
        *("OMP_PROC_BIND=false", "OMP_PLACES=cores", "OMP_PLACES=threads", "GOMP_CPU_AFFINITY=0-1023"),
        *("KMP_AFFINITY=compact", "OMP_DYNAMIC=true", "OMP_WAIT_POLICY=passive"),
        *("OMP_NUM_THREADS=", "OMP_NUM_THREADS=many", "OMP_NUM_THREADS=0"),
    ],
)
def test_all_cores_that_the_process_may_use(environment: str) -> None:
    """Although OpenMP may have bound the main thread to one of them. Its threads are not on the main thread's core."""
    cores = sorted(os.sched_getaffinity(0))
    out, _ = run_script(THREADS, **dict([environment.split("=")]))
    n, helpers = out.split(" ", 1)
    assert int(n) == len(cores)
    binds = environment.startswith(("OMP_PROC", "OMP_PL", "GOMP")) and not environment.endswith("false")
    for helper in eval(helpers):
        assert set(helper) == set(cores) or (binds and set(helper) < set(cores) and len(helper) >= len(cores) // 2)


@linux
@two_cores
@pytest.mark.parametrize(
    ("environment", "n"),
    [
        ({"OMP_NUM_THREADS": "4,2"}, 4),
        ({"OMP_NUM_THREADS": " 3 "}, 3),
        ({"OMP_THREAD_LIMIT": "1"}, 1),
        ({"OMP_NUM_THREADS": "5", "OMP_THREAD_LIMIT": "2"}, 2),
        ({"OMP_NUM_THREADS": "3", "OMP_PROC_BIND": "true"}, 3),
    ],
    ids=str,
)
def test_openmp_limits(environment: dict[str, str], n: int) -> None:
    out, _ = run_script(THREADS, **environment)
    assert out.split()[0] == str(n)


@linux
@two_cores
@pytest.mark.parametrize("variable", ["OMP_PLACES={%d}", "GOMP_CPU_AFFINITY=%d"])
def test_cores_that_are_listed(variable: str) -> None:
    name, core = (variable % max(os.sched_getaffinity(0))).split("=")
    assert run_script(THREADS, **{name: core})[0].split()[0] == "1"


@linux
@two_cores
@pytest.mark.parametrize("bind", ["false", "true"])
def test_affinity_that_changes_after_the_import(bind: str) -> None:
    """Fewer cores: fewer threads, and if more are asked for, on no other core; and back."""
    script = """
import os, sys, time, numpy, foxnn
cores = eval(sys.argv[1])
X, nn = numpy.zeros((2000, 300), "float32"), foxnn.neural_network([300, 300, 3])
def default():
    time.sleep(0.05)
    nn.predict(X)
    return foxnn.get_num_threads()
before = set(os.listdir("/proc/self/task"))
print(default())
(helper, *_) = set(os.listdir("/proc/self/task")) - before
os.sched_setaffinity(0, cores[-1:])
print(default())
nn.n_threads = len(cores)
nn.predict(X)
print(len(os.sched_getaffinity(int(helper))))
nn.n_threads = None
os.sched_setaffinity(0, cores)
print(default(), len(os.sched_getaffinity(int(helper))))
"""
    cores = sorted(os.sched_getaffinity(0))
    n = str(len(cores))
    out, _ = run_script(script, str(cores), OMP_PROC_BIND=bind)
    assert out.split() == [n, "1", "1", n, n]


@linux
@two_cores
def test_a_core_for_everyone_where_openmp_binds() -> None:
    """Helpers run where the main thread does not, so that the team is not taken for one that shares a core."""
    script = """
import os, numpy, foxnn
X, nn = numpy.zeros((4000, 300), "float32"), foxnn.neural_network([300, 300, 3], n_threads=2)
before = set(os.listdir("/proc/self/task"))
nn.predict(X)
(helper,) = set(os.listdir("/proc/self/task")) - before
print(set(os.sched_getaffinity(int(helper))).isdisjoint(os.sched_getaffinity(0)))
"""
    assert run_script(script, OMP_PROC_BIND="true")[0] == "True"


@linux
@two_cores
@pytest.mark.parametrize("variable", ["OMP_PROC_BIND=true", "OMP_PLACES=cores"])
def test_another_openmp_library_has_bound_the_main_thread(variable: str, tmp_path: Path) -> None:
    """Before foxnn was imported, as that of another package may."""
    library = (
        shutil.which("gcc")
        and subprocess.run(
            ["gcc", "-print-file-name=libgomp.so.1"], capture_output=True, text=True, check=True
        ).stdout.strip()
    )
    if not library or not Path(library).is_absolute():
        pytest.skip("needs a libgomp of one's own")
    other = shutil.copy(library, tmp_path / "libother.so")
    script = """
import ctypes, os, sys, numpy
ctypes.CDLL(sys.argv[1])
assert len(os.sched_getaffinity(0)) == 1
import foxnn
print(foxnn.get_num_threads())
"""
    name, value = variable.split("=")
    out, _ = run_script(script, str(other), **{name: value})
    assert out == str(len(os.sched_getaffinity(0)))


def test_settings_say_what_the_threads_are(capsys: pytest.CaptureFixture[str]) -> None:
    foxnn.show_config()
    assert "own threads" in capsys.readouterr().out
