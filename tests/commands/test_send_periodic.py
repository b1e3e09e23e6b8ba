"""``canx send --period``: frames again and again, with real processes and signals."""

from __future__ import annotations

import signal
import threading
from itertools import pairwise
from typing import Any

import pytest

from cantools_cli.bus.base import BusABC
from cantools_cli.commands import send
from cantools_cli.console.buses import NamedBus
from cantools_cli.console.report import Report
from cantools_cli.console.run import Run
from cantools_cli.errors import CanOperationError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.periodic.schedule import CATCH_UP, Schedule

BUS = "virtual:p"


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        (["--period", "2ms", "--count", "5"], ["123#01", "00000456#02", "123#01", "00000456#02", "123#01"]),
        (["--period", "10ms", "--duration", "25ms"], ["123#01", "00000456#02", "123#01"]),
        (["--period", "10ms", "--duration", "1h", "-n", "2"], ["123#01", "00000456#02"]),
    ],
)
def test_frames_take_turns_until_the_count_or_the_duration(start, canx, until_listening, options, texts):
    dump = start("dump", BUS)
    until_listening("p")
    assert canx("send", BUS, "123#01", "00000456#02", *options).returncode == 0
    lines = [dump.stdout.readline().decode().split()[2] for _ in texts]
    canx("send", BUS, "7FF#")
    assert [*lines, dump.stdout.readline().decode().split()[2]] == [*texts, "7FF#"]


def test_a_count_that_the_duration_cuts_short_is_status_1(canx):
    assert canx("send", BUS, "123#01", "--period", "10ms", "-n", 9, "--duration", "25ms").returncode == 1


def test_a_signal_ends_it(start, until_listening):
    dump = start("dump", BUS, "-n", 2)
    until_listening("p")
    sender = start("send", BUS, "123#01", "--period", "1ms", "-v")
    dump.communicate(timeout=20)
    sender.send_signal(signal.SIGINT)
    _, stderr = sender.communicate(timeout=20)
    assert sender.returncode == -signal.SIGINT
    assert stderr.endswith(b" frames sent\n")


def test_a_signal_ends_a_long_wait(start, until_listening):
    dump = start("dump", BUS, "-n", 1)
    until_listening("p")
    sender = start("send", BUS, "123#01", "--period", "1h")
    dump.communicate(timeout=20)
    sender.send_signal(signal.SIGTERM)
    assert sender.wait(20) == -signal.SIGTERM


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["123#01", "--count", "5"], "--count needs --period"),
        (["123#01", "--duration", "5s"], "--duration needs --period"),
        (["--period", "1s"], "--period needs a FRAME"),
        (["123#01", "--period", "0"], "--period must be greater than 0"),
        (["123#01", "--period", "10"], "--period 10 has no unit"),
        (["123#01", "--period", "1s", "--count", "-1"], "--count -1 is negative"),
        (["123#01", "--period", "1x"], 'unknown unit "x"'),
        (["123#01", "--period", "1s", "--duration", "x"], 'bad duration "x"'),
    ],
)
def test_options_that_make_no_sense_together_are_refused(canx, arguments, text):
    result = canx("send", BUS, *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert text in result.stderr.splitlines()[0]
    assert len(result.stderr.splitlines()) <= 2


class OwnTime:
    """A clock that goes on by itself only while ``select`` waits."""

    def __init__(self) -> None:
        self.now_ns = 0

    def monotonic_ns(self) -> int:
        return self.now_ns

    def select(self, readable: list[int], _: list[int], __: list[int], seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


class SlowBus(BusABC):
    """Takes ``takes_ns`` for each frame."""

    def __init__(self, time: OwnTime, takes_ns: int) -> None:
        self.time, self.takes_ns = time, takes_ns
        self.times: list[int] = []
        super().__init__("slow")

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        self.times.append(self.time.now_ns)
        self.time.now_ns += self.takes_ns


def send_on(monkeypatch: Any, takes_ns: int, schedule: Schedule) -> tuple[int, list[int]]:
    """Return the status and the times in microseconds of a run on a ``SlowBus``."""
    time = OwnTime()
    monkeypatch.setattr(send, "time", time)
    monkeypatch.setattr(send, "select", time)
    assert threading.current_thread() is threading.main_thread()  # which alone may take signals
    with SlowBus(time, takes_ns) as bus:
        given = MessageBatch([Message(arbitration_id=1)])
        opened = NamedBus(bus, "slow", Report())
        status = send._send_periodically(opened, given, schedule, 1.0, Run(), strict=True)
        return status, [time_ns // 1000 for time_ns in bus.times]


def test_how_long_sending_takes_does_not_add_to_the_period(monkeypatch):
    status, times = send_on(monkeypatch, 300_000, Schedule(1_000_000, count=1000))
    assert status == 0
    assert {later - earlier for earlier, later in pairwise(times)} == {1000}


def test_frames_that_a_slow_bus_leaves_no_time_for_are_counted_and_said(monkeypatch, capsys):
    status, times = send_on(monkeypatch, 2_000_000, Schedule(1_000_000, duration_ns=1_000_000_000))
    lost = 1000 - len(times)
    assert status == 2
    assert len(times) == 500 + CATCH_UP
    assert capsys.readouterr().err == f"canx: slow: lost {lost} frames that could not be sent in time\n"


def test_a_lost_bus_is_an_error(monkeypatch):
    def fail(*_: object) -> None:
        raise CanOperationError("the adapter is gone")

    monkeypatch.setattr(SlowBus, "_send", fail)
    with pytest.raises(CanOperationError, match="gone") as lost:
        send_on(monkeypatch, 0, Schedule(1_000_000))
    assert lost.value.exit_status == 3
