"""Periodic sending by the kernel, on an emulated broadcast manager: ``tests/linux`` has the real one."""

from __future__ import annotations

import errno
import socket
import struct
from typing import Any

import pytest

from cantools_cli.backends.socketcan import bcm
from cantools_cli.backends.socketcan.bcm import BroadcastManager, CyclicSendTask, MultiRateCyclicSendTask
from cantools_cli.errors import CanOperationError, UsageError
from cantools_cli.frame.message import Message

# As linux/can/bcm.h has it, where a long has 64 bits.
HEAD = struct.Struct("@IIIllllII")
HEAD_SIZE = (HEAD.size + 7) & ~7
SETUP, DELETE, READ, STATUS, EXPIRED = 1, 2, 3, 8, 9
SETTIMER, STARTTIMER, FD = 1, 2, 0x800


class Kernel:
    """A broadcast manager's socket. A transmission is what was set up last; no time passes by itself.

    Attributes:
        operations: (handle, whether FD) -> [count, interval 1, interval 2 in microseconds, frames].
        log: what was asked for, in order.
    """

    def __init__(self) -> None:
        self.operations: dict[tuple[int, bool], list[Any]] = {}
        self.answers: list[bytes] = []
        self.log: list[int] = []
        self.fails: int | None = None
        self.is_closed = False
        self.channel: str | None = None

    def connect(self, address: tuple[str]) -> None:
        if address[0] == "nocan0":
            raise OSError(errno.ENODEV, "No such device")
        self.channel = address[0]

    def setblocking(self, flag: bool) -> None:
        assert not flag

    def close(self) -> None:
        self.is_closed = True

    def send(self, message: bytes) -> int:
        if self.is_closed or self.fails:
            raise OSError(self.fails or errno.EBADF, "")
        operation, flags, count, s1, us1, s2, us2, handle, number = HEAD.unpack_from(message)
        self.log.append(operation)
        key, size = (handle, bool(flags & FD)), 72 if flags & FD else 16
        if operation == SETUP:
            body = message[HEAD_SIZE:]
            assert 1 <= number <= 256
            assert len(body) == number * size
            assert us1 < 1_000_000
            assert us2 < 1_000_000
            known = self.operations.setdefault(key, [0, 0, 0, []])
            if flags & SETTIMER:
                assert flags & STARTTIMER
                known[:3] = count, s1 * 1_000_000 + us1, s2 * 1_000_000 + us2
            known[3] = [body[at : at + size] for at in range(0, len(body), size)]
        elif key not in self.operations:
            raise OSError(errno.EINVAL, "Invalid argument")
        elif operation == DELETE:
            del self.operations[key]
        elif operation == READ:
            count, first_us, then_us, frames = self.operations[key]
            times = (*divmod(first_us, 1_000_000), *divmod(then_us, 1_000_000))
            self.tell(STATUS, flags, count, *times, handle, len(frames), body=b"".join(frames))
        return len(message)

    def tell(self, *head: int, body: bytes = b"") -> None:
        self.answers.append(HEAD.pack(*head).ljust(HEAD_SIZE, b"\0") + body)

    def recv(self, size: int, flags: int) -> bytes:
        assert flags == socket.MSG_DONTWAIT
        if not self.answers:
            raise BlockingIOError
        return self.answers.pop(0)[:size]

    def expire(self, handle: int) -> None:
        """Send what is left of the count."""
        self.operations[handle, False][0] = 0
        self.tell(EXPIRED, 0, 0, 0, 0, 0, 0, handle, 1)

    @property
    def only(self) -> list[Any]:
        (operation,) = self.operations.values()
        return operation


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
def sockets(monkeypatch: Any) -> list[Kernel]:
    """Let every socket be an emulated one; return those that were made."""
    made: list[Kernel] = []

    def new(family: int, kind: int, protocol: int) -> Kernel:
        assert (family, kind, protocol) == (29, socket.SOCK_DGRAM, 2)
        made.append(Kernel())
        return made[-1]

    monkeypatch.setattr(bcm.socket, "socket", new)
    return made


def frame(data: str, arbitration_id: int = 0x123, **more: Any) -> Message:
    return Message(arbitration_id=arbitration_id, data=bytes.fromhex(data), is_extended_id=False, **more)


RECORD = bytes.fromhex("23010000 03000000 0102AB0000000000")
OTHER = bytes.fromhex("23010000 01000000 FF00000000000000")


