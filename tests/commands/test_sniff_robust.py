"""The screen in a real terminal where things are not as they should be, and the terminal afterwards."""

from __future__ import annotations

import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from cantools_cli import kernels
from tests.commands.terminal import Terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
SNIFF = "stty -a > before; canx sniff virtual:vcan0"
LOG = "".join(f"({1000 + n}.0) can0 123#{n:02X}\n" for n in range(100))


@pytest.fixture
def terminal(environment, tmp_path):
    opened = Terminal(environment, tmp_path)
    yield opened
    opened.close()


def restored(terminal, status):
    """Check that the terminal is as it was, settings, screen and mouse, and that the shell was told so."""
    terminal.until(r"^[$#]\s*\Z")
    terminal.keys("echo status=$?; stty -a > after; cmp before after && echo the same", "Enter")
    assert "frames" not in terminal.until(f"^status={status}")
    terminal.until("^the same")
    flags = "#{alternate_on}#{mouse_any_flag}#{?cursor_flag,0,1}"
    assert terminal.tmux("display-message", "-p", flags).strip() == "000"


def test_the_mouse_sorts_and_opens(terminal, tmp_path):
    (tmp_path / "a.log").write_text("(1.0) can0 123#11\n(1.5) can0 456#22\n(1.6) can0 456#23\n")
    terminal.keys("canx sniff a.log --speed max; echo status=$?", "Enter")
    terminal.until(r"^> +123 ")
    assert terminal.tmux("display-message", "-p", "#{mouse_any_flag}").strip() == "1"
    click(terminal, 14, 3)
    click(terminal, 14, 3)
    terminal.until(r"^> +456 .*\n +123 ")
    click(terminal, 5, 5)
    terminal.until(r"^> +123 ")
    click(terminal, 5, 5)
    terminal.until("last 1 frame")
    terminal.keys("q")
    terminal.until("^status=0")


def click(terminal, column, line):
    """Send what a terminal sends for a click, in xterm's SGR form; both count from 1."""
    for end in "Mm":
        terminal.tmux("send-keys", "-l", f"\x1b[<0;{column};{line}{end}")


def test_a_log_is_gone_through(terminal, tmp_path):
    (tmp_path / "a.log").write_text(LOG)
    terminal.keys("canx sniff a.log; echo status=$?", "Enter")
    terminal.until(r"^a.log  replaying  0:\d\d\.\d/1:39\.0")
    terminal.keys(":", "20", "Enter")
    terminal.keys(".")
    terminal.until(r"^a.log  paused  0:2\d\.0/1:39\.0")
    terminal.keys(":", "20", "Enter")
    terminal.until(r"^a.log  paused  0:20\.0/1:39\.0(.*\n){3}.* 14 ")
    terminal.keys(".")
    terminal.until(r"^a.log  paused  0:21\.0/1:39\.0(.*\n){3}.* 15 ")
    terminal.keys("]")
    terminal.until(r"^a.log  paused  0:31\.0/1:39\.0(.*\n){3}.* 1F ")
    terminal.keys("[", ",")
    terminal.until(r"^a.log  paused  0:20\.0/1:39\.0(.*\n){3}.* 14 ")
    terminal.keys(":", "100%", "Enter")
    terminal.until(r"^a.log  ended  1:39\.0/1:39\.0(.*\n){3}.* 63 ")
    terminal.keys("q")
    terminal.until("^status=0")


def test_where_there_is_only_ascii_nothing_else_is_written(terminal, tmp_path):
    (tmp_path / "ü.log").write_text(LOG.replace("can0", "cän0"))
    terminal.keys("clear; LC_ALL=C canx sniff *.log --speed max; echo status=$?", "Enter")
    screen = terminal.until(r"^100 frames .*[*#]$")
    terminal.keys("Enter")
    screen += terminal.until("last 100 frames")
    terminal.keys("?")
    screen += terminal.until("mouse")
    assert screen.isascii()
    assert "?.log  ended" in screen.replace("??.log", "?.log")
    terminal.keys("q")
    terminal.until("^status=0")


