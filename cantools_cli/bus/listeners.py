"""Receivers of messages: what a writer, a printer or a program of your own has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from cantools_cli.frame.message import Message

if TYPE_CHECKING:
    from cantools_cli.bus.base import BusABC
    from cantools_cli.frame.batch import MessageBatch


class Listener(ABC):
    """Takes messages one at a time; calling it is the same as ``on_message_received``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take any arguments: a subclass may hand on all that it gets."""

    @abstractmethod
    def on_message_received(self, msg: Message) -> None:
        """Handle one message."""

    def __call__(self, msg: Message) -> None:
        self.on_message_received(msg)

    def on_batch_received(self, batch: MessageBatch) -> None:
        """Handle many messages at once; overridden by listeners that gain from it."""
        for message in batch:
            self(message)

    def on_error(self, exc: Exception) -> None:
        """Handle an error of the thread that receives.

        Raises:
            NotImplementedError: this listener does not handle errors.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """Stop handling messages, and finish what is open."""


class ReaderStoppedError(BufferError, RuntimeError):
    """The reader takes no more messages; python-can documents the one base, and raises the other."""

    def __init__(self) -> None:
        super().__init__("reader has already been stopped")


class BufferedReader(Listener):
    """Keeps messages in the order received, without a bound, until ``get_message`` takes them.

    Any number of threads may put and take.

    Attributes:
        is_stopped: whether ``stop`` was called.
        buffer: the messages that wait.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        from queue import SimpleQueue

        super().__init__(*args, **kwargs)
        self.buffer: SimpleQueue[Message | None] = SimpleQueue()
        self.is_stopped = False

    def on_message_received(self, msg: Message) -> None:
        """Keep one message.

        Raises:
            ReaderStoppedError: ``stop`` was called; a BufferError, and a RuntimeError.
        """
        if self.is_stopped:
            raise ReaderStoppedError
        self.buffer.put(msg)

    def get_message(self, timeout: float | None = 0.5) -> Message | None:
        """Return the oldest message, or None when none comes within ``timeout`` seconds.

        None waits for ever. After ``stop`` nobody waits: what is left is returned, then None.
        """
        from queue import Empty

        try:
            message = self.buffer.get(not self.is_stopped, timeout)
        except Empty:
            return None
        if message is None:
            self.buffer.put(None)  # whoever else waits has to wake as well
        return message

    def stop(self) -> None:
        """Take no more messages, and wake all who wait for one."""
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
    """Tell whether ``listener`` gains from ``on_batch_received``, and nothing is lost by calling that.

    A subclass that overrides ``on_message_received`` alone has to see every message.
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
    """Tell whether ``kind`` has ``name`` from a class at least as derived as ``other``'s."""
    for ancestor in kind.__mro__:
        if name in vars(ancestor):
            return True
        if other in vars(ancestor):
            return False
    return False
