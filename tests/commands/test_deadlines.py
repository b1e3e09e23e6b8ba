"""``-T`` and ``--duration``: what ends a command by the clock, also on a bus that is never silent."""

from __future__ import annotations

import subprocess

import pytest

from cantools_cli.bus.base import BusABC
from cantools_cli.bus.deadline import Deadline
from cantools_cli.console.interruption import Interruption
from cantools_cli.console.sources import live_batches
from cantools_cli.filtering.selection import Selection
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

BUS = "virtual:d"


class Chatter(BusABC):
    """A bus on which a frame of identifier 100 is always waiting."""

    def __init__(self) -> None:
        super().__init__("chatter")

    def _receive(self, timeout):
        return MessageBatch([Message(arbitration_id=0x100, is_extended_id=False)])


@pytest.fixture
def busy(start, until_listening):
    """Have 100 sent again and again, as soon as the test's own dump listens."""

    def begin(period="1ms"):
        until_listening("d")
        return start("send", BUS, "100#01", "--period", period)

    return begin


@pytest.mark.parametrize(
    "options", [["-f", "7E8"], ["--where", "data[0] eq 2"], ["--where", "id eq 7E8"]], ids=" ".join
)
def test_frames_that_do_not_pass_do_not_keep_a_timeout_from_ending(start, busy, options):
    dump = start("dump", BUS, *options, "-n", 1, "-T", "100ms")
    busy()
    assert dump.communicate(timeout=30)[0] == b""
    assert dump.returncode == 1


def test_a_filter_behind_the_address_is_no_reason_to_wait_on_either(start, busy):
    dump = start("dump", f"{BUS},7E8:7FF", "-T", "100ms")
    busy()
    assert dump.wait(30) == 0


def test_frames_that_pass_do_keep_it(start, busy, canx):
    dump = start("dump", BUS, "-f", "100", "-T", "10s", stdout=subprocess.PIPE)
    sender = busy("5ms")
    for _ in range(20):
        assert dump.stdout.readline().endswith(b" d 100#01\n")
    assert dump.poll() is None
    assert sender.poll() is None


def test_a_bus_that_is_never_silent_is_quiet_if_nothing_of_it_is_chosen():
    bus, chosen = Chatter(), Selection.parse(["7E8"])
    with Interruption() as interruption:
        found = live_batches([bus], interruption, lambda: None, 0.01, None, lambda _, one: chosen.select(one))
        assert list(found) == []
    bus.shutdown()


def test_what_waits_to_be_flushed_is_asked_for_while_only_other_frames_come():
    bus, asked = Chatter(), []
    chosen = Selection.parse(["7E8"])
    with Interruption() as interruption:
        list(
            live_batches(
                [bus], interruption, lambda: asked.append(0), 0.01, None, lambda _, one: chosen.select(one)
            )
        )
    bus.shutdown()
    assert asked


def test_a_set_end_is_kept_on_a_bus_that_is_never_silent():
    bus = Chatter()
    with Interruption() as interruption:
        for _, batch in live_batches([bus], interruption, lambda: None, end=Deadline(0.01)):
            assert len(batch) == 1
    bus.shutdown()


def test_a_receive_with_filters_ends_on_a_bus_that_is_never_silent():
    bus = Chatter()
    bus.set_filters([{"can_id": 0x7E8, "can_mask": 0x7FF}])
    assert bus.recv(0.01) is None
    assert bus.recv(0) is None
    assert bus.recv_batch(0.01) is None
    bus.shutdown()


def test_dump_ends_after_the_duration_whatever_comes(start, busy):
    dump = start("dump", BUS, "-o", "d.log", "--duration", "2s")
    busy()
    assert dump.wait(30) == 0


def test_a_count_that_the_duration_cuts_short_is_status_1(canx):
    assert canx("dump", BUS, "-n", 1, "--duration", "10ms").returncode == 1
    assert canx("dump", BUS, "--duration", "10ms").returncode == 0
    assert canx("dump", BUS, "-n", 0, "--duration", "10ms").returncode == 0


@pytest.mark.parametrize(
    ("options", "frames", "status"),
    [
        (["-g", "100ms", "--duration", "1s"], 10, 0),
        (["--rate", "3", "--duration", "1s"], 3, 0),
        (["-g", "100ms", "--duration", "950ms", "-n", "4"], 4, 0),
        (["-g", "100ms", "--duration", "950ms", "-n", "11"], 10, 1),
        (["-X", "-g", "100ms", "--duration", "1s", "--json"], 10, 0),
    ],
)
def test_gen_makes_the_frames_of_a_duration(canx, options, frames, status):
    result = canx("gen", *options)
    assert (len(result.stdout.splitlines()), result.returncode) == (frames, status)


def test_gen_makes_as_many_on_a_bus(start, canx, until_listening):
    dump = start("dump", BUS, "-n", 11)
    until_listening("d")
    assert canx("gen", BUS, "-g", "10ms", "--duration", "100ms", "-I", "123").returncode == 0
    assert canx("send", BUS, "7FF#").returncode == 0
    lines = dump.communicate(timeout=20)[0].decode().splitlines()
    assert [line.split()[2][:3] for line in lines] == [*["123"] * 10, "7FF"]


def test_gen_as_fast_as_possible_ends_with_the_duration_on_a_bus_and_is_refused_elsewhere(canx):
    assert canx("gen", BUS, "-g", "0", "--duration", "20ms").returncode == 0
    assert canx("gen", BUS, "-g", "0", "--duration", "20ms", "-n", 10**12).returncode == 1
    result = canx("gen", "-g", "0", "--duration", "20ms")
    assert (result.stdout, result.returncode) == ("", 2)
    assert "--duration without BUS needs a gap" in result.stderr
