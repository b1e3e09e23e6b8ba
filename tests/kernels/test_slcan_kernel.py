"""Frames of slcan adapters: known lines, room, contradictions and noise, in all forms of the kernel."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from tests.kernels.forms import FORMS, every_form, load, parsed

NOW = 7
NOISE = st.lists(
    st.sampled_from(
        [
            b"t1230",
            b"t12321122",
            b"T12ABCDEF2AA55",
            b"r1238",
            b"d1239" + b"0" * 24,
            b"b4560",
            b"x000001230",
            b"\r",
            b"\x07",
            b"\n",
            b"zt",
            b"F00",
            b"25A5",
            b"0",
            b"g",
        ]
    )
    | st.binary(max_size=6),
    max_size=20,
).map(b"".join)


@pytest.fixture(params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("slcan", request.param)


def frames(kernel: Any, text: bytes, digits: int = 0, rows: int = 9) -> tuple[MessageBatch, int, int]:
    batch = MessageBatch.with_room(rows, 1024, ("bus",))
    at, row, reason = kernel.parse(text, 0, len(text), digits, NOW, 0, *batch.columns())
    return batch.cut(row), at, reason


def test_usual_lines(kernel: Any) -> None:
    text = b"t12320aFB\rT12ABCDEF0\r\nr7FF4\rb1239" + b"00" * 12 + b"\r"
    batch, at, reason = frames(kernel, text)
    assert (at, reason) == (len(text), kernel.DONE)
    assert list(batch.can_id) == [0x123, 0x92ABCDEF, 0x400007FF, 0x123]
    assert list(batch.flags) == [0, 0, 0, 3]
    assert list(batch.dlc_code) == [2, 0, 4, 9]
    assert bytes(batch.payload) == b"\x0a\xfb" + bytes(12)
    assert set(batch.timestamp_ns) == {NOW}


@pytest.mark.parametrize(
    ("digits", "line", "count"), [(4, b"t1230EA5F\r", 59999), (8, b"r1234D693A3FF\r", 3_599_999_999)]
)
def test_counters(kernel: Any, digits: int, line: bytes, count: int) -> None:
    batch, _, reason = frames(kernel, line, digits)
    assert (reason, list(batch.timestamp_ns)) == (kernel.DONE, [count])


@pytest.mark.parametrize("code", range(9, 16))
def test_a_classic_code_over_8_has_8_bytes(kernel: Any, code: int) -> None:
    batch, _, reason = frames(kernel, b"t123%X1122334455667788\r" % code)
    assert (reason, list(batch.dlc_code), len(batch.payload)) == (kernel.DONE, [code], 8)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"z",
        b"F00",
        b"t8000",
        b"T200000000",
        b"t123",
        b"t12",
        b"t1",
        b"t",
        b"t1231",
        b"t12311",
        b"t1231g0",
        b"t12301",
        b"r12311",
        b"d123g",
        b"t1230\x07",
        b"t1230\n",
        b"y1230",
        b"\x00",
        b"t123F11",
        b"R0000012",
    ],
)
def test_other_lines_are_left(kernel: Any, line: bytes) -> None:
    end = b"" if line[-1:] in (b"\a", b"\n") else b"\r"
    batch, at, reason = frames(kernel, b"t1230\r" + line + end)
    assert (len(batch), at, reason) == (1, 6, kernel.STRANGE)


def test_a_full_batch_stops_before_the_next_line(kernel: Any) -> None:
    batch, at, reason = frames(kernel, b"t1230\r" * 3, rows=2)
    assert (len(batch), at, reason) == (2, 12, kernel.FULL)


def test_columns_that_do_not_fit_are_refused(kernel: Any) -> None:
    batch = MessageBatch.with_room(2, 64)
    with pytest.raises(ValueError, match="end of a line"):
        kernel.parse(b"t123", 0, 4, 0, 0, 0, *batch.columns())
    with pytest.raises(ValueError, match="end of a line"):
        kernel.parse(b"t\r", 0, 3, 0, 0, 0, *batch.columns())
    batch.offset[0] = 65
    with pytest.raises(ValueError, match="offsets"):
        kernel.parse(b"\r", 0, 1, 0, 0, 0, *batch.columns())
    del batch.flags[:]
    with pytest.raises(ValueError, match="length"):
        kernel.parse(b"\r", 0, 1, 0, 0, 0, *batch.columns())


@given(text=NOISE, digits=st.sampled_from([0, 4, 8]), rows=st.integers(1, 6))
def test_all_forms_make_the_same_of_noise(text: bytes, digits: int, rows: int) -> None:
    results = [
        parsed(form, text + b"\r", digits, NOW, rows=rows, payload=300) for form in every_form("slcan")
    ]
    assert all(result == results[0] for result in results)
