"""The bus of a Neousys port on the emulated library."""

from __future__ import annotations

import gc
import inspect
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cantools_cli.backends.neousys import inbox as inbox_module
from cantools_cli.backends.neousys.bus import NeousysBus
from cantools_cli.backends.neousys.codec import OVERRUNS
from cantools_cli.bus.base import BusState
from cantools_cli.bus.interface import Bus, detect_available_configs
from cantools_cli.bus.losses import MISSED_FRAMES
from cantools_cli.errors import (
    CanInitializationError,
    CanInterfaceNotImplementedError,
    CanOperationError,
    InvalidMessageError,
    UsageError,
)
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests import strategies
from tests.vendor.kit import (
    FLAG_EXTENDED,
    FLAG_REMOTE,
    KIND_OVERRUN,
    KIND_STATE,
    Stub,
    compiled,
    loaded,
)

SECONDS = 20.0
OPENING = [
    "CAN_RegisterReceived 0 callback",
    "CAN_RegisterStatus 0 callback",
    "CAN_Setup 0 500000 config 8 id 0 mask 0 size 16",
    "CAN_Start 0",
]
CLOSING = ["CAN_Stop 0", "CAN_RegisterStatus 0 NULL", "CAN_RegisterReceived 0 NULL"]


def std(identifier: int, data: bytes = b"", **more: object) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, data=data, **more)  # type: ignore[arg-type]


def received(bus: NeousysBus, count: int) -> list[Message]:
    frames: list[Message] = []
    while len(frames) < count:
        frame = bus.recv(SECONDS)
        assert frame is not None, f"{len(frames)} of {count} frames"
        frames.append(frame)
    return frames


# --- opening ------------------------------------------------------------------------------------------


def test_the_documented_signature() -> None:
    parameters = inspect.signature(NeousysBus).parameters
    assert [*parameters][:4] == ["channel", "device", "bitrate", "can_filters"]
    assert (parameters["device"].default, parameters["bitrate"].default) == (0, 500_000)
    assert parameters["channel"].default is inspect.Parameter.empty


def test_opening_and_closing(stub: Stub) -> None:
    with NeousysBus(0, 2) as bus:
        assert str(bus) == "Neousys Can: device 2, channel 0"
        assert bus.bit_rates == (500_000, None)
        assert stub.calls() == OPENING
        stub.clear_calls()
    assert stub.calls() == CLOSING
    bus.shutdown()  # does nothing
    with NeousysBus(0):
        assert stub.calls() == CLOSING + OPENING


def test_settings_as_text(stub: Stub) -> None:
    with Bus("1", "neousys", ignore_config=True, bitrate="125k", device="1", rx_queue_size="10") as bus:
        assert str(bus) == "Neousys Can: device 1, channel 1"
        assert bus.bit_rates == (125_000, None)


