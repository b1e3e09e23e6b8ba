"""The lines at the top."""

from __future__ import annotations

import pytest

from cantools_cli.screen.header import header, length, moment, speeds
from cantools_cli.screen.look import Look
from cantools_cli.screen.session import ScreenSession
from cantools_cli.sniff.rates import Speed
from cantools_cli.sniff.view import View, parse_filter
from tests.sniff.frames import log

NOON_NS = 1_700_000_000_123_456_789


@pytest.fixture(autouse=True)
def _zone(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("known", "text"),
    [
        ({}, ""),
        ({"can0": Speed()}, ""),
        ({"can0": Speed(500_000)}, "500k"),
        ({"can0": Speed(83_333)}, "83.333k"),
        ({"can0": Speed(500_000, 2_000_000)}, "500k/2M"),
        ({"can0": Speed(500_000), 1: Speed(500_000)}, "500k"),
        ({"can0": Speed(500_000), 1: Speed(1_000_000)}, "can0:500k 1:1M"),
        ({"can0": Speed(500_000), "can1": Speed()}, "can0:500k"),
    ],
)
def test_bit_rates_are_shown_once_or_by_channel(known, text):
    assert speeds(known) == text


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(0, "0:00.0"), (7_590_000_000, "0:07.5"), (61 * 10**9, "1:01.0"), (3600 * 10**9, "1:00:00.0")],
)
def test_a_position_is_minutes_and_seconds(nanoseconds, text):
    assert length(nanoseconds) == text


@pytest.mark.parametrize(
    ("time_ns", "is_live", "text"),
    [
        (NOON_NS, True, "22:13:20.123"),
        (NOON_NS, False, "2023-11-14 22:13:20.123"),
        (12_345_678_901, False, "12.346"),
        (-1, True, "-0.000"),
        ((1 << 63) - 1, False, "2262-04-11 23:47:16.854"),
    ],
)
def test_timestamps_are_shown_as_local_time(time_ns, is_live, text):
    assert moment(time_ns, is_live=is_live) == text


def test_the_header_shows_known_figures_and_hidden_kinds():
    session = ScreenSession(lambda: iter(()))
    session.speeds = {"can0": Speed(500_000)}
    session.table.feed(log("1700000000.5 can0 123#"))
    view = View(hides_standard=True, hides_extended=True, chosen=parse_filter("123"))
    first, second = header(session, view, session.table, "vcan0", "live", Look(), 80).plain.split("\n")
    assert first == "vcan0  live  no 11-bit  no 29-bit  filtered  500k  22:13:20.500"
    assert second == "1 frame  0/s  errors 0  "
    session.missed = lambda: 1234
    text = header(session, view, session.table, "vcan0", "live", Look(), 80).plain
    assert "\n1 frame  0/s  errors 0  lost 1,234  " in text


def test_a_long_source_makes_room_for_the_rest():
    batch = log("1700000000.5 can0 123#", "1700000090.5 can0 123#")
    session = ScreenSession(lambda: iter([batch]), is_paced=True, clock=lambda: 0)
    session.player.read()
    session.player.advance(0)
    text = header(session, View(), session.table, "x" * 99, "replaying", Look(), 80).plain
    first = text.split("\n")[0]
    assert len(first) == 80
    assert first.endswith("xx  replaying  0:00.0  2023-11-14 22:13:20.500")
