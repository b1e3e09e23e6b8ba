"""The port of one channel of an adapter: decodes its frames, and sends with up to ten frames under way.

An adapter confirms each sent frame by an echo, once another node has acknowledged the frame on the bus. The
echo has the number that came with the frame. A number is used again only after its echo, so a frame that no
node acknowledges keeps its number and its place in the adapter until the channel is restarted.
"""

from __future__ import annotations

import time
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from cantools_cli.backends.gs_usb import codec
from cantools_cli.backends.gs_usb.adapter import GsUsbAdapter
from cantools_cli.backends.transport.device_clock import DeviceClock
from cantools_cli.backends.transport.usb_port import Transfer, UsbPort
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanOperationError, CanTimeoutError, FormatError, counted
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

MALFORMED = "malformed transfers skipped"
OVERRUNS = "overruns reported by the adapter"

_SEND_SECONDS = 10.0  # for the echo of one frame, if the caller gives no timeout
_SILENCE = 1.0  # seconds without an echo and a frame from the bus, after which no other node is there
_STATES, _PASSIVE = 0x7C, 0x30  # bits of an error frame of the controller: warning, passive, active again
_LAST_SECONDS = 0.2  # for the echoes that are missing when the bus is closed
_WRITE_MS = 200  # of one attempt to write
_FROM_BUS = codec.FROM_BUS.to_bytes(4, "little")
_SPAN = 600_000_000_000  # ns of transfers whose counters are unwrapped together
_NOT_ACKNOWLEDGED = "is another node on the bus, with the same bit rate, and is the bus terminated?"


class ErrorCounters(NamedTuple):
    """What the last error frame reported."""

    is_bus_off: bool = False
    is_passive: bool = False
    rx_errors: int = 0
    tx_errors: int = 0


class PendingFrames:
    """Counts of frames that belong together: written to the adapter, and confirmed by their echoes."""

    def __init__(self) -> None:
        self.written = 0
        self.confirmed = 0
        self.is_bus_off = False

    def has_more_than(self, confirmed: int) -> bool:
        return self.confirmed > confirmed


