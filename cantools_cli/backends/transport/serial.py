"""Serial ports as ports of a bus: device paths, COM names and the URLs of pyserial.

::

    /dev/ttyACM0, COM3           a device: its own descriptor, without a thread
    socket://HOST:PORT           TCP: a socket, without a thread
    rfc2217://HOST:PORT, loop:// and other URLs: pyserial's object, served by two threads

pyserial sets the line up. The bytes are read and written here: pyserial reports an unplugged device by four
types of exception, and it may block while writing.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import stat
import threading
from array import array
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cantools_cli.backends.transport.stream import PIECE, Stream, StreamPort
from cantools_cli.backends.transport.tcp import TcpPort, connect, endpoint
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanInitializationError, UsageError, quoted, reason_of
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

CONNECT_SECONDS = 2.0  #: limit of connecting to a remote port

_DRAIN_SECONDS = 0.25  # that closing waits for written bytes to leave
_UNPLUGGED = "the device was unplugged"
_GONE = (errno.EIO, errno.ENXIO, errno.ENODEV)
_NEGOTIATION_SECONDS = 1.5  # of RFC 2217; pyserial waits 3
_PATH = 200  # characters of a path that a message shows
_READ_SECONDS = 0.1  # of a thread's read, after which it checks whether the port is closed


@dataclass(frozen=True)
class SerialDevice:
    """A serial port of this computer; what is unknown is None.

    Attributes:
        path: the name to open it by.
        usb_id: the vendor's and the product's number on USB.
        serial_number: of the USB device.
        product: the name that the USB device gives itself.
    """

    path: str
    usb_id: tuple[int, int] | None = None
    serial_number: str | None = None
    product: str | None = None


def serial_devices() -> list[SerialDevice]:
    """Return the serial ports of this computer, in order of their names. No port is opened.

    Linux lists ports of the mainboard whether they exist or not; those are left out.
    """
    from serial.tools import list_ports  # type: ignore[import-untyped]  # pyserial has no types

    devices = [
        SerialDevice(
            port.device,
            None if port.vid is None else (port.vid, port.pid or 0),
            port.serial_number or None,
            port.product or None,
        )
        for port in sorted(list_ports.comports())
        if port.vid is not None or port.hwid != "n/a"
    ]
    return list({device.path: device for device in devices}.values())


def split_baudrate(channel: str) -> tuple[str, int | None]:
    """Return the port and the baud rate of ``PORT@BAUDRATE``; None without ``@``.

    Raises:
        UsageError: the port is empty, or the baud rate is not a number above 0.
    """
    path, at, rate = channel.rpartition("@")
    if not at:
        path, rate = channel, ""
    elif not (rate.isascii() and rate.isdecimal() and int(rate)):
        raise UsageError(f"{quoted(channel)}: {quoted(rate)} is not a baud rate", hint="such as PORT@115200")
    if not path.strip():
        raise UsageError("no serial port given", hint=_suggestion())
    return path, int(rate) if at else None


def open_port(
    place: str,
    baudrate: int,
    decode: Callable[[bytes, int], MessageBatch],
    *,
    name: str,
    channel: Channel = None,
    losses: Losses | None = None,
    rtscts: bool = False,
) -> StreamPort:
    """Open the serial port ``place``, a path, a COM name or a URL, and return it with ``decode`` on it.

    A device is opened exclusively, with 8 data bits, no parity and 1 stop bit; input that it had queued is
    discarded. ``socket://`` has no baud rate. The other parameters are those of ``StreamPort``.

    Raises:
        UsageError: ``place`` is not a port or a URL, or the baud rate is not above 0.
        CanInitializationError: the port does not exist, is in use, is not a serial port, or refuses.
    """
    if baudrate <= 0:
        raise UsageError(f"{name}: the baud rate must be above 0, not {baudrate}")
    scheme, is_url, rest = place.partition("://")
    if is_url and scheme.lower() == "socket":
        host, number = _endpoint(place, rest)
        return TcpPort(connect(host, number, CONNECT_SECONDS, name), decode, name, channel, losses)
    if is_url or os.name != "posix":
        stream: Stream = _Threaded(_opened_by_pyserial(place, baudrate, rtscts, name))
        return StreamPort(stream, decode, name, channel, losses)
    terminal = _Terminal(_opened(place, baudrate, rtscts, name))
    return _TerminalPort(terminal, decode, name, channel, losses)


def _endpoint(place: str, rest: str) -> tuple[str, int]:
    address = rest.partition("?")[0].rstrip("/")
    example = "such as socket://192.0.2.1:5000"
    if ":" not in address.rpartition("]")[2]:
        raise UsageError(f"{quoted(place)} has no TCP port", hint=example)
    try:
        return endpoint(address, 0)
    except UsageError as error:
        raise UsageError(f"{quoted(place)}: {error}", hint=example) from error


# --- devices ------------------------------------------------------------------------------------------


class _Terminal:
    """The descriptor of a terminal device as a non-blocking stream."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def fileno(self) -> int:
        return self._descriptor

    def recv(self, size: int) -> bytes:
        try:
            data = os.read(self._descriptor, size)
        except OSError as error:
            raise _translated(error) from error
        if data:
            return data
        # an idle line: no bytes either, but it has not hung up
        if any(events & (select.POLLHUP | select.POLLERR) for _, events in self._poll.poll(0)):
            raise OSError(errno.ENODEV, _UNPLUGGED)
        raise BlockingIOError(errno.EAGAIN, "no data")

    def send(self, data: memoryview) -> int:
        try:
            return os.write(self._descriptor, data)
        except OSError as error:
            raise _translated(error) from error

    def drain(self) -> None:
        """Wait until the written bytes have left, then discard the rest: closing would wait for it."""
        import fcntl
        import termios

        deadline, queued = Deadline(_DRAIN_SECONDS), array("i", [0])
        while True:
            fcntl.ioctl(self._descriptor, termios.TIOCOUTQ, queued)
            if not queued[0]:
                return
            if deadline.passed:
                break
            deadline.pause()
        with suppress(termios.error):
            termios.tcflush(self._descriptor, termios.TCOFLUSH)

    def close(self) -> None:
        import fcntl
        import termios

        if self._descriptor >= 0:
            with suppress(OSError):
                fcntl.ioctl(self._descriptor, termios.TIOCNXCL)
            os.close(self._descriptor)
            self._descriptor = -1


