"""A bus on a stream that is not a socket: what an interface for a serial adapter adds."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator
from io import FileIO
from typing import Any

import pytest

from cantools_cli.backends.transport.port import PortBus
from cantools_cli.backends.transport.stream import StreamPort
from cantools_cli.bus.deadline import Deadline
from cantools_cli.errors import CanOperationError, FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

PATIENCE = 30

pty = pytest.importorskip("pty", reason="needs pseudo-terminals")


class SerialLine:
    """A serial device as a stream."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)

    def recv(self, size: int) -> bytes:
        return os.read(self._descriptor, size)

    def send(self, data: memoryview) -> int:
        return os.write(self._descriptor, data)

    def fileno(self) -> int:
        return self._descriptor

    def close(self) -> None:
        os.close(self._descriptor)
        self._descriptor = -1


class LineBus(PortBus):
    """An adapter with slcan's standard data frames: ``t1232DEAD`` and a carriage return."""

    _port: StreamPort

    def __init__(self, channel: Any, **kwargs: Any) -> None:
        self._rest = b""
        self._port = StreamPort(SerialLine(channel), self._decode, "line", channel, self.losses)
        super().__init__(channel, **kwargs)

    def _decode(self, data: bytes, time_ns: int) -> MessageBatch:
        *lines, self._rest = (self._rest + data).split(b"\r")
        batch = MessageBatch()
        for line in lines:
            try:
                identifier, payload = int(line[1:4], 16), bytes.fromhex(line[5:].decode())
            except ValueError:
                self.losses.add_fault("malformed lines skipped", FormatError(repr(line)))
            else:
                message = Message(arbitration_id=identifier, is_extended_id=False, data=payload)
                message.timestamp_ns = time_ns
                batch.append(message)
        return batch

    def _encode(self, batch: MessageBatch) -> list[bytes]:
        return [f"t{m.arbitration_id:03X}{m.dlc:X}{m.data.hex().upper()}\r".encode() for m in batch]


Line = tuple[LineBus, FileIO]


@pytest.fixture
def line() -> Iterator[Line]:
    """Return a bus, and the adapter's side of its line."""
    import tty

    adapter, device = pty.openpty()
    for end in (adapter, device):
        tty.setraw(end)
    with FileIO(adapter, "r+") as file, LineBus(device) as bus:
        yield bus, file


def test_frames_go_both_ways(line: Line) -> None:
    bus, adapter = line
    adapter.write(b"t1232DEAD\rtXYZ\rt456")
    batch = bus.recv_batch(PATIENCE)
    assert batch is not None
    assert [(m.arbitration_id, bytes(m.data)) for m in batch] == [(0x123, b"\xde\xad")]
    adapter.write(b"0\r")
    message = bus.recv(PATIENCE)
    assert message is not None
    assert (message.arbitration_id, message.dlc) == (0x456, 0)
    assert dict(bus.losses) == {"malformed lines skipped": 1}
    assert str(bus.first_fault) == "b'tXYZ'"
    bus.send(Message(arbitration_id=0x7FF, is_extended_id=False, data=b"\x01"))
    assert adapter.read(100) == b"t7FF101\r"


def test_closing_ends_a_wait_and_closes_the_device(line: Line) -> None:
    bus, _ = line
    failures: list[str] = []

    def wait() -> None:
        with pytest.raises(CanOperationError) as caught:
            bus.recv(PATIENCE)
        failures.append(str(caught.value))

    thread = threading.Thread(target=wait)
    thread.start()
    while not bus._port._wakeup._waits and thread.is_alive():
        pass
    bus.shutdown()
    thread.join(PATIENCE)
    assert failures == ["Cannot operate on a closed bus"]
    assert bus._port.fileno() == -1


def test_frames_that_a_waiting_sender_reads_make_the_descriptor_ready(line: Line) -> None:
    bus, adapter = line
    descriptor = bus.fileno()
    adapter.write(b"t1230\r")
    assert bus._port.wait_for(lambda: len(bus._port._received) == 1, Deadline(PATIENCE))
    assert select.select([descriptor], [], [], 0)[0]
    assert bus.recv(0) is not None
    assert not select.select([descriptor], [], [], 0)[0]


def test_a_frame_that_another_thread_reads_just_before_the_wait_ends_it(line: Line) -> None:
    bus, adapter = line
    port, wait = bus._port, bus._port._wakeup.wait

    def read_by_another_thread() -> None:
        assert port.wait_for(lambda: len(port._received) == 1, Deadline(PATIENCE))

    def delayed_wait(*args: Any) -> bool:
        port._wakeup.wait = wait  # type: ignore[method-assign]  # once
        adapter.write(b"t1230\r")
        thread = threading.Thread(target=read_by_another_thread)
        thread.start()
        while not len(port._received):
            pass
        ready = wait(*args)  # nothing is left to read
        thread.join(PATIENCE)
        return ready

    port._wakeup.wait = delayed_wait  # type: ignore[method-assign]
    message = bus.recv(PATIENCE)
    assert message is not None
    assert message.arbitration_id == 0x123


def test_many_threads_wait_for_their_own_answers(line: Line) -> None:
    bus, adapter = line
    port, threads, found = bus._port, 8, []

    def wait(count: int) -> None:
        assert port.wait_for(lambda: len(port._received) >= count, Deadline(PATIENCE))
        found.append(count)

    waits = [threading.Thread(target=wait, args=(count,)) for count in range(1, threads + 1)]
    for thread in waits:
        thread.start()
    for count in range(1, threads + 1):
        adapter.write(b"t1230\r")
        waits[count - 1].join(PATIENCE)
    assert found == [*range(1, threads + 1)]


def test_a_device_that_is_unplugged_shuts_the_bus_down(line: Line) -> None:
    bus, adapter = line
    adapter.close()
    with pytest.raises(CanOperationError, match=r"line: (the connection is lost|the other side closed)"):
        bus.recv(PATIENCE)
    assert bus.is_shutdown


def test_sent_frames_are_received_on_request(line: Line) -> None:
    bus, _ = line
    bus._echoes_own, found = True, []
    channel = bus._port._channel
    descriptor = bus.fileno()
    thread = threading.Thread(target=lambda: found.append(bus.recv(PATIENCE)))
    thread.start()  # waits for the stream, or begins to
    bus.send_batch(MessageBatch([Message(arbitration_id=number, is_extended_id=False) for number in (1, 2)]))
    thread.join(PATIENCE)
    message = bus.recv(PATIENCE)
    assert message is not None
    assert [(one.arbitration_id, one.is_rx, one.channel) for one in (*found, message)] == [
        (1, False, channel),
        (2, False, channel),
    ]
    assert not select.select([descriptor], [], [], 0)[0]
    bus.send(Message(arbitration_id=3, is_extended_id=False))
    assert select.select([descriptor], [], [], PATIENCE)[0]
    bus.set_filters([{"can_id": 4, "can_mask": 0x7FF}])
    assert bus.recv(0) is None


def test_an_echo_of_a_lost_bus_is_dropped(line: Line) -> None:
    bus, _ = line
    bus.shutdown()
    bus._port.echo(MessageBatch([Message(arbitration_id=1)]))
    with pytest.raises(CanOperationError):
        bus.recv(0)
