"""cannelloni tunnels over UDP and TCP, against plain sockets and among ourselves."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any

import pytest

from cantools_cli.backends.cannelloni import tunnel
from cantools_cli.backends.cannelloni.bus import CannelloniBus
from cantools_cli.backends.cannelloni.peer import Peer
from cantools_cli.bus.base import CanProtocol
from cantools_cli.bus.interface import Bus
from cantools_cli.errors import CanInitializationError, CanOperationError, CanTimeoutError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.backends.cannelloni.test_codec import ALL, CASES, PAIR, STREAM
from tests.backends.peers import PATIENCE, drain, serving, take

GREETING = b"CANNELLONIv1"


def received(bus: CannelloniBus, count: int) -> list[Message]:
    """Return the next ``count`` messages, fewer where they do not come."""
    found: list[Message] = []
    while len(found) < count and (message := bus.recv(PATIENCE)) is not None:
        found.append(message)
    return found


def same(messages: list[Message], others: list[Message]) -> bool:
    return len(messages) == len(others) and all(
        one.equals(other, timestamp_delta=None, check_channel=False)
        for one, other in zip(messages, others, strict=True)
    )


@contextmanager
def beside(host: str = "127.0.0.1", **options: Any) -> Iterator[tuple[CannelloniBus, socket.socket]]:
    """Open a bus over UDP, and the plain socket that is its peer."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.bind((host, 0))
        plain.settimeout(PATIENCE)
        name = f"[{host}]:{plain.getsockname()[1]}" if ":" in host else f"{host}:{plain.getsockname()[1]}"
        with CannelloniBus(name, local_port=0, **options) as bus:
            yield bus, plain


def here(bus: CannelloniBus) -> tuple[str, int]:
    """Return the address of a bus over UDP, or of one that listens."""
    end = getattr(bus._port, "sender", None) or getattr(bus._port, "_listener", None)
    assert end is not None
    address: tuple[str, int] = end.getsockname()[:2]
    return address


# --- UDP ----------------------------------------------------------------------------------------------------


def test_each_send_is_a_datagram_with_the_next_number() -> None:
    with beside() as (bus, plain):
        for messages, _, _ in CASES[:7]:
            bus.send_batch(MessageBatch(messages))
        assert [plain.recv(2000) for _ in range(7)] == [bytes.fromhex(text) for _, _, text in CASES[:7]]


def test_datagrams_become_frames_with_the_time_of_their_coming() -> None:
    before = time.time_ns()
    with beside() as (bus, plain):
        for _, _, text in CASES:
            plain.sendto(bytes.fromhex(text), here(bus))
        got = received(bus, len(ALL))
        assert same(got, ALL)
        assert all(before <= message.timestamp_ns <= time.time_ns() for message in got)
        assert {message.channel for message in got} == {f"127.0.0.1:{plain.getsockname()[1]}"}
        assert bus.protocol == CanProtocol.CAN_FD


def test_all_datagrams_that_wait_come_in_one_batch() -> None:
    with beside() as (bus, plain):
        for number in range(100):
            plain.sendto(b"\x02\x00" + bytes((number,)) + PAIR[3:], here(bus))
        batch = bus.recv_batch(PATIENCE)
        assert batch is not None
        assert len(batch) == 200
        assert bus.recv_batch(0) is None


def test_what_is_missing_or_wrong_is_counted() -> None:
    with beside() as (bus, plain):
        for text in ("0200000000", "01", "0200050002 00000800 00 00000001 00", PAIR.hex()):
            plain.sendto(bytes.fromhex(text), here(bus))
        assert len(received(bus, 3)) == 3
        assert bus.losses == {
            "packets lost in transit": 5,
            "malformed packets skipped": 1,
            "malformed frames skipped": 1,
        }
        assert "a datagram of 1 bytes" in str(bus.first_fault)


def test_only_the_peer_s_address_is_heard_from_any_port() -> None:
    with beside() as (bus, plain), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.2", 0))
        other.sendto(bytes.fromhex(CASES[0][2]), here(bus))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as same_host:
            same_host.bind(("127.0.0.1", 0))
            same_host.sendto(PAIR, here(bus))
        assert [message.arbitration_id for message in received(bus, 2)] == [1, 2]
        assert bus.recv(0) is None
        assert not bus.losses
        assert plain.fileno() > 0


