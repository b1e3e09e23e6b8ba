"""Streams of bytes for readers and writers: paths, pipes and text streams, with ``.gz`` and ``.zst``.

This module knows no log format.
"""

from __future__ import annotations

import io
import os
import stat
import zlib
from typing import Any, TypeGuard, cast

from cantools_cli.errors import UsageError
from cantools_cli.io import locks
from cantools_cli.io.compression import (
    FIRST_BYTES,
    UNSUPPORTED_MAGIC,
    compression_at,
    compression_of,
    deflater,
    goes_on,
    inflater,
)
from cantools_cli.io.text_streams import is_text, reader_of, stays_open, takes_text, utf8_buffer
from cantools_cli.kernels.buffers import ReadBuffer

AnyFile = Any  # a path, or a binary or text stream

CHUNK = 1 << 18
_INFLATED = 1 << 20  # maximum bytes of one inflating step


def is_path(file: AnyFile) -> TypeGuard[str | os.PathLike[str]]:
    return isinstance(file, str | os.PathLike)


def display_name(file: AnyFile) -> str:
    """Return the name of ``file`` for messages, ``-`` if it has none."""
    if is_path(file):
        return os.fspath(file)
    name = getattr(file, "name", None)
    return name if isinstance(name, str) and not name.startswith("<") else "-"


def as_input(file: AnyFile) -> InputStream:
    """Return ``file`` as an input that closes it, except for standard streams and streams in memory."""
    if isinstance(file, InputStream):
        return file
    return InputStream(file, owned=is_path(file) or not stays_open(file))


