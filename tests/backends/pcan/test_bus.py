"""Buses on the emulated PCAN-Basic."""

from __future__ import annotations

import select
import threading
import time
from typing import Any

import pytest

from cantools_cli.backends.pcan import constants as c
from cantools_cli.backends.pcan.bus import OVERRUNS, PcanBus
from cantools_cli.backends.pcan.errors import PcanCanInitializationError, PcanCanOperationError
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.bus.base import BusState, CanProtocol
from cantools_cli.bus.interface import Bus
from cantools_cli.errors import CanOperationError, CanTimeoutError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.backends.pcan.conftest import OpenBus
from tests.vendor.kit import (
    FLAG_BRS,
    FLAG_ECHO,
    FLAG_ESI,
    FLAG_EXTENDED,
    FLAG_FD,
    FLAG_REMOTE,
    KIND_ERROR,
    KIND_OVERRUN,
    KIND_STATE,
    Stub,
)

SECONDS = 20.0
EPOCH = 1_700_000_000_000_000_000  # ns
ONE, TWO = 0x51, 0x52
FD = {"fd": True, "bitrate": 500_000, "data_bitrate": 2_000_000}
#: the numbers of parameters, as the log shows them
LISTEN_ONLY, ERRORS, ECHO, AUTO_RESET, RECEIVE_STATUS, EVENT = "8", "20", "2c", "7", "f", "3"


def std(identifier: int, data: bytes = b"", **more: Any) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, data=data, **more)


def received(bus: PcanBus, count: int) -> list[Message]:
    frames = []
    for _ in range(count):
        frame = bus.recv(SECONDS)
        assert frame is not None, f"{len(frames)} of {count} frames"
        frames.append(frame)
    return frames


def called(stub: Stub, function: str) -> list[str]:
    return [call for call in stub.calls() if call.startswith(f"{function} ")]


# --- opening ------------------------------------------------------------------------------------------


def test_the_calls_of_a_bus(stub: Stub) -> None:
    with PcanBus(receive_own_messages=True, auto_reset=True) as bus:
        assert str(bus) == bus.channel_info == "PCAN_USBBUS1"
        assert bus.bit_rates == (500_000, None)
        assert (bus.protocol, bus.fd) == (CanProtocol.CAN_20, False)
    assert stub.calls() == [
        "CAN_GetValue ch=0 parameter=5 size=256 -> 0",
        "CAN_GetValue ch=51 parameter=d size=4 -> 0",
        "CAN_SetValue ch=51 parameter=8 value=0 size=4 -> 0",
        "CAN_Initialize ch=51 btr=1c type=0 port=0 irq=0 -> 0",
        "CAN_SetValue ch=51 parameter=20 value=1 size=4 -> 0",
        "CAN_SetValue ch=51 parameter=2c value=1 size=4 -> 0",
        "CAN_SetValue ch=51 parameter=7 value=1 size=4 -> 0",
        "CAN_GetValue ch=51 parameter=f size=4 -> 0",
        "CAN_GetValue ch=51 parameter=3 size=4 -> 0",
        "CAN_Reset ch=51 -> 0",
        "CAN_Uninitialize ch=51 -> 0",
    ]


def test_a_channel_that_pcan_view_shares_keeps_its_frames(stub: Stub, open_bus: OpenBus) -> None:
    stub.set("pcanview", 1)
    open_bus()
    assert not called(stub, "CAN_Reset")


@pytest.mark.parametrize(
    ("channel", "handle", "info"),
    [
        ("PCAN_USBBUS2", 0x52, "PCAN_USBBUS2"),
        ("pcan_usbbus2", 0x52, "PCAN_USBBUS2"),
        (0x52, 0x52, "82"),
        ("0x52", 0x52, "PCAN_USBBUS2"),
        (c.PCAN_USBBUS9, 0x509, "1289"),
        ("PCAN_USBBUS9", 0x509, "PCAN_USBBUS9"),
        ("PCAN_PCIBUS1", 0x41, "PCAN_PCIBUS1"),
    ],
)
def test_the_forms_of_a_channel(
    stub: Stub, open_bus: OpenBus, channel: int | str, handle: int, info: str
) -> None:
    bus = open_bus(channel)
    assert bus.channel_info == info
    assert called(stub, "CAN_Initialize")[0].startswith(f"CAN_Initialize ch={handle:x} ")
    stub.inject(handle, arbitration_id=1)
    assert received(bus, 1)[0].channel == info


