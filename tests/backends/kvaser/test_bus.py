"""A bus on the emulated CANlib: frames, waiting, faults, state."""

from __future__ import annotations

import ctypes
import logging
import select
import threading
import time
from queue import SimpleQueue
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.backends.kvaser import constants as c
from cantools_cli.backends.kvaser.bus import KvaserBus, covering
from cantools_cli.backends.kvaser.errors import CANLIBOperationError
from cantools_cli.bus.base import BusState
from cantools_cli.errors import CanError, CanOperationError, CanTimeoutError, InvalidMessageError, UsageError
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage
from tests.backends.kvaser.conftest import Opened
from tests.strategies import messages
from tests.vendor.kit import (
    FLAG_ESI,
    FLAG_FD,
    KIND_ERROR,
    KIND_OVERRUN,
    KIND_STATE,
    Stub,
    compiled,
    loaded,
)

SECONDS = 20.0
QUIET = 0.05
FD = {"fd": True, "data_bitrate": 2_000_000}


def std(identifier: int, data: bytes = b"", **more: Any) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, data=data, **more)


def received(bus: KvaserBus, count: int) -> list[Message]:
    found = []
    while len(found) < count:
        message = bus.recv(SECONDS)
        assert message is not None, f"{len(found)} of {count} frames"
        found.append(message)
    return found


def identifiers(bus: KvaserBus, count: int) -> list[int]:
    found = [message.arbitration_id for message in received(bus, count)]
    assert bus.recv(QUIET) is None
    return found


# --- frames -------------------------------------------------------------------------------------------


@given(st.lists(messages(kinds=("classic", "remote", "fd")), min_size=1, max_size=20))
@settings(max_examples=30)
def test_every_frame_arrives_unchanged(frames: list[Message]) -> None:
    path = compiled("kvaser")
    with loaded(path), KvaserBus(0, library=path, **FD) as one, KvaserBus(1, dll=path, **FD) as other:
        for sender, receiver in ((one, other), (other, one)):
            sender.send_batch(MessageBatch(frames))
            for found, sent in zip(received(receiver, len(frames)), frames, strict=True):
                sent.error_state_indicator = False  # the sending controller's own
                assert found.equals(sent, timestamp_delta=None, check_channel=False, check_direction=False)
        assert not one.losses


def test_the_error_state_indicator_is_received(stub: Stub, opened: Opened) -> None:
    bus = opened(0, **FD)
    stub.inject(0, arbitration_id=1, flags=FLAG_FD | FLAG_ESI, data=bytes(12))
    [message] = received(bus, 1)
    assert (message.is_fd, message.error_state_indicator, len(message.data)) == (True, True, 12)
    bus.send(std(1, is_fd=True, error_state_indicator=True))  # sent without it, since the library refuses it
    assert stub.calls()[-1].endswith("flags=0x10002")


def test_a_can_fd_frame_is_an_error_on_a_classic_channel(opened: Opened) -> None:
    bus, sender = opened(0), opened(1, fd=True)
    sender.send(std(1, is_fd=True))
    assert received(bus, 1)[0].is_error_frame


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (std(1, is_fd=True), "kvaser:0: cannot send a CAN FD frame on a channel opened without fd"),
        (std(4, bytes(8), is_error_frame=True), "kvaser:0: cannot send an error frame"),
        (XlMessage(arbitration_id=1, data=b"\0"), "this bus does not carry CAN XL frames"),
    ],
)
def test_refused_frames(stub: Stub, opened: Opened, message: Message, text: str) -> None:
    bus = opened(0)
    stub.clear_calls()
    with pytest.raises(CanOperationError, match=text) as error:
        bus.send_batch(MessageBatch([std(1), message]))
    assert error.value.sent == 0
    assert stub.calls() == []  # nothing of the batch
    with pytest.raises(InvalidMessageError):
        bus.send(std(0x800))


def test_other_bit_rates_make_errors(opened: Opened) -> None:
    """The emulated wire shows that the bit rate reached the library."""
    bus, same, other = opened(0, bitrate=250_000), opened(1, bitrate=250_000), opened(2, bitrate=125_000)
    same.send(std(1))
    other.send(std(2))
    assert [message.is_error_frame for message in received(bus, 2)] == [False, True]


# --- own messages -------------------------------------------------------------------------------------


