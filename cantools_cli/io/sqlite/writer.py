"""The writer of python-can's databases."""

from __future__ import annotations

import sqlite3
import time
from contextlib import suppress
from typing import Any

from cantools_cli.errors import UsageError, quoted
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.base import MessageWriter
from cantools_cli.io.compression import compression_of
from cantools_cli.io.files import AnyFile, OutputStream
from cantools_cli.io.sqlite import table as sql
from cantools_cli.io.sqlite.packed import PlainCopy
from cantools_cli.io.when_quiet import WhenQuiet


class SqliteWriter(MessageWriter):
    """Appends frames to the table ``table_name`` of a database.

    Rows are always added, whatever the value of ``append``. ``index`` adds indexes on times and identifiers
    at the end. Frames wait in memory until ``flush`` or ``stop`` is called, until there are
    ``MAX_BUFFER_SIZE_BEFORE_WRITES``, or until ``GET_MESSAGE_TIMEOUT`` seconds after the last frame or
    ``MAX_TIME_BETWEEN_WRITES`` seconds after the last write; a thread watches the time. A path that ends in
    ``.gz`` or ``.zst`` is written by ``stop``.

    Attributes:
        table_name: the name of the table.
        num_frames: the number of frames written, without those in memory.
        last_write: the time of the last write, from ``time.time()``.

    Raises:
        UsageError: ``file`` is not a path, or the table has other columns.
        FormatError: the file exists, but is not a database.
        OSError: the file cannot be opened or written.
    """

    GET_MESSAGE_TIMEOUT = 0.25
    MAX_BUFFER_SIZE_BEFORE_WRITES = 500
    MAX_TIME_BETWEEN_WRITES = 5.0

    def __init__(
        self,
        file: AnyFile,
        table_name: str = "messages",
        *args: Any,
        index: bool = False,
        append: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(None, "wb", *args, **kwargs)
        self.table_name = table_name
        self.num_frames = 0
        self.last_write = time.time()
        self._index = index
        self._path = sql.path_to_write(file)
        self._copy = PlainCopy(self._path) if compression_of(self._path) else None
        self._quiet = WhenQuiet(self._write_gathered, self.GET_MESSAGE_TIMEOUT, self.MAX_TIME_BETWEEN_WRITES)
        self._output = file if isinstance(file, OutputStream) else None  # closed last, as when reading
        self._connection: sqlite3.Connection | None = None
        try:
            self._open(self._path if self._copy is None else self._copy.path)
        except sqlite3.Error as error:
            self._close()
            raise sql.write_error(error, self._path) from error
        except BaseException:
            self._close()
            raise

    def on_message_received(self, msg: Message) -> None:
        """Add one message; without a timestamp it gets that of the previous message."""
        with self._quiet.lock:
            super().on_message_received(msg)
            self._write_if_due()
            self._quiet.touch()

    def on_batch_received(self, batch: MessageBatch) -> None:
        with self._quiet.lock:
            self.write(batch)
            self._quiet.touch()

    def flush(self) -> None:
        with self._quiet.lock:
            self._quiet.check()
            super().flush()

    def write(self, batch: MessageBatch) -> None:
        if len(batch) < self.MAX_BUFFER_SIZE_BEFORE_WRITES:
            self._gathered.extend(batch)
            self._write_if_due()
        else:
            self._write_gathered()
            self._insert(batch)

    def stop(self) -> None:
        """Write the frames in memory, and close the database; no log remains next to it."""
        self._quiet.stop()
        if self._connection is None:
            return
        try:
            self._quiet.check()
            self._write_gathered()
            for column in ("ts", "arbitration_id") if self._index else ():
                name, table = sql.named(f"{self.table_name}_{column}"), sql.named(self.table_name)
                self._connection.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})")
            self._connection.execute("PRAGMA busy_timeout = 100")
            with suppress(sqlite3.OperationalError):  # other readers: the last of them removes the log
                self._connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            raise sql.write_error(error, self._path) from error
        finally:
            if self._copy is not None:
                self._connection.close()
                self._copy.pack()
            self._close()

    def _open(self, path: str) -> None:
        self._connection = connection = sql.connect(path, "mode=rwc")
        try:
            present = sql.columns_of(connection, self.table_name)
        except sqlite3.DatabaseError as error:
            raise sql.read_error(error, path) from error
        if present and not {*sql.COLUMNS} <= present:
            raise UsageError(
                f"{path}: the table {quoted(self.table_name)} lacks the columns of frames",
                hint="db,table=NAME writes to another one",
            )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        typed = ", ".join(f"{name} {kind}" for name, kind in zip(sql.COLUMNS, sql.TYPES, strict=True))
        connection.execute(f"CREATE TABLE IF NOT EXISTS {sql.named(self.table_name)} ({typed})")

    def _write_if_due(self) -> None:
        if (
            len(self._gathered) >= self.MAX_BUFFER_SIZE_BEFORE_WRITES
            or time.time() - self.last_write >= self.MAX_TIME_BETWEEN_WRITES
        ):
            self._write_gathered()

    def _write_gathered(self) -> None:
        if len(self._gathered):
            batch, self._gathered = self._gathered, MessageBatch()
            self._insert(batch)

    def _insert(self, batch: MessageBatch) -> None:
        """Write all frames of ``batch`` in one transaction."""
        if self._connection is None:
            raise ValueError(f"{self._path} is closed")
        batch = self.without_xl(batch)
        self._count_details(batch, "raw DLC codes", "CAN FD marks", "directions", "channels")
        try:
            self._connection.execute("BEGIN")
            sql.insert(self._connection, self.table_name, batch)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.rollback()
            raise sql.write_error(error, self._path) from error
        self.num_frames += len(batch)
        self.last_write = time.time()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._copy is not None:
            self._copy.remove()
        if self._output is not None:
            self._output.close()
