"""Periodic sending by the broadcast manager of a real kernel; the times are those of the receiving socket."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from statistics import median
from typing import Any

import pytest

from cantools_cli.backends.socketcan import bcm
from cantools_cli.backends.socketcan.bcm import CyclicSendTask, MultiRateCyclicSendTask
from cantools_cli.backends.socketcan.bus import SocketcanBus
from cantools_cli.errors import CanOperationError
from cantools_cli.frame.message import Message
from cantools_cli.periodic.tasks import ThreadBasedCyclicSendTask

LONG = 60.0  # seconds without a frame after which a test fails
SILENCE = 0.5  # seconds: many times every period here


@pytest.fixture
def bus() -> Iterator[SocketcanBus]:
    with SocketcanBus("vcan0") as bus:
        yield bus


@pytest.fixture
def receiver() -> Iterator[SocketcanBus]:
    with SocketcanBus("vcan0") as receiver:
        yield receiver


def frame(data: str, **more: Any) -> Message:
    return Message(arbitration_id=0x123, data=bytes.fromhex(data), is_extended_id=False, **more)


def received(bus: SocketcanBus, count: int) -> list[Message]:
    messages = [bus.recv(LONG) for _ in range(count)]
    assert all(messages)
    return [message for message in messages if message]


def gaps(messages: list[Message]) -> list[float]:
    times = [message.timestamp_ns / 1e9 for message in messages]
    return [later - earlier for earlier, later in pairwise(times)]


def rest(bus: SocketcanBus) -> list[Message]:
    return list(iter(lambda: bus.recv(SILENCE), None))


def data_of(messages: list[Message]) -> list[str]:
    return [message.data.hex() for message in messages]


def test_frames_come_at_the_period(bus: SocketcanBus, receiver: SocketcanBus) -> None:
    task = bus.send_periodic(frame("0102AB"), 0.02)
    assert isinstance(task, CyclicSendTask)
    messages = received(receiver, 51)
    task.stop()
    # An emulated machine adds 0.2 ms to each interval, and may stand still for long: hence the median.
    assert 0.0198 < median(gaps(messages)) < 0.03
    kinds = {(message.arbitration_id, message.data.hex(), message.is_rx) for message in messages}
    assert kinds == {(0x123, "0102ab", False)}


def test_a_duration_is_a_number_of_frames_and_the_task_starts_again(
    bus: SocketcanBus, receiver: SocketcanBus
) -> None:
    task: Any = bus.send_periodic(frame("01"), 0.02, 0.2)
    assert len(received(receiver, 10)) == 10
    assert rest(receiver) == []
    task.start()
    assert len(received(receiver, 10)) == 10
    assert rest(receiver) == []


def test_messages_take_turns_and_are_modified_in_place(bus: SocketcanBus, receiver: SocketcanBus) -> None:
    task: Any = bus.send_periodic([frame("01"), frame("02"), frame("03")], 0.02)
    assert data_of(received(receiver, 6)) == ["01", "02", "03"] * 2
    task.modify_data([frame("11"), frame("12"), frame("13")])
    later = data_of(received(receiver, 60))  # those on their way among them
    turns = [int(data[1]) for data in later]
    assert turns == [1, 2, 3] * 20, "whose turn it is did not change"
    assert later[-3:] == ["11", "12", "13"]
    with pytest.raises(ValueError, match="already running"):
        task.start()


def test_a_stopped_task_is_silent_and_starts_again_with_new_data(
    bus: SocketcanBus, receiver: SocketcanBus
) -> None:
    task: Any = bus.send_periodic(frame("01"), 0.02)
    received(receiver, 3)
    task.stop()
    with pytest.raises(CanOperationError, match="already stopped"):
        task.stop()
    rest(receiver)
    task.modify_data(frame("02"))
    assert rest(receiver) == []
    task.start()
    assert data_of(received(receiver, 2)) == ["02", "02"]


def test_a_restarted_task_obeys_a_changed_duration(bus: SocketcanBus, receiver: SocketcanBus) -> None:
    task: Any = bus.send_periodic(frame("01"), 0.02)
    received(receiver, 1)
    task.stop()
    rest(receiver)
    task.duration = 0.06
    task.start()
    assert data_of(received(receiver, 3)) == ["01"] * 3
    assert rest(receiver) == []


def test_two_rates(receiver: SocketcanBus) -> None:
    bcm_socket = bcm.open_socket("vcan0")
    task = MultiRateCyclicSendTask(bcm_socket, 1, frame("01"), 5, 0.02, 0.2)
    between = gaps(received(receiver, 9))
    task.stop()
    bcm_socket.close()
    assert min(between[:4]) < 0.1
    assert min(between[5:]) > 0.19


def test_can_fd_is_sent_where_the_interface_has_it() -> None:
    with SocketcanBus("vcan1", fd=True) as bus, SocketcanBus("vcan1", fd=True) as receiver:
        message = frame("00" * 64, is_fd=True, bitrate_switch=True)
        task: Any = bus.send_periodic(message, 0.02)
        got = received(receiver, 3)[0]
        assert (got.is_fd, got.bitrate_switch, len(got.data)) == (True, True, 64)
        task.modify_data(frame("11" * 8, is_fd=True))
        assert "11" * 8 in data_of(received(receiver, 50))
        task.stop()
        rest(receiver)
        assert rest(receiver) == []


def test_a_closed_bus_sends_no_more(receiver: SocketcanBus) -> None:
    with SocketcanBus("vcan0") as bus:
        bus.send_periodic(frame("01"), 0.02)
        bus.send_periodic(frame("02"), 0.02, store_task=False)
        received(receiver, 4)
    rest(receiver)
    assert rest(receiver) == []


def test_a_bus_of_all_interfaces_sends_on_the_channel_of_the_message(receiver: SocketcanBus) -> None:
    with SocketcanBus("") as bus:
        bus.send_periodic(frame("01", channel="vcan0"), 0.02)
        assert data_of(received(receiver, 2)) == ["01", "01"]


def test_what_the_kernel_cannot_do_a_thread_does(bus: SocketcanBus, receiver: SocketcanBus) -> None:
    def count(message: Message) -> None:
        message.data[0] += 1

    task = bus.send_periodic(frame("00"), 0.02, modifier_callback=count)
    assert isinstance(task, ThreadBasedCyclicSendTask)
    assert data_of(received(receiver, 3)) == ["01", "02", "03"]
