"""Replaying messages of a log at the pace of their timestamps."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from cantools_cli.frame.message import Message


class MessageSync:
    """Yields each message when it is due, the first one immediately.

    The schedule is absolute, by the monotonic clock, so that the time spent sending a message does not delay
    later ones. A message that is late, or whose timestamp goes back, is yielded immediately.

    With ``timestamps`` the recorded gaps are kept, except that gaps of more than ``skip`` seconds are
    shortened to ``skip`` (0 keeps them all). Otherwise messages are ``gap`` seconds apart.
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
        """Yield each message with its offset from the first one in seconds."""
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
