"""``canx replay``: sends a log to buses, with its own timing."""

from __future__ import annotations

import gc
import select
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated

from cantools_cli.console import options
from cantools_cli.console.buses import BusOptions
from cantools_cli.console.chain import FilterChain, Filters, TimeSpan
from cantools_cli.console.databases import DatabaseOptions
from cantools_cli.console.interruption import Interruption
from cantools_cli.console.options import argument, flag, option
from cantools_cli.console.playback import Log, Outlets
from cantools_cli.console.progress import Progress
from cantools_cli.console.run import Run
from cantools_cli.console.sources import ReadOptionsWithFormat
from cantools_cli.errors import CanError, FormatError, UsageError, counted
from cantools_cli.io.base import BATCH_ROWS
from cantools_cli.streams.replay import PART_ROWS, Pacer, ReplaySchedule, Timetable, loops, speed
from cantools_cli.streams.routes import Routes, Rule
from cantools_cli.units import duration, duration_ns, milliseconds_must_have_unit

#: longest wait while progress is shown
_REDRAW_SECONDS = 0.1


def replay_command(
    file: Annotated[str, argument("FILE", "Log to replay; - is stdin.")],
    bus: Annotated[
        str | None,
        argument(
            "[BUS]", "Send all frames here; else each channel to the bus of its name.", show_default=False
        ),
    ] = None,
    maps: Annotated[
        list[str] | None,
        option(
            "--map",
            "SRC=BUS",
            "Send frames recorded on SRC to BUS; canplayer has the reverse order. Repeatable.",
        ),
    ] = None,
    factor: Annotated[str, option("--speed", "X|max", "2 is twice as fast, 0.5 half.")] = "1",
    ignore_timestamps: Annotated[
        bool, flag("--ignore-timestamps -t", "As fast as the bus accepts frames: --speed max.")
    ] = False,
    gap: Annotated[
        str | None, option("--gap -g", "TIME", "Minimum time between two frames, with a unit.")
    ] = None,
    skip: Annotated[str | None, option("--skip -s", "TIME", "Cut out silences longer than this.")] = None,
    *,
    span: TimeSpan,
    loop: Annotated[str, option("--loop -l", "N|i", "Replay N times; i: endlessly.")] = "1",
    count: options.Count = None,
    databases: DatabaseOptions,
    filters: Filters,
    error_frames: options.ErrorFrames = False,
    timeout: Annotated[str, option("--timeout", "TIME", "How long to wait for a slow bus.")] = "10s",
    reading: ReadOptionsWithFormat,
    bus_options: BusOptions,
    run: Run,
) -> int:
    """Replay a log onto buses, with its own timing.

    The schedule is absolute, so delays do not add up; -v prints its accuracy. With BUS, all frames go there;
    --map sends a channel elsewhere; with neither, each channel goes to the bus of the same name.

    \b
    canx replay drive.log vcan0
    canx replay drive.blf --map can0=vcan2 --map can1=vcan3 --speed 2
    canx replay trace.asc vcan0 --start 10s --end 20s --loop i
    canx convert drive.log -f 100-1FF | canx replay - vcan0
    """
    report = run.report
    seconds = duration(timeout)
    if ignore_timestamps and factor not in ("1", "max"):
        raise UsageError(f"--ignore-timestamps and --speed {factor} contradict each other")
    if ignore_timestamps or factor == "max":
        options.check_effect({"--skip": skip}, "the times of the log are ignored")
    factor_value = None if ignore_timestamps else speed(factor)
    gap_seconds = milliseconds_must_have_unit(gap, "-g") if gap is not None else 0.0
    schedule = ReplaySchedule(
        factor_value,
        gap_ns=round(gap_seconds * 1_000_000_000),
        skip_ns=duration_ns(skip) if skip is not None else None,
    )
    chain = FilterChain(
        filters.selection(report, reading.tz, databases.load(report)),
        *span.moments(reading.tz),
        passes_error_frames=error_frames,
        count=count,
    )
    passes = loops(loop)
    routes = Routes([Rule.parse(text) for text in maps or ()], bus)
    timetable = Timetable(schedule) if factor_value is not None or gap_seconds else None
    with run, ExitStack() as stack:
        log = Log(file, chain, routes, report, run.interruption, reading=reading, passes=passes)
        outlets = Outlets(routes, bus_options, report, seconds, stack)
        try:
            log.sent = lambda: outlets.count
            with Progress(
                lambda: (log.consumed, log.size),
                log.sent,
                share=lambda: log.share(outlets.last_ns),
                quiet=run.quiet,
            ) as progress:
                _replay(log, outlets, timetable, run.interruption, progress)
        except CanError:
            if outlets.count:
                report.note(f"{counted(outlets.count, 'frames')} sent before the error")
            raise
        finally:
            _tell(log, outlets, timetable, run)
    if log.error is not None and run.interruption.signum is None:
        if isinstance(log.error, FormatError):
            log.error.afterword = f"{counted(outlets.count, 'frames')} sent before the error"
        raise log.error
    return run.status(reading.strict and (log.lost or outlets.lost))


def _replay(
    log: Log, outlets: Outlets, timetable: Timetable | None, interruption: Interruption, progress: Progress
) -> None:
    if timetable is None:
        for batch in log.parts(BATCH_ROWS):
            if batch is not None:
                outlets.send(outlets.open_for(batch))
                progress.update()
            if interruption.requested:
                return
        return
    pacer = Pacer(timetable, SystemClock(interruption, progress), lambda: interruption.requested)
    log.on_idle = pacer.idle
    parts = log.parts(PART_ROWS)
    with _no_collection():
        pacer.run(batch if batch is None else outlets.prepared(batch) for batch in parts)


class SystemClock:
    """The monotonic clock; a signal ends a sleep."""

    def __init__(self, interruption: Interruption, progress: Progress) -> None:
        self._interruption = interruption
        self._progress = progress

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        self._progress.update()
        if self._progress.is_shown:
            seconds = min(seconds, _REDRAW_SECONDS)
        if select.select([self._interruption.fd], [], [], seconds)[0]:
            self._interruption.awake()


@contextmanager
def _no_collection() -> Iterator[None]:
    """Disable garbage collection, whose pauses would delay frames."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _tell(log: Log, outlets: Outlets, timetable: Timetable | None, run: Run) -> None:
    """Report what was left out, how exact the timing was, and how far a run came that a signal ended."""
    report = run.report
    log.tell()
    outlets.tell()
    if timetable is not None and timetable.restarts:
        times = "once" if timetable.restarts == 1 else f"{timetable.restarts} times"
        report.note(f"stalled for more than 1 s, {times}: the remaining frames were sent later by as much")
    if run.interruption.signum is not None:
        sent = counted(outlets.count, "frames")
        report.note(f"stopped after {sent}, {outlets.seconds_into(log):.3f} s into the log")
    report.detail(f"{counted(outlets.count, 'frames')} replayed")
    if timetable is not None and timetable.lateness.count:
        late = timetable.lateness
        figures = (late.mean_ns, late.percentile_ns(0.99), late.maximum_ns)
        mean, most, maximum = (f"{nanoseconds / 1_000_000:.3f} ms" for nanoseconds in figures)
        report.detail(f"late by {mean} on average, {most} or less in 99 % of all, {maximum} at most")
