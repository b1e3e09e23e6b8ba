"""Text streams in place of binary files: recognising them, and reading and writing UTF-8 bytes."""

from __future__ import annotations

import codecs
import io
import sys
from typing import Any

_TEXT = (io.TextIOBase, codecs.StreamReader, codecs.StreamWriter, codecs.StreamReaderWriter)
_UTF_8 = ("utf-8", "ascii", "utf-8-sig")


def is_text(file: Any) -> bool:
    """Return whether ``file`` is known to be a text stream, of ``io``, ``codecs`` or ``tempfile``."""
    if isinstance(file, _TEXT):
        return True
    if isinstance(file, io.IOBase):
        return False
    inner = getattr(file, "file", None)  # of a temporary file with a name
    if isinstance(inner, io.IOBase):
        return isinstance(inner, io.TextIOBase)
    if file in (sys.stdout, sys.stderr) or isinstance(getattr(file, "encoding", None), str):
        return True
    mode = getattr(file, "mode", None)
    return isinstance(mode, str) and "b" not in mode


def takes_text(file: Any) -> bool:
    """Return whether ``file`` is written as text; for an object of unknown type an empty text is tried."""
    if is_text(file):
        return True
    if isinstance(file, io.IOBase) or isinstance(getattr(file, "file", None), io.IOBase):
        return False
    if isinstance(getattr(file, "mode", None), str):
        return False
    try:
        file.write("")
    except Exception:  # an object that wants bytes may raise anything
        return False
    return True


def utf8_buffer(file: Any) -> Any | None:
    """Return the binary stream of a text stream whose bytes are UTF-8, at the same position, or None."""
    buffer = getattr(file, "buffer", None)
    encoding = getattr(file, "encoding", None)
    if buffer is None or not isinstance(encoding, str) or codecs.lookup(encoding).name not in _UTF_8:
        return None
    try:
        if file.seekable():
            file.seek(file.tell())  # the buffer is ahead of a text that was read in part
    except (OSError, ValueError):
        return None  # the position is unknown inside a loop over lines
    return buffer


def reader_of(file: Any) -> Any:
    """Return a function that reads at most n available bytes of ``file``; text is encoded in UTF-8."""
    if is_text(file):
        buffer = utf8_buffer(file)
        if buffer is None:
            return lambda size: file.read(size).encode("utf-8", "surrogateescape")
        file = buffer
    if hasattr(file, "read1"):
        return file.read1
    if isinstance(file, io.IOBase) or hasattr(file, "readinto"):
        return file.read

    def read(size: int) -> bytes:
        data = file.read(size)
        return data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data

    return read


def stays_open(file: Any) -> bool:
    """Return whether ``file`` stays open: a standard stream, or one in memory, which would lose its data."""
    standard = (sys.stdin, sys.stdout, sys.stderr, sys.__stdin__, sys.__stdout__, sys.__stderr__)
    if any(file is stream or file is getattr(stream, "buffer", stream) for stream in standard):
        return True
    return isinstance(file, io.BytesIO | io.StringIO) or not hasattr(file, "close")
