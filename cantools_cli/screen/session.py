"""A table that a thread feeds from a source, while a screen looks at it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

from cantools_cli.batch import MessageBatch
from cantools_cli.errors import CanError, FormatError, UsageError
from cantools_cli.message import Channel
from cantools_cli.replay import PART_ROWS, Pacer, Part, Rational, Schedule, Timetable
from cantools_cli.sniff.rates import Rates, Speed
from cantools_cli.sniff.table import Table

#: between two looks at the source: what comes meanwhile is one batch, and costs what a single frame does
GATHER_SECONDS = 0.005


class Pause:
    """The time of the view, in nanoseconds; it stands still while paused, and who asks then waits."""

    def __init__(self, stopped: threading.Event) -> None:
        self._stopped = stopped
        self._runs = threading.Event()
        self._runs.set()
        self._lost_ns = 0
        self._since_ns = 0

    @property
    def is_on(self) -> bool:
        return not self._runs.is_set()

    def now_ns(self) -> int:
        self._runs.wait()
        return time.monotonic_ns() - self._lost_ns

    def sleep(self, seconds: float) -> None:
        self._stopped.wait(min(seconds, 0.1))

    def toggle(self) -> None:
        if self.is_on:
            self._lost_ns += time.monotonic_ns() - self._since_ns
            self._runs.set()
        else:
            self._since_ns = time.monotonic_ns()
            self._runs.clear()

    def end(self) -> None:
        self._runs.set()


class Session:
    """Feeds a table from ``batches``, in its own thread, and paces them where a ``speed`` is given.

    Whoever looks at the table holds ``lock``.

    Attributes:
        error: why the frames ended, if that was no end.
        has_ended: whether no more come.
        notes: what there is to say, the latest last.
        on_batch: called with each batch, under the lock: a recording.
    """

    def __init__(
        self,
        batches: Callable[[], Iterator[MessageBatch]],
        *,
        is_paced: bool = False,
        speed: Rational | None = 1,
        stop: Callable[[], None] = lambda: None,
    ) -> None:
        self.lock = threading.Lock()
        self.table = Table()
        self.rates = Rates(self.table)
        self.error: CanError | FormatError | UsageError | OSError | None = None
        self.has_ended = False
        self.notes: deque[str] = deque(maxlen=20)
        self.on_batch: Callable[[MessageBatch], None] | None = None
        self._batches = batches
        self._speed = speed
        self._stop_source = stop
        self._stopped = threading.Event()
        self.pause = Pause(self._stopped)
        self._is_paced = is_paced
        self._thread = threading.Thread(target=self._run, name="canx-sniff", daemon=True)

    @property
    def is_paced(self) -> bool:
        """Whether a pause stops the source, and not only the picture."""
        return self._is_paced

    @staticmethod
    def now_ns() -> int:
        """The time that changes are stamped with."""
        return time.monotonic_ns()

    def start(self, speeds: dict[Channel, Speed] | None = None) -> None:
        self.rates = Rates(self.table, speeds)
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end, and wait for it."""
        self._stopped.set()
        self.pause.end()
        self._stop_source()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def clear(self) -> None:
        with self.lock:
            self.table.clear()
            self.rates.restart()

    def _run(self) -> None:
        try:
            if self._is_paced and self._speed is not None:
                timetable = Timetable(Schedule(self._speed))
                Pacer(timetable, self.pause, self._stopped.is_set).run(self._parts())
            else:
                for batch in self._batches():
                    self._take(batch)
                    if self._stopped.wait(GATHER_SECONDS):
                        return
        except (CanError, FormatError, UsageError, OSError) as error:
            self.error = error
        finally:
            self.has_ended = True

    def _parts(self) -> Iterator[Part | None]:
        for batch in self._batches():
            for first in range(0, len(batch), PART_ROWS):
                yield self._part(batch.part(first, min(first + PART_ROWS, len(batch))))

    def _part(self, batch: MessageBatch) -> Part:
        return Part(batch.timestamp_ns, lambda first, last: self._take(batch.part(first, last)))

    def _take(self, batch: MessageBatch) -> None:
        with self.lock:
            self.table.feed(batch, self.now_ns())
            if self.on_batch is not None and len(batch):
                try:
                    self.on_batch(batch)
                except OSError as error:
                    self.on_batch = None
                    self.notes.append(f"recording ended: {error.strerror or error}")
