"""Interface ``virtualcan``: a bus of all clients of a small TCP server, for classic frames only."""

from __future__ import annotations

import threading
import time
from typing import Any

from cantools_cli.backends import virtualcan_codec as codec
from cantools_cli.backends.transport.port import PortBus
from cantools_cli.backends.transport.tcp import TcpPort, connect, endpoint
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch

DEFAULT_HOST = "localhost"
DEFAULT_PORT = 18881


class VirtualCanBus(PortBus):
    """A client of a virtualcan server.

    ``channel`` is ``host:port``. Some servers return a frame to its sender: ``echo_suppress`` drops the
    first equal frame within a second of sending. With ``receive_own_messages`` sent frames are received once
    they are written. ``connect_timeout`` is in seconds. Received frames are
    stamped on arrival.

    Raises:
        CanInitializationError: the server cannot be reached.
    """

    _port: TcpPort

    def __init__(
        self,
        channel: str | None = f"{DEFAULT_HOST}:{DEFAULT_PORT}",
        can_filters: CanFilters | None = None,
        *,
        echo_suppress: bool = False,
        receive_own_messages: bool = False,
        connect_timeout: float = 5.0,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("virtualcan", VirtualCanBus, kwargs)
        host, port = endpoint(channel, DEFAULT_PORT, DEFAULT_HOST)
        name = f"virtualcan:{channel or host}"
        self._echoes = codec.Echoes() if echo_suppress else None
        self._echo_lock = threading.Lock()
        self._echoes_own = receive_own_messages
        self._decoder = codec.VirtualCanDecoder(channel, self._echoes, self.losses)
        end = connect(host, port, connect_timeout, name)
        self._port = TcpPort(end, self._decode, name, channel, self.losses)
        self.channel_info = f"virtualcan server {host}, port {port}"
        super().__init__(channel, can_filters, **kwargs)

    def _decode(self, data: bytes, time_ns: int) -> MessageBatch:
        with self._echo_lock:
            batch = self._decoder.feed(data, time_ns)
        if self._decoder.failure is not None:
            self._port.fail(str(self._decoder.failure))
        return batch

    def _encode(self, batch: MessageBatch) -> list[bytes]:
        records = codec.encode(batch)
        if self._echoes is not None:
            with self._echo_lock:
                self._echoes.add(records, time.time_ns())
        return records
