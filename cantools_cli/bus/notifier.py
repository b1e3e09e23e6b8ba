"""Gives the messages of buses to listeners: in a thread for each bus, or in an event loop.

What was fetched from a bus reaches the listeners before ``stop`` ends; what was not is still there for
``recv``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import ExitStack
from types import TracebackType
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
    """Gives every message of one or more buses to every listener, in their order; a context manager.

    A listener is a ``Listener`` or any callable that takes a message. What listeners do never overlaps:
    there is one message at a time, whatever the number of buses. Writers that come before all other
    listeners take what is waiting at once; a writer behind those sees the message that they saw.

    Without ``loop`` each bus has a thread. With an event loop, listeners run in the loop, may be
    coroutine functions, and a bus that has a descriptor needs no thread. ``timeout`` is the longest wait
    in seconds for a message, after which a thread looks whether it is to end: only a bus without a
    descriptor makes ``stop`` wait that long.

    A listener's error is offered to all listeners' ``on_error``. If none of them takes it, it ends the
    receiving from the bus whose message it was; a bus's own error is treated alike.

    Attributes:
        listeners: who gets the messages.
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
        self._turn = threading.Lock()  # whoever has it calls the listeners
        self._calling: int | None = None  # the thread that does
        self._flushed = time.monotonic()
        self._unflushed = False
        self._tasks: set[Future[Any]] = set()
        self._asked_by: int | None = None  # the thread of a listener that called stop()
        self._stopping = False
        self._stopped = False
        buses = list(bus) if isinstance(bus, (list, tuple)) else [bus]
        _claim(self, buses)
        try:
            for one in buses:
                self._start(one)
        except BaseException:
            for receiver in self._receivers:
                receiver.end()
            _release(self)
            raise

    # --- buses and listeners --------------------------------------------------------------------------

    @property
    def bus(self) -> BusABC | tuple[BusABC, ...]:
        """The bus, or a tuple of them where there is not one alone."""
        return self._buses[0] if len(self._buses) == 1 else tuple(self._buses)

    @property
    def stopped(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stopping

    def add_bus(self, bus: BusABC) -> None:
        """Give the listeners the messages of ``bus`` as well.

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
        """Return the notifiers that receive from ``bus`` now."""
        with _registry:
            return tuple(notifier for owned, notifier in _active if owned is bus)

    def add_listener(self, listener: MessageRecipient) -> None:
        """Give ``listener`` all later messages, twice if it is there already."""
        self.listeners.append(listener)

    def remove_listener(self, listener: MessageRecipient) -> None:
        """Give ``listener`` no later message, or one time less where it was added more than once.

        Raises:
            ValueError: it was not added.
        """
        self.listeners.remove(listener)

    # --- delivering -----------------------------------------------------------------------------------

    def deliver(self, frames: Frames) -> bool:
        """Give ``frames`` to the listeners; return whether more are wanted. For receivers.

        Raises:
            Exception: a listener's, which no listener took.
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
            if self._asked_by == threading.get_ident():  # a listener, to stop
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
            if self._stopped:  # without waiting for a listener that takes longer than the timeout
                return
            if self.listeners != known:  # a listener came or went
                known = list(self.listeners)
                others = [one for one in known if not any(one is writer for writer in writers)]
            for listener in others:
                self._call(listener, message)

    def _give_batch(self, listeners: Sequence[MessageRecipient], batch: MessageBatch) -> int:
        """Give ``batch`` to the first listeners, as many as take batches; return how many."""
        for count, listener in enumerate(listeners):
            if not (isinstance(listener, Listener) and takes_batches(listener)):
                return count
            self._call(listener.on_batch_received, batch)
        return len(listeners)

    def _call(self, function: Callable[..., Any], *frames: Message | MessageBatch) -> None:
        """Call a listener; what it raises is offered to all."""
        try:
            result = function(*frames)
        except Exception as error:
            self.failed(error)
            return
        if result is not None and self._loop is not None:
            self._schedule(result)

    def _schedule(self, result: Any) -> None:
        """Let the loop run what a coroutine function returned."""
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
        """Offer ``error`` to the listeners; return whether more is wanted. For receivers.

        Raises:
            Exception: ``error``, when nobody took it.
        """
        self.exception = error
        taken = False
        for listener in tuple(self.listeners):
            on_error = getattr(listener, "on_error", None)
            if on_error is None:
                continue
            try:
                on_error(error)
            except NotImplementedError:
                continue
            taken = True
        if not taken:
            raise error
        return not self._stopped

    def idle(self) -> None:
        """Let writers hand on what they gathered, since nothing is coming; for receivers."""
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
        """End the receiving, then call ``stop()`` of every listener that has it; the buses stay open.

        Waits up to ``timeout`` seconds for the threads. What is waiting on a bus is still delivered, unless
        the bus is so busy that this does not end. Called by a listener, it takes effect when the
        messages fetched together with the listener's are delivered. A second call does nothing.
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
        with ExitStack() as stops:  # all of them, whatever one raises
            for listener in reversed(self.listeners):
                stop = getattr(listener, "stop", None)
                if stop is not None:
                    stops.callback(stop)

    def ended(self, bus: BusABC) -> None:
        """Know that nothing comes from ``bus`` any more; for receivers."""
        _release(self, bus)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def _claim(notifier: Notifier, buses: list[BusABC]) -> None:
    """Make ``notifier`` the only one of all ``buses``, or raise."""
    with _registry:
        for bus in buses:
            if any(bus is owned for owned, _ in _active):
                raise ValueError("A bus can not be added to multiple active Notifier instances.")
        _active.extend((bus, notifier) for bus in buses)


def _release(notifier: Notifier, bus: BusABC | None = None) -> None:
    """Let other notifiers have ``bus``, or all buses, of ``notifier``."""
    with _registry:
        _active[:] = [
            (owned, owner)
            for owned, owner in _active
            if owner is not notifier or (bus is not None and owned is not bus)
        ]


_active: list[tuple[BusABC, Notifier]] = []
_registry = threading.Lock()
