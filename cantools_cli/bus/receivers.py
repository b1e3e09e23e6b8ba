"""Receivers, which fetch the frames of one bus for a notifier: by a thread, in an event loop, or by both.

A receiver that ends still delivers the queued frames, so no earlier frame is lost.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from cantools_cli.bus.base import BusABC
from cantools_cli.bus.listeners import is_nearer
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, TimerHandle

Frames = MessageBatch | Sequence[Message]

#: frames delivered at once in an event loop, before other tasks run
SLICE = 512
#: seconds after which writers are flushed, so that a log survives its program
FLUSH_EVERY = 1.0
#: seconds to wait after an error that a listener handled: it may recur at once
PAUSE = 0.1
#: seconds in which queued frames are delivered at the end: a busy bus never runs empty
LAST = 0.5
_MAX_WAIT = 86_400.0  # seconds


class MessageSink(Protocol):
    """The recipient of the frames: a notifier, or a relay to it."""

    def deliver(self, frames: Frames) -> bool: ...
    def failed(self, error: Exception) -> bool: ...
    def idle(self) -> None: ...
    def ended(self, bus: BusABC) -> None: ...


def receiver_for(bus: BusABC, timeout: float, loop: AbstractEventLoop | None, sink: MessageSink) -> Receiver:
    """Return the receiver for ``bus``; ``timeout`` is the longest wait of a thread in seconds."""
    if loop is None:
        return ThreadReceiver(bus, timeout, sink)
    descriptor = _descriptor(bus)
    if descriptor is None:
        return RelayedReceiver(bus, timeout, sink, loop)
    return LoopReceiver(bus, descriptor, sink, loop)


def has_batches(bus: BusABC) -> bool:
    """Return whether to receive from ``bus`` by ``recv_batch``: its class has no ``recv`` of its own."""
    kind = type(bus)
    if not is_nearer(kind, "recv_batch", "recv"):
        return False
    gives_batches = getattr(kind, "_gives_batches", True)  # a wrapper of a bus may lack it
    return gives_batches or kind.recv_batch is not BusABC.recv_batch


def fetch(bus: BusABC, timeout: float | None) -> Frames | None:
    """Return the queued frames, or None after ``timeout`` seconds."""
    if has_batches(bus):
        return bus.recv_batch(timeout)
    message = bus.recv(timeout)
    return None if message is None else (message,)


def _descriptor(bus: BusABC) -> int | None:
    try:
        descriptor = bus.fileno()
    except (AttributeError, NotImplementedError):
        return None
    return descriptor if descriptor >= 0 else None


def _is_closed(bus: BusABC) -> bool:
    """Return whether the owner of ``bus`` closed it, which is not an error."""
    return getattr(bus, "is_shutdown", False)


class ThreadReceiver:
    """Waits for its bus and for the end in a thread."""

    def __init__(self, bus: BusABC, timeout: float | None, sink: MessageSink) -> None:
        self._bus = bus
        self._timeout = timeout
        self._sink = sink
        self._ending = threading.Event()
        self._ends: tuple[int, int] | None = None  # of a pipe; closing the second wakes the thread
        self._closing = threading.Lock()
        self._last = 0.0  # the latest time of fetching, once it ends
        # Only our own buses promise that their descriptor is ready while they hold a frame.
        descriptor = _descriptor(bus) if has_batches(bus) and hasattr(select, "poll") else None
        if descriptor is not None:
            self._ends = os.pipe()
            self._poll = select.poll()
            self._poll.register(descriptor, select.POLLIN)
            self._poll.register(self._ends[0], select.POLLIN)
        self._thread = threading.Thread(target=self._run, name=f"notifier of {bus}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Begin to end."""
        with self._closing:
            if not self._ending.is_set():
                self._last = time.monotonic() + LAST
                self._ending.set()
                if self._ends is not None:
                    os.close(self._ends[1])

    def join(self, timeout: float | None) -> None:
        """Wait for the end, unless called by the thread that ends."""
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _run(self) -> None:
        try:
            while self._step():
                pass
        finally:
            self._sink.ended(self._bus)
            self.end()
            if self._ends is not None:
                os.close(self._ends[0])

    def _step(self) -> bool:
        """Wait for frames and deliver them; return whether to continue."""
        ending = self._ending.is_set()
        try:
            frames = self._wait_and_fetch(0 if ending else self._timeout)
        except Exception as error:
            if _is_closed(self._bus):
                return False
            return self._sink.failed(error) and not self._ending.wait(PAUSE)
        if frames is not None:
            return self._sink.deliver(frames) and not (ending and time.monotonic() >= self._last)
        if not ending:
            self._sink.idle()
        return not ending

    def _wait_and_fetch(self, timeout: float | None) -> Frames | None:
        if self._ends is None:
            return fetch(self._bus, timeout)
        self._poll.poll(None if timeout is None else 1000 * min(timeout, _MAX_WAIT))
        return fetch(self._bus, 0)


class RelayedReceiver(ThreadReceiver):
    """Waits for a bus without a descriptor in a thread, and delivers in an event loop."""

    def __init__(self, bus: BusABC, timeout: float, sink: MessageSink, loop: AbstractEventLoop) -> None:
        self._relay = Relay(sink, loop)
        super().__init__(bus, timeout, self._relay)

    def end(self) -> None:
        super().end()
        self._relay.release()

    def join(self, timeout: float | None) -> None:
        super().join(timeout)
        in_loop(self._relay.loop, self._relay.take, timeout)


