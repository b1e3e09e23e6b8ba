"""The kernel of tables of signals, in both forms, against plain Python."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.forms import FORMS, load

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)


@pytest.fixture(params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("signal_tables", request.param)


def test_rows_are_in_the_order_of_the_frames_then_of_the_signals(kernel: Any) -> None:
    counts = array("I", [0, 0, 0])
    first, second = (array("I", [0, 2]), b"\1\1"), (array("I", [0, 2]), b"\0\1")
    third = (array("I", [1]), b"\1")
    for frames, valid in (first, second, third):
        kernel.count(frames, valid, counts)
    assert [*counts] == [1, 1, 2]
    assert kernel.begins(counts) == 4
    values, names = array("d", bytes(32)), array("I", bytes(16))
    numbers, frames_out = array("I", bytes(16)), array("I", bytes(16))
    out = (counts, values, names, numbers, frames_out)
    kernel.place(*first, array("d", [1.5, 2.5]), array("I", [7, 8]), 0, *out)
    kernel.place(*second, array("d", [9, 3.5]), array("I"), 1, *out)
    kernel.place(*third, array("d", [4.5]), array("I"), 2, *out)
    assert [*values] == [1.5, 4.5, 2.5, 3.5]
    assert [*numbers] == [0, 2, 0, 1]
    assert [*frames_out] == [0, 1, 2, 2]
    assert [*names] == [7, kernel.NAMELESS, 8, kernel.NAMELESS]


@pytest.mark.parametrize("form", FORMS)
@given(
    raw=st.lists(st.integers(-5, 5) | INT64),
    names=st.dictionaries(st.integers(-5, 5) | INT64, st.integers(0, 99)),
)
def test_a_value_gets_the_number_of_its_name(form: str, raw: list[int], names: dict[int, int]) -> None:
    kernel = load("signal_tables", form)
    keys = sorted(names)
    out = array("I", bytes(4 * len(raw)))
    kernel.name(array("q", raw), array("q", keys), array("I", [names[key] for key in keys]), out)
    assert [*out] == [names.get(value, kernel.NAMELESS) for value in raw]


@pytest.mark.parametrize("form", FORMS)
@given(valid=st.lists(st.booleans()))
def test_a_bitmap_has_a_bit_per_byte(form: str, valid: list[bool]) -> None:
    kernel = load("signal_tables", form)
    bits = bytearray(len(valid) // 8 + 1)
    assert kernel.bitmap(bytes(valid), bits) == valid.count(False)
    assert int.from_bytes(bits, "little") == sum(bit << place for place, bit in enumerate(valid))
    assert kernel.present(bytes(valid)) == valid.count(True)
    names = array("I", [3 if bit else kernel.NAMELESS for bit in valid])
    again = bytearray(len(bits))
    assert (kernel.named(names, again), again) == (valid.count(False), bits)


@pytest.mark.parametrize("form", FORMS)
@given(values=st.lists(INT64), size=st.integers(1, 8), before=st.integers(0, 3), after=st.integers(0, 3))
def test_a_record_has_the_low_bytes_of_a_value(
    form: str, values: list[int], size: int, before: int, after: int
) -> None:
    kernel = load("signal_tables", form)
    stride = before + size + after
    out = bytearray(stride * len(values))
    kernel.store(array("q", values), size, before, stride, out)
    expected = [(value & (1 << 8 * size) - 1).to_bytes(size, "little") for value in values]
    assert bytes(out) == b"".join(bytes(before) + octets + bytes(after) for octets in expected)


def test_absent_values_are_marked_in_their_records(kernel: Any) -> None:
    out = bytearray(b"\1\0\1\0\1\0")
    kernel.store_absent(b"\1\0\0", 3, 1, 2, out)
    assert out == b"\1\0\1\x08\1\x08"


def test_rows_are_taken_by_their_index(kernel: Any) -> None:
    out, short, identifiers = array("I", [0, 0]), array("I", [0, 0]), array("q", [0, 0])
    kernel.take(array("I", [2, 0]), array("I", [5, 6, 7]), out)
    kernel.take_short(array("I", [2, 0]), array("H", [5, 6, 7]), short)
    kernel.identifiers(array("I", [1, 0]), array("I", [0x123, 0x9FFFFFFF]), identifiers)
    assert ([*out], [*short], [*identifiers]) == ([7, 5], [7, 5], [0x1FFFFFFF, 0x123])


def test_values_are_spread_over_the_rows_of_a_wide_table(kernel: Any) -> None:
    out, valid = array("q", [0] * 4), bytearray(4)
    kernel.spread(array("I", [0, 2, 3]), b"\1\0\1", array("q", [-1, 5, 6]), out, valid)
    assert ([*out], valid) == ([-1, 0, 0, 6], b"\1\0\0\1")


EMPTY, ONE, TWO = array("I"), array("I", [0]), array("I", [0, 9])


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("count", (ONE, b"", array("I", [0]))),
        ("count", (TWO, b"\1\1", array("I", [0]))),
        (
            "place",
            (ONE, b"\1", array("d"), EMPTY, 0, array("I", [0]), array("d", [0.0]), *[array("I", [0])] * 3),
        ),
        (
            "place",
            (ONE, b"\1", array("d", [1]), EMPTY, 0, array("I", [1]), array("d", [0]), *[array("I", [0])] * 3),
        ),
        ("place", (ONE, b"\1", array("d", [1]), EMPTY, 0, array("I", [0]), array("d", [0]), EMPTY, ONE, ONE)),
        ("spread", (TWO, b"\1\1", array("q", [1, 2]), array("q", [0]), bytearray(1))),
        ("spread", (ONE, b"\1", array("q", [1]), array("q", [0]), bytearray())),
        ("name", (array("q", [1]), array("q", [1]), EMPTY, array("I", [0]))),
        ("name", (array("q", [1]), array("q"), EMPTY, EMPTY)),
        ("take", (TWO, ONE, array("I", [0, 0]))),
        ("take", (ONE, ONE, EMPTY)),
        ("take_short", (TWO, array("H", [1]), array("I", [0, 0]))),
        ("identifiers", (TWO, ONE, array("q", [0, 0]))),
        ("bitmap", (b"\1", bytearray())),
        ("named", (ONE, bytearray())),
        ("store", (array("q", [1]), 4, 2, 5, bytearray(9))),
        ("store", (array("q", [1]), 4, 0, 5, bytearray(4))),
        ("store", (array("q", [1]), 9, 0, 9, bytearray(9))),
        ("store_absent", (b"\0", 8, 0, 1, bytearray(1))),
        ("store_absent", (b"\0", 0, 0, 1, bytearray())),
    ],
)
def test_nothing_is_written_outside_of_the_buffers(kernel: Any, function: str, arguments: Any) -> None:
    with pytest.raises(ValueError, match=r"differ|no such|no room"):
        getattr(kernel, function)(*arguments)
