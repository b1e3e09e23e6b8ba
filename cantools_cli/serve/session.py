"""One client's session: its commands and its state, without a socket and a clock of its own.

::

    NO_BUS  --open-->  BCM  <--bcmmode, rawmode, controlmode-->  RAW, CONTROL

In BCM, the broadcast manager's mode, a client receives its subscriptions and can send cyclically; in RAW it
receives all frames; in CONTROL the statistics of the bus.

Source: socketcand's protocol description (linux-can/socketcand, ``doc/protocol.md``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import TYPE_CHECKING

from cantools_cli.backends.socketcand import codec
from cantools_cli.errors import CanError, FormatError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.serve.subscriptions import Subscription, Subscriptions

if TYPE_CHECKING:
    from cantools_cli.serve.served import BusJob, Served

#: seconds that frames are held back after the answer to ``rawmode``: python-can reads up to 256 bytes, and
#: rejects an answer that is followed by frames
RAW_DELAY = 0.05
#: maximum number of cyclic jobs per client, and their minimum period in seconds
MAX_JOBS = 256
SHORTEST_PERIOD = 0.001

#: the answer to a new connection
GREETING = b"< hi >"
_UNKNOWN = b"< error unknown command >"
_OK = b"< ok >"


class Mode(Enum):
    """What a session accepts and delivers."""

    NO_BUS = "no bus"
    BCM = "bcmmode"
    RAW = "rawmode"
    CONTROL = "controlmode"


class ClientSession:
    """The state of one client.

    ``open_bus`` returns the bus of a name, None if it is unknown, and raises a CanError if the bus has
    failed. With ``errors`` the client receives error frames in raw mode too.
    """

    def __init__(
        self, open_bus: Callable[[str], Served | None], *, read_only: bool = False, errors: bool = False
    ) -> None:
        self.mode = Mode.NO_BUS
        self.bus: Served | None = None
        self.extended = False  #: whether the client supports the extension of canx
        self.is_over = False
        self.held_until = 0.0  #: time until which frames are held back
        self.refused = 0
        self.reason: str | None = None
        self._open_bus = open_bus
        self._read_only = read_only
        self._errors = errors
        self._raw_left_out = 0
        self._decoder = codec.SocketcandDecoder()
        self._subscriptions = Subscriptions()
        self._jobs: dict[int, BusJob] = {}
        self._sends = MessageBatch()
        self._statistics: tuple[float, float] | None = None  # period in seconds, time of the next message
        self._answers: list[bytes] = []
        self._now = 0.0

    @property
    def faults(self) -> int:
        """The number of malformed messages of the client."""
        return self._decoder.losses.total()

    @property
    def first_fault(self) -> FormatError | None:
        return self._decoder.losses.first_fault

    @property
    def left_out(self) -> int:
        return self._raw_left_out + self._subscriptions.left_out

    @property
    def wants_errors(self) -> bool:
        """Whether the client receives error frames, and notices of lost frames, in raw mode."""
        return self._errors or self.extended

    def receive_data(self, data: bytes, now: float) -> bytes:
        """Execute the commands in ``data``; return the answers."""
        self._now = now
        self.held_until = 0.0  # a client that sends again has read the answer
        for text in self._decoder.feed(data):
            if self.is_over:
                break
            self._obey(text)
        self._send_gathered()
        answers, self._answers = self._answers, []
        return b"".join(answers)

    def deliver(
        self, batch: MessageBatch, raw: dict[tuple[bool, bool], tuple[bytes, int]], now: float
    ) -> tuple[bytes, int]:
        """Return the text of ``batch`` for this client, and the number of frames in it.

        ``raw`` caches the texts of the batch, so that each is formatted once for all clients.
        """
        if self.mode is Mode.BCM:
            return self._subscriptions.select(batch, now, extended=self.extended)
        if self.mode is not Mode.RAW:
            return b"", 0
        dialect = (self.extended, self.wants_errors)
        if dialect not in raw:
            raw[dialect] = codec.format_raw(batch, extended=dialect[0], errors=dialect[1])
        text, count = raw[dialect]
        self._raw_left_out += len(batch) - count
        return text, count

    def due(self) -> float | None:
        """Return the time of the next ``tick``, or None."""
        times = [self._subscriptions.due() if self.mode is Mode.BCM else None]
        if self._statistics is not None:
            times.append(self._statistics[1])
        return min((time for time in times if time is not None), default=None)

    def tick(self, now: float) -> tuple[bytes, int]:
        """Return the text that is due, and the number of frames in it."""
        if self._statistics is not None and self.bus is not None and now >= self._statistics[1]:
            self._statistics = (self._statistics[0], now + self._statistics[0])
            bus = self.bus
            figures = (bus.received_bytes, bus.received_frames, bus.sent_bytes, bus.sent_frames)
            return f"< stat {' '.join(map(str, figures))} >".encode(), 1
        return self._subscriptions.tick(now) if self.mode is Mode.BCM else (b"", 0)

    def close(self) -> None:
        """Stop the jobs of the client."""
        for job in self._jobs.values():
            job.stop()
        self._jobs.clear()
        self._subscriptions.clear()
        self._statistics = None

    def _obey(self, text: bytes) -> None:
        name, _, rest = text.partition(b" ")
        command = _COMMANDS[self.mode].get(name)
        if command is None and self.extended and self.mode in (Mode.BCM, Mode.RAW):
            command = _EXTENDED.get(name)
        if command is None:
            if self.mode is Mode.NO_BUS and rest[:2] in (b"B ", b"C "):
                self._answers.append(b"< error the bit rate is set where canx serve is started >")
            else:
                self._answers.append(_UNKNOWN)
            return
        try:
            command(self, rest.split())
        except FormatError:  # the protocol has no answer for a malformed command
            self._decoder.add_fault(b"< " + text + b" >")

    def _open(self, tokens: Sequence[bytes]) -> None:
        name = b" ".join(tokens).decode("utf-8", "replace")
        try:
            self.bus = self._open_bus(name)
        except CanError as error:
            self._answers.append(f"< error could not start interface {name} >".encode())
            self.reason = str(error)
            return
        if self.bus is None:
            self._answers.append(b"< error could not open bus >")
            self._end(f"no such bus {quoted(name)}")
            return
        self.mode = Mode.BCM
        self._answers.append(_OK)

    def _change_mode(self, mode: Mode) -> None:
        if mode is self.mode:
            self._answers.append(_UNKNOWN)
            return
        self._send_gathered()
        self.close()  # as in the daemon, whose sockets are closed with the mode
        self.mode = mode
        self._answers.append(_OK)
        if mode is Mode.RAW:
            self.held_until = self._now + RAW_DELAY

    def _canx(self, tokens: Sequence[bytes]) -> None:
        if tokens != [b"fd"]:
            self._answers.append(_UNKNOWN)
            return
        self.extended = True
        self._answers.append(_OK)

    def _gather(self, message: Message) -> None:
        if self._read_only:
            self._refuse()
        else:
            self._sends.append(message)

    def _refuse(self) -> None:
        if not self.refused:
            # not as an error message, on which python-can fails
            self._answers.append(b"< canx this bus is read-only >")
        self.refused += 1

    def _send_gathered(self) -> None:
        """Send the frames of the client's ``send`` commands in one batch."""
        batch = self._sends
        if not len(batch) or self.bus is None:
            return
        self._sends = MessageBatch()
        try:
            self.bus.send(batch, self)
        except (CanError, ValueError, NotImplementedError) as error:
            self._end(f"sending failed: {error}")

    def _add(self, tokens: Sequence[bytes]) -> None:
        period, message = codec.parse_interval(tokens), codec.parse_send(tokens[2:])
        if self._read_only:
            self._refuse()
            return
        word = _word(message)
        if period < SHORTEST_PERIOD or (word not in self._jobs and len(self._jobs) >= MAX_JOBS):
            raise FormatError("the period is too short, or there are too many jobs")
        before = self._jobs.pop(word, None)
        if before is not None:
            before.stop()
        assert self.bus is not None
        try:
            self._jobs[word] = self.bus.start_job(message, period, self)
        except (CanError, ValueError, NotImplementedError) as error:
            self._end(f"sending failed: {error}")

    def _update(self, tokens: Sequence[bytes]) -> None:
        message = codec.parse_send(tokens)
        self._job(_word(message)).change(message)

    def _delete(self, tokens: Sequence[bytes]) -> None:
        word = _only_id(tokens)
        self._job(word).stop()
        del self._jobs[word]

    def _job(self, word: int) -> BusJob:
        job = self._jobs.get(word)
        if job is None:
            raise FormatError(f"no job with identifier {word:X}")
        return job

    def _subscribe(self, tokens: Sequence[bytes]) -> None:
        interval = codec.parse_interval(tokens)
        self._subscriptions.add(_only_id(tokens[2:]), Subscription(interval))

    def _unsubscribe(self, tokens: Sequence[bytes]) -> None:
        self._subscriptions.remove(_only_id(tokens))

    def _filter(self, tokens: Sequence[bytes]) -> None:
        interval, message = codec.parse_interval(tokens), codec.parse_send(tokens[2:])
        mask = int.from_bytes(message.data.ljust(8, b"\0"), "big")
        self._subscriptions.add(_word(message), Subscription(interval, [mask]))

    def _filter_kinds(self, tokens: Sequence[bytes]) -> None:
        interval = codec.parse_interval(tokens)
        if len(tokens) < 4:
            raise FormatError("the masks are missing")
        word, count = codec.parse_id(tokens[2]), codec.decimal(tokens[3], 257)
        data = bytes(codec.octet(token) for token in tokens[4:])
        if count < 2 or len(data) != 8 * count:
            raise FormatError(f"{count} masks announced, {len(data)} bytes found")
        masks = [int.from_bytes(data[at : at + 8], "big") for at in range(0, len(data), 8)]
        self._subscriptions.add(word, Subscription(interval, masks))

    def _report_statistics(self, tokens: Sequence[bytes]) -> None:
        if len(tokens) != 1:
            raise FormatError("the interval is missing")
        interval = codec.decimal(tokens[0], 1 << 31) / 1000
        self._statistics = (max(interval, SHORTEST_PERIOD), self._now + interval) if interval else None

    def _end(self, reason: str) -> None:
        self.is_over, self.reason = True, reason


