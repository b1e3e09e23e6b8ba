"""Ports, which connect a bus to a device or a peer, and the bus class on top of one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, cast

from cantools_cli.bus.base import BusABC
from cantools_cli.errors import CanError, CanOperationError
from cantools_cli.frame.batch import MessageBatch


class Port(Protocol):
    """A connection that several threads can use and any thread can close.

    Attributes:
        is_lost: whether the connection has ended, so that the bus can only be closed.
    """

    @property
    def is_lost(self) -> bool: ...

    def receive(self, timeout: float | None) -> MessageBatch | None:
        """Return the frames that arrived, or None after ``timeout`` seconds.

        Raises:
            CanOperationError: the connection failed, or was closed.
        """

    def send(self, records: Iterable[bytes], timeout: float | None) -> None:
        """Send all records; ``sent`` of an error is the number of those that were sent.

        Raises:
            CanOperationError: the connection failed, or was closed.
            CanTimeoutError: there was no room in time.
        """

    def fileno(self) -> int: ...
    def close(self) -> None: ...


class EchoingPort(Port, Protocol):
    """A port that can return what was sent."""

    def echo(self, batch: MessageBatch) -> None:
        """Let ``receive`` return the frames of ``batch`` as sent ones."""


class PortBus(BusABC):
    """A bus on a port.

    ``__init__`` of a subclass opens ``_port``, to which it gives the decoder of its protocol, and then calls
    ``super().__init__``. ``_encode`` is the encoder. If the connection is lost, receiving shuts
    the bus down after the last frame.
    """

    _port: Port
    _echoes_own = False  # whether the bus receives what it has sent; this needs an EchoingPort
    _send_seconds: float | None = None  # how long a send without a timeout may wait

    def _encode(self, batch: MessageBatch) -> Iterable[bytes]:
        """Return one record per frame.

        Raises:
            CanOperationError: the protocol cannot carry a frame.
        """
        raise NotImplementedError

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        try:
            return self._port.receive(timeout)
        except CanOperationError:
            self._close_if_lost()
            raise

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        # a lost bus stays open: the frames that arrived before can still be received
        self._port.send(self._encode(batch), self._send_seconds if timeout is None else timeout)

    def send_batch(self, batch: MessageBatch, timeout: float | None = None) -> None:
        try:
            super().send_batch(batch, timeout)
        except CanError as error:
            if self._echoes_own and error.sent:
                cast("EchoingPort", self._port).echo(batch.part(0, error.sent))
            raise
        if self._echoes_own:
            cast("EchoingPort", self._port).echo(batch)

    def _close_if_lost(self) -> None:
        if self._port.is_lost:
            self.shutdown()

    def _fileno(self) -> int:
        return self._port.fileno()

    def _close(self) -> None:
        self._port.close()
