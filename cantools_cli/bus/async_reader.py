"""A queue of messages for coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from cantools_cli.bus.keywords import deprecated_args_alias
from cantools_cli.bus.listeners import Listener, ReaderStoppedError
from cantools_cli.frame.message import Message

if TYPE_CHECKING:
    from typing_extensions import Self


class AsyncBufferedReader(Listener, AsyncIterator[Message]):
    """Queues messages in the order received for coroutines; also an asynchronous iterator.

    Use it in one event loop, with a notifier of this loop.

    Attributes:
        is_stopped: whether ``stop`` was called; later messages are ignored.
        buffer: the queued messages.
    """

    @deprecated_args_alias("4.0.0", "5.0.0", loop=None)
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.buffer: asyncio.Queue[Message | None] = asyncio.Queue()
        self.is_stopped = False

    def on_message_received(self, msg: Message) -> None:
        """Queue a message; call it in the event loop only."""
        if not self.is_stopped:
            self.buffer.put_nowait(msg)

    async def get_message(self) -> Message:
        """Wait for a message, and return the oldest.

        Raises:
            ReaderStoppedError: ``stop`` was called, and no message is left.
        """
        message = await self.buffer.get()
        if message is None:
            self.buffer.put_nowait(None)  # wakes other waiting coroutines, too
            raise ReaderStoppedError
        return message

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        """Return the next message; after ``stop`` the iteration ends with the last one."""
        try:
            return await self.get_message()
        except ReaderStoppedError:
            raise StopAsyncIteration from None

    def stop(self) -> None:
        """Ignore later messages, and wake the waiting coroutines."""
        if not self.is_stopped:
            self.is_stopped = True
            self.buffer.put_nowait(None)
