"""The constants of PEAK's PCAN-Basic, under the names of its manual, which python-can uses as well.

A handle, a parameter, a device kind, a message type and a bit rate is a ``Number``: python-can has instances
of ctypes there, whose number programs read as ``.value``.

Source: PEAK-System, "PCAN-Basic API" 4.
"""

from __future__ import annotations


class Number(int):
    """An integer that also has its value as ``value``, as an instance of ctypes has."""

    @property
    def value(self) -> int:
        return int(self)


# --- channels -----------------------------------------------------------------------------------------

PCAN_NONEBUS = Number(0x00)
PCAN_ISABUS1 = Number(0x21)
PCAN_ISABUS2 = Number(0x22)
PCAN_ISABUS3 = Number(0x23)
PCAN_ISABUS4 = Number(0x24)
PCAN_ISABUS5 = Number(0x25)
PCAN_ISABUS6 = Number(0x26)
PCAN_ISABUS7 = Number(0x27)
PCAN_ISABUS8 = Number(0x28)
PCAN_DNGBUS1 = Number(0x31)
PCAN_PCIBUS1 = Number(0x41)
PCAN_PCIBUS2 = Number(0x42)
PCAN_PCIBUS3 = Number(0x43)
PCAN_PCIBUS4 = Number(0x44)
PCAN_PCIBUS5 = Number(0x45)
PCAN_PCIBUS6 = Number(0x46)
PCAN_PCIBUS7 = Number(0x47)
PCAN_PCIBUS8 = Number(0x48)
PCAN_PCIBUS9 = Number(0x409)
PCAN_PCIBUS10 = Number(0x40A)
PCAN_PCIBUS11 = Number(0x40B)
PCAN_PCIBUS12 = Number(0x40C)
PCAN_PCIBUS13 = Number(0x40D)
PCAN_PCIBUS14 = Number(0x40E)
PCAN_PCIBUS15 = Number(0x40F)
PCAN_PCIBUS16 = Number(0x410)
PCAN_USBBUS1 = Number(0x51)
PCAN_USBBUS2 = Number(0x52)
PCAN_USBBUS3 = Number(0x53)
PCAN_USBBUS4 = Number(0x54)
PCAN_USBBUS5 = Number(0x55)
PCAN_USBBUS6 = Number(0x56)
PCAN_USBBUS7 = Number(0x57)
PCAN_USBBUS8 = Number(0x58)
PCAN_USBBUS9 = Number(0x509)
PCAN_USBBUS10 = Number(0x50A)
PCAN_USBBUS11 = Number(0x50B)
PCAN_USBBUS12 = Number(0x50C)
PCAN_USBBUS13 = Number(0x50D)
PCAN_USBBUS14 = Number(0x50E)
PCAN_USBBUS15 = Number(0x50F)
PCAN_USBBUS16 = Number(0x510)
PCAN_PCCBUS1 = Number(0x61)
PCAN_PCCBUS2 = Number(0x62)
PCAN_LANBUS1 = Number(0x801)
PCAN_LANBUS2 = Number(0x802)
PCAN_LANBUS3 = Number(0x803)
PCAN_LANBUS4 = Number(0x804)
PCAN_LANBUS5 = Number(0x805)
PCAN_LANBUS6 = Number(0x806)
PCAN_LANBUS7 = Number(0x807)
PCAN_LANBUS8 = Number(0x808)
PCAN_LANBUS9 = Number(0x809)
PCAN_LANBUS10 = Number(0x80A)
PCAN_LANBUS11 = Number(0x80B)
PCAN_LANBUS12 = Number(0x80C)
PCAN_LANBUS13 = Number(0x80D)
PCAN_LANBUS14 = Number(0x80E)
PCAN_LANBUS15 = Number(0x80F)
PCAN_LANBUS16 = Number(0x810)

#: handle by name
PCAN_CHANNEL_NAMES: dict[str, Number] = {
    name: value for name, value in globals().items() if name.startswith("PCAN_") and isinstance(value, Number)
}

# --- status codes -------------------------------------------------------------------------------------

