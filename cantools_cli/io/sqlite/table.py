"""The table of python-can's SQLite databases: rows to frames and back, and the errors of SQLite."""

from __future__ import annotations

import errno
import os
import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import accumulate, chain, islice, pairwise
from typing import Any

from cantools_cli.errors import FileInUseError, FormatError, UsageError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message, timestamp_to_ns
from cantools_cli.io.compression import compression_of
from cantools_cli.io.files import AnyFile, OutputStream, display_name, is_path
from cantools_cli.kernels import columns
from cantools_cli.kernels.buffers import ReadBuffer

COLUMNS = ("ts", "arbitration_id", "extended", "remote", "error", "dlc", "data")
TYPES = ("REAL", *["INTEGER"] * 5, "BLOB")
#: the channel of all rows
CHANNEL = "can0"
MAX_DATA = 64
_ROWS_AT_ONCE = 24
NEEDS_A_NAME = "a SQLite database must be a regular file"

_ERRORS = {  # part of SQLite's message -> error number of the system
    "locked": errno.EBUSY,
    "full": errno.ENOSPC,
    "readonly": errno.EACCES,
    "unable to open": errno.ENOENT,
}

Row = tuple[Any, ...]
#: times, identifiers, extended, remote, error, dlc, the end of each frame's data, data
Buffers = tuple[
    "array[float]", "array[int]", ReadBuffer, ReadBuffer, ReadBuffer, ReadBuffer, "array[int]", ReadBuffer
]


def parse_row(row: Row) -> Message:
    """Return the frame of one row: the rowid, then the columns; too much data is given as its length."""
    values = dict(zip(COLUMNS, row[1:], strict=True))
    for name in COLUMNS[:-1]:
        value = values[name]
        if not isinstance(value, int if name != "ts" else int | float):
            raise FormatError(f"{name} is {_shown(value)}, not a number")
    data = values["data"]
    if isinstance(data, int):
        raise FormatError(f"data of {data} bytes, at most {MAX_DATA}")
    if data is None and (values["remote"] or values["dlc"] == 0):
        data = b""
    if not isinstance(data, bytes):
        raise FormatError(f"data is {_shown(data)}, not a blob")
    message = Message(
        arbitration_id=values["arbitration_id"],
        is_extended_id=bool(values["extended"]),
        is_remote_frame=bool(values["remote"]),
        is_error_frame=bool(values["error"]),
        channel=CHANNEL,
        dlc=values["dlc"],
        is_fd=len(data) > 8,
    )
    message.data = bytearray(data)
    seconds = values["ts"]
    message.timestamp_ns = timestamp_to_ns(seconds) if isinstance(seconds, float) else seconds * 10**9
    return message


def as_buffers(rows: list[Row]) -> Buffers | None:
    """Return the columns of ``rows`` for the kernel; None if a value has another type."""
    _, seconds, identifiers, extended, remote, error, dlc, data = zip(*rows, strict=True)
    try:
        words, ends = array("I", identifiers), array("I", accumulate(map(len, data)))
        marks = (bytes(extended), bytes(remote), bytes(error), bytes(dlc))
        return (array("d", seconds), words, *marks, ends, b"".join(data))
    except (TypeError, ValueError, OverflowError):
        return None


def insertion(table: str, rows: int = 1) -> str:
    """Return the SQL that inserts ``rows`` of the rows of ``as_rows``, with their values in sequence.

    Four values per row take half as long as seven, and 24 rows at once half as long as single ones.
    """
    values = []
    for at in range(1, 4 * rows, 4):
        word = f"?{at + 1}"
        fields = f"{word} & {bits.CAN_EFF_MASK}, {word} >> 31, {word} >> 30 & 1, {word} >> 29 & 1"
        values.append(f"(?{at}, {fields}, ?{at + 2}, ?{at + 3})")
    return f"INSERT INTO {named(table)} ({', '.join(COLUMNS)}) VALUES {', '.join(values)}"


