"""The bus of an interface of NI-CAN on the emulated library: opening, settings, filters, detection."""

from __future__ import annotations

import inspect
import pickle
import sys
from importlib import import_module
from typing import Any

import pytest

from cantools_cli.backends.nican.bus import NicanBus
from cantools_cli.backends.nican.errors import (
    _TEXTS,
    NicanError,
    NicanInitializationError,
    NicanOperationError,
    error_status,
)
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.bus.base import CanProtocol
from cantools_cli.bus.interface import Bus, detect_available_configs
from cantools_cli.errors import (
    CanInitializationError,
    CanInterfaceNotImplementedError,
    CanOperationError,
    UsageError,
)
from cantools_cli.frame.message import Message
from cantools_cli.python_can.paths import homes_of
from tests.backends.nican.common import calls, configured, received, std
from tests.vendor.kit import FLAG_EXTENDED, Stub, compiled, loaded

FD_TIMING = BitTimingFd.from_sample_point(80_000_000, 500_000, 80.0, 2_000_000, 80.0)
ALL = {0x80010001: 0, 0x80010002: 0, 0x80010003: 0, 0x80010004: 0}


def test_the_documented_signature() -> None:
    parameters = [*inspect.signature(NicanBus).parameters.values()][:4]
    assert [(one.name, one.default) for one in parameters] == [
        ("channel", inspect.Parameter.empty),
        ("can_filters", None),
        ("bitrate", None),
        ("log_errors", True),
    ]
    assert [*inspect.signature(NicanError).parameters][:3] == ["function", "error_code", "arguments"]


def test_the_documented_names() -> None:
    modules = [import_module(home) for home in homes_of("can.interfaces.nican")]
    names = {name for module in modules for name in vars(module)}
    assert {"NicanBus", "NicanError", "NicanInitializationError", "NicanOperationError"} <= names


def test_opening_and_closing(stub: Stub) -> None:
    with NicanBus("CAN0") as bus:
        assert str(bus) == bus.channel_info == "NI-CAN: CAN0"
        assert bus.bit_rates == (None, None)
        assert bus.protocol is CanProtocol.CAN_20
        assert configured(stub) == {0x80000006: 1, 0x8001000A: 1, 0x80020032: 0, **ALL}
        assert [line for line in calls(stub) if line[0] == "n"] == ["ncConfig CAN0", "ncOpenObject CAN0"]
        with pytest.raises(NicanInitializationError, match=r"^nican:CAN0: ncConfig: .*BFF62006") as caught:
            NicanBus("CAN0")
        assert caught.value.hint == "close the other program that uses it"
    assert calls(stub)[-1] == "ncCloseObject 80000001"
    bus.shutdown()
    with pytest.raises(CanOperationError, match="closed"):
        bus.reset()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"bitrate": 500_000}, {0x80000007: 500_000}),
        ({"btr0btr1": 0x031C}, {0x80000007: 0x80001C03}),
        ({"timing": BitTiming(f_clock=8_000_000, brp=1, tseg1=13, tseg2=2, sjw=1)}, {0x80000007: 0x80001C00}),
        (
            {"timing": BitTiming(f_clock=16_000_000, brp=2, tseg1=13, tseg2=2, sjw=1)},
            {0x80000007: 0x80001C00},
        ),
        ({"log_errors": False}, {0x8001000A: 0}),
        ({"listen_only": True}, {0x80010010: 1}),
        ({"receive_own_messages": True}, {0x80010016: 1}),
        ({"read_queue": 100, "write_queue": 0}, {0x80000013: 100, 0x80000014: 0}),
    ],
)
def test_the_attributes(stub: Stub, given: dict[str, Any], expected: dict[int, int]) -> None:
    with NicanBus("CAN0", **given):
        assert configured(stub) == {0x80000006: 1, 0x8001000A: 1, 0x80020032: 0, **ALL, **expected}


@pytest.mark.parametrize(
    ("given", "rate"),
    [
        ({"bitrate": 250_000}, 250_000),
        ({"btr0btr1": 0x001C}, 500_000),
        ({"timing": BitTiming(f_clock=8_000_000, brp=1, tseg1=13, tseg2=2, sjw=1)}, 500_000),
    ],
)
def test_the_bit_rate(stub: Stub, given: dict[str, Any], rate: int) -> None:
    with NicanBus("CAN0", **given) as bus:
        assert bus.bit_rates == (rate, None)


def test_settings_as_text(stub: Stub) -> None:
    text = {"log_errors": "off", "btr0btr1": "0x031C", "read_queue": "0x10", "receive_own_messages": "yes"}
    with Bus("CAN0", interface="nican", ignore_config=True, **text):
        found = configured(stub)
        assert [found[key] for key in (0x8001000A, 0x80000007, 0x80000013, 0x80010016)] == [
            0,
            0x80001C03,
            16,
            1,
        ]


