"""The behaviours of a bus: what the check of each expects, and what it expects if there is none."""

from __future__ import annotations

import gc
import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import pytest

from cantools_cli.bus.base import BusABC, BusState
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.interface import detect_available_configs
from cantools_cli.errors import (
    CanError,
    CanInitializationError,
    CanInterfaceNotImplementedError,
    CanOperationError,
    UsageError,
)
from cantools_cli.frame.message import Message
from tests.conformance.rig import PATIENCE, Node, Rig, taken

Check = Callable[[Rig], None]
QUIET = 0.05  # seconds in which nothing arrives


@dataclass(frozen=True)
class Behaviour:
    """A column of the table.

    Attributes:
        title: the heading.
        expects: what the check asserts, for the documentation.
        check: the check.
        check_without: the check of an interface that lacks the behaviour.
    """

    title: str
    expects: str
    check: Check
    check_without: Check | None = None


BEHAVIOURS: dict[str, Behaviour] = {}


def behaviour(name: str, expects: str, title: str = "") -> Callable[[Check], Check]:
    """Add a check to the list."""

    def add(check: Check) -> Check:
        BEHAVIOURS[name] = Behaviour(title or name, expects, check)
        return check

    return add


def otherwise(name: str) -> Callable[[Check], Check]:
    """Add the check of interfaces that lack the behaviour ``name``."""

    def add(check: Check) -> Check:
        known = BEHAVIOURS[name]
        BEHAVIOURS[name] = Behaviour(known.title, known.expects, known.check, check)
        return check

    return add


def run(rig: Rig, name: str) -> None:
    """Run the check of the behaviour ``name``, or that of its absence."""
    known = BEHAVIOURS[name]
    if name not in rig.without:
        known.check(rig)
    elif known.check_without is not None:
        known.check_without(rig)


@contextmanager
def joined(rig: Rig, *kinds: str, **settings: Any) -> Iterator[tuple[BusABC, Node]]:
    """Yield the bus under test and another node; ``kinds`` are attributes of the rig with more settings."""
    with rig.connected():
        for kind in kinds:
            settings |= getattr(rig, kind)
        with rig.node(**settings) as node, rig.open(**settings) as bus:
            yield bus, node


def std(identifier: int, data: bytes = b"", **more: Any) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, data=data, **more)


def facts(message: Message) -> tuple[object, ...]:
    """Return what must arrive; the error state indicator is that of the sending controller."""
    data = b"" if message.is_remote_frame else bytes(message.data)
    kind = message.is_extended_id, message.is_remote_frame, message.is_fd, message.bitrate_switch
    return message.arbitration_id, kind, message.dlc, data


def both_ways(bus: BusABC, node: Node, messages: list[Message]) -> None:
    for sender, receiver in ((bus, node), (node, bus)):
        for message in messages:
            sender.send(message)
        assert [facts(one) for one in taken(receiver, len(messages))] == [facts(one) for one in messages]
    assert not bus.losses


def is_one_line(error: BaseException) -> bool:
    hint = getattr(error, "hint", None) or ""
    return bool(str(error)) and "\n" not in f"{error}{hint}"


def refusal(rig: Rig, message: Message, **settings: Any) -> None:
    """Assert that the bus refuses ``message``, sends nothing, and goes on."""
    with joined(rig, **settings) as (bus, node):
        with pytest.raises((CanOperationError, ValueError)) as error:
            bus.send(message)
        assert is_one_line(error.value)
        both_ways(bus, node, [std(0x123, b"\1")])


def _open_things() -> tuple[int, int]:
    """Return the numbers of descriptors and threads of this process."""
    folder = "/proc/self/fd"
    return len(os.listdir(folder)) if os.path.isdir(folder) else 0, threading.active_count()


@contextmanager
def nothing_left_open() -> Iterator[None]:
    """Assert that afterwards as few descriptors and threads are open as before, or soon."""
    before = _open_things()
    yield
    deadline = Deadline(PATIENCE)
    while any(now > then for now, then in zip(_open_things(), before, strict=True)):
        assert not deadline.passed, f"descriptors and threads: {_open_things()}, before {before}"
        gc.collect()
        deadline.pause()


# --- opening and closing ------------------------------------------------------------------------------


@behaviour(
    "open, close, reopen",
    "A closed bus refuses calls, a second close does nothing, a new bus works; nothing stays open.",
)
def _(rig: Rig) -> None:
    with rig.connected(), rig.node() as node:
        bus = rig.open()
        assert bus.channel_info not in ("", "unknown")
        bus.shutdown()
        bus.shutdown()
        for call in (lambda: bus.recv(0), lambda: bus.send(std(1))):
            with pytest.raises(CanOperationError):
                call()
        with rig.open() as bus:
            both_ways(bus, node, [std(0x123)])
        with nothing_left_open():
            for _ in range(2):
                with rig.open() as bus:
                    both_ways(bus, node, [std(0x123, b"\1\2")])


