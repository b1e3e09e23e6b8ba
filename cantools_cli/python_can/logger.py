"""``python -m can.logger``: log a bus to a file, or print it, with the options of python-can's script.

Source: the python-can manual, "can.logger".
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cantools_cli.bus.base import BusState
from cantools_cli.io.logger import Logger, SizedRotatingLogger
from cantools_cli.python_can.cli import (
    ScriptParser,
    _add_extra_args,
    _parse_additional_config,
    _set_logging_level_from_namespace,
    add_bus_arguments,
    create_bus_from_namespace,
    ending_well,
    keywords_of,
    shared_out,
)

__all__ = ["Logger", "SizedRotatingLogger", "_parse_additional_config", "main"]


def _parse_logger_args(args: Sequence[str]) -> tuple[argparse.Namespace, dict[str, Any]]:
    parser = ScriptParser("can.logger", description="Log a CAN bus to a file, or print its messages.")
    add = parser.add_argument
    add("-f", "--file_name", dest="log_file", help="The log; its suffix decides the format.")
    add("-a", "--append", action="store_true", help="Continue an existing log.")
    add("-s", "--file_size", type=int, metavar="BYTES", help="Start a new file at about this size.")
    add("-v", action="count", dest="verbosity", default=2, help="Print more details; repeatable.")
    state = parser.add_mutually_exclusive_group()
    state.add_argument("--active", action="store_true", help="Acknowledge frames; the default.")
    state.add_argument("--passive", action="store_true", help="Only listen.")
    add_bus_arguments(parser, filter_arg=True)
    _add_extra_args(parser)
    return parser.parse(args)


def main() -> None:
    """Run the script with the arguments of the program."""
    options, settings = _parse_logger_args(sys.argv[1:])
    _set_logging_level_from_namespace(options)
    with ending_well():
        of_file, of_bus = shared_out(settings, keywords_of(options.log_file, "writer"))
        bus = create_bus_from_namespace(options, **of_bus)
        try:
            if options.active or options.passive:
                bus.state = BusState.PASSIVE if options.passive else BusState.ACTIVE
            sys.stderr.write(f"Connected to {type(bus).__name__}: {bus.channel_info}\n")
            sys.stderr.write(f"Can Logger (Started on {datetime.now()})\n")
            logger = _logger(options, of_file)
            try:
                while True:
                    message = bus.recv(1)
                    if message is not None:
                        logger(message)
            finally:
                logger.stop()
        finally:
            bus.shutdown()


def _logger(options: argparse.Namespace, settings: dict[str, Any]) -> Any:
    if options.file_size:
        return SizedRotatingLogger(
            base_filename=options.log_file, max_bytes=options.file_size, append=options.append, **settings
        )
    return Logger(filename=options.log_file, append=options.append, **settings)
