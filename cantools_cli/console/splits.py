"""One output a part of a log: ``--split-by``."""

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

#: files that are open at the same time, and where none can be continued, so that closing one is for good
MAX_OPEN = 64
MAX_OPEN_FOR_GOOD = 512
#: frames that are dealt out at a time, so that each part of many gets more than a few
_GATHERED = 1 << 16

Opener = Callable[[str, bool], Sink]
"""Opens the output of a part: its path, and whether it was begun before and is to be continued."""


class SplitSink:
    """The files that the parts of a log go to, each opened when its first frame comes.

    Of too many the one that waited longest is closed, and continued when it is needed again.

    Attributes:
        count: frames taken.
        name: what messages call the files.
        losses: what the format could not carry, in all files.
    """

    def __init__(
        self,
        output: Output,
        splitter: Splitter,
        opener: Opener,
        report: Report,
    ) -> None:
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
        self._open: dict[str, Sink] = {}  # the one that waited longest first
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
        """Flush what is due before a wait; return in how many seconds the rest is."""
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
                    f"{self._paths[name]} was closed, as over {self._limit} files are written, and cannot be "
                    "continued",
                    hint="--to another format, or fewer parts: -f chooses some",
                )
            if not was_begun:
                self._paths[name] = self._path(name)
            sink = self._opener(self._paths[name], was_begun)
        self._open[name] = sink
        return sink

    def _path(self, name: str) -> str:
        """Return a path of its own; what may not stand in one becomes ``_``."""
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
    """Return how many files that cannot be continued may be open, with some left for all else."""
    try:
        import resource

        allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    except (ImportError, OSError):
        return MAX_OPEN
    return MAX_OPEN_FOR_GOOD if allowed < 0 else max(1, min(MAX_OPEN_FOR_GOOD, allowed - MAX_OPEN))


def open_split(output: Output, split_by: str, report: Report, *, tz: str | None) -> SplitSink:
    """Return the files that ``--split-by`` and ``--output`` name.

    Raises:
        UsageError: --split-by is invalid, or contradicts other options.
    """
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
