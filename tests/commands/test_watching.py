"""What ``canx sniff`` looks at."""

from __future__ import annotations

import pytest

from cantools_cli.console.buses import BusOptions
from cantools_cli.console.interruption import Interruption
from cantools_cli.console.report import Report
from cantools_cli.console.sources import ReadOptions
from cantools_cli.console.watching import WatchedBuses, WatchedLogs
from cantools_cli.filtering.selection import Selection

LOG = "(1.0) can0 123#01\n(1.1) can0 123#0G\n(1.2) can0 123#03\n(1.3) can0 456#04\n(1.4) can0 123#05\n"


@pytest.fixture
def interruption():
    with Interruption() as entered:
        yield entered


def numbers(watched):
    return [message.data[0] for batch in watched.batches() for message in batch]


def test_a_log_begins_again_each_time_and_tells_of_its_faults_once(tmp_path, capsys, interruption):
    (tmp_path / "a.log").write_text(LOG)
    chosen = Selection.parse(["123"], "every 2")
    form = ReadOptions(on_error="skip")
    with WatchedLogs([str(tmp_path / "a.log")], BusOptions(), chosen, Report(), interruption, form) as logs:
        assert logs.size == len(LOG)
        assert numbers(logs) == [1, 5]
        assert numbers(logs) == [1, 5]
        assert next(logs.batches()) is not None
        assert logs.tell() == 1
    assert capsys.readouterr().err.count("1 malformed") == 1


def test_buses_tell_what_they_lost(interruption, capsys):
    buses = WatchedBuses(["virtual:watched"], BusOptions(), Selection(), Report(), interruption)
    with buses:
        assert (buses.missed(), buses.tell()) == (0, 0)
        buses.opened[0].bus.losses.update({"frames lost": 3, "packets lost": 4})
        assert (buses.missed(), buses.tell()) == (7, 1)
    assert capsys.readouterr().err == "canx: watched: 3 frames lost, 4 packets lost\n"
