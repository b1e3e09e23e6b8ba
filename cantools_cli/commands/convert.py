"""``canx convert``: logs, or a stream of frames, to another format; merged, cut and split."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from cantools_cli.console import options
from cantools_cli.console.inputs import Inputs, check_is_input, check_not_read
from cantools_cli.console.interruption import Interruption
from cantools_cli.console.progress import Progress
from cantools_cli.console.report import Report
from cantools_cli.console.sinks import Rotation, Sink, check_needs_no_file, checked_form, open_sink
from cantools_cli.console.splits import SplitSink, open_split
from cantools_cli.errors import FormatError, counted
from cantools_cli.filtering.selection import Selection
from cantools_cli.filtering.window import Moment, Window, check_order, shift_ns, shifted
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.streams.routes import Renaming, Rule
from cantools_cli.units import duration


def convert_command(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE...", help="Logs to read, merged by time; - is stdin."),
    ] = None,
    output: options.Output = None,
    from_format: options.From = None,
    to_format: options.To = None,
    as_json: options.Json = False,
    ns: options.Ns = False,
    trc_version: options.TrcVersion = None,
    index: options.Index = False,
    filters: options.Filter = None,
    where: options.Where = None,
    start: options.Start = None,
    end: options.End = None,
    count: options.Count = None,
    shift: Annotated[
        str | None, typer.Option("--shift", metavar="TIME", help="Add this to all times: 1h, -2.5s.")
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="SRC=DST", help="Rename the channel SRC, a name or a number. Repeatable."
        ),
    ] = None,
    split_by: Annotated[
        str | None,
        typer.Option(
            "--split-by",
            metavar="channel|id|time=SIZE",
            help="A file for each, called after -o: trace_can0.blf.",
        ),
    ] = None,
    on_error: options.OnError = "stop",
    strict: options.Strict = False,
    tz: options.Tz = None,
    force: options.Force = False,
    append: options.Append = False,
    max_size: options.MaxSize = None,
    max_time: options.MaxTime = None,
    max_files: options.MaxFiles = None,
    flush_every: options.FlushEvery = "1s",
    quiet: options.Quiet = False,
    verbose: options.Verbose = 0,
    debug: options.Debug = False,
) -> int:
    """Convert logs, or a stream of frames, to another format.

    The formats come from --from and --to, else from the suffixes (.gz and .zst are peeled off), else, for
    the input, from its first bytes. Several inputs are merged in the order of time. What the output cannot
    carry is counted and said at the end.

    \b
    canx convert trace.asc -o trace.blf
    canx dump can0 | canx convert -o trace.blf
    canx convert can0.log can1.blf --map can1=can5 -o both.asc
    candump -L can0 | canx convert --to json | jq .arbitration_id
    canx convert drive.log.gz -f 100-1FF --to csv > part.csv
    canx convert trace.blf --start 10s --end 20s --where 'data[0] eq 3'
    canx convert trace.blf --split-by channel -o part.log
    """
    report = Report(quiet=quiet, verbose=verbose)
    options.checked_zone(tz)
    options.checked_input_format(from_format)
    first, last = _moment(start, tz), _moment(end, tz)
    check_order(first, last)
    steps = _Steps(
        Window(first, last),
        Selection.parse(filters, where, tz=tz),
        options.checked_count(count),
        shift_ns(shift) if shift is not None else 0,
        Renaming([Rule.parse(text, "SRC=DST") for text in maps or ()]),
    )
    for warning in steps.selection.warnings:
        report.note(warning)
    names = files or ["-"]
    check_is_input(output, names)
    check_not_read(output, names)
    to_file: dict[str, Any] = {
        "force": force,
        "append": append,
        "rotation": Rotation.parse(max_size, max_time, max_files, tz or "local"),
        "flush_every": duration(flush_every),
        "ns": ns,
        "tz": tz,
        "of_format": options.format_options(trc_version, index=index),
    }
    to = options.output_format(to_format, as_json=as_json)
    checked_form(output, to, to_file["of_format"])
    check_needs_no_file(output, append=append, force=force, rotation=to_file["rotation"])
    on_fault = options.checked_on_error(on_error)
    with (
        Interruption() as interruption,
        Inputs(names, interruption, report, form=from_format, on_error=on_fault, tz=tz) as inputs,
    ):
        sink: Sink | SplitSink
        if split_by is not None:
            sink = open_split(output, to, split_by, report, **to_file)
        else:
            sink = open_sink(output, to, report, **to_file)
        inputs.on_idle(sink.on_idle)
        try:
            progress = Progress(
                inputs, lambda: steps.taken, share=steps.share, quiet=quiet, to_stdout=sink.name == "-"
            )
            with sink, progress:
                _copy(inputs, sink, steps, interruption, progress)
        except FormatError as error:
            error.afterword = _kept(sink)
            raise
        steps.tell(report)
        report.faults(inputs.skipped, inputs.first_fault)
        report.detail(f"{counted(sink.count, 'frames')} written to {sink.name}")
        if interruption.signum is not None:
            return 128 + interruption.signum
    return 2 if strict and (sink.losses or inputs.skipped) else 0


@dataclass
class _Steps:
    """What happens to the frames on their way, in this order.

    Attributes:
        left: frames that may still pass, None for all.
        taken, last_ns: frames that came, and the time of the last.
    """

    window: Window
    selection: Selection
    left: int | None
    shift_ns: int
    renaming: Renaming
    taken: int = 0
    last_ns: int = 0

    def __post_init__(self) -> None:
        self._count = self.left

    @property
    def takes_all(self) -> bool:
        """Whether all of the input is read, to its end."""
        return self._count is None and not self.window.has_end

    @property
    def is_done(self) -> bool:
        return self.left == 0 or self.window.is_past

    def share(self) -> float:
        """Return how near --count and --end are, from 0 to 1."""
        by_count = 1 - self.left / self._count if self.left is not None and self._count else 0.0
        return max(by_count, self.window.share_at(self.last_ns))

    def take(self, batch: MessageBatch) -> MessageBatch:
        if len(batch):
            self.taken += len(batch)
            self.last_ns = batch.timestamp_ns[-1]
        batch = self.selection.select(self.window.select(batch))
        if self.left is not None:
            if len(batch) > self.left:
                batch = batch.part(0, self.left)
            self.left -= len(batch)
        if self.shift_ns:
            batch = shifted(batch, self.shift_ns)
        return batch if self.renaming.is_empty else batch.with_channels(self.renaming.channel)

    def tell(self, report: Report) -> None:
        """Say which options met nothing."""
        for rule in [] if self.is_done else self.renaming.unused:
            there = self.renaming.seen
            report.note(f"--map {rule.source}={rule.target}: the input has no channel {rule.source}{there}")


def _moment(text: str | None, tz: str | None) -> Moment | None:
    return None if text is None else Moment.parse(text, tz or "local")


def _copy(
    inputs: Inputs, sink: Sink | SplitSink, steps: _Steps, interruption: Interruption, progress: Progress
) -> None:
    # what is read ahead of an end that the options set might be told as faults, of frames nobody asked for
    source: AbstractContextManager[Iterable[MessageBatch]]
    source = inputs.batches_ahead() if steps.takes_all else nullcontext(inputs.batches())
    with source as batches:
        for batch in batches:
            sink.write(steps.take(batch))
            if steps.is_done:
                return
            progress.update()
            if interruption.requested:
                return


def _kept(sink: Sink | SplitSink) -> str | None:
    """Return what the output holds in spite of an error."""
    if sink.name == "-":
        return None
    return f"{sink.name} holds the {counted(sink.count, 'frames')} before the error"
