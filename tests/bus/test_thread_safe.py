"""A bus that several threads use at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from cantools_cli.bus import thread_safe
from cantools_cli.bus.base import BusABC, BusState
from cantools_cli.bus.interface import Bus
from cantools_cli.bus.thread_safe import ThreadSafeBus, _Turns
from cantools_cli.errors import CanError, CanOperationError, CanTimeoutError
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.periodic.tasks import ThreadBasedCyclicSendTask

LONG = 10.0  # seconds that a test waits for a thread before it fails
ONE = Message(arbitration_id=1, data=b"\x01", is_extended_id=False)
FILTERS: CanFilters = [{"can_id": 2, "can_mask": 0x7FF, "extended": False}]


class ProbeBus(BusABC):
    """Calls ``in_send`` and ``in_receive`` while it does so, and counts both."""

    speed = "slow"

    def __init__(self, channel: Any = None) -> None:
        self.sends = self.receives = 0
        self.in_send: Callable[[], object] = lambda: None
        self.in_receive: Callable[[], object] = lambda: None
        super().__init__(channel)
        self.channel_info = f"probe {channel}"
        self._state = BusState.ACTIVE

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        self.sends += 1
        self.in_send()

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        self.receives += 1
        self.in_receive()
        return MessageBatch([ONE])

    def flush_tx_buffer(self) -> None:
        self.in_send()

    @property
    def state(self) -> BusState:
        self.in_send()
        return self._state

    @state.setter
    def state(self, new_state: BusState) -> None:
        self._state = new_state


@pytest.fixture
def bus(monkeypatch: Any) -> Any:
    monkeypatch.setattr(thread_safe, "Bus", ProbeBus)
    with ThreadSafeBus("x") as bus:
        yield bus


@pytest.fixture
def in_thread() -> Any:
    """Return a function that runs another in a thread; all have to end with the test."""
    threads: list[threading.Thread] = []

    def run(do: Callable[[], object]) -> threading.Thread:
        threads.append(threading.Thread(target=do, daemon=True))
        threads[-1].start()
        return threads[-1]

    yield run
    for thread in threads:
        thread.join(LONG)
        assert not thread.is_alive()


class Gate:
    """Holds whoever comes until it is opened, and tells that somebody came."""

    def __init__(self) -> None:
        self._came, self._open = threading.Event(), threading.Event()
        self.open = self._open.set

    def __call__(self) -> None:
        self._came.set()
        assert self._open.wait(LONG)

    def until_somebody_came(self) -> None:
        assert self._came.wait(LONG)


def test_it_is_a_bus_and_has_all_that_the_bus_has(bus: Any) -> None:
    assert isinstance(bus, BusABC)
    assert (bus.channel_info, str(bus), bus.speed) == ("probe x", "probe x", "slow")
    bus.speed = "fast"
    assert bus._wrapped.speed == "fast"
    bus.state = BusState.ERROR
    assert bus.state is BusState.ERROR
    assert bus.protocol is bus._wrapped.protocol
    with pytest.raises(AttributeError, match="'ProbeBus' object has no attribute 'colour'"):
        bus.colour  # noqa: B018  # the access raises


def test_what_is_sent_arrives() -> None:
    with Bus("safe", "virtual", ignore_config=True) as other:
        with ThreadSafeBus("safe", "virtual", ignore_config=True) as bus:
            bus.send(ONE, 1)
            bus.send_batch(MessageBatch([ONE]))
            other.send(ONE)
            for message in (other.recv(LONG), other.recv(LONG)):
                assert message is not None
                assert message.equals(ONE, None, check_channel=False)
            assert next(iter(bus)).arbitration_id == 1
            other.send(ONE)
            assert len(next(bus.batches())) == 1
            assert bus.recv(0) is None
            assert bus.recv_batch(0.01) is None
        assert bus.is_shutdown


def test_filters_are_those_of_the_bus(bus: Any) -> None:
    bus.filters = FILTERS
    assert bus.filters == bus._wrapped.filters == FILTERS
    bus.set_filters(None)
    assert bus.filters is None


def test_one_thread_sends_at_a_time(bus: Any, in_thread: Any) -> None:
    bus.in_send = gate = Gate()
    in_thread(lambda: bus.send(ONE))
    gate.until_somebody_came()
    with pytest.raises(CanTimeoutError, match="other threads"):
        bus.send(ONE, timeout=0.01)
    assert bus.sends == 1
    gate.open()


def test_one_thread_receives_at_a_time(bus: Any, in_thread: Any) -> None:
    bus.in_receive = gate = Gate()
    in_thread(bus.recv)
    gate.until_somebody_came()
    assert bus.recv(0) is None
    assert bus.recv(0.01) is None
    assert bus.receives == 1
    gate.open()


def test_who_polls_while_another_has_the_turn_does_not_spin(bus: Any, in_thread: Any) -> None:
    bus.in_receive = gate = Gate()
    in_thread(bus.recv)
    gate.until_somebody_came()
    began = time.monotonic()
    assert [bus.recv_batch(0) for _ in range(20)] == [None] * 20
    assert time.monotonic() - began >= 20 * 0.001
    gate.open()


def test_sending_does_not_wait_for_a_thread_that_receives(bus: Any, in_thread: Any) -> None:
    bus.in_receive = gate = Gate()
    in_thread(bus.recv)
    gate.until_somebody_came()
    bus.send(ONE)
    bus.flush_tx_buffer()
    gate.open()


@pytest.mark.parametrize("use", ["send", "send_batch", "prepared", "flush_tx_buffer", "state"])
def test_what_sends_has_the_turn_to_send(bus: Any, use: str) -> None:
    owners = []
    bus.in_send = lambda: owners.append(bus._sending._owner)
    {
        "send": lambda: bus.send(ONE),
        "send_batch": lambda: bus.send_batch(MessageBatch([ONE])),
        "prepared": lambda: bus.prepared(MessageBatch([ONE]))(0, 1, None),
        "flush_tx_buffer": bus.flush_tx_buffer,
        "state": lambda: bus.state,
    }[use]()
    assert owners == [threading.get_ident()]
    assert bus._sending._owner is None


def test_a_periodic_task_has_the_turn_to_send(bus: Any) -> None:
    owners, has_sent = [], threading.Event()
    bus.in_send = lambda: (owners.append(bus._sending._owner), has_sent.set())
    task = bus.send_periodic(ONE, 3600.0)
    assert has_sent.wait(LONG)
    assert owners == [task.thread.ident]
    bus.stop_all_periodic_tasks()
    assert task.stopped


def test_closing_ends_a_thread_that_receives_for_ever(in_thread: Any) -> None:
    errors = []
    bus = ThreadSafeBus("closing", "virtual", ignore_config=True)
    waits = threading.Event()

    def receive() -> None:
        waits.set()
        try:
            bus.recv()
        except CanOperationError as error:
            errors.append(str(error))

    thread = in_thread(receive)
    assert waits.wait(LONG)
    bus.shutdown()
    thread.join(LONG)
    assert errors == ["Cannot operate on a closed bus"]


def test_filters_can_be_set_while_a_thread_receives_for_ever(in_thread: Any) -> None:
    bus = ThreadSafeBus("turns", "virtual", ignore_config=True)
    got: list[Message | None] = []
    thread = in_thread(lambda: got.append(bus.recv()))
    bus.set_filters(FILTERS)
    with Bus("turns", "virtual", ignore_config=True) as other:
        other.send(ONE)
        other.send(Message(arbitration_id=2, is_extended_id=False))
    thread.join(LONG)
    bus.shutdown()
    assert [message.arbitration_id for message in got if message] == [2]


def test_who_waits_comes_before_who_had_it(in_thread: Any) -> None:
    turns, order = _Turns(), []

    def wait() -> None:
        with turns:
            order.append("waited")

    turns.acquire()
    in_thread(wait)
    while not turns._queue.locked():
        threading.Event().wait(0.001)
    turns.release()
    with turns:
        order.append("had it")
    assert order == ["waited", "had it"]


def test_a_turn_may_be_taken_again_by_who_has_it() -> None:
    turns = _Turns()
    with turns, turns:
        assert turns.acquire(0)
        turns.release()
    assert turns._owner is None


def test_a_stuck_bus_is_closed_all_the_same(bus: Any, in_thread: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(thread_safe, "_PATIENCE", 0.01)
    bus.in_send = gate = Gate()
    in_thread(lambda: bus.send(ONE))
    gate.until_somebody_came()
    bus.shutdown()
    assert bus.is_shutdown
    gate.open()


def test_a_bus_that_cannot_be_opened_says_so() -> None:
    with pytest.raises(CanError, match="nonesuch"):
        ThreadSafeBus("x", "nonesuch", ignore_config=True)


@pytest.mark.parametrize(("goes_on", "calls"), [(False, 1), (True, 3)])
def test_a_task_on_a_closed_bus_asks_on_error(bus: Any, goes_on: bool, calls: int) -> None:
    bus.shutdown()
    errors: list[Exception] = []

    def on_error(error: Exception) -> bool:
        errors.append(error)
        return goes_on

    task = ThreadBasedCyclicSendTask(bus, bus.periodic_lock, ONE, 0.001, 0.003, on_error)
    task.thread.join(LONG)
    assert [type(error) for error in errors] == [CanOperationError] * calls
