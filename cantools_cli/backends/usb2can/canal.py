"""The codes, flags and structures of CANAL, the CAN abstraction layer of the VSCP project.

All integers have 32 bits, as on Windows; the structures have natural alignment.

Sources: ``canal.h`` of the VSCP project; the driver ``usb2can`` of 8devices in the same repository. The names
of the fields are python-can's.
"""

from __future__ import annotations

from ctypes import Structure, c_char, c_ubyte, c_uint32
from enum import IntEnum
from typing import Any

__all__ = [
    "IS_ERROR_FRAME",
    "IS_ID_TYPE",
    "IS_REMOTE_FRAME",
    "CanalError",
    "CanalMsg",
    "CanalStatistics",
    "CanalStatus",
]

# Bits of CanalMsg.flags.
IS_ID_TYPE = 0x01  #: the identifier has 29 bits
IS_REMOTE_FRAME = 0x02
IS_ERROR_FRAME = 0x04  #: a status record of the device instead of a frame
IS_FD_FRAME = 0x08
FROM_APPLICATION = 0x8000_0000  #: reserved for applications; python-can sets it in frames to send

# Flags of CanalOpen.
OPEN_SILENT = 0x01
OPEN_LOOPBACK = 0x02
OPEN_ONE_SHOT = 0x04  #: no automatic retransmission
OPEN_STATUS_FRAMES = 0x08  #: status records are received like frames

# Bits of CanalStatus.channel_status; the sources disagree which of the two middle ones is which.
STATUS_WARNING_OR_PASSIVE = 0x2000_0000, 0x4000_0000
STATUS_BUS_OFF = 0x8000_0000


class CanalError(IntEnum):
    """The result of a CANAL function; a number without a name is a member such as ``CODE_99``."""

    SUCCESS = 0
    BAUDRATE = 1
    BUS_OFF = 2
    BUS_PASSIVE = 3
    BUS_WARNING = 4
    CAN_ID = 5
    CAN_MESSAGE = 6
    CHANNEL = 7
    FIFO_EMPTY = 8
    FIFO_FULL = 9
    FIFO_SIZE = 10
    FIFO_WAIT = 11
    GENERIC = 12
    HARDWARE = 13
    INIT_FAIL = 14
    INIT_MISSING = 15
    INIT_READY = 16
    NOT_SUPPORTED = 17
    OVERRUN = 18
    RCV_EMPTY = 19
    REGISTER = 20
    TRM_FULL = 21
    ERRFRM_STUFF = 22
    ERRFRM_FORM = 23
    ERRFRM_ACK = 24
    ERRFRM_BIT1 = 25
    ERRFRM_BIT0 = 26
    ERRFRM_CRC = 27
    LIBRARY = 28
    PROCADDRESS = 29
    ONLY_ONE_INSTANCE = 30
    SUB_DRIVER = 31
    TIMEOUT = 32
    NOT_OPEN = 33
    PARAMETER = 34
    MEMORY = 35
    INTERNAL = 36
    COMMUNICATION = 37
    USER = 38
    MTU = 39
    FD_SUPPORT = 40
    FD_SUPPORT_ENABLE = 41
    SOCKET_CREATE = 42
    CONVERT_NAME_TO_INDEX = 43
    SOCKET_BIND = 44

    @classmethod
    def _missing_(cls, value: object) -> Any:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"CODE_{value}"
        member._value_ = value
        return member

    @property
    def explanation(self) -> str:
        """The code in words."""
        return _EXPLANATIONS.get(self, "unknown code")


_EXPLANATIONS = {
    CanalError.SUCCESS: "done",
    CanalError.BAUDRATE: "the bit rate is not possible",
    CanalError.BUS_OFF: "the controller is bus-off",
    CanalError.BUS_PASSIVE: "the controller is error-passive",
    CanalError.BUS_WARNING: "an error counter is at the warning level",
    CanalError.CAN_ID: "the identifier is out of range",
    CanalError.CAN_MESSAGE: "malformed message",
    CanalError.CHANNEL: "no such channel",
    CanalError.FIFO_EMPTY: "the queue is empty",
    CanalError.FIFO_FULL: "the queue is full",
    CanalError.FIFO_SIZE: "wrong size of the queue",
    CanalError.FIFO_WAIT: "waiting for the queue failed",
    CanalError.GENERIC: "unspecified error",
    CanalError.HARDWARE: "hardware failure",
    CanalError.INIT_FAIL: "initialisation failed",
    CanalError.INIT_MISSING: "not initialised",
    CanalError.INIT_READY: "already initialised",
    CanalError.NOT_SUPPORTED: "not supported",
    CanalError.OVERRUN: "overrun",
    CanalError.RCV_EMPTY: "the receive queue is empty",
    CanalError.REGISTER: "no access to a register",
    CanalError.TRM_FULL: "the transmit queue is full",
    CanalError.ERRFRM_STUFF: "error frame: bit stuffing",
    CanalError.ERRFRM_FORM: "error frame: form error",
    CanalError.ERRFRM_ACK: "error frame: no acknowledgement",
    CanalError.ERRFRM_BIT1: "error frame: sent recessive, read dominant",
    CanalError.ERRFRM_BIT0: "error frame: sent dominant, read recessive",
    CanalError.ERRFRM_CRC: "error frame: CRC error",
    CanalError.LIBRARY: "a library cannot be loaded",
    CanalError.PROCADDRESS: "a function is missing in the library",
    CanalError.ONLY_ONE_INSTANCE: "only one instance may run",
    CanalError.SUB_DRIVER: "failure of a lower driver",
    CanalError.TIMEOUT: "timeout",
    CanalError.NOT_OPEN: "the device is not open",
    CanalError.PARAMETER: "bad parameter",
    CanalError.MEMORY: "out of memory",
    CanalError.INTERNAL: "internal failure",
    CanalError.COMMUNICATION: "no communication with the device",
    CanalError.USER: "wrong user or password",
    CanalError.MTU: "the frame is larger than the interface carries",
    CanalError.FD_SUPPORT: "no CAN FD",
    CanalError.FD_SUPPORT_ENABLE: "CAN FD cannot be enabled",
    CanalError.SOCKET_CREATE: "a socket cannot be created",
    CanalError.CONVERT_NAME_TO_INDEX: "unknown name of an interface",
    CanalError.SOCKET_BIND: "a socket cannot be bound",
}


class CanalMsg(Structure):
    """A frame: ``data`` always has eight bytes, of which ``sizeData`` are valid."""

    _fields_ = (
        ("flags", c_uint32),
        ("obid", c_uint32),
        ("id", c_uint32),
        ("sizeData", c_ubyte),
        ("data", c_ubyte * 8),
        ("timestamp", c_uint32),
    )


class CanalStatistics(Structure):
    """Counters of frames, data bytes and events. The USB2CAN library clears them whenever they are read."""

    _fields_ = (
        ("ReceiveFrams", c_uint32),
        ("TransmistFrams", c_uint32),
        ("ReceiveData", c_uint32),
        ("TransmitData", c_uint32),
        ("Overruns", c_uint32),
        ("BusWarnings", c_uint32),
        ("BusOff", c_uint32),
    )


class CanalStatus(Structure):
    """The status of a channel. The USB2CAN library sets ``channel_status`` only."""

    _fields_ = (
        ("channel_status", c_uint32),
        ("lasterrorcode", c_uint32),
        ("lasterrorsubcode", c_uint32),
        ("lasterrorstr", c_char * 80),
    )


#: python-can's name of ``CanalStatistics``
stat = CanalStatistics
