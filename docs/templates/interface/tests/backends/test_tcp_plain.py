"""The codec of tcp_plain, and its bus against a server of a few lines."""

from __future__ import annotations

import select
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.tcp_plain import MAX_LINE, Decoder, TcpPlainBus, encode
from cantools_cli.bus.interface import Bus
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanOperationError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.backends.peers import drain, serving
from tests.strategies import facts

# Every row is decoded and encoded.
CASES = [
    (b"123 DEADBEEF\n", Message(arbitration_id=0x123, is_extended_id=False, data=b"\xde\xad\xbe\xef")),
    (b"1FFFFFFF 00\n", Message(arbitration_id=0x1FFFFFFF, data=b"\0")),
    (b"00000123\n", Message(arbitration_id=0x123)),
]
STREAM = b"".join(line for line, _ in CASES)


@pytest.mark.parametrize(("line", "message"), CASES)
def test_known_lines(line: bytes, message: Message) -> None:
    assert [facts(decoded) for decoded in Decoder(Losses()).feed(line, 0)] == [facts(message)]
    assert encode(MessageBatch([message])) == [line]


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_any_cut_of_the_stream_gives_the_same_frames(cut: int) -> None:
    decoder = Decoder(Losses())
    batches = decoder.feed(STREAM[:cut], 0), decoder.feed(STREAM[cut:], 0)
    assert b"".join(line for batch in batches for line in encode(batch)) == STREAM


@pytest.mark.parametrize("line", [b"", b"12", b"800", b"20000000", b"123 1", b"123 0x", b"1" * MAX_LINE * 2])
def test_a_malformed_line_costs_only_itself(line: bytes) -> None:
    losses = Losses()
    assert len(Decoder(losses).feed(line + b"\n123\n", 0)) == 1
    assert losses == {"malformed lines skipped": 1}
    assert str(losses.first_fault).startswith("not a tcp_plain line: ")


@given(st.binary())
def test_noise_does_not_cost_the_next_frame(noise: bytes) -> None:
    *_, last = Decoder(Losses()).feed(noise + b"\n123 55\n", 0)
    assert last.data == b"\x55"


@pytest.mark.parametrize("kind", ["is_remote_frame", "is_error_frame", "is_fd"])
def test_a_frame_that_no_line_can_carry_is_refused(kind: str) -> None:
    with pytest.raises(CanOperationError, match="carries neither"):
        encode(MessageBatch([Message(arbitration_id=0x123, **{kind: True})]))


def echo(end: socket.socket) -> None:
    while data := end.recv(4096):
        end.sendall(data)


def test_sent_frames_come_back_from_a_server_that_echoes() -> None:
    with serving(echo) as port, Bus(f"127.0.0.1:{port}", interface="tcp_plain") as bus:
        bus.send(Message(arbitration_id=0x123, is_extended_id=False, data=b"\xaa"))
        message = bus.recv(10)
        assert message is not None
        assert (message.arbitration_id, message.data) == (0x123, b"\xaa")
        assert message.channel == f"127.0.0.1:{port}"
        assert bus.recv(0) is None


def test_the_descriptor_is_ready_as_long_as_frames_are_waiting() -> None:
    def send(end: socket.socket) -> None:
        end.sendall(b"123 55\n" * 4)
        drain(end)

    with serving(send) as port, TcpPlainBus(f"127.0.0.1:{port}") as bus:
        for _ in range(4):
            assert select.select([bus], [], [], 10)[0] == [bus]
            assert bus.recv(0) is not None
        assert select.select([bus], [], [], 0)[0] == []


def test_malformed_lines_are_reported_as_losses() -> None:
    def send(end: socket.socket) -> None:
        end.sendall(b"garbage\n123 55\n")
        drain(end)

    with serving(send) as port, TcpPlainBus(f"127.0.0.1:{port}") as bus:
        assert bus.recv(10) is not None
        assert bus.losses == {"malformed lines skipped": 1}
        assert str(bus.first_fault) == 'not a tcp_plain line: "garbage"'


def test_a_closed_connection_is_an_error_after_the_last_frame() -> None:
    with (
        serving(lambda end: end.sendall(b"123 55\n")) as port,
        TcpPlainBus(f"127.0.0.1:{port}") as bus,
    ):
        assert bus.recv(10) is not None
        with pytest.raises(CanOperationError, match="closed the connection"):
            bus.recv(10)


def test_a_channel_without_a_host_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="is not HOST:PORT"):
        TcpPlainBus(":1")
