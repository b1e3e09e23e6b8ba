"""The socketcand server: its sessions without a socket, its loop on loopback, python-can as its client."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from cantools_cli.backends.socketcand import SocketCanDaemonBus
from cantools_cli.backends.virtual import VirtualBus
from cantools_cli.batch import MessageBatch
from cantools_cli.bus import BusABC
from cantools_cli.errors import (
    CanInitializationError,
    CanOperationError,
    CanTimeoutError,
    FormatError,
    UsageError,
)
from cantools_cli.filters import FrameFilter
from cantools_cli.message import Message
from cantools_cli.serve.access import Access, parse_place
from cantools_cli.serve.client import Client
from cantools_cli.serve.outbox import Outbox
from cantools_cli.serve.served import BusJob
from cantools_cli.serve.server import SocketcandServer
from cantools_cli.serve.session import RAW_DELAY, Mode, Session

UNKNOWN = b"< error unknown command >"


class Recorder:
    """A bus as a session sees it; keeps what the session asked for."""

    received_bytes, received_frames, sent_bytes, sent_frames = 1024, 60, 512, 30

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.jobs: list[list[Any]] = []
        self.failure: Exception | None = None

    def send(self, batch: MessageBatch, sender: object) -> None:
        if self.failure is not None:
            raise self.failure
        self.sent += [text_of(message) for message in batch]

    def start_job(self, message: Message, period: float, sender: object) -> Any:
        if self.failure is not None:
            raise self.failure
        job = [text_of(message), period, "running"]
        self.jobs.append(job)
        return RecordedJob(job)


class RecordedJob:
    def __init__(self, job: list[Any]) -> None:
        self.job = job

    def change(self, message: Message) -> None:
        self.job[0] = text_of(message)

    def stop(self) -> None:
        self.job[2] = "stopped"


class Talk:
    """A conversation with a session, at a time that the test sets."""

    def __init__(self, *commands: str, **options: Any) -> None:
        self.bus = Recorder()
        self.session = Session({"can0": self.bus}.get, **options)
        self.now = 100.0
        for command in ("open can0", *commands):
            self.say(command)

    def say(self, command: str) -> bytes:
        return self.session.receive_data(f"< {command} >".encode(), self.now)

    def hear(self, *messages: Message) -> bytes:
        return self.session.deliver(MessageBatch(messages), {}, self.now)[0]


def text_of(message: Message) -> str:
    number = f"{message.arbitration_id:08X}" if message.is_extended_id else f"{message.arbitration_id:03X}"
    return f"{number}#{'R' if message.is_remote_frame else message.data.hex().upper()}"


def frame(identifier: int, data: str = "", **fields: Any) -> Message:
    fields = {"is_extended_id": False, "timestamp": 1.0} | fields
    return Message(arbitration_id=identifier, data=bytes.fromhex(data), **fields)


# --- sessions ---------------------------------------------------------------------------------------------

# (what is asked for first, what the client says, what is answered)
ANSWERS = [
    ([], "open can0", UNKNOWN),
    ([], "echo", b"< echo >"),
    ([], "bcmmode", UNKNOWN),
    ([], "rawmode", b"< ok >"),
    (["rawmode"], "rawmode", UNKNOWN),
    (["rawmode"], "bcmmode", b"< ok >"),
    (["rawmode"], "controlmode", b"< ok >"),
    (["rawmode"], "echo", b"< echo >"),
    (["rawmode"], "subscribe 0 0 123", UNKNOWN),
    (["controlmode"], "echo", b"< echo >"),
    (["controlmode"], "send 123 0", UNKNOWN),
    ([], "isotpmode", b"< error isotp is not served >"),
    ([], "nonsense", UNKNOWN),
    ([], "sendfd 123 1 11", UNKNOWN),
    ([], "canx fd", b"< ok >"),
    ([], "canx xl", UNKNOWN),
    ([], "send 123 2 11", b""),
    ([], "add 0 0 123 0", b""),
    ([], "delete 123", b""),
]


@pytest.mark.parametrize(("before", "command", "answer"), ANSWERS)
def test_an_open_session_answers(before, command, answer):
    assert Talk(*before).say(command) == answer


@pytest.mark.parametrize(
    ("command", "answer", "is_over"),
    [
        ("open can0", b"< ok >", False),
        ("open can1", b"< error could not open bus >", True),
        ("rawmode", UNKNOWN, False),
        ("can0 B 500000 0 0 0 0 0 0 0", b"< error the bit rate is set where canx serve is started >", False),
    ],
)
def test_a_session_without_a_bus_answers(command, answer, is_over):
    session = Session({"can0": Recorder()}.get)
    assert session.greet() == b"< hi >"
    assert session.receive_data(f"< {command} >".encode(), 0.0) == answer
    assert session.is_over is is_over


def test_a_bus_that_failed_is_said_to_be_so():
    def fail(name: str) -> None:
        raise CanOperationError("gone")

    session = Session(fail)
    assert session.receive_data(b"< open can0 >", 0.0) == b"< error could not start interface can0 >"
    assert session.mode is Mode.NO_BUS


def test_the_sample_session_of_the_documentation():
    talk = Talk()
    assert talk.say("subscribe 0 0 123") == b""
    assert talk.hear(frame(0x123, "1122", timestamp=5.000001)) == b"< frame 123 5.000001 11 22  >"
    talk.say("unsubscribe 123")
    assert talk.hear(frame(0x123, "1122")) == b""
    talk.say("add 0 100000 456 2 AA BB")
    assert talk.bus.jobs == [["456#AABB", 0.1, "running"]]
    talk.say("delete 456")
    assert talk.bus.jobs[0][2] == "stopped"
    assert talk.say("rawmode") == b"< ok >"
    assert talk.hear(frame(0x123, "1122", timestamp=6.0)) == b"< frame 123 6.000000 1122 >"
    talk.say("send 1AAAAAAA 2 1 f1")
    assert talk.bus.sent == ["1AAAAAAA#01F1"]
    assert talk.say("controlmode") == b"< ok >"
    talk.say("statistics 1000")
    talk.now += 1
    assert talk.session.tick(talk.now)[0] == b"< stat 1024 60 512 30 >"
    assert talk.session.receive_data(b"< rawmode >< echo >", talk.now) == b"< ok >< echo >"


def test_broadcast_manager_mode_delivers_nothing_unasked():
    assert Talk().hear(frame(0x123)) == b""


def test_subscriptions_tell_kinds_of_identifiers_apart():
    talk = Talk("subscribe 0 0 00000123")
    assert talk.hear(frame(0x123)) == b""
    assert talk.hear(frame(0x123, is_extended_id=True)) == b"< frame 00000123 1.000000  >"


def test_a_subscription_to_error_frames_is_of_their_classes():
    talk = Talk("subscribe 0 0 20000004")
    assert talk.hear(frame(8, "00" * 8, is_error_frame=True)) == b""
    heard = talk.hear(frame(4, "0001" + "00" * 6, is_error_frame=True))
    assert heard == b"< error 20000004 1.000000 00 01 00 00 00 00 00 00  >"


def test_an_interval_holds_frames_back_and_reports_the_latest():
    talk = Talk("subscribe 1 500000 123")
    assert talk.hear(frame(0x123, "01"))
    assert talk.hear(frame(0x123, "02")) == talk.hear(frame(0x123, "03")) == b""
    assert talk.session.due() == talk.now + 1.5
    assert talk.session.tick(talk.now + 1.4)[0] == b""
    assert talk.session.tick(talk.now + 1.5)[0] == b"< frame 123 1.000000 03  >"
    assert talk.session.due() is None


def test_a_content_filter_reports_changes_of_its_bits_alone():
    talk = Talk("filter 0 0 123 2 0F 00")
    heard = [talk.hear(frame(0x123, data)) for data in ("0100", "F1FF", "02", "0200", "01")]
    assert [bool(text) for text in heard] == [True, False, True, False, True]


def test_a_multiplex_filter_looks_at_each_kind_of_frame_by_itself():
    masks = ["FF" + "00" * 7, "01FF" + "00" * 6, "0200FF" + "00" * 5]
    digits = " ".join(" ".join(mask[at : at + 2] for at in range(0, 16, 2)) for mask in masks)
    talk = Talk(f"muxfilter 0 0 123 3 {digits}")
    heard = [talk.hear(frame(0x123, data)) for data in ("0101", "020007", "0101", "0102", "020107", "0301")]
    assert [bool(text) for text in heard] == [True, True, False, True, False, False]
    assert talk.session.faults == 0


@pytest.mark.parametrize(
    "command",
    [
        "subscribe 0 0",
        "subscribe 0 x 123",
        "subscribe 0 0 12345",
        "unsubscribe 123",
        "filter 0 0 123 2 11",
        "muxfilter 0 0 123 2 11",
        "muxfilter 0 0 123 1 " + "11 " * 8,
        "muxfilter 0 0 123 258 " + "11 " * 8,
        "add 0 100 123 0",
        "add 0 100000 123",
        "update 123 0",
        "delete",
        "send",
    ],
)
def test_a_malformed_command_is_counted_and_nothing_else(command):
    talk = Talk()
    assert talk.say(command) == b""
    assert (talk.session.faults, talk.session.is_over, talk.bus.sent, talk.bus.jobs) == (1, False, [], [])


def test_a_job_is_changed_replaced_and_ends_with_the_mode():
    talk = Talk("add 0 100000 123 1 11", "update 123 1 22")
    assert talk.bus.jobs == [["123#22", 0.1, "running"]]
    talk.say("add 1 0 123 1 33")
    assert talk.bus.jobs[0][2] == "stopped"
    talk.say("rawmode")
    assert talk.bus.jobs[1] == ["123#33", 1.0, "stopped"]


def test_jobs_and_subscriptions_are_bounded():
    talk = Talk(*(f"add 1 0 {number:03X} 0" for number in range(300)))
    assert len(talk.bus.jobs) == 256
    talk = Talk(*(f"subscribe 0 0 {number:08X}" for number in range(4097)))
    assert talk.session.faults == 1


def test_what_is_sent_in_one_piece_goes_out_as_one_batch():
    talk = Talk("rawmode")
    talk.session.receive_data(b"< send 001 0 >< send 002 1 ff >< send bad 0 >< send 003 0  >", talk.now)
    assert talk.bus.sent == ["001#", "002#FF", "003#"]


@pytest.mark.parametrize("command", ["send 123 0", "add 1 0 123 0"])
def test_a_bus_that_takes_no_frame_ends_the_session(command):
    talk = Talk()
    talk.bus.failure = CanTimeoutError("no room")
    talk.say(command)
    assert talk.session.is_over
    assert talk.session.reason == "sending failed: no room"


@pytest.mark.parametrize("command", ["send 123 0", "add 1 0 123 0"])
def test_read_only_refuses_to_send_and_says_so_once(command):
    talk = Talk(read_only=True)
    assert talk.say(command) == b"< canx this bus is read-only >"
    assert talk.say(command) == b""
    assert (talk.session.refused, talk.bus.sent, talk.bus.jobs) == (2, [], [])


def test_raw_mode_leaves_out_what_the_protocol_has_not():
    talk = Talk("rawmode")
    others = [frame(1, is_fd=True), frame(2, is_remote_frame=True), frame(4, "00" * 8, is_error_frame=True)]
    assert talk.hear(*others) == b""
    assert talk.session.left_out == 3


def test_error_frames_are_told_where_that_was_asked_for():
    talk = Talk("rawmode", errors=True)
    assert talk.hear(frame(4, "00" * 8, is_error_frame=True)) == b"< error 004 1.000000 >"


def test_a_canx_client_gets_and_sends_all_kinds_of_frames():
    talk = Talk("canx fd", "rawmode")
    assert talk.hear(frame(1, "0011", is_fd=True)) == b"< fdframe 001 1.000000 0011 >"
    assert talk.hear(frame(2, is_remote_frame=True, dlc=4)) == b"< rtr 002 1.000000 4 >"
    talk.session.receive_data(b"< sendfd 123 2 00 11 1 >< sendrtr 00000123 4 >", talk.now)
    assert talk.bus.sent == ["123#0011", "00000123#R"]


def test_frames_wait_behind_the_answer_to_rawmode_until_the_client_speaks():
    talk = Talk("rawmode")
    assert talk.session.held_until == talk.now + RAW_DELAY
    talk.say("echo")
    assert talk.session.held_until == 0.0


# --- the outbox -------------------------------------------------------------------------------------------


def taken(outbox: Outbox, now: float = 0.0, room: int = 1 << 30) -> bytes:
    """Return what an outbox hands out to a peer that takes three bytes at a time, ``room`` in all."""
    out = bytearray()

    def send(data: memoryview) -> int:
        if len(out) >= room:
            raise BlockingIOError
        out.extend(data[:3])
        return len(data[:3])

    outbox.send(send, now)
    return bytes(out)


def test_an_outbox_keeps_order_and_rests():
    outbox = Outbox()
    outbox.add_answer(b"< ok >")
    outbox.add_frames(b"frame 1", 1)
    outbox.add_answer(b"< echo >")
    assert taken(outbox, room=9) + taken(outbox) == b"< ok >frame 1< echo >"
    assert not outbox
    assert outbox.answer_bytes == 0


def test_an_outbox_drops_the_oldest_frames_and_marks_the_gap_once():
    outbox = Outbox(512, lambda: b"!")
    outbox.add_answer(b"<ok>")
    for name in b"abcde":
        outbox.add_frames(bytes([name]), 256)
    outbox.add_answer(b"<echo>")
    assert outbox.lost == 3 * 256
    assert taken(outbox) == b"<ok>!de<echo>"


def test_an_outbox_holds_frames_back_for_a_time_but_no_answer_before_them():
    outbox = Outbox()
    outbox.hold_until = 5.0
    outbox.add_answer(b"< ok >")
    outbox.add_frames(b"frame", 1)
    assert taken(outbox, 4.9) == b"< ok >"
    assert outbox.is_held(4.9)
    assert taken(outbox, 5.0) == b"frame"


def test_a_client_in_raw_mode_gets_its_first_frame_behind_a_pause(stack):
    here, there = (stack.enter_context(end) for end in socket.socketpair())
    there.setblocking(False)
    client = Client(here, "x", Session({"can0": Recorder()}.get), 1000)
    there.sendall(b"< open can0 >< rawmode >")
    client.read(100.0)
    client.deliver(MessageBatch([frame(1)]), {}, 100.0)
    assert there.recv(99) == b"< hi >< ok >< ok >"
    assert not client.is_writing(100.0)
    assert client.due(100.0) == 100.0 + RAW_DELAY
    with pytest.raises(BlockingIOError):
        there.recv(99)
    client.tick(100.0 + RAW_DELAY)
    assert there.recv(99) == b"< frame 001 1.000000  >"


def test_a_client_that_takes_no_answers_is_not_to_be_read(stack):
    here, _ = (stack.enter_context(end) for end in socket.socketpair())
    client = Client(here, "x", Session({"can0": Recorder()}.get), 1000)
    assert client.is_reading
    client._outbox.add_answer(b"< echo >" * 10_000)
    assert not client.is_reading


# --- who may connect --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allowed", "host", "answer"),
    [
        ([], "203.0.113.9", True),
        (["192.0.2.0/24"], "192.0.2.7", True),
        (["192.0.2.0/24"], "192.0.3.7", False),
        (["192.0.2.7", "fd00::/8"], "fd00::1%eth0", True),
        (["192.0.2.7"], "::ffff:192.0.2.7", True),
        (["192.0.2.7"], "fd00::1", False),
    ],
)
def test_the_allow_list_decides(allowed, host, answer):
    assert Access(allowed).lets_in(host) is answer


def test_an_allow_list_that_is_none_is_refused():
    with pytest.raises(UsageError, match="neither an address nor a network"):
        Access(["192.0.2.300"])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1", ("127.0.0.1", 29536)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("[::1]:80", ("::1", 80)),
        ("::1", ("::1", 29536)),
        ("[::1]", ("::1", 29536)),
        (":80", ("127.0.0.1", 80)),
        ("localhost:", ("localhost", 29536)),
        ("", None),
        ("a:99999", None),
        ("a:b", None),
        ("a:-1", None),
        ("a b:1", None),
    ],
)
def test_places_to_listen_on(text, place):
    if place is None:
        with pytest.raises(UsageError, match="is not ADDRESS:PORT"):
            parse_place(text, 29536, "--listen")
    else:
        assert parse_place(text, 29536, "--listen") == place


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example"])
def test_an_address_for_others_needs_an_allow_list(host):
    with pytest.raises(UsageError, match="the protocol has no passwords") as caught:
        SocketcandServer({}, host, 0)
    assert "--allow" in str(caught.value.hint)


@pytest.mark.parametrize("name", ["", "a b", "a>b", "\x00"])
def test_a_bus_that_no_client_could_name_is_refused(name):
    with pytest.raises(UsageError, match="no client could name"):
        SocketcandServer({name: VirtualBus("x")}, port=0)


# --- on loopback ------------------------------------------------------------------------------------------


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def line(stack: ExitStack, request: pytest.FixtureRequest) -> Callable[[], VirtualBus]:
    """Return a function that opens the test's virtual bus once more."""
    return lambda: stack.enter_context(VirtualBus(request.node.name))


