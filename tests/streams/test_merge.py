"""Merging logs by time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage
from cantools_cli.streams.merge import merged

S = 1_000_000_000
LATE = 1_700_000_000 * S


def frame(stamp: int, number: int = 0, channel: str = "can0") -> Message:
    message = Message(arbitration_id=number, channel=channel, data=bytes(number % 9), dlc=number % 9)
    message.timestamp_ns = stamp
    return message


class Log:
    """A reader of the given batches; counts how many were asked for."""

    def __init__(self, *batches: list[Message]) -> None:
        self._batches = batches
        self.taken = 0

    def batches(self) -> Iterator[MessageBatch]:
        for batch in self._batches:
            self.taken += 1
            yield MessageBatch(batch)


def log_of(stamps: list[int], name: str, cut: int) -> Log:
    frames = [frame(LATE + stamp, number, name) for number, stamp in enumerate(stamps)]
    return Log(*(frames[at : at + cut] for at in range(0, len(frames), cut)))


def order(logs: list[Log]) -> list[tuple[int, str, int]]:
    return [
        (message.timestamp_ns - LATE, str(message.channel), message.arbitration_id)
        for batch in merged(logs)
        for message in batch
    ]


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ([], [], ""),
        ([1, 2], [], "a1 a2"),
        ([], [1, 2], "b1 b2"),
        ([1, 3], [2, 4], "a1 b2 a3 b4"),
        ([1, 2], [3, 4], "a1 a2 b3 b4"),
        ([3, 4], [1, 2], "b1 b2 a3 a4"),
        ([1, 1, 1], [1, 1], "a1 a1 a1 b1 b1"),
        ([5, 1, 6], [2, 5, 7], "b2 a5 a1 b5 a6 b7"),  # a frame that goes back follows the one before it
        ([2, 5, 7], [5, 1, 6], "a2 a5 b5 b1 b6 a7"),
    ],
)
@pytest.mark.parametrize("cut", [1, 2, 10])
def test_the_order_of_two_logs(first: list[int], second: list[int], together: str, cut: int) -> None:
    found = order([log_of(first, "a", cut), log_of(second, "b", cut)])
    assert " ".join(f"{channel}{stamp}" for stamp, channel, _ in found) == together


@given(
    st.lists(st.lists(st.integers(0, 12)).map(sorted), max_size=5),
    st.lists(st.integers(1, 6), min_size=5, max_size=5),
)
def test_sorted_logs_merge_as_a_stable_sort_of_all(logs: list[list[int]], cuts: list[int]) -> None:
    sources = [log_of(stamps, str(n), cuts[n]) for n, stamps in enumerate(logs)]
    frames = [(stamp, str(n), number) for n, stamps in enumerate(logs) for number, stamp in enumerate(stamps)]
    assert order(sources) == sorted(frames, key=lambda one: one[0])


@given(
    st.lists(st.lists(st.integers(-5, 12)), max_size=4),
    st.lists(st.integers(1, 6), min_size=4, max_size=4),
    st.lists(st.integers(1, 6), min_size=4, max_size=4),
)
def test_any_logs_keep_their_order_and_the_cuts_do_not_matter(
    logs: list[list[int]], cuts: list[int], others: list[int]
) -> None:
    found = order([log_of(stamps, str(n), cuts[n]) for n, stamps in enumerate(logs)])
    for n, stamps in enumerate(logs):
        assert [stamp for stamp, channel, _ in found if channel == str(n)] == stamps
    assert found == order([log_of(stamps, str(n), others[n]) for n, stamps in enumerate(logs)])


def test_merging_keeps_all_properties_of_frames() -> None:
    xl = XlMessage(arbitration_id=5, data=bytes(100), channel=7, vcid=3, acceptance_field=9)
    xl.timestamp_ns = LATE + 1
    sent = frame(LATE + 2, 8, "can1")
    sent.is_rx = False
    batches = merged([Log([frame(LATE), sent]), Log([xl])])
    messages = [message for batch in batches for message in batch]
    assert [message.channel for message in messages] == ["can0", 7, "can1"]
    assert messages[1].equals(xl, timestamp_delta=0)
    assert messages[2].equals(sent, timestamp_delta=0)


def test_only_one_batch_per_log_is_in_memory() -> None:
    early = log_of([*range(100)], "a", 10)
    late = log_of([*range(1000, 1100)], "b", 10)
    together = merged([early, late])
    for number in range(1, 11):
        next(together)
        assert (early.taken, late.taken) == (number, 1)


def test_batches_that_need_no_cut_are_returned_themselves() -> None:
    batches = [MessageBatch([frame(LATE + n)]) for n in range(3)]

    class Alone:
        def batches(self) -> Iterator[MessageBatch]:
            return iter(batches)

    assert [*map(id, merged([Alone(), Log()]))] == [*map(id, batches)]


def test_unusual_timestamps_are_reported_with_their_log() -> None:
    notes = []
    logs = [Log([frame(LATE), frame(LATE - 1)]), Log([frame(LATE)]), Log([frame(5 * S)])]
    assert len([*merged(logs, lambda index, text: notes.append((index, text)))]) > 0
    assert sorted(notes) == [
        (0, "timestamps go backwards; the frames keep their order"),
        (2, "timestamps do not count from 1970"),
    ]


def test_merging_no_logs_yields_nothing() -> None:
    assert [*merged([])] == []
