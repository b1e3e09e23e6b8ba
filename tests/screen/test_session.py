"""The session: a thread that feeds the table from a live source or a log."""

from __future__ import annotations

import threading
import time

import pytest

from cantools_cli.errors import CanOperationError, FormatError
from cantools_cli.screen.session import ScreenSession
from tests.sniff.frames import SECOND, log

LINES = [f"{1000 + n}.0 can{n % 2} 123#{n:02X}" for n in range(20)]


class Clock:
    """A time that goes on when it is told to."""

    def __init__(self):
        self.now = 5 * SECOND

    def __call__(self):
        return self.now


def eventually(condition):
    """Wait for another thread; how long it takes says nothing."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def played():
    """Return a session that plays a log of a frame a second, at ten times its speed, and its clock."""
    clock = Clock()
    options = {"is_paced": True, "clock": clock}
    session = ScreenSession(lambda: iter([log(*LINES[:15]), log(*LINES[15:])]), speed=10, **options)
    session.start()
    eventually(lambda: session.table.frames == 1)
    yield session, clock
    session.stop()


def test_a_log_is_played_by_the_clock_and_its_time_is_that_of_the_view(played):
    session, clock = played
    assert session.now_ns() == 1000 * SECOND
    clock.now += 3 * SECOND // 10
    session.ask(lambda player, now: None)  # the thread sleeps by another clock
    eventually(lambda: session.table.frames == 4)
    assert (session.now_ns(), session.position_ns()) == (1003 * SECOND, 3 * SECOND)


def test_seeking_back_and_forth_restores_the_rates(played):
    session, _ = played
    session.ask(lambda player, now: player.seek(15 * SECOND))
    eventually(lambda: session.table.frames == 16)
    assert [round(rate) for rate in session.rates.history] == [1] * 15
    session.ask(lambda player, now: player.seek(4 * SECOND))
    eventually(lambda: session.table.frames == 5)
    assert [round(rate) for rate in session.rates.history] == [1] * 4
    session.ask(lambda player, now: player.seek(99 * SECOND))
    eventually(lambda: session.has_ended)
    assert session.table.frames == 20
    session.ask(lambda player, now: player.step(now, -1))
    eventually(lambda: session.table.frames == 19)
    assert not session.has_ended


def test_only_played_frames_are_recorded(played):
    session, _ = played
    recorded = []
    session.on_batch = lambda batch: recorded.extend(message.data[0] for message in batch)
    session.ask(lambda player, now: player.step(now))
    eventually(lambda: session.table.frames == 2)
    session.ask(lambda player, now: player.seek(10 * SECOND))
    eventually(lambda: session.table.frames == 11)
    session.ask(lambda player, now: player.step(now))
    eventually(lambda: session.table.frames == 12)
    assert recorded == [1, 11]


def test_an_error_of_a_log_is_kept_until_a_seek_back():
    def batches():
        yield log(*LINES[:3])
        raise FormatError("bad record")

    session = ScreenSession(batches, is_paced=True, speed=None)
    session.start()
    eventually(lambda: session.error is not None)
    assert session.has_ended
    assert session.table.frames == 3
    session.ask(lambda player, now: player.pause(now, is_on=True))
    session.ask(lambda player, now: player.seek(0))
    eventually(lambda: session.table.frames == 1 and session.error is None)
    session.stop()


def test_a_failed_source_is_an_error_and_the_frames_stay():
    def batches():
        yield log(*LINES[:2])
        raise CanOperationError("unplugged")

    session = ScreenSession(batches)
    session.start()
    eventually(lambda: session.has_ended)
    session.stop()
    assert (str(session.error), session.table.frames) == ("unplugged", 2)


def test_a_full_disk_ends_only_the_recording():
    go_on = threading.Event()

    def batches():
        yield log(LINES[0])
        go_on.wait(20)
        yield log(LINES[1])

    def fail(batch):
        raise OSError(28, "No space left on device")

    session = ScreenSession(batches)
    session.on_batch = fail
    session.start()
    eventually(lambda: session.notes)
    go_on.set()
    eventually(lambda: session.table.frames == 2)
    session.stop()
    assert list(session.notes) == ["recording ended: No space left on device"]