@pytest.fixture
def serve(stack: ExitStack, line: Callable[[], VirtualBus]) -> Callable[..., SocketcandServer]:
    """Return a function that serves the test's bus as can0, in a thread, until the test ends."""

    def start(**options: Any) -> SocketcandServer:
        buses: dict[str, BusABC] = {"can0": line(), **options.pop("buses", {})}
        server = stack.enter_context(SocketcandServer(buses, port=0, **options))
        thread = threading.Thread(target=server.serve)
        thread.start()
        stack.callback(thread.join, 30)
        stack.callback(server.stop)
        return server

    return start


class Peer:
    """A client of plain text."""

    def __init__(self, server: SocketcandServer, *commands: str) -> None:
        self.end = socket.create_connection(server.address, 20)
        self.text = b""
        self.until(b"< hi >")
        for command in commands:
            self.say(command)
            self.until(b"< ok >")

    def say(self, command: str) -> None:
        self.end.sendall(f"< {command} >".encode())

    def until(self, text: bytes) -> bytes:
        """Read until ``text`` came; return what stood before it."""
        while text not in self.text:
            piece = self.end.recv(4096)
            assert piece, f"the server closed before {text!r}"
            self.text += piece
        before, _, self.text = self.text.partition(text)
        return before

    def rest(self) -> bytes:
        """Return what comes until the server closes."""
        while True:
            try:
                piece = self.end.recv(4096)
            except ConnectionResetError:
                piece = b""
            if not piece:
                return self.text
            self.text += piece


