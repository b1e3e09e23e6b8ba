from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.kernels.forms import FORMS, load
from tests.strategies import messages

EXTENDED, REMOTE, ERROR = 0x80000000, 0x40000000, 0x20000000
WORD = st.builds(lambda flags, low: flags << 29 | low, st.integers(0, 7), st.integers(0, 15)) | st.integers(
    0, 0xFFFFFFFF
)
BATCH = st.lists(messages(), max_size=12).map(MessageBatch)


@pytest.fixture(params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("where", request.param)


def all_rows(batch: MessageBatch) -> bytearray:
    return bytearray(b"\1") * len(batch)


def test_a_row_that_failed_before_stays_out(kernel: Any) -> None:
    mask = bytearray((1, 0, 1))
    kernel.words(array("I", (5, 5, 6)), 0xFF, 5, 5, False, False, mask)
    assert mask == bytes((1, 0, 0))


def test_the_highest_identifier_words_compare_unsigned(kernel: Any) -> None:
    words = array("I", (0x7FF, EXTENDED, EXTENDED | 0x1FFFFFFF))
    mask = bytearray((1, 1, 1))
    kernel.words(words, 0x9FFFFFFF, EXTENDED, 0xFFFFFFFF, False, False, mask)
    assert mask == bytes((0, 1, 1))


@pytest.mark.parametrize("errors", [False, True])
@pytest.mark.parametrize("inverted", [False, True])
def test_error_frames_pass_or_not_whatever_their_class(kernel: Any, errors: bool, inverted: bool) -> None:
    mask = bytearray((1, 1))
    kernel.words(array("I", (ERROR, ERROR | 5)), 0x7FF, 5, 5, inverted, errors, mask)
    assert mask == bytes((errors, errors))


# bytes, begin, end, little, mask, low, high: whether it passes
INTEGERS = [
    ("0102", 0, 1, False, 0xFF, 1, 1, True),
    ("0102", 1, 2, False, 0xFF, 1, 1, False),
    ("0102", 0, 2, False, 0xFFFF, 0x0102, 0x0102, True),
    ("0102", 0, 2, True, 0xFFFF, 0x0201, 0x0201, True),
    ("00ABCD01", 1, 3, False, 0xFFF0, 0xABC0, 0xABC0, True),
    ("00ABCD01", 1, 3, True, 0x0FFF, 0xDAB, 0xDAB, True),
    ("FFFFFFFFFFFFFFFF", 0, 8, False, 2**64 - 1, 2**64 - 1, 2**64 - 1, True),
    ("8000000000000000", 0, 8, False, 2**64 - 1, 0, 2**63 - 1, False),
    ("0000000000000080", 0, 8, True, 2**64 - 1, 2**63, 2**63, True),
]


@pytest.mark.parametrize(("data", "begin", "end", "little", "bits", "low", "high", "passes"), INTEGERS)
def test_bytes_are_read_as_integers(
    kernel: Any, data: str, begin: int, end: int, little: bool, bits: int, low: int, high: int, passes: bool
) -> None:
    batch = MessageBatch([Message(), Message(data=bytes.fromhex(data))])
    for outside in (False, True):
        mask = all_rows(batch)
        kernel.data(batch.offset, batch.payload, begin, end, little, bits, low, high, outside, False, mask)
        assert mask == bytes((0, passes != outside))


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize(("begin", "end"), [(2, 3), (1, 3), (0, 8), (2000, 2001)])
def test_bytes_that_are_not_there_never_pass_but_inverted(
    kernel: Any, begin: int, end: int, outside: bool
) -> None:
    batch = MessageBatch([Message(data=b"\0\0"), Message(data=bytes(8))])
    for inverted in (False, True):
        mask = bytearray((1, 0))
        kernel.data(batch.offset, batch.payload, begin, end, False, 0, 0, 0, outside, inverted, mask)
        assert mask == bytes((inverted, 0))


def test_times_are_signed_and_hold_the_extremes(kernel: Any) -> None:
    mask = bytearray((1, 1, 1, 1))
    kernel.times(array("q", (-(2**63), -1, 0, 2**63 - 1)), -(2**63), -1, False, mask)
    assert mask == bytes((1, 1, 0, 0))


def test_every_counts_the_rows_that_passed_and_goes_on_in_the_next_batch(kernel: Any) -> None:
    first, second = bytearray((1, 0, 1, 1, 1)), bytearray((1, 1, 1))
    count = kernel.every(3, 0, False, first)
    assert (first, count) == (bytes((1, 0, 0, 0, 1)), 1)
    assert kernel.every(3, count, False, second) == 1
    assert second == bytes((0, 0, 1))


def test_passed_rows_move_from_what_is_left_to_what_was_found(kernel: Any) -> None:
    found, left = bytearray((1, 0, 0)), bytearray((0, 1, 1))
    kernel.settle(bytes((0, 1, 0)), found, left)
    assert (found, left) == (bytes((1, 1, 0)), bytes((0, 0, 1)))


def table(slots: int, width: int) -> tuple[Any, Any, bytearray]:
    return array("q", bytes(8 * slots)), array("I", bytes(4 * slots)), bytearray(slots * width)


def test_a_table_that_is_too_small_stops_at_the_row_that_needs_more(kernel: Any) -> None:
    batch = MessageBatch(Message(arbitration_id=number, data=b"\1") for number in range(4))
    columns = (batch.can_id, batch.channel, batch.dlc_code, batch.offset, batch.payload, array("H", (0,)))
    marks = bytearray(4)
    assert kernel.changes(0, *columns, *table(4, 8), 8, 0, marks) == (2, 2)
    assert kernel.changes(0, *columns, *table(16, 0), 0, 0, marks) == (0, 0)


def test_entries_survive_a_larger_table(kernel: Any) -> None:
    batch = MessageBatch(Message(arbitration_id=number, data=bytes((number,))) for number in range(3))
    columns = (batch.can_id, batch.channel, batch.dlc_code, batch.offset, batch.payload, array("H", (0,)))
    small, large, marks = table(8, 1), table(32, 4), bytearray(3)
    assert kernel.changes(0, *columns, *small, 1, 0, marks) == (3, 3)
    kernel.resettle(*small, 1, *large, 4)
    again = bytearray(3)
    assert kernel.changes(0, *columns, *large, 4, 3, again) == (3, 3)
    assert (marks, again) == (bytes((1, 1, 1)), bytes(3))


# data, pattern: whether it is equal, whether it contains it
PATTERNS = [
    ("", "", True, True),
    ("01", "", False, True),
    ("0102", "0102", True, True),
    ("0102", "02", False, True),
    ("010102", "0102", False, True),
    ("0102", "0103", False, False),
    ("01", "0102", False, False),
]


@pytest.mark.parametrize(("data", "pattern", "is_equal", "is_contained"), PATTERNS)
@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("inverted", [False, True])
def test_the_whole_data_is_compared_or_searched_and_that_of_remote_frames_never(
    kernel: Any, data: str, pattern: str, is_equal: bool, is_contained: bool, outside: bool, inverted: bool
) -> None:
    octets = bytes.fromhex(data)
    rows = [Message(data=b"\1\2"), Message(data=octets), Message(is_remote_frame=True), Message()]
    batch = MessageBatch(rows)
    for anywhere, hit in ((False, is_equal), (True, is_contained)):
        mask = bytearray((0, 1, 1, 0))
        columns = (batch.can_id, batch.offset, batch.payload)
        kernel.payloads(*columns, bytes.fromhex(pattern), anywhere, outside, inverted, mask)
        assert mask == bytes((0, (hit != outside) != inverted, inverted, 0))


def arrivals(slots: int) -> tuple[Any, ...]:
    return tuple(array("q", bytes(8 * slots)) for _ in range(3))


def longs(count: int) -> tuple[Any, Any]:
    return array("q", bytes(8 * count)), array("q", bytes(8 * count))


def test_gaps_are_those_of_one_identifier_and_channel_and_never_negative(kernel: Any) -> None:
    can_id, channel = array("I", (1, 1, 2, 1, 1, EXTENDED | 1, 1)), array("H", (0, 0, 0, 0, 1, 0, 0))
    times = array("q", (0, 1600, 1700, 1600 + 3200, 5000, 5100, 4000))
    gaps, periods = longs(7)
    columns = (can_id, channel, times, array("H", (0, 1)))
    assert kernel.gaps(0, *columns, *arrivals(16), 0, gaps, periods) == (7, 4)
    assert gaps.tolist() == [-1, 1600, -1, 3200, -1, -1, 0]
    assert periods.tolist() == [-1, 1600, -1, 1700, -1, -1, 1594]


def test_a_table_of_arrivals_that_is_too_small_stops_at_the_row_that_needs_more(kernel: Any) -> None:
    columns = (array("I", range(4)), array("H", (0,) * 4), array("q", bytes(32)), array("H", (0,)))
    assert kernel.gaps(0, *columns, *arrivals(4), 0, *longs(4)) == (2, 2)


@given(times=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=9))
def test_both_forms_have_the_same_gaps(times: list[int]) -> None:
    rows, results = len(times), []
    for form in FORMS:
        out = longs(rows)
        columns = (array("I", (5,) * rows), array("H", (0,) * rows), array("q", times), array("H", (0,)))
        load("where", form).gaps(0, *columns, *arrivals(4), 0, *out)
        results.append(out)
    assert all(result == results[0] for result in results)


