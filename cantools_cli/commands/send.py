"""``canx send``: sends frames to a bus, from arguments or from stdin."""

from __future__ import annotations

import select
import time
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from cantools_cli.bus.not_a_bus import is_filter, is_identifier, misplaced_filter
from cantools_cli.console import options
from cantools_cli.console.buses import BusOptions, NamedBus, open_buses
from cantools_cli.console.chain import FilterChain, Filters
from cantools_cli.console.databases import DatabaseOptions
from cantools_cli.console.naming import NamingOptions
from cantools_cli.console.options import argument, option
from cantools_cli.console.report import Report
from cantools_cli.console.run import Run
from cantools_cli.errors import UsageError, counted, quoted
from cantools_cli.frame.batch import MessageBatch

if TYPE_CHECKING:
    from cantools_cli.console.named_frames import NamedFrames
    from cantools_cli.console.sources import ReadOptions
    from cantools_cli.decoding.databases import Databases
    from cantools_cli.frame.message import Message
    from cantools_cli.periodic.schedule import Schedule


def send_command(
    bus: Annotated[str, argument("BUS", options.BUS_HELP)],
    frame_texts: Annotated[
        list[str] | None,
        argument("FRAME...", "123#DEADBEEF, 00000123#R4, 123##1AABB, Engine(Speed=1500); none: stdin."),
    ] = None,
    period: Annotated[
        str | None, option("--period", "TIME", "Send one FRAME every TIME, in turn: 100ms, 1s.")
    ] = None,
    count: options.Count = None,
    duration: Annotated[str | None, option("--duration", "TIME", "End after TIME, with --period.")] = None,
    error_frames: options.ErrorFrames = False,
    timeout: Annotated[
        str | None, option("--timeout", "TIME", "How long to wait for a slow bus; 10s, or less for adapters.")
    ] = None,
    from_format: options.From = None,
    *,
    databases: DatabaseOptions,
    naming: NamingOptions,
    filters: Filters,
    on_error: options.OnError = "stop",
    strict: options.Strict = False,
    bus_options: BusOptions,
    run: Run,
) -> int:
    """Send frames to a bus, from arguments or from stdin.

    A FRAME has the form of cansend, or names a message of --dbc and its signals. Signals that are not given
    have their value in the last frame on the bus, else their start value, else zero. Without FRAME, frames
    are read from stdin in any format, and sent as fast as the bus accepts them.

    \b
    canx send vcan0 123#DEADBEEF
    canx send can0 00000123#R4 123##1AABBCCDD
    canx send can0 123#01 123#02 --period 100ms --count 20
    canx send can0 --dbc car.dbc 'Engine(Speed=1500 rpm, Gear=Third)'
    canx gen -n 1000 | canx send vcan0
    """
    from cantools_cli.units import duration as parse_duration

    report = run.report
    given_seconds = None if timeout is None else parse_duration(timeout)
    if not frame_texts:
        options.check_effect(
            naming.given(), "frames come from stdin", "canx send BUS 'MESSAGE(SIGNAL=VALUE)'"
        )
    known = databases.load(report)
    selection = filters.selection(report, databases=known, shows_signals=bool(frame_texts))
    if frame_texts and not selection.passes_everything:
        for text in frame_texts:
            if is_filter(text) or is_identifier(text):
                raise misplaced_filter(text, "a frame")
        raise UsageError("--filter and --where apply to frames from stdin, but FRAME... is given")
    schedule = _schedule(period, count, duration, has_frames=bool(frame_texts))
    if frame_texts:
        options.check_effect(
            {"--from": from_format, "--on-error": on_error != "stop"},
            "frames are given, so stdin is not read",
        )
        frames: MessageBatch | NamedFrames
        if known is None:
            options.check_effect(naming.given(), "no database is named", "--dbc FILE names one")
            frames = _parsed(frame_texts, report, strict=strict, error_frames=error_frames)
        else:
            frames = _named(frame_texts, known, bus, naming, report, strict=strict)
            _check_error_frames(frames.messages, error_frames=error_frames)
    else:
        from cantools_cli.console.sources import ReadOptions  # not needed to send one frame

        reading = ReadOptions(from_format, on_error, strict)
    listens = bool(frame_texts) and not isinstance(frames, MessageBatch) and frames.wait > 0
    (opened,) = open_buses([bus], bus_options, report, receive=listens)
    seconds = parse_duration(opened.interface.send_timeout) if given_seconds is None else given_seconds
    with opened:
        if not frame_texts:
            chain = FilterChain(selection, passes_error_frames=error_frames)
            return _send_stdin(opened, run, seconds, chain, reading)
        if not isinstance(frames, MessageBatch):
            _complete(frames, opened, run)
            if run.status():
                return run.status()
        if schedule is not None:
            return _send_periodically(opened, frames, schedule, seconds, run, strict=strict)
        opened.bus.send_batch(frames if isinstance(frames, MessageBatch) else frames.batch(), seconds)
        return 0


