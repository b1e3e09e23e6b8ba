"""The client of python-can-remote: against a server of a few lines, and against the real one."""

from __future__ import annotations

import os
import re
import select
import socket
import struct
import sys
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

pytest.importorskip("websockets", reason="needs canx[remote]")

from cantools_cli.backends.remote import bus as remote
from cantools_cli.backends.remote.bus import RemoteBus
from cantools_cli.backends.remote.cyclic import RemoteCyclicTask
from cantools_cli.backends.transport import stream
from cantools_cli.backends.transport.websocket import WebSocket
from cantools_cli.errors import (
    CanInitializationError,
    CanInterfaceNotImplementedError,
    CanOperationError,
    UsageError,
)
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.periodic.tasks import ThreadBasedCyclicSendTask
from tests.backends.peers import PATIENCE, take
from tests.backends.remote.test_codec import CASES, OBJECT
from tests.backends.websocket_server import (
    BINARY,
    BINARY_FRAME,
    CLOSE,
    JSON,
    PING,
    PONG,
    TEXT_FRAME,
    Session,
    accept_key,
    server,
)

FRAMES = [bytes.fromhex(text) for _, text in CASES]
MESSAGES = [message for message, _ in CASES]


def test_the_accept_key_is_that_of_the_standard() -> None:
    assert accept_key(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


# --- opening ------------------------------------------------------------------------------------------------


def test_the_server_is_asked_for_both_forms_and_gets_the_settings() -> None:
    seen: list[Any] = []

    def script(session: Session) -> None:
        seen.append(session.open())
        seen.append(session.request)
        session.end_politely()

    with server(script) as channel, RemoteBus(channel, bitrate=500_000, receive_own_messages=True) as bus:
        assert str(bus) == f"Bench 3 at ws://{channel}/"
    config, request = seen
    assert config == {"bitrate": 500_000, "receive_own_messages": True}
    assert request.startswith(b"GET / HTTP/1.1\r\n")
    assert re.search(rb"(?i)\r\nsec-websocket-protocol: can.binary\+json.v1, ?can.json.v1\r\n", request)
    assert re.search(rb"(?i)\r\nsec-websocket-version: 13\r\n", request)


def refuse_with_a_page(session: Session) -> None:
    session.end.recv(65536)
    session.end.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno")


def close_1011(session: Session) -> None:
    session.agree()
    session.hear()
    session.say(CLOSE, struct.pack(">H", 1011) + b"no such channel can7")


def error_instead(session: Session) -> None:
    session.agree()
    session.hear()
    session.tell("error", "bitrate is 0")
    session.end.recv(65536)


REFUSALS: list[tuple[Callable[[Session], None], str]] = [
    (lambda session: session.agree(magic="wrong"), "not a WebSocket: .*Sec-WebSocket-Accept"),
    (lambda session: session.agree("can.other"), "not a WebSocket: .*subprotocol"),
    (refuse_with_a_page, "not a WebSocket: .*404"),
    (lambda session: session.end.sendall(b"SSH-2.0\r\n"), "not a WebSocket"),
    (lambda session: None, "the other side closed|connection is lost"),
    (close_1011, "the server closed it: no such channel can7"),
    (error_instead, "the server reports: bitrate is 0"),
]


@pytest.mark.parametrize(("script", "reason"), REFUSALS, ids=range(len(REFUSALS)))
def test_a_server_that_does_not_open_its_bus_is_an_error(
    script: Callable[[Session], None], reason: str
) -> None:
    with server(script) as channel, pytest.raises(CanInitializationError, match=reason):
        RemoteBus(channel)


def test_a_server_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_response(session: Session) -> None:
        session.agree()
        session.end.recv(65536)
        session.end.recv(65536)

    monkeypatch.setattr(remote, "ANSWER", 0.05)
    with (
        server(no_response) as channel,
        pytest.raises(CanInitializationError, match="does not confirm that the bus"),
    ):
        RemoteBus(channel)
    with (
        server(lambda session: take(session.end, 1 << 20) and None) as channel,
        pytest.raises(CanInitializationError, match="no WebSocket server answers"),
    ):
        RemoteBus(channel, connect_timeout=0.05)


def test_nobody_there_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        channel = f"ws://127.0.0.1:{listener.getsockname()[1]}/"
    with pytest.raises(CanInitializationError, match=r"remote:ws://.*: cannot connect: .*refused"):
        RemoteBus(channel)


@pytest.mark.parametrize(
    ("channel", "url"),
    [
        ("host", "ws://host:54701/"),
        ("host:5", "ws://host:5/"),
        ("host/lab/3", "ws://host:54701/lab/3"),
        ("[::1]", "ws://[::1]:54701/"),
        ("ws://host:54701/", "ws://host:54701/"),
        ("ws://host", "ws://host/"),
        ("wss://host/lab", "wss://host/lab"),
    ],
)
def test_a_channel_is_an_address_with_or_without_a_scheme(channel: str, url: str) -> None:
    assert remote._url(channel) == url


@pytest.mark.parametrize(
    "channel", ["", "http://host/", "ws://", "host:x", "host:70000", "ws://[::1/", "ws://h/#x"]
)
def test_what_is_no_address_is_refused(channel: str) -> None:
    with pytest.raises(UsageError) as caught:
        RemoteBus(channel)
    assert caught.value.hint == "such as ws://host:54701/"


def test_without_its_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "websockets"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "websockets", None)
    with pytest.raises(
        CanInterfaceNotImplementedError, match="needs websockets, which is not installed"
    ) as caught:
        RemoteBus("host")
    assert caught.value.hint == "pip install 'canx[remote]'"


