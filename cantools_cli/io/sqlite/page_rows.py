"""Reads the rows of a SQLite table from the pages of its file, many times faster than through SQLite.

SQLite stays in charge: it holds the lock, and provides the single rows that the kernel cannot decode. If the
pages are incomplete or unusual, this ends early, and SQLite reads the remaining rows.
"""

from __future__ import annotations

import sqlite3
import sys
from array import array

from cantools_cli.io.base import BATCH_ROWS
from cantools_cli.io.sqlite.pages import Leaves, has_log
from cantools_cli.io.sqlite.table import COLUMNS, MAX_DATA, Buffers, named, root_page
from cantools_cli.kernels import sqlite_rows as kernel

_SWAP = 7 if sys.byteorder == "little" else 0
_MAX_COLUMNS = 60
_MIN_ROWID = -(1 << 63)


class PageRows:
    """The rows of ``table`` in the database ``path``, open as ``fd``, in batches; ``close`` ends the lock."""

    def __init__(self, connection: sqlite3.Connection, path: str, table: str, fd: int) -> None:
        self.done: int | None = None  #: the rowid of the last row so far
        self.queried = 0  #: rows that SQLite had to provide, counted by the caller
        self.is_complete = False  #: whether all rows were read
        self._connection = connection
        self._leaves: Leaves | None = None
        self.rowids = array("q", bytes(8 * BATCH_ROWS))  #: of the rows that ``fill`` read last
        seconds = array("d", bytes(8 * BATCH_ROWS))
        identifiers, ends = array("I", bytes(4 * BATCH_ROWS)), array("I", bytes(4 * BATCH_ROWS))
        extended, remote, error, dlc = (bytearray(BATCH_ROWS) for _ in range(4))
        others = (identifiers, extended, remote, error, dlc, ends, bytearray(MAX_DATA * BATCH_ROWS))
        self._room = (self.rowids, seconds, memoryview(seconds).cast("B"), *others)
        self.columns: Buffers = (seconds, *others)  #: of these rows
        self._scratch = (array("I", bytes(32)), array("I", bytes(32)))
        self._places = b""
        self._filled = 0  # rows so far
        try:
            self._begin(path, table, fd)
        except sqlite3.Error:
            self._leaves = None
        self._pages = iter(self._leaves or ())
        self._page = next(self._pages, None)
        self._cell = 0

    def _begin(self, path: str, table: str, fd: int) -> None:
        """Lock the database, and check that the pages of its file are complete and as usual."""
        self._connection.execute("BEGIN")
        root = root_page(self._connection, table)
        table_columns = self._connection.execute(f"PRAGMA table_xinfo({named(table)})").fetchall()
        names = [str(row[1]) for row in table_columns]
        is_plain = not any(row[6] for row in table_columns) and "rowid" not in map(str.lower, names)
        if has_log(path) or not is_plain or len(names) > _MAX_COLUMNS or not {*COLUMNS} <= {*names}:
            return
        self._places = bytes(COLUMNS.index(name) if name in COLUMNS else kernel.IGNORED for name in names)
        self._leaves = Leaves(fd, root)

    def fill(self) -> int:
        """Read the next rows; return their number, 0 if SQLite has to continue or there are no more."""
        if self.queried > self._filled // 8:  # SQLite is faster when it reads many rows at a time
            return 0
        count = 0
        leaves = self._leaves
        last = _MIN_ROWID if self.done is None else self.done
        while self._page is not None and leaves is not None:
            table = (self._places, *self._scratch, _SWAP)
            self._cell, count, reason = kernel.extract(
                *self._page, leaves.usable, self._cell, last, *table, count, *self._room
            )
            if count:
                last = self.rowids[count - 1]
            if reason == kernel.DAMAGED:
                self._page = self._leaves = None
            elif reason == kernel.FULL:
                break
            else:
                self._page, self._cell = next(self._pages, None), 0
        if count:
            self.done = last
        elif self._leaves is not None and self._page is None:
            self.is_complete = True
        self._filled += count
        return count

    def close(self) -> None:
        """Release the lock."""
        if self._connection.in_transaction:
            self._connection.rollback()
