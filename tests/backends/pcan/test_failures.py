"""PCAN buses that cannot be opened, are unplugged, or are closed in the middle of something."""

from __future__ import annotations

import os
import pickle
import sys
import threading
from typing import Any

import pytest

from cantools_cli.backends.pcan import constants as c
from cantools_cli.backends.pcan.bus import PcanBus
from cantools_cli.backends.pcan.errors import (
    TEXTS,
    PcanCanInitializationError,
    PcanCanOperationError,
    PcanError,
    describe,
)
from cantools_cli.bus.interface import Bus
from cantools_cli.errors import (
    CanError,
    CanInitializationError,
    CanInterfaceNotImplementedError,
    CanOperationError,
)
from cantools_cli.frame.message import Message
from tests.backends.pcan.conftest import OpenBus
from tests.vendor.kit import Stub, compiled

SECONDS = 20.0
ONE = 0x51
FD = {"fd": True, "bitrate": 500_000, "data_bitrate": 2_000_000}


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANX_PCAN_LIBRARY", raising=False)
    for settings in ({"library": "/nowhere/pcan.so"}, {"dll": "/nowhere/pcan.so"}):
        with pytest.raises(CanInterfaceNotImplementedError, match="pcan: cannot load") as caught:
            PcanBus(**settings)
        assert "CANX_PCAN_LIBRARY" in str(caught.value.hint)
    monkeypatch.setenv("CANX_PCAN_LIBRARY", "/nowhere/else.so")
    with pytest.raises(CanInterfaceNotImplementedError, match=r"/nowhere/else\.so"):
        Bus("PCAN_USBBUS1", "pcan", ignore_config=True)
    assert PcanBus._detect_available_configs() == []
    assert "cannot load" in str(PcanBus._obstacle())


