"""The bus class on a vendor's library, which queues the received frames."""

from __future__ import annotations

import select
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from cantools_cli.backends.transport.sent import sent_copy
from cantools_cli.backends.transport.waiting import Wakeup
from cantools_cli.bus.base import BusABC
from cantools_cli.bus.deadline import Deadline
from cantools_cli.errors import CanError, CanOperationError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel


class Gate:
    """Lets threads into a library until it is closed; closing waits for those inside.

    A context manager for each call: a library that closes a handle while another thread uses it may crash.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._inside: Counter[int] = Counter()
        self.is_closed = False

    def __enter__(self) -> None:
        with self._condition:
            if self.is_closed:
                raise CanOperationError("Cannot operate on a closed bus")
            self._inside[threading.get_ident()] += 1

    def __exit__(self, *_: object) -> None:
        thread = threading.get_ident()
        with self._condition:
            self._inside[thread] -= 1
            if not self._inside[thread]:
                del self._inside[thread]
                if self.is_closed:
                    self._condition.notify_all()

    def close(self) -> bool:
        """Let no thread in any more, and wait until the others have left; return False if it is closed."""
        thread = threading.get_ident()
        with self._condition:
            if self.is_closed:
                return False
            self.is_closed = True
            self._condition.wait_for(lambda: not {*self._inside} - {thread})
        return True


class _Descriptor:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor


class LibraryBus(BusABC):
    """A bus whose received frames are in the queue of a vendor's library.

    ``__init__`` of a subclass opens everything, sets ``_descriptor`` if the library has one that is ready to
    read while frames are queued, and calls ``super().__init__`` last. It implements ``_drain``, ``_release``
    and, without a descriptor, ``_wait``, which returns after the given seconds at the latest. Every other
    call of the library is within ``self._gate``. If the hardware is lost, ``_lose`` makes receiving raise the
    error after the last frame, and close the bus.
    """

    _descriptor: int | None = None
    _slice = 0.1  # seconds of one ``_wait``: how long closing may have to wait

    def __init__(self, *args: object, **kwargs: object) -> None:
        self._prepare()
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # those of BusABC

    def _prepare(self) -> None:
        """Create what a subclass may need while it opens; a second call does nothing."""
        if "_gate" not in vars(self):
            self._gate = Gate()
            self._wakeup = Wakeup()
            self._echoes: deque[MessageBatch] = deque()
            self._lost: CanOperationError | None = None
            self._either: select.epoll | None = None

    @contextmanager
    def _prepared(self) -> Iterator[None]:
        """Prepare the bus, and undo that if the block, which opens the hardware, fails."""
        self._prepare()
        try:
            yield
        except BaseException:
            self._wakeup.close()
            raise

    # --- hooks ----------------------------------------------------------------------------------------

    def _drain(self) -> MessageBatch | None:
        """Return the queued frames, at most some thousands, without waiting; None for none.

        Raises:
            CanOperationError: the library reports a failure that ends no bus.
        """
        raise NotImplementedError

    def _wait(self, seconds: float) -> None:
        """Wait for frames for at most ``seconds``; returning early does no harm."""
        raise NotImplementedError

    def _release(self) -> None:
        """Close everything that ``__init__`` opened, in reverse order; no other thread is inside."""
        raise NotImplementedError

    # --- receiving ------------------------------------------------------------------------------------

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        deadline = Deadline(timeout)
        while True:
            batch = self._fetched()
            if batch is not None:
                return batch
            if self._lost is not None:
                with suppress(CanError):  # closing what is gone may fail; the loss is the error to report
                    self.shutdown()
                raise self._lost
            remaining = deadline.remaining()
            if remaining is not None and remaining <= 0:
                return None
            self._wait_for_frames(remaining)

    def _fetched(self) -> MessageBatch | None:
        """Return the frames in the queue of the library and the echoes, None for none."""
        if self._echoes:
            self._wakeup.clear()
            echo = None
            with suppress(IndexError):  # another thread has taken it
                echo = self._echoes.popleft()
            if self._echoes or self._lost is not None:
                self._wakeup.set()
            if echo is not None:
                return echo
        if self._lost is not None:
            return None
        with self._gate:
            batch = self._drain()
        return batch if batch is not None and len(batch) else None

    def _wait_for_frames(self, remaining: float | None) -> None:
        if self._descriptor is not None:
            with self._gate:
                self._wakeup.wait(remaining, _Descriptor(self._descriptor), select.POLLIN)
            return
        with self._gate:
            if not self._echoes:
                self._wait(self._slice if remaining is None else min(self._slice, remaining))

    def _lose(self, error: CanOperationError) -> None:
        """Note that the hardware is gone: ``_receive`` raises ``error`` when nothing is left."""
        self._lost = self._lost or error
        self._wakeup.set()

    def _echo(self, batch: MessageBatch, channel: Channel) -> None:
        """Let the bus receive ``batch``, which it has sent on ``channel``: for libraries without an echo."""
        self._echoes.append(sent_copy(batch, channel))
        self._wakeup.set()

    def _fileno(self) -> int:
        if self._descriptor is None:
            return super()._fileno()
        if not hasattr(select, "epoll"):
            return self._descriptor
        if self._either is None:  # frames in the library, or echoes
            self._either = select.epoll(2)
            self._either.register(self._descriptor, select.EPOLLIN)
            self._either.register(self._wakeup, select.EPOLLIN)
        return self._either.fileno()

    def _close(self) -> None:
        if self._either is not None:
            self._either.close()
        self._wakeup.close()
        if self._gate.close():  # once: a receiver that finds the hardware lost closes the bus as well
            self._release()


def release_all(*steps: Callable[[], object]) -> None:
    """Call every step, whatever fails before it; raise the first error at the end."""
    failure: BaseException | None = None
    for step in steps:
        try:
            step()
        except Exception as error:  # the later steps release other things
            failure = failure or error
    if failure is not None:
        raise failure
