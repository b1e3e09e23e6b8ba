"""Ctrl-C on a terminal that frames are read from, and a screen whose terminal goes away."""

from __future__ import annotations

import os
import pty
import select
import signal
import time

import pytest

from tests.commands.conftest import CANX


@pytest.fixture
def on_terminal(environment, tmp_path):
    """Return a function that starts canx on a terminal of its own: its process id, and the other end."""
    started = []

    def start(*arguments, ignored=()):
        pid, other_end = pty.fork()
        if pid == 0:
            os.chdir(tmp_path)
            for number in ignored:
                signal.signal(number, signal.SIG_IGN)
            os.execve(CANX, [CANX, *arguments], environment | {"TERM": "xterm", "LC_ALL": "C.UTF-8"})
        started.append(pid)
        return pid, other_end

    yield start
    for pid in started:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            continue


def read_until(other_end, text):
    """Read what is printed until ``text`` comes."""
    seen, deadline = b"", time.monotonic() + 60
    while text not in seen:
        assert time.monotonic() < deadline, seen
        if select.select([other_end], [], [], 1)[0]:
            seen += os.read(other_end, 65536)
    return seen


def status_of(pid):
    """Wait for the end of a process, and return its status as a shell has it."""
    deadline = time.monotonic() + 60
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            code = os.waitstatus_to_exitcode(status)
            return 128 - code if code < 0 else code
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.01)


@pytest.mark.parametrize(
    "arguments",
    [
        ["convert"],
        ["convert", "-o", "t.log"],
        ["send", "virtual:v"],
        ["xcom", "decode"],
        ["sniff", "--once", "-"],
    ],
    ids=" ".join,
)
def test_ctrl_c_ends_a_command_that_reads_a_terminal_at_once(on_terminal, arguments):
    pid, other_end = on_terminal(*arguments)
    read_until(other_end, b"end with Ctrl-D")
    os.write(other_end, b"\x03")
    assert status_of(pid) == 130
    os.close(other_end)


@pytest.mark.parametrize("ignored", [(), (signal.SIGHUP,)], ids=["hup", "nohup"])
def test_a_screen_whose_terminal_vanishes_ends(on_terminal, ignored):
    pid, other_end = on_terminal("sniff", "virtual:v", ignored=ignored)
    read_until(other_end, b"? help")
    os.close(other_end)
    assert status_of(pid) == 129


def test_what_was_recorded_is_complete_when_the_terminal_vanishes(
    on_terminal, canx, until_listening, tmp_path
):
    pid, other_end = on_terminal("sniff", "virtual:v", ignored=(signal.SIGHUP,))
    read_until(other_end, b"? help")
    until_listening("v")
    os.write(other_end, b"w")
    read_until(other_end, b"record")
    os.write(other_end, b"t.blf\r")
    read_until(other_end, b"recording to")
    canx("send", "virtual:v", "123#11", "123#22")
    read_until(other_end, b"22")
    os.close(other_end)
    assert status_of(pid) == 129
    result = canx("convert", "t.blf")
    assert [line.split()[2] for line in result.stdout.splitlines()] == ["123#11", "123#22"]
    assert result.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_screen_that_is_stuck_on_its_terminal_ends_by_a_signal(on_terminal, number):
    pid, other_end = on_terminal("sniff", "virtual:v")
    read_until(other_end, b"? help")
    os.kill(pid, number)  # from here on nothing takes what the screen prints
    assert status_of(pid) == 128 + number
    os.close(other_end)


@pytest.mark.parametrize(("options", "status"), [(["--strict"], 2), ([], 0)])
def test_strict_counts_on_a_screen_as_well(on_terminal, tmp_path, options, status):
    (tmp_path / "t.log").write_text("(1.0) can0 123#11\n(1.1) can0 12\n(1.2) can0 123#22\n")
    pid, other_end = on_terminal("sniff", "./t.log", "--on-error", "skip", "--speed", "max", *options)
    read_until(other_end, b"ended")
    os.write(other_end, b"q")
    assert status_of(pid) == status
    os.close(other_end)
