"""Lends the emulated USB bus of a test to the commands that it starts.

``lent`` serves a backend of pyusb on a Unix socket, and returns the environment in which another process uses
it instead of libusb: its ``PYTHONPATH`` has a ``sitecustomize`` that calls ``borrow``.
"""

from __future__ import annotations

import os
import tempfile
import threading
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any

import usb.backend
from usb.core import USBError, USBTimeoutError

from tests.emulators.usb import EmulatedUsb, Handle

_ADDRESS = "TEST_USB"  # the variable with the path of the socket
_ROOT = Path(__file__).parents[2]
_METHODS = [name for name in vars(usb.backend.IBackend) if not name.startswith("_")]
_BUFFER = {"bulk_read": 3, "ctrl_transfer": 5}  # the place of the buffer that the call fills


class _Server:
    """Calls the backend for other processes; a process that ends has its devices closed."""

    def __init__(self, backend: EmulatedUsb, path: str) -> None:
        self._backend = backend
        self._listener = Listener(path, family="AF_UNIX")
        self._handles: dict[int, tuple[int, Handle]] = {}
        self._connections: Counter[int] = Counter()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        with connection:
            process = connection.recv()
            with self._lock:
                self._connections[process] += 1
            with suppress(EOFError, OSError):
                while True:
                    name, arguments = connection.recv()
                    connection.send(self._answer(process, name, arguments))
            with self._lock:
                self._connections[process] -= 1
                if not self._connections[process]:
                    for number, (owner, handle) in [*self._handles.items()]:
                        if owner == process:
                            self._backend.close_device(handle)
                            del self._handles[number]

    def _answer(self, process: int, name: str, arguments: list[Any]) -> tuple[Any, ...]:
        try:
            return ("result", *self._call(process, name, arguments))
        except USBError as error:
            return (
                "error",
                type(error) is USBTimeoutError,
                error.strerror,
                error.backend_error_code,
                error.errno,
            )
        except Exception as error:  # pyusb counts on IndexError, for one
            return "raise", error

    def _call(self, process: int, name: str, arguments: list[Any]) -> tuple[Any, bytes]:
        if name == "enumerate_devices":
            return [self._backend.cores.index(core) for core in self._backend.enumerate_devices()], b""
        if name.startswith("get_") and name != "get_configuration":
            arguments[0] = self._backend.cores[arguments[0]]
            return getattr(self._backend, name)(*arguments), b""
        if name == "open_device":
            handle = self._backend.open_device(self._backend.cores[arguments[0]])
            with self._lock:
                self._handles[id(handle)] = process, handle
            return id(handle), b""
        arguments[0] = self._handles[arguments[0]][1]
        place = _BUFFER.get(name)
        result = getattr(self._backend, name)(*arguments)
        return result, arguments[place].tobytes() if place is not None else b""

    def close(self) -> None:
        self._listener.close()


class BorrowedUsb(usb.backend.IBackend):  # type: ignore[misc]  # pyusb has no types
    """The backend of another process; each thread has a connection of its own."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._local = threading.local()

    def _call(self, name: str, *arguments: Any) -> Any:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = Client(self._path, family="AF_UNIX")
            connection.send(os.getpid())
        connection.send((name, [*arguments]))
        kind, *answer = connection.recv()
        if kind == "error":
            is_timeout, *values = answer
            raise (USBTimeoutError if is_timeout else USBError)(*values)
        if kind == "raise":
            raise answer[0]
        result, data = answer
        if data:
            buffer = arguments[_BUFFER[name]]
            buffer[:] = array("B", data)
        return result


def _forward(name: str) -> Any:
    def call(self: BorrowedUsb, *arguments: Any) -> Any:
        return self._call(name, *arguments)

    return call


for _name in _METHODS:
    setattr(BorrowedUsb, _name, _forward(_name))


def borrow() -> None:
    """Let pyusb of this process use the backend of the test."""
    from usb.backend import libusb1

    backend = BorrowedUsb(os.environ[_ADDRESS])
    libusb1.get_backend = lambda find_library=None: backend


@contextmanager
def lent(backend: EmulatedUsb) -> Iterator[dict[str, str]]:
    """Serve ``backend``, and return the environment for the commands that use it."""
    with tempfile.TemporaryDirectory(prefix="canx-usb-") as folder:
        path = f"{folder}/usb"
        Path(folder, "sitecustomize.py").write_text(
            "from tests.emulators.usb_remote import borrow\n\nborrow()\n"
        )
        server = _Server(backend, path)
        paths = [folder, str(_ROOT), os.environ.get("PYTHONPATH", "")]
        try:
            yield {_ADDRESS: path, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        finally:
            server.close()
