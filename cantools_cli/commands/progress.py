"""A line on the terminal while long work runs; nothing anywhere else."""

from __future__ import annotations

import os
import time
from types import TracebackType
from typing import Protocol

_FIRST_AFTER = 0.5
_EVERY = 0.1


class Source(Protocol):
    """What is read, as ``io.files.InputStream`` counts it."""

    @property
    def consumed(self) -> int: ...
    @property
    def size(self) -> int | None: ...


class Target(Protocol):
    """What is written to, as ``sinks.Sink`` counts it."""

    name: str

    @property
    def count(self) -> int: ...


class Progress:
    """Shows bytes, frames a second and the time left on stderr, where that is a terminal."""

    def __init__(self, source: Source, sink: Target, *, quiet: bool = False) -> None:
        self._source = source
        self._sink = sink
        self._start = time.monotonic()
        self._next = self._start + _FIRST_AFTER
        self._shown = False
        self._shows = not quiet and _is_terminal(2) and not (sink.name == "-" and _is_terminal(1))

    @property
    def is_shown(self) -> bool:
        """Whether there is anybody to show it to."""
        return self._shows

    def update(self) -> None:
        """Redraw the line when it is time to."""
        if self._shows and time.monotonic() >= self._next:
            self._shown = True
            self._next = time.monotonic() + _EVERY
            os.write(2, f"\r\x1b[K{self._line()}".encode())

    def _line(self) -> str:
        seconds = time.monotonic() - self._start
        rate = self._sink.count / seconds
        text = f"{self._sink.count:,} frames, {rate:,.0f} frames/s"
        done, size = self._source.consumed, self._source.size
        if size and done:
            text += f", {100 * done // size} %, {seconds * (size - done) / done:.0f} s left"
        return text

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._shown:
            os.write(2, b"\r\x1b[K")


def _is_terminal(fd: int) -> bool:
    try:
        return os.isatty(fd)
    except OSError:
        return False
