"""Buses on the emulated libraries: frames, timeouts, sending, filters."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cantools_cli.backends.ixxat import constants
from cantools_cli.backends.ixxat.bus import IXXATBus
from cantools_cli.backends.ixxat.exceptions import VCIError, VCITimeout
from cantools_cli.bus.base import BusState, CanProtocol
from cantools_cli.bus.interface import Bus
from cantools_cli.errors import CanOperationError
from cantools_cli.filtering.can_filter import CanFilter, CanFilters
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.bits import FD_LENGTHS
from cantools_cli.frame.message import Message
from tests.backends.ixxat.conftest import Opening
from tests.backends.ixxat.frames import PATIENCE, QUIET, facts, std
from tests.strategies import messages
from tests.vendor.kit import (
    FLAG_BRS,
    FLAG_ESI,
    FLAG_EXTENDED,
    FLAG_FD,
    KIND_STATE,
    Stub,
)

# --- frames ---------------------------------------------------------------------------------------------


def test_classic_frames_both_ways(opened: Opening) -> None:
    one, other = opened(0), opened(1)
    frames = [std(0x100 + size, bytes(range(size))) for size in range(9)]
    frames += [Message(arbitration_id=0x1FFFFFFF, data=b"\1"), std(0x7FF, is_remote_frame=True, dlc=5)]
    for sender, receiver in ((one, other), (other, one)):
        for frame in frames:
            sender.send(frame)
        assert [facts(receiver.recv(PATIENCE)) for _ in frames] == [facts(frame) for frame in frames]
        assert not receiver.losses


@pytest.mark.parametrize("fd", [True], indirect=True, ids=["vcinpl2"])
def test_can_fd_frames_both_ways(opened: Opening) -> None:
    one, other = opened(0), opened(1)
    assert one.protocol is CanProtocol.CAN_FD
    kinds = [(False, False), (True, False), (True, True)]
    frames = [
        std(size, bytes(range(size)), is_fd=True, bitrate_switch=fast, error_state_indicator=passive)
        for size in FD_LENGTHS
        for fast, passive in kinds
    ]
    for sender, receiver in ((one, other), (other, one)):
        sender.send_batch(MessageBatch(frames))
        assert [facts(receiver.recv(PATIENCE)) for _ in frames] == [facts(frame) for frame in frames]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(data=st.data())
def test_any_frames_survive(pair: tuple[IXXATBus, IXXATBus], fd: bool, data: st.DataObject) -> None:
    sender, receiver = pair
    while receiver.recv(0) is not None:  # of an example that failed
        pass
    kinds = ("classic", "remote", *(("fd",) if fd else ()))
    frames = data.draw(st.lists(messages(kinds=kinds), min_size=1, max_size=20))
    sender.send_batch(MessageBatch(frames))
    assert [facts(receiver.recv(PATIENCE)) for _ in frames] == [facts(frame) for frame in frames]


@pytest.fixture
def pair(opened: Opening) -> tuple[IXXATBus, IXXATBus]:
    return opened(0, tx_fifo_size=128), opened(1)


def test_the_error_state_indicator_is_received(opened: Opening, stub: Stub, fd: bool) -> None:
    bus = opened(0)
    flags = FLAG_FD | FLAG_BRS | FLAG_ESI if fd else FLAG_EXTENDED
    stub.inject(0, arbitration_id=0x12, flags=flags, data=b"\1\2")
    message = bus.recv(PATIENCE)
    assert message is not None
    assert (message.is_fd, message.error_state_indicator) == (fd, fd)


def test_own_frames_come_back_on_request(opened: Opening) -> None:
    one, other = opened(0, receive_own_messages=True), opened(1)
    one.send(std(0x123, b"\1"))
    echo, frame = one.recv(PATIENCE), other.recv(PATIENCE)
    assert facts(echo) == facts(frame)
    assert echo is not None
    assert frame is not None
    assert (echo.is_rx, frame.is_rx) == (False, True)
    other.send(std(0x124))
    assert other.recv(QUIET) is None


@pytest.mark.parametrize("fd", [False], indirect=True, ids=["vcinpl"])
def test_can_fd_frames_are_refused_on_a_classic_bus(opened: Opening, stub: Stub) -> None:
    bus = opened(0)
    stub.clear_calls()
    with pytest.raises(CanOperationError, match="CAN FD disabled") as caught:
        bus.send_batch(MessageBatch([std(1), std(2, is_fd=True)]))
    assert caught.value.sent == 0
    assert stub.calls() == []


@pytest.mark.parametrize("fd", [True], indirect=True, ids=["vcinpl2"])
def test_a_controller_without_a_fast_phase_sends_slowly(opened: Opening, stub: Stub) -> None:
    stub.set("features", 0xA0FF & ~0x4000)
    one, other = opened(0), opened(1)
    one.send(std(1, bytes(12), is_fd=True, bitrate_switch=True))
    message = other.recv(PATIENCE)
    assert message is not None
    assert (message.is_fd, message.bitrate_switch) == (True, False)


# --- waiting --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("v3", [0, 1])
def test_timeouts(opened: Opening, stub: Stub, v3: int) -> None:
    stub.set("v3", v3)
    bus = opened(0)
    assert bus.recv(0) is None
    used, began = time.thread_time(), time.monotonic()
    assert bus.recv(0.2) is None
    assert time.monotonic() - began >= 0.2
    assert time.thread_time() - used < 0.1
    stub.inject(0, arbitration_id=5)
    assert facts(bus.recv(0))[0] == 5


def test_a_wait_without_end_ends_with_a_frame(opened: Opening, stub: Stub) -> None:
    bus, found = opened(0), []
    thread = threading.Thread(target=lambda: found.append(bus.recv(None)))
    thread.start()
    stub.inject(0, arbitration_id=5)
    thread.join(PATIENCE)
    assert facts(found[0])[0] == 5


def test_messages_about_the_controller_end_no_wait(opened: Opening, stub: Stub) -> None:
    bus = opened(0)
    began = time.monotonic()
    stub.inject(0, kind=KIND_STATE, code=constants.CAN_STATUS_TXPEND)
    assert bus.recv(0.1) is None
    assert time.monotonic() - began >= 0.1
    stub.inject(0, kind=KIND_STATE, code=0)
    stub.inject(0, arbitration_id=7)
    assert facts(bus.recv(0))[0] == 7


def test_a_driver_that_does_not_wait_does_not_make_the_bus_spin(opened: Opening, stub: Stub) -> None:
    bus = opened(0)
    stub.fail("canChannelReadMessage", constants.VCI_E_RXQUEUE_EMPTY, count=1 << 30)
    used, began = time.thread_time(), time.monotonic()
    assert bus.recv(0.2) is None
    assert time.monotonic() - began >= 0.2
    assert time.thread_time() - used < 0.1


def test_a_library_without_multiple_messages(opened: Opening, stub: Stub) -> None:
    one, other = opened(0), opened(1)
    for bus in (one, other):
        bus._vci.functions.canChannelPeekMsgMult, kept = None, bus._vci.functions.canChannelPeekMsgMult
        bus._vci.functions.canChannelPostMsgMult, kept_post = None, bus._vci.functions.canChannelPostMsgMult
        try:
            bus.send_batch(MessageBatch([std(number) for number in range(5)]))
            receiver = other if bus is one else one
            batch = receiver.recv_batch(PATIENCE)
            assert batch is not None
            found = [*batch]
            while len(found) < 5:
                found += receiver.recv_batch(PATIENCE) or []
            assert [message.arbitration_id for message in found] == [0, 1, 2, 3, 4]
        finally:
            bus._vci.functions.canChannelPeekMsgMult = kept
            bus._vci.functions.canChannelPostMsgMult = kept_post


def test_there_is_no_descriptor(opened: Opening) -> None:
    with pytest.raises(NotImplementedError):
        opened(0).fileno()


def test_a_batch_holds_what_is_queued(opened: Opening, stub: Stub) -> None:
    bus = opened(0)
    for number in range(300):
        stub.inject(0, arbitration_id=number, data=bytes((number & 0xFF,)))
    batch = bus.recv_batch(PATIENCE)
    assert batch is not None
    assert [*batch.can_id] == [*range(300)]
    assert {*batch.channels} == {0}


# --- sending --------------------------------------------------------------------------------------------


def test_a_full_queue(opened: Opening, stub: Stub) -> None:
    stub.set("acknowledge", 0)
    bus = opened(0, tx_fifo_size=3)
    for number in range(3):
        bus.send(std(number))
    with pytest.raises(VCIError, match="transmit queue is full") as caught:
        bus.send(std(3))
    assert caught.value.error_code == constants.VCI_E_TXQUEUE_FULL
    assert caught.value.hint == "send with a timeout"
    with pytest.raises(VCITimeout, match=r"no room within 0.05 s"):
        bus.send(std(3), timeout=0.05)
    with pytest.raises(VCITimeout):
        bus.send(std(3), timeout=0)
    stub.set("acknowledge", 1)
    bus.send(std(3), timeout=PATIENCE)
    assert [record.id for record in stub.sent()] == [0, 1, 2, 3]


def test_a_batch_that_does_not_fit_tells_how_much_was_sent(opened: Opening, stub: Stub) -> None:
    stub.set("acknowledge", 0)
    bus = opened(0, tx_fifo_size=3)
    with pytest.raises(VCITimeout) as caught:
        bus.send_batch(MessageBatch([std(number) for number in range(5)]), timeout=0.01)
    assert caught.value.sent == 3


def test_a_batch_waits_while_frames_leave(opened: Opening, stub: Stub) -> None:
    stub.set("acknowledge", 0)
    bus = opened(0, tx_fifo_size=3)
    timer = threading.Timer(0.05, stub.set, ("acknowledge", 1))
    timer.start()
    bus.send_batch(MessageBatch([std(number) for number in range(50)]))
    timer.join()
    assert [record.id for record in stub.sent()] == [*range(50)]


def test_a_refused_frame(opened: Opening, stub: Stub) -> None:
    bus = opened(0)
    stub.fail("canChannelPostMessage", constants.VCI_E_INVALIDARG)
    with pytest.raises(VCIError, match="canChannelPostMessage: One or more arguments are invalid"):
        bus.send(std(1))


def test_a_refused_frame_of_a_batch_tells_how_much_was_sent(opened: Opening, stub: Stub) -> None:
    bus = opened(0)
    multiple, bus._vci.functions.canChannelPostMsgMult = bus._vci.functions.canChannelPostMsgMult, None
    try:
        stub.fail("canChannelPostMessage", constants.VCI_E_FAIL, skip=2)
        with pytest.raises(VCIError) as caught:
            bus.send_batch(MessageBatch([std(number) for number in range(4)]))
        assert caught.value.sent == 2
    finally:
        bus._vci.functions.canChannelPostMsgMult = multiple


def test_error_frames_are_refused(opened: Opening, stub: Stub) -> None:
    bus = opened(0)
    stub.clear_calls()
    with pytest.raises(CanOperationError, match="cannot send error frames"):
        bus.send(Message(is_error_frame=True))
    assert stub.calls() == []


def test_flushing_waits_until_the_queue_is_empty(opened: Opening, stub: Stub) -> None:
    stub.set("acknowledge", 0)
    bus = opened(0)
    bus.send(std(1))
    with pytest.raises(VCITimeout, match="unsent frames"):
        bus.flush_tx_buffer(timeout=0.02)
    timer = threading.Timer(0.02, stub.set, ("acknowledge", 1))
    timer.start()
    bus.flush_tx_buffer()
    timer.join()
    assert [record.id for record in stub.sent()] == [1]


def test_frames_wait_for_the_start_of_the_controller(opened: Opening, stub: Stub) -> None:
    bus = opened(0)
    bus._controller.stop()
    bus.send(std(1))
    assert stub.sent() == []
    bus.state = BusState.ACTIVE
    assert [record.id for record in stub.sent()] == [1]


# --- filters --------------------------------------------------------------------------------------------

STANDARD: CanFilter = {"can_id": 0x120, "can_mask": 0x7F0, "extended": False}
EXTENDED: CanFilter = {"can_id": 0x12ABCD00, "can_mask": 0x1FFFFF00, "extended": True}
EITHER: CanFilter = {"can_id": 0x345, "can_mask": 0x7FF}


def received(bus: IXXATBus, sender: IXXATBus) -> list[tuple[int, bool]]:
    frames = [std(identifier) for identifier in (0x11F, 0x120, 0x345, 0x346)]
    frames += [Message(arbitration_id=one) for one in (0x12ABCDEF, 0x12ABCCFF, 0x345, 0x120)]
    frames.append(std(0x121, is_remote_frame=True))
    for frame in frames:
        sender.send(frame)
    found = []
    while (message := bus.recv(QUIET)) is not None:
        found.append((message.arbitration_id, message.is_extended_id))
    return found


@pytest.mark.parametrize("hw_filter", [False, True])
def test_filters(opened: Opening, stub: Stub, hw_filter: bool) -> None:
    other = opened(1)
    bus = opened(0, can_filters=[STANDARD, EXTENDED], hw_filter=hw_filter)
    expected = [(0x120, False), (0x12ABCDEF, True), (0x121, False)]
    assert received(bus, other) == expected
    bus.set_filters([EITHER])
    assert received(bus, other) == [(0x345, False), (0x345, True)]
    bus.set_filters(None)
    assert len(received(bus, other)) == 9
    added = [call for call in stub.calls() if call.startswith("canControlAddFilterIds")]
    assert bool(added) == hw_filter


def test_the_controller_drops_frames(opened: Opening, stub: Stub) -> None:
    other = opened(1)
    bus = opened(0, can_filters=[STANDARD], hw_filter=True)
    bus._frame_filter = None  # only the controller filters
    assert received(bus, other) == [(0x120, False), (0x121, False)]


@pytest.mark.parametrize("hw_filter", [False, True])
def test_an_inverted_filter_and_one_of_both_kinds(opened: Opening, stub: Stub, hw_filter: bool) -> None:
    other = opened(1)
    others: CanFilters = [{"can_id": 0x20000120, "can_mask": 0x7FF}]
    bus = opened(0, can_filters=others, hw_filter=hw_filter)
    found = received(bus, other)
    assert len(found) == 7
    assert (0x120, False) not in found
    assert (0x120, True) not in found
    bus.set_filters([{"can_id": 0x345, "can_mask": 0x1FFFFFFF, "extended": None}])  # type: ignore[typeddict-item]  # also documented
    assert received(bus, other) == [(0x345, False), (0x345, True)]


def test_a_full_list_of_identifiers_leaves_the_software_filter(opened: Opening, stub: Stub) -> None:
    other = opened(1)
    stub.fail("canControlAddFilterIds", constants.VCI_E_BUFFER_OVERFLOW)
    bus = opened(0, can_filters=[STANDARD], hw_filter=True)
    assert received(bus, other) == [(0x120, False), (0x121, False)]
    bus.set_filters(None)
    assert len(received(bus, other)) == 9


def test_without_extended_identifiers(opened: Opening, stub: Stub) -> None:
    other, bus = opened(1), opened(0, extended=False)
    assert all(not extended for _, extended in received(bus, other))


def test_through_the_factory(stub: Stub, fd: bool) -> None:
    options = {"fd": str(fd).lower(), "rx_fifo_size": "32", "bitrate": "250k", "receive_own_messages": "yes"}
    with Bus("0", interface="ixxat", ignore_config=True, **options) as bus:
        assert isinstance(bus, IXXATBus)
        assert bus.channel == 0
        assert bus.bit_rates[0] == 250_000
        assert "rx=32/1" in "\n".join(stub.calls())
