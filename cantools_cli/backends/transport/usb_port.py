"""The queue of one bus on a USB device: filled by the thread that reads, decoded by the bus's threads."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from cantools_cli.backends.transport.stream import QUEUE_FRAMES
from cantools_cli.backends.transport.waiting import MAX_WAIT, Wakeup
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.losses import MISSED_FRAMES, Losses
from cantools_cli.errors import CanOperationError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.error_frames import rx_overflow
from cantools_cli.frame.message import Channel

#: the time of arrival in ns on the monotonic clock, and the data
Transfer = tuple[int, bytes]


class UsbPort:
    """Received transfers of one bus. ``send`` of a subclass writes.

    ``decode(transfers)`` returns the frames in the transfers; calls do not overlap. A thread that waits for
    the echo of its frame by ``wait_for`` decodes as well, so frames are received while none are fetched.
    ``name`` is that of errors, ``channel`` that of the error frame which reports an overflow.
    """

    def __init__(
        self,
        decode: Callable[[Sequence[Transfer]], MessageBatch],
        name: str,
        channel: Channel = None,
        losses: Losses | None = None,
    ) -> None:
        self.name = name
        self.is_lost = False
        self._losses = Losses() if losses is None else losses
        self._decode = decode
        self._channel = channel
        self._lock = threading.Lock()  # for decoding, and for what follows
        self._received = MessageBatch()
        self._failure: CanOperationError | None = None
        self._pending: deque[Transfer] = deque()
        self._overflown = False
        self._changed = threading.Condition()
        self._changes = 0
        self._waits = 0  # threads that wait for a change
        self._wakeup = Wakeup()

    def fileno(self) -> int:
        return self._wakeup.fileno()

    # --- the thread that reads ------------------------------------------------------------------------

    def deliver(self, time_ns: int, data: bytes) -> None:
        """Queue one transfer."""
        if self._is_full() and not self._is_answer(data):
            self._miss()
            return
        self._pending.append((time_ns, data))
        self._notify()

    def overflow(self) -> None:
        """Count a frame that the transfer could not hold, and report it by an error frame."""
        self._miss()
        self._wake()
        self._notify()

    def _is_full(self, more: int = 0) -> bool:
        return len(self._pending) + len(self._received) + more >= QUEUE_FRAMES

    def _is_answer(self, data: bytes) -> bool:
        """Return whether a thread that sends waits for ``data``: it is kept even if the queue is full."""
        return False

    def _miss(self) -> None:
        self._losses[MISSED_FRAMES] += 1
        self._overflown = True

    def fail(self, error: CanOperationError) -> None:
        """Make ``receive`` and ``send`` raise ``error`` after the frames received so far."""
        self._failure, self.is_lost = error, True
        self._wake()
        self._notify()

    def _notify(self) -> None:
        if self._waits:  # a thread counts itself before it looks for a change the last time
            self._wake()
        if not self._wakeup.is_set:
            self._wakeup.set()

    def _wake(self) -> None:
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    # --- the threads of the bus -----------------------------------------------------------------------

    def receive(self, timeout: float | None) -> MessageBatch | None:
        """Return the frames that arrived, or None after ``timeout`` seconds.

        Raises:
            CanOperationError: the device is lost, or the port closed.
        """
        self.wait_for(lambda: len(self._received) > 0 or self._overflown, Deadline(timeout))
        with self._lock:
            batch, self._received = self._received, MessageBatch()
            if self._overflown:
                self._overflown = False
                batch.append(rx_overflow(time.time_ns(), self._channel))
            self._settle()
        return batch if len(batch) else None

    def wait_for(self, condition: Callable[[], bool], deadline: Deadline) -> bool:
        """Decode until ``condition`` holds; return False if it does not in time.

        Raises:
            CanOperationError: as ``receive``.
        """
        while True:
            with self._lock:
                seen = self._changes
                self._decode_pending()
                if condition():
                    return True
                self._raise_failure()
            if not self._wait_for_change(seen, deadline):
                return False

    def _wait_for_change(self, seen: int, deadline: Deadline) -> bool:
        """Wait for a transfer, or until ``_changes`` is not ``seen``; return False after ``deadline``."""
        with self._changed:
            self._waits += 1
            try:
                if self._changes == seen and not self._pending:
                    self._changed.wait(_bounded(deadline.remaining()))
                return self._changes != seen or bool(self._pending) or not deadline.passed
            finally:
                self._waits -= 1

    def _decode_pending(self) -> None:
        """Decode the queued transfers; the lock is held."""
        if not self._pending:
            self._settle()
            return
        transfers = [self._pending.popleft() for _ in range(len(self._pending))]
        batch = self._decode(transfers)
        if len(self._received):
            self._received.extend(batch)
        else:
            self._received = batch
        self._settle()
        self._wake()  # another thread may wait for an echo among them

    def _settle(self) -> None:
        """Make the descriptor ready if there is something to fetch; the lock is held."""
        self._wakeup.clear()
        if len(self._received) or self._pending or self._overflown or self._failure is not None:
            self._wakeup.set()

    def _raise_failure(self) -> None:
        if self._failure is not None:  # each thread learns of it
            raise CanOperationError(str(self._failure))
        if self.is_lost:
            raise CanOperationError("Cannot operate on a closed bus")

    def send(self, records: Iterable[bytes], timeout: float | None) -> None:
        """Write ``records``; see ``Port.send``."""
        raise NotImplementedError

    def close(self) -> None:
        """End the port; threads that wait for it raise CanOperationError. The device stays open."""
        self._failure, self.is_lost = None, True
        self._wake()
        self._wakeup.close()


def _bounded(seconds: float | None) -> float | None:
    return None if seconds is None else min(seconds, MAX_WAIT)
