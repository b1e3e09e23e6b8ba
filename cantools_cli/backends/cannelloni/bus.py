"""A tunnel between two CAN buses over UDP or TCP.

There is no authentication and no encryption: frames are accepted from any sender at the peer's address. UDP
datagrams may be lost, which their sequence numbers reveal, or reordered.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from cantools_cli.backends.cannelloni import codec
from cantools_cli.backends.cannelloni.peer import Peer
from cantools_cli.backends.transport.port import PortBus
from cantools_cli.backends.transport.tcp import endpoint
from cantools_cli.backends.transport.udp import UdpPort
from cantools_cli.bus.base import CanProtocol
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import (
    CanOperationError,
    CanTimeoutError,
    UsageError,
    quoted,
)
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch

if TYPE_CHECKING:
    from cantools_cli.backends.cannelloni.tunnel import TcpTunnel

DEFAULT_PORT = 20000
_MAX_LENGTH = 65535


class CannelloniBus(PortBus):
    """One end of a tunnel.

    ``channel`` is the peer, ``host:port``. ``local_port`` and ``bind`` are the local port and address; the
    default address is the one from which this computer reaches the peer, so that a peer on loopback is
    received on loopback only. ``transport`` is udp or tcp. Over TCP this end connects, and connects again
    every 2 seconds after the connection is lost; ``local_port`` has no effect. With ``listen`` the peer
    connects to ``local_port``, and its own port has no effect. Received frames are stamped on arrival.

    With ``receive_own_messages`` sent frames are received once they are written.
    Over TCP ``send`` also waits for a connection: up to its timeout, or 3 seconds without one.

    Raises:
        CanInitializationError: the local address is in use, or the peer does not answer over TCP.
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
        receive_own_messages: bool = False,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("cannelloni", CannelloniBus, kwargs)
        host, port = endpoint(channel, DEFAULT_PORT)
        if transport not in ("udp", "tcp"):
            raise UsageError(f"unknown transport {quoted(transport)} of cannelloni", hint="udp or tcp")
        if not 0 <= local_port < 65536:
            raise UsageError(f"port {local_port} is not in 0 to 65535")
        if listen and transport == "udp":
            raise UsageError("listen needs transport=tcp: over UDP both sides listen")
        decoder = codec.CannelloniDecoder(channel, self.losses)
        name = f"cannelloni:{channel}"
        peer = Peer(host, port, name)
        self._sequence = 0
        self._echoes_own = receive_own_messages
        self._room = 0  # for the frames of a datagram; 0 over TCP
        self._port: UdpPort | TcpTunnel
        if transport == "tcp":
            from cantools_cli.backends.cannelloni.tunnel import TcpTunnel

            here = (bind or peer.local_address(), local_port) if listen else None
            self._port = TcpTunnel(peer, here, decoder, channel)
            where = self._port.where
        else:
            self._room = codec.ROOM_IPV4 if peer.family == socket.AF_INET else codec.ROOM_IPV6
            end = _udp_socket(peer, bind or peer.local_address(), local_port)
            where = "here {}, port {}".format(*end.getsockname())

            def decode(datagram: bytes, source: Any, time_ns: int, batch: MessageBatch) -> None:
                if source and peer.is_at(source):  # the source is empty while the socket is being closed
                    decoder.datagram(datagram, time_ns, batch)

            self._port = UdpPort(
                end, decode, name, max_length=_MAX_LENGTH, channels=(channel,), destination=peer.address
            )
        self.channel_info = f"cannelloni peer {host}, port {port}, {transport}; {where}"
        super().__init__(channel, can_filters, **kwargs)

    def _encode(self, batch: MessageBatch) -> list[bytes]:
        return list(codec.datagrams(batch, self._sequence, self._room)) if self._room else codec.encode(batch)

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        records = self._encode(batch)
        sent = len(records)
        try:
            self._port.send(records, timeout)
        except (CanOperationError, CanTimeoutError) as error:
            if self._room and error.sent is not None:
                sent = error.sent
                error.sent = sum(map(codec.frames_in, records[:sent]))
            raise
        finally:
            self._sequence = self._sequence + sent & 0xFF


def _udp_socket(peer: Peer, address: str, port: int) -> socket.socket:
    end = peer.socket_at(address, port, socket.SOCK_DGRAM)
    if end.getsockname()[:2] == peer.address[:2]:
        end.close()
        raise UsageError(
            f"{peer.name} is the address of this end", hint="local_port= selects another local port"
        )
    return end
