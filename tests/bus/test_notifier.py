"""What listeners get from the buses of a notifier, with a thread for each bus."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import can
import pytest

from cantools_cli.backends.virtual.bus import VirtualBus
from cantools_cli.bus import receivers
from cantools_cli.bus.base import BusABC
from cantools_cli.bus.listeners import BufferedReader
from cantools_cli.bus.notifier import Notifier
from cantools_cli.bus.thread_safe import ThreadSafeBus
from cantools_cli.errors import CanOperationError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.csv import CSVWriter
from tests.bus.notifier_probes import (
    LONG,
    BatchRecorder,
    DocumentedBus,
    QueueBus,
    Recorder,
    batch,
    complain,
    frame,
    two_buses,
)
from tests.named import CSVReader


@pytest.fixture
def pair() -> Iterator[tuple[VirtualBus, VirtualBus]]:
    with two_buses() as buses:
        yield buses


@pytest.fixture
def uncaught(monkeypatch: pytest.MonkeyPatch) -> queue.SimpleQueue[BaseException | None]:
    """The errors that ended a thread."""
    errors: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    monkeypatch.setattr(threading, "excepthook", lambda args: errors.put(args.exc_value))
    return errors


# --- threads ------------------------------------------------------------------------------------------


def test_every_listener_gets_every_message_in_order(pair: tuple[VirtualBus, VirtualBus]) -> None:
    sender, bus = pair
    recorder, seen = Recorder(), list[int]()
    with Notifier(bus, [recorder, lambda message: seen.append(message.arbitration_id)]):
        for identifier in range(5):
            sender.send(frame(identifier))
    assert recorder.identifiers() == seen == [0, 1, 2, 3, 4]


def test_a_listener_in_the_list_twice_is_called_twice(pair: tuple[VirtualBus, VirtualBus]) -> None:
    sender, bus = pair
    recorder = Recorder()
    with Notifier(bus, [recorder]) as notifier:
        notifier.add_listener(recorder)
        sender.send(frame(1))
    assert recorder.identifiers() == [1, 1]
    assert recorder.stops == 2


def test_what_was_sent_before_the_end_is_delivered(pair: tuple[VirtualBus, VirtualBus]) -> None:
    sender, bus = pair
    recorder = Recorder()
    notifier = Notifier(bus, [recorder])
    sender.send_batch(batch(*range(1000)))
    notifier.stop()
    assert recorder.identifiers() == [*range(1000)]


def test_more_than_one_fetch_is_delivered_at_the_end() -> None:
    recorder = Recorder()
    bus = QueueBus(*(batch(number) for number in range(50)))
    Notifier(bus, [recorder], timeout=0.01).stop()
    assert recorder.identifiers() == [*range(50)]
    bus.shutdown()


class EndlessBus(BusABC):
    """A bus that never runs empty; its descriptor is always ready."""

    channel_info = "endless"

    def __init__(self, descriptor: int | None = None) -> None:
        self.descriptor = descriptor
        super().__init__("endless")

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        return batch(1)

    def _fileno(self) -> int:
        return self.descriptor if self.descriptor is not None else super()._fileno()


@pytest.mark.parametrize("in_loop", [False, True])
def test_a_bus_that_never_runs_empty_is_left_in_time(monkeypatch: pytest.MonkeyPatch, in_loop: bool) -> None:
    monkeypatch.setattr(receivers, "LAST", 0.0)
    read_end, write_end = os.pipe()
    os.write(write_end, b"x")
    with EndlessBus(read_end if in_loop else None) as bus:
        loop = asyncio.new_event_loop() if in_loop else None
        Notifier(bus, [Recorder()], loop=loop).stop(LONG)
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("notifier of")]
        if loop is not None:
            loop.close()
    os.close(read_end)
    os.close(write_end)


def test_what_was_sent_after_the_end_is_still_on_the_bus(pair: tuple[VirtualBus, VirtualBus]) -> None:
    sender, bus = pair
    recorder = Recorder()
    Notifier(bus, [recorder]).stop()
    sender.send(frame(7))
    message = bus.recv(0)
    assert message is not None
    assert message.arbitration_id == 7
    assert recorder.identifiers() == []


def test_stopping_wakes_a_thread_that_waits_for_hours(pair: tuple[VirtualBus, VirtualBus]) -> None:
    notifier = Notifier(pair[1], [], timeout=3600.0)
    notifier.stop(LONG)
    assert Notifier.find_instances(pair[1]) == ()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("notifier of")]


def test_several_buses_share_the_listeners() -> None:
    recorder = Recorder()
    buses = [QueueBus(batch(1, 2)), QueueBus(batch(3))]
    with Notifier([*buses], [recorder], timeout=0.01) as notifier:
        assert sorted(recorder.identifiers(3)) == [1, 2, 3]
        assert notifier.bus == (buses[0], buses[1])
        late = QueueBus(batch(4))
        notifier.add_bus(late)
        assert recorder.identifiers(1) == [4]
    for bus in [*buses, late]:
        bus.shutdown()


def test_one_bus_is_given_as_it_is(pair: tuple[VirtualBus, VirtualBus]) -> None:
    with Notifier(pair[1], []) as notifier:
        assert notifier.bus is pair[1]
        assert not notifier.stopped
    assert notifier.stopped


def test_a_bus_has_one_notifier_at_a_time(pair: tuple[VirtualBus, VirtualBus]) -> None:
    first = Notifier(pair[1], [])
    assert Notifier.find_instances(pair[1]) == (first,)
    with pytest.raises(ValueError, match="multiple active Notifier instances"):
        Notifier([pair[0], pair[1]], [])
    first.stop()
    with Notifier([pair[0], pair[1]], []) as second:
        assert Notifier.find_instances(pair[0]) == (second,)


def test_no_bus_is_added_to_a_stopped_notifier(pair: tuple[VirtualBus, VirtualBus]) -> None:
    notifier = Notifier([], [])
    notifier.stop()
    with pytest.raises(RuntimeError, match="stopped"):
        notifier.add_bus(pair[1])


def test_a_stopped_notifier_stops_its_listeners_once() -> None:
    recorder = Recorder()
    with Notifier([], [recorder]) as notifier:
        notifier.stop()
    assert recorder.stops == 1


def test_all_listeners_are_stopped_whatever_one_raises() -> None:
    class Broken(Recorder):
        def stop(self) -> None:
            raise OSError("disk full")

    last = Recorder()
    with pytest.raises(OSError, match="disk full"):
        Notifier([], [Broken(), print, last]).stop()
    assert last.stops == 1


def test_removing_what_was_not_added_is_an_error() -> None:
    with Notifier([], []) as notifier, pytest.raises(ValueError, match="not in list"):
        notifier.remove_listener(print)


def test_a_listener_that_goes_gets_no_later_message_and_a_new_one_gets_them() -> None:
    late, removed = Recorder(), list[int]()

    def swap(message: Message) -> None:
        removed.append(message.arbitration_id)
        notifier.remove_listener(swap)
        notifier.add_listener(late)

    bus = QueueBus()
    with Notifier(bus, [swap], timeout=0.01) as notifier:
        bus.fed.put(batch(1, 2, 3))
        assert late.identifiers(2) == [2, 3]
    assert removed == [1]
    bus.shutdown()


def test_a_closed_bus_ends_its_thread_in_silence(
    pair: tuple[VirtualBus, VirtualBus], uncaught: queue.SimpleQueue[BaseException | None]
) -> None:
    recorder = Recorder(takes_errors=True)
    notifier = Notifier(pair[1], [recorder])
    pair[1].shutdown()
    notifier.stop()
    assert (notifier.exception, uncaught.empty(), recorder.errors.empty()) == (None, True, True)


def test_a_documented_bus_gives_the_very_object() -> None:
    message, recorder = frame(1), Recorder()
    bus = DocumentedBus(message)
    with Notifier(bus, [recorder], timeout=0.01):
        assert recorder.messages.get(timeout=LONG) is message
    bus.shutdown()


def test_a_thread_safe_bus_can_be_listened_to() -> None:
    recorder = Recorder()
    with ThreadSafeBus("notified", interface="virtual", receive_own_messages=True) as bus:
        with Notifier(bus, [recorder], timeout=3600.0):
            bus.send(frame(3))
            assert recorder.identifiers(1) == [3]
        assert bus.recv(0) is None


def test_a_bus_of_python_can_can_be_listened_to() -> None:
    recorder = Recorder()
    with can.Bus("notified", interface="virtual", receive_own_messages=True) as bus:
        bus.send(can.Message(arbitration_id=9))
        with Notifier(bus, [recorder], timeout=0.01):  # type: ignore[arg-type]  # a bus of python-can
            assert recorder.identifiers(1) == [9]


# --- writers ------------------------------------------------------------------------------------------


def test_a_writer_takes_what_is_waiting_at_once() -> None:
    writer = BatchRecorder()
    bus = QueueBus(batch(1, 2, 3), batch(4))
    with Notifier(bus, [writer], timeout=0.01):
        assert [len(writer.batches.get(timeout=LONG)) for _ in range(2)] == [3, 1]
    bus.shutdown()


def test_a_writer_behind_others_sees_what_they_made_of_a_message() -> None:
    def mark(message: Message) -> None:
        message.arbitration_id += 0x100

    first, last, bus = BatchRecorder(), BatchRecorder(), QueueBus(batch(1, 2))
    with Notifier(bus, [first, mark, last], timeout=0.01):
        assert [*first.batches.get(timeout=LONG).can_id] == [0x80000001, 0x80000002]
        assert [*last.batches.get(timeout=LONG).can_id] == [0x80000101, 0x80000102]
    bus.shutdown()


def test_a_writer_hands_on_what_it_has_when_nothing_comes() -> None:
    writer, bus = BatchRecorder(), QueueBus(batch(1))
    with Notifier(bus, [writer], timeout=0.01):
        assert writer.flushed.wait(LONG)
    bus.shutdown()


def test_a_subclass_of_a_writer_sees_every_message(tmp_path: Path) -> None:
    class Odd(CSVWriter):
        def on_message_received(self, msg: Message) -> None:
            if msg.arbitration_id % 2:
                super().on_message_received(msg)

    bus = QueueBus(batch(1, 2, 3))
    done = Recorder()
    with Notifier(bus, [Odd(tmp_path / "odd.csv"), done], timeout=0.01):
        done.identifiers(3)
    with CSVReader(tmp_path / "odd.csv") as log:
        assert [message.arbitration_id for message in log] == [1, 3]
    bus.shutdown()


# --- errors -------------------------------------------------------------------------------------------


def test_an_error_that_a_listener_takes_costs_no_message() -> None:
    recorder, bus = Recorder(takes_errors=True), QueueBus(batch(1, 2))
    with Notifier(bus, [complain, recorder], timeout=0.01) as notifier:
        assert recorder.identifiers(2) == [1, 2]
        assert [str(recorder.errors.get(timeout=LONG)) for _ in range(2)] == ["not 1", "not 2"]
        assert str(notifier.exception) == "not 2"
    bus.shutdown()


def test_an_error_that_nobody_takes_ends_the_thread(
    uncaught: queue.SimpleQueue[BaseException | None],
) -> None:
    recorder, bus = Recorder(), QueueBus(batch(1))
    notifier = Notifier(bus, [complain, recorder])
    assert str(uncaught.get(timeout=LONG)) == "not 1"
    notifier.stop()
    assert str(notifier.exception) == "not 1"
    assert recorder.stops == 1
    assert Notifier.find_instances(bus) == ()
    bus.shutdown()


def test_an_error_of_the_bus_is_offered_and_receiving_goes_on() -> None:
    recorder = Recorder(takes_errors=True)
    bus = QueueBus(CanOperationError("unplugged"), batch(1))
    with Notifier(bus, [recorder], timeout=0.01):
        assert str(recorder.errors.get(timeout=LONG)) == "unplugged"
        assert recorder.identifiers(1) == [1]
    bus.shutdown()


def test_a_lost_bus_ends_its_thread_when_nobody_cares(
    uncaught: queue.SimpleQueue[BaseException | None],
) -> None:
    bus = QueueBus(CanOperationError("unplugged"))
    notifier = Notifier(bus, [print])
    assert str(uncaught.get(timeout=LONG)) == "unplugged"
    notifier.stop()
    assert isinstance(notifier.exception, CanOperationError)
    bus.shutdown()


def test_a_listener_may_stop_the_notifier() -> None:
    class Last(Recorder):
        def __init__(self) -> None:
            super().__init__()
            self.stopped = threading.Event()

        def stop(self) -> None:
            self.stopped.set()

    last, seen = Last(), list[int]()

    def quit_at_two(message: Message) -> None:
        seen.append(message.arbitration_id)
        if message.arbitration_id == 2:
            notifier.stop()

    buses = [QueueBus(), QueueBus()]
    notifier = Notifier([*buses], [quit_at_two, last], timeout=0.01)
    buses[0].fed.put(batch(1, 2, 3))
    assert last.stopped.wait(LONG)
    assert seen == last.identifiers() == [1, 2, 3]  # fetched together, delivered together
    for bus in buses:
        bus.shutdown()


def test_a_buffer_is_filled_by_a_notifier(pair: tuple[VirtualBus, VirtualBus]) -> None:
    reader = BufferedReader()
    with Notifier(pair[1], [reader]):
        pair[0].send(frame(4))
        message = reader.get_message(LONG)
    assert message is not None
    assert message.arbitration_id == 4
