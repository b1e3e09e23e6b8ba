"""A bus of a socketcand server, or of ``canx serve``, in raw mode over TCP.

The server sets the bit rate and timestamps the frames. It does not echo a client's own frames.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from contextlib import suppress
from typing import Any

from cantools_cli.backends.socketcand import beacon, codec
from cantools_cli.backends.transport.port import PortBus
from cantools_cli.backends.transport.tcp import TcpPort, connect, endpoint
from cantools_cli.bus.base import CanProtocol
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import (
    CanError,
    CanInitializationError,
    CanOperationError,
    CanTimeoutError,
    FormatError,
    UsageError,
    quoted,
)
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch

#: seconds without a message until the server is probed, and that it has to answer the probe
SILENCE = 10.0
_ECHO = b"< echo >"


class SocketCanDaemonBus(PortBus):
    """A bus of a socketcand server.

    ``channel`` is the name of the bus on the server, and may include the server: ``can0@HOST:PORT`` or
    ``can://HOST:PORT/can0``. ``tcp_tune`` acknowledges TCP segments immediately, if the system supports that.
    ``fd`` requests CAN FD and remote frames, which only a canx server supports. ``connect_timeout`` limits
    the time to open the bus, in seconds. With ``receive_own_messages`` sent frames are received once they are
    written.
    """

    _port: TcpPort
    _send_seconds = 10.0

    def __init__(
        self,
        channel: str,
        host: str | None = None,
        port: int | None = None,
        tcp_tune: bool = False,
        can_filters: CanFilters | None = None,
        *,
        fd: bool = False,
        receive_own_messages: bool = False,
        connect_timeout: float = 10.0,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("socketcand", SocketCanDaemonBus, kwargs)
        name, host, port = _place(str(channel), host, port)
        deadline = Deadline(connect_timeout)
        self._channel = name
        self._echoes_own = receive_own_messages
        self._fd = fd
        self._can_protocol = CanProtocol.CAN_FD if fd else CanProtocol.CAN_20
        self._decoder = codec.SocketcandDecoder(self.losses)
        self._answers: deque[bytes] = deque()
        self._is_open = False
        self._last_read = time.monotonic()
        self._probed: float | None = None  # when the server was probed
        where = f"socketcand:{name}@{host}:{port}"
        self._socket = connect(host, port, connect_timeout, where)
        self._quick = tcp_tune and hasattr(socket, "TCP_QUICKACK")
        self._port = TcpPort(self._socket, self._decode, where, name, self.losses)
        try:
            self._shake_hands(deadline, where)
        except BaseException:
            self._port.close()
            raise
        self._is_open = True
        self.channel_info = f"socketcand {name} at {host}:{port}"
        super().__init__(channel, can_filters, **kwargs)

    # --- opening --------------------------------------------------------------------------------------

    def _shake_hands(self, deadline: Deadline, where: str) -> None:
        """Wait for the greeting, open the bus and enter raw mode.

        Raises:
            CanInitializationError: the server refuses, is not a socketcand server, or does not answer in
                time.
        """
        steps = [(None, b"hi"), (f"< open {self._channel} >", b"ok")]
        if self._fd:
            steps.append(("< canx fd >", b"ok"))
        steps.append(("< rawmode >", b"ok"))
        for command, expected in steps:
            try:
                if command is not None:
                    self._port.send([command.encode()], deadline.remaining())
                heard = self._port.wait_for(lambda: bool(self._answers), deadline)
            except CanError as error:
                raise CanInitializationError(str(error), hint=self._suspicion()) from error
            if not heard:
                text = f"{where}: no answer to {command}" if command else f"{where}: no greeting"
                raise CanInitializationError(text, hint=self._suspicion())
            answer = self._answers.popleft()
            if answer != expected:
                raise _refusal(where, command, answer)

    def _suspicion(self) -> str | None:
        return f"this may not be a socketcand server: {self.first_fault}" if self.first_fault else None

    # --- receiving ------------------------------------------------------------------------------------

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        deadline = Deadline(timeout)
        while True:
            left = deadline.remaining()
            batch = super()._receive(SILENCE if left is None else min(left, SILENCE))
            if batch is not None:
                return batch
            self._probe()
            if deadline.passed:
                return None

    def _decode(self, data: bytes, time_ns: int) -> MessageBatch:
        """Return the frames in ``data``; other messages are answers."""
        self._last_read, self._probed = time.monotonic(), None
        if self._quick:  # the system resets this option
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        batch = MessageBatch(channels=(self._channel,))
        for text in self._decoder.feed(data):
            try:
                message = codec.parse_frame(text)
            except FormatError:
                self._decoder.add_fault(text)
                continue
            if message is not None:
                message.channel = self._channel
                batch.append(message)
            elif not self._is_open:
                self._answers.append(text)
            elif text.startswith((b"canx ", b"error ")) and text != b"error unknown command":
                # such as a refusal to send: the connection continues
                self._port.fail(f"the server reports {quoted(text.partition(b' ')[2])}", lost=False)
        return batch

    def _probe(self) -> None:
        """After a silence, request an echo from the server.

        Raises:
            CanOperationError: the server did not answer the last request.
        """
        now = time.monotonic()
        if self._probed is not None and now - self._probed >= SILENCE:
            self._port.fail(f"no answer for {SILENCE:g} s")
            super()._receive(0)
        elif self._probed is None and now - self._last_read >= SILENCE:
            self._probed = now
            with suppress(CanTimeoutError):  # earlier data is waiting for the server as well
                self._port.send([_ECHO], 0)

    def _encode(self, batch: MessageBatch) -> list[bytes]:
        try:
            return [codec.format_send(message, extended=self._fd) for message in batch]
        except ValueError as error:
            raise CanOperationError(f"{self}: {error}") from error

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return the buses of all servers that send beacons; this takes 3.5 seconds."""
        return detect_beacon()


