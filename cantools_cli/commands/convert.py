"""``canx convert``: logs, or a stream of frames, to another format; merged, cut and split."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cantools_cli.console import options
from cantools_cli.console.chain import FilterChain, Filters, TimeSpan
from cantools_cli.console.databases import DatabaseOptions
from cantools_cli.console.inputs import Inputs, check_is_input, check_not_read
from cantools_cli.console.options import option
from cantools_cli.console.output import FileOptions, FormatOptions, Output, OutputFormat
from cantools_cli.console.progress import Progress
from cantools_cli.console.report import Report
from cantools_cli.console.run import Run
from cantools_cli.console.sinks import Sink
from cantools_cli.console.sources import ReadOptions
from cantools_cli.errors import FormatError, counted
from cantools_cli.filtering.window import shift_ns, shifted
from cantools_cli.frame.batch import MessageBatch

if TYPE_CHECKING:
    from cantools_cli.console.splits import SplitSink
    from cantools_cli.streams.routes import Renaming


def convert_command(
    files: options.Files = None,
    output: options.Output = None,
    from_format: options.From = None,
    to_format: options.To = None,
    as_json: options.Json = False,
    *,
    special: FormatOptions,
    databases: DatabaseOptions,
    filters: Filters,
    span: TimeSpan,
    count: options.Count = None,
    shift: Annotated[str | None, option("--shift", "TIME", "Add this to all times: 1h, -2.5s.")] = None,
    maps: Annotated[
        list[str] | None,
        option("--map", "SRC=DST", "Rename the channel SRC, a name or a number. Repeatable."),
    ] = None,
    split_by: Annotated[
        str | None,
        option("--split-by", "channel|id|time=SIZE", "One file for each, named after -o: trace_can0.blf."),
    ] = None,
    reading: ReadOptions,
    to_files: FileOptions,
    run: Run,
) -> int:
    """Convert logs, or a stream of frames, to another format.

    The formats come from --from and --to, else from the suffixes (.gz and .zst are ignored), else, for the
    input, from its first bytes. Several inputs are merged by time. Everything that the output cannot carry
    is counted and reported at the end.

    \b
    canx convert trace.asc -o trace.blf
    canx dump can0 | canx convert -o trace.blf
    canx convert can0.log can1.blf --map can1=can5 -o both.asc
    candump -L can0 | canx convert --to json | jq .arbitration_id
    canx convert drive.log.gz -f 100-1FF --to csv > part.csv
    canx convert trace.blf --start 10s --end 20s --where 'data[0] eq 3'
    canx convert trace.blf --split-by channel -o part.log
    """
    report, tz = run.report, reading.tz
    reading = reading.of_format(from_format)
    chain = FilterChain(filters.selection(report, tz, databases.load(report)), *span.moments(tz), count=count)
    changes = _Changes(shift_ns(shift) if shift is not None else 0)
    if maps:
        from cantools_cli.streams.routes import Renaming, Rule

        changes.renaming = Renaming([Rule.parse(text, "SRC=DST") for text in maps])
    names = files or ["-"]
    check_is_input(output, names)
    check_not_read(output, names)
    form = OutputFormat.resolve(output, to_format, as_json=as_json, special=special, tz=tz)
    target = Output.of_files(output, form, to_files, rotation_tz=tz or "local")
    with run, Inputs(names, run.interruption, report, reading) as inputs:
        sink: Sink | SplitSink
        if split_by is None:
            sink = target.open(report)
        else:
            from cantools_cli.console.splits import open_split

            sink = open_split(target, split_by, report, tz=tz)
        inputs.on_idle(sink.on_idle)
        try:
            progress = Progress(
                lambda: (inputs.consumed, inputs.size),
                lambda: chain.taken,
                share=chain.share,
                quiet=run.quiet,
                to_stdout=sink.name == "-",
            )
            with sink, progress:
                _copy(inputs, sink, chain, changes, run, progress)
        except FormatError as error:
            error.afterword = _kept(sink)
            raise
        if not chain.is_done:
            changes.tell(report)
        report.faults(inputs.skipped, inputs.first_fault)
        report.detail(f"{counted(sink.count, 'frames')} written to {sink.name}")
    return run.status(reading.strict and (sink.losses or inputs.skipped))


@dataclass
class _Changes:
    """The changes to frames that pass."""

    shift_ns: int
    renaming: Renaming | None = None

    def apply(self, batch: MessageBatch) -> MessageBatch:
        """Change ``batch`` in place, and return it."""
        if self.shift_ns:
            batch = shifted(batch, self.shift_ns)
        return batch if self.renaming is None else batch.with_channels(self.renaming.channel)

    def tell(self, report: Report) -> None:
        """Report each --map whose channel was not seen."""
        if self.renaming is None:
            return
        for rule in self.renaming.unused:
            there = self.renaming.seen
            report.note(f"--map {rule.source}={rule.target}: the input has no channel {rule.source}{there}")


def _copy(
    inputs: Inputs,
    sink: Sink | SplitSink,
    chain: FilterChain,
    changes: _Changes,
    run: Run,
    progress: Progress,
) -> None:
    # reading ahead of --count or --end might report faults in records that were not asked for
    source: AbstractContextManager[Iterable[MessageBatch]]
    source = inputs.batches_ahead() if chain.takes_all else nullcontext(inputs.batches())
    with source as batches:
        for batch in batches:
            sink.write(changes.apply(chain.select(batch)))
            if chain.is_done:
                return
            progress.update()
            if run.interruption.requested:
                return


def _kept(sink: Sink | SplitSink) -> str | None:
    """Return a message about the frames written before an error; None for stdout."""
    if sink.name == "-":
        return None
    return f"{sink.name} holds the {counted(sink.count, 'frames')} before the error"
