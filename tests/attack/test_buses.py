"""Network buses whose other side is hostile: garbage, lies about counts, floods, breaks, silence."""

from __future__ import annotations

import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgpack
import pytest

from cantools_cli.backends.cannelloni.bus import CannelloniBus
from cantools_cli.backends.remote.bus import RemoteBus
from cantools_cli.backends.socketcand.bus import SocketCanDaemonBus
from cantools_cli.backends.virtual.bus import VirtualBus
from cantools_cli.backends.virtual.line import HostLine
from cantools_cli.backends.virtualcan import VirtualCanBus
from cantools_cli.bus.base import BusABC
from cantools_cli.errors import CanError, CanTimeoutError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.attack.conftest import GROWTH, PATIENCE
from tests.backends.peers import serving
from tests.backends.test_udp_multicast import GROUP, PORT, in_a_network_of_its_own
from tests.backends.websocket_server import BINARY_FRAME, PING, Session

LAST = 0x7EF  #: the identifier of the frame that ends a flood
CLASSIC = Message(arbitration_id=0x123, is_extended_id=False, data=b"\x01" * 8)
NOISE = [random.Random(seed).randbytes(1 << 14) for seed in range(32)]


def memory() -> int:
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) << 10


def taken(bus: BusABC) -> tuple[list[int], CanError | None]:
    """Return the identifiers received up to LAST, or to the error that ended the bus."""
    found: list[int] = []
    end = time.monotonic() + PATIENCE
    while LAST not in found and time.monotonic() < end:
        try:
            batch = bus.recv_batch(PATIENCE)
        except CanError as error:
            return found, error
        found = found[-9:] + [message.arbitration_id for message in batch or ()]
    return found, None