@pytest.fixture
def peer(stack: ExitStack) -> Callable[..., Peer]:
    def connect(server: SocketcandServer, *commands: str) -> Peer:
        client = Peer(server, *commands)
        stack.callback(client.end.close)
        return client

    return connect


def test_frames_reach_every_client_but_their_sender(serve, line, peer):
    server, bus = serve(), line()
    one, two = peer(server, "open can0", "rawmode"), peer(server, "open can0", "rawmode")
    one.say("send 123 2 11 22")
    assert text_of(bus.recv(20)) == "123#1122"
    assert b"< frame 123 " in two.until(b" 1122 >")
    bus.send(frame(0x7FF))
    assert one.until(b"  >").startswith(b"< frame 7FF ")


def test_one_byte_a_segment_and_all_in_one_are_the_same(serve, line, peer):
    server, bus = serve(), line()
    slow, quick = peer(server), peer(server)
    for byte in b"< open can0 >< rawmode >< send 001 0 >":
        slow.end.sendall(bytes([byte]))
    assert slow.until(b"< ok >< ok >") == b""
    quick.end.sendall(b"< open can0 >< rawmode >< send 002 0 >")
    assert {text_of(bus.recv(20)), text_of(bus.recv(20))} == {"001#", "002#"}


def test_a_cyclic_job_is_seen_by_the_bus_and_by_other_clients_and_ends_with_its_client(serve, line, peer):
    server, bus = serve(), line()
    other, client = peer(server, "open can0", "rawmode"), peer(server, "open can0")
    client.say("add 0 2000 456 2 AA BB")
    assert [text_of(bus.recv(20)) for _ in range(3)] == ["456#AABB"] * 3
    other.until(b" AABB >")
    client.say("update 456 1 CC")
    while text_of(bus.recv(20)) != "456#CC":
        pass
    client.end.close()
    while bus.recv(0.5) is not None:
        pass


