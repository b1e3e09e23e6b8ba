"""Passes the messages of buses to listeners, from one thread per bus or in an event loop.

Fetched messages reach the listeners before ``stop`` returns; the others remain for ``recv``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from cantools_cli.bus.base import BusABC
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.listeners import Listener, takes_batches
from cantools_cli.bus.receivers import FLUSH_EVERY, Frames, Receiver, receiver_for
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

    from typing_extensions import Self

MessageRecipient = Listener | Callable[[Message], Awaitable[None] | None]


class Notifier:
    """Passes every message of one or more buses to every listener, in order; a context manager.

    A listener is a ``Listener`` or any callable that takes a message. Calls of listeners never overlap: they
    get one message at a time, whatever the number of buses. Writers at the head of the list get all queued
    messages at once; a writer after another listener gets each message after that listener.

    Without ``loop`` each bus has a thread. With an event loop, listeners run in the loop and may be coroutine
    functions, and a bus with a descriptor needs no thread. ``timeout`` is the longest wait of a thread for a
    message in seconds; only a bus without a descriptor delays ``stop`` by that time.

    A listener's error is offered to ``on_error`` of all listeners. If none of them handles it, it ends the
    receiving from the bus of the message; an error of a bus is treated alike.

    Attributes:
        listeners: the listeners.
        exception: the last error.

    Raises:
        ValueError: a bus has a notifier already.
    """

    def __init__(
        self,
        bus: BusABC | list[BusABC],
        listeners: Iterable[MessageRecipient],
        timeout: float = 1.0,
        loop: AbstractEventLoop | None = None,
    ) -> None:
        self.listeners: list[MessageRecipient] = list(listeners)
        self.exception: Exception | None = None
        self.timeout = timeout
        self._loop = loop
        self._buses: list[BusABC] = []
        self._receivers: list[Receiver] = []
        self._turn = threading.Lock()  # held while listeners are called
        self._calling: int | None = None  # the thread that calls them
        self._flushed = time.monotonic()
        self._unflushed = False
        self._tasks: set[Future[Any]] = set()
        self._asked_by: int | None = None  # the thread of a listener that called stop()
        self._stopping = False
        self._stopped = False
        buses = list(bus) if isinstance(bus, (list, tuple)) else [bus]
        _claim(self, buses)
        try:
            for member in buses:
                self._start(member)
        except BaseException:
            for receiver in self._receivers:
                receiver.end()
            _release(self)
            raise

    # --- buses and listeners --------------------------------------------------------------------------

    @property
    def bus(self) -> BusABC | tuple[BusABC, ...]:
        """The bus, or a tuple of the buses unless there is exactly one."""
        return self._buses[0] if len(self._buses) == 1 else tuple(self._buses)

    @property
    def stopped(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stopping

    def add_bus(self, bus: BusABC) -> None:
        """Pass the messages of ``bus`` to the listeners as well.

        Raises:
            ValueError: the bus has a notifier already.
            RuntimeError: this notifier is stopped.
        """
        if self._stopping:
            raise RuntimeError("the notifier is stopped")
        _claim(self, [bus])
        try:
            self._start(bus)
        except BaseException:
            _release(self, bus)
            raise

    def _start(self, bus: BusABC) -> None:
        ours = bus
        if not isinstance(bus, BusABC):  # of python-can itself
            from cantools_cli.bus.foreign import adapted

            ours = adapted(bus)
        receiver = receiver_for(ours, self.timeout, self._loop, self)
        receiver.start()
        self._buses.append(bus)
        self._receivers.append(receiver)

    @staticmethod
    def find_instances(bus: BusABC) -> tuple[Notifier, ...]:
        """Return the notifiers that receive from ``bus``."""
        with _registry:
            return tuple(notifier for owned, notifier in _active if owned is bus)

    def add_listener(self, listener: MessageRecipient) -> None:
        """Pass later messages to ``listener``, once per registration."""
        self.listeners.append(listener)

    def remove_listener(self, listener: MessageRecipient) -> None:
        """Stop calling ``listener``; if it was added several times, remove one registration.

        Raises:
            ValueError: the listener is not registered.
        """
        self.listeners.remove(listener)

    # --- delivering -----------------------------------------------------------------------------------

    def deliver(self, frames: Frames) -> bool:
        """Pass ``frames`` to the listeners; return whether to continue. For receivers.

        Raises:
            Exception: an error of a listener that no listener handled.
        """
        try:
            with self._turn:
                self._calling = threading.get_ident()
                try:
                    self._call_listeners(frames)
                    if time.monotonic() - self._flushed >= FLUSH_EVERY:
                        self._flush()
                finally:
                    self._calling = None
        finally:
            if self._asked_by == threading.get_ident():  # a listener called stop()
                self._asked_by = None
                self.stop()
        return not self._stopped

    def _call_listeners(self, frames: Frames) -> None:
        self._unflushed = True
        known = list(self.listeners)
        ahead = self._give_batch(known, frames) if isinstance(frames, MessageBatch) else 0
        others = known[ahead:]
        if not others and self.listeners == known:
            return
        writers = known[:ahead]
        for message in frames:
            if self._stopped:  # stop() did not wait for a slow listener
                return
            if self.listeners != known:  # a listener was added or removed
                known = list(self.listeners)
                others = [member for member in known if not any(member is writer for writer in writers)]
            for listener in others:
                self._call(listener, message)

    def _give_batch(self, listeners: Sequence[MessageRecipient], batch: MessageBatch) -> int:
        """Pass ``batch`` to the leading listeners that accept batches; return their number."""
        for count, listener in enumerate(listeners):
            if not (isinstance(listener, Listener) and takes_batches(listener)):
                return count
            self._call(listener.on_batch_received, batch)
        return len(listeners)

    def _call(self, function: Callable[..., Any], *frames: Message | MessageBatch) -> None:
        """Call a listener; offer its error to all listeners."""
        try:
            result = function(*frames)
        except Exception as error:
            self.failed(error)
            return
        if result is not None and self._loop is not None:
            self._schedule(result)

    def _schedule(self, result: Any) -> None:
        """Run the coroutine that a listener returned in the loop."""
        from asyncio import ensure_future
        from inspect import isawaitable

        if isawaitable(result):
            task = ensure_future(result, loop=self._loop)
            self._tasks.add(task)  # the loop itself keeps weak references only
            task.add_done_callback(self._task_ended)

    def _task_ended(self, task: Future[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self.failed(error)

    def failed(self, error: Exception) -> bool:
        """Offer ``error`` to the listeners; return whether to continue. For receivers.

        Raises:
            Exception: ``error``, if no listener handled it.
        """
        self.exception = error
        is_handled = False
        for listener in tuple(self.listeners):
            on_error = getattr(listener, "on_error", None)
            if on_error is None:
                continue
            try:
                on_error(error)
            except NotImplementedError:
                continue
            is_handled = True
        if not is_handled:
            raise error
        return not self._stopped

    def idle(self) -> None:
        """Flush writers, as the bus is quiet; for receivers."""
        if self._unflushed:
            with self._turn:
                self._flush()

    def _flush(self) -> None:
        self._unflushed = False
        self._flushed = time.monotonic()
        for listener in tuple(self.listeners):
            flush = getattr(listener, "flush", None) if takes_batches(listener) else None
            if flush is not None:
                self._call(flush)

    # --- the end --------------------------------------------------------------------------------------

    def stop(self, timeout: float = 5) -> None:
        """Stop receiving, then call ``stop()`` of every listener that has it; the buses stay open.

        Waits up to ``timeout`` seconds for the threads. Queued messages are still delivered, within a bound
        on a busy bus. If a listener calls this, it takes effect after the messages that were fetched
        together. A second call does nothing.
        """
        self._stopping = True
        if self._calling == threading.get_ident():
            self._asked_by = self._calling
            return
        deadline = Deadline(timeout)
        for receiver in self._receivers:
            receiver.end()
        for receiver in self._receivers:
            receiver.join(deadline.remaining())
        _release(self)
        with _registry:
            before, self._stopped = self._stopped, True
        if before:
            return
        with ExitStack() as stops:  # all, even if one raises
            for listener in reversed(self.listeners):
                stop = getattr(listener, "stop", None)
                if stop is not None:
                    stops.callback(stop)

    def ended(self, bus: BusABC) -> None:
        """Release ``bus``, from which nothing is received any more; for receivers."""
        _release(self, bus)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _claim(notifier: Notifier, buses: list[BusABC]) -> None:
    """Make ``notifier`` the only notifier of ``buses``, or raise ValueError."""
    with _registry:
        for bus in buses:
            if any(bus is owned for owned, _ in _active):
                raise ValueError("A bus can not be added to multiple active Notifier instances.")
        _active.extend((bus, notifier) for bus in buses)


def _release(notifier: Notifier, bus: BusABC | None = None) -> None:
    """Give up ``bus``, or all buses, of ``notifier``."""
    with _registry:
        _active[:] = [
            (owned, owner)
            for owned, owner in _active
            if owner is not notifier or (bus is not None and owned is not bus)
        ]


_active: list[tuple[BusABC, Notifier]] = []
_registry = threading.Lock()
