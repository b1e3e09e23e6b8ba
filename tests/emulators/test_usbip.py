"""The USB/IP server of emulated devices, against a small client."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from tests.emulators import gs_usb
from tests.emulators.gs_usb import FD_80, Frame, GsUsbCore
from tests.emulators.usb import Core
from tests.emulators.usbip import (
    DEVICE,
    ECONNRESET,
    EOVERFLOW,
    EPIPE,
    HEAD,
    IN,
    OPERATION,
    OUT,
    REPLY_LIST,
    REQUEST_LIST,
    SETUP,
    SUBMIT,
    SUBMIT_REST,
    SUBMITTED,
    SUBMITTED_REST,
    UNLINK,
    UNLINK_REST,
    UNLINKED,
    UNLINKED_REST,
    VERSION,
    UsbipServer,
    _exactly,
    imported,
)


class Client:
    """A host: submits transfers, and returns their replies."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._end.settimeout(20)
        self._sequence = 0
        self._is_in: dict[int, bool] = {}

    def submit(self, endpoint: int, size: int, data: bytes = b"", setup: bytes = bytes(8)) -> int:
        self._sequence += 1
        direction = IN if endpoint & 0x80 else OUT
        self._is_in[self._sequence] = direction == IN
        head = HEAD.pack(SUBMIT, self._sequence, 0x10001, direction, endpoint & 0x7F)
        self._end.sendall(head + SUBMIT_REST.pack(0, size, 0, -1, 0, setup) + data)
        return self._sequence

    def unlink(self, sequence: int) -> int:
        self._sequence += 1
        head = HEAD.pack(UNLINK, self._sequence, 0x10001, OUT, 0)
        self._end.sendall(head + UNLINK_REST.pack(sequence))
        return self._sequence

    def reply(self) -> tuple[int, int, bytes]:
        """Return the sequence number, the status and the data of the next reply."""
        command, sequence, device, direction, endpoint = HEAD.unpack(_exactly(self._end, HEAD.size))
        assert (device, direction, endpoint) == (0, 0, 0)
        if command == UNLINKED:
            [status] = UNLINKED_REST.unpack(_exactly(self._end, UNLINKED_REST.size))
            return sequence, status, b""
        assert command == SUBMITTED
        status, length, *_ = SUBMITTED_REST.unpack(_exactly(self._end, SUBMITTED_REST.size))
        return sequence, status, _exactly(self._end, length) if self._is_in[sequence] else b""

    def control(
        self, request_type: int, request: int, value: int = 0, data: bytes = b"", size: int = 0
    ) -> bytes:
        setup = SETUP.pack(request_type, request, value, 0, len(data) or size)
        endpoint = request_type & 0x80
        sequence = self.submit(endpoint, len(data) or size, data, setup)
        answered, status, answer = self.reply()
        assert answered == sequence
        if status:
            raise OSError(-status, "refused")
        return answer


@pytest.fixture
def core() -> GsUsbCore:
    return GsUsbCore(FD_80)


@pytest.fixture
def host(core: GsUsbCore) -> Iterator[Client]:
    with UsbipServer(core) as server:
        end = imported(server.port, "1-1")
        yield Client(end)
        end.close()


def test_the_list_of_devices(core: GsUsbCore) -> None:
    with UsbipServer(core, Core((1, 2), ("", "", ""), ())) as server:
        end = socket.create_connection(("127.0.0.1", server.port))
        end.sendall(OPERATION.pack(VERSION, REQUEST_LIST, 0))
        assert OPERATION.unpack(_exactly(end, OPERATION.size)) == (VERSION, REPLY_LIST, 0)
        assert struct.unpack(">I", _exactly(end, 4)) == (2,)
        fields = DEVICE.unpack(_exactly(end, DEVICE.size))
        assert fields[1].rstrip(b"\0") == b"1-1"
        assert fields[2:8] == (1, 1, 2, 0x1D50, 0x606F, 0x0100)
        assert _exactly(end, 4) == b"\xff\xff\xff\0"
        assert len(_exactly(end, DEVICE.size + 4)) == 316
        end.close()
        with pytest.raises(ConnectionError, match="no device 1-3"):
            imported(server.port, "1-3")


