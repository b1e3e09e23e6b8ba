"""Sending and receiving on the emulated BOA."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cantools_cli.backends.etas import codec
from cantools_cli.backends.etas.bus import EtasBus
from cantools_cli.backends.etas.constants import TEXTS, Result
from cantools_cli.backends.etas.controller import ELEMENTS
from cantools_cli.errors import (
    CanError,
    CanOperationError,
    CanTimeoutError,
    InvalidMessageError,
)
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.backends.etas.common import OTHER, SECONDS, URI, calls, received, std
from tests.strategies import messages
from tests.vendor.kit import (
    Stub,
)

KIND_INTERNAL = 5  # of an injected record


# --- frames -------------------------------------------------------------------------------------------


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(batch=st.lists(messages(kinds=("classic", "remote", "fd")), min_size=1, max_size=8))
def test_round_trip(bus: EtasBus, other: EtasBus, batch: list[Message]) -> None:
    bus.send_batch(MessageBatch(batch))
    for sent, found in zip(batch, received(other, len(batch)), strict=True):
        sent.error_state_indicator = False  # it is the controller's
        assert found.equals(sent, timestamp_delta=None, check_channel=False, check_direction=False)
        assert (found.channel, found.is_rx) == (OTHER, True)


def test_own_messages(stub: Stub) -> None:
    own = [{"can_id": 2, "can_mask": 0x7FF}]
    with EtasBus(URI, own, receive_own_messages=True) as bus:  # type: ignore[arg-type]  # plain dictionaries
        bus.send_batch(MessageBatch([std(1), std(2)]))
        [frame] = received(bus, 1)
        assert (frame.arbitration_id, frame.is_rx) == (2, False)
        assert bus.recv(0) is None


def test_without_own_messages(stub: Stub, bus: EtasBus) -> None:
    bus.send(std(1))
    stub.inject(0, arbitration_id=2)
    assert received(bus, 1)[0].arbitration_id == 2


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (Message(is_error_frame=True, dlc=8, data=bytes(8)), "error frames"),
        (std(0x123, is_fd=True), "classic"),
    ],
)
def test_frames_that_are_refused(stub: Stub, frame: Message, text: str) -> None:
    with EtasBus(URI, fd=False) as bus:
        stub.clear_calls()
        with pytest.raises(InvalidMessageError, match=text):
            bus.send_batch(MessageBatch([std(1), frame]))
        assert not calls(stub)


def test_a_bus_that_listens_only(stub: Stub) -> None:
    with EtasBus(URI, listen_only=True) as bus, pytest.raises(CanOperationError, match="listens only"):
        bus.send(std(1))


def test_a_full_queue(stub: Stub, bus: EtasBus) -> None:
    stub.set("tx_full", 1)
    for timeout in (0, 0.03):
        with pytest.raises(CanTimeoutError, match=f"etas:{URI}: the transmit queue is full") as caught:
            bus.send(std(1), timeout)
        assert caught.value.sent == 0
    ticks = [line.split()[1] for line in calls(stub, "OCI_WriteCANDataEx")]
    assert ticks[0] == "time=0"
    assert {*ticks[1:]} <= {f"time={count}" for count in range(37_038)}  # 0.03 s, rounded up
    assert f"time={37_037 + 1}" not in ticks


def test_room_in_time(stub: Stub, bus: EtasBus, other: EtasBus) -> None:
    stub.set("tx_full", 1)
    sent: list[object] = []
    thread = threading.Thread(target=lambda: sent.append(bus.send(std(1))))
    thread.start()
    while not calls(stub, "OCI_WriteCANDataEx"):
        time.sleep(0)
    stub.set("tx_full", 0)
    thread.join(SECONDS)
    assert sent == [None]
    assert received(other, 1)[0].arbitration_id == 1


def test_closing_ends_a_send(stub: Stub, bus: EtasBus) -> None:
    stub.set("tx_full", 1)
    errors: list[CanError] = []

    def send() -> None:
        try:
            bus.send_batch(MessageBatch([std(1), std(2)]))
        except CanError as error:
            errors.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    while not calls(stub, "OCI_WriteCANDataEx"):
        time.sleep(0)
    bus.shutdown()
    thread.join(SECONDS)
    assert isinstance(errors[0], CanOperationError)
    assert errors[0].sent == 0


def test_an_error_of_sending(stub: Stub, bus: EtasBus) -> None:
    stub.fail("OCI_WriteCANDataEx", Result.BUSY, skip=1)
    with pytest.raises(CanOperationError, match=f"etas:{URI}: OCI_WriteCANDataEx: Gerät: refused") as caught:
        bus.send_batch(MessageBatch([std(1), std(2)]))
    assert (caught.value.sent, caught.value.error_code) == (1, Result.BUSY)
    bus.send(std(3))


def test_warnings_are_logged_once(stub: Stub, bus: EtasBus, caplog: pytest.LogCaptureFixture) -> None:
    stub.fail("OCI_WriteCANDataEx", Result.WARN_ORDER_NOT_KEPT, count=2)
    for _ in range(3):
        bus.send(std(1))
    assert caplog.messages == [f"etas:{URI}: OCI_WriteCANDataEx: Gerät: refused (0x40004001)"]


def test_flushing(stub: Stub, bus: EtasBus) -> None:
    bus.flush_tx_buffer()
    assert calls(stub)[-1] == "OCI_ResetQueue"
    bus.shutdown()
    with pytest.raises(CanOperationError, match="closed"):
        bus.flush_tx_buffer()


# --- receiving ----------------------------------------------------------------------------------------


def test_timeouts(stub: Stub, bus: EtasBus) -> None:
    stub.clear_calls()
    assert bus.recv(0) is None
    assert not calls(stub)  # a poll of the library is not in the log
    assert bus.recv(0.0001) is None
    [wait, *_] = calls(stub, "OCI_ReadCANDataEx")
    assert 1 <= int(wait.rpartition("=")[2]) <= 124  # of 123.4567 ticks, rounded up


def test_waits_come_in_slices(stub: Stub, bus: EtasBus) -> None:
    done: list[BaseException] = []

    def wait() -> None:
        try:
            bus.recv()
        except CanError as error:
            done.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    while len(calls(stub, "OCI_ReadCANDataEx")) < 2:
        time.sleep(0)
    assert {int(line.rpartition("=")[2]) <= 123_457 for line in calls(stub, "OCI_ReadCANDataEx")} == {True}
    bus.shutdown()
    thread.join(SECONDS)
    assert isinstance(done[0], CanOperationError)


def test_many_frames_at_once(stub: Stub, bus: EtasBus) -> None:
    for number in range(3 * ELEMENTS + 7):
        stub.inject(0, arbitration_id=number)
    batch = bus.recv_batch(SECONDS)
    assert batch is not None
    assert [*batch.can_id] == [*range(3 * ELEMENTS + 7)]


def test_threads(stub: Stub, bus: EtasBus, other: EtasBus) -> None:
    count = 5_000

    def send(sender: int) -> None:
        for number in range(count):
            bus.send(std(sender, number.to_bytes(4, "big")))

    threads = [threading.Thread(target=send, args=(sender,)) for sender in (1, 2)]
    for thread in threads:
        thread.start()
    frames = received(other, 2 * count)
    for thread in threads:
        thread.join()
    for sender in (1, 2):
        numbers = [int.from_bytes(frame.data, "big") for frame in frames if frame.arbitration_id == sender]
        assert numbers == [*range(count)]


def test_two_threads_that_receive(stub: Stub, bus: EtasBus) -> None:
    found: list[Message | None] = []
    threads = [threading.Thread(target=lambda: found.append(bus.recv(SECONDS))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for identifier in (1, 2):
        stub.inject(0, arbitration_id=identifier)
        while len(found) < identifier:
            assert any(thread.is_alive() for thread in threads)
            time.sleep(0)
    for thread in threads:
        thread.join()
    assert sorted(frame.arbitration_id for frame in found if frame) == [1, 2]


def test_an_overflow_is_marked(stub: Stub) -> None:
    stub.set("depth", 4)
    with EtasBus(URI) as bus:
        for number in range(6):
            stub.inject(0, arbitration_id=number)
        first, *rest = received(bus, 5)
        assert (first.is_error_frame, first.data[1]) == (True, 1)
        assert [frame.arbitration_id for frame in rest] == [0, 1, 2, 3]
        assert dict(bus.losses) == {codec.OVERFLOWS: 1}


@pytest.mark.parametrize(
    "code", [code for code in TEXTS if code & 0x80000000 and code != Result.DISCONNECTED]
)
def test_every_code_of_receiving(stub: Stub, bus: EtasBus, code: Result) -> None:
    stub.fail("OCI_ReadCANDataEx", code)
    with pytest.raises(CanOperationError, match=f"OCI_ReadCANDataEx: Gerät: refused .{code:#x}.") as caught:
        bus.recv(SECONDS)
    assert caught.value.error_code == code
    stub.inject(0, arbitration_id=1)
    assert received(bus, 1)[0].arbitration_id == 1


def test_a_failure_comes_after_the_frames(stub: Stub, bus: EtasBus) -> None:
    for number in range(ELEMENTS):
        stub.inject(0, arbitration_id=number)
    stub.fail("OCI_ReadCANDataEx", Result.BUSY, skip=1)
    assert len(received(bus, ELEMENTS)) == ELEMENTS
    with pytest.raises(CanOperationError, match="OCI_ReadCANDataEx"):
        bus.recv(0)


def test_a_warning_of_receiving(stub: Stub, bus: EtasBus) -> None:
    stub.fail("OCI_ReadCANDataEx", Result.WARN_ORDER_NOT_KEPT)
    assert bus.recv(0) is None


def test_unplugging(stub: Stub, bus: EtasBus) -> None:
    stub.inject(0, arbitration_id=1)
    stub.unplug()
    with pytest.raises(CanOperationError, match="OCI_WriteCANDataEx: Gerät: device disconnected"):
        bus.send(std(2))
    assert received(bus, 1)[0].arbitration_id == 1
    with pytest.raises(CanOperationError, match=f"etas:{URI}: OCI_ReadCANDataEx: Gerät: device disconnected"):
        bus.recv(SECONDS)
    assert bus.is_shutdown
    assert stub.leaks() == 0


def test_frames_of_a_lost_controller_whose_timer_is_not_readable(stub: Stub, bus: EtasBus) -> None:
    stub.inject(0, arbitration_id=1)
    stub.fail("OCI_GetTimerValue", Result.DISCONNECTED)
    bus._decoder._times_ns.__self__._anchored_ns = -(1 << 60)  # type: ignore[attr-defined]  # of the clock
    assert received(bus, 1)[0].arbitration_id == 1


def test_a_disconnection_in_the_queue(stub: Stub, bus: EtasBus) -> None:
    stub.inject(0, kind=KIND_INTERNAL, code=Result.DISCONNECTED)
    stub.inject(0, arbitration_id=1)
    assert received(bus, 1)[0].arbitration_id == 1
    with pytest.raises(CanOperationError, match="internal error of the driver: Gerät: device disconnected"):
        bus.recv(SECONDS)
    assert bus.is_shutdown


def test_an_internal_error_in_the_queue(stub: Stub, bus: EtasBus) -> None:
    stub.inject(0, kind=KIND_INTERNAL, code=0x80006003)
    with pytest.raises(
        CanOperationError, match=r"internal error of the driver: Gerät: refused \(0x80006003\)"
    ):
        bus.recv(SECONDS)
    stub.inject(0, arbitration_id=1)
    assert received(bus, 1)[0].arbitration_id == 1
