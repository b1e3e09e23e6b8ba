"""A CAN bus, whatever carries it: what every interface has in common.

An interface subclasses ``BusABC`` in one of two ways. Ours implement ``_receive``, ``_send`` and ``_close``,
which move batches. A class written for python-can's documentation implements ``send`` and
``_recv_internal``, which move one message, and works as it is.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from _thread import allocate_lock
from abc import ABC
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from cantools_cli.bus.losses import Losses
from cantools_cli.bus.received_log import log_received
from cantools_cli.errors import CanOperationError, CanTimeoutError, FormatError
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch, sendable
from cantools_cli.frame.message import Message
from cantools_cli.periodic.sending import PeriodicSending

if TYPE_CHECKING:
    from typing_extensions import Self

    from cantools_cli.bus.readiness import Readiness
    from cantools_cli.filtering.filters import FrameFilter


class BusState(Enum):
    """The state of a controller."""

    ACTIVE = 1
    PASSIVE = 2
    ERROR = 3


class CanProtocol(Enum):
    """What a bus carries."""

    CAN_20 = 1
    CAN_FD = 2
    CAN_FD_NON_ISO = 3
    CAN_XL = 4


#: sends the rows of a batch from one to before another, waiting up to a timeout for room
SendRows = Callable[[int, int, "float | None"], None]

_FIRST_PAUSE, _MAX_PAUSE = 0.0001, 0.01  # seconds
_BACKLOG = 0.01  # seconds that frames queued at the end of a timeout are looked at, if none passes


_open_buses: WeakValueDictionary[int, BusABC] = WeakValueDictionary()  # by id(): a plug-in may have no hash
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open_buses.clear)  # they are the parent's to close


@atexit.register
def _close_forgotten_buses() -> None:
    """Shut down the buses that the program leaves open, as long as modules and threads are there."""
    for bus in list(_open_buses.values()):
        bus.__del__()


class Deadline:
    """The end of a timeout, by the monotonic clock; a timeout of None never ends."""

    def __init__(self, timeout: float | None) -> None:
        self._end = None if timeout is None else time.monotonic() + timeout
        self._pause = _FIRST_PAUSE

    def remaining(self) -> float | None:
        """Return the seconds left, at least 0; None where there is no end."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end

    def pause(self) -> None:
        """Sleep a moment, a longer one each time: behind a wait that ended at once, as the next one may."""
        remaining = self.remaining()
        time.sleep(self._pause if remaining is None else min(self._pause, remaining))
        self._pause = min(2 * self._pause, _MAX_PAUSE)


