"""The bus of an isCAN card on the emulated library."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cantools_cli.backends.iscan.bus import (
    OVERRUNS,
    IscanBus,
    IscanError,
    IscanInitializationError,
    IscanOperationError,
)
from cantools_cli.bus.base import BusState
from cantools_cli.bus.interface import Bus, detect_available_configs
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
from tests.vendor.kit import KIND_OVERRUN, KIND_STATE, Stub, compiled, loaded

SECONDS = 20.0


def std(identifier: int, data: bytes = b"", **more: object) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, data=data, **more)  # type: ignore[arg-type]


def received(bus: IscanBus, count: int) -> list[Message]:
    frames: list[Message] = []
    while len(frames) < count:
        frame = bus.recv(SECONDS)
        assert frame is not None, f"{len(frames)} of {count} frames"
        frames.append(frame)
    return frames


# --- opening ------------------------------------------------------------------------------------------


def test_the_documented_signature() -> None:
    parameters = inspect.signature(IscanBus).parameters
    assert [*parameters][:4] == ["channel", "bitrate", "poll_interval", "can_filters"]
    assert (parameters["bitrate"].default, parameters["poll_interval"].default) == (500_000, 0.01)
    assert parameters["channel"].default is inspect.Parameter.empty


def test_opening_and_closing(stub: Stub) -> None:
    with IscanBus("0") as bus:
        assert str(bus) == "IS-CAN: 0"
        assert bus.bit_rates == (500_000, None)
        assert stub.calls() == ["isCAN_DeviceInitEx 0 7", "isCAN_SetMessageExID 0 ffffffff"]
        stub.clear_calls()
    assert stub.calls() == ["isCAN_CloseDevice 0"]
    bus.shutdown()  # does nothing
    with IscanBus(0, 10_000):
        assert stub.calls()[1] == "isCAN_DeviceInitEx 0 1"


def test_settings_as_text(stub: Stub) -> None:
    with Bus("1", "iscan", ignore_config=True, bitrate="125k", poll_interval="0.5", btr0btr1="0x011C") as bus:
        assert isinstance(bus, IscanBus)
        assert (bus.channel, bus.poll_interval, bus.bit_rates) == (1, 0.5, (None, None))
        assert stub.calls()[:2] == ["isCAN_DeviceInitEx 1 5", "isCAN_SetBaudRegister 1 1 1c"]


@pytest.mark.parametrize(
    ("channel", "given", "text"),
    [
        ("can0", {}, '"can0" is not the number of a device, 0 to 15'),
        (300, {}, '"300" is not the number'),
        (0, {"bitrate": 5_000}, "bit rate 5000 is not in the table"),
        (0, {"bitrate": 123_456}, "bit rate 123456"),
        (0, {"poll_interval": 0}, "poll_interval 0 is not above 0 s"),
        (0, {"btr0btr1": 0x10000}, "0x10000 does not have 16 bits"),
        (0, {"bitrat": 5}, 'no setting "bitrat"'),
    ],
)
def test_wrong_settings(stub: Stub, channel: str, given: dict[str, object], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        IscanBus(channel, **given)  # type: ignore[arg-type]
    assert stub.calls() == []


@pytest.mark.parametrize("function", ["isCAN_DeviceInitEx", "isCAN_SetBaudRegister", "isCAN_SetMessageExID"])
def test_a_failure_of_opening_undoes_what_was_done(stub: Stub, function: str) -> None:
    stub.fail(function, 15)
    with pytest.raises(
        IscanInitializationError, match=f"iscan:0: {function}: another process uses the device"
    ) as caught:
        IscanBus(0, btr0btr1=0x001C)
    error = caught.value
    assert isinstance(error, CanInitializationError)
    assert (error.error_code, error.arguments[0], error.function.__name__) == (15, 0, function)
    assert ("isCAN_CloseDevice 0" in stub.calls()) is (function != "isCAN_DeviceInitEx")
    with IscanBus(0):
        pass


def test_bad_filters_close_the_device(stub: Stub) -> None:
    with pytest.raises(ValueError, match="bad filter"):
        IscanBus(0, can_filters=[{"can_id": 1}])  # type: ignore[typeddict-item]
    assert stub.calls()[-1] == "isCAN_CloseDevice 0"


def test_errors_can_be_handed_over(stub: Stub) -> None:
    stub.fail("isCAN_DeviceInitEx", 99)
    with pytest.raises(
        IscanError, match=r"iscan:1: isCAN_DeviceInitEx: unknown code \[Error Code 99\]"
    ) as caught:
        IscanBus(1)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.hint, again.error_code) == (str(caught.value), caught.value.hint, 99)
    assert (again.function, again.arguments) == ("isCAN_DeviceInitEx", (1, 7))
    assert str(IscanError("isCAN_CloseDevice", 12, ())).startswith("isCAN_CloseDevice: the device is not")


def test_an_old_library(monkeypatch: pytest.MonkeyPatch) -> None:
    path = compiled("iscan", "OLD")
    monkeypatch.setenv("CANX_ISCAN_LIBRARY", str(path))
    with loaded(path) as stub:
        with IscanBus(0):
            assert stub.calls() == ["isCAN_DeviceInitEx 0 7"]
        assert detect_available_configs("iscan") == []
        with pytest.raises(UsageError, match="this library cannot set btr0btr1"):
            IscanBus(0, btr0btr1=0x001C)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CANX_ISCAN_LIBRARY", raising=False)
    with pytest.raises(CanInterfaceNotImplementedError, match="does not exist for Linux"):
        IscanBus(0)
    assert detect_available_configs("iscan") == []
    for name in ("library", "dll"):
        with pytest.raises(CanInterfaceNotImplementedError, match="cannot load"):
            IscanBus(0, **{name: str(tmp_path / "missing.so")})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("hooks", "expected"),
    [
        ({}, [0, 1]),
        ({"configured": 0x8421, "attached": 0x8401}, [0, 10, 15]),
        ({"configured": 0}, []),
        ({"repeats": 1}, [0]),
    ],
)
def test_detection(stub: Stub, hooks: dict[str, int], expected: list[int]) -> None:
    for key, value in hooks.items():
        stub.set(key, value)
    assert detect_available_configs("iscan") == [{"interface": "iscan", "channel": one} for one in expected]
    assert len([call for call in stub.calls() if "Attached" in call]) <= 16


# --- frames -------------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(batch=st.lists(strategies.messages(kinds=("classic", "remote")), min_size=1, max_size=20))
def test_round_trip(stub: Stub, batch: list[Message]) -> None:
    with IscanBus(0) as bus, IscanBus(1) as other:
        bus.send_batch(MessageBatch(batch))
        for one, frame in zip(received(other, len(batch)), batch, strict=True):
            assert one.equals(frame, timestamp_delta=None, check_channel=False, check_direction=False)
            assert (one.channel, one.is_rx) == (1, True)


def test_a_large_backlog_comes_in_batches(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cantools_cli.backends.iscan.bus._MAX_BATCH", 10)
    with IscanBus(0) as bus:
        for identifier in range(25):
            stub.inject(0, arbitration_id=identifier)
        sizes = [len(bus.recv_batch(SECONDS) or ()) for _ in range(3)]
        assert sizes == [10, 10, 5]


def test_the_library_is_polled_no_more_often_than_asked_for(stub: Stub) -> None:
    with IscanBus(0, poll_interval=0.1) as bus:
        stub.clear_calls()
        assert bus.recv(0.5) is None
        assert len(stub.calls()) <= 0.5 / 0.1 + 2


def test_a_long_interval_delays_neither_the_deadline_nor_the_end(stub: Stub) -> None:
    ends: list[object] = []

    def receive() -> None:
        try:
            ends.append(bus.recv(None))
        except CanOperationError as error:
            ends.append(error)

    bus = IscanBus(0, poll_interval=60)
    began = time.monotonic()
    assert bus.recv(0.05) is None
    thread = threading.Thread(target=receive)
    thread.start()
    bus.shutdown()
    thread.join(SECONDS)
    assert not thread.is_alive()
    assert time.monotonic() - began < SECONDS
    assert isinstance(ends[0], CanOperationError)


def test_a_frame_of_its_own_ends_a_wait(stub: Stub) -> None:
    found: list[Message | None] = []
    with IscanBus(0, poll_interval=60, receive_own_messages=True) as bus:
        thread = threading.Thread(target=lambda: found.append(bus.recv(None)))
        thread.start()
        bus.send(std(0x123))
        thread.join(SECONDS)
        assert found
        assert found[0] is not None
        assert (found[0].arbitration_id, found[0].is_rx) == (0x123, False)


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (std(1, bytes(12), is_fd=True), "cannot send CAN FD frames"),
        (std(4, bytes(8), is_error_frame=True), "cannot send error frames"),
    ],
)
def test_frames_that_are_refused(stub: Stub, frame: Message, text: str) -> None:
    with IscanBus(0) as bus:
        with pytest.raises(InvalidMessageError, match=text) as caught:
            bus.send_batch(MessageBatch([std(1), frame]))
        assert caught.value.sent == 0
        assert not stub.sent()


def test_a_device_that_transmits_is_waited_for(stub: Stub) -> None:
    with IscanBus(0, receive_own_messages=True) as bus:
        stub.fail("isCAN_TransmitMessageEx", 7, count=3)
        bus.send(std(1))
        assert len(stub.sent()) == 1
        stub.set("busy", 1)
        with pytest.raises(
            CanTimeoutError, match="iscan:0: isCAN_TransmitMessageEx: the device is transmitting"
        ) as caught:
            bus.send_batch(MessageBatch([std(2)]), 0.01)
        assert (caught.value.sent, caught.value.error_code) == (0, 7)
        assert [one.arbitration_id for one in received(bus, 1)] == [1]
        with pytest.raises(CanTimeoutError):
            bus.send(std(3), 0)


def test_a_failure_of_sending(stub: Stub) -> None:
    with IscanBus(0, receive_own_messages=True) as bus:
        for code in sorted({*IscanError.ERROR_CODES} - {0, 7, 1, 12, 13}):
            stub.fail("isCAN_TransmitMessageEx", code, skip=2)
            with pytest.raises(IscanOperationError, match="iscan:0: isCAN_TransmitMessageEx") as caught:
                bus.send_batch(MessageBatch([std(number) for number in range(5)]))
            assert (caught.value.sent, caught.value.error_code) == (2, code)
            assert [one.arbitration_id for one in received(bus, 2)] == [0, 1]
        assert bus.recv(0) is None


@pytest.mark.parametrize("code", [2, 3, 4, 5, 6, 9, 10, 15, 24, 30, 31, 35, 40, 41, 99])
def test_a_failure_of_receiving_comes_after_the_frames(stub: Stub, code: int) -> None:
    with IscanBus(0) as bus:
        stub.inject(0, arbitration_id=1)
        stub.inject(0, kind=KIND_STATE, code=code)
        stub.inject(0, arbitration_id=2)
        assert received(bus, 1)[0].arbitration_id == 1
        with pytest.raises(IscanOperationError, match="iscan:0: isCAN_ReceiveMessageEx") as caught:
            bus.recv(SECONDS)
        assert caught.value.error_code == code
        assert received(bus, 1)[0].arbitration_id == 2


@pytest.mark.parametrize("way", ["receive", "send"])
def test_a_removed_device_ends_the_bus_after_the_last_frame(stub: Stub, way: str) -> None:
    bus = IscanBus(0)
    if way == "receive":
        stub.inject(0, arbitration_id=1)
        stub.inject(0, kind=KIND_STATE, code=13)
        assert received(bus, 1)[0].arbitration_id == 1
    else:
        stub.unplug(0)
        for _ in range(2):
            with pytest.raises(IscanOperationError, match="the device was removed"):
                bus.send(std(1))
    with pytest.raises(IscanOperationError, match="the device was removed"):
        bus.recv(SECONDS)
    assert bus.is_shutdown
    with pytest.raises(CanOperationError, match="closed"):
        bus.recv(0)


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (16, BusState.ACTIVE),
        (17, BusState.ERROR),
        (18, BusState.PASSIVE),
        (20, BusState.ACTIVE),
        (22, BusState.ACTIVE),
        (32, BusState.PASSIVE),
    ],
)
def test_a_status_is_an_error_frame_and_the_state(stub: Stub, code: int, state: BusState) -> None:
    with IscanBus(0) as bus:
        for _ in range(3):  # reported once
            stub.inject(0, kind=KIND_STATE, code=code)
        assert received(bus, 1)[0].is_error_frame
        assert bus.recv(0.05) is None
        assert bus.state is state
        stub.inject(0, arbitration_id=1)
        assert not received(bus, 1)[0].is_error_frame
        assert bus.state is BusState.ACTIVE
        with pytest.raises(NotImplementedError, match="one mode"):
            bus.state = BusState.PASSIVE


@pytest.mark.parametrize("kind", ["told", 19])
def test_overruns_are_counted_and_marked(stub: Stub, kind: str | int) -> None:
    with IscanBus(0) as bus:
        stub.inject(0, arbitration_id=1)
        if kind == "told":
            stub.inject(0, kind=KIND_OVERRUN)
        else:
            stub.inject(0, kind=KIND_STATE, code=19)
        stub.inject(0, arbitration_id=2)
        found = received(bus, 3)
        assert [one.is_error_frame for one in found] == [False, True, False]
        assert found[1].data[1] == 1
        assert bus.losses == {OVERRUNS: 1}


def test_filters_are_exact(stub: Stub) -> None:
    with IscanBus(0, can_filters=[{"can_id": 0x120, "can_mask": 0x7F0, "extended": False}]) as bus:
        for identifier in (0x11F, 0x120, 0x12F, 0x130):
            stub.inject(0, arbitration_id=identifier)
        assert [one.arbitration_id for one in received(bus, 2)] == [0x120, 0x12F]
        assert bus.recv(0.05) is None


def test_threads(stub: Stub) -> None:
    """Two threads send, one receives: nothing is lost, and each sender's order stays."""
    count = 1_500  # of each; both fit into the card's queue
    with IscanBus(0) as bus, IscanBus(1) as other:

        def send(kind: int) -> None:
            for number in range(count):
                bus.send(Message(arbitration_id=kind << 20 | number))

        threads = [threading.Thread(target=send, args=(kind,)) for kind in (1, 2)]
        for thread in threads:
            thread.start()
        found = [one.arbitration_id for one in received(other, 2 * count)]
        for thread in threads:
            thread.join()
    for kind in (1, 2):
        assert [one & 0xFFFFF for one in found if one >> 20 == kind] == [*range(count)]


def test_a_failure_of_closing(stub: Stub) -> None:
    bus = IscanBus(0)
    stub.fail("isCAN_CloseDevice", 3)
    with pytest.raises(IscanOperationError, match="isCAN_CloseDevice: the driver failed"):
        bus.shutdown()
    assert bus.is_shutdown


def test_there_is_no_descriptor(stub: Stub) -> None:
    with IscanBus(0) as bus, pytest.raises(NotImplementedError):
        bus.fileno()


def test_the_documented_names() -> None:
    program = "from cantools_cli import compat; compat.install()\n"
    program += "from can.interfaces.iscan import IscanBus, IscanError, IscanInitializationError\n"
    program += "from can.interfaces.iscan import IscanOperationError, MessageExStruct\n"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    parameters = inspect.signature(IscanError).parameters
    assert [*parameters][:3] == ["function", "error_code", "arguments"]
