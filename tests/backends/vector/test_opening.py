"""Opening and closing: the calls of the driver, the settings of the channels, and failures at each step."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.backends.vector.bus import VectorBus
from cantools_cli.backends.vector.exceptions import VectorInitializationError
from cantools_cli.bit_timing.classic import BitTiming, BitTimingFd
from cantools_cli.bus.base import CanProtocol
from cantools_cli.bus.interface import Bus
from cantools_cli.errors import CanError, CanInitializationError, CanInterfaceNotImplementedError, UsageError
from tests.backends.vector.conftest import Opener
from tests.vendor.kit import Stub

OPENING = [
    *("xlOpenDriver", "xlGetDriverConfig", "xlGetApplConfig", "xlGetChannelIndex", "xlOpenPort"),
    *("xlCanSetChannelBitrate", "xlCanSetChannelOutput", "xlGetDriverConfig", "xlCanSetChannelMode"),
    *("xlActivateChannel", "xlGetSyncTime", "xlGetSyncTime"),
]


def names(stub: Stub) -> list[str]:
    return [call.split()[0] for call in stub.calls()]


def call_of(stub: Stub, function: str) -> str:
    """Return the arguments of the only call of a function."""
    [found] = [call for call in stub.calls() if call.split()[0] == function]
    return found.partition(" ")[2]


def test_the_order_of_calls(stub: Stub) -> None:
    with VectorBus(0, bitrate=500_000):
        assert names(stub) == OPENING
        stub.clear_calls()
    assert stub.calls() == [
        "xlDeactivateChannel port=1 mask=1",
        "xlClosePort port=1",
        "xlCloseDriver",
    ]


def test_a_bus_without_settings_leaves_those_of_the_channels(stub: Stub, bus_of: Opener) -> None:
    bus = bus_of((0, 1))
    assert (str(bus), bus.protocol) == ("Application CANalyzer: CAN 1, CAN 2", CanProtocol.CAN_20)
    assert call_of(stub, "xlOpenPort") == "user=CANalyzer mask=3 permission=0 queue=16384 version=3 bus=1"
    assert call_of(stub, "xlCanSetChannelMode") == "port=1 mask=3 tx=0 txrq=0"
    assert not {"xlCanSetChannelBitrate", "xlCanSetChannelOutput"} & {*names(stub)}
    assert bus.bit_rates == (500_000, None)
    assert (bus.channels, bus.mask, bus.permission_mask) == ((0, 1), 3, 0)
    assert (bus.channel_masks, bus.index_to_channel) == ({0: 1, 1: 2}, {0: 0, 1: 1})


@pytest.mark.parametrize(
    ("settings", "function", "arguments"),
    [
        ({"bitrate": 250_000}, "xlCanSetChannelBitrate", "bitrate=250000"),
        (
            {"timing": BitTiming(f_clock=16_000_000, brp=2, tseg1=12, tseg2=3, sjw=2, nof_samples=3)},
            "xlCanSetChannelParams",
            "bitrate=500000 sjw=2 tseg1=12 tseg2=3 sam=3",
        ),
        (
            {"timing": BitTiming(f_clock=8_000_000, brp=1, tseg1=13, tseg2=2, sjw=1)},
            "xlCanSetChannelParamsC200",
            "btr0=00 btr1=1c",
        ),
        (
            {"timing": BitTiming(f_clock=24_000_000, brp=3, tseg1=12, tseg2=3, sjw=2), "bitrate": 1},
            "xlCanSetChannelParams",
            "bitrate=500000 sjw=2 tseg1=12 tseg2=3 sam=1",
        ),
        ({"fd": True}, "xlCanFdSetConfiguration", "500000 6/3/2 500000 6/3/2 options=0"),
        (
            {"fd": True, "bitrate": 1_000_000, "data_bitrate": 4_000_000},
            "xlCanFdSetConfiguration",
            "1000000 6/3/2 4000000 6/3/2 options=0",
        ),
        (
            {"fd": True, "bitrate": 500_000, "data_bitrate": 5_000_000},  # which 6/3 does not reach
            "xlCanFdSetConfiguration",
            "500000 127/32/32 5000000 12/3/3 options=0",
        ),
        (
            {
                "fd": True,
                "bitrate": 500_000,
                "data_bitrate": 2_000_000,
                "sjw_abr": 16,
                "tseg1_abr": 63,
                "tseg2_abr": 16,
                "sjw_dbr": 4,
                "tseg1_dbr": 15,
                "tseg2_dbr": 4,
            },
            "xlCanFdSetConfiguration",
            "500000 63/16/16 2000000 15/4/4 options=0",
        ),
        (
            {
                "fd": True,
                "sjwAbr": 8,
                "tseg1Abr": 31,
                "tseg2Abr": 8,
                "sjwDbr": 3,
                "tseg1Dbr": 15,
                "tseg2Dbr": 4,
            },
            "xlCanFdSetConfiguration",
            "500000 31/8/8 500000 15/4/3 options=0",
        ),
        (
            {"timing": BitTimingFd(80_000_000, 1, 119, 40, 40, 1, 29, 10, 10)},
            "xlCanFdSetConfiguration",
            "500000 119/40/40 2000000 29/10/10 options=0",
        ),
        (
            {"timing": BitTimingFd(40_000_000, 1, 59, 20, 20, 1, 14, 5, 5)},
            "xlCanFdSetConfiguration",
            "500000 59/20/20 2000000 14/5/5 options=0",
        ),
    ],
)
def test_bit_timing(
    stub: Stub, bus_of: Opener, settings: dict[str, Any], function: str, arguments: str
) -> None:
    bus = bus_of(0, **settings)
    assert call_of(stub, function) == f"port=1 mask=1 {arguments}"
    is_fd = function == "xlCanFdSetConfiguration"
    assert bus.protocol is (CanProtocol.CAN_FD if is_fd else CanProtocol.CAN_20)
    assert bus.fd is is_fd
    assert f"version={4 if is_fd else 3}" in call_of(stub, "xlOpenPort")
    assert bus.permission_mask == 1
    numbers = [int(part) for part in arguments.replace("=", " ").split() if part.isdigit()]
    if is_fd:
        assert bus.bit_rates == (numbers[0], numbers[1])
    else:
        assert bus.bit_rates[0] in (250_000, 500_000)
        assert bus.bit_rates[1] is None


def test_a_device_that_rejects_the_default_segments(stub: Stub, bus_of: Opener) -> None:
    stub.set("min_quanta", 16)
    bus_of(0, fd=True, bitrate=500_000, data_bitrate=2_000_000)
    calls = [call for call in stub.calls() if call.startswith("xlCanFdSetConfiguration")]
    assert [call.partition("mask=1 ")[2] for call in calls] == [
        "500000 6/3/2 2000000 6/3/2 options=0",
        "500000 127/32/32 2000000 31/8/8 options=0",
    ]


def test_a_device_that_rejects_given_segments(stub: Stub) -> None:
    stub.set("min_quanta", 16)
    with pytest.raises(VectorInitializationError, match="XL_ERR_WRONG_PARAMETER") as caught:
        VectorBus(0, fd=True, tseg1_abr=7, tseg2_abr=2, sjw_abr=1)
    assert caught.value.error_code == 101


@pytest.mark.parametrize(
    ("channel", "settings", "index"),
    [
        (0, {}, 0),
        ("1", {}, 1),
        (1, {"serial": 100}, 3),
        (0, {"serial": 0}, 0),  # of the virtual channels
        (2, {"app_name": None}, 2),
        (3, {"app_name": ""}, 3),
        (0, {"channel_index": 3}, 3),
        (1, {"serial": 100, "channel_index": 2}, 2),
        (0, {"channel_index": "1"}, 1),
    ],
)
def test_the_channel_that_is_opened(
    stub: Stub, bus_of: Opener, channel: Any, settings: dict[str, Any], index: int
) -> None:
    bus = bus_of(channel, **settings)
    assert bus.index_to_channel == {index: int(channel)}
    assert bus.mask == 1 << index
    stub.inject(index, arbitration_id=1)
    message = bus.recv(10)
    assert message is not None
    assert message.channel == int(channel)


def test_descriptions(bus_of: Opener) -> None:
    assert str(bus_of(1, serial=100)) == "Vector device 100: CAN 2"
    assert str(bus_of((2, 0), app_name=None)) == "Vector: CAN 3, CAN 1"
    assert str(bus_of(0, app_name="CANalyzer")) == "Application CANalyzer: CAN 1"
    several = bus_of("0,1", channel_index="2,1")
    assert several.index_to_channel == {2: 0, 1: 1}


def test_settings_as_text(stub: Stub, bus_of: Opener) -> None:
    settings = {"fd": "true", "bitrate": "500k", "data_bitrate": "2M", "tseg1_dbr": "15", "tseg2_dbr": "4"}
    more = {"serial": "100", "rx_queue_size": "8192", "poll_interval": "5ms", "sjw_dbr": "4"}
    with Bus("0, 1", interface="vector", ignore_config=True, **settings, **more) as bus:
        assert bus.bit_rates == (500_000, 2_000_000)
        assert "mask=c permission=c queue=8192 version=4" in call_of(stub, "xlOpenPort")
        assert isinstance(bus, VectorBus)
        assert bus.poll_interval == 0.005


def test_the_documented_order_of_arguments(stub: Stub) -> None:
    filters = [{"can_id": 1, "can_mask": 0x7FF}]
    rest: tuple[Any, ...] = (filters, 0.02, True, 500_000, 8192, None, 100, True, 2_000_000, 2, 6, 3, 2, 6, 3)
    with VectorBus(0, *rest) as bus:
        assert (bus.filters, bus.poll_interval, bus.bit_rates) == (filters, 0.02, (500_000, 2_000_000))
        assert call_of(stub, "xlCanSetChannelMode") == "port=1 mask=4 tx=1 txrq=0"


@pytest.mark.parametrize(
    ("channel", "settings", "error", "text"),
    [
        ("a", {}, UsageError, "vector:a: a channel is a number from 0"),
        ((), {}, UsageError, "a channel is a number from 0"),
        (-1, {}, UsageError, "a channel is a number from 0"),
        (1.5, {}, TypeError, "not float"),
        (0, {"rx_queue_size": 1000}, UsageError, "not a power of two from 16 to 32768 events"),
        (0, {"rx_queue_size": 8}, UsageError, "not a power of two"),
        (0, {"rx_queue_size": 4096, "fd": True}, UsageError, "from 8192 to 524288 bytes"),
        (0, {"fd": True, "bitrate": 1_000_000, "data_bitrate": 500_000}, UsageError, "below bitrate"),
        (0, {"fd": True, "tseg1_dbr": 7}, UsageError, "tseg1 7 and tseg2 3 do not reach 500000 bit/s"),
        (0, {"fd": True, "tseg1_abr": -4}, UsageError, "must be at least 1"),
        (0, {"fd": True, "data_bitrate": 70_000_000}, UsageError, "does not reach 70000000 bit/s"),
        (0, {"timing": BitTimingFd(60_000_000, 8, 11, 3, 3, 1, 4, 1, 1)}, UsageError, "does not fit"),
        (0, {"channel_index": (1, 2)}, UsageError, "channel_index has 2 numbers for 1 channels"),
        (0, {"channel_index": 9}, CanInitializationError, "no channel has the index 9"),
        (0, {"nonsense": 1}, UsageError, "no setting"),
        (0, {"bitrate": 0}, UsageError, "bitrate 0 is not above 0"),
        (0, {"fd": True, "data_bitrate": 0}, UsageError, "data_bitrate 0 is not above 0"),
        (0, {"can_filters": [{"id": 3}], "hw_filter": True}, UsageError, "bad filter"),
        (0, {"bitrate": 1}, VectorInitializationError, "xlCanSetChannelBitrate failed"),
        (5, {"app_name": None}, CanInitializationError, "no channel has the index 5"),
        (0, {"serial": 7}, CanInitializationError, "no device with serial number 7"),
        (2, {"serial": 100}, CanInitializationError, "serial number 100 has no channel 2"),
        (9, {}, VectorInitializationError, 'channel 9 of application "CANalyzer" is not assigned'),
    ],
)
def test_wrong_settings(
    stub: Stub, channel: Any, settings: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text) as caught:
        VectorBus(channel, **settings)
    assert "\n" not in str(caught.value)
    assert stub.leaks() == 0


def test_the_codes_and_hints_of_absent_channels(stub: Stub) -> None:
    with pytest.raises(CanInitializationError) as caught:
        VectorBus(0, serial=7)
    assert (caught.value.error_code, caught.value.hint) == (129, "connected: 0, 100")
    with pytest.raises(CanInitializationError) as caught:
        VectorBus(4, serial=100)
    assert (caught.value.error_code, caught.value.hint) == (129, "its channels: 0, 1")
    VectorBus.set_application_config("mine", 0, 57, 0, 0)  # which is not connected
    with pytest.raises(VectorInitializationError, match='of application "mine" is not connected') as caught:
        VectorBus(0, app_name="mine")
    assert caught.value.error_code == 129


@pytest.mark.parametrize("number", range(len(OPENING)))
def test_a_failing_step_leaves_nothing_open(stub: Stub, number: int) -> None:
    function = OPENING[number]
    earlier = OPENING[:number].count(function)
    descriptors = len(os.listdir("/proc/self/fd"))
    stub.fail(function, -1 if function == "xlGetChannelIndex" else 144, skip=earlier)
    try:
        with pytest.raises(VectorInitializationError, match=f"vector:0: {function} failed") as caught:
            VectorBus(0, bitrate=500_000)
        assert caught.value.error_code == (129 if function == "xlGetChannelIndex" else 144)
    except pytest.fail.Exception:
        assert function == "xlGetSyncTime"  # the bus opens without the time
    assert stub.leaks() == 0
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_another_program_owns_the_settings(stub: Stub, bus_of: Opener) -> None:
    stub.set("foreign", 0b1111)
    bus = bus_of(0, bitrate=500_000)  # the same: not an error
    assert bus.permission_mask == 0
    with pytest.raises(
        CanInitializationError, match="channel 1 has bit rate 500000 instead of 250000"
    ) as error:
        VectorBus(1, bitrate=250_000)
    assert error.value.hint == "another program owns the settings of the channel"
    with pytest.raises(CanInitializationError, match=r"channel 1 has CAN 2\.0 instead of CAN FD"):
        VectorBus(1, fd=True)
    timing = BitTiming(f_clock=16_000_000, brp=2, tseg1=13, tseg2=2, sjw=1)
    with pytest.raises(CanInitializationError, match=r"sample point 62\.5 % instead of 87\.5 %"):
        VectorBus(1, timing=timing)


def test_devices_that_report_no_mode(stub: Stub, bus_of: Opener) -> None:
    stub.set("shown_mode", 0)
    assert bus_of(0, fd=True).fd


def test_a_channel_that_is_not_can_after_all(stub: Stub, bus_of: Opener) -> None:
    stub.set("shown_bus", 2)
    assert bus_of(0).bit_rates == (None, None)
    with pytest.raises(CanInitializationError, match="vector:1: channel 1 has a bus that is not CAN"):
        VectorBus(1, bitrate=500_000)


def test_a_bit_rate_that_the_device_reports_nearly(stub: Stub, bus_of: Opener) -> None:
    stub.set("shown_bitrate", 500_400)
    assert bus_of(0, bitrate=500_000).bit_rates[0] == 500_400
    stub.set("shown_bitrate", 503_000)
    with pytest.raises(CanInitializationError, match="bit rate 503000 instead of 500000"):
        VectorBus(0, bitrate=500_000)


def test_listening_only(stub: Stub, bus_of: Opener, caplog: pytest.LogCaptureFixture) -> None:
    bus_of(0, listen_only=True)
    assert call_of(stub, "xlCanSetChannelOutput") == "port=1 mask=1 mode=0"
    stub.set("foreign", 0b10)
    with caplog.at_level(logging.WARNING, "can"):
        bus_of(1, listen_only=True)
    assert "vector:1: another program owns the channel: it may acknowledge frames" in caplog.text


def test_two_buses_with_one_channel(stub: Stub) -> None:
    first = VectorBus(0, bitrate=500_000)
    second = VectorBus(0, bitrate=500_000)
    assert (first.permission_mask, second.permission_mask) == (1, 0)
    first.shutdown()
    stub.inject(0, arbitration_id=0x55)
    message = second.recv(10)
    assert message is not None
    assert message.arbitration_id == 0x55
    second.shutdown()
    second.shutdown()
    assert stub.leaks() == 0


def test_a_lin_channel(stub: Stub) -> None:
    stub.set("odd_channels", 2)
    with pytest.raises(VectorInitializationError, match="xlOpenPort failed") as caught:
        VectorBus(0, serial=400)
    assert caught.value.error_code == 202


def test_the_library_is_missing(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.delenv("CANX_VECTOR_LIBRARY", raising=False)
    with pytest.raises(CanInterfaceNotImplementedError, match="the XL Driver Library of Vector") as caught:
        VectorBus(0)
    assert caught.value.hint
    for name in ("library", "dll"):
        with pytest.raises(CanInterfaceNotImplementedError, match=r"/nowhere/x\.dll"):
            VectorBus(0, **{name: "/nowhere/x.dll"})  # type: ignore[arg-type]
    assert VectorBus._detect_available_configs() == []
    assert "XL Driver Library" in str(VectorBus._obstacle())


def test_the_library_as_a_setting(stub: Stub, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANX_VECTOR_LIBRARY")
    for name in ("library", "dll"):
        with VectorBus(0, **{name: str(path)}) as bus:  # type: ignore[arg-type]
            assert bus.recv(0) is None


def test_an_old_library_without_can_fd(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    from cantools_cli.backends.vector.library import XL_DRIVER

    functions = XL_DRIVER.load()
    monkeypatch.setattr(functions, "xlCanFdSetConfiguration", None)
    with pytest.raises(CanError, match="it has no CAN FD") as caught:
        VectorBus(0, fd=True)
    assert (caught.value.error_code, caught.value.hint) == (160, "the driver is too old for CAN FD")
    monkeypatch.setattr(functions, "xlSetTimerRate", None)
    with VectorBus(0) as bus, pytest.raises(CanError, match=r"xlSetTimerRate failed \(the library lacks it"):
        bus.set_timer_rate(1)
