"""python-can's SQLite databases: read and written, with python-can and SQLite itself as oracles."""

from __future__ import annotations

import io
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import can
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.errors import FormatError, NotALogError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage
from cantools_cli.io.files import OutputStream
from cantools_cli.io.sqlite.writer import SqliteWriter
from tests.named import SqliteReader
from tests.strategies import facts, messages

SCHEMA = (
    "ts REAL, arbitration_id INTEGER, extended INTEGER, remote INTEGER, error INTEGER, dlc INTEGER, data BLOB"
)
ROW = (1700000000.123456, 0x123, 0, 0, 0, 3, b"\1\2\3")
ROWS = [
    ROW,
    (1700000000.125456, 0x7FF, 0, 1, 0, 4, b""),
    (1700000000.127456, 0x55, 0, 0, 0, 12, b"\xaa" * 12),
    (1700000000.129456, 0, 0, 0, 1, 8, bytes.fromhex("0004000000000000")),
    (1, 0xDADADA, 1, 0, 0, 0, b""),
]
FRAME = Message(timestamp=1.5, arbitration_id=0x123, is_extended_id=False, data=b"\1\2", channel="can0")


def database(
    path: Path, rows: list[tuple[Any, ...]], *, table: str = "messages", schema: str = SCHEMA
) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f'CREATE TABLE "{table}" ({schema})')
        marks = ",".join("?" * len(schema.split(",")))
        connection.executemany(f'INSERT INTO "{table}" VALUES ({marks})', rows)
    return path


def read(path: Path, **options: Any) -> list[Message]:
    with SqliteReader(path, **options) as reader:
        return list(reader)


def rows_of(path: Path, table: str = "messages") -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f'SELECT * FROM "{table}" ORDER BY rowid').fetchall()


def write(path: Path, frames: list[Message], **options: Any) -> SqliteWriter:
    with SqliteWriter(path, **options) as writer:
        for message in frames:
            writer(message)
    return writer


def test_the_documented_rows_are_read(tmp_path: Path) -> None:
    reader = SqliteReader(database(tmp_path / "a.db", ROWS))
    first, remote, long, error, extended = reader.read_all()
    assert facts(first)[:4] == (1700000000123456000, "can0", 0x123, False)
    assert (remote.is_remote_frame, remote.dlc) == (True, 4)
    assert (long.is_fd, bytes(long.data)) == (True, b"\xaa" * 12)
    assert (error.is_error_frame, error.data.hex()) == (True, "0004000000000000")
    assert (extended.timestamp_ns, extended.is_extended_id) == (1_000_000_000, True)
    assert len(reader) == 5
    assert len(reader.notes) == 1
    assert "read as CAN FD" in reader.notes[0]
    reader.stop()


def test_what_was_read_is_written_again(tmp_path: Path) -> None:
    writer = write(tmp_path / "b.db", read(database(tmp_path / "a.db", ROWS)))
    assert rows_of(tmp_path / "b.db") == ROWS
    assert (writer.num_frames, dict(writer.losses)) == (5, {"CAN FD marks": 1})


def test_the_table_is_python_can_s(tmp_path: Path) -> None:
    write(tmp_path / "ours.db", [FRAME])
    with can.SqliteWriter(tmp_path / "theirs.db") as log:
        log(can.Message())
    schemas = []
    for name in ("ours.db", "theirs.db"):
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            schemas.append([row[1] for row in connection.execute("PRAGMA table_info(messages)")])
    assert schemas[0] == schemas[1]


