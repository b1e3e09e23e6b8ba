"""Reads a log in a thread of its own, while what came before is being written.

Kernels let go of the interpreter while they work, so reading and writing take two processors.
"""

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread

from cantools_cli.frame.batch import MessageBatch

DEPTH = 4  #: batches that are read at most before one is taken


class BatchesAhead:
    """Iterates over ``batches``, which a thread takes from the reader: the same ones, in the same order.

    What the reader raises is raised behind the batches before it. Leaving the context ends the thread, with
    the batch that it is at, and closes ``batches`` there.
    """

    def __init__(self, batches: Iterator[MessageBatch]) -> None:
        self._batches = batches
        self._is_over = False
        self._ready: SimpleQueue[MessageBatch | BaseException | None] = SimpleQueue()
        # a token for each batch that there is room for: False ends the thread
        self._room: SimpleQueue[bool] = SimpleQueue()
        for _ in range(DEPTH):
            self._room.put(True)
        self._thread = Thread(target=self._read, name="read-ahead", daemon=True)

    def __enter__(self) -> BatchesAhead:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._is_over = True
        self._room.put(False)
        self._thread.join()

    def __iter__(self) -> Iterator[MessageBatch]:
        while (item := self._ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
            self._room.put(True)

    def _read(self) -> None:
        try:
            try:
                while self._room.get() and not self._is_over:
                    batch = next(self._batches, None)
                    if batch is None:
                        break
                    self._ready.put(batch)
                    del batch  # one that is held here could not be reused where it goes
            finally:
                close = getattr(self._batches, "close", None)
                if close is not None:
                    close()
        except BaseException as error:  # it belongs to who iterates
            self._ready.put(error)
        else:
            self._ready.put(None)
