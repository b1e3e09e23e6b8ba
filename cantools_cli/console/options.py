"""Options that commands share, so that each means the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from cantools_cli import plugins
from cantools_cli.errors import UsageError, quoted

BUS_HELP = "[INTERFACE:]CHANNEL[,KEY=VALUE...][,FILTER...], such as can0 or virtual:vcan0."


def option(names: str, metavar: str, text: str, **more: Any) -> Any:
    """Return an option with a value; ``names`` are separated by blanks, ``text`` explains it in the help."""
    return typer.Option(*names.split(), metavar=metavar, help=text, **more)


def flag(names: str, text: str, **more: Any) -> Any:
    """Return an option without a value."""
    return typer.Option(*names.split(), help=text, **more)


def argument(metavar: str, text: str, **more: Any) -> Any:
    """Return an argument."""
    return typer.Argument(metavar=metavar, help=text, **more)


def _formats(incomplete: str) -> Iterable[tuple[str, str]]:
    return [(name, form.description) for name, form in plugins.FORMATS.items() if name.startswith(incomplete)]


def _interfaces(incomplete: str) -> Iterable[str]:
    return [name for name in plugins.INTERFACES if name.startswith(incomplete)]


From = Annotated[
    str | None,
    option(
        "--from",
        "FORMAT",
        "Format of the input; else its suffix, else its first bytes.",
        autocompletion=_formats,
    ),
]
To = Annotated[
    str | None,
    option(
        "--to",
        "FORMAT",
        "Format of the output, with options as in blf,level=6; else its suffix, else log.",
        autocompletion=_formats,
    ),
]
Output = Annotated[
    str | None, option("--output -o", "FILE", "Write to FILE; - is stdout.", show_default=False)
]
Files = Annotated[list[str] | None, argument("FILE...", "Logs to read, merged by time; - is stdin.")]
Json = Annotated[bool, flag("--json", "One JSON object per line; the same as --to json.")]
Ns = Annotated[bool, flag("--ns", "Nanoseconds in log lines; few other tools read them.")]
TrcVersion = Annotated[
    str | None, option("--trc-version", "X", "Version of a TRC output: 1.0 1.1 1.2 1.3 2.0 2.1.")
]
Index = Annotated[bool, flag("--index", "Index times and identifiers of a db output.")]
Force = Annotated[bool, flag("--force", "Replace an existing output file.")]
Append = Annotated[bool, flag("--append", "Continue an existing output file.")]
MaxSize = Annotated[str | None, option("--max-size", "SIZE", "Begin another file at this size: 100MB.")]
MaxTime = Annotated[str | None, option("--max-time", "TIME", "Begin another file when one spans TIME: 10m.")]
MaxFiles = Annotated[int | None, option("--max-files", "N", "Keep the newest N files.")]
Start = Annotated[str | None, option("--start", "TIME", "Begin here: 90s after the first frame, or a date.")]
End = Annotated[str | None, option("--end", "TIME", "End before here.")]
Filter = Annotated[
    list[str] | None,
    option(
        "--filter -f",
        "FILTER",
        "Pass frames that match: ID, ID-ID, ID:MASK, ID~MASK, #ERRORMASK, j to join, as in candump. "
        "Repeatable.",
    ),
]
Where = Annotated[
    str | None,
    option(
        "--where",
        "EXPRESSION",
        "Pass frames for which EXPRESSION is true, as in 'id in 100..1FF and data[0] eq 3 and not "
        "remote'; see canx-filters(7).",
    ),
]
Count = Annotated[int | None, option("--count -n", "N", "End after N frames.")]
OnError = Annotated[str, option("--on-error", "stop|skip", "Stop at a malformed record, or skip it.")]
Strict = Annotated[bool, flag("--strict", "Status 2 if anything was lost or skipped.")]
Tz = Annotated[
    str | None, option("--tz", "ZONE", "Time zone for formats without one: UTC, local, Europe/Berlin.")
]
FlushEvery = Annotated[str, option("--flush-every", "TIME", "How often a file is flushed.")]
Dbc = Annotated[
    list[str] | None,
    option(
        "--dbc",
        "[CHANNEL=]FILE,...",
        "Databases of signals: DBC, KCD, SYM, ARXML, CDD; can0=FILE is for frames of can0. Repeatable.",
        show_default=False,
    ),
]
J1939 = Annotated[
    bool,
    flag(
        "--j1939", "Match extended identifiers by parameter group, whatever priority, source and destination."
    ),
]
Encoding = Annotated[
    str | None,
    option("--encoding", "NAME", "Encoding of texts in DBC files; else UTF-8 if valid, else cp1252."),
]
Interface = Annotated[
    str | None,
    option("--interface -i", "NAME", "Interface of the bus; see canx list.", autocompletion=_interfaces),
]
Bitrate = Annotated[str | None, option("--bitrate", "RATE", "Bit rate: 500000, 500k, 1M.")]
Fd = Annotated[bool, flag("--fd", "Open the bus for CAN FD.")]
DataBitrate = Annotated[str | None, option("--data-bitrate", "RATE", "Bit rate of CAN FD data.")]
Setting = Annotated[
    list[str] | None, option("--option -O", "KEY=VALUE", "Any other setting of the bus. Repeatable.")
]
Context = Annotated[str | None, option("--context", "NAME", "Section of the configuration to use.")]
Passive = Annotated[bool, flag("--passive --listen-only", "Only listen: the interface acknowledges nothing.")]
ErrorFrames = Annotated[bool, flag("--error-frames", "Send error frames too; by default they are left out.")]
Quiet = Annotated[bool, flag("--quiet -q", "No notes; errors and losses are still printed.")]
Verbose = Annotated[int, flag("--verbose -v", "Print more on stderr.", count=True, show_default=False)]
Debug = Annotated[bool, flag("--debug", "Show the traceback of an error.", hidden=True)]


def checked_count(count: int | None) -> int | None:
    """Return the value of ``--count``."""
    if count is not None and count < 0:
        raise UsageError(f"--count {count} is negative")
    return count


def check_effect(options: Mapping[str, object], reason: str, hint: str | None = None) -> None:
    """Refuse the first of ``options`` (spelling to value) that was given."""
    for spelling, value in options.items():
        if value not in (None, False, [], ()):
            raise UsageError(f"{spelling} has no effect: {reason}", hint=hint)


def checked(choice: str, option: str, choices: Iterable[str]) -> None:
    """Refuse a ``choice`` of ``option`` that is not one of ``choices``."""
    known = list(choices)
    if choice not in known:
        raise UsageError(f"{option} {quoted(choice)} is not one of {', '.join(known)}")
