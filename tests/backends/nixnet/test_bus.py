"""The NI-XNET bus on the emulated library: receiving, filters, errors, times, threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.backends.nixnet import bus as backend
from cantools_cli.bus.base import BusState
from cantools_cli.errors import CanOperationError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.backends.nixnet.conftest import Opened
from tests.strategies import messages
from tests.vendor import kit
from tests.vendor.frames import FD_FRAMES, FRAMES, PATIENCE, received, same


@pytest.mark.parametrize("is_fd", [False, True])
def test_frames_go_both_ways(opened: Opened, is_fd: bool) -> None:
    frames = FD_FRAMES if is_fd else FRAMES
    one, other = opened("CAN1", fd=is_fd), opened("CAN2", fd=is_fd)
    for sender, receiver in ((one, other), (other, one)):
        for frame in frames:
            sender.send(frame)
        found = received(receiver, len(frames))
        assert all(map(same, found, frames))
        assert all(message.is_rx and message.channel == receiver.channel for message in found)


def test_any_frames_arrive(opened: Opened) -> None:
    one, other = opened("CAN1", fd=True), opened("CAN2", fd=True)

    @given(st.lists(messages(kinds=("classic", "remote", "fd")), min_size=1, max_size=30))
    @settings(max_examples=30)
    def check(frames: list[Message]) -> None:
        for frame in frames:
            frame.error_state_indicator = False  # the interface sets it
            one.send(frame)
        assert all(map(same, received(other, len(frames)), frames))

    check()


def test_times_are_those_of_the_interface(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("CAN1")
    stub.inject(1, arbitration_id=1, time_ns=1_700_000_000_123_456_700)
    [message] = received(bus, 1)
    assert message.timestamp_ns == 1_700_000_000_123_456_700


def test_a_timeout_of_zero_polls(pair: Any) -> None:
    assert pair[0].recv(0) is None


@pytest.mark.parametrize("is_fd", [False, True])
def test_a_short_timeout_does_not_spin(stub: kit.Stub, opened: Opened, is_fd: bool) -> None:
    bus = opened("CAN1", fd=is_fd)
    stub.clear_calls()
    assert bus.recv(0.05) is None
    reads = [call for call in stub.calls() if call.startswith("nxReadFrame")]
    assert len(reads) <= (120 if is_fd else 8)


def test_a_classic_bus_waits_in_the_library(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("CAN1")
    stub.clear_calls()
    bus.recv(0.0004)
    assert any("24 0.000" in call or "24 0.001" in call for call in stub.calls())


def test_frames_arrive_while_waiting(pair: Any) -> None:
    one, other = pair
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(other.recv(None)))
    thread.start()
    one.send(FRAMES[0])
    thread.join(PATIENCE)
    assert same(found[0], FRAMES[0])


@pytest.mark.parametrize("is_fd", [False, True])
def test_closing_from_another_thread_ends_a_wait(opened: Opened, is_fd: bool) -> None:
    bus = opened("CAN1", fd=is_fd)
    errors: list[BaseException] = []
    is_waiting = threading.Event()

    def wait() -> None:
        is_waiting.set()
        try:
            bus.recv(None)
        except CanOperationError as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    is_waiting.wait(PATIENCE)
    bus.shutdown()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert "closed bus" in str(errors[0])


def test_after_closing_no_call_reaches_the_library(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("CAN1")
    bus.shutdown()
    stub.clear_calls()
    bus.shutdown()
    calls: list[Callable[[], object]] = [
        lambda: bus.recv(0),
        lambda: bus.send(FRAMES[0]),
        lambda: bus.state,
        bus.reset,
        bus.flush_tx_buffer,
    ]
    for call in calls:
        with pytest.raises(CanOperationError, match="closed bus"):
            call()
    assert stub.calls() == []


def test_a_bus_can_be_opened_again(opened: Opened) -> None:
    for _ in range(3):
        one, other = opened("CAN1"), opened("CAN2")
        one.send(FRAMES[0])
        assert same(received(other, 1)[0], FRAMES[0])
        one.shutdown()
        other.shutdown()


def test_two_senders_and_a_receiver_lose_nothing(opened: Opened) -> None:
    one, other = opened("CAN1"), opened("CAN2", queue_size=1_000_000)
    count = 2000

    def send(identifier: int) -> None:
        for number in range(count):
            one.send(Message(arbitration_id=identifier, data=number.to_bytes(2, "big"), is_extended_id=False))

    threads = [threading.Thread(target=send, args=(identifier,)) for identifier in (1, 2)]
    for thread in threads:
        thread.start()
    found = received(other, 2 * count)
    for thread in threads:
        thread.join()
    for identifier in (1, 2):
        numbers = [int.from_bytes(m.data, "big") for m in found if m.arbitration_id == identifier]
        assert numbers == list(range(count))


def test_batches(pair: Any) -> None:
    one, other = pair
    one.send_batch(MessageBatch(FRAMES))
    found: list[Message] = []
    while len(found) < len(FRAMES):
        batch = other.recv_batch(PATIENCE)
        assert batch is not None
        found += batch
    assert all(map(same, found, FRAMES))


def test_more_frames_than_one_read_holds(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("CAN1", fd=True)
    for number in range(800):
        stub.inject(1, arbitration_id=number, flags=kit.FLAG_FD, data=bytes(64 if number % 3 else 1))
    batch = bus.recv_batch(PATIENCE)
    assert batch is not None
    assert len(batch) > 300
    found = [*batch, *received(bus, 800 - len(batch))]
    assert [message.arbitration_id for message in found] == list(range(800))


# --- own messages, filters, errors ---------------------------------------------------------------------


@pytest.mark.parametrize("is_fd", [False, True])
def test_own_messages(opened: Opened, is_fd: bool) -> None:
    bus = opened("CAN1", fd=is_fd, receive_own_messages=True)
    other = opened("CAN2", fd=is_fd)
    bus.send(FRAMES[0])
    other.send(FRAMES[2])
    found = received(bus, 2)
    assert [(message.arbitration_id, message.is_rx) for message in found] == [
        (0x123, False),
        (0x1FFFFFFF, True),
    ]
    assert received(other, 1)[0].is_rx
    assert other.recv(0) is None


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (None, [1, 2, 0x12345, 3]),
        ([{"can_id": 1, "can_mask": 0x7FF, "extended": False}], [1]),
        ([{"can_id": 0x12345, "can_mask": 0x1FFFFFFF, "extended": True}], [0x12345]),
        ([{"can_id": 2, "can_mask": 0x7FE, "extended": False}], [2, 3]),
        ([{"can_id": 1, "can_mask": 0x7FF}, {"can_id": 3, "can_mask": 0x7FF}], [1, 3]),
    ],
)
def test_filters(pair: Any, filters: Any, expected: list[int]) -> None:
    one, other = pair
    other.set_filters(filters)
    for identifier in (1, 2, 0x12345, 3):
        one.send(Message(arbitration_id=identifier, is_extended_id=identifier > 0x7FF))
    assert [message.arbitration_id for message in received(other, len(expected))] == expected
    assert other.recv(0) is None


def test_filters_apply_to_own_messages(opened: Opened) -> None:
    filters = [{"can_id": 2, "can_mask": 0x7FF}]
    bus = opened("CAN1", receive_own_messages=True, can_filters=filters)
    bus.send(Message(arbitration_id=1, is_extended_id=False))
    bus.send(Message(arbitration_id=2, is_extended_id=False))
    assert received(bus, 1)[0].arbitration_id == 2


def test_bus_errors_are_error_frames(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("CAN1")
    stub.inject(1, kind=kit.KIND_ERROR, data=bytes((1, 130, 5, 3, 0)))
    [message] = received(bus, 1)
    assert message.is_error_frame
    assert (message.arbitration_id, bytes(message.data)) == (0x2A4, bytes((0, 0x20, 0, 0, 0, 0, 130, 5)))


def test_without_log_errors_there_are_no_error_frames(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("CAN1", log_errors=False)
    stub.inject(1, kind=kit.KIND_ERROR, data=bytes((1, 130, 5, 3, 0)))
    stub.inject(1, arbitration_id=5)
    assert received(bus, 1)[0].arbitration_id == 5


@pytest.mark.parametrize("reads_first", [False, True])
def test_an_overflow_is_counted_and_marked(stub: kit.Stub, opened: Opened, reads_first: bool) -> None:
    bus = opened("CAN1")
    if reads_first:
        bus.recv(0)
    stub.inject(1, kind=kit.KIND_OVERRUN)
    stub.inject(1, arbitration_id=5)
    found = received(bus, 2)
    assert [message.is_error_frame for message in found] == [True, False]
    assert (found[0].arbitration_id, found[0].data[1]) == (0x004, 0x01)
    assert bus.losses == {backend.OVERFLOWS: 1}


def test_an_overflow_while_waiting_is_marked(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("CAN1")
    stub.fail("nxReadFrame", 0xBFF6300B, skip=1)
    [message] = received(bus, 1)
    assert message.is_error_frame
    assert bus.losses == {backend.OVERFLOWS: 1}


def test_a_full_queue_of_the_library_is_no_silent_loss(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("CAN1", queue_size=24 * 21)  # that of python-can 4.1
    for number in range(30):
        stub.inject(1, arbitration_id=number)
    found = received(bus, 22)
    assert found[0].is_error_frame
    assert [message.arbitration_id for message in found[1:]] == list(range(21))
    assert bus.losses[backend.OVERFLOWS] == 1


@pytest.mark.parametrize(
    ("word", "state"),
    [
        (0x0000, BusState.ACTIVE),
        (0x80000501, BusState.PASSIVE),
        (0x00FF0002, BusState.ERROR),
        (0x0003, BusState.ACTIVE),
        (0x0F00, BusState.ACTIVE),  # an error code that the package does not know
    ],
)
def test_the_state(stub: kit.Stub, opened: Opened, word: int, state: BusState) -> None:
    bus = opened("CAN1")
    stub.inject(1, kind=kit.KIND_STATE, code=word)
    assert bus.state is state


def test_the_state_cannot_be_set(opened: Opened) -> None:
    with pytest.raises(NotImplementedError, match="listen_only"):
        opened("CAN1").state = BusState.PASSIVE


def test_reset_clears_queues_and_restarts(stub: kit.Stub, pair: Any) -> None:
    one, other = pair
    stub.inject(1, arbitration_id=5)
    one.reset()
    assert one.recv(0) is None
    other.send(FRAMES[0])
    assert same(received(one, 1)[0], FRAMES[0])


@pytest.mark.parametrize("is_fd", [False, True])
def test_a_failure_comes_after_the_frames_before_it(stub: kit.Stub, opened: Opened, is_fd: bool) -> None:
    bus = opened("CAN1", fd=is_fd)
    count = backend._READ_BYTES // 24 + 1  # more than one call reads
    for number in range(count):
        stub.inject(1, arbitration_id=number)
    stub.fail("nxReadFrame", 0xBFF63001, skip=1)
    assert [message.arbitration_id for message in received(bus, count - 1)] == [*range(count - 1)]
    with pytest.raises(CanOperationError, match="nxReadFrame"):
        bus.recv(0)
    assert [message.arbitration_id for message in received(bus, 1)] == [count - 1]