def test_own_messages_are_not_received_by_default(opened: Opened) -> None:
    bus, other = opened(0), opened(1)
    bus.send(std(1))
    assert identifiers(other, 1) == [1]
    assert bus.recv(QUIET) is None


@pytest.mark.parametrize("single_handle", [False, True])
def test_own_messages(opened: Opened, single_handle: bool) -> None:
    bus, other = opened(0, receive_own_messages=True, single_handle=single_handle), opened(1)
    bus.send(std(1, b"\1"))
    [own] = received(bus, 1)
    assert (own.arbitration_id, bytes(own.data), own.is_rx) == (1, b"\1", False)
    other.send(std(2))
    assert received(bus, 1)[0].is_rx
    assert identifiers(other, 1) == [1]


def test_other_buses_on_the_channel(opened: Opened) -> None:
    """A handle hears others of its channel if its own echo is on."""
    sender = opened(0)
    deaf, hearing, single = opened(0), opened(0, receive_own_messages=True), opened(0, single_handle=True)
    sender.send(std(1))
    assert deaf.recv(QUIET) is None
    for bus in (hearing, single):
        [message] = received(bus, 1)
        assert not message.is_rx


def test_own_messages_are_recognised_without_the_mark_of_the_library(stub: Stub, opened: Opened) -> None:
    stub.fail("canIoCtl:46", c.canERR_PARAM)
    bus, other = opened(0, receive_own_messages=True), opened(1)
    frames = [std(1, b"\1"), Message(arbitration_id=1, data=b"\1"), std(2, is_remote_frame=True, dlc=3)]
    for frame in frames:
        bus.send(frame)
    for frame in (*frames, std(3)):
        other.send(frame)
    found = received(bus, 7)
    assert sorted(not message.is_rx for message in found) == [False] * 4 + [True] * 3


def test_the_echo_may_be_missing(stub: Stub, opened: Opened, caplog: pytest.LogCaptureFixture) -> None:
    stub.fail("canIoCtl:32", c.canERR_NOT_IMPLEMENTED)
    with caplog.at_level(logging.WARNING, "can"):
        opened(0, receive_own_messages=True)
    assert caplog.messages == ["kvaser:0: the driver does not return the frames of this computer"]


# --- waiting ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("raw_handle", [1, 0])
def test_timeouts(stub: Stub, opened: Opened, raw_handle: int) -> None:
    stub.set("raw_handle", raw_handle)
    bus, sender = opened(0), opened(1)
    assert bus.recv(0) is None
    begin = time.monotonic()
    assert bus.recv(0.25) is None
    assert time.monotonic() - begin >= 0.25
    found: SimpleQueue[Message | None] = SimpleQueue()
    thread = threading.Thread(target=lambda: found.put(bus.recv(None)))
    thread.start()
    sender.send(std(0x123))
    message = found.get(timeout=SECONDS)
    thread.join()
    assert message is not None
    assert message.arbitration_id == 0x123


def test_a_wait_of_less_than_a_millisecond_is_no_busy_loop(stub: Stub, opened: Opened) -> None:
    stub.set("raw_handle", 0)
    bus = opened(0)
    for _ in range(20):
        assert bus.recv(0.0004) is None


def test_the_descriptor(stub: Stub, opened: Opened) -> None:
    bus, sender = opened(0), opened(1)
    assert not select.select([bus], [], [], 0)[0]
    for identifier in (1, 2):
        sender.send(std(identifier))
    assert select.select([bus], [], [], SECONDS)[0]
    assert [message.arbitration_id for message in received(bus, 2)] == [1, 2]
    assert not select.select([bus], [], [], 0)[0]
    stub.set("raw_handle", 0)
    with pytest.raises(NotImplementedError):
        opened(1).fileno()


@pytest.mark.parametrize("raw_handle", [1, 0])
def test_a_single_handle_serves_one_thread_at_a_time(stub: Stub, opened: Opened, raw_handle: int) -> None:
    """The emulated library notes two threads within a handle as a violation, which fails the test."""
    stub.set("raw_handle", raw_handle)
    bus, other = opened(0, single_handle=True), opened(1)
    found: SimpleQueue[Message | None] = SimpleQueue()
    thread = threading.Thread(target=lambda: [found.put(bus.recv(SECONDS)) for _ in range(20)])
    thread.start()
    for number in range(20):
        bus.send(std(number), SECONDS)
        assert bus.state is BusState.ACTIVE
        other.send(std(number))
    assert identifiers(other, 20) == [*range(20)]
    thread.join()
    bus.state = BusState.ACTIVE
    messages = [found.get_nowait() for _ in range(20)]
    assert [message and message.arbitration_id for message in messages] == [*range(20)]


