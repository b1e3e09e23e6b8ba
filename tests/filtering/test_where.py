from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.errors import UsageError
from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.filtering.selection import Selection
from cantools_cli.filtering.where import Where
from cantools_cli.filtering.where_memory import Arrivals, Changes
from cantools_cli.filtering.where_words import WORDS
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.filtering.where_model import (
    CHANGED,
    COUNTS,
    IDENTIFIERS,
    LEAVES,
    alike,
    data_tests,
    passing,
    trees,
)
from tests.strategies import messages

START = 1_700_000_000_000_000_000


def frame(text: str, at: float = 0.0, channel: str | int | None = "can0", **more: Any) -> Message:
    """Return the frame ``ID#DATA``, whose identifier's digits are its kind, ``at`` seconds after START."""
    identifier, _, data = text.partition("#")
    extended = len(identifier) == 8
    message = Message(arbitration_id=int(identifier, 16), is_extended_id=extended, channel=channel, **more)
    message.timestamp_ns = START + round(at * 1e9)
    if message.is_remote_frame:
        message.dlc = int(data or "0")
    else:
        message.data = bytearray.fromhex(data)
        message.dlc = len(message.data)
    return message


FRAMES = {
    "base": frame("123#030201"),
    "base fd": frame("123#03" + "00" * 11, 1, is_fd=True, bitrate_switch=True),
    "esi": frame("124#", 2, "can1", is_fd=True, error_state_indicator=True),
    "sent": frame("1FF#FF12", 3, "can1", is_rx=False),
    "remote": frame("123#4", 4, is_remote_frame=True),
    "ext": frame("00000123#0302", 5, 1),
    "ext remote": frame("12345678#", 6, None, is_remote_frame=True),
    "error": frame("080#0000000000000000", 7, is_error_frame=True),
}
ALL = list(FRAMES)


def but(*left_out: str) -> list[str]:
    return [name for name in ALL if name not in left_out]


