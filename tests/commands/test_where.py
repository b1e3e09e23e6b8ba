"""``--where`` in the commands that read frames."""

from __future__ import annotations

import pytest

from cantools_cli.console.buses import NamedBus, _push_filter
from cantools_cli.console.report import Report
from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.filtering.selection import Selection
from cantools_cli.frame.message import Message

LOG = "".join(
    f"({100 + number}.000000) can0 {frame}\n"
    for number, frame in enumerate(["123#01", "124#02", "123#R", "123#01", "123#03", "00000123#03"])
)


def frames_of(log: str) -> list[str]:
    return [line.split()[2] for line in log.splitlines()]


@pytest.mark.parametrize(
    ("arguments", "frames"),
    [
        (("--where", "id eq 123 and not remote"), ["123#01", "123#01", "123#03"]),
        (("--where", "data[0] eq 3"), ["123#03", "00000123#03"]),
        (("--where", "changed and id in 123, 124"), ["123#01", "124#02", "123#R", "123#03"]),
        (("-f", "123:7FF", "--where", "every 3"), ["123#01", "123#03"]),
        (("-f", "124", "--where", "time eq 0"), ["124#02"]),
        (("--where", "time ge 1970-01-01T00:01:44", "--tz", "UTC"), ["123#03", "00000123#03"]),
        (("--where", "time ge 1970-01-01T01:01:44", "--tz", "Africa/Lagos"), ["123#03", "00000123#03"]),
        (("--where", "data", "-n", "2"), ["123#01", "124#02"]),
    ],
)
def test_convert_writes_the_frames_that_pass(canx, arguments, frames):
    result = canx("convert", *arguments, stdin=LOG)
    assert (result.returncode, result.stderr) == (0, "")
    assert frames_of(result.stdout) == frames


@pytest.mark.parametrize(
    "command", [["convert"], ["send", "virtual:where"], ["dump", "virtual:where", "-T", "1ms"]]
)
def test_a_wrong_expression_is_refused_before_anything_is_read(canx, command):
    result = canx(*command, "--where", "id = 123")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        'canx: bad expression "id = 123": "=" is not a comparison, at position 4',
        "hint: did you mean eq? comparisons: eq ne lt le gt ge, in LOW..HIGH, in A, B, C, not in",
    ]


def test_send_and_dump_choose_alike(canx, start, until_listening):
    everything = start("dump", "virtual:where", "-n", "3")
    some = start("dump", "virtual:where", "-n", "2", "--where", "data[0] gt 1 and every 1")
    until_listening("where", 2)
    result = canx("send", "virtual:where", "--where", "changed and base and data", stdin=LOG)
    assert (result.returncode, result.stderr) == (0, "")
    for process, frames in ((everything, ["123#01", "124#02", "123#03"]), (some, ["124#02", "123#03"])):
        output, _ = process.communicate(timeout=30)
        assert frames_of(output.decode()) == frames


def test_send_takes_no_expression_beside_frames(canx):
    result = canx("send", "virtual:where", "123#", "--where", "fd")
    assert result.returncode == 2
    assert "FRAME... is given" in result.stderr


def test_a_bus_is_given_what_all_filters_pass_together():
    class Recorder:
        pushed: FrameFilter | None = None

        def push_filter(self, chosen: FrameFilter) -> None:
            self.pushed = chosen

    bus = Recorder()
    one = NamedBus(bus, "can0", Report(), FrameFilter.parse(["100:700"]))  # type: ignore[arg-type]  # all it needs
    _push_filter(one, Selection.parse(["123,124"], "not remote and data[0] eq 1"))
    assert bus.pushed is not None
    passing = [Message(arbitration_id=number, is_extended_id=False) for number in (0x123, 0x124)]
    assert all(bus.pushed.matches(message) for message in passing)
    assert not bus.pushed.matches(Message(arbitration_id=0x125, is_extended_id=False))
    assert not bus.pushed.matches(Message(arbitration_id=0x123, is_extended_id=False, is_remote_frame=True))