@pytest.mark.parametrize("raw_handle", [1, 0])
def test_closing_ends_a_wait_of_another_thread(stub: Stub, raw_handle: int) -> None:
    stub.set("raw_handle", raw_handle)
    bus, sender = KvaserBus(0), KvaserBus(1)
    ends: SimpleQueue[Any] = SimpleQueue()

    def receive() -> None:
        for _ in range(2):
            try:
                ends.put(bus.recv(None))
            except CanOperationError as error:
                ends.put(error)

    thread = threading.Thread(target=receive)
    thread.start()
    sender.send(std(1))
    assert isinstance(ends.get(timeout=SECONDS), Message)
    bus.shutdown()
    assert isinstance(ends.get(timeout=SECONDS), CanOperationError)
    thread.join()
    sender.shutdown()


def test_an_interrupted_read_continues(stub: Stub, opened: Opened) -> None:
    bus, sender = opened(0), opened(1)
    stub.fail("canRead", c.canERR_INTERRUPTED)
    sender.send(std(1))
    assert identifiers(bus, 1) == [1]


def test_many_frames_from_one_thread_to_another(opened: Opened) -> None:
    bus, sender = opened(0), opened(1)
    count = 10_000
    batch = MessageBatch([std(number % 0x800, number.to_bytes(4, "big")) for number in range(count)])
    thread = threading.Thread(target=lambda: sender.send_batch(batch, SECONDS))
    thread.start()
    numbers: list[int] = []
    times: list[int] = []
    while len(numbers) < count:
        found = bus.recv_batch(SECONDS)
        assert found is not None
        numbers += [int.from_bytes(message.data, "big") for message in found]
        times += found.timestamp_ns
    thread.join()
    assert numbers == [*range(count)]
    assert times == sorted(times)
    assert not bus.losses


# --- sending ------------------------------------------------------------------------------------------


def test_a_full_queue_without_a_timeout(stub: Stub, opened: Opened) -> None:
    bus = opened(0)
    stub.set("acknowledged", 0)
    stub.set("tx_depth", 3)
    with pytest.raises(CANLIBOperationError) as error:
        bus.send_batch(MessageBatch([std(number) for number in range(5)]))
    assert str(error.value) == "kvaser:0: canWrite: Transmit buffer overflow [Error Code -13]"
    assert error.value.sent == 3
    assert error.value.hint is not None


def test_a_full_queue_with_a_timeout(stub: Stub, opened: Opened) -> None:
    bus = opened(0)
    stub.set("acknowledged", 0)
    stub.set("tx_depth", 3)
    with pytest.raises(CanTimeoutError, match="kvaser:0: canWrite: no room to send in time") as error:
        bus.send_batch(MessageBatch([std(number) for number in range(5)]), 0.05)
    assert (error.value.sent, error.value.error_code) == (3, c.canERR_TXBUFOFL)
    with pytest.raises(CanTimeoutError):
        bus.send(std(1), 0.05)
    bus.flush_tx_buffer()
    stub.set("acknowledged", 1)
    bus.send(std(9), SECONDS)
    assert [record.id for record in stub.sent()] == [9]


def test_room_in_time(stub: Stub, opened: Opened) -> None:
    bus, receiver = opened(0), opened(1)
    stub.set("acknowledged", 0)
    stub.set("tx_depth", 3)
    thread = threading.Thread(
        target=lambda: bus.send_batch(MessageBatch([std(number) for number in range(8)]), SECONDS)
    )
    thread.start()
    while sum(call.startswith("canWrite ") for call in stub.calls()) < 5:
        pass
    stub.set("acknowledged", 1)
    assert identifiers(receiver, 8) == [*range(8)]
    thread.join()