# expression: the frames that pass
MATRIX: list[tuple[str, list[str]]] = [
    ("id eq 123", ["base", "base fd", "remote", "error"]),
    ("id == 0x123", ["base", "base fd", "remote", "error"]),
    ("id eq 00000123", ["ext", "error"]),
    ("id ne 123", ["esi", "sent", "ext", "ext remote", "error"]),
    ("not id eq 123", ["esi", "sent", "ext", "ext remote", "error"]),
    ("id in 100..123", ["base", "base fd", "remote", "error"]),
    ("id in 124, 1f0..1ff, 00000123", ["esi", "sent", "ext", "error"]),
    ("id in (124, 00000123) and not error", ["esi", "ext"]),
    ("id not in 100..1FF", ["ext", "ext remote", "error"]),
    ("id not in 123, 124", ["sent", "ext", "ext remote", "error"]),
    ("id lt 124", ["base", "base fd", "remote", "error"]),
    ("id ge 124", ["esi", "sent", "error"]),
    ("id > 00000123", ["ext remote", "error"]),
    ("id lt 000", ["error"]),
    ("id gt 1FFFFFFF and data", []),
    ("id & 7F0 eq 120", ["base", "base fd", "esi", "remote", "error"]),
    ("id & 0x3 in 000..003", ["base", "base fd", "esi", "sent", "remote", "error"]),
    ("id & FF eq 00000078", ["ext remote", "error"]),
    ("data", ["base", "base fd", "esi", "sent", "ext"]),
    ("remote", ["remote", "ext remote"]),
    ("error", ["error"]),
    ("not error", but("error")),
    ("base", ["base", "base fd", "esi", "sent", "remote", "error"]),
    ("extended", ["ext", "ext remote", "error"]),
    ("not extended", ["base", "base fd", "esi", "sent", "remote", "error"]),
    ("fd", ["base fd", "esi"]),
    ("brs", ["base fd"]),
    ("esi", ["esi"]),
    ("xl", []),
    ("tx", ["sent"]),
    ("rx", but("sent")),
    ("data[0] eq 3", ["base", "base fd", "ext"]),
    ("data[0] ne 3", ["sent", "error"]),
    ("not data[0] eq 3", ["esi", "sent", "remote", "ext remote", "error"]),
    ("data[1] & 0F eq 2", ["base", "sent", "ext"]),
    ("data[0] in 3, 0xFF", ["base", "base fd", "sent", "ext"]),
    ("data[0] not in 3, 0xFF", ["error"]),
    ("data[0:2] eq 0x0302", ["base", "ext"]),
    ("data[0:2] big eq 770", ["base", "ext"]),
    ("data[0:2] little eq 0x203", ["base", "ext"]),
    ("data[1:3] little & 0FFF lt 0x103", ["base", "base fd", "error"]),
    ("data[8:12] eq 0", ["base fd"]),
    ("data eq 030201", ["base"]),
    ("data eq 0x03.02", ["ext"]),
    ("data eq ''", ["esi"]),
    ("data ne '03 02 01'", ["base fd", "esi", "sent", "ext", "error"]),
    ("not data ne 030201", ["base", "remote", "ext remote"]),
    ("data in 0302, ff12", ["sent", "ext"]),
    ("data not in (0302, FF12)", ["base", "base fd", "esi", "error"]),
    ("data contains 0302", ["base", "ext"]),
    ("data not contains 0302 and not error", ["base fd", "esi", "sent"]),
    ("not data contains 0302", but("base", "ext")),
    ("gap ge 0", ["base fd"]),
    ("gap eq 1s", ["base fd"]),
    ("gap ne 1s", []),
    ("not gap ne 1s", ALL),
    ("period in 900ms..1s", ["base fd"]),
    ("length eq 2", ["sent", "ext"]),
    ("dlc in 3..12", ["base", "base fd", "remote", "error"]),
    ("length gt 8", ["base fd"]),
    ("dlc_code gt 8", ["base fd"]),
    ("dlc_code eq 9", ["base fd"]),
    ("channel eq can1", ["esi", "sent"]),
    ("channel in can1, 1", ["esi", "sent", "ext"]),
    ("channel ne can0", ["esi", "sent", "ext", "ext remote"]),
    ("channel == 'can1'", ["esi", "sent"]),
    ("time lt 2", ["base", "base fd"]),
    ("time in 1.5..3", ["esi", "sent"]),
    ("time gt 6500ms", ["error"]),
    ("timestamp ge 1700000006", ["ext remote", "error"]),
    ("time ge @1700000006", ["ext remote", "error"]),
    ("time ge 2023-11-14T22:13:26", ["ext remote", "error"]),
    ("timestamp in '2023-11-14 22:13:22'..'2023-11-14 22:13:23'", ["esi", "sent"]),
    ("time lt 2023-11-15T00:13:21+02:00", ["base"]),
    ("every 3", ["base", "sent", "ext remote"]),
    ("remote and every 2", ["remote"]),
    ("every 2 and remote", ["remote", "ext remote"]),
    ("fd or every 2", ["base", "base fd", "esi", "remote", "ext remote"]),
    ("not (not fd and every 2)", ["base fd", "esi", "sent", "ext", "error"]),
    ("changed and remote", ["remote", "ext remote"]),
    ("id in 100..1FF and data[0] eq 3 and not remote", ["base", "base fd"]),
    ("fd or tx and not rx", ["base fd", "esi", "sent"]),
    ("(fd or tx) and not rx", ["sent"]),
    ("not (fd or tx or error)", ["base", "remote", "ext", "ext remote"]),
    ("not not fd", ["base fd", "esi"]),
    ("not (id eq 123 and fd)", but("base fd")),
    ("id==123 and(fd)and not esi", ["base fd"]),
    ("  id\teq\n123 and fd ", ["base fd"]),
]


@pytest.mark.parametrize(("text", "passing_names"), MATRIX)
def test_expression_matrix(text: str, passing_names: list[str]) -> None:
    rows = Where(text, tz="UTC").rows(MessageBatch(FRAMES.values()))
    assert [ALL[row] for row in rows] == passing_names


