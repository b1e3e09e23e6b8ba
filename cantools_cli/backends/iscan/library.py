"""The library iscandrv: its functions and structures.

Source: Thorsis ``iscandrv.h``.
"""

from __future__ import annotations

from ctypes import POINTER, Structure, c_uint8, c_uint32, c_void_p

from cantools_cli.backends.transport.library import VendorLibrary

MAX_DEVICES = 16

#: bit rate -> code of ``isCAN_DeviceInitEx``; 0 leaves the card off the bus
BAUD_CODES = {
    10_000: 1,
    20_000: 2,
    50_000: 3,
    100_000: 4,
    125_000: 5,
    250_000: 6,
    500_000: 7,
    800_000: 8,
    1_000_000: 9,
}
ALL_IDENTIFIERS = 0xFFFFFFFF

CONFIGURED, NEXT = 0x40, 0x80  # of isCAN_AttachedDevices


class MessageExStruct(Structure):
    """A frame."""

    _fields_ = (
        ("message_id", c_uint32),
        ("is_extended", c_uint8),
        ("remote_req", c_uint8),
        ("data_len", c_uint8),
        ("data", c_uint8 * 8),
    )


class DeviceInfo(Structure):
    """A card; its type is 0 none, 1 USB, 2 PCI, 3 PCMCIA, 4 network."""

    _pack_ = 1
    _fields_ = (
        ("type", c_uint8),
        ("device_id", c_uint32),
        ("attached", c_uint8),
        ("in_use", c_uint8),
    )


_RESULT = c_uint8

LIBRARY = VendorLibrary(
    interface="iscan",
    title="the isCAN driver of Thorsis",
    page="www.thorsis.com",
    files={"win32": ("iscandrv", "iscandrv.dll")},
    functions={
        "isCAN_DeviceInitEx": (_RESULT, c_uint8, c_uint8),
        "isCAN_ReceiveMessageEx": (_RESULT, c_uint8, c_void_p),  # the address of a structure
        "isCAN_TransmitMessageEx": (_RESULT, c_uint8, POINTER(MessageExStruct)),
        "isCAN_CloseDevice": (_RESULT, c_uint8),
        "isCAN_SetMessageExID": (_RESULT, c_uint8, c_uint32),
        "isCAN_SetBaudRegister": (_RESULT, c_uint8, c_uint8, c_uint8),
        "isCAN_AttachedDevices": (_RESULT, c_uint8, POINTER(DeviceInfo)),
    },
    optional={"isCAN_SetMessageExID", "isCAN_SetBaudRegister", "isCAN_AttachedDevices"},
    is_stdcall=False,
)