ONE = tuple(array(code, (0,)) for code in "IHqH")  #: the columns of one row, and the number of its channel

REFUSED = [
    ("payloads", (array("I"), array("I", (0, 0)), b"", b"", False, False, False, bytearray(1))),
    ("payloads", (array("I", (0,)), array("I", (0,)), b"", b"", False, False, False, bytearray(1))),
    ("payloads", (array("I", (0,)), array("I", (0, 9)), b"", b"", False, False, False, bytearray(1))),
    ("gaps", (0, array("I"), *ONE[1:], *arrivals(4), 0, *longs(1))),
    ("gaps", (0, *ONE, *arrivals(6), 0, *longs(1))),
    ("gaps", (0, *ONE[:3], array("H"), *arrivals(4), 0, *longs(1))),
    ("gaps", (0, *ONE, *arrivals(4), 0, *longs(1)[:1], array("q"))),
    ("words", (array("I"), 0, 0, 0, False, False, bytearray(1))),
    ("octets", (b"", 0, 0, 0, False, bytearray(1))),
    ("lengths", (array("I", (0,)), b"", array("I", (0, 0)), 0, 0, False, bytearray(1))),
    ("lengths", (array("I", (0,)), b"\0", array("I", (0,)), 0, 0, False, bytearray(1))),
    ("data", (array("I", (0,)), b"", 0, 1, False, 0, 0, 0, False, False, bytearray(1))),
    ("data", (array("I", (0, 9)), b"", 0, 1, False, 0, 0, 0, False, False, bytearray(1))),
    ("data", (array("I", (0, 0)), b"", 0, 9, False, 0, 0, 0, False, False, bytearray(1))),
    ("data", (array("I", (0, 0)), b"", 1, 1, False, 0, 0, 0, False, False, bytearray(1))),
    ("data", (array("I", (0, 0)), b"", -1, 1, False, 0, 0, 0, False, False, bytearray(1))),
    ("times", (array("q"), 0, 0, False, bytearray(1))),
    ("channels", (array("H"), b"\1", bytearray(1))),
    ("channels", (array("H", (1,)), b"\1", bytearray(1))),
    ("every", (0, 0, False, bytearray(1))),
    ("every", (2, 2, False, bytearray(1))),
    ("marked", (b"", False, bytearray(1))),
    ("settle", (b"\1", bytearray(), bytearray(1))),
    ("chosen", (b"\1", array("I"))),
    ("resettle", (*table(8, 1), 1, *table(4, 1), 1)),
    ("resettle", (*table(8, 4), 4, *table(8, 1), 1)),
]


