"""A thread that runs many actions, each at its own times; one sends all periodic messages of a bus."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any

from cantools_cli.periodic.schedule import Schedule

#: seconds that ``stop`` waits for a running action, whose bus may be stuck
STOP_SECONDS = 1.0
#: seconds of the longest single wait; a lock accepts no more than some years
_MAX_WAIT = 86_400.0


class PeriodicRun:
    """One run of a task, from its start to its end: ``action`` at the times of ``schedule``.

    ``action`` returns whether to continue. ``on_end`` is called if the run ends by itself, not if it is
    stopped.
    """

    __slots__ = ("action", "is_over", "on_end", "schedule")

    def __init__(
        self, action: Callable[[PeriodicRun], bool], on_end: Callable[[PeriodicRun], None], schedule: Schedule
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
    """Calls the action of each run when it is due, in one thread that exists while there are runs.

    ``clock`` returns nanoseconds, ``changed`` is a condition, and ``new_thread`` starts the thread.
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
        self._agenda: list[tuple[int, int, PeriodicRun]] = []
        self._numbers = count()  # order of runs that are due at the same time
        self._is_working = False
        self._doing: PeriodicRun | None = None

    def start(self, run: PeriodicRun) -> None:
        """Start ``run`` now."""
        with self._changed:
            run.schedule.begin(self._clock())
            self._enter(run)
            if self._is_working:
                self._changed.notify_all()
            else:
                self._is_working = True
                self.thread = self._new_thread(self.work)

    def stop(self, run: PeriodicRun) -> None:
        """Stop ``run``, and wait up to ``STOP_SECONDS`` for the end of its action."""
        with self._changed:
            run.is_over = True
            self._agenda = [entry for entry in self._agenda if entry[2] is not run]
            heapify(self._agenda)
            self._changed.notify_all()
            if threading.current_thread() is not self.thread:
                self._changed.wait_for(lambda: self._doing is not run, STOP_SECONDS)

    def work(self) -> None:
        """Call due actions until no run is left."""
        while (run := self._next()) is not None:
            self._done(run, run.action(run))

    def _next(self) -> PeriodicRun | None:
        """Wait for the next due run and return it, or None if no run is left."""
        with self._changed:
            while self._agenda:
                # first of all: a garbage collection below may stop a run
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

    def _done(self, run: PeriodicRun, goes_on: bool) -> None:
        with self._changed:
            self._doing = None
            was_stopped = run.is_over
            run.schedule.advance(self._clock())
            run.is_over = was_stopped or not goes_on or not self._enter(run)
            self._changed.notify_all()
        if run.is_over and not was_stopped:
            run.on_end(run)

    def _enter(self, run: PeriodicRun) -> bool:
        """Put ``run`` on the agenda; return whether it has another due time."""
        due_ns = run.schedule.due_ns
        if due_ns is not None:
            heappush(self._agenda, (due_ns, next(self._numbers), run))
        return due_ns is not None
