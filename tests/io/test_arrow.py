"""Arrow streams and files: read and written, with pyarrow and Polars as oracles."""

from __future__ import annotations

import io
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
from cantools_cli.frame.xl import XlMessage
from cantools_cli.io.arrow.reader import ArrowReader
from cantools_cli.io.arrow.writer import ArrowWriter
from tests.strategies import CHANNELS, facts, messages

pa = pytest.importorskip("pyarrow")

FRAMES = [
    Message(timestamp=1.5, arbitration_id=0x123, is_extended_id=False, data=b"\1\2", channel="can0"),
    Message(timestamp=2.5, arbitration_id=0x123, is_remote_frame=True, dlc=4, channel=None),
    Message(timestamp=3.5, arbitration_id=7, is_fd=True, data=bytes(12), channel="can1", is_rx=False),
]
#: the least that a table of another program may have
LEAST = {"timestamp": [1.5, 2.25], "arbitration_id": [0x123, 0x1234], "data": [b"\1\2", b""]}


def written(frames: list[Message], *, flushes: bool = False, **options: Any) -> bytes:
    file = io.BytesIO()
    with ArrowWriter(file, **options) as writer:
        for message in frames:
            writer(message)
            if flushes:
                writer.flush()
    return file.getvalue()


def read(data: bytes, **options: Any) -> list[Message]:
    return list(ArrowReader(io.BytesIO(data), **options))


