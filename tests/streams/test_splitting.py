"""Splitting a log by channel, identifier or time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.streams.splitting import parse
from tests.strategies import CHANNELS, facts, messages

S = 1_000_000_000
EPOCH = 1_700_000_000 * S


def parts(kind: str, frames: list[Message], tz: str = "UTC") -> dict[str, list[Message]]:
    return {name: [*part] for name, part in parse(kind, tz).parts(MessageBatch(frames))}


def at(*stamps: int) -> list[Message]:
    frames = [Message() for _ in stamps]
    for frame, stamp in zip(frames, stamps, strict=True):
        frame.timestamp_ns = EPOCH + stamp
    return frames


@pytest.mark.parametrize(
    ("channel", "name"), [("can0", "can0"), (None, "can0"), (3, "can3"), ("3", "3"), ("vcan1", "vcan1")]
)
def test_names_of_channels(channel: str | int | None, name: str) -> None:
    assert [*parts("channel", [Message(channel=channel)])] == [name]


@pytest.mark.parametrize(
    ("frame", "name"),
    [
        (Message(arbitration_id=0x123, is_extended_id=False), "123"),
        (Message(arbitration_id=0x123, is_extended_id=False, is_remote_frame=True), "123"),
        (Message(arbitration_id=0x123), "00000123"),
        (Message(arbitration_id=0x1FFFFFFF), "1FFFFFFF"),
        (Message(arbitration_id=0x80, is_extended_id=False, is_error_frame=True, data=bytes(8)), "error"),
    ],
)
def test_names_of_identifiers(frame: Message, name: str) -> None:
    assert [*parts("id", [frame])] == [name]


def test_times_are_counted_from_the_first_frame() -> None:
    found = parts("time=10", at(5 * S, 14 * S, 15 * S, 4 * S, 25 * S - 1, 45 * S))
    assert {name: len(frames) for name, frames in found.items()} == {
        "2023-11-14T221325": 2,
        "2023-11-14T221335": 2,
        "2023-11-14T221315": 1,
        "2023-11-14T221405": 1,
    }


def test_parts_of_less_than_a_second_have_its_fraction_in_their_names() -> None:
    assert [*parts("time=500ms", at(0, S // 2))] == [
        "2023-11-14T221320.000000000",
        "2023-11-14T221320.500000000",
    ]


def test_the_repeated_hour_of_daylight_saving_makes_two_parts() -> None:
    begin = 1_698_537_600 * S - EPOCH  # 2023-10-29T02:00 in Berlin, an hour before the clocks go back
    assert [*parts("time=1h", at(begin, begin + 3600 * S), "Europe/Berlin")] == [
        "2023-10-29T020000",
        "2023-10-29T020000_2",
    ]


@given(
    frames=st.lists(messages(channels=CHANNELS), max_size=30),
    kind=st.sampled_from(["channel", "id", "time=1h"]),
    cut=st.integers(1, 30),
)
def test_every_frame_is_in_one_part_and_in_order(frames: list[Message], kind: str, cut: int) -> None:
    frames = [frame for frame in frames if kind != "time=1h" or frame.timestamp_ns < 4 * EPOCH]
    splitter, found = parse(kind, "UTC"), {}
    for first in range(0, len(frames), cut):
        for name, part in splitter.parts(MessageBatch(frames[first : first + cut])):
            found.setdefault(name, []).extend(map(facts, part))
    dealt = [one for part in found.values() for one in part]
    assert sorted(dealt, key=repr) == sorted(map(facts, frames), key=repr)
    for part in found.values():
        rest = iter(map(facts, frames))
        assert all(one in rest for one in part)


@pytest.mark.parametrize("text", ["", "channels", "channel=1", "id=", "time", "time=", "time=0", "time=x"])
def test_unknown_ways_to_split_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)