def _schedule(
    period: str | None, count: int | None, duration: str | None, *, has_frames: bool
) -> Schedule | None:
    """Return the schedule; None to send at once."""
    if period is None:
        if count is not None or duration is not None:
            option = "--duration" if count is None else "--count"
            raise UsageError(
                f"{option} needs --period", hint="canx send BUS FRAME --period 100ms sends periodically"
            )
        return None
    if not has_frames:
        raise UsageError(
            "--period needs a FRAME to send periodically", hint="canx send BUS 123#01 --period 100ms"
        )
    from cantools_cli.periodic.schedule import Schedule
    from cantools_cli.units import duration_ns, milliseconds_must_have_unit

    period_ns = round(milliseconds_must_have_unit(period, "--period") * 1_000_000_000)
    if not period_ns:
        raise UsageError("--period must be greater than 0", hint="without --period frames are sent at once")
    return Schedule(
        period_ns,
        duration_ns=None if duration is None else duration_ns(duration),
        count=options.checked_count(count),
    )


def _parsed(texts: list[str], report: Report, *, strict: bool, error_frames: bool) -> MessageBatch:
    """Return all frames, before any is sent: an invalid one stops them all."""
    from cantools_cli.io.frame_text import parse_frame

    batch = MessageBatch()
    for text in texts:
        if "(" in text.partition("#")[0]:
            raise UsageError(f"{quoted(text)} is a frame by name, which needs a database", hint="--dbc FILE")
        message, warning = parse_frame(text, pad=not strict)
        if message.is_error_frame and not error_frames:
            raise UsageError(f"{text} is an error frame", hint="--error-frames sends it")
        if warning:
            report.note(warning)
        batch.append(message)
    return batch


def _named(
    texts: list[str], known: Databases, bus: str, naming: NamingOptions, report: Report, *, strict: bool
) -> NamedFrames:
    """Return the frames, some of them by name, before the bus is opened."""
    from cantools_cli.console.named_frames import NamedFrames, database_for
    from cantools_cli.units import duration as parse_duration

    database = database_for(known, bus)
    wait = None if naming.last is None else parse_duration(naming.last)
    return NamedFrames.parse(
        texts, database, naming.counters or (), naming.checksums or (), wait, report, strict=strict
    )


def _check_error_frames(messages: Iterable[Message], *, error_frames: bool) -> None:
    for message in messages:
        if message.is_error_frame and not error_frames:
            raise UsageError(f"{message.arbitration_id:X} is an error frame", hint="--error-frames sends it")


def _complete(frames: NamedFrames, opened: NamedBus, run: Run) -> None:
    """Set the signals that are not given, from the last frames on the bus if these are awaited."""
    if frames.wait > 0:
        with run:
            frames.listen(opened.bus, run.interruption, run.report)
        opened.receives = False
    frames.complete(run.report)


def _send_periodically(
    opened: NamedBus,
    frames: MessageBatch | NamedFrames,
    schedule: Schedule,
    seconds: float,
    run: Run,
    *,
    strict: bool,
) -> int:
    """Send the ``frames`` in turn by ``schedule``, until its end or a signal."""
    if isinstance(frames, MessageBatch):
        rows = [frames.part(row, row + 1) for row in range(len(frames))]
    with run:
        schedule.begin(time.monotonic_ns())
        while (due_ns := schedule.due_ns) is not None and not run.interruption.requested:
            wait_ns = due_ns - time.monotonic_ns()
            if wait_ns > 0:
                select.select([run.interruption.fd], [], [], wait_ns / 1_000_000_000)
                continue
            turn = schedule.sent
            row = rows[turn % len(rows)] if isinstance(frames, MessageBatch) else frames.row(turn)
            opened.bus.send_batch(row, seconds)
            schedule.advance(time.monotonic_ns())
        if schedule.skipped:
            losses = Counter({"frames that could not be sent in time": schedule.skipped})
            run.report.losses(opened.name, losses)
        run.report.detail(f"{counted(schedule.sent, 'frames')} sent")
    return run.status(strict and (schedule.skipped or opened.losses), is_no=schedule.is_short)


def _send_stdin(opened: NamedBus, run: Run, seconds: float, chain: FilterChain, reading: ReadOptions) -> int:
    from cantools_cli.console.sources import open_input

    sent = 0
    with run:
        reader, _ = open_input("-", run.interruption, run.report, reading)
        with reader:
            for batch in reader.batches():
                batch = chain.select(batch)
                opened.bus.send_batch(batch, seconds)
                sent += len(batch)
                if run.interruption.requested:
                    break
        run.report.faults(reader.skipped, reader.first_fault)
        chain.tell_error_frames(run.report)
        run.report.detail(f"{counted(sent, 'frames')} sent")
    return run.status(reading.strict and (reader.skipped or chain.error_frames or opened.losses))
