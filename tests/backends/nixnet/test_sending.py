"""The NI-XNET bus on the emulated library: sending, and hardware that is gone."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from cantools_cli.backends.nixnet import bus as backend
from cantools_cli.errors import CanOperationError, CanTimeoutError, InvalidMessageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.backends.nixnet.conftest import Opened
from tests.vendor import kit
from tests.vendor.frames import FD_FRAMES, FRAMES, PATIENCE, received, same

LOST = 0xBFF630B2


def test_frames_are_refused_before_the_library_is_called(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("CAN1")
    stub.clear_calls()
    for message in (Message(is_error_frame=True), FD_FRAMES[-1]):
        with pytest.raises(InvalidMessageError) as raised:
            bus.send(message)
        assert isinstance(raised.value, ValueError)
        assert raised.value.sent == 0
    assert stub.calls() == []


def test_a_bus_without_switching_refuses_it(opened: Opened) -> None:
    one, other = opened("CAN1", fd=True, brs=False), opened("CAN2", fd=True, brs=False)
    one.send(FD_FRAMES[-1])
    assert same(received(other, 1)[0], FD_FRAMES[-1])
    with pytest.raises(InvalidMessageError, match="bit-rate switching"):
        one.send(FD_FRAMES[-2])


def test_a_listen_only_bus_does_not_send(stub: kit.Stub, opened: Opened) -> None:
    bus, other = opened("CAN1", listen_only=True), opened("CAN2")
    with pytest.raises(CanOperationError, match="listen-only"):
        bus.send(FRAMES[0])
    other.send(FRAMES[0])
    assert same(received(bus, 1)[0], FRAMES[0])


def test_sending_with_a_timeout_waits_until_the_frame_is_sent(stub: kit.Stub, opened: Opened) -> None:
    bus, other = opened("CAN1"), opened("CAN2")
    stub.set("hold", 1)
    bus.send(FRAMES[0], None)
    bus.send(FRAMES[0], 0)
    with pytest.raises(CanTimeoutError, match="no node acknowledges") as raised:
        bus.send_batch(MessageBatch(FRAMES[:3]), 0.03)
    assert (raised.value.error_code, raised.value.sent) == (0xBFF6300A, 0)
    thread = threading.Thread(target=bus.send, args=(FRAMES[1], PATIENCE))
    thread.start()
    stub.set("hold", 0)
    thread.join(PATIENCE)
    assert len(received(other, 6)) == 6


def test_waiting_for_a_frame_to_be_sent_fails(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("CAN1")
    stub.fail("nxWait", 0xBFF63001)
    with pytest.raises(CanOperationError, match=r"^nixnet:CAN1: nxWait: NI-XNET: ") as raised:
        bus.send(FRAMES[0], 1)
    assert raised.value.error_code == 0xBFF63001


def test_a_library_that_cannot_wait(stub: kit.Stub, opened: Opened, monkeypatch: Any) -> None:
    bus = opened("CAN1")

    def missing(timeout: float) -> None:
        raise bus._package._lib.XnetFunctionNotSupportedError("nxWait")

    monkeypatch.setattr(bus._out, "wait_for_transmit_complete", missing)
    bus.send(FRAMES[0], 1)
    bus.shutdown()
    assert not bus.losses


def test_a_full_queue_times_out(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("CAN1")
    stub.set("hold", 1)
    stub.set("room", 3)
    with pytest.raises(CanTimeoutError, match=r"^nixnet:CAN1: nxWriteFrame: the transmit queue") as raised:
        bus.send_batch(MessageBatch([FRAMES[0]] * 5), 0.05)
    assert raised.value.sent == 3
    assert raised.value.error_code == 0xBFF6300A
    with pytest.raises(CanTimeoutError):
        bus.send(FRAMES[0], 0)
    bus.flush_tx_buffer()
    bus.send(FRAMES[0], 0)
    bus.flush_tx_buffer()


def test_a_full_queue_is_waited_for(stub: kit.Stub, opened: Opened) -> None:
    bus, other = opened("CAN1"), opened("CAN2")
    stub.set("hold", 1)
    stub.set("room", 1)
    bus.send(FRAMES[0])
    thread = threading.Thread(target=bus.send, args=(FRAMES[1],))
    thread.start()
    stub.set("hold", 0)
    thread.join(PATIENCE)
    assert all(map(same, received(other, 2), FRAMES))


def test_an_overflow_of_the_output_queue_is_tried_again(stub: kit.Stub, pair: Any) -> None:
    stub.fail("nxWriteFrame", 0xBFF63008, count=3)
    pair[0].send(FRAMES[0], PATIENCE)
    assert same(received(pair[1], 1)[0], FRAMES[0])


@pytest.mark.parametrize("code", [0xBFF63020, 0xBFF6309F, 0xBFF630A3, 0xBFF63176, 0xBFF63228])
def test_other_failures_of_sending(stub: kit.Stub, opened: Opened, code: int) -> None:
    bus = opened("CAN1")
    stub.fail("nxWriteFrame", code, skip=1)
    with pytest.raises(CanOperationError, match=r"^nixnet:CAN1: nxWriteFrame: NI-XNET: ") as raised:
        bus.send_batch(MessageBatch(FRAMES))
    assert (raised.value.error_code, raised.value.sent) == (code, 1)
    bus.send(FRAMES[0])


def test_closing_waits_for_the_last_frames(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("CAN1")
    bus.send(FRAMES[0])
    stub.clear_calls()
    bus.shutdown()
    functions = [call.split()[0] for call in stub.calls()]
    assert functions.index("nxWait") < functions.index("nxFlush")
    assert not bus.losses


def test_frames_that_closing_discards_are_counted(
    stub: kit.Stub, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    bus = opened("CAN1")
    stub.set("hold", 1)
    bus.send(FRAMES[0])
    bus.send(FRAMES[1])
    bus.shutdown()
    assert bus.losses == {backend.UNSENT: 2}
    assert "2 unsent frames discarded" in caplog.text


# --- an interface that is gone -------------------------------------------------------------------------


def test_unplugging_ends_receiving_after_the_queued_frames(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("CAN1")
    stub.inject(1, arbitration_id=5)
    stub.unplug(1)
    assert received(bus, 1)[0].arbitration_id == 5
    with pytest.raises(CanOperationError, match="connection to the device is lost") as raised:
        bus.recv(PATIENCE)
    assert raised.value.error_code == LOST
    assert bus.is_shutdown


def test_unplugging_ends_a_wait(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("CAN1")
    errors: list[CanOperationError] = []

    def wait() -> None:
        with pytest.raises(CanOperationError) as raised:
            bus.recv(None)
        errors.append(raised.value)

    thread = threading.Thread(target=wait)
    thread.start()
    stub.unplug(1)
    thread.join(PATIENCE)
    assert errors[0].error_code == LOST


def test_unplugging_fails_a_send(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("CAN1")
    stub.inject(1, arbitration_id=5)
    stub.unplug(1)
    with pytest.raises(CanOperationError, match="lost"):
        bus.send(FRAMES[0])
    assert received(bus, 1)[0].arbitration_id == 5
    with pytest.raises(CanOperationError, match="lost"):
        bus.recv(0)
    assert bus.is_shutdown


def test_a_failure_of_reading_is_reported_with_code_and_text(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("CAN1")
    stub.fail("nxReadFrame", 0xBFF63001)
    with pytest.raises(
        CanOperationError, match=r"^nixnet:CAN1: nxReadFrame: NI-XNET: .*0xBFF63001"
    ) as raised:
        bus.recv(0)
    assert raised.value.error_code == 0xBFF63001
    assert bus.recv(0) is None  # it goes on


def test_a_failure_of_closing_is_raised_once_all_is_closed(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("CAN1")
    stub.fail("nxClear", 0xBFF63001)
    with pytest.raises(CanOperationError, match="nxClear"):
        bus.shutdown()
    assert bus.is_shutdown
    assert stub.leaks() == 1  # that of the session that was not cleared
    stub.reset()


def test_periodic_sending(pair: Any) -> None:
    one, other = pair
    task = one.send_periodic(FRAMES[0], 0.002)
    found = received(other, 3)
    task.stop()
    assert all(same(message, FRAMES[0]) for message in found)


def test_there_is_no_descriptor(opened: Opened) -> None:
    with pytest.raises(NotImplementedError):
        opened("CAN1").fileno()


def test_the_clock_is_that_of_the_computer(pair: Any) -> None:
    before = time.time()
    pair[0].send(FRAMES[0])
    assert before - 1 < received(pair[1], 1)[0].timestamp < time.time() + 1
