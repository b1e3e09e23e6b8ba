"""A log file that is to be continued: opened, and looked at before anything is written behind its end."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cantools_cli import plugins
from cantools_cli.errors import FormatError, UsageError
from cantools_cli.io import locks
from cantools_cli.io.compression import compression_of
from cantools_cli.io.files import InputStream
from cantools_cli.io.formats import HEAD


@dataclass
class Continued:
    """A file whose position is its end.

    Attributes:
        is_empty: nothing is in it, so that a log begins as in a new file.
        is_cut: compressed text that ends inside a line, which only a writer of bytes can end.
    """

    file: io.FileIO
    is_empty: bool = True
    is_cut: bool = False


def open_to_continue(path: str, form: str, note: Callable[[str], None] | None = None) -> Continued:
    """Open ``path``, which is created where it is missing, to go on behind its end in the format ``form``.

    ``note`` is called with a warning if the file cannot be locked.

    Compressed data is read to its end, since nothing that stands behind damaged data is ever found again.

    Raises:
        UsageError: the file holds something else, or is compressed in another way, or damaged.
        FileInUseError: another writer has it open.
        OSError: it cannot be opened.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        return Continued(io.FileIO(path, "wb"))

    def open_file() -> io.FileIO:
        return io.FileIO(path, "rb+" if os.path.exists(path) else "xb+")

    shares = form in plugins.FORMATS and plugins.FORMATS[form].is_shared
    file = open_file() if shares else locks.open_locked(open_file, path, note)
    try:
        found = Continued(file, is_empty=os.fstat(file.fileno()).st_size == 0)
        if not found.is_empty:
            found.is_cut = _look(InputStream(file), path, form)
        file.seek(0, os.SEEK_END)
    except BaseException:
        file.close()
        raise
    return found


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Set ``name`` as the file of a FormatError that is raised inside."""
    try:
        yield
    except FormatError as error:
        error.source = name
        raise


def cannot_continue(reason: str, position: int) -> FormatError:
    """Return the error of a file that has no known end, because of the byte at ``position``."""
    return FormatError(f"{reason}, so the file cannot be continued", position=position, unit="byte")


def _look(stream: InputStream, path: str, form: str) -> bool:
    """Return whether compressed text ends inside a line; raise UsageError where nothing can follow."""
    wanted = compression_of(path) or ""
    if stream.compression != wanted:
        held = stream.compression or "uncompressed"
        raise UsageError(f"{path}: holds {held} data, which nothing of another kind can follow")
    head = stream.peek(HEAD)
    if head and not plugins.reader_class(form).recognises(head):
        raise UsageError(
            f"{path}: holds something else than {form}, so it cannot be continued", hint="--force replaces it"
        )
    if not wanted:
        return False
    last = b"\n"
    for data in iter(stream.read, b""):
        last = data[-1:]
    if stream.notes:
        raise UsageError(
            f"{path}: {stream.notes[0]}; what follows it would be lost",
            hint=f"canx convert {path} -o OTHER saves what can be read",
        )
    return last != b"\n" and not plugins.FORMATS[form].is_binary