def test_a_held_back_frame_comes_by_itself(serve, line, peer):
    server, bus = serve(), line()
    client = peer(server, "open can0")
    client.end.sendall(b"< subscribe 0 20000 123 >< echo >")
    client.until(b"< echo >")
    for data in ("01", "02", "03"):
        bus.send(frame(0x123, data))
    assert b" 03  >" not in client.until(b" 01  >")
    client.until(b" 03  >")


def test_statistics_come_by_themselves(serve, line, peer):
    server, bus = serve(), line()
    client = peer(server, "open can0", "controlmode")
    bus.send(frame(0x123, "1122"))
    client.say("statistics 5")
    client.until(b"< stat 2 1 0 0 >")


def test_a_client_that_does_not_read_stops_nobody_and_its_loss_is_told(serve, line, peer):
    notes: list[str] = []
    server, bus = serve(queue_frames=500, on_note=notes.append), line()
    deaf, good = peer(server, "open can0", "rawmode"), peer(server, "open can0", "rawmode")
    burst = MessageBatch([frame(1, "00" * 8)] * 2000 + [frame(2)])
    for _ in range(200):
        bus.send_batch(burst)
        while b"< frame 002 " not in good.text:
            good.text = good.text[-20:] + good.end.recv(1 << 20)
        good.text = b""
    deaf.end.close()
    server.close()
    assert any("frames lost, since it read too slowly" in note for note in notes)


