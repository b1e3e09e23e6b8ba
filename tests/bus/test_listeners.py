"""Listeners that keep messages, or send them on."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from cantools_cli.bus.async_reader import AsyncBufferedReader
from cantools_cli.bus.base import BusABC
from cantools_cli.bus.listeners import (
    BufferedReader,
    Listener,
    ReaderStoppedError,
    RedirectReader,
    takes_batches,
)
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.printer import Printer

FIRST, SECOND = Message(arbitration_id=1), Message(arbitration_id=2)


class Kept(Listener):
    """A listener that does the least."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.messages: list[Message] = []

    def on_message_received(self, msg: Message) -> None:
        self.messages.append(msg)


class Sent(BusABC):
    """A bus that keeps what it sends."""

    channel_info = "unknown"

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        super().__init__("sent")

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        self.batches.append([message.arbitration_id for message in batch])


class SentDocumented(Sent):
    def send(self, msg: Message, timeout: float | None = None) -> None:
        self.batches.append([msg.arbitration_id])


# --- Listener -----------------------------------------------------------------------------------------


def test_a_listener_has_to_handle_messages() -> None:
    with pytest.raises(TypeError, match="on_message_received"):
        Listener()  # type: ignore[abstract]  # tests the refusal


def test_calling_a_listener_gives_it_a_message() -> None:
    listener = Kept("any", arguments="as documented")
    listener(FIRST)
    assert listener.messages == [FIRST]


def test_a_batch_is_given_one_message_at_a_time() -> None:
    listener = Kept()
    listener.on_batch_received(MessageBatch([FIRST, SECOND]))
    assert [message.arbitration_id for message in listener.messages] == [1, 2]


def test_a_listener_handles_no_error_unless_it_says_so() -> None:
    with pytest.raises(NotImplementedError):
        Kept().on_error(ValueError())


def test_who_overrides_one_message_gets_no_batches() -> None:
    class Loud(Printer):
        def on_message_received(self, msg: Message) -> None: ...

    class Called(Printer):
        def __call__(self, msg: Message) -> None: ...

    kinds = (Printer, RedirectReader, Loud, Called, BufferedReader, Kept)
    assert [takes_batches(kind.__new__(kind)) for kind in kinds] == [True, True, False, False, False, False]
    assert not takes_batches(print)


# --- BufferedReader -----------------------------------------------------------------------------------


def test_messages_come_out_in_the_order_received() -> None:
    reader = BufferedReader()
    reader(FIRST)
    reader(SECOND)
    assert [reader.get_message(), reader.get_message(), reader.get_message(0)] == [FIRST, SECOND, None]


@pytest.mark.parametrize("error", [BufferError, RuntimeError])  # the documented one, and python-can's
def test_a_stopped_reader_takes_no_message(error: type[Exception]) -> None:
    reader = BufferedReader()
    reader.stop()
    assert reader.is_stopped
    with pytest.raises(error, match="reader has already been stopped"):
        reader(FIRST)


def test_a_stopped_reader_gives_what_is_left_and_never_blocks() -> None:
    reader = BufferedReader()
    reader(FIRST)
    reader.stop()
    reader.stop()
    assert [reader.get_message(None) for _ in range(3)] == [FIRST, None, None]


def test_stopping_wakes_all_who_wait() -> None:
    reader = BufferedReader()
    got: list[Message | None] = []
    threads = [threading.Thread(target=lambda: got.append(reader.get_message(None))) for _ in range(3)]
    for thread in threads:
        thread.start()
    reader.stop()
    for thread in threads:
        thread.join(10)
    assert got == [None, None, None]


# --- RedirectReader -----------------------------------------------------------------------------------


def test_messages_are_sent_to_the_other_bus() -> None:
    with Sent() as bus:
        listener = RedirectReader(bus)
        listener(FIRST)
        listener.on_batch_received(MessageBatch([FIRST, SECOND]))
        assert bus.batches == [[1], [1, 2]]


def test_a_bus_that_sends_one_at_a_time_gets_one_at_a_time() -> None:
    with SentDocumented() as bus:
        RedirectReader(bus).on_batch_received(MessageBatch([FIRST, SECOND]))
        assert bus.batches == [[1], [2]]


# --- AsyncBufferedReader ------------------------------------------------------------------------------


def test_coroutines_get_messages_in_the_order_received() -> None:
    async def main() -> None:
        reader = AsyncBufferedReader()
        waiting = asyncio.ensure_future(reader.get_message())
        await asyncio.sleep(0)
        reader(FIRST)
        reader(SECOND)
        assert [await waiting, await reader.get_message()] == [FIRST, SECOND]

    asyncio.run(main())


def test_an_iteration_ends_behind_the_last_message() -> None:
    async def main() -> list[Message]:
        reader = AsyncBufferedReader()
        reader(FIRST)
        reader.stop()
        reader(SECOND)  # ignored
        return [message async for message in reader]

    assert asyncio.run(main()) == [FIRST]


def test_who_waits_for_a_stopped_reader_is_told() -> None:
    async def main() -> None:
        reader = AsyncBufferedReader()
        waiting = [asyncio.ensure_future(reader.get_message()) for _ in range(2)]
        await asyncio.sleep(0)
        reader.stop()
        results = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 10)
        assert [type(result) for result in results] == [ReaderStoppedError] * 2

    asyncio.run(main())


def test_the_old_argument_loop_is_of_no_use_any_more() -> None:
    with pytest.warns(DeprecationWarning, match="'loop' argument is deprecated"):
        AsyncBufferedReader(loop=None)
