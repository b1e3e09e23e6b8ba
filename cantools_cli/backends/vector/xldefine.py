"""The constants of the XL Driver Library, by their names in ``vxlapi.h``.

Devices report numbers and bits that are newer than these enumerations: flags keep unknown bits, and
``member`` returns an unknown number as it is.

Source: Vector, XL Driver Library manual; python-can's names of the enumerations.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import TypeVar

MAX_MSG_LEN = 8  #: data bytes of a classic event
XL_CAN_MAX_DATA_LEN = 64  #: data bytes of a CAN FD event
XL_INVALID_PORTHANDLE = -1

_Enumeration = TypeVar("_Enumeration", bound=IntEnum)


def member(enumeration: type[_Enumeration], number: int) -> _Enumeration | int:
    """Return the member of ``enumeration`` with this number, or an unknown number itself."""
    try:
        return enumeration(number)
    except ValueError:
        return number


class XL_AC_Flags(IntEnum):
    """Flags of ``xlActivateChannel``."""

    XL_ACTIVATE_NONE = 0
    XL_ACTIVATE_RESET_CLOCK = 8


class XL_AcceptanceFilter(IntEnum):
    """The kinds of identifiers, each with an acceptance filter of its own."""

    XL_CAN_STD = 1
    XL_CAN_EXT = 2


class XL_BusCapabilities(IntFlag):
    """The buses that a channel can have (COMPATIBLE), and has with its transceiver (ACTIVE_CAP)."""

    XL_BUS_COMPATIBLE_CAN = 1
    XL_BUS_ACTIVE_CAP_CAN = 1 << 16
    XL_BUS_COMPATIBLE_LIN = 2
    XL_BUS_ACTIVE_CAP_LIN = 2 << 16
    XL_BUS_COMPATIBLE_FLEXRAY = 4
    XL_BUS_ACTIVE_CAP_FLEXRAY = 4 << 16
    XL_BUS_COMPATIBLE_MOST = 0x10
    XL_BUS_ACTIVE_CAP_MOST = 0x10 << 16
    XL_BUS_COMPATIBLE_DAIO = 0x40
    XL_BUS_ACTIVE_CAP_DAIO = 0x40 << 16
    XL_BUS_COMPATIBLE_J1708 = 0x100
    XL_BUS_ACTIVE_CAP_J1708 = 0x100 << 16
    XL_BUS_COMPATIBLE_KLINE = 0x800
    XL_BUS_ACTIVE_CAP_KLINE = 0x800 << 16
    XL_BUS_COMPATIBLE_ETHERNET = 0x1000
    XL_BUS_ACTIVE_CAP_ETHERNET = 0x1000 << 16
    XL_BUS_COMPATIBLE_A429 = 0x2000
    XL_BUS_ACTIVE_CAP_A429 = 0x2000 << 16


class XL_BusStatus(IntEnum):
    """The state of a controller in an event of the chip state."""

    XL_CHIPSTAT_BUSOFF = 1
    XL_CHIPSTAT_ERROR_PASSIVE = 2
    XL_CHIPSTAT_ERROR_WARNING = 4
    XL_CHIPSTAT_ERROR_ACTIVE = 8


class XL_BusTypes(IntFlag):
    """The kinds of buses."""

    XL_BUS_TYPE_NONE = 0
    XL_BUS_TYPE_CAN = 1
    XL_BUS_TYPE_LIN = 2
    XL_BUS_TYPE_FLEXRAY = 4
    XL_BUS_TYPE_AFDX = 8
    XL_BUS_TYPE_MOST = 0x10
    XL_BUS_TYPE_DAIO = 0x40
    XL_BUS_TYPE_J1708 = 0x100
    XL_BUS_TYPE_KLINE = 0x800
    XL_BUS_TYPE_ETHERNET = 0x1000
    XL_BUS_TYPE_A429 = 0x2000


class XL_CANFD_BusParams_CanOpMode(IntFlag):
    """The operation modes of a CAN channel."""

    XL_BUS_PARAMS_CANOPMODE_CAN20 = 1
    XL_BUS_PARAMS_CANOPMODE_CANFD = 2
    XL_BUS_PARAMS_CANOPMODE_CANFD_NO_ISO = 8


class XL_CANFD_ConfigOptions(IntEnum):
    """Options of ``xlCanFdSetConfiguration``."""

    CANFD_CONFOPT_NO_ISO = 8


class XL_CANFD_RX_EV_ERROR_errorCode(IntEnum):
    """The cause of an error event of a CAN FD port."""

    XL_CAN_ERRC_BIT_ERROR = 1
    XL_CAN_ERRC_FORM_ERROR = 2
    XL_CAN_ERRC_STUFF_ERROR = 3
    XL_CAN_ERRC_OTHER_ERROR = 4
    XL_CAN_ERRC_CRC_ERROR = 5
    XL_CAN_ERRC_ACK_ERROR = 6
    XL_CAN_ERRC_NACK_ERROR = 7
    XL_CAN_ERRC_OVLD_ERROR = 8
    XL_CAN_ERRC_EXCPT_ERROR = 9


class XL_CANFD_RX_EventTags(IntEnum):
    """The kinds of events that a CAN FD port receives."""

    XL_SYNC_PULSE = 11
    XL_CAN_EV_TAG_RX_OK = 0x400
    XL_CAN_EV_TAG_RX_ERROR = 0x401
    XL_CAN_EV_TAG_TX_ERROR = 0x402
    XL_CAN_EV_TAG_TX_REQUEST = 0x403
    XL_CAN_EV_TAG_TX_OK = 0x404
    XL_CAN_EV_TAG_CHIP_STATE = 0x409


class XL_CANFD_RX_MessageFlags(IntFlag):
    """The flags of a frame that a CAN FD port receives."""

    XL_CAN_RXMSG_FLAG_NONE = 0
    XL_CAN_RXMSG_FLAG_EDL = 0x1
    XL_CAN_RXMSG_FLAG_BRS = 0x2
    XL_CAN_RXMSG_FLAG_ESI = 0x4
    XL_CAN_RXMSG_FLAG_RTR = 0x10
    XL_CAN_RXMSG_FLAG_EF = 0x200
    XL_CAN_RXMSG_FLAG_ARB_LOST = 0x400
    XL_CAN_RXMSG_FLAG_WAKEUP = 0x2000
    XL_CAN_RXMSG_FLAG_TE = 0x4000


class XL_CANFD_TX_EventTags(IntEnum):
    """The kinds of events that a CAN FD port sends."""

    XL_CAN_EV_TAG_TX_MSG = 0x440
    XL_CAN_EV_TAG_TX_ERRFR = 0x441


class XL_CANFD_TX_MessageFlags(IntFlag):
    """The flags of a frame that a CAN FD port sends."""

    XL_CAN_TXMSG_FLAG_NONE = 0
    XL_CAN_TXMSG_FLAG_EDL = 0x1
    XL_CAN_TXMSG_FLAG_BRS = 0x2
    XL_CAN_TXMSG_FLAG_RTR = 0x10
    XL_CAN_TXMSG_FLAG_HIGHPRIO = 0x80
    XL_CAN_TXMSG_FLAG_WAKEUP = 0x200


class XL_ChannelCapabilities(IntFlag):
    """The capabilities of a channel."""

    XL_CHANNEL_FLAG_TIME_SYNC_RUNNING = 0x1
    XL_CHANNEL_FLAG_NO_HWSYNC_SUPPORT = 0x400
    XL_CHANNEL_FLAG_SPDIF_CAPABLE = 0x4000
    XL_CHANNEL_FLAG_CANFD_BOSCH_SUPPORT = 0x20000000
    XL_CHANNEL_FLAG_CMACTLICENSE_SUPPORT = 0x40000000
    XL_CHANNEL_FLAG_CANFD_ISO_SUPPORT = 0x80000000


class XL_EventFlags(IntEnum):
    """The flags of a classic event."""

    XL_EVENT_FLAG_OVERRUN = 1


class XL_EventTags(IntEnum):
    """The kinds of events of a classic port."""

    XL_NO_COMMAND = 0
    XL_RECEIVE_MSG = 1
    XL_CHIP_STATE = 4
    XL_TRANSCEIVER = 6
    XL_TIMER = 8
    XL_TRANSMIT_MSG = 10
    XL_SYNC_PULSE = 11
    XL_APPLICATION_NOTIFICATION = 15


class XL_InterfaceVersion(IntEnum):
    """The versions of a port: 3 is classic, 4 is CAN FD."""

    XL_INTERFACE_VERSION_V2 = 2
    XL_INTERFACE_VERSION_V3 = 3
    XL_INTERFACE_VERSION = 3
    XL_INTERFACE_VERSION_V4 = 4


class XL_MessageFlags(IntEnum):
    """The flags of a frame of a classic port."""

    XL_CAN_MSG_FLAG_NONE = 0
    XL_CAN_MSG_FLAG_ERROR_FRAME = 0x1
    XL_CAN_MSG_FLAG_OVERRUN = 0x2
    XL_CAN_MSG_FLAG_NERR = 0x4
    XL_CAN_MSG_FLAG_WAKEUP = 0x8
    XL_CAN_MSG_FLAG_REMOTE_FRAME = 0x10
    XL_CAN_MSG_FLAG_RESERVED_1 = 0x20
    XL_CAN_MSG_FLAG_TX_COMPLETED = 0x40
    XL_CAN_MSG_FLAG_TX_REQUEST = 0x80
    XL_CAN_MSG_FLAG_SRR_BIT_DOM = 0x200


class XL_MessageFlagsExtended(IntEnum):
    """The flag of an extended identifier, in the identifier's word."""

    XL_CAN_EXT_MSG_ID = 0x80000000