def test_a_client_that_does_not_read_its_answers_is_not_read_either(serve, peer):
    server = serve()
    deaf = peer(server, "open can0")
    deaf.end.settimeout(0.5)
    with pytest.raises(TimeoutError):
        deaf.end.sendall(b"< echo >" * 10_000_000)
    peer(server, "open can0", "rawmode")


def test_a_half_closed_connection_is_dropped(serve, peer):
    client = peer(serve(), "open can0")
    client.end.shutdown(socket.SHUT_WR)
    assert client.rest() == b""


def test_a_bus_that_is_not_served_ends_the_connection(serve, peer):
    client = peer(serve())
    client.say("open can7")
    assert client.rest() == b"< error could not open bus >"


def test_a_client_that_is_not_allowed_is_turned_away(serve):
    notes: list[str] = []
    server = serve(allow=["192.0.2.7"], on_note=notes.append)
    with socket.create_connection(server.address, 20) as end:
        assert end.recv(99) == b""
    assert notes == ["127.0.0.1 is not allowed to connect; --allow 127.0.0.1 would let it in"]


def test_too_many_clients_are_turned_away(serve, peer):
    server = serve()
    clients = [peer(server) for _ in range(64)]
    with socket.create_connection(server.address, 20) as end:
        assert end.recv(99) == b""
    clients[0].say("open can0")
    clients[0].until(b"< ok >")