class _TerminalPort(StreamPort):
    def __init__(self, terminal: _Terminal, *rest: Any) -> None:
        self._terminal = terminal
        super().__init__(terminal, *rest)

    def _finish(self) -> None:
        if not self.is_lost:
            self._terminal.drain()


def _translated(error: OSError) -> OSError:
    """Return ``error`` with a plain reason if the device is gone."""
    return OSError(error.errno, _UNPLUGGED) if error.errno in _GONE else error


def _opened(path: str, baudrate: int, rtscts: bool, name: str) -> int:
    """Return a descriptor of the terminal ``path``, locked and set up.

    The line is not touched before it is locked: another program may be using it.

    Raises:
        CanInitializationError: see ``open_port``.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _refusal(name, path, error) from error
    try:
        _lock(descriptor, path, name)
        port = _opened_by_pyserial(path, baudrate, rtscts, name)  # its settings are those of the device
        _reduce_latency(port)
        port.close()
        _keep_others_out(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _reduce_latency(port: Any) -> None:
    """Have the driver pass bytes on at once: that of FTDI waits 16 ms, and delays acknowledgements."""
    with suppress(AttributeError, OSError, ValueError):  # another system, or a driver without that
        port.set_low_latency_mode(True)


def _lock(descriptor: int, path: str, name: str) -> None:
    """Raise CanInitializationError if ``descriptor`` is not a terminal, or in use."""
    import fcntl
    import termios

    if not os.isatty(descriptor):
        raise CanInitializationError(f"{name}: not a serial port: {quoted(path, _PATH)}", hint=_suggestion())
    discipline = array("i", [0])
    with suppress(OSError):  # a pseudo-terminal of another system has none
        fcntl.ioctl(descriptor, termios.TIOCGETD, discipline)
    if discipline[0]:
        raise CanInitializationError(
            f"{name}: in use by a driver of the kernel (line discipline {discipline[0]})",
            hint="end slcand, or open its interface instead: canx list",
        )
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise _in_use(name, path) from error


def _keep_others_out(descriptor: int) -> None:
    """Have the system refuse to open the device again, also by programs that ignore locks.

    Not for a pseudo-terminal: it would keep that after the program was killed.
    """
    import fcntl
    import termios

    with suppress(OSError):
        if not os.ttyname(descriptor).startswith("/dev/pts/"):
            fcntl.ioctl(descriptor, termios.TIOCEXCL)


def _in_use(name: str, path: str) -> CanInitializationError:
    return CanInitializationError(
        f"{name}: another program has the port open", hint=f"fuser -v {path} shows which"
    )


def _refusal(name: str, path: str, error: Exception) -> CanInitializationError:
    """Return the error of a path that cannot be opened, with a hint."""
    code = getattr(error, "errno", None)
    if code in (errno.EBUSY, errno.EAGAIN):
        return _in_use(name, path)
    if code == errno.EACCES:
        return CanInitializationError(
            f"{name}: no permission to open {quoted(path, _PATH)}", hint=_group_of(path)
        )
    if code in (errno.ENOENT, errno.ENOTDIR):
        return CanInitializationError(f"{name}: no such port: {quoted(path, _PATH)}", hint=_suggestion())
    if code in _GONE:
        return CanInitializationError(f"{name}: no device at {quoted(path, _PATH)}", hint=_suggestion())
    return CanInitializationError(f"{name}: cannot open {quoted(path, _PATH)}: {reason_of(error)}")


def _group_of(path: str) -> str | None:
    """Return how to join the group of a device."""
    import grp

    try:
        status = os.stat(path)
        group = grp.getgrgid(status.st_gid).gr_name
    except (OSError, KeyError):
        return None
    if not status.st_mode & stat.S_IWGRP or group == "root":
        return f"the port belongs to root: sudo chmod a+rw {path}"
    return f"the port belongs to the group {group}: sudo usermod -aG {group} $USER, then log in again"


def _suggestion() -> str:
    """Return a hint with the serial ports that exist."""
    paths = [device.path for device in serial_devices()]
    return f"serial ports: {', '.join(paths[:8])}" if paths else "this computer has no serial port now"


# --- URLs ---------------------------------------------------------------------------------------------


def _opened_by_pyserial(place: str, baudrate: int, rtscts: bool, name: str) -> Any:
    """Return an open object of pyserial.

    Raises:
        UsageError: the scheme of the URL is unknown, or the URL is malformed.
        CanInitializationError: the port refuses.
    """
    import serial  # type: ignore[import-untyped]  # pyserial has no types

    where = place
    if place.lower().startswith("rfc2217:") and "timeout=" not in place:
        where += f"{'&' if '?' in place else '?'}timeout={_NEGOTIATION_SECONDS}"
    try:
        return serial.serial_for_url(where, baudrate=baudrate, rtscts=rtscts, timeout=_READ_SECONDS)
    except serial.SerialException as error:
        raise _failure(name, place, error) from error
    except ValueError as error:  # also an unknown baud rate of this system
        hint = "PORT, socket://HOST:PORT or rfc2217://HOST:PORT" if "://" in place else None
        raise UsageError(f"{name}: {error}", hint=hint) from error
    except OSError as error:
        raise _failure(name, place, error) from error


def _failure(name: str, place: str, error: OSError) -> CanInitializationError:
    if error.errno is not None and "://" not in place:
        return _refusal(name, place, error)
    hint = None
    if place.lower().startswith("rfc2217:"):
        hint = "a server without RFC 2217 is opened as socket://HOST:PORT"
    return CanInitializationError(f"{name}: cannot open the port: {error}", hint=hint)


class _Threaded:
    """An object of pyserial without a usable descriptor as a non-blocking stream.

    Two threads move the bytes between it and a pair of sockets, whose buffers bound the memory.
    """

    def __init__(self, port: Any) -> None:
        self._port = port
        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        self._failure: OSError | None = None
        self._is_ending = False
        self._reader = threading.Thread(target=self._read_all, name="canx-serial-reader", daemon=True)
        self._writer = threading.Thread(target=self._write_all, name="canx-serial-writer", daemon=True)
        self._reader.start()
        self._writer.start()

    def fileno(self) -> int:
        return self._near.fileno()

    def recv(self, size: int) -> bytes:
        data = self._near.recv(size)
        if not data and self._failure is not None:
            raise self._failure
        return data

    def send(self, data: memoryview) -> int:
        return self._near.send(data)

    def close(self) -> None:
        """Close the stream, and wait a moment for the thread that writes the last bytes."""
        self._is_ending = True
        self._near.close()
        self._writer.join(_DRAIN_SECONDS + _READ_SECONDS)

    def _read_all(self) -> None:
        try:
            while not self._is_ending:
                data = self._port.read(1)
                if data:
                    waiting = min(self._port.in_waiting, PIECE)
                    self._far.sendall(data + (self._port.read(waiting) if waiting else b""))
        except Exception as error:  # pyserial's exceptions have no common base class
            self._end(error)

    def _write_all(self) -> None:
        try:
            while data := self._far.recv(PIECE):
                self._port.write(data)
        except Exception as error:  # as above
            self._end(error)
        self._reader.join()
        self._far.close()
        with suppress(Exception):  # likewise
            self._port.close()

    def _end(self, error: Exception) -> None:
        if not self._is_ending:
            self._failure = OSError(errno.EIO, str(error) or type(error).__name__)
            self._is_ending = True
            with suppress(OSError):
                self._far.shutdown(socket.SHUT_RDWR)
