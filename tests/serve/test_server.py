"""The socketcand server on loopback."""

from __future__ import annotations

import socket

import pytest

from cantools_cli.backends.virtual.bus import VirtualBus
from cantools_cli.bus.base import BusABC
from cantools_cli.errors import (
    CanInitializationError,
    CanOperationError,
    UsageError,
)
from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.serve.server import SocketcandServer
from tests.serve.conversation import frame, text_of


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example"])
def test_an_address_for_others_needs_an_allow_list(host):
    with pytest.raises(UsageError, match="the protocol has no passwords") as caught:
        SocketcandServer({}, host, 0)
    assert "--allow" in str(caught.value.hint)


@pytest.mark.parametrize("name", ["", "a b", "a>b", "\x00"])
def test_a_bus_that_no_client_could_name_is_refused(name):
    with pytest.raises(UsageError, match="is not a valid name of a bus for clients"):
        SocketcandServer({name: VirtualBus("x")}, port=0)


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
    assert any("frames lost because the client read too slowly" in note for note in notes)


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
    assert notes == ["127.0.0.1 may not connect; --allow 127.0.0.1 allows it"]


def test_too_many_clients_are_turned_away(serve, peer):
    server = serve()
    clients = [peer(server, "open can0") for _ in range(64)]
    with socket.create_connection(server.address, 20) as end:
        assert end.recv(99) == b""
    clients[0].say("echo")
    clients[0].until(b"< echo >")


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
    assert "can1 is no longer served: unplugged" in notes


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