def insert(connection: sqlite3.Connection, table: str, batch: MessageBatch) -> None:
    """Add all frames of ``batch`` to ``table``, in their order."""
    values = chain.from_iterable(as_rows(batch))
    whole = len(batch) // _ROWS_AT_ONCE * 4 * _ROWS_AT_ONCE
    many = zip(*[islice(values, whole)] * (4 * _ROWS_AT_ONCE), strict=True)
    connection.executemany(insertion(table, _ROWS_AT_ONCE), many)
    connection.executemany(insertion(table), zip(*[values] * 4, strict=True))


def as_rows(batch: MessageBatch) -> Iterator[Row]:
    """Yield (seconds, identifier word, length, data) of each frame."""
    payload = bytes(batch.payload)
    data = [payload[begin:end] for begin, end in pairwise(batch.offset)]
    sizes = list(map(len, data))
    if columns.count_words(batch.can_id, bits.CAN_RTR_FLAG):
        sizes = [
            min(code, 8) if word & bits.CAN_RTR_FLAG else size
            for size, code, word in zip(sizes, batch.dlc_code, batch.can_id, strict=True)
        ]
    seconds = [time_ns / 1_000_000_000 for time_ns in batch.timestamp_ns]
    words: Iterable[int] = batch.can_id
    if columns.count_bits(batch.flags, bits.EXTENDED_ERROR):
        words = [
            word | (mark & bits.EXTENDED_ERROR) << 26
            for word, mark in zip(batch.can_id, batch.flags, strict=True)
        ]
    return zip(seconds, words, sizes, data, strict=True)


def path_to_write(file: AnyFile) -> str:
    """Return the path of ``file``, a path or an output."""
    path = display_name(file) if not isinstance(file, OutputStream) else file.name
    is_stream = not (is_path(file) or isinstance(file, OutputStream)) or path == "-"
    if is_stream or (os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path))):
        raise UsageError(f"{path}: {NEEDS_A_NAME} and cannot be written to a stream", hint="-o FILE.db")
    if isinstance(file, OutputStream) and compression_of(path):
        raise UsageError(
            f"{path}: a SQLite database cannot be compressed while it is written", hint="leave out .gz"
        )
    return path


def connect(path: str, mode: str) -> sqlite3.Connection:
    """Open ``path``; the connection may be used by one thread after another."""
    from urllib.parse import quote

    uri = f"file:{quote(os.path.abspath(path), safe='/')}?{mode}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    return connection


def check_unused(path: str) -> None:
    """Check that no other program has the database ``path`` open, before the file is replaced.

    Raises:
        FileInUseError: another program has it open.
    """
    try:
        with closing(connect(path, "mode=rw")) as connection:
            connection.execute("PRAGMA busy_timeout = 0")
            connection.execute("PRAGMA journal_mode = DELETE")  # refused while others have its log open
            connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        if "locked" in str(error):
            raise FileInUseError(path) from error
        # else the file is not a database


def root_page(connection: sqlite3.Connection, table: str) -> int:
    query = "SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = ?"
    (root,) = connection.execute(query, (table,)).fetchone()
    return int(root)


def columns_of(connection: sqlite3.Connection, table: str) -> set[str]:
    return {str(row[1]) for row in connection.execute(f"PRAGMA table_info({named(table)})")}


def named(name: str) -> str:
    """Return ``name`` quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def _shown(value: object) -> str:
    return "NULL" if value is None else quoted(str(value)[:100])


def read_error(error: sqlite3.Error, path: str) -> Exception:
    """Return the error of reading ``path``: malformed input, or an error of the system."""
    if isinstance(error, sqlite3.OperationalError) and any(text in str(error) for text in _ERRORS):
        return write_error(error, path)
    return FormatError(f"SQLite: {error}", source=path)


def write_error(error: sqlite3.Error, path: str) -> OSError:
    """Return the error of writing ``path``, as an error of the system."""
    for text, number in _ERRORS.items():
        if text in str(error):
            reason = os.strerror(number) if number != errno.EBUSY else "locked by another program"
            return OSError(number, reason, path)
    return OSError(errno.EIO, str(error), path)
