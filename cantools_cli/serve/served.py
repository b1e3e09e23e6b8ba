"""A served bus: read once for all clients, written by any of them."""

from __future__ import annotations

import time
from array import array
from collections import deque
from collections.abc import Callable
from typing import Any

from cantools_cli.backends.transport.waiting import Wakeup
from cantools_cli.bus.base import BusABC
from cantools_cli.errors import CanError, CanTimeoutError, FormatError
from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

#: seconds that the bus may take to send a client's frame; all other clients wait meanwhile
SEND_SECONDS = 0.1
#: maximum number of frames of cyclic jobs queued for the other clients
_MAX_ECHOES = 4096

Deliver = Callable[[str, MessageBatch, object], None]


class Served:
    """An open bus and the name that clients use for it.

    ``deliver`` is called with the name, frames, and the session that sent them, None for the bus.
    """

    def __init__(
        self, name: str, bus: BusABC, chosen: FrameFilter | None, deliver: Deliver, wakeup: Wakeup
    ) -> None:
        self.name = name
        self.bus = bus
        self.failure: CanError | None = None
        #: totals since the start; bytes of data
        self.received_bytes = self.received_frames = self.sent_bytes = self.sent_frames = 0
        self._filter = chosen
        self._deliver = deliver
        self._wakeup = wakeup
        self._echoes: deque[tuple[Message, object]] = deque(maxlen=_MAX_ECHOES)

    def receive(self) -> bool:
        """Deliver the queued frames of the bus; return whether there were any."""
        try:
            batch = self.bus.recv_batch(0)
        except CanError as error:
            self.failure = error
            return False
        if batch is None:
            return False
        if self._filter is not None:
            batch = self._filter.select(batch)
        self.received_frames += len(batch)
        self.received_bytes += len(batch.payload)
        self._deliver(self.name, batch, None)
        return True

    def send(self, batch: MessageBatch, sender: object) -> None:
        """Send ``batch``, and deliver it to the other clients, since the bus does not receive it."""
        lock = self.bus.periodic_lock  # a task may be sending on a blocked bus
        if not lock.acquire(timeout=SEND_SECONDS):
            raise CanTimeoutError(f"{self.name}: no room to send in time", sent=0)
        try:
            self.bus.send_batch(batch, SEND_SECONDS)
        finally:
            lock.release()
        self._show(batch, sender)

    def _show(self, batch: MessageBatch, sender: object) -> None:
        batch.timestamp_ns = array("q", (time.time_ns(),)) * len(batch)
        self.sent_frames += len(batch)
        self.sent_bytes += len(batch.payload)
        self._deliver(self.name, batch, sender)

    def start_job(self, message: Message, period: float, sender: object) -> BusJob:
        """Send ``message`` every ``period`` seconds."""
        task: Any = self.bus.send_periodic(message, period, autostart=False)
        if hasattr(task, "modifier_callback"):  # the bus receives the frames that the kernel sends

            def show(sent: Message) -> None:
                self._echoes.append((sent, sender))
                self._wakeup.set()

            task.modifier_callback = show
        task.start()
        return BusJob(task)

    def show_echoes(self) -> None:
        """Deliver the frames that jobs have sent since the last call."""
        while self._echoes:
            message, sender = self._echoes.popleft()
            self._show(MessageBatch([message]), sender)


class BusJob:
    """A cyclic task of a session on a bus."""

    def __init__(self, task: Any) -> None:
        self._task = task

    def change(self, message: Message) -> None:
        """Send ``message`` from now on."""
        try:
            self._task.modify_data(message)
        except (ValueError, CanError) as error:
            raise FormatError(str(error)) from error

    def stop(self) -> None:
        from cantools_cli.periodic.tasks import stop_quietly

        stop_quietly(self._task)
