"""``python -m can.bridge``: forward the messages of two buses to each other; a script of python-can 4.6.

Source: the python-can documentation, "can.bridge".
"""

from __future__ import annotations

import sys
import time
from datetime import datetime

from cantools_cli.bus.listeners import RedirectReader
from cantools_cli.bus.notifier import Notifier
from cantools_cli.python_can.cli import (
    ScriptParser,
    add_bus_arguments,
    create_bus_from_namespace,
    ending_well,
)


def main() -> None:
    """Run the script with the arguments of the program."""
    parser = ScriptParser("can.bridge", description="Forward the messages of two CAN buses to each other.")
    for prefix in ("bus1", "bus2"):
        add_bus_arguments(parser, prefix=prefix, group_title=f"options of {prefix}")
    options, _ = parser.parse(sys.argv[1:])
    with (
        ending_well(),
        create_bus_from_namespace(options, prefix="bus1") as first,
        create_bus_from_namespace(options, prefix="bus2") as second,
        Notifier(first, [RedirectReader(second)]),
        Notifier(second, [RedirectReader(first)]),
    ):
        sys.stderr.write(f"CAN Bridge (Started on {datetime.now()})\n")
        while True:
            time.sleep(1)
