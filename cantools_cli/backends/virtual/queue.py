"""``VirtualBus.queue``: python-can's bus has a ``queue.Queue`` there, which tests of programs look into."""

from __future__ import annotations

import queue
from typing import Protocol

from cantools_cli.frame.message import Message


class Receiving(Protocol):
    """A bus with frames in its queue."""

    def recv(self, timeout: float | None) -> Message | None: ...
    def _frames_waiting(self) -> int: ...


class WaitingMessages:
    """The messages that wait to be received by ``bus``, with the reading methods of ``queue.Queue``.

    Attributes:
        maxsize: how many may wait; 0 is no bound.
    """

    def __init__(self, bus: Receiving, maxsize: int) -> None:
        self._bus = bus
        self.maxsize = maxsize

    def qsize(self) -> int:
        """Return how many frames wait, whether or not they pass the filters."""
        return self._bus._frames_waiting()

    def empty(self) -> bool:
        return not self.qsize()

    def full(self) -> bool:
        return 0 < self.maxsize <= self.qsize()

    def get(self, block: bool = True, timeout: float | None = None) -> Message:
        """Receive the next message.

        Raises:
            queue.Empty: no message is queued, or none arrives in time.
        """
        message = self._bus.recv(timeout if block else 0)
        if message is None:
            raise queue.Empty
        return message

    def get_nowait(self) -> Message:
        return self.get(block=False)