class InputStream:
    """A source of bytes: ``read`` returns available bytes without waiting, and b"" only at the end."""

    def __init__(self, file: AnyFile, *, owned: bool | None = None) -> None:
        self.name = display_name(file)  #: the name for messages
        self.notes: list[str] = []  #: one line per problem of the file; complete once the end is reached
        self.consumed = 0  #: bytes read so far, before decompression
        self.size: int | None = None  #: the total of ``consumed``, None for a pipe
        self._owned = is_path(file) if owned is None else owned  # closed with this
        self.file: Any = file
        if is_path(file):
            self.file = open(file, "rb", buffering=0)  # noqa: SIM115  # closed by close()
            status = os.fstat(self.file.fileno())
            self.size = status.st_size if stat.S_ISREG(status.st_mode) else None
        self._read = reader_of(self.file)
        # a subclass of io's base classes inherits a readinto that need not work
        direct = isinstance(self.file, io.FileIO) or not (
            isinstance(self.file, io.IOBase) or is_text(self.file)
        )
        self._readinto = getattr(self.file, "readinto", None) if direct else None
        self._head = b""
        self._inflater: Any = None
        self.compression = ""  #: ``gzip``, ``zstd``, or empty
        self._compressed = b""
        self._peel()

    def text(self) -> Any:
        """Return the open stream, as a text stream if it was opened from the path of a plain file."""
        if isinstance(self.file, io.FileIO) and not self.compression:
            return io.TextIOWrapper(self.file, encoding="utf-8")
        return self.file

    def peek(self, size: int) -> bytes:
        """Return up to ``size`` of the first bytes, at least 16 if there are any, without consuming them."""
        while len(self._head) < min(size, 16):
            more = self._next(CHUNK)
            if not more:
                break
            self._head += more
        return self._head[:size]

    def read(self, size: int = CHUNK) -> bytes:
        """Return at least one and about ``size`` bytes, without waiting for more; b"" at the end."""
        if self._head:
            head, self._head = self._head, b""
            return head
        return self._next(size)

    def random_access(self) -> tuple[Any, int] | None:
        """Return (file, position of the first byte) for random access; None for pipes and compressed data."""
        if self.size is None or self._inflater is not None:
            return None
        return self.file, self.file.tell() - len(self._head)

    def readinto(self, room: memoryview) -> int:
        """Read as ``read``, into ``room``; return the number of bytes, 0 at the end."""
        if not self._head and self._inflater is None and self._readinto is not None:
            size = self._readinto(room) or 0
            self.consumed += size
            return size
        data = self.read(len(room))
        size = min(len(data), len(room))
        room[:size] = data[:size]
        self._head = data[size:] + self._head
        return size

    def read_behind(self, text: bytearray, have: int, size: int) -> int:
        """Read up to ``size`` bytes after the first ``have`` of ``text``; return their number."""
        if len(text) - have < size:
            text.extend(bytes(size))
        with memoryview(text) as view:
            return self.readinto(view[have : have + size])

    def seekable_file(self) -> Any | None:
        """Return the file if it is seekable and binary; None for a pipe, and for compressed data."""
        file = getattr(self.file, "buffer", self.file)
        if self._inflater is not None or isinstance(file, io.TextIOBase):
            return None
        return file if _can_seek(file) else None

    def close(self) -> None:
        if self._owned:
            self.file.close()

    def _raw(self, size: int) -> bytes:
        data = self._read(size) or b""
        self.consumed += len(data)
        return data

    def _peel(self) -> None:
        head = b""
        while len(head) < 6:
            more = self._raw(CHUNK)
            if not more:
                break
            head += more
            if head[0] not in FIRST_BYTES:
                break
        for magic, (kind, tool) in UNSUPPORTED_MAGIC.items():
            if head.startswith(magic):
                raise UsageError(
                    f"{self.name}: {kind} compression is not supported", hint=f"{tool} FILE | canx ..."
                )
        self.compression = compression_at(head)
        if self.compression:
            self._compressed = head
            self._inflater = inflater(self.compression)
        else:
            self._head = head

    def _next(self, size: int) -> bytes:
        if self._inflater is None:
            return self._raw(size)
        while True:
            self._compressed = self._compressed or self._raw(size)
            ended = not self._compressed
            if self._inflater.eof:
                if not ended:
                    self._next_member()
                if self._inflater is None or ended:
                    return b""
                continue
            try:
                # bounded, since a file may inflate to a thousand times its size
                data = self._inflater.decompress(self._compressed, _INFLATED)
            except (zlib.error, ValueError) as error:  # zstd's is a ValueError
                self.notes.append(f"damaged {self.compression} data: {error}")
                self._drop_rest()
                return b""
            self._compressed = self._inflater.unused_data or self._inflater.unconsumed_tail
            if data:
                return cast("bytes", data)
            if ended and not self._inflater.eof:
                self.notes.append(f"the {self.compression} data is cut off; the data before the cut was read")
                self._drop_rest()
                return b""

    def _next_member(self) -> None:
        """Start the member that follows in a concatenated file, or skip padding."""
        self._compressed = self._compressed.lstrip(b"\0")
        if not self._compressed:
            return
        if not goes_on(self.compression, self._compressed):
            self.notes.append(f"{len(self._compressed)} bytes after the {self.compression} data left out")
            self._drop_rest()
            return
        self._inflater = inflater(self.compression)

    def _drop_rest(self) -> None:
        self._compressed = b""
        self._inflater = None
        self._read = lambda size: b""
        self._readinto = None


