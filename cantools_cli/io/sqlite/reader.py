"""The reader of python-can's databases."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any

from cantools_cli.errors import FormatError, UsageError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel, Message
from cantools_cli.io.base import BATCH_ROWS, MessageReader
from cantools_cli.io.files import AnyFile, InputStream
from cantools_cli.io.sqlite import table as sql
from cantools_cli.io.sqlite.packed import PlainCopy
from cantools_cli.io.sqlite.page_rows import PageRows
from cantools_cli.io.sqlite.pages import Leaves, is_cut, page_size
from cantools_cli.kernels import columns
from cantools_cli.kernels import sqlite_rows as kernel

MAGIC = b"SQLite format 3\0"
#: bytes of any value: a larger one is not a frame, and must not fill the memory (from Python 3.11 on)
_VALUE_LIMIT = 1 << 16
_FRAMES = (
    f"SELECT rowid, {', '.join(sql.COLUMNS[:-1])}, "
    f"CASE WHEN length(data) <= {sql.MAX_DATA} THEN data ELSE length(data) END"
)


class SqliteReader(MessageReader):
    """Reads the frames of the table ``table_name`` of a database.

    If there is no table ``messages``, the default, the only table with the seven columns is read. ``len()``
    is the number of rows, which SQLite has to count.
    """

    def __init__(self, file: AnyFile, table_name: str = "messages", *args: Any, **kwargs: Any) -> None:
        super().__init__(file, "rb", *args, **kwargs)
        self.table_name = table_name
        self._fd_noted = False
        self._has_log = True  # whether SQLite reads the write-ahead log
        self._whole: int | None = None  # the last row before the cut of a cut file
        self._connection: sqlite3.Connection | None = None
        self._copy: PlainCopy | None = None
        try:
            if self.input.compression and os.path.isfile(self.input.name):
                self._copy = PlainCopy(self.input.name)
                self.input.close()
                self.input = InputStream(self._copy.path)
                self.file = self.input.file
            head = self.input.peek(100)
            if head:
                self._open(head)
        except BaseException:
            self.stop()
            raise

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return head.startswith(MAGIC)

    def read_all(self) -> Iterator[Message]:
        """Return an iterator over all messages."""
        return iter(self)

    def __len__(self) -> int:
        if self._connection is None:
            return 0
        try:
            return sum(int(count) for (count,) in self._select("SELECT count(*)"))
        except FormatError as error:  # list(reader) calls this first, and ignores a TypeError only
            raise TypeError(str(error)) from error

    def batches(self) -> Iterator[MessageBatch]:
        return self._as_documented(self._unless_all_are_skipped())

    def _unless_all_are_skipped(self) -> Iterator[MessageBatch]:
        has_frames = False
        for batch in self._frames():
            has_frames = has_frames or bool(len(batch))
            yield batch
        if self.skipped > 1 and not has_frames:
            self.refuse()

    def _documented_channel(self, channel: Channel) -> Channel:
        return None

    def _frames(self) -> Iterator[MessageBatch]:
        if self._connection is None:
            return
        last = self._last_row()
        done: int | None = None
        file = self.input.seekable_file()
        if self._whole is None and file is not None:
            rows = PageRows(self._connection, self.input.name, self.table_name, file.fileno())
            try:
                while count := rows.fill():
                    yield from self._decoded(rows.columns, count, partial(self._row_at, rows))
                    self._progress(rows.done, last)
                if rows.is_complete:
                    return
                done = rows.done
            finally:
                rows.close()
        yield from self._by_sqlite(done, last)

    def _by_sqlite(self, done: int | None, last: int) -> Iterator[MessageBatch]:
        """Yield the frames after the row ``done``, read by SQLite."""
        where = "" if done is None else f"WHERE rowid > {done}"
        cursor = self._select(_FRAMES, f"{where} ORDER BY rowid")
        failure = None
        while failure is None:
            rows: list[sql.Row] = []
            try:
                rows.extend(islice(cursor, BATCH_ROWS))  # keeps the rows before an error
            except sqlite3.Error as error:
                failure = error
                rows += self._row_after(rows[-1][0] if rows else done)
            rows = self._whole_rows(rows, done)
            if not rows:
                break
            yield from self._decoded(sql.as_buffers(rows), len(rows), rows.__getitem__)
            done = rows[-1][0]
            self._progress(done, last)
        if self._whole is not None:
            self.note(f"{self.input.name}: ends inside the database; the frames before the cut were read")
        elif failure is not None:
            raise sql.read_error(failure, self.input.name) from failure

    def _progress(self, done: int | None, last: int) -> None:
        self.input.consumed = (self.input.size or 0) * (done or 0) // max(last, done or 0, 1)

    def _row_at(self, rows: PageRows, at: int) -> sql.Row:
        """Return one of the rows that were filled last, read by SQLite."""
        rows.queried += 1
        try:
            return next(iter(self._select(_FRAMES, f"WHERE rowid = {rows.rowids[at]}")))
        except (sqlite3.Error, StopIteration) as error:
            raise FormatError(f"damaged: {error or 'no such row'}", source=self.input.name) from error

    def _row_after(self, done: int | None) -> list[sql.Row]:
        """Return the row after ``done``: Python's cursor fetches it with the row that fails, and drops it."""
        where = "" if done is None else f"WHERE rowid > {done}"
        try:
            return list(self._select(_FRAMES, f"{where} ORDER BY rowid LIMIT 1"))
        except (sqlite3.Error, FormatError, OSError):
            return []

    def _whole_rows(self, rows: list[sql.Row], done: int | None) -> list[sql.Row]:
        """Return the rows before the cut of a cut file: SQLite returns rows after it that never existed."""
        if self._whole is None:
            return rows
        for count, row in enumerate(rows):
            if row[0] > self._whole or (done is not None and row[0] <= done):
                return rows[:count]
            done = row[0]
        return rows

    def stop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        super().stop()  # after the connection: closing any descriptor of a file drops SQLite's locks on it
        if self._copy is not None:
            self._copy.remove()

    def _open(self, head: bytes) -> None:
        path = self.input.name
        if not os.path.isfile(path):
            raise UsageError(
                f"{path}: {sql.NEEDS_A_NAME} and cannot be read from a pipe", hint="canx ... FILE.db"
            )
        with open(path, "rb") as file:
            if file.read(2) != head[:2]:
                raise UsageError(f"{path}: a compressed database cannot be read", hint=f"gunzip {path}")
        if not head.startswith(MAGIC):
            raise FormatError("not a SQLite database", source=path, byte=0)
        if os.path.getsize(path) < page_size(head):
            raise FormatError("ends inside its first page, which names its tables", source=path)
        try:
            self._connection = self._connected(path, head)
            self.table_name = self._found_table()
            if is_cut(path, head, has_log=self._has_log):
                with open(path, "rb") as file:
                    root = sql.root_page(self._connection, self.table_name)
                    self._whole = Leaves(file.fileno(), root).last_whole_row()
        except sqlite3.Error as error:
            raise sql.read_error(error, path) from error
        except UnicodeDecodeError as error:  # in SQLite's message, which quotes what is damaged
            raise FormatError("damaged: the names of its tables are not text", source=path) from error

    def _connected(self, path: str, head: bytes) -> sqlite3.Connection:
        """Return a connection for reading; a log that cannot be applied to the file is noted."""
        logs = [path + end for end in ("-wal", "-journal") if os.path.exists(path + end)]
        modes = ["mode=ro"]
        if logs or head[18:20] != b"\1\1":
            modes = ["mode=rw", "immutable=1"]
        for mode in modes:
            connection = sql.connect(path, mode)
            try:
                if is_cut(path, head, has_log=mode != "immutable=1"):
                    connection.execute("PRAGMA writable_schema = ON")  # else SQLite reads nothing of it
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            except sqlite3.OperationalError:
                connection.close()
                if mode == modes[-1]:
                    raise
                continue
            except BaseException:
                connection.close()
                raise
            self._has_log = mode != "immutable=1"
            if mode == "immutable=1" and logs:
                self.note(f"{path}: no write permission, so the changes in {logs[0]} are left out")
            if hasattr(connection, "setlimit"):  # Python 3.11
                connection.setlimit(0, _VALUE_LIMIT)  # SQLITE_LIMIT_LENGTH
            return connection
        raise AssertionError("one of the modes is the last")

    def _found_table(self) -> str:
        """Return the name of the table to read."""
        assert self._connection is not None
        query = (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
        names = [str(name) for (name,) in self._connection.execute(query)]
        fitting = [name for name in names if {*sql.COLUMNS} <= sql.columns_of(self._connection, name)]
        if self.table_name in fitting:
            return self.table_name
        if self.table_name == "messages" and "messages" not in names and len(fitting) == 1:
            return fitting[0]
        have = ", ".join(map(quoted, names[:20])) or "none"
        hint = f"--from db,table={fitting[0]}" if fitting else f"columns of frames: {' '.join(sql.COLUMNS)}"
        raise FormatError(
            f"no table {quoted(self.table_name)} of frames; its tables: {have}",
            source=self.input.name,
            hint=hint,
        )

    def _last_row(self) -> int:
        """Return the highest rowid, for the progress; 0 if the file is too damaged."""
        assert self._connection is not None
        query = f"SELECT max(rowid) FROM {sql.named(self.table_name)}"
        try:
            (last,) = self._connection.execute(query).fetchone()
        except sqlite3.Error:
            return 0
        return int(last or 0)

    def _select(self, what: str, order: str = "") -> Iterable[sql.Row]:
        assert self._connection is not None
        try:
            return iter(self._connection.execute(f"{what} FROM {sql.named(self.table_name)} {order}"))
        except sqlite3.Error as error:
            if self._whole is not None:
                return iter(())
            raise sql.read_error(error, self.input.name) from error

    def _decoded(
        self, table: sql.Buffers | None, rows: int, row_at: Callable[[int], sql.Row]
    ) -> Iterator[MessageBatch]:
        """Yield the frames of a ``table`` of ``rows``; a malformed row is a fault after the frames before it.

        ``row_at`` returns a row that the kernel cannot decode; without ``table`` that is every row.
        """
        room = sql.MAX_DATA * rows if table is None else table[6][rows - 1] + sql.MAX_DATA * (rows // 8)
        batch = MessageBatch.with_room(rows, room + sql.MAX_DATA, (sql.CHANNEL,))
        at = count = 0
        while at < rows:
            if table is not None:
                first = count
                at, count, _ = kernel.parse(at, rows, *table, count, *batch.columns())
                if columns.count_bits(batch.flags[first:count], bits.FD):
                    self._note_fd()
                if at == rows:
                    break
            row = row_at(at)
            try:
                message = sql.parse_row(row)
                batch.put(count, message)
                count += 1
                if message.is_fd:
                    self._note_fd()
            except ValueError as error:
                if self.on_error == "stop" and count:
                    yield batch.cut(count)
                self.fault(FormatError(str(error), position=row[0], unit="row"))
            at += 1
        if count:
            yield batch.cut(count)

    def _note_fd(self) -> None:
        if not self._fd_noted:
            self._fd_noted = True
            self.note_file("rows of more than 8 bytes are read as CAN FD, since the table does not mark it")
