"""cannelloni over TCP: a connection that is re-established whenever it is lost.

A thread connects or accepts, and exchanges greetings, since both may take seconds. Receivers and senders use
a connection as long as it lasts.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterable
from contextlib import suppress

from cantools_cli.backends.cannelloni import codec
from cantools_cli.backends.cannelloni.peer import Peer
from cantools_cli.backends.transport.tcp import TcpPort
from cantools_cli.bus.deadline import Deadline
from cantools_cli.errors import CanInitializationError, CanOperationError, CanTimeoutError, quoted, reason_of
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

RECONNECT = 2.0  #: seconds from a lost connection to the next attempt
SEND_TIMEOUT = 3.0  #: seconds that a send without a timeout waits for a peer
ANSWER = 5.0  #: seconds that the peer may take to answer, and to greet

_ACCEPT = 5.0  # seconds after which a wait for a peer is repeated


class TcpTunnel:
    """A tunnel to ``peer``; if ``here``, a local address and port, is given, the peer connects to it.

    One connection is used at a time; the next one is greeted when it has ended.

    Attributes:
        connections: number of connections made so far.
        first_refusal: the error of the first connection that failed, or None.
    """

    is_lost = False  # another connection follows

    def __init__(
        self, peer: Peer, here: tuple[str, int] | None, decoder: codec.CannelloniDecoder, channel: Channel
    ) -> None:
        self.connections = 0
        self.first_refusal: CanInitializationError | None = None
        self._peer = peer
        self._decoder = decoder
        self._channel = channel
        self._port: TcpPort | None = None
        self._opening: socket.socket | None = None  # a connection that exchanges greetings
        self._closed = False
        self._changed = threading.Condition()  # of the attributes above
        self._either: select.epoll | None = None
        self._listener: socket.socket | None = None
        if here is None:
            self._use(self._dial())
            self.where = "connects"
        else:
            self._listener = peer.socket_at(*here, socket.SOCK_STREAM)
            self._listener.listen(4)
            self._listener.settimeout(_ACCEPT)
            self.where = "listens on {}, port {}".format(*self._listener.getsockname())
        self._thread = threading.Thread(target=self._keep_connected, name=peer.name, daemon=True)
        self._thread.start()

    # --- the bus --------------------------------------------------------------------------------------

    def receive(self, timeout: float | None) -> MessageBatch | None:
        deadline = Deadline(timeout)
        while True:
            port = self._connected(deadline)
            if port is None:
                if self._closed:
                    raise CanOperationError("Cannot operate on a closed bus")
                return None
            try:
                return port.receive(deadline.remaining())
            except CanOperationError as error:
                self._drop(port, error)

    def send(self, records: Iterable[bytes], timeout: float | None) -> None:
        deadline = Deadline(SEND_TIMEOUT if timeout is None else timeout)
        port = self._connected(deadline)
        if port is None:
            raise CanTimeoutError(f"{self._peer.name}: not connected", sent=0)
        try:
            port.send(records, None if timeout is None else deadline.remaining())
        except CanOperationError as error:
            self._drop(port, error)
            raise

    def echo(self, batch: MessageBatch) -> None:
        """Let ``receive`` return the frames of ``batch``, which were sent on the connection, as sent ones."""
        port = self._port
        if port is not None:
            port.echo(batch)

    def fileno(self) -> int:
        if not hasattr(select, "epoll"):
            raise NotImplementedError("a bus that reconnects has no descriptor on this system")
        with self._changed:
            if self._either is None:
                self._either = select.epoll()
                if self._port is not None:
                    self._either.register(self._port, select.EPOLLIN)
            return self._either.fileno()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            for end in (self._listener, self._opening):
                if end is not None:
                    with suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)  # wakes the thread
            if self._port is not None:
                self._port.close()
            if self._either is not None:
                self._either.close()
            self._changed.notify_all()
        self._thread.join(ANSWER)

    def _connected(self, deadline: Deadline) -> TcpPort | None:
        """Return the connection, or wait for one; None at the deadline or if the bus is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._port is not None or self._closed, deadline.remaining())
            return None if self._closed else self._port

    def _drop(self, port: TcpPort, error: CanOperationError) -> None:
        """Close a lost connection; the thread makes another."""
        with self._changed:
            if self._port is not port:
                return
            self._port = None
            port.close()
            self._changed.notify_all()
            if self._closed:
                return
        import logging

        logging.getLogger("can").warning("%s; waiting for another connection", error)

    # --- the thread -----------------------------------------------------------------------------------

    def _keep_connected(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._port is None or self._closed)
                if self._listener is None:
                    self._changed.wait_for(lambda: self._closed, RECONNECT)
                if self._closed:
                    break
            try:
                end = self._dial() if self._listener is None else self._accept(self._listener)
            except CanInitializationError as error:
                self.first_refusal = self.first_refusal or error
            else:
                if end is not None:
                    self._use(end)
        if self._listener is not None:
            self._listener.close()

    def _dial(self) -> socket.socket:
        """Return a connection on which both sides have greeted."""
        end = socket.socket(self._peer.family, socket.SOCK_STREAM)
        try:
            end.settimeout(ANSWER)
            self._begin(end)
            end.connect(self._peer.address)
        except OSError as error:
            end.close()
            text = f"{self._peer.name}: cannot connect: {reason_of(error)}"
            raise CanInitializationError(text, hint="does the other end listen, on TCP?") from error
        return self._greet(end)

    def _accept(self, listener: socket.socket) -> socket.socket | None:
        """Return a connection on which both sides have greeted, None if the peer did not connect."""
        try:
            end, source = listener.accept()
        except OSError:  # no connection in time, or it ended already, or this end is closed
            return None
        if not self._peer.is_at(source):
            end.close()
            raise CanInitializationError(f"{self._peer.name}: {source[0]} is not the peer")
        self._begin(end)
        return self._greet(end)

    def _begin(self, end: socket.socket) -> None:
        with self._changed:
            self._opening = end

    def _greet(self, end: socket.socket) -> socket.socket:
        deadline = Deadline(ANSWER)
        got = b""
        reason = ""
        try:
            end.settimeout(ANSWER)
            end.sendall(codec.GREETING)
            while len(got) < len(codec.GREETING) and codec.GREETING.startswith(got):
                end.settimeout(max(0.001, deadline.remaining() or 0.0))
                piece = end.recv(len(codec.GREETING) - len(got))
                if not piece:
                    reason = "the peer closed the connection instead of greeting"
                    break
                got += piece
        except OSError as error:
            reason = f"no greeting: {reason_of(error)}"
        if got != codec.GREETING:
            end.close()
            reason = reason or f"the greeting is {quoted(got)} instead of {quoted(codec.GREETING)}"
            raise CanInitializationError(f"{self._peer.name}: {reason}")
        return end

    def _use(self, end: socket.socket) -> None:
        stream = codec.StreamDecoder(self._decoder)

        def decode(data: bytes, time_ns: int) -> MessageBatch:
            batch = stream.feed(data, time_ns)
            if stream.failure is not None:
                port.fail(str(stream.failure))
            return batch

        with self._changed:
            self._opening = None
            if self._closed:
                end.close()
                return
            self._port = port = TcpPort(end, decode, self._peer.name, self._channel, self._decoder.losses)
            self.connections += 1
            if self._either is not None:
                self._either.register(port, select.EPOLLIN)
            self._changed.notify_all()
