"""MDF 4 files as other programs lay them out."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import pytest

from cantools_cli.errors import FormatError, NotALogError
from cantools_cli.frame.message import Message
from cantools_cli.io.mf4.blocks import transposed_back
from tests.io.mf4.mf4_bytes import START_NS, File, read, read_lenient, simple, usual, usual_record
from tests.named import MF4Reader

CANEDGE_OLD = bytes.fromhex("01 000000d0a24dcc41 da3c00001180 0000000000000000 02 08000000 022101ffffffffff")
CANEDGE_NEW = bytes.fromhex("60 8e35d7000000 1110 01 00000000000000")


def said(message: Message) -> str:
    return str(message).replace("  ", "")


def canedge_old(records: bytes) -> bytes:
    """Return a file of a logger's firmware up to 01.04: unsorted, bits packed, data behind the record."""
    file = File(magic=b"UnFinMF ", unfinished=0x25)
    scale = file.linear(0, 1e-9)
    data = file.group(0, 8, record_id=2, flags=1)
    members = [
        ("IDE", 8, 0, 1),
        ("BusChannel", 8, 1, 2),
        ("ID", 8, 3, 29),
        ("Dir", 12, 0, 1),
        ("DataLength", 12, 1, 7),
        ("EDL", 13, 0, 1),
        ("BRS", 13, 1, 1),
        ("ESI", 13, 2, 1),
        ("DLC", 13, 4, 4),
    ]
    channels: list[tuple[Any, ...]] = [(f"CAN_DataFrame.{name}", *place, {}) for name, *place in members]
    channels.append(("CAN_DataFrame.DataBytes", 14, 0, 64, {"kind": 1, "data_type": 10, "stream": data}))
    structure = file.channel("CAN_DataFrame", 8, 0, 112, data_type=10, composition=file.chain(channels))
    time = file.channel("Timestamp", 0, 0, 64, kind=2, data_type=4, conversion=scale, following=structure)
    group = file.group(time, 22, record_id=1, following=data)
    first = file.data_group(group, len(file.data) + 64, id_size=1)
    block = file.add(b"DT", (), records, length=24)
    assert block == first + 64
    return file.finish(first)


def canedge_new(records: bytes) -> bytes:
    """Return a file of a newer firmware: integer times, and members that are the same for a whole group."""
    file = File()
    values = [float(x) for code in range(16) for x in (code, min(code, 8))]
    table = file.add(b"CC", (0, 0, 0, 0), struct.pack("<BBHHHdd32d", 5, 0, 0, 0, 32, 0, 0, *values))
    channels: list[tuple[Any, ...]] = [
        ("Timestamp", 0, 0, 48, {"kind": 2, "conversion": file.linear(0, 1e-6)}),
        ("CAN_DataFrame.ID", 6, 0, 11, {}),
        ("CAN_DataFrame.DLC", 7, 4, 4, {}),
        ("CAN_DataFrame.DataLength", 7, 4, 4, {"conversion": table}),
        ("CAN_DataFrame.DataBytes", 8, 0, 64, {"data_type": 10}),
    ]
    for name, value in (("BusChannel", 2), ("IDE", 0), ("Dir", 0), ("EDL", 0)):
        options = {"kind": 6, "conversion": file.linear(value, 0)}
        channels.append((f"CAN_DataFrame.{name}", 0, 0, 0, options))
    group = file.group(file.chain(channels), 16, record_id=0x60)
    return file.finish(file.data_group(group, file.add(b"DT", (), records), id_size=1))


def test_the_packed_records_of_an_old_logger() -> None:
    (message,) = read(canedge_old(CANEDGE_OLD))
    assert message.timestamp_ns == START_NS + 949_700_000
    assert (message.arbitration_id, message.is_extended_id, message.is_rx) == (0x79B, False, False)
    assert (message.channel, bytes(message.data)) == ("can0", bytes.fromhex("022101ffffffffff"))


def test_data_behind_records_is_counted_by_bytes() -> None:
    one, two = CANEDGE_OLD[:15], CANEDGE_OLD[23:]
    records = b"".join(one + (12 * n).to_bytes(8, "little") + two for n in range(5))
    assert len(read(canedge_old(records))) == 5
    wrong = one + bytes(8) + two + one + (13).to_bytes(8, "little") + two
    found, reader = read_lenient(canedge_old(wrong + one + (24).to_bytes(8, "little") + two))
    assert (len(found), reader.skipped) == (2, 1)