# --- frames -------------------------------------------------------------------------------------------------


def test_binary_frames_both_ways() -> None:
    got: list[tuple[int, bytes]] = []

    def script(session: Session) -> None:
        session.open()
        for frame in FRAMES:
            session.say(BINARY_FRAME, frame)
        got.extend(session.hear() for _ in FRAMES)
        session.end_politely()

    with server(script) as channel, RemoteBus(channel) as bus:
        for known in MESSAGES:
            message = bus.recv(PATIENCE)
            assert message is not None
            assert message.equals(known, timestamp_delta=0, check_channel=False)
            assert message.channel == channel
        bus.send_batch(MessageBatch(MESSAGES))
    assert got == [(BINARY_FRAME, frame) for frame in FRAMES]


@pytest.mark.parametrize("subprotocol", [JSON, None])
def test_a_server_that_knows_json_only(subprotocol: str | None) -> None:
    got: list[tuple[int, bytes]] = []

    def script(session: Session) -> None:
        session.open(subprotocol)
        session.say(TEXT_FRAME, OBJECT.encode())
        got.append(session.hear())
        session.end_politely()

    with server(script) as channel, RemoteBus(channel) as bus:
        message = bus.recv(PATIENCE)
        assert message is not None
        assert message.equals(MESSAGES[0], check_channel=False)
        bus.send(MESSAGES[0])
    assert got == [(TEXT_FRAME, OBJECT.encode())]


def test_a_message_in_fragments_with_a_ping_between() -> None:
    def script(session: Session) -> None:
        session.open()
        session.say(BINARY_FRAME, FRAMES[0][:5], fin=False)
        session.say(PING, b"still there?")
        session.say(0, FRAMES[0][5:9], fin=False)
        session.say(0, FRAMES[0][9:])
        assert session.hear() == (PONG, b"still there?")
        session.end_politely()

    with server(script) as channel, RemoteBus(channel) as bus:
        message = bus.recv(PATIENCE)
        assert message is not None
        assert message.equals(MESSAGES[0], check_channel=False)


def test_the_stream_may_be_cut_anywhere() -> None:
    def script(session: Session) -> None:
        session.open()
        text = b"".join(bytes((0x82, len(frame))) + frame for frame in FRAMES)
        for at in range(len(text)):
            session.end.sendall(text[at : at + 1])
        session.end_politely()

    with server(script) as channel, RemoteBus(channel) as bus:
        got = [bus.recv(PATIENCE) for _ in FRAMES]
        assert [one.arbitration_id for one in got if one] == [one.arbitration_id for one in MESSAGES]


