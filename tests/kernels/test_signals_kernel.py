"""The kernel of signals, in both forms, against a model that reads bit by bit."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.forms import FORMS, load


@pytest.fixture(params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("signals", request.param)


def bit_by_bit(data: bytes, start: int, size: int, is_big_endian: bool, is_signed: bool) -> int:
    if is_big_endian:
        places = [(place // 8, 7 - place % 8) for place in range(start, start + size)]
    else:
        places = [(place // 8, place % 8) for place in reversed(range(start, start + size))]
    value = 0
    for byte, bit in places:
        value = value << 1 | data[byte] >> bit & 1
    return value - (1 << size) if is_signed and value >> size - 1 else value


@pytest.mark.parametrize("form", FORMS)
@given(
    data=st.data(),
    payload=st.binary(min_size=1, max_size=64),
    is_big_endian=st.booleans(),
    is_signed=st.booleans(),
)
def test_a_raw_value_is_its_bits(
    form: str, data: st.DataObject, payload: bytes, is_big_endian: bool, is_signed: bool
) -> None:
    size = data.draw(st.integers(1, min(64, 8 * len(payload))))
    start = data.draw(st.integers(0, 8 * len(payload) - size))
    raw, valid = array("q", [0]), bytearray(b"\1")
    rows, offset = array("I", [0]), array("I", [0, len(payload)])
    kernel = load("signals", form)
    short = kernel.extract(rows, 0, 1, offset, payload, start, size, is_big_endian, is_signed, raw, valid)
    assert (short, valid) == (0, b"\1")
    found = raw[0] if is_signed or raw[0] >= 0 else raw[0] + (1 << 64)
    assert found == bit_by_bit(payload, start, size, is_big_endian, is_signed)


def test_a_frame_that_ends_before_the_signal_is_counted(kernel: Any) -> None:
    raw, valid = array("q", [9, 9, 9]), bytearray(b"\1\1\0")
    offset = array("I", [0, 1, 3, 4])
    short = kernel.extract(array("I", [0, 1, 2]), 0, 3, offset, b"\1\2\3\4", 4, 8, 0, 0, raw, valid)
    assert (short, valid, [*raw]) == (1, b"\0\1\0", [0, 0x30, 0])


def test_no_row_is_read_outside_of_the_batch(kernel: Any) -> None:
    raw, valid = array("q", [0]), bytearray(b"\1")
    for rows, offset in ((array("I", [1]), array("I", [0, 1])), (array("I", [0]), array("I", [0, 2]))):
        with pytest.raises(ValueError, match="no such row"):
            kernel.extract(rows, 0, 1, offset, b"\1", 0, 8, 0, 0, raw, valid)
    with pytest.raises(ValueError, match="no such signal"):
        kernel.extract(array("I", [0]), 0, 1, array("I", [0, 1]), b"\1", 0, 65, 0, 0, raw, valid)
    with pytest.raises(ValueError, match="differ in length"):
        kernel.extract(array("I", [0]), 0, 2, array("I", [0, 1]), b"\1", 0, 8, 0, 0, raw, valid)


def test_a_multiplexer_selects_by_ranges(kernel: Any) -> None:
    selector, known = array("q", [3, 5, 6, 12, 4]), bytearray(b"\1\1\1\1\0")
    valid = bytearray(b"\1\1\1\1\1")
    kernel.select(selector, known, array("q", [3, 10]), array("q", [5, 12]), valid)
    assert valid == b"\1\1\0\1\0"


EMPTY = 0xFFFFFFFF


def table(kernel: Any, entries: dict[int, int]) -> tuple[Any, Any]:
    keys, values = array("I", [EMPTY] * 16), array("H", [0] * 16)
    for key, value in entries.items():
        place = (key * kernel.HASH & EMPTY) >> 15 & 15
        while keys[place] != EMPTY:
            place = place + 1 & 15
        keys[place], values[place] = key, value
    return keys, values


def test_frames_match_by_identifier_and_by_parameter_group(kernel: Any) -> None:
    keys = table(kernel, {0x100: 0, 0x80000100: 1})
    groups = table(kernel, {0xFEF1: 2, 0xEA00: 3, 0xFEF1 | 5 << 18 | kernel.SOURCE: 4})
    words = [
        *(0x100, 0x80000100, 0x40000100, 0x20000100, 0x101),
        *(0x98FEF117, 0x8CFEF1FE, 0x8CFEF105, 0x98EAFF17, 0x8CEA0017, 0x7F1, 0x100),
    ]
    none = kernel.UNKNOWN
    numbers = array("H", [none] * len(words))
    channel = array("H", [0] * (len(words) - 1) + [1])
    unknown = kernel.match(array("I", words), bytes(len(words)), channel, b"\1\0", *keys, *groups, numbers)
    assert [*numbers] == [0, 1, none, none, none, 2, 2, 4, 3, 3, none, none]
    assert unknown == 2
    numbers = array("H", [none])
    assert kernel.match(array("I", [0x100]), b"\x10", channel, b"\1", *keys, *groups, numbers) == 0
    assert numbers[0] == none  # a CAN XL frame


def test_a_channel_that_does_not_exist_is_refused(kernel: Any) -> None:
    tables = *table(kernel, {}), *table(kernel, {})
    with pytest.raises(ValueError, match="no such channel"):
        kernel.match(array("I", [1]), b"\0", array("H", [1]), b"\1", *tables, array("H", [0]))


@pytest.mark.parametrize("form", FORMS)
@given(numbers=st.lists(st.sampled_from([0, 1, 2, 3, 0xFFFF]), max_size=40), first=st.integers(0, 3))
def test_rows_are_grouped_in_their_order(form: str, numbers: list[int], first: int) -> None:
    first = min(first, len(numbers))
    starts, rows = array("I", [0] * 5), array("I", [0] * len(numbers))
    total = load("signals", form).group(first, array("H", numbers), starts, rows)
    expected = [[row for row in range(first, len(numbers)) if numbers[row] == number] for number in range(4)]
    assert [[*rows[starts[number] : starts[number + 1]]] for number in range(4)] == expected
    assert total == sum(map(len, expected))


def test_values_are_scaled(kernel: Any) -> None:
    raw, out = array("q", [1, -1, 0]), array("d", [0.0] * 3)
    kernel.scale(raw, 3, 1, 0.5, 2.0, out)
    assert [*out] == [2.5, 1.5, 2.0]
    kernel.scale(raw, 3, 0, 1.0, 0.0, out)
    assert [*out] == [1.0, 18446744073709551615.0, 0.0]
    whole = array("q", [0] * 3)
    kernel.scale_whole(raw, 3, -3, 7, whole)
    assert [*whole] == [4, 10, 7]
    times = array("q", [0, 0])
    kernel.times(array("I", [5, 2, 0]), 1, 3, array("q", [10, 11, 12]), times)
    assert [*times] == [12, 10]


@pytest.mark.parametrize("form", FORMS)
@given(
    number=st.integers((1 << 63) - 5000, (1 << 64) - 1)
    | st.integers(0, 5000).map(lambda low: (1 << 63) + low)
)
def test_unsigned_values_are_rounded_once(form: str, number: int) -> None:
    raw, out = array("q", [number - (1 << 64) if number >> 63 else number]), array("d", [0.0])
    load("signals", form).scale(raw, 1, 0, 0.5, 0.25, out)
    assert out[0] == float(number) * 0.5 + 0.25
