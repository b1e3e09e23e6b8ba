"""Opening a bus: the order of the calls, the values that reach the library, and every step that can fail."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest

from cantools_cli.backends.ixxat import constants, timing
from cantools_cli.backends.ixxat.bus import IXXATBus
from cantools_cli.backends.ixxat.canlib_vcinpl import VcinplBus
from cantools_cli.backends.ixxat.canlib_vcinpl2 import Vcinpl2Bus
from cantools_cli.backends.ixxat.exceptions import VCIDeviceNotFoundError
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.bus.base import BusState
from cantools_cli.errors import CanInitializationError, UsageError
from tests.vendor.kit import Stub

OPENING = (
    *("vciInitialize", "vciEnumDeviceOpen", "vciEnumDeviceNext", "vciEnumDeviceClose", "vciDeviceOpen"),
    *("canChannelOpen", "canChannelInitialize", "canChannelActivate", "canControlOpen", "canControlGetCaps"),
    *("canControlInitialize", "canControlStart"),
)
CLOSING = (
    *("canChannelActivate", "canChannelClose", "canControlStart", "canControlReset", "canControlClose"),
    "vciDeviceClose",
)


def names(stub: Stub) -> list[str]:
    found = [call.split()[0] for call in stub.calls()]
    return [name for place, name in enumerate(found) if found[place - 1 : place] != [name]]


def call(stub: Stub, name: str) -> str:
    return [line for line in stub.calls() if line.startswith(f"{name} ")][-1].partition(" ")[2]


def test_the_order_of_the_calls(stub: Stub, fd: bool) -> None:
    with IXXATBus(0, fd=fd):
        assert tuple(names(stub)) == OPENING
        stub.clear_calls()
    assert tuple(names(stub)) == CLOSING


@pytest.mark.parametrize("step", OPENING)
def test_a_step_that_fails_leaves_nothing_open(step: str, stub: Stub, fd: bool) -> None:
    stub.fail(step, constants.VCI_E_FAIL)
    if step == "vciEnumDeviceClose":  # the list is complete then
        IXXATBus(0, fd=fd).shutdown()
        stub.reset()
        return
    with pytest.raises(CanInitializationError, match=rf"^ixxat:0: {step}: .*\(0xE0010009\)$"):
        IXXATBus(0, fd=fd)
    assert stub.leaks() == 0
    with IXXATBus(0, fd=fd):
        pass


def test_a_failing_close_releases_the_rest(stub: Stub, fd: bool) -> None:
    bus = IXXATBus(0, fd=fd)
    stub.fail("canControlStart", constants.VCI_E_FAIL)
    stub.fail("canChannelActivate", constants.VCI_E_FAIL)
    bus._controller.stop = lambda: None  # type: ignore[method-assign]  # not called
    bus.shutdown()
    assert stub.leaks() == 0
    stub.reset()  # the controller was closed while it was started: a violation, which the order caused


def test_the_defaults(stub: Stub, fd: bool) -> None:
    with IXXATBus(0, fd=fd) as bus:
        assert bus.state is BusState.ACTIVE
        assert call(stub, "canChannelOpen") == "number=0 exclusive=0"
        if fd:
            assert call(stub, "canChannelInitialize") == "rx=1024/1 tx=128/1 filter=0/2"
            assert call(stub, "canControlInitialize") == (
                "mode=7 ex=3 filters=2/2 sizes=0/0 "
                "sdr=0:500000:6400:1600:1600:0 fdr=0:2000000:1600:400:400:1600"
            )
            assert bus.bit_rates == (500_000, 2_000_000)
        else:
            assert call(stub, "canChannelInitialize") == "rx=16/1 tx=16/1"
            assert call(stub, "canControlInitialize") == "mode=7 btr=001c"
            assert bus.bit_rates == (500_000, None)


@pytest.mark.parametrize(
    ("settings", "features", "mode"),
    [
        ({}, 0x4EFF, 7),
        ({"extended": False}, 0x4EFF, 5),
        ({"listen_only": True}, 0x4EFF, 15),
        ({}, 0x4EF6, 3),  # no error frames
        ({}, 0x4EFD, 6),  # one kind of identifier
        ({"extended": False}, 0x4EFD, 5),
    ],
)
def test_modes(settings: dict[str, Any], features: int, mode: int, stub: Stub, fd: bool) -> None:
    stub.set("features", features | (0x6000 if fd else 0))
    with IXXATBus(0, fd=fd, **settings):
        assert call(stub, "canControlInitialize").startswith(f"mode={mode:x} ")


def test_a_controller_that_cannot_listen_only(stub: Stub, fd: bool) -> None:
    stub.set("features", 0x608F)
    with pytest.raises(UsageError, match="ixxat:0: the controller cannot listen only"):
        IXXATBus(0, fd=fd, listen_only=True)
    assert stub.leaks() == 0
    stub.set("features", 0x608F)
    with IXXATBus(0, fd=fd) as bus:
        stub.clear_calls()
        with pytest.raises(UsageError, match="cannot listen only"):
            bus.state = BusState.PASSIVE
        assert stub.calls() == []


def test_wrong_filters_leave_nothing_open(stub: Stub, fd: bool) -> None:
    wrong: Any = [{"can_id": 1}]
    descriptors = len(os.listdir("/proc/self/fd"))
    for hw_filter in (False, True):
        with pytest.raises(UsageError):
            IXXATBus(0, wrong, fd=fd, hw_filter=hw_filter)
        assert stub.leaks() == 0
    assert len(os.listdir("/proc/self/fd")) == descriptors


@pytest.mark.parametrize("fd", [True], indirect=True, ids=["vcinpl2"])
def test_a_controller_without_can_fd(stub: Stub) -> None:
    stub.set("features", 0x00CF)
    with pytest.raises(CanInitializationError, match="ixxat:0: the controller has no CAN FD"):
        IXXATBus(0, fd=True)


# --- devices --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wanted", "place"), [("HW100002", 1), (" hw100001 ", 0), (None, 0)])
def test_the_device_is_chosen(wanted: str | None, place: int, stub: Stub, fd: bool) -> None:
    with IXXATBus(0, unique_hardware_id=wanted, fd=fd) as bus:
        assert call(stub, "vciDeviceOpen") == f"id=10000a00{place}"
        assert f"HW10000{place + 1}, channel 0" in bus.channel_info


def test_a_device_with_a_guid(stub: Stub, fd: bool) -> None:
    stub.set("guid_id", 1)
    for identifier in ("{01020304-0506-0708-090a-0b0c0d0e0f10}", "01020304-0506-0708-090A-0B0C0D0E0F10"):
        with IXXATBus(0, unique_hardware_id=identifier, fd=fd):
            assert call(stub, "vciDeviceOpen") == "id=10000a000"


def test_no_such_device(stub: Stub, fd: bool) -> None:
    with pytest.raises(VCIDeviceNotFoundError, match='no IXXAT device "HW1" is connected') as caught:
        IXXATBus(0, unique_hardware_id="HW1", fd=fd)
    assert caught.value.hint == "connected: HW100001, HW100002"
    stub.set("devices", 0)
    with pytest.raises(VCIDeviceNotFoundError, match="no IXXAT device is connected"):
        IXXATBus(0, fd=fd)


def test_no_such_channel(stub: Stub, fd: bool) -> None:
    with pytest.raises(CanInitializationError, match="ixxat:2: canChannelOpen: Invalid index") as caught:
        IXXATBus(2, fd=fd)
    assert caught.value.hint == "the device has no channel 2; the first is 0"


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"channel": -1}, 'channel "-1" is not a number from 0 on'),
        ({"channel": "can0"}, 'channel "can0" is not a number'),
        ({"channel": 0, "rx_fifo_size": 0}, "rx_fifo_size 0 is not in 1 to 65535"),
        ({"channel": 0, "tx_fifo_size": 65536}, "tx_fifo_size 65536 is not in 1 to 65535"),
        ({"channel": 0, "bitrate": 0}, "0 bit/s|bit rate 0"),
        ({"channel": 0, "bitrate": 123_457}, "123457"),
        ({"channel": 0, "state": "bus-off"}, 'the state cannot be set to "BUS-OFF"'),
        ({"channel": 0, "no_such_setting": 1}, 'no setting "no_such_setting"'),
    ],
)
def test_wrong_settings_are_refused_before_any_call(
    settings: dict[str, Any], text: str, stub: Stub, fd: bool
) -> None:
    with pytest.raises(UsageError, match=text):
        IXXATBus(fd=fd, **settings)
    assert stub.leaks() == 0


def test_old_names_of_settings(stub: Stub, fd: bool) -> None:
    settings: dict[str, Any] = {"UniqueHardwareId": "HW100002", "rxFifoSize": 7, "txFifoSize": 9}
    with pytest.warns(DeprecationWarning, match="another name") as warned:
        bus = IXXATBus(0, fd=fd, **settings)
    assert len(warned) == 3
    with bus:
        assert call(stub, "vciDeviceOpen") == "id=10000a001"
        assert call(stub, "canChannelInitialize").startswith("rx=7/1 tx=9/1")


def test_the_documented_order_of_parameters(stub: Stub, fd: bool) -> None:
    kind = Vcinpl2Bus if fd else VcinplBus
    with kind(1, None, True, "HW100002", False, 5, 6, 250_000) as bus:
        assert call(stub, "canChannelOpen") == "number=1 exclusive=0"
        assert call(stub, "canChannelInitialize").startswith("rx=5/1 tx=6/1")
        assert bus.bit_rates[0] == 250_000
    with kind(0, fd=not fd) as bus:
        expected = "rx=1024/1 tx=128/1" if fd else "rx=16/1 tx=16/1"
        assert call(stub, "canChannelInitialize").startswith(expected)


# --- bit timing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bitrate", "registers"),
    [
        *((5_000, "3f7f"), (10_000, "311c"), (20_000, "181c"), (50_000, "091c"), (100_000, "041c")),
        *((125_000, "031c"), (250_000, "011c"), (500_000, "001c"), (666_000, "0018"), (666_666, "0018")),
        *((666_667, "0018"), (667_000, "0018"), (800_000, "0016"), (1_000_000, "0014")),
    ],
)
@pytest.mark.parametrize("fd", [False], indirect=True, ids=["vcinpl"])
def test_registers(bitrate: int, registers: str, stub: Stub) -> None:
    with IXXATBus(0, bitrate=bitrate):
        assert call(stub, "canControlInitialize") == f"mode=7 btr={registers}"


@pytest.mark.parametrize("bitrate", [40_000, 80_000, 200_000, 400_000])
def test_a_bit_rate_that_is_not_in_the_table_is_calculated(bitrate: int) -> None:
    found = BitTiming.from_registers(timing.F_CLOCK, *timing.registers(bitrate, None))
    assert found.bitrate == bitrate
    assert found.f_clock % (found.brp * found.nbt) == 0


@pytest.mark.parametrize("bitrate", [83_333, 123_456, 3_000_000, -1])
def test_a_bit_rate_that_is_not_exact_is_refused(bitrate: int) -> None:
    with pytest.raises(UsageError, match=rf"cannot reach {bitrate} bit/s") as caught:
        timing.registers(bitrate, None)
    assert "500k" in str(caught.value.hint)


@pytest.mark.parametrize("fd", [False], indirect=True, ids=["vcinpl"])
def test_a_timing(stub: Stub) -> None:
    given = BitTiming(f_clock=8_000_000, brp=2, tseg1=11, tseg2=4, sjw=2)
    with IXXATBus(0, timing=given) as bus:
        assert call(stub, "canControlInitialize") == "mode=7 btr=413a"
        assert bus.bit_rates == (250_000, None)
    with IXXATBus(0, timing=BitTiming(f_clock=16_000_000, brp=4, tseg1=11, tseg2=4, sjw=2)) as bus:
        assert call(stub, "canControlInitialize") == "mode=7 btr=413a"
    with pytest.raises(UsageError, match="does not fit the clock of 8 MHz"):
        IXXATBus(0, timing=BitTiming(f_clock=80_000_000, brp=5, tseg1=12, tseg2=3, sjw=1, strict=False))


def test_a_timing_of_can_fd_opens_can_fd_with_the_controller_s_quanta(stub: Stub, fd: bool) -> None:
    given = BitTimingFd(80_000_000, 10, 12, 3, 2, 4, 7, 2, 1)
    if not fd:
        with pytest.raises(UsageError, match="needs CAN FD"):
            timing.registers(0, given)
        return
    with IXXATBus(0, timing=given) as bus:
        assert call(stub, "canControlInitialize").endswith("sdr=1:10:12:3:2:0 fdr=1:4:7:2:1:8")
        assert bus.bit_rates == (500_000, 2_000_000)


@pytest.mark.parametrize("fd", [True], indirect=True, ids=["vcinpl2"])
def test_a_timing_outside_the_limits_of_the_controller(stub: Stub) -> None:
    with pytest.raises(UsageError, match="the nominal tseg1 1 is not in 2 to 256"):
        IXXATBus(0, fd=True, timing=BitTimingFd(80_000_000, 40, 1, 1, 1, 4, 7, 2, 1))
    assert stub.leaks() == 0
    with IXXATBus(0, fd=True, timing=BitTiming(f_clock=80_000_000, brp=32, tseg1=16, tseg2=8, sjw=4)) as bus:
        assert call(stub, "canControlInitialize").endswith("sdr=1:32:16:8:4:0 fdr=1:32:16:8:4:0")
        assert bus.bit_rates == (100_000, 100_000)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"bitrate": 125_000}, r"sdr=0:125000:14:2:1:0 "),
        ({"bitrate": 800_000}, r"sdr=0:800000:8:2:1:0 "),
        ({"bitrate": 1_000_000}, r"sdr=0:1000000:6400:1600:1600:0 "),
        ({"data_bitrate": 5_000_000}, r"fdr=0:5000000:600:200:200:600$"),
        ({"data_bitrate": 8_000_000}, r"fdr=0:8000000:400:100:100:250$"),
        ({"tseg1_abr": 16, "tseg2_abr": 3, "sjw_abr": 2}, r"sdr=0:500000:16:3:2:0 "),
        ({"sjw_abr": 2}, r"sdr=0:500000:6400:1600:2:0 "),
        ({"tseg1_dbr": 7, "tseg2_dbr": 2, "sjw_dbr": 1}, r"fdr=0:2000000:7:2:1:7$"),
        ({"ssp_dbr": 500}, r"fdr=0:2000000:1600:400:400:500$"),
        (
            {"data_bitrate": 3_000_000, "tseg1_dbr": 7, "tseg2_dbr": 2, "sjw_dbr": 1},
            r"fdr=0:3000000:7:2:1:7$",
        ),
    ],
)
@pytest.mark.parametrize("fd", [True], indirect=True, ids=["vcinpl2"])
def test_phases(settings: dict[str, Any], expected: str, stub: Stub) -> None:
    with IXXATBus(0, fd=True, **settings):
        assert re.search(expected, call(stub, "canControlInitialize"))


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"data_bitrate": 3_000_000}, "bit rate 3000000 needs tseg1_dbr, tseg2_dbr and sjw_dbr"),
        ({"bitrate": 33_333}, "bit rate 33333 needs tseg1_abr, tseg2_abr and sjw_abr"),
        ({"tseg1_abr": 0}, "tseg1_abr 0 is not in 1 to 65535"),
        ({"ssp_dbr": 70_000}, "ssp_dbr 70000 is not in 0 to 65535"),
    ],
)
def test_phases_that_are_refused(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        IXXATBus(0, fd=True, library="/nonexistent", **settings)