@pytest.mark.parametrize(
    ("channel", "given", "text"),
    [
        ("can0", {}, '"can0" is not the number of a port'),
        (-1, {}, '"-1" is not the number of a port'),
        (0, {"bitrate": 0}, "bit rate 0 is not from 1 to 1000000"),
        (0, {"bitrate": 1_000_001}, "bit rate 1000001"),
        (0, {"rx_queue_size": 0}, "rx_queue_size 0 is not above 0"),
        (0, {"bitrat": 5}, 'no setting "bitrat"'),
    ],
)
def test_wrong_settings(stub: Stub, channel: object, given: dict[str, object], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        NeousysBus(channel, **given)  # type: ignore[arg-type]
    assert stub.calls() == []


@pytest.mark.parametrize("step", range(4))
def test_a_failure_of_opening_undoes_what_was_done(stub: Stub, step: int) -> None:
    function = OPENING[step].split()[0]
    stub.fail(function, 0)
    with pytest.raises(
        CanInitializationError, match=f"neousys:0: {function}: the library reports a failure"
    ) as caught:
        NeousysBus(0)
    assert "does the computer have CAN port 0" in str(caught.value.hint)
    undone = {0: [], 1: CLOSING[2:], 2: CLOSING[1:], 3: CLOSING[1:]}[step]
    assert stub.calls() == OPENING[: step + 1] + undone
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    with NeousysBus(0):
        pass


def test_a_failure_of_undoing_hides_nothing(stub: Stub) -> None:
    stub.fail("CAN_Start", 0)
    stub.fail("CAN_RegisterStatus", 0, skip=1)
    with pytest.raises(CanInitializationError, match="CAN_Start"):
        NeousysBus(0)
    stub.functions.CAN_RegisterStatus(0, None)


def test_bad_filters_undo_the_opening(stub: Stub) -> None:
    with pytest.raises(ValueError, match="bad filter"):
        NeousysBus(0, can_filters=[{"can_id": 1}])  # type: ignore[typeddict-item]
    assert stub.calls() in ([], OPENING + CLOSING)


def test_a_port_that_does_not_exist(stub: Stub) -> None:
    with pytest.raises(CanInitializationError, match="neousys:4: CAN_RegisterReceived"):
        NeousysBus(4)


def test_the_library_by_its_name(stub: Stub) -> None:
    for name in ("library", "dll"):
        with NeousysBus(0, **{name: str(stub.path)}):  # type: ignore[arg-type]
            pass


def test_without_the_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CANX_NEOUSYS_LIBRARY", raising=False)
    with pytest.raises(
        CanInterfaceNotImplementedError, match=r"WDT_DIO of Neousys is not installed"
    ) as caught:
        NeousysBus(0)
    assert caught.value.hint == "get it from www.neousys-tech.com, or set CANX_NEOUSYS_LIBRARY to its file"
    assert detect_available_configs("neousys") == []
    with pytest.raises(CanInterfaceNotImplementedError, match="cannot load"):
        NeousysBus(0, library=str(tmp_path / "missing.so"))


def test_detection(stub: Stub) -> None:
    assert NeousysBus._obstacle() is None
    assert detect_available_configs("neousys") == [{"interface": "neousys", "channel": 0}]


# --- frames -------------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(batch=st.lists(strategies.messages(kinds=("classic", "remote")), min_size=1, max_size=20))
def test_round_trip(stub: Stub, batch: list[Message]) -> None:
    with NeousysBus(0) as bus, NeousysBus(1) as other:
        bus.send_batch(MessageBatch(batch))
        for one, frame in zip(received(other, len(batch)), batch, strict=True):
            assert one.equals(frame, timestamp_delta=None, check_channel=False, check_direction=False)
            assert (one.channel, one.is_rx) == (1, True)


def test_frames_reach_the_port_they_came_to(stub: Stub) -> None:
    with NeousysBus(0) as bus, NeousysBus(1) as other:
        stub.inject(1, arbitration_id=0x123)
        assert received(other, 1)[0].arbitration_id == 0x123
        assert bus.recv(0) is None


def test_callbacks_stay_alive(stub: Stub) -> None:
    with NeousysBus(0) as bus:
        gc.collect()
        stub.set("pairs", 1)
        for identifier in range(200):  # some calls hand over two messages
            stub.inject(0, arbitration_id=identifier, data=bytes((identifier,)))
        assert [bytes(one.data) for one in received(bus, 200)] == [bytes((number,)) for number in range(200)]


def test_callbacks_of_closed_buses_are_given_up_later(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox_module._retired.clear()
    with NeousysBus(0):
        pass
    assert len(inbox_module._retired) == 1
    monkeypatch.setattr(inbox_module, "_GRACE", -1.0)
    with NeousysBus(0):
        pass
    assert len(inbox_module._retired) == 1  # that of the second one


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (std(1, bytes(12), is_fd=True), "cannot send CAN FD frames"),
        (std(4, bytes(8), is_error_frame=True), "cannot send error frames"),
    ],
)
def test_frames_that_are_refused(stub: Stub, frame: Message, text: str) -> None:
    with NeousysBus(0) as bus:
        with pytest.raises(InvalidMessageError, match=text) as caught:
            bus.send_batch(MessageBatch([std(1), frame]))
        assert caught.value.sent == 0
        assert not stub.sent()