@pytest.mark.parametrize(("text", "passing_names"), MATRIX)
def test_single_frames_pass_like_frames_of_one_batch(text: str, passing_names: list[str]) -> None:
    where = Where(text, tz="UTC")
    assert [name for name in ALL if where.rows(MessageBatch([FRAMES[name]]))] == passing_names


def test_every_word_is_in_the_matrix() -> None:
    assert {text for text, _ in MATRIX} | {"changed"} >= set(WORDS)


def test_changed_compares_with_the_last_of_the_identifier_kind_and_channel() -> None:
    stream = [
        (frame("123#01"), True),
        (frame("123#01"), False),
        (frame("00000123#01"), True),
        (frame("123#01", channel="can1"), True),
        (frame("123#01"), False),
        (frame("123#0100"), True),
        (frame("123#1", is_remote_frame=True), True),
        (frame("123#2", is_remote_frame=True), True),
        (frame("123#2", is_remote_frame=True), False),
        (frame("123#0100"), False),
        (frame("123#01"), True),
        (frame("123#"), True),
    ]
    where = Where("changed")
    batches = [MessageBatch([message]) for message, _ in stream]
    assert [len(where.rows(batch)) == 1 for batch in batches] == [changed for _, changed in stream]


def test_changes_grows_for_more_identifiers_and_longer_data() -> None:
    changes = Changes(slots=4, width=1)
    batch = MessageBatch(frame(f"{number:08X}#" + "AB" * (number % 9)) for number in range(100))
    assert sum(changes.marks(batch)) == 100
    assert sum(changes.marks(batch)) == 0


def test_select_returns_the_batch_itself_if_all_pass() -> None:
    batch = MessageBatch(FRAMES.values())
    assert Where("not xl").select(batch) is batch
    assert len(Where("xl").select(batch)) == 0
    assert len(Where("xl").select(MessageBatch())) == 0