@pytest.mark.parametrize("channel", ["PCAN_USBBUS17", "PCAN_NONEBUS", "", "x", 0, -1, 0x10000, "0x10000"])
def test_no_such_channel(stub: Stub, channel: int | str) -> None:
    with pytest.raises(ValueError, match=f'pcan: no channel "{channel}"') as caught:
        PcanBus(channel)
    assert "PCAN_USBBUS1" in str(getattr(caught.value, "hint", ""))
    assert not stub.calls()


def test_the_documented_order_of_arguments(stub: Stub, open_bus: OpenBus) -> None:
    with PcanBus("PCAN_USBBUS1", None, BusState.PASSIVE, 250_000) as bus:  # python-can 4.1
        assert (bus.state, bus.bit_rates) == (BusState.PASSIVE, (250_000, None))
    timing = BitTiming(f_clock=8_000_000, btr0=0x03, btr1=0x1C)
    with PcanBus("PCAN_USBBUS1", None, BusState.ACTIVE, timing, 500_000, True) as bus:  # 4.6
        assert bus.bit_rates == (125_000, None)
        bus.send(std(1))
        assert not received(bus, 1)[0].is_rx


def test_fd_texts_reach_the_library(stub: Stub, open_bus: OpenBus) -> None:
    segments = {"nom_brp": 2, "nom_tseg1": 63, "nom_tseg2": 16, "nom_sjw": 16}
    data = {"data_brp": 2, "data_tseg1": 15, "data_tseg2": 4, "data_sjw": 4}
    bus = open_bus(fd=True, f_clock_mhz=80, **segments, **data)
    assert (bus.protocol, bus.fd, bus.bit_rates) == (CanProtocol.CAN_FD, True, (500_000, 2_000_000))
    timing = BitTimingFd(f_clock=80_000_000, **segments, **data)
    open_bus("PCAN_USBBUS2", timing=timing)
    text = ",".join(f"{key}={value}" for key, value in {**segments, **data}.items())
    assert called(stub, "CAN_InitializeFD") == [
        f"CAN_InitializeFD ch=51 text=f_clock_mhz=80,{text} -> 0",
        f"CAN_InitializeFD ch=52 text=f_clock=80000000,{text} -> 0",
    ]


def test_a_library_whose_parser_needs_blanks(stub: Stub, open_bus: OpenBus) -> None:
    stub.set("blank", 1)
    open_bus(**FD)
    first, second = called(stub, "CAN_InitializeFD")
    assert first.endswith("-> 8000")
    assert ", nom_brp=" in second


def test_text_of_a_configuration_file(stub: Stub) -> None:
    settings = {"state": "can.bus.BusState.PASSIVE", "bitrate": "125000", "auto_reset": "True"}
    with Bus("PCAN_USBBUS1", "pcan", ignore_config=True, **settings) as bus:
        assert (bus.state, bus.bit_rates) == (BusState.PASSIVE, (125_000, None))
    assert f"CAN_SetValue ch=51 parameter={AUTO_RESET} value=1 size=4 -> 0" in stub.calls()
    with Bus(
        "0x51", "pcan", ignore_config=True, device_id="0x12", fd="yes", bitrate="500k", data_bitrate="2M"
    ) as bus:
        assert (bus.channel_info, bus.bit_rates) == ("PCAN_USBBUS2", (500_000, 2_000_000))


@pytest.mark.parametrize("state", [BusState.ERROR, "ERROR", "idle", None, 1])
def test_no_such_state(stub: Stub, state: Any) -> None:
    with pytest.raises(UsageError, match="is neither ACTIVE nor PASSIVE"):
        PcanBus(state=state)
    assert not stub.calls()


