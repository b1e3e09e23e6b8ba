"""The numbers of BOA: message types, flags, modes, result codes.

Source: ETAS Basic Open API (BOA) 2, headers of CSI and OCI CAN, API version 1.4.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

NO_VALUE = -1  #: no handle; as a time-out: no end
NODE_MAX = 0x7FFF  #: the highest type of node
CONTROLLER_RUNNING = 0
HIGH_SPEED = 1  #: of the physical media
SINGLE_EDGE = 1  #: of the edges to synchronize on
SAMPLES = {1: 1, 3: 2}  #: the code by samples per bit
FD_NON_ISO = 2  #: of the flags of an ``FdConfiguration``
IN_BAND = 1  #: destination of events: the queue
ALL_KINDS = 0xFFFFFFFF  #: of bus events, or of error frames


class MessageType(IntEnum):
    """The contents of a message."""

    RX = 1
    TX = 2
    ERROR_FRAME = 3
    BUS_EVENT = 4
    INTERNAL_ERROR = 5
    QUEUE_EVENT = 6
    TIMER_EVENT = 7
    FD_RX = 8
    FD_TX = 9


class MessageFlag(IntFlag):
    """The flags of a frame."""

    EXTENDED = 0x01
    REMOTE = 0x02
    SELF_RECEPTION = 0x04
    BIT_RATE_SWITCH = 0x08
    TRUNCATE_AND_PAD = 0x10
    ERROR_PASSIVE = 0x20
    FD = 0x40


class ControllerState(IntFlag):
    """The state of a controller, also as a bus event."""

    ACTIVE = 0x01
    PASSIVE = 0x02
    ERROR_LIMIT = 0x04
    BUS_OFF = 0x08
    SINGLE_WIRE_FAULT = 0x10  #: only as an event


class ErrorType(IntFlag):
    """The cause of an error frame."""

    STUFF = 0x01
    FORM = 0x02
    ACK = 0x04
    BIT = 0x08
    CRC = 0x10
    BIT_RECESSIVE = 0x20  #: sent recessive, read dominant
    BIT_DOMINANT = 0x40  #: sent dominant, read recessive
    OVERLOAD = 0x80
    OTHER = 0x80000000


class QueueEvent(IntEnum):
    """The events of a queue."""

    UNDERRUN = 0
    EMPTY = 1
    NOT_EMPTY = 2
    LOW_WATERMARK = 3
    HIGH_WATERMARK = 4
    FULL = 5
    OVERFLOW = 6


class Participation(IntEnum):
    """Whether a controller acknowledges and sends."""

    PASSIVE = 1
    ACTIVE = 2


class CanRxMode(IntEnum):
    """How classic frames are received."""

    IGNORED = 1
    AS_CAN = 2


class FdRxMode(IntEnum):
    """How CAN FD frames are received."""

    IGNORED = 1
    AS_CAN = 2
    AS_FD = 4
    AS_CAN_PADDED = 8


class FdTxConfig(IntEnum):
    """Which kinds of frames are sent."""

    CAN_ONLY = 1
    FD_ONLY = 2
    BOTH = 4


class Result(IntEnum):
    """Result codes that have a meaning of their own for canx; bit 31 is an error, bit 30 a warning."""

    SUCCESS = 0
    WARN_PARAM_ADAPTED = 0x40004000
    WARN_ORDER_NOT_KEPT = 0x40004001
    INVALID_PARAMETER = 0x80001000
    INCONSISTENT_PARAMETERS = 0x80001001
    INVALID_HANDLE = 0x80001002
    BUFFER_TOO_SMALL = 0x80001003
    NOT_SUPPORTED = 0x80001004
    FILTER_REFUSED = 0x80001005
    FILTER_REFUSED_2 = 0x80001006
    VERSION_NOT_SUPPORTED = 0x80002000
    NO_INTERFACE = 0x80002004
    HARDWARE_NOT_PRESENT = 0x80002005
    DRIVER_NOT_OPENED = 0x80002006
    LICENCE_MISSING = 0x80002007
    WRONG_STATE = 0x80003000
    NO_CONFIGURATION = 0x80003001
    QUEUE_FULL = 0x80003002
    IN_USE = 0x80003003
    INCOMPATIBLE_CONFIGURATION = 0x80004000
    OUT_OF_MEMORY = 0x80004001
    NO_RESOURCES = 0x80004002
    NO_RESPONSE = 0x80005000
    DISCONNECTED = 0x80005001
    BUSY = 0x80005002


ERROR_BIT = 0x80000000

#: the meaning of each result code
TEXTS = {
    Result.SUCCESS: "done",
    Result.WARN_PARAM_ADAPTED: "parameters were adapted",
    Result.WARN_ORDER_NOT_KEPT: "the order of transmission is not kept",
    Result.INVALID_PARAMETER: "invalid parameter",
    Result.INCONSISTENT_PARAMETERS: "inconsistent parameters",
    Result.INVALID_HANDLE: "invalid handle",
    Result.BUFFER_TOO_SMALL: "the buffer is too small",
    Result.NOT_SUPPORTED: "not supported",
    Result.FILTER_REFUSED: "the filter was refused",
    Result.FILTER_REFUSED_2: "the filter was refused",
    Result.VERSION_NOT_SUPPORTED: "the version of the protocol is not supported",
    Result.NO_INTERFACE: "no such interface",
    Result.HARDWARE_NOT_PRESENT: "the hardware is not present",
    Result.DRIVER_NOT_OPENED: "the driver cannot be opened",
    Result.LICENCE_MISSING: "a licence is missing",
    Result.WRONG_STATE: "wrong state",
    Result.NO_CONFIGURATION: "there is no configuration",
    Result.QUEUE_FULL: "the queue is full",
    Result.IN_USE: "in use",
    Result.INCOMPATIBLE_CONFIGURATION: "another program uses the controller with other settings",
    Result.OUT_OF_MEMORY: "out of memory",
    Result.NO_RESOURCES: "no resources left",
    Result.NO_RESPONSE: "the hardware does not respond",
    Result.DISCONNECTED: "the hardware is disconnected",
    Result.BUSY: "the hardware is busy",
}
#: bits 12 to 15 of a code without a text
_CLASSES = {1: "parameter", 2: "binding", 3: "state", 4: "resource", 5: "communication", 6: "internal"}


def text_of(code: int) -> str:
    """Return the meaning of a result code."""
    known = TEXTS.get(code)  # type: ignore[call-overload]  # an int is a key of IntEnum members
    if known is not None:
        return str(known)
    kind = _CLASSES.get(code >> 12 & 0xF, "unknown")
    return f"{kind} {'error' if code & ERROR_BIT else 'warning'}"
