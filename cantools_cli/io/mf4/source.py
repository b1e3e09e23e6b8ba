"""The bytes of an MDF 4 file, to be read at any place: a pipe is copied to a temporary file first."""

from __future__ import annotations

from typing import Any

from cantools_cli.io.files import InputStream

#: bytes of a pipe that are kept in memory
_IN_MEMORY = 1 << 20


class Source:
    """Reads ``stream`` anywhere.

    Attributes:
        size: bytes that there are.
        is_copied: whether this was a pipe, or compressed.
        passes: how many times the file is read, each of which counts for a part of it.
    """

    def __init__(self, stream: InputStream) -> None:
        self._stream = stream
        self._copy: Any = None
        direct = stream.random_access()
        self.is_copied = direct is None
        self.passes = 1
        if direct is None:
            self._copy = _spooled(stream)
            direct = self._copy, 0
        self._file, self._begin = direct
        self.size = self._file.seek(0, 2) - self._begin

    def read(self, at: int, size: int) -> bytes:
        """Return ``size`` bytes from ``at`` on, fewer only at the end."""
        size = min(size, self.size - at)
        if at < 0 or size <= 0:
            return b""
        self._file.seek(self._begin + at)
        data = bytes(self._file.read(size))
        while len(data) < size:  # a raw file may give less
            more = self._file.read(size - len(data))
            if not more:
                break
            data += more
        if not self.is_copied:
            # not how far it came: what says where the data is often lies at the end
            self._stream.consumed = min(self._stream.consumed + len(data) // self.passes, self.size)
        return data

    def close(self) -> None:
        if self._copy is not None:
            self._copy.close()


def _spooled(stream: InputStream) -> Any:
    from tempfile import SpooledTemporaryFile

    copy = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # closed by its Source
    while data := stream.read():
        copy.write(data)
    return copy
