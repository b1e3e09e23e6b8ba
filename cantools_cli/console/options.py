"""Options that commands share, so that each means the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

import typer

from cantools_cli import plugins
from cantools_cli.errors import UsageError, quoted

BUS_HELP = "[INTERFACE:]CHANNEL[,KEY=VALUE...][,FILTER...], such as can0 or virtual:vcan0."


def _formats(incomplete: str) -> Iterable[tuple[str, str]]:
    return [(name, form.description) for name, form in plugins.FORMATS.items() if name.startswith(incomplete)]


def _interfaces(incomplete: str) -> Iterable[str]:
    return [name for name in plugins.INTERFACES if name.startswith(incomplete)]


From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FORMAT",
        help="Format of the input; else its suffix, else its first bytes.",
        autocompletion=_formats,
    ),
]
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="FORMAT",
        help="Format of the output, with options as in blf,level=6; else its suffix, else log.",
        autocompletion=_formats,
    ),
]
Output = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write to FILE; - is stdout.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line; the same as --to json.")]
Ns = Annotated[bool, typer.Option("--ns", help="Nanoseconds in log lines; few other tools read them.")]
TrcVersion = Annotated[
    str | None,
    typer.Option("--trc-version", metavar="X", help="Version of a TRC output: 1.0 1.1 1.2 1.3 2.0 2.1."),
]
Index = Annotated[bool, typer.Option("--index", help="Index times and identifiers of a db output.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing output file.")]
Append = Annotated[bool, typer.Option("--append", help="Continue an existing output file.")]
MaxSize = Annotated[
    str | None, typer.Option("--max-size", metavar="SIZE", help="Begin another file at this size: 100MB.")
]
MaxTime = Annotated[
    str | None,
    typer.Option("--max-time", metavar="TIME", help="Begin another file when one spans TIME: 10m."),
]
MaxFiles = Annotated[
    int | None,
    typer.Option("--max-files", metavar="N", help="Keep the newest N files."),
]
Start = Annotated[
    str | None,
    typer.Option("--start", metavar="TIME", help="Begin here: 90s after the first frame, or a date."),
]
End = Annotated[str | None, typer.Option("--end", metavar="TIME", help="End before here.")]
Filter = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        "-f",
        metavar="FILTER",
        help="Pass frames that match: ID, ID-ID, ID:MASK, ID~MASK, #ERRORMASK, j to join, as in candump. "
        "Repeatable.",
    ),
]
Where = Annotated[
    str | None,
    typer.Option(
        "--where",
        metavar="EXPRESSION",
        help="Pass frames for which EXPRESSION is true, as in 'id in 100..1FF and data[0] eq 3 and not "
        "remote'; see canx-filters(7).",
    ),
]
Count = Annotated[int | None, typer.Option("--count", "-n", metavar="N", help="End after N frames.")]
OnError = Annotated[
    str,
    typer.Option(
        "--on-error", metavar="stop|skip", help="Stop at a malformed record, or skip it.", show_default=True
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Status 2 if anything was lost or skipped.")]
Tz = Annotated[
    str | None,
    typer.Option(
        "--tz", metavar="ZONE", help="Time zone for formats without one: UTC, local, Europe/Berlin."
    ),
]
FlushEvery = Annotated[
    str, typer.Option("--flush-every", metavar="TIME", help="How often a file is flushed.", show_default=True)
]
Interface = Annotated[
    str | None,
    typer.Option(
        "--interface",
        "-i",
        metavar="NAME",
        help="Interface of the bus; see canx list.",
        autocompletion=_interfaces,
    ),
]
Bitrate = Annotated[str | None, typer.Option("--bitrate", metavar="RATE", help="Bit rate: 500000, 500k, 1M.")]
Fd = Annotated[bool, typer.Option("--fd", help="Open the bus for CAN FD.")]
DataBitrate = Annotated[
    str | None, typer.Option("--data-bitrate", metavar="RATE", help="Bit rate of CAN FD data.")
]
Setting = Annotated[
    list[str] | None,
    typer.Option("--option", "-O", metavar="KEY=VALUE", help="Any other setting of the bus. Repeatable."),
]
Context = Annotated[
    str | None, typer.Option("--context", metavar="NAME", help="Section of the configuration to use.")
]
Passive = Annotated[
    bool,
    typer.Option("--passive", "--listen-only", help="Only listen: the interface acknowledges nothing."),
]
ErrorFrames = Annotated[
    bool, typer.Option("--error-frames", help="Send error frames too; by default they are left out.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No notes; errors and losses are still printed.")]
Verbose = Annotated[
    int, typer.Option("--verbose", "-v", count=True, help="Print more on stderr.", show_default=False)
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.", hidden=True)]


def checked_count(count: int | None) -> int | None:
    """Return the value of ``--count``.

    Raises:
        UsageError: it is negative.
    """
    if count is not None and count < 0:
        raise UsageError(f"--count {count} is negative")
    return count


def check_effect(options: Mapping[str, object], reason: str, hint: str | None = None) -> None:
    """Refuse the first of ``options`` (spelling to value) that was given.

    Raises:
        UsageError: an option was given that has no effect, for ``reason``.
    """
    for spelling, value in options.items():
        if value not in (None, False, [], ()):
            raise UsageError(f"{spelling} has no effect: {reason}", hint=hint)


def checked(choice: str, option: str, choices: Iterable[str]) -> None:
    """Refuse a ``choice`` of ``option`` that is not one of ``choices``.

    Raises:
        UsageError: the choice is unknown.
    """
    known = list(choices)
    if choice not in known:
        raise UsageError(f"{option} {quoted(choice)} is not one of {', '.join(known)}")
