"""PCAN-Basic as PEAK's own Python module offers it: types, structures, constants and ``PCANBasic``.

Programs import these names from ``can.interfaces.pcan.basic``; the bus of canx does not need them.

Source: PEAK-System, "PCAN-Basic API" 4.
"""
# ruff: noqa: N802, N803 - the names of PEAK's methods and arguments

from __future__ import annotations

import ctypes
import os
from ctypes import (
    Structure,
    c_char,
    c_char_p,
    c_ubyte,
    c_uint8,
    c_uint16,
    c_uint32,
    c_uint64,
    c_ushort,
)
from typing import Any

from cantools_cli.backends.pcan import constants
from cantools_cli.backends.pcan.constants import *  # noqa: F403  # the names of the documented module
from cantools_cli.backends.pcan.library import LIBRARY, TEXT_SIZE

TPCANHandle = c_ushort
TPCANStatus = int
TPCANParameter = c_ubyte
TPCANDevice = c_ubyte
TPCANMessageType = c_ubyte
TPCANType = c_ubyte
TPCANMode = c_ubyte
TPCANBaudrate = c_ushort
TPCANBitrateFD = c_char_p
TPCANTimestampFD = c_uint64

_TEXTS = {
    constants.PCAN_API_VERSION,
    constants.PCAN_HARDWARE_NAME,
    constants.PCAN_CHANNEL_VERSION,
    constants.PCAN_LOG_LOCATION,
    constants.PCAN_LOG_TEXT,
    constants.PCAN_TRACE_LOCATION,
    constants.PCAN_BITRATE_INFO_FD,
    constants.PCAN_IP_ADDRESS,
    constants.PCAN_FIRMWARE_VERSION,
    constants.PCAN_DEVICE_PART_NUMBER,
}
_WIDE = {
    constants.PCAN_ACCEPTANCE_FILTER_11BIT,
    constants.PCAN_ACCEPTANCE_FILTER_29BIT,
    constants.PCAN_BUSSPEED_NOMINAL,
    constants.PCAN_BUSSPEED_DATA,
}


class TPCANMsg(Structure):
    """A classic frame; ``LEN`` is 0 to 8."""

    _fields_ = (("ID", c_uint32), ("MSGTYPE", c_uint8), ("LEN", c_uint8), ("DATA", c_uint8 * 8))


class TPCANTimestamp(Structure):
    """A time: ``micros + 1000 * millis + 1000 * 2**32 * millis_overflow`` microseconds."""

    _fields_ = (("millis", c_uint32), ("millis_overflow", c_uint16), ("micros", c_uint16))


class TPCANMsgFD(Structure):
    """A frame of a CAN FD channel; ``DLC`` is the code from 0 to 15."""

    _fields_ = (("ID", c_uint32), ("MSGTYPE", c_uint8), ("DLC", c_uint8), ("DATA", c_uint8 * 64))


class TPCANChannelInformation(Structure):
    """A channel that is plugged in."""

    _fields_ = (
        ("channel_handle", c_uint16),
        ("device_type", c_uint8),
        ("controller_number", c_uint8),
        ("device_features", c_uint32),
        ("device_name", c_char * constants.MAX_LENGTH_HARDWARE_NAME),
        ("device_id", c_uint32),
        ("channel_condition", c_uint32),
    )


def _int(value: Any) -> int:
    """Return the number of an integer or of an instance of ctypes."""
    return int(getattr(value, "value", value))


def _bytes(value: Any) -> bytes:
    return bytes(getattr(value, "value", value))