@behaviour("close while receiving", "Closing the bus ends the waiting `recv` of another thread.")
def _(rig: Rig) -> None:
    ends: SimpleQueue[Message | BaseException | None] = SimpleQueue()

    def receive() -> None:
        for timeout in (PATIENCE, None):
            try:
                ends.put(bus.recv(timeout))
            except BaseException as error:  # judged below
                ends.put(error)

    with rig.connected(), rig.node() as node:
        bus = rig.open()
        thread = threading.Thread(target=receive, daemon=True)
        thread.start()
        node.send(std(0x123))
        first = ends.get(timeout=PATIENCE)
        assert isinstance(first, Message), first
        bus.shutdown()
        assert isinstance(ends.get(timeout=PATIENCE), CanOperationError)
        thread.join(PATIENCE)


@behaviour("wrong parameters", "Each is refused with one line, and nothing stays open.")
def _(rig: Rig) -> None:
    with rig.connected(), rig.node() as node:
        unknown: tuple[dict[str, Any], ...] = () if rig.takes_any else ({"no_such_setting": 1},)
        with rig.open() as bus:
            both_ways(bus, node, [std(0x123)])
        with nothing_left_open():
            for settings in (*unknown, *rig.wrong):
                with pytest.raises((UsageError, ValueError, CanInitializationError)) as error:
                    rig.open(**settings).shutdown()
                assert is_one_line(error.value)
                del error  # its traceback keeps what the constructor had
        with rig.open() as bus:
            both_ways(bus, node, [std(0x123)])


@behaviour("missing driver", "Opening fails with one line and a hint.")
def _(rig: Rig) -> None:
    expected = (CanInterfaceNotImplementedError, CanInitializationError)
    with rig.without_driver(), nothing_left_open():
        for _ in range(2):  # the first one may import modules that keep something open
            with pytest.raises(expected) as error:
                rig.open().shutdown()
            assert is_one_line(error.value)
            assert error.value.hint
            del error


@behaviour("detection", "The bus is found, and opens with the configuration that was found.")
def _(rig: Rig) -> None:
    with rig.connected():
        wanted = {"channel": rig.channel} if rig.detected is None else rig.detected
        with rig.node() as node:
            found = detect_available_configs([rig.interface])
            configs = [one for one in found if all(one.get(key) == value for key, value in wanted.items())]
            assert configs, found
            with rig.open(**{key: value for key, value in configs[0].items() if key != "interface"}) as bus:
                both_ways(bus, node, [std(0x123)])


@otherwise("detection")
def _(rig: Rig) -> None:
    with rig.connected():
        assert [*detect_available_configs([rig.interface])] == []


# --- frames -------------------------------------------------------------------------------------------


@behaviour("classic", "Frames of 0 to 8 bytes with 11-bit identifiers, both ways.")
def _(rig: Rig) -> None:
    with joined(rig) as (bus, node):
        both_ways(bus, node, [std(0x7FF - size, bytes(range(0x55, 0x55 + size))) for size in range(9)])


@behaviour("extended", "Frames with 29-bit identifiers, both ways.")
def _(rig: Rig) -> None:
    identifiers = (0, 0x123, 0x7FF, 0x800, 0x12ABCDEF, 0x1FFFFFFF)
    with joined(rig, "extended") as (bus, node):
        both_ways(bus, node, [Message(arbitration_id=one, data=b"\xaa\x55") for one in identifiers])


@behaviour("remote", "Remote frames that request 0 to 8 bytes, both ways.")
def _(rig: Rig) -> None:
    with joined(rig, "remote") as (bus, node):
        both_ways(bus, node, [std(0x100 + size, is_remote_frame=True, dlc=size) for size in range(9)])
    with joined(rig, "remote", "extended") as (bus, node):
        both_ways(bus, node, [Message(arbitration_id=0x12ABCDEF, is_remote_frame=True, dlc=3)])


@otherwise("remote")
def _(rig: Rig) -> None:
    refusal(rig, std(0x123, is_remote_frame=True, dlc=2))


@behaviour("FD", "CAN FD frames of 0 to 64 bytes, with and without a faster data phase, both ways.")
def _(rig: Rig) -> None:
    sizes = (0, 1, 7, 8, 12, 16, 20, 24, 32, 48, 64)
    messages = [std(0x100 + size, bytes(range(size)), is_fd=True) for size in sizes]
    messages += [Message(arbitration_id=0x1ABCDEF, data=bytes(12), is_fd=True, bitrate_switch=True), std(0x1)]
    with joined(rig, "fd") as (bus, node):
        both_ways(bus, node, messages)