@pytest.mark.parametrize(
    ("channel", "given", "text"),
    [
        ("CAN0", {"bitrate": 0}, "bitrate 0 is not above 0"),
        ("CAN0", {"bitrate": 500_000, "btr0btr1": 0x1C}, "only one of bitrate, timing and btr0btr1"),
        ("CAN0", {"btr0btr1": 0x1001C}, "btr0btr1 0x1001c has more than 16 bits"),
        ("CAN0", {"timing": FD_TIMING}, "no CAN FD"),
        ("CAN0", {"timing": BitTiming(f_clock=50_000_000, brp=5, tseg1=7, tseg2=2, sjw=1)}, "clock of 8 MHz"),
        ("CAN0", {"read_queue": -1}, "read_queue -1 is not a number of frames"),
        ("CAN0", {"timestamps": "never"}, 'timestamps "never" is neither device nor host'),
        ("CAN0", {"no_such": 1}, "no setting"),
        ("CÄN0", {}, 'channel "CÄN0" is not the name of an interface'),
        (0, {}, 'channel "0" is not the name of an interface'),
    ],
)
def test_wrong_settings(stub: Stub, channel: Any, given: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        NicanBus(channel, **given)
    assert not calls(stub)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANX_NICAN_LIBRARY", raising=False)
    with pytest.raises(CanInterfaceNotImplementedError) as caught:
        NicanBus("CAN0")
    assert str(caught.value) == "nican: NI-CAN of National Instruments does not exist for Linux"
    assert caught.value.hint == "set CANX_NICAN_LIBRARY to a library that has its functions"
    assert NicanBus._obstacle() == "NI-CAN of National Instruments does not exist for Linux"
    assert detect_available_configs("nican") == []


def test_on_windows_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANX_NICAN_LIBRARY", raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(CanInterfaceNotImplementedError) as caught:
        NicanBus("CAN0")
    assert str(caught.value) == "nican: NI-CAN of National Instruments is not installed: no nican"
    assert "32-bit programs" in str(caught.value.hint)


def test_the_library_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANX_NICAN_LIBRARY", raising=False)
    path = compiled("nican")
    with loaded(path), NicanBus("CAN0", library=path), NicanBus("CAN1", dll=str(path)):
        pass


@pytest.mark.parametrize("function", ["ncConfig", "ncOpenObject"])
def test_a_failure_of_each_step(stub: Stub, function: str) -> None:
    stub.fail(function, error_status(0x002))
    with pytest.raises(NicanInitializationError, match=f"^nican:CAN0: {function}: NI-CAN: status") as caught:
        NicanBus("CAN0")
    error = caught.value
    assert isinstance(error, CanInitializationError)
    assert (error.function, error.error_code, error.arguments[0]) == (function, -1074388990, b"CAN0")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
    assert stub.leaks() == 0


def test_a_filter_that_is_none(stub: Stub) -> None:
    with pytest.raises(UsageError, match="bad filter"):
        NicanBus("CAN0", [{"can_id": 1}])  # type: ignore[typeddict-item]  # a mask is missing
    assert stub.leaks() == 0


def test_a_failure_of_closing(stub: Stub) -> None:
    bus = NicanBus("CAN0")
    stub.fail("ncCloseObject", error_status(0x121))
    with pytest.raises(NicanOperationError, match="nican:CAN0: ncCloseObject"):
        bus.shutdown()
    bus.shutdown()


@pytest.mark.parametrize("number", _TEXTS)
def test_every_code(stub: Stub, number: int) -> None:
    stub.set("no_text", 1)
    stub.fail("ncOpenObject", error_status(number))
    with pytest.raises(NicanInitializationError) as caught:
        NicanBus("CAN0")
    code = error_status(number)
    assert str(caught.value) == f"nican:CAN0: ncOpenObject: {_TEXTS[number]} [Error Code {code}]"
    assert code == -1074388992 + number


def test_errors_of_a_program() -> None:
    error = NicanOperationError("ncRead", -1074388989, ())
    assert str(error) == "ncRead failed: bad object name [Error Code -1074388989]"
    assert str(NicanError("ncRead", 12345)) == "ncRead failed: status 0x3039 [Error Code 12345]"


def test_a_driver_without_formats_of_times(stub: Stub) -> None:
    stub.set("no_format", 1)
    with NicanBus("CAN0"):
        assert configured(stub) == {0x80000006: 1, 0x8001000A: 1, **ALL}


def test_a_long_text_without_an_end(stub: Stub) -> None:
    stub.set("long_text", 1)
    with pytest.raises(NicanInitializationError, match=r"ncConfig: x{1024} \["):
        NicanBus("CAN9")


# --- filters ------------------------------------------------------------------------------------------

STD = {"can_id": 0x123, "can_mask": 0x7F0, "extended": False}
EXT = {"can_id": 0x12ABCDEF, "can_mask": 0x1FFFFFF0, "extended": True}
BOTH = {"can_id": 0x55, "can_mask": 0x7FF}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (None, (0, 0, 0, 0)),
        ([], (0, 0, 0, 0)),
        ([STD], (0x120, 0x7F0, 0, 0)),
        ([EXT], (0, 0, 0x32ABCDE0, 0x1FFFFFF0)),
        ([STD, EXT], (0x120, 0x7F0, 0x32ABCDE0, 0x1FFFFFF0)),
        ([BOTH], (0x55, 0x7FF, 0x20000055, 0x7FF)),
        ([STD, BOTH], (0, 0, 0x20000055, 0x7FF)),
        ([STD, STD], (0x120, 0x7F0, 0, 0)),
        ([{"can_id": 0x20000123, "can_mask": 0x7FF}], (0, 0, 0, 0)),  # inverted: only software can
    ],
)
def test_comparators(stub: Stub, filters: Any, expected: tuple[int, ...]) -> None:
    with NicanBus("CAN0", filters):
        found = configured(stub)
        assert tuple(found[key] for key in ALL) == expected