class XL_OutputMode(IntEnum):
    """The modes of a channel's output."""

    XL_OUTPUT_MODE_SILENT = 0
    XL_OUTPUT_MODE_NORMAL = 1
    XL_OUTPUT_MODE_TX_OFF = 2
    XL_OUTPUT_MODE_SJA_1000_SILENT = 3


class XL_Sizes(IntEnum):
    """Lengths of texts and tables."""

    XL_MAX_LENGTH = 31
    XL_MAX_APPNAME = 32
    XL_MAX_NAME_LENGTH = 48
    XLEVENT_SIZE = 48
    XL_CONFIG_MAX_CHANNELS = 64
    XL_APPLCONFIG_MAX_CHANNELS = 256


class XL_Status(IntEnum):
    """The status that a function returns."""

    XL_SUCCESS = 0
    XL_PENDING = 1
    XL_ERR_QUEUE_IS_EMPTY = 10
    XL_ERR_QUEUE_IS_FULL = 11
    XL_ERR_TX_NOT_POSSIBLE = 12
    XL_ERR_NO_LICENSE = 14
    XL_ERR_WRONG_PARAMETER = 101
    XL_ERR_TWICE_REGISTER = 110
    XL_ERR_INVALID_CHAN_INDEX = 111
    XL_ERR_INVALID_ACCESS = 112
    XL_ERR_PORT_IS_OFFLINE = 113
    XL_ERR_CHAN_IS_ONLINE = 116
    XL_ERR_NOT_IMPLEMENTED = 117
    XL_ERR_INVALID_PORT = 118
    XL_ERR_HW_NOT_READY = 120
    XL_ERR_CMD_TIMEOUT = 121
    XL_ERR_CMD_HANDLING = 122
    XL_ERR_HW_NOT_PRESENT = 129
    XL_ERR_NOTIFY_ALREADY_ACTIVE = 131
    XL_ERR_INVALID_TAG = 132
    XL_ERR_INVALID_RESERVED_FLD = 133
    XL_ERR_INVALID_SIZE = 134
    XL_ERR_INSUFFICIENT_BUFFER = 135
    XL_ERR_ERROR_CRC = 136
    XL_ERR_BAD_EXE_FORMAT = 137
    XL_ERR_NO_SYSTEM_RESOURCES = 138
    XL_ERR_NOT_FOUND = 139
    XL_ERR_INVALID_ADDRESS = 140
    XL_ERR_REQ_NOT_ACCEP = 141
    XL_ERR_INVALID_LEVEL = 142
    XL_ERR_NO_DATA_DETECTED = 143
    XL_ERR_INTERNAL_ERROR = 144
    XL_ERR_UNEXP_NET_ERR = 145
    XL_ERR_INVALID_USER_BUFFER = 146
    XL_ERR_INVALID_PORT_ACCESS_TYPE = 147
    XL_ERR_NO_RESOURCES = 152
    XL_ERR_WRONG_CHIP_TYPE = 153
    XL_ERR_WRONG_COMMAND = 154
    XL_ERR_INVALID_HANDLE = 155
    XL_ERR_RESERVED_NOT_ZERO = 157
    XL_ERR_INIT_ACCESS_MISSING = 158
    XL_ERR_WRONG_VERSION = 160
    XL_ERR_CANNOT_OPEN_DRIVER = 201
    XL_ERR_WRONG_BUS_TYPE = 202
    XL_ERR_DLL_NOT_FOUND = 203
    XL_ERR_INVALID_CHANNEL_MASK = 204
    XL_ERR_NOT_SUPPORTED = 205
    XL_ERR_CONNECTION_BROKEN = 210
    XL_ERR_CONNECTION_CLOSED = 211
    XL_ERR_INVALID_STREAM_NAME = 212
    XL_ERR_CONNECTION_FAILED = 213
    XL_ERR_STREAM_NOT_FOUND = 214
    XL_ERR_STREAM_NOT_CONNECTED = 215
    XL_ERR_QUEUE_OVERRUN = 216
    XL_ERROR = 255
    XL_ERR_INVALID_DLC = 513
    XL_ERR_INVALID_CANID = 514
    XL_ERR_INVALID_FDFLAG_MODE20 = 515
    XL_ERR_EDL_RTR = 516
    XL_ERR_EDL_NOT_SET = 517
    XL_ERR_UNKNOWN_FLAG = 518