def test_frames_that_are_not_acknowledged_in_time(stub: Stub, opened: Opened) -> None:
    bus = opened(0)
    stub.set("acknowledged", 0)
    with pytest.raises(CanTimeoutError) as error:
        bus.send_batch(MessageBatch([std(1), std(2)]), 0.05)
    text = "kvaser:0: canWriteSync: 2 of 2 frames were not sent in time [Error Code -7]"
    assert (str(error.value), error.value.sent) == (text, 0)
    bus.flush_tx_buffer()


def test_prepared_rows_are_not_waited_for_until_the_last(stub: Stub, opened: Opened) -> None:
    bus, receiver = opened(0), opened(1)
    send = bus.prepared(MessageBatch([std(1), std(2), std(3)]))
    stub.clear_calls()
    send(0, 1, SECONDS)
    send(1, 2, SECONDS)
    assert not any(call.startswith("canWriteSync") for call in stub.calls())
    send(2, 3, SECONDS)
    assert any(call.startswith("canWriteSync") for call in stub.calls())
    assert identifiers(receiver, 3) == [1, 2, 3]
    bus.shutdown()
    with pytest.raises(CanOperationError, match="closed"):
        send(0, 1, None)


def test_a_valid_frame_that_is_refused_once_is_sent_again(stub: Stub, opened: Opened) -> None:
    bus, receiver = opened(0), opened(1)
    stub.fail("canWrite", c.canERR_PARAM)
    bus.send(std(1))
    assert identifiers(receiver, 1) == [1]
    stub.fail("canWrite", c.canERR_PARAM, count=2)
    with pytest.raises(CANLIBOperationError, match="kvaser:0: canWrite: Error in parameter"):
        bus.send(std(2))


def test_a_listen_only_bus_does_not_send(stub: Stub, opened: Opened) -> None:
    bus, other = opened(0, driver_mode=False), opened(1)
    stub.clear_calls()
    with pytest.raises(CanOperationError, match="kvaser:0: a listen-only bus does not send") as error:
        bus.send(std(1))
    assert error.value.sent == 0
    assert stub.calls() == []
    assert bus.state is BusState.PASSIVE
    other.send(std(2))
    assert identifiers(bus, 1) == [2]


# --- filters ------------------------------------------------------------------------------------------

FILTERS: list[CanFilters] = [
    [{"can_id": 0x120, "can_mask": 0x7F0, "extended": False}],
    [{"can_id": 0x120, "can_mask": 0x7F0}, {"can_id": 0x1ABCDE00, "can_mask": 0x1FFFFF00, "extended": True}],
    [{"can_id": 0x1ABCDE00, "can_mask": 0x1FFFFF00, "extended": True}],
    [{"can_id": 0x800, "can_mask": 0x1FFFFFFF}],
    [{"can_id": 0x20000120, "can_mask": 0x7FF}],  # all others
]


@pytest.mark.parametrize("hw_filter", [False, True])
@pytest.mark.parametrize("filters", FILTERS)
def test_filters(stub: Stub, opened: Opened, filters: CanFilters, hw_filter: bool) -> None:
    bus, sender = opened(0, can_filters=filters, hw_filter=hw_filter), opened(1)
    frames = [std(one) for one in (0x11F, 0x120, 0x12F, 0x7FF)]
    frames += [Message(arbitration_id=one) for one in (0x120, 0x800, 0x1ABCDE42, 0x1ABCDF00)]
    expected = [frame.arbitration_id for frame in frames if bus._matches_filters(frame)]
    sender.send_batch(MessageBatch(frames))
    assert identifiers(bus, len(expected)) == expected
    stub.inject(0, kind=KIND_ERROR)
    assert received(bus, 1)[0].is_error_frame
    bus.set_filters(None)
    sender.send_batch(MessageBatch(frames))
    assert identifiers(bus, len(frames)) == [frame.arbitration_id for frame in frames]


def test_the_driver_drops_what_no_filter_passes(stub: Stub, opened: Opened) -> None:
    bus, sender = opened(0, hw_filter=True), opened(1)
    bus.set_filters(FILTERS[1])
    calls = [call.partition(" value=")[2] for call in stub.calls() if call.startswith("canAccept")][-4:]
    assert calls == ["0x120 flag=3", "0x7f0 flag=4", "0x0 flag=5", "0x0 flag=6"]
    sender.send(std(0x500))
    sender.send(std(0x121))
    assert [message.arbitration_id for message in received(bus, 1)] == [0x121]


