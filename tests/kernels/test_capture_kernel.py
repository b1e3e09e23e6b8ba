"""The kernel of captures, compiled and interpreted: the same results, whatever the bytes."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage
from tests.io.capture.capture_bytes import block, classic, option, packet_block, pcap_record, section
from tests.kernels.forms import FORMS, load
from tests.strategies import NAMES, messages

LARGEST = (1 << 63) - 1
#: interfaces of every link type, of microseconds and of nanoseconds
LINKS = array("H", [227, 113, 276, 252])
TABLES = (
    LINKS,
    array("q", [1000, 1, 1, 1]),
    array("q", [0, 5, -7, 0]),
    array("q", [LARGEST // 1000, LARGEST - 5, LARGEST, LARGEST]),
    array("H", [0, 1, 0, 0]),
    array("H", [0xFFFF, 1]),
)


@pytest.fixture(params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("capture", request.param)


def parse(kernel: Any, text: bytes, blocks: bool, big: bool = False, link: int = 0) -> tuple[Any, ...]:
    batch = MessageBatch.with_room(20, 1024, ("can0", "can1"))
    tables = (LINKS[link:], *TABLES[1:5]) if not blocks else TABLES[:5]
    tables = tuple(table[: len(tables[0])] for table in tables)
    at, rows, reason = kernel.parse(text, 0, len(text), blocks, big, *tables, TABLES[5], 0, *batch.columns())
    batch.cut(rows)
    return at, rows, reason, tuple(bytes(column) for column in batch.columns()), batch


def test_reasons(kernel: Any) -> None:
    record = pcap_record(classic(1))
    assert parse(kernel, record * 2, False)[:3] == (64, 2, kernel.DONE)
    assert parse(kernel, record * 21, False)[:3] == (640, 20, kernel.FULL)
    assert parse(kernel, record + record[:31], False)[:3] == (32, 1, kernel.CUT)
    assert parse(kernel, record + pcap_record(b"short"), False)[:3] == (32, 1, kernel.STRANGE)
    packet = packet_block(classic(1))
    assert parse(kernel, packet * 2, True)[:3] == (96, 2, kernel.DONE)
    assert parse(kernel, packet + packet[:47], True)[:3] == (48, 1, kernel.CUT)
    assert parse(kernel, packet + section(), True)[:3] == (48, 1, kernel.STRANGE)


@pytest.mark.parametrize("ticks", [0, LARGEST // 1000, LARGEST // 1000 + 1, 1 << 63, (1 << 64) - 1])
def test_times_that_fit_are_exact_and_others_are_left(kernel: Any, ticks: int) -> None:
    _, rows, reason, _, batch = parse(kernel, packet_block(classic(1), ticks), True)
    if ticks * 1000 <= LARGEST:
        assert list(batch.timestamp_ns) == [ticks * 1000]
    else:
        assert (rows, reason) == (0, kernel.STRANGE)


def test_the_direction_is_found_behind_other_options(kernel: Any) -> None:
    for marks, flag in ((1, 0), (2, 8), (0, 0)):
        options = option(1, b"comment") + option(2, marks.to_bytes(4, "little")) + bytes(4)
        *_, batch = parse(kernel, packet_block(classic(1), 0, 0, options), True)
        assert list(batch.flags) == [flag]


def test_columns_that_do_not_fit_are_refused(kernel: Any) -> None:
    batch = MessageBatch.with_room(4, 64, ("can0",))
    with pytest.raises(ValueError, match="text"):
        kernel.parse(b"", 0, 1, False, False, *TABLES, 0, *batch.columns())
    with pytest.raises(ValueError, match="tables"):
        kernel.parse(b"", 0, 0, False, False, *[array(t.typecode) for t in TABLES], 0, *batch.columns())
    with pytest.raises(ValueError, match="channel"):
        kernel.format(0, *batch.columns(), array("H"), False, 1, bytearray(200))
    batch.offset = array("I", [0, 9, 9, 9, 9])
    with pytest.raises(ValueError, match="offsets"):
        kernel.format(0, *batch.columns(), array("H", [0]), False, 1, bytearray(200))
    batch.flags = bytearray(3)
    with pytest.raises(ValueError, match="columns"):
        kernel.parse(b"", 0, 0, False, False, *TABLES, 0, *batch.columns())


@pytest.mark.parametrize(
    ("time", "unit", "seconds", "part", "moved"),
    [
        (1_500_000_001, 1, 1, 500_000_001, 0),
        (1_999_999_500, 1000, 2, 0, 0),
        (1_999_999_499, 1000, 1, 999_999, 0),
        (-1, 1, 0, 0, 1),
        (0xFFFFFFFF * 10**9 + 999_999_999, 1, 0xFFFFFFFF, 999_999_999, 0),
        (0xFFFFFFFF * 10**9 + 999_999_999, 1000, 0xFFFFFFFF, 999_999, 0),
        (LARGEST, 1, 0xFFFFFFFF, 999_999_999, 1),
    ],
)
def test_times_of_pcap(kernel: Any, time: int, unit: int, seconds: int, part: int, moved: int) -> None:
    batch = MessageBatch.with_room(1, 0, ("can0",))
    batch.timestamp_ns[0] = time
    out = bytearray(200)
    assert kernel.format(0, *batch.columns(), array("H", [0]), False, unit, out) == (1, 32, moved)
    assert (int.from_bytes(out[:4], "little"), int.from_bytes(out[4:8], "little")) == (seconds, part)


def test_a_can_xl_frame_is_left_to_python(kernel: Any) -> None:
    batch = MessageBatch([Message(arbitration_id=1), XlMessage(data=bytes(2048))])
    out = bytearray(500)
    assert kernel.format(0, *batch.columns(), array("H", [0]), False, 1, out) == (1, 32, 0)
    assert kernel.format(1, *batch.columns(), array("H", [0]), False, 1, out) == (1, 0, 0)


@settings(deadline=None, max_examples=60)
@given(st.lists(messages(channels=NAMES), max_size=8), st.booleans())
def test_both_forms_write_the_same_and_read_it_back(frames: list[Any], blocks: bool) -> None:
    batch = MessageBatch(frames)
    interfaces = array("H", [0] * len(batch.channels))
    written = []
    for form in FORMS:
        out = bytearray(b"\xee" * 1200)
        answer = load("capture", form).format(0, *batch.columns(), interfaces, blocks, 1, out)
        written.append((answer, bytes(out[: answer[1]])))
        assert out[answer[1] :] == b"\xee" * (1200 - answer[1])
    assert written[0] == written[1]
    (rows, used, _), text = written[0]
    assert rows == len(batch)
    at, back, _, _, _ = parse(load("capture", "interpreted"), text, blocks)
    if not blocks or all(frame.timestamp_ns <= LARGEST // 1000 for frame in frames):
        assert (at, back) == (used, rows)


PIECES = [
    pcap_record(classic(1)),
    pcap_record(classic(0x4000_0001)[:8]),
    packet_block(classic(2)),
    packet_block(b"\0\4" + bytes(12) + b"\0\x0c" + classic(3)[::-1], 9, 1),
    packet_block(b"\0\x0d\0\0\0\0\0\1" + bytes(12) + classic(0), 9, 2, option(2, b"\2\0\0\0")),
    packet_block(classic(4), 1 << 62, 1, order=">"),
    section(),
    block(5, bytes(12)),
]


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.sampled_from(PIECES) | st.binary(max_size=30), max_size=6),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4),
    st.booleans(),
    st.booleans(),
    st.integers(0, 3),
)
def test_both_forms_agree_on_damage(
    pieces: list[bytes], changes: list[tuple[int, int]], blocks: bool, big: bool, link: int
) -> None:
    text = bytearray(b"".join(pieces))
    for at, value in changes:
        if at < len(text):
            text[at] = value
    first, second = (load("capture", form) for form in FORMS)
    assert (
        parse(first, bytes(text), blocks, big, link)[:4] == parse(second, bytes(text), blocks, big, link)[:4]
    )
    assert first.walk(bytes(text), 0, len(text), blocks, big) == second.walk(
        bytes(text), 0, len(text), blocks, big
    )


@pytest.mark.parametrize(("blocks", "record"), [(False, pcap_record(classic(1))), (True, packet_block(b"x"))])
def test_walking_stops_at_the_last_complete_record(kernel: Any, blocks: bool, record: bytes) -> None:
    assert kernel.walk(record * 3, 0, len(record) * 3, blocks, False) == (len(record) * 3, kernel.DONE)
    for cut in range(1, len(record)):
        text = record * 2 + record[:cut]
        assert kernel.walk(text, 0, len(text), blocks, False) == (len(record) * 2, kernel.CUT)
    absurd = record * 2 + b"\xff" * 40
    assert kernel.walk(absurd, 0, len(absurd), blocks, False) == (len(record) * 2, kernel.STRANGE)
