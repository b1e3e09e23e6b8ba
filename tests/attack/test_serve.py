"""``canx serve`` under attack: garbage, floods, clients that do not read, many connections."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from cantools_cli.serve.server import MAX_CLIENTS
from tests.attack.conftest import Good, Target

MIB = 1 << 20
RESET = struct.pack("@ii", 1, 0)  #: SO_LINGER that closes with a reset
OPEN = b"< open bus >"


def garbage() -> Iterator[bytes]:
    draw = random.Random(7)
    for _ in range(64):
        yield draw.randbytes(1 << 15)


def endless(start: bytes, text: bytes, size: int = 32 * MIB) -> Iterator[bytes]:
    yield start
    piece = text * (1 + (1 << 16) // len(text))
    for _ in range(size // len(piece) + 1):
        yield piece


FLOODS: dict[str, Callable[[], Iterator[bytes]]] = {
    "garbage": garbage,
    "a line without an end": lambda: endless(b"< open ", b"A"),
    "a name without an end": lambda: endless(b"< open " + b"n" * 4000 + b" >", b" "),
    "opening brackets": lambda: endless(b"", b"<"),
    "closing brackets": lambda: endless(b"", b">", 4 * MIB),
    "nothing between brackets": lambda: endless(OPEN, b"<>", 4 * MIB),
    "NUL bytes": lambda: endless(b"", b"\0"),
    "malformed frames": lambda: endless(OPEN + b"< rawmode >", b"< send 123 9 1 2 3 >", 4 * MIB),
    "huge counts": lambda: endless(OPEN, b"< muxfilter 0 0 1 99999999999999999999 0 >", 4 * MIB),
    "subscriptions": lambda: iter([OPEN, *(b"< subscribe 0 1 %X >" % n for n in range(1 << 16))]),
    "filters": lambda: iter(
        [OPEN, *(b"< filter 0 1 %X 8 FF FF FF FF FF FF FF FF >" % n for n in range(9999))]
    ),
    "modes": lambda: endless(OPEN, b"< rawmode >< bcmmode >< controlmode >", MIB),
    "frames": lambda: endless(OPEN + b"< rawmode >", b"< send 123 8 1 2 3 4 5 6 7 8 >", 2 * MIB),
}


@pytest.fixture
def server(launch: Callable[..., Target]) -> Target:
    return launch("serve", "virtual:bus", "--port", "0")


def throw(target: Target, pieces: Iterator[bytes], *, reset: bool = False) -> None:
    """Send all ``pieces``, take what is answered, and leave."""
    with target.connect() as end:
        end.setblocking(False)
        for piece in pieces:
            view = memoryview(piece)
            while view:
                with suppress(BlockingIOError):
                    end.recv(MIB)
                try:
                    view = view[end.send(view) :]
                except BlockingIOError:
                    continue
                except OSError:  # the server has hung up
                    return
        if reset:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


@pytest.mark.long
@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_disturbs_no_other_client(server: Target, good: Callable[[Target], Good], name: str) -> None:
    before = good(server)
    throw(server, FLOODS[name]())
    before.check()
    good(server).check()
    server.check()


@pytest.mark.parametrize(
    "period", ["0 0", "0 1", "0 999", "99999999999999999999 0", "-1 5", "nan 0", "1e9 1"]
)
def test_absurd_periods_and_many_jobs_leave_the_server_responsive(
    server: Target, good: Callable[[Target], Good], stack: ExitStack, period: str
) -> None:
    other = good(server)
    with server.connect() as end:
        jobs = b"".join(b"< add %b %X 1 00 >" % (period.encode(), number) for number in range(2000))
        end.sendall(OPEN + jobs + b"< echo >")
        text = b""
        while b"< echo >" not in text:
            text = text[-16:] + end.recv(MIB)
    other.check()
    server.check()


def test_jobs_at_the_shortest_period_leave_room_for_the_others(
    server: Target, good: Callable[[Target], Good], stack: ExitStack
) -> None:
    other = good(server)
    for client in range(4):
        end = stack.enter_context(server.connect())
        first = 256 * client
        end.sendall(OPEN + b"".join(b"< add 0 1000 %X 8 1 2 3 4 5 6 7 8 >" % (first + n) for n in range(256)))
    for _ in range(3):
        other.check()
    server.check()


def test_clients_that_never_read_cost_bounded_memory(
    server: Target, good: Callable[[Target], Good], stack: ExitStack
) -> None:
    talker = good(server)
    for command in (b"< rawmode >", b"< subscribe 0 0 123 >", b"< echo >" * 9999):
        for _ in range(8):
            deaf = stack.enter_context(server.connect())
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.sendall(OPEN + command)
    for _ in range(6):
        talker.end.sendall(b"< send 123 8 1 2 3 4 5 6 7 8 >" * 2000)
        talker.check()
    server.check()


def test_200_silent_connections_do_not_keep_others_out(
    server: Target, good: Callable[[Target], Good], stack: ExitStack
) -> None:
    before = good(server)
    silent = [stack.enter_context(server.connect()) for _ in range(200)]
    before.check()
    good(server).check()
    server.check()
    for end in silent:
        end.close()
    good(server).check()
    server.process.terminate()
    assert server.process.stderr is not None
    assert server.process.stderr.read().count(b"clients") <= 2  # said once, not for each of them


def test_clients_with_an_open_bus_are_not_displaced(server: Target, stack: ExitStack) -> None:
    kept = [stack.enter_context(server.connect()) for _ in range(MAX_CLIENTS)]
    for end in kept:
        end.sendall(OPEN)
        text = b""
        while b"< ok >" not in text:
            text += end.recv(99)
    with server.connect() as late:
        assert late.recv(99) == b""
    for end in kept:
        end.sendall(b"< echo >")
        assert end.recv(99) == b"< echo >"


def test_connections_that_break_in_the_middle_of_a_command_are_forgotten(
    server: Target, good: Callable[[Target], Good]
) -> None:
    other = good(server)
    text = OPEN + b"< rawmode >< send 123 8 11 22 33 44 55 66 77 88 >"
    for cut in range(len(text)):
        throw(server, iter([text[:cut]]), reset=cut % 2 == 0)
    other.check()
    server.check()


def test_nothing_of_a_stranger_is_read(launch: Callable[..., Target]) -> None:
    server = launch(
        "serve", "virtual:bus", "--listen", "0.0.0.0:0", "--allow", "192.0.2.7", "--allow", "127.0.0.2"
    )
    for _ in range(100):
        with suppress(OSError), server.connect() as end:
            end.sendall(OPEN + b"< rawmode >" * 100)
            assert end.recv(99) == b""
    friend: Any = socket.socket()
    with friend:
        friend.bind(("127.0.0.2", 0))
        friend.settimeout(30)
        friend.connect(("127.0.0.1", server.port))
        assert friend.recv(99) == b"< hi >"
    server.check()