@settings(deadline=None, max_examples=30)
@given(st.lists(messages(kinds=("classic", "remote", "error")), max_size=8))
def test_python_can_reads_what_we_write(frames: list[Message]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.db"
        write(path, frames)
        with can.SqliteReader(path) as reader:
            peers = list(reader)
    assert len(peers) == len(frames)
    theirs: Any  # a message of python-can
    for ours, theirs in zip(frames, peers, strict=True):
        assert ours.equals(theirs, timestamp_delta=1e-6, check_channel=False, check_direction=False)


@settings(deadline=None, max_examples=30)
@given(st.lists(messages(kinds=("classic", "remote", "error")), max_size=8))
def test_we_read_what_python_can_writes(frames: list[Message]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.db"
        with can.SqliteWriter(path) as writer:
            writer(can.Message())  # nothing at all makes its stop wait for ever
            for message in frames:
                writer(message)  # type: ignore[arg-type]  # python-can takes any object with these attributes
        _, *ours = read(path)
    assert len(ours) == len(frames)
    for message, back in zip(frames, ours, strict=True):
        assert back.equals(message, timestamp_delta=1e-6, check_channel=False, check_direction=False)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        messages(channels=st.just("can0"), directions=st.just(True), times=st.integers(0, 1 << 52)),
        max_size=8,
    )
)
def test_identifier_kind_data_and_time_survive(frames: list[Message]) -> None:
    def kept(message: Message) -> tuple[object, ...]:
        seen = facts(message)
        return *seen[:6], message.dlc, seen[-1]

    with TemporaryDirectory() as folder:
        write(Path(folder) / "a.db", frames)
        back = read(Path(folder) / "a.db")
    for message in frames:
        message.timestamp = float(repr(message.timestamp))  # what a double holds
    assert [kept(message) for message in back] == [kept(message) for message in frames]


def test_losses_are_counted_by_kind(tmp_path: Path) -> None:
    raw = Message(data=bytes(8), channel="can1")
    raw.dlc_code = 9
    frames = [
        raw,
        Message(is_fd=True, channel="can0"),
        Message(is_rx=False),
        Message(channel=0),
        XlMessage(data=b"1"),
    ]
    assert write(tmp_path / "a.db", frames).losses == {
        "raw DLC codes": 1,
        "CAN FD marks": 1,
        "directions": 1,
        "channels": 1,
        "CAN XL frames (left out)": 1,
    }
    assert len(rows_of(tmp_path / "a.db")) == 4


def test_a_second_writer_goes_on_behind_the_first(tmp_path: Path) -> None:
    for _ in range(2):
        write(tmp_path / "a.db", [FRAME])
    assert len(rows_of(tmp_path / "a.db")) == 2


def test_nothing_is_left_beside_a_closed_database(tmp_path: Path) -> None:
    writer = SqliteWriter(tmp_path / "a.db")
    writer(FRAME)
    writer.flush()
    assert (tmp_path / "a.db-wal").exists()
    writer.stop()
    writer.stop()
    assert os.listdir(tmp_path) == ["a.db"]
    read(tmp_path / "a.db")
    assert os.listdir(tmp_path) == ["a.db"]


def test_frames_wait_until_there_are_many_or_the_last_writing_is_long_ago(tmp_path: Path) -> None:
    with SqliteWriter(tmp_path / "a.db") as writer:
        for _ in range(499):
            writer(FRAME)
        assert writer.num_frames == 0
        writer(FRAME)
        assert writer.num_frames == 500
        before = writer.last_write
        writer.write(MessageBatch([FRAME]))
        assert writer.num_frames == 500
        writer.last_write -= 5.0
        writer.write(MessageBatch([FRAME]))
        assert writer.num_frames == 502
        assert writer.last_write >= before


def test_another_program_reads_what_was_flushed(tmp_path: Path) -> None:
    with SqliteWriter(tmp_path / "a.db") as writer:
        writer(FRAME)
        writer.flush()
        writer(FRAME)
        assert len(rows_of(tmp_path / "a.db")) == 1
        assert len(read(tmp_path / "a.db")) == 1
        writer.flush()
        assert len(read(tmp_path / "a.db")) == 2


def test_a_reader_at_work_keeps_no_writer_from_closing(tmp_path: Path) -> None:
    write(tmp_path / "a.db", [FRAME])
    with SqliteWriter(tmp_path / "a.db") as writer:
        writer(FRAME)
        writer.flush()
        with SqliteReader(tmp_path / "a.db") as reader:
            batches = reader.batches()
            next(batches)
            writer.stop()
    assert os.listdir(tmp_path) == ["a.db"]
    assert len(read(tmp_path / "a.db")) == 2


KILLED = """
import sys
from cantools_cli import Message, SqliteWriter
writer = SqliteWriter(sys.argv[1])
for number in range(1000):
    writer(Message(timestamp=number, arbitration_id=number))
writer.flush()
for number in range(100):
    writer(Message(timestamp=number))
print("flushed", flush=True)
sys.stdin.read()
"""


