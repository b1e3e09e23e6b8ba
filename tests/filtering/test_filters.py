from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import UsageError
from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.strategies import facts, messages

EXTENDED, REMOTE, ERROR = 0x80000000, 0x40000000, 0x20000000

FRAMES = {
    "base": Message(arbitration_id=0x123, is_extended_id=False, data=b"\x01"),
    "base fd": Message(arbitration_id=0x123, is_extended_id=False, is_fd=True, data=bytes(12)),
    "base remote": Message(arbitration_id=0x123, is_extended_id=False, is_remote_frame=True, dlc=4),
    "base 400": Message(arbitration_id=0x400, is_extended_id=False),
    "base 501": Message(arbitration_id=0x501, is_extended_id=False, is_remote_frame=True),
    "low ext": Message(arbitration_id=0x123, data=b"\x02"),
    "low ext remote": Message(arbitration_id=0x123, is_remote_frame=True),
    "ext": Message(arbitration_id=0x12345678, data=b"\x03"),
    "ext fd": Message(arbitration_id=0x12345678, is_fd=True),
    "ext remote": Message(arbitration_id=0x12345678, is_remote_frame=True, dlc=8),
    "bus error": Message(arbitration_id=0x080, is_error_frame=True, is_extended_id=False, data=bytes(8)),
    "lost": Message(arbitration_id=0x002, is_error_frame=True, data=bytes(8)),
    "classless": Message(arbitration_id=0, is_error_frame=True, data=bytes(8)),
}
ERRORS = ["bus error", "lost", "classless"]
BASE = ["base", "base fd", "base remote", "base 400", "base 501"]
EXT = ["low ext", "low ext remote", "ext", "ext fd", "ext remote"]
REMOTES = ["base remote", "base 501", "low ext remote", "ext remote"]
LOW_123 = ["base", "base fd", "base remote", "low ext", "low ext remote"]
ALL = [*BASE, *EXT]


def but(names: list[str], *left_out: str) -> list[str]:
    return [name for name in names if name not in left_out]


# filter: data and remote frames that pass, and error frames
MATRIX = [
    ("0:0", ALL, ERRORS),
    ("123:7FF", LOW_123, ERRORS),
    ("123:C00007FF", ["base", "base fd"], ERRORS),
    ("12345678:DFFFFFFF", ["ext", "ext fd"], ERRORS),
    ("12345678:9FFFFFFF", ["ext", "ext fd", "ext remote"], ERRORS),
    ("0:80000000", BASE, ERRORS),
    ("00000000:80000000", EXT, ERRORS),
    ("0:40000000", but(ALL, *REMOTES), ERRORS),
    ("40000000:40000000", REMOTES, ERRORS),
    ("400~7F0", but(ALL, "base 400"), ERRORS),
    ("400~7F0,500~7F0", ALL, ERRORS),
    ("400~7F0,500~7F0,j", but(ALL, "base 400", "base 501"), ERRORS),
    ("Join,400~7F0,500~7F0", but(ALL, "base 400", "base 501"), ERRORS),
    ("0~0", [], ERRORS),
    ("0~0,#FFFFFFFF", [], ERRORS),
    ("#FFFFFFFF", ALL, ERRORS),
    ("#1FFFFFFF", ALL, ERRORS),
    ("#80", ALL, ["bus error"]),
    ("#0", ALL, []),
    ("#2,#80", ALL, ["bus error", "lost"]),
    ("123:7FF,#2", LOW_123, ["lost"]),
    ("j", ALL, ERRORS),
    ("123:E00007FF", ["base", "base fd"], ERRORS),  # the error bit of a mask means nothing
    ("0x123:0x7FF", LOW_123, ERRORS),
    ("0x12345678:DFFFFFFF", ["ext", "ext fd"], ERRORS),
    ("92345678:DFFFFFFF", ["ext", "ext fd"], ERRORS),  # flags may be given outright
    # what canx adds
    ("123", ["base", "base fd", "base remote"], ERRORS),
    ("00000123", ["low ext", "low ext remote"], ERRORS),
    ("0x123", ["base", "base fd", "base remote"], ERRORS),
    ("12345678", ["ext", "ext fd", "ext remote"], ERRORS),
    ("123-400", but(BASE, "base 501"), ERRORS),
    ("123-123", ["base", "base fd", "base remote"], ERRORS),
    ("000-7FF", BASE, ERRORS),
    ("00000100-000001FF", ["low ext", "low ext remote"], ERRORS),
    ("00000000-1FFFFFFF", EXT, ERRORS),
    ("100-1FF, 12345678", ["base", "base fd", "base remote", "ext", "ext fd", "ext remote"], ERRORS),
    ("100-1FF,0:40000000,j", ["base", "base fd"], ERRORS),
]


