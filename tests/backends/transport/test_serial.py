"""Serial ports as ports of a bus: devices on pseudo-terminals, and the URLs of pyserial."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import socket
import stat
import termios
import threading
from array import array
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from cantools_cli.backends.transport import serial as transport
from cantools_cli.backends.transport.stream import StreamPort
from cantools_cli.backends.transport.tcp import TcpPort
from cantools_cli.bus.deadline import Deadline
from cantools_cli.errors import CanInitializationError, CanOperationError, UsageError
from cantools_cli.frame.batch import MessageBatch

PATIENCE = 30

pty = pytest.importorskip("pty", reason="needs pseudo-terminals")

Pair = tuple[int, str]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A pseudo-terminal: the descriptor of the device's end, and the path of the program's."""
    master, slave = os.openpty()
    path = os.ttyname(slave)
    os.close(slave)
    yield master, path
    with suppress(OSError):  # the test has unplugged it
        os.close(master)


class Heard:
    """A decoder that keeps the bytes."""

    def __init__(self) -> None:
        self.text = b""

    def __call__(self, data: bytes, time_ns: int) -> MessageBatch:
        self.text += data
        return MessageBatch()


Opened = Callable[..., tuple[StreamPort, Heard]]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Open a port with a decoder that keeps the bytes."""
    ports: list[StreamPort] = []

    def open_port(place: str, baudrate: int = 115200, **options: Any) -> tuple[StreamPort, Heard]:
        heard = Heard()
        ports.append(transport.open_port(place, baudrate, heard, name="test", **options))
        return ports[-1], heard

    yield open_port
    for port in ports:
        port.close()


def wait_for(port: StreamPort, condition: Callable[[], bool]) -> None:
    assert port.wait_for(condition, Deadline(PATIENCE))


def read_exactly(descriptor: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        assert select.select([descriptor], [], [], PATIENCE)[0]
        data += os.read(descriptor, size - len(data))
    return data


# --- devices ------------------------------------------------------------------------------------------


def test_bytes_pass_unchanged_both_ways(pair: Pair, opened: Opened) -> None:
    master, path = pair
    port, heard = opened(path)
    octets = bytes(range(256))
    port.send([octets], PATIENCE)
    assert read_exactly(master, 256) == octets
    os.write(master, octets)
    wait_for(port, lambda: len(heard.text) == 256)
    assert heard.text == octets


def test_input_from_before_the_opening_is_discarded(pair: Pair, opened: Opened) -> None:
    master, path = pair
    slave = os.open(path, os.O_RDWR | os.O_NOCTTY)  # else the bytes would be lost anyway
    os.write(master, b"old\n")
    select.select([slave], [], [], PATIENCE)
    port, heard = opened(path)
    os.close(slave)
    os.write(master, b"new")
    wait_for(port, lambda: len(heard.text) >= 3)
    assert heard.text == b"new"


@pytest.mark.parametrize("baudrate", [9600, 115200, 3_000_000, 12345, 12_000_000])
def test_any_baud_rate(pair: Pair, opened: Opened, baudrate: int) -> None:
    port, _ = opened(pair[1], baudrate)
    settings = array("I", [0] * 11)  # struct termios2
    fcntl.ioctl(port._end.fileno(), 0x802C542A, settings)  # TCGETS2
    assert settings[9:11].tolist() == [baudrate, baudrate]


def test_flow_control(pair: Pair, opened: Opened) -> None:
    _, path = pair
    port, _ = opened(path, rtscts=True)
    assert termios.tcgetattr(port._end.fileno())[2] & termios.CRTSCTS


def test_the_driver_is_told_to_pass_bytes_on_at_once(
    pair: Pair, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    from serial import Serial

    modes: list[bool] = []
    monkeypatch.setattr(Serial, "set_low_latency_mode", lambda port, mode: modes.append(mode))
    opened(pair[1])
    assert modes == [True]


@pytest.mark.parametrize("baudrate", [0, -1])
def test_a_baud_rate_must_be_above_0(pair: Pair, opened: Opened, baudrate: int) -> None:
    with pytest.raises(UsageError, match=r"^test: the baud rate must be above 0"):
        opened(pair[1], baudrate)


def test_unplugging_is_reported(pair: Pair, opened: Opened) -> None:
    master, path = pair
    port, heard = opened(path)
    os.write(master, b"last")
    wait_for(port, lambda: heard.text == b"last")  # the kernel drops what was not read by then
    os.close(master)
    with pytest.raises(CanOperationError, match=r"^test: the connection is lost: the device was unplugged$"):
        port.receive(PATIENCE)
    assert port.is_lost
    with pytest.raises(CanOperationError, match="closed"):
        port.receive(0)


def test_unplugging_ends_a_send(pair: Pair, opened: Opened) -> None:
    master, path = pair
    port, _ = opened(path)
    os.close(master)
    with pytest.raises(CanOperationError, match="the device was unplugged"):
        port.send([b"x" * 100_000], PATIENCE)


def test_closing_frees_the_port_and_delivers_what_was_sent(pair: Pair, opened: Opened) -> None:
    master, path = pair
    port, _ = opened(path)
    port.send([b"C\r"], PATIENCE)
    port.close()
    assert read_exactly(master, 2) == b"C\r"
    again, heard = opened(path)
    os.write(master, b"x")
    wait_for(again, lambda: heard.text == b"x")


def test_a_port_in_use(pair: Pair, opened: Opened) -> None:
    opened(pair[1])
    with pytest.raises(CanInitializationError, match=r"^test: another program has the port open$") as raised:
        opened(pair[1])
    assert raised.value.hint == f"fuser -v {pair[1]} shows which"


def test_a_port_of_a_line_discipline_is_not_touched(pair: Pair, opened: Opened) -> None:
    slave = os.open(pair[1], os.O_RDWR | os.O_NOCTTY)
    before = termios.tcgetattr(slave)
    try:
        fcntl.ioctl(slave, termios.TIOCSETD, array("i", [5]))  # N_X25 or another that is not N_TTY
    except OSError:
        for discipline in (2, 3, 9, 15):
            try:
                fcntl.ioctl(slave, termios.TIOCSETD, array("i", [discipline]))
                break
            except OSError:
                continue
        else:
            os.close(slave)
            pytest.skip("this kernel has no other line discipline")
    with pytest.raises(CanInitializationError, match="in use by a driver of the kernel"):
        opened(pair[1])
    fcntl.ioctl(slave, termios.TIOCSETD, array("i", [0]))
    assert termios.tcgetattr(slave)[:4] == before[:4]
    os.close(slave)


def test_no_such_port(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    list_devices(monkeypatch, device("/dev/ttyACM0"), device("/dev/ttyUSB1"))
    with pytest.raises(CanInitializationError, match=r'^test: no such port: "/dev/nothing"$') as raised:
        opened("/dev/nothing")
    assert raised.value.hint == "serial ports: /dev/ttyACM0, /dev/ttyUSB1"


@pytest.mark.parametrize("kind", ["file", "null", "folder"])
def test_not_a_serial_port(opened: Opened, tmp_path: Any, kind: str) -> None:
    path = {"file": tmp_path / "log", "null": "/dev/null", "folder": tmp_path}[kind]
    if kind == "file":
        path.write_bytes(b"")
    with pytest.raises(CanInitializationError, match=f'^test: .*"{path}"'):
        opened(str(path))


def test_no_permission_names_the_group(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    import grp

    path = tmp_path / "ttyACM0"
    path.touch()
    path.chmod(0o660)

    def refuse(*_: Any, **__: Any) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(transport.os, "open", refuse)
    monkeypatch.setattr(grp, "getgrgid", lambda gid: SimpleNamespace(gr_name="dialout"))
    with pytest.raises(CanInitializationError, match=f'^test: no permission to open "{path}"$') as raised:
        opened(str(path))
    assert raised.value.hint == (
        "the port belongs to the group dialout: sudo usermod -aG dialout $USER, then log in again"
    )
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    with pytest.raises(CanInitializationError) as raised:
        opened(str(path))
    assert raised.value.hint == f"the port belongs to root: sudo chmod a+rw {path}"


# --- URLs ---------------------------------------------------------------------------------------------


def test_loop_returns_what_is_sent(opened: Opened) -> None:
    port, heard = opened("loop://")
    port.send([b"abc"] * 1000, PATIENCE)
    wait_for(port, lambda: len(heard.text) == 3000)
    assert heard.text == b"abc" * 1000


def test_a_socket_is_a_tcp_port(opened: Opened) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port, heard = opened(f"socket://127.0.0.1:{server.getsockname()[1]}")
        assert isinstance(port, TcpPort)
        end, _ = server.accept()
        with end:
            port.send([b"hi"], PATIENCE)
            assert end.recv(2) == b"hi"
            end.sendall(b"last")
        with pytest.raises(CanOperationError, match="the other side closed the connection"):
            port.receive(PATIENCE)
        assert heard.text == b"last"


def test_nobody_listens(opened: Opened) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
    with pytest.raises(CanInitializationError, match=r"^test: cannot connect: Connection refused$"):
        opened(f"socket://127.0.0.1:{number}")
    with pytest.raises(CanInitializationError, match=r"^test: cannot open the port: .*refused"):
        opened(f"rfc2217://127.0.0.1:{number}")


# pyserial's RFC 2217 uses a deprecated name of Python's, and leaves the socket of a failed negotiation open
OLD_PYSERIAL = pytest.mark.filterwarnings(
    "ignore:set(Daemon|Name)", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@OLD_PYSERIAL
def test_a_server_without_rfc_2217(opened: Opened) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(CanInitializationError, match="RFC2217") as raised,
    ):
        opened(f"rfc2217://127.0.0.1:{server.getsockname()[1]}")
    assert raised.value.hint == "a server without RFC 2217 is opened as socket://HOST:PORT"


def serve_rfc2217(server: socket.socket, octets: list[bytes]) -> None:
    """Answer one client as a port with RFC 2217 does, and send its bytes back in upper case."""
    from serial import rfc2217, serial_for_url

    line = serial_for_url("loop://", timeout=0)
    end, _ = server.accept()

    class Writer:
        def write(self, data: bytes) -> None:
            end.sendall(bytes(data))

    manager = rfc2217.PortManager(line, Writer())
    with end:
        while data := end.recv(4096):
            plain = b"".join(manager.filter(data))
            octets.append(plain)
            if b"!" in plain:
                return
            if plain:
                end.sendall(b"".join(manager.escape(plain.upper())))


@OLD_PYSERIAL
def test_rfc2217(opened: Opened) -> None:
    octets: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve_rfc2217, args=(server, octets), daemon=True)
        thread.start()
        port, heard = opened(f"rfc2217://127.0.0.1:{server.getsockname()[1]}", 57600)
        port.send([b"t1230\xff\r"], PATIENCE)
        wait_for(port, lambda: len(heard.text) == 7)
        assert heard.text == b"T1230\xff\r"
        port.send([b"!"], PATIENCE)
        with pytest.raises(CanOperationError, match=r"^test: the connection is lost: "):
            port.receive(PATIENCE)
        thread.join(PATIENCE)
    assert b"".join(octets) == b"t1230\xff\r!"


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("socket://localhost", "has no TCP port"),
        ("socket://localhost:x", '^"socket://localhost:x": "localhost:x" is not HOST:PORT'),
        ("socket://:5000", '^"socket://:5000": ":5000" is not HOST:PORT'),
        ("nothing://localhost:1", "test: invalid URL"),
    ],
)
def test_malformed_urls(opened: Opened, place: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        opened(place)


# --- names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "parts"),
    [
        ("/dev/ttyACM0", ("/dev/ttyACM0", None)),
        ("COM4@9600", ("COM4", 9600)),
        ("/dev/a@b@115200", ("/dev/a@b", 115200)),
        ("socket://192.0.2.1:5000", ("socket://192.0.2.1:5000", None)),
    ],
)
def test_split_baudrate(channel: str, parts: tuple[str, int | None]) -> None:
    assert transport.split_baudrate(channel) == parts


@pytest.mark.parametrize("channel", ["", " ", "@9600", "COM4@", "COM4@x", "COM4@0", "COM4@-5", "COM4@²"])
def test_split_baudrate_refuses(channel: str) -> None:
    with pytest.raises(UsageError):
        transport.split_baudrate(channel)


# --- the list -----------------------------------------------------------------------------------------


def device(path: str, **more: Any) -> Any:
    from serial.tools.list_ports_common import ListPortInfo

    info = ListPortInfo(path)
    for key, value in more.items():
        setattr(info, key, value)
    if info.vid is not None:
        info.apply_usb_info()
    else:
        info.hwid = more.get("hwid", "PNP0501")
    return info


def list_devices(monkeypatch: pytest.MonkeyPatch, *devices: Any) -> None:
    from serial.tools import list_ports

    monkeypatch.setattr(list_ports, "comports", lambda: list(devices))


def test_the_list_is_sorted_and_leaves_out_ports_that_may_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    list_devices(
        monkeypatch,
        device("/dev/ttyUSB10", vid=0x0403, pid=0x6001, serial_number="A1", product="CANUSB"),
        device("/dev/ttyUSB2", vid=0x1A86, pid=0x7523),
        device("/dev/ttyS0", hwid="n/a"),
        device("/dev/ttyS1"),
    )
    assert transport.serial_devices() == [
        transport.SerialDevice("/dev/ttyS1"),
        transport.SerialDevice("/dev/ttyUSB2", (0x1A86, 0x7523)),
        transport.SerialDevice("/dev/ttyUSB10", (0x0403, 0x6001), "A1", "CANUSB"),
    ]