def test_a_failure_of_sending(stub: Stub) -> None:
    with NeousysBus(0, receive_own_messages=True) as bus:
        stub.fail("CAN_Send", 0, skip=2)
        with pytest.raises(
            CanOperationError, match="neousys:0: CAN_Send: the library refuses the frame"
        ) as caught:
            bus.send_batch(MessageBatch([std(number) for number in range(5)]))
        assert caught.value.sent == 2
        assert [(one.arbitration_id, one.is_rx) for one in received(bus, 2)] == [(0, False), (1, False)]
        assert bus.recv(0) is None


def test_a_failure_of_closing_comes_after_all_steps(stub: Stub) -> None:
    bus = NeousysBus(0)
    stub.fail("CAN_Stop", 0)
    stub.clear_calls()
    with pytest.raises(CanOperationError, match="CAN_Stop"):
        bus.shutdown()
    assert stub.calls() == CLOSING


def test_timeouts_and_the_descriptor(stub: Stub) -> None:
    with NeousysBus(0) as bus, NeousysBus(1) as other:
        assert bus.recv(0) is None
        assert bus.recv(0.05) is None
        thread = threading.Thread(target=lambda: other.send(std(0x123)))
        thread.start()
        assert received(bus, 1)[0].arbitration_id == 0x123
        thread.join()
        assert isinstance(bus.fileno(), int)


def test_threads(stub: Stub) -> None:
    """Two threads send, one receives: nothing is lost, and each sender's order stays."""
    count = 2_000
    with NeousysBus(0) as bus, NeousysBus(1) as other:

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


def test_a_full_queue_drops_the_newest_and_marks_them(stub: Stub) -> None:
    with NeousysBus(0, rx_queue_size=3) as bus:
        for identifier in range(10):
            stub.inject(0, arbitration_id=identifier)
        stub.inject(0, kind=KIND_STATE, code=3)
        until(lambda: any(isinstance(content, int) for _, content in bus._inbox._arrivals))
        found = received(bus, 5)
        assert [one.arbitration_id for one in found[:3]] == [0, 1, 2]
        assert [one.is_error_frame for one in found] == [False] * 3 + [True] * 2
        assert bus.losses == {MISSED_FRAMES: 7}
        stub.inject(0, arbitration_id=0x55)
        assert received(bus, 1)[0].arbitration_id == 0x55


def until(condition: Callable[[], bool]) -> None:
    for _ in range(100_000):
        if condition():
            return
        threading.Event().wait(0.001)
    raise AssertionError("it never happened")


def test_frames_lost_by_the_library(stub: Stub) -> None:
    with NeousysBus(0) as bus:
        stub.inject(0, kind=KIND_OVERRUN)
        stub.inject(0, arbitration_id=0x12345678, flags=FLAG_EXTENDED | FLAG_REMOTE, length=5)
        found = received(bus, 2)
        assert (found[0].is_error_frame, found[0].data[1]) == (True, 1)
        assert (found[1].arbitration_id, found[1].dlc, found[1].is_remote_frame) == (0x12345678, 5, True)
        assert bus.losses == {OVERRUNS: 1}


def test_the_state_follows_the_status(stub: Stub) -> None:
    with NeousysBus(0) as bus:
        for status, state in (
            (0x40, BusState.ACTIVE),
            (0x60, BusState.PASSIVE),
            (0x80, BusState.ERROR),
            (0x00, BusState.ACTIVE),
        ):
            stub.inject(0, kind=KIND_STATE, code=status)
            assert received(bus, 1)[0].is_error_frame
            assert bus.state is state
        with pytest.raises(NotImplementedError, match="one mode"):
            bus.state = BusState.PASSIVE


# --- filters ------------------------------------------------------------------------------------------

ONE = {"can_id": 0x123, "can_mask": 0x7FF, "extended": False}
WIDE = {"can_id": 0x12345678, "can_mask": 0x1FFFFF00, "extended": True}


