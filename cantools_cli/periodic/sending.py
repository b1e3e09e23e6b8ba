"""Sending again and again, as every bus can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

from cantools_cli.frame.batch import sendable
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage

if TYPE_CHECKING:
    from cantools_cli.periodic.tasks import CyclicSendTaskABC, Sender


class Lock(Protocol):
    """A lock of ``threading``, or one that is like it."""

    def acquire(self, *, timeout: float) -> bool: ...
    def release(self) -> None: ...
    def __enter__(self) -> Any: ...
    def __exit__(self, *_: Any) -> None: ...


class PeriodicSending:
    """What a bus knows of its periodic tasks; part of ``BusABC``."""

    _periodic_tasks: list[CyclicSendTaskABC] | None = None  # those to stop at the end
    _lock_send_periodic: Lock

    @property
    def periodic_lock(self) -> Lock:
        """Held by a periodic task of a thread while it sends: who takes it has the bus without them."""
        return self._lock_send_periodic

    def _check_open(self) -> None:
        """Raise CanOperationError where the bus is closed."""
        raise NotImplementedError

    def _check_carried(self, has_xl: bool) -> None:
        """Raise CanOperationError where there are CAN XL frames to send, and the bus does not carry them."""
        raise NotImplementedError

    def send_periodic(
        self,
        msgs: Message | Sequence[Message],
        period: float,
        duration: float | None = None,
        store_task: bool = True,
        autostart: bool = True,
        modifier_callback: Callable[[Message], None] | None = None,
    ) -> CyclicSendTaskABC:
        """Send one of ``msgs``, in turn, every ``period`` seconds; return the task that does it.

        It ends after ``duration`` seconds, when it is stopped, and with the bus. The bus stops only what it
        stores; it forgets a task that ended. Without ``autostart`` the task waits for its ``start()``.
        ``modifier_callback`` gets each message before it is sent, to change it.

        Raises:
            ValueError: there is no message, their identifiers or channels differ, or the period or duration
                makes no sense.
            InvalidMessageError: one is not a CAN frame; it is a ValueError as well.
            CanOperationError: the bus is closed, or does not take the task.
        """
        from cantools_cli.periodic.tasks import checked_messages

        self._check_open()
        checked = checked_messages(msgs)
        self._check_carried(any(isinstance(one, XlMessage) for one in checked))
        if modifier_callback is None:  # which may make frames of them
            sendable(checked)
        more: dict[str, Any] = {}  # than an interface knows that was written for python-can 4.1
        if not autostart:
            more["autostart"] = False
        if modifier_callback is not None:
            more["modifier_callback"] = modifier_callback
        task = self._send_periodic_internal(msgs, period, duration, **more)
        if store_task and self._periodic_tasks is not None:
            task.track_in(self._periodic_tasks)
        return task

    def _send_periodic_internal(
        self,
        msgs: Message | Sequence[Message],
        period: float,
        duration: float | None = None,
        autostart: bool = True,
        modifier_callback: Callable[[Message], None] | None = None,
    ) -> CyclicSendTaskABC:
        """Return the task of ``send_periodic``; overridden where a kernel or a device can do better."""
        from cantools_cli.periodic.tasks import ThreadBasedCyclicSendTask

        return ThreadBasedCyclicSendTask(
            cast("Sender", self),
            self._lock_send_periodic,
            msgs,
            period,
            duration,
            autostart=autostart,
            modifier_callback=modifier_callback,
        )

    def stop_all_periodic_tasks(self, remove_tasks: bool = True) -> None:
        """Stop all tasks that are stored, and forget them unless ``remove_tasks`` is False."""
        tasks = [*(self._periodic_tasks or ())]
        if tasks:
            from cantools_cli.periodic.tasks import stop_quietly

            for task in tasks:
                stop_quietly(task)
        if self._periodic_tasks is not None:
            self._periodic_tasks[:] = [] if remove_tasks else tasks
