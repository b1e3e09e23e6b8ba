"""A buffer of messages for coroutines."""

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
    """Keeps messages in the order received until a coroutine takes them; also an asynchronous iterator.

    To be used in one event loop, together with a notifier that has this loop.

    Attributes:
        is_stopped: whether ``stop`` was called; later messages are ignored.
        buffer: the messages that wait.
    """

    @deprecated_args_alias("4.0.0", "5.0.0", loop=None)
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.buffer: asyncio.Queue[Message | None] = asyncio.Queue()
        self.is_stopped = False

    def on_message_received(self, msg: Message) -> None:
        """Keep one message; only to be called in the event loop."""
        if not self.is_stopped:
            self.buffer.put_nowait(msg)

    async def get_message(self) -> Message:
        """Return the oldest message, once there is one.

        Raises:
            ReaderStoppedError: ``stop`` was called, and no message is left.
        """
        message = await self.buffer.get()
        if message is None:
            self.buffer.put_nowait(None)  # whoever else waits has to wake as well
            raise ReaderStoppedError
        return message

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        """Return the next message; the iteration ends behind the last one after ``stop``."""
        try:
            return await self.get_message()
        except ReaderStoppedError:
            raise StopAsyncIteration from None

    def stop(self) -> None:
        """Ignore later messages, and wake all who wait for one."""
        if not self.is_stopped:
            self.is_stopped = True
            self.buffer.put_nowait(None)
