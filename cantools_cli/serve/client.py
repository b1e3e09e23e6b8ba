"""A connected client of the server: its socket, its session and its outbox."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

from cantools_cli.backends.socketcand.codec import time_text
from cantools_cli.errors import counted
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.error_frames import CONTROLLER
from cantools_cli.serve.outbox import Outbox
from cantools_cli.serve.session import GREETING, ClientSession

#: maximum size of one read
_PIECE = 1 << 16
#: size of queued answers above which a client's commands are not read
_MAX_ANSWERS = 1 << 16

RawTexts = dict[tuple[bool, bool], tuple[bytes, int]]


class Client:
    """One connection. No method blocks, and a lost connection sets ``is_over``."""

    def __init__(self, end: socket.socket, name: str, session: ClientSession, queue_frames: int) -> None:
        self.name = name
        self.session = session
        self.is_over = False
        self._end = end
        self._outbox = Outbox(queue_frames, self._overflow)
        end.setblocking(False)
        self._outbox.add_answer(GREETING)

    def fileno(self) -> int:
        return self._end.fileno()

    @property
    def lost(self) -> int:
        """The number of frames dropped because the client read too slowly."""
        return self._outbox.lost

    @property
    def is_reading(self) -> bool:
        """Whether to read commands: not while too many answers are queued."""
        return self._outbox.answer_bytes < _MAX_ANSWERS

    def is_writing(self, now: float) -> bool:
        """Whether to wait for room to write."""
        return bool(self._outbox) and not self._outbox.is_held(now)

    def due(self, now: float) -> float | None:
        """Return the time of the next ``tick``, or None."""
        held = self._outbox.hold_until if self._outbox.is_held(now) else None
        times = (held, self.session.due())
        return min((time for time in times if time is not None), default=None)

    def read(self, now: float) -> None:
        """Read the client's commands, and answer them."""
        try:
            data = self._end.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.is_over = True
            return
        self._outbox.add_answer(self.session.receive_data(data, now))
        self._outbox.hold_until = self.session.held_until
        self.write(now)
        self.is_over = self.is_over or self.session.is_over

    def deliver(self, batch: MessageBatch, raw: RawTexts, now: float) -> None:
        """Send the frames of ``batch`` that the client wants."""
        text, count = self.session.deliver(batch, raw, now)
        if count:
            self._outbox.add_frames(text, count)
            self.write(now)

    def tick(self, now: float) -> None:
        """Send what is due."""
        text, count = self.session.tick(now)
        self._outbox.add_frames(text, count)
        self.write(now)

    def write(self, now: float) -> None:
        """Send as much of the outbox as the client accepts."""
        try:
            self._outbox.send(self._end.send, now)
        except OSError:
            self.is_over = True

    def close(self, now: float) -> None:
        """End the session, after sending what the client accepts immediately."""
        self.session.close()
        self._outbox.hold_until = 0.0
        self.write(now)
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)
        self._end.close()

    def summary(self) -> list[str]:
        """Return the client's losses and faults, one phrase each."""
        session = self.session
        phrases = [] if session.reason is None else [session.reason]
        if self.lost:
            phrases.append(f"{counted(self.lost, 'frames')} lost because the client read too slowly")
        if session.left_out:
            phrases.append(
                f"{counted(session.left_out, 'frames')} left out that the client's protocol cannot carry"
            )
        if session.refused:
            phrases.append(f"{counted(session.refused, 'frames')} refused because of --read-only")
        if session.faults:
            phrases.append(
                f"{counted(session.faults, 'malformed messages')}, the first: {session.first_fault}"
            )
        return phrases

    def _overflow(self) -> bytes:
        """Return the error frame that stands for lost frames, empty if the client has no error frames."""
        if not self.session.wants_errors:
            return b""
        return f"< error {CONTROLLER:03X} {time_text(time.time_ns())} >".encode()
