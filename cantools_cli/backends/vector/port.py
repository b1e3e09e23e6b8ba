"""A port of the XL Driver Library: the channels of one bus, their settings and their queues."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from ctypes import addressof, byref, c_int32, c_uint32, c_uint64, c_void_p, create_string_buffer
from typing import Any

from cantools_cli.backends.transport.library import Functions
from cantools_cli.backends.vector import codec
from cantools_cli.backends.vector.exceptions import (
    VectorError,
    VectorInitializationError,
    VectorOperationError,
)
from cantools_cli.backends.vector.filters import Acceptance
from cantools_cli.backends.vector.library import call, error_of
from cantools_cli.backends.vector.timing import REGISTER_CLOCK, FdTiming, WantedTiming
from cantools_cli.backends.vector.xlclass import XLcanFdConf, XLchipParams
from cantools_cli.backends.vector.xldefine import (
    XL_INVALID_PORTHANDLE,
    XL_BusTypes,
    XL_InterfaceVersion,
    XL_OutputMode,
    XL_Status,
)

_CAN = int(XL_BusTypes.XL_BUS_TYPE_CAN)
_EMPTY, _FULL = int(XL_Status.XL_ERR_QUEUE_IS_EMPTY), int(XL_Status.XL_ERR_QUEUE_IS_FULL)
_READ_EVENTS = 1024  #: events of one reading
_MIN_INTERVAL = 0.001  # seconds
SEND_EVENTS = 256  #: events of one call of a transmit function


class XlPort:
    """An open port.

    Attributes:
        xl: the functions of the library.
        handle: the number of the port.
        mask, permission: the channels, and those whose settings the port may change, a bit each.
    """

    def __init__(
        self,
        xl: Functions,
        app_name: str,
        mask: int,
        *,
        claims: bool,
        queue_size: int,
        is_fd: bool,
        place: str,
    ) -> None:
        """Open a port; with ``claims`` it asks for the right to change the settings.

        Raises:
            VectorInitializationError: the driver refuses it.
        """
        self.xl, self._place = xl, place
        self.mask, self.is_fd = mask, is_fd
        if is_fd and None in (xl.xlCanReceive, xl.xlCanTransmitEx, xl.xlCanFdSetConfiguration):
            code = int(XL_Status.XL_ERR_WRONG_VERSION)
            raise VectorInitializationError(code, "it has no CAN FD", "the XL Driver Library", place=place)
        handle, permission = c_int32(XL_INVALID_PORTHANDLE), c_uint64(mask if claims else 0)
        version = (
            XL_InterfaceVersion.XL_INTERFACE_VERSION_V4 if is_fd else XL_InterfaceVersion.XL_INTERFACE_VERSION
        )
        arguments = app_name.encode(), mask, byref(permission), queue_size, int(version), _CAN
        self.set_up("xlOpenPort", byref(handle), *arguments)
        self.handle, self.permission = handle.value, permission.value & mask
        self.event: int | None = None
        self._count, self._time = c_uint32(), c_uint64()
        size = codec.FD_RX_SIZE if is_fd else codec.CLASSIC_SIZE
        self._size = size
        self._events = create_string_buffer(_READ_EVENTS * size)
        self._view = memoryview(self._events).cast("B")
        first = addressof(self._events)
        self._places = range(first, first + len(self._events) - 1, size)
        self._failure: VectorError | None = None

    def set_up(self, function: str, *arguments: Any) -> None:
        call(self.xl, function, *arguments, kind=VectorInitializationError, place=self._place)

    def operate(self, function: str, *arguments: Any) -> None:
        """Call a function for this port.

        Raises:
            VectorOperationError: it failed.
        """
        call(self.xl, function, self.handle, *arguments, place=self._place)

    def close(self) -> None:
        self.operate("xlClosePort")

    # --- settings -------------------------------------------------------------------------------------

    def set_timing(self, wanted: WantedTiming) -> None:
        """Set the bit timing of the channels whose settings the port may change.

        Raises:
            VectorInitializationError: the driver refuses it.
        """
        if not self.permission:
            return
        place = self.handle, self.permission
        timing = wanted.classic
        if wanted.fd:
            self._set_fd_timing(wanted.fd)
        elif timing is not None and timing.f_clock == REGISTER_CLOCK:
            self.set_up("xlCanSetChannelParamsC200", *place, timing.btr0, timing.btr1)
        elif timing is not None:
            segments = timing.sjw, timing.tseg1, timing.tseg2, timing.nof_samples
            self.set_up("xlCanSetChannelParams", *place, byref(XLchipParams(timing.bitrate, *segments)))
        elif wanted.bitrate is not None:
            self.set_up("xlCanSetChannelBitrate", *place, wanted.bitrate)

    def _set_fd_timing(self, timings: Sequence[FdTiming]) -> None:
        for timing in timings:
            try:
                configuration = XLcanFdConf(*timing.words())
                self.set_up("xlCanFdSetConfiguration", self.handle, self.permission, byref(configuration))
                return
            except VectorError as error:
                if error.error_code != XL_Status.XL_ERR_WRONG_PARAMETER or timing is timings[-1]:
                    raise

    def set_silent(self, silent: bool) -> bool:
        """Set whether the channels acknowledge no frames; return False if the port may not change them.

        Raises:
            VectorInitializationError: the driver refuses it.
        """
        mode = XL_OutputMode.XL_OUTPUT_MODE_SILENT if silent else XL_OutputMode.XL_OUTPUT_MODE_NORMAL
        if self.permission:
            self.set_up("xlCanSetChannelOutput", self.handle, self.permission, int(mode))
        return self.permission == self.mask

    def set_receipts(self, receipts: bool) -> None:
        """Set whether the port receives its own frames.

        Raises:
            VectorInitializationError: the driver refuses it.
        """
        self.set_up("xlCanSetChannelMode", self.handle, self.mask, int(receipts), 0)

    def request_event(self) -> None:
        """Get the event object of Windows that is set while events are queued."""
        event = c_void_p()
        call(self.xl, "xlSetNotification", self.handle, byref(event), 1, place=self._place)
        self.event = event.value

    def accept(self, filters: Sequence[Acceptance]) -> None:
        """Set the acceptance filters.

        Raises:
            VectorOperationError: the driver refuses them.
        """
        for code, mask, kind in filters:
            self.operate("xlCanSetChannelAcceptance", self.mask, code, mask, int(kind))

    def activate(self) -> None:
        """Connect the channels to the bus.

        Raises:
            VectorInitializationError: the driver refuses it.
        """
        self.set_up("xlActivateChannel", self.handle, self.mask, _CAN, 0)

    def deactivate(self) -> None:
        self.operate("xlDeactivateChannel", self.mask)

    # --- clocks ---------------------------------------------------------------------------------------

    def sync_time(self) -> int | None:
        """Return the time in ns that all devices share, None if the driver does not have it."""
        return self._read_time("xlGetSyncTime", self.handle, byref(self._time))

    def channel_time(self, mask: int) -> int | None:
        """Return the time in ns of the device of a channel, None if the driver does not report it."""
        return self._read_time("xlGetChannelTime", self.handle, mask, byref(self._time))

    def _read_time(self, function: str, *arguments: Any) -> int | None:
        symbol = getattr(self.xl, function)
        if symbol is None or symbol(*arguments) != XL_Status.XL_SUCCESS:
            return None
        return int(self._time.value)

    # --- receiving ------------------------------------------------------------------------------------

    def read(self) -> bytes:
        """Return the queued events, empty if there are none.

        Raises:
            VectorOperationError: the driver reports an error; events that were read before come first.
        """
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        count = self._read_fd() if self.is_fd else self._read_classic()
        return bytes(self._view[: count * self._size])

    def _read_classic(self) -> int:
        self._count.value = _READ_EVENTS
        status = self.xl.xlReceive(self.handle, byref(self._count), self._places[0])
        if status == _EMPTY:
            return 0
        if status:
            raise error_of(self.xl, status, "xlReceive", place=self._place)
        return min(int(self._count.value), _READ_EVENTS)

    def _read_fd(self) -> int:
        receive, handle = self.xl.xlCanReceive, self.handle
        for number, place in enumerate(self._places):
            status = receive(handle, place)
            if status:
                if status != _EMPTY:
                    failure = error_of(self.xl, status, "xlCanReceive", place=self._place)
                    if not number:
                        raise failure
                    self._failure = failure
                return number
        return _READ_EVENTS

    # --- sending --------------------------------------------------------------------------------------

    def transmit(self, mask: int, events: bytes) -> int:
        """Hand events over to the driver; return how many it accepts before its queue is full.

        Raises:
            VectorOperationError: the driver refuses an event; ``sent`` of the error is 0.
        """
        copy = create_string_buffer(events, len(events))  # aligned, and the driver may write into it
        if self.is_fd:
            count, function, accepted = len(events) // codec.FD_TX_SIZE, "xlCanTransmitEx", c_uint32(0)
            status = self.xl.xlCanTransmitEx(self.handle, mask, count, byref(accepted), addressof(copy))
        else:
            count, function = len(events) // codec.CLASSIC_SIZE, "xlCanTransmit"
            accepted = c_uint32(count)
            status = self.xl.xlCanTransmit(self.handle, mask, byref(accepted), addressof(copy))
            if status == _FULL and accepted.value >= count:  # the driver left it as it was
                return 0
        if status not in (XL_Status.XL_SUCCESS, XL_Status.XL_PENDING, _FULL):
            raise error_of(self.xl, status, function, place=self._place, sent=0)
        return min(int(accepted.value), count)

    def full_error(self, sent: int) -> VectorError:
        """Return the error of a full transmit queue."""
        function = "xlCanTransmitEx" if self.is_fd else "xlCanTransmit"
        return error_of(self.xl, _FULL, function, VectorOperationError, self._place, sent=sent)


def wait_for_event(event: int | None, seconds: float, interval: float) -> None:
    """Wait for ``event``, an object of Windows, without one for ``interval``; at most ``seconds``."""
    wait = None if event is None else _windows_wait()
    if event is not None and wait is not None:
        wait(event, max(1, -int(-seconds * 1000 // 1)))
    else:
        time.sleep(min(seconds, max(interval, _MIN_INTERVAL)))


def _windows_wait() -> Callable[[int, int], int] | None:
    try:
        from _winapi import WaitForSingleObject  # type: ignore[attr-defined,unused-ignore]  # Windows
    except ImportError:
        return None
    return WaitForSingleObject  # type: ignore[no-any-return,unused-ignore]