# text, position, what the message says beside it, what the hint says
REFUSED = [
    ("", 1, "a test is missing", "changed"),
    ("   ", 4, "a test is missing", "changed"),
    ("id", 3, "a comparison is missing", "eq ne lt"),
    ("id eq", 6, "an identifier is missing", "canx-filters"),
    ("id eq 123 and", 14, "a test is missing", "changed"),
    ("id eq 123 or or fd", 14, '"or" is not a test', "tests:"),
    ("id eq 123 fd", 11, '"fd" is not expected', "and, or"),
    ("id eq 123 && fd", 11, '"&&" is not expected', "did you mean and?"),
    ("fd || tx", 4, '"||" is not expected', "did you mean or?"),
    ("fd AND tx", 4, '"AND" is not expected', "did you mean and?"),
    ("!fd", 1, '"!" is not a test', "did you mean not?"),
    ("id = 123", 4, '"=" is not a comparison', "did you mean eq?"),
    ("id equal 123", 4, '"equal" is not a comparison', "eq ne lt"),
    ("id not eq 123", 8, '"eq" is not a comparison', "not in"),
    ("extendet", 1, '"extendet" is not a test', "did you mean extended?"),
    ("rtr", 1, '"rtr" is not a test', "did you mean remote?"),
    ("FD", 1, '"FD" is not a test', "did you mean fd?"),
    ("not", 4, "a test is missing", "changed"),
    ("(fd", 4, 'missing ")" for the "(" at position 1', "and, or"),
    ("fd and (tx or rx", 17, 'missing ")" for the "(" at position 8', "and, or"),
    ("(fd tx)", 5, '"tx" instead of ")"', "and, or"),
    ("fd)", 3, '")" is not expected', "and, or"),
    ("()", 2, '")" is not a test', "tests:"),
    ("id eq 12", 7, "2 identifier digits", "012 (11 bits) or 00000012 (29 bits)"),
    ("id eq 1234", 7, "4 identifier digits", "zeros: 00001234 (29 bits)"),
    ("id eq 0x12", 7, "2 identifier digits", "012"),
    ("id eq 123456789", 7, "9 identifier digits", "hexadecimal"),
    ("id eq 800", 7, "above 7FF", "00000800"),
    ("id eq 20000000", 7, "above 1FFFFFFF", "hexadecimal"),
    ("id eq 12G", 7, '"12G" is not a hexadecimal identifier', "id eq 123"),
    ("id eq 1_2", 7, '"1_2" is not a hexadecimal identifier', "id eq 123"),
    ("id eq \u0661\u0662\u0663", 7, "is not a hexadecimal identifier", "id eq 123"),
    ("id in 100-1FF", 7, '"100-1FF" is not a hexadecimal', "100..1FF"),
    ("id in 100..", 12, "an identifier is missing", "canx-filters"),
    ("id in 1FF..100", 7, "ends below", "canx-filters"),
    ("id in 100..00000200", 7, "from an 11-bit to a 29-bit", "3 digits, or both"),
    ("id in 100,", 11, "an identifier is missing", "canx-filters"),
    ("id in (100, 200", 16, 'missing ")"', "in A, B"),
    ("id & 7F0 eq 123", 13, "bits outside the mask", "hexadecimal"),
    ("id & 7G0 eq 120", 6, '"7G0" is not a hexadecimal mask', "hexadecimal"),
    ("id & eq 120", 6, '"eq" is not a hexadecimal mask', "hexadecimal"),
    ("data[0] & 100 eq 0", 11, "more than 8 bits", "canx-filters"),
    ("data[0] & 01 eq 2", 17, "bits outside the mask", "hexadecimal"),
    ("data[0] eq 0F", 12, '"0F" is not a number', "0x0F"),
    ("data[0] eq 256", 12, "above the maximum of 255", "canx-filters"),
    ("data[0:2] eq 65536", 14, "above the maximum of 65535", "canx-filters"),
    ("data[0] eq -1", 12, '"-1" is not a number', "decimal"),
    ("data[0] eq 1_0", 12, '"1_0" is not a number', "decimal"),
    ("data[2048] eq 1", 6, "above the maximum of 2047", "canx-filters"),
    ("data[x] eq 1", 6, '"x" is not a number', "decimal"),
    ("data[] eq 1", 6, '"]" instead of a number', "canx-filters"),
    ("data[0:9] eq 1", 6, "not 1 to 8 bytes", "data[2:4]"),
    ("data[2:2] eq 1", 6, "not 1 to 8 bytes", "data[2:4]"),
    ("data[0 eq 1", 8, 'missing "]"', "data[0]"),
    ("data eq 3", 9, 'bad data bytes "3": an odd number', "01F50000"),
    ("data eq 0x", 9, 'bad data bytes "0x": not hexadecimal', "01F50000"),
    ("data eq 1G", 9, 'bad data bytes "1G": not hexadecimal', "01F50000"),
    ("data eq " + "00" * 2049, 9, "more than 2048 data bytes", "canx-filters"),
    ("data lt 01", 6, "no order", "data[0:2] gt 1000"),
    ("data in 01..02", 6, "no order", "data[0:2] gt 1000"),
    ("data contains", 14, "data bytes is missing", "canx-filters"),
    ("data contains ''", 15, "at least one byte", "F500"),
    ("data not eq 01", 10, '"eq" is not a comparison', "not in"),
    ("gap gt", 7, "a duration is missing", "canx-filters"),
    ("gap gt 5x", 8, 'unknown unit "x"', "200ms"),
    ("gap & 1 eq 5", 5, '"&" is not a comparison', "eq ne lt"),
    ("length eq", 10, "a number is missing", "canx-filters"),
    ("dlc_code eq 16", 13, "above the maximum of 15", "canx-filters"),
    ("channel eq", 11, "a channel is missing", "canx-filters"),
    ("channel lt can0", 9, "no order", "channel eq can0"),
    ("channel in can0..can3", 9, "no order", "channel in can0, can1"),
    ("channel eq 'can0", 12, "a missing closing quote", "canx-filters"),
    ("time lt 5x", 9, '"5x"', "200ms"),
    ("time lt 5 s", 11, '"s" is not expected', "and, or"),
    ("time lt tomorrowish", 9, '"tomorrowish"', "200ms"),
    ("time in 5..2023-11-14", 12, "absolute and relative", "@1700000000"),
    ("time in 2023-11-14, 5", 21, "absolute and relative", "@1700000000"),
    ("every", 6, "a number is missing", "canx-filters"),
    ("every 0", 7, "every 0 passes nothing", "every 10"),
    ("every 1.5", 7, '"1.5" is not a number', "decimal"),
    ("every 4294967296", 7, "above the maximum of 2147483647", "canx-filters"),
    ("(" * 60 + "fd" + ")" * 60, 51, "more than 50 nested parentheses", "canx-filters"),
    ("'fd'", 1, "is not a test", "tests:"),
    ("fd\x00", 3, '"\\x00" is not expected', "and, or"),
]


