"""The neoVI bus on the emulated library: sending, and hardware that is gone."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from cantools_cli.backends.neovi.errors import ICSOperationError
from cantools_cli.bus.deadline import Deadline
from cantools_cli.errors import CanOperationError, CanTimeoutError, InvalidMessageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.backends.neovi.conftest import Opened
from tests.vendor import kit
from tests.vendor.frames import FD_FRAMES, FRAMES, PATIENCE, received, same


def test_frames_are_refused_before_the_library_is_called(stub: kit.Stub, opened: Opened) -> None:
    bus = opened()
    stub.clear_calls()
    for message in (Message(is_error_frame=True), FD_FRAMES[-1]):
        with pytest.raises(InvalidMessageError) as raised:
            bus.send(message)
        assert isinstance(raised.value, ValueError)
    assert stub.calls() == []


def test_sending_does_not_wait_by_default(stub: kit.Stub, opened: Opened) -> None:
    bus = opened()
    stub.set("no_echo", 1)
    stub.clear_calls()
    bus.send(FRAMES[0])
    assert stub.calls() == ["icsneoTxMessages 1 1"]


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_sending_with_a_timeout_waits_for_the_echo(stub: kit.Stub, opened: Opened, timeout: Any) -> None:
    bus = opened()
    stub.set("echo_ms", 20)
    bus.send(FRAMES[0], timeout)
    found = bus.recv(0)  # the sender has read it
    assert same(found, FRAMES[0])
    assert not found.is_rx


def test_sending_waits_while_another_thread_receives(stub: kit.Stub, opened: Opened) -> None:
    bus = opened()
    stub.set("echo_ms", 20)
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(bus.recv(None)))
    thread.start()
    bus.send(FRAMES[0], PATIENCE)
    thread.join(PATIENCE)
    assert same(found[0], FRAMES[0])


def test_frames_that_a_sender_reads_are_not_lost(stub: kit.Stub, opened: Opened) -> None:
    bus = opened(receive_own_messages=False)
    stub.set("echo_ms", 20)
    stub.inject(1, arbitration_id=5)
    bus.send(FRAMES[0], PATIENCE)
    assert bus.recv(0).arbitration_id == 5


@pytest.mark.parametrize("order", ["no_echo", "echo_error"])
def test_a_frame_that_is_not_sent_in_time(stub: kit.Stub, opened: Opened, order: str) -> None:
    bus = opened()
    stub.set(order, 1)
    with pytest.raises(CanTimeoutError, match=r"^neovi:1: the device has not sent") as raised:
        bus.send(FRAMES[0], 0.03)
    assert raised.value.sent == 0
    assert not bus._receipts


def test_the_timeout_of_a_batch_says_how_many_were_sent(stub: kit.Stub, opened: Opened) -> None:
    bus = opened()
    bus.send_batch(MessageBatch(FRAMES[:2]), PATIENCE)
    stub.set("echo_ms", 60_000)
    with pytest.raises(CanTimeoutError) as raised:
        bus.send_batch(MessageBatch(FRAMES), 0.03)
    assert raised.value.sent == 0


def test_a_frame_that_the_device_refuses(stub: kit.Stub, opened: Opened) -> None:
    bus = opened()
    stub.fail("icsneoTxMessages", 95, skip=2)
    with pytest.raises(ICSOperationError) as raised:
        bus.send_batch(MessageBatch(FRAMES), 0)
    assert (raised.value.error_code, raised.value.sent) == (95, 2)
    assert str(raised.value).startswith("neovi:1: The message was not sent. ")
    assert raised.value.is_critical
    bus.send(FRAMES[0])


def test_a_refusal_without_a_reason(stub: kit.Stub, opened: Opened) -> None:
    bus = opened()
    stub.fail("icsneoTxMessages", 95)
    stub.fail("icsneoGetLastAPIError", 0)
    with pytest.raises(CanOperationError, match=r"icsneoTxMessages.. Failed"):
        bus.send(FRAMES[0])


def test_periodic_sending(pair: Any) -> None:
    one, other = pair
    task = one.send_periodic(FRAMES[0], 0.002)
    found = received(other, 3)
    task.stop()
    assert all(same(message, FRAMES[0]) for message in found)


# --- a device that is gone -----------------------------------------------------------------------------


def test_unplugging_ends_receiving_after_the_fetched_frames(stub: kit.Stub, opened: Opened) -> None:
    bus = opened()
    stub.inject(1, arbitration_id=5)
    stub.inject(1, arbitration_id=6)
    assert bus.recv(PATIENCE).arbitration_id == 5
    stub.unplug(1)
    assert bus.recv(PATIENCE).arbitration_id == 6
    with pytest.raises(CanOperationError, match=r"^neovi:1: the device is gone"):
        bus.recv(PATIENCE)
    assert bus.is_shutdown


def test_unplugging_ends_a_wait(stub: kit.Stub, opened: Opened) -> None:
    bus = opened()
    errors: list[CanOperationError] = []

    def wait() -> None:
        with pytest.raises(CanOperationError) as raised:
            bus.recv(None)
        errors.append(raised.value)

    thread = threading.Thread(target=wait)
    thread.start()
    stub.unplug(1)
    thread.join(PATIENCE)
    assert "gone" in str(errors[0])


def test_unplugging_fails_a_send(stub: kit.Stub, opened: Opened) -> None:
    bus = opened()
    stub.unplug(1)
    for timeout in (0, None):
        with pytest.raises(CanOperationError, match="gone") as raised:
            bus.send(FRAMES[0], timeout)
        assert raised.value.sent == 0
    with pytest.raises(CanOperationError, match="gone"):
        bus.recv(0)
    assert bus.is_shutdown


def test_what_a_sender_has_read_is_received_before_the_error(stub: kit.Stub, opened: Opened) -> None:
    bus = opened(receive_own_messages=False)
    stub.inject(1, arbitration_id=5)
    bus.send(FRAMES[0], PATIENCE)  # reads both
    stub.unplug(1)
    with pytest.raises(CanOperationError, match="gone"):
        bus.send(FRAMES[0], PATIENCE)
    assert bus.recv(0).arbitration_id == 5
    with pytest.raises(CanOperationError, match="gone"):
        bus.recv(0)


def test_frames_that_are_read_before_a_sender_notices_the_loss(stub: kit.Stub, opened: Opened) -> None:
    bus = opened(receive_own_messages=False)
    stub.set("no_echo", 1)
    stub.inject(1, arbitration_id=5)
    errors: list[CanOperationError] = []

    def send() -> None:
        with pytest.raises(CanOperationError) as raised:
            bus.send(FRAMES[0], None)
        errors.append(raised.value)

    thread = threading.Thread(target=send)
    thread.start()
    while not bus._pump.has_frames():
        pass
    stub.unplug(1)
    thread.join(PATIENCE)
    assert bus.recv(0).arbitration_id == 5
    with pytest.raises(CanOperationError, match="gone"):
        bus.recv(0)


def test_a_device_that_is_gone_is_closed_without_an_error(stub: kit.Stub, opened: Opened) -> None:
    bus = opened()
    stub.unplug(1)
    bus.shutdown()
    assert stub.leaks() == 0


def test_unplugging_ends_a_send_that_waits(stub: kit.Stub, opened: Opened) -> None:
    bus = opened()
    stub.set("no_echo", 1)
    errors: list[CanOperationError] = []

    def send() -> None:
        with pytest.raises(CanOperationError) as raised:
            bus.send(FRAMES[0], None)
        errors.append(raised.value)

    thread = threading.Thread(target=send)
    thread.start()
    while stub.functions.stub_sent_count() == 0:
        pass
    stub.unplug(1)
    thread.join(PATIENCE)
    assert "gone" in str(errors[0])


def test_a_failure_of_receiving_is_the_error_of_the_api(stub: kit.Stub, opened: Opened) -> None:
    bus = opened()
    stub.fail("icsneoGetMessages", 11)
    with pytest.raises(ICSOperationError, match=r"^neovi:1: A parameter is invalid") as raised:
        bus.recv(0)
    assert raised.value.error_code == 11
    assert bus.recv(0) is None  # it goes on


def test_a_failure_of_closing_is_reported_once(stub: kit.Stub, opened: Opened) -> None:
    bus = opened()
    stub.set("close_fails", 1)
    with pytest.raises(CanOperationError, match=r"icsneoClosePort.. Failed"):
        bus.shutdown()
    assert bus.is_shutdown
    bus.shutdown()
    bus.dev._handle = None


def test_there_is_no_descriptor(opened: Opened) -> None:
    with pytest.raises(NotImplementedError):
        opened().fileno()


def test_another_thread_takes_the_last_echo(opened: Opened) -> None:
    class Emptied(dict[tuple[int, int], int]):
        """Whose last entry is gone when it is looked at."""

        def values(self) -> Any:
            self.clear()
            return super().values()

    opened()._confirm(Emptied({(1, 1): 0}), Deadline(PATIENCE))