class PCANBasic:
    """The functions of the library; each returns the status, alone or in front of the result.

    Raises:
        CanInterfaceNotImplementedError: the library is missing.
    """

    def __init__(self, library: str | os.PathLike[str] | None = None) -> None:
        self._functions = LIBRARY.load(library)

    def Initialize(
        self, Channel: Any, Btr0Btr1: Any, HwType: Any = 0, IOPort: Any = 0, Interrupt: Any = 0
    ) -> int:
        """Open a channel with the registers of an SJA1000 at 8 MHz."""
        more = map(_int, (HwType, IOPort, Interrupt))
        return int(self._functions.CAN_Initialize(_int(Channel), _int(Btr0Btr1), *more))

    def InitializeFD(self, Channel: Any, BitrateFD: Any) -> int:
        """Open a channel with CAN FD and the bit timing of a text."""
        return int(self._functions.CAN_InitializeFD(_int(Channel), _bytes(BitrateFD)))

    def Uninitialize(self, Channel: Any) -> int:
        """Close a channel, ``PCAN_NONEBUS`` for all of the process."""
        return int(self._functions.CAN_Uninitialize(_int(Channel)))

    def Reset(self, Channel: Any) -> int:
        """Clear the queues of a channel."""
        return int(self._functions.CAN_Reset(_int(Channel)))

    def GetStatus(self, Channel: Any) -> int:
        """Return the status of a channel."""
        return int(self._functions.CAN_GetStatus(_int(Channel)))

    def Read(self, Channel: Any) -> tuple[int, TPCANMsg, TPCANTimestamp]:
        """Return the oldest received message and its time."""
        message, time = TPCANMsg(), TPCANTimestamp()
        status = self._functions.CAN_Read(_int(Channel), ctypes.byref(message), ctypes.byref(time))
        return int(status), message, time

    def ReadFD(self, Channel: Any) -> tuple[int, TPCANMsgFD, TPCANTimestampFD]:
        """Return the oldest message that a channel with CAN FD received, and its time in microseconds."""
        message, time = TPCANMsgFD(), TPCANTimestampFD()
        status = self._functions.CAN_ReadFD(_int(Channel), ctypes.byref(message), ctypes.byref(time))
        return int(status), message, time

    def Write(self, Channel: Any, MessageBuffer: TPCANMsg) -> int:
        """Send a message."""
        return int(self._functions.CAN_Write(_int(Channel), ctypes.byref(MessageBuffer)))

    def WriteFD(self, Channel: Any, MessageBuffer: TPCANMsgFD) -> int:
        """Send a message on a channel with CAN FD."""
        return int(self._functions.CAN_WriteFD(_int(Channel), ctypes.byref(MessageBuffer)))

    def FilterMessages(self, Channel: Any, FromID: Any, ToID: Any, Mode: Any) -> int:
        """Let identifiers from one to another pass, in addition to those that pass already."""
        return int(self._functions.CAN_FilterMessages(_int(Channel), _int(FromID), _int(ToID), _int(Mode)))

    def GetValue(self, Channel: Any, Parameter: Any) -> tuple[int, Any]:
        """Return the value of a parameter: a number, bytes, or an array of channels."""
        handle, parameter = _int(Channel), _int(Parameter)
        if parameter == constants.PCAN_ATTACHED_CHANNELS:
            status, count = self.GetValue(handle, constants.PCAN_ATTACHED_CHANNELS_COUNT)
            if status != constants.PCAN_ERROR_OK:
                return status, ()
            found = (TPCANChannelInformation * count)()
            return self._get(handle, parameter, found), found
        buffer: Any = c_uint64() if parameter in _WIDE else c_uint32()
        if parameter in _TEXTS:
            buffer = ctypes.create_string_buffer(TEXT_SIZE)
        status = self._get(handle, parameter, buffer)
        return status, buffer.value

    def _get(self, handle: int, parameter: int, buffer: Any) -> int:
        size = ctypes.sizeof(buffer)
        return int(self._functions.CAN_GetValue(handle, parameter, ctypes.byref(buffer), size))

    def SetValue(self, Channel: Any, Parameter: Any, Buffer: Any) -> int:
        """Set a parameter to a number or to bytes."""
        parameter = _int(Parameter)
        if parameter in _TEXTS:
            buffer: Any = ctypes.create_string_buffer(_bytes(Buffer), TEXT_SIZE)
        elif parameter == constants.PCAN_RECEIVE_EVENT:
            buffer = ctypes.c_void_p(_int(Buffer))
        else:
            buffer = (c_uint64 if parameter in _WIDE else c_uint32)(_int(Buffer))
        size = ctypes.sizeof(buffer)
        return int(self._functions.CAN_SetValue(_int(Channel), parameter, ctypes.byref(buffer), size))

    def GetErrorText(self, Error: Any, Language: Any = 0) -> tuple[int, bytes]:
        """Return the text for a status code, by default in the language of the system."""
        buffer = ctypes.create_string_buffer(TEXT_SIZE)
        status = self._functions.CAN_GetErrorText(_int(Error), _int(Language), buffer)
        return int(status), buffer.value

    def LookUpChannel(self, Parameters: Any) -> tuple[int, TPCANHandle]:
        """Return the first channel with all properties, such as ``b"deviceid=7,controllernumber=0"``."""
        found = TPCANHandle(0)
        status = self._functions.CAN_LookUpChannel(_bytes(Parameters), ctypes.byref(found))
        return int(status), found
