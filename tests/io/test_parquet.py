"""Parquet files: read and written, with pyarrow, Polars and DuckDB as oracles."""

from __future__ import annotations

import io
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame.message import Message
from cantools_cli.io.parquet import footer
from cantools_cli.io.parquet.footer import Footers
from cantools_cli.io.parquet.reader import ParquetReader
from cantools_cli.io.parquet.writer import ParquetWriter
from tests.strategies import CHANNELS, facts, messages

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

FRAMES = [
    Message(timestamp=1.5, arbitration_id=0x123, is_extended_id=False, data=b"\1\2", channel="can0"),
    Message(timestamp=2.5, arbitration_id=0x123, is_remote_frame=True, dlc=4, channel=None),
    Message(timestamp=3.5, arbitration_id=7, is_fd=True, data=bytes(12), channel="can1", is_rx=False),
]


def written(frames: list[Message], *, flushes: bool = False, **options: Any) -> bytes:
    file = io.BytesIO()
    with ParquetWriter(file, **options) as writer:
        for message in frames:
            writer(message)
            if flushes:
                writer.flush()
    return file.getvalue()


def read(data: bytes, **options: Any) -> list[Message]:
    return list(ParquetReader(io.BytesIO(data), **options))


def read_path(path: Path) -> list[tuple[object, ...]]:
    with ParquetReader(path) as reader:
        return [facts(message) for message in reader]


def same(data: bytes, frames: list[Message]) -> bool:
    return [facts(message) for message in read(data)] == [facts(message) for message in frames]


@settings(max_examples=30, deadline=None)
@given(frames=st.lists(messages(channels=CHANNELS), max_size=8), flushes=st.booleans())
def test_nothing_is_lost(frames: list[Message], flushes: bool) -> None:
    data = written(frames, flushes=flushes)
    assert same(data, frames)
    assert ParquetReader.recognises(data)


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "lz4", "zstd"])
def test_all_compressions(compression: str) -> None:
    assert same(written(FRAMES, compression=compression), FRAMES)


@pytest.mark.parametrize("flushes", [False, True])
def test_other_programs_read_it_without_conversion(tmp_path: Path, flushes: bool) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(written(FRAMES, flushes=flushes))
    assert parquet.read_table(path)["data"].to_pylist() == [b"\1\2", b"", bytes(12)]
    assert parquet.ParquetFile(path).num_row_groups == (3 if flushes else 1)
    polars = pytest.importorskip("polars")
    assert polars.read_parquet(path)["arbitration_id"].to_list() == [0x123, 0x123, 7]
    duckdb = pytest.importorskip("duckdb")
    query = f"select channel, epoch_ns(timestamp), dlc, dlc_code, is_rx, data from '{path}'"
    assert duckdb.connect().sql(query).fetchall() == [
        ("can0", 1_500_000_000, 2, 2, True, b"\1\2"),
        (None, 2_500_000_000, 4, 4, True, b""),
        ("can1", 3_500_000_000, 12, 9, False, bytes(12)),
    ]


def test_what_other_programs_write_is_read(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    duckdb = pytest.importorskip("duckdb")
    path, copy = tmp_path / "a.parquet", tmp_path / "b.parquet"
    path.write_bytes(written(FRAMES))
    duckdb.connect().sql(f"copy (select * from '{path}') to '{copy}'")
    assert read_path(copy) == [facts(message) for message in FRAMES]
    polars.read_parquet(path).write_parquet(copy)
    assert read_path(copy) == [facts(message) for message in FRAMES]
    parquet.write_table(parquet.read_table(path), copy, row_group_size=2, write_page_index=True)
    assert read_path(copy) == [facts(message) for message in FRAMES]


def test_any_cut_gives_the_parts_before_it() -> None:
    data = written(FRAMES, flushes=True)
    edges = [at.end() + by for at in re.finditer(b"PAR1|CANXPART", data[:-4]) for by in range(-1, 2)]
    for cut in sorted({*range(4, len(data), 47), *edges}):
        parts = data[:cut].count(b"CANXPART")
        reader = ParquetReader(io.BytesIO(data[:cut]))
        got = [facts(message) for message in reader]
        assert got == [facts(message) for message in FRAMES[: len(got)]]
        first_alone = parts == 0 and data[:cut].endswith(b"PAR1")  # which is a Parquet file
        assert len(got) == parts or first_alone
        assert "has no footer" in "".join(reader.notes) or first_alone


@pytest.mark.parametrize("part", [1, 2])
def test_a_part_without_its_mark_is_not_taken_for_the_whole(part: int) -> None:
    file = io.BytesIO()
    writer = ParquetWriter(file)
    for message in FRAMES[: part + 1]:
        writer(message)
        writer.flush()
    assert same(file.getvalue()[:-16], FRAMES[:part])


def test_other_programs_refuse_what_is_not_closed() -> None:
    file = io.BytesIO()
    writer = ParquetWriter(file)
    writer(FRAMES[0])
    writer.flush()
    with pytest.raises(pa.ArrowInvalid):
        parquet.read_table(io.BytesIO(file.getvalue()))
    assert same(file.getvalue(), FRAMES[:1])
    writer.stop()
    assert parquet.read_table(io.BytesIO(file.getvalue())).num_rows == 1


def test_a_killed_writer_leaves_what_it_flushed(tmp_path: Path) -> None:
    program = """if 1:
        import sys
        from cantools_cli import Message, ParquetWriter
        writer = ParquetWriter(sys.argv[1])
        for number in range(5):
            writer(Message(arbitration_id=number))
            writer.flush()
        writer(Message(arbitration_id=99))
        print("ready", flush=True)
        sys.stdin.read()
    """
    path = tmp_path / "a.parquet"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGKILL)
    assert [fact[2] for fact in read_path(path)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("rest", [b"", b"PAR1 half a part"])
def test_appending_continues_a_file(tmp_path: Path, closed: bool, rest: bytes) -> None:
    path = tmp_path / "a.parquet"
    whole = written(FRAMES[:2], flushes=True)
    if not closed:
        end = whole.rindex(b"CANXPART") + 8
        whole = whole[:end] + rest
    path.write_bytes(whole)
    with ParquetWriter(path, append=True) as writer:
        writer(FRAMES[2])
        writer.flush()
        assert read_path(path) == [facts(message) for message in FRAMES]
    assert read_path(path) == [facts(message) for message in FRAMES]
    assert parquet.read_table(path)["arbitration_id"].to_pylist() == [0x123, 0x123, 7]
    before = path.read_bytes()
    ParquetWriter(path, append=True).stop()
    assert same(path.read_bytes(), FRAMES)
    assert path.read_bytes() == before


def test_appending_to_other_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"timestamp": [1.5], "arbitration_id": [1], "data": [b""]}), path)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="columns other than"):
        ParquetWriter(path, append=True)
    assert path.read_bytes() == before
    path.write_bytes(b"PAR1 nothing")
    with pytest.raises(FormatError, match="cannot be continued"):
        ParquetWriter(path, append=True)


