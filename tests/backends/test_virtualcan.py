"""The client of a virtualcan server, against servers of a few lines."""

from __future__ import annotations

import select
import socket
from threading import Event, Thread
from typing import Any

import pytest

from cantools_cli.backends.transport import stream
from cantools_cli.backends.transport.tcp import endpoint
from cantools_cli.backends.virtualcan import VirtualCanBus
from cantools_cli.bus.interface import Bus
from cantools_cli.errors import CanInitializationError, CanOperationError, CanTimeoutError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.backends.peers import drain, serving, take
from tests.backends.test_virtualcan_codec import CASES, GOOD, STREAM


def bus(port: int, **options: Any) -> VirtualCanBus:
    return VirtualCanBus(f"127.0.0.1:{port}", **options)


def nothing(end: socket.socket) -> None:
    drain(end)


def echo(end: socket.socket) -> None:
    while text := end.recv(65536):
        end.sendall(text)


def identifiers(batch: MessageBatch | None) -> list[int]:
    return [message.arbitration_id for message in batch or ()]


def test_frames_are_sent_as_records() -> None:
    got: list[bytes] = []
    with serving(lambda end: got.append(drain(end))) as port, bus(port) as here:
        here.send_batch(MessageBatch(message for message, _ in CASES))
        assert str(here) == f"virtualcan server 127.0.0.1, port {port}"
        here.shutdown()
    assert got == [STREAM]


def test_all_that_waits_comes_in_one_batch() -> None:
    def send(end: socket.socket) -> None:
        end.sendall(STREAM * 100 + GOOD[:7])
        drain(end)

    with serving(send) as port, bus(port) as here:
        messages = []
        while len(messages) < 600:
            batch = here.recv_batch(10)
            assert batch is not None
            messages += [*batch]
        assert here.recv(0) is None
        assert all(
            one.equals(case[0], timestamp_delta=None, check_channel=False)
            for one, case in zip(messages, CASES * 100, strict=True)
        )
        assert {one.channel for one in messages} == {f"127.0.0.1:{port}"}


def test_a_record_in_two_pieces_is_one_frame() -> None:
    half = Event()

    def send(end: socket.socket) -> None:
        end.sendall(GOOD[:9])
        half.wait(10)
        end.sendall(GOOD[9:])
        drain(end)

    with serving(send) as port, bus(port) as here:
        assert here.recv(0.01) is None
        half.set()
        assert identifiers(here.recv_batch(10)) == [0x123]


@pytest.mark.parametrize(("suppress", "expected"), [(False, [5, 6]), (True, [6])])
def test_the_echo_of_a_frame_can_be_dropped(suppress: bool, expected: list[int]) -> None:
    other = bytes.fromhex("0000000E 00000006 00 00 0000000000000000")

    def server(end: socket.socket) -> None:
        end.sendall(take(end, 18) + other)
        drain(end)

    with serving(server) as port, bus(port, echo_suppress=suppress) as here:
        here.send(Message(arbitration_id=5, is_extended_id=False))
        got: list[int] = []
        while 6 not in got:
            got += identifiers(here.recv_batch(10))
        assert got == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "the other side closed the connection"),
        (GOOD[:10], "the other side closed the connection"),
        (b"HTTP/1.1 400 Bad Request\r\n", "not virtualcan: a record of length 1213486160"),
    ],
)
def test_the_end_is_told_once_and_behind_the_frames(text: bytes, reason: str) -> None:
    with serving(lambda end: end.sendall(GOOD + text)) as port, bus(port) as here:
        assert identifiers(here.recv_batch(10)) == [0x123]
        with pytest.raises(CanOperationError, match=f"virtualcan:127.0.0.1:{port}: {reason}"):
            here.recv(10)
        with pytest.raises(CanOperationError, match="closed bus"):
            here.recv(10)
        with pytest.raises(CanOperationError, match="closed bus"):
            here.send(Message())


def test_frames_that_arrived_before_a_failed_send_are_received() -> None:
    with serving(lambda end: end.sendall(GOOD)) as port, bus(port) as here:
        with pytest.raises(CanOperationError):  # noqa: PT012  # the first may still find room in the system
            for _ in range(1000):
                here.send(Message())
                select.select([here], [], [], 10)
        assert identifiers(here.recv_batch(10)) == [0x123]
        with pytest.raises(CanOperationError):
            here.recv(10)
        assert here.is_shutdown


def test_frames_that_cannot_be_are_counted() -> None:
    bad = bytes.fromhex("0000000E 00000800 00 00 0000000000000000")
    with serving(lambda end: end.sendall(bad + GOOD)) as port, bus(port) as here:
        assert identifiers(here.recv_batch(10)) == [0x123]
        assert here.losses == {"malformed frames skipped": 1}
        assert "0x800 is out of range" in str(here.first_fault)


