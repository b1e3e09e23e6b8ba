from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from cantools_cli.bus.base import BusABC
from cantools_cli.frame.message import Message
from tests.conformance.network_rig import NO_STATE, NetworkRig
from tests.conformance.rig import Node, taken


class VirtualCanRig(NetworkRig):
    """A server that sends what each client sends to the others."""

    interface = "virtualcan"
    wrong = ({"channel": "localhost:x"}, {"connect_timeout": "soon"})
    without = {
        "remote": "the protocol has data frames of classic CAN only",
        "FD": "the protocol has data frames of classic CAN only",
        "error frames": "the protocol has data frames of classic CAN only",
        "state": NO_STATE,
        "detection": "a server does not announce itself",
    }

    @contextmanager
    def connected(self) -> Iterator[None]:
        ended, end = socket.socketpair()
        with socket.create_server(("127.0.0.1", 0)) as listener, ended, end:
            self.channel = f"127.0.0.1:{listener.getsockname()[1]}"
            self.clients: list[socket.socket] = []
            thread = threading.Thread(target=self._serve, args=(listener, ended))
            thread.start()
            try:
                yield
            finally:
                end.close()
                thread.join()

    def _serve(self, listener: socket.socket, ended: socket.socket) -> None:
        while True:
            ready = select.select([listener, ended, *self.clients], [], [])[0]
            if ended in ready:
                break
            if listener in ready:
                self.clients.append(listener.accept()[0])
            for client in [one for one in ready if one in self.clients]:
                text = client.recv(65536)
                if not text:
                    self.clients.remove(client)
                    client.close()
                for other in self.clients if text else ():
                    if other is not client:
                        other.sendall(text)
        for client in self.clients:
            client.close()

    def node(self, **settings: Any) -> AbstractContextManager[BusABC]:
        return self.open()

    def lose(self, bus: BusABC, node: Node) -> None:
        node.send(Message(arbitration_id=1))
        taken(bus, 1)  # the server has accepted both
        for client in self.clients:
            client.sendall(bytes.fromhex("0000000E 00000800 00 00 0000000000000000"))  # no 11-bit identifier


RIG = VirtualCanRig()
