"""The medium of the virtual bus between processes: a folder, a lock, and one socket per reader.

::

    /tmp/canx-1000/v1/default/vcan0/     0700; the parts are user, layout, net, channel
        wire       the sender's lock, which gives all readers the same order. Contains the generation, 8
        bytes,
                   which changes when a reader joins, leaves or misses frames
        turn       the lock of the next sender, so that a long transfer lets other senders in between
        7.bus      datagram socket of a reader, named after the generation in which it joined
        7.state    the number of datagrams it has read, 8 bytes, and of frames it has missed, 8 bytes
        name       the name of the channel, if it is not a valid name of a folder
        medium     reserved for a process that controls the bus

No process has to be started: the first bus creates the folder, and the next frame removes the remains of dead
processes. The path does not depend on the login (``XDG_RUNTIME_DIR`` and ``TMPDIR`` differ between a desktop,
cron and ssh, which would split a bus in two); ``CANX_RUNTIME_DIR`` changes it explicitly.

This module holds the folder and the wire; ``sender`` and ``inbox`` are the two ends.
"""

from __future__ import annotations

import os
import select
import socket
import stat
import time
from contextlib import suppress

from cantools_cli.bus.deadline import Deadline
from cantools_cli.errors import (
    CanInitializationError,
    CanInterfaceNotImplementedError,
    CanTimeoutError,
)

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # checked by require_support()

LAYOUT = "v1"  #: incremented by incompatible changes
DATAGRAM = 1 << 16  #: bytes; larger ones are not faster, and the default socket buffer holds few of them
_PATH_LIMIT = 100  # sun_path has 104 bytes on some systems, 108 on Linux
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")


def require_support() -> None:
    """Raise CanInterfaceNotImplementedError if this system does not support a bus between processes."""
    if fcntl is None or not hasattr(socket, "AF_UNIX") or not hasattr(select, "poll"):
        raise CanInterfaceNotImplementedError(
            "the virtual bus between processes needs Unix datagram sockets, which this system lacks",
            hint="udp_multicast joins processes here, scope=process the buses of one program",
        )


def net_name(net: str | None) -> str:
    return net or os.environ.get("CANX_NET") or "default"


def folder_name(name: str) -> str:
    """Return the folder name for ``name``: itself if it is short and plain, else one with a hash."""
    if name and len(name) <= 40 and not name.startswith(".") and _PLAIN.issuperset(name):
        return name
    from hashlib import sha256

    readable = "".join(c if c in _PLAIN else "_" for c in name[:16]).lstrip(".")
    return f"{readable}~{sha256(_encoded(name)).hexdigest()[:24]}"


def net_folder(net: str) -> str:
    """Return the folder of a net in the private folder of this user; create it if necessary.

    Raises:
        CanInitializationError: there is no private folder.
    """
    base = os.environ.get("CANX_RUNTIME_DIR") or "/tmp"
    top = os.path.join(base, f"canx-{os.geteuid()}")
    try:
        _make(top)
        status = os.lstat(top)
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
            raise CanInitializationError(
                f"{top} is not a private folder of this user",
                hint="CANX_RUNTIME_DIR=FOLDER selects another place",
            )
        path = os.path.join(top, LAYOUT)
        _make(path)
        path = os.path.join(path, folder_name(net))
        _make(path)
    except OSError as error:
        raise CanInitializationError(
            f"cannot create {error.filename}: {error.strerror}",
            hint="CANX_RUNTIME_DIR=FOLDER selects another place",
        ) from error
    return path


def channels_in_use(net: str | None = None) -> list[str]:
    """Return the channels that processes of this user receive from."""
    folder = net_folder(net_name(net))
    channels = []
    for entry in sorted(os.listdir(folder)):
        path = os.path.join(folder, entry)
        if os.path.isdir(path) and any(_is_alive(path, name) for name in os.listdir(path)):
            try:
                with open(os.path.join(path, "name"), "rb") as file:
                    channels.append(file.read().decode("utf-8", "surrogatepass"))
            except FileNotFoundError:
                channels.append(entry)
    return channels