def test_a_driver_without_filters(stub: Stub, opened: Opened, caplog: pytest.LogCaptureFixture) -> None:
    bus, sender = opened(0, hw_filter=True), opened(1)
    stub.fail("canAccept", c.canERR_NOT_IMPLEMENTED)
    with caplog.at_level(logging.WARNING, "can"):
        bus.set_filters(FILTERS[0])
    assert caplog.messages == ["kvaser:0: canAccept: Not implemented; canx filters alone"]
    sender.send(std(0x500))
    sender.send(std(0x121))
    assert identifiers(bus, 1) == [0x121]


def test_filters_that_are_set_in_part_drop_nothing(stub: Stub, opened: Opened) -> None:
    bus, sender = opened(0, can_filters=FILTERS[0], hw_filter=True), opened(1)
    stub.fail("canAccept", c.canERR_NOT_IMPLEMENTED, skip=1)
    bus.set_filters([{"can_id": 0x500, "can_mask": 0x700}])
    sender.send(std(0x512))
    assert identifiers(bus, 1) == [0x512]


@given(
    st.lists(
        st.fixed_dictionaries(
            {"can_id": st.integers(0, 0x1FFFFFFF), "can_mask": st.integers(0, 0x1FFFFFFF)},
            optional={"extended": st.booleans()},
        ),
        max_size=4,
    ),
    st.integers(0, 0x1FFFFFFF),
    st.booleans(),
)
def test_the_filters_of_the_driver_pass_all_that_a_filter_passes(
    filters: Any, identifier: int, extended: bool
) -> None:
    identifier &= 0x1FFFFFFF if extended else 0x7FF
    passes = not filters or any(
        not (one["can_id"] ^ identifier) & one["can_mask"] and one.get("extended", extended) == extended
        for one in filters
    )
    code, mask = covering(filters)[extended]
    assert not passes or not (code ^ identifier) & mask


# --- errors, losses, loss of the device ---------------------------------------------------------------


def test_error_frames(stub: Stub, opened: Opened) -> None:
    bus = opened(0)
    stub.inject(0, kind=KIND_ERROR, code=c.canMSGERR_CRC)
    [message] = received(bus, 1)
    assert message.is_error_frame
    assert (message.arbitration_id, bytes(message.data)) == (0x88, b"\0\0\0\x08\0\0\0\0")
    assert message.channel == 0


def test_an_overrun_of_the_driver(stub: Stub, opened: Opened) -> None:
    bus = opened(0)
    stub.inject(0, kind=KIND_OVERRUN, code=c.canMSGERR_HW_OVERRUN)
    stub.inject(0, arbitration_id=5)
    mark, frame = received(bus, 2)
    assert mark.is_error_frame
    assert bytes(mark.data) == b"\0\1\0\0\0\0\0\0"
    assert frame.arbitration_id == 5
    assert bus.losses == {"overruns reported by the device": 1}


def test_a_full_receive_queue(stub: Stub, opened: Opened) -> None:
    stub.set("rx_depth", 10)
    bus, sender = opened(0), opened(1)
    for number in range(11):
        sender.send(std(number))
    while not bus.losses:
        assert bus.recv(SECONDS) is not None
        sender.send(std(0x700))
    assert bus.losses == {"overruns of the driver's receive queue": 1}


@pytest.mark.parametrize("raw_handle", [1, 0])
def test_a_device_that_is_unplugged(stub: Stub, raw_handle: int) -> None:
    stub.set("raw_handle", raw_handle)
    bus, sender = KvaserBus(0), KvaserBus(1)
    sender.send(std(1))
    assert select.select([bus._descriptor], [], [], SECONDS)[0] if raw_handle else bus.recv(SECONDS)
    stub.unplug()
    if raw_handle:
        assert [message.arbitration_id for message in received(bus, 1)] == [1]
    with pytest.raises(CANLIBOperationError, match="kvaser:0: canRead: Specified device not found") as error:
        bus.recv(SECONDS)
    assert error.value.error_code == c.canERR_NOTFOUND
    assert bus.is_shutdown
    with pytest.raises(CanOperationError, match="closed"):
        bus.recv(0)
    with pytest.raises(CANLIBOperationError):
        sender.send(std(1))
    sender.shutdown()
    assert stub.leaks() == 0


