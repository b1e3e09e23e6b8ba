"""One output for each part of a log: ``--split-by``."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from cantools_cli import plugins
from cantools_cli.console.output import Output
from cantools_cli.console.report import Report
from cantools_cli.console.sinks import Sink
from cantools_cli.errors import UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.streams.splitting import Splitter, parse

#: files open at the same time, and the limit for a format whose files cannot be continued once closed
MAX_OPEN = 64
MAX_OPEN_FOR_GOOD = 512
#: frames collected before they are distributed, so that each of many parts gets more than a few
_GATHERED = 1 << 16

Opener = Callable[[str, bool], Sink]
"""Opens the output of a part: its path, and whether the file was begun earlier and is continued."""


class SplitSink:
    """The files for the parts of a log, each opened for its first frame.

    If too many are open, the least recently written one is closed, and continued later if the format allows.
    """

    def __init__(self, output: Output, splitter: Splitter, opener: Opener, report: Report) -> None:
        self._stem, self._suffix = plugins.split_suffix(output.path or "")
        self.name = f"{self._stem}_*{self._suffix}"
        self.count = 0
        self.losses: Counter[str] = Counter()
        self._splitter = splitter
        self._opener = opener
        self._report = report
        self._flush_every = output.flush_every
        self._can_append = output.format.can_append
        self._limit = MAX_OPEN if self._can_append else _room_for_files()
        self._open: dict[str, Sink] = {}  # least recently written first
        self._paths: dict[str, str] = {}  # by the part's name
        self._pending = MessageBatch()
        self._flushed = time.monotonic()

    def write(self, batch: MessageBatch) -> None:
        self._pending.extend(batch)
        self.count += len(batch)
        if time.monotonic() - self._flushed >= self._flush_every:
            self.flush()
        elif len(self._pending) >= _GATHERED:
            self._deal()

    def flush(self) -> None:
        self._deal()
        for sink in self._open.values():
            sink.flush()
        self._flushed = time.monotonic()

    def on_idle(self) -> float | None:
        """Flush before a wait if due; return the seconds until the next flush is due, if any."""
        if not len(self._pending):
            return None
        due = self._flushed + self._flush_every - time.monotonic()
        if due <= 0:
            self.flush()
            return None
        return due

    def _deal(self) -> None:
        batch, self._pending = self._pending, MessageBatch()
        for name, part in self._splitter.parts(batch):
            self._sink(name).write(part)

    def _sink(self, name: str) -> Sink:
        sink = self._open.pop(name, None)
        if sink is None:
            if len(self._open) >= self._limit:
                self._close(next(iter(self._open)))
            was_begun = name in self._paths
            if was_begun and not self._can_append:
                raise UsageError(
                    f"{self._paths[name]} was closed, since more than {self._limit} files are written, and "
                    "cannot be continued",
                    hint="--to another format, or fewer parts: -f chooses some",
                )
            if not was_begun:
                self._paths[name] = self._path(name)
            sink = self._opener(self._paths[name], was_begun)
        self._open[name] = sink
        return sink

    def _path(self, name: str) -> str:
        """Return an unused path; characters not allowed in one become ``_``."""
        base = f"{self._stem}_{re.sub(r'[^A-Za-z0-9._+-]', '_', name)}"
        path, count = base + self._suffix, 1
        while path in self._paths.values():
            count += 1
            path = f"{base}-{count}{self._suffix}"
        return path

    def _close(self, name: str) -> None:
        sink = self._open.pop(name)
        try:
            sink.writer.close()
        finally:
            self.losses += sink.writer.losses

    def __enter__(self) -> SplitSink:
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        failed: OSError | UsageError | None = None
        try:
            self._deal()
        except (OSError, UsageError) as trouble:
            failed = trouble
        for name in list(self._open):
            try:
                self._close(name)
            except OSError as trouble:
                failed = failed or trouble
        if failed is not None and error is None:
            raise failed
        self._report.losses(self.name, self.losses)
        self._tell()

    def _tell(self) -> None:
        paths = sorted(self._paths.values())
        shown = " ".join(paths if len(paths) <= 4 else [*paths[:3], "...", paths[-1]])
        files = "1 file" if len(paths) == 1 else f"{len(paths)} files"
        self._report.note(f"{files} written: {shown}" if paths else "no frames, no files")


def _room_for_files() -> int:
    """Return how many files that cannot be continued may be open; some descriptors stay free."""
    try:
        import resource

        allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    except (ImportError, OSError):
        return MAX_OPEN
    return MAX_OPEN_FOR_GOOD if allowed < 0 else max(1, min(MAX_OPEN_FOR_GOOD, allowed - MAX_OPEN))


def open_split(output: Output, split_by: str, report: Report, *, tz: str | None) -> SplitSink:
    """Return the files that ``--split-by`` and ``--output`` name."""
    splitter = parse(split_by, tz or "local")
    if output.is_stdout:
        raise UsageError("--split-by needs names for its files", hint="-o trace.blf makes trace_can0.blf")
    if output.rotation is not None:
        raise UsageError(
            "--split-by and --max-size or --max-time cannot go together", hint="--split-by time=10m"
        )

    def opener(path: str, was_begun: bool) -> Sink:
        part = (
            replace(output, path=path, force=False, append=True) if was_begun else replace(output, path=path)
        )
        return part.open(report)

    return SplitSink(output, splitter, opener, report)