def detect_beacon(timeout_ms: int = 3500) -> list[dict[str, Any]]:
    """Return the buses that servers announce within ``timeout_ms``, as keywords for ``Bus``.

    A server sends a beacon every three seconds.

    Raises:
        CanOperationError: the port of the beacons is not available.
    """
    deadline = Deadline(timeout_ms / 1000)
    configs: dict[tuple[str, int, str], dict[str, Any]] = {}
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            receiver.bind(("", beacon.BEACON_PORT))
            while not deadline.passed:
                receiver.settimeout(max(0.001, deadline.remaining() or 0.0))
                try:
                    datagram = receiver.recv(beacon.MAX_LENGTH + 1)
                    announced = beacon.parse_beacon(datagram)
                except (TimeoutError, FormatError):
                    continue
                for host, port in announced.places[:1]:  # the others are addresses of the same server
                    for bus in announced.buses:
                        config = {"interface": "socketcand", "host": host, "port": port, "channel": bus}
                        configs.setdefault((host, port, bus), config)
    except OSError as error:
        text = f"cannot listen for beacons on UDP port {beacon.BEACON_PORT}: {error.strerror or error}"
        raise CanOperationError(text) from error
    return list(configs.values())


def _place(channel: str, host: object, port: object) -> tuple[str, str, int]:
    """Return (bus, host, port) from the arguments.

    Raises:
        UsageError: the server or the bus is missing, or the protocol cannot carry the name of the bus.
    """
    name, at, server = channel.partition("@")
    if channel.startswith("can://"):
        server, at, name = channel[6:].partition("/")
    if at and server:
        host = server
    elif host is not None and ":" in str(host) and not str(host).startswith("["):
        host = f"[{host}]"  # IPv6
    if host is None:
        raise UsageError(
            f"socketcand:{channel}: no server given",
            hint=f"socketcand:{channel},host=192.0.2.1 or socketcand:{channel}@192.0.2.1:29536",
        )
    where, number = endpoint(host, codec.DEFAULT_PORT)
    if port is not None:
        number = endpoint(f"[{where}]:{port}", codec.DEFAULT_PORT)[1]
    if not name or any(character in " <>" or not character.isprintable() for character in name):
        raise UsageError(f"socketcand: {quoted(name)} is not a valid name of a bus", hint="such as can0")
    return name, where, number


def _refusal(where: str, command: str | None, answer: bytes) -> CanInitializationError:
    text = answer.removeprefix(b"error ")
    if command is None:
        return CanInitializationError(f"{where}: the greeting is {quoted(answer)} instead of hi")
    if command == "< canx fd >":
        return CanInitializationError(
            f"{where}: the server does not support CAN FD",
            hint="without --fd the bus carries classic CAN frames",
        )
    hint = "the server may not have a bus of this name" if command.startswith("< open") else None
    return CanInitializationError(
        f"{where}: the server answers {quoted(command)} with {quoted(text)}", hint=hint
    )
