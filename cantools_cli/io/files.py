"""Where the bytes of a log come from and go to: paths, pipes, text streams; ``.gz`` peeled off.

Bytes are counted, never guessed at; nothing here knows a log format.
"""

from __future__ import annotations

import io
import os
import stat
import zlib
from typing import Any, TextIO, TypeGuard, cast

from cantools_cli.buffers import Octets
from cantools_cli.errors import UsageError

AnyFile = Any  # a path, or a binary or text stream

GZIP_MAGIC = b"\x1f\x8b"
#: other compressions, named when met so that the message can say what to do
UNSUPPORTED_MAGIC = {
    b"\x28\xb5\x2f\xfd": ("zstd", "zstd -dc"),
    b"\x04\x22\x4d\x18": ("lz4", "lz4 -dc"),
    b"\xfd7zXZ\x00": ("xz", "xz -dc"),
    b"BZh": ("bzip2", "bzip2 -dc"),
}
CHUNK = 1 << 18
_INFLATED = 1 << 20  # most bytes that one step of inflating gives
_GZIP_WBITS = 31


def is_path(file: AnyFile) -> TypeGuard[str | os.PathLike[str]]:
    return isinstance(file, str | os.PathLike)


def display_name(file: AnyFile) -> str:
    """Return what messages call ``file``."""
    if is_path(file):
        return os.fspath(file)
    name = getattr(file, "name", None)
    return name if isinstance(name, str) and not name.startswith("<") else "-"


class InputStream:
    """Bytes to read, as they come: ``read`` returns what is there, and b"" only at the end.

    Attributes:
        name: what messages call it.
        consumed: bytes read so far, before decompression; with ``size`` (None for a pipe) the progress.
        notes: what was odd about the file, a line each; set once the end is reached.
    """

    def __init__(self, file: AnyFile) -> None:
        self.name = display_name(file)
        self.notes: list[str] = []
        self.consumed = 0
        self.size: int | None = None
        self._owned = is_path(file)
        self._file: Any = file
        if is_path(file):
            self._file = open(file, "rb", buffering=0)  # noqa: SIM115  # closed by close()
            status = os.fstat(self._file.fileno())
            self.size = status.st_size if stat.S_ISREG(status.st_mode) else None
        self._read = _reader_of(self._file)
        # io's base classes have a readinto that an object with nothing but read does not support
        direct = isinstance(self._file, io.FileIO) or not isinstance(self._file, io.IOBase)
        self._readinto = getattr(self._file, "readinto", None) if direct else None
        self._head = b""
        self._inflater: Any = None
        self._compressed = b""
        self._peel()

    def peek(self, size: int) -> bytes:
        """Return up to ``size`` first bytes without taking them; fewer when the end or a pause is near.

        Reads on while the bytes there are fewer than 16, too few to recognise a format by.
        """
        while len(self._head) < min(size, 16):
            more = self._next(CHUNK)
            if not more:
                break
            self._head += more
        return self._head[:size]

    def read(self, size: int = CHUNK) -> bytes:
        """Return at least one and about ``size`` bytes, whatever is there first; b"" at the end."""
        if self._head:
            head, self._head = self._head, b""
            return head
        return self._next(size)

    def readinto(self, room: memoryview) -> int:
        """Read as ``read``, into ``room``; return how many bytes there were, 0 at the end."""
        if not self._head and self._inflater is None and self._readinto is not None:
            size = self._readinto(room) or 0
            self.consumed += size
            return size
        data = self.read(len(room))
        size = min(len(data), len(room))
        room[:size] = data[:size]
        self._head = data[size:] + self._head
        return size

    def close(self) -> None:
        if self._owned:
            self._file.close()

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
            if head[:1] not in (b"\x1f", b"\x28", b"\x04", b"\xfd", b"B"):
                break
        for magic, (kind, tool) in UNSUPPORTED_MAGIC.items():
            if head.startswith(magic):
                raise UsageError(
                    f"{self.name}: {kind} compression is not supported", hint=f"{tool} FILE | canx ..."
                )
        if head.startswith(GZIP_MAGIC):
            self._compressed = head
            self._inflater = _gzip_inflater()
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
                # bounded: a small file may inflate to a thousand times its size
                data = self._inflater.decompress(self._compressed, _INFLATED)
            except zlib.error as error:
                self.notes.append(f"damaged gzip data: {error}")
                self._drop_rest()
                return b""
            self._compressed = self._inflater.unused_data or self._inflater.unconsumed_tail
            if data:
                return cast("bytes", data)
            if ended and not self._inflater.eof:
                self.notes.append("the gzip data is cut off; what inflates was read")
                self._drop_rest()
                return b""

    def _next_member(self) -> None:
        """Go on with what follows the end of a member: another one of a concatenated file, or padding."""
        self._compressed = self._compressed.lstrip(b"\0")
        if not self._compressed:
            return
        if not GZIP_MAGIC.startswith(self._compressed[:2]):
            self.notes.append(f"{len(self._compressed)} bytes behind the gzip data left out")
            self._drop_rest()
            return
        self._inflater = _gzip_inflater()

    def _drop_rest(self) -> None:
        self._compressed = b""
        self._inflater = None
        self._read = lambda size: b""
        self._readinto = None