def test_the_constant_members_of_a_new_logger() -> None:
    (message,) = read(canedge_new(CANEDGE_NEW))
    assert message.timestamp_ns == START_NS + 14_103_950_000
    assert (message.arbitration_id, message.is_extended_id, message.channel) == (0x011, False, "can1")
    assert bytes(message.data) == b"\1"


RECORDS = b"".join(usual_record(n, bytes([n % 256] * (n % 9)), n / 8) for n in range(300))


def deflated(data: bytes, columns: int) -> bytes:
    rows = len(data) // columns if columns else 0
    flat = data
    if columns:
        flat = b"".join(data[c : rows * columns : columns] for c in range(columns)) + data[rows * columns :]
    stream = zlib.compress(flat)
    return struct.pack("<2sBBIQQ", b"DT", bool(columns), 0, columns, len(data), len(stream)) + stream


@pytest.mark.parametrize("columns", [0, 24])
def test_compressed_blocks_in_lists_of_lists(columns: int) -> None:
    file = File()
    blocks = [file.add(b"DZ", (), deflated(RECORDS[at : at + 1001], columns)) for at in range(0, 7200, 1001)]
    last = file.add(b"DL", (0, *blocks[4:]), struct.pack("<B3xI", 1, len(blocks) - 4) + bytes(8))
    first = file.add(b"DL", (last, *blocks[:4]), struct.pack("<B3xI", 1, 4) + bytes(8))
    head = file.add(b"HL", (first,), bytes(8))
    assert [m.arbitration_id for m in read(simple(b"", data=head, file=file))] == list(range(300))


def test_a_transposition_keeps_what_is_no_whole_record() -> None:
    assert transposed_back(b"adbecfX", 3) == b"abcdefX"
    assert transposed_back(b"ab", 3) == b"ab"


def test_data_in_a_stream_of_its_own() -> None:
    file = File()
    stream = b"".join(struct.pack("<I", n % 9) + bytes([n % 256] * (n % 9)) for n in range(40_000))
    pieces = [file.add(b"SD", (), stream[at : at + 70_001]) for at in range(0, len(stream), 70_001)]
    listed = file.add(b"DL", (0, *pieces), struct.pack("<B3xI", 1, len(pieces)) + bytes(8))
    records, at = b"", 0
    for n in range(40_000):
        records += struct.pack("<dBIBBBQ", n / 8, 1, n % 0x800, 0, n % 9, n % 9, at)
        at += 4 + n % 9
    options = {"kind": 1, "stream": listed}
    found = read(stream_file(file, records, options))
    assert [bytes(m.data) for m in found] == [bytes([n % 256] * (n % 9)) for n in range(40_000)]


def stream_file(file: File, records: bytes, options: dict[str, Any]) -> bytes:
    group = file.group(file.chain(usual(data=options)), 24)
    return file.finish(file.data_group(group, file.add(b"DT", (), records)))


def test_groups_are_merged_by_time() -> None:
    file, following = File(), 0
    for event, step in (("CAN_RemoteFrame", 3), ("CAN_DataFrame", 1)):
        records = b"".join(usual_record(n, b"", n) for n in range(0, 12, step))
        group = file.group(file.chain(usual(event)), 24)
        following = file.data_group(group, file.add(b"DT", (), records), following=following)
    found = read(file.finish(following))
    assert [m.arbitration_id for m in found] == sorted([*range(12), *range(0, 12, 3)])
    assert [m.is_remote_frame for m in found][:5] == [False, True, False, False, False]


@pytest.mark.parametrize(("text", "is_rx"), [(b"Rx", True), (b"Tx", False)])
def test_a_direction_may_be_text(text: bytes, is_rx: bool) -> None:
    file = File()
    channels = [*usual(), ("CAN_DataFrame.Dir", 24, 0, 16, {"data_type": 6})]
    data = file.add(b"DT", (), usual_record(1) + text)
    (message,) = read(file.finish(file.data_group(file.group(file.chain(channels), 26), data)))
    assert message.is_rx is is_rx


