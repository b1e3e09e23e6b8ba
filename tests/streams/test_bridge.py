from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import CanOperationError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.frame_text import format_frame, parse_frame
from cantools_cli.streams.bridge import RETURN_NS, LoopGuard, Rewriter, parse_rewrite
from tests.strategies import facts, messages

NAMES = ("can0", "can1", "ws://host:54701/")


def batch_of(*texts: str) -> MessageBatch:
    return MessageBatch(parse_frame(text)[0] for text in texts)


def rewritten(rule: str, *texts: str) -> list[str]:
    rewriter = Rewriter([one.rule for one in parse_rewrite(rule, NAMES)])
    return [format_frame(message) for message in rewriter.apply(batch_of(*texts))]


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        ("123=456", "123#DEAD", "456#DEAD"),
        ("123=456", "00000123#DEAD", "00000123#DEAD"),
        ("123=456", "124#", "124#"),
        ("123=00000456", "123#01", "00000456#01"),
        ("00000123=456", "00000123#01", "456#01"),
        ("1FFFFFFF=00000000", "1FFFFFFF#", "00000000#"),
        ("123=456", "123#R4", "456#R4"),
        ("123=456", "123##1AABB", "456##1AABB"),
        ("100-1FF=300", "100#", "300#"),
        ("100-1FF=300", "1FF#", "3FF#"),
        ("100-1FF=300", "200#", "200#"),
        ("100-1FF=00000300", "101#", "00000301#"),
        ("100-1FF=+200", "1A0#", "3A0#"),
        ("100-1FF=-80", "100#", "080#"),
        ("120:7F0=520", "125#", "525#"),
        ("120:7F0=520", "135#", "135#"),
        ("120:7F0=520", "00000125#", "00000125#"),
        ("18FF0000:1FFF0000=18EE0000", "18FF1234#", "18EE1234#"),
        ("123=456,456=789", "123#", "456#"),
        ("100-1FF=300,150=7FF", "150#", "350#"),
        ("123=456", "20000123#0000000000000000", "20000123#0000000000000000"),
    ],
)
def test_rules(rule, before, after):
    assert rewritten(rule, before) == [after]


@pytest.mark.parametrize(
    "rule",
    [
        *("", "123", "123=", "=123", "123=12", "12=123", "123=456=789", "800=100", "123=800", "1234=123"),
        *("200-100=300", "100-00000200=300", "100-7FF=300", "700-7FF=+200", "000-0FF=-1", "123:7FF=+1"),
        *("120:7F0=00000520", "FFFFFFFF=123", "123=456,", "can0>can2:123=456", "can0>can1", ">:1=2"),
    ],
)
def test_invalid_rules_are_refused(rule):
    with pytest.raises(UsageError) as caught:
        parse_rewrite(rule, NAMES)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "source", "target"),
    [
        ("123=456", None, None),
        ("can0>can1:123=456", "can0", "can1"),
        ("can1>*:123=456", "can1", None),
        ("*>can0:123=456", None, "can0"),
        ("can0>ws://host:54701/:120:7F0=520", "can0", "ws://host:54701/"),
    ],
)
def test_directions(text, source, target):
    (rule,) = parse_rewrite(text, NAMES)
    assert (rule.source, rule.target) == (source, target)


@given(st.lists(messages(), max_size=20))
def test_only_the_identifier_changes(frames):
    batch = MessageBatch(frames)
    before = [facts(message) for message in batch]
    rewriter = Rewriter(
        [one.rule for one in parse_rewrite("000-3FF=+400,00000000-0FFFFFFF=+10000000", NAMES)]
    )
    after = rewriter.apply(batch)
    assert [facts(message) for message in batch] == before, "others get the same batch"
    assert rewriter.rewritten == sum(a != b for a, b in zip(before, map(facts, after), strict=True))
    for old, new in zip(batch, after, strict=True):
        new.arbitration_id = old.arbitration_id
        assert facts(new) == facts(old)


def test_a_batch_without_matching_frames_is_returned_itself():
    batch = batch_of("123#", "124#")
    assert Rewriter([]).apply(batch) is batch
    assert Rewriter([parse_rewrite("7FF=000", NAMES)[0].rule]).apply(batch) is batch


def test_more_identifiers_than_fit_in_the_table(monkeypatch):
    monkeypatch.setattr("cantools_cli.streams.bridge._TABLE_SIZE", 4)
    rewriter = Rewriter([parse_rewrite("000-3FF=+400", NAMES)[0].rule])
    for number in range(20):
        assert rewriter.apply(batch_of(f"{number:03X}#"))[0].arbitration_id == number + 0x400
    assert len(rewriter.apply(batch_of(*(f"{number:03X}#" for number in range(4))))) == 4


def run(guard: LoopGuard, *steps: tuple[int, str, int]) -> None:
    """Let frames come from a bus, each at its time in ms, and go to the other of two buses."""
    for source, text, time in steps:
        batch = batch_of(text)
        guard.check(source, batch, [(1 - source, batch)], time * 1_000_000)


def test_two_bridges_between_the_same_buses_are_detected():
    guard = LoopGuard(2, max_hops=10)
    with pytest.raises(CanOperationError, match="123"):
        run(guard, *((number % 2, "123#01", number) for number in range(20)))


def test_a_loop_with_rewritten_frames_is_detected():
    guard = LoopGuard(2, max_hops=10)
    first, second = batch_of("123#"), batch_of("456#")

    def go_round() -> None:
        for number in range(30):
            guard.check(0, first, [(1, second)], number * 1_000_000)
            guard.check(1, second, [(0, first)], number * 1_000_000)

    with pytest.raises(CanOperationError, match="keeps returning"):
        go_round()


@pytest.mark.parametrize(
    "steps",
    [
        [(0, "123#01", number) for number in range(1000)],
        [(number % 2, f"123#{number:04X}", number) for number in range(1000)],
        [(number % 2, "123#01", number * (RETURN_NS // 1_000_000 + 1)) for number in range(1000)],
        [(number % 2, f"{123 + number % 2}#01", number) for number in range(1000)],
    ],
    ids=["one sender", "a counter", "two slow masters", "each its own identifier"],
)
def test_frames_that_are_not_a_loop(steps):
    run(LoopGuard(2, max_hops=10), *steps)


def test_zero_hops_disable_the_guard():
    run(LoopGuard(2, max_hops=0), *((number % 2, "123#01", number) for number in range(500)))


def test_the_guard_remembers_a_bounded_number_of_frames():
    guard = LoopGuard(2)
    for first in range(0, 20_000, 1000):
        batch = batch_of(*(f"{number:08X}#" for number in range(first, first + 1000)))
        guard.check(0, batch, [(1, batch)], first)
    assert max(map(len, guard._sent)) <= 4096