class GsUsbPort(UsbPort):
    """The frames of one CAN channel.

    Attributes:
        adapter: to write to; set before the first frame is sent.
        has_stamps: whether the adapter stamps frames.
        is_one_shot: whether the adapter sends a frame once; without an acknowledgement there is no echo.
        keeps_echoes: whether echoes are received as sent frames.
        counters: what the last error frame reported.
    """

    adapter: GsUsbAdapter

    def __init__(self, name: str, channel: Channel, can_channel: int, losses: Losses) -> None:
        super().__init__(self._decoded, name, channel, losses)
        self.can_channel = can_channel
        self.has_stamps = False
        self.is_one_shot = False
        self.keeps_echoes = False
        self.counters = ErrorCounters()
        self.clock = DeviceClock(codec.WRAP, 1000)
        self._free = deque(range(codec.BUFFERS))
        self._under_way: dict[int, PendingFrames] = {}
        self._heard = 0  # echoes and frames from the bus

    # --- receiving ------------------------------------------------------------------------------------

    def _is_answer(self, data: bytes) -> bool:
        return data[:4] != _FROM_BUS

    def _decoded(self, transfers: Sequence[Transfer]) -> MessageBatch:
        batch = MessageBatch(channels=(self._channel,))
        first = 0
        for row, (time_ns, _) in enumerate(transfers):
            if time_ns - transfers[first][0] > _SPAN:
                self._decode_into(batch, transfers[first:row])
                first = row
        self._decode_into(batch, transfers[first:])
        return batch

    def _decode_into(self, batch: MessageBatch, transfers: Sequence[Transfer]) -> None:
        frames: list[codec.Received] = []
        arrivals: list[int] = []
        for time_ns, transfer in transfers:
            try:
                frame = codec.decode(transfer, has_stamp=self.has_stamps)
                if frame.channel != self.can_channel:
                    raise FormatError(f"a frame of channel {frame.channel}: {transfer.hex()}")
                frames.append(frame)
                arrivals.append(time_ns)
            except FormatError as error:
                self._losses.add_fault(MALFORMED, error)
        times = self._times(frames, arrivals)
        if self.counters.is_bus_off and frames:  # no frame comes from a controller that is off the bus
            self.counters = ErrorCounters()
        if all(
            frame[0] == codec.FROM_BUS and not frame[4] and not frame[1] & bits.CAN_ERR_FLAG
            for frame in frames
        ):
            _append_plain(batch, frames, times)
            self._heard += len(frames)
            return
        for frame, timestamp_ns in zip(frames, times, strict=True):
            self._add(batch, frame, timestamp_ns)

    def _add(self, batch: MessageBatch, frame: codec.Received, timestamp_ns: int) -> None:
        if frame.flags & codec.OVERFLOW:
            self._losses[OVERRUNS] += 1
            batch.append(error_frames.rx_overflow(timestamp_ns, self._channel))
        is_echo = frame.echo != codec.FROM_BUS
        if is_echo:
            self._confirm(frame.echo)
        if is_echo and self.keeps_echoes and self._is_full(len(batch)):
            self._miss()
        elif not is_echo or self.keeps_echoes:
            _append(batch, frame, timestamp_ns, is_echo)
        if frame.can_id & bits.CAN_ERR_FLAG:
            self._note_error(frame)
        else:
            self._heard += 1

    def _times(self, frames: list[codec.Received], arrivals: list[int]) -> array[int]:
        """Return the time of each frame in ns since 1970: the counter's, or that of its arrival."""
        counts = [frame.stamp for frame in frames if frame.stamp is not None]
        if counts and len(counts) == len(frames):
            return self.clock.times_ns(counts, arrivals[-1])
        to_epoch = time.time_ns() - time.monotonic_ns()
        return array("q", [arrival + to_epoch for arrival in arrivals])

    def _confirm(self, echo: int) -> None:
        sending = self._under_way.pop(echo, None)
        if sending is not None:  # else of an earlier session
            sending.confirmed += 1
            self._free.append(echo)

    def _note_error(self, frame: codec.Received) -> None:
        """Keep the state and the counters that an error frame reports, if any."""
        data = frame.data.ljust(8, b"\0")
        _, is_passive, rx_errors, tx_errors = self.counters
        is_bus_off = bool(frame.can_id & error_frames.BUS_OFF)
        if frame.can_id & error_frames.COUNTERS or data[6] or data[7]:
            tx_errors, rx_errors = data[6], data[7]
        if frame.can_id & error_frames.RESTARTED:
            is_passive, rx_errors, tx_errors = False, 0, 0
        elif frame.can_id & error_frames.CONTROLLER and data[1] & _STATES:
            is_passive = bool(data[1] & _PASSIVE)
        self.counters = ErrorCounters(is_bus_off, is_passive and not is_bus_off, rx_errors, tx_errors)
        if is_bus_off:
            for sending in self._under_way.values():
                sending.is_bus_off = True

    # --- sending --------------------------------------------------------------------------------------

    def send(self, records: Iterable[bytes], timeout: float | None) -> None:
        """Send frames, encoded without their echo numbers, and wait for the echo of each.

        ``timeout`` begins again with each echo. None means ten seconds, or one second on a bus without any
        frame, since no node is there to acknowledge. A timeout of 0 waits for room only, and for no echo.

        Raises:
            CanOperationError: the adapter refuses a frame or is lost, or the controller is off the bus.
            CanTimeoutError: frames were not acknowledged in time.
        """
        sending = PendingFrames()
        try:
            self.send_on(records, sending, timeout)
            if timeout != 0:
                self.confirm(sending, timeout)
        except (CanOperationError, CanTimeoutError) as error:
            error.sent = sending.written if timeout == 0 else sending.confirmed
            raise

    def send_on(self, records: Iterable[bytes], sending: PendingFrames, timeout: float | None) -> None:
        """Send more frames of ``sending``, waiting for room and for no echo; else as ``send``."""
        before = sending.written
        try:
            for record in records:
                self._send_one(record, sending, timeout)
                sending.written += 1
        except (CanOperationError, CanTimeoutError) as error:
            error.sent = sending.written - before
            raise

    def confirm(self, sending: PendingFrames, timeout: float | None) -> None:
        """Wait for the echoes of all frames of ``sending``, as ``send`` does."""
        while sending.confirmed < sending.written:
            self._await(partial(sending.has_more_than, sending.confirmed), sending, timeout)

    def finish(self) -> None:
        """Give the adapter time to send the frames that it has, before its channel is stopped."""
        with suppress(CanOperationError):
            self.wait_for(lambda: not self._under_way, Deadline(_LAST_SECONDS))

    def _send_one(self, record: bytes, sending: PendingFrames, timeout: float | None) -> None:
        numbers: list[int] = []

        def has_number() -> bool:
            """Take a free number; the port's lock is held."""
            if self._free:
                numbers.append(self._free.popleft())
                self._under_way[numbers[0]] = sending
            return bool(numbers)

        self._await(has_number, sending, timeout)
        transfer = numbers[0].to_bytes(4, "little") + record
        deadline = Deadline(_SEND_SECONDS if timeout is None else timeout)
        try:
            while transfer:
                with self._lock:
                    self._raise_failure()
                written = self.adapter.write(self.can_channel, transfer, self._attempt_ms(deadline))
                transfer = transfer[written:]  # the device may have taken the first packet of a frame
                if transfer and deadline.passed:
                    raise CanTimeoutError(f"{self.name}: the adapter accepts no frame in time")
        except BaseException:
            with self._lock:
                if self._under_way.pop(numbers[0], None) is not None:
                    self._free.append(numbers[0])
            raise

    def _await(self, condition: Callable[[], bool], sending: PendingFrames, timeout: float | None) -> None:
        """Wait for ``condition``, which echoes make true; the port's lock is held while it is checked."""
        deadline = Deadline(_SEND_SECONDS if timeout is None else timeout)
        while True:
            heard, left = self._heard, deadline.remaining()
            part = deadline if timeout is not None else Deadline(min(left or 0.0, _SILENCE))
            if self.wait_for(lambda: sending.is_bus_off or condition(), part):
                break
            if self.counters.is_bus_off:
                raise self._bus_off()
            if deadline.passed or self._heard == heard:
                frames = counted(len(self._under_way), "frames")
                text = f"{self.name}: {frames} not acknowledged in time"
                if self.is_one_shot:
                    self._forget(sending)
                raise CanTimeoutError(text, hint=_NOT_ACKNOWLEDGED)
        if sending.is_bus_off:
            raise self._bus_off()

    def _bus_off(self) -> CanOperationError:
        return CanOperationError(
            f"{self.name}: the controller is off the bus after too many errors", hint=_NOT_ACKNOWLEDGED
        )

    def _forget(self, sending: PendingFrames) -> None:
        """Free the numbers of frames that the adapter has given up."""
        with self._lock:
            for number in [number for number, other in self._under_way.items() if other is sending]:
                del self._under_way[number]
                self._free.append(number)

    def forget_sent(self) -> None:
        """After a restart of the channel: the adapter has discarded the frames that were under way."""
        with self._lock:
            for sending in self._under_way.values():
                sending.written -= 1
                sending.is_bus_off = False
            self._under_way.clear()
            self._free = deque(range(codec.BUFFERS))
            self.counters = ErrorCounters()

    @staticmethod
    def _attempt_ms(deadline: Deadline) -> int:
        left = deadline.remaining()
        return _WRITE_MS if left is None else max(1, min(_WRITE_MS, int(1000 * left)))


