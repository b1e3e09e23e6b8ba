"""Sending, receiving, errors, state and times on the emulated NI-CAN."""

from __future__ import annotations

import logging
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cantools_cli.backends.nican import bus as module
from cantools_cli.backends.nican.bus import OVERFLOWS, NicanBus
from cantools_cli.backends.nican.errors import _TEXTS, NicanOperationError, error_status
from cantools_cli.bus.base import BusState
from cantools_cli.errors import CanError, CanOperationError, CanTimeoutError, InvalidMessageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.backends.nican.common import SECONDS, calls, received, std
from tests.strategies import messages
from tests.vendor.kit import KIND_ERROR, KIND_OVERRUN, KIND_STATE, Stub, compiled, loaded

FULL, GONE = error_status(0x008), error_status(0x121)
TYPE = 10  # an injected record of kind 10 + n is a frame of type n


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(batch=st.lists(messages(kinds=("classic", "remote")), min_size=1, max_size=8))
def test_round_trip(bus: NicanBus, other: NicanBus, batch: list[Message]) -> None:
    bus.send_batch(MessageBatch(batch))
    for sent, found in zip(batch, received(other, len(batch)), strict=True):
        assert found.equals(sent, timestamp_delta=None, check_channel=False, check_direction=False)
        assert (found.channel, found.is_rx) == ("CAN1", True)


def test_own_messages(stub: Stub) -> None:
    with NicanBus("CAN0", receive_own_messages=True) as bus:
        stub.inject(0, arbitration_id=1)
        bus.send_batch(MessageBatch([std(1), std(2, b"\1"), std(2, b"\2")]))
        found = received(bus, 4)
        assert [frame.arbitration_id for frame in found] == [1, 1, 2, 2]
        assert sorted(frame.is_rx for frame in found) == [False, False, False, True]


def test_without_own_messages(stub: Stub, bus: NicanBus) -> None:
    bus.send(std(1))
    stub.inject(0, arbitration_id=2)
    assert received(bus, 1)[0].arbitration_id == 2


def test_a_frame_that_was_not_sent_is_not_own(stub: Stub) -> None:
    with NicanBus("CAN0", receive_own_messages=True) as bus:
        stub.fail("ncWrite", error_status(0x002))
        with pytest.raises(NicanOperationError):
            bus.send(std(1))
        stub.inject(0, arbitration_id=1)
        assert received(bus, 1)[0].is_rx


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (Message(is_error_frame=True, dlc=8, data=bytes(8)), "NI-CAN cannot send error frames"),
        (std(1, is_fd=True), "NI-CAN cannot send CAN FD frames"),
    ],
)
def test_frames_that_are_refused(stub: Stub, bus: NicanBus, frame: Message, text: str) -> None:
    stub.clear_calls()
    with pytest.raises(InvalidMessageError, match=text):
        bus.send_batch(MessageBatch([std(1), frame]))
    assert not calls(stub)


def test_a_bus_that_listens_only(stub: Stub) -> None:
    with NicanBus("CAN0", listen_only=True) as bus, pytest.raises(CanOperationError, match="listens only"):
        bus.send(std(1))