def _make(path: str) -> None:
    with suppress(FileExistsError):
        os.mkdir(path, 0o700)


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def _address(folder: str, descriptor: int, name: str) -> str:
    """Return an address of the socket ``name`` within the length limit."""
    path = os.path.join(folder, name)
    if len(os.fsencode(path)) <= _PATH_LIMIT:
        return path
    if not os.path.isdir("/proc/self/fd"):
        raise CanInitializationError(
            f"{path} is too long for a socket", hint="CANX_RUNTIME_DIR=FOLDER selects another place"
        )
    return f"/proc/self/fd/{descriptor}/{name}"


def _is_alive(folder: str, name: str) -> bool:
    if not name.endswith(".bus"):
        return False
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
            probe.connect(_address(folder, descriptor, name))
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


class HostLine:
    """The folder of a channel, and its wire, a lock.

    Parts of a process that lock it independently need a ``HostLine`` each, since the lock belongs to the open
    file.
    """

    def __init__(self, net: str, name: str) -> None:
        self.name = name
        self.path = os.path.join(net_folder(net), folder_name(name))
        self._files: list[int] = []
        try:
            _make(self.path)
            self.folder = self._open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            # systemd removes old files from /tmp, but not locked folders
            fcntl.flock(self.folder, fcntl.LOCK_SH)
            self._wire = self._open(os.path.join(self.path, "wire"), os.O_RDWR | os.O_CREAT)
            self._turn = self._open(os.path.join(self.path, "turn"), os.O_RDWR | os.O_CREAT)
            if folder_name(name) != name:
                file = self._open(os.path.join(self.path, "name"), os.O_WRONLY | os.O_CREAT)
                os.write(file, _encoded(name))
        except OSError as error:
            self.close()
            raise CanInitializationError(f"cannot open {error.filename}: {error.strerror}") from error

    def _open(self, path: str, flags: int) -> int:
        file = os.open(path, flags | os.O_CLOEXEC, 0o600)
        self._files.append(file)
        return file

    def close(self) -> None:
        while self._files:
            os.close(self._files.pop())

    def address(self, name: str) -> str:
        return _address(self.path, self.folder, name)

    def file(self, name: str) -> str:
        return os.path.join(self.path, name)

    def readers(self) -> set[int]:
        """Return the numbers of all readers, and remove the remains of dead ones; the wire is held."""
        names = os.listdir(self.path)
        there = {int(name[:-4]) for name in names if name.endswith(".bus") and name[:-4].isdecimal()}
        for name in names:
            if name.endswith(".state") and name[:-6].isdecimal() and int(name[:-6]) not in there:
                self.remove(int(name[:-6]))
        return there

    def remove(self, number: int) -> None:
        """Remove the socket and the state of a reader; the wire is held."""
        for suffix in (".bus", ".state"):
            with suppress(OSError):
                os.unlink(self.file(f"{number}{suffix}"))

    def acquire(self, patience: Deadline, in_turn: bool = False) -> None:
        """Lock the wire; with ``in_turn``, after the processes that are waiting for it.

        Raises:
            CanTimeoutError: it was not free in time, since a process was stopped while holding it.
        """
        if not in_turn and _try_lock(self._wire):
            return
        self._wait_for(self._turn, patience)
        try:
            self._wait_for(self._wire, patience)
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)

    def _wait_for(self, file: int, patience: Deadline) -> None:
        if patience.remaining() is None:
            fcntl.flock(file, fcntl.LOCK_EX)
            return
        pause = 0.00005
        while not _try_lock(file):
            if patience.passed:
                raise CanTimeoutError(f"virtual:{self.name}: a stopped process holds the bus")
            time.sleep(pause)
            pause = min(2 * pause, 0.005)

    def release(self) -> None:
        fcntl.flock(self._wire, fcntl.LOCK_UN)

    def generation(self) -> int:
        return int.from_bytes(os.pread(self._wire, 8, 0), "little")

    def next_generation(self) -> int:
        """Increment the generation and return it; the wire is held."""
        number = self.generation() + 1
        os.pwrite(self._wire, number.to_bytes(8, "little"), 0)
        return number


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
