"""A stand-in for Intrepid's module ``ics``, for computers without the package ``python-ics``.

It calls the emulated library through the functions that the module calls, and is as strict: what it lacks is
an AttributeError, wrong types are the errors of the module, and its exceptions are not those of Python. It
uses only a library that ``override_library_name`` names.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

NETID_HSCAN: Final = 1
NETID_MSCAN: Final = 2
NETID_SWCAN: Final = 3
NETID_LSFTCAN: Final = 4
NETID_HSCAN2: Final = 42
NETID_HSCAN3: Final = 44
NETID_DWCAN_09: Final = 534
SPY_STATUS_GLOBAL_ERR: Final = 0x1
SPY_STATUS_TX_MSG: Final = 0x2
SPY_STATUS_XTD_FRAME: Final = 0x4
SPY_STATUS_REMOTE_FRAME: Final = 0x8
SPY_STATUS2_ERROR_FRAME: Final = 0x20000
SPY_STATUS3_CANFD_ESI: Final = 0x1
SPY_STATUS3_CANFD_BRS: Final = 0x10
SPY_PROTOCOL_CAN: Final = 1
SPY_PROTOCOL_CANFD: Final = 30

_MAX_MESSAGES = 20_000
_library: Any = None


class RuntimeError(Exception):
    """What every failed call of the library raises."""


class ArgumentError(Exception):
    """A wrong argument."""


class _NeoDevice(ctypes.Structure):
    _fields_ = (
        ("DeviceType", ctypes.c_uint32),
        ("Handle", ctypes.c_int32),
        ("NumberOfClients", ctypes.c_int32),
        ("SerialNumber", ctypes.c_int32),
        ("MaxAllowedClients", ctypes.c_int32),
    )


class _NeoDeviceEx(ctypes.Structure):
    _fields_ = (("neoDevice", _NeoDevice), ("rest", ctypes.c_uint8 * 12), ("more", ctypes.c_uint64 * 8))


class _Message(ctypes.Structure):
    _fields_ = (
        ("StatusBitField", ctypes.c_uint32),
        ("StatusBitField2", ctypes.c_uint32),
        ("TimeHardware", ctypes.c_uint32),
        ("TimeHardware2", ctypes.c_uint32),
        ("TimeSystem", ctypes.c_uint32),
        ("TimeSystem2", ctypes.c_uint32),
        ("TimeStampHardwareID", ctypes.c_uint8),
        ("TimeStampSystemID", ctypes.c_uint8),
        ("NetworkID", ctypes.c_uint8),
        ("NodeID", ctypes.c_uint8),
        ("Protocol", ctypes.c_uint8),
        ("MessagePieceID", ctypes.c_uint8),
        ("ExtraDataPtrEnabled", ctypes.c_uint8),
        ("NumberBytesHeader", ctypes.c_uint8),
        ("NumberBytesData", ctypes.c_uint8),
        ("NetworkID2", ctypes.c_uint8),
        ("DescriptionID", ctypes.c_int16),
        ("ArbIDOrHeader", ctypes.c_uint32),
        ("Data", ctypes.c_uint8 * 8),
        ("StatusBitField3", ctypes.c_uint32),
        ("StatusBitField4", ctypes.c_uint32),
        ("ExtraDataPtr", ctypes.c_void_p),
        ("MiscData", ctypes.c_uint8),
    )


_RANGES = {
    name: (-(1 << 15), (1 << 15) - 1) if kind is ctypes.c_int16 else (0, (1 << 8 * ctypes.sizeof(kind)) - 1)
    for name, kind in _Message._fields_
    if name not in ("Data", "ExtraDataPtr")
}


class SpyMessage:
    """A message of the library, with the module's rules of assignment."""

    __slots__ = ("_extra", "_native", "noExtraDataPtrCleanup")

    def __init__(self) -> None:
        object.__setattr__(self, "_native", _Message())
        object.__setattr__(self, "_extra", None)
        object.__setattr__(self, "noExtraDataPtrCleanup", False)

    def __getattr__(self, name: str) -> Any:
        native = self._native
        if name == "Data":
            return tuple(native.Data[: min(8, native.NumberBytesData)])
        if name == "ExtraDataPtr":
            if not (native.ExtraDataPtrEnabled and native.ExtraDataPtr and native.NumberBytesData):
                return None
            return tuple(ctypes.string_at(native.ExtraDataPtr, native.NumberBytesData))
        if name in _RANGES:
            return getattr(native, name)
        raise AttributeError(f"'ics.SpyMessage' object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        native = self._native
        if name in ("Data", "ExtraDataPtr"):
            if not isinstance(value, tuple):
                raise AttributeError(f"'ics.SpyMessage' object attribute {name!r} needs to be a tuple")
            limit = 8 if name == "Data" else 255
            if len(value) > limit:
                raise ValueError(f"{name!r} accepts at most {limit} bytes (got {len(value)})")
            data = bytes(value)
            native.NumberBytesData = len(value)
            if name == "Data":
                native.Data[: len(data)] = data
                return
            object.__setattr__(self, "_extra", ctypes.create_string_buffer(data, max(len(data), 1)))
            native.ExtraDataPtr = ctypes.addressof(self._extra)
            native.ExtraDataPtrEnabled = 1
        elif name in _RANGES:
            low, high = _RANGES[name]
            if not low <= value <= high:
                raise OverflowError(f"{name} {value}")
            setattr(native, name, value)
            if name == "ExtraDataPtrEnabled" and not value:
                native.ExtraDataPtr = None
        else:
            raise AttributeError(f"'ics.SpyMessage' object has no attribute {name!r}")


class PyNeoDeviceEx:
    """A device that was found."""

    def __init__(self) -> None:
        self._device = _NeoDeviceEx()
        self._handle: Any = None
        self._name = "Unknown"
        self._auto_handle_close = True

    Name = property(lambda self: self._name)
    SerialNumber = property(lambda self: self._device.neoDevice.SerialNumber)
    DeviceType = property(lambda self: self._device.neoDevice.DeviceType)
    NumberOfClients = property(lambda self: self._device.neoDevice.NumberOfClients)

    def __del__(self) -> None:
        if self._auto_handle_close:
            close_device(self)


def _loaded(function: str) -> Any:
    if _library is None:
        raise RuntimeError(f"Error: {function}(): Critical Error: Library isn't loaded!")
    return _library


def _check(result: Any, function: str, name: str) -> None:
    if not result:
        raise RuntimeError(f"Error: {function}(): {name}() Failed")


def override_library_name(name: str) -> None:
    global _library  # noqa: PLW0603 - as the module has one library
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        _library = None
        text = f"Error: override_library_name(): Failed to open library '{name}': {error}"
        raise RuntimeError(text) from None
    pointer = ctypes.c_void_p
    for function, arguments in (
        ("icsneoFindDevices", (pointer, pointer, pointer, ctypes.c_uint32, pointer, ctypes.c_ulong)),
        ("icsneoGetDeviceName", (pointer, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)),
        (
            "icsneoOpenDevice",
            (pointer, pointer, pointer, ctypes.c_int, ctypes.c_int, pointer, ctypes.c_ulong),
        ),
        ("icsneoClosePort", (pointer, pointer)),
        ("icsneoFreeObject", (pointer,)),
        ("icsneoValidateHObject", (pointer,)),
        ("icsneoSetBitRate", (pointer, ctypes.c_int, ctypes.c_int)),
        ("icsneoSetFDBitRate", (pointer, ctypes.c_int, ctypes.c_int)),
        ("icsneoWaitForRxMessagesWithTimeOut", (pointer, ctypes.c_uint32)),
        ("icsneoGetMessages", (pointer, pointer, pointer, pointer)),
        ("icsneoGetTimeStampForMsg", (pointer, pointer, pointer)),
        ("icsneoTxMessages", (pointer, pointer, ctypes.c_int, ctypes.c_int)),
        ("icsneoGetErrorMessages", (pointer, pointer, pointer)),
        ("icsneoGetErrorInfo", (ctypes.c_int, *(pointer,) * 6)),
        ("icsneoGetLastAPIError", (pointer, pointer)),
    ):
        getattr(library, function).argtypes = arguments
    library.icsneoFreeObject.restype = None
    _library = library


def find_devices(device_types: list[int] | tuple[int, ...] | None = None, network_id: int = -1) -> Any:
    if _library is None:
        return ()  # as with the library that the package brings
    if not isinstance(device_types, list | tuple | None):
        raise RuntimeError("Error: find_devices(): was passed neither a list or tuple")
    wanted = (ctypes.c_uint32 * len(device_types or ()))(*(device_types or ()))
    found, count = (_NeoDeviceEx * 255)(), ctypes.c_int(255)
    done = _library.icsneoFindDevices(found, ctypes.byref(count), wanted, len(wanted), None, 0)
    _check(done, "find_devices", "icsneoFindDevices")
    devices = []
    for native in found[: count.value]:
        device = PyNeoDeviceEx()
        ctypes.memmove(ctypes.addressof(device._device), ctypes.addressof(native), ctypes.sizeof(native))
        name = ctypes.create_string_buffer(255)
        size = _library.icsneoGetDeviceName(ctypes.addressof(native), name, 255, 0)
        device._name = name.raw[:size].decode() if size else "icsneoGetDeviceName() Failed"
        devices.append(device)
    return tuple(devices)


def open_device(device: PyNeoDeviceEx) -> PyNeoDeviceEx:
    library, handle = _loaded("open_device"), ctypes.c_void_p()
    done = library.icsneoOpenDevice(
        ctypes.addressof(device._device), ctypes.byref(handle), None, 0, 0, None, 0
    )
    _check(done, "open_device", "icsneoOpenDevice")
    device._handle = handle
    return device


def close_device(device: PyNeoDeviceEx) -> int:
    library, errors = _loaded("close_device"), ctypes.c_int()
    if device._handle is None:
        return 0
    done = library.icsneoClosePort(device._handle, ctypes.byref(errors))
    _check(done, "close_device", "icsneoClosePort")
    library.icsneoFreeObject(device._handle)
    device._handle = None
    return errors.value


def validate_hobject(device: PyNeoDeviceEx) -> int:
    return int(_loaded("validate_hobject").icsneoValidateHObject(device._handle))


def set_bit_rate(device: PyNeoDeviceEx, bit_rate: int, network_id: int) -> None:
    done = _loaded("set_bit_rate").icsneoSetBitRate(device._handle, bit_rate, network_id)
    _check(done, "set_bit_rate", "icsneoSetBitRate")


def set_fd_bit_rate(device: PyNeoDeviceEx, bit_rate: int, network_id: int) -> None:
    done = _loaded("set_fd_bit_rate").icsneoSetFDBitRate(device._handle, bit_rate, network_id)
    _check(done, "set_fd_bit_rate", "icsneoSetFDBitRate")


def get_messages(device: PyNeoDeviceEx, j1850: bool = False, timeout: float = 0.1) -> Any:
    if not isinstance(timeout, int | float):
        raise TypeError(f"must be real number, not {type(timeout).__name__}")
    library, milliseconds = _loaded("get_messages"), int(timeout * 1000)
    if timeout and not library.icsneoWaitForRxMessagesWithTimeOut(device._handle, milliseconds):
        return (), 0
    found, count, errors = (_Message * _MAX_MESSAGES)(), ctypes.c_int(_MAX_MESSAGES), ctypes.c_int()
    done = library.icsneoGetMessages(device._handle, found, ctypes.byref(count), ctypes.byref(errors))
    _check(done, "get_messages", "icsneoGetMessages")
    messages = []
    for native in found[: count.value]:
        message = SpyMessage()
        ctypes.memmove(ctypes.addressof(message._native), ctypes.addressof(native), ctypes.sizeof(native))
        messages.append(message)
    return tuple(messages), errors.value


def transmit_messages(device: PyNeoDeviceEx, messages: SpyMessage | tuple[SpyMessage, ...]) -> None:
    library = _loaded("transmit_messages")
    for message in messages if isinstance(messages, tuple) else (messages,):
        network = message.NetworkID2 << 8 | message.NetworkID
        done = library.icsneoTxMessages(device._handle, ctypes.addressof(message._native), network, 1)
        _check(done, "transmit_messages", "icsneoTxMessages")


def get_timestamp_for_msg(device: PyNeoDeviceEx, message: SpyMessage) -> float:
    seconds = ctypes.c_double()
    done = _loaded("get_timestamp_for_msg").icsneoGetTimeStampForMsg(
        device._handle, ctypes.addressof(message._native), ctypes.byref(seconds)
    )
    _check(done, "get_timestamp_for_msg", "icsneoGetTimeStampForMsg")
    return seconds.value


def _info(number: int, function: str) -> tuple[int, str, str, int, int]:
    brief, detail = ctypes.create_string_buffer(255), ctypes.create_string_buffer(255)
    sizes = ctypes.c_int(255), ctypes.c_int(255)
    severity, restart = ctypes.c_int(), ctypes.c_int()
    places = (*map(ctypes.byref, sizes), ctypes.byref(severity), ctypes.byref(restart))
    done = _loaded(function).icsneoGetErrorInfo(number, brief, detail, *places)
    _check(done, function, "icsneoGetErrorInfo")
    return number, brief.value.decode(), detail.value.decode(), severity.value, restart.value


def get_error_messages(device: PyNeoDeviceEx) -> list[tuple[int, str, str, int, int]]:
    numbers, count = (ctypes.c_int * 600)(), ctypes.c_int(600)
    done = _loaded("get_error_messages").icsneoGetErrorMessages(device._handle, numbers, ctypes.byref(count))
    _check(done, "get_error_messages", "icsneoGetErrorMessages")
    return [_info(number, "get_error_messages") for number in numbers[: count.value]]


def get_last_api_error(device: PyNeoDeviceEx) -> tuple[int, str, str, int, int]:
    number = ctypes.c_ulong()
    done = _loaded("get_last_api_error").icsneoGetLastAPIError(device._handle, ctypes.byref(number))
    _check(done, "get_last_api_error", "icsneoGetLastAPIError")
    return _info(number.value, "get_last_api_error")


def base36enc(serial: int) -> str:
    digits = ""
    while serial:
        serial, digit = divmod(serial, 36)
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digit] + digits
    return digits or "0"