def test_descriptors(core: GsUsbCore, host: Client) -> None:
    assert host.control(0x80, 6, 0x0100, size=64) == core.device_descriptor
    assert host.control(0x80, 6, 0x0200, size=9) == core.configuration_descriptor[:9]
    assert host.control(0x80, 6, 0x0200, size=255) == core.configuration_descriptor
    assert host.control(0x80, 6, 0x0302, size=255)[2:].decode("utf-16-le") == "CANable2 gs_usb"
    host.control(0, 9, 1)
    with pytest.raises(OSError, match="refused") as caught:  # the qualifier of a device with two speeds
        host.control(0x80, 6, 0x0600, size=10)
    assert caught.value.errno == EPIPE


def start(host: Client) -> None:
    host.control(0x41, gs_usb.HOST_FORMAT, 1, b"\xef\xbe\0\0")
    host.control(0x41, gs_usb.BITTIMING, 0, struct.pack("<5I", 1, 138, 20, 4, 1))
    host.control(0x41, gs_usb.MODE, 0, struct.pack("<II", 1, 0))


def test_transfers_wait_for_the_device(core: GsUsbCore, host: Client) -> None:
    start(host)
    reads = [host.submit(0x81, 128) for _ in range(3)]
    core.receive(0, Frame(0x123, 2, b"\1\2"))
    sequence, status, data = host.reply()
    assert (sequence, status) == (reads[0], 0)
    assert data == bytes.fromhex("FFFFFFFF 23010000 02000000 0102000000000000")
    write = host.submit(0x02, 20, bytes.fromhex("07000000 55000000 01000000 AA00000000000000"))
    replies = {sequence: (status, data) for sequence, status, data in (host.reply(), host.reply())}
    assert replies == {
        write: (0, b""),
        reads[1]: (0, bytes.fromhex("07000000 55000000 01000000 AA00000000000000")),  # the echo
    }
    assert core.sent == [(0, Frame(0x55, 1, b"\xaa"))]


def test_a_full_device_makes_the_host_wait(core: GsUsbCore, host: Client) -> None:
    start(host)
    core.holds = True
    frame = bytes.fromhex("00000000 55000000 00000000 0000000000000000")
    writes = [host.submit(0x02, 20, frame) for _ in range(gs_usb.BUFFERS + 2)]
    done = [host.reply()[0] for _ in range(gs_usb.BUFFERS)]
    assert done == writes[:-2]
    core.release()
    assert [host.reply()[0] for _ in range(2)] == writes[-2:]


def test_unlinking(core: GsUsbCore, host: Client) -> None:
    start(host)
    first, second = host.submit(0x81, 128), host.submit(0x81, 128)
    unlink = host.unlink(first)
    assert host.reply() == (unlink, -ECONNRESET, b"")
    late = host.unlink(first)
    assert host.reply() == (late, 0, b"")
    core.receive(0, Frame(1, 0))
    assert host.reply()[:2] == (second, 0)


def test_errors_of_transfers(core: GsUsbCore, host: Client) -> None:
    start(host)
    stalled = host.submit(0x02, 3, b"\0\0\0")
    assert host.reply() == (stalled, -EPIPE, b"")
    small = host.submit(0x81, 10)
    core.receive(0, Frame(1, 0))
    assert host.reply() == (small, -EOVERFLOW, b"")


def test_unplugging_closes_the_connection(core: GsUsbCore, host: Client) -> None:
    start(host)
    host.submit(0x81, 128)
    core.unplug()
    with pytest.raises((EOFError, ConnectionError)):
        host.reply()
