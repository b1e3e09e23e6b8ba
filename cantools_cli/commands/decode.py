"""``canx decode``: frames to the values of their signals, frame by frame or as tables."""

from __future__ import annotations

from typing import Annotated

from cantools_cli.console import options
from cantools_cli.console.chain import FilterChain, Filters, TimeSpan
from cantools_cli.console.databases import DatabaseOptions
from cantools_cli.console.decoding import DecodeJob, table_format
from cantools_cli.console.inputs import check_is_input, check_not_read
from cantools_cli.console.options import flag
from cantools_cli.console.run import Run
from cantools_cli.console.sources import ReadOptions
from cantools_cli.errors import UsageError

Wide = Annotated[bool, flag("--wide", "One column per signal, one row per frame, in a single table.")]


def decode_command(
    files: options.Files = None,
    output: options.Output = None,
    from_format: options.From = None,
    to_format: options.To = None,
    as_json: options.Json = False,
    wide: Wide = False,
    numbers: Annotated[bool, flag("--numbers", "Numbers instead of the names of values, in lines.")] = False,
    *,
    by: DatabaseOptions,
    filters: Filters,
    span: TimeSpan,
    count: options.Count = None,
    force: options.Force = False,
    reading: ReadOptions,
    run: Run,
) -> int:
    """Decode frames to the values of their signals, by a database.

    Without -o, it is a filter in a pipe: each line gets the signals of its frame, or with --json a member
    "signals", without delay. -o signals.parquet (.csv, .arrow, .mf4) writes a table with one row per value,
    -o signals/ one table per message, with one column per signal. What the database does not know, and
    frames that are too short, are counted and reported at the end.

    \b
    canx dump can0 | canx decode --dbc car.dbc
    canx dump can0 | canx decode --dbc car.dbc --json | jq .signals.Speed
    canx decode drive.log --dbc car.dbc --where 'Engine.Speed gt 3000'
    canx decode drive.log --dbc car.dbc -o signals.parquet
    canx decode drive.blf --dbc car.dbc -o signals/
    canx decode drive.log --dbc car.dbc -o signals.mf4 --start 10s --end 20s
    """
    report, tz = run.report, reading.tz
    names = files or ["-"]
    check_is_input(output, names)
    check_not_read(output, names)
    databases = by.load(report)
    if databases is None:
        raise UsageError("decode needs a database", hint="--dbc FILE")
    job = DecodeJob(
        names,
        databases,
        FilterChain(
            filters.selection(report, tz, databases, shows_signals=True), *span.moments(tz), count=count
        ),
        reading.of_format(from_format),
        run,
    )
    form = None if as_json else table_format(output, to_format)
    if form is None:
        from cantools_cli.console.decoded import print_frames

        options.check_effect({"--wide": wide}, "the output is lines", hint="-o signals.parquet")
        return print_frames(
            job, output, to_format, as_json=as_json, with_names=not numbers, force=force, tz=tz
        )
    options.check_effect({"--numbers": numbers}, "a table has names and numbers")
    from cantools_cli.console.signal_tables import write_tables

    return write_tables(job, output, form, is_wide=wide, force=force)
