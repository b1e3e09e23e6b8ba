"""``python -m can.player``: send a log to a bus, with the options of python-can's script.

Source: the python-can manual, "can.player".
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import Any

from cantools_cli.io.player import LogReader, MessageSync
from cantools_cli.python_can.cli import (
    ScriptParser,
    _add_extra_args,
    _set_logging_level_from_namespace,
    add_bus_arguments,
    create_bus_from_namespace,
    ending_well,
    keywords_of,
    shared_out,
)

__all__ = ["LogReader", "MessageSync", "main"]

#: the level from which messages are printed: one ``-v``
_PRINTING = 3


def _parse_player_args(args: Sequence[str]) -> tuple[argparse.Namespace, dict[str, Any]]:
    parser = ScriptParser("can.player", description="Send the messages of a log to a CAN bus.")
    add = parser.add_argument
    add("-f", "--file_name", dest="log_file", help="Without effect, as in python-can.")
    add("-v", action="count", dest="verbosity", default=2, help="Print the messages; repeated: more details.")
    add("--ignore-timestamps", dest="timestamps", action="store_false", help="Send without the log's timing.")
    add("--error-frames", action="store_true", help="Send error frames as well.")
    add(
        "-g", "--gap", type=float, default=0.0001, help="Minimum seconds between two messages without timing."
    )
    add("-s", "--skip", type=float, default=86400.0, help="Shorten longer pauses to this many seconds.")
    add("-l", "--loop", type=_times, default=1, metavar="N", help="Play N times; i: forever.")
    add("infile", metavar="input-file", help="The log to send; its content decides the format.")
    add_bus_arguments(parser)
    _add_extra_args(parser)
    return parser.parse(args)


def _times(text: str) -> int | None:
    """Return the number of repetitions; None is endless."""
    if text in ("i", "infinity"):
        return None
    number = int(text)
    if number < 1:
        raise ValueError("less than once")
    return number


def main() -> None:
    """Run the script with the arguments of the program."""
    options, settings = _parse_player_args(sys.argv[1:])
    _set_logging_level_from_namespace(options)
    with ending_well():
        of_file, of_bus = shared_out(settings, keywords_of(options.infile, "reader"))
        with create_bus_from_namespace(options, **of_bus) as bus:
            sys.stderr.write(f"Can LogReader (Started on {datetime.now()})\n")
            for _ in count() if options.loop is None else range(options.loop):
                _play(options, of_file, bus)


def _play(options: argparse.Namespace, settings: dict[str, Any], bus: Any) -> None:
    with LogReader(options.infile, **settings) as reader:
        messages = MessageSync(reader, timestamps=options.timestamps, gap=options.gap, skip=options.skip)
        for message in messages:
            if message.is_error_frame and not options.error_frames:
                continue
            if options.verbosity >= _PRINTING:
                print(message)
            bus.send(message)
