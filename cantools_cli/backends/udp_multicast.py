"""Interface ``udp_multicast``: python-can's bus of all hosts that have joined a multicast group.

Datagrams may be lost or reordered.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from cantools_cli.backends import udp_multicast_codec as codec
from cantools_cli.backends.transport.port import PortBus
from cantools_cli.backends.transport.udp import UdpPort
from cantools_cli.bus.base import CanProtocol
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import (
    CanInitializationError,
    CanInterfaceNotImplementedError,
    CanOperationError,
    FormatError,
    UsageError,
    quoted,
    reason_of,
)
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch

# Linux's number, which the socket module lacks (linux/in.h)
_IP_MULTICAST_ALL = 49
_IS_LINUX = sys.platform == "linux"

#: Linux's list of the IPv6 groups joined
_MEMBERSHIPS = "/proc/net/igmp6"
#: scopes of IPv6 groups that need a network interface: interface-local, link-local
_NEED_INTERFACE = (1, 2)


class UdpMulticastBus(PortBus):
    """A bus of UDP datagrams.

    ``channel`` is the group, an IPv4 or IPv6 multicast address. ``%NAME`` after it, or ``interface``, selects
    the network interface, for IPv4 also by its address. ``hop_limit`` is the number of routers that a
    datagram may pass, plus one. Without ``fd``, sending a CAN FD frame is an error, and received ones are
    ignored. Received frames are stamped on arrival; ``keep_timestamps`` keeps the sender's timestamps.
    """

    _port: UdpPort

    DEFAULT_GROUP_IPv6 = "ff15:7079:7468:6f6e:6465:6d6f:6d63:6173"
    DEFAULT_GROUP_IPv4 = "239.74.163.2"

    def __init__(
        self,
        channel: str = DEFAULT_GROUP_IPv6,
        port: int = 43113,
        hop_limit: int = 1,
        receive_own_messages: bool = False,
        fd: bool = True,
        can_filters: CanFilters | None = None,
        *,
        interface: str | None = None,
        keep_timestamps: bool = False,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("udp_multicast", UdpMulticastBus, kwargs)
        if receive_own_messages:
            raise CanInterfaceNotImplementedError("udp_multicast cannot receive its own messages")
        obstacle = self._obstacle()
        if obstacle is not None:
            raise CanInterfaceNotImplementedError(obstacle)
        if not 0 < port < 65536 or not 0 <= hop_limit < 256:
            raise UsageError(f"port {port} is not in 1 to 65535, or hop limit {hop_limit} is not in 0 to 255")
        group, _, zone = str(channel).partition("%")
        self._group = MulticastGroup(group, port, interface or zone or None)
        self._hop_limit = hop_limit
        self._fd = fd
        self._keep_timestamps = keep_timestamps
        self._can_protocol = CanProtocol.CAN_FD if fd else CanProtocol.CAN_20
        self._own_address: tuple[Any, ...] | None = None
        self.channel_info = f"Multicast on {channel}, port {port}"
        try:
            receiver = self._group.receiving_socket()
        except OSError as error:
            raise CanInitializationError(
                f"udp_multicast:{channel}: cannot join: {reason_of(error)}"
            ) from error
        self._port = UdpPort(receiver, self._decode, self.channel_info, max_length=codec.MAX_LENGTH)
        super().__init__(channel, can_filters, **kwargs)

    def _decode(self, datagram: bytes, source: Any, time_ns: int, batch: MessageBatch) -> None:
        if source[:2] == self._own_address:
            return
        try:
            message = codec.decode(datagram)
        except FormatError as error:
            self.losses.add_fault("malformed datagrams skipped", error)
            return
        if message.is_fd and not self._fd:
            return
        if not self._keep_timestamps:
            message.timestamp_ns = time_ns
        batch.append(message)

    def _encode(self, batch: MessageBatch) -> Iterator[bytes]:
        self._open_sender()
        for row, message in enumerate(batch):
            if message.is_fd and not self._fd:
                raise CanOperationError("cannot send FD message over bus with CAN FD disabled", sent=row)
            yield codec.encode(message)

    def _open_sender(self) -> None:
        """Open a separate socket for sending; its address identifies this bus's own datagrams."""
        if self._own_address is None:
            try:
                self._port.sender = self._group.sending_socket(self._hop_limit)
            except OSError as error:
                raise CanOperationError(f"{self}: sending failed: {reason_of(error)}") from error
            self._own_address = self._port.sender.getsockname()[:2]

    def fileno(self) -> int:
        return -1 if self.is_shutdown else super().fileno()

    @staticmethod
    def _obstacle() -> str | None:
        return None if hasattr(socket.socket, "recvmsg") else f"udp_multicast does not work on {sys.platform}"

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return the two default groups; whether they have members cannot be detected."""
        groups = (UdpMulticastBus.DEFAULT_GROUP_IPv6, UdpMulticastBus.DEFAULT_GROUP_IPv4)
        return [{"interface": "udp_multicast", "channel": group} for group in groups]


class MulticastGroup:
    """A multicast group, and the sockets to receive from it and to send to it.

    Raises:
        UsageError: ``address`` is not a multicast address, or ``interface`` does not exist.
    """

    def __init__(self, address: str, port: int, interface: str | None) -> None:
        self.address = address
        self.port = port
        self._index = 0  # of the network interface; with 0 the system chooses
        self._local = b"\0\0\0\0"  # or the IPv4 address of the network interface
        self._packed = _packed(socket.AF_INET, address) or _packed(socket.AF_INET6, address) or b"\0"
        self.family = socket.AF_INET if len(self._packed) == 4 else socket.AF_INET6
        is_multicast = self._packed[0] >> 4 == 0xE if len(self._packed) == 4 else self._packed[0] == 0xFF
        if not is_multicast:
            raise UsageError(
                f"udp_multicast:{address}: not a multicast address",
                hint=f"such as {UdpMulticastBus.DEFAULT_GROUP_IPv4} or {UdpMulticastBus.DEFAULT_GROUP_IPv6}",
            )
        if interface is not None:
            self._use(interface)
        elif self.family == socket.AF_INET6 and self._packed[1] & 0xF in _NEED_INTERFACE:
            self._index = _chosen_by_the_system() or self._first_that_sends()

    def _first_that_sends(self) -> int:
        """Return the first network interface that can send to the group, loopbacks last; 0 if none can."""
        by_kind = sorted(socket.if_nameindex(), key=lambda entry: entry[1].startswith("lo"))
        for index, _ in by_kind:
            with socket.socket(self.family, socket.SOCK_DGRAM) as probe, suppress(OSError):
                probe.connect((self.address, self.port, 0, index))  # fails without an address in the scope
                return index
        return 0

    def _use(self, interface: str) -> None:
        local = _packed(socket.AF_INET, interface)
        if local is not None and self.family == socket.AF_INET:
            self._local = local
            return
        try:
            self._index = int(interface) if interface.isdecimal() else socket.if_nametoindex(interface)
        except OSError:
            names = ", ".join(name for _, name in socket.if_nameindex())
            text = f"udp_multicast: no network interface {quoted(interface)}"
            raise UsageError(text, hint=f"network interfaces: {names}") from None

    def receiving_socket(self) -> socket.socket:
        """Return a socket that receives the datagrams sent to the group."""
        receiver = socket.socket(self.family, socket.SOCK_DGRAM)
        try:
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if hasattr(socket, "SO_REUSEPORT"):
                receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            # a socket bound to "" also receives datagrams to other groups on the same port
            receiver.bind(self._destination() if _IS_LINUX else ("", self.port))
            self._join(receiver)
        except BaseException:
            receiver.close()
            raise
        return receiver

    def sending_socket(self, hop_limit: int) -> socket.socket:
        """Return a socket that sends to the group from its own port."""
        sender = socket.socket(self.family, socket.SOCK_DGRAM)
        try:
            sender.setblocking(False)
            if self.family == socket.AF_INET:
                sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, hop_limit)
                sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, self._choice(bytes(4)))
            else:
                sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, hop_limit)
                sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, self._index)
            sender.connect(self._destination())
        except BaseException:
            sender.close()
            raise
        return sender

    def _join(self, receiver: socket.socket) -> None:
        if self.family == socket.AF_INET6:
            membership = self._packed + struct.pack("@I", self._index)
            receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership)
            return
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, self._choice(self._packed))
        if _IS_LINUX:
            receiver.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)

    def _choice(self, group: bytes) -> bytes:
        """Return the system's ``ip_mreqn``: group, address and index of the network interface."""
        return group + self._local + struct.pack("@i", self._index)

    def _destination(self) -> tuple[Any, ...]:
        if self.family == socket.AF_INET:
            return self.address, self.port
        return self.address, self.port, 0, self._index


def _chosen_by_the_system() -> int:
    """Return the index of the network interface that the system chooses for a group.

    Programs that leave the choice to the system, such as python-can, use this interface alone. The index is 0
    on a system that does not list its groups.
    """
    group = b"\xff\x12" + os.urandom(14)  # a group without other members
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group + bytes(4))
        with open(_MEMBERSHIPS, encoding="ascii") as file:  # index, interface, group, ...
            for line in file:
                index, _, joined, *_ = line.split()
                if joined == group.hex():
                    return int(index)
    return 0


def _packed(family: int, address: str) -> bytes | None:
    try:
        return socket.inet_pton(family, address)
    except OSError:
        return None
