"""Tasks of periodic sending: python-can's documented classes, and a task for any bus.

The thread-based tasks of one bus share a thread, which exists while a task is running.

Source: the python-can manual, "Broadcast Manager".
"""

from __future__ import annotations

import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from threading import RLock
from typing import Any, Protocol, cast

from cantools_cli.errors import CanOperationError
from cantools_cli.frame.message import Message
from cantools_cli.periodic.schedule import Schedule, nanoseconds
from cantools_cli.periodic.scheduler import PeriodicRun, Scheduler

OnError = Callable[[Exception], bool]
ModifierCallback = Callable[[Message], None]


class Sender(Protocol):
    """The methods of a bus that periodic sending uses."""

    def send(self, msg: Message) -> None: ...
    def send_periodic(
        self, msgs: Message | Sequence[Message], period: float, *args: Any, **kwargs: Any
    ) -> CyclicSendTaskABC: ...


class CyclicTask(ABC):
    """A periodic action."""

    @abstractmethod
    def stop(self) -> None:
        """Stop the task.

        Raises:
            CanError: the task is already stopped, or cannot be stopped.
        """


class CyclicSendTaskABC(CyclicTask):
    """Sends ``messages`` in turn, one every ``period`` seconds.

    Attributes:
        messages: the messages, a tuple.
        arbitration_id: the identifier of all messages.
        period, period_ns: the time between two messages.

    Raises:
        ValueError: there is no message, identifiers or channels differ, or the period is not positive.
    """

    _tracked_by: list[CyclicSendTaskABC] | None = None
    _has_ended = False
    _was_stopped = False  # by the program; not by its bus, nor by itself

    def __init__(self, messages: Sequence[Message] | Message, period: float) -> None:
        self.messages = checked_messages(messages)
        self.arbitration_id = self.messages[0].arbitration_id
        self.period = period
        self.period_ns = nanoseconds(period)

    # Shutting a bus down stops the tasks it tracks. A finished task is dropped; restarting it tracks it
    # again.

    def track_in(self, tasks: list[CyclicSendTaskABC]) -> None:
        """Add the task to ``tasks``, which contains it until it ends."""
        self._tracked_by = tasks
        tasks.append(self)
        if self._has_ended:  # in the meantime
            self._ended()

    def _started(self) -> None:
        self._has_ended = self._was_stopped = False
        if self._tracked_by is not None and self not in self._tracked_by:
            self._tracked_by.append(self)

    def _stopping(self) -> None:
        """Record that the program stops the task.

        Raises:
            CanOperationError: the program has already stopped it.
        """
        if self._was_stopped:
            raise CanOperationError(f"the periodic task of 0x{self.arbitration_id:x} is already stopped")
        self._was_stopped = True

    def _ended(self) -> None:
        self._has_ended = True
        if self._tracked_by is not None:
            with suppress(ValueError):
                self._tracked_by.remove(self)


class LimitedDurationCyclicSendTaskABC(CyclicSendTaskABC):
    """Stops by itself after ``duration`` seconds; None or 0 means no limit.

    All messages due before the end are sent, at least one: 10 messages in 1 s at 0.1 s. A changed
    ``duration`` applies from the next start.

    Attributes:
        end_time: the end of the current or last run in seconds since the epoch; None without a limit.
    """

    def __init__(
        self, messages: Sequence[Message] | Message, period: float, duration: float | None = None
    ) -> None:
        super().__init__(messages, period)
        self.duration = duration
        self.end_time: float | None = None

    @property
    def duration(self) -> float | None:
        return self._duration

    @duration.setter
    def duration(self, duration: float | None) -> None:
        self.duration_ns = nanoseconds(duration, "duration") if duration else None
        self._duration = duration

    def _started(self) -> None:
        super()._started()
        self.end_time = time.time() + self.duration if self.duration else None


class RestartableCyclicTaskABC(CyclicSendTaskABC):
    """A task that can be started again."""

    @abstractmethod
    def start(self) -> None:
        """Start the task, from the first message."""


class ModifiableCyclicTaskABC(CyclicSendTaskABC):
    """A task whose data can be modified."""

    def modify_data(self, messages: Sequence[Message] | Message) -> None:
        """Send ``messages`` from now on, without a change of the times.

        Raises:
            ValueError: the number of messages or their identifier differs.
        """
        self.messages = self._checked_again(messages)

    def _checked_again(self, messages: Sequence[Message] | Message) -> tuple[Message, ...]:
        new = checked_messages(messages)
        if len(new) != len(self.messages):
            raise ValueError(
                "The number of new cyclic messages to be sent must be equal to "
                "the number of messages originally specified for this task"
            )
        if new[0].arbitration_id != self.arbitration_id:
            raise ValueError(
                "The arbitration ID of new cyclic messages cannot be changed from when the task was created"
            )
        return new


class MultiRateCyclicSendTaskABC(CyclicSendTaskABC):
    """Sends ``count`` messages at ``initial_period``, then endlessly at ``subsequent_period``, in seconds."""

    def __init__(
        self,
        channel: Any,
        messages: Sequence[Message] | Message,
        count: int,
        initial_period: float,
        subsequent_period: float,
    ) -> None:
        super().__init__(messages, initial_period)
        self.channel = channel
        self.count = count
        self.initial_period = initial_period
        self.subsequent_period = subsequent_period


