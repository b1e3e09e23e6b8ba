"""What listeners get from the buses of a notifier that works in an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cantools_cli.backends.virtual.bus import VirtualBus
from cantools_cli.bus.async_reader import AsyncBufferedReader
from cantools_cli.bus.base import BusABC
from cantools_cli.bus.notifier import Notifier
from cantools_cli.bus.receivers import SLICE
from cantools_cli.errors import CanOperationError
from cantools_cli.frame.message import Message
from tests.bus.notifier_probes import (
    LONG,
    DocumentedBus,
    QueueBus,
    Recorder,
    batch,
    complain,
    frame,
    two_buses,
)


@pytest.fixture
def pair() -> Iterator[tuple[VirtualBus, VirtualBus]]:
    with two_buses() as buses:
        yield buses


def in_a_loop(test: Callable[[asyncio.AbstractEventLoop], Any]) -> None:
    async def main() -> None:
        await asyncio.wait_for(test(asyncio.get_running_loop()), LONG)

    asyncio.run(main())


def test_listeners_run_in_the_loop_and_may_be_coroutines(pair: tuple[VirtualBus, VirtualBus]) -> None:
    sender, bus = pair
    seen: list[tuple[str, int]] = []

    async def slowly(message: Message) -> None:
        await asyncio.sleep(0)
        seen.append(("coroutine", threading.get_ident()))

    def at_once(message: Message) -> None:
        seen.append(("function", threading.get_ident()))

    async def test(loop: asyncio.AbstractEventLoop) -> None:
        reader = AsyncBufferedReader()
        notifier = Notifier(bus, [slowly, at_once, reader], loop=loop)
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("notifier of")]
        sender.send(frame(5))
        assert (await reader.get_message()).arbitration_id == 5
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        notifier.stop()

    in_a_loop(test)
    assert seen == [("function", threading.get_ident()), ("coroutine", threading.get_ident())]


@pytest.mark.parametrize("make", [lambda: QueueBus(batch(1, 2)), lambda: DocumentedBus(frame(1), frame(2))])
def test_a_bus_without_a_descriptor_is_relayed_to_the_loop(make: Callable[[], BusABC]) -> None:
    seen: list[tuple[int, int]] = []

    async def test(loop: asyncio.AbstractEventLoop) -> None:
        reader, bus = AsyncBufferedReader(), make()
        notifier = Notifier(
            bus,
            [lambda message: seen.append((message.arbitration_id, threading.get_ident())), reader],
            timeout=0.01,
            loop=loop,
        )
        for _ in range(2):
            await reader.get_message()
        notifier.stop()
        bus.shutdown()

    in_a_loop(test)
    assert seen == [(1, threading.get_ident()), (2, threading.get_ident())]


def test_a_burst_leaves_the_loop_room_for_others(pair: tuple[VirtualBus, VirtualBus]) -> None:
    sender, bus = pair
    recorder = Recorder()

    async def test(loop: asyncio.AbstractEventLoop) -> None:
        with Notifier(bus, [recorder], loop=loop):
            sender.send_batch(batch(*range(4 * SLICE)))
            while recorder.messages.empty():
                await asyncio.sleep(0)
            assert recorder.messages.qsize() <= 2 * SLICE
        assert recorder.identifiers() == [*range(4 * SLICE)]  # the rest, at the end

    in_a_loop(test)


@pytest.mark.parametrize("has_descriptor", [True, False])
def test_the_end_delivers_what_came_before_in_a_loop_too(
    pair: tuple[VirtualBus, VirtualBus], has_descriptor: bool
) -> None:
    recorder = Recorder()

    async def test(loop: asyncio.AbstractEventLoop) -> None:
        bus: BusABC = pair[1] if has_descriptor else QueueBus(batch(*range(5)), batch(*range(5, 10)))
        notifier = Notifier(bus, [recorder], timeout=0.01, loop=loop)
        if has_descriptor:
            pair[0].send_batch(batch(*range(10)))
        notifier.stop()
        bus.shutdown()

    in_a_loop(test)
    assert recorder.identifiers() == [*range(10)]


def test_another_thread_may_stop_a_notifier_of_a_loop(pair: tuple[VirtualBus, VirtualBus]) -> None:
    recorder = Recorder()

    async def test(loop: asyncio.AbstractEventLoop) -> None:
        notifier = Notifier(pair[1], [recorder], loop=loop)
        pair[0].send(frame(1))
        await asyncio.to_thread(notifier.stop)
        assert not loop.remove_reader(pair[1].fileno())

    in_a_loop(test)
    assert (recorder.identifiers(), recorder.stops) == ([1], 1)


def test_a_listener_may_stop_the_notifier_of_a_loop(pair: tuple[VirtualBus, VirtualBus]) -> None:
    reader, recorder = AsyncBufferedReader(), Recorder()

    async def test(loop: asyncio.AbstractEventLoop) -> None:
        notifier = Notifier(pair[1], [lambda _: notifier.stop(), recorder, reader], loop=loop)
        pair[0].send_batch(batch(1, 2))
        assert [message.arbitration_id async for message in reader] == [1, 2]  # and ends

    in_a_loop(test)
    assert recorder.stops == 1


@pytest.mark.parametrize("has_descriptor", [True, False])
def test_the_loop_reports_an_error_that_nobody_takes(
    pair: tuple[VirtualBus, VirtualBus], has_descriptor: bool
) -> None:
    async def test(loop: asyncio.AbstractEventLoop) -> None:
        reported: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        loop.set_exception_handler(lambda _, context: reported.put_nowait(context))
        bus: BusABC = pair[1] if has_descriptor else QueueBus(batch(1))
        notifier = Notifier(bus, [complain], timeout=0.01, loop=loop)
        if has_descriptor:
            pair[0].send(frame(1))
        assert str((await reported.get())["exception"]) == "not 1"
        assert str(notifier.exception) == "not 1"
        notifier.stop()
        bus.shutdown()

    in_a_loop(test)


def test_an_error_of_a_coroutine_is_offered_to_the_listeners(pair: tuple[VirtualBus, VirtualBus]) -> None:
    recorder = Recorder(takes_errors=True)

    async def fail(message: Message) -> None:
        complain(message)

    async def test(loop: asyncio.AbstractEventLoop) -> None:
        with Notifier(pair[1], [fail, recorder], loop=loop):
            pair[0].send(frame(8))
            while recorder.errors.empty():
                await asyncio.sleep(0)

    in_a_loop(test)
    assert str(recorder.errors.get()) == "not 8"


@pytest.mark.parametrize("takes_errors", [True, False])
def test_an_error_of_a_bus_in_a_loop(takes_errors: bool) -> None:
    recorder = Recorder(takes_errors)

    async def test(loop: asyncio.AbstractEventLoop) -> None:
        reported: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        loop.set_exception_handler(lambda _, context: reported.put_nowait(context))
        bus = QueueBus(CanOperationError("unplugged"), batch(1))
        with Notifier(bus, [recorder], timeout=0.01, loop=loop):
            if takes_errors:
                while recorder.messages.empty():
                    await asyncio.sleep(0.001)
            else:
                assert str((await reported.get())["exception"]) == "unplugged"
        bus.shutdown()

    in_a_loop(test)
    assert recorder.identifiers() == ([1] if takes_errors else [])


def test_a_bus_that_its_owner_closes_is_no_error_in_a_loop(pair: tuple[VirtualBus, VirtualBus]) -> None:
    async def test(loop: asyncio.AbstractEventLoop) -> None:
        reported: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: reported.append(context))
        notifier = Notifier(pair[1], [print], loop=loop)
        pair[1].shutdown()
        await asyncio.sleep(0)
        notifier.stop()
        assert (reported, notifier.exception) == ([], None)

    in_a_loop(test)