def test_the_number_of_a_device(stub: Stub, open_bus: OpenBus) -> None:
    assert open_bus(device_id=0x12).channel_info == "PCAN_USBBUS2"
    assert open_bus("PCAN_USBBUS9", device_id=0x14).channel_info == "PCAN_USBBUS9"
    with pytest.raises(ValueError, match="pcan: no device has the number 153"):
        PcanBus(device_id=0x99)
    stub.fail("CAN_LookUpChannel", c.PCAN_ERROR_ILLOPERATION)  # macOS: it does not work
    assert open_bus(device_id=0x13).channel_info == "PCAN_USBBUS3"
    bus = open_bus(device_id=0x11)
    assert bus.get_device_number() == 0x11
    assert bus.set_device_number(0xFFFFFFFF)
    assert bus.get_device_number() == 0xFFFFFFFF
    for number in (-1, 1 << 32, "x", None):
        assert not bus.set_device_number(number)  # type: ignore[arg-type]
    stub.fail("CAN_GetValue", c.PCAN_ERROR_ILLPARAMTYPE)
    assert bus.get_device_number() is None
    stub.fail("CAN_SetValue", c.PCAN_ERROR_ILLPARAMVAL)
    assert not bus.set_device_number(1)
    bus.shutdown()
    assert not bus.set_device_number(1)


def test_irregularities_are_no_failure(
    stub: Stub, open_bus: OpenBus, caplog: pytest.LogCaptureFixture
) -> None:
    stub.set("caution", 1)
    assert open_bus().recv(0) is None
    assert "pcan:PCAN_USBBUS1: CAN_Initialize: opened with irregularities" in caplog.text


@pytest.mark.parametrize(
    ("form", "text"), [(0, ""), (1, ""), (2, "PCAN-Basic 4.1.9.9 is older than 4.2"), (3, "")]
)
def test_versions(
    stub: Stub, open_bus: OpenBus, caplog: pytest.LogCaptureFixture, form: int, text: str
) -> None:
    stub.set("api", form)
    open_bus()
    assert text in caplog.text
    assert bool(caplog.text) == bool(text)


# --- frames -------------------------------------------------------------------------------------------


def test_frames_of_a_classic_channel(stub: Stub, open_bus: OpenBus) -> None:
    one, two = open_bus(), open_bus("PCAN_USBBUS2")
    messages = [std(size, bytes(range(size))) for size in range(9)]
    messages += [Message(arbitration_id=0x1FFFFFFF, data=b"x"), std(0x7FF, is_remote_frame=True, dlc=8)]
    for sender, receiver in ((one, two), (two, one)):
        sender.send_batch(MessageBatch(messages))
        found = received(receiver, len(messages))
        assert all(
            ours.equals(theirs, None, check_channel=False)
            for ours, theirs in zip(found, messages, strict=True)
        )


def test_frames_of_an_fd_channel(stub: Stub, open_bus: OpenBus) -> None:
    one, two = open_bus(**FD), open_bus("PCAN_USBBUS2", **FD)
    sizes = (0, 1, 7, 8, 12, 16, 20, 24, 32, 48, 64)
    flags = {"bitrate_switch": True, "error_state_indicator": True}
    messages = [std(size, bytes(range(size)), is_fd=True) for size in sizes]
    messages += [
        std(0x123, bytes(12), is_fd=True, **flags),
        std(1, b"classic"),
        std(2, is_remote_frame=True, dlc=3),
    ]
    for sender, receiver in ((one, two), (two, one)):
        sender.send_batch(MessageBatch(messages))
        found = received(receiver, len(messages))
        assert all(
            ours.equals(theirs, None, check_channel=False)
            for ours, theirs in zip(found, messages, strict=True)
        )
    sent = stub.sent()[len(sizes)]
    assert sent.flags == FLAG_FD | FLAG_BRS | FLAG_ESI
    assert (sent.bitrate, sent.data_bitrate) == (500_000, 2_000_000)


def test_another_bit_rate_gives_error_frames(open_bus: OpenBus) -> None:
    one, two = open_bus(), open_bus("PCAN_USBBUS2", bitrate=250_000)
    one.send(std(1))
    [error] = received(two, 1)
    assert error.is_error_frame


