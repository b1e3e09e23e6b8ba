"""Constants, structures and callbacks of the library WDT_DIO.

A callback runs in a thread of the library; the message that it gets is valid until it returns.

Source: Neousys ``wdt_dio.h``.
"""

from __future__ import annotations

import ctypes
import sys
from ctypes import Structure, c_uint8, c_uint16, c_uint32, c_void_p, sizeof
from typing import Any

MSG_EXTENDED_ID = 0x0004
MSG_REMOTE_FRAME = 0x0040
MSG_DATA_NEW = 0x0080
MSG_DATA_LOST = 0x0100

USE_ID_FILTER = 0x08
USE_DIR_FILTER = 0x18
USE_EXT_FILTER = 0x28

STATUS_BUS_OFF = 0x80
STATUS_WARNING = 0x40
STATUS_PASSIVE = 0x20
STATUS_LAST_ERROR = 0x07  #: mask of the last error: 1 stuff, 2 form, 3 acknowledge, 4 bit 1, 5 bit 0, 6 CRC


class NeousysCanSetup(Structure):
    """The bit rate in bit/s and the filter of a port."""

    _pack_ = 1
    _fields_ = (
        ("bitRate", c_uint32),
        ("recvConfig", c_uint32),
        ("recvId", c_uint32),
        ("recvMask", c_uint32),
    )


class NeousysCanMsg(Structure):
    """A frame."""

    _pack_ = 1
    _fields_ = (
        ("id", c_uint32),
        ("flags", c_uint16),
        ("extra", c_uint8),
        ("len", c_uint8),
        ("data", c_uint8 * 8),
    )


class NeousysCanBitClk(Structure):
    """A bit timing in time quanta; no function of the library takes one."""

    _pack_ = 1
    _fields_ = (
        ("syncPropPhase1Seg", c_uint16),
        ("phase2Seg", c_uint16),
        ("jumpWidth", c_uint16),
        ("quantumPrescaler", c_uint16),
    )


SETUP_SIZE = sizeof(NeousysCanSetup)

# 32-bit Windows alone has two calling conventions; that of callbacks differs from that of functions
_is_stdcall = sys.platform == "win32" and sizeof(c_void_p) == 4
_function: Any = getattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE) if _is_stdcall else ctypes.CFUNCTYPE

#: callback(address of the message, size in bytes)
ReceivedCallback = _function(None, c_void_p, c_uint32)
#: callback(status)
StatusCallback = _function(None, c_uint32)