@pytest.mark.parametrize(("name", "arguments"), REFUSED)
def test_columns_that_do_not_fit_together_are_refused_before_the_loop(
    kernel: Any, name: str, arguments: tuple[Any, ...]
) -> None:
    with pytest.raises((ValueError, IndexError)):
        getattr(kernel, name)(*arguments)


@pytest.mark.parametrize("shape", [(3, 8), (6, 8), (2, 8)])
def test_a_table_that_is_no_power_of_two_is_refused(kernel: Any, shape: tuple[int, int]) -> None:
    columns = (array("I"), array("H"), b"", array("I", (0,)), b"", array("H"))
    with pytest.raises(ValueError, match="table"):
        kernel.changes(0, *columns, *table(*shape), shape[1], 0, bytearray())


@given(
    words=st.lists(WORD, max_size=20),
    bits=WORD,
    low=WORD,
    high=WORD,
    inverted=st.booleans(),
    errors=st.booleans(),
)
def test_both_forms_test_words_alike(
    words: list[int], bits: int, low: int, high: int, inverted: bool, errors: bool
) -> None:
    results = []
    for form in FORMS:
        mask = bytearray(b"\1") * len(words)
        load("where", form).words(array("I", words), bits, low, high, inverted, errors, mask)
        results.append(mask)
    assert results[0] == results[1]
    for word, passed in zip(words, results[0], strict=True):
        inside = low <= word & bits <= high
        assert passed == (errors if word & ERROR else inside != inverted)


@given(
    batch=BATCH,
    begin=st.integers(0, 9),
    size=st.integers(1, 8),
    little=st.booleans(),
    bits=st.integers(0, 2**64 - 1),
    span=st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)),
)
def test_both_forms_read_integers_as_python_does(
    batch: MessageBatch, begin: int, size: int, little: bool, bits: int, span: tuple[int, int]
) -> None:
    for form in FORMS:
        mask = all_rows(batch)
        load("where", form).data(
            batch.offset, batch.payload, begin, begin + size, little, bits, *span, False, False, mask
        )
        for message, passed in zip(batch, mask, strict=True):
            octets = message.data[begin : begin + size]
            value = int.from_bytes(octets, "little" if little else "big") & bits
            assert passed == (len(octets) == size and span[0] <= value <= span[1])


def test_marks_are_set_in_the_rows_that_passed(kernel: Any) -> None:
    rows, marks = array("I", (9, 4, 0, 2, 9)), bytearray(5)
    kernel.scatter(rows, 1, 4, b"\1\0\2", marks)
    assert marks == bytes((0, 0, 1, 0, 1))


@pytest.mark.parametrize(
    ("begin", "end", "passed", "error"),
    [
        (0, 1, b"\1", "no such row"),
        (1, 6, b"\1" * 5, "differ"),
        (-1, 1, b"\1\1", "differ"),
        (1, 3, b"\1", "differ"),
    ],
)
def test_marks_are_set_inside_of_the_batch_only(
    kernel: Any, begin: int, end: int, passed: bytes, error: str
) -> None:
    with pytest.raises(ValueError, match=error):
        kernel.scatter(array("I", (9, 4, 0, 2, 9)), begin, end, passed, bytearray(5))
