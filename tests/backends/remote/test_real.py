"""The client of python-can-remote, and its real server."""

from __future__ import annotations

import importlib.util
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("websockets", reason="needs canx[remote]")

from cantools_cli.backends.remote.bus import RemoteBus
from cantools_cli.bus.interface import Bus
from cantools_cli.errors import CanOperationError
from cantools_cli.frame.message import Message
from tests.backends.peers import PATIENCE
from tests.backends.remote.test_codec import CASES

MESSAGES = [message for message, _ in CASES]


@pytest.fixture
def real_server(tmp_path: Path) -> Iterator[str]:
    """Yield the channel of a python-can-remote server with a virtual bus."""
    if importlib.util.find_spec("can_remote") is None:
        pytest.skip("needs python-can-remote")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "can_remote",
        "-i",
        "virtual",
        "-c",
        "x",
        "-H",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    log = tmp_path / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, cwd=tmp_path)
        try:
            while process.poll() is None:
                try:
                    socket.create_connection(("127.0.0.1", port), PATIENCE).close()
                    break
                except ConnectionRefusedError:
                    select.select([], [], [], 0.02)
            assert process.poll() is None, log.read_text()
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def test_the_real_server_carries_every_kind_of_frame(real_server: str) -> None:
    with RemoteBus(real_server) as here, Bus(f"ws://{real_server}/", "remote", ignore_config=True) as there:
        for message in MESSAGES:
            here.send(message)
            got = there.recv(PATIENCE)
            assert got is not None
            assert got.equals(message, timestamp_delta=None, check_channel=False)


def test_the_real_server_sends_periodically(real_server: str) -> None:
    with RemoteBus(real_server) as here, RemoteBus(real_server) as there:
        task = here.send_periodic(Message(arbitration_id=7, data=b"\x01"), 0.01)
        for _ in range(3):
            received = there.recv(PATIENCE)
            assert received is not None
            assert received.data == b"\x01"
        task.modify_data(Message(arbitration_id=7, data=b"\x02"))  # type: ignore[attr-defined]  # a modifiable task
        while (message := there.recv(PATIENCE)) is not None and message.data != b"\x02":
            pass
        assert message is not None
        task.stop()
        with pytest.raises(CanOperationError, match="the periodic task of 0x7 is already stopped"):
            task.stop()
        here.send(Message(arbitration_id=8))
        while (message := there.recv(PATIENCE)) is not None and message.arbitration_id != 8:
            pass
        assert message is not None


def test_the_real_server_serves_python_can_beside_us(real_server: str) -> None:
    can_remote = pytest.importorskip("can_remote.client")
    can = pytest.importorskip("can")
    theirs = can_remote.RemoteBus(f"ws://{real_server}/")
    try:
        with RemoteBus(real_server) as ours:
            ours.send(MESSAGES[0])
            got = theirs.recv(PATIENCE)
            assert (got.arbitration_id, bytes(got.data)) == (0x123, b"\x01\x02\x03")
            theirs.send(can.Message(arbitration_id=5, data=b"\x09"))
            message = ours.recv(PATIENCE)
            assert message is not None
            assert (message.arbitration_id, message.data) == (5, b"\x09")
    finally:
        theirs.shutdown()
