"""Options of python-can's scripts on canx's commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from cantools_cli.console.spellings import respelled

LOGGER = {"--interface", "--bitrate", "--data-bitrate", "--output", "--append", "--max-size", "--passive"}
# What is typed, what the command has, what it gets.
CASES = [
    ("-i virtual -c can0", LOGGER, "-i virtual -- can0"),
    ("--channel=can0 -n 1", LOGGER, "-n 1 -- can0"),
    ("-c a --channel b", LOGGER, "-- a b"),
    ("-c a -- b", LOGGER, "-- b a"),
    ("--data_bitrate=2000000 -b 500000", LOGGER, "--data-bitrate=2000000 --bitrate 500000"),
    ("--file_name x.asc -a -s 1000", LOGGER, "--output x.asc --append --max-size 1000"),
    ("--file_size=1000", LOGGER, "--max-size=1000"),
    ("--active", LOGGER, ""),
    ("-- -a -c", LOGGER, "-- -a -c"),
    ("-c", LOGGER, "-c"),
    # an option of the command itself, or none that it could stand for
    ("-s 5 -b", {"-s", "-b", "--interface"}, "-s 5 -b"),
    ("-c a --active -a", {"--output"}, "-c a --active -a"),
]


@pytest.mark.parametrize(("typed", "known", "wanted"), CASES)
def test_spellings(typed: str, known: set[str], wanted: str) -> None:
    assert respelled(typed.split(), known) == wanted.split()


def test_the_documented_options_of_the_logger_and_the_player(
    canx: Callable[..., CompletedProcess[str]], tmp_path: Path
) -> None:
    given = "-b 500000 --data_bitrate 2000000 -T 10ms --file_name out.log -a -s 1000000 --active"
    done = canx("dump", "-i", "virtual", "-c", "spelled", *given.split())
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    (tmp_path / "in.log").write_text("(1.000000) can0 123#11\n")
    done = canx("replay", "-i", "virtual", "-c", "spelled", "--ignore-timestamps", "in.log")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    done = canx("convert", "-s", "1000000", "in.log", "--file_name", "b.asc")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
