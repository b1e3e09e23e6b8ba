"""The library PCAN-Basic: its files, its functions, and calls of them that check the status.

Sources: PEAK-System, "PCAN-Basic API" 4 for Windows and Linux; MacCAN, PCBUSB 0.13 for macOS.
"""

from __future__ import annotations

import ctypes
import os
import sys
from ctypes import c_char_p, c_uint8, c_uint16, c_uint32, c_void_p

from cantools_cli.backends.pcan import constants
from cantools_cli.backends.transport.library import Functions, VendorLibrary
from cantools_cli.errors import UsageError, quoted

LIBRARY = VendorLibrary(
    "pcan",
    title="PCAN-Basic of PEAK-System",
    page="https://www.peak-system.com (macOS: https://mac-can.com)",
    files={
        "win32": ("PCANBasic.dll",),
        "cygwin": ("PCANBasic.dll",),
        "linux": (
            *("libpcanbasic.so", "libpcanbasic.so.4", "libpcanbasic.so.5"),
            "libpcanbasic.so.0",
        ),
        "darwin": (
            *("PCBUSB", "libPCBUSB.dylib"),
            *("/usr/local/lib/libPCBUSB.dylib", "/opt/homebrew/lib/libPCBUSB.dylib"),
        ),
    },
    functions={
        "CAN_Initialize": (c_uint32, c_uint16, c_uint16, c_uint8, c_uint32, c_uint16),
        "CAN_InitializeFD": (c_uint32, c_uint16, c_char_p),
        "CAN_Uninitialize": (c_uint32, c_uint16),
        "CAN_Reset": (c_uint32, c_uint16),
        "CAN_GetStatus": (c_uint32, c_uint16),
        "CAN_Read": (c_uint32, c_uint16, c_void_p, c_void_p),
        "CAN_ReadFD": (c_uint32, c_uint16, c_void_p, c_void_p),
        "CAN_Write": (c_uint32, c_uint16, c_void_p),
        "CAN_WriteFD": (c_uint32, c_uint16, c_void_p),
        "CAN_FilterMessages": (c_uint32, c_uint16, c_uint32, c_uint32, c_uint8),
        "CAN_GetValue": (c_uint32, c_uint16, c_uint8, c_void_p, c_uint32),
        "CAN_SetValue": (c_uint32, c_uint16, c_uint8, c_void_p, c_uint32),
        "CAN_GetErrorText": (c_uint32, c_uint32, c_uint16, c_void_p),
        "CAN_LookUpChannel": (c_uint32, c_char_p, c_void_p),
    },
    optional=("CAN_InitializeFD", "CAN_ReadFD", "CAN_WriteFD", "CAN_LookUpChannel"),
    instead="socketcan",
)

ENGLISH = 0x09
TEXT_SIZE = 256  #: bytes of every text
NUMBER_SIZE = 4
_WIDE = {constants.PCAN_BUSSPEED_NOMINAL, constants.PCAN_BUSSPEED_DATA}  # Linux refuses four bytes
_CHANNELS = "channels: PCAN_USBBUS1 to 16, PCAN_PCIBUS1 to 16, PCAN_LANBUS1 to 16"
#: the library, not one channel
NONE = int(constants.PCAN_NONEBUS)


class PcanLibrary:
    """PCAN-Basic, with the values of parameters as Python's.

    Raises:
        CanInterfaceNotImplementedError: the library is missing.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.functions: Functions = LIBRARY.load(path)

    def number(self, handle: int, parameter: int) -> tuple[int, int]:
        """Return the status and the value of a parameter that is a number."""
        size = 8 if parameter in _WIDE else NUMBER_SIZE
        buffer = ctypes.create_string_buffer(size)
        status = self.functions.CAN_GetValue(handle, parameter, buffer, size)
        return status, int.from_bytes(buffer.raw, sys.byteorder)

    def text(self, handle: int, parameter: int) -> tuple[int, str]:
        """Return the status and the value of a parameter that is text."""
        buffer = ctypes.create_string_buffer(TEXT_SIZE)
        status = self.functions.CAN_GetValue(handle, parameter, buffer, TEXT_SIZE)
        return status, buffer.value.decode("utf-8", "replace").strip()

    def set_number(self, handle: int, parameter: int, value: int) -> int:
        """Set a parameter that is a number, and return the status."""
        buffer = c_uint32(value)
        return int(self.functions.CAN_SetValue(handle, parameter, ctypes.byref(buffer), NUMBER_SIZE))

    def text_of(self, status: int) -> str | None:
        """Return the library's text for one status code, None for a combination or an unknown one."""
        buffer = ctypes.create_string_buffer(TEXT_SIZE)
        if self.functions.CAN_GetErrorText(status, ENGLISH, buffer) != constants.PCAN_ERROR_OK:
            return None
        return buffer.value.decode("utf-8", "replace").strip() or None

    def look_up(self, device_id: int) -> int | None:
        """Return the handle of the first device with this stored number, or None."""
        if self.functions.CAN_LookUpChannel is not None:
            found = c_uint16(0)
            query = f"deviceid={device_id}".encode()
            status = self.functions.CAN_LookUpChannel(query, ctypes.byref(found))
            if status == constants.PCAN_ERROR_OK:
                return found.value or None
        for handle in constants.PCAN_CHANNEL_NAMES.values():  # an old library, or that of macOS
            if handle == NONE or not self.condition(handle):
                continue
            if self.number(handle, constants.PCAN_DEVICE_ID) == (constants.PCAN_ERROR_OK, device_id):
                return handle
        return None

    def condition(self, handle: int) -> int:
        """Return whether a channel is there (bit 0) and in use (bit 1)."""
        status, value = self.number(handle, constants.PCAN_CHANNEL_CONDITION)
        return value if status == constants.PCAN_ERROR_OK else constants.PCAN_CHANNEL_UNAVAILABLE

    def version(self) -> tuple[int, tuple[int, ...] | None]:
        """Return the status and the version of the library; None if its text is not a version."""
        status, text = self.text(NONE, constants.PCAN_API_VERSION)
        numbers: list[int] = []
        for part in text.replace(",", ".").split("."):  # old ones of Windows have commas and a name
            word = part.strip()
            if not word.isdecimal():
                break
            numbers.append(int(word))
        return status, tuple(numbers) or None


def name_of(handle: int) -> str:
    """Return the name of a handle, an unknown one as a hexadecimal number."""
    for name, known in constants.PCAN_CHANNEL_NAMES.items():
        if known == handle:
            return name
    return f"{handle:#x}"


def handle_of(channel: int | str) -> int:
    """Return the handle of a name in any case, a number or its text.

    Raises:
        UsageError: ``channel`` is not one of them.
    """
    value: int | None = None
    if isinstance(channel, str):
        text = channel.strip()
        value = constants.PCAN_CHANNEL_NAMES.get(text.upper())
        if value is None:
            try:
                value = int(text, 0)
            except ValueError:
                value = None
    elif hasattr(channel, "value"):  # of ctypes, as python-can's constants are
        value = channel.value
    else:
        value = channel
    if value is None or not 0 < value <= 0xFFFF:
        raise UsageError(f"pcan: no channel {quoted(str(channel))}", hint=_CHANNELS)
    return int(value)
