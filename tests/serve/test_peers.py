"""The socketcand server and the clients that people have: canx's own, and python-can's."""

from __future__ import annotations

import pytest

from cantools_cli.backends.socketcand.bus import SocketCanDaemonBus
from cantools_cli.errors import (
    CanOperationError,
)
from cantools_cli.frame.batch import MessageBatch
from tests.serve.conversation import frame


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
    assert all(message.equals(bus.recv(20), None, check_channel=False) for message in kinds)
    kinds.append(frame(4, "00" * 8, is_error_frame=True))
    bus.send_batch(MessageBatch(kinds))
    assert all(message.equals(client.recv(20), None, check_channel=False) for message in kinds)


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
