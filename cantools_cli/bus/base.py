"""The base class of every bus.

An interface implements ``BusABC`` in one of two ways: by ``_receive``, ``_send`` and ``_close``, which move
batches; or, as python-can documents it, by ``send`` and ``_recv_internal``, which move one message.
"""

from __future__ import annotations

import sys
from _thread import allocate_lock
from abc import ABC
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.left_open import open_buses
from cantools_cli.bus.losses import Losses
from cantools_cli.bus.received_log import log_received
from cantools_cli.errors import CanOperationError, CanTimeoutError, FormatError
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch, sendable
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage

if TYPE_CHECKING:
    from _thread import LockType

    from typing_extensions import Self

    from cantools_cli.bus.readiness import Readiness
    from cantools_cli.filtering.filters import FrameFilter
    from cantools_cli.periodic.tasks import CyclicSendTaskABC


class BusState(Enum):
    """The state of a controller."""

    ACTIVE = 1
    PASSIVE = 2
    ERROR = 3


class CanProtocol(Enum):
    """The protocol of a bus."""

    CAN_20 = 1
    CAN_FD = 2
    CAN_FD_NON_ISO = 3
    CAN_XL = 4


#: sends the rows ``first`` to ``last - 1`` of a batch; the third argument is the timeout
SendRows = Callable[[int, int, "float | None"], None]

_BACKLOG = 0.01  # seconds after a timeout in which queued frames are still filtered