class BusABC(PeriodicSending, ABC):  # abstract by what its hooks raise: either pair of them will do
    """A bus that frames are sent to and received from.

    A context manager, and an endless iterator over the messages received.

    Attributes:
        channel_info: what the bus is, for people.
        is_shutdown: whether ``shutdown`` was called.
        carries_xl: whether it takes CAN XL frames.
    """

    RECV_LOGGING_LEVEL = 9  #: of the records of received messages

    channel_info = "unknown"
    is_shutdown = False
    carries_xl = False
    _can_protocol = CanProtocol.CAN_20
    _filters: CanFilters | None = None
    _frame_filter: FrameFilter | None = None
    _waiting: MessageBatch | None = None  # received, filtered, and not yet taken by recv()
    _taken = 0
    _readiness: Readiness | None = None  # once somebody asked for fileno()
    _losses: Losses | None = None

    _is_finalizing = staticmethod(sys.is_finalizing)  # here, since the module's names go first

    def __init__(self, channel: Any, can_filters: CanFilters | None = None, **kwargs: object) -> None:
        _open_buses[id(self)] = self
        self._periodic_tasks = []
        self._lock_send_periodic = allocate_lock()
        self.set_filters(can_filters)

    # --- what an interface implements -----------------------------------------------------------------

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        """Return what is waiting, at least one frame, or None after ``timeout`` seconds.

        None waits for ever, 0 polls. Filters need not be applied here: the exact ones run behind.
        """
        kind = type(self)
        if kind.recv is not BusABC.recv and kind._recv_internal is BusABC._recv_internal:
            message = self.recv(timeout)  # some plug-ins override this in place of what is documented
        else:
            message, _ = self._recv_internal(timeout)
        return None if message is None else MessageBatch([message])

    def _recv_internal(self, timeout: float | None) -> tuple[Message | None, bool]:
        """Return a message, or None after ``timeout``, and whether it passed the filters already."""
        raise NotImplementedError(f"{type(self).__name__} cannot receive")

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        """Send all frames of ``batch`` in order, waiting up to ``timeout`` seconds for room.

        Raises:
            CanOperationError: the bus does not take them.
            CanTimeoutError: there was no room in time.
        """
        if type(self).send is BusABC.send:
            raise NotImplementedError(f"{type(self).__name__} cannot send")
        for row, message in enumerate(batch):
            try:
                self.send(message, timeout)
            except (CanOperationError, CanTimeoutError) as error:
                error.sent = row
                raise

    def _apply_filters(self, filters: CanFilters | None) -> None:
        """Set filters in the kernel or the hardware, where there are any: they may pass more."""

    def _fileno(self) -> int:
        """Return a descriptor that is ready to read when ``_receive`` has something."""
        raise NotImplementedError("fileno is not implemented using current CAN bus")

    def _close(self) -> None:
        """Release what the bus holds."""

    @staticmethod
    def _detect_available_configs() -> Sequence[dict[str, Any]]:
        """Return the configurations that could be opened now, each the keywords for ``Bus``."""
        raise NotImplementedError

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        """The nominal and the data bit rate in bit/s, each None if the interface does not report it."""
        return None, None

    @staticmethod
    def _obstacle() -> str | None:
        """Return why no bus of this interface can be opened on this computer; None if one may be."""
        return None

    # --- receiving ------------------------------------------------------------------------------------

    def recv(self, timeout: float | None = None) -> Message | None:
        """Return the next message that passes the filters, or None after ``timeout`` seconds.

        None waits for ever, 0 polls.

        Raises:
            CanOperationError: the bus is closed, or failed.
        """
        self._check_open()
        waiting = self._waiting
        if waiting is None:
            if type(self)._receive is BusABC._receive:
                return self._recv_documented(timeout)
            waiting, self._taken = self.recv_batch(timeout), 0
            if waiting is None:
                return None
        message = waiting[self._taken]
        self._taken += 1
        self._keep_waiting(waiting if self._taken < len(waiting) else None)
        return message

    def _recv_documented(self, timeout: float | None) -> Message | None:
        """Receive through ``_recv_internal``, and hand on the very object that it returns."""
        deadline = Deadline(timeout)
        while True:
            message, is_filtered = self._recv_internal(deadline.remaining())
            if message is not None and (is_filtered or self._matches_filters(message)):
                log_received(self.RECV_LOGGING_LEVEL, (message,))
                return message
            if deadline.passed:
                return None
            if message is None:  # some plug-ins take no notice of the timeout
                deadline.pause()

    def recv_batch(self, timeout: float | None = None) -> MessageBatch | None:
        """Return all frames that are waiting, at least one, or None after ``timeout`` seconds.

        Raises:
            CanOperationError: the bus is closed, or failed.
        """
        self._check_open()
        if self._waiting is not None:
            rest = self._waiting.part(self._taken, len(self._waiting))
            self._keep_waiting(None)
            return rest
        deadline, backlog = Deadline(timeout), None
        while True:
            batch = self._receive(deadline.remaining())
            if batch is None:
                if deadline.passed:
                    return None
                deadline.pause()
                continue
            if self._frame_filter is not None:
                batch = self._frame_filter.select(batch)
            if len(batch):
                log_received(self.RECV_LOGGING_LEVEL, batch)
                return batch
            if deadline.passed:  # queued frames are looked at all the same, but a busy bus always has some
                backlog = backlog or Deadline(_BACKLOG)
                if backlog.passed:
                    return None

    def _keep_waiting(self, rest: MessageBatch | None) -> None:
        self._waiting = rest
        if self._readiness is not None:
            self._readiness.fetched = rest is not None

    def batches(self) -> Iterator[MessageBatch]:
        """Yield what is received, as it comes: a quiet bus gives batches of one."""
        while True:
            batch = self.recv_batch()
            if batch is not None:
                yield batch

    def __iter__(self) -> Iterator[Message]:
        while True:
            message = self.recv(timeout=1.0)
            if message is not None:
                yield message

    # --- sending --------------------------------------------------------------------------------------

    def send(self, msg: Message, timeout: float | None = None) -> None:
        """Send one message, waiting up to ``timeout`` seconds for room.

        Raises:
            CanOperationError: the bus is closed, or does not take it.
            CanTimeoutError: there was no room in time.
            InvalidMessageError: ``msg`` is not a CAN frame; it is a ValueError as well.
        """
        self.send_batch(sendable([msg]), timeout)

    def send_batch(self, batch: MessageBatch, timeout: float | None = None) -> None:
        """Send all frames of ``batch`` in order; otherwise as ``send``."""
        self._check_open()
        self._check_carried(batch.xl is not None)
        self._send(batch, timeout)

    def prepared(self, batch: MessageBatch) -> SendRows:
        """Return what sends rows of ``batch``, as ``send_batch`` does, with as little left to do as can be.

        This is for who has to send at an exact time; nobody changes ``batch`` any more.
        """
        return partial(self._send_rows, batch)

    def _send_rows(self, batch: MessageBatch, first: int, last: int, timeout: float | None) -> None:
        self.send_batch(batch if last - first == len(batch) else batch.part(first, last), timeout)

    def _check_carried(self, has_xl: bool) -> None:
        if has_xl and not self.carries_xl:
            raise CanOperationError(
                "a CAN XL frame, which this bus does not carry",
                hint="virtual buses do, and those of socketcan that are opened with xl=true",
                sent=0,
            )

    def flush_tx_buffer(self) -> None:
        """Discard what is queued for sending.

        Raises:
            NotImplementedError: the interface has no such queue.
        """
        raise NotImplementedError(f"{type(self).__name__} has no queue to discard")

    # --- filters --------------------------------------------------------------------------------------

    @property
    def filters(self) -> CanFilters | None:
        return self._filters

    @filters.setter
    def filters(self, filters: CanFilters | None) -> None:
        self.set_filters(filters)

    def set_filters(self, filters: CanFilters | None = None) -> None:
        """Receive only what passes at least one of ``filters``; None or none of them passes everything.

        Error frames pass in any case: an identifier means nothing to them.
        """
        self._filters = filters or None
        if self._filters is None:
            self._frame_filter = None
        else:
            from cantools_cli.filtering.filters import FrameFilter

            self._frame_filter = FrameFilter.from_can_filters(self._filters)
            if self._waiting is not None:  # fetched before, and still to be asked for
                rest = self._frame_filter.select(self._waiting.part(self._taken, len(self._waiting)))
                self._taken = 0
                self._keep_waiting(rest if len(rest) else None)
        self._apply_filters(self._filters)

    def push_filter(self, chosen: FrameFilter) -> None:
        """Let the kernel or the hardware drop what ``chosen`` does not pass, as far as it can.

        It may pass more: ``chosen`` itself has to run behind.
        """
        self._apply_filters(chosen.can_filters())

    def _matches_filters(self, msg: Message) -> bool:
        """Tell whether ``msg`` passes at least one of the filters."""
        return self._frame_filter is None or self._frame_filter.matches(msg)

    # --- state and end --------------------------------------------------------------------------------

    @property
    def state(self) -> BusState:
        """The state of the controller; ACTIVE where an interface cannot tell."""
        return BusState.ACTIVE

    @state.setter
    def state(self, new_state: BusState) -> None:
        raise NotImplementedError("Property is not implemented.")

    @property
    def protocol(self) -> CanProtocol:
        """What the bus carries, fixed when it is opened."""
        return self._can_protocol

    def fileno(self) -> int:
        """Return a descriptor that is ready to read whenever a frame is waiting.

        Raises:
            NotImplementedError: the interface has none.
            CanOperationError: the bus is closed.
        """
        if self._readiness is None:
            self._check_open()
            descriptor = self._fileno()
            from cantools_cli.bus.readiness import Readiness

            self._readiness = Readiness(descriptor)
            self._readiness.fetched = self._waiting is not None
        return self._readiness.fileno()

    def _check_open(self) -> None:
        if self.is_shutdown:
            raise CanOperationError("Cannot operate on a closed bus")

    @property
    def _is_shutdown(self) -> bool:
        """python-can's name of ``is_shutdown``, which plug-ins ask for."""
        return self.is_shutdown

    @property
    def losses(self) -> Losses:
        """Counts by kind of lost frames and malformed messages; an interface adds to them."""
        if self._losses is None:
            self._losses = Losses()
        return self._losses

    @property
    def first_fault(self) -> FormatError | None:
        """The error of the first malformed message, or None."""
        return self.losses.first_fault

    def shutdown(self) -> None:
        """Close the bus, having stopped its periodic tasks; a second call does nothing."""
        if not self.is_shutdown:
            try:
                self.stop_all_periodic_tasks()  # while they still have a bus
            finally:
                self.is_shutdown = True
                self._waiting = None
                if self._readiness is not None:
                    self._readiness.close()
                    self._readiness = None
                self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.shutdown()

    def __del__(self) -> None:
        # A bus that failed to open has no name. At the very end of the interpreter nothing can be imported.
        if not self.is_shutdown and self.channel_info != "unknown" and not self._is_finalizing():
            import logging

            log = logging.getLogger("can")
            log.warning("%s was not properly shut down", type(self).__name__)
            try:
                self.shutdown()
            except Exception as error:  # a plug-in may fail in any way, and nothing above can catch it
                self.is_shutdown = True
                log.warning("%s: shutting down failed: %s", type(self).__name__, error)

    def __str__(self) -> str:
        return self.channel_info
