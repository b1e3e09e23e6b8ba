"""The structures of the XL Driver Library, in its layout on every system.

Source: Vector, XL Driver Library manual and ``vxlapi.h`` of 2020; the names of the structures are
python-can's.
"""

from __future__ import annotations

from ctypes import (
    Structure,
    Union,
    c_char,
    c_char_p,
    c_int16,
    c_int32,
    c_uint8,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
)

from cantools_cli.backends.vector.xldefine import MAX_MSG_LEN, XL_CAN_MAX_DATA_LEN, XL_Sizes

XLuint64 = c_uint64
XLaccess = c_uint64  #: a mask of channels
XLhandle = c_void_p  #: an event object of Windows
XLstatus = c_int16
XLportHandle = c_int32
XLeventTag = c_uint8
XLstringType = c_char_p


class s_xl_can_msg(Structure):
    """A frame in a classic event."""

    _pack_ = 1
    _fields_ = (
        ("id", c_uint32),
        ("flags", c_uint16),
        ("dlc", c_uint16),
        ("res1", c_uint64),
        ("data", c_uint8 * MAX_MSG_LEN),
        ("res2", c_uint64),
    )


class s_xl_chip_state(Structure):
    """The state of a controller in a classic event."""

    _pack_ = 1
    _fields_ = (("busStatus", c_uint8), ("txErrorCounter", c_uint8), ("rxErrorCounter", c_uint8))


class s_xl_sync_pulse(Structure):
    """A synchronisation pulse in a classic event; ``time`` is in ns."""

    _pack_ = 1
    _fields_ = (("pulseCode", c_uint8), ("time", c_uint64))


class s_xl_transceiver(Structure):
    """A change of the transceiver in a classic event."""

    _pack_ = 1
    _fields_ = (("event_reason", c_uint8), ("is_present", c_uint8))


class s_xl_tag_data(Union):
    """The content of a classic event, by its tag."""

    _pack_ = 1
    _fields_ = (
        ("msg", s_xl_can_msg),
        ("chipState", s_xl_chip_state),
        ("syncPulse", s_xl_sync_pulse),
        ("transceiver", s_xl_transceiver),
        ("raw", c_uint8 * 32),
    )


class XLevent(Structure):
    """A classic event; ``timeStamp`` is in ns."""

    _pack_ = 1
    _fields_ = (
        ("tag", c_uint8),
        ("chanIndex", c_uint8),
        ("transId", c_uint16),
        ("portHandle", c_uint16),
        ("flags", c_uint8),
        ("reserved", c_uint8),
        ("timeStamp", c_uint64),
        ("tagData", s_xl_tag_data),
    )


class s_xl_can_ev_rx_msg(Structure):
    """A received or acknowledged frame in a CAN FD event."""

    _fields_ = (
        ("canId", c_uint32),
        ("msgFlags", c_uint32),
        ("crc", c_uint32),
        ("reserved1", c_uint8 * 12),
        ("totalBitCnt", c_uint16),
        ("dlc", c_uint8),
        ("reserved", c_uint8 * 5),
        ("data", c_uint8 * XL_CAN_MAX_DATA_LEN),
    )


class s_xl_can_ev_tx_request(Structure):
    """A frame that the device was told to send, in a CAN FD event."""

    _fields_ = (
        ("canId", c_uint32),
        ("msgFlags", c_uint32),
        ("dlc", c_uint8),
        ("txAttemptConf", c_uint8),
        ("reserved", c_uint16),
        ("data", c_uint8 * XL_CAN_MAX_DATA_LEN),
    )


class s_xl_can_ev_error(Structure):
    """An error on the bus in a CAN FD event."""

    _fields_ = (("errorCode", c_uint8), ("reserved", c_uint8 * 95))


class s_xl_can_ev_chip_state(Structure):
    """The state of a controller in a CAN FD event."""

    _fields_ = (
        ("busStatus", c_uint8),
        ("txErrorCounter", c_uint8),
        ("rxErrorCounter", c_uint8),
        ("reserved", c_uint8),
        ("reserved0", c_uint32),
    )


class s_xl_can_ev_sync_pulse(Structure):
    """A synchronisation pulse in a CAN FD event; ``time`` is in ns."""

    _fields_ = (("triggerSource", c_uint32), ("reserved", c_uint32), ("time", c_uint64))


class s_rxTagData(Union):
    """The content of a received CAN FD event, by its tag."""

    _fields_ = (
        ("canRxOkMsg", s_xl_can_ev_rx_msg),
        ("canTxOkMsg", s_xl_can_ev_rx_msg),
        ("canTxRequest", s_xl_can_ev_tx_request),
        ("canError", s_xl_can_ev_error),
        ("canChipState", s_xl_can_ev_chip_state),
        ("canSyncPulse", s_xl_can_ev_sync_pulse),
    )


class XLcanRxEvent(Structure):
    """A received CAN FD event; ``timeStamp`` is in ns."""

    _fields_ = (
        ("size", c_uint32),
        ("tag", c_uint16),
        ("chanIndex", c_uint16),
        ("userHandle", c_uint32),
        ("flagsChip", c_uint16),
        ("reserved0", c_uint16),
        ("reserved1", c_uint64),
        ("timeStamp", c_uint64),
        ("tagData", s_rxTagData),
    )


