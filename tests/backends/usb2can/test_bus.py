"""The bus of a USB2CAN adapter on the emulated library."""

from __future__ import annotations

import inspect
import logging
import pickle
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cantools_cli.backends.usb2can import bus as module
from cantools_cli.backends.usb2can import finder
from cantools_cli.backends.usb2can.bus import FULL, Statistics, Usb2canBus
from cantools_cli.backends.usb2can.canal import CanalError
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bus.base import BusState
from cantools_cli.bus.interface import Bus
from cantools_cli.errors import (
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
from tests.vendor.kit import FLAG_EXTENDED, FLAG_REMOTE, KIND_ERROR, KIND_STATE, Stub, compiled, loaded

SECONDS = 20.0


def message(identifier: int, data: bytes = b"", **more: object) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, data=data, **more)  # type: ignore[arg-type]


def received(bus: Usb2canBus, count: int) -> list[Message]:
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


# --- opening ------------------------------------------------------------------------------------------


def test_the_documented_signature() -> None:
    parameters = inspect.signature(Usb2canBus).parameters
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    documented = {"channel": None, "dll": "usb2can.dll", "flags": 8, "bitrate": 500_000, "serial": None}
    assert {name: defaults[name] for name in documented} == documented
    assert [*parameters][:4] == ["channel", "dll", "flags", "_"]
    assert parameters["_"].kind is inspect.Parameter.VAR_POSITIONAL


def test_opening_and_closing(stub: Stub) -> None:
    with Usb2canBus("ED000200") as bus:
        assert str(bus) == "USB2CAN device ED000200"
        assert bus.bit_rates == (500_000, None)
        assert stub.calls() == ['CanalOpen "ED000200; 500" 8', f"CanalGetStatus {bus.handle}"]
        stub.clear_calls()
    assert stub.calls() == [f"CanalClose {bus.handle}"]
    bus.shutdown()  # does nothing
    assert len(stub.calls()) == 1
    with Usb2canBus("ED000200", bitrate=250_000):  # again
        pass


@pytest.mark.parametrize(
    ("rate", "on_the_wire"), [(125_000, 125_000), (50_000, 50_000), (83_333, 83_333), (2_000_000, 1_000_000)]
)
def test_the_bit_rate(stub: Stub, rate: int, on_the_wire: int, caplog: pytest.LogCaptureFixture) -> None:
    with Usb2canBus("ED000200", bitrate=rate) as bus:
        assert stub.functions.stub_bitrate(bus.handle) == on_the_wire
        assert bus.bit_rates == (on_the_wire, None)
    assert caplog.messages == (
        ["usb2can: bit rate 2000000 bit/s is limited to 1000000 bit/s"] if rate > 1_000_000 else []
    )


@pytest.mark.parametrize(
    ("given", "flags"),
    [
        ({}, 0x8),
        ({"flags": 0}, 0x0),
        ({"flags": "0x9"}, 0x9),
        ({"listen_only": True}, 0x9),
        ({"listen_only": "yes", "loopback": "true", "one_shot": "1", "status_frames": "off"}, 0x7),
        ({"flags": 0, "status_frames": True}, 0x8),
        ({"flags": 0xF, "one_shot": True}, 0xF),
    ],
)
def test_flags(stub: Stub, given: dict[str, object], flags: int) -> None:
    with Bus("ED000200", "usb2can", ignore_config=True, **given):
        assert stub.calls()[0] == f'CanalOpen "ED000200; 500" {flags:x}'


def test_a_serial_number_of_digits_may_be_a_number(stub: Stub) -> None:
    with Usb2canBus(12345678) as bus:  # type: ignore[arg-type]  # as configuration files may give it
        assert str(bus) == "USB2CAN device 12345678"


def test_serial_has_priority(stub: Stub) -> None:
    with Usb2canBus("ED000200", serial="ED000201") as bus:
        assert str(bus) == "USB2CAN device ED000201"


