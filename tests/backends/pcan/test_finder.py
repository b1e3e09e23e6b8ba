"""Finding PCAN channels."""

from __future__ import annotations

import pytest

from cantools_cli.backends.pcan import finder
from cantools_cli.backends.pcan.bus import PcanBus
from cantools_cli.bus.interface import Bus, detect_available_configs
from tests.backends.pcan.conftest import OpenBus
from tests.vendor.kit import Stub

ALL = ["PCAN_USBBUS1", "PCAN_USBBUS2", "PCAN_USBBUS3", "PCAN_USBBUS9", "PCAN_PCIBUS1"]


def test_free_channels_are_found(stub: Stub, open_bus: OpenBus) -> None:
    configs = detect_available_configs(["pcan"])
    assert [config["channel"] for config in configs] == ALL
    assert configs[0] == {
        "interface": "pcan",
        "channel": "PCAN_USBBUS1",
        "supports_fd": True,
        "controller_number": 0,
        "device_features": 3,
        "device_id": 0x11,
        "device_name": "PCAN-USB Pro FD",
        "device_type": 5,
        "channel_condition": 1,
    }
    for config in configs:
        with Bus(ignore_config=True, **config) as bus:
            assert bus.channel_info == config["channel"]
    open_bus()
    assert [config["channel"] for config in PcanBus._detect_available_configs()] == ALL[1:]
    stub.unplug(0x52)
    assert [config["channel"] for config in PcanBus._detect_available_configs()] == ALL[2:]


@pytest.mark.parametrize("attached", [0, 1])
def test_channels_shared_with_pcan_view_are_free(stub: Stub, attached: int) -> None:
    stub.set("pcanview", 1)
    stub.set("attached", attached)
    assert {config["channel"] for config in PcanBus._detect_available_configs()} == {*ALL}
    assert {detail["state"] for detail in finder.details().values()} == {"ready, shared with PCAN-View"}


def test_a_library_that_cannot_list_channels_is_asked_for_each(stub: Stub, open_bus: OpenBus) -> None:
    stub.set("attached", 0)
    open_bus("PCAN_USBBUS2")
    configs = PcanBus._detect_available_configs()
    assert sorted(configs, key=str) == sorted(
        (
            {"interface": "pcan", "channel": name, "supports_fd": name != "PCAN_USBBUS3"}
            for name in ALL
            if name != "PCAN_USBBUS2"
        ),
        key=str,
    )


def test_details(stub: Stub, open_bus: OpenBus) -> None:
    open_bus()
    assert finder.channels() == ALL
    details = finder.details()
    assert [*details] == ALL
    assert details["PCAN_USBBUS1"] == {
        "state": "in use",
        "product": "PCAN-USB Pro FD",
        "device_id": 0x11,
        "fd": True,
    }
    assert details["PCAN_USBBUS3"]["state"] == "ready"
    assert finder.obstacle() is None


def test_without_a_driver_nothing_is_found(stub: Stub) -> None:
    stub.set("driver", 0)
    assert PcanBus._detect_available_configs() == []
    assert finder.channels() == []