def _word(message: Message) -> int:
    return message.arbitration_id | (bits.CAN_EFF_FLAG if message.is_extended_id else 0)


def _only_id(tokens: Sequence[bytes]) -> int:
    if len(tokens) != 1:
        raise FormatError(f"{len(tokens)} identifiers")
    return codec.parse_id(tokens[0]) & ~bits.CAN_RTR_FLAG


_Command = Callable[[ClientSession, Sequence[bytes]], None]


def _mode(mode: Mode) -> _Command:
    return lambda session, tokens: session._change_mode(mode)


def _answer(text: bytes) -> _Command:
    return lambda session, tokens: session._answers.append(text)


def _sends(parse: Callable[[Sequence[bytes]], Message]) -> _Command:
    return lambda session, tokens: session._gather(parse(tokens))


_ANYWHERE: dict[bytes, _Command] = {
    b"rawmode": _mode(Mode.RAW),
    b"bcmmode": _mode(Mode.BCM),
    b"controlmode": _mode(Mode.CONTROL),
    b"isotpmode": _answer(b"< error isotp is not served >"),
    b"echo": _answer(b"< echo >"),
    b"canx": ClientSession._canx,
}
_COMMANDS: dict[Mode, dict[bytes, _Command]] = {
    Mode.NO_BUS: {b"open": ClientSession._open},
    Mode.BCM: {
        **_ANYWHERE,
        b"send": _sends(codec.parse_send),
        b"add": ClientSession._add,
        b"update": ClientSession._update,
        b"delete": ClientSession._delete,
        b"subscribe": ClientSession._subscribe,
        b"unsubscribe": ClientSession._unsubscribe,
        b"filter": ClientSession._filter,
        b"muxfilter": ClientSession._filter_kinds,
    },
    Mode.RAW: {**_ANYWHERE, b"send": _sends(codec.parse_send)},
    Mode.CONTROL: {**_ANYWHERE, b"statistics": ClientSession._report_statistics},
}
_EXTENDED = {b"sendfd": _sends(codec.parse_send_fd), b"sendrtr": _sends(codec.parse_send_remote)}
