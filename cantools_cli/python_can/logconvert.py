"""``python -m can.logconvert``: convert a log to another format, with the options of python-can's script.

Source: the python-can manual, "can.logconvert".
"""

from __future__ import annotations

import sys
from typing import Any

from cantools_cli.io.logger import Logger, SizedRotatingLogger
from cantools_cli.io.player import LogReader
from cantools_cli.python_can.cli import ScriptParser, ending_well

__all__ = ["LogReader", "Logger", "SizedRotatingLogger", "main"]


def main() -> None:
    """Run the script with the arguments of the program."""
    parser = ScriptParser("can.logconvert", description="Convert a log to another format.")
    parser.add_argument(
        "-s", "--file_size", type=int, metavar="BYTES", help="Start a new file at about this size."
    )
    parser.add_argument("input", metavar="INFILE", help="The log; its content decides the format.")
    parser.add_argument("output", metavar="OUTFILE", help="The output; its suffix decides the format.")
    options, _ = parser.parse(sys.argv[1:])
    with ending_well(), LogReader(options.input) as reader, _logger(options) as logger:
        if not hasattr(reader, "batches") or not hasattr(logger, "write"):  # of other distributions
            for message in reader:
                logger(message)
            return
        for batch in reader.batches():
            logger.write(batch)


def _logger(options: Any) -> Any:
    if options.file_size:
        return SizedRotatingLogger(base_filename=options.output, max_bytes=options.file_size)
    return Logger(filename=options.output)