def test_a_killed_writer_s_frames_are_read_up_to_the_last_flush(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"flushed\n"
        process.send_signal(signal.SIGKILL)
    assert [message.arbitration_id for message in read(path)] == list(range(1000))
    assert os.listdir(tmp_path) == ["a.db"]  # its log was brought in


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")
def test_what_cannot_be_recovered_without_the_right_to_write_is_said(tmp_path: Path) -> None:
    write(tmp_path / "a.db", [FRAME])
    copy = tmp_path / "copy"
    copy.mkdir()
    with SqliteWriter(tmp_path / "a.db") as writer:
        writer(FRAME)
        writer.flush()
        for name in ("a.db", "a.db-wal"):
            (copy / name).write_bytes((tmp_path / name).read_bytes())
            (copy / name).chmod(0o444)
    copy.chmod(0o555)
    code = (
        "import sys; from cantools_cli import SqliteReader\n"
        "reader = SqliteReader(sys.argv[1]); print(len(reader), *reader.notes)"
    )
    unprivileged = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    command = [*(unprivileged if os.geteuid() == 0 else ()), sys.executable, "-c", code, copy / "a.db"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    note = f"no write permission, so the changes in {copy}/a.db-wal are left out"
    assert result.stdout == f"1 {copy}/a.db: {note}\n"


def test_indexes_are_made_on_request(tmp_path: Path) -> None:
    write(tmp_path / "a.db", [FRAME], index=True)
    write(tmp_path / "a.db", [FRAME], index=True)
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        names = [row[1] for row in connection.execute("PRAGMA index_list(messages)")]
        plan = connection.execute("EXPLAIN QUERY PLAN SELECT * FROM messages WHERE ts > 1").fetchall()
    assert sorted(names) == ["messages_arbitration_id", "messages_ts"]
    assert "messages_ts" in plan[0][-1]


def test_tables_of_any_name(tmp_path: Path) -> None:
    path, table = tmp_path / "a.db", 'my "odd" table'
    write(path, [FRAME], table_name=table)
    assert len(read(path, table_name=table)) == 1
    with SqliteReader(path) as reader:  # the only one that fits
        assert (len(list(reader)), reader.table_name) == (1, table)
    write(path, [FRAME, FRAME])
    assert len(read(path)) == 2
    with pytest.raises(FormatError, match=r'no table "x" of frames; its tables: "my .*", "messages"'):
        SqliteReader(path, table_name="x")


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    schema = "note, data, dlc, error, remote, extended, arbitration_id, ts"
    database(tmp_path / "a.db", [("hello", *ROW[::-1])], schema=schema)
    assert facts(*read(tmp_path / "a.db"))[:3] == (1700000000123456000, "can0", 0x123)


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", [], table="songs", schema="title TEXT")
    with pytest.raises(FormatError, match='no table "messages" of frames; its tables: "songs"') as caught:
        SqliteReader(path)
    assert caught.value.hint == "columns of frames: ts arbitration_id extended remote error dlc data"
    database(path, [], schema="title TEXT")
    with pytest.raises(UsageError, match="lacks the columns of frames"):
        SqliteWriter(path)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        (0, None, "ts is NULL, not a number"),
        (0, "now", 'ts is "now", not a number'),
        (0, float("inf"), "has no nanoseconds"),
        (0, 1e300, "out of range"),
        (1, None, "arbitration_id is NULL, not a number"),
        (1, 0x800, "arbitration id 0x800 is out of range"),
        (1, -1, "out of range"),
        (1, 1 << 40, "out of range"),
        (3, 1, "a remote frame has no data"),
        (5, 4, "dlc is 4, but there are 3 data bytes"),
        (5, -1, "dlc is -1"),
        (5, "x", 'dlc is "x", not a number'),
        (6, None, "data is NULL, not a blob"),
        (6, "abc", 'data is "abc", not a blob'),
        (6, bytes(65), "data of 65 bytes, at most 64"),
        (6, bytes(9), "9 data bytes, but a classic frame holds 8"),
    ],
)
def test_what_is_wrong_with_a_row_is_said(column: int, value: object, said: str, tmp_path: Path) -> None:
    row = (*ROW[:column], value, *ROW[column + 1 :])
    if column == 6 and value == bytes(9):
        said, row = "9 is not a CAN FD length", (*row[:5], 9, *row[6:])
    path = database(tmp_path / "a.db", [ROW, row, ROW])
    frames: list[Message] = []
    with SqliteReader(path) as reader, pytest.raises(FormatError) as caught:
        frames.extend(reader)
    assert len(frames) == 1
    assert str(caught.value).startswith(f"{path}:row 2: ")
    assert said in str(caught.value)
    with SqliteReader(path, on_error="skip") as reader:
        assert (len(list(reader)), reader.skipped) == (2, 1)