class s_xl_can_tx_msg(Structure):
    """A frame to send in a CAN FD event; ``dlc`` is the 4-bit code."""

    _fields_ = (
        ("canId", c_uint32),
        ("msgFlags", c_uint32),
        ("dlc", c_uint8),
        ("reserved", c_uint8 * 7),
        ("data", c_uint8 * XL_CAN_MAX_DATA_LEN),
    )


class s_txTagData(Union):
    """The content of a CAN FD event to send."""

    _fields_ = (("canMsg", s_xl_can_tx_msg),)


class XLcanTxEvent(Structure):
    """A CAN FD event to send."""

    _fields_ = (
        ("tag", c_uint16),
        ("transId", c_uint16),
        ("chanIndex", c_uint8),
        ("reserved", c_uint8 * 3),
        ("tagData", s_txTagData),
    )


class XLchipParams(Structure):
    """The bit timing of a classic channel, in quanta of a clock of 16 MHz."""

    _pack_ = 1
    _fields_ = (
        ("bitRate", c_uint32),
        ("sjw", c_uint8),
        ("tseg1", c_uint8),
        ("tseg2", c_uint8),
        ("sam", c_uint8),
    )


class XLcanFdConf(Structure):
    """The bit timing of a CAN FD channel, in quanta of a clock of 80 MHz."""

    _pack_ = 1
    _fields_ = (
        ("arbitrationBitRate", c_uint32),
        ("sjwAbr", c_uint32),
        ("tseg1Abr", c_uint32),
        ("tseg2Abr", c_uint32),
        ("dataBitRate", c_uint32),
        ("sjwDbr", c_uint32),
        ("tseg1Dbr", c_uint32),
        ("tseg2Dbr", c_uint32),
        ("reserved", c_uint8),
        ("options", c_uint8),
        ("reserved1", c_uint8 * 2),
        ("reserved2", c_uint32),
    )


class s_xl_bus_params_data_can(Structure):
    """The settings of a classic channel."""

    _pack_ = 1
    _fields_ = (
        ("bitRate", c_uint32),
        ("sjw", c_uint8),
        ("tseg1", c_uint8),
        ("tseg2", c_uint8),
        ("sam", c_uint8),
        ("outputMode", c_uint8),
        ("reserved", c_uint8 * 7),
        ("canOpMode", c_uint8),
    )


class s_xl_bus_params_data_canfd(Structure):
    """The settings of a CAN FD channel."""

    _pack_ = 1
    _fields_ = (
        ("arbitrationBitRate", c_uint32),
        ("sjwAbr", c_uint8),
        ("tseg1Abr", c_uint8),
        ("tseg2Abr", c_uint8),
        ("samAbr", c_uint8),
        ("outputMode", c_uint8),
        ("sjwDbr", c_uint8),
        ("tseg1Dbr", c_uint8),
        ("tseg2Dbr", c_uint8),
        ("dataBitRate", c_uint32),
        ("canOpMode", c_uint8),
    )


class s_xl_bus_params_data(Union):
    """The settings of a channel, by its operation mode."""

    _pack_ = 1
    _fields_ = (
        ("can", s_xl_bus_params_data_can),
        ("canFD", s_xl_bus_params_data_canfd),
        ("raw", c_uint8 * 28),
    )


class XLbusParams(Structure):
    """The bus of a channel and its settings."""

    _pack_ = 1
    _fields_ = (("busType", c_uint32), ("data", s_xl_bus_params_data))


class XLchannelConfig(Structure):
    """A channel of a device."""

    _pack_ = 1
    _fields_ = (
        ("name", c_char * 32),
        ("hwType", c_uint8),
        ("hwIndex", c_uint8),
        ("hwChannel", c_uint8),
        ("transceiverType", c_uint16),
        ("transceiverState", c_uint16),
        ("configError", c_uint16),
        ("channelIndex", c_uint8),
        ("channelMask", c_uint64),
        ("channelCapabilities", c_uint32),
        ("channelBusCapabilities", c_uint32),
        ("isOnBus", c_uint8),
        ("connectedBusType", c_uint32),
        ("busParams", XLbusParams),
        ("_doNotUse", c_uint32),
        ("driverVersion", c_uint32),
        ("interfaceVersion", c_uint32),
        ("raw_data", c_uint32 * 10),
        ("serialNumber", c_uint32),
        ("articleNumber", c_uint32),
        ("transceiverName", c_char * 32),
        ("specialCabFlags", c_uint32),
        ("dominantTimeout", c_uint32),
        ("dominantRecessiveDelay", c_uint8),
        ("recessiveDominantDelay", c_uint8),
        ("connectionInfo", c_uint8),
        ("currentlyAvailableTimestamps", c_uint8),
        ("minimalSupplyVoltage", c_uint16),
        ("maximalSupplyVoltage", c_uint16),
        ("maximalBaudrate", c_uint32),
        ("fpgaCoreCapabilities", c_uint8),
        ("specialDeviceStatus", c_uint8),
        ("channelBusActiveCapabilities", c_uint16),
        ("breakOffset", c_uint16),
        ("delimiterOffset", c_uint16),
        ("reserved", c_uint32 * 3),
    )


class XLdriverConfig(Structure):
    """All channels of the computer."""

    _pack_ = 1
    _fields_ = (
        ("dllVersion", c_uint32),
        ("channelCount", c_uint32),
        ("reserved", c_uint32 * 10),
        ("channel", XLchannelConfig * XL_Sizes.XL_CONFIG_MAX_CHANNELS),
    )
