"""Reads the frames and the status of a channel."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Sequence
from contextlib import suppress
from ctypes import byref, c_uint8, c_uint32

from cantools_cli.backends.systec import codec
from cantools_cli.backends.systec.constants import CanStatus, ReturnCode
from cantools_cli.backends.systec.module import ChannelEvents
from cantools_cli.backends.systec.structures import CanMsg, Status
from cantools_cli.backends.transport.device_clock import DeviceClock
from cantools_cli.backends.transport.library import Functions
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanOperationError
from cantools_cli.frame import error_frames
from cantools_cli.frame.batch import MessageBatch

PART = 64  #: frames of one call of the library
UNSENT = "sent frames deleted by the module after the transmit timeout"
OVERRUNS = "overruns reported by the module"

_MAX_PARTS = 64
_STALE_NS = 1_000_000_000  # without reading, after which frames may be old
_OVERRUNS = {
    ReturnCode.WARN_SYS_RXOVERRUN: "overruns of the receive buffer of the driver (frames lost)",
    ReturnCode.WARN_DLL_RXOVERRUN: "overruns of the receive buffer of the library (frames lost)",
    ReturnCode.WARN_FW_RXOVERRUN: "overruns of the receive buffer of the module (frames lost)",
}
_OVERRUN_STATUS = CanStatus.CANERR_OVERRUN | CanStatus.CANERR_QOVERRUN


class ChannelReader:
    """What a channel has received; ``call`` calls a function for the channel. One thread drains.

    ``is_fine`` says that the timer of high resolution counts.
    """

    def __init__(
        self,
        call: Callable[..., int],
        functions: Functions,
        events: ChannelEvents,
        channel: int,
        losses: Losses,
        *,
        is_fine: bool,
    ) -> None:
        self._call = call
        self._events = events
        self._channel = channel
        self._losses = losses
        self._messages, self._count = (CanMsg * PART)(), c_uint32()
        self._failed: CanOperationError | None = None  # a failure that came with frames
        self._status = 0  # the last one that was reported
        self._clock = DeviceClock(codec.TICKS, codec.FINE_TICK_NS if is_fine else codec.TICK_NS)
        self._has_time = functions.UcanGetModuleTime is not None and not is_fine
        self._has_error_counters = functions.UcanGetCanErrorCounter is not None
        self._read_at_ns = 0

    def anchor(self) -> None:
        """Set the clock by the time of the module, if the library knows it."""
        if self._has_time:
            before = time.monotonic_ns()
            count = self._module_time()
            self._clock.anchor(count, (before + time.monotonic_ns()) // 2)

    def drain(self) -> MessageBatch:
        """Return the queued frames, and error frames for overruns and for a change of the status.

        Raises:
            CanOperationError: the library failed; frames are returned first, and the error by the next call.
        """
        if self._failed is None:
            self._events.arrived.clear()  # before reading, or an event would be lost
            batch = self._frames()
            if self._events.status_changed and self._failed is None:
                self._events.status_changed = False
                self._report_status(batch)
            if len(batch) or self._failed is None:
                return batch
        error, self._failed = self._failed, None
        raise error

    def _frames(self) -> MessageBatch:
        data, overruns = self._read()
        batch = codec.decode(data, self._channel, self._losses, self._times_ns)
        for kind in overruns:
            self._losses[kind] += 1
            now = batch.timestamp_ns[-1] if len(batch) else time.time_ns()
            batch.append(error_frames.rx_overflow(now, self._channel))
        return batch

    def _read(self) -> tuple[bytes, list[str]]:
        """Return the queued frames as bytes, and the kinds of overruns; a failure is kept for later."""
        parts, overruns = [], []
        for _ in range(_MAX_PARTS):
            self._count.value = PART
            channel = c_uint8(self._channel)
            try:
                code = self._call("UcanReadCanMsgEx", byref(channel), self._messages, byref(self._count))
            except CanOperationError as error:
                self._failed = error
                break
            if code == ReturnCode.WARN_NODATA:
                break
            count = self._count.value
            parts.append(memoryview(self._messages).cast("B")[: count * codec.SIZE].tobytes())
            if code in _OVERRUNS:
                overruns.append(_OVERRUNS[ReturnCode(code)])
            elif code == ReturnCode.WARN_FW_TXMSGLOST:
                self._losses[UNSENT] += 1
            if count < PART:
                break
        return b"".join(parts), overruns

    def _times_ns(self, counts: Sequence[int]) -> array[int]:
        """Return the times of frames; after a pause the time of the module tells how old they are."""
        now = time.monotonic_ns()
        is_stale, self._read_at_ns = now - self._read_at_ns > _STALE_NS, now
        if is_stale and counts and self._has_time:
            with suppress(CanOperationError):  # the next call reports it
                counter = self._module_time()
                return self._clock.times_ns(counts, time.monotonic_ns(), counter=counter)
        return self._clock.times_ns(counts, now)

    def _module_time(self) -> int:
        count = c_uint32()
        self._call("UcanGetModuleTime", byref(count))
        return count.value

    def _report_status(self, batch: MessageBatch) -> None:
        """Add the error frame of a change of the status."""
        try:
            status = self.can_status() & codec.REPORTED
            rx_errors, tx_errors = self.error_counters() if self._has_error_counters else (0, 0)
        except CanOperationError as error:
            self._failed = error
            return
        new, before = status & ~self._status, self._status
        self._status = status
        if new & _OVERRUN_STATUS:
            self._losses[OVERRUNS] += 1
        if new & CanStatus.CANERR_TXMSGLOST:
            self._losses[UNSENT] += 1
        frame = codec.error_frame(status, before, tx_errors, rx_errors)
        if frame is not None:
            message = error_frames.message(*frame)
            message.channel, message.timestamp_ns = self._channel, time.time_ns()
            batch.append(message)

    def can_status(self) -> int:
        """Return the bits of ``CanStatus``."""
        status = Status()
        self._call("UcanGetStatusEx", self._channel, byref(status))
        return int(status.m_wCanStatus)

    def error_counters(self) -> tuple[int, int]:
        """Return the error counters of the controller, (received, sent)."""
        tx_errors, rx_errors = c_uint32(), c_uint32()
        self._call("UcanGetCanErrorCounter", self._channel, byref(tx_errors), byref(rx_errors))
        return rx_errors.value, tx_errors.value