def test_all_that_waits_comes_in_one_batch() -> None:
    sent = Event()

    def script(session: Session) -> None:
        session.open()
        session.end.sendall((bytes((0x82, len(FRAMES[0]))) + FRAMES[0]) * 500)
        sent.set()
        session.end_politely()

    with server(script) as channel, RemoteBus(channel) as bus:
        sent.wait(PATIENCE)
        assert len(bus.recv_batch(PATIENCE) or ()) == 500


def test_what_is_no_frame_is_counted_and_costs_only_itself() -> None:
    def script(session: Session) -> None:
        session.open()
        session.say(BINARY_FRAME, FRAMES[0][:-1])
        session.say(BINARY_FRAME, b"\x02 something newer")
        session.say(TEXT_FRAME, b"{")
        session.say(TEXT_FRAME, b"\xff\xfe")
        session.tell("message", {"arbitration_id": -1})
        session.tell("weather", "fine")
        session.say(BINARY_FRAME, FRAMES[1])
        session.end_politely()

    with server(script) as channel, RemoteBus(channel) as bus:
        message = bus.recv(PATIENCE)
        assert message is not None
        assert message.arbitration_id == 0x12ABCDEF
        assert bus.losses == {"malformed messages skipped": 3}
        assert "length 3, but 2 data bytes" in str(bus.first_fault)


def test_what_nobody_receives_is_dropped_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Event()

    def script(session: Session) -> None:
        session.open()
        session.end.sendall((bytes((0x82, len(FRAMES[0]))) + FRAMES[0]) * 10)
        sent.set()
        session.end_politely()

    monkeypatch.setattr(stream, "QUEUE_FRAMES", 4)
    with server(script) as channel, RemoteBus(channel) as bus:
        sent.wait(PATIENCE)
        batch = bus.recv_batch(PATIENCE)
        assert batch is not None
        assert [one.is_error_frame for one in batch] == [False] * 4 + [True]
        assert bus.losses.total() == 6


def test_filters_apply() -> None:
    def script(session: Session) -> None:
        session.open()
        for frame in FRAMES:
            session.say(BINARY_FRAME, frame)
        session.end_politely()

    with (
        server(script) as channel,
        RemoteBus(channel, can_filters=[{"can_id": 0x7FF, "can_mask": 0x7FF}]) as bus,
    ):
        got = [bus.recv(PATIENCE), bus.recv(PATIENCE)]
    assert [one.arbitration_id for one in got if one] == [0x7FF, 4]  # an error frame passes


def test_the_descriptor_is_ready_as_long_as_anything_waits() -> None:
    def script(session: Session) -> None:
        session.open()
        for frame in FRAMES:
            session.say(BINARY_FRAME, frame)
        session.end_politely()

    with server(script) as channel, RemoteBus(channel) as bus:
        got = []
        while len(got) < len(FRAMES):
            assert select.select([bus], [], [], PATIENCE)[0]
            got += [message for message in [bus.recv(0)] if message]
        assert not select.select([bus], [], [], 0)[0]


# --- the end ------------------------------------------------------------------------------------------------

ENDS: list[tuple[Callable[[Session], object], str]] = [
    (lambda session: None, "the other side closed the connection"),
    (lambda session: session.end.sendall(b"\x82\x12\x01\x3f"), "the other side closed the connection"),
    (
        lambda session: session.say(CLOSE, struct.pack(">H", 1011) + b"bus off"),
        "the server closed it: bus off",
    ),
    (lambda session: session.say(CLOSE, struct.pack(">H", 1000)), "the server closed it$"),
    (lambda session: session.say(CLOSE, b""), "the server closed it$"),
    (lambda session: session.say(CLOSE, struct.pack(">H", 1003)), "the server closed it, code 1003"),
    (lambda session: session.end.sendall(b"\x82\x80\0\0\0\0"), "not a WebSocket: incorrect masking"),
    (lambda session: session.end.sendall(b"\xf2\x00"), "not a WebSocket: reserved bits"),
    (lambda session: session.end.sendall(b"\x82\x7f" + b"\x7f" * 8), "not a WebSocket"),
]


