"""``python -m can.viewer``: canx's live view, with the options of python-can's script.

Its keys are those of the script where the script has one: q, ESC, c, s, h, space, the arrows.

Source: the python-can manual, "can.viewer".
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from cantools_cli.python_can.cli import ParsedFilters, ScriptParser, _add_extra_args, add_bus_arguments

#: those of the script, and what it does not tell apart
_COLUMNS = ("count", "time", "period", "id", "flags", "length", "data")


def _parse_viewer_args(args: Sequence[str]) -> tuple[argparse.Namespace, dict[str, Any]]:
    import cantools_cli

    parser = ScriptParser("can.viewer", description="Show the messages of a CAN bus, one row per identifier.")
    add = parser.add_argument
    add("--version", action="version", version=f"canx {cantools_cli.__version__}")
    add(
        "-d",
        "--decode",
        nargs="+",
        default=[],
        metavar="ID:FORMAT[:SCALE...]",
        help="Values in the data, as format characters of the module struct; or a file of such lines.",
    )
    add("-v", action="count", dest="verbosity", default=0, help="Print more details; repeatable.")
    add_bus_arguments(parser, filter_arg=True)
    add("-f", dest="can_filters", nargs="+", action=ParsedFilters, default=argparse.SUPPRESS)
    _add_extra_args(parser)
    return parser.parse(args)


def main() -> None:
    """Run the script with the arguments of the program."""
    from cantools_cli.cli import main as canx

    canx(sniff_arguments(sys.argv[1:]))


def sniff_arguments(args: Sequence[str]) -> list[str]:
    """Return the arguments of ``canx`` that are equivalent to the script's options."""
    options, settings = _parse_viewer_args(args)
    given = vars(options)
    arguments = ["sniff"]
    for name in ("interface", "bitrate", "data_bitrate"):
        if name in given:
            arguments += [f"--{name.replace('_', '-')}", str(given[name])]
    if "interface" not in given and not _has_interface():
        arguments += ["--interface", "socketcan"]  # the documented default
    arguments += ["--fd"] if given.get("fd") else []
    for key, value in {**settings, **given.get("bus_kwargs", {})}.items():
        arguments += ["--option", f"{key}={value}"]
    for entry in given.get("can_filters", ()):
        sign = "~" if entry["can_id"] & 0x20000000 else ":"
        arguments += ["--filter", f"{entry['can_id'] & ~0x20000000:X}{sign}{entry['can_mask']:X}"]
    for text in options.decode:
        arguments += ["--decode", text]
    arguments += ["--columns", ",".join([*_COLUMNS, *(["values"] if options.decode else [])])]
    arguments += ["--verbose"] * options.verbosity
    return [*arguments, "--", given["channel"]] if "channel" in given else arguments


def _has_interface() -> bool:
    from cantools_cli.bus.config import find_settings

    return find_settings().values["interface"] is not None
