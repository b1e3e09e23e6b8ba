"""The conversation with an slcan adapter: commands and queries with their answers, and acknowledged frames.

An adapter answers in the order of the commands. Each command with an answer is pending until it arrives. An
acknowledgement belongs to the oldest frame or command, a refusal to the oldest of all.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from cantools_cli.backends.slcan.codec import OK, REFUSED, TX_FULL, SlcanDecoder
from cantools_cli.backends.transport.stream import StreamPort
from cantools_cli.bus.deadline import Deadline
from cantools_cli.errors import CanOperationError, CanTimeoutError, counted
from cantools_cli.frame.batch import MessageBatch

WINDOW = 8  #: frames that are sent before the first of them is acknowledged
SILENCE = 1.0  #: seconds without an acknowledgement after which none is expected any more

_FRAME, _COMMAND = b"frame", b"command"
_UNEXPECTED = "refusals by the adapter without a pending command"


class _Pending:
    """A command whose answer has not arrived; ``kind`` is the first letter of the answer to a query."""

    __slots__ = ("kind", "result")

    def __init__(self, kind: bytes) -> None:
        self.kind = kind
        self.result: bytes | None = None


class SlcanLink:
    """The line to an adapter on the port that ``open_port`` opens.

    Attributes:
        acknowledges: whether the adapter answers frames and commands.
        has_status: whether ``F`` has been answered.
        heard: the first bytes that arrived.
    """

    def __init__(
        self,
        open_port: Callable[[Callable[[bytes, int], MessageBatch]], StreamPort],
        decoder: SlcanDecoder,
        name: str,
        ack_timeout: float,
        on_note: Callable[[str], None],
    ) -> None:
        self.decoder = decoder
        self.acknowledges = False
        self.has_status = False
        self.heard = b""
        self._name = name
        self._note = on_note
        self._ack_timeout = ack_timeout
        self._pending: deque[_Pending] = deque()
        self._sending = threading.Lock()  # held from a command to its answer
        self._polled: _Pending | None = None  # the last query of the status flags
        self.port = open_port(self._decode)

    # --- receiving; the port's lock is held ------------------------------------------------------------

    def _decode(self, data: bytes, time_ns: int) -> MessageBatch:
        if len(self.heard) < 256:
            self.heard += data[:256]
        batch = self.decoder.feed(data, time_ns)
        while self.decoder.answers:
            self._settle(self.decoder.answers.popleft())
        return batch

    def _settle(self, answer: bytes) -> None:
        """Give ``answer`` to the command that it belongs to."""
        for pending in list(self._pending):  # a copy, since senders append to it
            is_query = pending.kind not in (_FRAME, _COMMAND)
            if answer == REFUSED:
                fits = True
            elif answer == OK:
                fits = not is_query
            else:
                fits = pending.kind in (answer[:1], b"V") and is_query
            if fits:
                pending.result = answer
                self._forget(pending)
                return
        if answer == REFUSED:
            self.decoder.losses[_UNEXPECTED] += 1

    # --- commands -------------------------------------------------------------------------------------

    def command(self, text: bytes) -> bool | None:
        """Send a command; return whether it was accepted, None without an answer.

        Raises:
            CanOperationError: the port failed.
        """
        answer = self._ask(text, _COMMAND, self._ack_timeout)
        return None if answer is None else answer == OK

    def query(self, letter: bytes, timeout: float | None, after: bytes = b"") -> bytes | None:
        """Return the answer to ``letter``, ``REFUSED``, or None after ``timeout``.

        ``after`` is a command to send before it, whose answer does not matter.
        """
        return self._ask(letter, letter, timeout, after)

    def tell(self, text: bytes) -> None:
        """Send a command whose answer, if any, is not waited for."""
        self.port.send([text + b"\r"], self._ack_timeout)

    def _ask(self, text: bytes, kind: bytes, timeout: float | None, after: bytes = b"") -> bytes | None:
        pending = _Pending(kind)
        commands = [(_Pending(_COMMAND), after), (pending, text)] if after else [(pending, text)]
        with self._sending:
            self._pending.extend(one for one, _ in commands)
            try:
                self.port.send([command + b"\r" for _, command in commands], SILENCE)
                self.port.wait_for(lambda: pending.result is not None, Deadline(timeout))
            finally:
                self._forget(*(one for one, _ in commands))
        return pending.result

    def _forget(self, *pending: _Pending) -> None:
        for one in pending:
            with suppress(ValueError):  # answered, perhaps by another thread
                self._pending.remove(one)

    def poll_status(self) -> None:
        """Ask for the status flags, unless another command is under way; ``decoder`` makes frames of them."""
        if self._polled is not None and self._polled.result is None:
            self._forget(self._polled)  # an adapter that has gone silent
        if not self._sending.acquire(blocking=False):
            return
        self._polled = query = _Pending(b"F")
        self._pending.append(query)
        try:
            self.port.send([b"F\r"], 0)
        except (
            CanTimeoutError,
            CanOperationError,
        ):  # no room; or lost, which receive reports after the frames
            self._forget(query)
        finally:
            self._sending.release()

    # --- frames ---------------------------------------------------------------------------------------

    def send(self, lines: Sequence[bytes], timeout: float | None) -> None:
        """Send frames; wait until the adapter has accepted them, if it answers frames.

        Raises:
            CanOperationError: the adapter refused a frame, or the port failed.
            CanTimeoutError: the adapter's queue stayed full.
        """
        deadline = Deadline(timeout)
        if not self._sending.acquire(timeout=-1 if timeout is None else max(0.0, timeout)):
            raise CanTimeoutError(f"{self._name}: other threads are sending", sent=0)
        try:
            if self.acknowledges:
                self._send_acknowledged(deque(lines), deadline)
            else:
                self.port.send(lines, timeout)
        finally:
            self._sending.release()

    def _send_acknowledged(self, lines: deque[bytes], deadline: Deadline) -> None:
        """Send ``lines``, up to ``WINDOW`` of them unacknowledged, and after a refusal one by one."""
        total, width = len(lines), WINDOW
        while lines:
            part = [lines.popleft() for _ in range(min(width, len(lines)))]
            refused = self._exchange(part, deadline, total - len(lines) - len(part))
            if refused is None:
                self._stop_expecting()
                self._write(list(lines), deadline, total - len(lines))
                return
            if refused:
                sent = total - len(lines) - len(refused)
                self._pause_if_full(refused, sent, deadline)
                lines.extendleft(reversed(refused))
                width = 1

    def _exchange(self, part: list[bytes], deadline: Deadline, sent: int) -> list[bytes] | None:
        """Send ``part``; return the refused lines, or None if the adapter has answered none of them."""
        window = [_Pending(_FRAME) for _ in part]
        self._pending.extend(window)
        try:
            self._write(part, deadline, sent)
            for number in range(len(window)):
                if not self._is_answered(window[number], deadline):
                    if number == 0 and not deadline.passed:
                        return None
                    text = f"{self._name}: no acknowledgement in time"
                    raise CanTimeoutError(text, sent=sent + number)
        finally:
            self._forget(*window)
        return [line for line, pending in zip(part, window, strict=True) if pending.result == REFUSED]

    def _write(self, lines: list[bytes], deadline: Deadline, sent: int) -> None:
        """Write ``lines``, after ``sent`` others of the same batch."""
        try:
            self.port.send(lines, deadline.remaining())
        except CanTimeoutError as error:
            error.sent = sent + (error.sent or 0)
            raise

    def _is_answered(self, pending: _Pending, deadline: Deadline) -> bool:
        left = deadline.remaining()
        seconds = SILENCE if left is None else max(self._ack_timeout, min(left, SILENCE))
        return self.port.wait_for(lambda: pending.result is not None, Deadline(seconds))

    def _pause_if_full(self, refused: list[bytes], sent: int, deadline: Deadline) -> None:
        """Return if the adapter's transmit queue was full and there is time to try again.

        Raises:
            CanOperationError: the adapter refused the frames for another reason.
            CanTimeoutError: the queue stayed full.
        """
        flags = self._status() if self.has_status else None
        if flags is None or not flags & TX_FULL:
            line = refused[0].rstrip().decode()
            text = f"{self._name}: the adapter refused {counted(len(refused), 'frames')}, the first is {line}"
            hint = "its transmit queue may be full, or the bus off" if flags is None else None
            raise CanOperationError(text, hint=hint, sent=sent)
        if deadline.passed:
            raise CanTimeoutError(f"{self._name}: the adapter's transmit queue is full", sent=sent)
        deadline.pause()

    def _status(self) -> int | None:
        """Return the status flags; the lock for sending is held."""
        pending = _Pending(b"F")
        self._pending.append(pending)
        try:
            self.port.send([b"F\r"], SILENCE)
            self.port.wait_for(lambda: pending.result is not None, Deadline(self._ack_timeout))
        finally:
            self._forget(pending)
        return flags_of(pending.result)

    def _stop_expecting(self) -> None:
        self.acknowledges = False
        self._note(f"{self._name}: the adapter no longer acknowledges frames; it may not send them")


def flags_of(answer: bytes | None) -> int | None:
    """Return the status flags of the answer to ``F``, None if it has none."""
    return int(answer[1:], 16) if answer and answer[:1] == b"F" and len(answer) == 3 else None
