from __future__ import annotations

import importlib.util
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from queue import Empty, SimpleQueue
from typing import Any

from cantools_cli.bus.base import BusABC
from cantools_cli.frame.message import Message
from tests.backends.websocket_server import BINARY_FRAME, CLOSE, TEXT_FRAME, Session
from tests.conformance.network_rig import NetworkRig
from tests.conformance.rig import PATIENCE, Node

_HEAD = struct.Struct(">BdIBB")
_NAMES = "is_extended_id is_remote_frame is_error_frame is_fd bitrate_switch error_state_indicator"
_FLAGS = {name: 1 << bit for bit, name in enumerate(_NAMES.split())}


class RemoteRig(NetworkRig):
    """A server of python-can-remote, whose bus has the test as its other node."""

    interface = "remote"
    fd: dict[str, Any] = {}
    carries_errors = True
    takes_any = True  # its server may know more settings
    wrong = ({"channel": "ftp://127.0.0.1"}, {"connect_timeout": "soon"})
    without = {
        "own messages": "the protocol does not carry the direction of a frame",
        "state": "the protocol does not carry the state of the controller",
        "detection": "a server does not announce itself",
    }

    def obstacle(self) -> str | None:
        return None if importlib.util.find_spec("websockets") else "needs canx[remote]"

    @contextmanager
    def connected(self) -> Iterator[None]:
        with ExitStack() as stack:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            self.channel = f"127.0.0.1:{listener.getsockname()[1]}"
            self._server = _Server(listener)
            thread = threading.Thread(target=self._server.serve)
            thread.start()
            stack.callback(thread.join)
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
            yield

    def node(self, **settings: Any) -> AbstractContextManager[Node]:
        return nullcontext(self._server)

    def lose(self, bus: BusABC, node: Node) -> None:
        self._server.say(_HEAD.pack(1, 0.0, 0x123, 3, 0) + b"\1")


class _Server:
    """The server, which is the other node of its bus."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._heard: SimpleQueue[Message] = SimpleQueue()
        self._tasks: dict[int, threading.Event] = {}
        self._session: Session

    def serve(self) -> None:
        while True:
            try:
                end, _ = self._listener.accept()
            except OSError:
                return
            with end, suppress(ValueError, AssertionError, OSError):  # the client has gone
                end.settimeout(PATIENCE)
                self._session = Session(end)
                self._session.open()
                self._listen(self._session)
            for stopped in self._tasks.values():
                stopped.set()

    def _listen(self, session: Session) -> None:
        while True:
            opcode, payload = session.hear()
            if opcode == CLOSE:
                session.say(CLOSE, payload)
                return
            if opcode == BINARY_FRAME:
                self._heard.put(_unpacked(payload))
            elif opcode == TEXT_FRAME:
                request = json.loads(payload)
                getattr(self, f"_{request['type']}")(request["payload"])

    def _periodic_start(self, payload: dict[str, Any]) -> None:
        fields = payload["msg"]
        names = ("arbitration_id", *_FLAGS, "dlc")
        message = Message(
            data=bytes(fields["data"]), **{name: fields[name] for name in names if name in fields}
        )
        self._periodic_stop(message.arbitration_id)
        stopped = self._tasks[message.arbitration_id] = threading.Event()

        def send() -> None:
            while not stopped.wait(payload["period"]):
                self._heard.put(message)

        threading.Thread(target=send, daemon=True).start()

    def _periodic_stop(self, identifier: int) -> None:
        if identifier in self._tasks:
            self._tasks.pop(identifier).set()

    # --- the node -------------------------------------------------------------------------------------

    def say(self, payload: bytes) -> None:
        self._session.say(BINARY_FRAME, payload)

    def send(self, message: Message) -> None:
        flags = sum(bit for name, bit in _FLAGS.items() if getattr(message, name))
        data = b"" if message.is_remote_frame else bytes(message.data)
        self.say(_HEAD.pack(1, time.time(), message.arbitration_id, message.dlc, flags) + data)

    def recv(self, timeout: float) -> Message | None:
        with suppress(Empty):
            return self._heard.get(timeout=timeout)
        return None


def _unpacked(payload: bytes) -> Message:
    _, _, identifier, length, flags = _HEAD.unpack_from(payload)
    kinds: dict[str, Any] = {name: bool(flags & bit) for name, bit in _FLAGS.items()}
    return Message(arbitration_id=identifier, dlc=length, data=payload[_HEAD.size :], **kinds)


RIG = RemoteRig()