def test_more_positional_settings_have_no_effect(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    with Usb2canBus("ED000200", "usb2can.dll", 8, 125_000) as bus:
        assert bus.bit_rates == (500_000, None)
    assert caplog.messages == ["usb2can: 1 positional settings after flags are ignored; name them"]


def test_settings_as_text(stub: Stub) -> None:
    with Bus("ED000200", "usb2can", ignore_config=True, bitrate="125k", timestamps="host") as bus:
        assert bus.bit_rates == (125_000, None)


def test_a_timing(stub: Stub) -> None:
    timing = BitTiming(f_clock=32_000_000, brp=8, tseg1=12, tseg2=3, sjw=2)
    with Usb2canBus("ED000200", timing=timing) as bus:
        assert stub.calls()[0] == 'CanalOpen "ED000200; 0; 12; 3; 2; 8" 8'
        assert stub.functions.stub_bitrate(bus.handle) == bus.bit_rates[0] == 250_000


@pytest.mark.parametrize(
    ("channel", "given", "text"),
    [
        ("ED000200", {"bitrate": 123_456}, "cannot reach 123456 bit/s"),
        ("ED;000200", {}, "is not a serial number"),
        ("ED000200", {"timestamps": "never"}, '"never" is neither device nor host'),
        ("ED000200", {"bitrat": 5}, 'no setting "bitrat"'),
        ("ED000200", {"can_filters": [{"can_id": 1}]}, "bad filter"),
    ],
)
def test_wrong_settings(stub: Stub, channel: str, given: dict[str, object], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        Usb2canBus(channel, **given)  # type: ignore[arg-type]


def test_a_library_by_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    path = compiled("usb2can")
    for name in ("dll", "library"):
        with loaded(path), Usb2canBus("ED000200", **{name: str(path)}):
            pass
        with loaded(path), Usb2canBus("ED000200", **{name: path}):  # type: ignore[arg-type]
            pass


def test_without_the_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CANX_USB2CAN_LIBRARY", raising=False)
    with pytest.raises(CanInterfaceNotImplementedError, match="does not exist for Linux") as caught:
        Usb2canBus("ED000200")
    assert caught.value.hint == "interface socketcan serves this hardware here"
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert Usb2canBus._obstacle() == "the CANAL library of 8devices does not exist for Linux"
    assert Usb2canBus.detect_available_configs() == []
    with pytest.raises(CanInterfaceNotImplementedError, match=r'cannot load ".*missing.so"'):
        Usb2canBus("ED000200", dll=str(tmp_path / "missing.so"))


def test_an_old_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the functions for frames are necessary."""
    path = compiled("usb2can", "NO_OPTIONAL")
    monkeypatch.setenv("CANX_USB2CAN_LIBRARY", str(path))
    with loaded(path) as stub, Usb2canBus("ED000200") as bus, Usb2canBus("ED000201") as other:
        bus.send(message(1))
        assert other.recv(SECONDS)
        assert bus.state is BusState.ACTIVE
        stub.inject(0, kind=KIND_STATE, code=3, data=b"\x80\x00")
        received(bus, 1)
        assert bus.state is BusState.PASSIVE
        stub.inject(0, kind=KIND_STATE, code=4)
        received(bus, 1)
        assert bus.state is BusState.ERROR
        assert bus.pending() == 0
        with pytest.raises(CanOperationError, match="the library has no function CanalGetStatistics"):
            bus.statistics()


# --- failures while opening ---------------------------------------------------------------------------


def test_no_such_device(stub: Stub) -> None:
    stub.set("absent", 1)
    with pytest.raises(
        CanInitializationError, match='CanalOpen refused the configuration "ED000200; 500"'
    ) as caught:
        Usb2canBus("ED000200")
    assert caught.value.error_code == 0
    assert "serial number" in (caught.value.hint or "")


def test_a_negative_handle(stub: Stub) -> None:
    stub.fail("CanalOpen", -1)
    with pytest.raises(CanInitializationError) as caught:
        Usb2canBus("ED000200")
    assert caught.value.error_code == -1


def test_a_refused_configuration(stub: Stub) -> None:
    stub.fail("CanalGetStatus", 14)
    with pytest.raises(CanInitializationError, match="usb2can:ED000200: CanalGetStatus: INIT_FAIL") as caught:
        Usb2canBus("ED000200")
    assert caught.value.error_code == 14
    assert stub.calls()[-1].startswith("CanalClose")


# --- finding ------------------------------------------------------------------------------------------


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(finder, "SOURCES", [lambda: found])
    return found


def test_the_first_device(stub: Stub, connected: list[str], caplog: pytest.LogCaptureFixture) -> None:
    connected.append(r"USB\VID_0483&PID_1234\ED000207")
    with Usb2canBus() as bus:
        assert str(bus) == "USB2CAN device ED000207"
    assert not caplog.messages


def test_several_devices_are_listed(
    stub: Stub, connected: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    connected += (r"USB\VID_0483&PID_1234\ED000207", r"USB\VID_0483&PID_1234\ED000208")
    with Usb2canBus("") as bus:
        assert str(bus) == "USB2CAN device ED000207"
    assert caplog.messages == [
        "usb2can: 2 adapters are connected, ED000207 is used; name one as the channel: ED000207, ED000208"
    ]


def test_no_device(stub: Stub, connected: list[str]) -> None:
    with pytest.raises(CanInitializationError, match="no adapter was found"):
        Usb2canBus()


def test_detection(stub: Stub, connected: list[str]) -> None:
    connected += (r"USB\VID_0483&PID_1234\ED000207", r"USB\VID_0483&PID_1234\ED000208")
    configs = [{"interface": "usb2can", "channel": f"ED00020{digit}"} for digit in (7, 8)]
    assert Usb2canBus._detect_available_configs() == configs
    assert Usb2canBus.detect_available_configs("208") == configs[1:]
    with Bus(**configs[1], ignore_config=True) as bus:
        assert str(bus) == "USB2CAN device ED000208"


# --- frames -------------------------------------------------------------------------------------------


def test_frames_both_ways(stub: Stub) -> None:
    with Usb2canBus("ED000200") as bus, Usb2canBus("ED000201") as other:
        bus.send(message(0x123, b"\1\2\3\4"))
        bus.send(Message(arbitration_id=0x12345678, is_remote_frame=True, dlc=6), timeout=1)
        other.send(message(0x7FF))
        first, second = received(other, 2)
        assert (first.arbitration_id, first.data, first.channel, first.is_rx) == (
            0x123,
            b"\1\2\3\4",
            "ED000201",
            True,
        )
        assert (second.arbitration_id, second.is_extended_id, second.dlc) == (0x12345678, True, 6)
        assert second.is_remote_frame
        assert abs(first.timestamp - time.time()) < 1
        [back] = received(bus, 1)
        assert back.arbitration_id == 0x7FF
        frames = stub.sent()
        assert [(frame.id, frame.flags, frame.length) for frame in frames] == [
            (0x123, 0, 4),
            (0x12345678, FLAG_EXTENDED | FLAG_REMOTE, 6),
            (0x7FF, 0, 0),
        ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(batch=st.lists(strategies.messages(kinds=("classic", "remote")), min_size=1, max_size=20))
def test_round_trip(stub: Stub, batch: list[Message]) -> None:
    with Usb2canBus("ED000200") as bus, Usb2canBus("ED000201") as other:
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
    with Usb2canBus("ED000200") as bus:
        with pytest.raises(InvalidMessageError, match=text):
            bus.send(frame)
        assert not stub.sent()


@pytest.mark.parametrize("timeout", [None, 0, 5.0])
def test_a_full_queue(stub: Stub, timeout: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SEND_SECONDS", 0.05)
    stub.set("log", 0)
    with Usb2canBus("ED000200") as bus:
        stub.set("stalled", 1)
        bus.send_batch(MessageBatch([message(1)] * 1000))
        with pytest.raises(CanTimeoutError, match="the transmit queue is full") as caught:
            bus.send_batch(MessageBatch([message(2)] * 50), 0.05 if timeout else timeout)
        assert caught.value.sent == 24
        assert caught.value.error_code in (9, 32)
        stub.set("stalled", 0)
        bus.send(message(3), timeout)
        assert len(stub.sent()) == 1025


def test_room_in_time(stub: Stub) -> None:
    stub.set("log", 0)
    with Usb2canBus("ED000200") as bus:
        stub.set("stalled", 1)
        bus.send_batch(MessageBatch([message(1)] * 1024))
        thread, results = in_thread(lambda: bus.send(message(2), SECONDS))
        stub.set("stalled", 0)
        thread.join()
        assert results == [None]
        assert len(stub.sent()) == 1025


def test_closing_ends_a_send(stub: Stub) -> None:
    stub.set("log", 0)
    bus = Usb2canBus("ED000200")
    stub.set("stalled", 1)
    bus.send_batch(MessageBatch([message(1)] * 1024))
    thread, results = in_thread(lambda: bus.send(message(2), 1000 * SECONDS))
    bus.shutdown()
    thread.join()
    assert isinstance(results[0], CanOperationError)


@pytest.mark.parametrize("code", [code for code in CanalError if code not in (0, 9, 21, 32)])
def test_every_code_of_sending(stub: Stub, code: CanalError) -> None:
    with Usb2canBus("ED000200") as bus:
        stub.fail("CanalSend", code)
        with pytest.raises(CanOperationError) as caught:
            bus.send(message(1))
        assert caught.value.error_code == code
        text = f"usb2can:ED000200: sending: {code.name}, {code.explanation}"
        assert str(caught.value) == f"{text} [Error Code {int(code)}]"
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_listening_only(stub: Stub) -> None:
    with Usb2canBus("ED000200", listen_only=True) as bus, Usb2canBus("ED000201") as other:
        other.send(message(1))
        assert received(bus, 1)
        assert bus.state is BusState.PASSIVE
        with pytest.raises(CanOperationError, match="a listen-only bus does not send"):
            bus.send(message(2))


def test_loopback(stub: Stub) -> None:
    with Usb2canBus("ED000200", loopback=True) as bus, Usb2canBus("ED000201") as other:
        other.send(message(1))
        bus.send(message(2))
        assert received(bus, 1)[0].arbitration_id == 2
        assert other.recv(0) is None


# --- receiving ----------------------------------------------------------------------------------------


def test_timeouts(stub: Stub) -> None:
    with Usb2canBus("ED000200") as bus:
        stub.clear_calls()
        assert bus.recv(0) is None
        assert stub.calls() == [f"CanalReceive {bus.handle}"]
        for _ in range(4):  # the library sometimes reports an empty queue too early
            start = time.monotonic()
            assert bus.recv(0.02) is None
            assert time.monotonic() - start >= 0.02
        waits = [call for call in stub.calls() if call.startswith("CanalBlockingReceive")]
        assert 4 <= len(waits) <= 16
        assert all(1 <= int(call.split()[2]) <= 100 for call in waits)


def test_a_short_wait_is_not_zero(stub: Stub) -> None:
    with Usb2canBus("ED000200") as bus:
        assert bus.recv(0.0004) is None  # a wait of 0 ms is a violation


def test_a_frame_ends_a_wait(stub: Stub) -> None:
    with Usb2canBus("ED000200") as bus, Usb2canBus("ED000201") as other:
        thread, results = in_thread(bus.recv)
        other.send(message(5))
        thread.join()
        [frame] = results
        assert isinstance(frame, Message)
        assert frame.arbitration_id == 5


def test_closing_ends_a_wait(stub: Stub) -> None:
    bus = Usb2canBus("ED000200")
    threads = [in_thread(bus.recv) for _ in range(3)]
    bus.shutdown()
    for thread, results in threads:
        thread.join()
        assert isinstance(results[0], CanOperationError)
    with pytest.raises(CanOperationError, match="closed"):
        bus.recv(0)
    with pytest.raises(CanOperationError, match="closed"):
        bus.send(message(1))


def test_threads(stub: Stub) -> None:
    """Two senders and a receiver: nothing is lost, and the order of each sender is kept."""
    stub.set("log", 0)
    count = 2000
    with Usb2canBus("ED000200") as bus, Usb2canBus("ED000201") as other:
        found: list[Message] = []
        reader, _ = in_thread(lambda: found.extend(received(other, 2 * count)))

        def send(identifier: int) -> None:
            for number in range(0, count, 100):
                data = [(number + step).to_bytes(4, "big") for step in range(100)]
                bus.send_batch(MessageBatch([message(identifier, part) for part in data]))
                while other.pending() > 500:  # the library drops what nobody reads
                    pass

        senders = [in_thread(lambda identifier=identifier: send(identifier))[0] for identifier in (1, 2)]  # type: ignore[misc]
        for thread in (*senders, reader):
            thread.join()
        for identifier in (1, 2):
            numbers = [
                int.from_bytes(frame.data, "big") for frame in found if frame.arbitration_id == identifier
            ]
            assert numbers == [*range(count)]


def test_an_overflow_is_marked(stub: Stub) -> None:
    with Usb2canBus("ED000200") as bus:
        for number in range(1100):
            stub.inject(0, arbitration_id=number % 0x800)
        batch = bus.recv_batch(SECONDS)
        assert batch is not None
        assert len(batch) == 1025
        assert batch[1023].arbitration_id == 1023
        mark = batch[1024]
        assert (mark.is_error_frame, mark.arbitration_id, mark.data[1]) == (True, 4, 1)
        assert bus.losses == {FULL: 1}


@pytest.mark.parametrize("code", [code for code in CanalError if code not in (0, 8, 19, 32, 33, 37)])
def test_every_code_of_receiving(stub: Stub, code: CanalError) -> None:
    with Usb2canBus("ED000200") as bus:
        stub.fail("CanalReceive", code)
        with pytest.raises(CanOperationError) as caught:
            bus.recv(0)
        assert caught.value.error_code == code
        assert str(caught.value).startswith(
            f"usb2can:ED000200: CanalReceive: {code.name}, {code.explanation}"
        )
        assert bus.recv(0) is None


@pytest.mark.parametrize("code", [8, 19, 32])
def test_codes_of_an_empty_queue(stub: Stub, code: int) -> None:
    with Usb2canBus("ED000200") as bus:
        stub.fail("CanalReceive", code)
        stub.fail("CanalBlockingReceive", code)
        assert bus.recv(0.001) is None


def test_a_failure_comes_after_the_frames(stub: Stub) -> None:
    with Usb2canBus("ED000200") as bus:
        stub.inject(0, arbitration_id=1)
        stub.fail("CanalReceive", 18, skip=1)
        assert received(bus, 1)[0].arbitration_id == 1
        with pytest.raises(CanOperationError, match="OVERRUN"):
            bus.recv(0)
        assert bus.recv(0) is None


def test_a_failure_of_a_wait(stub: Stub) -> None:
    with Usb2canBus("ED000200") as bus:
        stub.fail("CanalBlockingReceive", 13)
        with pytest.raises(CanOperationError, match="CanalBlockingReceive: HARDWARE") as caught:
            bus.recv(SECONDS)
        assert caught.value.error_code == 13


def test_a_message_that_the_library_did_not_fill(stub: Stub) -> None:
    with Usb2canBus("ED000200") as bus:
        stub.fail("CanalReceive", 0)  # SUCCESS, as for a handle that is not open
        with pytest.raises(CanOperationError, match=r"usb2can:ED000200: CanalReceive: .* does not fill it"):
            bus.recv(0)
        stub.inject(0, arbitration_id=1)
        assert bus.recv(0)


def test_unplugging(stub: Stub) -> None:
    bus = Usb2canBus("ED000200")
    stub.inject(0, arbitration_id=1)
    stub.unplug()
    assert received(bus, 1)
    with pytest.raises(CanOperationError, match="COMMUNICATION, no communication with the device") as caught:
        bus.recv(SECONDS)
    assert caught.value.error_code == 37
    assert bus.is_shutdown


def test_unplugging_while_sending(stub: Stub) -> None:
    bus = Usb2canBus("ED000200")
    stub.inject(0, arbitration_id=1)
    stub.unplug()
    for _ in range(2):
        with pytest.raises(CanOperationError, match="sending: COMMUNICATION") as caught:
            bus.send(message(1))
        assert (caught.value.error_code, caught.value.sent) == (37, 0)
    assert len([call for call in stub.calls() if call.startswith("CanalSend")]) == 1
    assert [one.arbitration_id for one in received(bus, 1)] == [1]  # it was queued before
    with pytest.raises(CanOperationError, match="COMMUNICATION"):
        bus.recv(SECONDS)
    bus.shutdown()


def test_a_failure_of_closing(stub: Stub) -> None:
    bus = Usb2canBus("ED000200")
    stub.fail("CanalClose", 12)
    with pytest.raises(CanOperationError, match="CanalClose: GENERIC") as caught:
        bus.shutdown()
    assert caught.value.error_code == 12
    bus.shutdown()


# --- own messages, filters, state ---------------------------------------------------------------------


def test_own_messages(stub: Stub) -> None:
    with Usb2canBus("ED000200", receive_own_messages=True) as bus, Usb2canBus("ED000201") as other:
        bus.send(message(1, b"\5"))
        other.send(message(2))
        own, foreign = sorted(received(bus, 2), key=lambda frame: frame.arbitration_id)
        assert (own.is_rx, own.data, foreign.is_rx) == (False, b"\5", True)
        assert abs(own.timestamp - time.time()) < 1
        bus.set_filters([{"can_id": 3, "can_mask": 0x7FF}])
        bus.send(message(4))
        bus.send(message(3))
        assert received(bus, 1)[0].arbitration_id == 3


def test_own_messages_are_those_that_were_sent(stub: Stub) -> None:
    with Usb2canBus("ED000200", receive_own_messages=True) as bus:
        stub.fail("CanalSend", 6, skip=2)
        with pytest.raises(CanOperationError) as caught:
            bus.send_batch(MessageBatch([message(number) for number in range(5)]))
        assert caught.value.sent == 2
        assert [frame.arbitration_id for frame in received(bus, 2)] == [0, 1]
        assert bus.recv(0) is None


def test_no_own_messages_by_default(stub: Stub) -> None:
    with Usb2canBus("ED000200") as bus:
        bus.send(message(1))
        assert bus.recv(0.01) is None


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (None, [1, 2, 0x10001]),
        ([{"can_id": 1, "can_mask": 0x7FF, "extended": False}], [1]),
        ([{"can_id": 0x10001, "can_mask": 0x1FFFFFFF, "extended": True}], [0x10001]),
        ([{"can_id": 1, "can_mask": 0xFFFF}], [1, 0x10001]),
        ([{"can_id": 1, "can_mask": 0x7FF, "extended": False}, {"can_id": 2, "can_mask": 0x7FF}], [1, 2]),
    ],
)
def test_filters(stub: Stub, filters: list[dict[str, object]] | None, expected: list[int]) -> None:
    with Usb2canBus("ED000200", can_filters=filters) as bus:  # type: ignore[arg-type]
        for _ in range(2):
            stub.inject(0, arbitration_id=1)
            stub.inject(0, arbitration_id=2)
            stub.inject(0, arbitration_id=0x10001, flags=FLAG_EXTENDED)
            assert [frame.arbitration_id for frame in received(bus, len(expected))] == expected
            assert bus.recv(0) is None
            bus.set_filters(None)
            bus.set_filters(filters)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "state"),
    [
        (0, BusState.ACTIVE),
        (96 | 100 << 8, BusState.ACTIVE),
        (0x20000000, BusState.ACTIVE),
        (0x40000000, BusState.ACTIVE),
        (0x60000000, BusState.PASSIVE),
        (128, BusState.PASSIVE),
        (0x80000000, BusState.ERROR),
    ],
)
def test_the_state(stub: Stub, word: int, state: BusState) -> None:
    with Usb2canBus("ED000200") as bus:
        stub.set("channel_status", word)
        assert bus.state is state


def test_the_state_follows_status_records(stub: Stub) -> None:
    with Usb2canBus("ED000200") as bus:
        stub.inject(0, kind=KIND_ERROR, code=3, data=b"\x82\x00")
        [error] = received(bus, 1)
        assert error.is_error_frame
        assert error.data[7] == 0x82
        stub.set("channel_status", 0x02 << 8)  # without the upper bit of the counter
        assert bus.state is BusState.PASSIVE
        stub.inject(0, kind=KIND_STATE, code=0)
        assert bus.recv(0) is None
        stub.set("channel_status", 0)
        assert bus.state is BusState.ACTIVE
        stub.fail("CanalGetStatus", 37)
        with pytest.raises(CanOperationError, match="CanalGetStatus: COMMUNICATION"):
            _ = bus.state


def test_no_status_records_without_their_flag(stub: Stub) -> None:
    with Usb2canBus("ED000200", status_frames=False) as bus:
        stub.inject(0, kind=KIND_ERROR, code=3)
        assert bus.recv(0) is None


def test_raw_status_records(stub: Stub) -> None:
    with Usb2canBus("ED000200", raw_status=True) as bus:
        stub.inject(0, kind=KIND_ERROR, code=3, data=b"\x01\x80")
        assert received(bus, 1)[0].data == b"\x03\x01\x80\x00"


def test_another_bit_rate_on_the_bus(stub: Stub) -> None:
    with Usb2canBus("ED000200", bitrate=250_000) as bus, Usb2canBus("ED000201") as other:
        other.send(message(1))
        assert received(bus, 1)[0].is_error_frame


def test_statistics_are_added_up(stub: Stub) -> None:
    with Usb2canBus("ED000200") as bus, Usb2canBus("ED000201") as other:
        for _ in range(2):
            bus.send(message(1, b"\1\2"))
            received(other, 1)
            bus.statistics()
        assert bus.statistics() == Statistics(sent_frames=2, sent_bytes=4)
        assert other.statistics() == Statistics(received_frames=2, received_bytes=4)


def test_pending(stub: Stub) -> None:
    with Usb2canBus("ED000200") as bus:
        stub.inject(0, arbitration_id=1)
        assert bus.pending() == 1
        bus.recv(0)
        assert bus.pending() == 0


def test_there_is_no_descriptor(stub: Stub) -> None:
    with Usb2canBus("ED000200") as bus:
        with pytest.raises(NotImplementedError):
            bus.fileno()
        with pytest.raises(NotImplementedError):
            bus.flush_tx_buffer()


def test_periodic_sending(stub: Stub) -> None:
    with Usb2canBus("ED000200") as bus, Usb2canBus("ED000201") as other:
        task = bus.send_periodic(message(7), 0.001)
        assert len(received(other, 5)) == 5
        task.stop()


# --- timestamps ---------------------------------------------------------------------------------------


def test_the_counter_of_the_device(stub: Stub) -> None:
    now = time.time_ns()
    with Usb2canBus("ED000200") as bus:
        stub.set("clock", (1 << 29) - 100 - now // 1000)  # wraps soon
        for step in range(0, 300, 100):
            stub.inject(0, arbitration_id=1, time_ns=now + 1000 * step)
        first, second, third = received(bus, 3)
        assert second.timestamp_ns - first.timestamp_ns == third.timestamp_ns - second.timestamp_ns == 100_000
        assert abs(third.timestamp_ns - time.time_ns()) < 1_000_000_000


def test_the_time_of_arrival(stub: Stub) -> None:
    with Usb2canBus("ED000200", timestamps="host") as bus:
        before = time.time_ns()
        stub.inject(0, arbitration_id=1, time_ns=5)
        assert before <= received(bus, 1)[0].timestamp_ns <= time.time_ns()


def test_a_counter_of_other_ticks_is_reported(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    now = time.time_ns()
    with Usb2canBus("ED000200") as bus:
        stub.inject(0, arbitration_id=1, time_ns=now)
        stub.inject(0, arbitration_id=1, time_ns=now + 100 * 1_000_000_000)
        assert abs(received(bus, 2)[1].timestamp_ns - time.time_ns()) < 1_000_000_000
    [text] = caplog.messages
    assert text.startswith("usb2can:ED000200: the adapter's timestamps are not microseconds")


def test_nothing_is_logged_otherwise(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with Usb2canBus("ED000200") as bus:
        bus.send(message(1))
        bus.recv(0)
    assert not caplog.messages
