"""What the list of behaviours needs of an interface: its hardware, another node on the bus, and faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from cantools_cli.bus.base import BusABC
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.interface import Bus
from cantools_cli.frame.message import Message

PATIENCE = 30.0  #: seconds after which a wait fails


class Node(Protocol):
    """Another node on the bus; a bus is one."""

    def send(self, message: Message, /) -> Any: ...

    def recv(self, timeout: float, /) -> Message | None:
        """Return the next frame on the bus, which is not its own, or None after ``timeout`` seconds."""


class Rig:
    """An interface with hardware that a test commands.

    Attributes:
        interface: its name.
        channel: the channel of the bus under test; it may be set by ``connected``.
        settings: what each bus needs in addition.
        fd: settings that enable CAN FD.
        extended: settings for 29-bit identifiers, if a bus has only one kind.
        remote: settings for remote frames.
        errors: settings with which error frames can be sent and received.
        own: settings that return the frames that the bus sent.
        counting: settings with which lost frames are reported.
        without: the behaviours that the interface lacks, and why.
        wrong: settings that must be refused, among them ``channel``.
        detected: what a detected configuration must contain; the channel by default.
        takes_any: whether unknown settings are accepted.
        own_network: whether the checks need a network namespace of their own.
        own_kernel: whether the checks need a kernel with SocketCAN.
        carries_errors: whether error frames can be sent.
    """

    interface = ""
    channel: Any = None
    settings: Mapping[str, Any] = {}
    fd: Mapping[str, Any] = {"fd": True}
    extended: Mapping[str, Any] = {}
    remote: Mapping[str, Any] = {}
    errors: Mapping[str, Any] = {}
    own: Mapping[str, Any] = {"receive_own_messages": True}
    counting: Mapping[str, Any] = {}
    without: Mapping[str, str] = {}
    wrong: Sequence[Mapping[str, Any]] = ()
    detected: Mapping[str, Any] | None = None
    takes_any = False
    own_network = False
    own_kernel = False
    carries_errors = False

    def obstacle(self) -> str | None:
        """Return why this computer cannot run the checks, or None."""
        return None

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Connect the hardware to this computer: all else happens inside."""
        yield

    def node(self, **settings: Any) -> AbstractContextManager[Node]:
        """Join another node to the bus; ``settings`` are those of the bus under test."""
        raise NotImplementedError

    def open(self, **settings: Any) -> BusABC:
        """Open the bus under test."""
        settings = {"channel": self.channel, **self.settings, **settings}
        bus: BusABC = Bus(settings.pop("channel"), interface=self.interface, ignore_config=True, **settings)
        return bus

    # --- faults; each is called while the bus is open ---------------------------------------------------

    def report_error(self, bus: BusABC, node: Node) -> None:
        """Let the hardware report an error on the bus. A node that may send error frames sends one."""
        node.send(Message(arbitration_id=4, is_error_frame=True, dlc=8, data=b"\0\1" + bytes(6)))

    def disturb(self, bus: BusABC, node: Node) -> None:
        """Bring the controller into the error passive or the bus-off state."""
        raise NotImplementedError

    def lose(self, bus: BusABC, node: Node) -> None:
        """Let frames be lost, or arrive malformed."""
        raise NotImplementedError

    def without_driver(self) -> AbstractContextManager[Any]:
        """Take the driver, the device or the server away; called outside of ``connected``."""
        raise NotImplementedError


def taken(node: Node, count: int) -> list[Message]:
    """Return the next ``count`` frames of ``node``."""
    found: list[Message] = []
    deadline = Deadline(PATIENCE)
    while len(found) < count:
        message = node.recv(1.0)
        if message is not None:
            found.append(message)
        assert not deadline.passed, f"{len(found)} of {count} frames: {found}"
    return found