@pytest.mark.parametrize(
    ("period", "duration", "expected"),
    [
        (0.25, None, [0, 0, 250_000]),
        (0.25, 0, [0, 0, 250_000]),
        (1.5, None, [0, 0, 1_500_000]),
        (0.1, 1.0, [10, 100_000, 0]),
        (0.1, 0.3, [3, 100_000, 0]),
        (0.1, 0.25, [3, 100_000, 0]),
        (0.1, 0.01, [1, 100_000, 0]),
        (0.001001, None, [0, 0, 1_001]),
        (1e-7, None, [0, 0, 1]),
    ],
)
def test_period_and_duration_become_count_and_intervals(
    kernel: Kernel, period: float, duration: float | None, expected: list[int]
) -> None:
    CyclicSendTask(kernel, 1, frame("0102AB"), period, duration)
    assert kernel.operations == {(1, False): [*expected, [RECORD]]}


def test_a_task_of_two_rates(kernel: Kernel) -> None:
    MultiRateCyclicSendTask(kernel, 1, frame("0102AB"), 10, 0.001, 0.5)
    assert kernel.only == [10, 1_000, 500_000, [RECORD]]


def test_several_messages_are_sent_in_turn(kernel: Kernel) -> None:
    CyclicSendTask(kernel, 1, [frame("0102AB"), frame("FF")], 0.1)
    assert kernel.only[3] == [RECORD, OTHER]


def test_can_fd_frames_are_a_kind_of_their_own(kernel: Kernel) -> None:
    CyclicSendTask(kernel, 1, frame("01", is_fd=True, bitrate_switch=True), 0.1)
    task = CyclicSendTask(kernel, 1, frame("FF"), 0.1)
    assert [*kernel.operations] == [(1, True), (1, False)]
    assert kernel.operations[1, True][3] == [bytes.fromhex("23010000 01050000 01").ljust(72, b"\0")]
    task.stop()
    assert [*kernel.operations] == [(1, True)]


def test_data_is_modified_and_the_times_are_not(kernel: Kernel) -> None:
    task = CyclicSendTask(kernel, 1, frame("0102AB"), 0.1, 1.0)
    kernel.only[0] = 4  # still to be sent
    task.modify_data(frame("FF"))
    assert kernel.only == [4, 100_000, 0, [OTHER]]


def test_a_stopped_task_is_modified_for_its_next_start(kernel: Kernel) -> None:
    task = CyclicSendTask(kernel, 1, frame("0102AB"), 0.1, autostart=False)
    task.modify_data(frame("FF"))
    assert kernel.log == []
    task.start()
    assert kernel.only[3] == [OTHER]


@pytest.mark.parametrize("new", [[], [frame("01"), frame("02")], frame("01", 0x124), frame("01", is_fd=True)])
def test_a_modification_has_to_fit(kernel: Kernel, new: Any) -> None:
    task = CyclicSendTask(kernel, 1, frame("0102AB"), 0.1)
    with pytest.raises(ValueError, match=r"number|arbitration ID|length|FD"):
        task.modify_data(new)
    assert kernel.only[3] == [RECORD]


def test_stopping_twice_deletes_once_and_starting_sets_up_again(kernel: Kernel) -> None:
    task = CyclicSendTask(kernel, 1, frame("0102AB"), 0.1)
    task.stop()
    with pytest.raises(CanOperationError, match="already stopped"):
        task.stop()
    assert (kernel.operations, kernel.log) == ({}, [READ, SETUP, DELETE])
    task.start()
    assert kernel.only == [0, 0, 100_000, [RECORD]]


def test_a_changed_duration_is_that_of_the_next_start(kernel: Kernel) -> None:
    task = CyclicSendTask(kernel, 1, frame("0102AB"), 0.1)
    task.stop()
    task.duration = 1.0
    task.start()
    assert kernel.only == [10, 100_000, 0, [RECORD]]
    task.stop()
    task.duration = None
    task.start()
    assert kernel.only == [0, 0, 100_000, [RECORD]]


def test_a_running_task_is_not_started_again(kernel: Kernel) -> None:
    task = CyclicSendTask(kernel, 1, frame("0102AB"), 0.1)
    with pytest.raises(ValueError, match="already running"):
        task.start()
    with pytest.raises(ValueError, match="already running"):
        CyclicSendTask(kernel, 1, frame("FF"), 0.2)
    assert kernel.only == [0, 0, 100_000, [RECORD]]


def test_a_task_whose_duration_is_over_starts_again(kernel: Kernel) -> None:
    task = CyclicSendTask(kernel, 1, frame("0102AB"), 0.1, 1.0)
    with pytest.raises(ValueError, match="already running"):
        task.start()
    kernel.expire(1)
    task.start()
    assert kernel.only == [10, 100_000, 0, [RECORD]]