def test_a_peer_on_loopback_is_heard_on_loopback_only() -> None:
    with beside() as (bus, _):
        address, port = here(bus)
        assert address == "127.0.0.1"
        assert str(bus).endswith(f", udp; here 127.0.0.1, port {port}")


def test_the_address_here_can_be_chosen() -> None:
    with beside(bind="127.0.0.3") as (bus, plain):
        bus.send(Message())
        assert plain.recvfrom(2000)[1][0] == "127.0.0.3"


def test_ipv6_works_the_same() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this computer has no IPv6")
    with beside("::1") as (bus, plain):
        plain.sendto(PAIR, here(bus))
        assert len(received(bus, 2)) == 2
        bus.send_batch(MessageBatch([CASES[1][0][0]] * 200))
        assert len(plain.recv(2000)) == 5 + 111 * 13


def test_a_mapped_ipv4_address_is_the_same_peer() -> None:
    peer = Peer("127.0.0.1", 1, "peer")
    assert peer.is_at(("::ffff:127.0.0.1", 9, 0, 0))
    assert not peer.is_at(("::ffff:127.0.0.2", 9, 0, 0))


def test_two_of_ours_talk_both_ways() -> None:
    with beside() as (first, plain):
        address, port = here(first)
        peer = plain.getsockname()[1]
        plain.close()
        with CannelloniBus(f"{address}:{port}", local_port=peer) as second:
            for one, other in ((first, second), (second, first)):
                one.send_batch(MessageBatch(ALL))
                assert same(received(other, len(ALL)), ALL)


def test_the_descriptor_is_ready_as_long_as_anything_waits() -> None:
    with beside() as (bus, plain):
        plain.sendto(PAIR, here(bus))
        for _ in range(2):
            assert select.select([bus], [], [], PATIENCE)[0]
            assert bus.recv(0) is not None
        assert not select.select([bus], [], [], 0)[0]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_closing_ends_a_wait(transport: str) -> None:
    failures: list[str] = []
    options: dict[str, Any] = {"listen": True} if transport == "tcp" else {}
    bus = CannelloniBus("127.0.0.1:9", local_port=0, transport=transport, **options)

    def wait() -> None:
        try:
            bus.recv(PATIENCE)
        except CanOperationError as error:
            failures.append(str(error))

    thread = Thread(target=wait)
    thread.start()
    bus.shutdown()
    thread.join(PATIENCE)
    assert failures == ["Cannot operate on a closed bus"]


def test_a_full_socket_is_a_timeout() -> None:
    full, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with beside() as (bus, _), full, other:
        full.setblocking(False)
        port: Any = bus._port

        class Full:
            def sendto(self, text: bytes, address: object) -> None:
                full.send(text)

            def fileno(self) -> int:
                return full.fileno()

            def shutdown(self, how: int) -> None: ...
            def close(self) -> None: ...

        port.sender = Full()
        with pytest.raises(CanTimeoutError, match="no room to send in time") as caught:
            bus.send_batch(MessageBatch([Message()] * 200_000), timeout=0.01)
        left = 0
        with suppress(BlockingIOError):
            while True:
                left += int.from_bytes(other.recv(2000, socket.MSG_DONTWAIT)[3:5], "big")
        assert caught.value.sent == left > 0


