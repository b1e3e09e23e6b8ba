"""Periodic sending in software; the thread is run as a function, in a time of its own, where that will do."""

from __future__ import annotations

import gc
import logging
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import can
import pytest

from cantools_cli.bus.base import BusABC
from cantools_cli.bus.interface import Bus
from cantools_cli.errors import CanError, CanOperationError
from cantools_cli.frame.message import Message
from cantools_cli.periodic import tasks
from cantools_cli.periodic.schedule import CATCH_UP
from cantools_cli.periodic.scheduler import Scheduler
from cantools_cli.periodic.tasks import ThreadBasedCyclicSendTask

LONG = 10.0  # seconds that a test waits for a thread before it fails
HOUR = 3600.0


class OwnTime:
    """A clock, and a condition whose waits last as long as they should and ``late`` says; in nanoseconds."""

    def __init__(self) -> None:
        self.now_ns = 1_000
        self.late: list[int] = []

    def clock(self) -> int:
        return self.now_ns

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...

    def notify_all(self) -> None: ...

    def wait(self, timeout: float) -> None:
        self.now_ns += round(timeout * 1e9) + (self.late.pop(0) if self.late else 0)

    def wait_for(self, predicate: Callable[[], bool], timeout: float) -> bool:
        return predicate()


class SentBus(BusABC):
    """Keeps (milliseconds since the beginning, data) of what is sent; ``on_send`` may do anything before."""

    def __init__(self, time: OwnTime | None = None) -> None:
        self.time = time or OwnTime()
        self.sent: list[tuple[float, str]] = []
        self.on_send: Callable[[], object] = lambda: None
        super().__init__("sent")
        self.channel_info = "sent"

    def send(self, msg: Message, timeout: float | None = None) -> None:
        self._check_open()
        self.on_send()
        self.sent.append(((self.time.now_ns - 1_000) / 1e6, msg.data.hex()))


class Bench:
    """A bus in a time of its own, and tasks on it."""

    def __init__(self) -> None:
        self.time = OwnTime()
        self.bus = SentBus(self.time)
        self.scheduler = Scheduler(self.time.clock, self.time, lambda work: "no thread")

    def task(self, messages: Any, period: float, duration: float | None = None, **more: Any) -> Any:
        lock = threading.Lock()
        return ThreadBasedCyclicSendTask(
            self.bus, lock, messages, period, duration, scheduler=self.scheduler, **more
        )

    def after(self, sends: int, do: Callable[[], object]) -> None:
        """Call ``do`` at the beginning of the send with that number, from 1."""
        numbers = iter(range(1, 1_000_000))
        self.bus.on_send = lambda: do() if next(numbers) == sends else None

    def run(self) -> list[tuple[float, str]]:
        self.scheduler.work()
        sent, self.bus.sent = self.bus.sent, []
        return sent


@pytest.fixture
def bench() -> Any:
    bench = Bench()
    yield bench
    bench.bus.shutdown()


def frame(data: str, arbitration_id: int = 0x123, **more: Any) -> Message:
    return Message(arbitration_id=arbitration_id, data=bytes.fromhex(data), is_extended_id=False, **more)


