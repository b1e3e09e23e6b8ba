"""A thread that does many things, each at its times: what sends the periodic messages of one bus."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any

from cantools_cli.periodic.schedule import Schedule

#: how long whoever stops a run waits for an action that is going on: a bus may be stuck
STOP_SECONDS = 1.0
#: the longest single wait; a lock takes no more than some years
_MAX_WAIT = 86_400.0


class Run:
    """One run of a task, from its start to its end: ``action`` at the times of ``schedule``.

    ``action`` returns whether to go on. ``on_end`` is called when the run ended by itself, not when it was
    stopped.
    """

    __slots__ = ("action", "is_over", "on_end", "schedule")

    def __init__(
        self, action: Callable[[Run], bool], on_end: Callable[[Run], None], schedule: Schedule
    ) -> None:
        self.action = action
        self.on_end = on_end
        self.schedule = schedule
        self.is_over = False


def _new_thread(target: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=target, name="periodic sending", daemon=True)
    thread.start()
    return thread


class Scheduler:
    """Does each run's action when it is due, one after the other, in a thread that lives while there is any.

    ``clock`` returns nanoseconds, ``changed`` waits, and ``new_thread`` starts the thread.
    """

    def __init__(
        self,
        clock: Callable[[], int] = time.perf_counter_ns,
        changed: Any = None,
        new_thread: Callable[[Callable[[], None]], Any] = _new_thread,
    ) -> None:
        self.thread: Any = None
        self._clock = clock
        self._changed = changed or threading.Condition()
        self._new_thread = new_thread
        self._agenda: list[tuple[int, int, Run]] = []
        self._numbers = count()  # what is due at the same time keeps its order
        self._is_working = False
        self._doing: Run | None = None

    def start(self, run: Run) -> None:
        """Begin ``run`` now."""
        with self._changed:
            run.schedule.begin(self._clock())
            self._enter(run)
            if self._is_working:
                self._changed.notify_all()
            else:
                self._is_working = True
                self.thread = self._new_thread(self.work)

    def stop(self, run: Run) -> None:
        """End ``run``, and wait until its action is not going on, up to ``STOP_SECONDS``."""
        with self._changed:
            run.is_over = True
            self._agenda = [entry for entry in self._agenda if entry[2] is not run]
            heapify(self._agenda)
            self._changed.notify_all()
            if threading.current_thread() is not self.thread:
                self._changed.wait_for(lambda: self._doing is not run, STOP_SECONDS)

    def work(self) -> None:
        """Do what is due until no run is left."""
        while (run := self._next()) is not None:
            self._done(run, run.action(run))

    def _next(self) -> Run | None:
        """Return the run that is due, having waited for it; None when there is none left."""
        with self._changed:
            while self._agenda:
                # taken out before anything else: the collector may run here, and stop a run
                entry = heappop(self._agenda)
                due_ns, _, run = entry
                wait_ns = due_ns - self._clock()
                if run.is_over:
                    continue
                if wait_ns <= 0:
                    self._doing = run
                    return run
                heappush(self._agenda, entry)
                self._changed.wait(min(wait_ns / 1_000_000_000, _MAX_WAIT))
            self._is_working = False
            return None

    def _done(self, run: Run, goes_on: bool) -> None:
        with self._changed:
            self._doing = None
            was_stopped = run.is_over
            run.schedule.advance(self._clock())
            run.is_over = was_stopped or not goes_on or not self._enter(run)
            self._changed.notify_all()
        if run.is_over and not was_stopped:
            run.on_end(run)

    def _enter(self, run: Run) -> bool:
        """Put ``run`` on the agenda; return whether anything of it is due at all."""
        due_ns = run.schedule.due_ns
        if due_ns is not None:
            heappush(self._agenda, (due_ns, next(self._numbers), run))
        return due_ns is not None