PCAN_ERROR_OK = 0x0
PCAN_ERROR_XMTFULL = 0x1
PCAN_ERROR_OVERRUN = 0x2
PCAN_ERROR_BUSLIGHT = 0x4
PCAN_ERROR_BUSHEAVY = 0x8
PCAN_ERROR_BUSWARNING = 0x8  #: the newer name of BUSHEAVY
PCAN_ERROR_BUSOFF = 0x10
PCAN_ERROR_QRCVEMPTY = 0x20
PCAN_ERROR_QOVERRUN = 0x40
PCAN_ERROR_QXMTFULL = 0x80
PCAN_ERROR_REGTEST = 0x100
PCAN_ERROR_NODRIVER = 0x200
PCAN_ERROR_HWINUSE = 0x400
PCAN_ERROR_NETINUSE = 0x800
PCAN_ERROR_ILLHW = 0x1400
PCAN_ERROR_ILLNET = 0x1800
PCAN_ERROR_ILLCLIENT = 0x1C00
PCAN_ERROR_ILLHANDLE = 0x1C00  #: the field of the three handle errors
PCAN_ERROR_RESOURCE = 0x2000
PCAN_ERROR_ILLPARAMTYPE = 0x4000
PCAN_ERROR_ILLPARAMVAL = 0x8000
PCAN_ERROR_UNKNOWN = 0x10000
PCAN_ERROR_ILLDATA = 0x20000
PCAN_ERROR_BUSPASSIVE = 0x40000
PCAN_ERROR_ILLMODE = 0x80000
PCAN_ERROR_CAUTION = 0x2000000
PCAN_ERROR_INITIALIZE = 0x4000000
PCAN_ERROR_ILLOPERATION = 0x8000000
#: the bits that describe the controller instead of a failure
PCAN_ERROR_ANYBUSERR = PCAN_ERROR_BUSLIGHT | PCAN_ERROR_BUSHEAVY | PCAN_ERROR_BUSOFF | PCAN_ERROR_BUSPASSIVE

#: name by code, as ``PcanBus.status_string`` returns it; three have a longer name in python-can
PCAN_DICT_STATUS = {
    PCAN_ERROR_OK: "OK",
    PCAN_ERROR_XMTFULL: "XMTFULL",
    PCAN_ERROR_OVERRUN: "OVERRUN",
    PCAN_ERROR_BUSLIGHT: "BUSLIGHT",
    PCAN_ERROR_BUSWARNING: "BUSWARNING",
    PCAN_ERROR_BUSOFF: "BUSOFF",
    PCAN_ERROR_QRCVEMPTY: "QRCVEMPTY",
    PCAN_ERROR_QOVERRUN: "QOVERRUN",
    PCAN_ERROR_QXMTFULL: "QXMTFULL",
    PCAN_ERROR_REGTEST: "ERR_REGTEST",
    PCAN_ERROR_NODRIVER: "NODRIVER",
    PCAN_ERROR_HWINUSE: "HWINUSE",
    PCAN_ERROR_NETINUSE: "NETINUSE",
    PCAN_ERROR_ILLHW: "ILLHW",
    PCAN_ERROR_ILLNET: "ILLNET",
    PCAN_ERROR_ILLHANDLE: "ILLHANDLE",
    PCAN_ERROR_RESOURCE: "ERR_RESOURCE",
    PCAN_ERROR_ILLPARAMTYPE: "ILLPARAMTYPE",
    PCAN_ERROR_ILLPARAMVAL: "ILLPARAMVAL",
    PCAN_ERROR_UNKNOWN: "UNKNOWN",
    PCAN_ERROR_ILLDATA: "ILLDATA",
    PCAN_ERROR_BUSPASSIVE: "BUSPASSIVE",
    PCAN_ERROR_CAUTION: "CAUTION",
    PCAN_ERROR_INITIALIZE: "ERR_INITIALIZE",
    PCAN_ERROR_ILLOPERATION: "ILLOPERATION",
    PCAN_ERROR_ILLMODE: "ILLMODE",
    PCAN_ERROR_ANYBUSERR: "ANYBUSERR",
}

# --- kinds of devices ----------------------------------------------------------------------------------

PCAN_NONE = Number(0x00)
PCAN_PEAKCAN = Number(0x01)
PCAN_ISA = Number(0x02)
PCAN_DNG = Number(0x03)
PCAN_PCI = Number(0x04)
PCAN_USB = Number(0x05)
PCAN_PCC = Number(0x06)
PCAN_VIRTUAL = Number(0x07)
PCAN_LAN = Number(0x08)

# --- parameters ----------------------------------------------------------------------------------------