def test_a_library_with_its_settings(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANX_PCAN_LIBRARY")
    for settings in ({"library": stub.path}, {"dll": str(stub.path)}):
        with Bus("PCAN_USBBUS1", "pcan", ignore_config=True, **settings) as bus:
            assert bus.recv(0) is None


#: (function, calls that work before, status, settings)
_STEPS = [
    ("CAN_GetValue", 0, c.PCAN_ERROR_NODRIVER, {}),  # the version
    ("CAN_SetValue", 0, c.PCAN_ERROR_ILLPARAMTYPE, {"state": "PASSIVE"}),
    ("CAN_Initialize", 0, c.PCAN_ERROR_NODRIVER, {}),
    ("CAN_Initialize", 0, c.PCAN_ERROR_CAUTION | c.PCAN_ERROR_HWINUSE, {}),
    ("CAN_InitializeFD", 0, c.PCAN_ERROR_ILLHW, FD),
    ("CAN_SetValue", 1, c.PCAN_ERROR_ILLPARAMVAL, {}),  # error frames
    ("CAN_SetValue", 2, c.PCAN_ERROR_ILLPARAMVAL, {"receive_own_messages": True}),
    ("CAN_SetValue", 2, c.PCAN_ERROR_ILLPARAMVAL, {"auto_reset": True}),
]


@pytest.mark.parametrize(("function", "skip", "status", "settings"), _STEPS)
def test_every_step_of_opening_may_fail(
    stub: Stub, function: str, skip: int, status: int, settings: dict[str, Any]
) -> None:
    stub.fail(function, status, skip=skip)
    before = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
    with pytest.raises(PcanCanInitializationError, match=rf"^pcan:PCAN_USBBUS1: {function}.*: ") as caught:
        PcanBus(**settings)
    assert caught.value.error_code == status
    assert "\n" not in str(caught.value)
    assert stub.leaks() == 0
    if sys.platform == "linux":
        assert len(os.listdir("/proc/self/fd")) == before
    with PcanBus(**settings):  # nothing is left over
        pass


@pytest.mark.parametrize(
    ("function", "skip", "status"),
    [
        ("CAN_SetValue", 0, c.PCAN_ERROR_ILLPARAMTYPE),  # listen-only off, which is the default
        ("CAN_SetValue", 1, c.PCAN_ERROR_ILLPARAMTYPE),  # macOS has no error frames
        ("CAN_GetValue", 1, c.PCAN_ERROR_ILLPARAMTYPE),  # the condition of the channel
        ("CAN_GetValue", 2, c.PCAN_ERROR_ILLPARAMTYPE),  # whether reception is on
        ("CAN_GetValue", 3, c.PCAN_ERROR_ILLPARAMTYPE),  # the event
        ("CAN_Reset", 0, c.PCAN_ERROR_ILLOPERATION),
    ],
)
def test_steps_that_may_fail_without_harm(stub: Stub, function: str, skip: int, status: int) -> None:
    stub.fail(function, status, skip=skip)
    with PcanBus() as bus:
        stub.inject(ONE, arbitration_id=1)
        assert bus.recv(SECONDS) is not None


def test_wrong_filters_leave_nothing_open(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match="bad filter"):
        PcanBus(can_filters=[{"can_mask": 1}])  # type: ignore[typeddict-item]
    assert stub.leaks() == 0
    assert not caplog.text


@pytest.mark.parametrize(
    ("channel", "settings", "hooks", "hint"),
    [
        ("PCAN_USBBUS4", {}, {}, "socketcan" if sys.platform == "linux" else "plugged in"),
        ("PCAN_USBBUS1", {}, {"driver": 0}, "socketcan" if sys.platform == "linux" else "plugged in"),
        ("PCAN_USBBUS3", FD, {}, "this adapter has no CAN FD: fd=false"),
    ],
)
def test_hints(stub: Stub, channel: str, settings: dict[str, Any], hooks: dict[str, int], hint: str) -> None:
    for key, value in hooks.items():
        stub.set(key, value)
    with pytest.raises(PcanCanInitializationError) as caught:
        PcanBus(channel, **settings)
    assert hint in str(caught.value.hint)


def test_a_channel_that_is_open(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    with pytest.raises(CanInitializationError, match="pcan:PCAN_USBBUS1: CAN_Initialize") as caught:
        PcanBus()
    assert caught.value.hint == "the channel is open already, in this program or in another one"
    stub.inject(ONE, arbitration_id=1)
    assert bus.recv(SECONDS) is not None


def test_a_library_without_fd(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    from cantools_cli.backends.pcan.library import LIBRARY

    monkeypatch.setattr(LIBRARY.load(), "CAN_InitializeFD", None)
    with pytest.raises(CanInitializationError, match="this version of PCAN-Basic has no CAN FD"):
        PcanBus(**FD)  # type: ignore[arg-type]


def test_a_library_without_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.vendor.kit import loaded

    path = compiled("pcan", "NO_LOOKUP=1")
    with loaded(path), PcanBus(device_id=0x12, library=path) as bus:
        assert bus.channel_info == "PCAN_USBBUS2"


@pytest.mark.parametrize("form", [2, 4])
def test_versions_of_macos(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, form: int
) -> None:
    from cantools_cli.backends.pcan import channel

    monkeypatch.setattr(channel.sys, "platform", "darwin")
    monkeypatch.setattr(channel, "_LEAST_VERSION", (0, 9))
    stub.set("api", form)
    if form == 4:
        with pytest.raises(CanInitializationError, match=r"PCBUSB 0\.8\.0\.1 is too old"):
            PcanBus()
    else:
        with PcanBus():
            assert not caplog.text


# --- errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [PcanError, PcanCanOperationError, PcanCanInitializationError])
def test_errors_survive_pickling(kind: type[PcanError]) -> None:
    error = kind("pcan:x: CAN_Read: text", 0x1400, hint="a hint", sent=3)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (str(again), again.error_code, again.hint, again.sent) == (str(error), 0x1400, "a hint", 3)
    assert isinstance(again, CanError)


def test_the_documented_tree_of_errors() -> None:
    assert issubclass(PcanCanOperationError, CanOperationError)
    assert issubclass(PcanCanInitializationError, CanInitializationError)
    assert issubclass(PcanCanOperationError, PcanError)
    assert issubclass(PcanCanInitializationError, PcanError)


def test_texts_of_combined_codes(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    for status, text in [
        (0x84, "The bus is light; The transmit queue is full"),
        (0x1404, "The hardware is invalid; The bus is light"),
        (0x404, "The bus is light; The hardware is in use"),
        (0x10000080, "The transmit queue is full; unknown status 0x10000000"),
        (0x80000, TEXTS[0x80000]),  # the library has no text for it
        (0x2000000, "Done with \N{REPLACEMENT CHARACTER} irregularities"),  # not UTF-8
    ]:
        stub.fail("CAN_Reset", status)
        with pytest.raises(PcanCanOperationError, match="CAN_Reset: ") as caught:
            bus.flush_tx_buffer()
        assert str(caught.value) == f"pcan:PCAN_USBBUS1: CAN_Reset: {text} [Error Code {status}]"


def test_every_code_has_a_text() -> None:
    codes = {value for name, value in vars(c).items() if name.startswith("PCAN_ERROR_")}
    assert codes - {c.PCAN_ERROR_ANYBUSERR} == {*TEXTS}
    for code, text in TEXTS.items():
        assert describe(code, lambda _: None) == text


# --- in use -------------------------------------------------------------------------------------------


def test_unplugging_ends_after_the_received_frames(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    for number in range(3):
        stub.inject(ONE, arbitration_id=number)
    assert bus.recv(SECONDS) is not None
    stub.unplug(ONE)
    assert [bus.recv(SECONDS).arbitration_id for _ in range(2)] == [1, 2]  # type: ignore[union-attr]
    with pytest.raises(
        PcanCanOperationError, match="pcan:PCAN_USBBUS1: CAN_Read: The hardware is invalid"
    ) as caught:
        bus.recv(SECONDS)
    assert caught.value.error_code == c.PCAN_ERROR_ILLHW
    assert "unplugged" in str(caught.value.hint)
    assert bus.is_shutdown
    assert bus.state.name == "ACTIVE"
    bus.shutdown()


def test_a_failure_in_the_middle_of_reading(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    for number in range(3):
        stub.inject(ONE, arbitration_id=number)
    stub.fail("CAN_Read", c.PCAN_ERROR_RESOURCE, skip=2)
    assert [bus.recv(SECONDS).arbitration_id for _ in range(2)] == [0, 1]  # type: ignore[union-attr]
    with pytest.raises(PcanCanOperationError, match="CAN_Read: A resource is missing"):
        bus.recv(SECONDS)
    assert bus.recv(SECONDS).arbitration_id == 2  # type: ignore[union-attr]  # the bus goes on
    stub.fail("CAN_Read", c.PCAN_ERROR_RESOURCE)
    with pytest.raises(PcanCanOperationError, match="A resource is missing"):
        bus.recv(0)


def test_a_failed_send_notices_the_loss(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus(**FD)
    stub.unplug()
    with pytest.raises(PcanCanOperationError, match="CAN_WriteFD: The hardware is invalid") as caught:
        bus.send(Message(arbitration_id=1))
    assert caught.value.sent == 0
    with pytest.raises(PcanCanOperationError, match="CAN_WriteFD: The hardware is invalid") as caught:
        bus.send(Message(arbitration_id=1))
    assert caught.value.sent == 0
    with pytest.raises(PcanCanOperationError, match="The hardware is invalid"):
        bus.recv(SECONDS)
    assert bus.is_shutdown


def test_a_failed_send_keeps_the_received_frames(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    stub.inject(ONE, arbitration_id=7)
    stub.fail("CAN_Write", c.PCAN_ERROR_ILLHW)
    with pytest.raises(PcanCanOperationError, match="CAN_Write: The hardware is invalid"):
        bus.send(Message(arbitration_id=1))
    assert bus.recv(SECONDS).arbitration_id == 7  # type: ignore[union-attr]


def test_an_event_that_a_recovery_closes_ends_no_wait(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()

    class Closed:
        def wait(self, milliseconds: int) -> None:
            stub.inject(ONE, arbitration_id=7)
            raise OSError("WaitForSingleObject: the event is closed")

    bus._descriptor, bus._channel.event = None, Closed()
    message = bus.recv(SECONDS)
    bus._channel.event = None
    assert message is not None
    assert message.arbitration_id == 7


def test_unplugging_wakes_a_thread_that_waits(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    errors: list[CanError] = []

    def wait() -> None:
        try:
            bus.recv()
        except CanError as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    stub.unplug()
    thread.join(SECONDS)
    assert [type(error) for error in errors] == [PcanCanOperationError]


def test_a_closed_bus(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus()
    bus.shutdown()
    bus.shutdown()
    calls: list[Any] = [bus.status, bus.status_string, bus.status_is_ok, bus.reset, bus.recover]
    calls += [bus.get_device_number, bus.flush_tx_buffer, bus.recv, lambda: bus.send(Message())]
    for call in calls:
        with pytest.raises(CanOperationError, match="closed bus"):
            call()
    with pytest.raises(CanOperationError, match="closed bus"):
        bus.state = bus.state
    with PcanBus():
        pass


def test_closing_from_other_threads(stub: Stub) -> None:
    for _ in range(20):
        bus, errors = PcanBus(), []
        ready = threading.Barrier(3)

        def use(call: Any, bus: Any = bus, errors: Any = errors, ready: Any = ready) -> None:
            ready.wait()
            try:
                while True:
                    call(bus)
            except CanError as error:
                errors.append(str(error))

        threads = [
            threading.Thread(target=use, args=(lambda bus: bus.recv(1),)),
            threading.Thread(target=use, args=(lambda bus: bus.send(Message(arbitration_id=1)),)),
        ]
        for thread in threads:
            thread.start()
        ready.wait()
        bus.shutdown()
        for thread in threads:
            thread.join(SECONDS)
        assert errors == ["Cannot operate on a closed bus"] * 2


def test_recovering_while_other_threads_use_the_channel(stub: Stub) -> None:
    """The emulated library notes a channel that is closed while another thread is inside."""
    stub.set("identify_ms", 5)
    bus, errors = PcanBus(receive_own_messages=True), []
    bus.fileno()

    def use(call: Any) -> None:
        try:
            while not bus.is_shutdown:
                call()
        except CanError as error:
            errors.append(str(error))

    calls = [
        *(lambda: bus.recv(1), lambda: bus.send(Message(arbitration_id=1)), bus.status),
        *(bus.get_device_number, lambda: bus._flash(1)),
    ]
    threads = [threading.Thread(target=use, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for _ in range(3):
        bus.recover()
    threads.append(threading.Thread(target=use, args=(bus.recover,)))
    threads[-1].start()
    bus.shutdown()
    for thread in threads:
        thread.join(SECONDS)
    assert {*errors} <= {"Cannot operate on a closed bus"}


def test_two_threads_lose_nothing(stub: Stub, open_bus: OpenBus) -> None:
    one, two, count = open_bus(), open_bus("PCAN_USBBUS2"), 2_000
    messages = [Message(arbitration_id=number, data=number.to_bytes(4, "big")) for number in range(count)]

    def write() -> None:
        for message in messages:
            one.send(message, SECONDS)

    thread = threading.Thread(target=write)
    thread.start()
    found = []
    while len(found) < count:
        message = two.recv(SECONDS)
        assert message is not None
        found.append(message)
    thread.join(SECONDS)
    assert [message.arbitration_id for message in found] == [*range(count)]
    times = [message.timestamp_ns for message in found]
    assert times == sorted(times)
    assert not two.losses
