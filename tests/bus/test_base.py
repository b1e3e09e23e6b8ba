"""What every bus has in common, on interfaces written in both of the two ways."""

from __future__ import annotations

import gc
import logging
import os
import select
import subprocess
import sys
import threading
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from cantools_cli.bus.base import BusABC, BusState, CanProtocol
from cantools_cli.bus.deadline import Deadline
from cantools_cli.errors import CanError, CanOperationError, CanTimeoutError
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message


class BatchBus(BusABC):
    """An interface in our way: what is received is a script of batches; None where nothing comes in time."""

    def __init__(self, script: Iterable[MessageBatch | None] = (), **kwargs: Any) -> None:
        self.script = [*script]
        self.sent: list[MessageBatch] = []
        self.timeouts: list[float | None] = []
        self.closed = 0
        super().__init__("script", **kwargs)

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        self.timeouts.append(timeout)
        return self.script.pop(0) if self.script else None

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        self.sent.append(batch)

    def _close(self) -> None:
        self.closed += 1


class DocumentedBus(BusABC):
    """An interface as python-can documents it."""

    def __init__(self, channel: Any, can_filters: CanFilters | None = None, **kwargs: Any) -> None:
        self.channel_info = f"documented {channel}"
        self.script: list[tuple[Message | None, bool]] = []
        self.sent: list[Message] = []
        super().__init__(channel, can_filters, **kwargs)

    def send(self, msg: Message, timeout: float | None = None) -> None:
        self.sent.append(msg)

    def _recv_internal(self, timeout: float | None) -> tuple[Message | None, bool]:
        return self.script.pop(0) if self.script else (None, False)


def frames(*identifiers: int) -> list[Message]:
    return [Message(arbitration_id=identifier, is_extended_id=False) for identifier in identifiers]


def batch(*identifiers: int) -> MessageBatch:
    return MessageBatch(frames(*identifiers))


def scripted(kind: type[BusABC], *identifiers: int) -> Any:
    """Return a bus of ``kind`` to which one frame for each identifier comes."""
    if kind is BatchBus:
        return BatchBus([batch(*identifiers)])
    bus = DocumentedBus("x")
    bus.script = [(message, False) for message in frames(*identifiers)]
    return bus


def identifiers(messages: Iterable[Message]) -> list[int]:
    return [message.arbitration_id for message in messages]


def received(bus: BusABC) -> list[int]:
    return identifiers(iter(lambda: bus.recv(0), None))


BOTH = pytest.mark.parametrize("kind", [BatchBus, DocumentedBus])


@BOTH
def test_messages_come_one_by_one_in_order(kind: type[BusABC]) -> None:
    with scripted(kind, 1, 2, 3) as bus:
        assert received(bus) == [1, 2, 3]
        assert bus.recv(0) is None


@BOTH
def test_messages_come_in_batches(kind: type[BusABC]) -> None:
    with scripted(kind, 1, 2, 3) as bus:
        got = []
        while (more := bus.recv_batch(0)) is not None:
            got += identifiers(more)
        assert got == [1, 2, 3]


def test_single_messages_and_batches_do_not_lose_each_other_s() -> None:
    with BatchBus([batch(1, 2, 3), batch(4)]) as bus:
        assert identifiers([bus.recv(0) or Message()]) == [1]
        assert identifiers(bus.recv_batch(0) or ()) == [2, 3]
        assert identifiers(bus.recv_batch(0) or ()) == [4]
        assert bus.recv_batch(0) is None


def test_the_object_of_a_documented_interface_is_handed_on() -> None:
    message = frames(1)[0]
    with DocumentedBus("x") as bus:
        bus.script = [(message, False)]
        assert bus.recv() is message


def test_a_plug_in_may_override_recv_alone() -> None:
    class RecvBus(BusABC):
        def recv(self, timeout: float | None = None) -> Message | None:
            assert not self._is_shutdown
            return frames(7)[0]

    with RecvBus("x") as bus:
        assert identifiers(bus.recv_batch(0) or ()) == [7]
    assert bus._is_shutdown


def test_a_subclass_may_receive_and_send_otherwise_than_its_base() -> None:
    class BatchesOfDocumented(DocumentedBus):
        def _receive(self, timeout: float | None) -> MessageBatch | None:
            return batch(8, 9)

        def _send(self, batch: MessageBatch, timeout: float | None) -> None:
            self.sent += batch

    class DocumentedAgain(BatchesOfDocumented):
        def send(self, msg: Message, timeout: float | None = None) -> None:
            super(DocumentedBus, self).send(msg, timeout)

    with BatchesOfDocumented("x") as bus:
        assert identifiers([bus.recv(0), bus.recv(0)]) == [8, 9]  # type: ignore[list-item]  # never None
        assert identifiers(bus.recv_batch(0) or ()) == [8, 9]
    with DocumentedAgain("x") as again:
        again.send(frames(7)[0])
        assert identifiers(again.sent) == [7]


