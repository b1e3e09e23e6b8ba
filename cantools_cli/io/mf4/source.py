"""Random access to the bytes of an MDF 4 file: a pipe is copied to a temporary file first."""

from __future__ import annotations

from typing import Any

from cantools_cli.io.files import InputStream

_IN_MEMORY = 1 << 20  #: bytes of a pipe to keep in memory before a file is created


class Source:
    """Reads ``stream`` at any position."""

    def __init__(self, stream: InputStream) -> None:
        self._stream = stream
        self._copy: Any = None
        direct = stream.random_access()
        self.is_copied = direct is None  #: whether the stream is a pipe or compressed, and was copied
        self.passes = 1  #: how often the file is read as a whole, for the progress
        if direct is None:
            from tempfile import SpooledTemporaryFile

            self._copy = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # closed by close()
            while data := stream.read():
                self._copy.write(data)
            direct = self._copy, 0
        self._file, self._begin = direct
        self.size = self._file.seek(0, 2) - self._begin  #: the number of bytes

    def read(self, at: int, size: int) -> bytes:
        """Return ``size`` bytes at ``at``, fewer only at the end of the file."""
        size = min(size, self.size - at)
        if at < 0 or size <= 0:
            return b""
        self._file.seek(self._begin + at)
        data = bytes(self._file.read(size))
        while len(data) < size:  # a raw file may return less
            more = self._file.read(size - len(data))
            if not more:
                break
            data += more
        if not self.is_copied:
            # the sum, not the position: the blocks that describe the data are often at the end
            self._stream.consumed = min(self._stream.consumed + len(data) // self.passes, self.size)
        return data

    def close(self) -> None:
        if self._copy is not None:
            self._copy.close()
