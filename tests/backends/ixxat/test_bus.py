"""Buses on the emulated libraries: frames, timeouts, filters, errors, states, the end of the device."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cantools_cli.backends.ixxat import constants
from cantools_cli.backends.ixxat.bus import IXXATBus
from cantools_cli.backends.ixxat.exceptions import VCIBusOffError, VCIError, VCITimeout
from cantools_cli.backends.ixxat.queue import OVERRUNS
from cantools_cli.bus.base import BusState, CanProtocol
from cantools_cli.bus.interface import Bus
from cantools_cli.errors import CanOperationError, UsageError
from cantools_cli.filtering.can_filter import CanFilter
from cantools_cli.frame import error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.bits import FD_LENGTHS
from cantools_cli.frame.message import Message
from tests.backends.ixxat.conftest import Opening
from tests.strategies import messages
from tests.vendor.kit import (
    FLAG_BRS,
    FLAG_ECHO,
    FLAG_ESI,
    FLAG_EXTENDED,
    FLAG_FD,
    KIND_ERROR,
    KIND_OVERRUN,
    KIND_STATE,
    Stub,
)

PATIENCE = 30.0
QUIET = 0.02


def std(identifier: int, data: bytes = b"", **more: Any) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, data=data, **more)


def facts(message: Message | None) -> tuple[object, ...]:
    assert message is not None
    kind = message.is_extended_id, message.is_remote_frame, message.is_fd, message.bitrate_switch
    return message.arbitration_id, kind, message.error_state_indicator, message.dlc, bytes(message.data)


def words(message: Message | None) -> str:
    assert message is not None
    assert message.is_error_frame
    return error_frames.explain(message.arbitration_id, message.data)


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


# --- errors and states ----------------------------------------------------------------------------------


def test_an_error_on_the_bus_is_an_error_frame(opened: Opening, stub: Stub) -> None:
    bus = opened(0, can_filters=[STANDARD])
    stub.inject(0, kind=KIND_ERROR, code=constants.CAN_ERROR_CRC)
    message = bus.recv(PATIENCE)
    assert words(message) == "protocol-violation{{}{crc-sequence}},bus-error"
    assert message is not None
    assert abs(message.timestamp - time.time()) < 1
    assert message.channel == 0


def test_a_warning_is_an_error_frame_but_no_exception(opened: Opening, stub: Stub) -> None:
    bus = opened(0)
    stub.inject(0, kind=KIND_STATE, code=constants.CAN_STATUS_ERRLIM)
    stub.inject(0, arbitration_id=1)
    assert words(bus.recv(PATIENCE)) == "controller-problem{rx-error-warning,tx-error-warning}"
    assert facts(bus.recv(PATIENCE))[0] == 1
    assert bus.state is BusState.ACTIVE


def test_bus_off_and_recovery(opened: Opening, stub: Stub) -> None:
    bus, other = opened(0, tx_fifo_size=2), opened(1)
    stub.inject(0, kind=KIND_STATE, code=constants.CAN_STATUS_BUSOFF)
    assert words(bus.recv(PATIENCE)) == "bus-off"
    assert bus.state is BusState.ERROR
    for number in range(2):
        bus.send(std(number))
    with pytest.raises(VCIBusOffError, match="bus-off"):
        bus.send(std(2))
    stub.clear_calls()
    bus.state = BusState.ACTIVE
    names = [call.split()[0] for call in stub.calls()]
    assert names == ["canControlStart", "canControlReset", "canControlInitialize", "canControlStart"]
    assert bus.state is BusState.ACTIVE
    assert [facts(other.recv(PATIENCE))[0] for _ in range(2)] == [0, 1]
    assert bus.recv(QUIET) is None
    stub.inject(0, kind=KIND_STATE, code=constants.CAN_STATUS_BUSOFF)
    assert words(bus.recv(PATIENCE)) == "bus-off"


def test_an_overrun_is_counted_and_marked(opened: Opening, stub: Stub) -> None:
    bus = opened(0)
    stub.inject(0, kind=KIND_OVERRUN)
    stub.inject(0, arbitration_id=9)
    assert words(bus.recv(PATIENCE)) == "controller-problem{rx-overflow}"
    assert facts(bus.recv(PATIENCE))[0] == 9
    assert dict(bus.losses) == {OVERRUNS: 1}


def test_a_real_overrun(opened: Opening, stub: Stub) -> None:
    bus = opened(0, rx_fifo_size=4)
    bus.recv(0)  # the message of the start
    for number in range(6):
        stub.inject(0, arbitration_id=number)
    batch = bus.recv_batch(PATIENCE)
    assert batch is not None
    assert sum(message.is_error_frame for message in batch) == 1
    assert dict(bus.losses) == {OVERRUNS: 1}


def test_the_sticky_status_of_an_overrun_is_counted_once(opened: Opening, stub: Stub) -> None:
    bus = opened(0)
    for _ in range(3):
        stub.inject(0, kind=KIND_STATE, code=constants.CAN_STATUS_OVRRUN)
    assert words(bus.recv(PATIENCE)) == "controller-problem{rx-overflow}"
    assert bus.recv(QUIET) is None
    assert bus.losses[OVERRUNS] == 1


@pytest.mark.parametrize(
    "options", [{"listen_only": True}, {"state": BusState.PASSIVE}, {"state": "passive"}]
)
def test_listen_only(opened: Opening, stub: Stub, options: dict[str, Any]) -> None:
    other, bus = opened(1), opened(0, **options)
    assert bus.state is BusState.PASSIVE
    with pytest.raises(CanOperationError, match="listen-only"):
        bus.send(std(1))
    with pytest.raises(CanOperationError, match="listen-only"):
        bus.send_periodic(std(1), 0.01)
    assert stub.sent() == []
    other.send(std(2))
    assert facts(bus.recv(PATIENCE))[0] == 2
    bus.state = BusState.ACTIVE
    bus.send(std(1))
    assert facts(other.recv(PATIENCE))[0] == 1
    bus.state = BusState.PASSIVE
    assert bus.state is BusState.PASSIVE
    with pytest.raises(UsageError, match="cannot be set"):
        bus.state = BusState.ERROR


def test_the_load_of_the_bus(opened: Opening, stub: Stub) -> None:
    stub.set("bus_load", 37)
    assert opened(0).bus_load() == 37


def test_other_bit_rates_cannot_be_read(opened: Opening, stub: Stub) -> None:
    one, other = opened(0, bitrate=500_000), opened(1, bitrate=250_000)
    one.send(std(1))
    assert "bit-stuffing-error" in words(other.recv(PATIENCE))


# --- the controller belongs to another program ------------------------------------------------------------


def test_the_second_bus_of_a_controller_shares_it(
    opened: Opening, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    owner, other = opened(0, bitrate=250_000), opened(1, bitrate=250_000)
    guest = opened(0, bitrate=500_000)
    assert "another program owns the controller" in caplog.text
    assert guest.bit_rates == (None, None)
    assert owner.bit_rates[0] == 250_000
    other.send(std(1))
    for bus in (owner, guest):
        message = bus.recv(PATIENCE)
        assert facts(message)[0] == 1
        assert message is not None
        assert abs(message.timestamp - time.time()) < 1
    guest.send(std(2))
    assert facts(other.recv(PATIENCE))[0] == 2
    assert guest.state is BusState.ACTIVE
    with pytest.raises(VCIError, match="another program owns"):
        guest.state = BusState.PASSIVE
    guest.shutdown()
    owner.send(std(3))
    assert facts(other.recv(PATIENCE))[0] == 3


# --- timestamps -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("divisor", [8, 80, 3])
def test_timestamps_are_those_of_the_day(opened: Opening, stub: Stub, divisor: int) -> None:
    stub.set("tsc_divisor", divisor)
    stub.set("start_tick", 0xFFFFFFFF - 100)  # the counter wraps while the bus is open
    bus = opened(0)
    for _ in range(3):
        before = time.time()
        stub.inject(0, arbitration_id=1)
        message = bus.recv(PATIENCE)
        assert message is not None
        assert before - 0.05 < message.timestamp < time.time()


def test_a_wrap_without_an_announcement(opened: Opening, stub: Stub) -> None:
    stub.set("no_timeovr", 1)
    stub.set("start_tick", 0xFFFFFFFF)
    bus = opened(0)
    stub.inject(0, arbitration_id=1)
    message = bus.recv(PATIENCE)
    assert message is not None
    assert abs(message.timestamp - time.time()) < 0.5


def test_a_jump_of_the_counter_is_followed(opened: Opening, stub: Stub) -> None:
    bus = opened(0)
    stub.advance_clock(3_600_000_000_000)
    stub.inject(0, arbitration_id=1)
    message = bus.recv(PATIENCE)
    assert message is not None
    assert abs(message.timestamp - time.time()) < 0.5


def test_without_the_message_of_the_start(opened: Opening, stub: Stub) -> None:
    stub.set("no_start", 1)
    bus = opened(0)
    stub.inject(0, arbitration_id=1)
    message = bus.recv(PATIENCE)
    assert message is not None
    assert abs(message.timestamp - time.time()) < 0.5


def test_a_message_without_a_time_has_that_of_the_one_before(opened: Opening, stub: Stub) -> None:
    stub.set("start_tick", 0xF0000000)
    bus = opened(0)
    stub.inject(0, arbitration_id=1)
    stub.inject(0, kind=KIND_STATE, code=constants.CAN_STATUS_ERRLIM, flags=FLAG_ECHO)  # without a time
    stub.inject(0, arbitration_id=2)
    found = [bus.recv(PATIENCE) for _ in range(3)]
    assert all(message and abs(message.timestamp - time.time()) < 1 for message in found)
    assert bus._queue._clock.jumps == 0


def test_frames_that_wait_keep_their_times(opened: Opening, stub: Stub) -> None:
    bus = opened(0)
    stub.inject(0, arbitration_id=1, time_ns=time.time_ns())
    began = time.time()
    while time.time() - began < 0.2:
        pass
    message = bus.recv(0)
    assert message is not None
    assert message.timestamp < began + 0.1


# --- closing and unplugging -----------------------------------------------------------------------------


def test_unplugged_while_waiting(opened: Opening, stub: Stub) -> None:
    bus, ends = opened(0), []

    def receive() -> None:
        try:
            bus.recv(PATIENCE)
        except CanOperationError as error:
            ends.append(error)

    thread = threading.Thread(target=receive)
    thread.start()
    stub.unplug()
    thread.join(PATIENCE)
    [error] = ends
    assert isinstance(error, VCIError)
    assert error.error_code == constants.VCI_E_DEVICE_NOT_CONNECTED
    assert "The device is not connected" in str(error)
    assert bus.is_shutdown
    bus.shutdown()


def test_frames_received_before_unplugging_are_delivered(opened: Opening, stub: Stub) -> None:
    bus = opened(0)
    stub.inject(0, arbitration_id=1)
    bus._wait(PATIENCE)  # fetches it
    stub.unplug()
    assert facts(bus.recv(PATIENCE))[0] == 1
    with pytest.raises(VCIError):
        bus.recv(PATIENCE)


def test_sending_to_an_unplugged_device(opened: Opening, stub: Stub) -> None:
    bus = opened(0)
    task = bus.send_periodic(std(1), 0.01)
    stub.unplug()
    with pytest.raises(VCIError, match="not connected"):
        bus.send(std(1))
    with pytest.raises(VCIError, match="not connected"):
        _ = bus.state
    task.stop()
    bus.shutdown()


def test_another_failure_of_the_driver_ends_no_bus(opened: Opening, stub: Stub) -> None:
    bus = opened(0)
    stub.fail("canChannelPeekMsgMult", constants.VCI_E_FAIL)
    with pytest.raises(VCIError, match="canChannelPeekMsgMult: failed"):
        bus.recv(0)
    stub.inject(0, arbitration_id=1)
    assert facts(bus.recv(PATIENCE))[0] == 1


def test_closing_ends_a_waiting_send(opened: Opening, stub: Stub) -> None:
    stub.set("acknowledge", 0)
    bus, ends = opened(0, tx_fifo_size=1), []
    bus.send(std(1))

    def send() -> None:
        try:
            bus.send(std(2), timeout=PATIENCE)
        except CanOperationError as error:
            ends.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    while not any(call.startswith("canChannelSendMessage") for call in stub.calls()):
        pass
    bus.shutdown()
    thread.join(PATIENCE)
    assert "closed" in str(ends[0])


def test_two_threads_and_ten_thousand_frames(stub: Stub, fd: bool) -> None:
    stub.set("log", 0)
    count = 10_000
    sizes: dict[str, Any] = {"rx_fifo_size": 16384, "tx_fifo_size": 1024}
    with IXXATBus(0, fd=fd, **sizes) as one, IXXATBus(1, fd=fd, **sizes) as other:
        batch = MessageBatch([std(number & 0x7FF, number.to_bytes(4, "big")) for number in range(100)])

        def write() -> None:
            for _ in range(count // len(batch)):
                one.send_batch(batch, timeout=PATIENCE)

        writer = threading.Thread(target=write)
        writer.start()
        found = MessageBatch()
        while len(found) < count:
            part = other.recv_batch(PATIENCE)
            assert part is not None
            found.extend(part)
        writer.join()
        assert [*found.can_id] == [*batch.can_id] * (count // 100)
        assert all(a <= b for a, b in zip(found.timestamp_ns, found.timestamp_ns[1:], strict=False))
        assert not other.losses
    stub.set("log", 1)


def test_through_the_factory(stub: Stub, fd: bool) -> None:
    options = {"fd": str(fd).lower(), "rx_fifo_size": "32", "bitrate": "250k", "receive_own_messages": "yes"}
    with Bus("0", interface="ixxat", ignore_config=True, **options) as bus:
        assert isinstance(bus, IXXATBus)
        assert bus.channel == 0
        assert bus.bit_rates[0] == 250_000
        assert "rx=32/1" in "\n".join(stub.calls())
