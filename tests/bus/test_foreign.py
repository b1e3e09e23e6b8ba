"""Buses of the real python-can, used as ours."""

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any, cast

import can
import pytest

from cantools_cli import errors, plugins
from cantools_cli.bus.base import BusState, CanProtocol
from cantools_cli.bus.foreign import ForeignBus, adapted
from cantools_cli.bus.interface import Bus
from cantools_cli.bus.notifier import Notifier
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message


class TheirBus(can.BusABC):
    """A plug-in: what it receives is a script of messages, and of errors to raise."""

    def __init__(self, channel: Any = "x", can_filters: Any = None, **kwargs: Any) -> None:
        if channel == "absent":
            raise can.CanInitializationError("no such device", 19)
        self.channel_info = f"their {channel}"
        self.script: list[Any] = []
        self.sent: list[can.Message] = []
        self.descriptor = -1
        self.driver_version = "1.2"
        self._state = can.BusState.ACTIVE
        super().__init__(channel, can_filters, **kwargs)

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        if msg.arbitration_id == 0x666:
            raise can.CanTimeoutError("full")
        assert type(msg) is can.Message
        self.sent.append(msg)

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
        item = self.script.pop(0) if self.script else None
        if isinstance(item, Exception):
            raise item
        return item, False

    def fileno(self) -> int:
        return self.descriptor

    def flush_tx_buffer(self) -> None:
        self.sent.clear()

    @property
    def state(self) -> can.BusState:
        return self._state

    @state.setter
    def state(self, new_state: can.BusState) -> None:
        assert isinstance(new_state, can.BusState)
        self._state = new_state


@pytest.fixture
def theirs() -> Iterator[TheirBus]:
    with TheirBus() as bus:
        yield bus


def message(identifier: int, **more: Any) -> can.Message:
    return can.Message(arbitration_id=identifier, is_extended_id=False, **more)


KINDS = [
    can.Message(arbitration_id=0x1ABCDEF0, data=b"\x01\x02", timestamp=1.5, channel="a"),
    message(0x123, is_remote_frame=True, dlc=5),
    message(0x124, data=bytes(12), is_fd=True, bitrate_switch=True, error_state_indicator=True),
    message(0x004, is_error_frame=True, data=bytes(8), is_rx=False),
]


@pytest.mark.parametrize("original", KINDS, ids=str)
def test_every_kind_of_frame_goes_both_ways(theirs: TheirBus, original: can.Message) -> None:
    bus = adapted(theirs)
    theirs.script = [original]
    received = bus.recv(0)
    assert received is not None
    assert original.equals(cast("can.Message", received))
    bus.send(received)
    assert theirs.sent[0].equals(original)


def test_what_waits_comes_in_one_batch(theirs: TheirBus) -> None:
    theirs.script = [message(1), message(2), None, message(3)]
    batch = adapted(theirs).recv_batch(1)
    assert batch is not None
    assert [one.arbitration_id for one in batch] == [1, 2]


def test_what_is_no_frame_costs_only_itself(theirs: TheirBus) -> None:
    theirs.script = [message(1), message(0x800), message(2)]
    bus = ForeignBus(theirs)
    assert len(bus.recv_batch(1) or ()) == 2
    assert bus.losses == {"malformed messages skipped": 1}


FAILURES = [
    (can.CanOperationError("unplugged", 5), errors.CanOperationError, "unplugged [Error Code 5]"),
    (can.CanTimeoutError("slow"), errors.CanTimeoutError, "slow"),
    (OSError(5, "I/O error"), errors.CanOperationError, "[Errno 5] I/O error"),
    (RuntimeError(), errors.CanOperationError, "RuntimeError"),
]


@pytest.mark.parametrize(("failure", "kind", "text"), FAILURES)
def test_their_errors_become_ours(
    theirs: TheirBus, failure: Exception, kind: type[errors.CanError], text: str
) -> None:
    theirs.script = [failure]
    with pytest.raises(kind) as caught:
        adapted(theirs).recv(0)
    assert str(caught.value) == text
    assert caught.value.error_code == getattr(failure, "error_code", None)


def test_sending_fails_in_our_words(theirs: TheirBus) -> None:
    with pytest.raises(errors.CanTimeoutError, match="full"):
        adapted(theirs).send(Message(arbitration_id=0x666))


def test_a_batch_is_sent_in_order(theirs: TheirBus) -> None:
    adapted(theirs).send_batch(MessageBatch([Message(arbitration_id=n) for n in (3, 1, 2)]))
    assert [sent.arbitration_id for sent in theirs.sent] == [3, 1, 2]
    adapted(theirs).flush_tx_buffer()
    assert theirs.sent == []


def test_filters_apply_on_both_sides(theirs: TheirBus) -> None:
    bus = adapted(theirs)
    bus.set_filters([{"can_id": 2, "can_mask": 0x7FF}])
    theirs.script = [message(1), message(2)]
    received = bus.recv(10)
    assert received is not None
    assert (received.arbitration_id, theirs.filters) == (2, bus.filters)


def test_the_rest_of_a_bus_is_passed_on(theirs: TheirBus) -> None:
    bus: Any = adapted(theirs)
    bus.state = BusState.PASSIVE
    assert (theirs.state, bus.state) == (can.BusState.PASSIVE, BusState.PASSIVE)
    assert (str(bus), bus.protocol, bus.driver_version) == ("their x", CanProtocol.CAN_20, "1.2")
    with pytest.raises(NotImplementedError, match="no descriptor"):
        bus.fileno()
    with pytest.raises(AttributeError):
        bus.nonsense  # noqa: B018  # the question is what asking does


def test_closing_closes_theirs_once(theirs: TheirBus) -> None:
    with adapted(theirs) as bus:
        assert adapted(bus) is bus
    assert theirs._is_shutdown
    with pytest.raises(errors.CanOperationError, match="closed bus"):
        bus.recv(0)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(plugins.INTERFACES, "their", plugins.Interface("their", f"{__name__}:TheirBus"))


@pytest.mark.usefixtures("registered")
def test_the_factory_opens_a_plug_in_of_theirs() -> None:
    with Bus("y", "their", ignore_config=True, can_filters=[{"can_id": 1, "can_mask": 1}]) as bus:
        assert isinstance(bus, ForeignBus)
        assert (bus.channel_info, bus.filters) == ("their y", [{"can_id": 1, "can_mask": 1}])


@pytest.mark.usefixtures("registered")
def test_a_plug_in_that_cannot_be_opened_says_so_in_our_words() -> None:
    with pytest.raises(errors.CanInitializationError, match=r"^no such device \[Error Code 19\]$"):
        Bus("absent", "their", ignore_config=True)


def test_our_notifier_takes_a_bus_of_theirs(theirs: TheirBus) -> None:
    heard: SimpleQueue[Message] = SimpleQueue()
    theirs.script = [message(1), message(2)]
    notifier = Notifier(cast("Any", theirs), [heard.put], timeout=0.01)
    try:
        assert [heard.get(timeout=10).arbitration_id for _ in range(2)] == [1, 2]
        assert notifier.bus is cast("Any", theirs)
    finally:
        notifier.stop()
    assert not theirs._is_shutdown
