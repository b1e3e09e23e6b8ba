"""Rows of a SQLite table out of the pages of its file, many times faster than SQLite hands them over.

SQLite stays the authority: it holds the lock, and gives each single row that the kernel does not take. Where
the pages are not the whole truth, or not as usual, there are no more rows from here, and SQLite goes on.
"""

from __future__ import annotations

import sqlite3
import sys
from array import array

from cantools_cli.io.base import BATCH_ROWS
from cantools_cli.io.sqlite.pages import Leaves, has_log
from cantools_cli.io.sqlite.table import COLUMNS, MAX_DATA, Buffers, named
from cantools_cli.kernels import sqlite_rows as kernel

_SWAP = 7 if sys.byteorder == "little" else 0
_MAX_COLUMNS = 60
_LOWEST = -(1 << 63)


class PageRows:
    """The rows of ``table`` in the database ``path``, whose descriptor is ``fd``, in batches; to be closed.

    Attributes:
        done: the rowid of the last row so far, None before the first.
        asked: rows that had to be asked of SQLite, for the caller to count.
        is_complete: whether all rows were given.
    """

    def __init__(self, connection: sqlite3.Connection, path: str, table: str, fd: int) -> None:
        self.done: int | None = None
        self.asked = 0
        self.is_complete = False
        self._connection = connection
        self._leaves: Leaves | None = None
        self._rowids = array("q", bytes(8 * BATCH_ROWS))
        self._seconds = array("d", bytes(8 * BATCH_ROWS))
        self._octets = memoryview(self._seconds).cast("B")
        self._identifiers = array("I", bytes(4 * BATCH_ROWS))
        self._marks = [bytearray(BATCH_ROWS) for _ in range(4)]
        self._ends = array("I", bytes(4 * BATCH_ROWS))
        self._blob = bytearray(MAX_DATA * BATCH_ROWS)
        self._scratch = (array("I", bytes(32)), array("I", bytes(32)))
        self._places = b""
        self._given = 0
        try:
            self._begin(path, table, fd)
        except sqlite3.Error:
            self._leaves = None
        self._pages = iter(self._leaves or ())
        self._page = next(self._pages, None)
        self._cell = 0

    def _begin(self, path: str, table: str, fd: int) -> None:
        """Lock the database, and look whether the pages of its file are all that there is."""
        self._connection.execute("BEGIN")
        query = "SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = ?"
        (root,) = self._connection.execute(query, (table,)).fetchone()
        found = self._connection.execute(f"PRAGMA table_xinfo({named(table)})").fetchall()
        names = [str(row[1]) for row in found]
        is_plain = not any(row[6] for row in found) and "rowid" not in map(str.lower, names)
        if has_log(path) or not is_plain or len(names) > _MAX_COLUMNS or not {*COLUMNS} <= {*names}:
            return
        self._places = bytes(COLUMNS.index(name) if name in COLUMNS else kernel.IGNORED for name in names)
        self._leaves = Leaves(fd, root)

    def fill(self) -> int:
        """Take the next rows; return how many, 0 for no more of them from here."""
        if self.asked > self._given // 8:  # SQLite is faster when it gives many at a time
            return 0
        count = 0
        leaves = self._leaves
        last = _LOWEST if self.done is None else self.done
        while self._page is not None and leaves is not None:
            self._cell, count, reason = kernel.extract(
                *self._page,
                leaves.usable,
                self._cell,
                last,
                self._places,
                *self._scratch,
                _SWAP,
                count,
                self._rowids,
                self._seconds,
                self._octets,
                self._identifiers,
                *self._marks,
                self._ends,
                self._blob,
            )
            if count:
                last = self._rowids[count - 1]
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
        self._given += count
        return count

    def columns(self) -> Buffers:
        """Return the columns, of which those rows count that were taken last."""
        extended, remote, error, dlc = self._marks
        return (self._seconds, self._identifiers, extended, remote, error, dlc, self._ends, self._blob)

    def rowid(self, at: int) -> int:
        return self._rowids[at]

    def close(self) -> None:
        """Give up the lock."""
        if self._connection.in_transaction:
            self._connection.rollback()