@pytest.mark.parametrize("timeout", [0, 0.02, None])
def test_a_full_queue(
    stub: Stub, bus: NicanBus, timeout: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SEND_SECONDS", 0.02)
    stub.set("tx_full", 1)
    with pytest.raises(CanTimeoutError, match="nican:CAN0: the write queue is full") as caught:
        bus.send(std(1), timeout)
    assert caught.value.sent == 0
    assert (len(calls(stub, "ncWrite")) == 1) == (timeout == 0)


def test_room_in_time(stub: Stub, bus: NicanBus, other: NicanBus) -> None:
    stub.fail("ncWrite", FULL, count=2)
    bus.send(std(1), SECONDS)
    assert received(other, 1)[0].arbitration_id == 1


def test_closing_ends_a_send(stub: Stub, bus: NicanBus) -> None:
    stub.set("tx_full", 1)
    errors: list[CanError] = []

    def send() -> None:
        try:
            bus.send(std(1), SECONDS)
        except CanError as error:
            errors.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    while not calls(stub, "ncWrite"):
        time.sleep(0)
    bus.shutdown()
    thread.join(SECONDS)
    assert isinstance(errors[0], CanOperationError)


def test_an_error_of_sending(stub: Stub, bus: NicanBus) -> None:
    stub.fail("ncWrite", error_status(0x112), skip=1)
    with pytest.raises(NicanOperationError, match="nican:CAN0: ncWrite: NI-CAN: status BFF62112") as caught:
        bus.send_batch(MessageBatch([std(1), std(2)]))
    assert (caught.value.sent, caught.value.error_code) == (1, error_status(0x112))


@pytest.mark.parametrize("padded", [0, 1])
def test_both_sizes_of_a_frame(stub: Stub, bus: NicanBus, other: NicanBus, padded: int) -> None:
    stub.set("padded", padded)
    for number in (1, 2):
        bus.send(std(number, b"\1\2"))
    assert [bytes(frame.data) for frame in received(other, 2)] == [b"\1\2"] * 2


def test_warnings_are_logged_once(stub: Stub, bus: NicanBus, caplog: pytest.LogCaptureFixture) -> None:
    stub.set("warning", 0x3FF62004)
    for _ in range(2):
        bus.send(std(1))
    assert caplog.messages == ["nican:CAN0: ncWrite: NI-CAN: status 3FF62004. See the manual."]


# --- receiving ----------------------------------------------------------------------------------------


def test_timeouts(stub: Stub, bus: NicanBus) -> None:
    stub.clear_calls()
    assert bus.recv(0) is None
    assert not calls(stub)  # a poll of the library is not in the log
    assert bus.recv(0.0004) is None
    assert calls(stub) == ["ncWaitForState 1 1"]  # rounded up


def test_waits_come_in_slices(stub: Stub, bus: NicanBus) -> None:
    errors: list[CanError] = []

    def wait() -> None:
        try:
            bus.recv()
        except CanError as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    while len(calls(stub, "ncWaitForState")) < 2:
        time.sleep(0)
    assert {*calls(stub, "ncWaitForState")} <= {"ncWaitForState 1 64", "ncWaitForState 1 63"}
    bus.shutdown()
    thread.join(SECONDS)
    assert isinstance(errors[0], CanOperationError)


@pytest.mark.parametrize(("receivers", "count"), [(1, 5_000), (2, 1_000)])
def test_threads(stub: Stub, receivers: int, count: int) -> None:
    """Two senders; of several receivers one waits at a time, as NI-CAN wants it."""
    found: list[Message] = []
    with NicanBus("CAN0", read_queue=16_384) as bus, NicanBus("CAN1") as other:

        def send(sender: int) -> None:
            for number in range(count):
                other.send(std(sender, number.to_bytes(4, "big")))

        def receive() -> None:
            while len(found) < 2 * count:
                batch = bus.recv_batch(0.01)
                if batch is not None:
                    found.extend([*batch])

        threads = [threading.Thread(target=send, args=(sender,)) for sender in (1, 2)]
        threads += [threading.Thread(target=receive) for _ in range(receivers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert not bus.losses
    for sender in (1, 2):
        numbers = [int.from_bytes(frame.data, "big") for frame in found if frame.arbitration_id == sender]
        assert (sorted(numbers) if receivers > 1 else numbers) == [*range(count)]


def test_many_frames_at_once(stub: Stub, bus: NicanBus) -> None:
    for number in range(1000):
        stub.inject(0, arbitration_id=number)
    batch = bus.recv_batch(SECONDS)
    assert batch is not None
    assert [*batch.can_id] == [*range(1000)]


def test_an_overflow_is_marked(stub: Stub) -> None:
    with NicanBus("CAN0", read_queue=4) as bus:
        for number in range(6):
            stub.inject(0, arbitration_id=number)
        frames = received(bus, 5)
        assert sorted(frame.arbitration_id for frame in frames if not frame.is_error_frame) == [0, 1, 2, 3]
        [mark] = [frame for frame in frames if frame.is_error_frame]
        assert (mark.arbitration_id, mark.data[1]) == (4, 1)
        assert dict(bus.losses) == {OVERFLOWS: 1}


def test_an_overflow_that_a_wait_reports(stub: Stub, bus: NicanBus) -> None:
    stub.fail("ncWaitForState", error_status(0x048))
    assert received(bus, 1)[0].is_error_frame
    assert bus.losses[OVERFLOWS] == 1


def test_a_minimal_library_reports_overflows(monkeypatch: pytest.MonkeyPatch) -> None:
    path = compiled("nican", "MINIMAL=1")
    with loaded(path) as stub, NicanBus("CAN0", library=path) as bus:
        stub.inject(0, kind=KIND_OVERRUN)
        stub.inject(0, arbitration_id=1)
        frames = received(bus, 2)
        assert sorted(frame.is_error_frame for frame in frames) == [False, True]


@pytest.mark.parametrize("function", ["ncWaitForState", "ncReadMult"])
@pytest.mark.parametrize("number", [*_TEXTS])
def test_every_code_of_receiving(stub: Stub, bus: NicanBus, function: str, number: int) -> None:
    code = error_status(number)
    stub.inject(0, arbitration_id=1)
    stub.fail(function, code)
    if code in (error_status(1), FULL, *(error_status(n) for n in (0x028, 0x048, 0x068))):
        if function == "ncWaitForState" or number != 1:
            assert not {1} - {frame.arbitration_id for frame in received(bus, 1 if number == 1 else 2)}
        return
    with pytest.raises(NicanOperationError, match=f"nican:CAN0: {function}: ") as caught:
        bus.recv(SECONDS)
    assert caught.value.error_code == code
    assert bus.is_shutdown == (code == GONE)
    if code != GONE:
        assert received(bus, 1)[0].arbitration_id == 1


def test_a_failure_comes_after_the_frames(stub: Stub, bus: NicanBus) -> None:
    for number in range(300):
        stub.inject(0, arbitration_id=number)
    stub.fail("ncReadMult", error_status(0x002), skip=1)
    assert len(received(bus, 256)) == 256
    with pytest.raises(NicanOperationError, match="ncReadMult"):
        bus.recv(0)
    assert len(received(bus, 44)) == 44


def test_unplugging(stub: Stub, bus: NicanBus) -> None:
    stub.inject(0, arbitration_id=1)
    stub.unplug()
    with pytest.raises(NicanOperationError, match="ncWrite"):
        bus.send(std(2))
    assert received(bus, 1)[0].arbitration_id == 1
    with pytest.raises(NicanOperationError, match="nican:CAN0: ncWaitForState: NI-CAN: status BFF62121"):
        bus.recv(SECONDS)
    assert bus.is_shutdown
    assert stub.leaks() == 0


# --- errors and state ---------------------------------------------------------------------------------


def test_communication_errors(stub: Stub) -> None:
    for logs, expected in ((True, [0x28, 1]), (False, [1])):
        with NicanBus("CAN0", log_errors=logs) as bus:
            stub.inject(0, kind=KIND_ERROR, code=0xBFF6206B)
            stub.inject(0, arbitration_id=1)
            frames = received(bus, len(expected))
            assert [frame.arbitration_id & 0x7F & ~0x80 for frame in frames][-1] == 1
            assert [frame.is_error_frame for frame in frames] == [True, False][-len(expected) :]
            if logs:
                assert frames[0].data[5] == 0x6B


def test_another_bit_rate_on_the_bus(stub: Stub) -> None:
    with NicanBus("CAN0", bitrate=500_000) as bus, NicanBus("CAN1", bitrate=250_000) as other:
        other.send(std(1))
        assert received(bus, 1)[0].is_error_frame


def test_other_frames_are_skipped(stub: Stub, bus: NicanBus, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="can")
    stub.inject(0, kind=TYPE + 4)
    stub.inject(0, kind=TYPE + 7)
    assert received(bus, 1)[0].arbitration_id == 0x10
    assert caplog.messages == ["nican:CAN0: skipped a frame of type start"]


@pytest.mark.parametrize(
    ("code", "state"),
    [(0x00_00_7F_00, BusState.ACTIVE), (0x00_80_00_01, BusState.PASSIVE), (0x00_00_FF_02, BusState.ERROR)],
)
def test_the_state(stub: Stub, bus: NicanBus, code: int, state: BusState) -> None:
    stub.inject(0, kind=KIND_STATE, code=code)
    assert received(bus, 1)[0].is_error_frame
    assert bus.state is state
    with pytest.raises(NotImplementedError):
        bus.state = BusState.ACTIVE


def test_the_state_by_error_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    path = compiled("nican", "MINIMAL=1")
    with loaded(path) as stub, NicanBus("CAN0", library=path) as bus:
        assert bus.state is BusState.ACTIVE
        stub.inject(0, kind=KIND_STATE, code=0x00_80_00_01)
        assert received(bus, 1)[0].is_error_frame
        assert bus.state is BusState.PASSIVE


@pytest.mark.parametrize("keeps_running", [0, 1])
def test_reset(stub: Stub, bus: NicanBus, keeps_running: int) -> None:
    stub.set("keeps_running", keeps_running)
    stub.inject(0, kind=KIND_STATE, code=0x00_00_90_01)
    stub.inject(0, arbitration_id=1)
    assert received(bus, 1)[0].is_error_frame
    bus.reset()
    assert bus.state is BusState.ACTIVE
    assert bus.recv(0) is None
    starts = [] if keeps_running else ["ncAction 80000001 0"]
    assert calls(stub, "ncAction") == ["ncAction 80000003 0", *starts]
    bus.send(std(1))
    stub.fail("ncAction", error_status(0x002))
    with pytest.raises(NicanOperationError, match="ncAction"):
        bus.reset()


# --- time ---------------------------------------------------------------------------------------------


def test_times_are_those_of_the_driver(stub: Stub, bus: NicanBus) -> None:
    now = time.time_ns() // 100 * 100
    stub.inject(0, arbitration_id=1, time_ns=now - 10_000_000_000)
    assert received(bus, 1)[0].timestamp_ns == now - 10_000_000_000


def test_times_of_arrival(stub: Stub) -> None:
    with NicanBus("CAN0", timestamps="host") as bus:
        before = time.time_ns()
        stub.inject(0, arbitration_id=1, time_ns=before - 10_000_000_000)
        assert received(bus, 1)[0].timestamp_ns >= before


@pytest.mark.parametrize("time_ns", [1, (1 << 63) - 1])
def test_impossible_times(stub: Stub, bus: NicanBus, time_ns: int, caplog: pytest.LogCaptureFixture) -> None:
    before = time.time_ns()
    for _ in range(2):
        stub.inject(0, arbitration_id=1, time_ns=time_ns)
        assert 0 <= received(bus, 1)[0].timestamp_ns - before < 60_000_000_000
    assert caplog.messages == [
        "nican:CAN0: the driver's clock is wrong; frames get the time of their arrival"
    ]


def test_there_is_no_descriptor(bus: NicanBus) -> None:
    with pytest.raises(NotImplementedError):
        bus.fileno()


def test_periodic_sending(bus: NicanBus, other: NicanBus) -> None:
    task = bus.send_periodic(std(1, b"\1"), 0.005)
    assert [bytes(frame.data) for frame in received(other, 3)] == [b"\1"] * 3
    task.stop()