def test_garbage_is_survived_and_told(serve, peer):
    notes: list[str] = []
    server = serve(on_note=notes.append)
    client = peer(server)
    client.end.sendall(b"GET / HTTP/1.0\r\n\r\n" + bytes(range(256)) * 40 + b"<>< open can0 >")
    client.until(b"< ok >")
    server.close()
    assert "malformed messages, the first: " in notes[0]


def test_a_filter_chooses_what_clients_see(serve, line, peer):
    server, bus = serve(filters={"can0": FrameFilter.parse(["123"])}), line()
    client = peer(server, "open can0", "rawmode")
    bus.send(frame(1))
    bus.send(frame(0x123))
    assert client.until(b"< frame 123 ") == b""


class Failing(BusABC):
    """A bus without a descriptor that fails when it is told to."""

    def __init__(self) -> None:
        self.is_gone = False
        super().__init__("failing")

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        if self.is_gone:
            raise CanOperationError("unplugged")
        return None


def test_a_bus_that_fails_ends_its_clients_and_the_others_go_on(serve, line, peer):
    failing, notes = Failing(), []
    server, bus = serve(buses={"can1": failing}, on_note=notes.append), line()
    lost, client = peer(server, "open can1"), peer(server, "open can0", "rawmode")
    failing.is_gone = True
    lost.rest()
    bus.send(frame(0x123))
    client.until(b"< frame 123 ")
    assert "can1 is not served any more: unplugged" in notes