@pytest.mark.parametrize(("text", "position", "reason", "hint"), REFUSED)
def test_invalid_expressions_are_refused_with_their_position(
    text: str, position: int, reason: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        Where(text)
    assert str(caught.value).endswith(f"at position {position}")
    assert reason in str(caught.value)
    assert hint in (caught.value.hint or "")


PIECES = [
    "id",
    "data[0]",
    "data",
    "[",
    ":",
    "]",
    "(",
    ")",
    "eq",
    "in",
    "not",
    "and",
    "or",
    "every",
    "&",
    "..",
    ",",
    "123",
    "00000123",
    "0x",
    "0F",
    "5s",
    "time",
    "fd",
    "'",
    '"',
    "channel",
    "can0",
    "<",
    "=",
    "@",
    "2023",
    "-",
    "little",
    "changed",
    "gap",
    "period",
    "contains",
    "length",
    "8",
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=2), max_size=12).map(" ".join))
def test_any_text_is_an_expression_or_a_usage_error(text: str) -> None:
    try:
        where = Where(text, tz="UTC")
    except UsageError:
        return
    where.rows(MessageBatch(FRAMES.values()))


@pytest.mark.parametrize(
    ("text", "is_warned_of"), [("& 10 eq 0x10", True), ("& 0x10 eq 0x10", False), ("& 0F eq 2", False)]
)
def test_a_mask_that_looks_decimal_is_warned_of(text: str, is_warned_of: bool) -> None:
    warnings = Selection(where=f"data[0] {text}").warnings
    assert warnings == (["masks are hexadecimal: 10 means 0x10"] if is_warned_of else [])


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("data[0] eq 10", "data values are decimal: 10 means 0x0A, not 0x10"),
        ("data[0] in 3..25", "data values are decimal: 25 means 0x19, not 0x25"),
        ("data[0] eq 0x10", None),
        ("data[0] eq 09", None),
        ("data[0] eq 100", None),
        ("data[0:2] eq 10", None),
        ("length eq 10", None),
        ("data eq 10", None),
    ],
)
def test_a_byte_that_looks_hexadecimal_is_warned_of(text: str, warning: str | None) -> None:
    assert Selection(where=text).warnings == ([] if warning is None else [warning])


def test_gaps_and_periods_are_kept_per_identifier_kind_and_channel() -> None:
    times = [0, 100, 200, 500, 600]  # a pause of 300 ms
    stream = [frame("123#", time / 1000) for time in times]
    stream += [frame("00000123#", 0.01), frame("123#", 0.02, channel="can1"), frame("124#", 0.03)]
    stream.sort(key=lambda message: message.timestamp_ns)
    batch = MessageBatch(stream)
    paused = Where("gap gt 200ms").select(batch)
    assert [message.timestamp_ns - START for message in paused] == [500_000_000]
    # the mean of 100 and 300 ms is 112.5 ms, and with 100 ms more 111.71875 ms
    slow = Where("period gt 100ms").select(batch)
    assert [message.timestamp_ns - START for message in slow] == [500_000_000, 600_000_000]
    assert len(Where("period in 111718us..111719us").select(batch)) == 1


def test_arrivals_grows_for_more_identifiers() -> None:
    arrivals = Arrivals(slots=4)
    first = MessageBatch(frame(f"{number:08X}#", number / 1000) for number in range(100))
    again = MessageBatch(frame(f"{number:08X}#", number / 1000 + 1) for number in range(100))
    assert set(arrivals.gaps(first)[0]) == {-1}
    assert [set(column) for column in arrivals.gaps(again)] == [{1_000_000_000}, {1_000_000_000}]


