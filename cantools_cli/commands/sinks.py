"""Where a command's frames go: stdout or a file, of any format, flushed when the source pauses."""

from __future__ import annotations

import os
import stat
import time
from types import TracebackType
from typing import Any

from cantools_cli import plugins
from cantools_cli.batch import MessageBatch
from cantools_cli.commands.report import Report
from cantools_cli.commands.sources import enlarge_pipe
from cantools_cli.errors import UsageError
from cantools_cli.io.base import MessageWriter
from cantools_cli.io.files import OutputStream
from cantools_cli.io.formats import format_for_output, open_writer, parse_format


class Sink:
    """A writer, and when it flushes: a pipe or a terminal at each pause, a file by time.

    Attributes:
        count: frames written.
        name: what messages call the output.
    """

    def __init__(
        self, writer: MessageWriter, name: str, *, is_live: bool, flush_every: float, report: Report
    ) -> None:
        self.writer = writer
        self.name = name
        self.count = 0
        self._is_live = is_live
        self._flush_every = flush_every
        self._report = report
        self._flushed = time.monotonic()
        self._dirty = False

    def write(self, batch: MessageBatch) -> None:
        if not len(batch):
            return
        self.writer.write(batch)
        self.count += len(batch)
        self._dirty = True
        if not self._is_live and time.monotonic() - self._flushed >= self._flush_every:
            self.flush()

    def flush(self) -> None:
        self.writer.flush()
        self._flushed = time.monotonic()
        self._dirty = False

    def on_idle(self) -> float | None:
        """Flush what is due before a wait; return in how many seconds the rest is."""
        if not self._dirty:
            return None
        due = 0.0 if self._is_live else self._flushed + self._flush_every - time.monotonic()
        if due <= 0:
            self.flush()
            return None
        return due

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.writer.close()
        except OSError:
            if error is None:
                raise
        self._report.losses(self.name, self.writer.losses)


def open_sink(
    output: str | None,
    to: str | None,
    report: Report,
    *,
    force: bool = False,
    flush_every: float = 1.0,
    default: str = "log",
    **options: Any,
) -> Sink:
    """Open ``output`` (None or ``-`` for stdout) in the format ``to``, or the one its suffix means.

    Raises:
        UsageError: the format is not known, the file exists, binary data would go to a terminal.
        OSError: the file cannot be created.
    """
    is_stdout = output is None or output == "-"
    name, given = (
        parse_format(to, writing=True)
        if to
        else (default if is_stdout else format_for_output(output or ""), {})
    )
    form = plugins.FORMATS.get(name)
    file: Any
    if is_stdout:
        if form is not None and form.is_binary and os.isatty(1):
            raise UsageError(f"{name} is binary and not for a terminal", hint="-o FILE, or a pipe behind it")
        file = open(1, "wb", buffering=0, closefd=False)  # noqa: SIM115  # stdout stays open
        enlarge_pipe(1)
        label = "-"
    else:
        label = output or ""
        file = _create(label, force=force)
    known: dict[str, Any] = {}
    if form is not None:
        known = form.writing | {
            key: value for key, value in options.items() if key in form.writer_options.values()
        }
    try:
        stream = OutputStream(file, gzip=label.lower().endswith(".gz"), owned=not is_stdout)
        stream.name = label
        writer = open_writer(stream, name, {**known, **given}, on_note=report.note)
    except BaseException:
        if not is_stdout:
            file.close()
        raise
    live = not stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    return Sink(writer, label, is_live=live, flush_every=flush_every, report=report)


def _create(path: str, *, force: bool) -> Any:
    """Create ``path``; an existing regular file only where ``force`` says so."""
    try:
        is_file = stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        is_file = True
    try:
        return open(path, "wb+" if force and is_file else "xb+" if is_file else "wb", buffering=0)
    except FileExistsError:
        raise UsageError(f"{path}: exists already", hint="--force replaces it") from None
