"""Frames, waiting, sending, filters and the end of a bus."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import pytest

from cantools_cli.backends.vector import codec, opening
from cantools_cli.backends.vector.bus import VectorBus
from cantools_cli.backends.vector.exceptions import VectorOperationError
from cantools_cli.bus.base import BusState
from cantools_cli.errors import CanError, CanOperationError, CanTimeoutError, InvalidMessageError
from cantools_cli.frame import error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.backends.vector.conftest import Opener
from tests.vendor.kit import KIND_ERROR, KIND_STATE, Stub

PATIENCE = 20.0
FD: dict[str, Any] = {"fd": True, "bitrate": 500_000, "data_bitrate": 2_000_000}


def message(identifier: int, data: bytes = b"", **more: Any) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=identifier > 0x7FF, data=data, **more)


def received(bus: VectorBus, count: int) -> list[Message]:
    found: list[Message] = []
    while len(found) < count:
        frame = bus.recv(PATIENCE)
        assert frame is not None, f"{len(found)} of {count} frames"
        found.append(frame)
    return found


def facts(frame: Message) -> tuple[object, ...]:
    kind = frame.is_extended_id, frame.is_remote_frame, frame.is_fd, frame.bitrate_switch
    return frame.arbitration_id, *kind, frame.dlc, bytes(frame.data)


# --- frames -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{"bitrate": 500_000}, FD], ids=["classic", "fd"])
def test_classic_frames_both_ways(bus_of: Opener, settings: dict[str, Any]) -> None:
    left, right = bus_of(0, **settings), bus_of(1, **settings)
    frames = [message(0x100 + size, bytes(range(size))) for size in range(9)]
    frames += [message(0x1ABCDEF0, b"\xff"), message(0x5, is_remote_frame=True, dlc=8)]
    for sender, receiver in ((left, right), (right, left)):
        for frame in frames:
            sender.send(frame)
        assert [facts(one) for one in received(receiver, len(frames))] == [facts(one) for one in frames]


def test_fd_frames_both_ways(bus_of: Opener) -> None:
    left, right = bus_of(0, **FD), bus_of(1, **FD)
    sizes = (0, 8, 12, 16, 20, 24, 32, 48, 64)
    frames = [message(size, bytes(range(size)), is_fd=True, bitrate_switch=size > 12) for size in sizes]
    left.send_batch(MessageBatch(frames))
    assert [facts(one) for one in received(right, len(frames))] == [facts(one) for one in frames]


def test_the_error_state_indicator(stub: Stub, bus_of: Opener) -> None:
    left, right = bus_of(0, **FD), bus_of(1, **FD)
    stub.inject(0, arbitration_id=1, flags=4 | 16)
    assert received(left, 1)[0].error_state_indicator
    left.send(message(2, is_fd=True, error_state_indicator=True))  # the driver cannot set it
    assert not received(right, 1)[0].error_state_indicator


def test_frames_that_cannot_be_sent(stub: Stub, bus_of: Opener) -> None:
    bus = bus_of(0)
    stub.clear_calls()
    for frame in (message(1, is_fd=True), Message(is_error_frame=True), message(1, bytes(9))):
        with pytest.raises(InvalidMessageError) as caught:
            bus.send(frame)
        assert caught.value.sent == 0
    assert not stub.calls()
    assert not stub.sent()


def test_the_channel_of_a_message_selects_that_of_the_bus(stub: Stub, bus_of: Opener) -> None:
    both = bus_of((0, 1), serial=100)
    batch = MessageBatch(
        [message(number, channel=channel) for number, channel in enumerate((1, 1, "0", None, 7))]
    )
    stub.clear_calls()
    both.send_batch(batch)
    masks = [call.partition("mask=")[2] for call in stub.calls()]
    assert masks == ["8 count=2", "4 count=1", "c count=2"]
    found = {(frame.channel, frame.arbitration_id) for frame in received(both, 7)}
    assert found == {(0, 0), (0, 1), (1, 2), (0, 3), (1, 3), (0, 4), (1, 4)}


def test_many_frames_in_order(bus_of: Opener) -> None:
    """A writer and a reader, both at work."""
    left, right = bus_of(0, **FD), bus_of(1, **FD)
    count = 2000
    frames = MessageBatch([message(number, number.to_bytes(4, "big")) for number in range(count)])
    thread = threading.Thread(target=left.send_batch, args=(frames,))
    thread.start()
    found = received(right, count)
    thread.join()
    assert [frame.arbitration_id for frame in found] == [*range(count)]
    assert not right.losses
    stamps = [frame.timestamp_ns for frame in found]
    assert stamps == sorted(stamps)


def test_more_events_than_one_reading_holds(stub: Stub, bus_of: Opener) -> None:
    bus = bus_of(0, **FD)
    for number in range(1500):
        stub.inject(0, arbitration_id=number)
    assert [frame.arbitration_id for frame in received(bus, 1500)] == [*range(1500)]


@pytest.mark.parametrize("settings", [{}, FD], ids=["classic", "fd"])
def test_own_messages(bus_of: Opener, settings: dict[str, Any]) -> None:
    with_receipts = bus_of(0, receive_own_messages=True, **settings)
    without = bus_of(1, **settings)
    for bus in (with_receipts, without):
        bus.send(message(0x123, b"\1"))
    assert [frame.is_rx for frame in received(with_receipts, 2)] == [False, True]
    assert [frame.is_rx for frame in received(without, 1)] == [True]
    assert without.recv(0.02) is None


def test_error_frames(stub: Stub, bus_of: Opener) -> None:
    bus = bus_of(0, **FD)
    bus.set_filters([{"can_id": 1, "can_mask": 0x7FF}])  # which error frames pass
    stub.inject(0, kind=KIND_ERROR, code=0x103)
    [frame] = received(bus, 1)
    assert (frame.is_error_frame, frame.is_rx, frame.channel) == (True, False, 0)
    assert "bit-stuffing-error,error-on-tx" in error_frames.explain(frame.arbitration_id, frame.data)


def test_different_bit_rates_are_an_error_on_the_bus(bus_of: Opener) -> None:
    left, right = bus_of(0, bitrate=500_000), bus_of(1, bitrate=250_000)
    left.send(message(0x123))
    [frame] = received(right, 1)
    assert frame.is_error_frame


@pytest.mark.parametrize("settings", [{"rx_queue_size": 16}, {**FD, "rx_queue_size": 8192}])
def test_an_overrun_is_counted_and_marked(stub: Stub, bus_of: Opener, settings: dict[str, Any]) -> None:
    bus = bus_of(0, **settings)
    room = 64 if "fd" in settings else 16
    for number in range(room + 3):
        stub.inject(0, arbitration_id=number)
    found = received(bus, room + 1)
    assert [frame.is_error_frame for frame in found] == [True] + [False] * room
    assert dict(bus.losses) == {codec.OVERRUNS: 1}


# --- times --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hooks", [(), ("sync_time_fails",), ("sync_time_fails", "channel_time_fails")])
def test_times_of_the_epoch(stub: Stub, bus_of: Opener, hooks: tuple[str, ...]) -> None:
    for hook in hooks:
        stub.set(hook, 1)
    bus = bus_of((0, 1))
    for channel in (0, 1):
        before = time.time_ns()
        stub.inject(channel, arbitration_id=channel)
        [frame] = received(bus, 1)
        assert frame.channel == channel
        assert before - 50_000_000 <= frame.timestamp_ns <= time.time_ns()


def test_the_times_of_frames_that_waited(stub: Stub, bus_of: Opener) -> None:
    bus = bus_of(0)
    hour = 3_600_000_000_000
    now = time.time_ns()
    for age in (hour, hour // 2, 0):
        stub.inject(0, arbitration_id=1, time_ns=now - age)
    bus._empty_at = -10.0  # nobody looked
    ages = [round((now - frame.timestamp_ns) / 1e9) for frame in received(bus, 3)]
    assert ages == [3600, 1800, 0]


def test_a_jump_of_the_clock(stub: Stub, bus_of: Opener) -> None:
    bus = bus_of(0)
    for jump in (5_000_000_000, -9_000_000_000):
        stub.advance_clock(jump)
        stub.inject(0, arbitration_id=1)
        [frame] = received(bus, 1)
        assert abs(frame.timestamp - time.time()) < 1


def test_stamps_of_another_clock(stub: Stub, bus_of: Opener, caplog: pytest.LogCaptureFixture) -> None:
    stub.set("stamp_shift", 3_600_000_000_000)
    bus = bus_of(0)
    assert bus.recv(0) is None
    with caplog.at_level(logging.WARNING, "can"):
        for _ in range(2):
            stub.inject(0, arbitration_id=1)
            [frame] = received(bus, 1)
            assert abs(frame.timestamp - time.time()) < 1
    assert caplog.text.count("3600 s off the driver's clock") == 1


# --- waiting ------------------------------------------------------------------------------------------


def test_waiting(stub: Stub, bus_of: Opener) -> None:
    bus = bus_of(0)
    assert bus.recv(0) is None
    began = time.monotonic()
    assert bus.recv(0.05) is None
    assert time.monotonic() - began >= 0.05
    found: SimpleQueue[Message | None] = SimpleQueue()
    thread = threading.Thread(target=lambda: found.put(bus.recv()))
    thread.start()
    stub.inject(0, arbitration_id=0x77)
    frame = found.get(timeout=PATIENCE)
    thread.join()
    assert frame is not None
    assert frame.arbitration_id == 0x77
    with pytest.raises(NotImplementedError):
        bus.fileno()


def test_waiting_for_the_event_of_windows(
    stub: Stub, bus_of: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[tuple[int, int]] = []
    monkeypatch.setattr(opening, "os", SimpleNamespace(name="nt"))
    windows = SimpleNamespace(WaitForSingleObject=lambda *arguments: waits.append(arguments))
    monkeypatch.setitem(sys.modules, "_winapi", windows)
    bus = bus_of(0)
    assert "xlSetNotification port=1 level=1" in stub.calls()
    assert bus.recv(0.0105) is None
    assert waits[0] in ((0x1001, 11), (0x1001, 10))  # milliseconds, rounded up
    assert all(milliseconds >= 1 for _, milliseconds in waits)
    stub.fail("xlSetNotification", 144)
    assert bus_of(1)._port.event is None


def test_events_that_are_no_frames_do_not_end_a_wait(stub: Stub, bus_of: Opener) -> None:
    bus = bus_of(0, can_filters=[{"can_id": 1, "can_mask": 0x7FF}])
    stub.inject(0, kind=KIND_STATE, data=b"\x08\1\2")
    stub.inject(0, arbitration_id=2)
    began = time.monotonic()
    assert bus.recv(0.1) is None
    assert time.monotonic() - began >= 0.1
    stub.inject(0, kind=KIND_STATE, data=b"\x08\1\2")
    stub.inject(0, arbitration_id=1)
    assert received(bus, 1)[0].arbitration_id == 1


def test_closing_ends_a_wait(bus_of: Opener) -> None:
    bus = bus_of(0)
    errors: SimpleQueue[CanError] = SimpleQueue()
    started = threading.Event()

    def wait() -> None:
        started.set()
        try:
            bus.recv()
        except CanError as error:
            errors.put(error)

    thread = threading.Thread(target=wait)
    thread.start()
    started.wait(PATIENCE)
    bus.shutdown()
    assert isinstance(errors.get(timeout=PATIENCE), CanOperationError)
    thread.join(PATIENCE)


@pytest.mark.parametrize("settings", [{}, FD], ids=["classic", "fd"])
def test_unplugging_ends_after_the_received_frames(
    stub: Stub, bus_of: Opener, settings: dict[str, Any]
) -> None:
    bus = bus_of(0, **settings)
    stub.inject(0, arbitration_id=0x55)
    stub.unplug()
    assert received(bus, 1)[0].arbitration_id == 0x55
    with pytest.raises(VectorOperationError, match="XL_ERR_HW_NOT_PRESENT") as caught:
        bus.recv(PATIENCE)
    assert caught.value.error_code == 129
    assert "unplugged" in str(caught.value.hint)
    assert bus.is_shutdown
    assert stub.leaks() == 0


def test_sending_to_an_unplugged_device(stub: Stub, bus_of: Opener) -> None:
    bus = bus_of(0)
    stub.inject(0, arbitration_id=0x55)
    stub.unplug()
    with pytest.raises(VectorOperationError) as caught:
        bus.send(message(1))
    assert (caught.value.error_code, caught.value.sent) == (129, 0)
    assert received(bus, 1)[0].arbitration_id == 0x55
    with pytest.raises(CanOperationError):
        bus.recv(PATIENCE)


@pytest.mark.parametrize("settings", [{}, FD], ids=["classic", "fd"])
def test_an_error_of_receiving_ends_no_bus(stub: Stub, bus_of: Opener, settings: dict[str, Any]) -> None:
    bus = bus_of(0, **settings)
    stub.inject(0, arbitration_id=1)
    stub.fail("xlCanReceive" if settings else "xlReceive", 144, skip=1 if settings else 0)
    if settings:  # the frame that was read before comes first
        assert received(bus, 1)[0].arbitration_id == 1
    with pytest.raises(VectorOperationError, match=r"vector:0: xl(Can)?Receive failed") as caught:
        bus.recv(PATIENCE)
    assert caught.value.error_code == 144
    stub.inject(0, arbitration_id=2)
    expected = [2] if settings else [1, 2]
    assert [frame.arbitration_id for frame in received(bus, len(expected))] == expected


# --- sending ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, FD], ids=["classic", "fd"])
@pytest.mark.parametrize("keeps_count", [0, 1])
def test_a_full_transmit_queue(
    stub: Stub, bus_of: Opener, settings: dict[str, Any], keeps_count: int
) -> None:
    bus = bus_of(0, **settings)
    stub.set("tx_room", 2)
    batch = MessageBatch([message(number) for number in range(2)])
    bus.send_batch(batch)
    stub.set("tx_keeps_count", keeps_count)
    with pytest.raises(VectorOperationError, match="QUEUE_IS_FULL") as caught:
        bus.send(message(3))
    assert (caught.value.error_code, caught.value.sent) == (11, 0)
    with pytest.raises(CanTimeoutError, match="vector:0: the transmit queue of the driver is full") as late:
        bus.send(message(3), timeout=0.02)
    assert (late.value.error_code, late.value.sent) == (11, 0)
    thread = threading.Thread(target=bus.send, args=(message(4),), kwargs={"timeout": PATIENCE})
    stub.clear_calls()
    thread.start()
    while not any("xlCanTransmit" in call for call in stub.calls()):
        assert thread.is_alive()
    with pytest.raises(VectorOperationError, match="QUEUE_IS_FULL"):  # although the other thread waits
        bus.send(message(3), timeout=0)
    assert thread.is_alive()
    stub.set("tx_room", -1)
    thread.join(PATIENCE)
    assert [record.id for record in stub.sent()] == [0, 1, 4]


@pytest.mark.parametrize("settings", [{}, FD], ids=["classic", "fd"])
def test_a_queue_that_takes_a_part(stub: Stub, bus_of: Opener, settings: dict[str, Any]) -> None:
    bus = bus_of(0, **settings)
    stub.set("tx_room", 3)
    with pytest.raises(VectorOperationError) as caught:
        bus.send_batch(MessageBatch([message(number) for number in range(5)]))
    assert caught.value.sent == 3
    assert [record.id for record in stub.sent()] == [0, 1, 2]


def test_closing_ends_a_wait_for_room(stub: Stub, bus_of: Opener) -> None:
    bus = bus_of(0)
    stub.set("tx_room", 0)
    errors: SimpleQueue[CanError] = SimpleQueue()

    def send() -> None:
        try:
            bus.send(message(1), timeout=PATIENCE)
        except CanError as error:
            errors.put(error)

    thread = threading.Thread(target=send)
    thread.start()
    while not any(call.startswith("xlCanTransmit") for call in stub.calls()):
        pass
    bus.shutdown()
    assert isinstance(errors.get(timeout=PATIENCE), CanOperationError)
    thread.join(PATIENCE)


def test_a_refused_frame(stub: Stub, bus_of: Opener) -> None:
    bus = bus_of(0)
    stub.fail("xlCanTransmit", 12)
    with pytest.raises(VectorOperationError, match="vector:0: xlCanTransmit failed") as caught:
        bus.send(message(1))
    assert caught.value.error_code == 12
    bus.send(message(2))
    assert [record.id for record in stub.sent()] == [2]


@pytest.mark.parametrize("settings", [{}, FD], ids=["classic", "fd"])
def test_discarding_unsent_frames(stub: Stub, bus_of: Opener, settings: dict[str, Any]) -> None:
    bus = bus_of(0, **settings)
    stub.clear_calls()
    bus.flush_tx_buffer()
    assert stub.calls() == ["xlCanFlushTransmitQueue port=1 mask=1"]
    assert not stub.sent()
    bus.flush_tx_buffer(force=True)
    assert [(record.id, record.length) for record in stub.sent()] == [(0, 0)]


def test_a_bus_that_listens_only_sends_nothing(stub: Stub, bus_of: Opener) -> None:
    bus = bus_of(0, listen_only=True)
    with pytest.raises(CanOperationError, match="vector:0: a listen-only bus does not send") as caught:
        bus.send(message(1))
    assert caught.value.sent == 0
    assert not stub.sent()
    assert bus.state is BusState.PASSIVE
    stub.inject(0, arbitration_id=1)
    assert received(bus, 1)


# --- filters, state, other functions ------------------------------------------------------------------


def test_filters_run_in_software(stub: Stub, bus_of: Opener) -> None:
    bus = bus_of(0, can_filters=[{"can_id": 0x100, "can_mask": 0x7F0, "extended": False}])
    assert not any(call.startswith("xlCanSetChannelAcceptance") for call in stub.calls())
    for identifier in (0x0FF, 0x100, 0x10F):
        stub.inject(0, arbitration_id=identifier)
    stub.inject(0, arbitration_id=0x100, flags=1)
    assert [frame.arbitration_id for frame in received(bus, 2)] == [0x100, 0x10F]
    assert bus.recv(0.02) is None


def test_the_filters_of_the_device(stub: Stub, bus_of: Opener) -> None:
    filters = [{"can_id": 0x100, "can_mask": 0x7FF, "extended": False}]
    bus = bus_of(0, can_filters=filters, hw_filter=True)
    names = [call.split()[0] for call in stub.calls()]
    assert names.count("xlCanSetChannelAcceptance") == 2
    assert names.index("xlCanSetChannelAcceptance") < names.index("xlActivateChannel")
    for identifier in (0x100, 0x101):
        stub.inject(0, arbitration_id=identifier)
        stub.inject(0, arbitration_id=identifier, flags=1)
    batch = bus._drain()
    assert batch is not None
    assert [(frame.arbitration_id, frame.is_extended_id) for frame in batch] == [(0x100, False)]
    bus.set_filters(None)
    stub.inject(0, arbitration_id=0x1ABCDEF, flags=1)
    assert received(bus, 1)[0].arbitration_id == 0x1ABCDEF


def test_a_device_that_refuses_filters(stub: Stub, bus_of: Opener, caplog: pytest.LogCaptureFixture) -> None:
    stub.fail("xlCanSetChannelAcceptance", 117)
    with caplog.at_level(logging.WARNING, "can"):
        bus = bus_of(0, can_filters=[{"can_id": 1, "can_mask": 0x7FF}], hw_filter=True)
    assert "the computer filters instead" in caplog.text
    stub.inject(0, arbitration_id=2)
    stub.inject(0, arbitration_id=1)
    assert received(bus, 1)[0].arbitration_id == 1


@pytest.mark.parametrize("settings", [{}, FD], ids=["classic", "fd"])
def test_the_state_and_a_reset_after_bus_off(stub: Stub, bus_of: Opener, settings: dict[str, Any]) -> None:
    bus, other = bus_of(0, **settings), bus_of(1, **settings)
    assert bus.state is BusState.ACTIVE
    stub.inject(0, arbitration_id=1)
    stub.set("bus_off", 1)
    assert bus.state is BusState.ERROR
    assert received(bus, 1)[0].arbitration_id == 1  # which arrived before the reply
    bus.send(message(0x111))  # lost
    stub.clear_calls()
    bus.reset()
    assert stub.calls()[:2] == [
        "xlDeactivateChannel port=1 mask=1",
        "xlActivateChannel port=1 mask=1 bus=1 flags=0",
    ]
    assert bus.state is BusState.ACTIVE
    bus.send(message(0x222))
    assert [frame.arbitration_id for frame in received(other, 1)] == [0x222]
    with pytest.raises(NotImplementedError):
        bus.state = BusState.PASSIVE


def test_a_controller_that_does_not_report_its_state(stub: Stub, bus_of: Opener) -> None:
    bus = bus_of(0)
    stub.set("bus_off", 1)
    assert bus.state is BusState.ERROR
    stub.fail("xlCanRequestChipState", 0)  # which succeeds, but nothing follows
    assert bus.state is BusState.ERROR  # the last known one


@pytest.mark.parametrize("settings", [{}, FD], ids=["classic", "fd"])
def test_hooks_of_subclasses(stub: Stub, settings: dict[str, Any]) -> None:
    events: list[Any] = []

    class Listener(VectorBus):
        def handle_can_event(self, event: Any) -> None:
            events.append((event.tag, event.tagData.chipState.rxErrorCounter))
            assert self.state is BusState.ACTIVE

        def handle_canfd_event(self, event: Any) -> None:
            events.append((event.tag, event.tagData.canChipState.rxErrorCounter))

    tag = 0x409 if settings else 4
    with Listener(0, **settings) as bus:
        stub.inject(0, kind=KIND_STATE, data=b"\x08\1\x2a")
        stub.inject(0, arbitration_id=1)
        assert received(bus, 1)[0].arbitration_id == 1
        assert events[0] == (tag, 0x2A)
        events.clear()
        assert bus.xldriver.xlCanRequestChipState(bus.port_handle, bus.channel_masks[0]) == 0
        assert bus.recv(0) is None
        assert events[0] == (tag, 5)


def test_frames_that_were_read_with_the_state_come_first(stub: Stub, bus_of: Opener) -> None:
    bus = bus_of(0)
    stub.inject(0, arbitration_id=1)
    assert bus.state is BusState.ACTIVE
    stub.inject(0, arbitration_id=2)
    found = [bus._drain(), bus._drain()]  # as in a thread that waited for the state
    assert [[*batch.can_id] for batch in found if batch is not None] == [[1], [2]]


def test_a_hook_that_fails_loses_no_frames(stub: Stub) -> None:
    class Listener(VectorBus):
        def handle_can_event(self, event: Any) -> None:
            raise RuntimeError("of the program")

    with Listener(0) as bus:
        stub.inject(0, arbitration_id=1)
        stub.inject(0, kind=KIND_STATE)
        stub.inject(0, arbitration_id=2)
        with pytest.raises(RuntimeError, match="of the program"):
            bus.recv(PATIENCE)
        assert [frame.arbitration_id for frame in received(bus, 2)] == [1, 2]


def test_timer_events(stub: Stub) -> None:
    tags: list[int] = []

    class Listener(VectorBus):
        def handle_can_event(self, event: Any) -> None:
            tags.append(event.tag)

    with Listener(0) as bus:
        bus.set_timer_rate(2)
        assert "xlSetTimerRate port=1 rate=200" in stub.calls()
        while not tags:
            assert bus.recv(0.01) is None
        bus.set_timer_rate(0)
        assert tags[0] == 8


CALLS: dict[str, Callable[[VectorBus], object]] = {
    "xlCanRequestChipState": lambda bus: bus.state,
    "xlDeactivateChannel": lambda bus: bus.reset(),
    "xlActivateChannel": lambda bus: bus.reset(),
    "xlCanFlushTransmitQueue": lambda bus: bus.flush_tx_buffer(),
    "xlSetTimerRate": lambda bus: bus.set_timer_rate(1),
}


@pytest.mark.parametrize("function", CALLS)
def test_failing_and_closed_calls(stub: Stub, bus_of: Opener, function: str) -> None:
    bus = bus_of(0)
    stub.fail(function, 144)
    with pytest.raises(VectorOperationError, match=f"vector:0: {function} failed"):
        CALLS[function](bus)
    if function != "xlActivateChannel":
        CALLS[function](bus)
    else:
        bus._port.activate()
    bus.shutdown()
    with pytest.raises(CanOperationError, match="closed bus"):
        CALLS[function](bus)
