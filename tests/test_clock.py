"""Wall-clock times of logs."""

from __future__ import annotations

from datetime import datetime

import pytest

from cantools_cli.clock import ns_to_wall, wall_to_ns, zone
from cantools_cli.errors import UsageError

ROWS = [
    ("UTC", datetime(2023, 11, 14, 22, 13, 20, 123456), 1_700_000_000_123_456_000),
    ("Europe/Berlin", datetime(2023, 11, 14, 23, 13, 20), 1_700_000_000_000_000_000),
    ("Europe/Berlin", datetime(2023, 7, 1, 12, 0, 0), 1_688_205_600_000_000_000),
    ("UTC", datetime(1969, 12, 31, 23, 59, 59), -1_000_000_000),
]


@pytest.mark.parametrize(("tz", "wall", "nanoseconds"), ROWS)
def test_both_directions(tz, wall, nanoseconds):
    assert wall_to_ns(wall, tz) == nanoseconds
    assert ns_to_wall(nanoseconds, tz) == wall


def test_the_repeated_hour_is_the_earlier_one():
    first = wall_to_ns(datetime(2023, 10, 29, 2, 30), "Europe/Berlin")
    assert first == wall_to_ns(datetime(2023, 10, 29, 1, 30), "Europe/Berlin") + 3600 * 10**9


def test_local_is_that_of_this_machine(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert wall_to_ns(datetime(1970, 1, 1, 9), "local") == 0
        assert ns_to_wall(0, "local") == datetime(1970, 1, 1, 9)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("name", ["Nowhere/Atall", "", "../etc/passwd"])
def test_an_unknown_zone_is_refused(name):
    with pytest.raises(UsageError):
        zone(name)