@pytest.mark.parametrize("way", ["key", "signal"])
def test_ctrl_c_ends_it_and_the_terminal_is_as_before(terminal, until_listening, way):
    terminal.keys(SNIFF, "Enter")
    until_listening("vcan0")
    terminal.until(r"\? help")
    if way == "key":
        terminal.keys("C-c")
    else:
        os.kill(terminal.process(), signal.SIGINT)
    restored(terminal, 130)


def test_ctrl_c_ends_it_in_a_prompt_as_well(terminal, until_listening):
    terminal.keys(SNIFF, "Enter")
    until_listening("vcan0")
    terminal.until(r"\? help")
    terminal.keys("/12")
    terminal.until("^show only: 12")
    terminal.keys("C-c")
    restored(terminal, 130)


def test_a_stop_by_signal_gives_the_terminal_back_and_it_counts_on(terminal, canx, until_listening):
    terminal.keys(f"set -m; {SNIFF}", "Enter")
    until_listening("vcan0")
    terminal.until(r"\? help")
    process = terminal.process()
    os.kill(process, signal.SIGTSTP)
    restored(terminal, r"1\d\d")
    canx("send", "virtual:vcan0", "123#AA")
    terminal.keys("fg; echo again=$?", "Enter")
    terminal.until("^1 frame ")
    canx("send", "virtual:vcan0", "123#BB")
    terminal.until("^2 frames")
    terminal.keys("q")
    terminal.until("^again=0")


def test_a_bus_that_dies_is_said_and_its_table_stays(terminal, start, canx, environment):
    server = start("serve", "virtual:s", "--port", 0)
    port = re.search(rb":(\d+)", server.stderr.readline())[1].decode()
    terminal.keys(f"canx sniff socketcand:s@127.0.0.1:{port}; echo status=$?", "Enter")
    terminal.until(r"\? help")
    while "123" not in terminal.screen():  # the server tells nobody when a client listens
        canx("send", "virtual:s", "123#AA")
    server.terminate()
    server.wait(20)
    screen = terminal.until("failed")
    assert re.search(r"^> +123 ", screen, re.MULTILINE)
    assert "socketcand" in screen.rstrip().splitlines()[-1] or "closed" in screen
    terminal.keys("q")
    terminal.until("^status=3")


def test_the_prompt_sends_a_frame_and_again_and_again(terminal, start, until_listening):
    terminal.keys("canx sniff virtual:vcan0; echo status=$?", "Enter")
    until_listening("vcan0")
    terminal.until(r"\? help")
    dump = start("dump", "virtual:vcan0", "-n", 4)
    until_listening("vcan0", 2)
    terminal.keys("t")
    terminal.keys("123#DEAD", "Enter")
    terminal.until("^sent 123#DEAD")
    terminal.keys("t", "00000456#01 20ms", "Enter")
    terminal.until("^sending 00000456#01 every 20ms")
    output, _ = dump.communicate(timeout=30)
    assert [line.split()[2] for line in output.decode().splitlines()] == ["123#DEAD", *["00000456#01"] * 3]
    terminal.keys("t", "Enter")
    terminal.until("^sending stopped")
    terminal.keys("t", "xyz", "Enter")
    terminal.until("xyz")
    terminal.keys("q")
    terminal.until("^status=0")


@pytest.mark.skipif(kernels.form() == "pure", reason="20,000 frames a second need compiled kernels")
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory is in /proc")
def test_20000_frames_a_second_are_counted_and_many_more_take_no_more_memory(terminal, canx, until_listening):
    terminal.keys("canx sniff virtual:vcan0; echo status=$?", "Enter")
    until_listening("vcan0")
    process = terminal.process()
    canx("gen", "virtual:vcan0", "-q", *("--rate", 20000, "-n", 40000, "-I", "i", "-D", "i", "-L", 8))
    terminal.until("^40,000 frames")
    before = resident(process)
    for times in range(1, 4):
        canx("gen", "virtual:vcan0", "-q", *("--rate", 60000, "-n", 100000, "-I", "i"))
        terminal.until(f"^{40 + 100 * times},000 frames")
    assert resident(process) < before + 4096
    terminal.keys("q")
    terminal.until("^status=0")


def resident(process):
    """Return the memory of a process in KiB."""
    return int(re.search(r"VmRSS:\s*(\d+)", Path(f"/proc/{process}/status").read_text())[1])