def test_a_failed_send_keeps_the_received_frames(stub: Stub) -> None:
    bus, sender = KvaserBus(0), KvaserBus(1)
    sender.send(std(1))
    assert select.select([bus], [], [], SECONDS)[0]
    stub.unplug()
    with pytest.raises(CANLIBOperationError, match="kvaser:0: canWrite: Specified device not found"):
        bus.send(std(2))
    assert received(bus, 1)[0].arbitration_id == 1
    with pytest.raises(CANLIBOperationError, match="kvaser:0: canRead"):
        bus.recv(SECONDS)
    assert bus.is_shutdown
    sender.shutdown()


def test_unplugging_ends_a_wait(stub: Stub) -> None:
    bus, sender = KvaserBus(0), KvaserBus(1)
    ends: SimpleQueue[Any] = SimpleQueue()

    def receive() -> None:
        try:
            while True:
                ends.put(bus.recv(None))
        except CanError as error:
            ends.put(error)

    thread = threading.Thread(target=receive)
    thread.start()
    sender.send(std(1))
    assert isinstance(ends.get(timeout=SECONDS), Message)
    stub.unplug()
    assert isinstance(ends.get(timeout=SECONDS), CANLIBOperationError)
    thread.join()
    sender.shutdown()


def test_an_error_of_reading_follows_the_frames_before_it(stub: Stub, opened: Opened) -> None:
    bus, sender = opened(0), opened(1)
    sender.send(std(1))
    assert select.select([bus], [], [], SECONDS)[0]
    stub.fail("canRead", c.canERR_INTERNAL, skip=1)
    assert received(bus, 1)[0].arbitration_id == 1
    with pytest.raises(CANLIBOperationError, match="kvaser:0: canRead: internal library error"):
        bus.recv(SECONDS)
    sender.send(std(2))  # such an error does not close the bus
    assert identifiers(bus, 1) == [2]


# --- timestamps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ticks", [0, (1 << 32) - 100, 5 * (1 << 32) - 1])
def test_timestamps_are_epoch_times(stub: Stub, opened: Opened, ticks: int) -> None:
    """The timer starts shortly before it wraps."""
    stub.set("timer", ticks)
    bus, sender = opened(0), opened(1)
    for _ in range(3):
        sender.send(std(1))
        [message] = received(bus, 1)
        assert abs(message.timestamp - time.time()) < 5
        stub.advance_clock(2_000_000)  # past the wrap


@pytest.mark.parametrize("has_scale", [True, False])
def test_frames_that_waited_keep_their_times(stub: Stub, opened: Opened, has_scale: bool) -> None:
    """The timer, in milliseconds if it has no scale, shows how long they waited."""
    if not has_scale:
        stub.fail("canIoCtl:6", c.canERR_NOT_SUPPORTED)
    bus, sender = opened(0), opened(1)
    sender.send(std(1))
    assert select.select([bus], [], [], SECONDS)[0]
    stub.advance_clock(60_000_000_000)
    sender.send(std(2))
    while True:  # until both wait
        level, channel = ctypes.c_uint(0), bus._channel
        arguments = (channel.rx, c.canIOCTL_GET_RX_BUFFER_LEVEL, ctypes.byref(level), 4)
        channel.canlib.call("canIoCtl", *arguments)
        if level.value == 2:
            break
    first, second = received(bus, 2)
    assert 60 <= (second.timestamp_ns - first.timestamp_ns) / 1e9 < 60 + SECONDS
    assert abs(second.timestamp - time.time()) < SECONDS


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_a_timer_that_another_program_starts_again(stub: Stub, opened: Opened, seconds: int) -> None:
    bus, sender = opened(0), opened(1)
    for number in range(3):
        assert bus.recv(0.001) is None  # what arrives after a wait is not old
        sender.send(std(number))
        assert abs(received(bus, 1)[0].timestamp - time.time()) < 5, number
        stub.advance_clock(seconds * 1_000_000_000)


# --- state and services -------------------------------------------------------------------------------


