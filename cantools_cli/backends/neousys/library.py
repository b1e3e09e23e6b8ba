"""The library WDT_DIO and its functions; each returns 0 if it fails.

Source: Neousys ``wdt_dio.h``.
"""

from __future__ import annotations

from ctypes import POINTER, c_int32, c_uint32

from cantools_cli.backends.neousys.wdt_dio import (
    NeousysCanMsg,
    NeousysCanSetup,
    ReceivedCallback,
    StatusCallback,
)
from cantools_cli.backends.transport.library import VendorLibrary

LIBRARY = VendorLibrary(
    interface="neousys",
    title="WDT_DIO of Neousys",
    page="www.neousys-tech.com",
    files={
        "win32": ("WDT_DIO.dll",),
        "linux": ("libwdt_dio.so", "/usr/lib/libwdt_dio.so", "/usr/local/lib/libwdt_dio.so"),
    },
    functions={
        "CAN_RegisterReceived": (c_int32, c_uint32, ReceivedCallback),
        "CAN_RegisterStatus": (c_int32, c_uint32, StatusCallback),
        "CAN_Setup": (c_int32, c_uint32, POINTER(NeousysCanSetup), c_uint32),
        "CAN_Start": (c_int32, c_uint32),
        "CAN_Stop": (c_int32, c_uint32),
        "CAN_Send": (c_int32, c_uint32, POINTER(NeousysCanMsg), c_uint32),
    },
    is_stdcall=False,
)
