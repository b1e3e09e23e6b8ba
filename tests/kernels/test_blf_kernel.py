"""The BLF kernel, compiled and interpreted: the same results, whatever the bytes."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from tests.io.blf.blf_bytes import classic, lobj
from tests.kernels.forms import FORMS, load
from tests.strategies import facts, messages

START = 1_700_000_000_000_000_000
LARGEST = (1 << 63) - 1
#: channel numbers 0 to 3 of a file
TABLE = array("H", [0xFFFF, 0, 1, 0xFFFF])


@pytest.fixture(params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("blf", request.param)


def parse(
    kernel: Any, text: bytes, rows: int = 50, room: int = 4096, start: int = START
) -> tuple[int, int, int, MessageBatch]:
    batch = MessageBatch.with_room(rows, room, ("can0", "can1"))
    earliest, latest = max(-LARGEST - 1, -LARGEST - 1 - start), min(LARGEST, LARGEST - start)
    at, rows, reason = kernel.parse(text, 0, len(text), start, earliest, latest, TABLE, 0, *batch.columns())
    return at, rows, reason, batch.cut(rows)


def format_all(kernel: Any, batch: MessageBatch, room: int = 1 << 16) -> tuple[int, bytes]:
    out = bytearray(room)
    numbers = array("H", range(len(batch.channels)))
    rows, used = kernel.format(0, *batch.columns(), numbers, START, LARGEST, out)
    return rows, bytes(out[:used])


# (bytes, where it stops, rows, reason)
STOPS = [
    (b"", 0, 0, "DONE"),
    (classic(1) * 2, 96, 2, "DONE"),
    (classic(1) + b"\0\0\0" + classic(2), 99, 2, "DONE"),
    (classic(1) + classic(2)[:47], 48, 1, "CUT"),
    (classic(1) + b"LOBJ", 48, 1, "CUT"),
    (classic(1) + bytes(4) + classic(2), 48, 1, "LOST"),
    (classic(1) + b"x" * 20, 48, 1, "LOST"),
    (lobj(4, bytes(8)) + classic(1), 88, 1, "DONE"),
    (lobj(0x100, bytes(8)) + lobj(0xFFFFFFFF, b"") + classic(1), 120, 1, "DONE"),
    (lobj(1, "03000000 01000000" + "00" * 8), 0, 0, "CHANNEL"),
    (lobj(1, "00100000 01000000" + "00" * 8), 0, 0, "CHANNEL"),
    (lobj(1, "01000000 00080000" + "00" * 8), 0, 0, "STRANGE"),
    (lobj(1, "01000010 00000000" + "00" * 8), 0, 0, "STRANGE"),
    (lobj(1, "01000000 01000000" + "00" * 8, unit=0), 0, 0, "STRANGE"),
    (lobj(1, "01000000 01000000" + "00" * 8, version=4), 0, 0, "STRANGE"),
    (lobj(1, "01000000 01000000" + "00" * 8, LARGEST), 0, 0, "STRANGE"),
    (lobj(1, "01000000 01000000" + "00" * 8, 1 << 50, unit=1), 0, 0, "STRANGE"),
    (lobj(1, "01000000 01000000" + "00" * 7), 0, 0, "STRANGE"),
    (lobj(1, "", size=31) + bytes(20), 0, 0, "STRANGE"),
    (lobj(2, "01000600 00000000"), 0, 0, "STRANGE"),
    (lobj(73, "01000000 01000000" + "00" * 24), 0, 0, "STRANGE"),
    (lobj(101, "010D1F00 01000000 00000000 00100000" + "00" * (24 + 31)), 0, 0, "STRANGE"),  # 31 bytes
    (lobj(101, "01000000 01000000" + "00" * 26 + "02" + "00" * 5), 0, 0, "STRANGE"),
]


@pytest.mark.parametrize(("text", "at", "rows", "reason"), STOPS)
def test_where_it_stops_and_why(kernel: Any, text: bytes, at: int, rows: int, reason: str) -> None:
    assert parse(kernel, text)[:3] == (at, rows, getattr(kernel, reason))


@pytest.mark.parametrize(("rows", "room"), [(2, 4096), (50, 64 + 3)])
def test_it_stops_when_the_batch_is_full(kernel: Any, rows: int, room: int) -> None:
    assert parse(kernel, classic(1) * 3, rows, room)[:3] == (96, 2, kernel.FULL)


@pytest.mark.parametrize("start", [-LARGEST, 0, LARGEST])
@pytest.mark.parametrize("time", [-LARGEST - 1, -1, 0, 1, LARGEST])
def test_times_that_fit_are_exact_and_others_are_left(kernel: Any, start: int, time: int) -> None:
    _, rows, reason, batch = parse(kernel, classic(1, time), start=start)
    if -LARGEST - 1 <= start + time <= LARGEST:
        assert list(batch.timestamp_ns) == [start + time]
    else:
        assert (rows, reason) == (0, kernel.STRANGE)


def test_columns_that_do_not_fit_are_refused(kernel: Any) -> None:
    batch = MessageBatch.with_room(4, 64, ("can0",))
    batch.flags = bytearray(3)
    with pytest.raises(ValueError, match="columns"):
        kernel.parse(classic(1), 0, 48, 0, 0, 0, TABLE, 0, *batch.columns())
    with pytest.raises(ValueError, match="columns"):
        format_all(kernel, batch)
    batch.flags = bytearray(4)
    with pytest.raises(ValueError, match="text"):
        kernel.parse(classic(1), 0, 49, 0, 0, 0, TABLE, 0, *batch.columns())


def test_offsets_and_channels_that_do_not_fit_are_refused(kernel: Any) -> None:
    batch = MessageBatch.with_room(2, 4, ("can0",))
    for offset in ([0, 5, 5], [2, 1, 3]):
        batch.offset = array("I", offset)
        with pytest.raises(ValueError, match="offsets"):
            format_all(kernel, batch)
    batch.offset = array("I", [0, 0, 0])
    batch.channel = array("H", [1, 0])
    with pytest.raises(ValueError, match="channel"):
        format_all(kernel, batch)


@pytest.mark.parametrize(
    ("kind", "number", "fits"), [(0, 0xFFFE, True), (0, 0xFFFF, False), (1, 254, True), (1, 255, False)]
)
def test_a_channel_is_never_cut_to_its_field(kernel: Any, kind: int, number: int, fits: bool) -> None:
    batch = MessageBatch.with_room(1, 0, ("can0",))
    batch.flags[0] = kind
    rows, used = kernel.format(0, *batch.columns(), array("H", [number]), 0, LARGEST, bytearray(200))
    assert (rows, used > 0) == (int(fits), fits)


def test_times_outside_are_clamped_or_left(kernel: Any) -> None:
    batch = MessageBatch.with_room(3, 0, ("can0",))
    batch.timestamp_ns = array("q", [-LARGEST - 1, 100, 101])
    out = bytearray(200)
    assert kernel.format(0, *batch.columns(), array("H", [0]), 50, 100, out) == (2, 96)
    assert [int.from_bytes(out[at : at + 8], "little") for at in (24, 72)] == [0, 50]


def test_the_survey_counts_what_a_writer_must_know(kernel: Any) -> None:
    times, words = array("q", [5, -3, 9, 4]), array("I", [1, 0x20000080, 2, 0x20000080])
    assert kernel.survey(times, words, bytes([1, 8, 9, 0]), 5) == (-3, 9, 2, 2, 1)
    with pytest.raises(ValueError, match="no frame"):
        kernel.survey(array("q"), array("I"), b"", 0)


FRAMES = st.lists(messages(channels=st.sampled_from(["can0", "can1"])), min_size=1, max_size=12)


@settings(deadline=None)
@given(FRAMES, st.integers(0, 1000))
def test_both_forms_write_and_read_the_same(frames: list[Any], room: int) -> None:
    compiled, interpreted = load("blf", "compiled"), load("blf", "interpreted")
    batch = MessageBatch(frames)
    assert format_all(compiled, batch, room) == format_all(interpreted, batch, room)
    _, text = format_all(compiled, batch)
    first, second = parse(compiled, text), parse(interpreted, text)
    assert first[:3] == second[:3] == (len(text), len(frames), compiled.DONE)
    assert [facts(m) for m in first[3]] == [facts(m) for m in second[3]]


PIECES = st.sampled_from(
    [text for text, *_ in STOPS] + [lobj(101, "01090c00 55000000 00000000 00100000" + "00" * 24 + "aa" * 12)]
)


@settings(deadline=None, max_examples=400)
@given(
    st.lists(PIECES, max_size=6),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8),
    st.integers(1, 6),
    st.sampled_from([START, 0, -LARGEST, LARGEST]),
)
def test_both_forms_make_the_same_of_noise(
    pieces: list[bytes], changes: list[tuple[int, int]], rows: int, start: int
) -> None:
    text = bytearray(b"".join(pieces))
    for at, value in changes:
        if at < len(text):
            text[at] = value
    results = []
    for form in FORMS:
        at, count, reason, batch = parse(load("blf", form), bytes(text), rows, 64 * rows, start)
        results.append(
            (at, count, reason, [bytes(memoryview(column).cast("B")) for column in batch.columns()])
        )
    assert results[0] == results[1]
