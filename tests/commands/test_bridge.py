"""``canx bridge`` as a program, with real processes on the embedded bus."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest


def frames_of(text):
    return [line.split(None, 2)[2] for line in text.splitlines()]


@pytest.fixture
def bridged(start, until_listening, canx):
    """Return a function that bridges while frames are sent, and returns what arrived and what it said.

    ``sends`` are (channel, frames); the bridge ends when it has forwarded ``count`` frames.
    """

    def run(*arguments, sends, count, channels=("a", "b"), extra=()):
        dumps = {channel: start("dump", f"virtual:{channel}", "-q") for channel in channels}
        bridge = start("bridge", *arguments, "-n", count, *extra)
        for channel in channels:
            is_source = not ("--one-way" in extra and channel != channels[0])
            until_listening(channel, 1 + is_source)
        for channel, frames in sends:
            assert canx("send", f"virtual:{channel}", *frames, "--error-frames").returncode == 0
        stderr = bridge.communicate(timeout=30)[1].decode()
        assert bridge.returncode == 0, stderr
        arrived = {}
        for channel, dump in dumps.items():
            dump.send_signal(signal.SIGINT)
            arrived[channel] = frames_of(dump.communicate(timeout=20)[0].decode())
        return arrived, stderr

    return run


def test_frames_go_both_ways_and_none_goes_back(bridged):
    sends = [("a", ["123#01", "124#R2"]), ("b", ["00000125#", "126##1AABB"])]
    arrived, stderr = bridged("virtual:a", "virtual:b", sends=sends, count=4)
    assert arrived["a"] == arrived["b"] == ["123#01", "124#R2", "00000125#", "126##1AABB"]
    assert stderr == ""


def test_three_buses_are_joined(bridged):
    arrived, stderr = bridged(
        "virtual:a",
        "virtual:b",
        "virtual:c",
        sends=[("a", ["001#"]), ("c", ["002#"])],
        count=2,
        channels=("a", "b", "c"),
        extra=["-v"],
    )
    assert list(arrived.values()) == [["001#", "002#"]] * 3
    assert "canx: b: 2 frames sent" in stderr
    assert "canx: a: 1 frame received" in stderr


def test_one_way_forwards_from_the_first_alone(bridged):
    sends = [("b", ["002#"]), ("a", ["001#"])]
    arrived, _ = bridged("virtual:a", "virtual:b", sends=sends, count=1, extra=["--one-way"])
    assert arrived == {"a": ["001#"], "b": ["002#", "001#"]}


def test_a_filter_behind_a_bus_chooses_what_leaves_it(bridged):
    sends = [("a", ["123#", "223#"]), ("b", ["223#01"])]
    arrived, _ = bridged("virtual:a,100:700", "virtual:b", sends=sends, count=2)
    assert arrived == {"a": ["123#", "223#", "223#01"], "b": ["123#", "223#01"]}


@pytest.mark.parametrize("option", [["-f", "100-1FF"], ["--where", "id in 100..1FF"]])
def test_a_filter_holds_for_all_directions(bridged, option):
    sends = [("a", ["123#", "223#"]), ("b", ["323#", "124#"])]
    arrived, _ = bridged("virtual:a", "virtual:b", sends=sends, count=2, extra=option)
    assert arrived == {"a": ["123#", "223#", "124#"], "b": ["123#", "323#", "124#"]}


def test_error_frames_stay_unless_they_are_asked_for(bridged):
    frames = ["20000004#0000000000000000", "123#"]
    arrived, _ = bridged("virtual:a", "virtual:b", sends=[("a", frames)], count=1)
    assert arrived["b"] == ["123#"]
    arrived, _ = bridged("virtual:a", "virtual:b", sends=[("a", frames)], count=2, extra=["--error-frames"])
    assert arrived["b"] == frames


def test_identifiers_are_rewritten_in_their_direction(bridged):
    arrived, stderr = bridged(
        "virtual:a",
        "virtual:b",
        sends=[("a", ["123#01"]), ("b", ["323#02", "123#03"])],
        count=3,
        extra=["--rewrite", "a>b:100-1FF=+200", "--rewrite", "b>a:300-3FF=-200", "-v"],
    )
    assert arrived == {"a": ["123#01", "123#02", "123#03"], "b": ["323#01", "323#02", "123#03"]}
    assert "a>b: 1 frame rewritten" in stderr


def test_two_bridges_between_the_same_buses_end_with_an_error(start, until_listening, canx):
    start("bridge", "virtual:a", "virtual:b", "--max-hops", "0")
    bridge = start("bridge", "virtual:a", "virtual:b")
    until_listening("a", 2)
    until_listening("b", 2)
    assert canx("send", "virtual:a", "123#01").returncode == 0
    stderr = bridge.communicate(timeout=30)[1].decode()
    assert bridge.returncode == 3
    assert "forwarding loop: 123 keeps returning" in stderr
    assert "hint: another bridge may join the same buses" in stderr


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_what_was_sent_before_is_forwarded(start, until_listening, canx, signum, status):
    dump = start("dump", "virtual:b", "-n", "5000")
    bridge = start("bridge", "virtual:a", "virtual:b", "-v")
    until_listening("a")
    until_listening("b", 2)
    assert canx("send", "virtual:a", stdin=canx("gen", "-n", 5000).stdout).returncode == 0
    bridge.send_signal(signum)
    stderr = bridge.communicate(timeout=30)[1].decode()
    assert bridge.returncode == 128 - status
    assert "canx: b: 5000 frames sent" in stderr
    assert len(dump.communicate(timeout=20)[0].splitlines()) == 5000


def run_patched(tmp_path, environment, body, *arguments):
    """Run ``canx bridge`` with ``body`` before each sending; another bus of its process feeds it."""
    code = f"""
