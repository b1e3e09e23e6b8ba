"""Signals to a command that does not look at them: it ends all the same, its files closed where possible."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import suppress

import pytest

FORCED = "canx: ended by force, so files may lack their end\n"
#: ``canx convert`` with a writer that gets stuck in the methods named by its arguments
PROGRAM = """
import sqlite3, sys
from cantools_cli import plugins
from cantools_cli.cli import main
from cantools_cli.console import warden

warden.NOTICE_SECONDS = warden.STOP_SECONDS = warden.FORCE_SECONDS = 0.2
warden.CLOSE_SECONDS = 0.3
writer = plugins.writer_class("log")
close = writer.close

def compute(*_):
    print("stuck", file=sys.stderr, flush=True)
    while True:
        pass

def compute_in_c(*_):
    print("stuck", file=sys.stderr, flush=True)
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c"
    sqlite3.connect(":memory:").execute(endless)

def say_closed(self):
    close(self)
    print("closed", file=sys.stderr, flush=True)

writer.close = say_closed
for name in sys.argv[1].split(","):
    method, _, kind = name.partition(":")
    setattr(writer, method, compute_in_c if kind else compute)
main(["convert", "-o", "t.log"])
"""


@pytest.fixture
def stuck(environment, tmp_path):
    """Return a function that starts a command which gets stuck, and returns it when it is."""
    started = []

    def start(methods):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, methods],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        process.stdin.write("(1700000000.000000) can0 123#11\n")
        process.stdin.close()
        assert process.stderr.readline() == "stuck\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


def interrupt_until_it_ends(process):
    for _ in range(300):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.12)
            return


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_computes_ends_with_its_file_closed(stuck, signum):
    process = stuck("write")
    process.send_signal(signum)
    assert process.wait(30) == -signum
    assert process.stderr.read() == "closed\n"


def test_a_second_interrupt_ends_one_that_computes_with_its_file_closed(stuck):
    process = stuck("write")
    interrupt_until_it_ends(process)
    assert process.returncode == -signal.SIGINT
    assert process.stderr.read() == "closed\n"


def test_two_interrupts_at_once_are_one_and_leave_the_rest_of_a_pipe_to_be_read(start, tmp_path):
    process = start("convert", "-o", "t.log", stdin=subprocess.PIPE)
    process.stdin.write(b"(1700000000.000000) can0 123#11\n")
    process.stdin.flush()
    while not (tmp_path / "t.log").exists() or not (tmp_path / "t.log").read_bytes():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    process.stdin.write(b"(1700000001.000000) can0 123#22\n")
    process.stdin.close()
    assert process.wait(30) == 0
    assert (tmp_path / "t.log").read_text().count("\n") == 2


def test_one_that_cannot_even_close_its_file_ends(stuck):
    process = stuck("close")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == -signal.SIGTERM


@pytest.mark.parametrize("methods", ["write,close", "write:c", "close:c"])
def test_one_that_nothing_stops_is_ended_by_force_with_the_status_of_the_signal(stuck, methods):
    process = stuck(methods)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 128 + signal.SIGTERM
    assert process.stderr.read().endswith(FORCED)


def test_interrupts_end_one_that_nothing_stops(stuck):
    process = stuck("write,close")
    interrupt_until_it_ends(process)
    assert process.returncode == 128 + signal.SIGINT
    assert process.stderr.read().endswith(FORCED)


def test_a_blocked_pipe_does_not_keep_a_command(environment, tmp_path):
    program = PROGRAM.partition("def compute(")[0] + 'main(["gen", "-g", "1ms"])'
    process = subprocess.Popen(
        [sys.executable, "-c", program], env=environment, cwd=tmp_path, stdout=subprocess.PIPE
    )
    try:
        process.stdout.read(1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (-signal.SIGTERM, 128 + signal.SIGTERM)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