@pytest.mark.parametrize(
    ("filters", "setup"),
    [
        (None, "config 8 id 0 mask 0"),
        ([], "config 8 id 0 mask 0"),
        ([ONE], "config 8 id 123 mask 7ff"),
        ([WIDE], "config 28 id 12345678 mask 1fffff00"),
        ([ONE, WIDE], "config 8 id 0 mask 0"),
        ([{"can_id": 0x123, "can_mask": 0x7FF}], "config 8 id 0 mask 0"),
        ([{**ONE, "can_id": 0x2000_0123}], "config 8 id 0 mask 0"),  # inverted
    ],
)
def test_the_filter_of_the_controller(stub: Stub, filters: object, setup: str) -> None:
    with NeousysBus(0, can_filters=filters, hw_filter=True):  # type: ignore[arg-type]
        assert [call for call in stub.calls() if "Setup" in call] == [f"CAN_Setup 0 500000 {setup} size 16"]


@pytest.mark.parametrize("hardware", [False, True])
def test_filters_are_exact_and_can_change(stub: Stub, hardware: bool) -> None:
    with NeousysBus(0, can_filters=[ONE], hw_filter=hardware) as bus:  # type: ignore[list-item]

        def passing() -> list[int]:
            for identifier in (0x123, 0x12345601, 0x122, 0x7FF, 4):
                stub.inject(0, arbitration_id=identifier, flags=FLAG_EXTENDED if identifier > 0x7FF else 0)
            stub.inject(0, kind=KIND_STATE, code=3)  # error frames always pass, here as the end
            found: list[int] = []
            while not (message := received(bus, 1)[0]).is_error_frame:
                found.append(message.arbitration_id)
            return found

        assert passing() == [0x123]
        bus.set_filters([WIDE])  # type: ignore[list-item]
        assert passing() == [0x12345601]
        bus.set_filters(None)
        assert passing() == [0x123, 0x12345601, 0x122, 0x7FF, 4]
    assert ("CAN_Setup 0 500000 config 28" in "\n".join(stub.calls())) is hardware


def test_a_failure_of_changing_the_filter(stub: Stub) -> None:
    bus = NeousysBus(0, hw_filter=True)
    stub.fail("CAN_Setup", 0)
    with pytest.raises(CanOperationError, match="CAN_Setup: the library reports a failure while a filter"):
        bus.set_filters([ONE])  # type: ignore[list-item]
    bus.set_filters([ONE])  # type: ignore[list-item]
    stub.inject(0, arbitration_id=0x123)
    assert [message.arbitration_id for message in received(bus, 1)] == [0x123]
    stub.fail("CAN_Setup", 0)
    with pytest.raises(CanOperationError, match="while a filter is changed"):
        bus.set_filters(None)
    bus.shutdown()  # a stopped port is not stopped again


def test_sending_while_the_filter_changes(stub: Stub) -> None:
    done = threading.Event()
    failures: list[BaseException] = []
    with NeousysBus(0, hw_filter=True) as bus:

        def send() -> None:
            try:
                while not done.is_set():
                    bus.send(std(1))
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=send)
        thread.start()
        for _ in range(10):
            bus.set_filters([ONE])  # type: ignore[list-item]
            bus.set_filters(None)
        done.set()
        thread.join()
    assert not failures


def test_another_bit_rate_on_the_bus(stub: Stub) -> None:
    with NeousysBus(0) as bus, NeousysBus(1, bitrate=250_000) as other:
        other.send(std(1))
        assert received(bus, 1)[0].is_error_frame


def test_a_library_without_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    path = compiled("usb2can")
    monkeypatch.setenv("CANX_NEOUSYS_LIBRARY", str(path))
    with (
        loaded(path),
        pytest.raises(CanInterfaceNotImplementedError, match="has no function CAN_RegisterReceived"),
    ):
        NeousysBus(0)
    assert NeousysBus._detect_available_configs() == []


def test_python_can_s_names() -> None:
    program = "from cantools_cli import compat; compat.install()\n"
    for path in ("can.interfaces.neousys", "can.interfaces.neousys.neousys"):
        program += f"from {path} import NeousysBus, NeousysCanSetup, NeousysCanMsg, NeousysCanBitClk\n"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
