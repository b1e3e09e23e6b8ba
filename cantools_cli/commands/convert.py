"""``canx convert``: a log, or a stream of frames, to another format."""

from __future__ import annotations

from typing import Annotated

import typer

from cantools_cli.commands import options
from cantools_cli.commands.interruption import Interruption
from cantools_cli.commands.progress import Progress
from cantools_cli.commands.report import Report
from cantools_cli.commands.sinks import Sink, open_sink
from cantools_cli.commands.sources import open_input
from cantools_cli.errors import FormatError
from cantools_cli.io.base import MessageReader
from cantools_cli.selection import Selection
from cantools_cli.units import duration


def convert_command(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Log to read; - is stdin.", show_default=False)
    ] = "-",
    output: options.Output = None,
    from_format: options.From = None,
    to_format: options.To = None,
    as_json: options.Json = False,
    ns: options.Ns = False,
    filters: options.Filter = None,
    where: options.Where = None,
    count: options.Count = None,
    on_error: options.OnError = "stop",
    strict: options.Strict = False,
    tz: options.Tz = None,
    force: options.Force = False,
    flush_every: options.FlushEvery = "1s",
    quiet: options.Quiet = False,
    verbose: options.Verbose = 0,
    debug: options.Debug = False,
) -> int:
    """Convert a log, or a stream of frames, to another format.

    The formats come from --from and --to, else from the suffixes (.gz is peeled off), else, for the input,
    from its first bytes. What the output cannot carry is counted and said at the end.

    \b
    canx convert trace.asc -o trace.blf
    canx dump can0 | canx convert -o trace.blf
    candump -L can0 | canx convert --to json | jq .arbitration_id
    canx convert drive.log.gz -f 100-1FF --to csv > part.csv
    canx convert trace.blf --where 'data[0] eq 3 and time lt 10s'
    """
    report = Report(quiet=quiet, verbose=verbose)
    chosen = Selection.parse(filters, where, tz=tz)
    for warning in chosen.warnings:
        report.note(warning)
    options.checked_count(count)
    to = options.output_format(to_format, as_json=as_json)
    every = duration(flush_every)
    with Interruption() as interruption:
        reader, patient = open_input(
            file,
            interruption,
            form=from_format,
            on_error=options.checked_on_error(on_error),
            on_note=report.note,
            tz=tz,
        )
        with reader:
            sink = open_sink(output, to, report, force=force, flush_every=every, ns=ns, tz=tz)
            if patient is not None:
                patient.on_idle = sink.on_idle
            try:
                with sink, Progress(reader.input, sink, quiet=quiet) as progress:
                    _copy(reader, sink, chosen, count, interruption, progress)
            except FormatError as error:
                error.afterword = _kept(sink)
                raise
        report.faults(reader.skipped, reader.first_fault)
        report.detail(f"{sink.count} frames written to {sink.name}")
        if interruption.signum is not None:
            return 128 + interruption.signum
    return 2 if strict and (sink.writer.losses or reader.skipped) else 0


def _copy(
    reader: MessageReader,
    sink: Sink,
    chosen: Selection,
    count: int | None,
    interruption: Interruption,
    progress: Progress,
) -> None:
    left = count
    for batch in reader.batches():
        batch = chosen.select(batch)
        if left is not None:
            if len(batch) >= left:
                sink.write(batch.part(0, left))
                return
            left -= len(batch)
        sink.write(batch)
        progress.update()
        if interruption.requested:
            return


def _kept(sink: Sink) -> str | None:
    """Return what the output holds in spite of an error."""
    if sink.name == "-":
        return None
    return f"{sink.name} holds the {sink.count} frame{'' if sink.count == 1 else 's'} before the error"
