"""Finding devices and their controllers."""

from __future__ import annotations

import pytest

from cantools_cli.backends.ixxat import constants, finder
from cantools_cli.backends.ixxat.bus import IXXATBus
from cantools_cli.bus.interface import Bus, detect_available_configs
from tests.backends.ixxat.conftest import Opening
from tests.vendor.kit import Stub


def test_every_can_controller_is_found(stub: Stub, fd: bool) -> None:
    name = f"USB-to-CAN {'FD' if fd else 'V2 compact'}"
    assert IXXATBus._detect_available_configs() == [
        {
            "interface": "ixxat",
            "channel": channel,
            "unique_hardware_id": device,
            "description": name,
            "supports_fd": fd,
        }
        for device in ("HW100001", "HW100002")
        for channel in (0, 1)  # the LIN controller has no number
    ]
    assert finder.get_ixxat_hwids() == ["HW100001", "HW100002"]
    assert finder.channels() == [
        f"{channel},unique_hardware_id={device}" for device in ("HW100001", "HW100002") for channel in (0, 1)
    ]
    assert finder.obstacle() is None
    assert IXXATBus._obstacle() is None
    details = finder.details()
    assert [*details] == finder.channels()
    assert details["0,unique_hardware_id=HW100001"] == {
        "state": "ready",
        "product": name,
        "serial": "HW100001",
        "fd": "yes" if fd else "no",
    }
    assert stub.leaks() == 0


def test_a_found_bus_can_be_opened(stub: Stub, fd: bool) -> None:
    config = detect_available_configs("ixxat")[-1]
    with Bus(ignore_config=True, fd=fd, **config) as bus:
        assert bus.channel_info.endswith("HW100002, channel 1")


def test_a_bus_in_use_is_found_as_well(opened: Opening) -> None:
    opened(0)
    assert len(IXXATBus._detect_available_configs()) == 4


def test_without_a_device(stub: Stub) -> None:
    stub.set("devices", 0)
    assert IXXATBus._detect_available_configs() == []
    assert finder.get_ixxat_hwids() == []


@pytest.mark.parametrize("step", ["vciDeviceOpen", "vciDeviceGetCaps"])
def test_a_device_that_cannot_be_opened_is_listed(step: str, stub: Stub) -> None:
    stub.fail(step, constants.VCI_E_ACCESSDENIED)
    details = finder.details()
    assert "Access denied" in details["0,unique_hardware_id=HW100001"]["state"]
    assert len(details) == 3
    assert stub.leaks() == 0


@pytest.mark.parametrize("step", ["vciInitialize", "vciEnumDeviceOpen", "vciEnumDeviceNext"])
def test_a_driver_that_fails_finds_nothing(step: str, stub: Stub) -> None:
    stub.fail(step, constants.VCI_E_FAIL, count=3)
    assert IXXATBus._detect_available_configs() == []
    stub.fail(step, constants.VCI_E_FAIL, count=3)
    assert finder.get_ixxat_hwids() == []
    assert stub.leaks() == 0


@pytest.mark.parametrize("fd", [True], indirect=True, ids=["vcinpl2"])
@pytest.mark.parametrize("step", ["canChannelOpen", "canChannelGetCaps"])
def test_a_channel_that_does_not_tell_has_no_can_fd(step: str, stub: Stub) -> None:
    stub.fail(step, constants.VCI_E_FAIL)
    found = [config["supports_fd"] for config in IXXATBus._detect_available_configs()]
    assert found == [False, True, True, True]
    assert stub.leaks() == 0
