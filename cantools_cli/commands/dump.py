"""``canx dump``: the frames of buses, to a terminal, a pipe or a log file."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from cantools_cli.bus.deadline import Deadline
from cantools_cli.console import options
from cantools_cli.console.buses import ListeningOptions, NamedBus, chosen_by, open_buses
from cantools_cli.console.chain import FilterChain, Filters
from cantools_cli.console.databases import DatabaseOptions
from cantools_cli.console.options import argument, flag, option
from cantools_cli.console.output import FileOptions, FormatOptions, Output, OutputFormat
from cantools_cli.console.progress import REDRAW_SECONDS, Progress
from cantools_cli.console.report import Report, use_colour
from cantools_cli.console.run import Run
from cantools_cli.console.sinks import Sink
from cantools_cli.console.sources import check_zone, live_batches
from cantools_cli.errors import UsageError, counted, quoted
from cantools_cli.units import duration, milliseconds_must_have_unit

if TYPE_CHECKING:
    from cantools_cli.decoding.databases import Databases


@dataclass(eq=False, repr=False)
class DumpBusOptions(ListeningOptions):
    """Options for the buses, with those for logging."""

    hardware_times: Annotated[
        bool, flag("--hardware-time -H", "Use the adapter's timestamps if it has any.")
    ] = False
    wait_when_down: Annotated[bool, flag("-D", "Keep waiting while an interface is down.")] = False


@dataclass(eq=False, repr=False)
class ScreenOptions:
    """Options for lines on a screen."""

    candump: Annotated[bool, flag("--candump", "Lines as candump prints them on a screen.")] = False
    timestamps: Annotated[
        str | None,
        option("--time -t", "a|d|z|A", "Time on a screen: absolute, delta, since the first, date."),
    ] = None
    explain: Annotated[bool, flag("--explain -e", "Explain error frames on a screen.")] = False
    direction: Annotated[bool, flag("-x", "Direction and FD marks in --candump lines.")] = False
    colour: Annotated[str, option("--color", "auto|always|never", "Colour on a screen.")] = "auto"

    def __post_init__(self) -> None:
        if self.timestamps not in (None, "a", "d", "z", "A"):
            raise UsageError(
                f"-t {quoted(self.timestamps or '')} is not one of a, d, z, A",
                hint="absolute, delta, since the first, date",
            )
        options.checked(self.colour, "--color", ("auto", "always", "never"))

    def check_effect(self, form: str) -> None:
        """Refuse them if ``form`` is not text for a screen."""
        options.check_effect(
            {
                f"-t {self.timestamps}": self.timestamps not in (None, "a"),  # the default of logs
                "-e": self.explain,
                "-x": self.direction,
                "--color always": self.colour == "always",
            },
            f"the output is {form}, not text for a screen",
            hint="--candump writes text for a screen into a pipe as well",
        )

    def sink(self, tz: str | None, report: Report, databases: Databases | None = None) -> Sink:
        """Return a sink of lines on the screen, with the signals of ``databases`` if given."""
        kind: Any
        more: dict[str, Any] = {}
        if databases is None:
            from cantools_cli.io.candump.screen_writer import CandumpScreenWriter, ScreenWriter

            kind = CandumpScreenWriter if self.candump else ScreenWriter
        else:
            from cantools_cli.decoding.columns import Decoder
            from cantools_cli.decoding.text import SignalText
            from cantools_cli.io.decoded_lines import SignalCandumpScreenWriter, SignalScreenWriter

            kind = SignalCandumpScreenWriter if self.candump else SignalScreenWriter
            more["signals"] = SignalText(Decoder(databases))

        stdout = open(1, "wb", buffering=0, closefd=False)  # noqa: SIM115  # stdout stays open
        writer = kind(
            stdout,
            timestamps=self.timestamps,
            tz=tz or "local",
            explain=self.explain,
            direction=self.direction,
            colour=use_colour(self.colour, 1),
            **more,
        )
        return Sink(writer, "-", is_live=True, flush_every=0.0, report=report)


def dump_command(
    buses: Annotated[list[str] | None, argument("BUS...", options.BUS_HELP)] = None,
    output: options.Output = None,
    to_format: options.To = None,
    as_json: options.Json = False,
    log_lines: Annotated[bool, flag("-L", "Log lines, also on a terminal.")] = False,
    *,
    screen: ScreenOptions,
    special: FormatOptions,
    databases: DatabaseOptions,
    filters: Filters,
    count: options.Count = None,
    timeout: Annotated[
        str | None, option("--timeout -T", "TIME", "End if no matching frame arrives for TIME: 200ms, 5s.")
    ] = None,
    seconds: Annotated[str | None, option("--duration", "TIME", "End after TIME: 10s, 5m.")] = None,
    strict: options.Strict = False,
    tz: options.Tz = None,
    to_files: FileOptions,
    bus_options: DumpBusOptions,
    run: Run,
) -> int:
    """Print or log the frames of one or more buses.

    A terminal gets aligned, coloured lines; a pipe gets log lines without delay; -o writes a log file in any
    format. Without -n, -T or --duration it runs until Ctrl-C.

    \b
    canx dump can0
    canx dump can0,123:7FF can1 -n 100 -o trace.blf
    canx dump can0 -o trace.blf --max-size 100MB --max-files 10
    canx dump can0 --where 'id in 100..1FF and changed'
    canx dump vcan0 --json | jq .data
    canx dump can0 --dbc car.dbc --where 'Engine.Speed gt 3000'
    canx dump can0 -n 1 -T 5s || echo no frame in 5 seconds
    """
    report = run.report
    check_zone(tz)
    known = databases.load(report)
    quiet_seconds = milliseconds_must_have_unit(timeout, "-T") if timeout is not None else None
    whole_seconds = duration(seconds) if seconds is not None else None
    form = OutputFormat.resolve(output, to_format, as_json=as_json, special=special, tz=tz)
    is_shown = form.name == "json" and output in (None, "-")
    if known is not None and is_shown:
        form = _with_signals(form, known)
    target = Output.of_files(output, form, to_files)
    for_log = as_json or bool(to_format or to_files.append or target.rotation or special.given)
    is_log = log_lines or for_log or not target.is_stdout
    if log_lines and form.name != "log":
        raise UsageError(f"-L and {form.name} contradict each other", hint="-L writes log lines")
    if screen.candump and is_log:
        raise UsageError("--candump prints on stdout, but a log is written", hint="--to candump -o FILE")
    is_log = is_log or not (screen.candump or os.isatty(1))
    if is_log:
        screen.check_effect(form.name)
    selection = filters.selection(report, tz, known, shows_signals=is_shown or not is_log)
    chain = FilterChain(selection, count=count)
    with run, ExitStack() as stack:
        opened = open_buses(buses or (), bus_options, report, receive=True, selection=selection)
        for named in opened:
            stack.enter_context(named)
        sink = target.open(report) if is_log else screen.sink(tz, report, known)
        progress = Progress(
            lambda: (sink.file_size(), None),
            lambda: sink.count,
            share=chain.share,
            quiet=run.quiet,
            to_stdout=sink.name == "-",
        )
        with sink, progress:
            end = None if whole_seconds is None else Deadline(whole_seconds)
            _copy(opened, sink, chain, quiet_seconds, end, run, progress)
        is_lossy = any(named.losses for named in opened)
        report.detail(counted(sink.count, "frames"))
    is_short = count is not None and sink.count < count
    return run.status(strict and (sink.losses or is_lossy), is_no=is_short)


def _with_signals(form: OutputFormat, databases: Databases) -> OutputFormat:
    from cantools_cli.console.decoded import DecodedFormat
    from cantools_cli.decoding.columns import Decoder

    return DecodedFormat(form.name, form.options).with_decoder(Decoder(databases))


def _copy(
    opened: list[NamedBus],
    sink: Sink,
    chain: FilterChain,
    quiet_seconds: float | None,
    end: Deadline | None,
    run: Run,
    progress: Progress,
) -> None:
    if chain.is_done:
        return

    def idle() -> float | None:
        progress.update()
        due = sink.on_idle()
        return min(REDRAW_SECONDS, due or REDRAW_SECONDS) if progress.is_shown else due

    buses = [named.bus for named in opened]
    chosen = chosen_by(opened, chain.select)
    for _, batch in live_batches(buses, run.interruption, idle, quiet_seconds, end, chosen):
        progress.update()
        sink.write(batch)
        if chain.is_done:
            return
