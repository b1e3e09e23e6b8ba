"""python-can-remote: its server on a virtual bus, its client found through its entry point."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from cantools_cli import plugins
from cantools_cli.bus.interface import Bus
from cantools_cli.frame.message import Message


@pytest.fixture
def address() -> Iterator[str]:
    """Return where a server gives access to the virtual bus ``served``."""
    from can_remote import RemoteServer

    server = RemoteServer("127.0.0.1", 0, interface="virtual", channel="served")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"ws://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def buses(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """Return a bus on the virtual bus itself, and one that reaches it through the server."""
    monkeypatch.delitem(plugins.INTERFACES, "remote", raising=False)  # ours, which would be taken first
    with (
        Bus("served", "virtual", ignore_config=True) as local,
        Bus(address, "remote", ignore_config=True) as remote,
    ):
        yield local, remote


FRAMES = [
    Message(arbitration_id=0x123, is_extended_id=False, data=b"\x01\x02"),
    Message(arbitration_id=0x1ABCDEF0, data=b"12345678"),
    Message(arbitration_id=0x7FF, is_extended_id=False, is_remote_frame=True, dlc=4),
]


def test_the_plug_in_is_the_one_that_is_installed(buses: tuple[Any, Any]) -> None:
    assert type(buses[1]).__module__ == "can_remote.client"


@pytest.mark.parametrize("frame", FRAMES, ids=str)
def test_frames_go_both_ways(buses: tuple[Any, Any], frame: Message) -> None:
    for sender, receiver in (buses, buses[::-1]):
        sender.send(frame)
        received = receiver.recv(30)
        assert frame.equals(received, timestamp_delta=None, check_channel=False)


def test_frames_come_in_batches(buses: tuple[Any, Any]) -> None:
    local, remote = buses
    local.send(FRAMES[0])
    assert [frame.arbitration_id for frame in remote.recv_batch(30)] == [0x123]


def test_the_server_sends_periodically(buses: tuple[Any, Any]) -> None:
    local, remote = buses
    task = remote.send_periodic(FRAMES[0], 0.01)
    received = [local.recv(30) for _ in range(3)]
    task.stop()
    assert [frame.arbitration_id for frame in received] == [0x123] * 3
