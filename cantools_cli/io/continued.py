"""Log files to continue: opened, locked, and checked before anything is appended."""

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
    """A file to continue, positioned at its end."""

    file: io.FileIO
    is_empty: bool = True  #: whether the file is empty, so that it gets the header of a new log
    is_cut: bool = False  #: whether the file is compressed text that ends inside a line


def open_to_continue(path: str, form: str, note: Callable[[str], None] | None = None) -> Continued:
    """Open ``path``, or create it, to append to it in the format ``form``.

    ``note`` is called with a warning if the file cannot be locked. Compressed data is checked up to its end,
    since data that follows damage cannot be read.

    Raises:
        UsageError: the file has another format or compression, or is damaged.
        FileInUseError: another writer has the file open.
        OSError: the file cannot be opened.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        return Continued(io.FileIO(path, "wb"))

    def open_file() -> io.FileIO:
        return io.FileIO(path, "rb+" if os.path.exists(path) else "xb+")

    shares = form in plugins.FORMATS and plugins.FORMATS[form].is_shared
    file = open_file() if shares else locks.open_locked(open_file, path, note)
    try:
        continued = Continued(file, is_empty=os.fstat(file.fileno()).st_size == 0)
        if not continued.is_empty:
            continued.is_cut = _check(InputStream(file), path, form)
        file.seek(0, os.SEEK_END)
    except BaseException:
        file.close()
        raise
    return continued


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
    return FormatError(f"{reason}, so the file cannot be continued", byte=position)


def _check(stream: InputStream, path: str, form: str) -> bool:
    """Return whether compressed text ends inside a line; raise UsageError if nothing can be appended."""
    wanted = compression_of(path) or ""
    if stream.compression != wanted:
        held = stream.compression or "uncompressed"
        raise UsageError(f"{path}: holds {held} data; only {held} data can be appended")
    head = stream.peek(HEAD)
    if head and not plugins.reader_class(form).recognises(head):
        raise UsageError(
            f"{path}: not a file of the format {form}, so it cannot be continued", hint="--force replaces it"
        )
    if not wanted:
        return False
    last = b"\n"
    for data in iter(stream.read, b""):
        last = data[-1:]
    if stream.notes:
        raise UsageError(
            f"{path}: {stream.notes[0]}; appended frames could not be read",
            hint=f"canx convert {path} -o OTHER saves the readable part",
        )
    return last != b"\n" and not plugins.FORMATS[form].is_binary
