"""The constants of the USB-CAN library, under the names that python-can gives them.

Bit rates are either the word of the bus timing registers (``Baudrate``) or codes of a generation of modules
(``BaudrateEx``), one of which is 0.

Source: the header ``usbcan32.h`` of SYS TEC electronic.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

MAX_MODULES = 64
MAX_INSTANCES = 64
ANY_MODULE = 255  #: a device number: the first module that is found
INVALID_HANDLE = 0xFF
AMR_ALL, ACR_ALL = 0xFFFF_FFFF, 0  #: mask and code of a filter that passes every frame
DEFAULT_BUFFER_ENTRIES = 4096
MAX_CYCLIC_CAN_MSG = 16

# Bits of a product code.
PRODCODE_PID_TWO_CHA = 0x1
PRODCODE_PID_TERM = 0x1
PRODCODE_PID_RBUSER = 0x1
PRODCODE_PID_RBCAN = 0x1
PRODCODE_PID_G4 = 0x20
PRODCODE_PID_RESVD = 0x40
PRODCODE_MASK_DID = 0xFFFF_0000
PRODCODE_MASK_PID = 0xFFFF
PRODCODE_MASK_PIDG3 = 0xFFBF
PRODCODE_PID_MULTIFUNCTION = 0x8000  #: not among python-can's names


class Baudrate(IntEnum):
    """Bus timing registers 0 (upper byte) and 1, which every module accepts."""

    BAUD_1MBit = 0x0014
    BAUD_800kBit = 0x0016
    BAUD_500kBit = 0x001C
    BAUD_250kBit = 0x011C
    BAUD_125kBit = 0x031C
    BAUD_100kBit = 0x432F
    BAUD_50kBit = 0x472F
    BAUD_20kBit = 0x532F
    BAUD_10kBit = 0x672F
    BAUD_USE_BTREX = 0
    BAUD_AUTO = -1


class BaudrateEx(IntEnum):
    """Codes of bit rates for modules of the third and fourth generation."""

    BAUDEX_1MBit = 0x0002_0354
    BAUDEX_800kBit = 0x0003_0254
    BAUDEX_500kBit = 0x0005_0354
    BAUDEX_250kBit = 0x000B_0354
    BAUDEX_125kBit = 0x0017_0354
    BAUDEX_100kBit = 0x0017_1466
    BAUDEX_50kBit = 0x002F_1466
    BAUDEX_20kBit = 0x0077_1466
    BAUDEX_10kBit = 0x8077_1466
    BAUDEX_SP2_1MBit = 0x0002_0741
    BAUDEX_SP2_800kBit = 0x0003_0731
    BAUDEX_SP2_500kBit = 0x0005_0741
    BAUDEX_SP2_250kBit = 0x000B_0741
    BAUDEX_SP2_125kBit = 0x0017_0741
    BAUDEX_SP2_100kBit = 0x001D_1741
    BAUDEX_SP2_50kBit = 0x003B_1741
    BAUDEX_SP2_20kBit = 0x0077_1772
    BAUDEX_SP2_10kBit = 0x8077_1772
    BAUDEX_G4_1MBit = 0x4018_0001
    BAUDEX_G4_800kBit = 0x401B_0001
    BAUDEX_G4_500kBit = 0x401C_0002
    BAUDEX_G4_250kBit = 0x401C_0005
    BAUDEX_G4_125kBit = 0x401C_000B
    BAUDEX_G4_100kBit = 0x412F_000B
    BAUDEX_G4_50kBit = 0x412F_0017
    BAUDEX_G4_20kBit = 0x412F_003B
    BAUDEX_G4_10kBit = 0x412F_0077
    BAUDEX_USE_BTR01 = 0
    BAUDEX_AUTO = 0xFFFF_FFFF


class MsgFrameFormat(IntFlag):
    """Bits of ``CanMsg.m_bFF``."""

    MSG_FF_STD = 0
    MSG_FF_ECHO = 0x20
    MSG_FF_RTR = 0x40
    MSG_FF_EXT = 0x80


class ReturnCode(IntEnum):
    """Results: below 0x40 errors of the library, below 0x80 errors of the firmware, then warnings."""

    SUCCESSFUL = 0x00
    ERR = 0x01
    ERRCMD = 0x40
    WARNING = 0x80
    RESERVED = 0xC0
    ERR_RESOURCE = 0x01
    ERR_MAXMODULES = 0x02
    ERR_HWINUSE = 0x03
    ERR_ILLVERSION = 0x04
    ERR_ILLHW = 0x05
    ERR_ILLHANDLE = 0x06
    ERR_ILLPARAM = 0x07
    ERR_BUSY = 0x08
    ERR_TIMEOUT = 0x09
    ERR_IOFAILED = 0x0A
    ERR_DLL_TXFULL = 0x0B
    ERR_MAXINSTANCES = 0x0C
    ERR_CANNOTINIT = 0x0D
    ERR_DISCONECT = 0x0E
    ERR_NOHWCLASS = 0x0F
    ERR_ILLCHANNEL = 0x10
    ERR_RESERVED1 = 0x11
    ERR_ILLHWTYPE = 0x12
    ERR_SERVER_TIMEOUT = 0x13
    ERRCMD_NOTEQU = 0x40
    ERRCMD_REGTST = 0x41
    ERRCMD_ILLCMD = 0x42
    ERRCMD_EEPROM = 0x43
    ERRCMD_RESERVED1 = 0x44
    ERRCMD_RESERVED2 = 0x45
    ERRCMD_RESERVED3 = 0x46
    ERRCMD_ILLBDR = 0x47
    ERRCMD_NOTINIT = 0x48
    ERRCMD_ALREADYINIT = 0x49
    ERRCMD_ILLSUBCMD = 0x4A
    ERRCMD_ILLIDX = 0x4B
    ERRCMD_RUNNING = 0x4C
    WARN_NODATA = 0x80
    WARN_SYS_RXOVERRUN = 0x81
    WARN_DLL_RXOVERRUN = 0x82
    WARN_RESERVED1 = 0x83
    WARN_RESERVED2 = 0x84
    WARN_FW_TXOVERRUN = 0x85
    WARN_FW_RXOVERRUN = 0x86
    WARN_FW_TXMSGLOST = 0x87
    WARN_NULL_PTR = 0x90
    WARN_TXLIMIT = 0x91
    WARN_BUSY = 0x92
    WARN_CONFIGURATION = 0x93


class CbEvent(IntEnum):
    """Events of the callbacks."""

    EVENT_INITHW = 0
    EVENT_init_can = 1
    EVENT_RECEIVE = 2
    EVENT_STATUS = 3
    EVENT_DEINIT_CAN = 4
    EVENT_DEINITHW = 5
    EVENT_CONNECT = 6
    EVENT_DISCONNECT = 7
    EVENT_FATALDISCON = 8
    EVENT_USB_ERROR = 16
    EVENT_RECONNECT = 17
    EVENT_RESERVED1 = 0x80


class CanStatus(IntFlag):
    """Bits of ``Status.m_wCanStatus``."""

    CANERR_OK = 0
    CANERR_XMTFULL = 0x001
    CANERR_OVERRUN = 0x002
    CANERR_BUSLIGHT = 0x004
    CANERR_BUSHEAVY = 0x008
    CANERR_BUSOFF = 0x010
    CANERR_QRCVEMPTY = 0x020
    CANERR_QOVERRUN = 0x040
    CANERR_QXMTFULL = 0x080
    CANERR_REGTEST = 0x100
    CANERR_MEMTEST = 0x200
    CANERR_TXMSGLOST = 0x400


class UsbStatus(IntFlag):
    """Bits of ``Status.m_wUsbStatus``."""

    USBERR_OK = 0
    USBERR_STATUS_TIMEOUT = 0x2000
    USBERR_WATCHDOG_TIMEOUT = 0x4000


class OutputControl(IntEnum):
    """The output control register of the SJA1000 of GW-001 and GW-002; other modules ignore it."""

    OCR_DEFAULT = 0x1A
    OCR_RS485_ISOLATED = 0x1E
    OCR_RS485_NOT_ISOLATED = 0x0A


class Channel(IntEnum):
    """Channels of a module."""

    CHANNEL_CH0 = 0
    CHANNEL_CH1 = 1
    CHANNEL_ALL = 254
    CHANNEL_ANY = 255
    CHANNEL_CAN1 = 0
    CHANNEL_CAN2 = 1
    CHANNEL_LIN = 1


class ResetFlags(IntFlag):
    """What ``UcanResetCanEx`` leaves as it is."""

    RESET_ALL = 0
    RESET_NO_STATUS = 0x001
    RESET_NO_CANCTRL = 0x002
    RESET_NO_TXCOUNTER = 0x004
    RESET_NO_RXCOUNTER = 0x008
    RESET_NO_TXBUFFER_CH = 0x010
    RESET_NO_TXBUFFER_DLL = 0x020
    RESET_NO_TXBUFFER_SYS = 0x040
    RESET_NO_TXBUFFER_FW = 0x080
    RESET_NO_RXBUFFER_CH = 0x100
    RESET_NO_RXBUFFER_DLL = 0x200
    RESET_NO_RXBUFFER_SYS = 0x400
    RESET_NO_RXBUFFER_FW = 0x800
    RESET_FIRMWARE = 0xFFFF_FFFF
    RESET_NO_COUNTER_ALL = 0x00C
    RESET_NO_TXBUFFER_COMM = 0x0E0
    RESET_NO_RXBUFFER_COMM = 0xE00
    RESET_NO_TXBUFFER_ALL = 0x0F0
    RESET_NO_RXBUFFER_ALL = 0xF00
    RESET_NO_BUFFER_COMM = 0xEE0
    RESET_NO_BUFFER_ALL = 0xFF0
    RESET_ONLY_STATUS = 0xFFFE
    RESET_ONLY_CANCTRL = 0xFFFD
    RESET_ONLY_TXBUFFER_FW = 0xFF7F
    RESET_ONLY_RXBUFFER_FW = 0xF7FF
    RESET_ONLY_RXCHANNEL_BUFF = 0xFEFF
    RESET_ONLY_TXCHANNEL_BUFF = 0xFFEF
    RESET_ONLY_RX_BUFF = 0xF0F7
    RESET_ONLY_RX_BUFF_GW002 = 0xF077
    RESET_ONLY_TX_BUFF = 0xFF0B
    RESET_ONLY_ALL_BUFF = 0xF003
    RESET_ONLY_ALL_COUNTER = 0xFFF3


class ProductCode(IntEnum):
    """Kinds of modules, without the bit of multifunction modules."""

    PRODCODE_PID_GW001 = 0x1100
    PRODCODE_PID_GW002 = 0x1102
    PRODCODE_PID_MULTIPORT = 0x1103
    PRODCODE_PID_BASIC = 0x1104
    PRODCODE_PID_ADVANCED = 0x1105
    PRODCODE_PID_USBCAN8 = 0x1107
    PRODCODE_PID_USBCAN16 = 0x1109
    PRODCODE_PID_RESERVED3 = 0x1110
    PRODCODE_PID_ADVANCED_G4 = 0x1121
    PRODCODE_PID_BASIC_G4 = 0x1122
    PRODCODE_PID_USBCAN8_G4 = 0x1123
    PRODCODE_PID_USBCAN16_G4 = 0x1125
    PRODCODE_PID_RESERVED1 = 0x1144
    PRODCODE_PID_RESERVED2 = 0x1145
    PRODCODE_PID_RESERVED4 = 0x1162


class CyclicFlags(IntFlag):
    """Flags of ``UcanEnableCyclicCanMsg``."""

    CYCLIC_FLAG_STOPP = 0
    CYCLIC_FLAG_START = 0x8000_0000
    CYCLIC_FLAG_SEQUMODE = 0x4000_0000
    CYCLIC_FLAG_NOECHO = 0x0001_0000
    CYCLIC_FLAG_LOCK_0 = 0x0001
    CYCLIC_FLAG_LOCK_1 = 0x0002
    CYCLIC_FLAG_LOCK_2 = 0x0004
    CYCLIC_FLAG_LOCK_3 = 0x0008
    CYCLIC_FLAG_LOCK_4 = 0x0010
    CYCLIC_FLAG_LOCK_5 = 0x0020
    CYCLIC_FLAG_LOCK_6 = 0x0040
    CYCLIC_FLAG_LOCK_7 = 0x0080
    CYCLIC_FLAG_LOCK_8 = 0x0100
    CYCLIC_FLAG_LOCK_9 = 0x0200
    CYCLIC_FLAG_LOCK_10 = 0x0400
    CYCLIC_FLAG_LOCK_11 = 0x0800
    CYCLIC_FLAG_LOCK_12 = 0x1000
    CYCLIC_FLAG_LOCK_13 = 0x2000
    CYCLIC_FLAG_LOCK_14 = 0x4000
    CYCLIC_FLAG_LOCK_15 = 0x8000


class PendingFlags(IntFlag):
    """Buffers that ``UcanGetMsgPending`` counts."""

    PENDING_FLAG_RX_DLL = 0x01
    PENDING_FLAG_RX_SYS = 0x02
    PENDING_FLAG_RX_FW = 0x04
    PENDING_FLAG_TX_DLL = 0x10
    PENDING_FLAG_TX_SYS = 0x20
    PENDING_FLAG_TX_FW = 0x40
    PENDING_FLAG_RX_ALL = 0x07
    PENDING_FLAG_TX_ALL = 0x70
    PENDING_FLAG_ALL = 0x77


class Mode(IntFlag):
    """Bits of ``InitCanParam.m_bMode``; the timer of high resolution counts 100 us instead of 1 ms."""

    MODE_NORMAL = 0
    MODE_LISTEN_ONLY = 1
    MODE_TX_ECHO = 2
    MODE_RX_ORDER_CH = 4
    MODE_HIGH_RES_TIMER = 8


class VersionType(IntEnum):
    """Files of ``UcanGetVersionEx``: its result has major in byte 0, minor in byte 1, then the release."""

    VER_TYPE_USER_LIB = 1
    VER_TYPE_USER_DLL = 1
    VER_TYPE_SYS_DRV = 2
    VER_TYPE_FIRMWARE = 3
    VER_TYPE_NET_DRV = 4
    VER_TYPE_SYS_LD = 5
    VER_TYPE_SYS_L2 = 6
    VER_TYPE_SYS_L3 = 7
    VER_TYPE_SYS_L4 = 8
    VER_TYPE_SYS_L5 = 9
    VER_TYPE_CPL = 10


#: bit rate in bit/s -> word of the registers
BIT_RATES = {
    10_000: Baudrate.BAUD_10kBit,
    20_000: Baudrate.BAUD_20kBit,
    50_000: Baudrate.BAUD_50kBit,
    100_000: Baudrate.BAUD_100kBit,
    125_000: Baudrate.BAUD_125kBit,
    250_000: Baudrate.BAUD_250kBit,
    500_000: Baudrate.BAUD_500kBit,
    800_000: Baudrate.BAUD_800kBit,
    1_000_000: Baudrate.BAUD_1MBit,
}

PRODUCTS = {
    ProductCode.PRODCODE_PID_GW001: "GW-001",
    ProductCode.PRODCODE_PID_GW002: "GW-002",
    ProductCode.PRODCODE_PID_MULTIPORT: "Multiport CAN-to-USB G3",
    ProductCode.PRODCODE_PID_BASIC: "USB-CANmodul1 G3",
    ProductCode.PRODCODE_PID_ADVANCED: "USB-CANmodul2 G3",
    ProductCode.PRODCODE_PID_USBCAN8: "USB-CANmodul8 G3",
    ProductCode.PRODCODE_PID_USBCAN16: "USB-CANmodul16 G3",
    ProductCode.PRODCODE_PID_ADVANCED_G4: "USB-CANmodul2 G4",
    ProductCode.PRODCODE_PID_BASIC_G4: "USB-CANmodul1 G4",
    ProductCode.PRODCODE_PID_USBCAN8_G4: "USB-CANmodul8 G4",
    ProductCode.PRODCODE_PID_USBCAN16_G4: "USB-CANmodul16 G4",
}


def product_of(code: int) -> str:
    """Return the name of a product."""
    pid = code & PRODCODE_MASK_PID & ~PRODCODE_PID_MULTIFUNCTION
    return PRODUCTS.get(ProductCode(pid), "reserved") if pid in _CODES else f"product {pid:#06x}"


def has_two_channels(code: int) -> bool:
    """Return whether a product has a channel 1."""
    pid = code & PRODCODE_MASK_PID & ~PRODCODE_PID_MULTIFUNCTION
    return pid >= ProductCode.PRODCODE_PID_MULTIPORT and bool(pid & PRODCODE_PID_TWO_CHA)


_CODES = frozenset(map(int, ProductCode))
