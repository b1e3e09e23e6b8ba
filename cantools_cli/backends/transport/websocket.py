"""The client side of a WebSocket connection (RFC 6455), without input and output."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from websockets.frames import Frame

#: maximum length of a message in bytes
MAX_LENGTH = 1 << 20


class WebSocket:
    """A connection to the server at ``uri``.

    After each call, the caller writes the bytes of ``output``.

    Attributes:
        is_open: whether the server has accepted the connection.
        subprotocol: the server's choice, or None.
        failure: why the connection has ended, or None.

    Raises:
        ImportError: the package websockets is not installed.
        ValueError: ``uri`` is not the URI of a WebSocket.
    """

    def __init__(self, uri: str, subprotocols: Sequence[str]) -> None:
        from websockets import client, exceptions
        from websockets import uri as uris

        try:
            address = uris.parse_uri(uri)
        except exceptions.InvalidURI as error:
            raise ValueError(str(error)) from error
        protocols: Any = [*subprotocols]  # strings of a special type
        self._protocol = client.ClientProtocol(address, subprotocols=protocols, max_size=MAX_LENGTH)
        self._protocol.send_request(self._protocol.connect())
        self.is_open = False
        self.subprotocol: str | None = None
        self.failure: str | None = None
        self._parts: list[bytes] = []  # of a fragmented message
        self._is_text = False

    def output(self) -> list[bytes]:
        """Return the bytes to write now."""
        return [bytes(piece) for piece in self._protocol.data_to_send() if piece]

    def receive(self, text: bytes) -> list[str | bytes]:
        """Return the messages that ``text`` completes; text that is not UTF-8 is returned as bytes."""
        from websockets.frames import Frame, Opcode

        messages: list[str | bytes] = []
        if self.failure is not None:
            return messages
        self._protocol.receive_data(text)
        for event in self._protocol.events_received():
            if not isinstance(event, Frame):
                self.is_open = self._protocol.handshake_exc is None
                self.subprotocol = self._protocol.subprotocol
            elif event.opcode is Opcode.CLOSE:
                self.failure = _ending(event)
            elif event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                messages += self._completed(event, event.opcode)
        error = self._protocol.handshake_exc or self._protocol.parser_exc
        if error is not None and self.failure is None:
            self.failure = f"not a WebSocket: {str(error) or type(error).__name__}"
        return messages

    def _completed(self, frame: Frame, opcode: int) -> list[str | bytes]:
        if opcode != 0:
            self._is_text = opcode == 1
        if frame.data:  # empty fragments would fill the list
            self._parts.append(bytes(frame.data))
        if not frame.fin:
            return []
        whole = b"".join(self._parts)
        self._parts.clear()
        if self._is_text:
            with suppress(UnicodeDecodeError):
                return [whole.decode()]
        return [whole]

    def send(self, message: str | bytes) -> list[bytes]:
        """Return the bytes of one frame with ``message``, a text or a binary message."""
        if isinstance(message, str):
            self._protocol.send_text(message.encode())
        else:
            self._protocol.send_binary(message)
        return self.output()

    def close(self) -> list[bytes]:
        """Return the bytes that close the connection."""
        self._protocol.send_close(1000)
        return self.output()


def _ending(frame: Frame) -> str:
    from websockets.frames import Close

    close = Close.parse(bytes(frame.data))
    if close.reason:
        return f"the server closed it: {close.reason}"
    return (
        "the server closed it"
        if close.code in (1000, 1001, 1005)
        else f"the server closed it, code {close.code}"
    )
