"""The bus of a channel of a USB-CANmodule on the emulated library."""

from __future__ import annotations

import gc
import inspect
import pickle
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cantools_cli.backends.systec import bus as module
from cantools_cli.backends.systec import finder, reader
from cantools_cli.backends.systec.bus import Counters, UcanBus
from cantools_cli.backends.systec.exceptions import UcanCmdError, UcanError, UcanException, explanation
from cantools_cli.bit_timing.classic import BitTiming, BitTimingFd
from cantools_cli.bus.base import BusState
from cantools_cli.bus.interface import Bus
from cantools_cli.errors import (
    CanError,
    CanInitializationError,
    CanInterfaceNotImplementedError,
    CanOperationError,
    CanTimeoutError,
    InvalidMessageError,
    UsageError,
)
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests import strategies
from tests.vendor.kit import FLAG_ECHO, FLAG_EXTENDED, FLAG_REMOTE, KIND_STATE, Stub, compiled, loaded

SECONDS = 20.0
ALL = "ffffffff 00000000"


def message(identifier: int, data: bytes = b"", **more: object) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, data=data, **more)  # type: ignore[arg-type]


def received(bus: UcanBus, count: int) -> list[Message]:
    frames: list[Message] = []
    while len(frames) < count:
        frame = bus.recv(SECONDS)
        assert frame is not None, f"{len(frames)} of {count} frames"
        frames.append(frame)
    return frames