@pytest.mark.parametrize(("ending", "reason"), ENDS, ids=range(len(ENDS)))
def test_the_end_is_told_once_and_behind_the_frames(ending: Callable[[Session], object], reason: str) -> None:
    def script(session: Session) -> None:
        session.open()
        session.say(BINARY_FRAME, FRAMES[0])
        ending(session)

    with server(script) as channel, RemoteBus(channel) as bus:
        assert bus.recv(PATIENCE) is not None
        with pytest.raises(CanOperationError, match=reason):
            bus.recv(PATIENCE)
        for action in (
            lambda: bus.recv(0),
            lambda: bus.send(Message()),
            lambda: bus.send_periodic(Message(), 1),
        ):
            with pytest.raises(CanOperationError, match="closed bus"):
                action()


def test_an_error_of_the_server_is_told_once_and_the_bus_goes_on() -> None:
    def script(session: Session) -> None:
        session.open()
        session.tell("error", "no acknowledgement")
        session.say(BINARY_FRAME, FRAMES[0])
        session.end_politely()

    with server(script) as channel, RemoteBus(channel) as bus:
        got: list[object] = []
        while len(got) < 2:
            try:
                got.append(bus.recv(PATIENCE))
            except CanOperationError as error:
                got.append(str(error))
        assert f"remote:{channel}: the server reports: no acknowledgement" in got


# --- periodic messages --------------------------------------------------------------------------------------


def test_one_message_is_sent_periodically_by_the_server() -> None:
    heard: list[dict[str, Any]] = []

    def script(session: Session) -> None:
        session.open()
        heard.extend(session.hear_object() for _ in range(5))
        session.end_politely()

    with server(script) as channel, RemoteBus(channel) as bus:
        task = bus.send_periodic(Message(arbitration_id=7, data=b"\x01"), 0.1, duration=3)
        assert isinstance(task, RemoteCyclicTask)
        task.modify_data(Message(arbitration_id=7, data=b"\x02"))
        task.stop()
        with pytest.raises(CanOperationError, match="already stopped"):
            task.stop()
        task.duration = 5
        task.modify_data(Message(arbitration_id=7, data=b"\x03"))
        task.start()
    assert [one["type"] for one in heard] == [
        "periodic_start",
        "periodic_start",
        "periodic_stop",
        "periodic_start",
        "periodic_stop",
    ]
    first = heard[0]["payload"]
    assert (first["period"], first["duration"], first["msg"]["arbitration_id"]) == (0.1, 3, 7)
    assert [one["payload"]["msg"]["data"] for one in heard if one["type"] == "periodic_start"] == [
        [1],
        [2],
        [3],
    ]
    assert heard[2]["payload"] == heard[4]["payload"] == 7
    assert heard[3]["payload"]["duration"] == 5


def test_what_the_server_cannot_do_is_done_here() -> None:
    def script(session: Session) -> None:
        session.open()
        session.end_politely()

    with server(script) as channel, RemoteBus(channel) as bus:
        one, other = Message(arbitration_id=7), Message(arbitration_id=7, is_extended_id=False)
        mine = bus.send_periodic(one, 10)
        several = bus.send_periodic([one, other], 10, autostart=False)
        changing = bus.send_periodic(other, 10, autostart=False, modifier_callback=lambda message: None)
        same_identifier = bus.send_periodic(other, 10, autostart=False)
        assert all(
            isinstance(task, ThreadBasedCyclicSendTask) for task in (several, changing, same_identifier)
        )
        mine.stop()
        late = bus.send_periodic(other, 10, autostart=False)
        assert isinstance(late, RemoteCyclicTask)
        mine.start()  # type: ignore[attr-defined]  # a restartable task
        with pytest.raises(CanOperationError, match="already sends another message 0x7"):
            late.start()


def test_noise_behind_the_handshake_never_raises() -> None:
    for size in range(200):
        client = WebSocket("ws://host/", [BINARY])
        client.receive(os.urandom(size))
        client.receive(os.urandom(size))
        assert not client.is_open
