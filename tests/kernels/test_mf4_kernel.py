"""The MDF 4 kernel, compiled and interpreted: the same results, whatever the bytes."""

from __future__ import annotations

import io
from array import array
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.batch import MessageBatch
from cantools_cli.io import mf4_head
from cantools_cli.io.mf4_blocks import Blocks
from cantools_cli.io.mf4_layout import plan_of, read_layout
from tests.io.mf4_bytes import START_NS, simple, usual_record
from tests.kernels.forms import FORMS, load
from tests.strategies import facts, messages

NUMBERS = array("H", range(3))
TABLE = array("H", [0xFFFF, 0, 1, 2])


def plans(head: bytes) -> tuple[int, array[int], array[int], array[float]]:
    """Return (bytes of a record's number, kinds, plan, scales) of the file ``head``."""
    blocks = Blocks(
        lambda at, size: io.BytesIO(head).getvalue()[at : at + size], len(head), is_last_open=True
    )
    (group,) = read_layout(blocks, b"").groups
    kinds, plan, scales = array("H", [0xFFFF] * 256), array("q"), array("d")
    for index, inner in enumerate(group.groups):
        kinds[inner.record_id] = index
        numbers, scale = plan_of(blocks, inner, {}, START_NS)
        plan.extend(numbers)
        scales.append(scale)
    return group.id_size, kinds, plan, scales


OURS = plans(mf4_head.build_head(START_NS).data)
USUAL = plans(simple(b""))


def parse(kernel: Any, text: bytes, layout: Any = OURS, rows: int = 50, room: int = 4096) -> tuple[Any, ...]:
    batch = MessageBatch.with_room(rows, room, ("can0", "can1", "can2"))
    running = array("q", bytes(8 * len(layout[3])))
    at, done, reason = kernel.parse(
        text, 0, len(text), *layout, running, b"", 0, START_NS, TABLE, 0, *batch.columns()
    )
    return at, done, reason, batch.cut(done)


def format_all(kernel: Any, batch: MessageBatch, room: int = 1 << 16) -> tuple[int, bytes, list[int]]:
    out, counts = bytearray(room), array("q", bytes(40))
    rows, used, early = kernel.format(0, *batch.columns(), NUMBERS, START_NS, counts, out)
    return rows, bytes(out[:used]), [*counts, early]


@pytest.fixture(params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("mf4", request.param)


RECORD = bytes.fromhex("01 e803000000000000 01 23010080 03 08 08 0001020304050607")

# (bytes, where it stops, rows, reason)
STOPS = [
    (b"", 0, 0, "DONE"),
    (RECORD * 2, 50, 2, "DONE"),
    (RECORD + RECORD[:24], 25, 1, "CUT"),
    (RECORD + b"\x05", 25, 1, "LOST"),
    (RECORD[:9] + b"\x09" + RECORD[10:], 0, 0, "CHANNEL"),
    (RECORD[:15] + b"\x10" + RECORD[16:], 0, 0, "STRANGE"),
    (RECORD[:16] + b"\x09" + RECORD[17:], 0, 0, "STRANGE"),
    (RECORD[:1] + b"\xff" * 8 + RECORD[9:], 0, 0, "STRANGE"),
    (RECORD[:10] + bytes.fromhex("00080000 00") + RECORD[15:], 0, 0, "STRANGE"),
]


@pytest.mark.parametrize(("text", "at", "rows", "reason"), STOPS)
def test_where_it_stops_and_why(kernel: Any, text: bytes, at: int, rows: int, reason: str) -> None:
    assert parse(kernel, text)[:3] == (at, rows, getattr(kernel, reason))


@pytest.mark.parametrize(("rows", "room"), [(2, 4096), (50, 64 + 9)])
def test_it_stops_when_the_batch_is_full(kernel: Any, rows: int, room: int) -> None:
    assert parse(kernel, RECORD * 3, rows=rows, room=room)[:3] == (50, 2, kernel.FULL)


@pytest.mark.parametrize("time", [0.0, 1e-9, 0.1, 86_399.999999999, -1.5, 5e-324])
def test_seconds_are_rounded_to_nanoseconds(kernel: Any, time: float) -> None:
    batch = parse(kernel, usual_record(1, time=time), USUAL)[3]
    assert list(batch.timestamp_ns) == [START_NS + round(time * 1e9)]


@pytest.mark.parametrize("time", [float("nan"), float("inf"), 1e10, -1e300])
def test_seconds_out_of_range_are_left(kernel: Any, time: float) -> None:
    assert parse(kernel, usual_record(1, time=time), USUAL)[2] == kernel.STRANGE


def test_sizes_that_do_not_fit_are_refused(kernel: Any) -> None:
    batch = MessageBatch.with_room(4, 64, ("can0",))
    batch.flags = bytearray(3)
    with pytest.raises(ValueError, match="columns"):
        format_all(kernel, batch)
    with pytest.raises(ValueError, match="counts"):
        kernel.format(0, *MessageBatch().columns(), NUMBERS, 0, array("q"), bytearray(9))


FRAMES = st.lists(messages(channels=st.sampled_from(["can0", "can1"])), max_size=12)


@settings(deadline=None, max_examples=60)
@given(FRAMES, st.integers(0, 1000))
def test_both_forms_write_and_read_the_same(frames: list[Any], room: int) -> None:
    compiled, interpreted = load("mf4", "compiled"), load("mf4", "interpreted")
    batch = MessageBatch(frames)
    assert format_all(compiled, batch, room) == format_all(interpreted, batch, room)
    _, text, _ = format_all(compiled, batch)
    first, second = parse(compiled, text), parse(interpreted, text)
    assert first[:3] == second[:3] == (len(text), len(frames), compiled.DONE)
    assert [facts(m) for m in first[3]] == [facts(m) for m in second[3]]


PIECES = st.sampled_from(
    [text for text, *_ in STOPS] + [usual_record(n, b"\1\2", n / 3) for n in (1, 0x80000001)]
)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(PIECES, max_size=6),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=8),
    st.integers(1, 6),
    st.sampled_from([OURS, USUAL]),
)
def test_both_forms_make_the_same_of_noise(
    pieces: list[bytes], changes: list[tuple[int, int]], rows: int, layout: Any
) -> None:
    text = bytearray(b"".join(pieces))
    for at, value in changes:
        if at < len(text):
            text[at] = value
    results = []
    for form in FORMS:
        at, count, reason, batch = parse(load("mf4", form), bytes(text), layout, rows, 64 * rows)
        results.append((at, count, reason, [bytes(memoryview(c).cast("B")) for c in batch.columns()]))
    assert results[0] == results[1]
