"""Buses on the emulated libraries: errors, states, shared controllers, timestamps, the end of the device."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from cantools_cli.backends.ixxat import constants
from cantools_cli.backends.ixxat.bus import IXXATBus
from cantools_cli.backends.ixxat.exceptions import VCIBusOffError, VCIError
from cantools_cli.backends.ixxat.queue import OVERRUNS
from cantools_cli.bus.base import BusState
from cantools_cli.errors import CanOperationError, UsageError
from cantools_cli.filtering.can_filter import CanFilter
from cantools_cli.frame.batch import MessageBatch
from tests.backends.ixxat.conftest import Opening
from tests.backends.ixxat.frames import PATIENCE, QUIET, facts, std, words
from tests.vendor.kit import (
    FLAG_ECHO,
    KIND_ERROR,
    KIND_OVERRUN,
    KIND_STATE,
    Stub,
)

TOLERANCE = 5.0  # seconds; faults of the clock are minutes
STANDARD: CanFilter = {"can_id": 0x120, "can_mask": 0x7F0, "extended": False}


# --- errors and states ----------------------------------------------------------------------------------


def test_an_error_on_the_bus_is_an_error_frame(opened: Opening, stub: Stub) -> None:
    bus = opened(0, can_filters=[STANDARD])
    stub.inject(0, kind=KIND_ERROR, code=constants.CAN_ERROR_CRC)
    message = bus.recv(PATIENCE)
    assert words(message) == "protocol-violation{{}{crc-sequence}},bus-error"
    assert message is not None
    assert abs(message.timestamp - time.time()) < TOLERANCE
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
        assert abs(message.timestamp - time.time()) < TOLERANCE
    guest.send(std(2))
    assert facts(other.recv(PATIENCE))[0] == 2
    assert guest.state is BusState.ACTIVE
    with pytest.raises(VCIError, match="another program owns"):
        guest.state = BusState.PASSIVE
    owner.shutdown()
    assert guest.recv(QUIET) is None
    assert "the program that owns the controller has stopped it" in caplog.text
    owner = opened(0, bitrate=250_000)
    other.send(std(3))
    for bus in (owner, guest):
        message = bus.recv(PATIENCE)
        assert facts(message)[0] == 3
        assert message is not None
        assert abs(message.timestamp - time.time()) < TOLERANCE
    guest.shutdown()
    owner.send(std(4))
    assert facts(other.recv(PATIENCE))[0] == 4


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
        assert before - TOLERANCE < message.timestamp < time.time() + TOLERANCE


def test_a_wrap_without_an_announcement(opened: Opening, stub: Stub) -> None:
    stub.set("no_timeovr", 1)
    stub.set("start_tick", 0xFFFFFFFF)
    bus = opened(0)
    stub.inject(0, arbitration_id=1)
    message = bus.recv(PATIENCE)
    assert message is not None
    assert abs(message.timestamp - time.time()) < TOLERANCE


def test_a_jump_of_the_counter_is_followed(opened: Opening, stub: Stub) -> None:
    bus = opened(0)
    stub.advance_clock(3_600_000_000_000)
    stub.inject(0, arbitration_id=1)
    message = bus.recv(PATIENCE)
    assert message is not None
    assert abs(message.timestamp - time.time()) < TOLERANCE


def test_without_the_message_of_the_start(opened: Opening, stub: Stub) -> None:
    stub.set("no_start", 1)
    bus = opened(0)
    stub.inject(0, arbitration_id=1)
    message = bus.recv(PATIENCE)
    assert message is not None
    assert abs(message.timestamp - time.time()) < TOLERANCE


def test_a_message_without_a_time_has_that_of_the_one_before(opened: Opening, stub: Stub) -> None:
    stub.set("start_tick", 0xF0000000)
    bus = opened(0)
    stub.inject(0, arbitration_id=1)
    stub.inject(0, kind=KIND_STATE, code=constants.CAN_STATUS_ERRLIM, flags=FLAG_ECHO)  # without a time
    stub.inject(0, arbitration_id=2)
    found = [bus.recv(PATIENCE) for _ in range(3)]
    assert all(message and abs(message.timestamp - time.time()) < TOLERANCE for message in found)
    assert bus._queue._clock.jumps == 0


def test_frames_that_wait_keep_their_times(opened: Opening, stub: Stub) -> None:
    stub.set("start_tick", 100_000_000)  # 100 s after the counter was 0
    bus = opened(0)
    stub.inject(0, arbitration_id=1, time_ns=time.time_ns() - 60_000_000_000)
    message = bus.recv(0)
    assert message is not None
    assert abs(message.timestamp + 60 - time.time()) < TOLERANCE


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
