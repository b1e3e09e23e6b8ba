"""``canx sniff`` on a terminal: connects the source, the session and the screen."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from cantools_cli.console.buses import BusOptions
from cantools_cli.console.interruption import Interruption
from cantools_cli.console.output import Output, OutputFormat
from cantools_cli.console.report import Report
from cantools_cli.console.sinks import Sink
from cantools_cli.console.sources import ReadOptions
from cantools_cli.console.terminal_watch import TerminalWatch
from cantools_cli.console.watching import Watched, WatchedBuses, WatchedLogs
from cantools_cli.errors import UsageError, counted
from cantools_cli.filtering.selection import Selection
from cantools_cli.io.frame_text import parse_frame
from cantools_cli.screen.app import SniffApp, is_utf8
from cantools_cli.screen.controls import Ports
from cantools_cli.screen.look import USUAL, Look
from cantools_cli.screen.session import ScreenSession
from cantools_cli.sniff.decoding import Decoder
from cantools_cli.sniff.view import View
from cantools_cli.streams.replay import Rational
from cantools_cli.units import milliseconds_must_have_unit

#: a log up to this size is first read to its end, in some tenths of a second, so that its length is known
_SHORT_BYTES = 8_000_000


def show(
    texts: Sequence[str],
    bus_options: BusOptions,
    chosen: Selection,
    view: View,
    columns: Sequence[str] | None,
    decoder: Decoder | None,
    pace: Rational | None,
    reading: ReadOptions | None,
    report: Report,
    *,
    strict: bool = False,
) -> int:
    """Show the buses, or with ``reading`` the logs, until the user ends it; return the exit status."""
    notes = _Notes(quiet=report.quiet, verbose=report.verbose)
    with ExitStack() as stack:
        name = ", ".join("stdin" if text == "-" else text for text in texts) or "the configured bus"
        texts = stack.enter_context(_keys_from_terminal(texts))
        stop = stack.enter_context(Stop())
        watch = stack.enter_context(TerminalWatch())
        source: Watched
        ports, is_paced, is_short = Ports(), False, False
        if reading is None:
            source = stack.enter_context(WatchedBuses(texts, bus_options, chosen, notes, stop))
            ports.send = _Sender(source)
        else:
            source = stack.enter_context(WatchedLogs(texts, bus_options, chosen, notes, stop, reading))
            is_paced, is_short = source.size is not None, (source.size or 0) <= _SHORT_BYTES
        session = ScreenSession(
            source.batches, is_paced=is_paced, speed=pace, measured=is_short, stop=stop.stop
        )
        session.table.decoder = decoder
        session.missed = source.missed if isinstance(source, WatchedBuses) else None
        notes.session = session
        ports.record = recorder = Recorder(session, notes)
        stack.callback(recorder.close)
        watch.close_files = recorder.close
        look = Look(
            columns or ((*USUAL[:-1], "values") if decoder else USUAL),
            is_utf8=is_utf8(),
            has_colour=not os.environ.get("NO_COLOR"),
        )
        app = SniffApp(session, view, look, name, ports)
        watch.end, app.on_asked = app.end, watch.asked
        stack.callback(session.stop)
        session.start(source.speeds)
        with _drawing_on_stdout():
            status = app.run_to_end() or watch.status
        session.stop()
        notes.print_all()
        lost = source.tell()
        if session.error is not None and status == 0:
            raise session.error
    return 2 if strict and lost and not status else status


class Stop(Interruption):
    """Ends the waits of a thread; the screen handles the signals."""

    def __enter__(self) -> Stop:
        self.fd, self._write_fd = os.pipe()
        os.set_blocking(self.fd, False)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)
        os.close(self._write_fd)

    def stop(self) -> None:
        """End every wait."""
        if self.signum is None:
            self.signum = 0
            os.write(self._write_fd, b"\0")


class _Notes(Report):
    """Keeps notes while the screen is shown, and shows the latest there."""

    session: ScreenSession | None = None

    def note(self, text: str) -> None:
        if self.session is None:
            super().note(text)
        elif not self.quiet and text not in self._said:
            self._said.add(text)
            self.session.notes.append(text)

    def print_all(self) -> None:
        """Print the kept notes on stderr."""
        session, self.session = self.session, None
        for text in session.notes if session is not None else ():
            self._said.discard(text)
            self.note(text)


class Recorder:
    """Records the frames of the session to a file, from one prompt to the next."""

    def __init__(self, session: ScreenSession, report: Report) -> None:
        self._session = session
        self._report = report
        self._sink: Sink | None = None

    def __call__(self, text: str) -> str:
        """Start recording to the file ``text``, or stop; return a message."""
        if self._sink is not None:
            return self._end()
        sink = Output(text, OutputFormat.resolve(text)).open(self._report)
        with self._session.lock:
            self._sink = sink.__enter__()
            self._session.on_batch = sink.write
        return f"recording to {text}; w ends it"

    def _end(self) -> str:
        with self._session.lock:
            sink, self._sink, self._session.on_batch = self._sink, None, None
        if sink is None:
            return ""
        sink.__exit__(None, None, None)
        return f"{counted(sink.count, 'frames')} recorded to {sink.name}"

    def close(self) -> None:
        """Stop recording, if active, and say so."""
        message = self._end()
        if message:
            self._report.note(message)


class _Sender:
    """Sends the frame of a prompt to the first bus: ``123#DEAD`` once, ``123#DEAD 100ms`` periodically.

    An empty text stops periodic frames.
    """

    def __init__(self, source: WatchedBuses) -> None:
        self._one = source.opened[0]

    def __call__(self, text: str) -> str:
        if not text:
            self._one.bus.stop_all_periodic_tasks()
            return "sending stopped"
        frame, _, period = text.partition(" ")
        message, _ = parse_frame(frame)
        if not period.strip():
            self._one.bus.send(message, 1.0)
            return f"sent {frame}"
        seconds = milliseconds_must_have_unit(period, "a period of")
        if not seconds:
            raise UsageError("the period must be greater than 0")
        self._one.bus.send_periodic(message, seconds)
        return f"sending {frame} every {period.strip()}; t and ENTER end it"


@contextmanager
def _keys_from_terminal(texts: Sequence[str]) -> Iterator[list[str]]:
    """Make the terminal descriptor 0 if stdin is not a terminal; yield the names to open."""
    if os.isatty(0):
        yield list(texts)
        return
    kept, terminal = os.dup(0), os.open("/dev/tty", os.O_RDWR)
    os.dup2(terminal, 0)
    os.close(terminal)
    try:
        yield [f"/dev/fd/{kept}" if text == "-" else text for text in texts]
    finally:
        os.dup2(kept, 0)
        os.close(kept)


@contextmanager
def _drawing_on_stdout() -> Iterator[None]:
    """Make the screen descriptor 2, on which textual draws, even if stderr is redirected."""
    if os.isatty(2):
        yield
        return
    kept = os.dup(2)
    os.dup2(1, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
