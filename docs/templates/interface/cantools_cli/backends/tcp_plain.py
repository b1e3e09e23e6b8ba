"""tcp_plain: a bus of all clients of a TCP server that exchanges lines of text, classic data frames only.

::

    123 DEADBEEF\\n      3 digits of identifier: 11 bits
    00000123\\n          8 digits: 29 bits; this frame has no data

The codec, ``encode`` and ``Decoder``, does no input and output, so its tests are tables of bytes and frames.

Source: name the document that specifies the protocol, and its section.
"""

from __future__ import annotations

import re
import time
from typing import Any

from cantools_cli.backends.transport.tcp import TcpPort, connect, endpoint
from cantools_cli.bus.base import BusABC
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import CanOperationError, FormatError, quoted
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel, Message

DEFAULT_PORT = 29000
MAX_LINE = 64  #: bytes; a longer line is malformed

_LINE = re.compile(rb"([0-9A-Fa-f]{8}|[0-9A-Fa-f]{3})(?: ((?:[0-9A-Fa-f]{2}){1,8}))?\r?")


def encode(batch: MessageBatch) -> list[bytes]:
    """Return one line per frame of ``batch``.

    Raises:
        CanOperationError: the batch contains a remote, error or CAN FD frame.
    """
    lines = []
    for message in batch:
        if message.is_remote_frame or message.is_error_frame or message.is_fd:
            raise CanOperationError("tcp_plain carries neither remote frames, error frames nor CAN FD")
        digits = 8 if message.is_extended_id else 3
        line = f"{message.arbitration_id:0{digits}X} {message.data.hex().upper()}"
        lines.append(line.rstrip().encode() + b"\n")
    return lines


class Decoder:
    """Turns a byte stream into batches; keeps an unfinished line for the next ``feed``.

    A malformed line is skipped and counted.

    Attributes:
        faults: the number of malformed lines.
        first_fault: the error of the first malformed line.
    """

    def __init__(self, channel: Channel = None) -> None:
        self.faults = 0
        self.first_fault: FormatError | None = None
        self._channel = channel
        self._rest = b""

    def feed(self, data: bytes, timestamp_ns: int) -> MessageBatch:
        """Return the frames that ``data`` completes, with ``timestamp_ns`` as their timestamp."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[: MAX_LINE + 1]  # bounds the memory that a stream without newlines takes
        batch = MessageBatch()
        for line in lines:
            message = self._message(line)
            if message is None:
                self.faults += 1
                self.first_fault = self.first_fault or FormatError(f"not a tcp_plain line: {quoted(line)}")
            else:
                message.timestamp_ns = timestamp_ns
                batch.append(message)
        return batch

    def _message(self, line: bytes) -> Message | None:
        match = _LINE.fullmatch(line)
        if match is None:
            return None
        is_extended_id = len(match[1]) == 8
        identifier = int(match[1], 16)
        if identifier > (bits.CAN_EFF_MASK if is_extended_id else bits.CAN_SFF_MASK):
            return None
        data = bytes.fromhex((match[2] or b"").decode())
        return Message(
            arbitration_id=identifier, is_extended_id=is_extended_id, data=data, channel=self._channel
        )


class TcpPlainBus(BusABC):
    """A client of a tcp_plain server.

    ``channel`` is ``host:port``; ``connect_timeout`` is in seconds. Received frames are stamped on arrival.

    Attributes:
        bad_frames: the number of malformed lines received.
        missed_frames: the number of frames dropped because the program did not receive them.

    Raises:
        UsageError: ``channel`` is not ``host:port``.
        CanInitializationError: the server cannot be reached.
    """

    def __init__(
        self,
        channel: str,
        can_filters: CanFilters | None = None,
        *,
        connect_timeout: float = 5.0,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("tcp_plain", TcpPlainBus, kwargs)
        host, port = endpoint(channel, DEFAULT_PORT)
        name = f"tcp_plain:{channel}"
        self._decoder = Decoder(channel)
        self._port = TcpPort(connect(host, port, connect_timeout, name), self._decode, name, channel)
        self.channel_info = name
        super().__init__(channel, can_filters, **kwargs)

    @property
    def bad_frames(self) -> int:
        return self._decoder.faults

    @property
    def first_fault(self) -> FormatError | None:
        return self._decoder.first_fault

    @property
    def missed_frames(self) -> int:
        return self._port.missed

    def _decode(self, data: bytes) -> MessageBatch:
        return self._decoder.feed(data, time.time_ns())

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        return self._port.receive(timeout)

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        self._port.send(encode(batch), timeout)

    def _fileno(self) -> int:
        return self._port.fileno()

    def _close(self) -> None:
        self._port.close()
