"""The MDF 4 kernel, compiled and interpreted: the same results, whatever the bytes."""

from __future__ import annotations

import io
from array import array
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.mf4.blocks import Blocks
from cantools_cli.io.mf4.head import build_head
from cantools_cli.io.mf4.layout import own_data_size, plan_of, read_layout
from cantools_cli.kernels import _plan, mf4
from tests.io.mf4.mf4_bytes import START_NS, simple, usual_record
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
    own = bytearray(256)
    for index, inner in enumerate(group.groups):
        kinds[inner.record_id] = index
        numbers, scale = plan_of(blocks, inner, {}, START_NS)
        plan.extend(numbers)
        scales.append(scale)
        own[inner.record_id] = own_data_size(numbers)
    return group.id_size, kinds, plan, scales, bytes(own) if group.id_size == 1 and any(own) else b""


def with_data_elsewhere(layout: Any, mode: int) -> Any:
    """Return a layout whose records of number 1 have a pointer to data: in those of 2, or in a stream."""
    id_size, kinds, plan, scales, _ = layout
    plan, first, second = plan[:], kinds[1] * mf4.PLAN, kinds[2] * mf4.PLAN
    plan[first + mf4.DATA_MODE], plan[first + mf4.DATA_GROUP] = mode, kinds[2]
    begin = first + mf4.PLAN_FIELDS + mf4.POINTER * mf4.WIDTH
    plan[begin : begin + mf4.WIDTH] = array("q", (mf4.LITTLE, 16, 0, 8, -1, 0))
    plan[second + mf4.KIND], plan[second + mf4.USUAL] = mf4.VARIABLE, 0
    return id_size, kinds, plan, scales, b""


def as_unusual(layout: Any) -> Any:
    """Return ``layout`` with every record read field by field."""
    plan = layout[2][:]
    for begin in range(0, len(plan), mf4.PLAN):
        plan[begin + mf4.USUAL] = 0
    return layout[0], layout[1], plan, layout[3], b""


OURS = plans(build_head(START_NS).data)
USUAL = plans(simple(b""))
BEHIND, STREAM = (with_data_elsewhere(OURS, mode) for mode in (mf4.BEHIND, mf4.STREAM))
#: a stream of data: of every length, the last one cut
WINDOW = b"".join(size.to_bytes(4, "little") + bytes(range(size)) for size in (8, 7, 0, 1, 65, 12, 64, 8))[
    :-1
]


def parse(kernel: Any, text: bytes, layout: Any = OURS, rows: int = 50, room: int = 4096) -> tuple[Any, ...]:
    batch = MessageBatch.with_room(rows, room, ("can0", "can1", "can2"))
    running = array("q", bytes(8 * len(layout[3])))
    at, done, reason = kernel.parse(
        text, 0, len(text), *layout, running, WINDOW, 0, START_NS, TABLE, 0, *batch.columns()
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


def test_records_of_canx_itself_are_read_in_a_run(kernel: Any) -> None:
    long = bytes.fromhex("02 e803000000000000 02 23010080 0d 0f 40") + bytes(range(64))
    text = RECORD * 2 + long + RECORD + b"\4" + RECORD[1:17]
    batch = MessageBatch.with_room(9, 512, ("can0", "can1", "can2"))
    tables = OURS[4], mf4.FD_CODES, mf4.FD_LENGTHS, 10**12, START_NS, TABLE
    found = kernel.parse_own(text + bytes(8), 0, len(text) + 8, *tables, 0, *batch.columns())
    assert (found >> 32, found & 0xFFFFFFFF) == (len(text) - 17, 4)
    assert [facts(m) for m in batch.cut(4)] == [facts(m) for m in parse(kernel, text, as_unusual(OURS))[3]][
        :4
    ]


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


POINTERS = [RECORD[:17] + at.to_bytes(8, "little") for at in (0, 12, 23, 27, 32, 101, 117, 185, 1 << 62)]
BEHIND_IT = [
    RECORD[:17] + (12 * n).to_bytes(8, "little") + bytes.fromhex("02 08000000 0001020304050607")
    for n in (0, 1, 2)
]
PIECES = st.sampled_from(
    [text for text, *_ in STOPS]
    + [usual_record(n, b"\1\2", n / 3) for n in (1, 0x80000001)]
    + [*POINTERS, *BEHIND_IT, RECORD * 4]
)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(PIECES, max_size=6),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=8),
    st.integers(1, 6),
    st.sampled_from([OURS, USUAL, BEHIND, STREAM]),
)
def test_both_forms_make_the_same_of_noise(
    pieces: list[bytes], changes: list[tuple[int, int]], rows: int, layout: Any
) -> None:
    text = bytearray(b"".join(pieces))
    for at, value in changes:
        if at < len(text):
            text[at] = value
    results = []
    for form, plan in product(FORMS, (layout, as_unusual(layout))):
        at, count, reason, batch = parse(load("mf4", form), bytes(text), plan, rows, 64 * rows)
        results.append((at, count, reason, [bytes(memoryview(c).cast("B")) for c in batch.columns()]))
    assert results == results[:1] * 4


@pytest.mark.parametrize(
    ("layout", "pieces"), [(BEHIND, BEHIND_IT), (STREAM, POINTERS[:1] * 3), (OURS, [RECORD] * 3)]
)
def test_data_is_found_where_it_is(kernel: Any, layout: Any, pieces: list[bytes]) -> None:
    text = b"".join(pieces) + b"\3" + bytes(24) * 5  # error frames: enough bytes behind for words
    for plan in (layout, as_unusual(layout)):
        batch = parse(kernel, text[: len(b"".join(pieces)) + 100], plan, rows=3)[3]
        assert [bytes(message.data) for message in batch] == [bytes(range(8))] * 3


def test_the_literals_of_compiled_kernels_are_where_the_fields_begin() -> None:
    for name in ("TIME", "BUS", "ID", "IDE", "DLC", "SIZE", "DIR", "EDL", "BRS", "ESI", "POINTER"):
        assert getattr(_plan, name) == mf4.PLAN_FIELDS + getattr(mf4, name) * mf4.WIDTH
