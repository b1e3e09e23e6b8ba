"""The frames of its input that a command takes."""

from __future__ import annotations

import pytest

from cantools_cli.console.chain import FilterChain, Filters, TimeSpan
from cantools_cli.console.report import Report
from cantools_cli.errors import UsageError
from cantools_cli.filtering.selection import Selection
from cantools_cli.filtering.window import Moment
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

SECOND = 1_000_000_000


def batch(*identifiers: int, error_at: int | None = None) -> MessageBatch:
    """Return one frame per second, an error frame at the row ``error_at``."""
    frames = MessageBatch()
    for row, identifier in enumerate(identifiers):
        message = Message(
            arbitration_id=0x20 if row == error_at else identifier,
            is_extended_id=False,
            is_error_frame=row == error_at,
            data=bytes(8) if row == error_at else b"",
        )
        message.timestamp_ns = row * SECOND
        frames.append(message)
    return frames


def passing(chain: FilterChain, frames: MessageBatch) -> list[int]:
    return [message.arbitration_id for message in chain.select(frames)]


def test_the_count_is_of_frames_that_pass_everything_before_it():
    chain = FilterChain(Selection.parse(["100-1FF"]), Moment(SECOND), count=2)
    assert passing(chain, batch(0x101, 0x300, 0x102, 0x103, 0x104)) == [0x102, 0x103]
    assert chain.is_done
    assert chain.share() == 1
    assert passing(chain, batch(0x105)) == []


def test_error_frames_are_counted_only_if_they_pass_the_filters():
    frames = batch(0x101, 0, 0x102, error_at=1)
    chain = FilterChain(Selection(), passes_error_frames=False)
    assert passing(chain, frames) == [0x101, 0x102]
    assert chain.error_frames == 1
    filtered = FilterChain(Selection.parse(None, "not error"), passes_error_frames=False)
    assert passing(filtered, batch(0x101, 0, 0x102, error_at=1)) == [0x101, 0x102]
    assert filtered.error_frames == 0  # --error-frames would not pass it


def test_another_pass_forgets_frames_but_not_the_count():
    chain = FilterChain(Selection.parse(None, "every 2"), Moment(SECOND), count=3)
    first = passing(chain, batch(1, 2, 3, 4, 5))
    chain.begin_again()
    assert first + passing(chain, batch(1, 2, 3, 4, 5)) == (first * 2)[:3]


def test_the_end_of_a_time_span_is_checked_before_a_log_is_read():
    with pytest.raises(UsageError, match="--end"):
        TimeSpan("20s", "10s").moments(None)
    assert TimeSpan("10s", "20s").moments(None) == (Moment(10 * SECOND), Moment(20 * SECOND))


def test_likely_mistakes_in_filters_are_reported_once(capsys):
    report = Report()
    Filters(["123:7FF", "123:800"], None).selection(report)
    Filters(["123:7FF", "123:800"], None).selection(report)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(set(lines))
