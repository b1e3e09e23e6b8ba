"""Numbers of the VCI libraries, with the names of the vendor's headers.

Sources: HMS Networks, VCI 3 and 4 headers ``cantype.h``, ``vcitype.h`` and ``vcierr.h``.
"""

from __future__ import annotations

FALSE, TRUE = 0, 1
INFINITE = 0xFFFFFFFF
VCI_MAX_ERRSTRLEN = 256

# --- results, all unsigned ----------------------------------------------------------------------------

VCI_OK = 0
_BASE = 0xE0010000
VCI_E_UNEXPECTED = _BASE | 0x01
VCI_E_NOT_IMPLEMENTED = _BASE | 0x02
VCI_E_OUTOFMEMORY = _BASE | 0x03
VCI_E_INVALIDARG = _BASE | 0x04
VCI_E_NOINTERFACE = _BASE | 0x05
VCI_E_INVPOINTER = _BASE | 0x06
VCI_E_INVHANDLE = _BASE | 0x07
VCI_E_ABORT = _BASE | 0x08
VCI_E_FAIL = _BASE | 0x09
VCI_E_ACCESSDENIED = _BASE | 0x0A
VCI_E_TIMEOUT = _BASE | 0x0B
VCI_E_BUSY = _BASE | 0x0C
VCI_E_PENDING = _BASE | 0x0D
VCI_E_NO_DATA = _BASE | 0x0E
VCI_E_NO_MORE_ITEMS = _BASE | 0x0F
VCI_E_NOT_INITIALIZED = _BASE | 0x10
VCI_E_ALREADY_INITIALIZED = _BASE | 0x11
VCI_E_RXQUEUE_EMPTY = _BASE | 0x12
VCI_E_TXQUEUE_FULL = _BASE | 0x13
VCI_E_BUFFER_OVERFLOW = _BASE | 0x14
VCI_E_INVALID_STATE = _BASE | 0x15
VCI_E_OBJECT_ALREADY_EXISTS = _BASE | 0x16
VCI_E_INVALID_INDEX = _BASE | 0x17
VCI_E_END_OF_FILE = _BASE | 0x18
VCI_E_DISCONNECTED = _BASE | 0x19
VCI_E_INVALID_TIMING = _BASE | 0x1F
VCI_E_IN_USE = _BASE | 0x20
VCI_E_NO_SUCH_DEVICE = _BASE | 0x21
VCI_E_DEVICE_NOT_CONNECTED = _BASE | 0x22
VCI_E_DEVICE_NOT_READY = _BASE | 0x23
VCI_E_TYPE_MISMATCH = _BASE | 0x24
VCI_E_NOT_SUPPORTED = _BASE | 0x25
VCI_E_DUPLICATE_OBJECTID = _BASE | 0x26
VCI_E_OBJECTID_NOT_FOUND = _BASE | 0x27
VCI_E_WRONG_LEVEL = _BASE | 0x28
VCI_E_WRONG_DRV_VERSION = _BASE | 0x29
VCI_E_LUIDS_EXHAUSTED = _BASE | 0x2A

#: the meaning of each result, for libraries that have no text for it
TEXTS = {
    VCI_E_UNEXPECTED: "unexpected error",
    VCI_E_NOT_IMPLEMENTED: "not implemented",
    VCI_E_OUTOFMEMORY: "out of memory",
    VCI_E_INVALIDARG: "invalid argument",
    VCI_E_NOINTERFACE: "no such interface",
    VCI_E_INVPOINTER: "invalid pointer",
    VCI_E_INVHANDLE: "invalid handle",
    VCI_E_ABORT: "aborted",
    VCI_E_FAIL: "failed",
    VCI_E_ACCESSDENIED: "access denied: another program uses it",
    VCI_E_TIMEOUT: "timeout",
    VCI_E_BUSY: "busy",
    VCI_E_PENDING: "pending",
    VCI_E_NO_DATA: "no data",
    VCI_E_NO_MORE_ITEMS: "no more items",
    VCI_E_NOT_INITIALIZED: "not initialized",
    VCI_E_ALREADY_INITIALIZED: "already initialized",
    VCI_E_RXQUEUE_EMPTY: "receive queue empty",
    VCI_E_TXQUEUE_FULL: "transmit queue full",
    VCI_E_BUFFER_OVERFLOW: "buffer overflow",
    VCI_E_INVALID_STATE: "invalid state",
    VCI_E_OBJECT_ALREADY_EXISTS: "object already exists",
    VCI_E_INVALID_INDEX: "invalid index",
    VCI_E_END_OF_FILE: "end of file",
    VCI_E_DISCONNECTED: "disconnected",
    VCI_E_INVALID_TIMING: "invalid bit timing",
    VCI_E_IN_USE: "in use",
    VCI_E_NO_SUCH_DEVICE: "no such device",
    VCI_E_DEVICE_NOT_CONNECTED: "device not connected",
    VCI_E_DEVICE_NOT_READY: "device not ready",
    VCI_E_TYPE_MISMATCH: "type mismatch",
    VCI_E_NOT_SUPPORTED: "not supported",
    VCI_E_DUPLICATE_OBJECTID: "duplicate object identifier",
    VCI_E_OBJECTID_NOT_FOUND: "unknown object identifier",
    VCI_E_WRONG_LEVEL: "wrong level",
    VCI_E_WRONG_DRV_VERSION: "wrong driver version",
    VCI_E_LUIDS_EXHAUSTED: "no unique identifiers left",
    **{_BASE | code: "firmware or license" for code in range(0x1A, 0x1F)},
}

