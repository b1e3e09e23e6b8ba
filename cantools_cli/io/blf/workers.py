"""Packs the containers of a BLF file in threads, in order: deflating takes half of the writing time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from cantools_cli.io.blf.containers import pack_container

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

MAX_THREADS = 4
ALONE = 8  #: containers to pack before threads are started, which do not pay off for a small file


class ContainerPacker:
    """Packs containers and passes each to ``written``, in their order.

    The arguments of ``written`` are the packed container, its unpacked size and its number of objects. It
    runs in the thread that calls ``pack`` and ``finish``, and may raise.
    """

    def __init__(self, level: int, written: Callable[[bytes, int, int], None], threads: int) -> None:
        self.waiting = 0  #: bytes of the containers that were not passed on yet, before compression
        self._level = level
        self._written = written
        self._threads = min(threads, MAX_THREADS) if level else 0
        self._packed = 0
        self._pool: ThreadPoolExecutor | None = None
        self._pending: deque[tuple[Future[bytes], int, int]] = deque()

    def pack(self, data: memoryview, objects: int) -> None:
        """Pack a container; ``data`` may be overwritten as soon as this returns."""
        self._packed += 1
        if self._threads < 2 or self._packed <= ALONE:
            self.finish()
            self._written(pack_container(data, self._level), len(data), objects)
            return
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="blf")
        packing = self._pool.submit(pack_container, bytes(data), self._level)
        self._pending.append((packing, len(data), objects))
        self.waiting += len(data)
        while self._pending and (len(self._pending) > self._threads or self._pending[0][0].done()):
            self._pass_on()

    def finish(self) -> None:
        """Wait for the threads and pass all containers on."""
        while self._pending:
            self._pass_on()

    def close(self) -> None:
        """End the threads; containers that were not passed on are lost."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _pass_on(self) -> None:
        packing, size, objects = self._pending.popleft()
        self.waiting -= size
        self._written(packing.result(), size, objects)
