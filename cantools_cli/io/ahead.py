"""Reads a log in a thread of its own, while earlier batches are being written.

Kernels release the interpreter while they work, so reading and writing use two processors.
"""

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread

from cantools_cli.frame.batch import MessageBatch

DEPTH = 4  #: batches to read ahead


class BatchesAhead:
    """Iterates over ``batches``, read by a thread, in the same order.

    An exception of the reader is raised after the batches before it. Leaving the context ends the thread
    after its current batch, and closes ``batches`` there.
    """

    def __init__(self, batches: Iterator[MessageBatch]) -> None:
        self._batches = batches
        self._is_over = False
        self._ready: SimpleQueue[MessageBatch | BaseException | None] = SimpleQueue()
        # each token allows the thread to read one batch ahead; False ends the thread
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
                    del batch  # a reference would keep the consumer from reusing it
            finally:
                close = getattr(self._batches, "close", None)
                if close is not None:
                    close()
        except BaseException as error:  # raised by the iteration
            self._ready.put(error)
        else:
            self._ready.put(None)
