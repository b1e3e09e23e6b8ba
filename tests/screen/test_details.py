"""Statistics of the last frames of a row."""

from __future__ import annotations

import pytest

from cantools_cli.screen.details import bit_changes, periods_ns
from cantools_cli.sniff.table import Table
from tests.sniff.frames import log

NEVER = [0] * 8


def past(*frames):
    table = Table()
    table.feed(log(*(f"{n / 10:.1f} can0 123#{data}" for n, data in enumerate(frames))))
    return table.rows[0].past() if table.rows else []


@pytest.mark.parametrize(
    ("frames", "counts"),
    [
        ([], [NEVER, NEVER]),
        (["1122"], [NEVER, NEVER]),
        (["0001", "0003", "8002"], [[1, *NEVER[1:]], [0, 0, 0, 0, 0, 0, 1, 1]]),
        (["0001", "R8", "0000"], [NEVER, [*NEVER[1:], 1]]),
        (["01", "0100", "01FF01"], [NEVER, [1] * 8]),
    ],
)
def test_changes_of_each_bit_are_counted(frames, counts):
    assert bit_changes(past(*frames), 2) == counts


@pytest.mark.parametrize(
    ("frames", "periods"), [([], []), (["01"], [None]), (["01", "R1", "02"], [None, 10**8, 10**8])]
)
def test_periods_are_times_since_the_previous_frame(frames, periods):
    assert periods_ns(past(*frames)) == periods
