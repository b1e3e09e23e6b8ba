"""Reading for several threads: one reads, and the others wait for the outcome."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Condition

from cantools_cli.frame.batch import MessageBatch


class Pump:
    """Reads a queue that only one thread at a time may wait for.

    A receiver waits for frames, a sender for a side effect of reading: the first thread reads for all.
    """

    def __init__(self, read: Callable[[float], MessageBatch | None]) -> None:
        self._read = read
        self._condition = Condition()
        self._is_reading = False
        self._batches: deque[MessageBatch] = deque()

    def wait(self, seconds: float, is_done: Callable[[], bool]) -> None:
        """Read, or let another thread do so, until something was read, unless ``is_done``."""
        with self._condition:
            if is_done():
                return
            if self._is_reading:
                self._condition.wait(seconds)
                return
            self._is_reading = True
        batch = None
        try:
            batch = self._read(seconds)
        finally:
            with self._condition:
                self._is_reading = False
                if batch is not None and len(batch):
                    self._batches.append(batch)
                self._condition.notify_all()

    def has_frames(self) -> bool:
        return bool(self._batches)

    def take(self) -> MessageBatch | None:
        """Return the frames that were read, None for none."""
        with self._condition:
            if not self._batches:
                return None
            batch = self._batches.popleft()
            while self._batches:
                batch.extend(self._batches.popleft())
            return batch