def test_the_state(stub: Stub, opened: Opened) -> None:
    bus = opened(0)
    assert bus.state is BusState.ACTIVE
    stub.inject(0, kind=KIND_STATE, code=c.canSTAT_ERROR_PASSIVE | c.canSTAT_ERROR_WARNING)
    assert bus.state is BusState.PASSIVE
    stub.inject(0, kind=KIND_STATE, code=c.canSTAT_BUS_OFF)
    assert bus.state is BusState.ERROR
    stub.clear_calls()
    bus.state = BusState.ACTIVE  # restarts it
    calls = [call.split()[0] for call in stub.calls()]
    assert calls == ["canBusOff"] * 2 + ["canSetBusOutputControl"] + ["canBusOn"] * 2 + ["kvReadTimer64"]
    assert bus.state is BusState.ACTIVE
    with pytest.raises(UsageError, match="kvaser:0: the state cannot be set to ERROR"):
        bus.state = BusState.ERROR


def test_state_messages_are_no_frames(stub: Stub, opened: Opened) -> None:
    bus = opened(0)
    stub.inject(0, kind=KIND_STATE, code=c.canSTAT_ERROR_WARNING)
    begin = time.monotonic()
    assert bus.recv(0.1) is None
    assert time.monotonic() - begin >= 0.1


def test_listening_only_and_back(opened: Opened) -> None:
    bus, other = opened(0), opened(1)
    bus.state = BusState.PASSIVE
    with pytest.raises(CanOperationError, match="listen-only"):
        bus.send(std(1))
    bus.state = BusState.ACTIVE
    bus.send(std(2))
    other.send(std(3))
    assert identifiers(other, 1) == [2]
    assert identifiers(bus, 1) == [3]


def test_a_restart_that_fails_leaves_the_bus_on(stub: Stub, opened: Opened) -> None:
    bus, other = opened(0), opened(1)
    stub.fail("canSetBusOutputControl", c.canERR_INTERNAL)
    with pytest.raises(CANLIBOperationError, match="canSetBusOutputControl"):
        bus.state = BusState.PASSIVE
    bus.send(std(2))
    assert identifiers(other, 1) == [2]


def test_error_counters(stub: Stub, opened: Opened) -> None:
    bus = opened(0)
    stub.set("tx_errors", 96)
    stub.set("rx_errors", 8)
    assert bus.error_counters() == (8, 96)


def test_statistics(stub: Stub, opened: Opened) -> None:
    bus = opened(0)
    for message in (
        std(1),
        std(2, is_remote_frame=True),
        Message(arbitration_id=3),
        Message(arbitration_id=4),
    ):
        bus.send(message)
    stub.set("bus_load", 1234)
    stub.inject(0, kind=KIND_ERROR)
    assert received(bus, 1)[0].is_error_frame
    stub.fail("canGetBusStatistics", c.canERR_NOMSG, count=2)  # the answer of the device takes a moment
    found = bus.get_stats()
    counts = (found.std_data, found.std_remote, found.ext_data, found.ext_remote, found.err_frame)
    assert counts == (1, 1, 2, 0, 1)
    assert (found.bus_load, found.overruns) == (1234, 0)
    assert str(found) == (
        "std_data: 1, std_remote: 1, ext_data: 2, ext_remote: 0, err_frame: 1, bus_load: 12.3%, overruns: 0"
    )
    stub.fail("canRequestBusStatistics", c.canERR_NOT_SUPPORTED)
    with pytest.raises(CANLIBOperationError, match="canRequestBusStatistics"):
        bus.get_stats()
    stub.fail("canGetBusStatistics", c.canERR_NOMSG, count=1000)
    with pytest.raises(CANLIBOperationError, match="canGetBusStatistics"):
        bus.get_stats()


def test_flashing(stub: Stub, opened: Opened) -> None:
    bus = opened(0)
    bus.flash()
    bus.flash(False)
    assert [call.partition("action=")[2] for call in stub.calls() if "kvFlashLeds" in call] == [
        "0 ms=30000",
        "1 ms=30000",
    ]
    stub.set("leds", 0)
    with pytest.raises(CANLIBOperationError, match="kvaser:0: kvFlashLeds: Not implemented"):
        bus.flash()


def test_a_closed_bus_refuses_everything(stub: Stub) -> None:
    bus = KvaserBus(0)
    bus.shutdown()
    calls: list[Any] = [
        *(lambda: bus.recv(0), lambda: bus.send(std(1)), bus.flush_tx_buffer, bus.flash, bus.get_stats),
        *(bus.error_counters, lambda: bus.state, lambda: bus.send_periodic(std(1), 1), bus.fileno),
    ]
    for call in calls:
        with pytest.raises(CanOperationError, match="closed"):
            call()
