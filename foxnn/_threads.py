"""How many threads foxnn uses, and what it was built with and runs on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager

from foxnn import _core
from foxnn._options import MOST, integer


def set_num_threads(n: int | None) -> None:
    """Set the most threads that foxnn uses; small work, and any while others keep the cores busy, uses fewer.

    Results do not depend on it.

    Parameters
    ----------
    n : int or None
        Any positive number is taken, but no more than 64 threads are used, or four for each logical core where that is
        more. None: the default, see below.

    Raises
    ------
    ValueError, TypeError
        If `n` is not a positive integer.

    Notes
    -----
    By default there are as many threads as cores that the caller may run on (its CPU affinity, as ``taskset`` and
    ``os.sched_setaffinity`` set it, after the import too), but no more than the quota of the process's control group
    or of one above it (``docker run --cpus``). ``OMP_NUM_THREADS``, of a list the first number, stands in the place of
    both. ``OMP_THREAD_LIMIT`` bounds all that is asked for; threadpoolctl bounds the default and `n`.

    foxnn's threads are its own and not OpenMP's. All callers share them, and they run where their caller may. With
    ``OMP_PROC_BIND``, ``OMP_PLACES`` or ``GOMP_CPU_AFFINITY``, OpenMP binds the main thread to a single place; foxnn's
    threads then run on all the others. With ``OMP_WAIT_POLICY=passive`` they sleep as soon as they have nothing to do,
    instead of waiting 3 ms for more. ``OMP_DYNAMIC`` and ``OMP_STACKSIZE`` mean nothing to them.

    Where the system lets no more threads be made (``ulimit -u``, a container's limit of processes, memory), foxnn goes
    on with those that there are, and a RuntimeWarning says so once. A process that was forked works on one thread.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.set_num_threads(2)
    >>> foxnn.get_num_threads()
    2
    >>> foxnn.set_num_threads(None)
    """
    _core.set_num_threads(0 if n is None else integer("n", n, 1, MOST))


def get_num_threads() -> int:
    """The most threads that foxnn uses.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.get_num_threads() >= 1
    True
    """
    return int(_core.num_threads())


@contextmanager
def num_threads(n: int | None) -> Iterator[None]:
    """Use at most `n` threads inside a ``with`` block.

    Examples
    --------
    >>> import foxnn
    >>> with foxnn.num_threads(1):
    ...     foxnn.get_num_threads()
    1
    """
    before = _core.wanted_threads()
    set_num_threads(n)
    try:
        yield
    finally:
        _core.set_num_threads(before)


def show_config() -> None:
    """Print versions, the instruction set in use and why, threads and compiler.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.show_config()
    foxnn ...
    """
    import numpy

    c = _core.config()
    processor = platform.processor() or platform.machine()
    print(f"foxnn            {c['version']}, Python {platform.python_version()}, NumPy {numpy.__version__}")
    print(f"instruction set  {c['instruction_set']}: {c['reason']} (it has: {', '.join(c['available'])})")
    print(f"processor        {processor}, {os.cpu_count()} logical cores")
    print(f"threads          {c['threads']} (cores this process may use: {c['available_threads']})")
    print(f"thread runtime   {c['runtime']}")
    print(f"compiler         {c['compiler']}")
