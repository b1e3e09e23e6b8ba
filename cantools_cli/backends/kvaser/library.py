"""CANlib, Kvaser's library: its functions, and calls that raise the documented errors.

Source: Kvaser's ``canlib.h`` 5.49; its Linux SDK 5.49 (file names, results).
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from ctypes import POINTER, c_char_p, c_int, c_long, c_size_t, c_ubyte, c_uint, c_ulong, c_void_p
from typing import Any, NamedTuple

from cantools_cli.backends.kvaser import constants as c
from cantools_cli.backends.kvaser.errors import CANLIBError, CANLIBInitializationError, text_of
from cantools_cli.backends.kvaser.structures import BusParamsTq, BusStatistics
from cantools_cli.backends.transport.library import Prototype, VendorLibrary

__all__ = ["LIBRARY", "Canlib", "ChannelInfo"]

_TEXT_SIZE = 256  # bytes for names and descriptions

# Every handle and every result is an int: negative for an error.
_UINT, _LONG = POINTER(c_uint), POINTER(c_long)
_MESSAGE = (c_long, c_void_p, c_uint, c_uint)  # identifier, data, bytes, flags
_RECEIVED = (_LONG, c_void_p, _UINT, _UINT, POINTER(c_ulong))  # and the time
_FUNCTIONS: dict[str, Prototype] = {
    "canInitializeLibrary": (None,),
    "canUnloadLibrary": (c_int,),
    "canEnumHardwareEx": (c_int, POINTER(c_int)),
    "canGetNumberOfChannels": (c_int, POINTER(c_int)),
    "canGetChannelData": (c_int, c_int, c_int, c_void_p, c_size_t),
    "canOpenChannel": (c_int, c_int, c_int),
    "canClose": (c_int, c_int),
    "canBusOn": (c_int, c_int),
    "canBusOff": (c_int, c_int),
    "canResetBus": (c_int, c_int),
    "canSetBusParams": (c_int, c_int, c_long, c_uint, c_uint, c_uint, c_uint, c_uint),
    "canSetBusParamsFd": (c_int, c_int, c_long, c_uint, c_uint, c_uint),
    "canSetBusParamsC200": (c_int, c_int, c_ubyte, c_ubyte),
    "canSetBusParamsTq": (c_int, c_int, BusParamsTq),
    "canSetBusParamsFdTq": (c_int, c_int, BusParamsTq, BusParamsTq),
    "canGetBusParams": (c_int, c_int, _LONG, _UINT, _UINT, _UINT, _UINT, _UINT),
    "canGetBusParamsFd": (c_int, c_int, _LONG, _UINT, _UINT, _UINT),
    "canSetBusOutputControl": (c_int, c_int, c_uint),
    "canGetBusOutputControl": (c_int, c_int, _UINT),
    "canSetAcceptanceFilter": (c_int, c_int, c_uint, c_uint, c_int),
    "canAccept": (c_int, c_int, c_long, c_uint),
    "canReadStatus": (c_int, c_int, POINTER(c_ulong)),
    "canRequestChipStatus": (c_int, c_int),
    "canReadErrorCounters": (c_int, c_int, _UINT, _UINT, _UINT),
    "canWrite": (c_int, c_int, *_MESSAGE),
    "canWriteSync": (c_int, c_int, c_ulong),
    "canWriteWait": (c_int, c_int, *_MESSAGE, c_ulong),
    "canRead": (c_int, c_int, *_RECEIVED),
    "canReadWait": (c_int, c_int, *_RECEIVED, c_ulong),
    "canReadSync": (c_int, c_int, c_ulong),
    "canIoCtl": (c_int, c_int, c_uint, c_void_p, c_uint),
    "kvReadTimer": (c_int, c_int, _UINT),
    "kvReadTimer64": (c_int, c_int, POINTER(ctypes.c_int64)),
    "canGetErrorText": (c_int, c_int, c_char_p, c_uint),
    "canGetVersion": (ctypes.c_ushort,),
    "canGetVersionEx": (c_uint, c_uint),
    "kvFlashLeds": (c_int, c_int, c_int, c_int),
    "canRequestBusStatistics": (c_int, c_int),
    "canGetBusStatistics": (c_int, c_int, POINTER(BusStatistics), c_size_t),
    "canFlushReceiveQueue": (c_int, c_int),
    "canFlushTransmitQueue": (c_int, c_int),
    "canGetRawHandle": (c_int, c_int, c_void_p),
    "canObjBufAllocate": (c_int, c_int, c_int),
    "canObjBufWrite": (c_int, c_int, c_int, c_int, c_void_p, c_uint, c_uint),
    "canObjBufSetPeriod": (c_int, c_int, c_int, c_uint),
    "canObjBufSetMsgCount": (c_int, c_int, c_int, c_uint),
    "canObjBufEnable": (c_int, c_int, c_int),
    "canObjBufDisable": (c_int, c_int, c_int),
    "canObjBufFree": (c_int, c_int, c_int),
    "canObjBufFreeAll": (c_int, c_int),
}
#: functions that a bus needs in any case; old libraries lack some of the others
_NEEDED = frozenset(
    {
        *(
            "canInitializeLibrary",
            "canGetNumberOfChannels",
            "canGetChannelData",
            "canOpenChannel",
            "canClose",
        ),
        *("canBusOn", "canBusOff", "canSetBusParams", "canSetBusOutputControl", "canReadStatus", "canWrite"),
        *("canWriteSync", "canRead", "canReadSync", "canIoCtl", "kvReadTimer", "canGetErrorText"),
    }
)

LIBRARY = VendorLibrary(
    "kvaser",
    "CANlib of Kvaser",
    "https://kvaser.com/download",
    {"linux": ("libcanlib.so.1", "libcanlib.so"), "win32": ("canlib32.dll",)},
    _FUNCTIONS,
    optional=frozenset(_FUNCTIONS) - _NEEDED,
)


class ChannelInfo(NamedTuple):
    """A channel: ``number`` counts the channels of its device from 0."""

    name: str
    serial: int
    number: int
    capabilities: int

    @property
    def is_virtual(self) -> bool:
        return bool(self.capabilities & c.canCHANNEL_CAP_VIRTUAL)

    @property
    def has_fd(self) -> bool:
        return bool(self.capabilities & c.canCHANNEL_CAP_CAN_FD)

    def __str__(self) -> str:
        return f"{self.name}, S/N {self.serial} (#{self.number + 1})"


class Canlib:
    """The loaded library, initialised.

    ``place`` names the bus in errors. ``failure`` is the class of the errors that ``call`` raises.

    Raises:
        CanInterfaceNotImplementedError: the library is missing.
    """

    def __init__(self, path: str | None = None, place: str = "kvaser") -> None:
        self.functions = LIBRARY.load(path)
        self.place = place
        self.failure: type[CANLIBError] = CANLIBInitializationError
        self.functions.canInitializeLibrary()

    def call(self, name: str, *arguments: Any) -> int:
        """Return the result of a function.

        Raises:
            CANLIBError: the result is an error, or the library lacks the function.
        """
        function = getattr(self.functions, name)
        status = c.canERR_NOT_IMPLEMENTED if function is None else int(function(*arguments))
        if status < 0:
            raise self.error(name, status, arguments)
        return status

    def attempt(self, name: str, *arguments: Any) -> int:
        """Return the result of a function, which may be an error."""
        function = getattr(self.functions, name)
        return c.canERR_NOT_IMPLEMENTED if function is None else int(function(*arguments))

    def error(
        self, name: str, status: int, arguments: Any = (), *, hint: str | None = None, sent: int | None = None
    ) -> CANLIBError:
        """Return the error of a function that returned ``status``."""
        text = self.text(status)
        return self.failure(name, status, arguments, place=self.place, text=text, hint=hint, sent=sent)

    def text(self, status: int) -> str:
        """Return the library's description of a status, or that of canx."""
        buffer = ctypes.create_string_buffer(_TEXT_SIZE)
        if self.functions.canGetErrorText(status, buffer, len(buffer)) < 0:
            return text_of(status)
        return _decoded(buffer.value) or text_of(status)

    def control(self, handle: int, function: int, value: int, size: int = 4) -> int:
        """Call canIoCtl with an integer of ``size`` bytes, and return the status."""
        number = c_ubyte(value) if size == 1 else c_uint(value)
        return self.attempt("canIoCtl", handle, function, ctypes.byref(number), size)

    # --- channels -------------------------------------------------------------------------------------

    def channels(self, *, fresh: bool = False) -> int:
        """Return the number of channels; ``fresh`` looks for devices that were plugged in since."""
        count = c_int(0)
        if fresh:
            self.attempt("canEnumHardwareEx", ctypes.byref(count))
        self.call("canGetNumberOfChannels", ctypes.byref(count))
        return count.value

    def info(self, channel: int) -> ChannelInfo:
        """Return what the library knows about a channel; unknown numbers are 0."""
        name = self._text_item(channel, c.canCHANNELDATA_DEVNAME_ASCII)
        name = name or self._text_item(channel, c.canCHANNELDATA_DEVDESCR_ASCII) or "Kvaser device"
        serial = self._number_item(channel, c.canCHANNELDATA_CARD_SERIAL_NO, ctypes.c_uint64())
        number = self._number_item(channel, c.canCHANNELDATA_CHAN_NO_ON_CARD, c_uint())
        capabilities = self._number_item(channel, c.canCHANNELDATA_CHANNEL_CAP, c_uint())
        return ChannelInfo(name, serial, number, capabilities)

    def all_channels(self) -> Iterator[tuple[int, ChannelInfo]]:
        """Yield the channels of this computer."""
        for channel in range(self.channels(fresh=True)):
            yield channel, self.info(channel)

    def _text_item(self, channel: int, item: int) -> str:
        buffer = ctypes.create_string_buffer(_TEXT_SIZE)
        if self.attempt("canGetChannelData", channel, item, buffer, len(buffer)) < 0:
            return ""
        return _decoded(buffer.value)

    def _number_item(self, channel: int, item: int, number: Any) -> int:
        status = self.attempt("canGetChannelData", channel, item, ctypes.byref(number), ctypes.sizeof(number))
        return 0 if status < 0 else int(number.value)


def _decoded(text: bytes) -> str:
    """Return a text of the library, in UTF-8 or in the code page of Western Windows."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("cp1252", "replace")
