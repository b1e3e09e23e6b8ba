"""cannelloni: a tunnel between two CAN buses over UDP or TCP.

Nobody proves who they are, and nothing is encrypted: frames are taken from whoever has the peer's address.
Over UDP datagrams may be lost, which the peer's numbers tell, or overtake each other.
"""

from __future__ import annotations

import errno
import select
import socket
from contextlib import suppress
from typing import Any, Protocol

from cantools_cli.backends.cannelloni import codec
from cantools_cli.backends.cannelloni.peer import Peer
from cantools_cli.backends.transport import udp
from cantools_cli.backends.transport.tcp import endpoint, reason_of
from cantools_cli.bus.base import BusABC, CanProtocol
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import (
    CanOperationError,
    CanTimeoutError,
    UsageError,
    quoted,
)
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch

DEFAULT_PORT = 20000

#: datagrams fetched at once, at most
BATCH = 256
_MAX_LENGTH = 65535


class Port(Protocol):
    """What connects a bus to its peer.

    ``where`` is the own address, for people.
    """

    where: str

    def send(self, batch: MessageBatch, timeout: float | None) -> None: ...
    def receive(self, timeout: float | None) -> MessageBatch | None: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...


class CannelloniBus(BusABC):
    """One end of a tunnel.

    ``channel`` is the peer, ``host:port``. ``local_port`` and ``bind`` are the port and the address here;
    without ``bind`` it is the one from which this computer reaches the peer, so that a peer on
    loopback is heard on loopback only. ``transport`` is udp or tcp. Over TCP this end connects, again
    every 2 seconds when the connection is lost, and ``local_port`` means nothing; with ``listen`` the peer
    connects to ``local_port``, and its own port means nothing. Frames have the time at which they came.

    Over TCP ``send`` waits for a peer as it waits for room: up to its timeout, 3 seconds without one.

    Raises:
        CanInitializationError: the address here is taken, or nobody answers over TCP.
    """

    _can_protocol = CanProtocol.CAN_FD

    def __init__(
        self,
        channel: str,
        can_filters: CanFilters | None = None,
        *,
        local_port: int = DEFAULT_PORT,
        bind: str | None = None,
        transport: str = "udp",
        listen: bool = False,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("cannelloni", CannelloniBus, kwargs)
        host, port = endpoint(channel, DEFAULT_PORT)
        if transport not in ("udp", "tcp"):
            raise UsageError(f"unknown transport {quoted(transport)} of cannelloni", hint="udp or tcp")
        if not 0 <= local_port < 65536:
            raise UsageError(f"port {local_port} is not in 0 to 65535")
        if listen and transport == "udp":
            raise UsageError("listen is for transport=tcp: over UDP both sides listen")
        self._decoder = codec.Decoder(channel, self.losses)
        self._port: Port
        name = f"cannelloni:{channel}"
        peer = Peer(host, port, name)
        if transport == "tcp":
            from cantools_cli.backends.cannelloni.tcp import TcpTunnel

            here = (bind or peer.local_address(), local_port) if listen else None
            self._port = TcpTunnel(peer, here, self._decoder, channel)
        else:
            self._port = UdpPort(peer, bind or peer.local_address(), local_port, self._decoder)
        self.channel_info = f"cannelloni peer {host}, port {port}, {transport}; {self._port.where}"
        super().__init__(channel, can_filters, **kwargs)

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        batch = self._port.receive(timeout)
        if batch is None:
            self._check_open()  # closed by another thread meanwhile
        return batch

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        self._port.send(batch, timeout)

    def _fileno(self) -> int:
        return self._port.fileno()

    def _close(self) -> None:
        self._port.close()


class UdpPort:
    """A socket that datagrams of the peer come to, and leave from."""

    def __init__(self, peer: Peer, address: str, port: int, decoder: codec.Decoder) -> None:
        self._peer = peer
        self._decoder = decoder
        self._sequence = 0
        self._room = codec.ROOM_IPV4 if peer.family == socket.AF_INET else codec.ROOM_IPV6
        self._end = end = peer.socket_at(address, port, socket.SOCK_DGRAM)
        here = end.getsockname()
        if here[:2] == peer.address[:2]:
            end.close()
            raise UsageError(f"{peer.name} is this end itself", hint="local_port= takes another port here")
        udp.prepare(end)
        self.where = f"here {here[0]}, port {here[1]}"

    def fileno(self) -> int:
        return self._end.fileno()

    def receive(self, timeout: float | None) -> MessageBatch | None:
        deadline = Deadline(timeout)
        batch = self._decoder.batch()
        while True:
            for _ in range(BATCH):
                if not self._read_one(batch):
                    break
            if len(batch):
                return batch
            if self._end.fileno() < 0 or not udp.ready(self._end, select.POLLIN, deadline):
                return None

    def _read_one(self, batch: MessageBatch) -> bool:
        """Add the frames of the next datagram; return False where none is waiting."""
        try:
            text, extra, _, source = self._end.recvmsg(_MAX_LENGTH, 64)
        except OSError as error:
            if error.errno == errno.EAGAIN or self._end.fileno() < 0:
                return False
            raise CanOperationError(f"{self._peer.name}: receiving failed: {reason_of(error)}") from error
        if source and self._peer.is_at(source):  # no source: it is being closed
            self._decoder.datagram(text, udp.arrival(extra), batch)
        return bool(source)

    def send(self, batch: MessageBatch, timeout: float | None) -> None:
        deadline = Deadline(timeout)
        row = 0
        for datagram in codec.datagrams(batch, self._sequence, self._room):
            while not self._has_left(datagram, row):
                if not udp.ready(self._end, select.POLLOUT, deadline) or deadline.passed:
                    raise CanTimeoutError(f"{self._peer.name}: no room to send in time", sent=row)
            self._sequence = (self._sequence + 1) & 0xFF
            row += codec.frames_in(datagram)

    def _has_left(self, datagram: bytes, row: int) -> bool:
        try:
            return udp.has_left(lambda: self._end.sendto(datagram, self._peer.address))
        except OSError as error:
            text = f"{self._peer.name}: sending failed: {reason_of(error)}"
            raise CanOperationError(text, sent=row) from error

    def close(self) -> None:
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)  # wakes who waits; there is no connection to end
        self._end.close()