#: results of a device that is gone
GONE = frozenset({VCI_E_DISCONNECTED, VCI_E_DEVICE_NOT_CONNECTED, VCI_E_INVHANDLE})
#: results of a read without a message
NOTHING = frozenset({VCI_E_RXQUEUE_EMPTY, VCI_E_TIMEOUT, VCI_E_NO_DATA, VCI_E_PENDING})

# --- messages -----------------------------------------------------------------------------------------

CAN_MSGTYPE_DATA = 0
CAN_MSGTYPE_INFO = 1
CAN_MSGTYPE_ERROR = 2
CAN_MSGTYPE_STATUS = 3
CAN_MSGTYPE_WAKEUP = 4
CAN_MSGTYPE_TIMEOVR = 5
CAN_MSGTYPE_TIMERST = 6

CAN_INFO_START = 1
CAN_INFO_STOP = 2
CAN_INFO_RESET = 3

CAN_ERROR_STUFF = 1
CAN_ERROR_FORM = 2
CAN_ERROR_ACK = 3
CAN_ERROR_BIT = 4
CAN_ERROR_FDB = 5  #: bit error in the fast data phase; vcinpl2 only
CAN_ERROR_CRC = 6
CAN_ERROR_DLC = 7  #: vcinpl2; vcinpl numbers other errors 7
CAN_ERROR_OTHER = 8  #: vcinpl2

# the second byte of the information word
CAN_MSGFLAGS2_SSM = 0x01
CAN_MSGFLAGS2_HPM = 0x02
CAN_MSGFLAGS2_EDL = 0x04
CAN_MSGFLAGS2_FDR = 0x08
CAN_MSGFLAGS2_ESI = 0x10
# the third byte
CAN_MSGFLAGS_DLC = 0x0F
CAN_MSGFLAGS_OVR = 0x10
CAN_MSGFLAGS_SRR = 0x20
CAN_MSGFLAGS_RTR = 0x40
CAN_MSGFLAGS_EXT = 0x80

# --- controllers --------------------------------------------------------------------------------------

CAN_STATUS_TXPEND = 0x01
CAN_STATUS_OVRRUN = 0x02
CAN_STATUS_ERRLIM = 0x04
CAN_STATUS_BUSOFF = 0x08
CAN_STATUS_ININIT = 0x10
CAN_STATUS_BUSCERR = 0x20

CAN_OPMODE_STANDARD = 0x01
CAN_OPMODE_EXTENDED = 0x02
CAN_OPMODE_ERRFRAME = 0x04
CAN_OPMODE_LISTONLY = 0x08
CAN_OPMODE_LOWSPEED = 0x10
CAN_OPMODE_AUTOBAUD = 0x20

CAN_EXMODE_DISABLED = 0
CAN_EXMODE_EXTDATA = 0x01
CAN_EXMODE_FASTDATA = 0x02
CAN_EXMODE_NONISO = 0x04

CAN_FILTER_LOCK = 1
CAN_FILTER_PASS = 2
CAN_FILTER_INCL = 3
CAN_FILTER_EXCL = 4

CAN_BTMODE_RAW = 0x01
CAN_BTMODE_TSM = 0x02

CAN_FEATURE_STDOREXT = 0x0001
CAN_FEATURE_STDANDEXT = 0x0002
CAN_FEATURE_RMTFRAME = 0x0004
CAN_FEATURE_ERRFRAME = 0x0008
CAN_FEATURE_BUSLOAD = 0x0010
CAN_FEATURE_IDFILTER = 0x0020
CAN_FEATURE_LISTONLY = 0x0040
CAN_FEATURE_SCHEDULER = 0x0080
CAN_FEATURE_EXTDATA = 0x2000
CAN_FEATURE_FASTDATA = 0x4000

CAN_ACC_CODE_ALL, CAN_ACC_MASK_ALL = 0, 0
CAN_ACC_CODE_NONE, CAN_ACC_MASK_NONE = 0x80000000, 0xFFFFFFFF
FILTER_IDS = 2048  #: the size of a filter list

VCI_BUS_CAN = 1  #: the high byte of a controller's type

CAN_CTXMSG_INC_NO = 0
CYCLIC_MESSAGES = 16  #: of one controller