def _gzip_inflater() -> Any:
    return zlib.decompressobj(wbits=_GZIP_WBITS)


def _reader_of(file: Any) -> Any:
    """Return a function that reads at most n bytes from ``file``, as soon as there are any."""
    if isinstance(file, io.TextIOBase):
        buffer = getattr(file, "buffer", None)
        if buffer is None:
            return lambda size: file.read(size).encode("utf-8")
        file = buffer
    if hasattr(file, "read1"):
        return file.read1
    return file.read


class OutputStream:
    """Bytes to write, to a path, a binary or a text stream; compressed where the path ends in ``.gz``.

    Attributes:
        written: bytes handed to the file so far, after compression.
        seekable: whether ``patch`` works.
    """

    def __init__(
        self, file: AnyFile, *, append: bool = False, gzip: bool | None = None, owned: bool | None = None
    ) -> None:
        self.name = display_name(file)
        self.written = 0
        self._owned = is_path(file) if owned is None else owned
        if is_path(file):
            # "r+b" where bytes already written will be patched: "ab" would move every write to the end
            path = os.fspath(file)
            mode = "r+b" if append and os.path.exists(path) else "wb"
            if gzip is None:
                gzip = path.lower().endswith(".gz")
            file = open(path, mode, buffering=0)  # noqa: SIM115  # closed by close()
            if append:
                self.written = file.seek(0, os.SEEK_END)
        self.file = file
        self._text: TextIO | None = None
        if isinstance(file, io.TextIOBase):
            file.flush()
            if hasattr(file, "buffer"):
                file = file.buffer
            else:
                self._text = cast("TextIO", file)
        self._out: Any = file
        self._deflater = zlib.compressobj(6, zlib.DEFLATED, _GZIP_WBITS) if gzip else None
        self._dirty = False
        self.seekable = not gzip and self._text is None and _is_seekable(file)

    def write(self, data: Octets) -> None:
        """Write all of ``data``.

        Raises:
            OSError: the disk is full, the pipe's reader is gone.
        """
        if self._deflater is not None:
            self._dirty = True
            data = self._deflater.compress(data)
        self._write(data)

    def flush(self) -> None:
        """Hand everything to the operating system; what was written before is readable from now on."""
        if self._deflater is not None and self._dirty:
            self._dirty = False
            self._write(self._deflater.flush(zlib.Z_FULL_FLUSH))
        if hasattr(self._out, "flush"):
            self._out.flush()

    def patch(self, position: int, data: bytes) -> None:
        """Replace bytes that were written before."""
        end = self._out.tell()
        self._out.seek(position)
        self._out.write(data)
        self._out.seek(end)

    def read_back(self, position: int, size: int) -> bytes:
        """Return bytes of a file that is being continued; the write position stays."""
        end = self._out.tell()
        self._out.seek(position)
        data = cast("bytes", self._out.read(size))
        self._out.seek(end)
        return data

    def truncate(self, size: int) -> None:
        """Cut the file to ``size`` bytes and go on writing there."""
        self._out.truncate(size)
        self._out.seek(size)
        self.written = size

    def close(self) -> None:
        """Finish the compression and close what was opened here; a stream that was given stays open."""
        if self._out is None:
            return
        try:
            if self._deflater is not None:
                self._write(self._deflater.flush())
                self._deflater = None
            if hasattr(self._out, "flush"):
                self._out.flush()
        finally:
            if self._owned:
                self._out.close()
            self._out = None

    def _write(self, data: Octets) -> None:
        if not len(data):
            return
        if self._text is not None:
            self._text.write(bytes(data).decode("utf-8"))
            self.written += len(data)
            return
        view = memoryview(data)
        while view:
            try:
                count = self._out.write(view)  # a raw file may take less than all
            except OSError as error:
                error.filename = error.filename or self.name  # a full disk does not say whose
                raise
            if count is None:
                raise BlockingIOError("the output is not ready")
            self.written += count
            view = view[count:]


def _is_seekable(file: Any) -> bool:
    try:
        return bool(file.seekable()) and not _appends(file)
    except AttributeError:
        return False


def _appends(file: Any) -> bool:
    """Tell whether every write goes to the end wherever the position is, as behind a shell's ``>>``."""
    try:
        from fcntl import F_GETFL, fcntl

        return bool(fcntl(file.fileno(), F_GETFL) & os.O_APPEND)
    except (ImportError, AttributeError, OSError):  # no such calls, or no such file
        return False
