from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cantools_cli.backends.cantact import CantactBus
from cantools_cli.backends.transport.usb import UsbDevice
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.bus.base import BusState
from cantools_cli.bus.interface import Bus, detect_available_configs
from cantools_cli.errors import CanInitializationError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.emulators import gs_usb as emulated
from tests.emulators.gs_usb import CANTACT_PRO, CLASSIC, FD_80, TWO_CHANNELS, Frame, GsUsbCore, Profile

Opened = Callable[..., Any]
LONG = 30.0
OLD_CANTACT = Profile(strings=("CANtact", "CANtact"))


@pytest.fixture
def cores(plug: Callable[..., object]) -> list[GsUsbCore]:
    cores = [
        GsUsbCore(OLD_CANTACT, "AAAA1111"),
        GsUsbCore(CANTACT_PRO, "BBBB2222"),
        GsUsbCore(CLASSIC, "CCCC3333", ids=(0x1209, 0x2323)),  # not found by the driver of CANtact
    ]
    plug(*cores)
    return cores


@pytest.mark.parametrize(("channel", "place"), [(0, (0, 0)), ("1", (1, 0)), (2, (1, 1)), ("ch:2", (1, 1))])
def test_channels_are_numbered_over_all_adapters(
    cores: list[GsUsbCore], opened: Opened, channel: object, place: tuple[int, int]
) -> None:
    bus = opened(channel, "cantact")
    bus.send(Message(arbitration_id=1))
    used = [(number, channel) for number, core in enumerate(cores) for channel, _ in core.sent]
    assert used == [place]
    cores[place[0]].receive(place[1], Frame(5, 0))
    received = bus.recv(LONG)
    assert (received.arbitration_id, received.channel) == (5, channel)


def test_several_channels_of_one_adapter(cores: list[GsUsbCore], opened: Opened) -> None:
    buses = [opened(number, "cantact") for number in range(3)]
    for number, bus in enumerate(buses):
        bus.send(Message(arbitration_id=number))
    assert [[frame.can_id & 0xFF for _, frame in core.sent] for core in cores] == [[0], [1, 2], []]


@pytest.mark.usefixtures("cores")
@pytest.mark.parametrize(
    ("channel", "kind", "text"),
    [(3, CanInitializationError, "cantact:3: no such channel"), ("can0", UsageError, "not the number")],
)
def test_a_channel_that_is_not_there(channel: object, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        Bus(channel, interface="cantact", ignore_config=True)


def test_no_adapter(plug: Callable[..., object]) -> None:
    plug()
    with pytest.raises(CanInitializationError, match="cantact:0: no adapter found"):
        Bus(0, interface="cantact", ignore_config=True)


@pytest.mark.usefixtures("cores")
def test_detection_returns_channels_to_open(opened: Opened) -> None:
    found = [config["channel"] for config in detect_available_configs("cantact")]
    assert found == ["ch:0", "ch:1", "ch:2"]
    for channel in found:
        opened(channel, "cantact")
    assert detect_available_configs("cantact") == []  # this program has them


def test_an_adapter_of_another_name_is_not_detected(plug: Callable[..., object]) -> None:
    plug(GsUsbCore(TWO_CHANNELS, "AAAA1111"))
    assert detect_available_configs("cantact") == []


def test_the_documented_parameters(cores: list[GsUsbCore], opened: Opened) -> None:
    bus = opened(0, "cantact", bitrate=250_000, poll_interval=0.5, monitor=True)
    assert bus.state is BusState.PASSIVE
    assert bus.bit_rates == (250_000, None)
    assert cores[0].channels[0].flags == emulated.LISTEN_ONLY | emulated.HW_TIMESTAMP


@pytest.mark.parametrize("name", ["bit_timing", "timing"])
def test_a_bit_timing_for_another_clock(cores: list[GsUsbCore], opened: Opened, name: str) -> None:
    timing = BitTiming(f_clock=24_000_000, brp=3, tseg1=13, tseg2=2, sjw=1)
    assert opened(0, "cantact", **{name: timing}).bit_rates == (500_000, None)
    assert cores[0].channels[0].timing == (1, 12, 2, 1, 6)


def test_positional_parameters(cores: list[GsUsbCore]) -> None:
    timing = BitTiming(f_clock=24_000_000, brp=3, tseg1=13, tseg2=2, sjw=1)
    with CantactBus(0, 250_000, 0.01, True, timing, False) as bus:
        assert bus.bit_rates == (500_000, None)
    assert cores[0].claimed_by is None


# --- CANtact Pro ------------------------------------------------------------------------------------------


def test_the_request_and_the_byte_of_cantact_pro(cores: list[GsUsbCore], opened: Opened) -> None:
    bus = opened(1, "cantact", fd=True, data_bitrate=2_000_000)
    assert cores[1].channels[0].data_timing == (1, 13, 5, 4, 1)
    bus.send(Message(arbitration_id=1, is_fd=True, bitrate_switch=True, data=bytes(64)))
    bus.send(Message(arbitration_id=1, data=b"\1"))  # without one more byte the adapter would refuse it
    assert [frame.flags for _, frame in cores[1].sent] == [emulated.IS_FD | emulated.HAS_BRS, 0]


def test_gs_usb_knows_cantact_pro(cores: list[GsUsbCore], opened: Opened) -> None:
    opened("BBBB2222:1", fd=True).send(Message(arbitration_id=1, is_fd=True))
    assert len(cores[1].sent) == 1


def test_newer_firmware_has_the_usual_request(plug: Callable[..., object], opened: Opened) -> None:
    core = GsUsbCore(Profile(**{**FD_80.__dict__, "strings": CANTACT_PRO.strings, "software": 3}))
    plug(core)
    opened(0, "cantact", timing=BitTimingFd.from_sample_point(80_000_000, 500_000, 80.0, 2_000_000, 75.0))
    assert core.channels[0].data_timing is not None


def test_a_bus_without_an_adapter(opened: Opened, plug: Callable[..., object]) -> None:
    plug()
    bus = opened(0, "cantact", _testing=True)
    bus.send(Message(arbitration_id=1))
    assert bus.recv(0) is None
    assert bus.state is BusState.ACTIVE


def test_an_adapter_of_the_kernel_is_not_detected(
    plug: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    core = GsUsbCore(CANTACT_PRO)
    core.is_kernel_bound = True
    plug(core)
    monkeypatch.setattr(UsbDevice, "kernel_channels", lambda device: ["can0", "can1"])
    assert detect_available_configs("cantact") == []


def test_a_bus_without_an_adapter_sends_prepared_rows(opened: Opened) -> None:
    bus = opened(0, "cantact", _testing=True)
    bus.prepared(MessageBatch([Message(arbitration_id=1)]))(0, 1, None)
    bus.flush_tx_buffer()


def test_a_timing_that_samples_three_times(cores: list[GsUsbCore], opened: Opened) -> None:
    timing = BitTiming(f_clock=24_000_000, brp=3, tseg1=13, tseg2=2, sjw=1, nof_samples=3)
    opened(0, "cantact", timing=timing)
    assert cores[0].channels[0].flags & emulated.TRIPLE
