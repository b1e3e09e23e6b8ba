"""Rows out of the pages of a SQLite database, with SQLite as the oracle."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.sqlite import table as sqlite_module
from cantools_cli.io.sqlite.writer import SqliteWriter
from tests.named import SqliteReader


def counted(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Message], int]:
    """Return the frames, and how many rows SQLite was asked for."""
    asked = 0
    parse = sqlite_module.parse_row

    def counting(row: tuple[object, ...]) -> Message:
        nonlocal asked
        asked += 1
        return parse(row)

    monkeypatch.setattr(sqlite_module, "parse_row", counting)
    with SqliteReader(path) as reader:
        return list(reader), asked


MANY = [
    Message(timestamp=1.7e9 + at / 8, arbitration_id=at, is_extended_id=at > 0x7FF, data=bytes([at & 255]))
    for at in range(20_000)
]


@pytest.mark.parametrize("page", [512, 4096, 65536])
def test_pages_of_any_size_hold_the_rows_in_order(
    page: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA page_size = {page}")
        database.execute("CREATE TABLE other (a)")
    with SqliteWriter(path) as writer:
        writer.write(MessageBatch(MANY))
    found, asked = counted(path, monkeypatch)
    assert [message.timestamp for message in found] == [message.timestamp for message in MANY]
    assert [message.arbitration_id for message in found] == list(range(20_000))
    assert asked == 0


def test_rows_are_those_of_sqlite_when_half_were_deleted_and_put_in_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    with SqliteWriter(path) as writer:
        writer.write(MessageBatch(MANY))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM messages WHERE rowid % 3 = 0 OR rowid BETWEEN 5000 AND 9000")
        names = "ts, arbitration_id, extended, remote, error, dlc, data"
        database.execute(
            f"INSERT INTO messages (rowid, {names}) "
            f"SELECT rowid + 5000, {names.replace('arbitration_id', '5')} FROM messages WHERE rowid < 3000"
        )
        rows = database.execute("SELECT arbitration_id FROM messages ORDER BY rowid").fetchall()
    found, asked = counted(path, monkeypatch)
    assert [(message.arbitration_id,) for message in found] == rows
    assert asked == 0


def test_rows_that_are_unusual_are_asked_of_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.db"
    with SqliteWriter(path) as writer:
        writer.write(MessageBatch(MANY[:100]))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("ALTER TABLE messages ADD COLUMN note TEXT DEFAULT 'x'")
        database.execute("UPDATE messages SET note = ? WHERE rowid = 7", ("long" * 5000,))  # on further pages
        database.execute("UPDATE messages SET data = NULL, dlc = 0 WHERE rowid = 8")
        database.execute("UPDATE messages SET ts = 5 WHERE rowid = 9")  # which SQLite keeps as an integer
    found, asked = counted(path, monkeypatch)
    assert asked == 2
    assert found[6].equals(MANY[6], check_channel=False)
    assert (bytes(found[7].data), found[8].timestamp) == (b"", 5.0)
    assert len(found) == 100


@pytest.mark.parametrize(
    "table",
    [
        "id INTEGER PRIMARY KEY, ts REAL, arbitration_id, extended, remote, error, dlc INT, data",
        "data BLOB, dlc, error, remote, extended, arbitration_id, ts",
        "ts REAL, arbitration_id INTEGER PRIMARY KEY, extended, remote, error, dlc INT, data BLOB",
        "twice AS (dlc * 2), ts REAL, arbitration_id, extended, remote, error, dlc INT, data BLOB",
        "twice AS (dlc * 2) STORED, ts REAL, arbitration_id, extended, remote, error, dlc INT, data BLOB",
    ],
)
def test_tables_of_other_programs(table: str, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE messages ({table})")
        fill = "INSERT INTO messages (ts, arbitration_id, extended, remote, error, dlc, data) VALUES "
        values = "(1.5, 5, 0, 0, 0, 1, x'11'), (2, 6, 0, 1, 0, 3, x''), (3.25, 7, 1, 0, 0, 0, NULL)"
        database.execute(fill + values)
    with SqliteReader(path) as reader:
        found = [(one.timestamp, one.arbitration_id, one.dlc, bytes(one.data)) for one in reader]
    assert found == [(1.5, 5, 1, b"\x11"), (2.0, 6, 3, b""), (3.25, 7, 0, b"")]


def test_what_is_in_the_log_beside_the_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with SqliteWriter(path) as writer:
        writer.write(MessageBatch(MANY[:1000]))
        with SqliteReader(path) as reader:
            first = iter(reader)
            assert next(first).arbitration_id == 0
            writer.write(MessageBatch(MANY[1000:2000]))  # not held up by it
            assert len(list(first)) == 999  # as it was when reading began
        with SqliteReader(path) as reader:
            assert [message.arbitration_id for message in reader] == list(range(2000))


def test_no_writer_changes_pages_under_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with SqliteWriter(path) as writer:
        writer.write(MessageBatch(MANY))
    with SqliteReader(path) as reader:
        batches = reader.batches()
        count = len(next(batches))
        with (
            closing(sqlite3.connect(path, timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
            other,
        ):
            other.execute("DELETE FROM messages")
        assert count + sum(map(len, batches)) == len(MANY)
    with closing(sqlite3.connect(path, timeout=0)) as other, other:
        other.execute("DELETE FROM messages")
