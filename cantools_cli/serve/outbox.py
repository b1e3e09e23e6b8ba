"""The bounded queue of one client, which may read slowly or not at all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

#: maximum number of queued frames, in addition to the system's buffer; some 50 bytes each
QUEUE_FRAMES = 20_000
#: number of frames up to which small pieces are joined
PIECE_FRAMES = 256


class Outbox:
    """Pieces of text, in order. Answers are kept; too many frames are dropped, the oldest first.

    ``marker`` returns the text that is sent in the place of missing frames; it may be empty.
    """

    def __init__(self, limit: int = QUEUE_FRAMES, marker: Callable[[], bytes] | None = None) -> None:
        self.lost = 0  #: number of dropped frames
        #: size of the queued answers; while it is large, the client's commands are not read
        self.answer_bytes = 0
        #: time of the caller's clock until which frames, but not answers, are held back
        self.hold_until = 0.0
        self._limit = max(limit, 1)
        self._marker = marker
        self._marked: bytes | None = None  # the last marker in the queue
        self._queue: deque[tuple[bytes, int]] = deque()  # text, frames; 0 for an answer
        self._frames = 0
        self._current = memoryview(b"")  # the partly sent piece
        self._current_answer = 0

    def __bool__(self) -> bool:
        return bool(self._current) or bool(self._queue)

    def is_held(self, now: float) -> bool:
        """Return whether the next piece is held back until ``hold_until``."""
        return not self._current and bool(self._queue) and self._queue[0][1] > 0 and now < self.hold_until

    def add_answer(self, text: bytes) -> None:
        self._queue.append((text, 0))
        self.answer_bytes += len(text)

    def add_frames(self, text: bytes, count: int) -> None:
        """Add ``count`` frames; above the limit, the oldest are dropped."""
        if not count:
            return
        if self._queue and 0 < self._queue[-1][1] <= PIECE_FRAMES - count:
            before, frames = self._queue.pop()
            self._queue.append((before + text, frames + count))
        else:
            self._queue.append((text, count))
        self._frames += count
        while self._frames > self._limit and self._drop_oldest():
            pass

    def _drop_oldest(self) -> bool:
        """Drop the oldest piece of frames, unless it is the only one."""
        index = next(index for index, (_, count) in enumerate(self._queue) if count)
        count = self._queue[index][1]
        if count == self._frames:
            return False
        self._frames -= count
        self.lost += count
        if index and self._queue[index - 1][0] is self._marked:
            del self._queue[index]  # the gap grows
            return True
        self._marked = self._marker() if self._marker is not None else None
        if self._marked:
            self._queue[index] = (self._marked, 0)
            self.answer_bytes += len(self._marked)
        else:
            del self._queue[index]
        return True

    def send(self, send: Callable[[memoryview], int], now: float) -> None:
        """Pass the pieces to ``send`` until the queue is empty or it raises BlockingIOError."""
        try:
            while self:
                if not self._current:
                    if self.is_held(now):
                        return
                    text, frames = self._queue.popleft()
                    self._frames -= frames
                    self._current = memoryview(text)
                    self._current_answer = 0 if frames else len(text)
                sent = send(self._current)
                self._current = self._current[sent:]
                if not self._current:
                    self.answer_bytes -= self._current_answer
        except BlockingIOError:
            return
