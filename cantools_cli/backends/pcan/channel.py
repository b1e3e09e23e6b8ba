"""A channel of PCAN-Basic: opening and closing it, and the calls that move frames."""

from __future__ import annotations

import ctypes
import sys
from itertools import repeat
from typing import Any

from cantools_cli.backends.pcan import codec, constants
from cantools_cli.backends.pcan.constants import (
    PCAN_ERROR_ANYBUSERR,
    PCAN_ERROR_BUSOFF,
    PCAN_ERROR_CAUTION,
    PCAN_ERROR_ILLDATA,
    PCAN_ERROR_ILLHANDLE,
    PCAN_ERROR_ILLHW,
    PCAN_ERROR_ILLPARAMTYPE,
    PCAN_ERROR_ILLPARAMVAL,
    PCAN_ERROR_INITIALIZE,
    PCAN_ERROR_NODRIVER,
    PCAN_ERROR_OK,
    PCAN_ERROR_OVERRUN,
    PCAN_ERROR_QOVERRUN,
    PCAN_ERROR_QRCVEMPTY,
    PCAN_ERROR_QXMTFULL,
    PCAN_ERROR_XMTFULL,
)
from cantools_cli.backends.pcan.errors import (
    PcanCanInitializationError,
    PcanCanOperationError,
    describe,
    log,
)
from cantools_cli.backends.pcan.library import PcanLibrary
from cantools_cli.backends.pcan.timing import Timing
from cantools_cli.errors import CanInitializationError, CanOperationError

MESSAGES = 512  #: read at once
_Places = tuple[list[ctypes.c_void_p], list[ctypes.c_void_p]]
FULL = PCAN_ERROR_XMTFULL | PCAN_ERROR_QXMTFULL
_OVERRUN = PCAN_ERROR_OVERRUN | PCAN_ERROR_QOVERRUN
_LEAST_VERSION = (0, 9) if sys.platform == "darwin" else (4, 2)
_ON, _OFF = constants.PCAN_PARAMETER_ON, constants.PCAN_PARAMETER_OFF
_NEVER = -2  # the row before that of the last message
_GONE = (PCAN_ERROR_NODRIVER, PCAN_ERROR_INITIALIZE)


