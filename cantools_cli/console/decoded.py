"""Frames with their signals: the output of ``canx decode`` in a pipe, and of ``canx dump --dbc``."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

from cantools_cli.console.decoding import DecodeJob
from cantools_cli.console.output import Output, OutputFormat
from cantools_cli.console.report import Report, say, use_colour
from cantools_cli.console.sinks import Sink
from cantools_cli.decoding.columns import Decoder
from cantools_cli.decoding.text import SignalText
from cantools_cli.errors import UsageError, counted
from cantools_cli.io.base import MessageWriter
from cantools_cli.io.decoded_lines import WRITERS
from cantools_cli.io.files import OutputStream


@dataclass(frozen=True)
class DecodedFormat(OutputFormat):
    """A format of lines, each with the signals of its frame."""

    signals: SignalText | None = None

    def with_decoder(self, decoder: Decoder, *, with_names: bool = True) -> DecodedFormat:
        """Return the format with the signals that ``decoder`` finds."""
        if self.name not in WRITERS:
            raise UsageError(
                f"{self.name} has no room for signals",
                hint="log, json and candump have; -o signals.parquet (.csv, .arrow, .mf4) is a table",
            )
        text = SignalText(decoder, as_json=self.name == "json", with_names=with_names)
        return replace(self, signals=text)

    def open(self, stream: OutputStream, report: Report, *, append: bool = False) -> MessageWriter:
        assert self.signals is not None  # set by with_decoder
        keywords: dict[str, Any] = {**self.options, "signals": self.signals, "on_note": report.note}
        if append:
            keywords["append"] = True
        return WRITERS[self.name](stream, **keywords)


def tell(decoder: Decoder) -> int:
    """Report the frames that could not be decoded; return their number."""
    source = ", ".join(dict.fromkeys(scope.database.source for scope in decoder.databases.scopes))
    kinds = {
        f"frames whose identifier is not in {source}": decoder.unknown,
        "frames of channels without a database": decoder.without_database,
        "frames too short for some signals": decoder.short,
        "messages in containers that are unknown": decoder.unknown_contained,
        "remote, error or CAN XL frames": decoder.not_data,
    }
    if any(kinds.values()):
        say("not decoded: " + ", ".join(counted(count, kind) for kind, count in kinds.items() if count))
    return sum(kinds.values()) - decoder.not_data


def print_frames(
    job: DecodeJob,
    output: str | None,
    to: str | None,
    *,
    as_json: bool,
    with_names: bool,
    force: bool,
    tz: str | None,
) -> int:
    """Write each frame with its signals on a line; return the exit status."""
    decoder = Decoder(job.databases)
    form = DecodedFormat.resolve(output, to, as_json=as_json, tz=tz)
    assert isinstance(form, DecodedFormat)  # the class that resolves
    target = Output(output, form.with_decoder(decoder, with_names=with_names), force)
    if to is None and not as_json and target.is_stdout and os.isatty(1):
        sink = _screen(SignalText(decoder, with_names=with_names), tz, job.run.report)
    else:
        sink = target.open(job.run.report)
    with job.run, sink, job.batches(to_stdout=target.is_stdout, on_idle=sink.on_idle) as batches:
        for batch in batches:
            sink.write(batch)
    return job.status(tell(decoder) + sink.losses.total())


def _screen(signals: SignalText, tz: str | None, report: Report) -> Sink:
    from cantools_cli.io.decoded_lines import SignalScreenWriter

    stdout = open(1, "wb", buffering=0, closefd=False)  # noqa: SIM115  # stdout stays open
    writer = SignalScreenWriter(stdout, signals=signals, tz=tz or "local", colour=use_colour("auto", 1))
    return Sink(writer, "-", is_live=True, flush_every=0.0, report=report)
