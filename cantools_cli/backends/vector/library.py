"""The XL Driver Library: its files, its functions, and the driver that programs open.

Source: Vector, XL Driver Library manual and ``vxlapi.h`` of 2020.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ctypes import POINTER, c_char_p, c_int, c_int32, c_uint8, c_uint32, c_uint64, c_void_p
from typing import Any

from cantools_cli.backends.transport.library import Functions, VendorLibrary
from cantools_cli.backends.vector.exceptions import (
    VectorError,
    VectorInitializationError,
    VectorOperationError,
)
from cantools_cli.backends.vector.xlclass import (
    XLaccess,
    XLcanFdConf,
    XLchipParams,
    XLdriverConfig,
    XLportHandle,
    XLstatus,
)
from cantools_cli.backends.vector.xldefine import XL_Status

_STATUS, _PORT, _MASK = XLstatus, XLportHandle, XLaccess
_FILE = "vxlapi64.dll" if struct.calcsize("P") == 8 else "vxlapi.dll"
#: events are addresses: a call that passes them as such costs a third of one with a ctypes pointer
_EVENTS = c_void_p

_FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "xlOpenDriver": (_STATUS,),
    "xlCloseDriver": (_STATUS,),
    "xlGetDriverConfig": (_STATUS, POINTER(XLdriverConfig)),
    "xlGetApplConfig": (_STATUS, c_char_p, c_uint32, *(POINTER(c_uint32),) * 3, c_uint32),
    "xlSetApplConfig": (_STATUS, c_char_p, *(c_uint32,) * 5),
    "xlGetChannelIndex": (c_int32, c_int, c_int, c_int),
    "xlGetChannelMask": (_MASK, c_int, c_int, c_int),
    "xlOpenPort": (_STATUS, POINTER(_PORT), c_char_p, _MASK, POINTER(_MASK), *(c_uint32,) * 3),
    "xlClosePort": (_STATUS, _PORT),
    "xlActivateChannel": (_STATUS, _PORT, _MASK, c_uint32, c_uint32),
    "xlDeactivateChannel": (_STATUS, _PORT, _MASK),
    "xlSetNotification": (_STATUS, _PORT, POINTER(c_void_p), c_int),
    "xlSetTimerRate": (_STATUS, _PORT, c_uint32),
    "xlResetClock": (_STATUS, _PORT),
    "xlFlushReceiveQueue": (_STATUS, _PORT),
    "xlGetReceiveQueueLevel": (_STATUS, _PORT, POINTER(c_int)),
    "xlReceive": (_STATUS, _PORT, POINTER(c_uint32), _EVENTS),
    "xlCanReceive": (_STATUS, _PORT, _EVENTS),
    "xlCanTransmit": (_STATUS, _PORT, _MASK, POINTER(c_uint32), _EVENTS),
    "xlCanTransmitEx": (_STATUS, _PORT, _MASK, c_uint32, POINTER(c_uint32), _EVENTS),
    "xlGetErrorString": (c_char_p, _STATUS),
    "xlGetSyncTime": (_STATUS, _PORT, POINTER(c_uint64)),
    "xlGetChannelTime": (_STATUS, _PORT, _MASK, POINTER(c_uint64)),
    "xlPopupHwConfig": (_STATUS, c_char_p, c_uint32),
    "xlCanSetChannelMode": (_STATUS, _PORT, _MASK, c_int, c_int),
    "xlCanSetReceiveMode": (_STATUS, _PORT, c_uint8, c_uint8),
    "xlCanSetChannelOutput": (_STATUS, _PORT, _MASK, c_int),
    "xlCanSetChannelBitrate": (_STATUS, _PORT, _MASK, c_uint32),
    "xlCanSetChannelParams": (_STATUS, _PORT, _MASK, POINTER(XLchipParams)),
    "xlCanSetChannelParamsC200": (_STATUS, _PORT, _MASK, c_uint8, c_uint8),
    "xlCanFdSetConfiguration": (_STATUS, _PORT, _MASK, POINTER(XLcanFdConf)),
    "xlCanSetChannelAcceptance": (_STATUS, _PORT, _MASK, c_uint32, c_uint32, c_uint32),
    "xlCanAddAcceptanceRange": (_STATUS, _PORT, _MASK, c_uint32, c_uint32),
    "xlCanRemoveAcceptanceRange": (_STATUS, _PORT, _MASK, c_uint32, c_uint32),
    "xlCanResetAcceptance": (_STATUS, _PORT, _MASK, c_uint32),
    "xlCanRequestChipState": (_STATUS, _PORT, _MASK),
    "xlCanFlushTransmitQueue": (_STATUS, _PORT, _MASK),
}

XL_DRIVER = VendorLibrary(
    interface="vector",
    title="the XL Driver Library of Vector",
    page="vector.com (XL Driver Library)",
    files={"win32": (_FILE,)},
    functions=_FUNCTIONS,
    optional=(
        *("xlCanReceive", "xlCanTransmitEx", "xlCanFdSetConfiguration"),  # CAN FD came with version 9
        *("xlResetClock", "xlFlushReceiveQueue", "xlGetReceiveQueueLevel", "xlGetSyncTime"),
        *("xlCanSetChannelParamsC200", "xlCanAddAcceptanceRange", "xlCanRemoveAcceptanceRange"),
        *("xlCanSetReceiveMode", "xlPopupHwConfig", "xlGetChannelMask", "xlSetTimerRate"),
    ),
)


def error_of(
    xl: Functions,
    status: int,
    function: str,
    kind: type[VectorError] = VectorOperationError,
    place: str = "",
    *,
    hint: str | None = None,
    sent: int | None = None,
) -> VectorError:
    """Return the error of ``function``, with the library's text for ``status``."""
    text = (xl.xlGetErrorString(status) or b"").decode("utf-8", "replace")
    return kind(status, text or f"status {status}", function, place=place, hint=hint, sent=sent)


def call(
    xl: Functions,
    function: str,
    *arguments: Any,
    kind: type[VectorError] = VectorOperationError,
    place: str = "",
    hint: str | None = None,
) -> None:
    """Call a function that returns a status; XL_PENDING is a success as well.

    Raises:
        VectorError: of the class ``kind``: the function failed, or the library does not have it.
    """
    symbol = getattr(xl, function)
    if symbol is None:
        code = int(XL_Status.XL_ERR_NOT_IMPLEMENTED)
        raise kind(code, "the library lacks it", function, place=place, hint="install a newer driver")
    status = symbol(*arguments)
    if status not in (XL_Status.XL_SUCCESS, XL_Status.XL_PENDING):
        raise error_of(xl, status, function, kind, place, hint=hint)


@contextmanager
def opened_driver(path: str | None = None, place: str = "") -> Iterator[Functions]:
    """Yield the loaded library with the driver open; the driver counts how often it was opened.

    Raises:
        CanInterfaceNotImplementedError: the library is missing.
        VectorInitializationError: there is no driver.
    """
    xl = XL_DRIVER.load(path)
    call(xl, "xlOpenDriver", kind=VectorInitializationError, place=place)
    try:
        yield xl
    finally:
        with suppress(VectorError):
            call(xl, "xlCloseDriver")
