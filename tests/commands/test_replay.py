"""``canx replay`` as a program; its times are tested with a clock, in ``tests/streams/test_replay.py``."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest

LOG = """\
(1.000000) can0 123#01
(1.001000) can1 124#02
(1.002000) can0 20000004#0000000000000000
(1.003000) can0 125#R2
(1.003000) can1 00000126#03 T
"""


@pytest.fixture(autouse=True)
def log(tmp_path):
    path = tmp_path / "t.log"
    path.write_text(LOG)
    return path


def frames_of(text):
    return [line.split(None, 2)[2] for line in text.splitlines()]


@pytest.fixture
def arriving(start, until_listening, canx):
    """Return a function that replays, and returns its result and the frames that come to channels."""

    def run(*arguments, stdin=None, channels=("a",)):
        dumps = [start("dump", f"virtual:{channel}", "-q") for channel in channels]
        for channel in channels:
            until_listening(channel)
        result = canx("replay", *arguments, stdin=stdin)
        found = []
        for dump in dumps:
            dump.send_signal(signal.SIGINT)
            found.append(frames_of(dump.communicate(timeout=20)[0].decode()))
        return result, found[0] if len(found) == 1 else found

    return run


def test_all_frames_of_a_log_go_to_the_bus_and_error_frames_are_told(arriving):
    result, frames = arriving("t.log", "virtual:a")
    assert frames == ["123#01", "124#02", "125#R2", "00000126#03"]
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr == "canx: 1 error frame left out; --error-frames sends them\n"


def test_error_frames_go_where_they_are_asked_for(arriving):
    _, frames = arriving("t.log", "virtual:a", "--error-frames")
    assert "20000004#0000000000000000" in frames


def test_each_channel_goes_to_the_bus_of_its_name_where_none_is_given(arriving):
    _, (can0, can1) = arriving("t.log", "-i", "virtual", channels=("can0", "can1"))
    assert (can0, can1) == (["123#01", "125#R2"], ["124#02", "00000126#03"])


@pytest.mark.parametrize(
    ("arguments", "a", "b"),
    [
        (["--map", "can0=virtual:a", "--map", "can1=virtual:b"], ["123", "125"], ["124", "00000126"]),
        (["--map", "can0=virtual:a", "--map", "can0=virtual:b"], ["123", "125"], ["123", "125"]),
        (["--map", "can1=virtual:a", "--map", "can0=virtual:a"], ["123", "124", "125", "00000126"], []),
        (["virtual:a", "--map", "can0=virtual:b"], ["124", "00000126"], ["123", "125"]),
    ],
    ids=["each its own", "one to two", "two to one", "the rest to BUS"],
)
def test_channels_go_where_they_are_mapped(arriving, arguments, a, b):
    result, channels = arriving("t.log", *arguments, channels=("a", "b"))
    assert [[frame.partition("#")[0] for frame in frames] for frames in channels] == [a, b]
    assert result.returncode == 0


def test_channels_that_no_map_names_are_told(arriving):
    result, frames = arriving("t.log", "--map", "can1=virtual:a")
    assert frames == ["124#02", "00000126#03"]
    assert "2 frames of can0" in result.stderr
    assert result.returncode == 0
    assert arriving("t.log", "--map", "can1=virtual:a", "--strict")[0].returncode == 2


def test_a_map_the_wrong_way_round_is_told(canx):
    stderr = canx("replay", "t.log", "--map", "virtual:a=can0", "-i", "virtual").stderr
    assert "no selected frame is on channel virtual:a" in stderr
    assert "2 frames of can0" in stderr


@pytest.mark.parametrize("how", [["--ignore-timestamps"], ["-t"], ["--speed", "max"], ["--speed", "1000"]])
def test_time_may_be_ignored(arriving, log, how):
    log.write_text("(0.000000) can0 123#\n(900.000000) can0 124#\n")
    result, frames = arriving("t.log", "virtual:a", *how)
    assert (result.returncode, frames) == (0, ["123#", "124#"])


def test_a_silence_is_cut(arriving, log):
    log.write_text("(0.000000) can0 123#\n(90000.000000) can0 124#\n(10.000000) can0 125#\n")
    assert arriving("t.log", "virtual:a", "--skip", "1s")[1] == ["123#", "124#", "125#"]


@pytest.mark.parametrize(
    ("arguments", "identifiers"),
    [
        (["--start", "1ms"], ["124", "125", "00000126"]),
        (["--end", "1ms"], ["123"]),
        (["--start", "1ms", "--end", "3ms"], ["124"]),
        (["--start", "1970-01-01T00:00:01.003Z"], ["125", "00000126"]),
        (["-n", "2"], ["123", "124"]),
        (["-n", "0"], []),
        (["-n", "5", "--loop", "i"], ["123", "124", "125", "00000126", "123"]),
        (["--loop", "2", "-f", "123"], ["123", "123"]),
        (["-f", "124", "-f", "125-126"], ["124", "125"]),
        (["--where", "id eq 124 or remote"], ["124", "125"]),
        (["--gap", "100us", "-t"], ["123", "124", "125", "00000126"]),
    ],
)
def test_a_part_of_a_log_and_more_than_all_of_it(arriving, arguments, identifiers):
    result, frames = arriving("t.log", "virtual:a", *arguments)
    assert [frame.partition("#")[0] for frame in frames] == identifiers
    assert result.returncode == 0


def test_every_format_is_read_and_a_pipe_as_well(arriving, canx, shell):
    assert canx("convert", "t.log", "-o", "t.blf").returncode == 0
    assert len(arriving("t.blf", "virtual:a")[1]) == 4
    assert arriving("-", "virtual:a", stdin=LOG)[1] == ["123#01", "124#02", "125#R2", "00000126#03"]
    assert shell("canx convert t.blf --json | canx replay - virtual:a").returncode == 0


def test_what_was_due_goes_while_a_pipe_is_silent(start, until_listening):
    dump = start("dump", "virtual:a", "-n", "2")
    until_listening("a")
    replay = start("replay", "-", "virtual:a", stdin=subprocess.PIPE)
    replay.stdin.write(b"(1.000000) can0 123#\n(1.020000) can0 124#\n")
    replay.stdin.flush()
    assert frames_of(dump.communicate(timeout=20)[0].decode()) == ["123#", "124#"]
    assert replay.poll() is None
    replay.stdin.close()
    assert replay.wait(20) == 0


def test_the_frames_before_a_malformed_line_are_replayed(arriving, log):
    log.write_text("(1.000000) can0 123#\n(1.005000) can0 124#\nnonsense\n(1.1) can0 125#\n")
    result, frames = arriving("t.log", "virtual:a")
    assert (result.returncode, frames) == (2, ["123#", "124#"])
    assert "t.log:3:" in result.stderr
    assert "canx: 2 frames sent before the error\n" in result.stderr
    result, frames = arriving("t.log", "virtual:a", "--on-error", "skip")
    assert (result.returncode, frames) == (0, ["123#", "124#", "125#"])
    assert "1 malformed record skipped" in result.stderr


def test_verbose_says_how_exact_it_was(canx):
    stderr = canx("replay", "t.log", "virtual:a", "-v").stderr
    assert "4 frames replayed" in stderr
    assert re.search(
        r"late by [\d.]+ ms on average, [\d.]+ ms or less in 99 % of all, [\d.]+ ms at most", stderr
    )


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("source", ["t.log", "-"])
def test_a_signal_ends_it_and_it_says_how_far_it_came(start, until_listening, log, source, signum, status):
    log.write_text("(1.000000) can0 123#\n(1.002000) can0 124#\n(90.000000) can0 125#\n")
    dump = start("dump", "virtual:a", "-n", "2")
    until_listening("a")
    with log.open("rb") as file:
        cat = subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE)
        replay = start("replay", source, "virtual:a", stdin=cat.stdout)
    dump.wait(20)
    replay.send_signal(signum)
    stderr = replay.communicate(timeout=20)[1].decode()
    cat.stdout.close()
    cat.wait(20)
    assert (replay.returncode, stderr) == (
        128 - status,
        "canx: stopped after 2 frames, 0.002 s into the log\n",
    )


def test_a_bus_that_takes_no_can_fd_gets_the_rest(canx, log):
    log.write_text("(1.0) can0 123#\n(1.0) can0 124##0AA\n(1.0) can0 125#\n")
    code = (
        "import cantools_cli.backends.virtual.bus as v\n"
        "from cantools_cli.errors import CanOperationError\n"
        "send = v.VirtualBus._send\n"
        "def classic(self, batch, timeout):\n"
        "    if any(message.is_fd for message in batch): raise CanOperationError('no CAN FD')\n"
        "    send(self, batch, timeout)\n"
        "v.VirtualBus._send = classic\n"
        "from cantools_cli.cli import main\n"
        "main(['replay', 't.log', 'virtual:a', '-v'])\n"
    )
    result = run_python(code, log.parent)
    assert result.returncode == 0
    assert "virtual:a: lost 1 CAN FD frame" in result.stderr
    assert "no CAN FD" in result.stderr


def test_a_bus_that_fails_is_status_3_and_what_was_sent_is_said(log):
    code = (
        "import cantools_cli.backends.virtual.bus as v\n"
        "from cantools_cli.errors import CanOperationError\n"
        "def broken(self, batch, timeout):\n"
        "    if batch.can_id[0] == 0x124: raise CanOperationError('unplugged')\n"
        "v.VirtualBus._send = broken\n"
        "from cantools_cli.cli import main\n"
        "main(['replay', 't.log', 'virtual:a', '-f', '123-124'])\n"
    )
    result = run_python(code, log.parent)
    assert result.returncode == 3
    assert "1 frame sent before the error" in result.stderr
    assert result.stderr.endswith("canx: unplugged\n")


def test_of_a_batch_that_did_not_go_to_the_end_what_went_is_said(log):
    code = (
        "import cantools_cli.backends.virtual.bus as v\n"
        "from cantools_cli.errors import CanTimeoutError\n"
        "def full(self, batch, timeout):\n"
        "    raise CanTimeoutError('full', sent=2)\n"
        "v.VirtualBus._send = full\n"
        "from cantools_cli.cli import main\n"
        "main(['replay', 't.log', 'virtual:a', '-t'])\n"
    )
    result = run_python(code, log.parent)
    assert result.returncode == 3
    assert "2 frames sent before the error" in result.stderr


def run_python(code, folder):
    environment = os.environ | {"CANX_NET": f"test-{os.getpid()}-{folder.name}"[-40:]}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["t.log", "virtual:a", "--speed", "0"], "bad speed"),
        (["t.log", "virtual:a", "--loop", "0"], "bad number of loops"),
        (["t.log", "virtual:a", "--gap", "5"], "-g 5 has no unit"),
        (["t.log", "virtual:a", "--start", "soon"], "bad time"),
        (["t.log", "--map", "can0"], "SRC=BUS"),
        (["-", "virtual:a", "--loop", "2"], "only once"),
        (["t.log", "virtual:a", "-n", "-1"], "negative"),
        (["t.log", "virtual:a,123:7FF"], "a filter has no effect on frames that are sent"),
        (["missing.log", "virtual:a"], "missing.log"),
    ],
)
def test_what_makes_no_sense_is_refused(canx, arguments, words):
    result = canx("replay", *arguments, stdin=LOG)
    assert result.returncode == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_log_cannot_open_any_bus_it_names(canx, log):
    log.write_text("(1.0) udp_multicast:239.1.2.3 123#\n")
    result = canx("replay", "t.log")
    assert result.returncode == 2
    assert "is not a valid bus name" in result.stderr