def test_a_classic_channel_sends_no_fd(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    with pytest.raises(CanOperationError, match="opened without fd") as caught:
        bus.send_batch(MessageBatch([std(1), std(2, is_fd=True)]))
    assert caught.value.sent == 0
    assert not stub.sent()


def test_many_frames_at_once(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    count = 3_000  # several times what is read at once
    for number in range(count):
        stub.inject(
            ONE,
            arbitration_id=number % 0x800,
            data=number.to_bytes(4, "little"),
            time_ns=EPOCH + 1000 * number,
        )
    found = []
    while len(found) < count:
        batch = bus.recv_batch(SECONDS)
        assert batch is not None
        found += batch
    assert [int.from_bytes(frame.data, "little") for frame in found] == [*range(count)]
    assert [frame.timestamp_ns for frame in found] == [EPOCH + 1000 * number for number in range(count)]


def test_own_messages(stub: Stub, open_bus: OpenBus) -> None:
    bus, other = open_bus(receive_own_messages=True), open_bus("PCAN_USBBUS2")
    bus.send(std(0x123, b"\1"))
    [echo] = received(bus, 1)
    assert (echo.arbitration_id, echo.is_rx, echo.channel) == (0x123, False, "PCAN_USBBUS1")
    other.send(std(2))
    assert received(bus, 1)[0].is_rx
    assert other.recv(SECONDS) is not None
    assert other.recv(0.01) is None


def test_own_messages_of_a_library_without_echo(stub: Stub, open_bus: OpenBus) -> None:
    stub.set("echo", 0)
    bus = open_bus(receive_own_messages=True)
    before = time.time()
    bus.send(std(0x123, b"\1"))
    [echo] = received(bus, 1)
    assert (echo.arbitration_id, echo.is_rx, echo.channel) == (0x123, False, "PCAN_USBBUS1")
    assert before - 1 < echo.timestamp < time.time() + 1
    stub.fail("CAN_Write", c.PCAN_ERROR_QXMTFULL, skip=1)
    with pytest.raises(PcanCanOperationError):
        bus.send_batch(MessageBatch([std(1), std(2)]), 0)
    assert [frame.arbitration_id for frame in received(bus, 1)] == [1]  # only what was sent
    assert bus.recv(0) is None


def test_error_frames(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    stub.inject(ONE, kind=KIND_ERROR, arbitration_id=4, data=bytes((1, 10, 96, 3)))
    [error] = received(bus, 1)
    assert (error.is_error_frame, error.arbitration_id) == (True, 0x88)
    assert bytes(error.data) == bytes((0, 0, 4, 10, 0, 0, 3, 96))


@pytest.mark.parametrize("bits", [0, c.PCAN_ERROR_BUSHEAVY, c.PCAN_ERROR_BUSPASSIVE | c.PCAN_ERROR_BUSLIGHT])
def test_status_messages_are_no_frames_and_end_no_wait(stub: Stub, open_bus: OpenBus, bits: int) -> None:
    bus = open_bus()
    stub.inject(ONE, kind=KIND_STATE, code=bits)
    began = time.monotonic()
    assert bus.recv(0.1) is None
    assert time.monotonic() - began >= 0.1
    stub.inject(ONE, arbitration_id=1)
    stub.inject(ONE, kind=KIND_STATE, code=bits)
    stub.inject(ONE, arbitration_id=2)
    assert [frame.arbitration_id for frame in received(bus, 2)] == [1, 2]
    assert not bus.losses


def test_frames_that_come_with_the_state_of_the_bus(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    stub.set("bus_bits", c.PCAN_ERROR_BUSHEAVY)
    for number in range(3):
        stub.inject(ONE, arbitration_id=number)
    assert [frame.arbitration_id for frame in received(bus, 3)] == [0, 1, 2]


def test_invalid_data_is_skipped(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    stub.fail("CAN_Read", c.PCAN_ERROR_ILLDATA, count=3)
    stub.inject(ONE, arbitration_id=1)
    assert received(bus, 1)[0].arbitration_id == 1


def test_an_overrun_is_marked_and_counted(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    stub.inject(ONE, arbitration_id=1, time_ns=EPOCH)
    stub.inject(ONE, kind=KIND_OVERRUN)
    stub.inject(ONE, kind=KIND_OVERRUN)
    stub.inject(ONE, arbitration_id=2, time_ns=EPOCH + 5000)
    first, mark, second = received(bus, 3)
    assert (first.arbitration_id, second.arbitration_id) == (1, 2)
    assert (mark.is_error_frame, mark.data[1], mark.timestamp_ns) == (True, 1, first.timestamp_ns)
    stub.inject(ONE, kind=KIND_OVERRUN)
    stub.inject(ONE, arbitration_id=3)
    mark, third = received(bus, 2)
    assert (mark.is_error_frame, mark.timestamp_ns) == (True, third.timestamp_ns)
    assert dict(bus.losses) == {OVERRUNS: 2}


def test_an_overrun_without_frames_is_marked_as_well(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    stub.inject(ONE, kind=KIND_OVERRUN)
    assert received(bus, 1)[0].is_error_frame
    assert bus.recv(0) is None
    assert dict(bus.losses) == {OVERRUNS: 1}


def test_an_overrun_that_is_repeated_counts_once(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    stub.fail("CAN_Read", c.PCAN_ERROR_QOVERRUN, count=2_000)
    assert received(bus, 1)[0].is_error_frame
    for _ in range(4):
        assert bus.recv(0) is None
    assert dict(bus.losses) == {OVERRUNS: 1}


def test_a_full_queue_of_the_library(stub: Stub, open_bus: OpenBus) -> None:
    stub.set("rx_depth", 4)
    bus = open_bus()
    for number in range(6):
        stub.inject(ONE, arbitration_id=number)
    *frames, mark = received(bus, 5)
    assert [frame.arbitration_id for frame in frames] == [0, 1, 2, 3]
    assert mark.is_error_frame
    assert bus.losses[OVERRUNS] == 1


# --- waiting ------------------------------------------------------------------------------------------


def test_waiting(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    assert bus.recv(0) is None
    assert bus.recv(-1) is None
    found: list[Message | None] = []
    thread = threading.Thread(target=lambda: found.append(bus.recv(None)))
    thread.start()
    stub.inject(ONE, arbitration_id=7)
    thread.join(SECONDS)
    assert [frame and frame.arbitration_id for frame in found] == [7]


def test_a_library_without_an_event_is_asked(stub: Stub, open_bus: OpenBus) -> None:
    stub.set("event", 0)
    bus = open_bus()
    with pytest.raises(NotImplementedError):
        bus.fileno()
    assert bus.recv(0.02) is None
    stub.inject(ONE, arbitration_id=7)
    assert received(bus, 1)[0].arbitration_id == 7


def test_the_descriptor(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus(receive_own_messages=True)
    assert not select.select([bus], [], [], 0)[0]
    stub.inject(ONE, arbitration_id=1)
    assert select.select([bus], [], [], SECONDS)[0]
    assert bus.recv(0) is not None
    assert not select.select([bus], [], [], 0)[0]


def test_reception_that_another_program_switched_off(
    stub: Stub, open_bus: OpenBus, caplog: pytest.LogCaptureFixture
) -> None:
    stub.set("reception", 0)
    bus = open_bus()
    stub.inject(ONE, arbitration_id=1)
    assert received(bus, 1)[0].arbitration_id == 1
    stub.fail("CAN_SetValue", c.PCAN_ERROR_ILLOPERATION, skip=2)
    open_bus("PCAN_USBBUS2")
    assert "pcan:PCAN_USBBUS2: another program has switched reception off" in caplog.text


# --- sending ------------------------------------------------------------------------------------------


def test_a_full_transmit_queue(stub: Stub, open_bus: OpenBus) -> None:
    stub.set("tx_depth", 2)
    bus = open_bus()
    batch = MessageBatch([std(number) for number in range(3)])
    with pytest.raises(
        CanTimeoutError, match="pcan:PCAN_USBBUS1: CAN_Write: no room in the transmit queue"
    ) as late:
        bus.send_batch(batch, 0.02)
    assert (late.value.sent, late.value.error_code) == (2, c.PCAN_ERROR_QXMTFULL)
    for timeout in (0, None):
        with pytest.raises(PcanCanOperationError, match="CAN_Write: The transmit queue is full") as caught:
            bus.send(std(9), timeout)
        assert (caught.value.sent, caught.value.error_code) == (0, c.PCAN_ERROR_QXMTFULL)
    stub.set("tx_drained", 1)
    bus.send(std(4), 0)
    assert [record.id for record in stub.sent()] == [0, 1, 4]


def test_sending_waits_for_room(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    stub.fail("CAN_Write", c.PCAN_ERROR_XMTFULL, skip=1, count=5)
    bus.send_batch(MessageBatch([std(number) for number in range(3)]), SECONDS)
    stub.fail("CAN_Write", c.PCAN_ERROR_QXMTFULL, count=5)
    bus.send(std(3))
    assert [record.id for record in stub.sent()] == [0, 1, 2, 3]


@pytest.mark.parametrize("bits", [c.PCAN_ERROR_BUSHEAVY, c.PCAN_ERROR_BUSPASSIVE, c.PCAN_ERROR_BUSLIGHT])
def test_the_state_of_the_bus_is_no_failure_of_sending(stub: Stub, open_bus: OpenBus, bits: int) -> None:
    bus = open_bus()
    stub.fail("CAN_Write", bits)
    bus.send(std(1))


def test_bus_off(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    stub.inject(ONE, kind=KIND_STATE, code=c.PCAN_ERROR_BUSOFF)
    assert bus.recv(0) is None
    assert (bus.state, bus.status_string(), bus.status_is_ok()) == (BusState.ERROR, "BUSOFF", False)
    with pytest.raises(PcanCanOperationError, match="CAN_Write: The controller is bus-off") as caught:
        bus.send(std(1))
    assert caught.value.error_code == c.PCAN_ERROR_BUSOFF
    stub.clear_calls()
    bus.recover()
    assert [call.split(" ch=")[0] for call in stub.calls()[:4]] == [
        *("CAN_Uninitialize", "CAN_GetValue", "CAN_SetValue", "CAN_Initialize")
    ]
    assert (bus.state, bus.status_string(), bus.status_is_ok()) == (BusState.ACTIVE, "OK", True)
    bus.send(std(2))
    stub.inject(ONE, arbitration_id=3)
    assert received(bus, 1)[0].arbitration_id == 3


def test_recovering_while_others_wait(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus(can_filters=[{"can_id": 3, "can_mask": 0x7FF}], hw_filter=True)
    bus.fileno()
    found: list[Message | None] = []
    thread = threading.Thread(target=lambda: found.append(bus.recv(SECONDS)))
    thread.start()
    bus.recover()
    assert called(stub, "CAN_FilterMessages")[-1].startswith("CAN_FilterMessages ch=51 from=3")
    stub.inject(ONE, arbitration_id=3)
    thread.join(SECONDS)
    assert [frame and frame.arbitration_id for frame in found] == [3]
    stub.inject(ONE, arbitration_id=3)
    assert select.select([bus], [], [], SECONDS)[0]


def test_a_recovery_that_fails(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    stub.fail("CAN_Initialize", c.PCAN_ERROR_ILLHW)
    with pytest.raises(PcanCanInitializationError, match="CAN_Initialize"):
        bus.recover()
    with pytest.raises(PcanCanOperationError, match="CAN_Initialize: The hardware is invalid") as caught:
        bus.recv(SECONDS)
    assert caught.value.error_code == c.PCAN_ERROR_ILLHW
    assert bus.is_shutdown


def test_an_automatic_recovery_that_fails_while_sending(stub: Stub, open_bus: OpenBus) -> None:
    stub.set("autoreset", 0)
    bus = open_bus(auto_reset=True)
    stub.fail("CAN_Write", c.PCAN_ERROR_BUSOFF, skip=1)
    stub.fail("CAN_Initialize", c.PCAN_ERROR_ILLHW)
    with pytest.raises(PcanCanOperationError, match="CAN_Initialize: The hardware is invalid") as caught:
        bus.send_batch(MessageBatch([std(1), std(2)]))
    assert (caught.value.error_code, caught.value.sent) == (c.PCAN_ERROR_ILLHW, 1)


def test_automatic_recovery(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus(auto_reset=True)
    stub.inject(ONE, kind=KIND_STATE, code=c.PCAN_ERROR_BUSOFF)
    assert bus.recv(0) is None
    assert bus.state is BusState.ACTIVE
    assert len(called(stub, "CAN_Initialize")) == 1


def test_automatic_recovery_of_a_library_without_it(stub: Stub, open_bus: OpenBus) -> None:
    stub.set("autoreset", 0)
    bus = open_bus(auto_reset=True)
    stub.inject(ONE, kind=KIND_STATE, code=c.PCAN_ERROR_BUSOFF)
    assert bus.recv(0) is None
    assert bus.state is BusState.ACTIVE
    assert len(called(stub, "CAN_Initialize")) == 2
    stub.inject(ONE, arbitration_id=1)
    assert received(bus, 1)[0].arbitration_id == 1
    stub.inject(ONE, kind=KIND_STATE, code=c.PCAN_ERROR_BUSOFF)
    bus.send(std(2))  # a program that only sends recovers as well
    assert len(called(stub, "CAN_Initialize")) == 3
    assert [record.id for record in stub.sent()] == [2]


# --- state, filters, device ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings", [{"state": BusState.PASSIVE}, {"listen_only": True}, {"state": "PASSIVE"}]
)
def test_a_bus_that_only_listens(stub: Stub, open_bus: OpenBus, settings: dict[str, Any]) -> None:
    bus = open_bus(**settings)
    assert bus.state is BusState.PASSIVE
    assert (
        called(stub, "CAN_SetValue")[0] == f"CAN_SetValue ch=51 parameter={LISTEN_ONLY} value=1 size=4 -> 0"
    )
    stub.inject(ONE, arbitration_id=1)
    assert received(bus, 1)[0].arbitration_id == 1
    with pytest.raises(CanOperationError, match="pcan:PCAN_USBBUS1: the bus only listens") as caught:
        bus.send(std(1))
    assert caught.value.sent == 0
    assert not stub.sent()
    bus.state = BusState.ACTIVE
    bus.send(std(2))
    bus.state = BusState.PASSIVE
    with pytest.raises(CanOperationError, match="only listens"):
        bus.send(std(3))
    with pytest.raises(UsageError, match='state "ERROR"'):
        bus.state = BusState.ERROR
    stub.fail("CAN_SetValue", c.PCAN_ERROR_ILLOPERATION)
    with pytest.raises(PcanCanOperationError, match=r"CAN_SetValue\(LISTEN_ONLY\): The operation is invalid"):
        bus.state = BusState.ACTIVE
    assert bus.state is BusState.PASSIVE


def test_reset(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    stub.inject(ONE, arbitration_id=1)
    assert bus.reset()
    assert bus.recv(0) is None
    bus.flush_tx_buffer()
    stub.fail("CAN_Reset", c.PCAN_ERROR_INITIALIZE, count=2)
    assert not bus.reset()
    with pytest.raises(PcanCanOperationError, match="CAN_Reset: The channel is not initialised"):
        bus.flush_tx_buffer()


def test_the_text_of_a_status(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    for code, text in [
        *((0x8, "BUSWARNING"), (0x1C00, "ILLHANDLE"), (0x100, "ERR_REGTEST"), (0x2000, "ERR_RESOURCE")),
        *((0x4000000, "ERR_INITIALIZE"), (0x40000, "BUSPASSIVE"), (0x88, None)),
    ]:
        stub.fail("CAN_GetStatus", code)
        assert bus.status_string() == text
        stub.fail("CAN_GetStatus", code)
        assert bus.status() == code


def test_filters_run_in_software(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus(can_filters=[{"can_id": 0x120, "can_mask": 0x7F0, "extended": False}])
    for identifier, flags in ((0x11F, 0), (0x120, FLAG_EXTENDED), (0x125, FLAG_REMOTE), (0x12F, 0)):
        stub.inject(ONE, arbitration_id=identifier, flags=flags)
    stub.inject(ONE, kind=KIND_ERROR, arbitration_id=1, data=bytes(4))
    first, second, error = received(bus, 3)
    assert (first.arbitration_id, second.arbitration_id, error.is_error_frame) == (0x125, 0x12F, True)
    assert not called(stub, "CAN_FilterMessages")


def test_filters_of_the_library(stub: Stub, open_bus: OpenBus) -> None:
    standard = {"can_id": 0x120, "can_mask": 0x7F1, "extended": False}
    bus = open_bus(can_filters=[standard], hw_filter=True)
    for identifier, flags in ((0x11F, 0), (0x120, FLAG_EXTENDED), (0x121, 0), (0x122, 0)):
        stub.inject(ONE, arbitration_id=identifier, flags=flags)
    assert [frame.arbitration_id for frame in received(bus, 1)] == [0x122]
    assert called(stub, "CAN_FilterMessages") == ["CAN_FilterMessages ch=51 from=120 to=12e mode=0 -> 0"]
    bus.set_filters(None)
    stub.inject(ONE, arbitration_id=5)
    assert received(bus, 1)[0].arbitration_id == 5
    stub.fail("CAN_FilterMessages", c.PCAN_ERROR_ILLOPERATION)  # macOS
    bus.set_filters([{"can_id": 7, "can_mask": 0x7FF}])
    for identifier in (6, 7):
        stub.inject(ONE, arbitration_id=identifier)
    assert received(bus, 1)[0].arbitration_id == 7
    assert called(stub, "CAN_SetValue")[-1] == "CAN_SetValue ch=51 parameter=4 value=1 size=4 -> 0"


def test_flashing(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    stub.set("identify_ms", 300)
    with PcanBus() as bus:
        began = time.monotonic()
        bus.flash(True)
        bus.flash(False)
        assert time.monotonic() - began < 0.25
    # closing waited for the library
    assert sorted(call[-22:] for call in called(stub, "CAN_SetValue")[-2:]) == [
        "15 value=0 size=4 -> 0",
        "15 value=1 size=4 -> 0",
    ]
    with pytest.raises(CanOperationError, match="closed"):
        bus.flash(True)
    with PcanBus() as bus:
        stub.fail("CAN_SetValue", c.PCAN_ERROR_ILLPARAMTYPE)
        bus.flash(False)
    assert "pcan:PCAN_USBBUS1: the device cannot flash" in caplog.text


# --- time ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, FD])
def test_times_since_the_start_of_the_computer(
    stub: Stub, open_bus: OpenBus, settings: dict[str, Any]
) -> None:
    stub.set("boot_time", 1)
    bus = open_bus(**settings)
    began = time.time()
    found: list[Message] = []
    thread = threading.Thread(target=lambda: found.extend(received(bus, 2)))
    thread.start()
    for number in range(2):
        stub.inject(ONE, arbitration_id=number)
    thread.join(SECONDS)
    assert [began - 0.05 < frame.timestamp < time.time() + 0.05 for frame in found] == [True, True]
    stub.advance_clock(-3_600_000_000_000)  # the computer slept for an hour
    stub.inject(ONE, arbitration_id=3)
    found += received(bus, 1)
    assert began - 0.05 < found[2].timestamp < time.time() + 0.05


def test_a_frame_that_waited_has_its_own_time(stub: Stub, open_bus: OpenBus) -> None:
    stub.set("boot_time", 1)
    bus = open_bus()
    now = time.time_ns()
    stub.inject(ONE, arbitration_id=1, time_ns=now)
    received(bus, 1)
    bus._emptied_ns -= 20_000_000_000  # nobody has read for 20 s
    stub.inject(ONE, arbitration_id=2, time_ns=now - 10_000_000_000)
    [late] = received(bus, 1)
    assert late.timestamp == pytest.approx(now / 1e9 - 10, abs=1)


def test_the_overflow_of_milliseconds(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    stub.inject(ONE, arbitration_id=1, time_ns=1_796_000_000_123_456_000)  # more than 32 bits of them
    assert received(bus, 1)[0].timestamp_ns == 1_796_000_000_123_456_000


def test_an_echo_has_its_flag(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    stub.inject(ONE, arbitration_id=1, flags=FLAG_ECHO)
    assert not received(bus, 1)[0].is_rx
