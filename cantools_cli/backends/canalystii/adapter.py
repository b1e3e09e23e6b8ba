"""An open CANalyst-II: commands and their replies, a thread that fetches frames, and the queue of the bus.

The device reports neither frames nor errors by itself: it is asked for the number of frames that wait. Its
buffer holds about 1000, and the oldest are lost silently.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from cantools_cli.backends.canalystii import codec
from cantools_cli.backends.transport import usb
from cantools_cli.backends.transport.device_clock import DeviceClock
from cantools_cli.backends.transport.waiting import Wakeup
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.losses import MISSED_FRAMES, Losses
from cantools_cli.errors import (
    CanInitializationError,
    CanOperationError,
    CanTimeoutError,
    FormatError,
    counted,
    reason_of,
)
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.error_frames import rx_overflow

IDS = {(0x04D8, 0x0053)}
CHANNELS = (0, 1)
#: endpoints of each channel
_COMMANDS, _REPLIES = (0x02, 0x04), (0x82, 0x84)
_FRAMES_OUT, _FRAMES_IN = (0x01, 0x03), (0x81, 0x83)

CAPACITY = 1000  #: frames in the buffer of the device, from which on some may be lost
FULL = "overflows of the adapter (frames may be lost)"
UNSENT = "frames discarded unsent"

_REPLY_MS = 500
_DATA_MS = 100
_BUSY_SECONDS, _IDLE_SECONDS = 0.005, 0.02  # between two requests
_IDLE_POLLS = 10  # without a frame until the bus counts as idle
_MAX_DISCARDED = 64  # transfers of old frames after the start
_MAX_FAULTS = 50  # replies in a row that are none
_PART = 48  #: frames of one write, and how many may wait in the device before the next
_SEND_SECONDS = 1.0  # without progress until a send without a timeout fails


class CanalystAdapter:
    """The port of a bus.

    ``room`` is the number of received frames that are kept; the oldest are dropped. ``name`` begins errors.
    """

    def __init__(
        self, device: usb.UsbDevice, channels: Sequence[int], name: str, losses: Losses, room: int
    ) -> None:
        self.name = name
        self.is_lost = False
        self._device = device
        self._channels = tuple(channels)
        self._losses = losses
        self._room = room
        self._clock = DeviceClock(codec.TICKS, codec.TICK_NS)
        self._command_lock = threading.Lock()  # for a command and its reply
        self._send_lock = threading.Lock()
        self._unconfirmed: set[int] = set()  # channels with frames that the device may not have sent
        self._faults = 0
        self._late: set[int] = set()  # channels whose reply may still come
        self._is_closing = False
        self._lock = threading.Lock()  # for what follows
        self._received: deque[MessageBatch] = deque()
        self._count = 0
        self._overflown = False
        self._failure: CanOperationError | None = None
        self._wakeup = Wakeup()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"read {name}", daemon=True)

    def fileno(self) -> int:
        return self._wakeup.fileno()

    # --- opening and closing --------------------------------------------------------------------------

    def start(self, registers: tuple[int, int]) -> None:
        """Open the device, and start its channels with bus timing registers 0 and 1.

        Raises:
            CanInitializationError: the device is in use, may not be opened, or does not answer.
        """
        try:
            self._device.open(self.name)
            self._prepare(registers)
        except BaseException:
            self._device.close()
            self._wakeup.close()
            raise
        self._thread.start()

    def _prepare(self, registers: tuple[int, int]) -> None:
        try:
            for channel in self._channels:
                self._device.drain(_REPLIES[channel], codec.PACKET)
                for packet in (codec.init(*registers), codec.command(codec.CLEAR_RX)):
                    self._write(_COMMANDS[channel], packet)
                self._write(_COMMANDS[channel], codec.command(codec.START))
                self._discard_old(channel)
        except (OSError, CanOperationError, FormatError) as error:
            text = str(error) if isinstance(error, CanOperationError) else f"{self.name}: {reason_of(error)}"
            raise CanInitializationError(text, hint="unplug the adapter and plug it in again") from error

    def _discard_old(self, channel: int) -> None:
        """Drop the frames of an earlier use, which CLEAR_RX leaves over."""
        for _ in range(_MAX_DISCARDED):
            waiting, _ = self._status(channel)
            if not waiting:
                return
            if not self._read(_FRAMES_IN[channel], codec.transfer_size(min(waiting, CAPACITY)), _DATA_MS):
                return

    def close(self) -> None:
        """Wait for unsent frames, stop the channels and release the device."""
        self._is_closing = True
        with suppress(CanOperationError, FormatError):
            for channel in [*self._unconfirmed]:
                with self._send_lock:
                    unsent = self._wait_unsent(channel, 0, _SEND_SECONDS, is_last=True)
                if unsent:
                    self._losses[UNSENT] += unsent
        self._ending.set()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join()
        with suppress(OSError, CanOperationError):
            for channel in self._channels:
                self._write(_COMMANDS[channel], codec.command(codec.STOP))
        self._device.close()
        with self._lock:
            self._failure, self.is_lost = None, True
        self._wakeup.close()

    # --- commands -------------------------------------------------------------------------------------

    def status(self, channel: int) -> tuple[int, int]:
        """Return the number of received frames that wait in the device, and of those not sent yet.

        Raises:
            CanOperationError: the device is lost or does not answer.
            FormatError: the answer is malformed.
        """
        try:
            return self._status(channel)
        except OSError as error:
            raise usb.lost(error, self.name) from error

    def can_status(self, channel: int) -> dict[str, int]:
        """Return the registers of a controller by name.

        Raises:
            CanOperationError: the device is lost, or answers something else.
        """
        try:
            return codec.parse_can_status(self._ask(channel, codec.CAN_STATUS))
        except FormatError as error:
            raise CanOperationError(f"{self.name}: {error}") from error
        except OSError as error:
            raise usb.lost(error, self.name) from error

    def _status(self, channel: int) -> tuple[int, int]:
        return codec.parse_message_status(self._ask(channel, codec.MESSAGE_STATUS))

    def _ask(self, channel: int, number: int) -> bytes:
        with self._command_lock:
            if channel in self._late:
                self._device.drain(_REPLIES[channel], codec.PACKET)
            self._late.add(channel)
            self._write(_COMMANDS[channel], codec.command(number))
            reply = self._read(_REPLIES[channel], codec.PACKET, _REPLY_MS)
            if reply is not None and reply[:4] == number.to_bytes(4, "little"):
                self._late.discard(channel)
        if reply is None:
            raise CanOperationError(f"{self.name}: the adapter does not answer")
        return reply

    def _write(self, endpoint: int, data: bytes) -> None:
        if self._device.write(endpoint, data, _REPLY_MS) != len(data):
            raise CanOperationError(f"{self.name}: the adapter does not answer")

    def _read(self, endpoint: int, size: int, timeout_ms: int) -> bytes | None:
        return self._device.read(endpoint, array("B", bytes(size)), timeout_ms)

    # --- the thread that fetches ----------------------------------------------------------------------

    def _run(self) -> None:
        quiet = 0
        while not self._ending.is_set():
            try:
                frames = sum(self._fetch(channel) for channel in self._channels)
            except OSError as error:
                self._fail(usb.lost(error, self.name))
                return
            except CanOperationError as error:
                self._fail(error)
                return
            quiet = 0 if frames else quiet + 1
            if frames < CAPACITY // 10:
                self._ending.wait(_BUSY_SECONDS if quiet < _IDLE_POLLS else _IDLE_SECONDS)

    def _fetch(self, channel: int) -> int:
        """Fetch the frames that wait in the device, and return their number."""
        try:
            waiting, _ = self._status(channel)
        except FormatError as error:
            self._losses.add_fault("malformed answers skipped", error)
            self._faults += 1
            if self._faults > _MAX_FAULTS:
                text = f"{self.name}: the adapter answers nonsense"
                raise CanOperationError(text, hint="unplug the adapter and plug it in again") from error
            return 0
        self._faults = 0
        if not waiting:
            return 0
        is_full = waiting >= CAPACITY
        data = self._read(_FRAMES_IN[channel], codec.transfer_size(min(waiting, CAPACITY)), _DATA_MS)
        now = time.monotonic_ns()
        if not data:
            reason = f"{counted(waiting, 'frames')} announced, none delivered"
            self._losses.add_fault("malformed answers skipped", FormatError(reason))
            return 0
        batch = codec.decode(data, channel, self._losses, lambda ticks: self._clock.times_ns(ticks, now))
        if is_full:  # the lost frames were the oldest
            self._losses[FULL] += 1
            batch = _marked(batch, channel)
        if len(batch):
            self._keep(batch)
        return waiting

    def _keep(self, batch: MessageBatch) -> None:
        with self._lock:
            self._received.append(batch)
            self._count += len(batch)
            excess = self._count - self._room
            if excess > 0:
                self._losses[MISSED_FRAMES] += excess
                self._overflown = True
            while self._count > self._room:
                oldest = self._received.popleft()
                dropped = min(len(oldest), self._count - self._room)
                self._count -= dropped
                if dropped < len(oldest):
                    self._received.appendleft(oldest.part(dropped, len(oldest)))
            self._wakeup.set()

    def _fail(self, error: CanOperationError) -> None:
        with self._lock:
            self._failure = self._failure or error
            self.is_lost = True
            self._wakeup.set()

    # --- the bus --------------------------------------------------------------------------------------

    def receive(self, timeout: float | None) -> MessageBatch | None:
        """Return the frames that arrived, or None after ``timeout`` seconds.

        Raises:
            CanOperationError: the device is lost, or the port closed.
        """
        deadline = Deadline(timeout)
        while True:
            with self._lock:
                if self._count:
                    return self._taken()
                self._raise_failure()
            if not self._wakeup.wait(deadline.remaining()):
                return None

    def _taken(self) -> MessageBatch:
        batch = self._received.popleft()
        if self._overflown:
            batch = _marked(batch, self._channels[0])
        while self._received:
            batch.extend(self._received.popleft())
        self._count, self._overflown = 0, False
        if self._failure is None:
            self._wakeup.clear()
        return batch

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        if self.is_lost:
            raise CanOperationError("Cannot operate on a closed bus")

    def send(
        self, batch: MessageBatch, rows: Sequence[int], channel: int, timeout: float | None, echo: bool
    ) -> None:
        """Send rows of a checked batch on one channel, and wait until the device has sent them.

        The timeout counts from the last frame that the device has sent; with 0 frames are only handed over.
        ``sent`` of an error is the number of rows sent.

        Raises:
            CanOperationError: the device is lost.
            CanTimeoutError: frames remain unsent.
        """
        seconds = _SEND_SECONDS if timeout is None else timeout
        with self._send_lock:
            for first in range(0, len(rows), _PART):
                part = rows[first : first + _PART]
                unsent = self._wait_unsent(channel, _PART, seconds)
                if unsent > _PART:
                    raise self._timed_out(unsent, first)
                data = b"".join(codec.encode(batch, part, echo))
                if not self._hand_over(channel, data, Deadline(seconds)):
                    left = counted(len(rows) - first, "frames")
                    raise CanTimeoutError(
                        f"{self.name}: the adapter takes no more frames, {left} left", sent=first
                    )
            if timeout != 0:
                unsent = self._wait_unsent(channel, 0, seconds)
                if unsent:
                    raise self._timed_out(unsent, len(rows))

    def _hand_over(self, channel: int, data: bytes, deadline: Deadline) -> bool:
        """Write buffers of frames; return whether the device accepted all in time."""
        self._unconfirmed.add(channel)
        while data:
            self._check_not_closing()
            try:
                data = data[self._device.write(_FRAMES_OUT[channel], data, _DATA_MS) :]
            except OSError as error:
                raise usb.lost(error, self.name) from error
            if data and deadline.passed:
                return False
        return True

    def _check_not_closing(self) -> None:
        if self._is_closing:
            raise CanOperationError("Cannot operate on a closed bus")

    def _wait_unsent(self, channel: int, limit: int, seconds: float, *, is_last: bool = False) -> int:
        """Wait until the device has at most ``limit`` unsent frames, and return their number.

        Their number may stay the same for ``seconds``.
        """
        deadline, least, faults = Deadline(seconds), -1, 0
        while True:
            if not is_last:
                self._check_not_closing()
            try:
                unsent = self.status(channel)[1]
            except FormatError as error:
                self._losses.add_fault("malformed answers skipped", error)
                faults += 1
                if faults > _MAX_FAULTS:
                    raise CanOperationError(f"{self.name}: the adapter answers nonsense") from error
                continue
            if not unsent:
                self._unconfirmed.discard(channel)
            if unsent <= limit:
                return unsent
            if least < 0 or unsent < least:
                least, deadline = unsent, Deadline(seconds)
            if deadline.passed:
                self._unconfirmed.discard(channel)
                return unsent
            deadline.pause()

    def _timed_out(self, unsent: int, handed: int) -> CanTimeoutError:
        frames = counted(unsent, "frames")
        return CanTimeoutError(
            f"{self.name}: the adapter has not sent {frames} in time",
            hint="does another node acknowledge them? check bit rate, wiring and termination",
            sent=max(0, handed - unsent),
        )

    def flush(self, channel: int) -> None:
        """Wait until the device has sent all frames of a channel, as long as their number falls.

        Raises:
            CanOperationError: the device is lost.
            CanTimeoutError: frames remain unsent.
        """
        with self._send_lock:
            unsent = self._wait_unsent(channel, 0, _SEND_SECONDS)
        if unsent:
            raise self._timed_out(unsent, unsent)


def _marked(batch: MessageBatch, channel: int) -> MessageBatch:
    """Return ``batch`` after an error frame that tells that frames before it are lost."""
    time_ns = batch.timestamp_ns[0] if len(batch) else time.time_ns()
    marked = MessageBatch([rx_overflow(time_ns, channel)])
    marked.extend(batch)
    return marked
