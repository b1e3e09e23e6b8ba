"""``canx send``: frames onto a bus, from arguments or from stdin."""

from __future__ import annotations

from typing import Annotated

import typer

from cantools_cli import frames
from cantools_cli.batch import MessageBatch
from cantools_cli.bus import BusABC
from cantools_cli.commands import options
from cantools_cli.commands.buses import BusOptions, open_buses
from cantools_cli.commands.report import Report
from cantools_cli.errors import UsageError


def send_command(
    bus: Annotated[str, typer.Argument(metavar="BUS", help=options.BUS_HELP)],
    frame_texts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FRAME...", help="Such as 123#DEADBEEF, 00000123#R4, 123##1AABB; none: stdin."
        ),
    ] = None,
    error_frames: Annotated[
        bool, typer.Option("--error-frames", help="Send error frames as well, which are left out otherwise.")
    ] = False,
    timeout: Annotated[
        str,
        typer.Option(
            "--timeout", metavar="TIME", help="How long to wait for room on the bus.", show_default=True
        ),
    ] = "10s",
    from_format: options.From = None,
    filters: options.Filter = None,
    on_error: options.OnError = "stop",
    strict: options.Strict = False,
    interface: options.Interface = None,
    bitrate: options.Bitrate = None,
    fd: options.Fd = False,
    data_bitrate: options.DataBitrate = None,
    settings: options.Setting = None,
    context: options.Context = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = 0,
    debug: options.Debug = False,
) -> int:
    """Send frames to a bus, from arguments or from stdin.

    A FRAME is written as for cansend. Without any, frames are read from stdin in every format that canx
    knows, and sent as fast as the bus takes them.

    \b
    canx send vcan0 123#DEADBEEF
    canx send can0 00000123#R4 123##1AABBCCDD
    canx gen -n 1000 | canx send vcan0
    """
    report = Report(quiet=quiet, verbose=verbose)
    from cantools_cli.units import duration

    seconds = duration(timeout)
    given = _parsed(frame_texts, report, strict=strict, error_frames=error_frames) if frame_texts else None
    (opened,) = open_buses(
        [bus],
        BusOptions(interface, bitrate, fd, data_bitrate, settings or (), context),
        report,
        receive=False,
        send=True,
    )
    with opened.bus:
        if given is not None:
            opened.bus.send_batch(given, seconds)
            return 0
        return _send_stdin(
            opened.bus,
            report,
            seconds,
            from_format,
            filters,
            on_error,
            strict=strict,
            error_frames=error_frames,
        )


def _parsed(texts: list[str], report: Report, *, strict: bool, error_frames: bool) -> MessageBatch:
    """Return all frames, before any is sent: one that is wrong means that none is.

    Raises:
        FormatError, UsageError: one is not a frame, or an error frame without leave.
    """
    from cantools_cli.io.frame_text import parse_frame

    batch = MessageBatch()
    for text in texts:
        message, warning = parse_frame(text, pad=not strict)
        if message.is_error_frame and not error_frames:
            raise UsageError(f"{text} is an error frame", hint="--error-frames sends it all the same")
        if warning:
            report.note(warning)
        batch.append(message)
    return batch


def _send_stdin(
    bus: BusABC,
    report: Report,
    seconds: float,
    from_format: str | None,
    filters: list[str] | None,
    on_error: str,
    *,
    strict: bool,
    error_frames: bool,
) -> int:
    from cantools_cli.commands.interruption import Interruption
    from cantools_cli.commands.sources import open_input
    from cantools_cli.filters import FrameFilter

    chosen = FrameFilter.parse(filters) if filters else None
    sent = left_out = 0
    with Interruption() as interruption:
        reader, _ = open_input(
            "-",
            interruption,
            form=from_format,
            on_error=options.checked_on_error(on_error),
            on_note=report.note,
            tz=None,
        )
        with reader:
            for batch in reader.batches():
                if chosen is not None:
                    batch = chosen.select(batch)
                if not error_frames:
                    whole = len(batch)
                    batch = batch.without(frames.ERROR_BIT)
                    left_out += whole - len(batch)
                bus.send_batch(batch, seconds)
                sent += len(batch)
                if interruption.requested:
                    break
        report.faults(reader.skipped, reader.first_fault)
        if left_out:
            report.note(f"{left_out} error frames left out; --error-frames sends them")
        report.detail(f"{sent} frames sent")
        if interruption.signum is not None:
            return 128 + interruption.signum
    return 2 if strict and (reader.skipped or left_out) else 0