def test_filters_are_exact(stub: Stub) -> None:
    with NicanBus("CAN0", [STD]) as bus:  # type: ignore[list-item]  # a plain dictionary
        stub.inject(0, arbitration_id=0x123, flags=FLAG_EXTENDED)  # the hardware passes it
        for identifier in (0x12F, 0x130, 0x120):
            stub.inject(0, arbitration_id=identifier)
        assert [frame.arbitration_id for frame in received(bus, 2)] == [0x12F, 0x120]


def test_narrower_filters_need_no_hardware(stub: Stub, bus: NicanBus) -> None:
    stub.clear_calls()
    bus.set_filters([STD, EXT])  # type: ignore[list-item]  # plain dictionaries
    assert not calls(stub)
    for identifier in (0x99, 0x123):
        stub.inject(0, arbitration_id=identifier)
    assert received(bus, 1)[0].arbitration_id == 0x123


def test_wider_filters_open_the_interface_again(stub: Stub) -> None:
    with NicanBus("CAN0", [STD, EXT], bitrate=250_000) as bus:  # type: ignore[list-item]  # plain dictionaries
        stub.inject(0, arbitration_id=0x123)
        stub.inject(0, arbitration_id=0x99)
        stub.clear_calls()
        bus.set_filters(None)
        assert [line.split()[0] for line in calls(stub) if line[0] == "n"] == [
            *("ncCloseObject", "ncConfig", "ncOpenObject")
        ]
        assert configured(stub) == {0x80000006: 1, 0x8001000A: 1, 0x80020032: 0, 0x80000007: 250_000, **ALL}
        stub.inject(0, arbitration_id=0x99)
        assert [frame.arbitration_id for frame in received(bus, 2)] == [0x123, 0x99]
        bus.send(std(1))


def test_an_interface_that_does_not_open_again(stub: Stub) -> None:
    bus = NicanBus("CAN0", [STD])  # type: ignore[list-item]  # a plain dictionary
    stub.inject(0, arbitration_id=0x123)
    stub.fail("ncOpenObject", error_status(0x121))
    with pytest.raises(NicanOperationError, match="ncOpenObject"):
        bus.set_filters(None)
    with pytest.raises(NicanOperationError, match="ncOpenObject"):
        bus.send(std(1))
    assert received(bus, 1)[0].arbitration_id == 0x123
    with pytest.raises(NicanOperationError, match="ncOpenObject"):
        bus.recv(1)
    assert bus.is_shutdown


# --- detection ----------------------------------------------------------------------------------------


def test_detection(stub: Stub) -> None:
    stub.set("cards", 2)
    found = detect_available_configs("nican")
    assert [one["channel"] for one in found] == ["CAN0", "CAN1", "CAN2", "CAN3"]
    with Bus(**found[3], ignore_config=True) as bus:
        assert isinstance(bus, NicanBus)


def test_detection_that_fails(stub: Stub) -> None:
    stub.fail("ncGetHardwareInfo", error_status(0x00A))
    assert detect_available_configs("nican") == []


def test_a_library_with_few_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    path = compiled("nican", "MINIMAL=1")
    monkeypatch.setenv("CANX_NICAN_LIBRARY", str(path))
    with loaded(path), NicanBus("CAN0") as bus, NicanBus("CAN1") as other:
        for number in range(600):
            other.send(std(number, b"\1"))
        assert [frame.arbitration_id for frame in received(bus, 600)] == [*range(600)]
        other.send(Message(arbitration_id=1, is_remote_frame=True, dlc=5))
        assert received(bus, 1)[0].dlc == 5
        bus.reset()
        assert detect_available_configs("nican") == []