def in_thread(action: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Start ``action``; the list holds its result or exception afterwards."""
    results: list[object] = []

    def run() -> None:
        try:
            results.append(action())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


def names(stub: Stub) -> list[str]:
    return [call.split()[0] for call in stub.calls()]


def call_of(stub: Stub, name: str) -> str:
    """Return the last call of a function."""
    return next(call for call in reversed(stub.calls()) if call.split()[0] == name)


# --- opening ------------------------------------------------------------------------------------------


def test_the_documented_settings() -> None:
    parameters = inspect.signature(UcanBus).parameters
    assert [*parameters][:2] == ["channel", "can_filters"]
    documented = {
        "can_filters": None,
        "bitrate": 500_000,
        "device_number": 255,
        "state": BusState.ACTIVE,
        "receive_own_messages": False,
        "rx_buffer_entries": 4096,
        "tx_buffer_entries": 4096,
    }
    assert {name: parameters[name].default for name in documented} == documented


def test_opening_and_closing(stub: Stub) -> None:
    with UcanBus(0) as bus:
        assert str(bus) == "USB-CANmodul2 G3, S/N 1000000, CH 0, BTR 500 kBit/sec"
        assert bus.bit_rates == (500_000, None)
        assert stub.calls() == [
            "UcanInitHwConnectControlEx",
            "UcanInitHardwareEx 255",
            # size 24, mode 0, BTR 001C, OCR 1A, AMR, ACR, no code of a bit rate, 4096 entries each
            "UcanInitCanEx2 200 0 18000000" + "00" + "001c" + "1a" + "ffffffff" + "00000000" * 2 + "00100010",
            "UcanGetHardwareInfoEx2 200",
            f"UcanSetAcceptanceEx 200 0 {ALL}",
            "UcanGetModuleTime 200",
        ]
        stub.clear_calls()
    assert stub.calls() == ["UcanDeinitCanEx 200 0", "UcanDeinitHardware 200", "UcanDeinitHwConnectControl"]
    bus.shutdown()  # does nothing
    assert len(stub.calls()) == 3
    with UcanBus(0, bitrate=1_000_000) as bus:  # again
        assert str(bus).endswith("BTR 1 MBit/s")


@pytest.mark.parametrize(
    ("rate", "registers"),
    [
        (10_000, "672f"),
        (20_000, "532f"),
        (50_000, "472f"),
        (100_000, "432f"),
        (125_000, "031c"),
        (250_000, "011c"),
        (500_000, "001c"),
        (800_000, "0016"),
        (1_000_000, "0014"),
    ],
)
def test_bit_rates(stub: Stub, rate: int, registers: str) -> None:
    with UcanBus(0, bitrate=rate) as bus:
        assert call_of(stub, "UcanInitCanEx2").split()[3][10:14] == registers
        assert bus.bit_rates == (rate, None)


@pytest.mark.parametrize(
    ("given", "registers", "rate"),
    [
        ({"btr0btr1": 0x031C}, "031c", 125_000),
        ({"timing": BitTiming(f_clock=8_000_000, brp=2, tseg1=13, tseg2=2, sjw=1)}, "011c", 250_000),
        ({"timing": BitTiming(f_clock=16_000_000, brp=2, tseg1=13, tseg2=2, sjw=1)}, "001c", 500_000),
    ],
)
def test_registers(stub: Stub, given: dict[str, Any], registers: str, rate: int) -> None:
    with UcanBus(0, **given) as bus:
        assert call_of(stub, "UcanInitCanEx2").split()[3][10:14] == registers
        assert bus.bit_rates == (rate, None)
        assert str(bus).endswith(f"BTR 0x{registers}")


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        ({}, 0),
        ({"state": BusState.PASSIVE}, 1),
        ({"state": "passive"}, 1),
        ({"listen_only": "true"}, 1),
        ({"receive_own_messages": "yes"}, 2),
        ({"high_res_timer": True}, 8),
        ({"state": BusState.PASSIVE, "receive_own_messages": True, "high_res_timer": "1"}, 0xB),
    ],
)
def test_modes(stub: Stub, given: dict[str, Any], mode: int) -> None:
    with Bus(0, "systec", ignore_config=True, **given):
        assert int(call_of(stub, "UcanInitCanEx2").split()[3][8:10], 16) == mode


def test_settings_as_text(stub: Stub) -> None:
    given = {"bitrate": "125k", "device_number": "1", "rx_buffer_entries": "0x10", "tx_buffer_entries": "32"}
    with Bus("1", "systec", ignore_config=True, **given) as bus:
        assert str(bus) == "USB-CANmodul2 G3, S/N 1000001, CH 1, BTR 125 kBit/sec"
        assert call_of(stub, "UcanInitCanEx2").endswith("10002000")


@pytest.mark.parametrize(
    ("channel", "given", "text"),
    [
        (2, {}, "channel 2 is not between 0 and 1"),
        ("can0", {}, 'channel "can0" is not a number'),
        (0, {"bitrate": 123_456}, "bit rate 123456 is not in the table of the module"),
        (0, {"device_number": 256}, "device_number 256 is not between 0 and 255"),
        (0, {"serial": -1}, "serial -1 is not between"),
        (0, {"state": BusState.ERROR}, "is neither ACTIVE nor PASSIVE"),
        (0, {"rx_buffer_entries": 0}, "rx_buffer_entries 0 is not between 1 and 65535"),
        (0, {"tx_buffer_entries": 70_000}, "tx_buffer_entries 70000"),
        (0, {"btr0btr1": 0x10000}, "btr0btr1 65536 is not between"),
        (0, {"nonsense": 1}, 'no setting "nonsense"'),
        (0, {"can_filters": [{"can_id": 1}]}, "bad filter"),
        (
            0,
            {"timing": BitTimingFd.from_sample_point(80_000_000, 500_000, 80.0, 2_000_000, 80.0)},
            "the module has no CAN FD",
        ),
        (
            0,
            {"timing": BitTiming(f_clock=9_000_000, brp=1, tseg1=14, tseg2=3, sjw=1)},
            "the timing does not fit the clock of 8 MHz",
        ),
    ],
)
def test_wrong_settings(stub: Stub, channel: Any, given: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        UcanBus(channel, **given)


def test_a_library_by_any_name() -> None:
    path = compiled("systec")
    for name in ("dll", "library"):
        with loaded(path), UcanBus(0, **{name: str(path)}):  # type: ignore[arg-type]
            pass


def test_without_the_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CANX_SYSTEC_LIBRARY", raising=False)
    with pytest.raises(CanInterfaceNotImplementedError, match=r"USB-CAN library .* for Linux") as caught:
        UcanBus(0)
    assert caught.value.hint == "interface socketcan serves this hardware here"
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert UcanBus._obstacle() == "the USB-CAN library of SYS TEC does not exist for Linux"
    assert UcanBus._detect_available_configs() == []
    with pytest.raises(CanInterfaceNotImplementedError, match=r"cannot load"):
        UcanBus(0, dll=str(tmp_path / "missing.so"))


def test_an_old_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not necessary for frames may be missing, such as the search for modules."""
    path = compiled("systec", "NO_OPTIONAL")
    monkeypatch.setenv("CANX_SYSTEC_LIBRARY", str(path))
    with loaded(path) as stub, UcanBus(0) as bus, UcanBus(1) as other:
        bus.send(message(1))
        [frame] = received(other, 1)
        assert abs(frame.timestamp - time.time()) < 1
        stub.inject(0, kind=KIND_STATE, code=0x8, data=b"\x80\x00")
        assert received(bus, 1)[0].data[6:] == b"\0\0"  # the counters are unknown
        assert bus.state is BusState.PASSIVE
        assert UcanBus._detect_available_configs() == []
        for action in (bus.counters, bus.error_counters):
            with pytest.raises(CanOperationError, match="systec:0: the library has no function Ucan"):
                action()
        with pytest.raises(CanInitializationError, match="has no function UcanInitHardwareEx2"):
            UcanBus(0, serial=1_000_001)


# --- modules ------------------------------------------------------------------------------------------


def test_a_module_by_its_number_or_serial_number(stub: Stub) -> None:
    with UcanBus(0, device_number=1) as bus:
        assert "S/N 1000001" in str(bus)
    with UcanBus(0, serial=1_000_001) as bus:
        assert "S/N 1000001" in str(bus)
        assert "UcanInitHardwareEx2 1000001" in stub.calls()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {}),
        ({}, {"device_number": 0}),
        ({"device_number": 0}, {}),
        ({"device_number": 0}, {"serial": 1_000_000}),
        ({"serial": 1_000_000}, {"device_number": 0}),
    ],
)
def test_two_channels_share_their_module(stub: Stub, first: dict[str, Any], second: dict[str, Any]) -> None:
    bus = UcanBus(0, **first)
    with UcanBus(1, **second) as other:
        assert sum(name.startswith("UcanInitHardware") for name in names(stub)) == 1
        bus.send(message(1))
        assert received(other, 1)
        bus.shutdown()
        assert "UcanDeinitHardware" not in names(stub)
        stub.inject(1, arbitration_id=2)
        assert received(other, 1)
    assert names(stub)[-2:] == ["UcanDeinitHardware", "UcanDeinitHwConnectControl"]


