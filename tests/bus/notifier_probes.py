"""Buses and listeners for tests of the notifier."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from cantools_cli.backends.virtual.bus import VirtualBus
from cantools_cli.bus.base import BusABC
from cantools_cli.bus.listeners import Listener
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.base import MessageWriter

LONG = 10.0  # seconds that no test takes
_names = count()


@contextmanager
def two_buses() -> Iterator[tuple[VirtualBus, VirtualBus]]:
    """One bus to send with, and one that a notifier may have."""
    name = f"notifier {next(_names)}"
    with VirtualBus(name) as sender, VirtualBus(name) as receiver:
        yield sender, receiver


class QueueBus(BusABC):
    """A bus without a descriptor; what ``fed`` holds is received, an error is raised."""

    channel_info = "queue"

    def __init__(self, *fed: MessageBatch | Exception) -> None:
        self.fed: queue.SimpleQueue[MessageBatch | Exception] = queue.SimpleQueue()
        for one in fed:
            self.fed.put(one)
        super().__init__("queue")

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        try:
            one = self.fed.get(True, timeout)
        except queue.Empty:
            return None
        if isinstance(one, Exception):
            raise one
        return one


class DocumentedBus(BusABC):
    """A bus as python-can documents it."""

    channel_info = "documented"

    def __init__(self, *messages: Message) -> None:
        self.messages = [*messages]
        super().__init__("documented")

    def _recv_internal(self, timeout: float | None) -> tuple[Message | None, bool]:
        return (self.messages.pop(0), False) if self.messages else (None, False)


class Recorder(Listener):
    """Keeps what it gets; takes errors if told to."""

    def __init__(self, takes_errors: bool = False) -> None:
        self.messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.errors: queue.SimpleQueue[Exception] = queue.SimpleQueue()
        self.takes_errors = takes_errors
        self.stops = 0

    def on_message_received(self, msg: Message) -> None:
        self.messages.put(msg)

    def on_error(self, exc: Exception) -> None:
        if not self.takes_errors:
            raise NotImplementedError
        self.errors.put(exc)

    def stop(self) -> None:
        self.stops += 1

    def identifiers(self, wanted: int | None = None) -> list[int]:
        """Return the identifiers that came, or wait for ``wanted`` of them."""
        if wanted is None:
            wanted = self.messages.qsize()
        return [self.messages.get(timeout=LONG).arbitration_id for _ in range(wanted)]


class BatchRecorder(MessageWriter):
    """A writer that keeps its batches."""

    def __init__(self) -> None:
        super().__init__(None)
        self.batches: queue.SimpleQueue[MessageBatch] = queue.SimpleQueue()
        self.flushed = threading.Event()

    def write(self, batch: MessageBatch) -> None:
        self._write_gathered()
        self.batches.put(batch)

    def flush(self) -> None:
        super().flush()
        self.flushed.set()


def frame(identifier: int) -> Message:
    return Message(arbitration_id=identifier)


def batch(*identifiers: int) -> MessageBatch:
    return MessageBatch(map(frame, identifiers))


def complain(message: Message) -> None:
    raise ValueError(f"not {message.arbitration_id}")
