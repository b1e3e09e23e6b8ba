"""Locks for buses: one transaction at a time, across threads and across processes of a user.

A gateway answers one request at a time, and its replies do not identify their request. A transaction
therefore holds the lock with the name of its bus until it ends.
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
except ImportError:  # Windows: locks between threads only
    fcntl = None  # type: ignore[assignment]  # checked before each use

#: seconds to wait for the transactions of others
PATIENCE = 10.0

_locks: dict[str, threading.Lock] = {}
_locks_lock = threading.Lock()


class Turns:
    """The lock of the bus ``name``; keep one object per open bus."""

    def __init__(self, name: str) -> None:
        self.name = name
        with _locks_lock:
            self._lock = _locks.setdefault(name, threading.Lock())
        self._fd = -1

    @contextmanager
    def take(self, patience: float = PATIENCE, *, among_processes: bool = True) -> Iterator[None]:
        """Hold the lock while the body runs; without ``among_processes`` only within this process.

        Raises:
            CanTimeoutError: the lock was not released within ``patience`` seconds.
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
            f"{self.name}: another program keeps the bus busy", hint="stop it, or try again later"
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
            except OSError:  # a file system without locks: locks between threads only
                return


def _open_lock(name: str) -> int:
    """Open the lock file in the private folder of the user; return -1 if that fails."""
    from cantools_cli.backends.virtual.line import folder_name, net_folder, net_name

    with suppress(CanError, OSError):
        path = os.path.join(net_folder(net_name(None)), f".xcom-{folder_name(name)}.lock")
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return -1