@pytest.mark.parametrize(("text", "data", "errors"), MATRIX)
def test_filter_matrix(text: str, data: list[str], errors: list[str]) -> None:
    chosen = FrameFilter.parse([text])
    batch = MessageBatch(FRAMES.values())
    names = [list(FRAMES)[row] for row in chosen.rows(batch)]
    assert names == [name for name in FRAMES if name in (*data, *errors)]
    assert [name for name, message in FRAMES.items() if chosen.matches(message)] == names


def test_no_token_passes_everything() -> None:
    batch = MessageBatch(FRAMES.values())
    assert FrameFilter.parse([]).select(batch) is batch


def test_tokens_may_be_apart_or_together() -> None:
    apart, together = (
        FrameFilter.parse(["123:7FF", "j", "0:40000000"]),
        FrameFilter.parse(["123:7FF,j,0:40000000"]),
    )
    assert (apart.tests, apart.join) == (together.tests, together.join)
    assert len(apart.tests) == 2
    assert FrameFilter.parse("123:7FF,0:40000000").tests == apart.tests


def test_select_returns_the_frames_themselves() -> None:
    batch = MessageBatch(FRAMES.values())
    chosen = FrameFilter.parse(["123,#0"]).select(batch)
    assert [facts(message) for message in chosen] == [facts(message) for message in batch][:3]
    assert len(batch) == len(FRAMES)


def test_select_returns_the_same_batch_if_all_pass() -> None:
    batch = MessageBatch([FRAMES["base"], FRAMES["lost"]])
    assert FrameFilter.parse(["123"]).select(batch) is batch


def test_select_may_leave_nothing() -> None:
    assert len(FrameFilter.parse(["0~0,#0"]).select(MessageBatch(FRAMES.values()))) == 0


# text, position, what the message says beside it, what the hint says
REFUSED = [
    ("", 1, "empty filter", "123:7FF"),
    ("123:7FF,", 9, "empty filter", "123:7FF"),
    ("123:7FF,,1:1", 9, "empty filter", "123:7FF"),
    ("123:7G", 6, '"G" is not hexadecimal', "123:7FF"),
    ("123:7FF,12_3:7FF", 11, '"_" is not hexadecimal', "123:7FF"),
    ("123:\u0667", 5, "is not hexadecimal", "123:7FF"),
    (":7FF", 1, "a hexadecimal number is missing", "123:7FF"),
    ("123:", 5, "a hexadecimal number is missing", "123:7FF"),
    ("123~", 5, "a hexadecimal number is missing", "123:7FF"),
    ("0x:7FF", 3, "a hexadecimal number is missing", "123:7FF"),
    ("#", 2, "a hexadecimal number is missing", "123:7FF"),
    ("123:123456789", 5, "more than 8 digits", "123:7FF"),
    ("123:7FF:7FF", 8, '":" is not hexadecimal', "123:7FF"),
    ("-1:7FF", 1, "a hexadecimal number is missing", "123:7FF"),
    ("20000080:1FFFFFFF", 1, "above 1FFFFFFF", "#FF"),
    ("12", 1, "2 identifier digits", "012 (11 bits) or 00000012 (29 bits)"),
    ("1234", 1, "4 identifier digits", "zeros: 00001234 (29 bits)"),
    ("800", 1, "above 7FF", "00000800"),
    ("20000000", 1, "above 1FFFFFFF", "123:7FF"),
    ("100-00000200", 1, "from an 11-bit to a 29-bit", "3 digits, or both"),
    ("200-1FF", 1, "ends below", "123:7FF"),
    ("100-", 5, "a hexadecimal number is missing", "123:7FF"),
    ("100-2000", 5, "4 identifier digits", "00002000"),
    ("can0", 3, '"n" is not hexadecimal', "123:7FF"),
]


