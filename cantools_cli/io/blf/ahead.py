"""Inflates the containers of a BLF file in threads, ahead of the reader: most of the reading time."""

from __future__ import annotations

import atexit
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread

MAX_THREADS = 4

Inflate = Callable[[memoryview, int], bytes | bytearray]
"""Unpacks data to a size; returns b"" for damaged data instead of raising."""


class _Job:
    """One container; ``data`` is ready once ``done`` can be acquired."""

    __slots__ = ("data", "done", "packed", "position", "size")

    def __init__(self, position: int, packed: memoryview, size: int) -> None:
        self.position = position
        self.packed = packed
        self.size = size
        self.data: bytes | bytearray = b""
        self.done = Lock()
        self.done.acquire()


class InflateAhead:
    """Inflates the containers that ``put`` adds while the caller processes earlier ones.

    One bare lock per container costs 6 to 13 us; a pool of futures cost 24 us. A reader that waits for the
    lock also releases the interpreter, so that the threads can start on their next container. The threads
    live from the first container to ``close``, or to the end of the interpreter.
    """

    def __init__(self, inflate: Inflate, threads: int) -> None:
        self._inflate = inflate
        self._count = min(threads, MAX_THREADS)  # 0 after close
        self._threads: list[Thread] = []
        self._todo: SimpleQueue[_Job | None] = SimpleQueue()
        self._jobs: deque[_Job] = deque()

    @property
    def has_room(self) -> bool:
        """Whether another container may be added; finished and unfinished ones count."""
        return len(self._jobs) < 2 * self._count

    def put(self, position: int, packed: memoryview, size: int) -> None:
        """Queue the data of the container at ``position`` of the file, for inflation to ``size`` bytes."""
        if not self._threads:
            self._start()
        job = _Job(position, packed, size)
        self._jobs.append(job)
        self._todo.put(job)

    def take(self, position: int) -> bytes | bytearray:
        """Drop earlier containers than that at ``position``, wait for its content; b"" if not queued."""
        while self._jobs and self._jobs[0].position <= position:
            job = self._jobs.popleft()
            if job.position == position:
                job.done.acquire()
                return job.data
        return b""

    def close(self) -> None:
        """End the threads; each finishes its current container."""
        self._count = 0
        self._jobs.clear()
        if not self._threads:
            return
        atexit.unregister(self.close)
        with suppress(Empty):
            while True:
                self._todo.get_nowait()
        for _ in self._threads:
            self._todo.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _start(self) -> None:
        # Daemon threads: the interpreter joins all others before it runs the atexit handlers, and would
        # wait for ever if the reader was not closed.
        threads = [
            Thread(target=_work, args=(self._todo, self._inflate), name="blf-inflate", daemon=True)
            for _ in range(self._count)
        ]
        atexit.register(self.close)
        for thread in threads:
            thread.start()
            self._threads.append(thread)


def _work(todo: SimpleQueue[_Job | None], inflate: Inflate) -> None:
    while (job := todo.get()) is not None:
        try:
            with suppress(MemoryError):  # the reader inflates it again, and reports the error
                job.data = inflate(job.packed, job.size)
        finally:
            job.done.release()  # in any case: the reader may be waiting
