from __future__ import annotations

import threading
from typing import Any

import pytest

from cantools_cli.bus.base import BusABC, CanProtocol
from cantools_cli.errors import CanOperationError, CanTimeoutError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.frame_text import format_frame, parse_frame
from cantools_cli.streams.outlet import Outlet, QueuedOutlet

MIXED = ["123#01", "124##0AA", "125#02", "126##0BB", "127#R"]


class ScriptedBus(BusABC):
    """Keeps what it takes; ``fails`` are the errors of its next sendings, ``gate`` holds them up."""

    def __init__(self, takes_fd: bool = True, protocol: CanProtocol = CanProtocol.CAN_20) -> None:
        super().__init__(None)
        self._can_protocol = protocol
        self.takes_fd = takes_fd
        self.taken: list[list[str]] = []
        self.timeouts: list[float | None] = []
        self.fails: list[Exception | None] = []
        self.gate = threading.Event()
        self.gate.set()

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        self.timeouts.append(timeout)
        self.gate.wait(20)
        error = self.fails.pop(0) if self.fails else None
        if error is not None:
            raise error
        if not self.takes_fd and any(message.is_fd for message in batch):
            raise CanOperationError("no CAN FD here")
        self.taken.append([format_frame(message) for message in batch])

    @property
    def frames(self) -> list[str]:
        return [text for batch in self.taken for text in batch]


def batch_of(*texts: str) -> MessageBatch:
    return MessageBatch(parse_frame(text)[0] for text in texts)


@pytest.mark.parametrize("protocol", [CanProtocol.CAN_20, CanProtocol.CAN_FD])
def test_all_frames_are_sent_in_order(protocol):
    bus = ScriptedBus(protocol=protocol)
    outlet = Outlet(bus, "v0", 2.0)
    outlet.send(batch_of(*MIXED))
    outlet.send(batch_of(*MIXED))
    assert bus.frames == MIXED * 2
    assert (outlet.sent, outlet.losses) == (10, {})
    assert bus.taken[-1] == MIXED, "once it is known that it does, they go together"


def test_a_classic_bus_gets_classic_frames_and_others_are_counted():
    bus = ScriptedBus(takes_fd=False)
    outlet = Outlet(bus, "v0")
    outlet.send(batch_of(*MIXED))
    outlet.send(batch_of("200##0"))
    assert bus.frames == ["123#01", "125#02", "127#R"]
    assert (outlet.sent, outlet.losses) == (3, {"CAN FD frames": 3})
    assert "no CAN FD here" in str(outlet.refusal)


def test_a_failure_of_the_bus_is_raised():
    bus = ScriptedBus()
    bus.fails = [CanOperationError("unplugged")]
    with pytest.raises(CanOperationError, match="unplugged"):
        Outlet(bus, "v0").send(batch_of("123#"))


@pytest.mark.parametrize(("told", "counted"), [(2, 2), (None, 0)])
def test_sent_frames_of_a_failed_batch_are_counted(told, counted):
    bus = ScriptedBus()
    bus.fails = [CanTimeoutError("full", sent=told)]
    outlet = Outlet(bus, "v0")
    with pytest.raises(CanTimeoutError):
        outlet.send(batch_of("001#", "002#", "003#"))
    assert outlet.sent == counted


@pytest.mark.parametrize("protocol", [CanProtocol.CAN_20, CanProtocol.CAN_FD])
def test_prepared_rows_are_sent_like_a_batch(protocol):
    bus = ScriptedBus(takes_fd=protocol is CanProtocol.CAN_FD, protocol=protocol)
    outlet = Outlet(bus, "v0", 2.0)
    send = outlet.prepared(batch_of(*MIXED))
    for first, last in ((0, 1), (1, 4), (4, 5)):
        send(first, last)
    lost = 0 if bus.takes_fd else 2
    assert bus.frames == [text for text in MIXED if bus.takes_fd or "##" not in text]
    assert (outlet.sent, sum(outlet.losses.values())) == (5 - lost, lost)


def test_sent_frames_of_failed_rows_are_counted():
    bus = ScriptedBus()
    bus.fails = [None, CanTimeoutError("full", sent=2)]
    outlet = Outlet(bus, "v0")
    send = outlet.prepared(batch_of("001#", "002#", "003#", "004#"))
    send(0, 1)
    with pytest.raises(CanTimeoutError):
        send(1, 4)
    assert outlet.sent == 3


def queued(bus: ScriptedBus, timeout: float = 1.0, **settings: Any) -> QueuedOutlet:
    return QueuedOutlet(Outlet(bus, "v0", timeout), timeout, **settings)


def test_close_sends_all_queued_frames():
    bus = ScriptedBus()
    outlet = queued(bus)
    for number in range(50):
        outlet.send(batch_of(f"{number:03X}#"))
    outlet.close(20)
    assert bus.frames == [f"{number:03X}#" for number in range(50)]
    assert not outlet.is_busy


def test_a_stuck_bus_does_not_block_the_sender_and_drops_are_counted():
    bus = ScriptedBus()
    bus.gate.clear()
    outlet = queued(bus, timeout=0.0, queue_frames=10)
    for number in range(25):
        outlet.send(batch_of(f"{number:03X}#"))
    assert outlet.is_busy
    bus.gate.set()
    outlet.close(20)
    assert bus.frames == [f"{number:03X}#" for number in range(10)]
    assert outlet.outlet.losses == {"frames, too slow": 15}


def test_a_burst_waits_for_a_slow_bus():
    bus = ScriptedBus()
    outlet = queued(bus, timeout=20.0, queue_frames=3)
    for number in range(0, 40, 5):
        outlet.send(batch_of(*(f"{one:03X}#" for one in range(number, number + 5))))
    outlet.close(20)
    assert bus.frames == [f"{number:03X}#" for number in range(40)]
    assert outlet.outlet.losses == {}


def test_frames_of_a_bus_stuck_at_the_end_are_counted_as_lost():
    bus = ScriptedBus()
    bus.gate.clear()
    outlet = queued(bus)
    outlet.send(batch_of("001#", "002#"))
    outlet.send(batch_of("003#"))
    outlet.close(0)
    assert outlet.outlet.losses == {"frames, too slow": 3}
    bus.gate.set()


def test_a_slow_bus_is_not_waited_for_until_it_accepts_frames_again():
    bus = ScriptedBus()
    bus.fails = [CanTimeoutError("full"), CanTimeoutError("full")]
    outlet = queued(bus)
    for number in range(4):
        outlet.send(batch_of(f"{number:03X}#"))
    outlet.close(20)
    assert bus.timeouts == [1.0, 0.0, 0.0, 1.0]
    assert bus.frames == ["002#", "003#"]
    assert outlet.outlet.losses == {"frames, too slow": 2}


def test_only_frames_without_room_count_as_too_slow():
    bus = ScriptedBus(takes_fd=False)
    bus.fails = [None, CanOperationError("no CAN FD here"), CanTimeoutError("full", sent=1)]
    outlet = queued(bus)
    outlet.send(batch_of(*MIXED))  # the frames before the first FD one, that one, the rest
    outlet.close(20)
    assert outlet.outlet.sent == 2
    assert outlet.outlet.losses == {"CAN FD frames": 2, "frames, too slow": 1}


def test_a_failure_of_the_thread_is_stored():
    bus = ScriptedBus()
    bus.fails = [CanOperationError("unplugged")]
    outlet = queued(bus)
    outlet.send(batch_of("123#"))
    outlet.close(20)
    assert "unplugged" in str(outlet.error)
