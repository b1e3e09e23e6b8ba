"""The loop of the server: one thread serves buses, clients and signals, and never blocks on one of them."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from cantools_cli.backends.socketcand.beacon import PERIOD, format_beacon
from cantools_cli.backends.socketcand.codec import DEFAULT_PORT
from cantools_cli.backends.transport.waiting import Wakeup
from cantools_cli.bus.base import BusABC
from cantools_cli.errors import CanInitializationError, UsageError, quoted
from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.serve.access import Access, format_place, is_loopback
from cantools_cli.serve.client import Client, RawTexts
from cantools_cli.serve.outbox import PIECE_FRAMES, QUEUE_FRAMES
from cantools_cli.serve.served import Served
from cantools_cli.serve.session import ClientSession

#: maximum number of clients, each with its own queue
MAX_CLIENTS = 64
#: seconds between reads of a bus without a descriptor
POLL_SECONDS = 0.05
#: seconds without accepting clients after the system ran out of descriptors
_PAUSE = 1.0
#: maximum number of refused addresses that are reported
_MAX_NAMED = 16


class StopRequest(Protocol):
    """Ends the loop: ``fd`` becomes readable, and ``requested`` is set."""

    fd: int

    @property
    def requested(self) -> bool: ...
    def awake(self) -> None: ...


class SocketcandServer:
    """Serves ``buses``, a dictionary by name, to clients of socketcand.

    ``host`` and ``port`` are the address to listen on; port 0 selects a free port, see ``address``. An
    address that other computers can reach needs ``allow``, the addresses and networks that may connect. With
    ``error_frames`` every client in raw mode receives error frames, which some clients do not support.
    ``queue_frames`` limits the queue of a client. ``beacon`` is the (host, port) to which the server is
    announced every three seconds. ``filters`` select the frames of a bus that clients receive. ``on_note`` is
    called with notes for the user, one line each.

    The caller shuts the buses down, after ``close``. A context manager.

    Raises:
        UsageError: other computers could connect and there is no allow-list, or the protocol cannot carry the
            name of a bus.
        CanInitializationError: the server cannot listen on the address.
    """

    def __init__(
        self,
        buses: Mapping[str, BusABC],
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        *,
        allow: Iterable[str] = (),
        read_only: bool = False,
        error_frames: bool = False,
        queue_frames: int = QUEUE_FRAMES,
        beacon: tuple[str, int] | None = None,
        filters: Mapping[str, FrameFilter] | None = None,
        on_note: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._access = Access(allow)
        if not self._access and not is_loopback(host):
            raise UsageError(
                f"other computers can connect to {host}, and the protocol has no passwords",
                hint="--allow ADDRESS or --allow NETWORK lists the clients that may",
            )
        for name in buses:
            if not name or not name.isprintable() or any(mark in name for mark in " <>"):
                raise UsageError(f"{quoted(name)} is not a valid name of a bus for clients")
        self._read_only = read_only
        self._error_frames = error_frames
        self._queue_frames = queue_frames
        self._note = on_note
        self._strangers: set[str] = set()
        self._said: set[object] = set()  # notes that are made once
        self._clients: dict[Client, str | None] = {}  # and the bus of each
        self._requested = False
        self._is_closed = False
        self._serving = threading.RLock()  # held while the loop runs
        self._accept_at: float | None = None  # when the server accepts clients again
        self._listener = _listening_socket(host, port)
        self._wakeup = Wakeup()
        self._selector = selectors.DefaultSelector()
        self._events: dict[Client, int] = {}
        chosen = filters or {}
        self._served = {
            name: Served(name, bus, chosen.get(name), self._deliver, self._wakeup)
            for name, bus in buses.items()
        }
        self._polled: list[Served] = []
        self._beacon = _Beacon(beacon, self.address, buses, on_note) if beacon is not None else None
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._wakeup, selectors.EVENT_READ, self._woken)
        for served in self._served.values():
            try:
                served_fd = served.bus.fileno()
                self._selector.register(served_fd, selectors.EVENT_READ, served.receive)
            except (NotImplementedError, ValueError):
                self._polled.append(served)

    @property
    def address(self) -> tuple[str, int]:
        """The address of the server: (host, port)."""
        host, port = self._listener.getsockname()[:2]
        return host, port

    @property
    def place(self) -> str:
        """The address as text, such as 127.0.0.1:29536."""
        return format_place(*self.address)

    def serve(self, interruption: StopRequest | None = None) -> None:
        """Serve until ``stop`` is called, or ``interruption`` is requested.

        Raises:
            CanError: the last bus failed.
        """
        with self._serving:
            if interruption is not None:
                self._selector.register(interruption.fd, selectors.EVENT_READ, interruption.awake)
            try:
                while not self._requested and not (interruption is not None and interruption.requested):
                    for key, events in self._selector.select(self._wait_seconds()):
                        if isinstance(key.data, Client):
                            self._attend(key.data, events)
                        else:
                            key.data()
                    self._look_after()
            finally:
                if interruption is not None:
                    self._selector.unregister(interruption.fd)

    def stop(self) -> None:
        """End ``serve``; can be called from any thread."""
        self._requested = True
        self._wakeup.set()

    def close(self) -> None:
        """End ``serve``, stop listening and close all sessions; answers are sent as far as possible."""
        self.stop()
        with self._serving:
            if self._is_closed:
                return
            self._is_closed = True
            for client in list(self._clients):
                self._drop(client)
            self._listener.close()
            self._selector.close()
            self._wakeup.close()
            if self._beacon is not None:
                self._beacon.close()

    def __enter__(self) -> SocketcandServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wait_seconds(self) -> float | None:
        """Return the seconds until the next timed action, or None."""
        now = time.monotonic()
        times = [client.due(now) for client in self._clients]
        times.append(self._accept_at)
        times.append(self._beacon.due if self._beacon is not None else None)
        times.append(now + POLL_SECONDS if self._polled else None)
        first = min((at for at in times if at is not None), default=None)
        return None if first is None else max(0.0, first - now)

    def _look_after(self) -> None:
        """Perform the timed actions, and remove clients and buses that ended."""
        now = time.monotonic()
        for served in self._polled:
            served.receive()
        for served in [bus for bus in self._served.values() if bus.failure is not None]:
            self._end_bus(served)
        for client in list(self._clients):
            due = client.due(now)
            if due is not None and due <= now:
                client.tick(now)
            if client.is_over:
                self._drop(client)
            else:
                self._watch(client, now)
        if self._accept_at is not None and now >= self._accept_at:
            self._accept_at = None
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        if self._beacon is not None and now >= self._beacon.due:
            self._beacon.send(now)

    def _woken(self) -> None:
        self._wakeup.clear()
        for served in self._served.values():
            served.show_echoes()

    def _deliver(self, name: str, batch: MessageBatch, sender: object) -> None:
        """Give every client of the bus ``name`` its text of ``batch``; equal texts are formatted once."""
        clients = [
            client
            for client, bus in self._clients.items()
            if bus == name and client.session is not sender and not client.is_over
        ]
        if not clients:
            return
        now = time.monotonic()
        for first in range(0, len(batch), PIECE_FRAMES):
            last = min(first + PIECE_FRAMES, len(batch))
            piece = batch if last - first == len(batch) else batch.part(first, last)
            raw: RawTexts = {}
            for client in clients:
                client.deliver(piece, raw, now)

    def _end_bus(self, served: Served) -> None:
        """Drop a failed bus and its clients; the others continue."""
        del self._served[served.name]
        for key in list(self._selector.get_map().values()):
            if key.data == served.receive:
                self._selector.unregister(key.fd)
        if served in self._polled:
            self._polled.remove(served)
        for client in [client for client, bus in self._clients.items() if bus == served.name]:
            client.session.reason = f"the bus {served.name} failed"
            self._drop(client)
        assert served.failure is not None
        if not self._served:
            raise served.failure
        self._note(f"{served.name} is no longer served: {served.failure}")

    def _accept(self) -> None:
        try:
            end, place = self._listener.accept()
        except BlockingIOError:
            return
        except OSError as error:  # the client has disconnected, or no descriptor is left
            if error.errno in _NO_DESCRIPTOR:
                if error.errno not in self._said:
                    self._said.add(error.errno)
                    self._note(f"no room for another client: {error.strerror}")
                self._selector.unregister(self._listener)
                self._accept_at = time.monotonic() + _PAUSE
            return
        name = format_place(*place[:2])
        if not self._access.lets_in(place[0]):
            if place[0] not in self._strangers and len(self._strangers) < _MAX_NAMED:
                self._strangers.add(place[0])
                self._note(f"{place[0]} may not connect; --allow {place[0]} allows it")
            end.close()
            return
        if len(self._clients) >= MAX_CLIENTS and not self._make_room():
            end.close()
            return
        self._start_session(end, name)

    def _make_room(self) -> bool:
        """Drop the oldest client that has not opened a bus; return whether there is one.

        Otherwise idle connections could lock out all other clients. This is noted once.
        """
        silent = next((client for client, bus in self._clients.items() if bus is None), None)
        text = (
            f"more than {MAX_CLIENTS} clients: further ones are refused"
            if silent is None
            else f"{MAX_CLIENTS} clients: those without a bus are dropped for new ones"
        )
        if text not in self._said:
            self._said.add(text)
            self._note(text)
        if silent is not None:
            self._drop(silent)
        return silent is not None

    def _start_session(self, end: socket.socket, name: str) -> None:
        session = ClientSession(
            lambda bus: self._open(client, bus), read_only=self._read_only, errors=self._error_frames
        )
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        client = Client(end, name, session, self._queue_frames)
        self._clients[client] = None
        self._events[client] = selectors.EVENT_READ
        self._selector.register(client, selectors.EVENT_READ, client)
        client.write(time.monotonic())

    def _open(self, client: Client, name: str) -> Served | None:
        """Return the bus ``name`` for the session of ``client``."""
        served = self._served.get(name)
        if served is not None:
            self._clients[client] = name
        return served

    def _attend(self, client: Client, events: int) -> None:
        now = time.monotonic()
        if events & selectors.EVENT_WRITE:
            client.write(now)
        if events & selectors.EVENT_READ and not client.is_over:
            client.read(now)

    def _watch(self, client: Client, now: float) -> None:
        """Register the events that the client waits for."""
        events = selectors.EVENT_READ if client.is_reading else 0
        events |= selectors.EVENT_WRITE if client.is_writing(now) else 0
        before = self._events[client]
        if events == before:
            return
        self._events[client] = events
        if not before:
            self._selector.register(client, events, client)
        elif events:
            self._selector.modify(client, events, client)
        else:
            self._selector.unregister(client)

    def _drop(self, client: Client) -> None:
        if self._events.pop(client):
            self._selector.unregister(client)
        del self._clients[client]
        client.close(time.monotonic())
        for phrase in client.summary():
            self._note(f"client {client.name}: {phrase}")


class _Beacon:
    """Announces the server; a missing network is reported once."""

    def __init__(
        self,
        to: tuple[str, int],
        address: tuple[str, int],
        buses: Iterable[str],
        on_note: Callable[[str], None],
    ) -> None:
        self.due = 0.0
        self._to = to
        self._address = address
        self._buses = list(buses)
        self._note: Callable[[str], None] | None = on_note
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)

    def send(self, now: float) -> None:
        self.due = now + PERIOD
        try:
            host, port = self._address
            if host in ("0.0.0.0", "::"):
                host = _own_address(self._to)
            url = f"can://{format_place(host, port)}"
            self._socket.sendto(format_beacon(socket.gethostname(), url, self._buses), self._to)
        except OSError as error:
            if self._note is not None:
                self._note(f"the beacon cannot be sent to {self._to[0]}: {error.strerror or error}")
                self._note = None

    def close(self) -> None:
        self._socket.close()


_NO_DESCRIPTOR = (12, 23, 24, 105)  # ENOMEM, ENFILE, EMFILE, ENOBUFS


def _own_address(to: tuple[str, int]) -> str:
    """Return the address of this computer from which packets to ``to`` are sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        probe.connect(to)
        return str(probe.getsockname()[0])


def _listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            listener.listen(MAX_CLIENTS)
            listener.setblocking(False)
        except BaseException:
            listener.close()
            raise
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CanInitializationError(
            f"cannot listen on {format_place(host, port)}: {reason}", hint="--port 0 selects a free port"
        ) from error
    return listener