def test_a_pipe_is_read_and_written() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self, data: bytes = b"") -> None:
            self.data = bytearray(data)

        def read(self, size: int = -1) -> bytes:
            piece = bytes(self.data[:7])
            del self.data[:7]
            return piece

        def write(self, data: Any) -> int:
            self.data += data
            return len(data)

        def writable(self) -> bool:
            return True

    pipe = Pipe()
    with ParquetWriter(pipe) as writer:
        for message in FRAMES:
            writer(message)
            writer.flush()
    assert same(bytes(pipe.data), FRAMES)
    assert len(list(ParquetReader(Pipe(bytes(pipe.data))))) == 3


def test_the_joined_footer_is_what_pyarrow_writes_for_one_file() -> None:
    data = written(FRAMES)
    size = int.from_bytes(data[-8:-4], "little")
    footers = Footers()
    footers.add(data[-8 - size : -8], 0)
    assert footers.joined() == data[-8 - size :]
    assert footers.rows == 3


def test_a_row_group_is_written_when_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cantools_cli.io.parquet.writer.GROUP_ROWS", 1024)
    data = written([Message(arbitration_id=number) for number in range(3000)])
    assert parquet.ParquetFile(io.BytesIO(data)).num_row_groups == 3
    assert [message.arbitration_id for message in read(data)] == [*range(3000)]


@given(st.dictionaries(st.integers(-(1 << 15), (1 << 15) - 1), st.integers(-(1 << 63), (1 << 63) - 1)))
def test_fields_of_any_number_are_read_as_they_were_written(numbers: dict[int, int]) -> None:
    fields = {place: (footer._I64, value) for place, value in numbers.items()}
    text = footer._struct(fields)
    assert footer._read_struct(text, 0, 0) == (fields, len(text))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damage_raises_nothing_but_format_errors(data: st.DataObject) -> None:
    text = bytearray(written(FRAMES, compression="none"))
    for at in data.draw(st.lists(st.integers(4, len(text) - 1), min_size=1, max_size=3)):
        text[at] = data.draw(st.integers(0, 255))
    with suppress(FormatError):
        read(bytes(text), on_error="skip")


@pytest.mark.parametrize("size", [0, 5, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_lying_size_of_the_footer(size: int) -> None:
    data = written(FRAMES)[:-8] + size.to_bytes(4, "little") + b"PAR1"
    assert len(read(data)) == len(FRAMES)  # its parts have footers as well
    other = data.replace(b"CANXPART", b"whatever")
    with pytest.raises(FormatError, match="damaged"):
        read(other)
    assert read(other, on_error="skip") == []


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"PAR2" + bytes(20), "not a Parquet file"), (b"PARE" + bytes(20), "encrypted Parquet")],
)
def test_other_files_are_refused(data: bytes, said: str) -> None:
    with pytest.raises((FormatError, UsageError), match=said):
        read(data)


def test_an_empty_file_is_an_empty_log() -> None:
    assert read(b"") == []
    assert read(written([])) == []


def test_a_full_disk_is_the_system_s_error() -> None:
    with pytest.raises(OSError, match="No space left"), ParquetWriter("/dev/full") as writer:
        writer(FRAMES[0])


def test_unknown_compression() -> None:
    with pytest.raises(UsageError, match="unknown compression"):
        ParquetWriter(io.BytesIO(), compression="zip")
