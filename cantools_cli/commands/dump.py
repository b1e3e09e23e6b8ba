"""``canx dump``: the frames of buses, to a terminal, a pipe or a log file."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Annotated, Any

import typer

from cantools_cli.bus.deadline import Deadline
from cantools_cli.console import options
from cantools_cli.console.buses import BusOptions, NamedBus, open_buses
from cantools_cli.console.interruption import Interruption
from cantools_cli.console.progress import REDRAW_SECONDS, Progress
from cantools_cli.console.report import Report, use_colour
from cantools_cli.console.sinks import Rotation, Sink, check_needs_no_file, checked_form, open_sink
from cantools_cli.console.sources import live_batches
from cantools_cli.errors import UsageError, counted, quoted
from cantools_cli.filtering.selection import Selection
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.units import duration, milliseconds_must_have_unit


def dump_command(
    buses: Annotated[list[str] | None, typer.Argument(metavar="BUS...", help=options.BUS_HELP)] = None,
    output: options.Output = None,
    to_format: options.To = None,
    as_json: options.Json = False,
    log_lines: Annotated[bool, typer.Option("-L", help="Log lines, also on a terminal.")] = False,
    candump: Annotated[
        bool, typer.Option("--candump", help="The lines that candump prints on a screen.")
    ] = False,
    timestamps: Annotated[
        str | None,
        typer.Option(
            "--time",
            "-t",
            metavar="a|d|z|A",
            help="Time on a screen: absolute, delta, since the first, date.",
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", "-e", help="Explain error frames on a screen.")
    ] = False,
    direction: Annotated[bool, typer.Option("-x", help="Direction and FD marks in --candump lines.")] = False,
    colour: Annotated[
        str,
        typer.Option("--color", metavar="auto|always|never", help="Colour on a screen.", show_default=True),
    ] = "auto",
    ns: options.Ns = False,
    trc_version: options.TrcVersion = None,
    index: options.Index = False,
    filters: options.Filter = None,
    where: options.Where = None,
    count: options.Count = None,
    timeout: Annotated[
        str | None,
        typer.Option(
            "--timeout",
            "-T",
            metavar="TIME",
            help="End when no frame that passes the filters came for this long: 200ms, 5s.",
        ),
    ] = None,
    seconds: Annotated[
        str | None, typer.Option("--duration", metavar="TIME", help="End after TIME in all: 10s, 5m.")
    ] = None,
    strict: options.Strict = False,
    tz: options.Tz = None,
    force: options.Force = False,
    append: options.Append = False,
    max_size: options.MaxSize = None,
    max_time: options.MaxTime = None,
    max_files: options.MaxFiles = None,
    flush_every: options.FlushEvery = "1s",
    interface: options.Interface = None,
    bitrate: options.Bitrate = None,
    fd: options.Fd = False,
    data_bitrate: options.DataBitrate = None,
    settings: options.Setting = None,
    context: options.Context = None,
    passive: Annotated[
        bool,
        typer.Option("--passive", "--listen-only", help="Only listen: the interface acknowledges nothing."),
    ] = False,
    hardware_times: Annotated[
        bool, typer.Option("--hardware-time", "-H", help="The adapter's time stamps, where it has any.")
    ] = False,
    wait_when_down: Annotated[
        bool, typer.Option("-D", help="Go on when an interface goes down and comes back.")
    ] = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = 0,
    debug: options.Debug = False,
) -> int:
    """Print or log the frames of one or more buses.

    On a terminal an aligned form for people; into a pipe log lines, each as soon as it is there; with -o a
    log file in any format. Without -n, -T or --duration it goes on until Ctrl-C.

    \b
    canx dump can0
    canx dump can0,123:7FF can1 -n 100 -o trace.blf
    canx dump can0 -o trace.blf --max-size 100MB --max-files 10
    canx dump can0 --where 'id in 100..1FF and changed'
    canx dump vcan0 --json | jq .data
    canx dump can0 -n 1 -T 5s || echo no frame in 5 seconds
    """
    report = Report(quiet=quiet, verbose=verbose)
    options.checked_zone(tz)
    chosen = Selection.parse(filters, where, tz=tz)
    for warning in chosen.warnings:
        report.note(warning)
    quiet_seconds = milliseconds_must_have_unit(timeout, "-T") if timeout is not None else None
    whole_seconds = duration(seconds) if seconds is not None else None
    options.checked_count(count)
    to = options.output_format(to_format, as_json=as_json)
    to_file: dict[str, Any] = {
        "force": force,
        "append": append,
        "rotation": Rotation.parse(max_size, max_time, max_files),
        "flush_every": duration(flush_every),
        "ns": ns,
        "tz": tz,
        "of_format": options.format_options(trc_version, index=index),
    }
    form, _ = checked_form(output, to, to_file["of_format"])
    check_needs_no_file(output, append=append, force=force, rotation=to_file["rotation"])
    for_log = to is not None or append or to_file["rotation"] is not None or bool(to_file["of_format"])
    is_log = log_lines or for_log or output not in (None, "-")
    if log_lines and form != "log":
        raise UsageError(f"-L and {form} contradict each other", hint="-L writes log lines")
    if candump and is_log:
        raise UsageError("--candump prints on stdout, and a log is written", hint="--to candump -o FILE")
    is_log = is_log or not (candump or _is_terminal())
    if is_log:
        _check_effect_on_log(form, timestamps, explain=explain, direction=direction, colour=colour)
    screen = _screen_options(timestamps, tz, explain=explain, direction=direction, colour=colour)
    bus_options = BusOptions(
        interface,
        bitrate,
        fd,
        data_bitrate,
        settings or (),
        context,
        passive=passive,
        hardware_times=hardware_times,
        wait_when_down=wait_when_down,
    )
    with Interruption() as interruption, ExitStack() as stack:
        opened = open_buses(buses or (), bus_options, report, receive=True, send=False, selection=chosen)
        for one in opened:
            stack.enter_context(one)
        if is_log:
            sink = open_sink(output, to, report, **to_file)
        else:
            sink = _screen_sink(report, candump=candump, **screen)
        progress = Progress(
            _Written(sink),
            lambda: sink.count,
            share=lambda: sink.count / count if count else 0.0,
            quiet=quiet,
            to_stdout=sink.name == "-",
        )
        with sink, progress:
            end = None if whole_seconds is None else Deadline(whole_seconds)
            _copy(opened, sink, chosen, count, quiet_seconds, end, interruption, progress)
        is_lossy = any(one.losses for one in opened)
        report.detail(counted(sink.count, "frames"))
        if interruption.signum is not None:
            return 128 + interruption.signum
    if count is not None and sink.count < count:
        return 1
    return 2 if strict and (sink.writer.losses or is_lossy) else 0


def _copy(
    opened: list[NamedBus],
    sink: Sink,
    chosen: Selection,
    count: int | None,
    quiet_seconds: float | None,
    end: Deadline | None,
    interruption: Interruption,
    progress: Progress,
) -> None:
    if count is not None and count <= 0:
        return

    def idle() -> float | None:
        progress.update()
        due = sink.on_idle()
        return min(REDRAW_SECONDS, due or REDRAW_SECONDS) if progress.is_shown else due

    def passing(index: int, batch: MessageBatch) -> MessageBatch:
        return chosen.select(opened[index].chosen(batch))

    buses = [one.bus for one in opened]
    for _, batch in live_batches(buses, interruption, idle, quiet_seconds, end, passing):
        progress.update()
        if count is not None and sink.count + len(batch) >= count:
            sink.write(batch.part(0, count - sink.count))
            return
        sink.write(batch)


class _Written:
    """The log that is written, for ``Progress``: a bus has no end."""

    size = None

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    @property
    def consumed(self) -> int:
        return self._sink.file_size()


def _check_effect_on_log(
    form: str, timestamps: str | None, *, explain: bool, direction: bool, colour: str
) -> None:
    """Refuse options for people where a log is written.

    Raises:
        UsageError: one was given.
    """
    options.check_effect(
        {
            f"-t {timestamps}": timestamps not in (None, "a"),  # which logs have
            "-e": explain,
            "-x": direction,
            "--color always": colour == "always",
        },
        f"the output is {form}, which is not printed for people",
        hint="--candump prints for people into a pipe as well",
    )


def _is_terminal() -> bool:
    try:
        return os.isatty(1)
    except OSError:
        return False


def _screen_options(
    timestamps: str | None, tz: str | None, *, explain: bool, direction: bool, colour: str
) -> dict[str, Any]:
    if timestamps is not None and timestamps not in ("a", "d", "z", "A"):
        raise UsageError(
            f"-t {quoted(timestamps)} is not one of a, d, z, A", hint="absolute, delta, since the first, date"
        )
    options.checked(colour, "--color", ("auto", "always", "never"))
    return {
        "timestamps": timestamps,
        "tz": tz or "local",
        "explain": explain,
        "direction": direction,
        "colour": use_colour(colour, 1),
    }


def _screen_sink(report: Report, *, candump: bool, **screen: Any) -> Sink:
    from cantools_cli.io.candump.screen_writer import CandumpScreenWriter, ScreenWriter

    stdout = open(1, "wb", buffering=0, closefd=False)  # noqa: SIM115  # stdout stays open
    writer = CandumpScreenWriter(stdout, **screen) if candump else ScreenWriter(stdout, **screen)
    return Sink(writer, "-", is_live=True, flush_every=0.0, report=report)