def test_gaps_at_the_ends_of_the_range_of_times_do_not_overflow() -> None:
    batch = MessageBatch([frame("123#")] * 3)
    batch.timestamp_ns[0], batch.timestamp_ns[1] = -(1 << 63), (1 << 63) - 1
    assert Where("gap gt 5s").rows(batch).tolist() == [1]
    assert Where("gap eq 0").rows(batch).tolist() == [2]  # the time went backwards


STREAMS = st.lists(
    alike(messages(channels=st.sampled_from(["can0", "can1", 1, "1", None]))), min_size=3, max_size=12
)


@settings(max_examples=200)
@given(tree=trees(LEAVES), stream=STREAMS)
def test_columns_agree_with_the_model(tree: Any, stream: list[Message]) -> None:
    assert Where(tree.text).rows(MessageBatch(stream)).tolist() == passing(tree, stream)


@given(tree=trees(LEAVES), stream=STREAMS, cuts=st.lists(st.integers(0, 12), max_size=3))
def test_any_cut_into_batches_gives_the_same_frames(
    tree: Any, stream: list[Message], cuts: list[int]
) -> None:
    where, found = Where(tree.text), []
    ends = [*sorted(cuts), len(stream)]
    for begin, end in zip([0, *ends], ends, strict=False):
        found += [begin + row for row in where.rows(MessageBatch(stream[begin:end]))]
    assert found == passing(tree, stream)


@settings(max_examples=200)
@given(
    tree=trees(IDENTIFIERS | data_tests() | CHANGED | COUNTS),
    tokens=st.lists(st.sampled_from(["123", "000-003", "1:3", "00000001", "2~3", "j", "#1"]), max_size=3),
    behind=st.none() | st.sampled_from(["0:1", "001,002", "#FF", "1~1"]),
    stream=STREAMS,
)
def test_a_filter_that_is_pushed_down_changes_no_result(
    tree: Any, tokens: list[str], behind: str | None, stream: list[Message]
) -> None:
    address = None if behind is None else FrameFilter.parse([behind])
    pushed = Selection.parse(tokens, tree.text).frame_filter(address)
    results = []
    for early in (None, pushed):
        batch = MessageBatch(stream)
        for chosen in (early, address, Selection.parse(tokens, tree.text)):
            batch = batch if chosen is None else chosen.select(batch)
        results.append([message.timestamp_ns for message in batch])
    assert results[0] == results[1]


# expression, and the data and remote frames that a kernel or an adapter is asked for, None for all
PUSHED = [
    ("id eq 123", ["base", "base fd", "remote"]),
    ("id in 100..1FF and data[0] eq 3 and not remote", ["base", "base fd", "esi", "sent"]),
    ("id in 123, 00000123 and not remote", ["base", "base fd", "ext"]),
    ("id eq 123 and changed", ["base", "base fd", "remote"]),
    ("id eq 123 and every 2", ["base", "base fd", "remote"]),
    ("id eq 123 or extended", ["base", "base fd", "remote", "ext", "ext remote"]),
    ("not (extended or remote)", ["base", "base fd", "esi", "sent"]),
    ("error", []),
    ("error or id eq 124", ["esi"]),
    ("every 2 and id eq 123", None),
    ("id eq 123 and time lt 5", None),
    ("id eq 123 or fd", None),
    ("data[0] eq 3", None),
]


@pytest.mark.parametrize(("text", "names"), PUSHED)
def test_pushed_down_filters(text: str, names: list[str] | None) -> None:
    pushed = Where(text).frame_filter()
    if names is None:
        assert pushed is None
        return
    assert pushed is not None
    found = [name for name, message in FRAMES.items() if pushed.matches(message)]
    assert found == [*names, "error"]


def test_a_pushed_down_filter_drops_error_frames_only_if_the_expression_does() -> None:
    error = FRAMES["error"]
    for text, passes in (("id eq 123", True), ("id eq 123 and not error", False), ("data and fd", False)):
        pushed = Where(text).frame_filter()
        assert pushed is not None
        assert pushed.matches(error) == passes
