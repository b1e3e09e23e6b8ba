"""``VirtualBus.queue``, a ``queue.Queue`` in python-can, which tests of programs inspect."""

from __future__ import annotations

import queue
from typing import Protocol

from cantools_cli.frame.message import Message


class Receiving(Protocol):
    """A bus with a queue of received frames."""

    def recv(self, timeout: float | None) -> Message | None: ...
    def _frames_waiting(self) -> int: ...


class WaitingMessages:
    """The received messages queued by ``bus``, with the reading methods of ``queue.Queue``.

    Attributes:
        maxsize: maximum number of queued messages; 0 for no limit.
    """

    def __init__(self, bus: Receiving, maxsize: int) -> None:
        self._bus = bus
        self.maxsize = maxsize

    def qsize(self) -> int:
        """Return the number of queued frames, before filtering."""
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