def failing(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


# --- times --------------------------------------------------------------------------------------------


def test_a_message_goes_at_once_and_then_every_period_until_the_duration_is_over(bench: Bench) -> None:
    task = bench.task(frame("01"), 0.05, 0.2)
    assert bench.run() == [(0, "01"), (50, "01"), (100, "01"), (150, "01")]
    assert task.stopped


@pytest.mark.parametrize("duration", [None, 0])
def test_without_a_duration_it_goes_on_until_it_is_stopped(bench: Bench, duration: float | None) -> None:
    task = bench.task(frame("01"), 0.001, duration)
    bench.after(1001, task.stop)
    assert len(bench.run()) == 1001  # that one was on its way


def test_several_messages_take_turns_one_a_period(bench: Bench) -> None:
    bench.task([frame("01"), frame("02"), frame("03")], 0.1, 0.5)
    assert bench.run() == [(0, "01"), (100, "02"), (200, "03"), (300, "01"), (400, "02")]


def test_tasks_of_one_bus_each_keep_their_own_times(bench: Bench) -> None:
    bench.task(frame("0A"), 0.03, 0.1)
    bench.task(frame("0B"), 0.05, 0.1)
    assert bench.run() == [(0, "0a"), (0, "0b"), (30, "0a"), (50, "0b"), (60, "0a"), (90, "0a")]


def test_waking_late_delays_one_message_and_none_behind_it(bench: Bench) -> None:
    bench.time.late = [4_000_000, 0, 9_000_000]
    bench.task(frame("01"), 0.01, 0.05)
    assert [at for at, _ in bench.run()] == [0, 14, 20, 39, 40]


def test_what_was_missed_is_made_up_for_and_the_times_stay(bench: Bench) -> None:
    bench.time.late = [33_000_000]
    bench.task(frame("01"), 0.01, 0.08)
    assert [at for at, _ in bench.run()] == [0, 43, 43, 43, 43, 50, 60, 70]


def test_no_more_is_made_up_for_than_is_allowed(bench: Bench) -> None:
    bench.time.late = [100_000_000_000]
    task = bench.task(frame("01"), 0.01)
    bench.after(2 + CATCH_UP + 3, task.stop)
    times = [at for at, _ in bench.run()]
    assert times == [0] + [100_010] * (1 + CATCH_UP) + [100_020, 100_030, 100_040]
    assert task.skipped == 10_000 - CATCH_UP


# --- what is sent -------------------------------------------------------------------------------------


def test_data_that_the_caller_changes_in_place_is_sent(bench: Bench) -> None:
    message = frame("01")
    bench.task(message, 0.1, 0.3)
    bench.after(2, lambda: message.data.__setitem__(0, 0xFF))
    assert [data for _, data in bench.run()] == ["01", "ff", "ff"]


def test_modified_data_is_sent_at_the_same_times_and_keeps_the_turn(bench: Bench) -> None:
    task = bench.task([frame("01"), frame("02")], 0.1, 0.4)
    bench.after(2, lambda: task.modify_data([frame("AA"), frame("BBCC")]))
    assert bench.run() == [(0, "01"), (100, "02"), (200, "aa"), (300, "bbcc")]


def test_a_stopped_task_is_modified_for_its_next_start(bench: Bench) -> None:
    task = bench.task(frame("01"), 0.1, 0.1, autostart=False)
    task.modify_data(frame("02"))
    task.start()
    assert bench.run() == [(0, "02")]


@pytest.mark.parametrize(
    ("new", "text"),
    [
        (
            [frame("01")],
            "The number of new cyclic messages to be sent must be equal to the number of messages "
            "originally specified for this task",
        ),
        (
            [frame("01", 0x124), frame("02", 0x124)],
            "The arbitration ID of new cyclic messages cannot be changed from when the task was created",
        ),
        ([frame("01"), frame("02", 0x124)], "All Arbitration IDs should be the same"),
    ],
)
def test_a_modification_has_to_fit(bench: Bench, new: list[Message], text: str) -> None:
    task = bench.task([frame("01"), frame("02")], 0.1, 0.1)
    with pytest.raises(ValueError, match=f"^{text}$"):
        task.modify_data(new)
    assert bench.run() == [(0, "01")]


def test_the_callback_changes_each_message_before_it_is_sent(bench: Bench) -> None:
    def count_up(message: Message) -> None:
        message.data[0] += 1

    bench.task(frame("00"), 0.1, 0.3, modifier_callback=count_up)
    assert [data for _, data in bench.run()] == ["01", "02", "03"]


@pytest.mark.parametrize(
    "messages",
    [[], (), "", 5, None, range(3), [1], lambda m: [m(1), m(2)], lambda m: [m(1, "a"), m(1, "b")]],
)
def test_messages_that_make_no_sense_are_refused_as_python_can_does(messages: Any) -> None:
    def made(kind: Any) -> Any:
        if not callable(messages):
            return messages
        return messages(lambda identifier, channel=None: kind(arbitration_id=identifier, channel=channel))

    with SentBus() as bus, pytest.raises(ValueError, match=r"Must|should") as ours:
        bus.send_periodic(made(Message), 1)
    with (
        can.Bus("refused", interface="virtual") as bus,
        pytest.raises((ValueError, AttributeError)) as theirs,
    ):
        bus.send_periodic(made(can.Message), 1)
    if theirs.type is ValueError:  # it trips over what is in a list
        assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize(("period", "duration"), [(0, None), (-1, None), (1, -1), (float("nan"), 1)])
def test_times_that_make_no_sense_are_refused(period: float, duration: float | None) -> None:
    with SentBus() as bus, pytest.raises(ValueError, match="greater than 0"):
        bus.send_periodic(frame("01"), period, duration)


# --- start and stop -----------------------------------------------------------------------------------


def test_a_task_that_is_not_started_sends_nothing(bench: Bench) -> None:
    task = bench.task(frame("01"), 0.1, autostart=False)
    assert bench.run() == []
    assert task.stopped


def test_a_task_that_was_stopped_starts_again_from_the_first_message(bench: Bench) -> None:
    task = bench.task([frame("01"), frame("02")], 0.1, 0.4)
    bench.after(1, task.stop)
    assert bench.run() == [(0, "01")]
    bench.time.now_ns += 1_000_000_000
    task.start()
    assert bench.run() == [(1000, "01"), (1100, "02"), (1200, "01"), (1300, "02")]


def test_starting_twice_changes_nothing(bench: Bench) -> None:
    task = bench.task(frame("01"), 0.1, 0.2)
    task.start()
    assert bench.run() == [(0, "01"), (100, "01")]


def test_stopping_a_stopped_task_is_an_error(bench: Bench) -> None:
    task = bench.task(frame("01"), 0.1)
    task.stop()
    with pytest.raises(CanError, match="the periodic task of 0x123 is already stopped"):
        task.stop()
    task.start()
    task.stop()
    assert bench.run() == []


def test_a_task_that_ended_without_its_program_is_stopped_once(bench: Bench) -> None:
    task = bench.task(frame("01"), 0.1, 0.2)
    bench.run()
    task.stop()
    with pytest.raises(CanOperationError):
        task.stop()


def test_a_bus_stops_tasks_that_the_program_stopped_before_or_stops_later() -> None:
    with Bus("stops", "virtual", ignore_config=True) as bus:
        before, later = (bus.send_periodic(frame("01"), 10) for _ in range(2))
        before.stop()
        bus.stop_all_periodic_tasks(remove_tasks=False)
        bus.stop_all_periodic_tasks()
        later.stop()
        with pytest.raises(CanOperationError):
            later.stop()


def test_a_changed_duration_is_that_of_the_next_start(bench: Bench) -> None:
    task = bench.task(frame("01"), 0.1)
    assert task.end_time is None
    task.stop()
    task.duration = 0.3
    before = time.time()
    task.start()
    assert before + 0.3 <= task.end_time <= time.time() + 0.3
    assert bench.run() == [(0, "01"), (100, "01"), (200, "01")]
    assert task.stopped
    with pytest.raises(ValueError, match="duration"):
        task.duration = -1
    assert task.duration == 0.3


def test_a_task_restarted_while_it_sends_does_not_send_twice(bench: Bench) -> None:
    task = bench.task(frame("01"), 0.1, 0.2)
    bench.after(1, lambda: (task.stop(), task.start()))
    assert bench.run() == [(0, "01"), (0, "01"), (100, "01")]


# --- errors -------------------------------------------------------------------------------------------


def test_an_error_ends_the_task_alone_and_is_logged(bench: Bench, caplog: Any) -> None:
    error = CanOperationError("no")
    task = bench.task(frame("01"), 0.1, 0.3)
    bench.task(frame("02"), 0.2, 0.3)
    bench.after(1, failing(error))
    assert bench.run() == [(0, "02"), (200, "02")]
    assert task.stopped
    assert task.error is error
    assert caplog.record_tuples == [("can", logging.WARNING, "periodic sending of 0x123 stopped: no")]


def test_on_error_decides_whether_to_go_on(bench: Bench, caplog: Any) -> None:
    seen: list[Exception] = []
    answers = [True, True, False]
    error = CanOperationError("no")
    bench.bus.on_send = failing(error)
    task = bench.task(frame("01"), 0.1, 1, on_error=lambda one: seen.append(one) or answers.pop(0))
    assert bench.run() == []
    assert seen == [error] * 3
    assert task.stopped
    assert not caplog.records


@pytest.mark.parametrize("where", ["modifier_callback", "on_error"])
def test_a_callback_that_fails_ends_its_task_alone(bench: Bench, where: str, caplog: Any) -> None:
    task = bench.task(frame("01"), 0.1, 0.3, **{where: lambda _: 1 / 0})
    bench.task(frame("02"), 0.1, 0.2)
    bench.after(1, failing(CanOperationError("no")) if where == "on_error" else lambda: None)
    assert bench.run() == [(0, "02"), (100, "02")]
    assert task.error is not None
    assert len(caplog.records) == 1


# --- tasks of a bus, in real threads ------------------------------------------------------------------


def started(bus: SentBus, **more: Any) -> Any:
    """Return a task that has sent, and would again in an hour."""
    has_sent = threading.Event()
    bus.on_send = has_sent.set
    task = bus.send_periodic(frame("01"), HOUR, **more)
    assert has_sent.wait(LONG)
    return task


def test_a_thread_sends_and_ends_with_its_task() -> None:
    with SentBus() as bus:
        enough = threading.Semaphore(0)
        bus.on_send = enough.release
        task: Any = bus.send_periodic(frame("01"), 0.001)
        assert all(enough.acquire(timeout=LONG) for _ in range(3))
        task.stop()
        sent = len(bus.sent)
        task.thread.join(LONG)
        assert not task.thread.is_alive()
        assert len(bus.sent) == sent


def test_stopping_does_not_wait_for_the_period() -> None:
    with SentBus() as bus:
        task = started(bus)
        task.stop()
        task.thread.join(LONG)
        assert not task.thread.is_alive()


def test_a_task_is_started_at_once_beside_one_that_waits() -> None:
    with SentBus() as bus:
        first, second = started(bus), started(bus)
        assert first.thread is second.thread


@pytest.mark.parametrize("end", ["shutdown", "stop_all_periodic_tasks"])
def test_a_bus_stops_its_tasks(end: str) -> None:
    with SentBus() as bus:
        task = started(bus)
        getattr(bus, end)()
        assert task.stopped
        task.thread.join(LONG)
        assert not task.thread.is_alive()


def test_a_bus_that_goes_out_of_scope_takes_its_tasks_along(caplog: Any) -> None:
    bus = SentBus()
    task = started(bus)
    gone = weakref.ref(bus)
    bus.on_send = lambda: None
    del bus
    gc.collect()
    assert gone() is None
    task.thread.join(LONG)
    assert not task.thread.is_alive()
    assert task.bus is None
    assert "not properly shut down" in caplog.text


def test_a_task_may_stop_itself() -> None:
    with SentBus() as bus:
        task: Any = bus.send_periodic(frame("01"), HOUR, autostart=False)
        bus.on_send = task.stop
        task.start()
        task.thread.join(LONG)
        assert (task.stopped, len(bus.sent)) == (True, 1)


def test_a_stuck_bus_does_not_keep_its_tasks_from_being_stopped(monkeypatch: Any) -> None:
    monkeypatch.setattr("cantools_cli.periodic.scheduler.STOP_SECONDS", 0.01)
    stuck, let_go = threading.Event(), threading.Event()
    with SentBus() as bus:
        bus.on_send = lambda: stuck.set() or let_go.wait(LONG)
        task: Any = bus.send_periodic(frame("01"), HOUR)
        assert stuck.wait(LONG)
        task.stop()
        let_go.set()
        task.thread.join(LONG)
        assert not task.thread.is_alive()


def test_a_bus_knows_its_tasks_while_they_run() -> None:
    with SentBus() as bus:
        first, second = started(bus), started(bus)
        assert bus._periodic_tasks == [first, second]
        first.stop()
        assert bus._periodic_tasks == [second]
        bus.stop_all_periodic_tasks(remove_tasks=False)
        assert bus._periodic_tasks == [second]
        assert second.stopped
        first.start()
        assert bus._periodic_tasks == [second, first]
        bus.stop_all_periodic_tasks()
        assert bus._periodic_tasks == []


def test_a_bus_forgets_a_task_whose_duration_is_over() -> None:
    with SentBus() as bus:
        task: Any = bus.send_periodic(frame("01"), 0.001, 0.002)
        task.thread.join(LONG)
        assert len(bus.sent) == 2
        assert bus._periodic_tasks == []


def test_a_task_that_is_not_stored_is_not_stopped() -> None:
    with SentBus() as bus:
        task = started(bus, store_task=False)
        assert bus._periodic_tasks == []
        bus.stop_all_periodic_tasks()
        assert not task.stopped
        task.stop()


def test_a_closed_bus_takes_no_task() -> None:
    bus = SentBus()
    bus.shutdown()
    with pytest.raises(CanOperationError, match="closed"):
        bus.send_periodic(frame("01"), 1)


class OldTask(tasks.CyclicSendTaskABC):
    def stop(self) -> None:
        self.is_stopped = True


class OldBus(SentBus):
    """Sends periodically as python-can 4.1 documents it, with three arguments."""

    def _send_periodic_internal(self, msgs: Any, period: float, duration: Any = None) -> Any:  # type: ignore[override]  # the old form
        return OldTask(msgs, period)


def test_an_interface_may_bring_tasks_of_its_own() -> None:
    with OldBus() as bus:
        task: Any = bus.send_periodic(frame("01"), 1, 2)
        assert isinstance(task, OldTask)
        assert (task.arbitration_id, task.period, task.period_ns) == (0x123, 1, 1_000_000_000)
    assert task.is_stopped


def test_the_task_of_any_bus_can_all_that_is_documented() -> None:
    with SentBus() as bus:
        task = bus.send_periodic(frame("01"), 1, autostart=False)
    assert isinstance(task, tasks.LimitedDurationCyclicSendTaskABC)
    assert isinstance(task, tasks.ModifiableCyclicTaskABC)
    assert isinstance(task, tasks.RestartableCyclicTaskABC)


def test_the_old_function_warns_and_works() -> None:
    with SentBus() as bus, pytest.warns(DeprecationWarning, match="method send_periodic"):
        task = tasks.send_periodic(bus, frame("01"), HOUR, store_task=False, autostart=False)
    assert task.period == HOUR
