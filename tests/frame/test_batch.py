"""MessageBatch: many frames as columns."""

from __future__ import annotations

import math
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.strategies import ALL_KINDS, CHANNELS, facts, messages

FRAMES = st.lists(messages(kinds=ALL_KINDS, channels=CHANNELS, extended_errors=st.booleans()), max_size=10)


def seen(batch: MessageBatch) -> list[tuple[object, ...]]:
    return [facts(message) for message in batch]


@given(FRAMES)
def test_frames_come_back_as_they_were(frames: list[Message]) -> None:
    batch = MessageBatch(frames)
    assert seen(batch) == [facts(message) for message in frames]
    assert [facts(batch[row]) for row in range(-len(frames), len(frames))] == seen(batch) * 2
    assert len(batch) == len(frames)


@given(FRAMES)
def test_rows_can_be_put_into_a_batch_with_room(frames: list[Message]) -> None:
    batch = MessageBatch.with_room(len(frames) + 3, 1000)
    for row, message in enumerate(frames):
        batch.put(row, message)
    assert seen(batch.cut(len(frames))) == seen(MessageBatch(frames))
    assert [len(column) for column in batch.columns()[:5]] == [len(frames)] * 5


@given(FRAMES, FRAMES)
def test_extending_matches_channels_by_what_they_stand_for(
    first: list[Message], second: list[Message]
) -> None:
    batch = MessageBatch(first)
    other = MessageBatch(second)
    before = seen(other)
    batch.extend(other)
    assert seen(batch) == seen(MessageBatch(first + second))
    assert seen(other) == before
    batch.extend(batch)
    assert seen(batch) == seen(MessageBatch(first + second)) * 2


@given(
    st.lists(
        messages(kinds=ALL_KINDS, channels=CHANNELS, extended_errors=st.booleans()), min_size=1, max_size=10
    ),
    st.data(),
)
def test_selecting_keeps_the_given_order(frames: list[Message], data: st.DataObject) -> None:
    batch = MessageBatch(frames)
    rows = data.draw(st.lists(st.integers(0, len(frames) - 1), max_size=20))
    for wanted in (rows, array("I", rows)):
        assert seen(batch.select(wanted)) == [facts(frames[row]) for row in rows]


@given(FRAMES, st.data())
def test_a_part_is_a_copy_of_its_rows(frames: list[Message], data: st.DataObject) -> None:
    batch = MessageBatch(frames)
    first = data.draw(st.integers(0, len(frames)))
    last = data.draw(st.integers(first, len(frames)))
    part = batch.part(first, last)
    assert seen(part) == [facts(message) for message in frames[first:last]]
    part.extend(batch)
    assert seen(batch) == [facts(message) for message in frames]


def test_channels_are_renamed_in_place() -> None:
    batch = MessageBatch([Message(channel="a"), Message(channel=0), Message(channel="a")])
    assert batch.with_channels(lambda channel: f"{channel}!") is batch
    assert [message.channel for message in batch] == ["a!", "0!", "a!"]


def test_numbers_and_names_are_different_channels() -> None:
    batch = MessageBatch([Message(channel=0), Message(channel="0"), Message(channel=None)])
    assert batch.channels == (0, "0", None)


@pytest.mark.parametrize(
    ("keywords", "text"),
    [
        ({"arbitration_id": 1 << 29}, "arbitration id 0x20000000 is out of range, at most 0x1fffffff"),
        ({"arbitration_id": 0x800, "is_extended_id": False}, "0x800 is out of range, at most 0x7ff"),
        ({"arbitration_id": -1}, "out of range"),
        ({"data": bytes(9)}, "9 data bytes, but a classic frame holds 8"),
        ({"data": bytes(65), "is_fd": True}, "65 data bytes, but a CAN FD frame holds 64"),
        ({"data": bytes(9), "is_fd": True}, "9 is not a CAN FD length"),
        ({"data": bytes(2), "dlc": 3}, "dlc is 3, but there are 2 data bytes"),
        ({"is_remote_frame": True, "dlc": 9}, "a remote frame is classic"),
        ({"is_remote_frame": True, "is_fd": True}, "a remote frame is classic"),
        ({"is_remote_frame": True, "is_error_frame": True}, "a remote frame is classic"),
        ({"timestamp": math.nan}, "has no nanoseconds"),
        ({"timestamp": 1e10}, "out of range, 64 bits of nanoseconds"),
        ({"timestamp": -1e10}, "out of range, 64 bits of nanoseconds"),
    ],
)
def test_what_is_no_frame_is_refused_and_leaves_no_trace(keywords: dict[str, Any], text: str) -> None:
    batch = MessageBatch([Message(arbitration_id=1, data=b"a")])
    before = [bytes(column) for column in batch.columns()]
    with pytest.raises(ValueError, match=text):
        batch.append(Message(**keywords))
    with pytest.raises(ValueError, match=text):
        batch.put(0, Message(**keywords))
    assert [bytes(column) for column in batch.columns()] == before


def test_data_of_a_remote_frame_is_refused() -> None:
    message = Message(data=b"a")
    message.is_remote_frame = True
    with pytest.raises(ValueError, match="a remote frame has no data"):
        MessageBatch([message])


def test_there_is_no_room_for_ever() -> None:
    batch = MessageBatch.with_room(1, 2)
    with pytest.raises(IndexError, match="payload"):
        batch.put(0, Message(data=b"abc"))
    with pytest.raises(IndexError):
        batch.put(1, Message())


@pytest.mark.parametrize("row", [2, 3, -3, -4])
def test_rows_that_are_not_there(row: int) -> None:
    batch = MessageBatch([Message(), Message()])
    with pytest.raises(IndexError):
        batch[row]
    with pytest.raises((IndexError, OverflowError)):
        batch.select([row])


def test_more_channels_than_the_column_holds_are_refused() -> None:
    batch = MessageBatch(channels=tuple(range(0x10000)))
    batch.append(Message(channel=0xFFFF))
    with pytest.raises(ValueError, match="more than 65536 channels"):
        batch.append(Message(channel="one more"))


def test_repr_names_the_channels() -> None:
    assert repr(MessageBatch([Message(channel="can0")])) == "<MessageBatch of 1 frames on can0>"