# --- TCP ----------------------------------------------------------------------------------------------------


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect again without a pause."""
    monkeypatch.setattr(tunnel, "RECONNECT", 0.01)


def tcp(port: int, **options: Any) -> CannelloniBus:
    return CannelloniBus(f"127.0.0.1:{port}", transport="tcp", **options)


def greeted(end: socket.socket) -> None:
    """Greet, and expect the same."""
    end.sendall(GREETING)
    assert take(end, 12) == GREETING


def test_both_sides_greet_and_frames_follow() -> None:
    got: list[bytes] = []

    def server(end: socket.socket) -> None:
        greeted(end)
        end.sendall(STREAM)
        got.append(drain(end))

    with serving(server) as port, tcp(port) as bus:
        assert same(received(bus, len(ALL)), ALL)
        bus.send_batch(MessageBatch(ALL))
        assert str(bus) == f"cannelloni peer 127.0.0.1, port {port}, tcp; connects"
        bus.shutdown()
    assert got == [STREAM]


@pytest.mark.parametrize(
    ("greeting", "reason"),
    [
        (b"CANNELLONIv2", 'the greeting is "CANNELLONIv2" instead of'),
        (b"HTTP/1.1 200", 'the greeting is "HTTP/1.1 200"'),
        (b"SSH", 'the greeting is "SSH"'),
        (b"CANNEL", "closed the connection instead of greeting"),
        (b"", "closed the connection instead of greeting"),
    ],
)
def test_a_wrong_greeting_at_the_beginning_is_an_error(greeting: bytes, reason: str) -> None:
    def server(end: socket.socket) -> None:
        take(end, 12)
        end.sendall(greeting)

    with serving(server) as port, pytest.raises(CanInitializationError, match=reason):
        tcp(port)


def test_a_peer_that_does_not_greet_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnel, "ANSWER", 0.05)
    with (
        serving(lambda end: drain(end) and None) as port,
        pytest.raises(CanInitializationError, match="no greeting: timed out"),
    ):
        tcp(port)


def test_nobody_there_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(CanInitializationError, match=r"cannot connect: .*refused"):
        tcp(port)


@pytest.mark.usefixtures("at_once")
def test_a_lost_connection_is_made_again(caplog: pytest.LogCaptureFixture) -> None:
    def first(end: socket.socket) -> None:
        greeted(end)
        end.sendall(STREAM + STREAM[:3])

    def wrong(end: socket.socket) -> None:
        end.sendall(b"nonsense")

    def second(end: socket.socket) -> None:
        greeted(end)
        end.sendall(STREAM)
        drain(end)

    with serving(first, wrong, second) as port, tcp(port) as bus:
        assert same(received(bus, 2 * len(ALL)), ALL + ALL)
    assert "the other side closed the connection; waiting for another connection" in caplog.text


@pytest.mark.usefixtures("at_once")
def test_a_stream_that_makes_no_sense_is_left_for_a_new_one() -> None:
    def first(end: socket.socket) -> None:
        greeted(end)
        end.sendall(b"\xff" * 8)
        drain(end)

    def second(end: socket.socket) -> None:
        greeted(end)
        end.sendall(STREAM)
        drain(end)

    with serving(first, second) as port, tcp(port) as bus:
        assert same(received(bus, len(ALL)), ALL)


def test_without_a_peer_sending_ends_at_its_time() -> None:
    with CannelloniBus("127.0.0.1", local_port=0, transport="tcp", listen=True) as bus:
        with pytest.raises(CanTimeoutError, match=r"cannelloni:127\.0\.0\.1: not connected") as caught:
            bus.send(Message(), timeout=0.01)
        assert caught.value.sent == 0
        assert bus.recv(0) is None
        assert bus.recv(0.01) is None


def test_one_that_listens_serves_one_peer_after_another() -> None:
    with CannelloniBus("127.0.0.1", local_port=0, transport="tcp", listen=True) as bus:
        address = here(bus)
        assert str(bus).endswith("tcp; listens on {}, port {}".format(*address))
        with socket.create_connection(address, PATIENCE) as first:
            greeted(first)
            with socket.create_connection(address, PATIENCE) as second:
                first.sendall(STREAM)
                assert same(received(bus, len(ALL)), ALL)
                first.close()
                assert bus.recv(0.01) is None
                greeted(second)
                bus.send_batch(MessageBatch(ALL), timeout=PATIENCE)
                assert take(second, len(STREAM)) == STREAM


def test_one_that_listens_takes_only_its_peer() -> None:
    with CannelloniBus("127.0.0.1", local_port=0, transport="tcp", listen=True) as bus:
        with socket.create_connection(here(bus), PATIENCE, ("127.0.0.2", 0)) as stranger:
            assert drain(stranger) == b""
        with socket.create_connection(here(bus), PATIENCE) as peer:
            greeted(peer)
            peer.sendall(STREAM)
            assert same(received(bus, len(ALL)), ALL)


def test_frames_that_are_not_received_over_tcp_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cantools_cli.backends.transport.stream.QUEUE_FRAMES", 2)

    def peer(end: socket.socket) -> None:
        greeted(end)
        end.sendall(STREAM)
        drain(end)

    with serving(peer) as port, tcp(port) as bus:
        count = 0
        while count + bus.losses["frames lost because they were not read in time"] < len(ALL):
            batch = bus.recv_batch(PATIENCE)
            assert batch is not None
            count += sum(message.data != b"\0\1\0\0\0\0\0\0" for message in batch)  # else an overflow
        assert bus.losses


def test_two_of_ours_talk_over_tcp() -> None:
    with (
        CannelloniBus("127.0.0.1", local_port=0, transport="tcp", listen=True) as first,
        tcp(here(first)[1]) as second,
    ):
        for one, other in ((first, second), (second, first)):
            one.send_batch(MessageBatch(ALL), timeout=PATIENCE)
            assert same(received(other, len(ALL)), ALL)


def test_own_messages_over_udp() -> None:
    with beside(receive_own_messages=True) as (bus, plain):
        bus.send_batch(MessageBatch(ALL))
        bus.send(ALL[0])
        assert select.select([bus], [], [], PATIENCE)[0]
        plain.sendto(PAIR, here(bus))
        found = received(bus, len(ALL) + 3)
        for one, sent in zip(found, [*ALL, ALL[0]], strict=False):
            assert one.equals(sent, timestamp_delta=None, check_channel=False, check_direction=False)
        assert [message.is_rx for message in found] == [False] * (len(ALL) + 1) + [True] * 2
        assert {message.channel for message in found} == {f"127.0.0.1:{plain.getsockname()[1]}"}
        assert not select.select([bus], [], [], 0)[0]


def test_own_messages_over_tcp() -> None:
    def peer(end: socket.socket) -> None:
        greeted(end)
        take(end, len(STREAM))
        end.sendall(STREAM)
        drain(end)

    with serving(peer) as port, tcp(port, receive_own_messages=True) as bus:
        bus.send_batch(MessageBatch(ALL))
        found = received(bus, 2 * len(ALL))
        assert sorted(message.is_rx for message in found) == [False] * len(ALL) + [True] * len(ALL)


@pytest.mark.usefixtures("at_once")
def test_the_descriptor_outlives_a_connection() -> None:
    ready = Event()

    def serve(end: socket.socket) -> None:
        greeted(end)
        ready.wait(PATIENCE)
        end.sendall(STREAM[:8])

    with serving(serve, serve) as port, tcp(port) as bus:
        assert not select.select([bus], [], [], 0)[0]
        ready.set()
        got = []
        while len(got) < 2:
            assert select.select([bus], [], [], PATIENCE)[0]
            got += [message for message in [bus.recv(0)] if message is not None]


def test_a_peer_that_comes_and_goes_leaves_no_error_to_a_reader() -> None:
    with CannelloniBus("127.0.0.1", local_port=0, transport="tcp", listen=True) as bus:
        for _ in range(3):
            with socket.create_connection(here(bus), PATIENCE) as peer:
                greeted(peer)
                peer.sendall(STREAM)
                assert same(received(bus, len(ALL)), ALL)
            assert bus.recv(0.01) is None


# --- settings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "options", "reason"),
    [
        ("", {}, "is not HOST:PORT"),
        ("host:x", {}, "is not HOST:PORT"),
        ("127.0.0.1", {"transport": "sctp"}, 'unknown transport "sctp"'),
        ("127.0.0.1", {"local_port": 65536}, "is not in 0 to 65535"),
        ("127.0.0.1", {"listen": True}, "over UDP both sides listen"),
    ],
)
def test_what_makes_no_sense_is_refused(channel: str, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        CannelloniBus(channel, **options)


def test_a_bus_that_would_talk_to_itself_is_refused() -> None:
    with beside() as (bus, _):
        port = here(bus)[1]
    with pytest.raises(UsageError, match="is the address of this end") as caught:
        CannelloniBus(f"127.0.0.1:{port}", local_port=port)
    assert "local_port=" in (caught.value.hint or "")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_an_address_that_is_taken_is_an_error_with_a_hint(transport: str) -> None:
    options: dict[str, Any] = {"transport": transport, "listen": transport == "tcp"}
    with CannelloniBus("127.0.0.1:9", local_port=0, **options) as bus:
        with pytest.raises(CanInitializationError, match="cannot listen on") as caught:
            CannelloniBus("127.0.0.1:9", local_port=here(bus)[1], **options)
        assert caught.value.hint == "local_port= selects another port"


def test_a_host_that_is_not_there_is_an_error() -> None:
    with pytest.raises(CanInitializationError, match="unknown host"):
        CannelloniBus("x" * 64)  # no name is that long, so nobody is asked


def test_the_factory_opens_it_by_its_name() -> None:
    with Bus("127.0.0.1:9", "cannelloni", ignore_config=True, local_port=0) as bus:
        assert isinstance(bus, CannelloniBus)