def test_what_the_kernel_told_does_not_pile_up(kernel: Kernel) -> None:
    for handle in range(1, 100):
        CyclicSendTask(kernel, handle, frame("0102AB"), 0.1, 1.0)
        kernel.expire(handle)
        kernel.answers.append(b"garbage" if handle == 50 else kernel.answers.pop())
    CyclicSendTask(kernel, 100, frame("0102AB"), 0.1)
    assert kernel.answers == []


@pytest.mark.parametrize(
    ("number", "text"), [(errno.ENODEV, "No such device"), (errno.EMSGSIZE, "Message too long")]
)
def test_an_error_of_the_kernel_is_a_can_error(kernel: Kernel, number: int, text: str) -> None:
    task = CyclicSendTask(kernel, 1, frame("0102AB"), 0.1)
    kernel.fails = number
    with pytest.raises(CanOperationError, match=text) as failed:
        task.modify_data(frame("FF"))
    assert failed.value.error_code == number
    assert task.messages[0].data == b"\x01\x02\xab"
    task.stop()  # the transmission went with the interface


@pytest.mark.parametrize(
    "make",
    [
        lambda kernel: CyclicSendTask(kernel, 1, [frame("01")] * 257, 1),
        lambda kernel: CyclicSendTask(kernel, 1, [frame("01"), frame("01", is_fd=True)], 1),
        lambda kernel: CyclicSendTask(kernel, 1, frame("01"), 0),
        lambda kernel: CyclicSendTask(kernel, 1, frame("01"), 1e8),
        lambda kernel: CyclicSendTask(kernel, 1, frame("01", 0x800), 1),
        lambda kernel: MultiRateCyclicSendTask(kernel, 1, frame("01"), -1, 1, 1),
        lambda kernel: MultiRateCyclicSendTask(kernel, 1, frame("01"), 1, 1, 0),
    ],
)
def test_what_the_kernel_cannot_send_is_refused(kernel: Kernel, make: Any) -> None:
    with pytest.raises(ValueError, match=r"257|FD|greater than 0|400 days|out of range|-1"):
        make(kernel)
    assert kernel.log == []


# --- the tasks of a bus -------------------------------------------------------------------------------


def test_tasks_of_a_channel_share_a_socket_and_have_handles_of_their_own(sockets: list[Kernel]) -> None:
    manager = BroadcastManager()
    tasks = [manager.task("vcan0", frame("01"), 0.1) for _ in range(3)]
    manager.task("vcan1", frame("01"), 0.1)
    assert [one.channel for one in sockets] == ["vcan0", "vcan1"]
    assert [*sockets[0].operations] == [(task.task_id, False) for task in tasks if task]
    assert len({*sockets[0].operations, *sockets[1].operations}) == 4


def test_closing_deletes_the_tasks_first(sockets: list[Kernel]) -> None:
    manager = BroadcastManager()
    task = manager.task("vcan0", frame("01"), 0.1)
    manager.close()
    assert (sockets[0].log, sockets[0].is_closed) == ([READ, SETUP, DELETE], True)
    assert task is not None
    task.stop()
    with pytest.raises(CanOperationError):
        task.start()


def test_a_bus_of_all_interfaces_takes_the_channel_of_the_messages(sockets: list[Kernel]) -> None:
    manager = BroadcastManager()
    manager.task("", frame("01", channel="can7"), 0.1)
    assert sockets[0].channel == "can7"
    with pytest.raises(UsageError, match="the messages need a channel"):
        manager.task("", frame("01"), 0.1)


@pytest.mark.parametrize(
    "messages", [[frame("01")] * 257, [frame("01"), frame("01", is_fd=True)]], ids=["too many", "both kinds"]
)
def test_what_the_kernel_cannot_send_is_left_to_others(
    sockets: list[Kernel], messages: list[Message]
) -> None:
    assert BroadcastManager().task("vcan0", messages, 0.1) is None


def test_a_kernel_without_a_broadcast_manager_leaves_all_to_others(monkeypatch: Any) -> None:
    def refuse(*_: int) -> None:
        raise OSError(errno.EPROTONOSUPPORT, "Protocol not supported")

    monkeypatch.setattr(bcm.socket, "socket", refuse)
    assert BroadcastManager().task("vcan0", frame("01"), 0.1) is None


def test_an_unknown_channel_is_an_error(sockets: list[Kernel]) -> None:
    with pytest.raises(CanOperationError, match="nocan0: cannot open: No such device"):
        BroadcastManager().task("nocan0", frame("01"), 0.1)
    assert sockets[0].is_closed
