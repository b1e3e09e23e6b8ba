"""Messages of a log at the times at which they were received, for replaying them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from cantools_cli.frame.message import Message


class MessageSync:
    """Yields messages each at its time, the first one at once.

    The schedule is absolute, by the monotonic clock: what a message takes to be sent delays no later one.
    One whose time is past, or goes back, is yielded at once.

    ``timestamps`` keeps the distances recorded, where one of more than ``skip`` seconds lasts only that
    long; 0 skips none. Without it they are ``gap`` seconds apart.
    """

    def __init__(
        self, messages: Iterable[Message], timestamps: bool = True, gap: float = 0.0001, skip: float = 60.0
    ) -> None:
        self.raw_messages = messages
        self.timestamps = timestamps
        self.gap = gap
        self.skip = skip

    def __iter__(self) -> Iterator[Message]:
        start: float | None = None
        for message, offset in self._schedule():
            now = time.monotonic()
            if start is None:
                start = now - offset
            if start + offset > now:
                time.sleep(start + offset - now)
            yield message

    def _schedule(self) -> Iterator[tuple[Message, float]]:
        """Yield each message with its time, in seconds after the first one's."""
        offset = 0.0
        latest: float | None = None
        for message in self.raw_messages:
            if latest is not None and not self.timestamps:
                offset += self.gap
            elif latest is not None:
                pause = max(0.0, message.timestamp - latest)
                offset += min(pause, self.skip) if self.skip else pause
            latest = message.timestamp if latest is None else max(latest, message.timestamp)
            yield message, offset