def test_the_last_bus_that_fails_ends_the_server():
    failing = Failing()
    failing.is_gone = True
    server = SocketcandServer({"can1": failing}, port=0)
    with server, pytest.raises(CanOperationError, match="unplugged"):
        server.serve()


def test_closing_the_server_closes_every_session(serve, peer):
    server = serve()
    client = peer(server, "open can0", "rawmode")
    server.close()
    assert client.rest() == b""


def test_a_port_that_is_taken_is_said():
    server = SocketcandServer({}, port=0)
    with server, pytest.raises(CanInitializationError, match=f"cannot listen on {server.place}"):
        SocketcandServer({}, port=server.address[1])


def test_the_beacon_names_the_server_and_its_buses(serve):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(20)
        server = serve(beacon=receiver.getsockname())
        datagram = receiver.recv(2048)
    assert f"\n<URL>can://127.0.0.1:{server.address[1]}</URL>".encode() in datagram
    assert b'<Bus name="can0"/></CANBeacon>' in datagram


# --- peers ------------------------------------------------------------------------------------------------


def test_canx_s_client_gets_and_sends_all_kinds_of_frames(serve, line, stack):
    server, bus = serve(), line()
    client = stack.enter_context(SocketCanDaemonBus("can0", *server.address, fd=True))
    kinds = [
        frame(0x123, "1122"),
        frame(0x123, is_extended_id=True),
        frame(0x7FF, is_remote_frame=True, dlc=4),
        frame(1, "11" * 12, is_fd=True, bitrate_switch=True),
    ]
    client.send_batch(MessageBatch(kinds))
    assert all(message.equals(bus.recv(20), None, False) for message in kinds)
    kinds.append(frame(4, "00" * 8, is_error_frame=True))
    bus.send_batch(MessageBatch(kinds))
    assert all(message.equals(client.recv(20), None, False) for message in kinds)


def test_python_can_is_a_client(serve, line, stack):
    can = pytest.importorskip("can")
    (host, port), bus = serve().address, line()
    bus.send_batch(MessageBatch([frame(9)] * 100))
    client = stack.enter_context(can.Bus(interface="socketcand", channel="can0", host=host, port=port))
    for message in (frame(0x7FF), frame(0x123, "1122"), frame(0x123, "01", is_extended_id=True)):
        bus.send(message)
        found = client.recv(20)
        assert (found.arbitration_id, found.is_extended_id) == (
            message.arbitration_id,
            message.is_extended_id,
        )
        assert found.data == message.data
        client.send(can.Message(arbitration_id=0x12, data=message.data, is_extended_id=False))
        assert bus.recv(20).data == message.data


def test_python_can_opens_while_frames_are_flying(serve, line, stack):
    can = pytest.importorskip("can")
    (host, port), bus = serve().address, line()
    task = bus.send_periodic(frame(0x123, "AA"), 0.001)
    stack.callback(task.stop)
    for _ in range(5):
        with can.Bus(interface="socketcand", channel="can0", host=host, port=port) as client:
            assert client.recv(20).data == b"\xaa"


def test_canx_s_client_is_told_by_a_server_for_reading_only(serve, stack):
    client = stack.enter_context(SocketCanDaemonBus("can0", *serve(read_only=True).address))
    client.send(frame(1))
    with pytest.raises(CanOperationError, match="this bus is read-only"):
        client.recv(20)
    assert client.recv(0) is None


def test_python_can_survives_a_server_for_reading_only(serve, line, stack):
    can = pytest.importorskip("can")
    (host, port), bus = serve(read_only=True).address, line()
    client = stack.enter_context(can.Bus(interface="socketcand", channel="can0", host=host, port=port))
    client.send(can.Message(arbitration_id=1))
    bus.send(frame(0x123, "AA"))
    while (found := client.recv(20)) is None:
        pass
    assert found.data == b"\xaa"


def test_a_job_refuses_what_its_task_refuses(line):
    job = BusJob(line().send_periodic(frame(1), 1.0))
    with pytest.raises(FormatError):
        job.change(frame(2))