def test_an_open_channel(stub: Stub) -> None:
    with (
        UcanBus(0, device_number=0),
        pytest.raises(CanInitializationError, match="systec:0: channel 0 of module 0 is already open"),
    ):
        UcanBus(0, device_number=0)


def test_any_module_is_another_one_if_the_channel_is_open(stub: Stub) -> None:
    with UcanBus(0) as bus, UcanBus(0) as other:
        assert ("1000000" in str(bus), "1000001" in str(other)) == (True, True)
        with pytest.raises(
            CanInitializationError, match="UcanInitHardwareEx: the module is in use"
        ) as caught:
            UcanBus(0)
        assert caught.value.error_code == 3


def test_a_module_of_another_program(stub: Stub) -> None:
    stub.set("in_use", 0)
    with pytest.raises(
        CanInitializationError, match="systec:0: UcanInitHardwareEx: the module is in use"
    ) as caught:
        UcanBus(0, device_number=0)
    assert caught.value.error_code == 3
    with UcanBus(0) as bus:
        assert "1000001" in str(bus)


def test_no_module(stub: Stub) -> None:
    stub.set("modules", 0)
    with pytest.raises(CanInitializationError, match="module not found") as caught:
        UcanBus(0)
    assert caught.value.error_code == 5
    assert isinstance(caught.value.__cause__, UcanError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_module_with_one_channel(stub: Stub) -> None:
    stub.set("product", 0x1104)
    with UcanBus(0, device_number=0) as bus:
        assert str(bus).startswith("USB-CANmodul1 G3")
        with pytest.raises(CanInitializationError, match="systec:1: channel 1 of module 0 does not exist"):
            UcanBus(1, device_number=0)
    with pytest.raises(
        CanInitializationError, match="systec:1: UcanInitCanEx2: the module has no such channel"
    ):
        UcanBus(1, device_number=0)


@pytest.mark.parametrize(
    ("function", "code"),
    [
        ("UcanInitHwConnectControlEx", 0x0C),
        ("UcanInitHardwareEx", 0x04),
        ("UcanInitCanEx2", 0x47),
        ("UcanGetHardwareInfoEx2", 0x09),
        ("UcanSetAcceptanceEx", 0x08),
        ("UcanSetTxTimeout", 0x12),
        ("UcanGetModuleTime", 0x0A),
    ],
)
def test_failures_while_opening(stub: Stub, function: str, code: int) -> None:
    """Whatever fails, nothing stays open."""
    stub.fail(function, code)
    with pytest.raises(CanInitializationError) as caught:
        UcanBus(0, tx_timeout=0.5)
    assert str(caught.value) == f"systec:0: {function}: {explanation(code)} [Error Code {code}]"
    assert caught.value.error_code == code
    kind = UcanCmdError if code >= 0x40 else UcanError
    assert isinstance(caught.value.__cause__, kind)
    assert stub.leaks() == 0
    with UcanBus(0):  # and nothing is left over
        pass


@pytest.mark.parametrize("function", ["UcanGetHardwareInfoEx2", "UcanSetAcceptanceEx"])
def test_the_first_failure_is_reported(stub: Stub, function: str) -> None:
    stub.fail(function, 0x09)
    stub.fail("UcanDeinitCanEx", 0x0A)
    with pytest.raises(CanInitializationError, match=f"systec:0: {function}: the module does not answer"):
        UcanBus(0)
    assert names(stub)[-3:] == ["UcanDeinitCanEx", "UcanDeinitHardware", "UcanDeinitHwConnectControl"]


def test_failures_while_the_second_channel_opens(stub: Stub) -> None:
    with UcanBus(0) as bus:
        stub.fail("UcanInitCanEx2", 0x47)
        with pytest.raises(CanInitializationError):
            UcanBus(1)
        stub.inject(0, arbitration_id=1)
        assert received(bus, 1)


def test_warnings_are_logged(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    stub.fail("UcanSetAcceptanceEx", 0x93)
    with UcanBus(0):
        assert caplog.messages == ["systec: UcanSetAcceptanceEx: wrong configuration"]


def test_detection(stub: Stub) -> None:
    configs = UcanBus._detect_available_configs()
    assert configs == [
        {"interface": "systec", "channel": channel, "device_number": number, "serial": 1_000_000 + number}
        for number in (0, 1)
        for channel in (0, 1)
    ]
    with Bus(**configs[3], ignore_config=True) as bus:
        assert str(bus).startswith("USB-CANmodul2 G3, S/N 1000001, CH 1")
        assert [config["device_number"] for config in UcanBus._detect_available_configs()] == [0, 0]
    stub.set("product", 0x1104)
    assert [config["channel"] for config in UcanBus._detect_available_configs()] == [0, 0]
    assert finder.details()["0,device_number=1,serial=1000001"] == {"product": "USB-CANmodul1 G3"}


# --- frames -------------------------------------------------------------------------------------------


def test_frames_both_ways(stub: Stub) -> None:
    with UcanBus(0) as bus, UcanBus(1) as other:
        bus.send(message(0x123, b"\1\2\3\4"))
        bus.send(Message(arbitration_id=0x12345678, is_remote_frame=True, dlc=6))
        other.send(message(0x7FF))
        first, second = received(other, 2)
        assert (first.arbitration_id, first.data, first.channel, first.is_rx) == (0x123, b"\1\2\3\4", 1, True)
        assert (second.arbitration_id, second.is_extended_id, second.dlc) == (0x12345678, True, 6)
        assert second.is_remote_frame
        assert abs(first.timestamp - time.time()) < 1
        [back] = received(bus, 1)
        assert back.arbitration_id == 0x7FF
        assert [(frame.id, frame.flags, frame.length) for frame in stub.sent()] == [
            (0x123, 0, 4),
            (0x12345678, FLAG_EXTENDED | FLAG_REMOTE, 6),
            (0x7FF, 0, 0),
        ]
        assert (bus.counters(), other.counters()) == (Counters(2, 1), Counters(1, 2))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(batch=st.lists(strategies.messages(kinds=("classic", "remote")), min_size=1, max_size=20))
def test_round_trip(stub: Stub, batch: list[Message]) -> None:
    with UcanBus(0) as bus, UcanBus(1) as other:
        bus.send_batch(MessageBatch(batch))
        for expected, found in zip(batch, received(other, len(batch)), strict=True):
            assert found.equals(expected, timestamp_delta=None, check_channel=False, check_direction=False)


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (Message(is_error_frame=True), "cannot send error frames"),
        (Message(is_fd=True, data=b"\0" * 12), "cannot send CAN FD frames"),
    ],
)
def test_frames_that_are_refused(stub: Stub, frame: Message, text: str) -> None:
    with UcanBus(0) as bus:
        with pytest.raises(InvalidMessageError, match=text):
            bus.send(frame)
        assert "UcanWriteCanMsgEx" not in names(stub)


