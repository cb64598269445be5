"""Work that is done in a thread while the caller goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable

from foxnn._warnings import warn_user


def start(thread: threading.Thread) -> bool:
    """Start a thread; warn and return False where the system lets no more be made, or Python is being left."""
    try:
        thread.start()
    except RuntimeError as error:
        warn_user(f"foxnn does without a thread, and goes on more slowly: {error}", RuntimeWarning)
        return False
    return True


class Background:
    """One piece of work at a time, in a thread of its own. What goes wrong there comes out of the next call.

    Examples
    --------
    >>> background = Background()
    >>> background.start(lambda: 1 / 0)
    >>> background.wait()
    Traceback (most recent call last):
    ZeroDivisionError: division by zero
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def start(self, work: Callable[[], None]) -> None:
        """Begin with this, as soon as what came before is done; do it here and now if there is no thread to be had."""
        self.wait()
        # Not a daemon: whoever leaves Python meanwhile waits for it to end.
        thread = threading.Thread(target=self._run, args=(work,), name="foxnn: in the background")
        if start(thread):
            self._thread = thread
        else:
            self._run(work)

    def wait(self) -> None:
        """Return when nothing is left to do; raise what the work raised."""
        if self._thread is not None:
            self._thread.join()
        error, self._thread, self._error = self._error, None, None
        if error is not None:
            raise error

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._error = error