@otherwise("FD")
def _(rig: Rig) -> None:
    refusal(rig, std(0x123, bytes(12), is_fd=True))


@behaviour("direction", "A frame of another node has `is_rx` set, and a timestamp near the time of day.")
def _(rig: Rig) -> None:
    with joined(rig) as (bus, node):
        before = time.time()
        node.send(std(0x123))
        [message] = taken(bus, 1)
        assert message.is_rx
        assert before - PATIENCE < message.timestamp < time.time() + PATIENCE


@behaviour("own messages", "Not received by default; on request with `is_rx` False, and filtered.")
def _(rig: Rig) -> None:
    with joined(rig) as (bus, node):
        bus.send(std(0x111))
        taken(node, 1)
        node.send(std(0x222))
        assert [one.arbitration_id for one in taken(bus, 1)] == [0x222]
        assert bus.recv(QUIET) is None
    with joined(rig, "own") as (bus, node):
        bus.send(std(0x123, b"\1\2\3"))
        [echo] = taken(bus, 1)
        assert (facts(echo), echo.is_rx) == (facts(std(0x123, b"\1\2\3")), False)
        assert abs(echo.timestamp - time.time()) < PATIENCE
        node.send(std(0x222))
        [other] = taken(bus, 1)
        assert (other.is_rx, other.channel) == (True, echo.channel)
        bus.set_filters([{"can_id": 0x333, "can_mask": 0x7FF}])
        for identifier in (0x111, 0x333):
            bus.send(std(identifier))
        assert [one.arbitration_id for one in taken(bus, 1)] == [0x333]
        assert bus.recv(QUIET) is None


@otherwise("own messages")
def _(rig: Rig) -> None:
    with joined(rig) as (bus, node):
        bus.send(std(0x123))
        assert [one.arbitration_id for one in taken(node, 1)] == [0x123]
        assert bus.recv(QUIET) is None


@behaviour("filters", "Given when opening or later, exact, removed by None; error frames always pass.")
def _(rig: Rig) -> None:
    standard = {"can_id": 0x120, "can_mask": 0x7F0, "extended": False}
    with joined(rig, can_filters=[standard]) as (bus, node):
        _sees(bus, node, [0x11F, 0x120, 0x12F, 0x130], [0x120, 0x12F])
        bus.set_filters([standard, {"can_id": 0x345, "can_mask": 0x7FF}])
        _sees(bus, node, [0x344, 0x345, 0x121], [0x345, 0x121])
        bus.set_filters(None)
        _sees(bus, node, [0x344, 0x121], [0x344, 0x121])
    extended = {"can_id": 0x12ABCD00, "can_mask": 0x1FFFFF00, "extended": True}
    with joined(rig, "extended", can_filters=[extended]) as (bus, node):
        identifiers = [0x12ABCDEF, 0x12ABCCFF, 0x500]
        for identifier in identifiers:
            node.send(Message(arbitration_id=identifier))
        assert [one.arbitration_id for one in taken(bus, 1)] == identifiers[:1]
        assert bus.recv(QUIET) is None
    if "error frames" not in rig.without:
        with joined(rig, "errors", can_filters=[standard]) as (bus, node):
            node.send(std(0x500))
            rig.report_error(bus, node)
            assert [one.is_error_frame for one in taken(bus, 1)] == [True]


def _sees(bus: BusABC, node: Node, sent: list[int], expected: list[int]) -> None:
    for identifier in sent:
        node.send(std(identifier))
    assert [one.arbitration_id for one in taken(bus, len(expected))] == expected
    assert bus.recv(QUIET) is None


# --- waiting ------------------------------------------------------------------------------------------


@behaviour("timeout 0", "A poll returns None or the next frame at once.", "timeout 0")
def _(rig: Rig) -> None:
    with joined(rig) as (bus, node):
        assert bus.recv(0) is None
        node.send(std(0x123))
        deadline = Deadline(PATIENCE)
        while (message := bus.recv(0)) is None:
            assert not deadline.passed
        assert message.arbitration_id == 0x123
        assert bus.recv(0) is None


@behaviour("short timeout", "The wait lasts that long without using the processor, and ends with a frame.")
def _(rig: Rig) -> None:
    with joined(rig) as (bus, node):
        used, began = time.thread_time(), time.monotonic()
        assert bus.recv(0.3) is None
        assert time.monotonic() - began >= 0.3
        assert time.thread_time() - used < 0.15
        node.send(std(0x123))
        message = bus.recv(PATIENCE)
        assert message is not None
        assert message.arbitration_id == 0x123