PCAN_DEVICE_ID = Number(0x01)
PCAN_5VOLTS_POWER = Number(0x02)
PCAN_RECEIVE_EVENT = Number(0x03)
PCAN_MESSAGE_FILTER = Number(0x04)
PCAN_API_VERSION = Number(0x05)
PCAN_CHANNEL_VERSION = Number(0x06)
PCAN_BUSOFF_AUTORESET = Number(0x07)
PCAN_LISTEN_ONLY = Number(0x08)
PCAN_LOG_LOCATION = Number(0x09)
PCAN_LOG_STATUS = Number(0x0A)
PCAN_LOG_CONFIGURE = Number(0x0B)
PCAN_LOG_TEXT = Number(0x0C)
PCAN_CHANNEL_CONDITION = Number(0x0D)
PCAN_HARDWARE_NAME = Number(0x0E)
PCAN_RECEIVE_STATUS = Number(0x0F)
PCAN_CONTROLLER_NUMBER = Number(0x10)
PCAN_TRACE_LOCATION = Number(0x11)
PCAN_TRACE_STATUS = Number(0x12)
PCAN_TRACE_SIZE = Number(0x13)
PCAN_TRACE_CONFIGURE = Number(0x14)
PCAN_CHANNEL_IDENTIFYING = Number(0x15)
PCAN_CHANNEL_FEATURES = Number(0x16)
PCAN_BITRATE_ADAPTING = Number(0x17)
PCAN_BITRATE_INFO = Number(0x18)
PCAN_BITRATE_INFO_FD = Number(0x19)
PCAN_BUSSPEED_NOMINAL = Number(0x1A)
PCAN_BUSSPEED_DATA = Number(0x1B)
PCAN_IP_ADDRESS = Number(0x1C)
PCAN_LAN_SERVICE_STATUS = Number(0x1D)
PCAN_ALLOW_STATUS_FRAMES = Number(0x1E)
PCAN_ALLOW_RTR_FRAMES = Number(0x1F)
PCAN_ALLOW_ERROR_FRAMES = Number(0x20)
PCAN_INTERFRAME_DELAY = Number(0x21)
PCAN_ACCEPTANCE_FILTER_11BIT = Number(0x22)
PCAN_ACCEPTANCE_FILTER_29BIT = Number(0x23)
PCAN_IO_DIGITAL_CONFIGURATION = Number(0x24)
PCAN_IO_DIGITAL_VALUE = Number(0x25)
PCAN_IO_DIGITAL_SET = Number(0x26)
PCAN_IO_DIGITAL_CLEAR = Number(0x27)
PCAN_IO_ANALOG_VALUE = Number(0x28)
PCAN_FIRMWARE_VERSION = Number(0x29)
PCAN_ATTACHED_CHANNELS_COUNT = Number(0x2A)
PCAN_ATTACHED_CHANNELS = Number(0x2B)
PCAN_ALLOW_ECHO_FRAMES = Number(0x2C)
PCAN_DEVICE_PART_NUMBER = Number(0x2D)
PCAN_HARD_RESET_STATUS = Number(0x2E)
PCAN_LAN_CHANNEL_DIRECTION = Number(0x2F)

PCAN_DEVICE_NUMBER = PCAN_DEVICE_ID  #: the older name

# --- values of parameters -----------------------------------------------------------------------------

PCAN_PARAMETER_OFF = 0
PCAN_PARAMETER_ON = 1
PCAN_FILTER_CLOSE = 0
PCAN_FILTER_OPEN = 1
PCAN_FILTER_CUSTOM = 2
PCAN_CHANNEL_UNAVAILABLE = 0
PCAN_CHANNEL_AVAILABLE = 1
PCAN_CHANNEL_OCCUPIED = 2
PCAN_CHANNEL_PCANVIEW = 3  #: PCAN-View uses the channel, and shares it

LOG_FUNCTION_DEFAULT = 0x00
LOG_FUNCTION_ENTRY = 0x01
LOG_FUNCTION_PARAMETERS = 0x02
LOG_FUNCTION_LEAVE = 0x04
LOG_FUNCTION_WRITE = 0x08
LOG_FUNCTION_READ = 0x10
LOG_FUNCTION_ALL = 0xFFFF
TRACE_FILE_SINGLE = 0x00
TRACE_FILE_SEGMENTED = 0x01
TRACE_FILE_DATE = 0x02
TRACE_FILE_TIME = 0x04
TRACE_FILE_OVERWRITE = 0x80
FEATURE_FD_CAPABLE = 0x01
FEATURE_DELAY_CAPABLE = 0x02
FEATURE_IO_CAPABLE = 0x04
SERVICE_STATUS_STOPPED = 0x01
SERVICE_STATUS_RUNNING = 0x04

MAX_LENGTH_HARDWARE_NAME = 33  #: bytes with the NUL at the end
MAX_LENGTH_VERSION_STRING = 256

# --- types of messages ---------------------------------------------------------------------------------