class ThreadBasedCyclicSendTask(
    LimitedDurationCyclicSendTaskABC, ModifiableCyclicTaskABC, RestartableCyclicTaskABC
):
    """Sends from a thread of this program, on any bus.

    The times are those of ``Schedule``: the average period is exact, and missed messages are sent late,
    within bounds. The caller's messages are not copied, so their data may be changed in place. ``lock`` is
    held during ``modifier_callback``, which may change the message, and during sending.

    If sending fails, ``on_error`` gets the exception and returns whether to continue; without it the error is
    logged and the task ends. The task also ends when the bus is garbage.

    Attributes:
        stopped: whether the task is not running.
        error: the error that ended the task, or None.
        skipped: the number of messages left out because the program was delayed for too long.
        thread: the sending thread; None before the first start.
    """

    def __init__(
        self,
        bus: Sender,
        lock: AbstractContextManager[Any],
        messages: Sequence[Message] | Message,
        period: float,
        duration: float | None = None,
        on_error: OnError | None = None,
        autostart: bool = True,
        modifier_callback: ModifierCallback | None = None,
        *,
        scheduler: Scheduler | None = None,
    ) -> None:
        super().__init__(messages, period, duration)
        self._bus = weakref.ref(bus)  # documented: tasks stop when the program drops its bus
        self.send_lock = lock
        self.on_error = on_error
        self.modifier_callback = modifier_callback
        self.error: Exception | None = None
        self._scheduler = scheduler or _scheduler_of(bus)
        self._run = PeriodicRun(self._send, self._finished, self._new_schedule())
        self._run.is_over = True
        if autostart:
            self.start()

    def _new_schedule(self) -> Schedule:
        return Schedule(self.period_ns, duration_ns=self.duration_ns)

    @property
    def bus(self) -> Sender | None:
        return self._bus()

    @property
    def stopped(self) -> bool:
        return self._run.is_over

    @property
    def skipped(self) -> int:
        return self._run.schedule.skipped

    @property
    def thread(self) -> Any:
        return self._scheduler.thread

    def start(self) -> None:
        """Start from the first message at once; a running task is not affected."""
        if self.stopped:
            self.error = None
            self._run = PeriodicRun(self._send, self._finished, self._new_schedule())
            self._started()
            self._scheduler.start(self._run)

    def stop(self) -> None:
        """Stop the task; afterwards no message is being sent, unless the bus is stuck.

        Raises:
            CanOperationError: the task is already stopped.
        """
        self._stopping()
        self._scheduler.stop(self._run)
        self._ended()

    def _send(self, run: PeriodicRun) -> bool:
        """Send the next message; return whether to continue."""
        bus = self.bus
        if bus is None:
            return False
        messages = self.messages
        message = messages[run.schedule.sent % len(messages)]
        try:
            with self.send_lock:
                if not run.is_over:
                    if self.modifier_callback is not None:
                        self.modifier_callback(message)
                    bus.send(message)
        except Exception as error:  # from the bus or the callback; other tasks continue
            return run.is_over or self._goes_on_after(error)
        return True

    def _goes_on_after(self, error: Exception) -> bool:
        if self.on_error is not None:
            try:
                if self.on_error(error):
                    return True
            except Exception as second:
                _log("on_error of the periodic message 0x%x failed: %s", self.arbitration_id, second)
        else:
            _log("periodic sending of 0x%x stopped: %s", self.arbitration_id, error)
        self.error = error
        return False

    def _finished(self, run: PeriodicRun) -> None:
        if run is self._run:
            self._ended()


def stop_quietly(task: CyclicSendTaskABC) -> None:
    """Stop ``task`` unless the program did; the program may still stop it."""
    if not getattr(task, "_was_stopped", False):
        task.stop()
        if getattr(task, "_was_stopped", False):  # a plug-in's task may not set it
            task._was_stopped = False


def send_periodic(
    bus: Sender, message: Sequence[Message] | Message, period: float, *args: Any, **kwargs: Any
) -> CyclicSendTaskABC:
    """Call ``bus.send_periodic``; deprecated."""
    from warnings import warn

    text = "the function send_periodic is deprecated; use the method send_periodic of the bus"
    warn(text, DeprecationWarning, stacklevel=2)
    return bus.send_periodic(message, period, *args, **kwargs)


def checked_messages(messages: Sequence[Message] | Message) -> tuple[Message, ...]:
    """Return the messages of one task as a tuple.

    Raises:
        ValueError: there is no message, or identifiers or channels differ.
    """
    if _is_message(messages):
        return (cast("Message", messages),)
    if not isinstance(messages, Sequence):
        raise ValueError("Must be either a message or a sequence of messages")
    if not messages:
        raise ValueError("Must be a sequence at least of length 1")
    if not isinstance(messages, list | tuple) or not all(map(_is_message, messages)):
        raise ValueError("Must be either a list, tuple, or a Message")
    if len({message.arbitration_id for message in messages}) > 1:
        raise ValueError("All Arbitration IDs should be the same")
    if len({message.channel for message in messages}) > 1:
        raise ValueError("All Channel IDs should be the same")
    return tuple(messages)


def _is_message(value: object) -> bool:
    return hasattr(value, "arbitration_id")  # messages of other libraries are accepted


_schedulers: weakref.WeakKeyDictionary[Sender, Scheduler] = weakref.WeakKeyDictionary()
_schedulers_lock = RLock()  # re-entrant: a garbage collection inside may end another bus and its tasks


def _scheduler_of(bus: Sender) -> Scheduler:
    with _schedulers_lock:
        scheduler = _schedulers.get(bus)
        if scheduler is None:
            scheduler = _schedulers[bus] = Scheduler(clock=time.perf_counter_ns)
        return scheduler


def _log(text: str, *values: object) -> None:
    import logging

    logging.getLogger("can").warning(text, *values)
