"""The real ``canx sniff`` in a real terminal: what tmux captures is what was sent."""

from __future__ import annotations

import os
import re
import shutil
import signal

import pytest

from tests.commands.terminal import Terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.fixture
def terminal(environment, tmp_path):
    opened = Terminal(environment, tmp_path)
    yield opened
    opened.close()


def test_what_is_sent_is_on_the_screen(terminal, canx, until_listening):
    terminal.keys("canx sniff virtual:vcan0; echo status=$?", "Enter")
    until_listening("vcan0")
    canx("send", "virtual:vcan0", "123#DEAD", "123#BEEF", "00000456#R3", "7FF##112")
    screen = terminal.until("00000456")
    assert re.search(r"^>? +123 +2 .* 2 +BE EF ", screen, re.MULTILINE)
    assert re.search(r"^ 00000456 +1 .* 3 R", screen, re.MULTILINE)
    assert re.search(r"^ +7FF +1 .* 1 FB +12 ", screen, re.MULTILINE)
    assert "4 frames" in screen
    assert len(screen.rstrip().splitlines()) == 24
    terminal.tmux("resize-window", "-x", "60", "-y", "10")
    terminal.until(r"\A(.*\n){9}\? help")
    terminal.keys("q")
    assert "BE EF" not in terminal.until(r"^status=0")


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_leaves_the_terminal_as_it_was(terminal, until_listening, signum, status):
    terminal.keys("stty -a > before; canx sniff virtual:vcan0; echo status=$?; stty -a > after", "Enter")
    until_listening("vcan0")
    terminal.until(r"\? help")
    os.kill(terminal.process(), signum)
    screen = terminal.until(f"status={status}")
    assert "frames" not in screen
    terminal.keys("cmp before after && echo the same", "Enter")
    terminal.until("^the same")


def test_a_stop_gives_the_terminal_back_and_goes_on(terminal, until_listening):
    terminal.keys("set -m; canx sniff virtual:vcan0; echo status=$?", "Enter")
    until_listening("vcan0")
    terminal.until(r"\? help")
    terminal.keys("C-z")
    terminal.until(r"status=1\d\d")
    terminal.keys("fg; echo again=$?", "Enter")
    terminal.until(r"\? help")
    terminal.keys("q")
    terminal.until("^again=0")


def test_a_stream_is_shown_and_keys_come_from_the_terminal(terminal, tmp_path):
    (tmp_path / "a.log").write_text("(1.0) can0 123#11\n(1.5) can0 456#22\n")
    os.mkfifo(tmp_path / "pipe")
    terminal.keys("exec 3<>pipe; cat a.log >&3; canx sniff - <pipe; echo status=$?", "Enter")
    terminal.until(" 456 ")
    terminal.keys("c")
    terminal.until("^0 frames")
    terminal.keys("q")
    terminal.until("^status=0")


def test_a_log_is_replayed_in_its_own_time_and_without_colour(terminal, tmp_path):
    lines = [f"({n / 100:.2f}) can0 123#{n & 255:02X}\n" for n in range(200)]
    lines.append("(1000.0) can0 456#\n")
    (tmp_path / "a.log").write_text("".join(lines))
    terminal.keys("NO_COLOR=1 canx sniff a.log --speed 10; echo status=$?", "Enter")
    terminal.until("^200 frames")
    assert "456" not in terminal.screen()
    codes = {
        code for found in re.findall(r"\x1b\[([\d;]*)m", terminal.screen("-e")) for code in found.split(";")
    }
    assert codes
    assert not codes & {str(code) for code in (*range(30, 39), *range(40, 49), *range(90, 108))}
    terminal.keys("q")
    terminal.until("^status=0")


def test_a_terminal_that_cannot_be_drawn_on_gets_the_table(terminal, tmp_path):
    (tmp_path / "a.log").write_text("(1.0) can0 123#11\n")
    terminal.keys("clear; TERM=dumb canx sniff a.log --columns id,data -q; echo status=$?", "Enter")
    assert "123  11" in terminal.until("^status=0")


def test_frames_are_recorded_and_sent_from_the_screen(terminal, tmp_path, canx, until_listening):
    terminal.keys("canx sniff virtual:vcan0; echo status=$?", "Enter")
    until_listening("vcan0")
    terminal.until(r"\? help")
    terminal.keys("w")
    terminal.keys("got.log", "Enter")
    terminal.until("recording to got.log")
    canx("send", "virtual:vcan0", "123#AA", "123#BB")
    terminal.until("^2 frames")
    terminal.keys("w")
    terminal.until("2 frames recorded")
    terminal.keys("q")
    terminal.until("^status=0")
    frames = [line.split()[2] for line in (tmp_path / "got.log").read_text().splitlines()]
    assert frames == ["123#AA", "123#BB"]