FILTERS: CanFilters = [{"can_id": 2, "can_mask": 0x7FF, "extended": False}]


@BOTH
def test_only_what_passes_the_filters_is_received(kind: type[BusABC]) -> None:
    with scripted(kind, 1, 2, 3, 2) as bus:
        bus.set_filters(FILTERS)
        assert identifiers([bus.recv(1), bus.recv(1)]) == [2, 2]
        assert bus.filters == FILTERS


@BOTH
@pytest.mark.parametrize("nothing", [None, []])
def test_no_filters_pass_everything(kind: type[BusABC], nothing: CanFilters | None) -> None:
    with scripted(kind, 1, 2) as bus:
        bus.filters = FILTERS
        bus.filters = nothing
        assert bus.filters is None
        assert received(bus) == [1, 2]


def test_filters_apply_to_what_was_fetched_before() -> None:
    with BatchBus([batch(1, 2, 3, 2), batch(1)]) as bus:
        assert bus.recv(0) is not None
        bus.set_filters(FILTERS)
        assert received(bus) == [2, 2]


def test_what_an_interface_filtered_itself_is_not_tested_again() -> None:
    with DocumentedBus("x", FILTERS) as bus:
        bus.script = [(frames(1)[0], True), (frames(3)[0], False)]
        assert identifiers([bus.recv(1) or Message()]) == [1]
        assert bus.recv(0) is None


def test_filters_reach_the_interface() -> None:
    class HardwareBus(BatchBus):
        def _apply_filters(self, filters: CanFilters | None) -> None:
            self.applied = filters

    with HardwareBus(can_filters=FILTERS) as bus:
        assert bus.applied == FILTERS
        bus.set_filters([])
        assert bus.applied is None


def test_frames_that_do_not_pass_use_up_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("cantools_cli.bus.deadline.time.monotonic", lambda: now[0])

    class SlowBus(BatchBus):
        def _receive(self, timeout: float | None) -> MessageBatch | None:
            now[0] += 3.0
            return super()._receive(timeout)

    with SlowBus([batch(1), batch(1)], can_filters=FILTERS) as bus:
        assert bus.recv_batch(5) is None
        assert bus.timeouts == [5.0, 2.0, 0.0]  # what waits already is looked at all the same


