"""``canx sniff``: a table of the identifiers on buses, one row each."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Sequence
from typing import Annotated

from cantools_cli.bus.address import is_log_name
from cantools_cli.console import options
from cantools_cli.console.bundles import spelled
from cantools_cli.console.buses import ListeningOptions
from cantools_cli.console.chain import Filters
from cantools_cli.console.databases import DatabaseOptions
from cantools_cli.console.options import argument, flag, option
from cantools_cli.console.report import Report
from cantools_cli.console.run import Run
from cantools_cli.console.sources import ReadOptionsWithFormat
from cantools_cli.console.watching import Watched, WatchedBuses, WatchedLogs, is_log
from cantools_cli.errors import CanError, FormatError, UsageError, counted
from cantools_cli.sniff.columns import USUAL, checked
from cantools_cli.sniff.decoding import Decoder, StructDecoder
from cantools_cli.sniff.rates import ChannelFigures, Rates
from cantools_cli.sniff.table import Table
from cantools_cli.sniff.text import aligned, as_json
from cantools_cli.sniff.view import View
from cantools_cli.streams.replay import speed
from cantools_cli.units import duration

#: default of --duration for a bus
_USUAL_SECONDS = 5.0


def sniff_command(
    buses: Annotated[
        list[str] | None, argument("BUS...|FILE|-", "Buses as in canx dump, or a log; - is stdin.")
    ] = None,
    once: Annotated[bool, flag("--once", "Print the table once and end.")] = False,
    watched: Annotated[
        str | None, option("--duration", "TIME", "How long to watch: 5s of a bus; a log to its end.")
    ] = None,
    factor: Annotated[
        str, option("--speed", "X|max", "Speed of a log on the screen: 2 is twice as fast.")
    ] = "1",
    as_object: Annotated[bool, flag("--json", "The table as one JSON object.")] = False,
    sort: Annotated[str, option("--sort", "[-]COLUMN", "Sort by this column; - reverses the order.")] = "id",
    by_channel: Annotated[bool, flag("--by-channel", "Group rows by channel.")] = False,
    columns: Annotated[str | None, option("--columns", "NAME,...", "Columns to show, in this order.")] = None,
    decodings: Annotated[
        list[str] | None,
        option(
            "--decode -d",
            "ID:FORMAT[:SCALE...]",
            "Decode data as python-can's viewer does; or a file of such rules. Repeatable.",
        ),
    ] = None,
    *,
    databases: DatabaseOptions,
    filters: Filters,
    reading: ReadOptionsWithFormat,
    bus_options: ListeningOptions,
    run: Run,
) -> int:
    """Show one row for each identifier of buses, of a log, or of a stream.

    A row has the count, the period and the changing data of an identifier. A terminal gets a live screen
    (? lists its keys) that replays logs in real time. A pipe, --once, --duration or --json gets one table: of
    a bus after 5 seconds, of a log or a stream at its end.

    \b
    canx sniff can0
    canx sniff trace.blf --speed 10
    canx sniff can0 --once --duration 10s
    canx sniff can0 --once --json --duration 2s | jq .rows[].arbitration_id
    canx sniff can0 -d '100:<BHL:1:10:100.0'
    canx sniff trace.blf --sort -count --columns id,count,period,data
    canx sniff can0 --dbc car.dbc
    canx dump can0 -n 1000 | canx sniff -
    """
    report = run.report
    known = databases.load(report)
    selection = filters.selection(report, reading.tz, known, shows_signals=True)
    view = View.parse(sort)
    view.by_channel = by_channel
    decoder: Decoder | None = StructDecoder(decodings) if decodings else None
    if known is not None:
        from cantools_cli.decoding.signal_tests import DatabaseSignals
        from cantools_cli.sniff.signals import SignalDecoder  # not needed without signals

        decoder = SignalDecoder(known, decoder)
        view.signals = selection.signals or DatabaseSignals(known)
    shown = checked(columns.split(",")) if columns is not None else None
    seconds = duration(watched) if watched is not None else None
    texts = buses or []
    is_of_logs = _are_logs(texts)
    pace = speed(factor)
    has_screen = not (once or as_object or watched is not None) and _has_screen()
    options.check_effect({"--columns": columns if as_object else None}, "--json has all of them")
    if is_of_logs:
        given = spelled(bus_options)
        for name in ("--bitrate", "--data-bitrate"):  # for the load of the bus
            del given[name]
        options.check_effect(given, "a log is shown, so no bus is opened")
    else:
        read = {"--from": reading.form, "--on-error": reading.on_error != "stop"}
        options.check_effect(read, "buses are shown, so no log is read")
    if not (has_screen and is_of_logs):
        options.check_effect({"--speed": factor != "1"}, "no log is replayed on a screen")
    if has_screen:
        from cantools_cli.console.sniff_screen import show

        of_logs = reading if is_of_logs else None
        return show(
            texts, bus_options, selection, view, shown, decoder, pace, of_logs, report, strict=reading.strict
        )
    names = shown if shown is not None else [*USUAL, "values"] if decoder else [*USUAL]
    with run:
        source: Watched
        if is_of_logs:
            source = WatchedLogs(texts, bus_options, selection, report, run.interruption, reading)
        else:
            source = WatchedBuses(texts, bus_options, selection, report, run.interruption)
        with source:
            lost = _print_once(source, seconds, view, names, decoder, report, as_object=as_object)
    return run.status(reading.strict and lost)


def _has_screen() -> bool:
    """Return whether there is a terminal to draw on and to read keys from."""
    if not os.isatty(1) or os.environ.get("TERM", "dumb") == "dumb":
        return False
    if os.isatty(0):
        return True
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return False
    return True


def _are_logs(texts: Sequence[str]) -> bool:
    """Return whether ``texts`` are logs, not buses.

    Raises:
        FileNotFoundError: a name is that of a log, and the file does not exist.
        UsageError: some are logs, others buses.
    """
    logs = [text for text in texts if is_log(text)]
    for text in texts:
        if text not in logs and is_log_name(text):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), text)
    if logs and len(logs) < len(texts):
        raise UsageError(f"{logs[0]} is a log, the others are buses", hint="either buses, or logs")
    return bool(logs)


def _print_once(
    source: Watched,
    seconds: float | None,
    view: View,
    names: list[str],
    decoder: Decoder | None,
    report: Report,
    *,
    as_object: bool,
) -> int:
    """Read the source, print its table, and return the number of losses.

    Raises:
        CanError, FormatError, OSError: reading ended early; the table up to then is printed first.
    """
    table = Table()
    table.decoder = decoder
    if source.is_live and seconds is None:
        seconds = _USUAL_SECONDS
    error: CanError | FormatError | OSError | None = None
    begin = time.monotonic_ns()
    try:
        for batch in source.batches(seconds):
            table.feed(batch)
    except (CanError, FormatError, OSError) as caught:
        error = caught
    if source.is_live:
        took = time.monotonic_ns() - begin
    else:
        took = max(0, (table.last_ns or 0) - (table.first_ns or 0))
    rates = Rates(table, source.speeds)
    channels = rates.whole(took)
    rows = view.rows(table.rows)
    if as_object:
        lines = [as_json(rows, channels, duration_ns=took, unshown=table.crowded)]
    else:
        lines = aligned(rows, names)
    left = memoryview("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))
    while left:
        left = left[os.write(1, left) :]
    _tell(channels, took, table, report)
    lost = source.tell()
    if error is not None:
        raise error
    return lost + table.crowded


def _tell(channels: list[ChannelFigures], took_ns: int, table: Table, report: Report) -> None:
    """Report the traffic of each channel."""
    for channel in channels:
        text = f"{channel.channel}: {counted(channel.frames, 'frames')}"
        if took_ns:
            text += f" in {took_ns / 1e9:.3f} s, {channel.frames * 1e9 / took_ns:.1f} frames/s"
        if channel.load is not None:
            text += f", load about {100 * channel.load:.1f} %"
        report.note(text + (f", {counted(channel.errors, 'error frames')}" if channel.errors else ""))
    if table.crowded:
        report.note(f"{table.crowded} frames of further identifiers have no row")