@behaviour("timeout None", "The wait ends with a frame.")
def _(rig: Rig) -> None:
    found: SimpleQueue[Message | None] = SimpleQueue()
    with joined(rig) as (bus, node):
        thread = threading.Thread(target=lambda: [found.put(bus.recv(None)) for _ in range(2)], daemon=True)
        thread.start()
        for identifier in (0x123, 0x124):  # the thread waits for the second one
            node.send(std(identifier))
            message = found.get(timeout=PATIENCE)
            assert message is not None
            assert message.arbitration_id == identifier
        thread.join(PATIENCE)


@behaviour("fileno", "The descriptor is readable exactly while frames are queued.", "`fileno`")
def _(rig: Rig) -> None:
    with joined(rig) as (bus, node):
        assert not select.select([bus], [], [], 0)[0]
        for identifier in (0x123, 0x124):
            node.send(std(identifier))
        for identifier in (0x123, 0x124):
            deadline = Deadline(PATIENCE)
            while True:
                assert select.select([bus], [], [], PATIENCE)[0]
                message = bus.recv(0)
                if message is not None:
                    break
                assert not deadline.passed
            assert message.arbitration_id == identifier
        assert bus.recv(0) is None
        assert not select.select([bus], [], [], 0)[0]


@otherwise("fileno")
def _(rig: Rig) -> None:
    with joined(rig) as (bus, _), pytest.raises(NotImplementedError):
        bus.fileno()


# --- the rest -----------------------------------------------------------------------------------------


@behaviour(
    "periodic sending",
    "Frames are sent until the task is stopped or the bus closed; their data can be changed.",
)
def _(rig: Rig) -> None:
    with joined(rig) as (bus, node):
        task = bus.send_periodic(std(0x123, b"\1"), 0.01)
        assert [facts(one) for one in taken(node, 3)] == [facts(std(0x123, b"\1"))] * 3
        task.modify_data(std(0x123, b"\2"))  # type: ignore[attr-defined]  # every task of canx has it
        deadline = Deadline(PATIENCE)
        while bytes(taken(node, 1)[0].data) != b"\2":
            assert not deadline.passed
        task.stop()
        bus.send(std(0x124))
        while taken(node, 1)[0].arbitration_id != 0x124:
            assert not deadline.passed
        assert node.recv(QUIET) is None
        bus.send_periodic(std(0x125), 0.01)
        taken(node, 1)
        bus.shutdown()
        while node.recv(QUIET) is not None:
            assert not deadline.passed, "a closed bus sends"


@behaviour(
    "error frames", "An error on the bus is received as an error frame; sending one is carried or refused."
)
def _(rig: Rig) -> None:
    error = Message(arbitration_id=4, is_error_frame=True, dlc=8, data=b"\0\1" + bytes(6))
    with joined(rig, "errors") as (bus, node):
        rig.report_error(bus, node)
        [message] = taken(bus, 1)
        assert message.is_error_frame
        assert message.arbitration_id & 0x1FFFFFFF
        assert message.dlc == 8
        if rig.carries_errors:
            bus.send(error)
            assert [one.is_error_frame for one in taken(node, 1)] == [True]
    if not rig.carries_errors:
        refusal(rig, error)


@otherwise("error frames")
def _(rig: Rig) -> None:
    refusal(rig, Message(arbitration_id=4, is_error_frame=True, dlc=8, data=b"\0\1" + bytes(6)))


@behaviour(
    "state", "ACTIVE after opening; another state when the controller is error passive or off the bus."
)
def _(rig: Rig) -> None:
    with joined(rig) as (bus, node):
        assert bus.state is BusState.ACTIVE
        rig.disturb(bus, node)
        deadline = Deadline(PATIENCE)
        while bus.state is BusState.ACTIVE:
            bus.recv(0.01)
            assert not deadline.passed


@otherwise("state")
def _(rig: Rig) -> None:
    with joined(rig) as (bus, _):
        assert bus.state is BusState.ACTIVE
        with pytest.raises((NotImplementedError, CanError)):
            bus.state = BusState.PASSIVE


@behaviour("losses reported", "Lost or malformed frames are counted in `losses`; the next frame arrives.")
def _(rig: Rig) -> None:
    with joined(rig, "counting") as (bus, node):
        rig.lose(bus, node)
        deadline = Deadline(PATIENCE)
        while not bus.losses:
            bus.recv(0.01)
            assert not deadline.passed
        assert all(count > 0 and "\n" not in kind for kind, count in bus.losses.items())
        while bus.recv(QUIET) is not None:
            assert not deadline.passed
        node.send(std(0x6AB))
        while taken(bus, 1)[0].arbitration_id != 0x6AB:
            assert not deadline.passed
