"""The neoVI bus on the emulated library: receiving, filters, errors, times, threads."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.backends.neovi import bus as backend
from cantools_cli.backends.neovi import codec
from cantools_cli.bus.base import BusState
from cantools_cli.errors import CanOperationError, InvalidMessageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.backends.neovi.conftest import Opened
from tests.strategies import messages
from tests.vendor import kit
from tests.vendor.frames import FD_FRAMES, FRAMES, PATIENCE, received, same


@pytest.mark.parametrize("is_fd", [False, True])
@pytest.mark.parametrize("network", [1, 534])
def test_frames_go_both_ways(opened: Opened, is_fd: bool, network: int) -> None:
    frames = FD_FRAMES if is_fd else FRAMES
    one, other = (opened(network, fd=is_fd, receive_own_messages=False) for _ in range(2))
    for sender, receiver in ((one, other), (other, one)):
        for frame in frames:
            sender.send(frame)
        found = received(receiver, len(frames))
        assert all(map(same, found, frames))
        assert all(message.is_rx and message.channel == network for message in found)


def test_any_frames_arrive(opened: Opened) -> None:
    one, other = (opened(1, fd=True, receive_own_messages=False) for _ in range(2))

    @given(st.lists(messages(kinds=("classic", "remote", "fd")), min_size=1, max_size=30))
    @settings(max_examples=30)
    def check(frames: list[Message]) -> None:
        for frame in frames:
            one.send(frame)
        assert all(map(same, received(other, len(frames)), frames))

    check()


def test_a_timeout_of_zero_polls(pair: Any) -> None:
    assert pair[0].recv(0) is None


def test_a_short_timeout_does_not_spin(stub: kit.Stub, opened: Opened) -> None:
    bus = opened()
    stub.clear_calls()
    assert bus.recv(0.0504) is None
    assert bus.recv(0.0004) is None
    assert len(stub.calls()) <= 20
    assert "icsneoWaitForRxMessagesWithTimeOut 0" not in stub.calls()  # rounded up


def test_frames_arrive_while_waiting(pair: Any) -> None:
    one, other = pair
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(other.recv(None)))
    thread.start()
    one.send(FRAMES[0])
    thread.join(PATIENCE)
    assert same(found[0], FRAMES[0])


def test_closing_from_another_thread_ends_a_wait(opened: Opened) -> None:
    bus = opened()
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
    bus = opened()
    bus.shutdown()
    stub.clear_calls()
    bus.shutdown()
    actions: list[Callable[[], object]] = [lambda: bus.recv(0), lambda: bus.send(FRAMES[0])]
    for action in actions:
        with pytest.raises(CanOperationError, match="closed bus"):
            action()
    assert stub.calls() == []


def test_a_bus_can_be_opened_again(opened: Opened) -> None:
    for _ in range(3):
        one, other = opened(serial="CVV6KO"), opened(serial="123456")
        one.send(FRAMES[0])
        assert same(received(other, 1)[0], FRAMES[0])
        one.shutdown()
        other.shutdown()


def test_two_senders_and_a_receiver_lose_nothing(pair: Any) -> None:
    one, other = pair
    count = 1000

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
    one.send_batch(MessageBatch(FRAMES * 40), PATIENCE)  # more than wait for their echoes at a time
    found: list[Message] = []
    while len(found) < 40 * len(FRAMES):
        batch = other.recv_batch(PATIENCE)
        assert batch is not None
        found += batch
    assert all(map(same, found, FRAMES * 40))


# --- networks, own messages, filters -------------------------------------------------------------------


def test_frames_of_other_networks_are_left_out(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("1,534")
    for number, network in enumerate((2, 1, 42, 534, 2)):
        stub.inject(1, arbitration_id=number, code=network)
    assert [(m.arbitration_id, m.channel) for m in received(bus, 2)] == [(1, 1), (3, 534)]
    assert bus.recv(0) is None


@pytest.mark.parametrize("channel", [534, "534", "DWCAN_09", "dwcan_09"])
def test_the_channel_of_a_message_selects_the_network(opened: Opened, channel: Any) -> None:
    one, other = (opened("1,534", receive_own_messages=False) for _ in range(2))
    one.send(Message(arbitration_id=5, channel=channel))
    assert received(other, 1)[0].channel == 534


@pytest.mark.parametrize("channel", [None, 2, "can0"])
def test_a_message_for_no_open_network_is_refused(stub: kit.Stub, opened: Opened, channel: Any) -> None:
    bus = opened("1,534")
    stub.clear_calls()
    with pytest.raises(InvalidMessageError, match=r"^neovi:1,534: ") as raised:
        bus.send_batch(MessageBatch([Message(channel=1), Message(channel=channel)]))
    assert isinstance(raised.value, ValueError)
    assert (raised.value.hint, raised.value.sent) == ("one of 1, 534", 0)
    assert stub.calls() == []


def test_a_single_network_takes_frames_of_any_channel(pair: Any) -> None:
    pair[0].send(Message(arbitration_id=5, channel="can0"))
    assert received(pair[1], 1)[0].channel == 1


def test_own_messages(opened: Opened) -> None:
    bus, other = opened(), opened(receive_own_messages=False)
    bus.send(FRAMES[0])
    assert same(received(other, 1)[0], FRAMES[0])
    other.send(FRAMES[2])
    found = received(bus, 2)
    assert [(message.arbitration_id, message.is_rx) for message in found] == [
        (0x123, False),
        (0x1FFFFFFF, True),
    ]
    assert other.recv(0) is None


def test_frames_that_the_device_failed_to_send_are_counted(stub: kit.Stub, opened: Opened) -> None:
    bus = opened()
    stub.set("echo_error", 1)
    bus.send(FRAMES[0])
    assert bus.recv(0) is None
    assert bus.losses == {backend.FAILED: 1}


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
    bus = opened(can_filters=[{"can_id": 2, "can_mask": 0x7FF}])
    bus.send(Message(arbitration_id=1, is_extended_id=False))
    bus.send(Message(arbitration_id=2, is_extended_id=False))
    assert received(bus, 1)[0].arbitration_id == 2


# --- errors, losses, state -----------------------------------------------------------------------------


def test_an_error_frame(stub: kit.Stub, opened: Opened) -> None:
    bus = opened()
    stub.inject(1, kind=kit.KIND_ERROR, code=0x40000)
    [message] = received(bus, 1)
    assert message.is_error_frame
    assert message.arbitration_id == 0x0A0


def test_lost_messages_are_counted_marked_and_logged(
    stub: kit.Stub, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    bus = opened()
    stub.inject(1, kind=kit.KIND_OVERRUN)
    stub.inject(1, kind=kit.KIND_OVERRUN)
    stub.inject(1, arbitration_id=5)
    found = received(bus, 2)
    assert [message.is_error_frame for message in found] == [True, False]
    assert bus.losses == {codec.OVERFLOWS: 1}
    text = "neovi:1: The receive buffer overflowed. Messages were lost [Error Code 39] (2 times)"
    assert [record.getMessage() for record in caplog.records] == [text]
    assert caplog.records[0].levelno == logging.WARNING


def test_error_messages_that_cannot_be_read(
    stub: kit.Stub, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    bus = opened()
    stub.inject(1, kind=kit.KIND_OVERRUN)
    stub.inject(1, arbitration_id=5)
    stub.fail("icsneoGetErrorInfo", 0)
    received(bus, 2)
    assert "icsneoGetErrorInfo() Failed" in caplog.text


@pytest.mark.parametrize(
    ("kind", "code", "state"),
    [
        (kit.KIND_STATE, 0x200, BusState.ERROR),
        (kit.KIND_STATE, 0x20, BusState.PASSIVE),
        (kit.KIND_ERROR, 0x1, BusState.PASSIVE),
        (kit.KIND_ERROR, 0x4, BusState.ACTIVE),
        (kit.KIND_FRAME, 0, BusState.ACTIVE),
    ],
)
def test_the_state(stub: kit.Stub, opened: Opened, kind: int, code: int, state: BusState) -> None:
    bus = opened()
    stub.inject(1, kind=kit.KIND_STATE, code=0x200 if state is BusState.ACTIVE else 0)
    stub.inject(1, kind=kind, code=code)
    received(bus, 2)
    assert bus.state is state


def test_the_state_cannot_be_set(opened: Opened) -> None:
    with pytest.raises(NotImplementedError, match="a setting of the device"):
        opened().state = BusState.PASSIVE


# --- times ---------------------------------------------------------------------------------------------


def test_times_are_those_of_the_device(stub: kit.Stub, opened: Opened) -> None:
    bus = opened()
    moment = time.time_ns() // 100 * 100
    stub.inject(1, arbitration_id=1, time_ns=moment)
    [message] = received(bus, 1)
    assert abs(message.timestamp_ns - moment) < 200  # what a float since 2007 can tell


@pytest.mark.parametrize("years", [-19, 3])
def test_a_clock_that_was_never_set(
    stub: kit.Stub, opened: Opened, caplog: pytest.LogCaptureFixture, years: int
) -> None:
    bus = opened()
    stub.set("clock_shift", years * 31_557_600)
    first = time.time_ns()
    stub.inject(1, arbitration_id=1, time_ns=first)
    stub.inject(1, arbitration_id=2, time_ns=first + 1_000_000)
    stub.inject(1, arbitration_id=3, time_ns=first + 5_000_000)
    stamps = [message.timestamp_ns for message in received(bus, 3)]
    assert abs(stamps[-1] - time.time_ns()) < PATIENCE * 1e9
    assert abs(stamps[2] - stamps[0] - 5_000_000) < 1000
    assert len([record for record in caplog.records if "clock" in record.getMessage()]) == 1


def test_a_late_reader_gets_the_right_times(stub: kit.Stub, opened: Opened, monkeypatch: Any) -> None:
    bus = opened()
    bus._opened_ns -= 3600 * 10**9
    moment = time.time_ns() - 1800 * 10**9  # it was received half an hour ago
    stub.inject(1, arbitration_id=1, time_ns=moment)
    assert abs(received(bus, 1)[0].timestamp_ns - moment) < 200


def test_the_clock_of_the_computer(stub: kit.Stub, opened: Opened) -> None:
    bus = opened(use_system_timestamp=True)
    now = time.time_ns()
    low = now // 1_000_000 & 0xFFFFFFFF
    stub.set("system_shift", 0xFFFFFFFF - low)  # the counter wraps between the frames
    stub.inject(1, arbitration_id=1, time_ns=now)
    stub.inject(1, arbitration_id=2, time_ns=now + 4_000_000)
    one, other = received(bus, 2)
    assert abs(other.timestamp_ns - one.timestamp_ns - 4_000_000) <= 1_000_000
    assert abs(one.timestamp - time.time()) < PATIENCE


def test_frames_that_may_have_waited_do_not_set_the_clock_of_the_computer(
    stub: kit.Stub, opened: Opened
) -> None:
    bus = opened(use_system_timestamp=True)
    seen = []

    class Clock:
        def times_ns(self, counts: list[int], *, may_be_old: bool) -> list[int]:
            seen.append(may_be_old)
            return [0] * len(counts)

    bus._system_clock = Clock()
    for _ in range(2):
        bus._read_ns -= 3600 * 10**9  # nothing was read for an hour
        stub.inject(1, arbitration_id=1)
        stub.inject(1, arbitration_id=2)
        received(bus, 2)
        stub.inject(1, arbitration_id=3)
        received(bus, 1)
    assert seen == [True, False, True, False]
