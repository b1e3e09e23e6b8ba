"""An open interface of NI-CAN: waiting, reading and writing, without knowledge of frames."""

from __future__ import annotations

import ctypes as c
import math
from collections.abc import Sequence

from cantools_cli.backends.nican import library as ni
from cantools_cli.backends.nican.codec import READ_SIZE, WRITE_SIZE
from cantools_cli.backends.nican.errors import (
    BAD_SIZE,
    BAD_VALUE,
    NOT_SUPPORTED,
    OVERFLOWS,
    TIMEOUT,
    NicanError,
)

FRAMES = 256  #: read at once
_PADDED = 16  # bytes of a frame to send in C's own layout, which some drivers may want

Settings = Sequence[tuple[int, int]]


class NicanSession:
    """An open interface.

    NI-CAN allows one wait at a time on an interface, and ``reopen`` none: the caller has a lock for ``wait``,
    ``read`` and ``reopen``.

    Raises:
        NicanInitializationError: the interface cannot be configured or opened.

    Attributes:
        overflows: the number of reports of a full queue.
    """

    def __init__(self, driver: ni.Driver, channel: bytes, settings: Settings) -> None:
        self.overflows = 0
        self._driver = driver
        self._channel = channel
        self._handle: int | None = None
        self._write_size = WRITE_SIZE
        self._is_available = False  # as the last wait reported
        self._room = (ni.ReadFrame * FRAMES)()
        self._address = c.addressof(self._room)
        self._state, self._count = c.c_uint32(), c.c_uint32()
        self._open(settings)

    def _open(self, settings: Settings) -> None:
        try:
            self._driver.configure(self._channel, settings)
        except NicanError as error:
            if error.error_code not in (BAD_VALUE, NOT_SUPPORTED):
                raise
            # A driver without formats of times has absolute ones.
            known = [(key, value) for key, value in settings if key != ni.TIME_FORMAT]
            self._driver.configure(self._channel, known)
        self._handle = self._driver.open(self._channel)

    def reopen(self, settings: Settings) -> None:
        """Close the interface, and open it with other settings.

        Raises:
            NicanError: the interface cannot be opened again; it stays closed.
        """
        self.close()
        self._is_available = False
        self._open(settings)

    def close(self) -> None:
        """Close the interface; a second call does nothing.

        Raises:
            NicanError: the driver reports an error; the handle is invalid nevertheless.
        """
        handle, self._handle = self._handle, None
        if handle is not None:
            self._driver.call("ncCloseObject", handle)

    def wait(self, seconds: float) -> bool:
        """Return whether frames are queued, waiting up to ``seconds``.

        Raises:
            NicanError: the driver failed.
        """
        status = self._driver.call(
            *("ncWaitForState", self._handle, ni.READ_AVAILABLE, math.ceil(1000 * seconds)),
            c.byref(self._state),
            ignored=(TIMEOUT, *OVERFLOWS),
        )
        self._note(status)
        self._is_available = status != TIMEOUT
        return self._is_available

    def read(self) -> bytes:
        """Return queued frames of 22 bytes, at most ``FRAMES``, without waiting; empty if there are none.

        Raises:
            NicanError: the driver failed.
        """
        if not (self._is_available or self.wait(0)):
            return b""
        self._is_available = False
        self._count.value = 0
        if self._driver.functions.ncReadMult is None:
            return self._read_singly()
        size = FRAMES * READ_SIZE
        self._note(
            self._driver.call(
                "ncReadMult", self._handle, size, self._room, c.byref(self._count), ignored=OVERFLOWS
            )
        )
        return c.string_at(self._address, min(self._count.value, size))

    def _read_singly(self) -> bytes:
        frames = 0
        while frames < FRAMES:
            place = self._address + frames * READ_SIZE
            status = self._driver.call("ncRead", self._handle, READ_SIZE, place, ignored=OVERFLOWS)
            self._note(status)
            if status < 0:
                break
            frames += 1
            if not self.wait(0):
                break
        return c.string_at(self._address, frames * READ_SIZE)

    def _note(self, status: int) -> None:
        if status in OVERFLOWS:
            self.overflows += 1

    def write(self, frame: bytes) -> bool:
        """Queue a frame of 14 bytes for sending, and return False if there is no room.

        Raises:
            NicanError: the driver failed.
        """
        size = self._write_size
        ignored = (*OVERFLOWS, BAD_SIZE) if size == WRITE_SIZE else (*OVERFLOWS,)
        status = self._driver.call(
            "ncWrite", self._handle, size, frame.ljust(_PADDED, b"\0"), ignored=ignored
        )
        if status == BAD_SIZE:
            self._write_size = _PADDED
            return self.write(frame)
        return status not in OVERFLOWS

    def attribute(self, key: int) -> int | None:
        """Return a number, None if the driver does not have it."""
        return None if self._handle is None else self._driver.attribute(self._handle, key)

    def reset(self) -> None:
        """Reset the controller, empty the queues, and start it if it has stopped.

        Raises:
            NicanError: the driver refused it.
        """
        self._driver.call("ncAction", self._handle, ni.OP_RESET, 0)
        self._is_available = False
        state = self.attribute(ni.STATE)
        if state is None or state & ni.STOPPED:
            self._driver.call("ncAction", self._handle, ni.OP_START, 0)
