"""Periodic messages from the object buffers of the device, and from a thread where it has none."""

from __future__ import annotations

from typing import Any

import pytest

from cantools_cli.backends.kvaser import constants as c
from cantools_cli.backends.kvaser.bus import KvaserBus
from cantools_cli.backends.kvaser.cyclic import CyclicSendTask
from cantools_cli.errors import CanOperationError
from cantools_cli.frame.message import Message
from cantools_cli.periodic.tasks import ThreadBasedCyclicSendTask
from tests.backends.kvaser.conftest import Opened
from tests.vendor.kit import Stub

SECONDS = 20.0
MESSAGE = Message(arbitration_id=0x123, is_extended_id=False, data=b"\1")


def received(bus: KvaserBus, count: int) -> list[bytes]:
    found = []
    while len(found) < count:
        message = bus.recv(SECONDS)
        assert message is not None, f"{len(found)} of {count} frames"
        found.append(bytes(message.data))
    return found


def buffer_calls(stub: Stub) -> list[str]:
    """Return the calls of object buffers, without the handle."""
    calls = [call.split() for call in stub.calls() if call.startswith("canObjBuf")]
    return [" ".join((name, *rest)) for name, _, *rest in calls]


def test_the_device_sends_until_the_task_is_stopped(stub: Stub, opened: Opened) -> None:
    bus, other = opened(0), opened(1)
    task = bus.send_periodic(MESSAGE, 0.005)
    assert isinstance(task, CyclicSendTask)
    assert received(other, 4) == [b"\1"] * 4
    task.modify_data(Message(arbitration_id=0x123, is_extended_id=False, data=b"\2\3"))
    while received(other, 1) != [b"\2\3"]:
        pass
    task.stop()
    assert buffer_calls(stub) == [
        "canObjBufAllocate type=2",
        "canObjBufWrite index=0 id=0x123 length=1 flags=0x2",
        "canObjBufSetPeriod index=0 us=5000",
        "canObjBufDisable index=0",
        "canObjBufSetMsgCount index=0 count=0",
        "canObjBufEnable index=0",
        "canObjBufWrite index=0 id=0x123 length=2 flags=0x2",
        "canObjBufDisable index=0",
        "canObjBufFree index=0",
    ]
    with pytest.raises(CanOperationError, match="already stopped"):
        task.stop()
    task.start()
    while received(other, 1) != [b"\2\3"]:
        pass


def test_a_duration_is_a_number_of_messages(stub: Stub, opened: Opened) -> None:
    bus, other = opened(0), opened(1)
    task = bus.send_periodic(MESSAGE, 0.002, 0.01)
    assert isinstance(task, CyclicSendTask)
    assert len(received(other, 5)) == 5
    assert other.recv(0.05) is None
    assert "canObjBufSetMsgCount index=0 count=5" in buffer_calls(stub)
    task.start()  # again, since it is over
    assert len(received(other, 5)) == 5
    task.stop()


def test_a_finished_task_gives_its_buffer_back(stub: Stub, opened: Opened) -> None:
    bus = opened(0)
    task = bus.send_periodic(MESSAGE, 0.001, 0.001)
    assert isinstance(task, CyclicSendTask)
    while not task.is_over:
        pass
    assert isinstance(bus.send_periodic(MESSAGE, 1), CyclicSendTask)
    assert task.index is None


def test_a_task_waits_for_its_start(stub: Stub, opened: Opened) -> None:
    bus, other = opened(0), opened(1)
    task = bus.send_periodic(MESSAGE, 0.005, autostart=False)
    assert isinstance(task, CyclicSendTask)
    assert other.recv(0.03) is None
    task.start()
    task.start()
    received(other, 2)


def test_closing_the_bus_frees_all_buffers(stub: Stub) -> None:
    with KvaserBus(0) as bus:
        tasks = [bus.send_periodic(MESSAGE, 1, store_task=number > 0) for number in range(3)]
        assert all(isinstance(task, CyclicSendTask) for task in tasks)
    assert stub.leaks() == 0
    tasks[0].stop()  # not an error


@pytest.mark.parametrize(
    ("settings", "arguments"),
    [
        ({}, {"modifier_callback": lambda message: None}),
        ({"receive_own_messages": True}, {}),
        ({}, {"period": 5000.0}),
        ({}, {"msgs": [MESSAGE, MESSAGE]}),
    ],
)
def test_a_thread_sends_what_a_buffer_cannot(
    stub: Stub, opened: Opened, settings: dict[str, Any], arguments: dict[str, Any]
) -> None:
    bus = opened(0, **settings)
    task = bus.send_periodic(**({"msgs": MESSAGE, "period": 0.005} | arguments))
    assert isinstance(task, ThreadBasedCyclicSendTask)
    assert not any("canObjBufEnable" in call for call in stub.calls())


@pytest.mark.parametrize("step", ["Allocate", "Write", "SetPeriod", "SetMsgCount", "Enable"])
def test_a_thread_sends_if_the_device_refuses(stub: Stub, opened: Opened, step: str) -> None:
    bus, other = opened(0), opened(1)
    stub.fail(f"canObjBuf{step}", c.canERR_NOT_IMPLEMENTED)
    task = bus.send_periodic(MESSAGE, 0.005)
    assert isinstance(task, ThreadBasedCyclicSendTask)
    assert received(other, 2) == [b"\1"] * 2
    task.stop()


def test_a_thread_sends_when_all_buffers_are_in_use(stub: Stub, opened: Opened) -> None:
    bus = opened(0)
    kinds = [type(bus.send_periodic(MESSAGE, 1)) for _ in range(9)]
    assert kinds == [CyclicSendTask] * 8 + [ThreadBasedCyclicSendTask]


def test_frames_that_cannot_be_sent_are_refused(opened: Opened) -> None:
    bus = opened(0)
    with pytest.raises(CanOperationError, match="CAN FD"):
        bus.send_periodic(Message(arbitration_id=1, is_fd=True), 1)