class BusABC(ABC):  # its hooks raise NotImplementedError: an interface implements one pair of them
    """A bus that sends and receives frames.

    A context manager, and an endless iterator over the received messages.

    Attributes:
        channel_info: a description of the bus.
        is_shutdown: whether ``shutdown`` was called.
        carries_xl: whether the bus carries CAN XL frames.
    """

    RECV_LOGGING_LEVEL = 9  #: the log level of received messages

    channel_info = "unknown"
    is_shutdown = False
    carries_xl = False
    _can_protocol = CanProtocol.CAN_20
    _filters: CanFilters | None = None
    _frame_filter: FrameFilter | None = None
    _waiting: MessageBatch | None = None  # received and filtered, but not returned by recv() yet
    _fetched_rows = _taken = 0  # rows of that batch, and those that recv() has returned
    _readiness: Readiness | None = None  # after the first call of fileno()
    _losses: Losses | None = None
    _periodic_tasks: list[CyclicSendTaskABC] | None = None  # shutdown() stops them
    _lock_send_periodic: LockType
    _gives_batches = False
    _recv_next: ClassVar[Callable[[Any, float | None], Message | None]]

    _is_finalizing = staticmethod(sys.is_finalizing)  # the module's names vanish before the class's

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Complete the hooks that the class implements by the others."""
        super().__init_subclass__(**kwargs)
        cls._gives_batches = cls._receive not in (BusABC._receive, *_RECEIVE_ADAPTERS)
        cls._recv_next = BusABC._recv_from_batch if cls._gives_batches else BusABC._recv_documented
        if not cls._gives_batches:
            overrides_recv = cls._recv_internal is BusABC._recv_internal and cls.recv is not BusABC.recv
            cls._receive = _RECEIVE_ADAPTERS[overrides_recv]  # type: ignore[method-assign]  # once per class
        if cls._send is BusABC._send and cls.send is not BusABC.send:
            cls._send = _send_one_by_one  # type: ignore[method-assign]  # once per class

    def __init__(self, channel: Any, can_filters: CanFilters | None = None, **kwargs: object) -> None:
        open_buses[id(self)] = self
        self._periodic_tasks = []
        self._lock_send_periodic = allocate_lock()
        self.set_filters(can_filters)

    # --- hooks of an interface ------------------------------------------------------------------------

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        """Return the queued frames, at least one, or None after ``timeout`` seconds.

        A timeout of None waits for ever, 0 polls. Frames that do not pass the filters may be among them: the
        software filter runs afterwards.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot receive")

    def _recv_internal(self, timeout: float | None) -> tuple[Message | None, bool]:
        """Return a message, or None after ``timeout``, and whether the filters were applied to it."""
        raise NotImplementedError(f"{type(self).__name__} cannot receive")

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        """Send all frames of ``batch`` in order, waiting up to ``timeout`` seconds for room.

        Raises:
            CanOperationError: the bus refused a frame.
            CanTimeoutError: the bus had no room in time.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot send")

    def _send_periodic_internal(
        self,
        msgs: Message | Sequence[Message],
        period: float,
        duration: float | None = None,
        autostart: bool = True,
        modifier_callback: Callable[[Message], None] | None = None,
    ) -> CyclicSendTaskABC:
        """Return the task of ``send_periodic``; overridden if a kernel or a device sends by itself."""
        from cantools_cli.periodic.tasks import ThreadBasedCyclicSendTask

        lock = self._lock_send_periodic
        return ThreadBasedCyclicSendTask(
            self, lock, msgs, period, duration, autostart=autostart, modifier_callback=modifier_callback
        )

    def _apply_filters(self, filters: CanFilters | None) -> None:
        """Set the filters of the kernel or the hardware, if any; they may pass more frames."""

    def _fileno(self) -> int:
        """Return a descriptor that is ready to read when ``_receive`` returns frames."""
        raise NotImplementedError("fileno is not implemented using current CAN bus")

    def _close(self) -> None:
        """Release the resources of the bus."""

    @staticmethod
    def _detect_available_configs() -> Sequence[dict[str, Any]]:
        """Return the configurations that can be opened now, as keyword arguments of ``Bus``."""
        raise NotImplementedError

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        """The nominal and the data bit rate in bit/s, each None if the interface does not report it."""
        return None, None

    @staticmethod
    def _obstacle() -> str | None:
        """Return why this computer cannot open a bus of this interface, or None."""
        return None

    # --- receiving ------------------------------------------------------------------------------------

    def recv(self, timeout: float | None = None) -> Message | None:
        """Return the next message that passes the filters, or None after ``timeout`` seconds.

        A timeout of None waits for ever, 0 polls.

        Raises:
            CanOperationError: the bus is closed, or failed.
        """
        if self.is_shutdown:
            self._check_open()
        waiting = self._waiting
        if waiting is None:
            return self._recv_next(timeout)
        row = self._taken
        message = waiting[row]
        self._taken = row = row + 1
        if row == self._fetched_rows:
            self._keep_waiting(None)
        return message

    def _recv_from_batch(self, timeout: float | None) -> Message | None:
        """Return the first message of a new batch, and keep the rest."""
        batch = self.recv_batch(timeout)
        if batch is None:
            return None
        if len(batch) > 1:
            self._taken = 1
            self._keep_waiting(batch)
        return batch[0]

    def _recv_documented(self, timeout: float | None) -> Message | None:
        """Return the very object that ``_recv_internal`` returns."""
        deadline = Deadline(timeout)
        while True:
            message, is_filtered = self._recv_internal(deadline.remaining())
            if message is not None and (is_filtered or self._matches_filters(message)):
                log_received(self.RECV_LOGGING_LEVEL, (message,))
                return message
            if deadline.passed:
                return None
            if message is None:  # some plug-ins ignore the timeout
                deadline.pause()

    def recv_batch(self, timeout: float | None = None) -> MessageBatch | None:
        """Return all queued frames, at least one, or None after ``timeout`` seconds.

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
            if deadline.passed:  # search the frames queued by then; a busy bus never runs out of them
                backlog = backlog or Deadline(_BACKLOG)
                if backlog.passed:
                    return None

    def _keep_waiting(self, rest: MessageBatch | None) -> None:
        self._waiting = rest
        self._fetched_rows = 0 if rest is None else len(rest)
        if self._readiness is not None:
            self._readiness.fetched = rest is not None

    def batches(self) -> Iterator[MessageBatch]:
        """Yield the received frames at once; on a quiet bus a batch is one frame."""
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
            CanOperationError: the bus is closed, or refused the message.
            CanTimeoutError: the bus had no room in time.
            InvalidMessageError: ``msg`` is not a CAN frame; it is a ValueError as well.
        """
        self.send_batch(sendable([msg]), timeout)

    def send_batch(self, batch: MessageBatch, timeout: float | None = None) -> None:
        """Send all frames of ``batch`` in order, as ``send`` does."""
        self._check_open()
        self._check_carried(batch.xl is not None)
        self._send(batch, timeout)

    def prepared(self, batch: MessageBatch) -> SendRows:
        """Return a callable that sends rows of ``batch`` with all preparation already done.

        For callers with exact send times; do not modify ``batch`` afterwards.
        """
        return partial(self._send_rows, batch)

    def _send_rows(self, batch: MessageBatch, first: int, last: int, timeout: float | None) -> None:
        self.send_batch(batch if last - first == len(batch) else batch.part(first, last), timeout)

    def _check_carried(self, has_xl: bool) -> None:
        if has_xl and not self.carries_xl:
            raise CanOperationError(
                "this bus does not carry CAN XL frames",
                hint="virtual buses do, and socketcan buses opened with xl=true",
                sent=0,
            )

    def flush_tx_buffer(self) -> None:
        """Discard the frames queued for sending.

        Raises:
            NotImplementedError: the interface has no such queue.
        """
        raise NotImplementedError(f"{type(self).__name__} has no transmit queue to flush")

    # --- periodic sending -----------------------------------------------------------------------------

    def send_periodic(
        self,
        msgs: Message | Sequence[Message],
        period: float,
        duration: float | None = None,
        store_task: bool = True,
        autostart: bool = True,
        modifier_callback: Callable[[Message], None] | None = None,
    ) -> CyclicSendTaskABC:
        """Start a task that sends one of ``msgs``, in turn, every ``period`` seconds; return the task.

        The task ends after ``duration`` seconds, when it is stopped, or when the bus that stores it is shut
        down. Without ``autostart`` the task waits for its ``start()``.
        ``modifier_callback`` may change each message before it is sent.

        Raises:
            ValueError: there is no message, identifiers or channels differ, or the period or the duration is
                invalid.
            InvalidMessageError: a message is not a CAN frame; this is a ValueError as well.
            CanOperationError: the bus is closed, or refused the task.
        """
        from cantools_cli.periodic.tasks import checked_messages

        self._check_open()
        messages = checked_messages(msgs)
        self._check_carried(any(isinstance(message, XlMessage) for message in messages))
        if modifier_callback is None:  # which may turn them into CAN frames
            sendable(messages)
        more: dict[str, Any] = {}  # arguments that python-can 4.1 did not have
        if not autostart:
            more["autostart"] = False
        if modifier_callback is not None:
            more["modifier_callback"] = modifier_callback
        task = self._send_periodic_internal(msgs, period, duration, **more)
        if store_task and self._periodic_tasks is not None:
            task.track_in(self._periodic_tasks)
        return task

    def stop_all_periodic_tasks(self, remove_tasks: bool = True) -> None:
        """Stop all stored tasks, and forget them unless ``remove_tasks`` is False."""
        tasks = [*(self._periodic_tasks or ())]
        if tasks:
            from cantools_cli.periodic.tasks import stop_quietly

            for task in tasks:
                stop_quietly(task)
        if self._periodic_tasks is not None:
            self._periodic_tasks[:] = [] if remove_tasks else tasks

    @property
    def periodic_lock(self) -> LockType:
        """The lock that thread-based periodic tasks hold while sending; acquire it to keep them off."""
        return self._lock_send_periodic

    # --- filters --------------------------------------------------------------------------------------

    @property
    def filters(self) -> CanFilters | None:
        return self._filters

    @filters.setter
    def filters(self, filters: CanFilters | None) -> None:
        self.set_filters(filters)

    def set_filters(self, filters: CanFilters | None = None) -> None:
        """Receive only frames that pass at least one of ``filters``; None or an empty list passes all.

        Error frames always pass: they have no identifier.
        """
        self._filters = filters or None
        if self._filters is None:
            self._frame_filter = None
        else:
            from cantools_cli.filtering.filters import FrameFilter

            self._frame_filter = FrameFilter.from_can_filters(self._filters)
            if self._waiting is not None:  # fetched, but not returned yet
                rest = self._frame_filter.select(self._waiting.part(self._taken, len(self._waiting)))
                self._taken = 0
                self._keep_waiting(rest if len(rest) else None)
        self._apply_filters(self._filters)

    def push_filter(self, frame_filter: FrameFilter) -> None:
        """Let the kernel or the hardware drop frames that do not pass ``frame_filter``.

        It may pass more frames, so ``frame_filter`` itself still has to run.
        """
        self._apply_filters(frame_filter.can_filters())

    def _matches_filters(self, msg: Message) -> bool:
        """Return whether ``msg`` passes at least one of the filters."""
        return self._frame_filter is None or self._frame_filter.matches(msg)

    # --- state and end --------------------------------------------------------------------------------

    @property
    def state(self) -> BusState:
        """The state of the controller; ACTIVE if the interface does not report it."""
        return BusState.ACTIVE

    @state.setter
    def state(self, new_state: BusState) -> None:
        raise NotImplementedError("Property is not implemented.")

    @property
    def protocol(self) -> CanProtocol:
        """The protocol of the bus, fixed when it is opened."""
        return self._can_protocol

    def fileno(self) -> int:
        """Return a descriptor that is ready to read whenever a frame is queued.

        Raises:
            NotImplementedError: the interface has no descriptor.
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
        """python-can's name of ``is_shutdown``, used by plug-ins."""
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
        """Stop the periodic tasks and close the bus; a second call does nothing."""
        if not self.is_shutdown:
            try:
                self.stop_all_periodic_tasks()
            finally:
                self.is_shutdown = True
                self._waiting = None
                if self._readiness is not None:
                    self._readiness.close()
                    self._readiness = None
                self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()

    def __del__(self) -> None:
        # A bus that failed to open has no description. A finalizing interpreter cannot import anything.
        if not self.is_shutdown and self.channel_info != "unknown" and not self._is_finalizing():
            import logging

            log = logging.getLogger("can")
            log.warning("%s was not properly shut down", type(self).__name__)
            try:
                self.shutdown()
            except Exception as error:  # a plug-in may fail in any way, and no caller can catch it
                self.is_shutdown = True
                log.warning("%s: shutting down failed: %s", type(self).__name__, error)

    def __str__(self) -> str:
        return self.channel_info


def _receive_by_recv_internal(self: BusABC, timeout: float | None) -> MessageBatch | None:
    message, _ = self._recv_internal(timeout)
    return None if message is None else MessageBatch([message])


def _receive_by_recv(self: BusABC, timeout: float | None) -> MessageBatch | None:
    """Receive on a bus whose class overrides ``recv``, although that is not documented."""
    message = self.recv(timeout)
    return None if message is None else MessageBatch([message])


def _send_one_by_one(self: BusABC, batch: MessageBatch, timeout: float | None) -> None:
    for row, message in enumerate(batch):
        try:
            self.send(message, timeout)
        except (CanOperationError, CanTimeoutError) as error:
            error.sent = row
            raise


_RECEIVE_ADAPTERS = (_receive_by_recv_internal, _receive_by_recv)
