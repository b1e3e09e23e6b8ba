"""Listeners, the recipients of messages: the base class of writers, printers and your own classes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from cantools_cli.frame.message import Message

if TYPE_CHECKING:
    from cantools_cli.bus.base import BusABC
    from cantools_cli.frame.batch import MessageBatch


class Listener(ABC):
    """Handles messages one at a time; calling it is the same as calling ``on_message_received``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Accept any arguments: a subclass may pass all of its own."""

    @abstractmethod
    def on_message_received(self, msg: Message) -> None:
        """Handle one message."""

    def __call__(self, msg: Message) -> None:
        self.on_message_received(msg)

    def on_batch_received(self, batch: MessageBatch) -> None:
        """Handle many messages at once; overridden by listeners that do this faster."""
        for message in batch:
            self(message)

    def on_error(self, exc: Exception) -> None:
        """Handle an error of the thread that receives.

        Raises:
            NotImplementedError: this listener does not handle errors.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """Stop handling messages, and close open files."""


class ReaderStoppedError(BufferError, RuntimeError):
    """The reader is stopped. python-can documents the first base class, and raises the second."""

    def __init__(self) -> None:
        super().__init__("reader has already been stopped")


class BufferedReader(Listener):
    """Queues messages in the order received, without a bound, for ``get_message``; thread-safe.

    Attributes:
        is_stopped: whether ``stop`` was called.
        buffer: the queued messages.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        from queue import SimpleQueue

        super().__init__(*args, **kwargs)
        self.buffer: SimpleQueue[Message | None] = SimpleQueue()
        self.is_stopped = False

    def on_message_received(self, msg: Message) -> None:
        """Queue a message.

        Raises:
            ReaderStoppedError: ``stop`` was called; this is a BufferError and a RuntimeError.
        """
        if self.is_stopped:
            raise ReaderStoppedError
        self.buffer.put(msg)

    def get_message(self, timeout: float | None = 0.5) -> Message | None:
        """Return the oldest message, or None if no message arrives within ``timeout`` seconds.

        A timeout of None waits for ever. After ``stop`` this returns the remaining messages, then None.
        """
        from queue import Empty

        try:
            message = self.buffer.get(not self.is_stopped, timeout)
        except Empty:
            return None
        if message is None:
            self.buffer.put(None)  # wakes other waiting threads, too
        return message

    def stop(self) -> None:
        """Refuse later messages, and wake the waiting threads."""
        if not self.is_stopped:
            self.is_stopped = True
            self.buffer.put(None)


class RedirectReader(Listener):
    """Sends all messages to another bus."""

    def __init__(self, bus: BusABC, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bus = bus

    def on_message_received(self, msg: Message) -> None:
        self.bus.send(msg)

    def on_batch_received(self, batch: MessageBatch) -> None:
        if is_nearer(type(self.bus), "send_batch", "send"):
            self.bus.send_batch(batch)
        else:  # a bus with a ``send`` of its own
            super().on_batch_received(batch)


def takes_batches(listener: object) -> bool:
    """Return whether batches may be passed to ``listener.on_batch_received`` instead of single messages.

    A subclass that overrides ``on_message_received`` alone has to get every message.
    """
    if not isinstance(listener, Listener):
        return False
    kind = type(listener)
    return (
        kind.on_batch_received is not Listener.on_batch_received
        and kind.__call__ is Listener.__call__
        and is_nearer(kind, "on_batch_received", "on_message_received")
    )


def is_nearer(kind: type, name: str, other: str) -> bool:
    """Return whether ``kind`` inherits ``name`` from a class at least as derived as that of ``other``."""
    for ancestor in kind.__mro__:
        if name in vars(ancestor):
            return True
        if other in vars(ancestor):
            return False
    return False