@pytest.mark.parametrize("timeout", [None, 0, 2.5])
def test_the_timeout_reaches_the_interface(timeout: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cantools_cli.bus.deadline.time.monotonic", lambda: 7.0)
    with BatchBus([batch(1)]) as bus:
        bus.recv(timeout)
        assert bus.timeouts == [timeout]


class HastyBus(DocumentedBus):
    """Has nothing, and says so at once whatever the timeout."""

    calls = 0

    def _recv_internal(self, timeout: float | None) -> tuple[Message | None, bool]:
        self.calls += 1
        return None, False


@pytest.mark.parametrize("receive", ["recv", "recv_batch"])
def test_an_interface_without_patience_is_not_asked_all_the_time(
    receive: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, naps = [100.0], []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(
        "cantools_cli.bus.deadline.time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep)
    )
    with HastyBus("x") as bus:
        assert getattr(bus, receive)(1.0) is None
        assert now[0] == pytest.approx(101.0)
        assert naps[:3] == [0.0001, 0.0002, 0.0004], "short at first: it may have had a reason"
        assert max(naps) == 0.01
        assert bus.calls == len(naps) + 1


def test_a_deadline_ends_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([1.0, 2.0, 3.5, 3.5])
    monkeypatch.setattr("cantools_cli.bus.deadline.time.monotonic", lambda: next(now))
    deadline = Deadline(2.0)
    assert deadline.remaining() == 1.0
    assert deadline.remaining() == 0.0
    assert deadline.passed
    assert (Deadline(None).remaining(), Deadline(None).passed) == (None, False)


@BOTH
def test_both_ways_of_sending_reach_the_interface(kind: type[BusABC]) -> None:
    with scripted(kind) as bus:
        bus.send(frames(1)[0])
        bus.send_batch(batch(2, 3))
        sent = bus.sent if kind is DocumentedBus else [message for part in bus.sent for message in part]
        assert identifiers(sent) == [1, 2, 3]


def test_a_documented_interface_that_fails_tells_how_many_frames_went() -> None:
    class FullBus(DocumentedBus):
        def send(self, msg: Message, timeout: float | None = None) -> None:
            if len(self.sent) == 2:
                raise CanTimeoutError("full")
            super().send(msg, timeout)

    with FullBus("x") as bus:
        with pytest.raises(CanTimeoutError) as caught:
            bus.send_batch(batch(1, 2, 3))
        assert caught.value.sent == 2


INVALID = [
    (Message(arbitration_id=0x800, is_extended_id=False), "out of range"),
    (Message(data=bytes(9)), "a classic frame holds 8"),
    (Message(is_remote_frame=True, is_error_frame=True), "a remote frame is classic"),
    (Message(dlc=3, data=b"a"), "dlc is 3, but there are 1 data bytes"),
    (Message(is_fd=True, data=bytes(9)), "9 is not a CAN FD length"),
]


@pytest.mark.parametrize("kind", [CanError, ValueError])
@pytest.mark.parametrize(("message", "text"), INVALID)
def test_what_is_no_frame_is_not_sent(message: Message, text: str, kind: type[Exception]) -> None:
    with BatchBus() as bus:
        with pytest.raises(kind, match=text) as caught:
            bus.send(message)
        assert getattr(caught.value, "exit_status", None) == 2
        with pytest.raises(kind, match=text):
            bus.send_periodic(message, 1.0)
        assert bus.sent == []


def test_a_message_that_its_callback_completes_may_be_sent_periodically() -> None:
    message = Message(dlc=1)
    sent = threading.Event()

    def complete(one: Message) -> None:
        one.data = bytearray(b"a")
        sent.set()

    with BatchBus() as bus:
        bus.send_periodic(message, 10.0, modifier_callback=complete)
        assert sent.wait(10)
    assert [bytes(batch.payload) for batch in bus.sent] == [b"a"]


def test_an_interface_may_lack_a_direction() -> None:
    class Nothing(BusABC):
        pass

    with Nothing("x") as bus:
        with pytest.raises(NotImplementedError, match="Nothing cannot send"):
            bus.send(Message())
        with pytest.raises(NotImplementedError, match="Nothing cannot receive"):
            bus.recv(0)


@BOTH
def test_iteration_goes_on_over_silence(kind: type[BusABC]) -> None:
    bus = scripted(kind, 1, 2)
    bus.script.insert(1, None if kind is BatchBus else (None, False))
    if kind is BatchBus:
        bus.script.append(batch(3))
    with bus:
        endless = iter(bus)
        assert identifiers([next(endless), next(endless)]) == [1, 2]


def test_batches_go_on_over_silence() -> None:
    with BatchBus([batch(1), None, batch(2, 3)]) as bus:
        endless = bus.batches()
        assert [identifiers(next(endless)), identifiers(next(endless))] == [[1], [2, 3]]


@BOTH
def test_a_closed_bus_refuses_everything(kind: type[BusABC]) -> None:
    bus = scripted(kind, 1, 2, 3)
    bus.recv(0)  # leaves two waiting
    bus.shutdown()
    for use in (bus.recv, bus.recv_batch, lambda: next(iter(bus)), lambda: bus.send_batch(batch(1))):
        with pytest.raises(CanOperationError, match="Cannot operate on a closed bus"):
            use()


def test_a_bus_is_closed_once() -> None:
    with BatchBus() as bus:
        assert not bus.is_shutdown
        bus.shutdown()
    bus.shutdown()
    assert (bus.is_shutdown, bus.closed) == (True, 1)


def test_a_forgotten_bus_is_closed_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "can"):
        bus = DocumentedBus("x")
        del bus
        gc.collect()
    assert caplog.messages == ["DocumentedBus was not properly shut down"]


def test_a_forgotten_bus_that_cannot_be_closed_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    class Unplugged(DocumentedBus):
        def shutdown(self) -> None:
            raise OSError("unplugged")

    with caplog.at_level(logging.WARNING, "can"):
        Unplugged("x")
        gc.collect()
    assert caplog.messages[1] == "Unplugged: shutting down failed: unplugged"


FORGETFUL = """
import sys, cantools_cli as can
class Device(can.BusABC):
    def __init__(self, channel, **kwargs):
        self.channel_info = str(channel)
        super().__init__(channel, **kwargs)
    def send(self, msg, timeout=None): pass
    def shutdown(self):
        super().shutdown()
        sys.stdout.write(f"closed {self}, ")
        if self.channel_info == "broken":
            raise OSError("unplugged")
    __hash__ = None  # a plug-in may be like that
bus, broken = Device("device"), Device("broken")
virtual = can.Bus("forgotten", "virtual", ignore_config=True)
task = virtual.send_periodic(can.Message(arbitration_id=1), 0.01)
closed = Device("closed"); closed.shutdown()
if {fork}:
    import os
    if os.fork():
        os.wait()
    else:
        sys.exit()  # which closes nothing of its parent
if {fails}:
    raise SystemError("the program's own error")
"""


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("fork", [False, True])
def test_buses_that_are_open_at_the_end_are_closed_without_a_traceback_of_their_own(
    fails: bool, fork: bool
) -> None:
    program = FORGETFUL.replace("{fails}", str(fails)).replace("{fork}", str(fork))
    done = subprocess.run(
        [sys.executable, "-u", "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == int(fails)
    assert done.stdout == "closed closed, closed device, closed broken, "
    assert done.stderr.count("Traceback") == int(fails)
    assert done.stderr.splitlines()[-4:] == [
        "Device was not properly shut down",
        "Device was not properly shut down",
        "Device: shutting down failed: unplugged",
        "VirtualBus was not properly shut down",
    ]


@BOTH
def test_received_messages_are_logged_at_their_documented_level(
    kind: type[BusABC], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(BusABC.RECV_LOGGING_LEVEL, "can"), scripted(kind, 1, 2) as bus:
        assert received(bus) == [1, 2]
    records = [record for record in caplog.records if record.levelno == BusABC.RECV_LOGGING_LEVEL]
    assert [record.getMessage().split()[:4] for record in records] == [
        ["Received:", "Timestamp:", "0.000000", "ID:"],
        ["Received:", "Timestamp:", "0.000000", "ID:"],
    ]
    caplog.clear()
    with caplog.at_level(BusABC.RECV_LOGGING_LEVEL + 1, "can"), scripted(kind, 1, 2) as bus:
        assert bus.recv(0) is not None
    assert caplog.messages == []


def test_a_bus_that_failed_to_open_does_not_complain(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(BatchBus):
        def __init__(self) -> None:
            raise OSError("no such device")

    with caplog.at_level(logging.WARNING, "can"), pytest.raises(OSError, match="no such device"):
        Failing()
    gc.collect()
    assert caplog.messages == []


def test_what_an_interface_does_not_say_has_a_documented_default() -> None:
    with BatchBus() as bus:
        assert (str(bus), bus.channel_info) == ("unknown", "unknown")
        assert (bus.state, bus.protocol) == (BusState.ACTIVE, CanProtocol.CAN_20)
        assert BusABC.RECV_LOGGING_LEVEL == 9
        with pytest.raises(NotImplementedError, match="Property is not implemented"):
            bus.state = BusState.PASSIVE
        for use in (bus.flush_tx_buffer, bus.fileno, bus._detect_available_configs):
            with pytest.raises(NotImplementedError):
                use()


def test_documented_numbers() -> None:
    assert [state.value for state in (BusState.ACTIVE, BusState.PASSIVE, BusState.ERROR)] == [1, 2, 3]
    names = ["CAN_20", "CAN_FD", "CAN_FD_NON_ISO", "CAN_XL"]
    assert [CanProtocol[name].value for name in names] == [1, 2, 3, 4]


class PipeBus(BatchBus):
    """An interface with a descriptor: each byte in the pipe is a batch of its script."""

    def __init__(self, *script: MessageBatch) -> None:
        self.read_end, self.write_end = os.pipe()
        os.write(self.write_end, b"\0" * len(script))
        super().__init__(script)

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        if self.script:
            os.read(self.read_end, 1)
        return super()._receive(timeout)

    def _fileno(self) -> int:
        return self.read_end

    def _close(self) -> None:
        os.close(self.read_end)
        os.close(self.write_end)


def is_ready(bus: BusABC) -> bool:
    return bool(select.select([bus], [], [], 0)[0])


def test_the_descriptor_is_ready_as_long_as_anything_waits() -> None:
    with PipeBus(batch(1, 2), batch(3)) as bus:
        got = []
        while is_ready(bus):
            got += identifiers([bus.recv(0) or Message()])
        assert got == [1, 2, 3]
        assert bus.recv(0) is None


def test_the_descriptor_may_be_asked_for_at_any_time() -> None:
    with PipeBus(batch(1, 2, 3)) as bus:
        bus.recv(0)
        assert is_ready(bus)
        assert len(bus.recv_batch(0) or ()) == 2
        assert not is_ready(bus)


def test_the_descriptor_knows_what_new_filters_leave() -> None:
    with PipeBus(batch(1, 2, 3)) as bus:
        bus.recv(0)
        assert is_ready(bus)
        bus.set_filters([{"can_id": 7, "can_mask": 0x7FF}])
        assert not is_ready(bus)


def test_a_closed_bus_leaves_no_descriptors() -> None:
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    bus = PipeBus(batch(1, 2))
    bus.recv(0)
    assert is_ready(bus)
    bus.shutdown()
    after = len(os.listdir("/proc/self/fd")) if before else 0
    assert after == before
    with pytest.raises(CanOperationError):
        bus.fileno()
