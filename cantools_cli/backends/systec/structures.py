"""The structures of the USB-CAN library, packed, with 32-bit integers as on Windows.

``_layout_`` names the layout of ``_pack_``, which Python 3.14 requires.

Source: the header ``usbcan32.h`` of SYS TEC electronic.
"""

from __future__ import annotations

import ctypes
import sys
from ctypes import POINTER, Structure, c_int32, c_uint8, c_uint16, c_uint32, c_void_p, sizeof
from typing import Any, ClassVar

__all__ = [
    "CallbackFktEx",
    "CanMsg",
    "ChannelInfo",
    "ConnectControlFktEx",
    "EnumCallback",
    "HardwareInfoEx",
    "HardwareInitInfo",
    "InitCanParam",
    "MsgCountInfo",
    "MsgCountInfo2",
    "Status",
]

#: the type of callbacks: stdcall in 32-bit programs for Windows
_callback: Any = ctypes.CFUNCTYPE
if sys.platform == "win32":
    _callback = ctypes.WINFUNCTYPE


class CanMsg(Structure):
    """A frame; ``m_bFF`` holds ``MsgFrameFormat``, ``m_dwTime`` the time of a received frame."""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (
        ("m_dwID", c_uint32),
        ("m_bFF", c_uint8),
        ("m_bDLC", c_uint8),
        ("m_bData", c_uint8 * 8),
        ("m_dwTime", c_uint32),
    )


class Status(Structure):
    """``CanStatus`` and ``UsbStatus``."""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("m_wCanStatus", c_uint16), ("m_wUsbStatus", c_uint16))


class _Sized(Structure):
    """A structure whose first field is its size."""

    _pack_ = 1
    _layout_ = "ms"
    _fields_: ClassVar[Any] = (("m_dwSize", c_uint32),)

    def __init__(self, **fields: Any) -> None:
        super().__init__(**{"m_dwSize": sizeof(self), **fields})


class InitCanParam(_Sized):
    """How a channel is opened; 0 as ``m_dwBaudrate`` means the registers."""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (
        ("m_bMode", c_uint8),
        ("m_bBTR0", c_uint8),
        ("m_bBTR1", c_uint8),
        ("m_bOCR", c_uint8),
        ("m_dwAMR", c_uint32),
        ("m_dwACR", c_uint32),
        ("m_dwBaudrate", c_uint32),
        ("m_wNrOfRxBufferEntries", c_uint16),
        ("m_wNrOfTxBufferEntries", c_uint16),
    )


class HardwareInfoEx(_Sized):
    """A module."""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (
        ("m_UcanHandle", c_uint8),
        ("m_bDeviceNr", c_uint8),
        ("m_dwSerialNr", c_uint32),
        ("m_dwFwVersionEx", c_uint32),
        ("m_dwProductCode", c_uint32),
        *((f"m_dwUniqueId{part}", c_uint32) for part in range(4)),
        ("m_dwFlags", c_uint32),
    )


class ChannelInfo(_Sized):
    """A channel of a module."""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (
        ("m_bMode", c_uint8),
        ("m_bBTR0", c_uint8),
        ("m_bBTR1", c_uint8),
        ("m_bOCR", c_uint8),
        ("m_dwAMR", c_uint32),
        ("m_dwACR", c_uint32),
        ("m_dwBaudrate", c_uint32),
        ("m_fCanIsInit", c_int32),
        ("m_wCanStatus", c_uint16),
    )


class MsgCountInfo(Structure):
    """Counters of frames, with 16 bits."""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("m_wSentMsgCount", c_uint16), ("m_wRecvdMsgCount", c_uint16))


class MsgCountInfo2(Structure):
    """Counters of frames, with 32 bits."""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("m_dwSentMsgCount", c_uint32), ("m_dwRecvdMsgCount", c_uint32))


#: called with the handle, the event, the channel and an argument
CallbackFktEx = _callback(None, c_uint8, c_uint32, c_uint8, c_void_p)
#: called with the event, its parameter and an argument
ConnectControlFktEx = _callback(None, c_uint32, c_uint32, c_void_p)


class HardwareInitInfo(Structure):
    """What the callback of an enumeration may answer: ``m_fTryNext`` continues it."""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (
        ("m_dwSize", c_uint32),
        ("m_fDoInitialize", c_int32),
        ("m_pUcanHandle", POINTER(c_uint8)),
        ("m_fpCallbackFktEx", c_void_p),
        ("m_pCallbackArg", c_void_p),
        ("m_fTryNext", c_int32),
    )


#: called with an index, whether the module is in use, the module, the answer and an argument
EnumCallback = _callback(
    None, c_uint32, c_int32, POINTER(HardwareInfoEx), POINTER(HardwareInitInfo), c_void_p
)
