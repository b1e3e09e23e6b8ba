"""A bus on another computer, through python-can-remote's WebSocket server.

The server opens the bus with the settings of the client, so any client can open any interface of the server.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cantools_cli import plugins
from cantools_cli.backends.remote import codec
from cantools_cli.backends.transport.port import PortBus
from cantools_cli.backends.transport.tcp import TcpPort, connect
from cantools_cli.backends.transport.websocket import WebSocket
from cantools_cli.bus.base import CanProtocol
from cantools_cli.bus.deadline import Deadline
from cantools_cli.errors import CanError, CanInitializationError, FormatError, UsageError
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

if TYPE_CHECKING:
    from cantools_cli.backends.remote.cyclic import RemoteCyclicTask
    from cantools_cli.periodic.tasks import CyclicSendTaskABC

DEFAULT_PORT = 54701
ANSWER = 5.0  #: seconds that the server may take to open the bus


class RemoteBus(PortBus):
    """A bus of a server.

    ``channel`` is ``ws://host:port/path``, or ``wss://``; without a scheme it is ``ws`` and the port 54701.
    ``verify`` selects the authorities that may certify a ``wss`` server: True for those that this computer
    trusts, a file name for those in the file, False for no check. All other keywords are settings of the
    server's bus, such as ``bitrate`` or ``receive_own_messages``. Frames have the server's timestamps.

    A single periodic message without a ``modifier_callback`` is sent by the server.

    Raises:
        CanInterfaceNotImplementedError: the package websockets is not installed.
        CanInitializationError: the server cannot be reached, or cannot open the bus.
    """

    passes_settings_on = True

    _port: TcpPort

    def __init__(
        self,
        channel: str,
        can_filters: CanFilters | None = None,
        *,
        verify: bool | str = True,
        connect_timeout: float = 5.0,
        **config: Any,
    ) -> None:
        url = _url(channel)
        request = codec.format_object("bus_request", {"config": config})
        self._channels = (channel,)
        self._name = f"remote:{channel}"
        self._info: str | None = None  # of the server's bus, once it is open
        self._delegated: dict[int, RemoteCyclicTask] = {}  # periodic messages that the server sends
        self._speaking = threading.Lock()  # the state of the protocol and the order of its messages
        try:
            self._socket = WebSocket(url, (codec.BINARY, codec.JSON))
        except ImportError as error:
            raise plugins.missing_library("remote", error) from error
        except ValueError as error:
            raise UsageError(f"{self._name}: {error}", hint="such as ws://host:54701/") from error
        self._port = self._connect(url, verify, connect_timeout)
        try:
            self._open(request, Deadline(connect_timeout))
        except BaseException:
            self._port.close()
            raise
        self._can_protocol = CanProtocol.CAN_FD if config.get("fd") else CanProtocol.CAN_20
        self.channel_info = f"{self._info} at {url}"
        super().__init__(channel, can_filters)

    @staticmethod
    def _obstacle() -> str | None:
        from importlib.util import find_spec

        if find_spec("websockets"):
            return None
        hint = plugins.install_hint("websockets", plugins.interface("remote").extra)
        return f"websockets is not installed: {hint}"

    # --- opening --------------------------------------------------------------------------------------

    def _connect(self, url: str, verify: bool | str, timeout: float) -> TcpPort:
        parts = urlsplit(url)
        host, is_secure = str(parts.hostname), parts.scheme == "wss"
        end = connect(host, parts.port or (443 if is_secure else 80), timeout, self._name)
        port = TcpPort
        if is_secure:
            from cantools_cli.backends.transport.tls import TlsPort, secured

            port, end = TlsPort, secured(end, host, verify, self._name)
        return port(end, self._decode, self._name, self._channels[0], self.losses)

    def _open(self, request: str, deadline: Deadline) -> None:
        """Perform the handshake, and request the bus from the server."""
        try:
            self._port.send(self._socket.output(), deadline.remaining())
            if not self._port.wait_for(lambda: self._socket.is_open, deadline):
                raise CanInitializationError(f"{self._name}: no WebSocket server answers")
            self._port.send(self._records([request]), ANSWER)
            if not self._port.wait_for(lambda: self._info is not None, Deadline(ANSWER)):
                raise CanInitializationError(
                    f"{self._name}: the server does not confirm that the bus is open"
                )
        except CanInitializationError:
            raise
        except CanError as error:
            raise CanInitializationError(str(error)) from error

    # --- receiving ------------------------------------------------------------------------------------

    def _decode(self, data: bytes, time_ns: int) -> MessageBatch:
        """Return the frames that ``data`` completes; called by the port."""
        with self._speaking:
            messages = self._socket.receive(data)
            for piece in self._socket.output():
                self._port.reply(piece)
        batch = MessageBatch(channels=self._channels)
        for message in messages:
            try:
                if isinstance(message, bytes):
                    codec.decode(message, batch)
                else:
                    self._handle(*codec.parse_object(message), batch)
            except FormatError as error:
                self.losses.add_fault("malformed messages skipped", error)
        if self._socket.failure is not None:
            self._port.fail(self._socket.failure)
        return batch

    def _handle(self, kind: str, payload: Any, batch: MessageBatch) -> None:
        if kind == "message":
            codec.parse_message(payload, batch)
        elif kind == "bus_response":
            info = payload.get("channel_info") if isinstance(payload, dict) else None
            self._info = str(info or "a bus")
        elif kind == "error":
            self._port.fail(f"the server reports: {payload}", lost=False)

    # --- sending --------------------------------------------------------------------------------------

    def _encode(self, batch: MessageBatch) -> list[bytes]:
        if self._socket.subprotocol == codec.BINARY:
            return self._records(codec.encode(batch))
        return self._records([codec.format_object("message", codec.message_payload(one)) for one in batch])

    def _records(self, messages: Sequence[str | bytes]) -> list[bytes]:
        with self._speaking:
            if self._socket.failure is not None:  # which the port raises
                return []
            return [b"".join(self._socket.send(message)) for message in messages]

    def _send_periodic_internal(
        self,
        msgs: Message | Sequence[Message],
        period: float,
        duration: float | None = None,
        autostart: bool = True,
        modifier_callback: Callable[[Message], None] | None = None,
    ) -> CyclicSendTaskABC:
        """Delegate a single message to the server, which identifies tasks by their CAN identifier."""
        from cantools_cli.backends.remote.cyclic import RemoteCyclicTask
        from cantools_cli.periodic.tasks import checked_messages

        messages = checked_messages(msgs)
        is_taken = messages[0].arbitration_id in self._delegated
        if len(messages) > 1 or modifier_callback is not None or is_taken:
            return super()._send_periodic_internal(
                msgs, period, duration, autostart=autostart, modifier_callback=modifier_callback
            )
        task = RemoteCyclicTask(self._tell, self._delegated, messages[0], period, duration)
        if autostart:
            task.start()
        return task

    def _tell(self, kind: str, payload: object) -> None:
        """Send a JSON object about a periodic task; a lost connection has ended them all."""
        if kind == "periodic_start" or not self._port.is_lost:
            self._port.send(self._records([codec.format_object(kind, payload)]), ANSWER)

    # --- the end --------------------------------------------------------------------------------------

    def _close(self) -> None:
        if not self._port.is_lost:
            with self._speaking:
                records = self._socket.close()
            with suppress(CanError):  # no room, or lost meanwhile
                self._port.send(records, 0)
        super()._close()


def _url(channel: str) -> str:
    """Return the complete URL of the server.

    Raises:
        UsageError: ``channel`` is not an address.
    """
    text = str(channel)
    url = text if "://" in text else f"ws://{text}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"remote:{text}: {error}", hint="such as ws://host:54701/") from error
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise UsageError(f"remote:{text}: not the address of a server", hint="such as ws://host:54701/")
    if url != text and port is None:
        parts = parts._replace(netloc=f"{parts.netloc}:{DEFAULT_PORT}")
    return parts._replace(path=parts.path or "/").geturl()