def stream(table: Any, rows: int = 1000) -> bytes:
    """Return ``table`` as another program writes it."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)
    return sink.getvalue()


def of(**columns: Any) -> list[Message]:
    return read(stream(pa.table({**LEAST, **columns})))


@pytest.mark.parametrize("layout", ["stream", "file"])
@settings(deadline=None)
@given(frames=st.lists(messages(channels=CHANNELS), max_size=8), flushes=st.booleans())
def test_nothing_is_lost(layout: str, frames: list[Message], flushes: bool) -> None:
    data = written(frames, layout=layout, flushes=flushes)
    assert [facts(message) for message in read(data)] == [facts(message) for message in frames]
    assert ArrowReader.recognises(data)


@settings(deadline=None)
@given(times=st.lists(st.integers(-(1 << 63), (1 << 63) - 1), max_size=4))
def test_all_times_are_kept(times: list[int]) -> None:
    frames = [Message() for _ in times]
    for message, time in zip(frames, times, strict=True):
        message.timestamp_ns = time
    assert [message.timestamp_ns for message in read(written(frames))] == times


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
def test_compressed_columns_are_read(compression: str) -> None:
    data = written(FRAMES, compression=compression)
    assert [facts(message) for message in read(data)] == [facts(message) for message in FRAMES]


def test_pyarrow_reads_both_layouts() -> None:
    columns = pa.ipc.open_stream(written(FRAMES)).read_all()
    assert columns["data"].to_pylist() == [b"\1\2", b"", bytes(12)]
    assert columns["channel"].to_pylist() == ["can0", None, "can1"]
    assert pa.ipc.open_file(written(FRAMES, layout="file", flushes=True)).read_all().equals(columns)


@pytest.mark.parametrize("flushes", [False, True])
def test_polars_reads_both_layouts(flushes: bool) -> None:
    polars = pytest.importorskip("polars")
    found = polars.read_ipc_stream(io.BytesIO(written(FRAMES, flushes=flushes)))
    assert found["channel"].cast(polars.String).to_list() == ["can0", None, "can1"]
    found = polars.read_ipc(io.BytesIO(written(FRAMES, layout="file")))
    assert found["arbitration_id"].to_list() == [0x123, 0x123, 7]


def test_the_suffix_chooses_the_layout(tmp_path: Path) -> None:
    for name, begin in (
        ("a.arrow", b"ARROW1\0\0"),
        ("a.arrows", b"\xff\xff\xff\xff"),
        ("a", b"\xff\xff\xff\xff"),
    ):
        ArrowWriter(tmp_path / name).stop()
        assert (tmp_path / name).read_bytes().startswith(begin)


@pytest.mark.parametrize("layout", ["stream", "file"])
def test_any_cut_gives_the_frames_before_it(layout: str) -> None:
    data = written(FRAMES, flushes=True, layout=layout)
    counts = []
    for cut in range(0, len(data), 3):  # everything in it begins at a multiple of 8
        got = [facts(message) for message in read(data[:cut])]
        assert got == [facts(message) for message in FRAMES[: len(got)]]
        counts.append(len(got))
    assert counts == sorted(counts)
    assert {*counts} == {0, 1, 2, 3}


def test_what_is_flushed_is_read_before_the_end() -> None:
    file = io.BytesIO()
    writer = ArrowWriter(file, layout="file")
    writer(FRAMES[0])
    writer.flush()
    reader = ArrowReader(io.BytesIO(file.getvalue()))
    assert len(list(reader)) == 1
    assert "has no footer" in reader.notes[0]
    writer.stop()


def test_a_cut_inside_a_record_batch_is_said() -> None:
    reader = ArrowReader(io.BytesIO(written(FRAMES)[:-20]))
    assert list(reader) == []
    assert reader.notes == ["-: ends inside a record batch, which was dropped"]


@pytest.mark.parametrize(
    ("column", "times"),
    [
        (pa.array([1, 2], pa.timestamp("s")), [1_000_000_000, 2_000_000_000]),
        (pa.array([1, 2], pa.timestamp("ms", "Europe/Paris")), [1_000_000, 2_000_000]),
        (pa.array([1, 2], pa.timestamp("us")), [1000, 2000]),
        (pa.array([1700000000.123456, -1.5]), [1700000000123456000, -1_500_000_000]),
    ],
)
def test_times_of_all_units(column: Any, times: list[int]) -> None:
    assert [message.timestamp_ns for message in of(timestamp=column)] == times


def test_integer_times_need_a_unit_in_their_name() -> None:
    table = pa.table({"timestamp_ns": [5, 6], **{name: LEAST[name] for name in ("arbitration_id", "data")}})
    assert [message.timestamp_ns for message in read(stream(table))] == [5, 6]
    with pytest.raises(FormatError, match="timestamp is int64, which has no time unit") as caught:
        of(timestamp=[1, 2])
    assert caught.value.hint


@pytest.mark.parametrize(
    "kind",
    [
        pa.large_binary(),
        pa.binary_view(),
        pa.list_(pa.int64()),
        pa.large_list(pa.uint8()),
        pa.list_(pa.uint8()),
    ],
)
def test_data_of_all_kinds(kind: Any) -> None:
    values = [[1, 2], []] if pa.types.is_nested(kind) else [b"\1\2", b""]
    assert [bytes(message.data) for message in of(data=pa.array(values, kind))] == [b"\1\2", b""]
    assert [bytes(message.data) for message in of(data=["01 02", None])] == [b"\1\2", b""]
    fixed = pa.array([b"\1\2", b"\3\4"], pa.binary(2))
    assert [bytes(message.data) for message in of(data=fixed)] == [b"\1\2", b"\3\4"]


def test_missing_columns_have_defaults() -> None:
    base, extended = read(stream(pa.table(LEAST)))
    assert (base.is_extended_id, base.channel, base.is_rx, base.is_fd, base.dlc) == (
        False,
        "can0",
        True,
        False,
        2,
    )
    assert (extended.is_extended_id, extended.arbitration_id) == (True, 0x1234)
    reader = ArrowReader(io.BytesIO(stream(pa.table({**LEAST, "data": [bytes(12), b""]}))))
    assert [message.is_fd for message in reader] == [True, False]
    assert reader.notes == [
        "-: frames of more than 8 bytes are read as CAN FD, since there is no column is_fd"
    ]


def test_columns_of_other_types_mean_the_same() -> None:
    one, two = of(
        Channel=[1, None], is_rx=[0, None], IS_FD=[1, 0], dlc=pa.array([2, None], pa.int64()), note=["x", "y"]
    )
    assert (one.channel, one.is_rx, one.is_fd, one.dlc) == (1, False, True, 2)
    assert (two.channel, two.is_rx, two.is_fd, two.dlc) == (None, True, False, 0)


def test_slices_and_many_dictionaries() -> None:
    names = [f"can{number % 5}" for number in range(20_000)]
    table = pa.table(
        {
            "timestamp": pa.array(range(20_000), pa.timestamp("ns")),
            "arbitration_id": pa.array([number % 2048 for number in range(20_000)], pa.uint16()),
            "data": [bytes([number % 256]) for number in range(20_000)],
            "channel": pa.array(names).dictionary_encode(),
        }
    ).slice(3)
    sizes = [len(batch) for batch in ArrowReader(io.BytesIO(stream(table, 100_000))).batches()]
    assert (sum(sizes), max(sizes)) == (19_997, 8192)
    found = read(stream(table, 777))
    assert [message.channel for message in found] == names[3:]
    assert [message.timestamp_ns for message in found] == [*range(3, 20_000)]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"arbitration_id": [1, 0x20000000], "is_extended_id": [True, True]}, "is above 1FFFFFFF"),
        ({"arbitration_id": [1, 0x800], "is_extended_id": [False, False]}, "0x800 is above 7FF"),
        ({"arbitration_id": [1, -1]}, "not in range"),
        ({"arbitration_id": [1, None]}, "timestamp or arbitration_id is null"),
        ({"data": [b"", bytes(9)], "is_fd": [False, False]}, "9 data bytes, but a classic frame holds 8"),
        ({"data": [b"", bytes(9)]}, "9 is not a CAN FD length"),
        ({"data": [b"", bytes(65)]}, "65 data bytes, but a CAN FD frame holds 64"),
        ({"data": [[1], [256]]}, "cannot be read"),
        ({"data": ["01", "0x"]}, "cannot be read"),
        ({"dlc": [2, 1]}, "dlc is 1, but there are 0 data bytes"),
        ({"dlc_code": [2, 1]}, "dlc_code is 1, but there are 0 data bytes"),
        ({"data": [b"", b"1"], "is_remote_frame": [False, True]}, "a remote frame has no data"),
        ({"dlc": [2, 9], "is_remote_frame": [False, True]}, "dlc is 9 and dlc_code 255 of a remote frame"),
        ({"is_remote_frame": [False, True], "is_fd": [True, True]}, "a remote frame is classic"),
        ({"bitrate_switch": [False, True]}, "need is_fd"),
    ],
)
def test_what_is_wrong_is_said_with_the_row(columns: dict[str, Any], said: str) -> None:
    data = stream(pa.table({**LEAST, **columns}))
    reader = ArrowReader(io.BytesIO(data))
    found = []
    with pytest.raises(FormatError) as caught:
        found.extend(message for batch in reader.batches() for message in batch)
    assert str(caught.value).startswith("-:row 2: ")
    assert said in str(caught.value)
    assert len(read(data, on_error="skip")) == 1


def test_the_frames_before_a_fault_are_delivered() -> None:
    table = pa.table({**LEAST, "dlc": [2, 1]})
    reader = ArrowReader(io.BytesIO(stream(table))).batches()
    assert len(next(reader)) == 1
    with pytest.raises(FormatError, match="row 2"):
        next(reader)


@pytest.mark.parametrize("name", ["timestamp", "arbitration_id", "data"])
def test_a_column_that_must_be_there(name: str) -> None:
    table = pa.table(LEAST).drop_columns([name])
    with pytest.raises(FormatError, match=f"no column {name}; its columns: "):
        read(stream(table))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damage_raises_nothing_but_format_errors(data: st.DataObject) -> None:
    text = bytearray(written(FRAMES, flushes=True))
    for at in data.draw(st.lists(st.integers(0, len(text) - 1), min_size=1, max_size=4)):
        text[at] = data.draw(st.integers(0, 255))
    with suppress(FormatError):
        read(bytes(text), on_error="skip")


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_garbage_is_no_stream(noise: bytes) -> None:
    for begin in (b"\xff\xff\xff\xff\x20\0\0\0", b"ARROW1\0\0"):
        with suppress(FormatError):
            assert read(begin + noise) == []


@pytest.mark.parametrize("at", [4, "body"])
def test_memory_does_not_follow_a_lying_length(tmp_path: Path, at: int | str) -> None:
    data = bytearray(written(FRAMES))
    if at == "body":  # the last message's length of its body, which stands in its description
        schema = 8 + int.from_bytes(data[4:8], "little")
        body = data.index(
            (len(pa.ipc.read_message(pa.py_buffer(bytes(data[schema:]))).body)).to_bytes(8, "little")
        )
        data[body : body + 8] = (0x1FFF_FFF8).to_bytes(8, "little")
    else:
        data[4:8] = (0x1FFF_FFF8).to_bytes(4, "little")
    (tmp_path / "lying.arrows").write_bytes(data)
    program = """if 1:
        import sys
        from cantools_cli import ArrowReader, FormatError
        reader = ArrowReader(sys.argv[1])
        try:
            print(len(list(reader)), reader.notes)
        except FormatError as error:
            print(error)
        status = open("/proc/self/status").read()  # ru_maxrss counts what forked this program as well
        print(status.split("VmHWM:")[1].split()[0])
    """
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "lying.arrows")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "ends inside" in done.stdout
    assert int(done.stdout.split()[-1]) < 300 << 10  # KiB; pyarrow alone has a third of that


def test_losses_are_counted() -> None:
    writer = ArrowWriter(io.BytesIO())
    for message in (Message(channel="\udcff"), Message(channel="a")):
        writer(message)
    writer.stop()
    assert writer.losses == {"characters of channel names": 1}


XL_ROW = {"timestamp_ns": 5, "arbitration_id": 0x123, "data": b"\1\2", "is_xl": True, "sdt": 3}


def read_row(**columns: object) -> Message:
    (found,) = ArrowReader(stream_of([XL_ROW | columns]))
    return found


def stream_of(rows: list[dict[str, object]]) -> io.BytesIO:
    file = io.BytesIO()
    table = pa.Table.from_pylist(rows)
    with pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)
    file.seek(0)
    return file


def test_can_xl_of_other_programs() -> None:
    found = read_row(vcid=None, sec=True, dlc=2)
    assert isinstance(found, XlMessage)
    assert (found.timestamp_ns, found.sdt, found.vcid, found.sec, found.rrs) == (5, 3, 0, True, False)
    assert (found.acceptance_field, found.channel, found.is_rx) == (0, "can0", True)


def test_can_xl_takes_turns_with_other_frames() -> None:
    plain = {"timestamp_ns": 6, "arbitration_id": 1, "data": b"\1", "is_xl": False, "sdt": None}
    many = ArrowReader(stream_of([XL_ROW | {"data": bytes(2048)}, plain, plain, XL_ROW] * 5000))
    assert [message.is_xl for message in many] == [True, False, False, True] * 5000


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"data": b""}, "0 data bytes"),
        ({"data": bytes(2049)}, "2049 data bytes"),
        ({"dlc": 3}, "dlc is 3"),
        ({"arbitration_id": 0x800}, "priority 0x800 is out of range"),
        ({"is_fd": True}, "of another kind as well"),
        ({"is_extended_id": True}, "of another kind as well"),
        ({"is_remote_frame": True}, "of another kind as well"),
        ({"sdt": 256}, "cannot be read"),
        ({"timestamp_ns": None}, "timestamp or arbitration_id is null"),
    ],
)
def test_can_xl_that_is_none_is_refused(columns: dict[str, object], said: str) -> None:
    reader = ArrowReader(stream_of([XL_ROW | columns, XL_ROW, XL_ROW]), on_error="skip")
    assert len(list(reader)) == 2
    assert said in str(reader.first_fault)


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be continued"):
        ArrowWriter(tmp_path / "a.arrow", append=True)
    with pytest.raises(UsageError, match="unknown layout"):
        ArrowWriter(tmp_path / "a.arrow", layout="tree")  # type: ignore[arg-type]  # tests the refusal
    with pytest.raises(UsageError, match="unknown compression"):
        ArrowWriter(tmp_path / "a.arrow", compression="zip")
    assert not (tmp_path / "a.arrow").exists()


def test_an_empty_file_is_an_empty_log() -> None:
    reader = ArrowReader(io.BytesIO(b""))
    assert (list(reader), reader.notes) == ([], [])


def test_a_full_disk_is_the_system_s_error() -> None:
    with pytest.raises(OSError, match="No space left"), ArrowWriter("/dev/full") as writer:
        writer(FRAMES[0])


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match="need pyarrow") as caught:
        ArrowReader(io.BytesIO())
    assert caught.value.hint == "pip install 'canx[parquet]'"