@pytest.mark.parametrize("timeout", [None, 0, 5.0])
def test_a_full_buffer(stub: Stub, timeout: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SEND_SECONDS", 0.05)
    with UcanBus(0, tx_buffer_entries=100) as bus:
        stub.set("stalled", 1)
        with pytest.raises(CanTimeoutError, match="systec:0: UcanWriteCanMsgEx") as caught:
            bus.send_batch(MessageBatch([message(1)] * 150), 0.05 if timeout else timeout)
        assert caught.value.sent == 100
        assert caught.value.error_code in (0x0B, 0x91)
        with pytest.raises(CanTimeoutError) as caught:
            bus.send(message(1), 0.05 if timeout else timeout)
        assert (caught.value.sent, caught.value.error_code) == (0, 0x0B)
        bus.flush_tx_buffer()
        assert call_of(stub, "UcanResetCanEx") == "UcanResetCanEx 200 0 ff0b"
        bus.send(message(3), timeout)
        stub.set("stalled", 0)
        bus.send(message(4), timeout)
        assert [frame.id for frame in stub.sent()] == [3, 4]


@pytest.mark.parametrize("code", [0x08, 0x0B, 0x91])
def test_what_is_tried_again(stub: Stub, code: int) -> None:
    with UcanBus(0) as bus:
        stub.fail("UcanWriteCanMsgEx", code, count=3)
        bus.send(message(1), SECONDS)
        assert names(stub).count("UcanWriteCanMsgEx") == 4
        assert len(stub.sent()) == 1


@pytest.mark.parametrize("code", [0x85, 0x87, 0x92, 0x93])
def test_warnings_of_sending_are_no_failures(stub: Stub, code: int) -> None:
    with UcanBus(0) as bus:
        stub.fail("UcanWriteCanMsgEx", code)
        bus.send(message(1))
        assert len(stub.sent()) == 1


def test_closing_ends_a_send(stub: Stub) -> None:
    bus = UcanBus(0, tx_buffer_entries=1)
    stub.set("stalled", 1)
    bus.send(message(1))
    thread, results = in_thread(lambda: bus.send(message(2), 1000 * SECONDS))
    bus.shutdown()
    thread.join()
    assert isinstance(results[0], CanOperationError)


@pytest.mark.parametrize(
    "code", [code for code in (*range(1, 0x14), *range(0x40, 0x4D)) if code not in (8, 0x0B, 0x0E)]
)
def test_every_error_of_sending(stub: Stub, code: int) -> None:
    with UcanBus(0) as bus:
        stub.fail("UcanWriteCanMsgEx", code)
        with pytest.raises(CanOperationError) as caught:
            bus.send(message(1))
        assert caught.value.error_code == code
        text = f"systec:0: UcanWriteCanMsgEx: {explanation(code)} [Error Code {code}]"
        assert str(caught.value) == text
        assert isinstance(caught.value.__cause__, UcanException)
        assert str(pickle.loads(pickle.dumps(caught.value))) == text


def test_the_transmit_timeout(stub: Stub) -> None:
    with UcanBus(0, tx_timeout=0.5) as bus:
        for timeout in (None, 0.5, 2, 2.0, 0, 0.0001, None):
            bus.send(message(1), timeout)
        calls = [call for call in stub.calls() if call.startswith("UcanSetTxTimeout")]
        assert calls == [f"UcanSetTxTimeout 200 0 {milliseconds}" for milliseconds in (500, 2000, 0, 1)]


def test_frames_that_the_module_has_deleted(stub: Stub) -> None:
    with UcanBus(0) as bus:
        stub.fail("UcanWriteCanMsgEx", 0x87)
        bus.send(message(1))
        stub.inject(0, arbitration_id=1)
        stub.fail("UcanReadCanMsgEx", 0x87)
        received(bus, 1)
        stub.inject(0, kind=KIND_STATE, code=0x400)
        [error] = received(bus, 1)
        assert (error.is_error_frame, error.arbitration_id) == (True, 1)
        assert bus.losses == {reader.UNSENT: 3}


def test_listening_only(stub: Stub) -> None:
    with UcanBus(0, listen_only=True) as bus, UcanBus(1) as other:
        other.send(message(1))
        assert received(bus, 1)
        assert bus.state is BusState.PASSIVE
        with pytest.raises(CanOperationError, match="a listen-only bus does not send"):
            bus.send(message(2))


# --- receiving ----------------------------------------------------------------------------------------


def test_timeouts(stub: Stub) -> None:
    with UcanBus(0) as bus:
        stub.clear_calls()
        assert bus.recv(0) is None
        assert stub.calls() == ["UcanReadCanMsgEx 200 0 64"]
        start = time.monotonic()
        assert bus.recv(0.25) is None
        assert time.monotonic() - start >= 0.25
        assert len(stub.calls()) <= 6


def test_an_event_ends_a_wait(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UcanBus, "_slice", 1000.0)
    with UcanBus(0) as bus, UcanBus(1) as other:
        thread, results = in_thread(bus.recv)
        other.send(message(5))
        thread.join()
        [frame] = results
        assert isinstance(frame, Message)
        assert frame.arbitration_id == 5


def test_an_event_before_its_frame(stub: Stub) -> None:
    with UcanBus(0) as bus:
        stub.set("hidden_ms", 30)
        stub.inject(0, arbitration_id=1)
        assert received(bus, 1)[0].arbitration_id == 1


def test_closing_ends_a_wait(stub: Stub) -> None:
    bus = UcanBus(0)
    threads = [in_thread(bus.recv) for _ in range(3)]
    bus.shutdown()
    for thread, results in threads:
        thread.join()
        assert isinstance(results[0], CanOperationError)
    for action in (lambda: bus.recv(0), lambda: bus.send(message(1)), bus.flush_tx_buffer, bus.counters):
        with pytest.raises(CanOperationError, match="closed"):
            action()


def test_the_callbacks_outlive_the_garbage_collector(stub: Stub) -> None:
    with UcanBus(0) as bus:
        gc.collect()
        for number in range(20):
            stub.inject(0, arbitration_id=number)
            assert received(bus, 1)[0].arbitration_id == number


def test_threads(stub: Stub) -> None:
    """Two senders and a receiver: nothing is lost, and the order of each sender is kept."""
    stub.set("log", 0)
    count = 2000
    with UcanBus(0) as bus, UcanBus(1, rx_buffer_entries=8192) as other:
        found: list[Message] = []
        thread, _ = in_thread(lambda: found.extend(received(other, 2 * count)))

        def send(identifier: int) -> None:
            for number in range(0, count, 100):
                data = [(number + step).to_bytes(4, "big") for step in range(100)]
                bus.send_batch(MessageBatch([message(identifier, part) for part in data]))

        senders = [in_thread(lambda identifier=identifier: send(identifier))[0] for identifier in (1, 2)]  # type: ignore[misc]
        for one in (*senders, thread):
            one.join()
        for identifier in (1, 2):
            numbers = [
                int.from_bytes(frame.data, "big") for frame in found if frame.arbitration_id == identifier
            ]
            assert numbers == [*range(count)]


def test_an_overflow_of_the_library(stub: Stub) -> None:
    with UcanBus(0, rx_buffer_entries=100) as bus:
        for number in range(150):
            stub.inject(0, arbitration_id=number)
        batch = bus.recv_batch(SECONDS)
        assert batch is not None
        assert len(batch) == 101
        mark = batch[100]
        assert (mark.is_error_frame, mark.arbitration_id, mark.data[1]) == (True, 4, 1)
        assert bus.losses == {"overruns of the receive buffer of the library (frames lost)": 1}


@pytest.mark.parametrize(("code", "what"), [(0x81, "driver"), (0x82, "library"), (0x86, "module")])
def test_overruns_come_with_frames(stub: Stub, code: int, what: str) -> None:
    with UcanBus(0) as bus:
        stub.inject(0, arbitration_id=1)
        stub.fail("UcanReadCanMsgEx", code)
        frame, mark = received(bus, 2)
        assert (frame.arbitration_id, mark.is_error_frame) == (1, True)
        assert bus.losses == {f"overruns of the receive buffer of the {what} (frames lost)": 1}


@pytest.mark.parametrize("code", [code for code in (*range(1, 0x14), *range(0x40, 0x4D)) if code != 0x0E])
def test_every_error_of_receiving(stub: Stub, code: int) -> None:
    with UcanBus(0) as bus:
        stub.fail("UcanReadCanMsgEx", code)
        with pytest.raises(CanOperationError) as caught:
            bus.recv(0)
        assert caught.value.error_code == code
        assert str(caught.value).startswith(f"systec:0: UcanReadCanMsgEx: {explanation(code)}")
        assert bus.recv(0) is None


def test_a_failure_comes_after_the_frames(stub: Stub) -> None:
    with UcanBus(0) as bus:
        for number in range(64):
            stub.inject(0, arbitration_id=number)
        stub.fail("UcanReadCanMsgEx", 0x0A, skip=1)
        assert len(received(bus, 64)) == 64
        with pytest.raises(CanOperationError, match="no communication with the driver"):
            bus.recv(0)
        assert bus.recv(0) is None


# --- unplugging ---------------------------------------------------------------------------------------


def test_unplugging_ends_a_wait(stub: Stub) -> None:
    bus, other = UcanBus(0), UcanBus(1)
    with UcanBus(0) as neighbour:
        thread, results = in_thread(bus.recv)
        stub.unplug(0)
        thread.join()
        [error] = results
        assert isinstance(error, CanOperationError)
        assert str(error).endswith("device disconnected [Error Code 14]")
        assert bus.is_shutdown
        stub.clear_calls()
        with pytest.raises(CanOperationError, match="device disconnected") as caught:
            other.send(message(1))
        assert (caught.value.error_code, caught.value.sent) == (0x0E, 0)
        with pytest.raises(CanOperationError, match="device disconnected"):
            other.recv(SECONDS)
        assert other.is_shutdown
        assert not stub.calls()  # the handle must not be used any more
        stub.inject(2, arbitration_id=3)
        assert received(neighbour, 1)
        stub.clear_calls()
    assert "UcanDeinitHardware 201" in stub.calls()
    assert not [call for call in stub.calls() if " 200" in call]


def test_a_module_that_was_unplugged_can_be_opened_again(stub: Stub) -> None:
    bus = UcanBus(0, device_number=0)
    stub.unplug(0)
    with pytest.raises(CanOperationError):
        bus.recv(SECONDS)
    with pytest.raises(CanInitializationError):
        UcanBus(0, device_number=0)


def test_unplugging_while_sending(stub: Stub) -> None:
    bus = UcanBus(0)
    stub.fail("UcanWriteCanMsgEx", 0x0E)
    with pytest.raises(CanOperationError, match="device disconnected") as caught:
        bus.send(message(1))
    assert caught.value.sent == 0
    with pytest.raises(CanOperationError, match="device disconnected"):
        bus.recv(SECONDS)
    assert bus.is_shutdown
    stub.reset()  # the library itself still has the module


def test_the_disconnection_of_another_module(stub: Stub) -> None:
    with UcanBus(0) as bus:
        stub.functions.stub_event(7, 0)  # DISCONNECT, which names no handle
        stub.functions.stub_event(6, 0)
        stub.functions.stub_event(8, 199)
        stub.inject(0, arbitration_id=1)
        assert received(bus, 1)
        assert bus.recv(0.02) is None


@pytest.mark.parametrize(
    ("function", "code"),
    [("UcanDeinitCanEx", 0x09), ("UcanDeinitHardware", 0x0A)],
)
def test_failures_of_closing(stub: Stub, function: str, code: int) -> None:
    bus = UcanBus(0)
    stub.fail(function, code)
    with pytest.raises(CanOperationError, match=f"systec:0: {function}") as caught:
        bus.shutdown()
    assert caught.value.error_code == code
    bus.shutdown()
    assert names(stub)[-3:] == ["UcanDeinitCanEx", "UcanDeinitHardware", "UcanDeinitHwConnectControl"]


# --- own messages, filters, state ---------------------------------------------------------------------


def test_own_messages(stub: Stub) -> None:
    with UcanBus(0, receive_own_messages=True) as bus, UcanBus(1) as other:
        bus.send(message(1, b"\5"))
        [own] = received(bus, 1)
        assert (own.is_rx, own.data) == (False, b"\5")
        assert abs(own.timestamp - time.time()) < 1
        other.send(message(2))
        assert received(bus, 1)[0].is_rx
        assert received(other, 1)[0].is_rx
        assert other.recv(0.01) is None
        bus.set_filters([{"can_id": 3, "can_mask": 0x7FF, "extended": False}])
        bus.send(message(4))
        bus.send(message(3))
        assert received(bus, 1)[0].arbitration_id == 3


FILTERS: list[tuple[Any, str, list[int]]] = [
    (None, ALL, [1, 2, 0x10001]),
    ([{"can_id": 1, "can_mask": 0x7FF, "extended": False}], "001fffff 00200000", [1]),
    ([{"can_id": 0x10001, "can_mask": 0x1FFFFFFF, "extended": True}], "00000007 00080008", [0x10001]),
    ([{"can_id": 1, "can_mask": 0xFFFF}], ALL, [1, 0x10001]),
    ([{"can_id": 1, "can_mask": 0x7FF, "extended": False}, {"can_id": 2, "can_mask": 0x7FF}], ALL, [1, 2]),
    (UcanBus.create_filter(False, 0, 1, False, True), "003fffff 00000000", [1]),
    (UcanBus.create_filter(True, 0x10000, 0x1FFFF, False, True), "0007ffff 00080000", [0x10001]),
    (
        UcanBus.create_filter(False, 2, 2, False, True)
        + UcanBus.create_filter(True, 0x10001, 0x10001, False, True),
        ALL,
        [2, 0x10001],
    ),
]


@pytest.mark.parametrize(("filters", "registers", "expected"), FILTERS)
def test_filters(stub: Stub, filters: Any, registers: str, expected: list[int]) -> None:
    with UcanBus(0, can_filters=filters) as bus:
        for _ in range(2):
            assert call_of(stub, "UcanSetAcceptanceEx") == f"UcanSetAcceptanceEx 200 0 {registers}"
            stub.inject(0, arbitration_id=1)
            stub.inject(0, arbitration_id=2)
            stub.inject(0, arbitration_id=0x10001, flags=FLAG_EXTENDED)
            assert [frame.arbitration_id for frame in received(bus, len(expected))] == expected
            assert bus.recv(0) is None
            bus.set_filters(None)
            bus.set_filters(filters)
        assert bus.filters == (filters or None)


def test_remote_frames_by_a_filter_of_the_module(stub: Stub) -> None:
    with UcanBus(0, can_filters=UcanBus.create_filter(False, 1, 1, True, False)) as bus:  # type: ignore[arg-type]
        for _ in range(2):
            stub.inject(0, arbitration_id=1)
            stub.inject(0, arbitration_id=1, flags=FLAG_REMOTE)
            [frame] = received(bus, 1)
            assert frame.is_remote_frame
            assert bus.recv(0) is None


def test_a_failure_of_a_filter(stub: Stub) -> None:
    with UcanBus(0) as bus:
        stub.fail("UcanSetAcceptanceEx", 0x07)
        with pytest.raises(CanOperationError, match="systec:0: UcanSetAcceptanceEx: illegal parameter"):
            bus.set_filters(None)


def test_changes_of_the_state(stub: Stub) -> None:
    with UcanBus(0) as bus:
        assert bus.state is BusState.ACTIVE
        for status, data, error_class, expected in (
            (0x04, b"\x60\x00", 0x204, BusState.ACTIVE),
            (0x0C, b"\x80\x00", 0x204, BusState.PASSIVE),
            (0x1C, b"\xff\x00", 0x240, BusState.ERROR),
        ):
            stub.inject(0, kind=KIND_STATE, code=status, data=data)
            [error] = received(bus, 1)
            assert (error.is_error_frame, error.arbitration_id, error.channel) == (True, error_class, 0)
            assert error.data[6:] == data
            assert abs(error.timestamp - time.time()) < 1
            assert bus.state is expected
        assert bus.error_counters() == (0, 0xFF)
        bus.state = BusState.ACTIVE  # ends a bus-off
        assert call_of(stub, "UcanResetCanEx") == "UcanResetCanEx 200 0 0"
        assert bus.state is BusState.ACTIVE


def test_an_overrun_that_the_status_reports(stub: Stub) -> None:
    with UcanBus(0) as bus:
        stub.inject(0, kind=KIND_STATE, code=0x02)
        assert received(bus, 1)[0].data[1] == 1
        assert bus.losses == {reader.OVERRUNS: 1}
        stub.inject(0, kind=KIND_STATE, code=0x02)  # no change
        assert bus.recv(0.02) is None


def test_a_failure_of_the_status(stub: Stub) -> None:
    with UcanBus(0) as bus:
        stub.fail("UcanGetStatusEx", 0x09)
        stub.inject(0, kind=KIND_STATE, code=0x04)
        with pytest.raises(CanOperationError, match="UcanGetStatusEx: the module does not answer"):
            bus.recv(SECONDS)


def test_setting_the_state(stub: Stub) -> None:
    with UcanBus(0, can_filters=[{"can_id": 1, "can_mask": 0x7FF, "extended": False}]) as bus:
        stub.clear_calls()
        bus.state = BusState.PASSIVE
        assert names(stub) == ["UcanDeinitCanEx", "UcanInitCanEx2", "UcanSetAcceptanceEx"]
        assert call_of(stub, "UcanSetAcceptanceEx").endswith("001fffff 00200000")
        assert int(call_of(stub, "UcanInitCanEx2").split()[3][8:10], 16) == 1
        assert bus.state is BusState.PASSIVE
        with pytest.raises(CanOperationError, match="listen-only"):
            bus.send(message(1))
        bus.state = BusState.ACTIVE
        assert bus.state is BusState.ACTIVE
        bus.send(message(1))
        stub.inject(0, arbitration_id=1)
        assert received(bus, 1)
        with pytest.raises(UsageError, match="neither ACTIVE nor PASSIVE"):
            bus.state = BusState.ERROR


def test_setting_the_state_fails(stub: Stub) -> None:
    bus = UcanBus(0)
    stub.fail("UcanInitCanEx2", 0x09)
    with pytest.raises(CanOperationError, match="systec:0: UcanInitCanEx2"):
        bus.state = BusState.PASSIVE
    bus.shutdown()


def test_setting_the_state_while_receiving(stub: Stub) -> None:
    with UcanBus(0) as bus:
        thread, results = in_thread(lambda: received(bus, 1))
        for _ in range(20):
            bus.state = BusState.PASSIVE
            bus.state = BusState.ACTIVE
        stub.inject(0, arbitration_id=1)
        thread.join()
        assert not isinstance(results[0], CanError), results


def test_another_bit_rate_on_the_bus(stub: Stub) -> None:
    with UcanBus(0, bitrate=250_000) as bus, UcanBus(1) as other:
        other.send(message(1))
        assert received(bus, 1)[0].is_error_frame


def test_there_is_no_descriptor(stub: Stub) -> None:
    with UcanBus(0) as bus, pytest.raises(NotImplementedError):
        bus.fileno()


def test_periodic_sending(stub: Stub) -> None:
    with UcanBus(0) as bus, UcanBus(1) as other:
        task = bus.send_periodic(message(7), 0.001)
        assert len(received(other, 5)) == 5
        task.stop()


# --- timestamps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("counter_bits", [24, 32])
@pytest.mark.parametrize("high_res", [False, True])
def test_the_counter_of_the_module(stub: Stub, counter_bits: int, high_res: bool) -> None:
    tick = 100_000 if high_res else 1_000_000
    now = time.time_ns() - 60 * tick
    stub.set("clock_bits", counter_bits)
    stub.set("clock", (1 << counter_bits) - 5 - now // tick)  # wraps soon
    with UcanBus(0, high_res_timer=high_res) as bus:
        for step in range(0, 60, 20):
            stub.inject(0, arbitration_id=1, time_ns=now + tick * step)
        first, second, third = received(bus, 3)
        assert (
            second.timestamp_ns - first.timestamp_ns == third.timestamp_ns - second.timestamp_ns == 20 * tick
        )
        assert abs(first.timestamp_ns - time.time_ns()) < 1_000_000_000


def test_frames_that_have_waited(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a pause of the program, the time of the module tells how old frames are."""
    with UcanBus(0) as bus:
        stub.inject(0, arbitration_id=1, time_ns=time.time_ns() - 10_000_000_000)
        monkeypatch.setattr(reader, "_STALE_NS", 0)
        [frame] = received(bus, 1)
        assert abs(frame.timestamp - (time.time() - 10)) < 0.1


def test_the_time_of_the_module_fails(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    with UcanBus(0) as bus:
        monkeypatch.setattr(reader, "_STALE_NS", 0)
        stub.fail("UcanGetModuleTime", 0x09)
        stub.inject(0, arbitration_id=1)
        assert abs(received(bus, 1)[0].timestamp - time.time()) < 1


def test_an_echo_has_the_time_of_the_module(stub: Stub) -> None:
    with UcanBus(0) as bus:
        stub.inject(0, arbitration_id=1, flags=FLAG_ECHO)
        assert not received(bus, 1)[0].is_rx