class XL_TimeSyncNewValue(IntEnum):
    """The changes of a device's time synchronisation."""

    XL_SET_TIMESYNC_NO_CHANGE = 0
    XL_SET_TIMESYNC_ON = 1
    XL_SET_TIMESYNC_OFF = 2


class XL_HardwareType(IntEnum):
    """The kinds of devices."""

    XL_HWTYPE_NONE = 0
    XL_HWTYPE_VIRTUAL = 1
    XL_HWTYPE_CANCARDX = 2
    XL_HWTYPE_CANAC2PCI = 6
    XL_HWTYPE_CANCARDY = 12
    XL_HWTYPE_CANCARDXL = 15
    XL_HWTYPE_CANCASEXL = 21
    XL_HWTYPE_CANCASEXL_LOG_OBSOLETE = 23
    XL_HWTYPE_CANBOARDXL = 25
    XL_HWTYPE_CANBOARDXL_PXI = 27
    XL_HWTYPE_VN2600 = 29
    XL_HWTYPE_VN2610 = 29
    XL_HWTYPE_VN3300 = 37
    XL_HWTYPE_VN3600 = 39
    XL_HWTYPE_VN7600 = 41
    XL_HWTYPE_CANCARDXLE = 43
    XL_HWTYPE_VN8900 = 45
    XL_HWTYPE_VN8950 = 47
    XL_HWTYPE_VN2640 = 53
    XL_HWTYPE_VN1610 = 55
    XL_HWTYPE_VN1630 = 57
    XL_HWTYPE_VN1640 = 59
    XL_HWTYPE_VN8970 = 61
    XL_HWTYPE_VN1611 = 63
    XL_HWTYPE_VN5240 = 64
    XL_HWTYPE_VN5610 = 65
    XL_HWTYPE_VN5620 = 66
    XL_HWTYPE_VN7570 = 67
    XL_HWTYPE_VN5650 = 68
    XL_HWTYPE_IPCLIENT = 69
    XL_HWTYPE_VN5611 = 70
    XL_HWTYPE_IPSERVER = 71
    XL_HWTYPE_VN5612 = 72
    XL_HWTYPE_VX1121 = 73
    XL_HWTYPE_VN5601 = 74
    XL_HWTYPE_VX1131 = 75
    XL_HWTYPE_VT6204 = 77
    XL_HWTYPE_VN1630_LOG = 79
    XL_HWTYPE_VN7610 = 81
    XL_HWTYPE_VN7572 = 83
    XL_HWTYPE_VN8972 = 85
    XL_HWTYPE_VN0601 = 87
    XL_HWTYPE_VN5640 = 89
    XL_HWTYPE_VX0312 = 91
    XL_HWTYPE_VH6501 = 94
    XL_HWTYPE_VN8800 = 95
    XL_HWTYPE_IPCL8800 = 96
    XL_HWTYPE_IPSRV8800 = 97
    XL_HWTYPE_CSMCAN = 98
    XL_HWTYPE_VN5610A = 101
    XL_HWTYPE_VN7640 = 102
    XL_HWTYPE_VX1135 = 104
    XL_HWTYPE_VN4610 = 105
    XL_HWTYPE_VT6306 = 107
    XL_HWTYPE_VT6104A = 108
    XL_HWTYPE_VN5430 = 109
    XL_HWTYPE_VTSSERVICE = 110
    XL_HWTYPE_VN1530 = 112
    XL_HWTYPE_VN1531 = 113
    XL_HWTYPE_VX1161A = 114
    XL_HWTYPE_VX1161B = 115
    XL_HWTYPE_VGNSS = 116
    XL_HWTYPE_VXLAPINIC = 118
    XL_MAX_HWTYPE = 120


class XL_SyncPulseSource(IntEnum):
    """The sources of a synchronisation pulse."""

    XL_SYNC_PULSE_EXTERNAL = 0
    XL_SYNC_PULSE_OUR = 1
    XL_SYNC_PULSE_OUR_SHARED = 2