@pytest.mark.parametrize(("text", "position", "reason", "hint"), REFUSED)
def test_invalid_filters_are_refused_with_their_position(
    text: str, position: int, reason: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        FrameFilter.parse([text])
    assert str(caught.value).endswith(f"at position {position}")
    assert reason in str(caught.value)
    assert hint in (caught.value.hint or "")


@given(st.text("0123789ABCDEFabcdefxXjJ#:~-, gG", max_size=24))
def test_any_text_is_a_filter_or_a_usage_error(text: str) -> None:
    try:
        chosen = FrameFilter.parse([text])
    except UsageError:
        return
    chosen.rows(MessageBatch(FRAMES.values()))


@pytest.mark.parametrize("text", ["400~7F0,500~7F0", "400~7F0,123,500~7F0"])
def test_several_inverted_filters_without_join_are_warned_of_once(text: str) -> None:
    (warning,) = FrameFilter.parse(text.split(",")).warnings
    assert "2 filters with ~" in warning
    assert ",j" in warning


@pytest.mark.parametrize("text", ["400~7F0", "400~7F0,500~7F0,j", "123:7FF,500~7F0", "123,124"])
def test_sensible_filters_are_not_warned_of(text: str) -> None:
    assert FrameFilter.parse([text]).warnings == []


WORDS = st.integers(0, 0x1FFFFFFF) | st.integers(0, 15)
MASKS = st.sampled_from([0, 0x7FF, 0x7F0, 0xC00007FF, 0xDFFFFFFF, 0xFFFFFFFF, ERROR]) | st.integers(
    0, 0xFFFFFFFF
)


def kernel_rule(filters: list[tuple[int, int, bool]], join: bool, rx: int) -> bool:
    """What the Linux kernel delivers to a socket with these filters, told apart from error frames."""
    verdicts = []
    for can_id, mask, inverted in filters:
        mask &= ~ERROR
        verdicts.append(((rx & mask) == (can_id & mask)) != inverted)
    return all(verdicts) if join else any(verdicts)


@given(
    filters=st.lists(st.tuples(WORDS, st.booleans(), MASKS, st.booleans()), min_size=1, max_size=4),
    join=st.booleans(),
    frames=st.lists(messages(kinds=("classic", "raw", "remote", "fd")), max_size=8),
)
def test_masks_pass_the_same_frames_as_the_linux_kernel(
    filters: list[tuple[int, bool, int, bool]], join: bool, frames: list[Message]
) -> None:
    tokens, rules = [], []
    for can_id, eight, mask, inverted in filters:
        digits = f"{can_id:08X}" if eight else f"{can_id & 0x7FF:X}"
        tokens.append(f"{digits}{'~' if inverted else ':'}{mask:X}")
        rules.append(((can_id | EXTENDED) if eight else can_id & 0x7FF, mask, inverted))
    chosen = FrameFilter.parse([*tokens, *(["j"] if join else [])])
    batch = MessageBatch(frames)
    wanted = [row for row, rx in enumerate(batch.can_id) if kernel_rule(rules, join, rx)]
    assert chosen.rows(batch).tolist() == wanted
    assert [row for row, frame in enumerate(frames) if chosen.matches(frame)] == wanted


@given(
    low=st.integers(0, 0x7FF),
    high=st.integers(0, 0x7FF),
    is_extended_id=st.booleans(),
    frames=st.lists(messages(), max_size=8),
)
def test_ranges_pass_their_identifiers_of_their_kind(
    low: int, high: int, is_extended_id: bool, frames: list[Message]
) -> None:
    low, high = min(low, high), max(low, high)
    digits = 8 if is_extended_id else 3
    chosen = FrameFilter.parse([f"{low:0{digits}X}-{high:0{digits}X}"])
    for frame in frames:
        inside = low <= frame.arbitration_id <= high and frame.is_extended_id == is_extended_id
        assert chosen.matches(frame) == (frame.is_error_frame or inside)


#: no inversion, which SocketCAN has and python-can's software filter does not
IDS = (st.integers(0, 0x1FFFFFFF) | st.integers(0, 15) | st.integers(0, 0xFFFFFFFF)).filter(
    lambda can_id: can_id >> 29 != 1
)
DICTIONARIES = st.lists(
    st.builds(
        lambda can_id, can_mask, extended: {
            "can_id": can_id,
            "can_mask": can_mask,
            **({} if extended is None else {"extended": extended}),
        },
        IDS,
        MASKS,
        st.sampled_from([None, False, True]),
    ),
    max_size=3,
)


@given(filters=DICTIONARIES, frames=st.lists(messages(kinds=("classic", "remote", "fd")), max_size=6))
def test_dictionaries_pass_the_same_frames_as_python_can(
    filters: list[dict[str, Any]], frames: list[Message]
) -> None:
    can = pytest.importorskip("can")
    bus = SimpleNamespace(_filters=filters or None)
    chosen = FrameFilter.from_can_filters(filters)  # type: ignore[arg-type]  # drawn dictionaries
    wanted = [row for row, frame in enumerate(frames) if can.BusABC._matches_filters(bus, frame)]
    assert chosen.rows(MessageBatch(frames)).tolist() == wanted
    assert [row for row, frame in enumerate(frames) if chosen.matches(frame)] == wanted


@pytest.mark.parametrize(
    ("can_id", "passes"), [(0x20000123, [0x124]), (0x123, [0x123]), (0xFFFFFFFF, []), (0xA0000123, [0x123])]
)
def test_socketcan_s_inversion_bit_inverts_a_dictionary(can_id: int, passes: list[int]) -> None:
    frames = [Message(arbitration_id=number, is_extended_id=False) for number in (0x123, 0x124)]
    chosen = FrameFilter.from_can_filters([{"can_id": can_id, "can_mask": 0x7FF}])
    assert [frame.arbitration_id for frame in frames if chosen.matches(frame)] == passes
    assert [frames[row].arbitration_id for row in chosen.rows(MessageBatch(frames))] == passes


def test_dictionaries_never_lose_error_frames() -> None:
    chosen = FrameFilter.from_can_filters([{"can_id": 0x123, "can_mask": 0x7FF, "extended": False}])
    assert [name for name, frame in FRAMES.items() if chosen.matches(frame)] == [
        "base",
        "base fd",
        "base remote",
        *ERRORS,
    ]


@pytest.mark.parametrize("filters", [None, []])
def test_an_empty_list_of_dictionaries_passes_everything(filters: Any) -> None:
    assert FrameFilter.from_can_filters(filters).passes_everything


@pytest.mark.parametrize(
    "wrong", [{"can_id": 1}, {"can_mask": 1}, {"can_id": "1", "can_mask": 1}, 5, "123:7FF"]
)
def test_a_wrong_dictionary_is_refused_at_once(wrong: Any) -> None:
    with pytest.raises(UsageError, match="bad filter"):
        FrameFilter.from_can_filters([wrong])


EXACT = ["123:7FF", "123", "12345678:9FFFFFFF", "100-1FF", "00000001-1FFFFFFE", "000-7FF", "123,12345678"]


@pytest.mark.parametrize("text", EXACT)
def test_hardware_filters_are_exact_if_possible(text: str) -> None:
    chosen = FrameFilter.parse([text])
    pushed = FrameFilter.from_can_filters(chosen.can_filters())
    assert not pushed.passes_everything
    for frame in FRAMES.values():
        assert pushed.matches(frame) == chosen.matches(frame)


@pytest.mark.parametrize("text", ["400~7F0", "123,400~7F0", "0~0", "#80", "400~7F0,500~7F0,j"])
def test_hardware_gets_no_filter_if_none_can_be_expressed(text: str) -> None:
    assert FrameFilter.parse([text]).can_filters() is None


TOKENS = ["123", "123:7FF", "400~7F0", "100-1FF", "00000100-12345678", "0:40000000", "j", "12345678:DFFFFFFF"]


@given(st.lists(st.sampled_from(TOKENS), max_size=4), st.lists(messages(), max_size=6))
def test_hardware_filters_never_drop_frames_that_pass(tokens: list[str], frames: list[Message]) -> None:
    chosen = FrameFilter.parse(tokens)
    pushed = FrameFilter.from_can_filters(chosen.can_filters())
    for frame in [*frames, *FRAMES.values()]:
        assert pushed.matches(frame) or not chosen.matches(frame)
