"""Sending frames of a log or of another bus to a bus that may not carry or keep up with all of them."""

from __future__ import annotations

import threading
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable
from functools import partial

from cantools_cli.bus.base import BusABC, CanProtocol, SendRows
from cantools_cli.errors import CanError, CanOperationError, CanTimeoutError
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.kernels import columns as kernel

#: frames that may wait for a slow bus
QUEUE_FRAMES = 1 << 16


class Outlet:
    """Sends frames to ``bus``, waiting up to ``timeout`` seconds for room.

    CAN FD and CAN XL frames are dropped if the bus does not carry them. If the protocol of the bus leaves
    that open for CAN FD, the first such frame is sent alone to find out.
    """

    def __init__(self, bus: BusABC, name: str, timeout: float | None = None) -> None:
        self.name = name
        self.sent = 0  #: frames accepted by the bus, including those of a batch that failed part-way
        self.losses: Counter[str] = Counter()  #: number of dropped frames by kind
        self.refusal: CanError | None = None  #: the error with which the bus refused the first CAN FD frame
        self._bus = bus
        self.timeout = timeout  #: in seconds; None waits indefinitely
        self._takes_fd: bool | None = None if bus.protocol is CanProtocol.CAN_20 else True

    @property
    def settled(self) -> int:
        """Number of frames sent or dropped so far."""
        return self.sent + sum(self.losses.values())

    def send(self, batch: MessageBatch) -> None:
        """Send all frames of ``batch`` that the bus can carry.

        Raises:
            CanOperationError: the bus failed.
            CanTimeoutError: the bus had no room within the timeout.
        """
        if batch.xl is not None and not self._bus.carries_xl:
            left = batch.without_xl()
            self.losses["CAN XL frames"] += len(batch) - len(left)
            batch = left
        if self._takes_fd is not True and kernel.count_bits(batch.flags, bits.FD):
            self._send_mixed(batch)
        elif len(batch):
            self._send(batch)

    def prepared(self, batch: MessageBatch) -> Callable[[int, int], None]:
        """Return a callable that sends rows of ``batch`` like ``send``, prepared as far as possible."""
        if batch.xl is not None or (self._takes_fd is not True and kernel.count_bits(batch.flags, bits.FD)):
            return lambda first, last: self.send(batch.part(first, last))
        return partial(self._send_rows, self._bus.prepared(batch))

    def _send(self, batch: MessageBatch) -> None:
        self._send_rows(lambda first, last, timeout: self._bus.send_batch(batch, timeout), 0, len(batch))

    def _send_rows(self, send: SendRows, first: int, last: int) -> None:
        try:
            send(first, last, self.timeout)
        except (CanOperationError, CanTimeoutError) as error:
            self.sent += error.sent or 0
            raise
        self.sent += last - first

    def _send_mixed(self, batch: MessageBatch) -> None:
        if self._takes_fd is None:
            first = next(row for row, flags in enumerate(batch.flags) if flags & bits.FD)
            if first:
                self._send(batch.part(0, first))
            try:
                self._send(batch.part(first, first + 1))
            except CanOperationError as error:
                self._takes_fd = False
                self.refusal = error
                self.losses["CAN FD frames"] += 1
            else:
                self._takes_fd = True
            self.send(batch.part(first + 1, len(batch)))
            return
        classic = [row for row, flags in enumerate(batch.flags) if not flags & bits.FD]
        self.losses["CAN FD frames"] += len(batch) - len(classic)
        if classic:
            self._send(batch.select(array("I", classic)))


class QueuedOutlet:
    """An outlet with a thread and a bounded queue, so that a slow bus does not delay the sender for long.

    ``send`` waits while the queue is full, in total for up to ``timeout`` seconds until the queue is half
    empty again. After that, frames are dropped and counted in ``outlet.losses``, as are frames for which
    the bus has no room within the timeout. After such a timeout the bus is not waited for until it accepts
    frames again.
    """

    def __init__(self, outlet: Outlet, timeout: float, queue_frames: int = QUEUE_FRAMES) -> None:
        self.outlet = outlet
        self.error: Exception | None = None  #: why the bus failed; None while it works
        self._timeout = timeout
        self._patience = timeout
        self._limit = queue_frames
        self._queue: deque[MessageBatch] = deque()
        self._frames = 0
        self._overflowed = 0
        self._is_sending = False
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name=f"to {outlet.name}", daemon=True)
        self._thread.start()

    @property
    def is_busy(self) -> bool:
        """Whether frames are queued or being sent."""
        return self._is_sending or bool(self._queue)

    def send(self, batch: MessageBatch) -> None:
        """Queue ``batch``, which must not be modified afterwards; drop frames that find no room in time."""
        with self._changed:
            if self._frames < self._limit // 2:
                self._patience = self._timeout
            first = 0
            while first < len(batch) and self.error is None:
                room = self._limit - self._frames
                if room > 0:
                    last = min(first + room, len(batch))
                    self._queue.append(batch if last - first == len(batch) else batch.part(first, last))
                    self._frames += last - first
                    first = last
                    self._changed.notify_all()
                elif not self._wait_for_room():
                    self._overflowed += len(batch) - first
                    return

    def _wait_for_room(self) -> bool:
        """Wait for the rest of the timeout; return whether there is room."""
        if self._patience <= 0:
            return False
        began = time.monotonic()
        self._changed.wait_for(lambda: self._frames < self._limit or self.error, self._patience)
        self._patience -= time.monotonic() - began
        return self._frames < self._limit or self.error is not None

    def close(self, timeout: float) -> None:
        """Send queued frames for up to ``timeout`` seconds; count the rest as dropped."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout)
        with self._changed:
            self._overflowed += self._frames  # including the batch that the bus is still sending
            self._frames = 0
            self._queue.clear()
        if self._overflowed:
            self.outlet.losses["frames, too slow"] += self._overflowed
            self._overflowed = 0

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closing)
                if not self._queue:
                    return
                batch = self._queue.popleft()
                self._is_sending = True
            before = self.outlet.settled
            try:
                self.outlet.send(batch)
                self.outlet.timeout = self._timeout
            except CanTimeoutError:
                lost = len(batch) - (self.outlet.settled - before)
                self.outlet.losses["frames, too slow"] += lost
                self.outlet.timeout = 0.0
            except Exception as error:  # reported by the main thread
                self.error = error
                return
            finally:
                with self._changed:
                    self._frames = max(0, self._frames - len(batch))
                    self._is_sending = False
                    self._changed.notify_all()