class PcanChannel:
    """One channel; its bus excludes calls from several threads where the library needs that.

    Attributes:
        is_off: set if the controller was reported bus-off; the bus clears it.
        has_echo: whether the library returns sent frames.
        has_auto_reset: whether the library recovers from bus-off by itself.
        descriptor: ready to read while frames are queued; None if the library has none.
        event: the handle of the event on Windows, None elsewhere.
        gap: the message before which frames were lost in the library, 0 or the last one; the bus takes it.
        failure: the error that ended reading; the bus takes it.
    """

    def __init__(self, library: PcanLibrary, handle: int, name: str, timing: Timing) -> None:
        self.library = library
        self.handle = handle
        self.name = name
        self.timing = timing
        self.is_fd = timing.text is not None
        self.is_open = False
        self.is_off = False
        self.has_echo = self.has_auto_reset = False
        self.descriptor: int | None = None
        self.event: Any = None
        self.gap: int | None = None
        self.failure: CanOperationError | None = None
        self._size = codec.FD_SIZE if self.is_fd else codec.CLASSIC_SIZE
        self._overrun_row = _NEVER
        self._used = MESSAGES
        self._messages = bytearray(MESSAGES * self._size)
        self._stamps = bytearray(MESSAGES * codec.STAMP_SIZE)
        self._places: _Places | None = None
        self._c_handle = ctypes.c_uint16(handle)

    # --- opening and closing --------------------------------------------------------------------------

    def check_version(self) -> None:
        """Refuse a library that is too old for this system, or warn about it.

        Raises:
            CanInitializationError: the library has no version, or on macOS one before 0.9.
        """
        status, version = self.library.version()
        if status != PCAN_ERROR_OK:
            raise self._failure("CAN_GetValue(API_VERSION)", status)
        if version is None or version >= _LEAST_VERSION:
            return
        found, least = (".".join(map(str, numbers)) for numbers in (version, _LEAST_VERSION))
        if sys.platform == "darwin":  # its structures have another layout
            raise CanInitializationError(
                f"{self.name}: PCBUSB {found} is too old", hint=f"install version {least} or a newer one"
            )
        log().warning("%s: PCAN-Basic %s is older than %s", self.name, found, least)

    def open(self, *, listen_only: bool, echo: bool = False, auto_reset: bool = False) -> None:
        """Initialise the channel; if a step fails, undo those before it.

        Raises:
            PcanCanInitializationError: the library refuses a step.
        """
        is_shared = self.library.condition(self.handle) == constants.PCAN_CHANNEL_PCANVIEW
        status = self._set(constants.PCAN_LISTEN_ONLY, listen_only)
        if status != PCAN_ERROR_OK and listen_only:
            raise self._failure("CAN_SetValue(LISTEN_ONLY)", status)
        self._initialise()
        try:
            self._configure(echo=echo, auto_reset=auto_reset)
            self._open_event()
        except BaseException:
            self.close()
            raise
        if not is_shared:
            self.library.functions.CAN_Reset(self.handle)  # frames of an earlier use

    def _initialise(self) -> None:
        functions = self.library.functions
        if self.timing.text is None:
            function = "CAN_Initialize"
            status = functions.CAN_Initialize(self.handle, self.timing.registers, 0, 0, 0)
        else:
            function, text = "CAN_InitializeFD", self.timing.text
            if functions.CAN_InitializeFD is None:
                raise CanInitializationError(
                    f"{self.name}: this version of PCAN-Basic has no CAN FD",
                    hint="fd=false, or a newer version",
                )
            status = functions.CAN_InitializeFD(self.handle, text.encode())
            if status == PCAN_ERROR_ILLPARAMVAL:  # versions before 4.2.3 need the blank
                status = functions.CAN_InitializeFD(self.handle, text.replace(",", ", ").encode())
        if status & ~PCAN_ERROR_CAUTION:
            raise self._failure(function, status, self._hint(status))
        self.is_open = True
        if status:
            log().warning("%s: %s: opened with irregularities", self.name, function)

    def _hint(self, status: int) -> str | None:
        """Return what may be wrong if the channel cannot be opened."""
        condition = self.library.condition(self.handle)
        if status == PCAN_ERROR_INITIALIZE or condition == constants.PCAN_CHANNEL_OCCUPIED:
            return "the channel is open already, in this program or in another one"
        if status == PCAN_ERROR_NODRIVER or condition == constants.PCAN_CHANNEL_UNAVAILABLE:
            if sys.platform == "linux":
                return "an adapter that the kernel's own driver serves is a bus of interface socketcan"
            return "is the adapter plugged in? canx list -i pcan"
        if self.is_fd:
            found, features = self.library.number(self.handle, constants.PCAN_CHANNEL_FEATURES)
            if found == PCAN_ERROR_OK and not features & constants.FEATURE_FD_CAPABLE:
                return "this adapter has no CAN FD: fd=false"
        return None

    def _configure(self, *, echo: bool, auto_reset: bool) -> None:
        status = self._set(constants.PCAN_ALLOW_ERROR_FRAMES, _ON)
        if status not in (PCAN_ERROR_OK, PCAN_ERROR_ILLPARAMTYPE):  # macOS has no error frames
            raise self._failure("CAN_SetValue(ALLOW_ERROR_FRAMES)", status)
        if echo:
            status = self._set(constants.PCAN_ALLOW_ECHO_FRAMES, _ON)
            if status not in (PCAN_ERROR_OK, PCAN_ERROR_ILLPARAMTYPE):
                raise self._failure("CAN_SetValue(ALLOW_ECHO_FRAMES)", status)
            self.has_echo = status == PCAN_ERROR_OK
        if auto_reset:
            status = self._set(constants.PCAN_BUSOFF_AUTORESET, _ON)
            if status not in (PCAN_ERROR_OK, PCAN_ERROR_ILLPARAMTYPE):
                raise self._failure("CAN_SetValue(BUSOFF_AUTORESET)", status)
            self.has_auto_reset = status == PCAN_ERROR_OK
        if self.library.number(self.handle, constants.PCAN_RECEIVE_STATUS) == (PCAN_ERROR_OK, _OFF):
            status = self._set(constants.PCAN_RECEIVE_STATUS, _ON)  # another program switched it off
            if status != PCAN_ERROR_OK:
                log().warning("%s: another program has switched reception off", self.name)

    def _open_event(self) -> None:
        """Get what is ready while frames are queued; without it the bus asks every millisecond."""
        if sys.platform == "win32":
            from cantools_cli.backends.pcan.windows import Event

            event = Event()
            if self.set_event(event.handle) == PCAN_ERROR_OK:
                self.event = event
            else:
                event.close()
            return
        status, descriptor = self.library.number(self.handle, constants.PCAN_RECEIVE_EVENT)
        self.descriptor = descriptor if status == PCAN_ERROR_OK else None

    def set_event(self, handle: int) -> int:
        """Let the library set a Windows event when frames arrive, 0 for none; return the status."""
        buffer = ctypes.c_void_p(handle)
        size = ctypes.sizeof(buffer)
        parameter = constants.PCAN_RECEIVE_EVENT
        return int(self.library.functions.CAN_SetValue(self.handle, parameter, ctypes.byref(buffer), size))

    def close(self) -> None:
        """Close the channel; a device that is gone already is no error."""
        if not self.is_open:
            return
        self.is_open = False
        if self.event is not None:
            self.set_event(0)
            self.event.close()
            self.event = None
        status = self.library.functions.CAN_Uninitialize(self.handle)
        if status != PCAN_ERROR_OK:
            log().debug("%s: CAN_Uninitialize: status %#x", self.name, status)

    def _set(self, parameter: int, value: int) -> int:
        return self.library.set_number(self.handle, parameter, value)

    def _failure(self, function: str, status: int, hint: str | None = None) -> CanInitializationError:
        return PcanCanInitializationError(self._text(function, status), status, hint=hint)

    def operation_failure(self, function: str, status: int, sent: int | None = None) -> CanOperationError:
        """Return the error of a call that failed while the channel is in use."""
        hint = "the adapter was unplugged, or its driver unloaded" if is_gone(status) else None
        return PcanCanOperationError(self._text(function, status), status, hint=hint, sent=sent)

    def _text(self, function: str, status: int) -> str:
        return f"{self.name}: {function}: {describe(status, self.library.text_of)}"

    # --- frames ---------------------------------------------------------------------------------------

    def read(self) -> tuple[bytearray, bytearray]:
        """Return the queued messages and their times as ``codec`` describes them, without waiting.

        Some may be no frames. Reading ends before lost frames, and at a failure.
        """
        size = self._size
        self._messages[codec.TYPE : self._used * size : size] = bytes((codec.NOTHING,)) * self._used
        functions = self.library.functions
        read = functions.CAN_ReadFD if self.is_fd else functions.CAN_Read
        message_places, stamp_places = self._places or self._made_places()
        row = -1
        for row, status in enumerate(map(read, repeat(self._c_handle), message_places, stamp_places)):
            if status and self._ends_reading(status, row):
                break
        self._used = row + 1
        self._overrun_row = -1 if self._overrun_row == row else _NEVER
        return self._messages[: self._used * size], self._stamps[: self._used * codec.STAMP_SIZE]

    def _made_places(self) -> _Places:
        """Return the addresses for all messages, which are made once: that is half the time of a call."""
        first = ctypes.addressof((ctypes.c_char * len(self._messages)).from_buffer(self._messages))
        time = ctypes.addressof((ctypes.c_char * len(self._stamps)).from_buffer(self._stamps))
        self._places = (
            [ctypes.c_void_p(first + row * self._size) for row in range(MESSAGES)],
            [ctypes.c_void_p(time + row * codec.STAMP_SIZE) for row in range(MESSAGES)],
        )
        return self._places

    def _ends_reading(self, status: int, row: int) -> bool:
        """Note a status of reading message ``row`` other than success."""
        self.is_off = self.is_off or bool(status & PCAN_ERROR_BUSOFF)
        status &= ~PCAN_ERROR_ANYBUSERR
        if status & PCAN_ERROR_QRCVEMPTY:
            return True
        if status & _OVERRUN:
            is_new, self._overrun_row = row != self._overrun_row + 1, row  # or it only repeats
            if is_new:
                self.gap = row
            return is_new and row > 0
        if status in (PCAN_ERROR_OK, PCAN_ERROR_ILLDATA):
            return False
        function = "CAN_ReadFD" if self.is_fd else "CAN_Read"
        self.failure = self.operation_failure(function, status)
        return True

    def write(self, message: bytes) -> int:
        """Hand one message over, and return the status without the bits of the bus, unless it is bus-off."""
        functions = self.library.functions
        write = functions.CAN_WriteFD if self.is_fd else functions.CAN_Write
        status = int(write(self._c_handle, message))
        self.is_off = self.is_off or bool(status & PCAN_ERROR_BUSOFF)
        return status & ~(PCAN_ERROR_ANYBUSERR & ~PCAN_ERROR_BUSOFF)


def is_gone(status: int | None) -> bool:
    """Return whether a status means that the device or the driver is no longer there."""
    return status is not None and (status & PCAN_ERROR_ILLHANDLE >= PCAN_ERROR_ILLHW or status in _GONE)
