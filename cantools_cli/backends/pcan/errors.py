"""The errors of a PCAN bus, and the texts of PCAN-Basic's status codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cantools_cli.backends.pcan import constants
from cantools_cli.errors import CanError, CanInitializationError, CanOperationError

if TYPE_CHECKING:
    from logging import Logger

#: text by status code, for a library that has none
TEXTS = {
    0x0: "no error",
    0x1: "the transmit buffer of the controller is full",
    0x2: "the controller was read too late, frames are lost",
    0x4: "an error counter has passed the light limit",
    0x8: "an error counter has passed the warning limit",
    0x10: "the controller is bus-off",
    0x20: "the receive queue is empty",
    0x40: "the receive queue was read too late, frames are lost",
    0x80: "the transmit queue is full",
    0x100: "no controller answers",
    0x200: "the driver is not loaded",
    0x400: "the hardware is in use",
    0x800: "a client is connected already",
    0x1400: "the hardware is not there",
    0x1800: "the net handle is invalid",
    0x1C00: "the channel handle is invalid",
    0x2000: "a resource could not be created",
    0x4000: "the parameter is unknown, or not supported here",
    0x8000: "a value of a parameter is invalid",
    0x10000: "unknown error",
    0x20000: "the frame or its data are not permitted",
    0x40000: "the controller is error-passive",
    0x80000: "the driver is in the wrong state",
    0x2000000: "done, but with irregularities",
    0x4000000: "the channel is not initialised, or already is",
    0x8000000: "the operation is not permitted in this mode",
}


class PcanError(CanError):
    """An error of a PCAN bus; ``error_code`` is the status code of PCAN-Basic."""


class PcanCanOperationError(CanOperationError, PcanError):
    """A PCAN bus failed while in use."""


class PcanCanInitializationError(CanInitializationError, PcanError):
    """A PCAN bus cannot be opened."""


def parts(status: int) -> Iterator[int]:
    """Yield the codes that ``status`` combines; the three handle errors share one field."""
    handle = status & constants.PCAN_ERROR_ILLHANDLE
    rest = status & ~constants.PCAN_ERROR_ILLHANDLE
    if handle in (constants.PCAN_ERROR_ILLHW, constants.PCAN_ERROR_ILLNET, constants.PCAN_ERROR_ILLCLIENT):
        yield handle
    else:  # HWINUSE or NETINUSE
        rest |= handle
    while rest:
        lowest = rest & -rest
        yield lowest
        rest ^= lowest


def describe(status: int, text_of: Callable[[int], str | None]) -> str:
    """Return the text for a status code in one line.

    ``text_of`` returns the text of the library, None if it has none, as for a combination of codes.
    """
    whole = text_of(status)
    if whole is None:
        codes = [*parts(status)] or [status]
        texts = [text_of(code) or TEXTS.get(code) or f"unknown status {code:#x}" for code in codes]
        whole = "; ".join(texts)
    return " ".join(whole.split())


def log() -> Logger:
    """Return the logger; most buses need none, and importing it takes time."""
    import logging

    return logging.getLogger("can")
