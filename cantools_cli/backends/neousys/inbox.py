"""What the callbacks of the library hand over, until the bus takes it."""

from __future__ import annotations

import time
from collections import deque
from ctypes import string_at
from threading import Lock
from typing import Any

from cantools_cli.backends.neousys.codec import SIZE, Arrival
from cantools_cli.backends.neousys.wdt_dio import ReceivedCallback, StatusCallback
from cantools_cli.backends.transport.waiting import Wakeup

#: callbacks of closed buses, with the time of closing: the library may still be inside one
_retired: deque[tuple[float, object]] = deque()
_GRACE = 0.1  # seconds


class Inbox:
    """A bounded queue that callbacks fill.

    At most ``capacity`` frames are kept; later ones are dropped and counted.

    Attributes:
        arrived: is set while something is queued.
        status: the last status word.
        on_received, on_status: the callbacks for the library.
    """

    def __init__(self, capacity: int) -> None:
        self.arrived = Wakeup()
        self.status = 0
        self.on_received: Any = ReceivedCallback(self._received)
        self.on_status: Any = StatusCallback(self._reported)
        self._capacity = capacity
        self._lock = Lock()
        self._arrivals: list[Arrival] = []
        self._frames = self._missed = 0

    def _received(self, address: int | None, size: int) -> None:
        now = time.time_ns()
        if address is None:
            return
        count = max(1, size // SIZE)
        content = string_at(address, count * SIZE)  # the library reuses the memory
        with self._lock:
            if self._frames + count > self._capacity:
                self._missed += count
            else:
                self._frames += count
                self._arrivals.append((now, content))
            self.arrived.set()

    def _reported(self, status: int) -> None:
        now = time.time_ns()
        with self._lock:
            self.status = status
            if len(self._arrivals) < 2 * self._capacity:
                self._arrivals.append((now, status))
            self.arrived.set()

    def take(self) -> tuple[list[Arrival], int]:
        """Return what arrived, and the number of frames that were dropped after it."""
        with self._lock:
            taken = self._arrivals, self._missed
            self._arrivals, self._frames, self._missed = [], 0, 0
            self.arrived.clear()
        return taken

    def retire(self) -> None:
        """Keep the callbacks alive for a moment after the library has been told to forget them."""
        now = time.monotonic()
        while _retired and _retired[0][0] < now - _GRACE:
            _retired.popleft()
        _retired.append((now, (self.on_received, self.on_status)))
        self.arrived.close()
