"""tcp_plain: a bus of all clients of a TCP server that exchanges lines of text, classic data frames only.

::

    123 DEADBEEF\\n      3 digits of identifier: 11 bits
    00000123\\n          8 digits: 29 bits; this frame has no data

The codec, ``encode`` and ``Decoder``, does no input and output, so its tests are tables of bytes and frames.

Source: name the document that specifies the protocol, and its section.
"""

from __future__ import annotations

import re
from typing import Any

from cantools_cli.backends.transport.port import PortBus
from cantools_cli.backends.transport.tcp import TcpPort, connect, endpoint
from cantools_cli.bus.losses import Losses
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

    A malformed line is skipped and counted in ``losses``.
    """

    def __init__(self, losses: Losses, channel: Channel = None) -> None:
        self._losses = losses
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
                error = FormatError(f"not a tcp_plain line: {quoted(line)}")
                self._losses.add_fault("malformed lines skipped", error)
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


class TcpPlainBus(PortBus):
    """A client of a tcp_plain server.

    ``channel`` is ``host:port``; ``connect_timeout`` is in seconds. Received frames are stamped on arrival.

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
        end = connect(host, port, connect_timeout, name)
        self._port = TcpPort(end, Decoder(self.losses, channel).feed, name, channel, self.losses)
        self.channel_info = name
        super().__init__(channel, can_filters, **kwargs)

    def _encode(self, batch: MessageBatch) -> list[bytes]:
        return encode(batch)
