"""The times of frames from ticks of a controller's timer."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from cantools_cli.backends.etas import clock as module
from cantools_cli.backends.etas.clock import TimerClock

EPOCH = 1_700_000_000_000_000_000
FREQUENCY = 1_234_567
SECOND = 1_000_000_000


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The computer's monotonic clock in nanoseconds, as a list of one."""
    now = [0]
    monkeypatch.setattr(module.time, "monotonic_ns", lambda: now[0])
    monkeypatch.setattr(module.time, "time_ns", lambda: EPOCH + now[0])
    return now


def timer(host: list[int], parts: float = 0.0) -> Callable[[], int]:
    """Return a timer that was switched on 100 s ago, and gains ``parts`` of the elapsed time."""
    return lambda: int((100 * SECOND + host[0] * (1 + parts)) * FREQUENCY / SECOND)


def test_ticks_since_any_start(host: list[int]) -> None:
    read = timer(host)
    clock = TimerClock(FREQUENCY, read, "x")
    host[0] = SECOND // 2
    [found] = clock.times_ns([read()])
    assert abs(found - EPOCH - SECOND // 2) < 1000
    assert clock.times_ns([]).tolist() == []


def test_frames_that_waited_long(host: list[int]) -> None:
    read = timer(host)
    clock = TimerClock(FREQUENCY, read, "x")
    host[0] = 5 * SECOND
    waited = read()
    host[0] = 100 * SECOND
    assert abs(clock.times_ns([waited])[0] - EPOCH - 5 * SECOND) < 2000


def test_the_drift_of_the_timer_is_followed(host: list[int]) -> None:
    read = timer(host, 100e-6)
    clock = TimerClock(FREQUENCY, read, "x")
    for second in range(1, 1000):
        host[0] = second * SECOND
        assert abs(clock.times_ns([read()])[0] - EPOCH - host[0]) < 2000


def test_no_frame_is_before_an_earlier_one(host: list[int]) -> None:
    read = timer(host, 1e-3)
    clock = TimerClock(FREQUENCY, read, "x")
    host[0] = 2 * SECOND - 1
    clock._anchored_ns = host[0]  # a second ago, when the offset was larger
    first = read()
    [earlier] = clock.times_ns([first])
    host[0] += SECOND
    later = clock.times_ns([first + 1, read()])
    assert earlier <= later[0] <= later[1]


@pytest.mark.parametrize("ticks", [-(1 << 62), (1 << 62), 0])
def test_impossible_ticks(host: list[int], ticks: int, caplog: pytest.LogCaptureFixture) -> None:
    clock = TimerClock(FREQUENCY, timer(host), "x")
    for second in (1, 2):
        host[0] = second * SECOND
        assert clock.times_ns([ticks]).tolist() == [EPOCH + host[0]]
    assert caplog.messages == ["x: the controller's timer is wrong; frames get the time of their arrival"]


def test_the_real_clock() -> None:
    clock = TimerClock(1000, lambda: 5, "x")
    assert abs(clock.times_ns([5])[0] - time.time_ns()) < 10 * SECOND
