"""A descriptor for ``select`` and event loops, for a bus with fetched frames."""

from __future__ import annotations

import os
import select
from typing import Any


class Readiness:
    """Ready to read while ``descriptor`` is, or while ``fetched`` is set.

    A bus fetches many frames at once and returns them one by one: the fetched frames do not make its socket
    ready.
    """

    def __init__(self, descriptor: int) -> None:
        self._fetched = False
        self._read_end, self._write_end = os.pipe()
        self._both = _either(descriptor, self._read_end)

    def fileno(self) -> int:
        return int(self._both.fileno())

    @property
    def fetched(self) -> bool:
        return self._fetched

    @fetched.setter
    def fetched(self, fetched: bool) -> None:
        if fetched and not self._fetched:
            os.write(self._write_end, b"\0")
        elif self._fetched and not fetched:
            os.read(self._read_end, 1)
        self._fetched = fetched

    def close(self) -> None:
        self._both.close()
        os.close(self._read_end)
        os.close(self._write_end)


def _either(*descriptors: int) -> Any:
    """Return an object whose descriptor is ready if one of ``descriptors`` is."""
    if hasattr(select, "epoll"):
        both = select.epoll()
        for descriptor in descriptors:
            both.register(descriptor, select.EPOLLIN)
        return both
    queue: Any = select.kqueue()  # type: ignore[attr-defined,unused-ignore]  # macOS and the BSDs
    for descriptor in descriptors:
        change = select.kevent(descriptor)  # type: ignore[attr-defined,unused-ignore]
        queue.control([change], 0)
    return queue
