"""The channels of all devices, and those that an application has in Vector Hardware Configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from cantools_cli.backends.vector.exceptions import VectorError, VectorInitializationError
from cantools_cli.backends.vector.xldefine import (
    XL_BusCapabilities,
    XL_BusTypes,
    XL_CANFD_BusParams_CanOpMode,
    XL_ChannelCapabilities,
    XL_HardwareType,
    XL_OutputMode,
    XL_Sizes,
    XL_Status,
    member,
)
from cantools_cli.errors import CanInitializationError, CanInterfaceNotImplementedError, quoted

if TYPE_CHECKING:
    from cantools_cli.backends.vector.xlclass import XLdriverConfig

_CAN = XL_BusTypes.XL_BUS_TYPE_CAN


class VectorCanParams(NamedTuple):
    """The settings of a classic channel: the bit rate in bit/s, the segments in quanta."""

    bitrate: int
    sjw: int
    tseg1: int
    tseg2: int
    sam: int
    output_mode: XL_OutputMode | int
    can_op_mode: XL_CANFD_BusParams_CanOpMode


class VectorCanFdParams(NamedTuple):
    """The settings of a CAN FD channel: bit rates in bit/s, segments in quanta."""

    bitrate: int
    data_bitrate: int
    sjw_abr: int
    tseg1_abr: int
    tseg2_abr: int
    sam_abr: int
    sjw_dbr: int
    tseg1_dbr: int
    tseg2_dbr: int
    output_mode: XL_OutputMode | int
    can_op_mode: XL_CANFD_BusParams_CanOpMode


class VectorBusParams(NamedTuple):
    """The settings of a CAN channel in both forms; ``can_op_mode`` tells which one is valid."""

    bus_type: XL_BusTypes
    can: VectorCanParams
    canfd: VectorCanFdParams


class VectorChannelConfig(NamedTuple):
    """A channel of a device; ``bus_params`` is None if its bus is not CAN."""

    name: str
    hw_type: XL_HardwareType | int
    hw_index: int
    hw_channel: int
    channel_index: int
    channel_mask: int
    channel_capabilities: XL_ChannelCapabilities
    channel_bus_capabilities: XL_BusCapabilities
    is_on_bus: bool
    connected_bus_type: XL_BusTypes
    bus_params: VectorBusParams | None
    serial_number: int
    article_number: int
    transceiver_name: str

    @property
    def has_can(self) -> bool:
        """Whether the channel is a CAN channel now."""
        return bool(self.channel_bus_capabilities & XL_BusCapabilities.XL_BUS_ACTIVE_CAP_CAN)

    @property
    def has_fd(self) -> bool:
        """Whether the channel has CAN FD as ISO 11898-1 describes it."""
        return bool(self.channel_capabilities & XL_ChannelCapabilities.XL_CHANNEL_FLAG_CANFD_ISO_SUPPORT)


def get_channel_configs() -> list[VectorChannelConfig]:
    """Return all channels of the computer; empty without the library or a driver."""
    try:
        return _channels_of(_get_xl_driver_config())
    except (VectorError, CanInterfaceNotImplementedError):
        return []


def _get_xl_driver_config() -> XLdriverConfig:
    from cantools_cli.backends.vector.library import opened_driver

    with opened_driver() as xl:
        return _driver_config(xl)


def read_channels(xl: Any, place: str = "") -> list[VectorChannelConfig]:
    """Return the channels of an open driver.

    Raises:
        VectorInitializationError: the driver does not report them.
    """
    return _channels_of(_driver_config(xl, place))


def _driver_config(xl: Any, place: str = "") -> XLdriverConfig:
    from ctypes import byref

    from cantools_cli.backends.vector.library import call
    from cantools_cli.backends.vector.xlclass import XLdriverConfig

    config = XLdriverConfig()
    call(xl, "xlGetDriverConfig", byref(config), kind=VectorInitializationError, place=place)
    return config


def _channels_of(config: XLdriverConfig) -> list[VectorChannelConfig]:
    count = min(config.channelCount, XL_Sizes.XL_CONFIG_MAX_CHANNELS)
    return [_channel_config(config.channel[number]) for number in range(count)]


def _channel_config(entry: Any) -> VectorChannelConfig:
    return VectorChannelConfig(
        name=_text(entry.name),
        hw_type=member(XL_HardwareType, entry.hwType),
        hw_index=entry.hwIndex,
        hw_channel=entry.hwChannel,
        channel_index=entry.channelIndex,
        channel_mask=entry.channelMask,
        channel_capabilities=XL_ChannelCapabilities(entry.channelCapabilities),
        channel_bus_capabilities=XL_BusCapabilities(entry.channelBusCapabilities),
        is_on_bus=bool(entry.isOnBus),
        connected_bus_type=XL_BusTypes(entry.connectedBusType),
        bus_params=_bus_params(entry.busParams),
        serial_number=entry.serialNumber,
        article_number=entry.articleNumber,
        transceiver_name=_text(entry.transceiverName),
    )


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _bus_params(params: Any) -> VectorBusParams | None:
    if params.busType != _CAN:
        return None
    can, fd = params.data.can, params.data.canFD
    mode = XL_CANFD_BusParams_CanOpMode(can.canOpMode)
    output = member(XL_OutputMode, can.outputMode)
    return VectorBusParams(
        _CAN,
        VectorCanParams(can.bitRate, can.sjw, can.tseg1, can.tseg2, can.sam, output, mode),
        VectorCanFdParams(
            fd.arbitrationBitRate,
            fd.dataBitRate,
            *(fd.sjwAbr, fd.tseg1Abr, fd.tseg2Abr, fd.samAbr),
            *(fd.sjwDbr, fd.tseg1Dbr, fd.tseg2Dbr),
            output,
            mode,
        ),
    )


# --- the channel that a bus opens -------------------------------------------------------------------------


def index_by_serial(configs: Sequence[VectorChannelConfig], serial: int, channel: int, place: str) -> int:
    """Return the index of a device's channel.

    Raises:
        CanInitializationError: no device has this serial number, or the device lacks the channel.
    """
    of_device = [config for config in configs if config.serial_number == serial]
    for config in of_device:
        if config.hw_channel == channel:
            return config.channel_index
    if of_device:
        text = f"the device with serial number {serial} has no channel {channel}"
        have = ", ".join(str(config.hw_channel) for config in of_device)
        raise _absent(f"{place}: {text}", f"its channels: {have}")
    known = ", ".join(sorted({str(config.serial_number) for config in configs}))
    raise _absent(f"{place}: no device with serial number {serial}", f"connected: {known or 'none'}")


def index_by_application(xl: Any, app_name: str, channel: int, place: str) -> int:
    """Return the index of the channel that Vector Hardware Configuration assigns to an application.

    Raises:
        VectorInitializationError: it assigns none, or the device is not connected.
    """
    hw_type, hw_index, hw_channel = read_application(xl, app_name, channel, place)
    index = xl.xlGetChannelIndex(int(hw_type), hw_index, hw_channel)
    if index < 0:
        text = f"the device of channel {channel} of application {quoted(app_name)} is not connected"
        code = int(XL_Status.XL_ERR_HW_NOT_PRESENT)
        raise VectorInitializationError(code, text, "xlGetChannelIndex", place=place)
    return int(index)


def index_by_number(configs: Sequence[VectorChannelConfig], channel: int, place: str) -> int:
    """Return ``channel``, the index of an existing channel.

    Raises:
        CanInitializationError: there is no such channel.
    """
    known = [config.channel_index for config in configs]
    if channel not in known:
        hint = f"without app_name and serial a channel is an index: {', '.join(map(str, known)) or 'none'}"
        raise _absent(f"{place}: no channel has the index {channel}", hint)
    return channel


def _absent(text: str, hint: str) -> CanInitializationError:
    return CanInitializationError(text, int(XL_Status.XL_ERR_HW_NOT_PRESENT), hint=hint)


# --- applications -----------------------------------------------------------------------------------------


def read_application(
    xl: Any, app_name: str, app_channel: int, place: str = ""
) -> tuple[XL_HardwareType | int, int, int]:
    """Return the type and the number of the device of an application's channel, and its channel there.

    Raises:
        VectorInitializationError: the channel of the application is not assigned.
    """
    from ctypes import byref, c_uint32

    from cantools_cli.backends.vector.library import error_of

    hw_type, hw_index, hw_channel = c_uint32(), c_uint32(), c_uint32()
    places = byref(hw_type), byref(hw_index), byref(hw_channel)
    status = xl.xlGetApplConfig(app_name.encode(), app_channel, *places, int(_CAN))
    found = hw_type.value, hw_index.value, hw_channel.value
    if status == XL_Status.XL_ERROR or (status == XL_Status.XL_SUCCESS and found == (0, 0, 0)):
        raise VectorInitializationError(
            int(XL_Status.XL_ERROR),
            f"channel {app_channel} of application {quoted(app_name)} is not assigned to a device",
            "xlGetApplConfig",
            place=place,
            hint="assign it in Vector Hardware Configuration, or give the serial number: serial=",
        )
    if status != XL_Status.XL_SUCCESS:
        raise error_of(xl, status, "xlGetApplConfig", VectorInitializationError, place)
    return member(XL_HardwareType, found[0]), found[1], found[2]


def get_application_config(app_name: str, app_channel: int) -> tuple[XL_HardwareType | int, int, int]:
    """Return ``read_application`` of the installed driver."""
    from cantools_cli.backends.vector.library import opened_driver

    with opened_driver(place="vector") as xl:
        return read_application(xl, app_name, app_channel, "vector")


def set_application_config(
    app_name: str, app_channel: int, hw_type: XL_HardwareType | int, hw_index: int, hw_channel: int
) -> None:
    """Assign a channel of a device to an application, which is created if it does not exist.

    Raises:
        VectorInitializationError: the driver refuses it.
    """
    from cantools_cli.backends.vector.library import call, opened_driver

    device = int(hw_type), hw_index, hw_channel
    with opened_driver(place="vector") as xl:
        arguments = app_name.encode(), app_channel, *device, int(_CAN)
        call(xl, "xlSetApplConfig", *arguments, kind=VectorInitializationError, place="vector")


def popup_hardware_configuration(milliseconds: int) -> None:
    """Open the window of Vector Hardware Configuration, and wait ``milliseconds`` for the user.

    Raises:
        VectorInitializationError: it cannot be opened.
    """
    from cantools_cli.backends.vector.library import call, opened_driver

    with opened_driver(place="vector") as xl:
        call(
            xl,
            "xlPopupHwConfig",
            None,
            milliseconds,
            kind=VectorInitializationError,
            place="vector",
            hint="the window may be open already",
        )
