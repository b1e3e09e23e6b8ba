"""The errors of canx and their exit statuses.

::

    CanError                                   the documented tree
    ├── CanInterfaceNotImplementedError        no such interface, or its driver is missing
    ├── CanInitializationError                 a bus cannot be opened
    ├── CanOperationError                      sending or receiving failed
    │   └── InvalidMessageError                a message to send is not a CAN frame; a ValueError as well
    └── CanTimeoutError                        something took too long
    UsageError                                 an invalid option, name or combination
    FormatError                                malformed input: file, position, reason
    FileInUseError                             an output that another writer has open

Each has an ``exit_status`` and an optional ``hint``; the command line prints the message and the hint, never
a traceback.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

#: matches the first plural of a phrase such as ``CAN FD frames (left out)``
_PLURAL = re.compile(
    r"\b(frame|record|packet|datagram|message|parameter|identifier|client|byte|channel|buffer|answer|overflow"
    r"|transfer|overrun|value|fault|signal)s\b"
)

USAGE_STATUS = 2
FAILURE_STATUS = 3


class CanError(Exception):
    """Base class of all errors of a CAN bus.

    The text is the message, followed by `` [Error Code N]`` if there is a code.

    Attributes:
        sent: the number of frames of the batch that were sent, None if unknown.
    """

    exit_status = FAILURE_STATUS

    def __init__(
        self,
        message: str = "",
        error_code: int | None = None,
        *,
        hint: str | None = None,
        sent: int | None = None,
    ) -> None:
        self.error_code = error_code
        self.hint = hint
        self.sent = sent
        super().__init__(message if error_code is None else f"{message} [Error Code {error_code}]")


class CanInterfaceNotImplementedError(CanError, NotImplementedError):
    """The interface is unknown, not available on this platform, or lacks its driver."""

    exit_status = USAGE_STATUS


class CanInitializationError(CanError):
    """A bus cannot be opened: no such device, already in use, or a refused setting."""


class CanOperationError(CanError):
    """A bus failed while in use: closed, full, unplugged, or an invalid answer."""


class InvalidMessageError(CanOperationError, ValueError):
    """A message to send is not a CAN frame: fields contradict each other or are out of range."""

    exit_status = USAGE_STATUS


class CanTimeoutError(CanError, TimeoutError):
    """An operation exceeded its timeout."""


class UsageError(ValueError):
    """The request is invalid: the message says why, ``hint`` how to fix it."""

    exit_status = USAGE_STATUS

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(message)


class FormatError(ValueError):
    """Malformed input.

    Attributes:
        source: the file's name, ``-`` for stdin, or None.
        position: the number of the line from 1, or of another ``unit``; ``byte`` sets that of a byte, from 0.
        reason: the fault with the quoted text, always one printable line.
        afterword: a second line for the user, or None.
    """

    exit_status = USAGE_STATUS

    def __init__(
        self,
        reason: str,
        *,
        source: str | None = None,
        position: int | None = None,
        unit: str = "line",
        byte: int | None = None,
        hint: str | None = None,
    ) -> None:
        self.reason = reason = printable(reason)  # it may contain text of a file
        self.source = source
        self.position = position if byte is None else byte
        self.unit = unit if byte is None else "byte"
        self.hint = hint
        self.afterword: str | None = None
        super().__init__(reason)

    def __str__(self) -> str:
        place = self.source or ""
        if self.position is not None:
            where = str(self.position) if self.unit == "line" else f"{self.unit} {self.position}"
            place = f"{place}:{where}" if place else where
        return f"{place}: {self.reason}" if place else self.reason


class NotALogError(FormatError):
    """The file is not a log of the format. Readers raise this even if they skip malformed records."""


class FileInUseError(OSError):
    """Another writer has the output file open."""

    exit_status = USAGE_STATUS

    def __init__(self, path: str) -> None:
        super().__init__(errno.EWOULDBLOCK, "another writer has this file open", path)
        self.hint = "another -o FILE, or end the other writer first"

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


@contextmanager
def error_check(
    error_message: str | None = None, exception_type: type[CanError] = CanOperationError
) -> Iterator[None]:
    """Turn any exception of the body into ``exception_type``, chained to the original."""
    try:
        yield
    except Exception as error:
        raise exception_type(str(error) if error_message is None else error_message) from error


def reason_of(error: Exception) -> str:
    """Return the system's text for ``error`` without its number, or the message of another error."""
    return getattr(error, "strerror", None) or str(error)


def quoted(text: object, limit: int = 60) -> str:
    """Return ``text`` for a message: shortened, escaped, in double quotes."""
    text = text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else str(text)
    return '"' + printable(text if len(text) <= limit else text[: limit - 3] + "...") + '"'


def counted(count: int, noun: str, form: str = "") -> str:
    """Return ``count`` and ``noun``, a plural such as ``frames (left out)``, in the singular if count is 1.

    ``form`` formats the count, as in ``f"{count:,}"``.
    """
    if count == 1:
        noun = _PLURAL.sub(lambda match: match[1], noun, count=1)
    return f"{count:{form}} {noun}"


def printable(text: str) -> str:
    """Return ``text`` with unprintable characters, such as terminal control codes, escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
