"""The socketcand client: against a server written from the protocol's description."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from types import SimpleNamespace
from typing import Any

import pytest

from cantools_cli.backends.socketcand import bus as socketcand
from cantools_cli.backends.socketcand.beacon import format_beacon
from cantools_cli.backends.socketcand.bus import SocketCanDaemonBus, detect_beacon
from cantools_cli.backends.transport import stream
from cantools_cli.bus.interface import Bus
from cantools_cli.errors import CanInitializationError, CanOperationError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.bits import CAN_ERR_FLAG
from cantools_cli.frame.message import Message

CLOSE = None  # as an answer: the server closes the connection
HANDSHAKE: dict[str, bytes | None] = {"open can0": b"< ok >", "rawmode": b"< ok >", "echo": b"< echo >"}


class Emulator:
    """A server with a script: what it answers to each command; all else it keeps."""

    def __init__(self, greeting: bytes, answers: dict[str, bytes | None], pieces: int) -> None:
        self.heard: list[str] = []
        self.got = threading.Event()
        self.reads = threading.Event()
        self.reads.set()
        self._greeting, self._answers, self._pieces = greeting, answers, pieces
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        self.port = self._listener.getsockname()[1]
        self._end: socket.socket | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._end, _ = self._listener.accept()
        except OSError:
            return
        self._end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.say(self._greeting)
        text = b""
        while data := self._read():
            text += data
            while b">" in text:
                command, _, text = text.partition(b">")
                name = command.decode().strip("< ")
                answer = self._answers.get(name, b"")
                if answer is CLOSE:
                    self._end.shutdown(socket.SHUT_RDWR)
                    return
                self.heard.append(name)
                self.say(answer)
                if not answer:
                    self.got.set()
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)

    def _read(self) -> bytes:
        assert self._end is not None
        try:
            self._end.recv(1, socket.MSG_PEEK)
            self.reads.wait(20)
            return self._end.recv(4096)
        except OSError:
            return b""

    def say(self, text: bytes) -> None:
        assert self._end is not None
        for at in range(0, len(text), self._pieces):
            self._end.sendall(text[at : at + self._pieces])

    def join(self) -> None:
        """Wait until the client closed, and all that it said is heard."""
        self._thread.join(30)

    def close(self) -> None:
        with ExitStack() as stack:
            stack.callback(self._thread.join, 30)
            for end in (self._listener, self._end):
                if end is not None:
                    with suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)
                    end.close()


@pytest.fixture
def server() -> Iterator[Callable[..., Emulator]]:
    """Return a function that starts an emulator, which ends with the test."""
    with ExitStack() as stack:

        def start(greeting: bytes = b"< hi >", pieces: int = 4096, **answers: bytes | None) -> Emulator:
            script = HANDSHAKE | {name.replace("_", " "): answer for name, answer in answers.items()}
            emulator = Emulator(greeting, script, pieces)
            stack.callback(emulator.close)
            return emulator

        yield start


@pytest.fixture
def connect() -> Iterator[Callable[..., SocketCanDaemonBus]]:
    with ExitStack() as stack:

        def opened(server: Emulator, **options: Any) -> SocketCanDaemonBus:
            bus = SocketCanDaemonBus("can0", "127.0.0.1", server.port, **options)
            stack.callback(bus.shutdown)
            return bus

        yield opened


def frame(identifier: int, data: str = "", **fields: Any) -> Message:
    return Message(
        **{"arbitration_id": identifier, "is_extended_id": False, "data": bytes.fromhex(data)} | fields
    )


@pytest.mark.parametrize("pieces", [1, 4096])
def test_opening_is_a_greeting_an_open_and_raw_mode(server, connect, pieces):
    emulator = server(pieces=pieces)
    bus = connect(emulator)
    assert emulator.heard == ["open can0", "rawmode"]
    assert str(bus) == f"socketcand can0 at 127.0.0.1:{emulator.port}"


@pytest.mark.parametrize("pieces", [1, 7, 4096])
def test_frames_behind_the_answer_to_raw_mode_are_kept(server, connect, pieces):
    rawmode = b"< ok >< frame 123 23.424242 1A220344 >\n< error 004 23.424242 >< frame 7FF 23.424242  >"
    bus = connect(server(pieces=pieces, rawmode=rawmode))
    message = bus.recv(20)
    assert message.equals(frame(0x123, "1A220344", timestamp=23.424242, channel="can0"))
    assert bus.recv(20).is_error_frame
    assert bus.recv(20).equals(frame(0x7FF, timestamp=23.424242, channel="can0"))
    assert bus.recv(0) is None


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (frame(0x123, "0102AB"), "send 123 3 01 02 AB"),
        (frame(0x12ABCDEF, "DEAD", is_extended_id=True), "send 12ABCDEF 2 DE AD"),
        (frame(7), "send 007 0"),
        (frame(7, "00", is_extended_id=True), "send 00000007 1 00"),
    ],
)
def test_frames_are_sent_as_commands(server, connect, message, text):
    emulator = server()
    connect(emulator).send(message)
    assert emulator.got.wait(20)
    assert emulator.heard[-1] == text


@pytest.mark.parametrize("kind", ["is_fd", "is_remote_frame", "is_error_frame"])
def test_what_cannot_be_expressed_is_refused_and_the_bus_lives(server, connect, kind):
    emulator = server()
    bus = connect(emulator)
    with pytest.raises(CanOperationError, match="socketcand cannot send"):
        bus.send(frame(1, **{kind: True}))
    bus.send(frame(1))
    assert emulator.got.wait(20)


@pytest.mark.parametrize(
    ("greeting", "answers", "reason"),
    [
        (b"< hi >", {"open_can0": b"< error could not open bus >"}, "could not open bus"),
        (b"< hi >", {"open_can0": b"< error could not start interface can0 >"}, "could not start interface"),
        (b"< hi >", {"open_can0": CLOSE}, "closed the connection"),
        (b"< hi >", {"rawmode": b"< error unknown command >"}, "unknown command"),
        (b"< busy >", {}, "instead of hi"),
        (b"SSH-2.0-OpenSSH\r\n", {}, "no greeting"),
        (b"", {}, "no greeting"),
        (b"< hi >", {"rawmode": b""}, "no answer to < rawmode >"),
    ],
)
def test_a_server_that_refuses_or_is_something_else_is_said(server, connect, greeting, answers, reason):
    with pytest.raises(CanInitializationError, match=reason):
        connect(server(greeting, **answers), connect_timeout=1.0 if reason.startswith("no ") else 20.0)


def test_fd_needs_a_server_of_canx(server, connect):
    refusing = server(canx_fd=b"< error unknown command >")
    with pytest.raises(CanInitializationError, match="the server does not support CAN FD"):
        connect(refusing, fd=True)
    emulator = server(canx_fd=b"< ok >")
    connect(emulator, fd=True).send(frame(1, "11" * 12, is_fd=True))
    assert emulator.got.wait(20)
    assert emulator.heard == ["open can0", "canx fd", "rawmode", "sendfd 001 12 " + "11 " * 11 + "11"]


def test_nobody_at_the_port_is_an_error_of_opening():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(CanInitializationError, match="cannot connect"):
        SocketCanDaemonBus("can0", "127.0.0.1", port)


@pytest.mark.parametrize(
    "garbage", [b"<frame 1 2 3>", b"< frame 123 1.0 ABC >", b"x" * 300, b"< frame 800 1.0  >", b"<\xff\x00>"]
)
def test_garbage_is_counted_and_costs_only_itself(server, connect, garbage):
    bus = connect(server(rawmode=b"< ok >" + garbage + b"< frame 123 1.0 AA >"))
    assert bus.recv(20).data == b"\xaa"
    assert bus.losses == {"malformed messages skipped": 1}
    assert bus.first_fault


def test_a_lost_server_gives_what_came_before_then_one_error_then_closed(server, connect):
    emulator = server(rawmode=b"< ok >< frame 123 1.0 AA >< frame 12")
    bus = connect(emulator)
    emulator.close()
    assert bus.recv(20).data == b"\xaa"
    with pytest.raises(CanOperationError, match="closed the connection"):
        bus.recv(20)
    with pytest.raises(CanOperationError, match="closed bus"):
        bus.recv(20)


def test_sending_to_a_lost_server_is_an_error(server, connect):
    emulator = server(**{"send 001 0": CLOSE})
    bus = connect(emulator)
    bus.send(frame(1))
    with pytest.raises(CanOperationError, match="closed the connection"):
        bus.recv(20)
    with pytest.raises(CanOperationError):
        bus.send(frame(1))


def test_closing_lets_the_server_read_what_was_sent(server, connect):
    emulator = server()
    bus = connect(emulator)
    emulator.reads.clear()
    for _ in range(10):
        bus.send_batch(MessageBatch([frame(number) for number in range(2000)]))
    emulator.say(b"< frame 001 1.0  >" * 1000)  # which nobody reads
    closing = threading.Thread(target=bus.shutdown)
    closing.start()
    while not bus.is_shutdown:
        closing.join(0.01)
    emulator.reads.set()
    closing.join(20)
    emulator.join()
    assert emulator.heard[-1] == "send 7CF 0"
    assert emulator.heard.count("send 000 0") == 10


def test_a_silent_server_is_asked_and_given_up_when_it_does_not_answer(server, connect, monkeypatch):
    monkeypatch.setattr(socketcand, "SILENCE", 0.05)
    emulator = server(echo=b"")
    bus = connect(emulator)
    with pytest.raises(CanOperationError, match="no answer for"):
        bus.recv(20)
    assert emulator.heard[-1] == "echo"


def test_a_silent_server_that_answers_is_kept(server, connect, monkeypatch):
    emulator = server()
    bus = connect(emulator)
    now = time.monotonic()
    monkeypatch.setattr(socketcand, "time", SimpleNamespace(monotonic=lambda: now))
    for _ in range(3):
        now += socketcand.SILENCE
        assert bus.recv(0) is None
        while bus._probed is not None:
            assert bus.recv(0.01) is None
    assert emulator.heard.count("echo") == 3


def test_the_descriptor_is_ready_when_a_frame_waits(server, connect):
    emulator = server()
    bus = connect(emulator)
    assert not select.select([bus], [], [], 0)[0]
    emulator.say(b"< frame 001 1.0  >< frame 002 1.0  >")
    for identifier in (1, 2):
        assert select.select([bus], [], [], 20)[0]
        assert bus.recv(0).arbitration_id == identifier


def test_closing_wakes_a_thread_that_receives(server, connect):
    bus = connect(server())
    errors: list[Exception] = []

    def receive() -> None:
        try:
            bus.recv()
        except CanOperationError as error:
            errors.append(error)

    thread = threading.Thread(target=receive)
    thread.start()
    bus.shutdown()
    thread.join(20)
    assert len(errors) == 1


@pytest.mark.parametrize("tcp_tune", [False, True])
def test_the_documented_parameters(server, tcp_tune):
    emulator = server(rawmode=b"< ok >< frame 001 1.0  >< frame 123 1.0  >")
    filters = [{"can_id": 0x123, "can_mask": 0x7FF}]
    with Bus(
        interface="socketcand",
        channel="can0",
        host="127.0.0.1",
        port=emulator.port,
        tcp_tune=tcp_tune,
        can_filters=filters,
    ) as bus:
        assert bus.recv(20).arbitration_id == 0x123


@pytest.mark.parametrize("channel", ["can0@127.0.0.1:{port}", "can://127.0.0.1:{port}/can0"])
def test_a_channel_may_name_the_server(server, channel):
    emulator = server()
    with SocketCanDaemonBus(channel.format(port=emulator.port)):
        assert emulator.heard == ["open can0", "rawmode"]


@pytest.mark.parametrize(
    ("channel", "host", "port"),
    [("can0", None, None), ("", "h", None), ("a b", "h", 1), ("can0", "h", 0), ("can0", "h", 70000)],
)
def test_a_channel_without_a_server_or_a_name_is_refused(channel, host, port):
    with pytest.raises(UsageError):
        SocketCanDaemonBus(channel, host, port)


def test_beacons_are_collected_and_told_once(monkeypatch):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.0.1", 0))
        free = sender.getsockname()[1]
    monkeypatch.setattr(socketcand.beacon, "BEACON_PORT", free)
    found: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: found.extend(detect_beacon(700)))
    thread.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while thread.is_alive():
            for text in (
                b"noise",
                b"<!DOCTYPE x>",
                format_beacon("h", "can://192.0.2.1:29536", ["can0", "can1"]),
            ):
                sender.sendto(text, ("127.0.0.1", free))
            thread.join(0.05)
    assert found == [
        {"interface": "socketcand", "host": "192.0.2.1", "port": 29536, "channel": name}
        for name in ("can0", "can1")
    ]


def test_frames_that_are_not_received_are_counted(server, connect, monkeypatch):
    monkeypatch.setattr(stream, "QUEUE_FRAMES", 2)
    bus = connect(server(rawmode=b"< ok >" + b"< frame 123 1.0 AA >" * 5))
    received = 0
    while received + bus.losses["frames lost because they were not read in time"] < 5:
        received += len(bus.recv_batch(20).without(CAN_ERR_FLAG))
    assert bus.losses
