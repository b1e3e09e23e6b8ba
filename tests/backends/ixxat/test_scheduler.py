"""Periodic sending by the device's scheduler, and by a thread if the device cannot."""

from __future__ import annotations

import time
from typing import Any

import pytest

from cantools_cli.backends.ixxat import constants
from cantools_cli.backends.ixxat.bus import IXXATBus
from cantools_cli.backends.ixxat.exceptions import VCIError
from cantools_cli.backends.ixxat.scheduler import CyclicSendTask
from cantools_cli.errors import CanOperationError
from cantools_cli.frame.message import Message
from cantools_cli.periodic.tasks import ThreadBasedCyclicSendTask
from tests.backends.ixxat.conftest import Opening
from tests.backends.ixxat.frames import PATIENCE, std
from tests.vendor.kit import Stub

_SILENCE = 0.05  # longer than the periods


def taken(bus: IXXATBus, count: int) -> list[Message]:
    found: list[Message] = []
    end = time.monotonic() + PATIENCE
    while len(found) < count:
        message = bus.recv(1.0)
        if message is not None:
            found.append(message)
        assert time.monotonic() < end
    return found


def scheduler_calls(stub: Stub) -> list[str]:
    return [call for call in stub.calls() if call.startswith("canScheduler")]


def test_the_device_sends_until_it_is_stopped(opened: Opening, stub: Stub) -> None:
    bus, other = opened(0), opened(1)
    task = bus.send_periodic(std(0x123, b"\1\2"), 0.01)
    assert isinstance(task, CyclicSendTask)
    assert [bytes(message.data) for message in taken(other, 3)] == [b"\1\2"] * 3
    task.stop()
    while other.recv(_SILENCE) is not None:
        pass
    with pytest.raises(CanOperationError, match="already stopped"):
        task.stop()
    assert scheduler_calls(stub) == [
        "canSchedulerOpen number=0",
        "canSchedulerGetCaps ",
        "canSchedulerReset ",
        "canSchedulerActivate active=1",
        "canSchedulerAddMessage cycle=100 increment=0 id=123 info=00020000",
        "canSchedulerStartMessage index=0 count=0",
        "canSchedulerRemMessage index=0",
    ]


def test_the_device_sends_a_number_of_messages(opened: Opening, stub: Stub) -> None:
    bus, other = opened(0), opened(1)
    bus.send_periodic(std(0x123), 0.01, 0.05)
    assert len(taken(other, 5)) == 5
    assert other.recv(_SILENCE) is None
    assert "canSchedulerStartMessage index=0 count=5" in stub.calls()


def test_pause_and_start(opened: Opening, stub: Stub) -> None:
    bus, other = opened(0), opened(1)
    task = bus.send_periodic(std(0x123), 0.01, autostart=False)
    assert isinstance(task, CyclicSendTask)
    assert other.recv(_SILENCE) is None
    task.start()
    taken(other, 2)
    task.pause()
    while other.recv(_SILENCE) is not None:
        pass
    task.start()
    taken(other, 2)
    stub.clear_calls()
    task.start()  # again, from the beginning
    assert scheduler_calls(stub) == [
        "canSchedulerStopMessage index=0",
        "canSchedulerStartMessage index=0 count=0",
    ]
    task.stop()
    task.start()
    assert stub.calls()[-2].startswith("canSchedulerAddMessage")
    taken(other, 1)


def test_modified_data(opened: Opening, stub: Stub) -> None:
    bus, other = opened(0), opened(1)
    task = bus.send_periodic(std(0x123, b"\1"), 0.01)
    assert isinstance(task, CyclicSendTask)
    taken(other, 1)
    task.modify_data(std(0x123, b"\2"))
    while bytes(taken(other, 1)[0].data) != b"\2":
        pass
    task.pause()
    task.modify_data(std(0x123, b"\3"))
    while other.recv(_SILENCE) is not None:
        pass
    task.start()
    assert bytes(taken(other, 1)[0].data) == b"\3"
    with pytest.raises(ValueError, match="arbitration ID"):
        task.modify_data(std(0x124))


@pytest.mark.parametrize("fd", [True], indirect=True, ids=["vcinpl2"])
def test_can_fd_messages_have_a_length_code_and_their_bits(opened: Opening, stub: Stub) -> None:
    bus, other = opened(0), opened(1)
    bus.send_periodic(std(0x123, bytes(range(48)), is_fd=True, bitrate_switch=True), 0.01)
    [message] = taken(other, 1)
    assert (message.is_fd, message.bitrate_switch, bytes(message.data)) == (True, True, bytes(range(48)))


