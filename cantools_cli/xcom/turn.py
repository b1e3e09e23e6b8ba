"""Whose turn it is on a bus: one transaction at a time, among threads and among processes of a user.

A gateway answers one request after the other, and its replies do not say which request they answer. So
whoever has a transaction on a bus holds the lock of that bus's name until it has ended.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cantools_cli.bus.deadline import Deadline
from cantools_cli.errors import CanError, CanTimeoutError

try:
    import fcntl
except ImportError:  # Windows: turns among threads alone
    fcntl = None  # type: ignore[assignment]  # checked before each use

#: how long to wait for others to end their transactions
PATIENCE = 10.0

_locks: dict[str, threading.Lock] = {}
_locks_lock = threading.Lock()


class Turns:
    """The turns on the bus called ``name``; keep one object for each bus that is open."""

    def __init__(self, name: str) -> None:
        self.name = name
        with _locks_lock:
            self._lock = _locks.setdefault(name, threading.Lock())
        self._fd = -1

    @contextmanager
    def take(self, patience: float = PATIENCE, *, among_processes: bool = True) -> Iterator[None]:
        """Have the bus alone while the body runs; among the threads of this process at least.

        Raises:
            CanTimeoutError: others did not let it go within ``patience`` seconds.
        """
        deadline = Deadline(patience)
        if not self._lock.acquire(timeout=patience):
            raise self._busy()
        try:
            if among_processes:
                self._lock_file(deadline)
            try:
                yield
            finally:
                if among_processes and self._fd >= 0:
                    fcntl.flock(self._fd, fcntl.LOCK_UN)
        finally:
            self._lock.release()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _busy(self) -> CanTimeoutError:
        return CanTimeoutError(
            f"{self.name}: another program keeps it busy", hint="end it, or try again later"
        )

    def _lock_file(self, deadline: Deadline) -> None:
        if fcntl is None:
            return
        if self._fd < 0:
            self._fd = _open_lock(self.name)
        while self._fd >= 0:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if deadline.passed:
                    raise self._busy() from None
                deadline.pause()
            except OSError:  # a file system without locks: turns among threads alone
                return


def _open_lock(name: str) -> int:
    """Open the file that is locked, in the private folder of the user; -1 where there is none."""
    from cantools_cli.backends.virtual.line import folder_name, net_folder, net_name

    with suppress(CanError, OSError):
        path = os.path.join(net_folder(net_name(None)), f".xcom-{folder_name(name)}.lock")
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return -1
