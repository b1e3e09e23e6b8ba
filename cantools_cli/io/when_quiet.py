"""An action in the background after a pause: a writer flushes the frames that it gathered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class WhenQuiet:
    """Calls ``act`` in a thread, ``quiet`` seconds after the last ``touch``, or ``limit`` after the first.

    The thread exists only while a call is due, and does not keep the program alive.
    """

    def __init__(self, act: Callable[[], None], quiet: float, limit: float) -> None:
        #: held while ``act`` runs; all other code that uses the same data has to hold it as well
        self.lock = threading.RLock()
        self.failure: Exception | None = None  #: the error of ``act``, which the next ``touch`` raises
        self._act = act
        self._quiet = quiet
        self._limit = limit
        self._changed = threading.Condition(self.lock)
        self._touches = 0
        self._thread: threading.Thread | None = None
        self._is_stopped = False

    def touch(self) -> None:
        """Schedule a call of ``act``, or raise the error of the last one; the caller holds the lock."""
        self.check()
        self._touches += 1
        if self._thread is None and not self._is_stopped:
            self._thread = threading.Thread(target=self._run, daemon=True, name="when-quiet")
            self._thread.start()

    def check(self) -> None:
        """Raise the error of the last call of ``act``, once."""
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure

    def stop(self) -> None:
        """End the thread without another call; the caller must not hold the lock."""
        with self.lock:
            self._is_stopped = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        with self.lock:
            begun, seen = time.monotonic(), -1
            while not self._is_stopped and seen != self._touches and time.monotonic() - begun < self._limit:
                seen = self._touches
                self._changed.wait(self._quiet)
            self._thread = None
            if self._is_stopped:
                return
            try:
                self._act()
            except Exception as error:  # raised in the thread of the caller, which can handle it
                self.failure = error
