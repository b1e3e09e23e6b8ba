"""Unpacks the containers of a Vector BLF ahead of their reader, in threads: that is most of reading one."""

from __future__ import annotations

import atexit
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread

MAX_THREADS = 4

Inflate = Callable[[memoryview, int], bytes | bytearray]
"""Unpacks so many bytes; returns b"" where it cannot, and raises nothing."""


class _Job:
    """One container: ``data`` is there when ``done`` can be taken."""

    __slots__ = ("data", "done", "packed", "position", "size")

    def __init__(self, position: int, packed: memoryview, size: int) -> None:
        self.position = position
        self.packed = packed
        self.size = size
        self.data: bytes | bytearray = b""
        self.done = Lock()
        self.done.acquire()


class InflateAhead:
    """Unpacks what is ``put``, while the caller is busy with what came before.

    A bare lock a container, and not a pool of futures, whose bookkeeping took 24 us a container, and this 6
    to 13. The lock does one thing more: a reader that waits for it lets go of the interpreter, so that the
    threads can take their next container. They live from the first container to ``close``, or to the end of
    the interpreter.
    """

    def __init__(self, inflate: Inflate, threads: int) -> None:
        self._inflate = inflate
        self._count = min(threads, MAX_THREADS)  # 0 once it is closed
        self._threads: list[Thread] = []
        self._todo: SimpleQueue[_Job | None] = SimpleQueue()
        self._jobs: deque[_Job] = deque()

    @property
    def has_room(self) -> bool:
        """Whether one more may be put: a few are held at most, done or not."""
        return len(self._jobs) < 2 * self._count

    def put(self, position: int, packed: memoryview, size: int) -> None:
        """Have ``packed``, from the container at ``position`` of the file, unpacked to ``size`` bytes."""
        if not self._threads:
            self._start()
        job = _Job(position, packed, size)
        self._jobs.append(job)
        self._todo.put(job)

    def take(self, position: int) -> bytes | bytearray:
        """Return what the container at ``position`` unpacks to, waiting for it; b"" where it was not put.

        What was put for places before is dropped.
        """
        while self._jobs and self._jobs[0].position <= position:
            job = self._jobs.popleft()
            if job.position == position:
                job.done.acquire()
                return job.data
        return b""

    def close(self) -> None:
        """End the threads, each with the container that it is at."""
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
        # Daemons, since the interpreter waits for others before it calls what atexit has, and so for ever
        # where nobody closed the reader.
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
            with suppress(MemoryError):  # the reader finds out by itself
                job.data = inflate(job.packed, job.size)
        finally:
            job.done.release()  # whatever happens: somebody may wait for it