def _append_plain(batch: MessageBatch, frames: Sequence[codec.Received], times: array[int]) -> None:
    """Add classic data and remote frames from the bus, column by column."""
    end = batch.offset[-1]
    batch.timestamp_ns.extend(times)
    batch.can_id.extend([frame[1] for frame in frames])
    batch.flags += bytes(len(frames))
    batch.channel.extend(array("H", bytes(2 * len(frames))))
    batch.dlc_code += bytes([frame[2] for frame in frames])
    batch.payload += b"".join([frame[5] for frame in frames])
    batch.offset.extend([end := end + len(frame[5]) for frame in frames])


def _append(batch: MessageBatch, frame: codec.Received, timestamp_ns: int, is_echo: bool) -> None:
    can_id = frame.can_id
    if can_id & bits.CAN_ERR_FLAG:
        can_id &= bits.CAN_ERR_FLAG | bits.CAN_EFF_MASK
    flags = bits.TX if is_echo else 0
    if frame.flags & codec.FDF:
        flags |= bits.FD
        flags |= bits.BRS if frame.flags & codec.BRS else 0
        flags |= bits.ESI if frame.flags & codec.ESI else 0
    batch.timestamp_ns.append(timestamp_ns)
    batch.can_id.append(can_id)
    batch.flags.append(flags)
    batch.channel.append(0)
    batch.dlc_code.append(frame.code)
    batch.payload += frame.data
    batch.offset.append(batch.offset[-1] + len(frame.data))
