"""A connected client of the server: its socket, its session and what waits to be sent to it."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

from cantools_cli.backends.socketcand.codec import time_text
from cantools_cli.errors import counted
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.error_frames import CONTROLLER
from cantools_cli.serve.outbox import Outbox
from cantools_cli.serve.session import Session

#: bytes read at once
_PIECE = 1 << 16
#: a client's commands wait while so many bytes of answers do
_MAX_ANSWERS = 1 << 16

RawTexts = dict[tuple[bool, bool], tuple[bytes, int]]


class Client:
    """One connection. Nothing here waits, and a connection that is lost is just over.

    Attributes:
        name: its address, for people.
        is_over: whether it is to be closed.
    """

    def __init__(self, end: socket.socket, name: str, session: Session, queue_frames: int) -> None:
        self.name = name
        self.session = session
        self.is_over = False
        self._end = end
        self._outbox = Outbox(queue_frames, self._overflow)
        end.setblocking(False)
        self._outbox.add_answer(session.greet())

    def fileno(self) -> int:
        return self._end.fileno()

    @property
    def lost(self) -> int:
        """How many frames the client did not take in time."""
        return self._outbox.lost

    @property
    def is_reading(self) -> bool:
        """Whether to read its commands: not while it does not take the answers."""
        return self._outbox.answer_bytes < _MAX_ANSWERS

    def is_writing(self, now: float) -> bool:
        """Whether to wait for room to write."""
        return bool(self._outbox) and not self._outbox.is_held(now)

    def due(self, now: float) -> float | None:
        """Return when ``tick`` has something to do, None for never."""
        held = self._outbox.hold_until if self._outbox.is_held(now) else None
        times = (held, self.session.due())
        return min((time for time in times if time is not None), default=None)

    def read(self, now: float) -> None:
        """Take what the client says, and answer it."""
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
        """Send what the client wants to know of ``batch``."""
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
        """Send as much of what waits as the client takes."""
        try:
            self._outbox.send(self._end.send, now)
        except OSError:
            self.is_over = True

    def close(self, now: float) -> None:
        """End the session; what the client takes at once is still sent."""
        self.session.close()
        self._outbox.hold_until = 0.0
        self.write(now)
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)
        self._end.close()

    def summary(self) -> list[str]:
        """Return what went wrong with it, a phrase each."""
        session = self.session
        found = [] if session.reason is None else [session.reason]
        if self.lost:
            found.append(f"{counted(self.lost, 'frames')} lost, since it read too slowly")
        if session.left_out:
            found.append(f"{counted(session.left_out, 'frames')} left out that it cannot be told of")
        if session.refused:
            found.append(f"{counted(session.refused, 'frames')} refused, since --read-only was given")
        if session.faults:
            found.append(f"{counted(session.faults, 'malformed messages')}, the first: {session.first_fault}")
        return found

    def _overflow(self) -> bytes:
        """Return the error frame that stands for frames it lost, if it can be told of error frames."""
        if not self.session.wants_errors:
            return b""
        return f"< error {CONTROLLER:03X} {time_text(time.time_ns())} >".encode()
