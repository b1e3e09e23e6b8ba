"""The functions of the USB-CAN library of SYS TEC electronic.

Source: the header ``usbcan32.h`` of SYS TEC electronic.
"""

from __future__ import annotations

import struct
from ctypes import POINTER, c_int32, c_uint8, c_uint32, c_void_p, c_wchar_p

from cantools_cli.backends.systec.structures import (
    CallbackFktEx,
    CanMsg,
    ChannelInfo,
    ConnectControlFktEx,
    EnumCallback,
    HardwareInfoEx,
    InitCanParam,
    MsgCountInfo,
    MsgCountInfo2,
    Status,
)
from cantools_cli.backends.transport.library import VendorLibrary

__all__ = ["LIBRARY"]

_HANDLE, _CHANNEL, _RESULT = c_uint8, c_uint8, c_uint8
_FILES = ("usbcan64.dll", "usbcan32.dll")

LIBRARY = VendorLibrary(
    interface="systec",
    title="the USB-CAN library of SYS TEC",
    page="www.systec-electronic.com",
    files={"win32": _FILES if struct.calcsize("P") == 8 else _FILES[::-1]},
    functions={
        "UcanSetDebugMode": (c_int32, c_uint32, c_wchar_p, c_uint32),
        "UcanGetVersionEx": (c_uint32, c_uint32),
        "UcanGetFwVersion": (c_uint32, _HANDLE),
        "UcanInitHwConnectControlEx": (_RESULT, ConnectControlFktEx, c_void_p),
        "UcanDeinitHwConnectControl": (_RESULT,),
        "UcanEnumerateHardware": (
            *(c_uint32, EnumCallback, c_void_p, c_int32),
            *(c_uint8, c_uint8, c_uint32, c_uint32, c_uint32, c_uint32),
        ),
        "UcanInitHardwareEx": (_RESULT, POINTER(c_uint8), c_uint8, CallbackFktEx, c_void_p),
        "UcanInitHardwareEx2": (_RESULT, POINTER(c_uint8), c_uint32, CallbackFktEx, c_void_p),
        "UcanGetModuleTime": (_RESULT, _HANDLE, POINTER(c_uint32)),
        "UcanGetHardwareInfoEx2": (
            *(_RESULT, _HANDLE, POINTER(HardwareInfoEx), POINTER(ChannelInfo), POINTER(ChannelInfo)),
        ),
        "UcanInitCanEx2": (_RESULT, _HANDLE, _CHANNEL, POINTER(InitCanParam)),
        "UcanSetBaudrateEx": (_RESULT, _HANDLE, _CHANNEL, c_uint8, c_uint8, c_uint32),
        "UcanSetAcceptanceEx": (_RESULT, _HANDLE, _CHANNEL, c_uint32, c_uint32),
        "UcanResetCanEx": (_RESULT, _HANDLE, _CHANNEL, c_uint32),
        "UcanReadCanMsgEx": (_RESULT, _HANDLE, POINTER(c_uint8), POINTER(CanMsg), POINTER(c_uint32)),
        "UcanWriteCanMsgEx": (_RESULT, _HANDLE, _CHANNEL, POINTER(CanMsg), POINTER(c_uint32)),
        "UcanGetStatusEx": (_RESULT, _HANDLE, _CHANNEL, POINTER(Status)),
        "UcanGetMsgCountInfoEx": (_RESULT, _HANDLE, _CHANNEL, POINTER(MsgCountInfo)),
        "UcanGetMsgCountInfoEx2": (_RESULT, _HANDLE, _CHANNEL, POINTER(MsgCountInfo2)),
        "UcanGetMsgPending": (_RESULT, _HANDLE, _CHANNEL, c_uint32, POINTER(c_uint32)),
        "UcanGetCanErrorCounter": (_RESULT, _HANDLE, _CHANNEL, POINTER(c_uint32), POINTER(c_uint32)),
        "UcanSetTxTimeout": (_RESULT, _HANDLE, _CHANNEL, c_uint32),
        "UcanDeinitCanEx": (_RESULT, _HANDLE, _CHANNEL),
        "UcanDeinitHardware": (_RESULT, _HANDLE),
    },
    optional={
        *("UcanSetDebugMode", "UcanGetVersionEx", "UcanGetFwVersion", "UcanEnumerateHardware"),
        *("UcanInitHardwareEx2", "UcanGetModuleTime", "UcanSetBaudrateEx", "UcanGetMsgCountInfoEx"),
        *("UcanGetMsgCountInfoEx2", "UcanGetCanErrorCounter"),
    },
    instead="socketcan",
)
