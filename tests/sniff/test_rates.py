"""Frame rates and loads of the header."""

from __future__ import annotations

import pytest

from cantools_cli.sniff.rates import SECONDS, Rates, Speed
from cantools_cli.sniff.table import Table
from tests.sniff.frames import SECOND, log


def test_the_frame_rate_is_that_of_the_last_full_second():
    table = Table()
    rates = Rates(table)
    assert not rates.tick(10 * SECOND)
    table.feed(log(*(f"{n / 10} can0 123#11" for n in range(7))))
    assert not rates.tick(10 * SECOND + SECOND // 2)
    assert rates.tick(11 * SECOND)
    assert (rates.frames_per_second, list(rates.history)) == (7.0, [7.0])
    assert rates.tick(13 * SECOND)
    assert (rates.frames_per_second, list(rates.history)) == (0.0, [7.0, 0.0, 0.0])


def test_the_history_is_bounded():
    rates = Rates(Table())
    for second in range(200):
        rates.tick(second * SECOND)
    rates.tick(5000 * SECOND)
    assert len(rates.history) == SECONDS


def test_a_clock_that_goes_back_starts_a_new_interval():
    table = Table()
    rates = Rates(table)
    rates.tick(100 * SECOND)
    assert not rates.tick(50 * SECOND)
    table.feed(log("1.0 can0 123#11"))
    assert rates.tick(51 * SECOND)
    assert rates.frames_per_second == 1.0


def test_cleared_totals_do_not_make_a_negative_rate():
    table = Table()
    rates = Rates(table)
    table.feed(log("1.0 can0 123#11", "1.1 can0 123#11"))
    rates.tick(0)
    table.clear()
    rates.restart()
    assert not rates.tick(2 * SECOND)
    assert rates.tick(3 * SECOND)
    assert rates.frames_per_second == 0.0


# lengths without stuff bits, 3 bits between frames included, from ISO 11898-1's fields; a stuff bit in 16
@pytest.mark.parametrize(
    ("frame", "nominal", "fast"),
    [
        ("123#", 47 + 2, 0),
        ("123#1122334455667788", 111 + 6, 0),
        ("12345678#1122334455667788", 131 + 7, 0),
        ("123#R8", 47 + 2, 0),
        ("123##0" + "00" * 8, 126 + 1 + 4, 0),
        ("123##1" + "00" * 8, 29 + 1, 97 + 4),
        ("12345678##1" + "00" * 64, 48 + 1, 38 + 512 + 32),
    ],
)
def test_the_load_follows_from_the_lengths_of_frames(frame, nominal, fast):
    table = Table()
    table.feed(log(f"1.0 can0 {frame}"))
    rates = Rates(table, {"can0": Speed(500_000, 2_000_000)})
    (figures,) = rates.whole(SECOND)
    assert figures.load == pytest.approx(nominal / 500_000 + fast / 2_000_000)


def test_the_load_of_a_channel_is_its_own_and_needs_a_bit_rate():
    table = Table()
    table.feed(log("1.0 can0 123#", "1.0 can1 123#", "1.0 can1 20000080#0000000000000000"))
    whole = Rates(table, {"can0": Speed(125_000)}).whole(SECOND)
    assert [(one.channel, one.frames, one.errors, one.load is None) for one in whole] == [
        ("can0", 1, 0, False),
        ("can1", 2, 1, True),
    ]
