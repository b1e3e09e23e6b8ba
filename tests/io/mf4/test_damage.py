"""MDF 4 files that are cut off, damaged, or lie about themselves."""

from __future__ import annotations

import io
import re
import struct
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.errors import FormatError
from cantools_cli.frame.message import Message
from tests.io.mf4.mf4_bytes import (
    START_NS,
    File,
    read_lenient,
    read_up_to_fault,
    simple,
    usual,
    usual_record,
    written,
)
from tests.named import MF4Reader


def frames(count: int) -> list[Message]:
    found = []
    for number in range(count):
        message = Message(arbitration_id=number, is_extended_id=False, data=bytes(8))
        message.timestamp_ns = START_NS + number
        found.append(message)
    return found


FILE = written(frames(5))
RECORDS_AT = len(FILE) - 5 * 25


@pytest.mark.parametrize("size", [*range(1, RECORDS_AT, 211), *range(RECORDS_AT, len(FILE))])
def test_a_cut_file_gives_the_frames_before_the_cut_and_says_so(size: int) -> None:
    found, reader = read_lenient(FILE[:size])
    assert found == list(range(max(size - RECORDS_AT, 0) // 25))
    assert reader.skipped == 0
    assert reader.notes


def test_a_file_whose_descriptions_come_last_is_cut() -> None:
    whole = simple(usual_record(1) * 3)
    for size in range(168, len(whole), 13):
        found, reader = read_lenient(whole[:size])
        assert found in ([], [1, 1, 1])
        assert reader.notes or reader.skipped or found


def test_a_cut_compressed_block_gives_what_inflates() -> None:
    file = File()
    group = file.group(file.chain(usual()), 24)
    stream = zlib.compress(b"".join(usual_record(n % 999, struct.pack("<Q", n * n)) for n in range(5000)), 1)
    first = file.data_group(group, (len(file.data) + 71) // 8 * 8)
    head = struct.pack("<2sBBIQQ", b"DT", 0, 0, 0, 5000 * 24, len(stream))
    assert file.add(b"DZ", (), head + stream) == first + 64
    found, reader = read_lenient(file.finish(first)[: -len(stream) // 2])
    assert found == [n % 999 for n in range(len(found))]
    assert 1000 < len(found) < 5000
    assert any("ends inside" in note for note in reader.notes)


# (what, record): each is stepped over, and only itself
BAD = [
    ("DLC", struct.pack("<dBIBBB8x", 0, 1, 5, 0, 16, 8)),
    ("no CAN FD length|more than", usual_record(5, b"", size=65)),
    ("but only 8", usual_record(5, b"", size=12)),
    ("more than 11 bits", usual_record(0x800)),
    ("the time nan is out of range", usual_record(5, time=float("nan"))),
    ("the time", usual_record(5, time=1e300)),
    ("the time", usual_record(5, time=8.9e9)),
]


@pytest.mark.parametrize(("words", "record"), BAD)
def test_a_malformed_record_stops_there_or_is_passed_over(words: str, record: bytes) -> None:
    data = simple(usual_record(1) + record + usual_record(2))
    found, error = read_up_to_fault(data)
    assert found == [1]
    assert error is not None
    assert re.search(words, str(error))
    assert error.position == data.index(usual_record(1)) + 24
    found, reader = read_lenient(data)
    assert (found, reader.skipped) == ([1, 2], 1)


def test_behind_an_unknown_record_nothing_can_be_read() -> None:
    data = FILE[: RECORDS_AT + 50] + b"\x09" + FILE[RECORDS_AT + 51 :]
    found, error = read_up_to_fault(data)
    assert found == [0, 1]
    assert "number 09" in str(error)
    assert (error.position if error else 0) == RECORDS_AT + 50


@pytest.mark.parametrize(
    "patch",
    [
        (64, b"##XX"),
        (72, (1 << 62).to_bytes(8, "little")),
        (80, (1 << 40).to_bytes(8, "little")),
        (88, (65).to_bytes(8, "little")),
    ],
)
def test_blocks_that_lie_are_faults(patch: tuple[int, bytes]) -> None:
    data = bytearray(simple(usual_record(1)))
    data[patch[0] : patch[0] + len(patch[1])] = patch[1]
    found, reader = read_lenient(bytes(data))
    assert found == []
    assert reader.skipped or reader.notes


def test_chains_that_lead_back_end() -> None:
    data = bytearray(simple(usual_record(1)))
    at = data.index(b"##CN")
    struct.pack_into("<Q", data, at + 24, at)
    assert read_lenient(bytes(data))[1].skipped == 1


@pytest.mark.parametrize("what", ["transposed", "record", "variable"])
def test_memory_does_not_follow_a_lying_length(what: str) -> None:
    file = File()
    block = file.add(b"DT", (), b"\1" + (0xFFFFFFF0).to_bytes(4, "little") + bytes(1000))
    if what == "transposed":
        head = struct.pack("<2sBBIQQ", b"DT", 1, 0, 24, 1 << 40, 50)
        block = file.add(b"DZ", (), head + bytes(50))
    size = 1 << 31 if what == "record" else 24
    skipped = file.group(0, size, record_id=1, flags=what == "variable")
    group = file.group(file.chain(usual()), 24, record_id=2, following=skipped)
    data = file.finish(file.data_group(group, block, id_size=1))
    tracemalloc.start()
    read_lenient(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.integers(64, len(FILE) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_damage_never_raises_anything_but_a_format_error(changes: list[tuple[int, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cantools_cli.io.mf4.asammdf.is_installed", lambda: False)
        data = bytearray(FILE)
        for at, value in changes:
            data[at] = value
        try:
            for _ in MF4Reader(io.BytesIO(data), on_error="skip").batches():
                pass
        except FormatError:
            pass
