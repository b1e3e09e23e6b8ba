"""Opening and closing a bus on the emulated CANlib: the order of calls, settings, failures."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest

from cantools_cli.backends.kvaser import constants as c
from cantools_cli.backends.kvaser.bus import KvaserBus
from cantools_cli.backends.kvaser.errors import CANLIBInitializationError
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.bus.base import CanProtocol
from cantools_cli.bus.interface import Bus, detect_available_configs
from cantools_cli.errors import CanInitializationError, CanInterfaceNotImplementedError, UsageError
from cantools_cli.frame.message import Message
from tests.backends.kvaser.conftest import Opened
from tests.vendor.kit import Stub

OPENING = [
    r"canInitializeLibrary",
    r"canGetNumberOfChannels",
    *(rf"canGetChannelData channel=0 item={item}" for item in (31, 7, 6, 1)),
    r"canOpenChannel channel=0 flags=0x20",
    r"canIoCtl handle=(\d+) function=20 size=1 value=1",
    r"canIoCtl handle=(\d+) function=6 size=4 value=10",
    r"canSetBusParams handle=(\d+) freq=-2 tseg1=0 tseg2=0 sjw=0 samples=0",
    r"canSetBusOutputControl handle=(\d+) mode=4",
    r"canIoCtl handle=(\d+) function=32 size=1 value=0",
    r"canIoCtl handle=(\d+) function=46 size=4 value=0",
    r"canOpenChannel channel=0 flags=0x20",
    r"canBusOn handle=(\d+)",
    r"canBusOn handle=(\d+)",
    r"kvReadTimer64 handle=(\d+)",
    r"canGetRawHandle handle=(\d+)",
]
CLOSING = [
    r"canWriteSync handle=(\d+) ms=100",
    r"canBusOff handle=(\d+)",
    r"canBusOff handle=(\d+)",
    r"canClose handle=(\d+)",
    r"canClose handle=(\d+)",
]


def matched(calls: list[str], patterns: list[str]) -> list[int]:
    """Return the handles in ``calls``, which match ``patterns``, counted from the first."""
    assert len(calls) == len(patterns), "\n".join(calls)
    handles = []
    for call, pattern in zip(calls, patterns, strict=True):
        match = re.fullmatch(pattern, call)
        assert match, f"{call} is not {pattern}"
        handles += [int(text) for text in match.groups()]
    return [handle - min(handles) for handle in handles]


def params(stub: Stub) -> list[str]:
    """Return the arguments of the calls that set the bit rate, without the handle."""
    calls = [call for call in stub.calls() if call.startswith("canSetBusParams")]
    return [re.sub(r" handle=\d+", "", call) for call in calls]


def test_the_order_of_calls(stub: Stub) -> None:
    bus = KvaserBus(0)
    assert matched(stub.calls(), OPENING) == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]
    stub.clear_calls()
    bus.shutdown()
    bus.shutdown()
    assert matched(stub.calls(), CLOSING) == [1, 1, 0, 1, 0]


def test_a_single_handle(stub: Stub) -> None:
    with KvaserBus("1", single_handle=True) as bus:
        assert bus.single_handle
        assert sum(call.startswith("canOpenChannel") for call in stub.calls()) == 1
    for name in ("canBusOn", "canBusOff", "canClose"):
        assert sum(call.startswith(name) for call in stub.calls()) == 1, name


def test_what_a_bus_says_about_itself(opened: Opened) -> None:
    bus = opened(1, fd=True, data_bitrate=2_000_000)
    assert str(bus) == bus.channel_info == "Kvaser USBcan Pro 2xHS v2, S/N 12345 (#2)"
    assert bus.channel == 1
    assert bus.bit_rates == (500_000, 2_000_000)
    assert bus.protocol is CanProtocol.CAN_FD
    assert opened(0).protocol is CanProtocol.CAN_20
    assert opened(0, fd_non_iso=True).protocol is CanProtocol.CAN_FD_NON_ISO


def test_names_of_old_libraries(stub: Stub, opened: Opened) -> None:
    stub.set("names", 0)
    assert opened(0).channel_info == "Kvaser USBcan Pro 2xHS v2 (01306-8), S/N 12345 (#1)"
    stub.set("names", 2)
    assert opened(1).channel_info == "Kvaser Gerät, S/N 12345 (#2)"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["canSetBusParams freq=-2 tseg1=0 tseg2=0 sjw=0 samples=0"]),
        (
            {"bitrate": 250_000, "no_samp": 3},
            ["canSetBusParams freq=-3 tseg1=0 tseg2=0 sjw=0 samples=3"],
        ),
        (
            {"bitrate": 500_000, "tseg1": 5, "tseg2": 2, "sjw": 1},
            ["canSetBusParams freq=500000 tseg1=5 tseg2=2 sjw=1 samples=0"],
        ),
        (
            {"timing": BitTiming(16_000_000, 2, 13, 2, 1)},
            ["canSetBusParams freq=500000 tseg1=13 tseg2=2 sjw=1 samples=1"],
        ),
        (
            {"fd": True, "data_bitrate": 2_000_000},
            [
                "canSetBusParams freq=-1000 tseg1=0 tseg2=0 sjw=0 samples=0",
                "canSetBusParamsFd freq=-1002 tseg1=0 tseg2=0 sjw=0",
            ],
        ),
        (
            {"timing": BitTimingFd(80_000_000, 2, 63, 16, 16, 2, 15, 4, 4)},
            [
                "canSetBusParams freq=500000 tseg1=63 tseg2=16 sjw=16 samples=1",
                "canSetBusParamsFd freq=2000000 tseg1=15 tseg2=4 sjw=4",
            ],
        ),
    ],
)
def test_timing_reaches_the_library(
    stub: Stub, opened: Opened, settings: dict[str, Any], expected: list[str]
) -> None:
    opened(0, **settings)
    assert params(stub) == expected


@pytest.mark.parametrize(
    ("settings", "flags"),
    [
        ({"accept_virtual": False}, ["0x0", "0x0"]),
        ({"fd": True}, ["0x420", "0x420"]),
        ({"fd_non_iso": True}, ["0x820", "0x820"]),
        ({"exclusive": True}, ["0x28", "0x60"]),
        ({"override_exclusive": True}, ["0x60", "0x60"]),
        ({"no_init_access": True}, ["0x120", "0x120"]),
    ],
)
def test_flags(stub: Stub, opened: Opened, settings: dict[str, Any], flags: list[str]) -> None:
    opened(0, **settings)
    assert [call.partition("flags=")[2] for call in stub.calls() if "canOpenChannel" in call] == flags


@pytest.mark.parametrize("settings", [{"driver_mode": False}, {"listen_only": True}])
def test_listen_only_is_set_on_the_handle_with_access(
    stub: Stub, opened: Opened, settings: dict[str, Any]
) -> None:
    opened(0, **settings)
    [call] = [call for call in stub.calls() if call.startswith("canSetBusOutputControl")]
    first = next(call for call in stub.calls() if call.startswith("canIoCtl"))
    assert call == f"canSetBusOutputControl {first.split()[1]} mode=1"


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"channel": "can0"}, 'kvaser:can0: the channel "can0" is not a number'),
        ({"channel": -1}, 'kvaser:-1: the channel "-1" is not a number'),
        ({"channel": None}, 'kvaser:None: the channel "None" is not a number'),
        ({"channel": True}, 'the channel "True" is not a number'),
        ({"bitrate": 0}, "kvaser: bit rate 0 is not above 0"),
        ({"tseg1": 5}, "kvaser: tseg1, tseg2 and sjw are necessary together"),
        ({"timing": BitTiming(16_000_000, 2, 13, 2, 1), "fd": True}, "kvaser: a CAN FD channel needs"),
        ({"bitrait": 5}, 'interface "kvaser" has no setting "bitrait"'),
    ],
)
def test_invalid_settings(stub: Stub, settings: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=re.escape(text)):
        KvaserBus(**({"channel": 0} | settings))
    assert stub.calls() == []


def test_text_of_a_configuration(stub: Stub) -> None:
    words = {"bitrate": "250k", "fd": "false", "tseg1": "5", "tseg2": "2", "sjw": "1", "listen_only": "no"}
    with Bus("0", interface="kvaser", ignore_config=True, **words) as bus:
        assert isinstance(bus, KvaserBus)
    assert params(stub) == ["canSetBusParams freq=250000 tseg1=5 tseg2=2 sjw=1 samples=0"]


def test_channels_that_do_not_exist(stub: Stub) -> None:
    with pytest.raises(CanInitializationError, match="kvaser:4: there is no channel 4") as error:
        KvaserBus(4)
    assert error.value.hint is not None
    assert error.value.hint.startswith("channels here: 0: Kvaser USBcan Pro 2xHS v2; 1: Kvaser")
    stub.set("channels", 0)
    with pytest.raises(CanInitializationError) as error:
        KvaserBus(0)
    assert error.value.hint == "no Kvaser device is connected"


def test_a_device_that_was_just_plugged_in(stub: Stub) -> None:
    with pytest.raises(CanInitializationError):
        KvaserBus(4)
    assert "canEnumHardwareEx" in stub.calls()


def test_can_fd_needs_a_device_that_has_it(stub: Stub) -> None:
    with pytest.raises(CanInitializationError, match=r"Kvaser Virtual CAN, .* does not have CAN FD"):
        KvaserBus(2, fd=True)
    stub.set("fd", 0)
    with pytest.raises(CanInitializationError, match=r"kvaser:0: .* does not have CAN FD in non-ISO mode"):
        KvaserBus(0, fd_non_iso=True)


def test_a_virtual_channel_must_be_accepted(stub: Stub) -> None:
    with KvaserBus(2):
        pass
    with pytest.raises(
        CANLIBInitializationError, match="kvaser:2: canOpenChannel: Specified device not found"
    ):
        KvaserBus(2, accept_virtual=False)


# --- sharing a channel --------------------------------------------------------------------------------


def test_an_exclusive_channel(stub: Stub, opened: Opened) -> None:
    opened(0, exclusive=True)
    with pytest.raises(CANLIBInitializationError, match="No channels available") as error:
        KvaserBus(0)
    assert error.value.error_code == c.canERR_NOCHANNELS
    opened(0, override_exclusive=True)


def test_the_bit_rate_of_another_program_is_shared(
    stub: Stub, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    first = opened(0, bitrate=250_000)
    with caplog.at_level(logging.WARNING, "can"):
        second = opened(0, bitrate=250_000)
    assert caplog.messages == ["kvaser:0: another program set the bit rate to 250000 bit/s"]
    other = opened(1, bitrate=250_000)
    other.send(Message(arbitration_id=1))
    for bus in (first, second):
        assert bus.recv(10) is not None


def test_another_bit_rate_than_that_of_another_program_is_refused(stub: Stub, opened: Opened) -> None:
    opened(0, bitrate=250_000)
    with pytest.raises(CanInitializationError, match="set the bit rate to 250000 bit/s, not 500000") as error:
        KvaserBus(0)
    assert (error.value.error_code, error.value.hint) == (c.canERR_NO_ACCESS, "use bitrate=250000")
    opened(1, fd=True, data_bitrate=2_000_000)
    with pytest.raises(CanInitializationError) as error:
        KvaserBus(1, fd=True, data_bitrate=4_000_000)
    assert error.value.hint == "use bitrate=500000,data_bitrate=2000000"


def test_a_channel_of_another_program_cannot_be_silenced(stub: Stub, opened: Opened) -> None:
    opened(0)
    with pytest.raises(CANLIBInitializationError, match="canSetBusOutputControl: No access"):
        KvaserBus(0, listen_only=True)


# --- failures -----------------------------------------------------------------------------------------


def steps() -> list[tuple[str, int]]:
    """Return (function, calls before) for each call of the opening that must succeed."""
    return [
        *(("canGetNumberOfChannels", 0), ("canOpenChannel", 0), ("canSetBusParams", 0)),
        *(("canSetBusOutputControl", 0), ("canOpenChannel", 1), ("canBusOn", 0), ("canBusOn", 1)),
    ]


@pytest.mark.parametrize(("function", "skip"), steps())
def test_a_failed_step_leaves_nothing_open(stub: Stub, function: str, skip: int) -> None:
    stub.fail(function, c.canERR_INTERNAL, skip=skip)
    with pytest.raises(CANLIBInitializationError) as error:
        KvaserBus(0)
    assert str(error.value) == f"kvaser:0: {function}: internal library error [Error Code -30]"
    assert (error.value.function, error.value.error_code) == (function, c.canERR_INTERNAL)
    assert stub.leaks() == 0
    with KvaserBus(0):
        pass


@pytest.mark.parametrize(
    ("function", "settings"),
    [
        ("canSetBusParamsFd", {"fd": True}),
        ("canIoCtl:7", {"single_handle": True, "receive_own_messages": True}),
    ],
)
def test_failed_steps_of_some_settings(stub: Stub, function: str, settings: dict[str, Any]) -> None:
    stub.fail(function, c.canERR_INTERNAL)
    with pytest.raises(CANLIBInitializationError):
        KvaserBus(0, **settings)
    assert stub.leaks() == 0


def test_invalid_filters_leave_nothing_open(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        KvaserBus(0, can_filters=[{"can_id": "x"}])  # type: ignore[typeddict-item]  # invalid on purpose
    assert stub.leaks() == 0
    assert caplog.messages == []


@pytest.mark.parametrize("item", [1, 6, 7, 26, 31])
def test_what_the_library_does_not_know_about_a_channel_does_not_hide_it(stub: Stub, item: int) -> None:
    stub.fail(f"canGetChannelData:{item}", c.canERR_NOT_IMPLEMENTED, count=100)
    with KvaserBus(0):
        pass
    assert [config["channel"] for config in KvaserBus._detect_available_configs()] == [0, 1, 2, 3]


def test_steps_that_may_fail(stub: Stub, opened: Opened) -> None:
    """Old libraries and Linux refuse some settings that only make a bus better."""
    for function in (20, 32, 46):
        stub.fail(f"canIoCtl:{function}", c.canERR_PARAM)
    stub.fail("kvReadTimer64", c.canERR_NOT_IMPLEMENTED, count=100)
    bus = opened(0)
    opened(1).send(Message(arbitration_id=1))
    assert bus.recv(10) is not None


def test_the_second_handle_opens_without_access_if_it_gets_none(stub: Stub, opened: Opened) -> None:
    stub.fail("canOpenChannel", c.canERR_NO_ACCESS, skip=1)
    opened(0)
    assert [call.partition("flags=")[2] for call in stub.calls() if "canOpenChannel" in call] == [
        "0x20",
        "0x120",
    ]


# --- detection ----------------------------------------------------------------------------------------


def test_detection(stub: Stub) -> None:
    found = detect_available_configs("kvaser")
    assert [(one["channel"], one["serial"], one["dongle_channel"]) for one in found] == [
        (0, 12345, 1),
        (1, 12345, 2),
        (2, 0, 1),
        (3, 0, 2),
    ]
    assert [(one["supports_fd"], one["is_virtual"]) for one in found] == [(True, False)] * 2 + [
        (False, True)
    ] * 2
    assert {one["device_name"] for one in found} == {"Kvaser USBcan Pro 2xHS v2", "Kvaser Virtual CAN"}
    for config in found:
        with Bus(**config, ignore_config=True) as bus:
            assert bus.channel == config["channel"]  # type: ignore[attr-defined]  # of a KvaserBus


def test_a_library_that_fails_finds_nothing(stub: Stub) -> None:
    stub.fail("canGetNumberOfChannels", c.canERR_DRIVERFAILED)
    assert detect_available_configs("kvaser") == []


def test_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANX_KVASER_LIBRARY", "/nowhere.so")
    assert detect_available_configs("kvaser") == []
    with pytest.raises(CanInterfaceNotImplementedError):
        KvaserBus(0)
