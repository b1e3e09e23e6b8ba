"""A window over a stream of data of variable length in an MDF 4 file."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator

from cantools_cli.errors import FormatError
from cantools_cli.io.mf4.blocks import MAX_TRANSPOSED, Blocks, Fragment, unpacked

_WINDOW = 1 << 18  #: bytes of the window


class DataWindow:
    """The bytes ``data``, from byte ``begin`` on, of the stream whose block is at ``at``."""

    def __init__(self, blocks: Blocks, at: int) -> None:
        self.data = b""
        self.begin = 0
        self._blocks = blocks
        self._source: Iterator[Fragment] = blocks.fragments(at, "SD")
        self._fragments: list[Fragment] = []
        self._begins = array("q")
        self._end = 0
        self._unpacked = (-1, b"")

    def move(self, pointer: int) -> None:
        """Start the window at byte ``pointer``; it is empty after the end of the stream."""
        self.data, self.begin = b"", pointer
        while self._end < pointer + _WINDOW:
            fragment = next(self._source, None)
            if fragment is None:
                break
            self._begins.append(self._end)
            self._fragments.append(fragment)
            self._end += fragment.size
        index = max(bisect_right(self._begins, pointer) - 1, 0)
        while index < len(self._fragments) and len(self.data) < _WINDOW:
            skip = max(pointer + len(self.data) - self._begins[index], 0)
            self.data += self._piece(index, skip, _WINDOW - len(self.data))
            index += 1

    def entry(self, pointer: int) -> bytes:
        """Return the entry at byte ``pointer``, b"" if the window does not hold it."""
        at = pointer - self.begin
        if not 0 <= at <= len(self.data) - 4:
            return b""
        size = int.from_bytes(self.data[at : at + 4], "little")
        return self.data[at + 4 : at + 4 + size] if at + 4 + size <= len(self.data) else b""

    def _piece(self, index: int, skip: int, limit: int) -> bytes:
        fragment = self._fragments[index]
        if fragment.columns is None:
            return self._blocks.read(fragment.at + skip, max(min(limit, fragment.stored - skip), 0))
        if self._unpacked[0] != index:
            if fragment.size > MAX_TRANSPOSED:
                raise FormatError(f"a compressed block of {fragment.size} bytes")
            self._unpacked = (index, b"".join(unpacked(self._blocks.read, fragment, _WINDOW)))
        return self._unpacked[1][skip : skip + limit]