@pytest.mark.parametrize(
    ("cause", "error_class", "detail"),
    [(0, 0x80, 0), (1, 0x88, 0x01), (2, 0x88, 0x02), (3, 0x88, 0x04), (4, 0x88, 0x08), (5, 0xA0, 0)],
)
def test_an_error_has_the_cause_that_its_type_says(cause: int, error_class: int, detail: int) -> None:
    file = File()
    channels = [*usual("CAN_ErrorFrame"), ("CAN_ErrorFrame.ErrorType", 24, 0, 8, {})]
    data = file.add(b"DT", (), usual_record(0x123) + bytes([cause]))
    (message,) = read(file.finish(file.data_group(file.group(file.chain(channels), 25), data)))
    assert (message.is_error_frame, message.arbitration_id, message.dlc) == (True, error_class, 8)
    assert message.data[3 if cause == 4 else 2] == detail


def test_a_scalar_byte_is_data() -> None:
    file = File()
    data = file.add(b"DT", (), usual_record(0x88, b"\7")[:17])
    group = file.group(file.chain(usual("CAN_ErrorFrame", size=1, data={"data_type": 0})), 17)
    (message,) = read(file.finish(file.data_group(group, data)))
    assert (message.arbitration_id, bytes(message.data)) == (0x88, b"\7")


def test_bit_31_and_a_large_identifier_mean_29_bits_where_nothing_else_does() -> None:
    file = File()
    channels = [row for row in usual() if not row[0].endswith("IDE")]
    records = b"".join(usual_record(number) for number in (0x80000123, 0x123, 0x12345))
    data = file.add(b"DT", (), records)
    found = read(file.finish(file.data_group(file.group(file.chain(channels), 24), data)))
    assert [(m.arbitration_id, m.is_extended_id) for m in found] == [
        (0x123, True),
        (0x123, False),
        (0x12345, True),
    ]


def test_a_record_that_says_that_it_is_not_valid_is_left_out_and_counted() -> None:
    file = File()
    channels = usual()
    channels[2] = ("CAN_DataFrame.ID", 9, 0, 32, {"flags": 0x402, "invalid": 3})
    data = file.add(
        b"DT", (), usual_record(1) + b"\0" + usual_record(2) + b"\x08" + usual_record(3) + b"\xf7"
    )
    group = file.group(file.chain(channels), 24, invalid=1)
    found, reader = read_lenient(file.finish(file.data_group(group, data)))
    assert (found, reader.skipped) == ([1, 3], 0)
    assert reader.notes == ["-: 1 record marked as invalid left out"]


def test_a_start_in_local_time_has_the_zone_that_is_asked_for() -> None:
    file = File()
    group = file.group(file.chain(usual()), 24)
    data = file.finish(file.data_group(group, file.add(b"DT", (), usual_record(1))), flags=1)
    (message,) = read(data, tz="Asia/Tokyo")
    assert message.timestamp_ns == START_NS - 9 * 3600 * 10**9


def test_channels_of_python_can_count_from_zero() -> None:
    file = File(program=b"amdf8.8.")
    at = file.group(file.chain(usual()), 24)
    struct.pack_into("<Q", file.data, at + 24 + 5 * 8, file.text("Python"))
    data = file.finish(
        file.data_group(at, file.add(b"DT", (), usual_record(1, bus=1) + usual_record(1, bus=0)))
    )
    assert [m.channel for m in read(data)] == ["can1", "can0"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"MDF     3.30    ".ljust(64, b"\0"), "version 3.30"),
        (b"Generic File\0".ljust(64, b"\0"), "CANedge"),
        (b"\x7fELF".ljust(64, b"\0"), "not an MDF file"),
        (b"", "empty"),
    ],
)
def test_what_cannot_be_read_is_named(data: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        read(data)


@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_a_file_of_signals_is_not_a_log(on_error: str) -> None:
    file = File()
    channels = [usual()[0], ("Speed", 8, 0, 16, {})]
    data = file.add(b"DT", (), bytes(20))
    text = file.finish(file.data_group(file.group(file.chain(channels), 10), data))
    with pytest.raises(
        NotALogError, match=r"not a log that canx recognises: no CAN frames .*\(CAN\)"
    ) as error:
        read(text, on_error=on_error)
    assert error.value.exit_status == 2


def test_recognised_by_its_first_bytes() -> None:
    assert all(MF4Reader.recognises(head) for head in (b"MDF     4.10", b"UnFinMF 4.11", b"Generic File"))
    assert not MF4Reader.recognises(b"MDF")
