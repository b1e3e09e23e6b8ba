"""A USB/IP server for emulated devices: a Linux kernel with ``vhci-hcd`` gets them as its own.

``UsbipServer`` listens on a TCP port of this computer; the bus ids of its devices are 1-1, 1-2 and so on.
``attach`` imports one into this computer's kernel, as the program ``usbip`` does.

Source: the Linux kernel's ``Documentation/usb/usbip_protocol.rst``. Numbers are big-endian; a command and its
reply have a head of 48 bytes.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tests.emulators.usb import Core, StalledError, UnpluggedError

VERSION = 0x0111
REQUEST_LIST, REPLY_LIST, REQUEST_IMPORT, REPLY_IMPORT = 0x8005, 0x0005, 0x8003, 0x0003
SUBMIT, UNLINK, SUBMITTED, UNLINKED = 1, 2, 3, 4
OUT, IN = 0, 1

OPERATION = struct.Struct(">HHI")
IMPORT = struct.Struct(">32s")
DEVICE = struct.Struct(">256s32sIIIHHHBBBBBB")
#: command, sequence number, device, direction, endpoint
HEAD = struct.Struct(">IIIII")
#: flags, length, first frame, packets, interval, setup packet
SUBMIT_REST = struct.Struct(">IiiiI8s")
#: status, length, first frame, packets, errors
SUBMITTED_REST = struct.Struct(">iiiii8x")
UNLINK_REST = struct.Struct(">I24x")
UNLINKED_REST = struct.Struct(">i24x")
SETUP = struct.Struct("<BBHHH")

# Linux's numbers of errors, which the protocol uses
EPIPE, ENODEV, EOVERFLOW, ECONNRESET = 32, 19, 75, 104
_SYSFS = Path("/sys/devices/platform/vhci_hcd.0")
_FREE = 4  # the status of an unused port


class Transfer(NamedTuple):
    """A command that waits for the device."""

    sequence: int
    is_in: bool
    endpoint: int  # its address
    size: int
    data: bytes


class Connection(threading.Thread):
    """Serves one device to one host, until the host closes the connection or the device is unplugged."""

    def __init__(self, core: Core, end: socket.socket) -> None:
        super().__init__(name="usbip", daemon=True)
        self._core = core
        self._end = end
        self._waiting: list[Transfer] = []
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._woken, False)
        core.listeners.append(self.wake)

    def wake(self) -> None:
        """Look for new data of the device; also called by other threads."""
        with suppress(BlockingIOError, OSError):
            os.write(self._wake, b"\0")

    def run(self) -> None:
        try:
            while self._core.is_plugged:
                ready, _, _ = select.select([self._end, self._woken], [], [])
                if self._woken in ready:
                    os.read(self._woken, 4096)
                if self._end in ready:
                    self._take_command()
                self._try_waiting()
        except (OSError, EOFError):
            pass
        finally:
            self._core.listeners.remove(self.wake)
            with suppress(OSError):
                self._end.shutdown(socket.SHUT_RDWR)
            self._end.close()

    def _take_command(self) -> None:
        command, sequence, _, direction, endpoint = HEAD.unpack(_exactly(self._end, HEAD.size))
        if command == UNLINK:
            [unwanted] = UNLINK_REST.unpack(_exactly(self._end, UNLINK_REST.size))
            self._unlink(sequence, unwanted)
            return
        assert command == SUBMIT, command
        _, size, _, _, _, setup = SUBMIT_REST.unpack(_exactly(self._end, SUBMIT_REST.size))
        data = _exactly(self._end, size) if direction == OUT else b""
        if endpoint == 0:
            self._control(sequence, direction, setup, data)
        else:
            address = endpoint | (0x80 if direction == IN else 0)
            self._waiting.append(Transfer(sequence, direction == IN, address, size, data))

    def _unlink(self, sequence: int, unwanted: int) -> None:
        waited = [transfer for transfer in self._waiting if transfer.sequence == unwanted]
        self._waiting = [transfer for transfer in self._waiting if transfer.sequence != unwanted]
        head = HEAD.pack(UNLINKED, sequence, 0, 0, 0)
        self._end.sendall(head + UNLINKED_REST.pack(-ECONNRESET if waited else 0))

    def _control(self, sequence: int, direction: int, setup: bytes, data: bytes) -> None:
        request_type, request, value, index, length = SETUP.unpack(setup)
        try:
            answer = self._core.request(request_type, request, value, index, data, length)
        except StalledError:
            self._submitted(sequence, -EPIPE)
        except UnpluggedError:
            self._submitted(sequence, -ENODEV)
        else:
            self._submitted(sequence, 0, answer, len(answer) if direction == IN else len(data))

    def _try_waiting(self) -> None:
        """Complete what the device is ready for, in order for each endpoint."""
        blocked: set[int] = set()
        for transfer in [*self._waiting]:
            if transfer.endpoint in blocked:
                continue
            try:
                data = self._tried(transfer)
            except StalledError:
                status, data = -EPIPE, b""
            except OverflowError:
                status, data = -EOVERFLOW, b""
            except UnpluggedError:
                status, data = -ENODEV, b""
            else:
                status = 0
                if data is None:
                    blocked.add(transfer.endpoint)
                    continue
            self._waiting.remove(transfer)
            length = len(data) if transfer.is_in else len(transfer.data)
            self._submitted(transfer.sequence, status, data, 0 if status else length)

    def _tried(self, transfer: Transfer) -> bytes | None:
        """Return the data of a transfer that the device completed, None if it has to wait."""
        if transfer.is_in:
            return self._core.bulk_in(transfer.endpoint, transfer.size)
        try:
            self._core.bulk_out(transfer.endpoint, transfer.data)
        except BlockingIOError:
            return None
        return b""

    def _submitted(self, sequence: int, status: int, data: bytes = b"", length: int = 0) -> None:
        head = HEAD.pack(SUBMITTED, sequence, 0, 0, 0)
        self._end.sendall(head + SUBMITTED_REST.pack(status, length, 0, 0, 0) + data)


class UsbipServer:
    """Listens on a free TCP port of this computer until it is closed."""

    def __init__(self, *cores: Core) -> None:
        self.cores = {f"1-{number}": core for number, core in enumerate(cores, 1)}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="usbip server", daemon=True)
        self._thread.start()

    def __enter__(self) -> UsbipServer:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                end, _ = self._listener.accept()
            except OSError:
                return
            with suppress(OSError, EOFError):
                self._greet(end)

    def _greet(self, end: socket.socket) -> None:
        """Answer the first request; an imported device is served by a thread of its own."""
        _, request, _ = OPERATION.unpack(_exactly(end, OPERATION.size))
        if request == REQUEST_LIST:
            texts = [_described(name, core) + _interfaces(core) for name, core in self.cores.items()]
            end.sendall(
                OPERATION.pack(VERSION, REPLY_LIST, 0) + struct.pack(">I", len(texts)) + b"".join(texts)
            )
            end.close()
            return
        [name] = IMPORT.unpack(_exactly(end, IMPORT.size))
        core = self.cores.get(name.rstrip(b"\0").decode())
        if core is None or not core.is_plugged:
            end.sendall(OPERATION.pack(VERSION, REPLY_IMPORT, 1))
            end.close()
            return
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        busid = name.rstrip(b"\0").decode()
        end.sendall(OPERATION.pack(VERSION, REPLY_IMPORT, 0) + _described(busid, core))
        Connection(core, end).start()


def _described(name: str, core: Core) -> bytes:
    bus, number = map(int, name.split("-"))
    _, _, _, *kinds, _, vendor, product, release, _, _, _, configurations = struct.unpack(
        "<BBHBBBBHHHBBBB", core.device_descriptor
    )
    path = f"/sys/devices/emulated/{name}".encode()
    numbers = (
        bus,
        number,
        core.speed,
        vendor,
        product,
        release,
        *kinds,
        core.configuration,
        configurations,
        1,
    )
    return DEVICE.pack(path, name.encode(), *numbers)


def _interfaces(core: Core) -> bytes:
    return core.configuration_descriptor[9 + 5 : 9 + 8] + b"\0"


def imported(port: int, name: str) -> socket.socket:
    """Return the connection for the device ``name`` of the server on ``port``, as a host asks for it.

    Raises:
        ConnectionError: there is no such device.
    """
    end = socket.create_connection(("127.0.0.1", port))
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    end.sendall(OPERATION.pack(VERSION, REQUEST_IMPORT, 0) + IMPORT.pack(name.encode()))
    _, _, status = OPERATION.unpack(_exactly(end, OPERATION.size))
    if status:
        end.close()
        raise ConnectionError(f"no device {name}")
    _exactly(end, DEVICE.size)
    return end


@contextmanager
def attached(server: UsbipServer, name: str = "1-1") -> Iterator[int]:
    """Give the device ``name`` to this computer's kernel; the value is the port of its virtual hub.

    Needs the rights of the administrator, and the module ``vhci-hcd``.
    """
    core = server.cores[name]
    end = imported(server.port, name)
    port = _free_port()
    bus, number = map(int, name.split("-"))
    (_SYSFS / "attach").write_text(f"{port} {end.fileno()} {bus << 16 | number} {core.speed}")
    end.close()  # the kernel has it
    try:
        yield port
    finally:
        with suppress(OSError):  # it was unplugged
            (_SYSFS / "detach").write_text(str(port))


def has_virtual_hub() -> bool:
    """Return whether this computer's kernel can attach devices."""
    return os.access(_SYSFS / "attach", os.W_OK)


def _free_port() -> int:
    for line in (_SYSFS / "status").read_text().splitlines()[1:]:
        hub, port, status, *_ = line.split()
        if hub == "hs" and int(status) == _FREE:
            return int(port)
    raise ConnectionError("all ports of the virtual hub are used")


def _exactly(end: socket.socket, size: int) -> bytes:
    """Return ``size`` bytes; EOFError if the other side closes before."""
    parts = bytearray()
    while len(parts) < size:
        part = end.recv(size - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)