import cantools_cli.backends.virtual.bus as v, threading
from cantools_cli.errors import CanOperationError, CanTimeoutError
from cantools_cli.io.frame_text import parse_frame
original = v.VirtualBus._send
def send(bus, batch, timeout):
{body}
    original(bus, batch, timeout)
v.VirtualBus._send = send
import cantools_cli.commands.bridge as b
run = b.Bridge.run
def fed(self, *args):
    with v.VirtualBus('a', scope='host', receive=False) as other:
        for text in ('123#', '124##0AA', '125#'):
            other.send(parse_frame(text)[0])
    run(self, *args)
b.Bridge.run = fed
from cantools_cli.cli import main
main(['bridge', 'virtual:a', 'virtual:b', *{list(arguments)!r}])
"""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_can_fd_frames_stay_where_they_are_not_carried(tmp_path, environment):
    body = """
    if bus.channel_id == 'b' and any(message.is_fd for message in batch):
        raise CanOperationError('no CAN FD')"""
    result = run_patched(tmp_path, environment, body, "-n", "3", "-v")
    assert result.returncode == 0, result.stderr
    assert "canx: b: lost 1 CAN FD frame" in result.stderr
    assert "canx: b: 2 frames sent" in result.stderr


def test_a_bus_that_takes_nothing_loses_frames_and_it_is_told(tmp_path, environment):
    body = """
    if bus.channel_id == 'b':
        raise CanTimeoutError('full')"""
    result = run_patched(tmp_path, environment, body, "-n", "3", "--strict")
    assert result.returncode == 2
    assert "canx: b: lost 3 frames, too slow" in result.stderr


def test_a_bus_that_fails_ends_it(tmp_path, environment):
    body = """
    if bus.channel_id == 'b':
        raise CanOperationError('unplugged')"""
    result = run_patched(tmp_path, environment, body)
    assert result.returncode == 3
    assert "canx: unplugged" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["virtual:a"], "at least two buses"),
        (["virtual:a", "virtual:a"], "are the same bus"),
        (["virtual:a", "virtual:b,receive_own_messages=true"], "receive"),
        (["virtual:a", "virtual:b,100:700", "--one-way"], "a filter has no effect on frames that are sent"),
        (["virtual:a", "virtual:b", "--rewrite", "123"], "bad --rewrite"),
        (["virtual:a", "virtual:b", "--rewrite", "a>c:123=456"], "does not start with a direction"),
        (["virtual:a", "virtual:b", "-n", "-1"], "negative"),
        (["virtual:a", "virtual:b", "-f", "12"], "bad filter"),
    ],
)
def test_what_makes_no_sense_is_refused(canx, arguments, words):
    result = canx("bridge", *arguments)
    assert result.returncode == 2
    assert words in result.stderr
