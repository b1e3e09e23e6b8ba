"""The bus on a vendor's queue: deadlines, closing from another thread, echoes, a lost device."""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from typing import Any

import pytest

from cantools_cli.backends.transport.library_bus import Gate, LibraryBus, release_all
from cantools_cli.errors import CanOperationError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message


class Queue:
    """What a library has: frames, a lock inside each call, and perhaps a descriptor."""

    def __init__(self, has_descriptor: bool) -> None:
        self.frames: deque[Message] = deque()
        self.arrived = threading.Condition()
        self.descriptor = os.eventfd(0, os.EFD_NONBLOCK) if has_descriptor else None
        self.inside = 0
        self.waits: list[float] = []
        self.entered = threading.Event()
        self.closed_with_threads_inside: int | None = None

    def put(self, arbitration_id: int) -> None:
        with self.arrived:
            self.frames.append(Message(arbitration_id=arbitration_id))
            self.arrived.notify_all()
            if self.descriptor is not None:
                os.eventfd_write(self.descriptor, 1)

    def take(self) -> MessageBatch | None:
        with self.arrived:
            batch = MessageBatch(self.frames)
            if self.frames and self.descriptor is not None:
                os.eventfd_read(self.descriptor)
            self.frames.clear()
        return batch

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        with self.arrived:
            self.inside += 1
            self.entered.set()
            self.arrived.wait_for(lambda: self.frames, seconds)
            self.inside -= 1

    def close(self) -> None:
        self.closed_with_threads_inside = self.inside
        if self.descriptor is not None:
            os.close(self.descriptor)


class QueueBus(LibraryBus):
    def __init__(self, queue: Queue, **kwargs: Any) -> None:
        self.queue = queue
        self._descriptor = queue.descriptor
        self.lost_after: CanOperationError | None = None
        self.channel_info = "queue"
        super().__init__(None, **kwargs)

    def _drain(self) -> MessageBatch | None:
        batch = self.queue.take()
        if self.lost_after is not None:
            self._lose(self.lost_after)
        return batch

    def _wait(self, seconds: float) -> None:
        self.queue.wait(seconds)

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        self._echo(batch, 7)

    def _release(self) -> None:
        self.queue.close()


@pytest.fixture(params=[False, True], ids=["calls", "descriptor"])
def queue(request: pytest.FixtureRequest) -> Queue:
    return Queue(request.param)


def test_all_queued_frames_come_in_one_batch(queue: Queue) -> None:
    with QueueBus(queue) as bus:
        for arbitration_id in range(3):
            queue.put(arbitration_id)
        batch = bus.recv_batch(0)
        assert batch is not None
        assert [*batch.can_id] == [0x80000000, 0x80000001, 0x80000002]
        assert bus.recv_batch(0) is None


def test_a_timeout_ends_the_wait(queue: Queue) -> None:
    with QueueBus(queue) as bus:
        assert bus.recv(0) is None
        assert not queue.waits
        before = time.monotonic()
        assert bus.recv(0.02) is None
        assert time.monotonic() - before >= 0.02
        assert sum(queue.waits) <= 0.1  # few waits: it does not spin


def test_a_frame_ends_a_wait_for_ever(queue: Queue) -> None:
    with QueueBus(queue) as bus:
        found: list[Message | None] = []
        thread = threading.Thread(target=lambda: found.append(bus.recv(None)))
        thread.start()
        queue.put(7)
        thread.join(20)
        assert [message.arbitration_id for message in found if message] == [7]


def test_closing_waits_for_the_thread_inside(queue: Queue) -> None:
    bus = QueueBus(queue)
    raised: list[CanOperationError] = []

    def receive() -> None:
        try:
            bus.recv(None)
        except CanOperationError as error:
            raised.append(error)

    thread = threading.Thread(target=receive)
    thread.start()
    if queue.descriptor is None:
        assert queue.entered.wait(20)
    bus.shutdown()
    thread.join(20)
    assert not thread.is_alive()
    assert [str(error) for error in raised] == ["Cannot operate on a closed bus"]
    assert queue.closed_with_threads_inside == 0
    bus.shutdown()


