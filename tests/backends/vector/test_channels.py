"""Channels, applications and the window of Vector Hardware Configuration."""

from __future__ import annotations

import pytest

from cantools_cli.backends.vector.bus import VectorBus
from cantools_cli.backends.vector.channels import VectorBusParams, get_channel_configs
from cantools_cli.backends.vector.exceptions import VectorInitializationError
from cantools_cli.backends.vector.xldefine import (
    XL_BusTypes,
    XL_CANFD_BusParams_CanOpMode,
    XL_HardwareType,
    XL_OutputMode,
)
from cantools_cli.bus.interface import Bus, detect_available_configs
from tests.backends.vector.conftest import Opener
from tests.vendor.kit import Stub


def test_the_channels_of_the_computer(stub: Stub) -> None:
    configs = get_channel_configs()
    assert [config.name for config in configs] == [
        *("Virtual Channel 1", "Virtual Channel 2", "VN1610 Channel 1", "VN1610 Channel 2"),
    ]
    last = configs[-1]
    assert last.hw_type is XL_HardwareType.XL_HWTYPE_VN1610
    assert (last.hw_index, last.hw_channel, last.channel_index, last.channel_mask) == (0, 1, 3, 8)
    assert (last.serial_number, last.article_number) == (100, 7003)
    assert last.transceiver_name == "On board CAN 1051cap(Highspeed)"
    assert last.connected_bus_type is XL_BusTypes.XL_BUS_TYPE_CAN
    assert not last.is_on_bus
    assert stub.leaks() == 0


def test_the_settings_of_a_channel(stub: Stub, bus_of: Opener) -> None:
    bus_of(1, serial=100, fd=True, bitrate=500_000, data_bitrate=2_000_000)
    [config] = [one for one in get_channel_configs() if one.channel_index == 3]
    assert config.is_on_bus
    params = config.bus_params
    assert isinstance(params, VectorBusParams)
    assert (params.can.bitrate, params.canfd.bitrate, params.canfd.data_bitrate) == (
        500_000,
        500_000,
        2_000_000,
    )
    fd = params.canfd
    assert (fd.sjw_abr, fd.tseg1_abr, fd.tseg2_abr, fd.sjw_dbr, fd.tseg1_dbr, fd.tseg2_dbr) == (2, 6, 3) * 2
    assert fd.output_mode is XL_OutputMode.XL_OUTPUT_MODE_NORMAL
    assert fd.can_op_mode & XL_CANFD_BusParams_CanOpMode.XL_BUS_PARAMS_CANOPMODE_CANFD
    assert int(fd.can_op_mode) & 4  # a bit without a name


def test_odd_devices(stub: Stub) -> None:
    stub.set("odd_channels", 7)
    configs = {config.channel_index: config for config in get_channel_configs()}
    assert configs[4].hw_type == 200
    assert configs[4].name == "New\N{REPLACEMENT CHARACTER}Device Channel 1"
    assert configs[5].bus_params is None  # LIN
    found = detect_available_configs(["vector"])
    assert [config["channel_index"] for config in found] == [0, 1, 2, 3, 4, 6]
    for config in found:
        with Bus(ignore_config=True, **config) as bus:  # one of two devices with serial number 100
            assert isinstance(bus, VectorBus)
            assert bus.mask == 1 << config["channel_index"]


def test_detected_configurations(stub: Stub) -> None:
    found = detect_available_configs(["vector"])
    assert {key: found[2][key] for key in found[2] if key != "vector_channel_config"} == {
        "interface": "vector",
        "channel": 0,
        "serial": 100,
        "channel_index": 2,
        "supports_fd": True,
        "hw_type": XL_HardwareType.XL_HWTYPE_VN1610,
        "hw_index": 0,
        "hw_channel": 0,
    }
    assert found[2]["vector_channel_config"] == get_channel_configs()[2]
    VectorBus.set_application_config(app_name="mine", app_channel=3, **found[3])
    assert VectorBus.get_application_config("mine", 3) == (XL_HardwareType.XL_HWTYPE_VN1610, 0, 1)
    with VectorBus(3, app_name="mine") as bus:
        assert bus.mask == 8
    assert stub.leaks() == 0


def test_applications(stub: Stub) -> None:
    assert VectorBus.get_application_config("CANalyzer", 1) == (XL_HardwareType.XL_HWTYPE_VIRTUAL, 0, 1)
    VectorBus.set_application_config("CANalyzer", 1, 200, 0, 0)
    assert VectorBus.get_application_config("CANalyzer", 1) == (200, 0, 0)  # an unknown type
    VectorBus.set_application_config("CANalyzer", 1, XL_HardwareType.XL_HWTYPE_NONE, 0, 0)
    for name, channel in (("CANalyzer", 1), ("CANalyzer", 5), ("other", 0)):
        with pytest.raises(VectorInitializationError, match="is not assigned to a device") as caught:
            VectorBus.get_application_config(name, channel)
        assert caught.value.error_code == 255
        assert "Vector Hardware Configuration" in str(caught.value.hint)
    with pytest.raises(VectorInitializationError, match="xlSetApplConfig failed") as caught:
        VectorBus.set_application_config("a" * 40, 0, 1, 0, 0)
    assert caught.value.error_code == 101
    assert stub.leaks() == 0


def test_the_driver_is_closed_after_an_error(stub: Stub) -> None:
    for function in ("xlGetApplConfig", "xlSetApplConfig", "xlPopupHwConfig", "xlGetDriverConfig"):
        stub.fail(function, 144)
    with pytest.raises(VectorInitializationError, match=r"xlGetApplConfig failed \(status 144"):
        VectorBus.get_application_config("CANalyzer", 0)
    with pytest.raises(VectorInitializationError):
        VectorBus.set_application_config("CANalyzer", 0, 1, 0, 0)
    with pytest.raises(VectorInitializationError):
        VectorBus.popup_vector_hw_configuration()
    assert get_channel_configs() == []
    assert stub.leaks() == 0


def test_the_window_of_the_configuration(stub: Stub) -> None:
    VectorBus.popup_vector_hw_configuration(1500)
    assert "xlPopupHwConfig sign=NULL ms=1500" in stub.calls()
    stub.set("popup", 154)
    with pytest.raises(VectorInitializationError) as caught:
        VectorBus.popup_vector_hw_configuration()
    assert (caught.value.error_code, caught.value.hint) == (154, "the window may be open already")


def test_there_is_no_driver(stub: Stub) -> None:
    stub.fail("xlOpenDriver", 201, count=3)
    assert get_channel_configs() == []
    with pytest.raises(VectorInitializationError, match="XL_ERR_CANNOT_OPEN_DRIVER") as caught:
        VectorBus.get_application_config("CANalyzer", 0)
    assert "driver" in str(caught.value.hint)
    with pytest.raises(VectorInitializationError, match="vector:0: xlOpenDriver failed"):
        VectorBus(0)
