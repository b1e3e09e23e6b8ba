"""Replaying messages at their pace, with a clock that only sleeping advances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import can
import can.io.player
import pytest

from cantools_cli.frame.message import Message
from cantools_cli.streams import sync
from cantools_cli.streams.sync import MessageSync


class Clock:
    """Takes the place of the module ``time``."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def monotonic(self) -> float:
        return self.now

    perf_counter = monotonic  # python-can's choice

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(sync, "time", clock)
    return clock


def at(*timestamps: float) -> list[Message]:
    return [Message(timestamp=timestamp) for timestamp in timestamps]


#: timestamps, arguments, when each message comes after the first
CASES = [
    ((5.0, 5.25, 7.0), {}, (0, 0.25, 2)),
    ((1e9, 1e9 + 0.5), {}, (0, 0.5)),
    ((0, 0, 0), {}, (0, 0, 0)),
    ((0, 2, 1, 3), {}, (0, 2, 2, 3)),  # a clock that goes back adds no delay
    ((0, 100, 101), {}, (0, 60, 61)),
    ((5, 5.5, 7, 7.5), {"skip": 1.0}, (0, 0.5, 1.5, 2)),
    ((0, 100), {"skip": 0}, (0, 100)),
    ((0, 0.00001), {"gap": 1.0}, (0, 0.00001)),
    ((0, 100, 7), {"timestamps": False, "gap": 0.5}, (0, 0.5, 1)),
    ((0, 0), {"timestamps": False}, (0, 0.0001)),
    ((), {}, ()),
]


@pytest.mark.parametrize(("timestamps", "arguments", "expected"), CASES)
def test_messages_are_yielded_when_due(
    clock: Clock, timestamps: Sequence[float], arguments: dict[str, Any], expected: Sequence[float]
) -> None:
    messages = at(*timestamps)
    times = []
    for message, wanted in zip(MessageSync(messages, **arguments), messages, strict=True):
        assert message is wanted
        times.append(clock.now - 1000.0)
    assert times == pytest.approx(list(expected), abs=1e-6)


def test_slow_sending_does_not_delay_later_messages(clock: Clock) -> None:
    times = []
    for _ in MessageSync(at(*range(100))):
        times.append(clock.now - 1000.0)
        clock.now += 0.75  # sending takes its time
    assert times == pytest.approx(range(100))


def test_late_messages_are_yielded_immediately(clock: Clock) -> None:
    times = []
    for _ in MessageSync(at(0, 1, 2, 3)):
        times.append(clock.now - 1000.0)
        clock.now += 2.5 if len(times) == 1 else 0
    assert times == pytest.approx([0, 2.5, 2.5, 3])


def test_the_messages_are_read_one_by_one(clock: Clock) -> None:
    def endless() -> Iterator[Message]:
        while True:
            yield Message(timestamp=clock.now)

    assert next(iter(MessageSync(endless()))) is not None


def test_the_first_message_is_yielded_immediately(clock: Clock) -> None:
    def late() -> Iterator[Message]:
        clock.now += 30.0
        yield from at(50, 51)

    times = [clock.now for _ in MessageSync(late())]
    assert times == pytest.approx([1030, 1031])


@pytest.mark.parametrize("timestamps", [(5, 5.1, 9), (0, 3, 1, 4), (0, 100, 200, 201)])
def test_python_can_has_the_same_times(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, timestamps: Sequence[float]
) -> None:
    ours = [clock.now - 1000.0 for _ in MessageSync(at(*timestamps))]
    other = Clock(0.0)
    monkeypatch.setattr(can.io.player, "time", other)
    theirs = []
    for _ in can.MessageSync([can.Message(timestamp=timestamp) for timestamp in timestamps]):
        theirs.append(other.now)
    assert ours == pytest.approx(theirs, abs=2e-4)