def test_own_messages(opened: Opening) -> None:
    bus = opened(0, receive_own_messages=True)
    bus.send_periodic(Message(arbitration_id=0x12345, data=b"\7"), 0.01)
    [message] = taken(bus, 1)
    assert (message.arbitration_id, message.is_rx, bytes(message.data)) == (0x12345, False, b"\7")


def test_closing_the_bus_stops_the_tasks(stub: Stub, fd: bool, opened: Opening) -> None:
    other = opened(1)
    with IXXATBus(0, fd=fd) as bus:
        task = bus.send_periodic(std(0x123), 0.01)
        taken(other, 1)
        stub.clear_calls()
    names = [call.split()[0] for call in stub.calls()]
    assert names[:3] == ["canSchedulerRemMessage", "canSchedulerActivate", "canSchedulerClose"]
    task.stop()  # the program may still do so
    while other.recv(_SILENCE) is not None:
        pass


# --- what the device cannot do ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("messages", "period", "duration", "more"),
    [
        ([std(1, b"\1"), std(1, b"\2")], 0.01, None, {}),
        (std(1), 0.01, None, {"modifier_callback": lambda message: None}),
        (std(1), 10.0, None, {}),  # ticks of 0.1 ms: at most 6.5535 s
        (std(1), 0.00001, 0.0001, {}),
        (std(1), 0.001, 100.0, {}),  # 100,000 messages
    ],
)
def test_a_thread_sends_instead(
    messages: Any, period: float, duration: float | None, more: dict[str, Any], opened: Opening, stub: Stub
) -> None:
    bus, other = opened(0, tx_fifo_size=1024), opened(1)
    task = bus.send_periodic(messages, period, duration, **more)
    assert isinstance(task, ThreadBasedCyclicSendTask)
    assert taken(other, 1)[0].arbitration_id == 1
    task.stop()


def test_a_thread_sends_the_seventeenth_message(opened: Opening) -> None:
    bus = opened(0)
    tasks = [bus.send_periodic(std(number), 1.0) for number in range(17)]
    assert [isinstance(task, CyclicSendTask) for task in tasks] == [True] * 16 + [False]
    tasks[0].stop()
    assert isinstance(bus.send_periodic(std(17), 1.0), CyclicSendTask)


def test_without_a_scheduler(opened: Opening, stub: Stub) -> None:
    stub.set("features", 0xFFFF & ~0x80)
    bus = opened(0)
    assert isinstance(bus.send_periodic(std(1), 0.01), ThreadBasedCyclicSendTask)
    assert scheduler_calls(stub) == []


def test_the_scheduler_belongs_to_another_program(opened: Opening) -> None:
    owner, guest = opened(0), opened(0)
    assert isinstance(owner.send_periodic(std(1), 0.01), CyclicSendTask)
    assert isinstance(guest.send_periodic(std(2), 0.01), ThreadBasedCyclicSendTask)


@pytest.mark.parametrize("step", ["canSchedulerGetCaps", "canSchedulerReset", "canSchedulerActivate"])
def test_a_step_that_fails_closes_the_scheduler(step: str, opened: Opening, stub: Stub) -> None:
    bus = opened(0)
    before = stub.leaks()
    stub.fail(step, constants.VCI_E_FAIL)
    with pytest.raises(VCIError, match=step):
        bus.send_periodic(std(1), 0.01)
    assert stub.leaks() == before
    assert isinstance(bus.send_periodic(std(1), 0.01), CyclicSendTask)


def test_a_refused_message(opened: Opening, stub: Stub) -> None:
    bus = opened(0)
    stub.fail("canSchedulerAddMessage", constants.VCI_E_INVALIDARG)
    with pytest.raises(VCIError, match="canSchedulerAddMessage"):
        bus.send_periodic(std(1), 0.01)


def test_invalid_messages_and_periods(opened: Opening) -> None:
    bus = opened(0)
    with pytest.raises(ValueError, match="period"):
        bus.send_periodic(std(1), 0)
    with pytest.raises(CanOperationError, match="error frames"):
        bus.send_periodic(Message(is_error_frame=True), 0.01)
    scheduler = bus._opened_scheduler()
    assert scheduler is not None
    with pytest.raises(ValueError, match="one message per task"):
        CyclicSendTask(scheduler, [std(1), std(1)], 0.01)
    with pytest.raises(ValueError, match="cannot have a period of 10"):
        CyclicSendTask(scheduler, std(1), 10.0)
    with pytest.raises(ValueError, match="at most 65535 messages"):
        CyclicSendTask(scheduler, std(1), 0.001, 100.0)