PCAN_MESSAGE_STANDARD = Number(0x00)
PCAN_MESSAGE_RTR = Number(0x01)
PCAN_MESSAGE_EXTENDED = Number(0x02)
PCAN_MESSAGE_FD = Number(0x04)
PCAN_MESSAGE_BRS = Number(0x08)
PCAN_MESSAGE_ESI = Number(0x10)
PCAN_MESSAGE_ECHO = Number(0x20)
PCAN_MESSAGE_ERRFRAME = Number(0x40)
PCAN_MESSAGE_STATUS = Number(0x80)

PCAN_MODE_STANDARD = PCAN_MESSAGE_STANDARD
PCAN_MODE_EXTENDED = PCAN_MESSAGE_EXTENDED

LOOKUP_DEVICE_TYPE = b"devicetype"
LOOKUP_DEVICE_ID = b"deviceid"
LOOKUP_CONTROLLER_NUMBER = b"controllernumber"
LOOKUP_IP_ADDRESS = b"ipaddress"

# --- bit timing: BTR0 and BTR1 of an SJA1000 at 8 MHz --------------------------------------------------

PCAN_BAUD_1M = Number(0x0014)
PCAN_BAUD_800K = Number(0x0016)
PCAN_BAUD_500K = Number(0x001C)
PCAN_BAUD_250K = Number(0x011C)
PCAN_BAUD_125K = Number(0x031C)
PCAN_BAUD_100K = Number(0x432F)
PCAN_BAUD_95K = Number(0xC34E)
PCAN_BAUD_83K = Number(0x852B)
PCAN_BAUD_50K = Number(0x472F)
PCAN_BAUD_47K = Number(0x1414)
PCAN_BAUD_33K = Number(0x8B2F)
PCAN_BAUD_20K = Number(0x532F)
PCAN_BAUD_10K = Number(0x672F)
PCAN_BAUD_5K = Number(0x7F7F)

#: registers by the bit rate in bit/s, which may be rounded down to thousands
PCAN_BITRATES = {
    1000000: PCAN_BAUD_1M,
    800000: PCAN_BAUD_800K,
    500000: PCAN_BAUD_500K,
    250000: PCAN_BAUD_250K,
    125000: PCAN_BAUD_125K,
    100000: PCAN_BAUD_100K,
    95000: PCAN_BAUD_95K,
    83000: PCAN_BAUD_83K,
    50000: PCAN_BAUD_50K,
    47000: PCAN_BAUD_47K,
    33000: PCAN_BAUD_33K,
    20000: PCAN_BAUD_20K,
    10000: PCAN_BAUD_10K,
    5000: PCAN_BAUD_5K,
}

# the keys of the text for CAN_InitializeFD
PCAN_BR_CLOCK = b"f_clock"
PCAN_BR_CLOCK_MHZ = b"f_clock_mhz"
PCAN_BR_NOM_BRP = b"nom_brp"
PCAN_BR_NOM_TSEG1 = b"nom_tseg1"
PCAN_BR_NOM_TSEG2 = b"nom_tseg2"
PCAN_BR_NOM_SJW = b"nom_sjw"
PCAN_BR_NOM_SAMPLE = b"nom_sam"
PCAN_BR_DATA_BRP = b"data_brp"
PCAN_BR_DATA_TSEG1 = b"data_tseg1"
PCAN_BR_DATA_TSEG2 = b"data_tseg2"
PCAN_BR_DATA_SJW = b"data_sjw"
PCAN_BR_DATA_SAMPLE = b"data_ssp_offset"

#: the keys that are necessary, apart from the clock
PCAN_FD_PARAMETER_LIST = (
    *("nom_brp", "nom_tseg1", "nom_tseg2", "nom_sjw"),
    *("data_brp", "data_tseg1", "data_tseg2", "data_sjw"),
)

VALID_PCAN_CAN_CLOCKS = [8_000_000]  #: Hz
VALID_PCAN_FD_CLOCKS = [20_000_000, 24_000_000, 30_000_000, 40_000_000, 60_000_000, 80_000_000]  #: Hz

# --- hardware without plug and play --------------------------------------------------------------------

PCAN_TYPE_ISA = Number(0x01)
PCAN_TYPE_ISA_SJA = Number(0x09)
PCAN_TYPE_ISA_PHYTEC = Number(0x04)
PCAN_TYPE_DNG = Number(0x02)
PCAN_TYPE_DNG_EPP = Number(0x03)
PCAN_TYPE_DNG_SJA = Number(0x05)
PCAN_TYPE_DNG_SJA_EPP = Number(0x06)
