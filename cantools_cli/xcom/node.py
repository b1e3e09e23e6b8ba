"""A node on the bus: sends requests and matches replies to them.

Replies carry no request number, so a reply is recognised by all of these rules:

- It is a classic extended data frame to our address, from the requested device, of the requested service.
- It has the requested object and part (parts 0 and 4 are equal on reading: RAM reads as flash).
- An error for another object counts only if nothing better arrives until the timeout, since the meaning of
  that field is uncertain, and never if it names the object of a recent request.
- A reply that is too short is an error at the end of the timeout, never a value.
- After a request for a parameter had no reply, the next request for it waits until a late reply can no
  longer arrive. Requests for a user info do not wait: a late reply has its value just as well.

Frames received before the request was sent are ignored. Messages of devices are stored on the way.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, WeakSet

from cantools_cli.bus.base import BusABC
from cantools_cli.bus.deadline import Deadline
from cantools_cli.errors import CanError, CanOperationError, CanTimeoutError
from cantools_cli.frame.message import Message
from cantools_cli.xcom import codec
from cantools_cli.xcom.addresses import NOTIFICATION_ADDRESS, device_name, is_group, is_member
from cantools_cli.xcom.codec import Identifier, MessageNotification, Part, Reply, Service
from cantools_cli.xcom.turn import Turns

#: seconds after its timeout during which a late reply may arrive
LATE_SECONDS = 2.0
#: maximum number of stored messages of devices
_KEPT_MESSAGES = 65_536
#: seconds for draining queued frames while more keep arriving
_BACKLOG = 0.2
#: seconds for which a wait for messages may block transactions of other threads
_LISTENING = 0.05


class StuCanPublicError(CanError):
    """A device, or the gateway on its behalf, answered with an error.

    Attributes:
        id: the object in the reply.
        error_code: the number of the error.
        identifier: the name of the error, or UNKNOWN.
        source: the address of the sender; None if unknown.
    """

    def __init__(self, id: int, error_code: int, *, source: int | None = None) -> None:
        super().__init__()
        self.args = (id, error_code)
        self.id = id
        self.error_code: int = error_code
        self.identifier = codec.error_name(error_code)
        self.source = source

    def __str__(self) -> str:
        return f"StuCanPublicError(id={self.id}, error_code={self.error_code}, identifier={self.identifier})"

    @property
    def explanation(self) -> str:
        """The error as text: ``OBJECT_ID_NOT_FOUND (0x22): the device has no such object``."""
        name, meaning = codec.ERRORS.get(self.error_code, ("UNKNOWN", "unknown error"))
        return f"{name} (0x{self.error_code:02X}): {meaning}"


class Timeout(CanTimeoutError):  # noqa: N818  # the vendor's name
    """No reply arrived in time."""


class ShortReplyError(CanOperationError):
    """The only reply that arrived in time was too short."""


class Notified(NamedTuple):
    """A message of a device with its timestamp, in seconds since the epoch."""

    timestamp: float
    source: int
    notification: MessageNotification


class Answer(NamedTuple):
    """A reply with the address of its sender."""

    source: int
    reply: Reply


class Request(NamedTuple):
    """A request to ``destination``; ``part`` is for parameters, ``value`` for writing."""

    destination: int
    service: int
    object_id: int
    part: int | None = None
    value: float | None = None
    ends: float = 0.0  # monotonic time after which no reply can arrive
    answered: bool = False

    def __str__(self) -> str:
        kind = "info" if self.service == Service.READ_USER_INFO else "parameter"
        return f"{device_name(self.destination)}: {kind} {self.object_id}"


class _Medium:
    """State shared by all nodes on one open bus."""

    def __init__(self, name: str) -> None:
        self.turns = Turns(name)
        self.nodes: WeakSet[Node] = WeakSet()


_media: WeakKeyDictionary[Any, _Medium] = WeakKeyDictionary()


class Node:
    """A client at ``address`` on an open ``bus``, which the caller closes. Threads may share a node.

    ``on_detail`` is called with one line for each frame sent, received or ignored.
    """

    def __init__(
        self,
        bus: BusABC,
        address: int,
        *,
        on_detail: Callable[[str], None] | None = None,
        late_seconds: float = LATE_SECONDS,
    ) -> None:
        self.bus = bus
        self.address = address
        self.messages: deque[Notified] = deque(maxlen=_KEPT_MESSAGES)
        self.missed_messages = 0
        self._on_detail = on_detail
        self._late_seconds = late_seconds
        self._past: list[Request] = []
        self._medium = _media.setdefault(bus, _Medium(f"{type(bus).__name__} {bus.channel_info}"))
        self._medium.nodes.add(self)

    def close(self) -> None:
        """Stop receiving messages; the bus stays open."""
        self._medium.nodes.discard(self)
        if not self._medium.nodes:
            self._medium.turns.close()

    def request(self, request: Request, timeout: float | None = 1.0) -> Answer:
        """Send a request and return its reply; a ``timeout`` of None waits indefinitely.

        Raises:
            StuCanPublicError: the reply is an error.
            Timeout: no reply arrived.
            ShortReplyError: the only reply was too short.
            CanError: the bus failed.
            ValueError, OverflowError: an argument is out of range.
        """
        return self._transact(request, timeout, gather=False)[0]

    def request_all(self, request: Request, timeout: float = 1.0) -> list[Answer]:
        """Send a request to a group and return all replies that arrive within the timeout.

        Errors of single devices are included as replies; raises like ``request``.
        """
        return self._transact(request, timeout, gather=True)

    def receive_messages(self, timeout: float | None = 0.0) -> None:
        """Store messages among the queued frames, or the first frames received within ``timeout`` seconds."""
        deadline = Deadline(timeout)
        while True:
            remaining = deadline.remaining()
            wait = _LISTENING if remaining is None else min(_LISTENING, remaining)
            with self._medium.turns.take(among_processes=False):  # other threads get turns between waits
                batch = self.bus.recv_batch(wait)
                for message in batch or ():
                    self._offer(message)
                if batch is not None:
                    self._drain()
            if batch is not None or deadline.passed:
                return

    def _transact(self, request: Request, timeout: float | None, *, gather: bool) -> list[Answer]:
        data = codec.encode_request(request.service, request.object_id, request.part, request.value)
        frame = codec.frame(request.destination, self.address, request.service, data)
        if request.value is not None:
            request = request._replace(value=codec.rounded(request.value))
        with self._medium.turns.take():
            self._wait_for_late_replies(request)
            self._drain()
            self._log("sent", frame)
            self.bus.send(frame, timeout)
            answers: list[Answer] = []
            try:
                answers = self._listen(request, timeout, gather)
            finally:
                ends = time.monotonic() + self._late_seconds
                self._past = [*self._live_past(), request._replace(ends=ends, answered=bool(answers))]
        error = answers[0].reply.error_code
        if error is not None and not gather:
            raise StuCanPublicError(request.object_id, error, source=answers[0].source)
        return answers

    def _listen(self, request: Request, timeout: float | None, gather: bool) -> list[Answer]:
        deadline = Deadline(timeout)
        last = Deadline(None if timeout is None else timeout + _BACKLOG)  # a busy bus is never silent
        answers: list[Answer] = []
        doubtful: CanError | None = None  # raised if nothing better arrives
        while not (answers and not gather) and not last.passed:
            message = self.bus.recv(deadline.remaining())
            if message is None:
                if deadline.passed:
                    break
                continue
            identifier = self._reply_to(request, message)
            if identifier is not None:
                try:
                    answer = self._judged(request, identifier, bytes(message.data))
                except (StuCanPublicError, ShortReplyError) as error:
                    doubtful = doubtful or error
                    continue
                if answer is not None:
                    answers.append(answer)
        if answers:
            return answers
        if doubtful is not None:
            raise doubtful
        raise Timeout(
            f"{request}: no reply within {timeout:g} s",
            hint="a gateway may need 2 s: --timeout 2; canx xcom scan lists devices that answer",
        )

    def _reply_to(self, request: Request, message: Message) -> Identifier | None:
        """Return the identifier of ``message`` if it may be a reply to ``request``, else None."""
        self._offer(message)
        if not codec.is_carrier(message):
            return None
        identifier = codec.decode_identifier(message.arbitration_id)
        if identifier.destination != self.address or identifier.source == self.address:
            return None
        asked = request.destination
        from_whom = identifier.source == asked or (is_group(asked) and is_member(identifier.source, asked))
        if identifier.service != request.service or not from_whom:
            if identifier.service != Service.MESSAGE:
                self._log("ignored, not a reply to this request", message)
            return None
        return identifier

    def _judged(self, request: Request, identifier: Identifier, data: bytes) -> Answer | None:
        """Return the answer in a frame from the right sender; None if it answers another request.

        Raises:
            StuCanPublicError, ShortReplyError: the frame is the reply unless a better one arrives.
        """
        source = identifier.source
        try:
            reply = codec.decode_reply(request.service, data, identifier.is_error)
        except ValueError as error:
            if len(data) >= 2 and int.from_bytes(data[:2], "big") != request.object_id:
                return None
            raise ShortReplyError(f"{request}: {error}") from error
        if reply.error_code is not None:
            if reply.object_id == request.object_id:
                return Answer(source, reply)
            if any(past.object_id == reply.object_id for past in self._live_past()):
                return None  # a late or duplicate reply
            raise StuCanPublicError(reply.object_id, reply.error_code, source=source)
        is_part = reply.part == request.part or {reply.part, request.part} <= {Part.FLASH, Part.RAM}
        if reply.object_id != request.object_id or not is_part:
            return None
        if request.service == Service.WRITE_PARAMETER and self._is_of_earlier_write(request, reply):
            return None
        return Answer(source, reply)

    def _is_of_earlier_write(self, request: Request, reply: Reply) -> bool:
        """Return whether the reply has another value, recently written to the same parameter."""
        assert reply.value is not None
        if reply.value == request.value:
            return False
        return any(_is_same_object(past, request) and past.value == reply.value for past in self._live_past())

    def _live_past(self) -> list[Request]:
        now = time.monotonic()
        return [past for past in self._past if past.ends > now]

    def _wait_for_late_replies(self, request: Request) -> None:
        """Wait until a late reply to an earlier request for the same parameter can no longer arrive."""
        if request.service == Service.READ_USER_INFO:
            return
        silent = (past for past in self._live_past() if not past.answered)
        ends = [past.ends for past in silent if _is_same_object(past, request)]
        while ends and max(ends) > time.monotonic():
            message = self.bus.recv(max(0.0, max(ends) - time.monotonic()))
            if message is not None:
                self._offer(message)

    def _drain(self) -> None:
        end = Deadline(_BACKLOG)
        batch = self.bus.recv_batch(0)
        while batch is not None:
            for message in batch:
                self._offer(message)
            batch = None if end.passed else self.bus.recv_batch(0)

    def _offer(self, message: Message) -> None:
        """If a received frame is a message of a device, store it in all nodes on this bus."""
        if not codec.is_carrier(message):
            return
        self._log("received", message)
        identifier = codec.decode_identifier(message.arbitration_id)
        if identifier.service != Service.MESSAGE or identifier.is_error:
            return
        try:
            notification = codec.decode_notification(bytes(message.data))
        except ValueError:
            return
        for node in list(self._medium.nodes):
            if identifier.destination in (node.address, NOTIFICATION_ADDRESS):
                node.missed_messages += len(node.messages) == _KEPT_MESSAGES
                node.messages.append(Notified(message.timestamp, identifier.source, notification))

    def _log(self, what: str, message: Message) -> None:
        if self._on_detail is not None:
            self._on_detail(f"{what}: {message.arbitration_id:08X}#{bytes(message.data).hex().upper()}")


def _is_same_object(past: Request, request: Request) -> bool:
    return past[:3] == request[:3]