@pytest.mark.long
def test_a_blob_of_a_gigabyte_is_not_loaded(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", [ROW])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO messages VALUES (1.0, 1, 0, 0, 0, 8, zeroblob(900000000))")
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (400 << 20,) * 2)\n"
        "from cantools_cli import SqliteReader\n"
        "reader = SqliteReader(sys.argv[1], on_error='skip')\n"
        "print(len(list(reader)), reader.skipped, reader.first_fault.reason)"
    )
    result = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert result.stdout == "1 1 data of 900000000 bytes, at most 64\n"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a database of 4 KiB pages, in two levels."""
    path = tmp_path_factory.mktemp("pages") / "a.db"
    write(path, [Message(timestamp=n / 8, arbitration_id=n, data=n.to_bytes(8, "big")) for n in range(1000)])
    return path.read_bytes()


@pytest.mark.parametrize("part", range(32))
def test_a_cut_file_gives_the_frames_before_the_cut_and_says_so(
    part: int, pages: bytes, tmp_path: Path
) -> None:
    cut = 4096 + random.Random(part).randrange(len(pages) - 4096) // (512 if part % 2 else 1) * (
        512 if part % 2 else 1
    )
    (tmp_path / "a.db").write_bytes(pages[:cut])
    with SqliteReader(tmp_path / "a.db") as reader:
        frames = [message.arbitration_id for message in reader]
    assert frames == list(range(len(frames)))
    assert len(frames) >= 80 * (cut // 4096 - 3)
    assert reader.notes == [f"{tmp_path}/a.db: ends inside the database; the frames before the cut were read"]


@pytest.mark.parametrize("cut", [20, 99, 100, 1000, 4095])
def test_a_file_cut_inside_its_first_page_is_refused(cut: int, pages: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(pages[:cut])
    with pytest.raises(FormatError, match="ends inside its first page"):
        SqliteReader(tmp_path / "a.db")


def test_damage_in_the_middle_comes_after_the_frames_before_it(pages: bytes, tmp_path: Path) -> None:
    damaged = bytearray(pages)
    damaged[6 * 4096 : 7 * 4096] = b"\xff" * 4096
    (tmp_path / "a.db").write_bytes(damaged)
    frames: list[Message] = []
    with (
        SqliteReader(tmp_path / "a.db") as reader,
        pytest.raises(FormatError, match="disk image is malformed"),
    ):
        frames.extend(reader)
    assert len(frames) > 200
    assert [message.arbitration_id for message in frames] == list(range(len(frames)))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(16, 45055), st.integers(0, 255)), min_size=1, max_size=8))
def test_any_damage_is_frames_or_an_error_of_ours(damage: list[tuple[int, int]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.db"
        write(path, [Message(timestamp=n, data=bytes(8)) for n in range(200)])
        data = bytearray(path.read_bytes())
        for at, value in damage:
            data[at % len(data)] = value
        path.write_bytes(data)
        try:
            with SqliteReader(path, on_error="skip") as reader:
                assert sum(len(batch) for batch in reader.batches()) <= 200 or data[:100] != b""
        except (FormatError, OSError):
            pass


def test_batches_are_bounded(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", [ROW] * 20_000)
    with SqliteReader(path) as reader:
        sizes = [len(batch) for batch in reader.batches()]
        assert reader.input.consumed == reader.input.size
    assert (sum(sizes), max(sizes)) == (20_000, 8192)


def test_an_empty_file_is_an_empty_log(tmp_path: Path) -> None:
    (tmp_path / "a.db").touch()
    with SqliteReader(tmp_path / "a.db") as reader:
        assert (list(reader), len(reader)) == ([], 0)


def test_streams_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.db", [FRAME])
    data = (tmp_path / "a.db").read_bytes()
    with pytest.raises(UsageError, match="cannot be read from a pipe"):
        SqliteReader(io.BytesIO(data))
    with pytest.raises(UsageError, match="cannot be written to a stream"):
        SqliteWriter(io.BytesIO())
    output = OutputStream(tmp_path / "b.db.gz")
    with pytest.raises(UsageError, match="cannot be compressed while it is written"):
        SqliteWriter(output)
    output.close()


def test_what_is_no_database_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"(1.0) can0 123#\n" * 100)
    with pytest.raises(FormatError, match="not a database"):
        SqliteWriter(tmp_path / "a.db")
    assert (tmp_path / "a.db").read_bytes() == b"(1.0) can0 123#\n" * 100
    assert not SqliteReader.recognises(b"SQLite format 2")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SqliteWriter(tmp_path / "no" / "a.db")
    with pytest.raises(FileNotFoundError):
        SqliteReader(tmp_path / "a.db")


def test_a_database_that_another_program_holds_is_an_error_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = database(tmp_path / "a.db", [ROW])
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **options: connect(*args, timeout=0, **options))
    with closing(connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(OSError, match="locked by another program"):
            SqliteWriter(path)
        with pytest.raises(OSError, match="locked by another program"):
            SqliteReader(path)


def test_pages_that_only_the_log_beside_the_file_holds_are_not_missing(tmp_path: Path) -> None:
    """A writer that is killed while SQLite moves pages from its log leaves the first, with their number."""
    live, left = tmp_path / "live.db", tmp_path / "left.db"
    with SqliteWriter(live) as writer:
        for number in range(2000):
            writer(Message(arbitration_id=number, data=bytes(8)))
        writer.flush()
        shutil.copy(f"{live}-wal", f"{left}-wal")
    left.write_bytes(live.read_bytes()[:4096])
    assert [message.arbitration_id for message in read(left)] == [*range(2000)]


def test_damage_that_makes_sqlite_s_message_no_text_is_said(pages: bytes, tmp_path: Path) -> None:
    data = bytearray(pages)
    data[data.index(b"CREATE TABLE") + 3] = 0xC1
    (tmp_path / "bad.db").write_bytes(data)
    with pytest.raises(FormatError, match="damaged"):
        read(tmp_path / "bad.db")


def test_a_table_of_which_no_row_fits_is_not_a_log_also_if_faults_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("create table messages(ts, arbitration_id, extended, remote, error, dlc, data)")
        database.executemany("insert into messages values ('x', 'y', 'z', 0, 0, 0, '')", [()] * 50)
        database.commit()
    with (
        pytest.raises(NotALogError, match="not a log that canx recognises: 50 malformed records"),
        SqliteReader(path, on_error="skip") as reader,
    ):
        list(reader)


# --- a bus that goes quiet ----------------------------------------------------------------------------------


def rows_in(path: Path) -> int:
    with SqliteReader(path) as reader:
        return len(reader)


def wait_for_background() -> None:
    """Return once the writing in the background has ended."""
    for thread in threading.enumerate():
        if thread.name == "when-quiet":
            thread.join()


@pytest.mark.parametrize("in_batches", [False, True])
def test_rows_are_written_once_the_bus_is_quiet(in_batches: bool, tmp_path: Path) -> None:
    with SqliteWriter(tmp_path / "a.db") as writer:
        for count in (1, 2):  # the thread ends, and another one begins
            message = Message(timestamp=1.0, arbitration_id=count)
            if in_batches:
                writer.on_batch_received(MessageBatch([message]))
            else:
                writer(message)
            wait_for_background()
            assert (writer.num_frames, rows_in(tmp_path / "a.db")) == (count, count)
    assert not [thread for thread in threading.enumerate() if thread.name == "when-quiet"]


def test_stop_does_not_wait_for_the_bus_to_be_quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqliteWriter, "GET_MESSAGE_TIMEOUT", 3600.0)
    with SqliteWriter(tmp_path / "a.db") as writer:
        writer(Message(timestamp=1.0))
    assert rows_in(tmp_path / "a.db") == 1


def test_a_busy_bus_is_written_after_the_longest_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SqliteWriter, "MAX_TIME_BETWEEN_WRITES", 0.0)
    monkeypatch.setattr(SqliteWriter, "MAX_BUFFER_SIZE_BEFORE_WRITES", 10**6)
    with SqliteWriter(tmp_path / "a.db") as writer:
        for number in range(5):
            writer(Message(timestamp=number))
        wait_for_background()
        assert rows_in(tmp_path / "a.db") == 5


def test_an_error_in_the_background_is_raised_by_the_next_message(tmp_path: Path) -> None:
    writer = SqliteWriter(tmp_path / "a.db")
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("DROP TABLE messages")
    writer(Message(timestamp=1.0))
    wait_for_background()
    with pytest.raises(OSError, match="messages"):
        writer(Message(timestamp=2.0))
    with suppress(OSError):
        writer.stop()
