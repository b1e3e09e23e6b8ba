"""One writer per log file: a file that is being written is locked against other writers.

The lock, by ``flock``, belongs to the open file: closing the file releases it, and so does the end of the
process. It is advisory. Pipes and devices are not locked. On Windows and some network mounts, which have no
``flock``, files are written without a lock.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from cantools_cli.errors import FileInUseError

_ATTEMPTS = 100  #: a rotating logger renames its file sometimes, but never this often


def open_locked(open_file: Callable[[], Any], path: str, note: Callable[[str], None] | None = None) -> Any:
    """Call ``open_file``, which opens ``path`` without truncating it; lock the file and return it.

    ``note`` is called with a warning if the filesystem has no locks.

    Raises:
        FileInUseError: another writer has the file open.
        OSError: the file cannot be opened.
    """
    for _ in range(_ATTEMPTS):
        file = open_file()
        try:
            lock(file, path, note=note)
            status = os.fstat(file.fileno())
            with suppress(FileNotFoundError):
                if not stat.S_ISREG(status.st_mode) or os.path.samestat(status, os.stat(path)):
                    return file
        except BaseException:
            file.close()
            raise
        file.close()  # renamed or removed between opening and locking
    raise FileInUseError(path)


def lock(file: Any, path: str, *, shared: bool = False, note: Callable[[str], None] | None = None) -> None:
    """Lock ``file`` until it is closed, if it is a regular file; ``shared`` admits other shared locks."""
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return
    try:
        import fcntl

        fcntl.flock(file.fileno(), (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except ImportError:  # Windows
        return
    except BlockingIOError:
        raise FileInUseError(path) from None
    except OSError:  # ENOLCK, EOPNOTSUPP, ENOSYS: the filesystem has no locks
        if note is not None:
            note(f"{path}: this filesystem has no locks, so another program could write to the file as well")


def unlock(file: Any) -> None:
    """Release the lock of a file that stays open, such as a redirected stdout, which the shell holds open."""
    try:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_UN)
    except (ImportError, OSError, ValueError):  # no locks, or the file is closed
        return


def without_truncation(path: str, flags: int) -> int:
    """Open ``path`` as ``open`` does in any mode, but keep its content: an ``opener`` for ``open``."""
    return os.open(path, (flags & ~os.O_TRUNC) | getattr(os, "O_CLOEXEC", 0), 0o666)
