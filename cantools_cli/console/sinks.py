"""Where the frames of a command go: a writer, flushed when the source pauses."""

from __future__ import annotations

import time
from collections import Counter

from cantools_cli.console.report import Report
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.base import MessageWriter


class Sink:
    """A writer that flushes a pipe or a terminal at each pause, and a file by time."""

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

    @property
    def losses(self) -> Counter[str]:
        """Counts of everything the format could not carry, by kind."""
        return self.writer.losses

    def file_size(self) -> int:
        """Return the approximate size of the file in bytes, 0 if the writer does not know it."""
        tell = getattr(self.writer, "file_size", None)
        return 0 if tell is None else int(tell())

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
        """Flush before a wait if due; return the seconds until the next flush is due, if any."""
        if not self._dirty:
            return None
        due = 0.0 if self._is_live else self._flushed + self._flush_every - time.monotonic()
        if due <= 0:
            self.flush()
            return None
        return due

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        try:
            self.writer.close()
        except OSError:
            if error is None:
                raise
        self._report.losses(self.name, self.writer.losses)
