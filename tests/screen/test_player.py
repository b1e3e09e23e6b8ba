"""Playing, stepping through and seeking in a log: times in, frames out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.screen.player import STOPPED_NS, Player
from cantools_cli.sniff.rates import Rates
from cantools_cli.sniff.table import Table
from cantools_cli.streams.replay import Ratio
from tests.sniff.frames import SECOND, log

MS = 1_000_000
START = 1_700_000_000


class Audience:
    """Keeps which frames came, as their number in the log."""

    def __init__(self):
        self.frames = []
        self.sought = []
        self.ticks = []

    def take(self, batch, *, is_sought):
        numbers = [int.from_bytes(message.data, "big") for message in batch]
        self.frames += numbers
        self.sought += numbers if is_sought else []

    def tick(self, now_ns):
        self.ticks.append(now_ns / SECOND - START)

    def restart(self):
        self.frames.clear()
        self.ticks.clear()


class Played:
    """A player of frames at ``times`` (in seconds), read ``size`` at a time, and a clock that it is told."""

    def __init__(self, *times, size=3, error=None, audience=None, **options):
        self.lines = [f"{START + time:.3f} can0 123#{n:04X}" for n, time in enumerate(times)]
        self.size = size
        self.error = error
        self.opened = 0
        self.now = 50 * SECOND
        self.audience = audience or Audience()
        self.player = Player(self._open, self.audience, **options)

    def _open(self):
        self.opened += 1
        for first in range(0, len(self.lines), self.size):
            yield log(*self.lines[first : first + self.size])
            yield MessageBatch()  # what a filter leaves of a batch may be nothing
        if self.error is not None:
            raise self.error

    def until(self, seconds):
        """Advance the clock by ``seconds`` and play the frames due."""
        end = self.now + round(seconds * SECOND)
        while True:
            if self.player.wants_more:
                self.player.read()
            left = self.player.advance(self.now)
            if left is None or self.now + left > end:
                self.now = end
                return self.audience.frames
            self.now += left

    def position(self):
        return self.player.position_ns(self.now) / SECOND


def test_frames_are_passed_on_when_due():
    played = Played(0, 0.5, 1.0, 1.5, 4.0)
    assert played.until(0) == [0]
    assert played.until(0.4) == [0]
    assert played.until(0.1) == [0, 1]
    assert played.until(1.5) == [0, 1, 2, 3]
    assert played.position() == 2.0
    assert not played.player.has_ended
    assert played.until(10) == [0, 1, 2, 3, 4]
    assert played.player.has_ended
    assert (played.position(), played.player.total_ns) == (4.0, 4 * SECOND)


@pytest.mark.parametrize(("speed", "passed"), [(Ratio(10, 1), 0.15), (Ratio(1, 2), 3.0)])
def test_the_speed_is_a_factor(speed, passed):
    played = Played(0, 1.5, 9.0, speed=speed)
    assert played.until(passed - 0.01) == [0]
    assert played.until(0.01) == [0, 1]


def test_without_a_speed_all_frames_follow_immediately_unless_paused():
    played = Played(*range(7), speed=None)
    played.player.pause(played.now, is_on=True)
    assert played.until(5) == []
    played.player.pause(played.now, is_on=False)
    assert played.until(0) == list(range(7))


def test_a_pause_holds_the_position():
    played = Played(0, 1, 2)
    played.until(0.5)
    played.player.pause(played.now, is_on=True)
    assert played.until(100) == [0]
    assert played.position() == 0.5
    played.player.pause(played.now, is_on=False)
    assert played.until(0.4) == [0]
    assert played.until(0.1) == [0, 1]


def test_after_a_stall_it_resumes_where_it_stopped():
    played = Played(0, 1, 2, 3, 4, 5, size=10)
    played.until(0.5)
    played.now += 100 * SECOND
    assert played.until(0) == [0, 1]
    assert played.until(STOPPED_NS / SECOND) == [0, 1, 2]


def test_steps_are_single_frames_and_pause():
    played = Played(0, 0.5, 1.0, 1.5, size=2)
    played.until(0)
    played.player.step(played.now)
    assert played.until(0) == [0, 1]
    assert played.player.is_paused
    assert played.position() == 0.5
    played.player.step(played.now)
    played.player.step(played.now)  # before the first is done
    assert played.until(10) == [0, 1, 2, 3]
    assert played.audience.sought == []
    played.player.step(played.now)
    assert played.until(10) == [0, 1, 2, 3]


def test_a_step_back_shows_the_log_up_to_the_frame_before():
    played = Played(0, 0.5, 1.0, size=2)
    played.until(9)
    played.player.step(played.now, -1)
    assert played.until(0) == [0, 1]
    assert played.position() == 0.5
    assert played.opened == 2
    assert played.audience.sought == [0, 1]
    for _ in range(5):
        played.player.step(played.now, -1)
    assert played.until(0) == []
    assert played.position() == 0


@pytest.mark.parametrize(
    ("place", "frames"),
    [(0, [0]), (0.7, [0, 1]), (1.0, [0, 1, 2]), (3.9, [0, 1, 2, 3]), (99, [0, 1, 2, 3, 4])],
)
@pytest.mark.parametrize("is_paused", [False, True])
@pytest.mark.parametrize("since", [0.0, 1.2, 50.0])
def test_seeking_forwards_and_back(place, frames, is_paused, since):
    played = Played(0, 0.5, 1.0, 1.5, 4.0)
    played.until(since)
    played.player.pause(played.now, is_on=is_paused)
    played.player.seek(round(place * SECOND))
    assert played.until(0) == frames
    assert played.position() == min(place, 4.0)
    assert played.player.is_paused == is_paused
    assert played.until(60) == (frames if is_paused else [0, 1, 2, 3, 4])


def test_relative_seeks_add_up_during_a_seek():
    played = Played(*range(100))
    played.until(5)
    played.player.seek_by(played.now, 10 * SECOND)
    played.player.seek_by(played.now, 10 * SECOND)
    assert played.until(0) == list(range(26))
    played.player.seek_by(played.now, -10 * SECOND)
    assert played.until(0) == list(range(16))
    played.player.seek_by(played.now, -99 * SECOND)
    assert played.until(0) == [0]


def test_steps_during_a_seek_start_at_its_target():
    played = Played(*range(100))
    played.until(5)
    played.player.seek(20 * SECOND)
    played.player.step(played.now, -1)
    played.player.step(played.now, -1)
    assert played.until(0) == list(range(19))
    played.player.seek_share(Ratio(1, 2))
    played.player.step(played.now)
    assert played.until(0) == list(range(51))
    played.player.step(played.now)
    played.player.seek(3 * SECOND)
    assert played.until(0) == list(range(4))


def test_seeking_to_a_share_reads_a_log_of_unknown_length():
    played = Played(*range(11))
    played.until(2)
    played.player.seek_share(Ratio(1, 2))
    assert played.until(0) == [0, 1, 2, 3, 4, 5]
    assert (played.player.total_ns, played.opened) == (10 * SECOND, 2)
    played.player.seek_share(Ratio(1, 10))
    assert played.until(0) == [0, 1]


def test_a_request_while_measuring_loses_no_frame():
    played = Played(*range(11))
    played.until(2)
    played.player.seek_share(Ratio(1, 2))
    played.player.read()
    played.player.advance(played.now)
    played.player.seek_by(played.now, 7 * SECOND)
    assert played.until(0) == list(range(10))


def test_seeking_to_a_timestamp():
    played = Played(0, 0.5, 1.0)
    played.until(0)
    assert played.player.log_ns(played.now) == START * SECOND
    played.player.seek_time(START * SECOND + 700 * MS)
    assert played.until(0) == [0, 1]
    assert played.player.log_ns(played.now) == START * SECOND + 700 * MS


def test_a_measured_log_is_played_from_its_start():
    played = Played(0, 1, 2, 3, measured=True)
    assert played.until(1) == [0, 1]
    assert (played.player.total_ns, played.opened) == (3 * SECOND, 2)


def test_an_error_in_a_measured_log_is_raised_when_reached():
    played = Played(0, 1, 2, measured=True, error=FormatError("bad record"))
    assert played.until(1.5) == [0, 1]
    with pytest.raises(FormatError):
        played.until(5)
    assert played.until(0) == [0, 1, 2]
    assert played.player.has_ended
    played.player.seek(0)
    assert played.until(0) == [0]


def test_an_empty_log_has_ended_and_can_be_sought_in():
    played = Played(measured=True)
    assert played.until(0) == []
    assert played.player.has_ended
    played.player.seek(SECOND)
    played.until(0)
    assert (played.position(), played.player.has_ended) == (0, True)


def test_timestamps_that_go_back_cause_no_pause():
    played = Played(100, 101, 5, 6)
    assert played.until(1) == [0, 1, 2]
    assert played.player.log_ns(played.now) == (START + 5) * SECOND
    assert played.until(1) == [0, 1, 2, 3]
    played.player.seek(1500 * MS)
    assert played.until(0) == [0, 1, 2]


@pytest.mark.parametrize("size", [7, 1000])
def test_seeking_passes_on_the_last_minute_second_by_second(size):
    played = Played(*range(300), size=size)
    played.player.seek(250 * SECOND)
    assert played.until(0) == list(range(251))
    minute = [float(n) for n in range(190, 251)]
    assert played.audience.ticks[-61:] == minute
    assert len(played.audience.ticks) <= 61 + 300 // size + 3
    played.player.step(played.now, -1)
    played.player.step(played.now, -1)
    assert played.until(0) == list(range(249))
    assert played.audience.ticks[-59:] == minute[:-2]
    assert len(played.audience.ticks) <= 61 + 300 // size + 3


class Model:
    """A table and rates: what a session keeps."""

    def __init__(self):
        self.restart()

    def restart(self):
        self.table = Table()
        self.rates = Rates(self.table)

    def take(self, batch, *, is_sought):
        self.table.feed(batch)

    def tick(self, now_ns):
        self.rates.tick(now_ns)

    def state(self):
        table = self.table
        columns = (table.figures, table.octets, table.changed, table.past, table.past_ns, table.totals)
        return [bytes(column) for column in columns]


@given(
    st.lists(st.integers(-5, 1500), min_size=1, max_size=40),
    st.lists(st.one_of(st.integers(-1, 1), st.floats(0, 1)), max_size=6),
    st.integers(1, 7),
)
def test_the_state_after_a_seek_does_not_depend_on_the_start(gaps, jumps, size):
    times = [sum(gaps[: n + 1]) / 1000 + 1 for n in range(len(gaps))]
    direct, played = (Played(*times, size=size, audience=Model()) for _ in range(2))
    for jump in jumps:
        if isinstance(jump, int):
            played.player.step(played.now, jump)
        else:
            played.player.seek(round(jump * 5 * SECOND))
        played_until(played)
    place = 2 * SECOND
    for one in (direct, played):
        one.player.pause(one.now, is_on=True)
        one.player.seek(place)
        played_until(one)
    assert played.audience.state() == direct.audience.state()
    assert played.player.played == direct.player.played


def played_until(played):
    while played.player.is_seeking:
        if played.player.wants_more:
            played.player.read()
        played.player.advance(played.now)
