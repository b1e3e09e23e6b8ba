"""A bus that several threads use at once.

Source: the python-can manual, "Thread safe bus".
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Any, cast

from cantools_cli.bus.base import BusABC, BusState, SendRows
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.interface import Bus
from cantools_cli.errors import CanOperationError, CanTimeoutError
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

if TYPE_CHECKING:
    from cantools_cli.periodic.tasks import CyclicSendTaskABC

#: seconds that a receiving thread keeps the bus before other threads may change its filters or close it
_TURN = 0.25
#: seconds that closing waits for the threads that use the bus; after that, a stuck thread fails
_PATIENCE = 1.0
#: seconds that a poll waits for its turn; without them a thread woken by the descriptor would spin
_POLL_PATIENCE = 0.001

if TYPE_CHECKING:
    _Base = BusABC
else:
    _Base = object  # a BusABC would hide the attributes of the wrapped bus; registered as one below


class ThreadSafeBus(_Base):
    """A bus whose methods several threads may call at once; the arguments are those of ``Bus``.

    One thread may send while another receives; two senders, or two receivers, take turns, each within its
    timeout. Attributes that ``BusABC`` lacks are those of the wrapped bus, without a lock.
    """

    __slots__ = ("__weakref__", "_is_closing", "_receiving", "_sending", "_wrapped")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._is_closing = False
        self._sending = _Turns()
        self._receiving = _Turns()
        self._wrapped: Any = cast("Any", Bus(*args, **kwargs))
        self._wrapped._lock_send_periodic = self._sending

    def __getattr__(self, name: str) -> Any:
        if name == "_wrapped":  # opening the bus failed
            raise AttributeError(name)
        return getattr(self._wrapped, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name):
            object.__setattr__(self, name, value)
        else:
            setattr(self._wrapped, name, value)

    def recv(self, timeout: float | None = None) -> Message | None:
        return cast("Message | None", self._received("recv", timeout))

    def recv_batch(self, timeout: float | None = None) -> MessageBatch | None:
        return cast("MessageBatch | None", self._received("recv_batch", timeout))

    def _received(self, method: str, timeout: float | None) -> Any:
        """Receive in turns: a thread that waits for ever must not keep others from closing the bus."""
        if timeout is not None and timeout < 0:
            return getattr(self._wrapped, method)(timeout)
        deadline = Deadline(timeout)
        while True:
            remaining = deadline.remaining()
            if not self._receiving.acquire(None if remaining is None else max(remaining, _POLL_PATIENCE)):
                return None
            try:
                if self._is_closing:
                    raise CanOperationError("Cannot operate on a closed bus")
                remaining = deadline.remaining()
                turn = _TURN if remaining is None else min(_TURN, remaining)
                received = getattr(self._wrapped, method)(turn)
            finally:
                self._receiving.release()
            if received is not None or deadline.passed:
                return received

    batches = BusABC.batches
    __iter__ = BusABC.__iter__

    @property
    def filters(self) -> CanFilters | None:
        with self._receiving:
            return cast("CanFilters | None", self._wrapped.filters)

    @filters.setter
    def filters(self, filters: CanFilters | None) -> None:
        self.set_filters(filters)

    def set_filters(self, filters: CanFilters | None = None) -> None:
        with self._receiving:
            self._wrapped.set_filters(filters)

    def fileno(self) -> int:
        with self._receiving:
            return int(self._wrapped.fileno())

    def send(self, msg: Message, timeout: float | None = None) -> None:
        with self._turn_to_send(timeout) as remaining:
            self._wrapped.send(msg, remaining)

    def send_batch(self, batch: MessageBatch, timeout: float | None = None) -> None:
        with self._turn_to_send(timeout) as remaining:
            self._wrapped.send_batch(batch, remaining)

    def prepared(self, batch: MessageBatch) -> SendRows:
        send = self._wrapped.prepared(batch)

        def send_rows(first: int, last: int, timeout: float | None) -> None:
            with self._turn_to_send(timeout) as remaining:
                send(first, last, remaining)

        return send_rows

    @contextmanager
    def _turn_to_send(self, timeout: float | None) -> Iterator[float | None]:
        """Wait for the turn; yield the rest of ``timeout``."""
        if timeout is None or timeout <= 0:
            with self._sending:
                yield timeout
            return
        deadline = Deadline(timeout)
        if not self._sending.acquire(timeout):
            raise CanTimeoutError(f"{self}: other threads kept sending", sent=0)
        try:
            yield deadline.remaining()
        finally:
            self._sending.release()

    def flush_tx_buffer(self) -> None:
        with self._sending:
            self._wrapped.flush_tx_buffer()

    def send_periodic(self, *args: Any, **kwargs: Any) -> CyclicSendTaskABC:
        with self._sending:
            return cast("CyclicSendTaskABC", self._wrapped.send_periodic(*args, **kwargs))

    def stop_all_periodic_tasks(self, remove_tasks: bool = True) -> None:
        self._wrapped.stop_all_periodic_tasks(remove_tasks)  # without a lock: the tasks take turns, too

    @property
    def state(self) -> BusState:
        with self._receiving, self._sending:
            return cast("BusState", self._wrapped.state)

    @state.setter
    def state(self, new_state: BusState) -> None:
        with self._receiving, self._sending:
            self._wrapped.state = new_state

    def shutdown(self) -> None:
        self._is_closing = True
        self.stop_all_periodic_tasks()
        locks = [lock for lock in (self._receiving, self._sending) if lock.acquire(_PATIENCE)]
        try:
            self._wrapped.shutdown()
        finally:
            for lock in locks:
                lock.release()

    __enter__ = BusABC.__enter__
    __exit__ = BusABC.__exit__

    def __str__(self) -> str:
        return str(self._wrapped)

    def __repr__(self) -> str:
        return f"<ThreadSafeBus of {self._wrapped!r}>"


if not TYPE_CHECKING:
    BusABC.register(ThreadSafeBus)


class _Turns:
    """A re-entrant lock that is granted in the order of requests.

    Python's own is often acquired again by the thread that just released it, before the waiting ones.
    """

    def __init__(self) -> None:
        self._queue = Lock()
        self._lock = Lock()
        self._owner: int | None = None
        self._depth = 0

    def acquire(self, timeout: float | None = None) -> bool:
        """Wait up to ``timeout`` seconds; return whether the lock was acquired."""
        if self._owner != get_ident():
            seconds = -1.0 if timeout is None else timeout
            end = time.monotonic() + seconds
            if not self._queue.acquire(timeout=seconds):
                return False
            try:
                left = seconds if timeout is None else max(0.0, end - time.monotonic())
                if not self._lock.acquire(timeout=left):
                    return False
                self._owner = get_ident()
            finally:
                self._queue.release()
        self._depth += 1
        return True

    def release(self) -> None:
        self._depth -= 1
        if not self._depth:
            self._owner = None
            self._lock.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()
