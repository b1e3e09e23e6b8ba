"""The built-in virtual bus: within this process, or shared by all processes of the user on this computer.

``scope="process"`` joins the buses of one process; a channel is any hashable object. ``scope="host"`` joins
all processes of the user without a server: see ``line``. Both deliver frames to all readers in the same
order, and lose none while the readers have room. Neither has bit rates or arbitration.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections import deque
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Protocol, cast

from cantools_cli.backends.transport.waiting import Wakeup
from cantools_cli.backends.virtual import finder
from cantools_cli.bus.base import BusABC, CanProtocol
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import CanOperationError, UsageError, quoted
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.bits import TX
from cantools_cli.frame.message import Channel, Message

if TYPE_CHECKING:
    from cantools_cli.backends.virtual.queue import WaitingMessages

DEFAULT_CHANNEL = "channel-0"
BATCH_FRAMES = 1 << 16  #: maximum size of a received batch

_RECEIVED = bytes(flags & ~TX for flags in range(256))
_SENT = bytes(flags | TX for flags in range(256))


class VirtualPort(Protocol):
    """Connects a bus to the others on its channel."""

    def send(self, batch: MessageBatch, timeout: float | None) -> None: ...
    def receive(self, timeout: float | None) -> MessageBatch | None: ...
    def note_taken(self, more: bool) -> None: ...
    def waiting(self) -> int: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...


class VirtualBus(BusABC):
    """A bus without hardware.

    ``channel`` is any hashable object; between processes, its text counts. ``rx_queue_size`` is the maximum
    number of queued received frames; 0 means no limit within a process, and a million frames between
    processes. Within a process, ``send`` waits up to its timeout for each receiver whose queue is full, then
    raises; between processes see ``sender``. ``preserve_timestamps`` keeps the timestamps of sent frames.

    Between processes, ``net`` separates parallel jobs (default: ``CANX_NET``), and ``receive=False`` opens a
    bus that only sends, so that senders do not wait for it.

    Raises:
        CanInterfaceNotImplementedError: this system does not support a bus between processes.
        CanInitializationError: there is no private folder for the bus.
    """

    def __init__(
        self,
        channel: Any = None,
        receive_own_messages: bool = False,
        rx_queue_size: int = 0,
        preserve_timestamps: bool = False,
        can_filters: CanFilters | None = None,
        *,
        scope: str = "process",
        net: str | None = None,
        receive: bool = True,
        protocol: CanProtocol = CanProtocol.CAN_20,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("virtual", VirtualBus, kwargs)
        super().__init__(channel=channel, can_filters=can_filters, **kwargs)
        self.channel_id = DEFAULT_CHANNEL if channel is None else channel
        self.receive_own_messages = receive_own_messages
        self.preserve_timestamps = preserve_timestamps
        self.scope = scope
        self._can_protocol = protocol
        self.carries_xl = True
        self._port: VirtualPort
        limit = self._queue_limit = max(0, rx_queue_size)
        if scope == "host":
            from cantools_cli.backends.virtual.host import HostPort

            self._port = HostPort(
                self.channel_id,
                net,
                echo=receive_own_messages,
                queue_frames=limit,
                preserve_timestamps=preserve_timestamps,
                receive=receive,
                losses=self.losses,
            )
        elif scope == "process":
            self._port = ProcessPort(self.channel_id, receive_own_messages, limit, preserve_timestamps)
        else:
            raise UsageError(f"unknown scope {quoted(scope)} of a virtual bus", hint="process or host")
        self.channel_info = f"Virtual bus channel {self.channel_id}"

    @staticmethod
    def _obstacle() -> str | None:
        return finder.obstacle()

    @property
    def queue(self) -> WaitingMessages:
        """The queued messages, as in python-can's attribute of this name."""
        from cantools_cli.backends.virtual.queue import WaitingMessages

        return WaitingMessages(self, self._queue_limit)

    def _frames_waiting(self) -> int:
        fetched = 0 if self._waiting is None else len(self._waiting) - self._taken
        return fetched + (0 if self.is_shutdown else self._port.waiting())

    def recv(self, timeout: float | None = None) -> Message | None:
        self._check_open()
        message = super().recv(_checked(timeout))
        self._port.note_taken(more=self._waiting is not None)
        return message

    def recv_batch(self, timeout: float | None = None) -> MessageBatch | None:
        self._check_open()
        batch = super().recv_batch(_checked(timeout))
        self._port.note_taken(more=False)
        return batch

    def fileno(self) -> int:
        self._check_open()
        return self._port.fileno()

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        return self._port.receive(timeout)

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        self._port.send(batch, timeout)

    def flush_tx_buffer(self) -> None:
        """Do nothing: a sent frame is with its receivers at once, and none is queued."""

    def _close(self) -> None:
        self._port.close()

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return the channels in use, of this process and of the host, and an unused one."""
        from random import randrange

        with _registry:
            here = list(_channels)
        names = finder.channels()
        free = DEFAULT_CHANNEL
        while free in here or free in names or free == DEFAULT_CHANNEL:
            free = f"channel-{randrange(10_000)}"
        return [
            *({"interface": "virtual", "channel": channel} for channel in here),
            *({"interface": "virtual", "channel": name, "scope": "host"} for name in names),
            {"interface": "virtual", "channel": free},
        ]


class ProcessPort:
    """Connects a bus to a channel of this process: a queue that the others put copies into."""

    def __init__(self, channel: Hashable, echo: bool, limit: int, preserve_timestamps: bool) -> None:
        self._channel = channel
        self._channels = (cast("Channel", channel),)  # any object, as documented
        self._echo = echo
        self._limit = limit
        self._preserve = preserve_timestamps
        self._queue: deque[MessageBatch] = deque()
        self._changed = threading.Condition()
        self._wakeup: Wakeup | None = None  # once a descriptor is requested
        self._closed = False
        with _registry:
            _channels.setdefault(channel, []).append(self)

    def send(self, batch: MessageBatch, timeout: float | None) -> None:
        """Give every other bus a copy.

        Raises:
            CanOperationError: a receiver had no room in time; the others received the frames.
        """
        frames = batch.part(0, len(batch))
        if not self._preserve:
            frames.timestamp_ns = array("q", (time.time_ns(),)) * len(batch)
        frames.channel = array("H", bytes(2 * len(batch)))
        frames.channels = self._channels
        frames.flags = frames.flags.translate(_RECEIVED)
        with _registry:  # the same order for all
            others = [port for port in _channels.get(self._channel, ()) if port is not self or self._echo]
            rests = [(port, port._offer(frames, 0, port is self)) for port in others]
        taken = True
        for port, row in rests:
            if row < len(frames):
                taken = port._put(frames, row, port is self, timeout) and taken
        if not taken:
            raise CanOperationError("Could not send message to one or more recipients")

    def _offer(self, frames: MessageBatch, row: int, own: bool) -> int:
        """Queue the frames from ``row`` on while there is room; return the next row."""
        with self._changed:
            if self._closed:
                return len(frames)
            while row < len(frames) and not (self._limit and len(self._queue) >= self._limit):
                # A bounded queue counts frames, so each is an entry.
                last = row + 1 if self._limit else len(frames)
                copy = frames.part(row, last)
                if own:
                    copy.flags = copy.flags.translate(_SENT)
                self._queue.append(copy)
                row = last
            self._changed.notify_all()
            if self._wakeup is not None and self._queue:
                self._wakeup.set()
        return row

    def _put(self, frames: MessageBatch, row: int, own: bool, timeout: float | None) -> bool:
        """Queue the frames from ``row`` on, waiting for room; return whether all fitted in time."""
        deadline = Deadline(timeout)
        while row < len(frames):
            with self._changed:
                self._changed.wait_for(self._has_room, deadline.remaining())
            before, row = row, self._offer(frames, row, own)
            if row == before and deadline.passed:
                return False
        return True

    def _has_room(self) -> bool:
        return self._closed or len(self._queue) < self._limit

    def receive(self, timeout: float | None) -> MessageBatch | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed, timeout)
            if self._closed:
                raise CanOperationError("Cannot operate on a closed bus")
            if not self._queue:
                return None
            batch = self._queue.popleft()
            while self._queue and not self._limit and len(batch) + len(self._queue[0]) <= BATCH_FRAMES:
                batch.extend(self._queue.popleft())
            self._changed.notify_all()
        return batch

    def waiting(self) -> int:
        with self._changed:
            return sum(map(len, self._queue))

    def note_taken(self, more: bool) -> None:
        if self._wakeup is not None:
            with self._changed:
                if more or self._queue:
                    self._wakeup.set()
                else:
                    self._wakeup.clear()

    def fileno(self) -> int:
        with self._changed:
            if self._wakeup is None:
                self._wakeup = Wakeup()
                if self._queue:
                    self._wakeup.set()
        return self._wakeup.fileno()

    def close(self) -> None:
        with _registry:
            ports = _channels[self._channel]
            ports.remove(self)
            if not ports:
                del _channels[self._channel]
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            if self._wakeup is not None:
                self._wakeup.close()


def _checked(timeout: float | None) -> float | None:
    if timeout is not None and timeout < 0:
        raise ValueError("'timeout' must be a non-negative number")
    return timeout


_channels: dict[Hashable, list[ProcessPort]] = {}
_registry = threading.Lock()
