"""Reading ahead in a thread."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

from foxnn._background import start

_T = TypeVar("_T")

#: Seconds after which whoever waits looks whether Ctrl-C was pressed.
_PATIENCE = 0.05


def read_ahead(source: Iterator[_T], depth: int) -> Iterator[_T]:
    """The items of an iterator, which a thread takes out of it, up to `depth` of them before they are asked for.

    An exception of the source is raised here, with its traceback. The thread ends with the source, or when this
    iterator is closed, as soon as the source has given the item that it is at. If there is no thread to be had, items
    are taken when they are asked for. In a child of fork() there is no such thread, and RuntimeError is raised.
    """
    items: queue.Queue[tuple[bool, _T | BaseException | None]] = queue.Queue(depth)
    stopped = threading.Event()

    def read() -> None:
        try:
            for item in source:
                items.put((True, item))
                if stopped.is_set():
                    return
            items.put((False, None))
        except BaseException as error:
            items.put((False, error))
        finally:
            if hasattr(source, "close"):
                source.close()

    thread = threading.Thread(target=read, name="foxnn: reading ahead", daemon=True)
    if not start(thread):
        yield from source
        return
    process = os.getpid()
    try:
        while True:
            if os.getpid() != process:
                raise RuntimeError("a thread reads ahead in the data, which a forked process does not have; begin anew")
            try:
                is_item, item = items.get(timeout=_PATIENCE)
            except queue.Empty:
                continue
            if is_item:
                yield item  # type: ignore[misc]
            elif item is None:
                return
            else:
                raise item  # type: ignore[misc]
    finally:
        if os.getpid() == process:  # if not, the thread may have been at the queue, which is locked for ever then
            stopped.set()
            while not items.empty():  # the thread may be waiting for a place; after that it sees that it is to stop
                items.get_nowait()
            thread.join(_PATIENCE)
