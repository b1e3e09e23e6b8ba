"""Locks for buses, across threads and processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from cantools_cli.errors import CanTimeoutError
from cantools_cli.xcom.turn import Turns

NAME = f"a bus of process {os.getpid()}"
HOLDER = (
    "import sys; from cantools_cli.xcom.turn import Turns\n"
    "with Turns(sys.argv[1]).take():\n    print('taken', flush=True)\n    sys.stdin.read()\n"
)


def test_two_locks_of_one_name_exclude_each_other() -> None:
    held = Turns(NAME)
    other = Turns(NAME)
    with held.take(), pytest.raises(CanTimeoutError, match="busy"), other.take(patience=0.02):
        pass
    with other.take(patience=0.02):
        pass


def test_locks_of_different_names_are_independent() -> None:
    with Turns(NAME).take(), Turns(NAME + "2").take(patience=0.02):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="turns among threads alone")
def test_a_process_waits_for_another_and_continues_if_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, NAME], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"taken\n"
        turns = Turns(NAME)
        with pytest.raises(CanTimeoutError), turns.take(patience=0.05):
            pass
        with turns.take(patience=0.05, among_processes=False):
            pass
        waiting = threading.Thread(target=holder.kill)
        waiting.start()
        with turns.take(patience=20):
            pass
        waiting.join()
        turns.close()