def test_an_echo_is_a_sent_frame_of_the_bus_and_wakes_a_receiver(queue: Queue) -> None:
    with QueueBus(queue) as bus:
        bus.send(Message(arbitration_id=5, data=b"\1"))
        message = bus.recv(20)
        assert message is not None
        assert (message.arbitration_id, message.is_rx, bytes(message.data)) == (5, False, b"\1")
        assert message.timestamp == pytest.approx(time.time(), abs=20)
        assert bus.recv(0) is None


def test_a_lost_device_gives_its_frames_first_and_closes_the_bus(queue: Queue) -> None:
    bus = QueueBus(queue)
    queue.put(1)
    bus.lost_after = CanOperationError("queue: the device is gone")
    message = bus.recv(1)
    assert message is not None
    for _ in range(2):
        with pytest.raises(CanOperationError):
            bus.recv(1)
    assert bus.is_shutdown
    assert queue.closed_with_threads_inside == 0


def test_the_descriptor_is_ready_for_frames_and_for_echoes() -> None:
    queue = Queue(True)
    with QueueBus(queue) as bus:
        poll = select.poll()
        poll.register(bus.fileno(), select.POLLIN)
        assert not poll.poll(0)
        queue.put(1)
        assert poll.poll(0)
        assert bus.recv(0) is not None
        assert not poll.poll(0)
        bus.send(Message(arbitration_id=5))
        assert poll.poll(0)
        assert bus.recv(0) is not None
        assert not poll.poll(0)


def test_no_descriptor_is_not_implemented() -> None:
    with QueueBus(Queue(False)) as bus, pytest.raises(NotImplementedError):
        bus.fileno()


def test_a_closed_gate_lets_nobody_in() -> None:
    gate = Gate()
    with gate:
        gate.close()  # the thread itself is inside: closing does not wait for it
    with pytest.raises(CanOperationError, match="closed bus"), gate:
        pass


def test_every_step_of_a_release_is_done() -> None:
    done: list[int] = []

    def fail(number: int) -> None:
        done.append(number)
        raise OSError(number)

    with pytest.raises(OSError, match="1"):
        release_all(lambda: fail(1), lambda: fail(2), lambda: done.append(3))
    assert done == [1, 2, 3]


def test_two_threads_that_close_at_once_release_it_once(queue: Queue) -> None:
    bus = QueueBus(queue)
    both, released = threading.Barrier(2), []
    real_stop, real_release = bus.stop_all_periodic_tasks, bus._release

    def stop() -> None:
        both.wait(20)  # neither has closed the bus yet
        real_stop()

    def release() -> None:
        released.append(threading.get_ident())
        real_release()

    bus.stop_all_periodic_tasks = stop  # type: ignore[method-assign]  # of this bus alone
    bus._release = release  # type: ignore[method-assign]  # likewise
    threads = [threading.Thread(target=bus.shutdown) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(released) == 1


def test_a_loss_is_raised_although_closing_fails(queue: Queue) -> None:
    bus = QueueBus(queue)

    def release() -> None:
        queue.close()
        raise CanOperationError("closing failed")

    bus._release = release  # type: ignore[method-assign]  # of this bus alone
    bus.lost_after = CanOperationError("gone")
    with pytest.raises(CanOperationError, match="gone"):
        bus.recv(1)
    assert bus.is_shutdown


def test_an_echo_that_another_thread_takes_is_no_error(queue: Queue) -> None:
    with QueueBus(queue) as bus:
        bus.send(Message(arbitration_id=3))
        real_clear = bus._wakeup.clear

        def clear() -> None:
            real_clear()
            bus._echoes.clear()  # the other thread has been faster

        bus._wakeup.clear = clear  # type: ignore[method-assign]  # of this bus alone
        queue.put(4)
        message = bus.recv(1)
        assert message is not None
        assert message.arbitration_id == 4
