"""The pages of a SQLite database: the leaves of a table, and the last row before the cut of a cut file.

::

    file      page size, 2 bytes at 16 (1 means 65536) | number of pages, 4 at 28
    interior  page of a table: 5 | cells, 2 at 3 | last child, 4 at 8 | position of each cell, 2, from 12
    cell      child, 4 | highest rowid of the child, 1 to 9 bytes of 7 bits
    leaf      13 | ... the rows

    log, -wal 32: salts, 8 at 16 | page number, 4; 4; salts, 8; 8; the page | ...

SQLite takes the missing part of a page for zeros, and would return rows that never existed. Missing pages may
also be in the write-ahead log next to the file, if the writer was killed while it moved pages, or the disk
was full.

Source: SQLite, "Database File Format", 1.3, 1.6 and 4.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

_INTERIOR, _LEAF = 5, 13
_LOG_HEAD, _LOG_FRAME = 32, 24
_MAX_IN_LOG = 1 << 20  # pages; SQLite moves them to the file after 1000
_MAX_DEPTH = 20  # levels: the limit of SQLite
_AHEAD = 64  # consecutive pages to read at a time


def is_cut(path: str, head: bytes, *, has_log: bool = True) -> bool:
    """Return whether the file is shorter than its first bytes state, also with its log if SQLite reads it."""
    size, pages = page_size(head), int.from_bytes(head[28:32], "big")
    present = os.path.getsize(path) // size
    if present >= pages:
        return os.path.getsize(path) < pages * size
    if not has_log or pages - present > _MAX_IN_LOG:
        return True
    return not _pages_in_log(path, size).issuperset(range(present + 1, pages + 1))


def _pages_in_log(path: str, size: int) -> set[int]:
    """Return the numbers of the pages in the write-ahead log of ``path``."""
    pages = set()
    try:
        with open(f"{path}-wal", "rb") as log:
            salts = log.read(_LOG_HEAD)[16:24]
            while len(head := log.read(_LOG_FRAME)) == _LOG_FRAME and head[8:16] == salts:
                pages.add(int.from_bytes(head[:4], "big"))
                log.seek(size, os.SEEK_CUR)
    except OSError:  # most databases have no log
        pass
    return pages


def has_log(path: str) -> bool:
    """Return whether there is a write-ahead log, which may hold newer pages than the file."""
    try:
        return os.path.getsize(f"{path}-wal") > 0
    except OSError:
        return False


class Leaves:
    """The leaf pages of the table at page ``root``, in the order of their rows, if the file holds them.

    The caller holds SQLite's lock for reading, so that no program writes to the file.
    """

    def __init__(self, fd: int, root: int) -> None:
        head = os.pread(fd, 100, 0).ljust(100, b"\0")
        self._fd = fd
        self._root = root
        self._size = page_size(head)
        self.usable = self._size - head[20]  #: the number of bytes of each page that SQLite uses
        self._pages = os.fstat(fd).st_size // self._size
        self._window, self._first, self._held = b"", 0, 0  # buffered pages, the first of them, their number

    def __iter__(self) -> Iterator[tuple[bytes, int]]:
        """Yield (data, start of the page in it) of each leaf; an empty page ends a damaged tree."""
        previous = 0
        for page, _ in self._leaves(self._root, self._depth()):
            if not 0 < page <= self._pages:
                yield bytes(self._size + 32), 0
                return
            if not self._first <= page < self._first + self._held:
                self._buffer(page, _AHEAD if page == previous + 1 else 1)
            previous = page
            yield self._window, (page - self._first) * self._size

    def _buffer(self, page: int, count: int) -> None:
        data = os.pread(self._fd, count * self._size, (page - 1) * self._size)
        self._first, self._held = page, max(len(data) // self._size, 1)
        self._window = data.ljust(self._size, b"\0") + bytes(32)

    def last_whole_row(self) -> int | None:
        """Return the rowid of the last row before a cut, or a lower one than any; None without a cut."""
        last = -(1 << 63)
        for page, highest in self._leaves(self._root, self._depth()):
            if not 0 < page <= self._pages:
                return last
            if highest is not None:
                last = highest
        return None

    def _depth(self) -> int:
        """Return the number of levels above the leaves, the same for all leaves."""
        page = self._root
        for depth in range(_MAX_DEPTH):
            data = self._read(page)
            if data[:1] != bytes([_INTERIOR]):
                return depth
            page = next(iter(_children(data)))[0]
        return 0

    def _leaves(self, page: int, depth: int) -> Iterator[tuple[int, int | None]]:
        """Yield (page, highest rowid) of all leaves; the rowid is None for the last child of a page."""
        if depth == 0 or not 0 < page <= self._pages:
            yield page, None
            return
        data = self._read(page)
        if data[0] != _INTERIOR:
            yield 0, None
            return
        for child, highest in _children(data):
            for leaf, inner in self._leaves(child, depth - 1):
                yield leaf, inner if inner is not None else highest

    def _read(self, page: int) -> bytes:
        return os.pread(self._fd, self._size, max(page - 1, 0) * self._size).ljust(self._size, b"\0")


def _children(data: bytes) -> Iterator[tuple[int, int | None]]:
    """Yield (page, highest rowid) of each child of an interior page."""
    for at in range(12, min(12 + 2 * int.from_bytes(data[3:5], "big"), len(data) - 1), 2):
        cell = int.from_bytes(data[at : at + 2], "big")
        yield int.from_bytes(data[cell : cell + 4], "big"), _rowid(data[cell + 4 : cell + 13])
    yield int.from_bytes(data[8:12], "big"), None


def _rowid(data: bytes) -> int:
    """Return the number at the start of ``data``: 7 bits per byte, highest first; the ninth byte has 8."""
    value = 0
    for count, octet in enumerate(data):
        if count == 8:
            return value << 8 | octet
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            break
    return value


def page_size(head: bytes) -> int:
    """Return the size of a page, from the first bytes of the file."""
    size = int.from_bytes(head[16:18], "big")
    return 65536 if size == 1 else max(size, 512)
