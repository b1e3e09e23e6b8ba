"""The errors of the USB-CAN library: causes of the errors that a bus raises.

Source: the header ``usbcan32.h`` of SYS TEC electronic.
"""

from __future__ import annotations

from cantools_cli.backends.systec.constants import ReturnCode
from cantools_cli.errors import CanError

__all__ = ["UcanCmdError", "UcanError", "UcanException", "UcanWarning", "explanation", "ucan_exception"]


class UcanException(CanError):  # noqa: N818  # the name of python-can
    """A function of the library failed; ``error_code`` is its result."""


class UcanError(UcanException):
    """An error of the library."""


class UcanCmdError(UcanException):
    """An error of the firmware."""


class UcanWarning(UcanException):
    """A warning: the function was carried out."""


_EXPLANATIONS = {
    0x01: "a resource cannot be allocated",
    0x02: "too many modules are open",
    0x03: "the module is in use by another program",
    0x04: "the versions of firmware and library do not fit",
    0x05: "module not found",
    0x06: "illegal handle",
    0x07: "illegal parameter",
    0x08: "the module is busy with another call",
    0x09: "the module does not answer",
    0x0A: "no communication with the driver",
    0x0B: "the transmit buffer of the library is full",
    0x0C: "too many programs use the library",
    0x0D: "the CAN interface is not initialised",
    0x0E: "device disconnected",
    0x0F: "no such class of hardware",
    0x10: "the module has no such channel",
    0x12: "the hardware does not have this function",
    0x13: "timeout of the server",
    0x40: "the answer belongs to another command",
    0x41: "the register test failed",
    0x42: "illegal command",
    0x43: "failure of the EEPROM",
    0x47: "illegal bit rate",
    0x48: "the channel is not initialised",
    0x49: "the channel is already initialised",
    0x4A: "illegal sub-command",
    0x4B: "illegal index",
    0x4C: "a cyclic transfer is running",
    0x80: "no frame in the receive buffer",
    0x81: "overrun of the receive buffer of the driver",
    0x82: "overrun of the receive buffer of the library",
    0x85: "overrun of the transmit buffer of the firmware",
    0x86: "overrun of the receive buffer of the firmware",
    0x87: "a frame to send was lost",
    0x90: "a pointer is NULL",
    0x91: "the transmit buffer took only a part of the frames",
    0x92: "busy",
    0x93: "wrong configuration",
}


def explanation(code: int) -> str:
    """Return a result in words."""
    return _EXPLANATIONS.get(code, "unknown code")


def ucan_exception(function: str, code: int) -> UcanException:
    """Return the error of ``function`` for a result that is not SUCCESSFUL."""
    kind: type[UcanException] = UcanError
    if code >= ReturnCode.WARNING:
        kind = UcanWarning
    elif code >= ReturnCode.ERRCMD:
        kind = UcanCmdError
    return kind(f"{function}: {explanation(code)}", code)