def test_refused_frames_leave_the_bus_open_and_nothing_sent() -> None:
    got: list[bytes] = []
    with serving(lambda end: got.append(drain(end))) as port, bus(port) as here:
        with pytest.raises(CanOperationError, match="CAN FD"):
            here.send_batch(MessageBatch([Message(), Message(is_fd=True)]))
        here.send(CASES[0][0])
        here.shutdown()
    assert got == [GOOD]


def test_without_room_sending_ends_at_its_time_with_whole_records() -> None:
    go_on, got = Event(), []

    def server(end: socket.socket) -> None:
        go_on.wait(20)
        got.append(drain(end))

    with serving(server) as port, bus(port) as here:
        many = MessageBatch([CASES[0][0]] * 20_000)
        calls = 0
        with pytest.raises(CanTimeoutError, match=r"no room .*: \d+ frames were not sent") as full:  # noqa: PT012  # any call may raise
            while True:
                here.send_batch(many, timeout=0.05)
                calls += 1
        go_on.set()
        here.send(CASES[1][0], timeout=10)
        here.shutdown()
    assert full.value.sent is not None
    assert len(got[0]) == 18 * (20_000 * calls + full.value.sent + 1)
    assert got[0].startswith(GOOD)
    assert got[0].endswith(GOOD + bytes.fromhex(CASES[1][1]))


def test_two_ends_that_both_only_write_go_on() -> None:
    count = 60_000

    def server(end: socket.socket) -> None:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        end.sendall(GOOD * count)  # reads nothing before all of this is gone
        assert len(take(end, 18 * count)) == 18 * count
        drain(end)

    with serving(server) as port, bus(port) as here:
        here._port._end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        here._port._end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        here.send_batch(MessageBatch([CASES[0][0]] * count), timeout=5)
        got = 0
        while got < count:
            got += len(here.recv_batch(10) or ())
        assert here.losses.total() == 0


def test_what_nobody_receives_is_dropped_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "QUEUE_FRAMES", 4)
    with serving(lambda end: end.sendall(STREAM)) as port, bus(port) as here:
        batch = here.recv_batch(10)
        assert batch is not None
        assert identifiers(batch) == [0x123, 0x12ABCDEF, 0x7FF, 0, 4]
        assert (batch[4].is_error_frame, batch[4].data[1]) == (True, 1)
        assert here.losses.total() == 2


def test_the_descriptor_is_ready_as_long_as_anything_waits() -> None:
    with serving(lambda end: (end.sendall(STREAM), drain(end))[0]) as port, bus(port) as here:
        got = []
        while len(got) < 6:
            assert select.select([here], [], [], 10)[0]
            got.append(here.recv(0))
        assert not select.select([here], [], [], 0)[0]


def test_closing_ends_a_wait() -> None:
    failures: list[str] = []
    with serving(nothing) as port:
        here = bus(port)

        def wait() -> None:
            try:
                here.recv(20)
            except CanOperationError as error:
                failures.append(str(error))

        thread = Thread(target=wait)
        thread.start()
        here.shutdown()
        thread.join(20)
    assert failures == ["Cannot operate on a closed bus"]


def test_periodic_sending_ends_with_the_server() -> None:
    with serving(lambda end: take(end, 36) and None) as port, bus(port) as here:
        task = here.send_periodic(Message(arbitration_id=1), 0.001)
        with pytest.raises(CanOperationError):
            here.recv(20)
        task.stop()


def test_filters_apply() -> None:
    def server(end: socket.socket) -> None:
        end.sendall(STREAM)

    with serving(server) as port, bus(port, can_filters=[{"can_id": 0x7FF, "can_mask": 0x7FF}]) as here:
        assert identifiers(here.recv_batch(10)) == [0x7FF, 0x1FFFFFFF]


def test_the_factory_opens_it_by_its_name() -> None:
    with serving(echo) as port, Bus(f"127.0.0.1:{port}", "virtualcan", ignore_config=True) as here:
        here.send(CASES[0][0])
        assert identifiers(here.recv_batch(10)) == [0x123]


def test_nobody_there_is_an_error_that_says_where() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(
        CanInitializationError, match=f"virtualcan:127.0.0.1:{port}: cannot connect: .*refused"
    ):
        bus(port)


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ("there:5", ("there", 5)),
        ("there", ("there", 7)),
        ("[::1]:5", ("::1", 5)),
        ("[::1]", ("::1", 7)),
        ("fe80::1%eth0", ("fe80::1%eth0", 7)),
        (":5", ("localhost", 5)),
        (None, ("localhost", 7)),
    ],
)
def test_an_endpoint_is_a_host_and_a_port(channel: str | None, expected: tuple[str, int]) -> None:
    assert endpoint(channel, 7, "localhost") == expected


@pytest.mark.parametrize("channel", ["there:0", "there:65536", "there:x", "there:1_0", "[::1]5", "there:+5"])
def test_what_is_no_port_is_refused(channel: str) -> None:
    with pytest.raises(UsageError, match="is not HOST:PORT"):
        endpoint(channel, 7, "localhost")


def test_without_a_host_there_is_no_endpoint() -> None:
    with pytest.raises(UsageError, match='"" is not HOST:PORT'):
        endpoint("", 7)