class OutputStream:
    """A destination of bytes: a path, a binary stream or a text stream.

    The data is compressed if the path ends in ``.gz`` or ``.zst``, or if ``compression`` is set. ``append``
    adds to the existing data; compressed data is added as another member, which readers join. A text stream
    is written in its own encoding, unless the format ``is_binary``.
    """

    def __init__(
        self,
        file: AnyFile,
        *,
        append: bool = False,
        compression: str | None = None,
        owned: bool | None = None,
        is_binary: bool = False,
    ) -> None:
        self.name = display_name(file)
        self.written = 0  #: bytes in the file so far, after compression; those before only with ``append``
        self.is_locked = False  #: whether ``close`` releases a lock of a stream that stays open
        raw: Any = None
        self._owned = is_path(file) if owned is None else owned
        if is_path(file):
            path = os.fspath(file)
            compression = compression or compression_of(path)
            self._deflater = deflater(compression)  # first, so that no file is created if it fails
            file = raw = _open_to_write(path, append)
            if append and raw.seekable():
                self.written = raw.seek(0, os.SEEK_END)
            if not is_binary and compression is None:
                file = io.TextIOWrapper(raw, encoding="utf-8", newline="", write_through=True)
        else:
            self._deflater = deflater(compression)
            if append and _is_seekable(file):
                self.written = file.tell()
        self.file = file  #: the open stream; for a path a text stream, unless binary or compressed
        self._text: Any = None
        if raw is not None:
            file = raw
        elif is_text(file) if is_binary else takes_text(file):
            if hasattr(file, "flush"):
                file.flush()
            buffer = utf8_buffer(file) if is_binary or append else None
            if is_binary and buffer is None:
                raise UsageError(f"{self.name} is a text stream, but the format is binary", hint="mode 'wb'")
            self._text = file if buffer is None else None
            file = buffer or file
        self._out: Any = file
        self._dirty = False
        self.seekable = compression is None and self._text is None and _is_seekable(file)

    def write(self, data: ReadBuffer) -> None:
        """Write all of ``data``.

        Raises:
            OSError: the disk is full, or the reader of the pipe was closed.
        """
        if self._deflater is not None:
            self._dirty = True
            data = self._deflater.compress(data)
        self._write(data)

    def flush(self) -> None:
        """Pass all data to the operating system, so that it can be read from now on."""
        if self._deflater is not None and self._dirty:
            self._dirty = False
            self._write(self._deflater.flush_block())
        if hasattr(self._out, "flush"):
            self._out.flush()

    def tell(self) -> int:
        """Return the position in a file that is ``seekable``."""
        return int(self._out.tell())

    def seek_end(self) -> int:
        """Go to the end of a file to continue; return its size."""
        if not self.seekable:
            raise UsageError(f"{self.name}: only an uncompressed file can be continued")
        self.written = int(self._out.seek(0, os.SEEK_END))
        return self.written

    def patch(self, position: int, data: bytes) -> None:
        """Replace bytes that were written earlier."""
        end = self._out.tell()
        self._out.seek(position)
        self._out.write(data)
        self._out.seek(end)

    def read_back(self, position: int, size: int) -> bytes:
        """Return bytes of a file to continue; the write position does not change."""
        end = self._out.tell()
        self._out.seek(position)
        data = cast("bytes", self._out.read(size))
        self._out.seek(end)
        return data

    def truncate(self, size: int) -> None:
        """Cut the file to ``size`` bytes and continue writing there."""
        self._out.truncate(size)
        self._out.seek(size)
        self.written = size

    def close(self) -> None:
        """Finish the compression, and close the file if this object owns it."""
        if self._out is None:
            return
        try:
            if self._deflater is not None:
                self._write(self._deflater.finish())
                self._deflater = None
            if hasattr(self._out, "flush"):
                self._out.flush()
        finally:
            if self._owned:
                self.file.close()
            elif self.is_locked:
                locks.unlock(self._out)
            self._out = None

    def _write(self, data: ReadBuffer) -> None:
        if not len(data):
            return
        if self._text is not None:
            # whole characters, in the stream's own encoding
            self._text.write(bytes(data).decode("utf-8", "surrogateescape"))
            self.written += len(data)
            return
        view = memoryview(data)
        while view:
            try:
                count = self._out.write(view)  # a raw file may write less than all
            except OSError as error:
                error.filename = error.filename or self.name  # missing for a full disk
                raise
            if count is None:
                raise BlockingIOError("the output is not ready")
            self.written += count
            view = view[count:]


def _open_to_write(path: str, append: bool) -> Any:
    """Open ``path``, with a lock on a regular file; without ``append`` it is emptied once it is locked."""
    # "r+b", since headers are patched: "ab" would move every write to the end
    mode = "r+b" if append and os.path.isfile(path) else "wb"

    def open_file() -> Any:
        return open(path, mode, 0, opener=locks.without_truncation)

    file = locks.open_locked(open_file, path)
    if not append and stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.truncate(0)
    return file


def _is_seekable(file: Any) -> bool:
    return _can_seek(file) and not appends(file)


def _can_seek(file: Any) -> bool:
    try:
        return bool(file.seekable())
    except AttributeError:
        return False


def appends(file: Any) -> bool:
    """Return whether every write goes to the end of the file, as with a shell's ``>>``."""
    try:
        from fcntl import F_GETFL, fcntl

        return bool(fcntl(file.fileno(), F_GETFL) & os.O_APPEND)
    except (ImportError, AttributeError, OSError):  # no such calls, or no such file
        return False