def repeated(text: bytes, size: int = 2 << 20) -> Iterator[bytes]:
    piece = text * (1 + (1 << 16) // len(text))
    for _ in range(size // len(piece) + 1):
        yield piece


# --- servers over TCP -------------------------------------------------------------------------------------


def socketcand(port: int) -> BusABC:
    return SocketCanDaemonBus("can0", host="127.0.0.1", port=port)


def virtualcan(port: int) -> BusABC:
    return VirtualCanBus(f"127.0.0.1:{port}")


def remote(port: int) -> BusABC:
    return RemoteBus(f"ws://127.0.0.1:{port}/")


def open_remote(end: socket.socket) -> None:
    Session(end).open()


def open_socketcand(end: socket.socket) -> None:
    end.sendall(b"< hi >")
    end.recv(4096)
    end.sendall(b"< ok >")
    end.recv(4096)
    end.sendall(b"< ok >")


def open_nothing(end: socket.socket) -> None:
    """virtualcan has no opening."""


SERVERS: dict[str, tuple[Callable[[int], BusABC], Callable[[socket.socket], None]]] = {
    "socketcand": (socketcand, open_socketcand),
    "virtualcan": (virtualcan, open_nothing),
    "remote": (remote, open_remote),
}
FLOODS: dict[str, Callable[[], Iterator[bytes]]] = {
    "noise": lambda: iter(NOISE),
    "a line without an end": lambda: repeated(b"A"),
    "an open bracket": lambda: repeated(b"<"),
    "NUL bytes": lambda: repeated(b"\0"),
    "ones": lambda: repeated(b"\xff"),
    "answers": lambda: repeated(b"< ok >"),
    "frames without an end": lambda: repeated(b"< frame 123 1.0 "),
    "huge numbers": lambda: repeated(b"< frame 123 99999999999999999999.0 11 >"),
    "empty fragments": lambda: iter([b"\x02\x00", *repeated(b"\x00\x00", 1 << 17)]),
    "a length of 2^63": lambda: iter([b"\x82\x7f" + b"\x7f" + b"\xff" * 7, *repeated(b"x")]),
    "nothing": lambda: iter(()),
}


@pytest.mark.long
@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("kind", SERVERS)
def test_a_hostile_server_costs_bounded_memory_and_ends_in_an_error_of_ours(kind: str, flood: str) -> None:
    connect, opening = SERVERS[kind]

    def attack(end: socket.socket) -> None:
        opening(end)
        with suppress(OSError):
            for piece in FLOODS[flood]():
                end.sendall(piece)

    before = memory()
    with serving(attack) as port, connect(port) as bus:
        found, error = taken(bus)
        assert LAST not in found
        assert isinstance(error, CanError)
        assert memory() - before < GROWTH


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("cut", [0, 1, 5, 6, 7])
def test_a_server_that_breaks_off_while_it_opens_is_an_error(kind: str, cut: int) -> None:
    def attack(end: socket.socket) -> None:
        end.sendall(b"< hi >HTTP/1.1 101"[:cut])

    with serving(attack) as port, suppress(CanError), SERVERS[kind][0](port) as bus:
        assert isinstance(taken(bus)[1], CanError)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_that_never_reads_times_a_sender_out(kind: str) -> None:
    connect, opening = SERVERS[kind]
    done: list[bool] = []

    def attack(end: socket.socket) -> None:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        opening(end)
        while not done:
            time.sleep(0.01)

    before = memory()
    with serving(attack) as port, connect(port) as bus:
        try:
            with pytest.raises(CanTimeoutError):  # noqa: PT012  # which of them finds no room depends
                while True:
                    bus.send_batch(MessageBatch([CLASSIC] * 5000), 0.05)
        finally:
            done.append(True)
        assert memory() - before < GROWTH


def test_malformed_messages_of_a_socketcand_server_are_counted() -> None:
    def attack(end: socket.socket) -> None:
        open_socketcand(end)
        for text in (b"garbage", b"< frame XYZ 1.0 11 >", b"< frame 123 1.0 1 >", b"<>"):
            end.sendall(text + b"< frame 124 1.0 33 >")
        end.sendall(b"< frame %X 1.0 >" % LAST)
        end.recv(99)

    with serving(attack) as port, socketcand(port) as bus:
        assert taken(bus)[0] == [0x124] * 4 + [LAST]
        assert bus.losses == {"malformed messages skipped": 4}


def test_pings_of_a_server_that_never_reads_do_not_pile_up() -> None:
    def attack(end: socket.socket) -> None:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        session = Session(end)
        session.open()
        ping = bytes((0x80 | PING, 125)) + bytes(125)
        with suppress(OSError):
            for piece in repeated(ping, 32 << 20):
                end.sendall(piece)

    with serving(attack) as port, remote(port) as bus:
        error = taken(bus)[1]
        assert str(error).endswith("does not read the replies")


TIMES = [float("nan"), float("inf"), float("-inf"), 1e300, -1e300, 9.3e9, -9.3e9]


def test_lies_of_a_remote_server_about_a_frame_cost_only_that_frame() -> None:
    def attack(end: socket.socket) -> None:
        session = Session(end)
        session.open()
        for seconds in TIMES:
            session.say(BINARY_FRAME, _remote(0x123, seconds))
        for text in (b"", b"\x01", b"\xff" * 40, _remote(1 << 31, 1.0), _remote(0x123, 1.0)[:-1]):
            session.say(BINARY_FRAME, text)
        for payload in (None, [], {"arbitration_id": -1}, {"timestamp": "x"}, {"data": "zz"}, {"dlc": 1e99}):
            session.tell("message", payload)
        session.say(BINARY_FRAME, b"[" * 120)
        session.say(BINARY_FRAME, _remote(LAST, 1.0))
        end.recv(99)

    with serving(attack) as port, remote(port) as bus:
        assert taken(bus)[0][-1] == LAST
        assert bus.losses["malformed messages skipped"] >= 9


def _remote(identifier: int, seconds: float) -> bytes:
    from cantools_cli.backends.remote import codec

    data = b"\x11"
    return bytes(codec.HEAD.pack(codec.MESSAGE, seconds, identifier, len(data), 0)) + data


# --- datagrams --------------------------------------------------------------------------------------------


def cannelloni(*lies: bytes) -> tuple[list[int], CannelloniBus]:
    """Return what a cannelloni bus received of ``lies`` and one good datagram."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.bind(("127.0.0.1", 0))
        bus = CannelloniBus(f"127.0.0.1:{end.getsockname()[1]}", local_port=0, bind="127.0.0.1")
        place = ("127.0.0.1", int(bus.channel_info.rpartition("port ")[2]))
        with bus:
            found: list[int] = []
            for lie in lies:
                end.sendto(lie, place)
            end.sendto(struct.pack(">BBBHIB", 2, 0, 0, 1, LAST, 0), place)
            found, _ = taken(bus)
        return found, bus


def test_cannelloni_datagrams_that_lie_about_their_counts_cost_only_themselves() -> None:
    one = struct.pack(">IB2s", 0x123, 2, b"\x11\x22")
    lies = [
        b"",
        b"\x02",
        struct.pack(">BBBH", 2, 0, 0, 65535),  # as many frames, and none is there
        struct.pack(">BBBH", 2, 0, 0, 2) + one,
        struct.pack(">BBBH", 2, 0, 0, 65535) + one * 90,
        struct.pack(">BBBHIB", 2, 0, 0, 1, 0x123, 0x7F) + bytes(64),  # 127 bytes of data
        struct.pack(">BBBHIB", 2, 0, 0, 1, 0x123, 64) + bytes(64),
        struct.pack(">BBBH", 9, 0, 0, 1) + one,
        *(piece[:1400] for piece in NOISE),
    ]
    found, bus = cannelloni(*lies)
    assert found[-1] == LAST
    assert set(found) <= {0x123, LAST}
    assert bus.losses["malformed packets skipped"] >= 6


def test_datagrams_of_others_than_the_peer_are_not_read() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.2", 0))
        bus = CannelloniBus("127.0.0.3:20000", local_port=0, bind="127.0.0.1")
        with bus:
            place = ("127.0.0.1", int(bus.channel_info.rpartition("port ")[2]))
            for _ in range(1000):
                stranger.sendto(struct.pack(">BBBHIB", 2, 0, 0, 1, LAST, 0), place)
            assert bus.recv_batch(0) is None
            assert bus.losses == {}


@in_a_network_of_its_own
def test_multicast_datagrams_that_lie_cost_only_themselves() -> None:
    from cantools_cli.backends.udp_multicast import UdpMulticastBus

    good: dict[str, Any] = {"timestamp": 1.0, "arbitration_id": 0x123, "data": b"\x11", "dlc": 1}
    good["is_extended_id"] = False
    lies = [
        b"",
        b"\xdf\xff\xff\xff\xff",  # a map of 2^32 - 1 entries
        b"\xdd\xff\xff\xff\xff",  # an array of as many
        b"\xc6\xff\xff\xff\xff",  # so many bytes
        b"\x91" * 4000,
        *(msgpack.packb({**good, "timestamp": seconds}) for seconds in TIMES),
        *(msgpack.packb({**good, "arbitration_id": number}) for number in (-1, 1 << 40, "x", None, 1.5)),
        *(msgpack.packb({**good, "dlc": number}) for number in (-1, 9, 1 << 60, [])),
        *(msgpack.packb({**good, "data": data}) for data in (b"\0" * 9, [256], "text", {})),
        *(piece[:1400] for piece in NOISE),
    ]
    with UdpMulticastBus(GROUP, PORT) as bus, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        for lie in lies:
            end.sendto(lie, (GROUP, PORT))
        end.sendto(msgpack.packb({**good, "arbitration_id": LAST}), (GROUP, PORT))
        found, error = taken(bus)
        assert error is None
        assert found[-1] == LAST
        assert bus.losses["malformed datagrams skipped"] >= 40


def test_datagrams_in_the_inbox_of_a_virtual_bus_that_lie_cost_only_themselves(tmp_path: Path) -> None:
    from cantools_cli.backends.virtual.inbox import _HEADER

    net = f"attack-{tmp_path.name}"[-40:]
    good = bytearray(_HEADER.pack(1, 0, 0, _HEADER.size, 0, 0, 7, 1))
    lies = [b"", b"\1", bytes(4096), *NOISE]
    for count in (1, 2, 1 << 16, (1 << 32) - 1):
        struct.pack_into("<I", good, 8, count)
        lies.append(bytes(good))
    with VirtualBus("bus", scope="host", net=net) as bus, VirtualBus("bus", scope="host", net=net) as other:
        line = HostLine(net, "bus")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            for number in line.readers():
                for lie in lies:
                    with suppress(BlockingIOError):
                        end.sendto(lie, socket.MSG_DONTWAIT, line.address(f"{number}.bus"))
        line.close()
        other.send(Message(arbitration_id=LAST, is_extended_id=False))
        found, error = taken(bus)
        assert error is None
        assert found[-1] == LAST
        assert bus.losses["malformed datagrams skipped"] >= 3


def test_a_default_timeout_of_the_program_does_not_block_a_poll(tmp_path: Path) -> None:
    socket.setdefaulttimeout(PATIENCE)
    try:
        with VirtualBus("bus", scope="host", net=f"attack-{tmp_path.name}"[-40:]) as bus:
            inbox: Any = bus._port._inbox  # type: ignore[union-attr]  # the port of the host
            assert inbox._socket.gettimeout() is None
            assert bus.recv(0) is None
    finally:
        socket.setdefaulttimeout(None)