class Relay:
    """A sink that passes each call to the event loop and waits for its end."""

    def __init__(self, sink: MessageSink, loop: AbstractEventLoop) -> None:
        self.loop = loop
        self._sink = sink
        self._handed: deque[Callable[[], bool]] = deque()
        self._taken = threading.Event()
        self._released = False
        self._go_on = True

    def deliver(self, frames: Frames) -> bool:
        return self._hand(lambda: self._sink.deliver(frames))

    def failed(self, error: Exception) -> bool:
        return self._hand(lambda: self._sink.failed(error))

    def idle(self) -> None:
        def rest() -> bool:
            self._sink.idle()
            return True

        self._hand(rest)

    def ended(self, bus: BusABC) -> None:
        self._sink.ended(bus)

    def release(self) -> None:
        """Stop waiting for the loop, which may itself wait for the thread."""
        self._released = True
        self._taken.set()

    def _hand(self, action: Callable[[], bool]) -> bool:
        self._taken.clear()
        self._handed.append(action)
        try:
            self.loop.call_soon_threadsafe(self.take)
        except RuntimeError:  # the loop is closed
            return False
        if not self._released:
            self._taken.wait()
        return self._go_on

    def take(self) -> None:
        """Run the queued calls; called in the loop."""
        try:
            while self._handed:
                self._go_on = self._handed.popleft()()
        except BaseException:
            self._go_on = False
            raise
        finally:
            self._taken.set()


class LoopReceiver:
    """Receives in an event loop, whenever the descriptor of the bus is ready."""

    def __init__(self, bus: BusABC, descriptor: int, sink: MessageSink, loop: AbstractEventLoop) -> None:
        self._bus = bus
        self._descriptor = descriptor
        self._sink = sink
        self._loop = loop
        self._rest: MessageBatch | None = None  # fetched, but not delivered yet
        self._idle: TimerHandle | None = None
        self._ending = False

    def start(self) -> None:
        in_loop(self._loop, self._watch, None)

    def end(self) -> None:
        self._ending = True

    def join(self, timeout: float | None) -> None:
        in_loop(self._loop, self._finish, timeout)

    def _watch(self) -> None:
        if not self._ending:
            self._loop.add_reader(self._descriptor, self._readable)

    def _finish(self) -> None:
        """Deliver the queued frames and stop receiving; the loop reports an error."""
        self._quit()
        last = time.monotonic() + LAST
        try:
            frames: Frames | None = self._rest
            self._rest = None
            while frames is not None or not _is_closed(self._bus):
                frames = frames or fetch(self._bus, 0)
                if frames is None or not self._sink.deliver(frames) or time.monotonic() >= last:
                    return
                frames = None
        except Exception as error:
            self._loop.call_exception_handler({"message": f"notifier of {self._bus}", "exception": error})

    def _quit(self) -> None:
        self._ending = True
        if self._idle is not None:
            self._idle.cancel()
        if not self._loop.is_closed():
            self._loop.remove_reader(self._descriptor)
        self._sink.ended(self._bus)

    def _readable(self) -> None:
        if self._rest is not None or self._ending:
            return
        try:
            frames = fetch(self._bus, 0)
        except Exception as error:
            self._bus_failed(error)
            return
        if isinstance(frames, MessageBatch):
            self._rest = frames
            self._go_on()
        elif frames is not None:
            self._deliver(frames)
            self._loop.call_soon(self._readable)  # the bus may have read ahead

    def _go_on(self) -> None:
        rest = self._rest
        if rest is not None:
            self._rest = rest.part(SLICE, len(rest)) if len(rest) > SLICE else None
            if self._rest is not None:
                self._loop.call_soon(self._go_on)
                rest = rest.part(0, SLICE)
            self._deliver(rest)

    def _deliver(self, frames: Frames) -> None:
        try:
            self._sink.deliver(frames)
        except BaseException:
            self._quit()
            raise
        if self._idle is None and not self._ending:
            self._idle = self._loop.call_later(FLUSH_EVERY, self._on_idle)

    def _on_idle(self) -> None:
        self._idle = None
        self._sink.idle()

    def _bus_failed(self, error: Exception) -> None:
        self._loop.remove_reader(self._descriptor)
        if _is_closed(self._bus):
            self._quit()
            return
        try:
            self._sink.failed(error)
        except BaseException:
            self._quit()
            raise
        self._loop.call_later(PAUSE, self._watch)


#: receives from one bus
Receiver = ThreadReceiver | LoopReceiver


def in_loop(loop: AbstractEventLoop, action: Callable[[], None], timeout: float | None) -> None:
    """Run ``action`` in the thread of ``loop``, and wait up to ``timeout`` seconds for its end.

    It runs in this thread if the loop does, or if the loop is not running.
    """
    from asyncio import get_running_loop

    try:
        running: AbstractEventLoop | None = get_running_loop()
    except RuntimeError:
        running = None
    if running is loop or not loop.is_running():
        action()
        return
    done = threading.Event()

    def act() -> None:
        try:
            action()
        finally:
            done.set()

    loop.call_soon_threadsafe(act)
    done.wait(timeout)
