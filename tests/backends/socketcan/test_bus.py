"""The SocketCAN bus on a socket pair in place of a CAN socket: receiving, sending, interfaces that go."""

from __future__ import annotations

import errno
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from cantools_cli.backends.socketcan import bus as socketcan
from cantools_cli.backends.socketcan import link as links
from cantools_cli.backends.socketcan import records as codec
from cantools_cli.bus.base import CanProtocol
from cantools_cli.errors import (
    CanOperationError,
    CanTimeoutError,
)
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.backends.fake_can import FakeCan, Opener, base, fake_socket, numbered, opener
from tests.backends.socketcan.test_records import BAD, CASES
from tests.strategies import facts

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or sys.byteorder != "little", reason="Linux's socket options, little-endian"
)

TIMEOUT = 10.0
RECORD = CASES[0][1]
#: two ways through the system: a frame a call, and many
WAYS = pytest.mark.parametrize("many", [False, True], ids=["recvmsg", "recvmmsg"])


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCan]:
    with fake_socket(monkeypatch) as end:
        yield end


@pytest.fixture
def open_bus(fake: FakeCan) -> Iterator[Opener]:
    with opener(fake) as open_it:
        yield open_it


# --- receiving ----------------------------------------------------------------------------------------


@WAYS
def test_records_become_frames_with_the_time_of_the_system(open_bus: Opener, many: bool) -> None:
    bus, fake = open_bus(many=many)
    before = time.time_ns()
    for _, record in CASES:
        fake.wire.send(record)
        batch = bus.recv_batch(TIMEOUT)
        assert batch is not None
        assert facts(batch[0])[1:] == ("can0", *facts(codec.decode(record))[2:])
        assert before <= batch[0].timestamp_ns <= time.time_ns()


@WAYS
@pytest.mark.parametrize("record", BAD)
def test_what_is_no_frame_costs_only_itself(open_bus: Opener, many: bool, record: bytes) -> None:
    bus, fake = open_bus(many=many)
    fake.wire.send(RECORD)
    fake.wire.send(record)
    fake.wire.send(RECORD)
    batch = bus.recv_batch(TIMEOUT)
    assert batch is not None
    assert len(batch) == 2
    assert bus.losses == {"malformed records of the kernel skipped": 1}
    assert bus.first_fault is not None


@WAYS
def test_a_record_longer_than_any_is_counted(open_bus: Opener, many: bool) -> None:
    bus, fake = open_bus(many=many)
    fake.wire.send(bytes(80))
    assert bus.recv(0) is None
    assert (bus.losses["malformed records of the kernel skipped"], str(bus.first_fault)[:30]) == (
        1,
        "a record of more than 72 bytes",
    )


@pytest.mark.parametrize("available", [True, False])
def test_a_burst_comes_whole_and_in_order(
    open_bus: Opener, monkeypatch: pytest.MonkeyPatch, available: bool
) -> None:
    from cantools_cli.backends.socketcan import mmsg

    monkeypatch.setattr(mmsg, "is_available", lambda: available)
    bus, fake = open_bus()
    sent, got = numbered(2000), MessageBatch()
    writer = threading.Thread(target=lambda: [fake.wire.send(codec.encode(message)) for message in sent])
    writer.start()
    while len(got) < len(sent) and (batch := bus.recv_batch(TIMEOUT)) is not None:
        got.extend(batch)
    writer.join()
    assert (got.can_id, got.payload) == (sent.can_id, sent.payload)
    assert list(got.timestamp_ns) == sorted(got.timestamp_ns)


def test_a_few_frames_do_not_load_ctypes() -> None:
    program = (
        "import sys; before = {*sys.modules}\n"
        "from cantools_cli.backends.socketcan import bus as socketcan, raw\n"
        "from cantools_cli.backends.socketcan import records as codec\n"
        "from tests.backends.fake_can import FakeCan\n"
        "from tests.backends.socketcan.test_bus import RECORD\n"
        "end = FakeCan(); raw.new_socket = lambda: end; sys.modules.pop('ctypes', None)\n"
        "bus = socketcan.SocketcanBus('can0'); bus.send(codec.decode(RECORD))\n"
        "end.wire.send(RECORD); assert bus.recv(5) and 'ctypes' not in sys.modules; bus.shutdown()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_dropped_frames_are_told_by_an_error_frame(open_bus: Opener) -> None:
    bus, fake = open_bus()
    got: list[Message | None] = []
    for count in (0, 5, 5, 3):
        fake.told = [(1, codec.SO_RXQ_OVFL, struct.pack("=I", count))]
        fake.wire.send(RECORD)
        got += [bus.recv(TIMEOUT), bus.recv(0)]
    assert [message and message.is_error_frame for message in got] == [
        *(False, None),
        *(True, False),
        *(False, None),
        *(True, False),  # the kernel's count went round
    ]
    assert got[2] is not None
    assert (got[2].arbitration_id, got[2].data.hex(), got[2].channel) == (4, "0001000000000000", "can0")
    assert bus.losses.total() == 2**32 + 3


def test_dropped_frames_are_told_where_many_come_at_once(
    open_bus: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus, _ = open_bus("", many=True)
    messages = bus._port._incoming
    assert messages is not None

    def receive(descriptor: int) -> int:
        for at, (index, dropped) in enumerate([(3, 0), (4, 7), (3, 7)]):
            messages.records[72 * at : 72 * at + 16] = RECORD
            item = struct.pack("<qiiI4x", 20, 1, codec.SO_RXQ_OVFL, dropped)
            messages.control[128 * at : 128 * at + 24] = item
            struct.pack_into("<HxxI", messages.names, 32 * at, 29, index)
            struct.pack_into("<Q", messages.headers, 64 * at + 40, 24)
            struct.pack_into("<I", messages.headers, 64 * at + 56, 16)
        return 3

    monkeypatch.setattr(messages, "receive", receive)
    monkeypatch.setattr(socket, "if_indextoname", {3: "can3", 4: "can4"}.__getitem__)
    batch = bus.recv_batch(TIMEOUT)
    assert batch is not None
    assert [(message.channel, message.is_error_frame) for message in batch] == [
        ("can3", False),
        ("can4", True),
        ("can4", False),
        ("can3", False),
    ]
    assert bus.losses.total() == 7


def test_a_quiet_bus_returns_at_the_timeout(open_bus: Opener) -> None:
    bus, _ = open_bus()
    assert bus.recv(0) is None
    assert bus.recv(0.01) is None


def test_select_sees_each_frame(open_bus: Opener) -> None:
    bus, fake = open_bus()
    fake.wire.send(RECORD)
    fake.wire.send(RECORD)
    for _ in range(2):
        assert select.select([bus.fileno()], [], [], TIMEOUT)[0]
        assert bus.recv(0) is not None


def test_closing_ends_a_wait_that_has_no_end(open_bus: Opener) -> None:
    bus, _ = open_bus()
    waits, ended = threading.Event(), threading.Event()
    wait = bus._port.wait

    def note_wait(event: int | None, seconds: float | None) -> None:
        waits.set()
        wait(event, seconds)

    def receive() -> None:
        with pytest.raises(CanOperationError, match="closed bus"):
            bus.recv()
        ended.set()

    bus._port.wait = note_wait  # type: ignore[method-assign]  # to see when the thread waits
    threading.Thread(target=receive, daemon=True).start()
    assert waits.wait(TIMEOUT)
    bus.shutdown()
    assert ended.wait(TIMEOUT)
    assert bus.fileno() == -1


def test_each_call_offers_all_its_room_again(open_bus: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system writes the sizes that it used over those that were offered."""
    bus, fake = open_bus(many=True)
    monkeypatch.setattr(time, "time_ns", lambda: 5)
    times = []
    for stamped in (0, 1):
        fake.setsockopt(codec.SOL_SOCKET, codec.SO_TIMESTAMPNS, stamped)
        fake.wire.send(RECORD)
        batch = bus.recv_batch(TIMEOUT)
        assert batch is not None
        times += batch.timestamp_ns
    assert times[0] == 5
    assert times[1] > 1 << 60


# --- sending ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 16, 1000])
def test_frames_are_sent_in_order_while_somebody_reads(open_bus: Opener, count: int) -> None:
    bus, fake = open_bus()
    sent, got = numbered(count), []
    reader = threading.Thread(target=lambda: got.extend(fake.wire.recv(100) for _ in range(count)))
    reader.start()
    bus.send_batch(sent, TIMEOUT)  # the pair holds some ten records, so this waits
    reader.join()
    assert got == [codec.encode(message) for message in sent]


def test_where_nobody_reads_sending_ends_with_the_timeout(open_bus: Opener) -> None:
    bus, _ = open_bus()
    with pytest.raises(CanTimeoutError, match=r"no room .*; [1-9]\d* of 5000 frames sent") as full:
        bus.send_batch(numbered(5000), 0.05)
    assert f"; {full.value.sent} of 5000" in str(full.value)


def test_a_full_queue_of_the_device_is_waited_out(open_bus: Opener) -> None:
    bus, fake = open_bus()
    fake.failures["send"] = [errno.ENOBUFS] * 5
    bus.send(base(1), TIMEOUT)
    assert len(fake.wire.recv(100)) == 16
    fake.failures["send"] = [errno.ENOBUFS] * 100_000
    with pytest.raises(CanTimeoutError, match="0 of 1 frames") as caught:
        bus.send(base(1), 0.01)
    assert "txqueuelen" in str(caught.value.hint)


def test_no_frame_is_sent_twice_where_the_queue_fills_between(open_bus: Opener) -> None:
    bus, fake = open_bus()
    fake.failures["send"] = [0, 0, errno.ENOBUFS, 0, errno.ENOBUFS]
    bus.send_batch(numbered(6), TIMEOUT)
    assert [fake.wire.recv(100) for _ in range(6)] == [codec.encode(message) for message in numbered(6)]
    assert not select.select([fake.wire], [], [], 0)[0]


FULL_IN_BETWEEN = [0, errno.ENOBUFS, errno.ENOBUFS]


@pytest.mark.parametrize("failures", [[], FULL_IN_BETWEEN])
def test_rows_that_were_made_ready_go_one_after_the_other(open_bus: Opener, failures: list[int]) -> None:
    bus, fake = open_bus(fd=True)
    batch = numbered(4)
    batch.append(base(5, is_fd=True, bitrate_switch=True, data=bytes(12)))
    send = bus.prepared(batch)
    fake.failures["send"] = [*failures]
    send(1, 3, TIMEOUT)
    send(4, 5, TIMEOUT)
    records = [codec.encode(batch[row]) for row in (1, 2, 4)]
    assert [fake.wire.recv(100) for _ in range(3)] == records
    assert not select.select([fake.wire], [], [], 0)[0]


def test_of_rows_that_were_made_ready_it_is_known_how_many_went(open_bus: Opener) -> None:
    bus, fake = open_bus()
    send = bus.prepared(numbered(4))
    fake.failures["send"] = [0, *[errno.ENOBUFS] * 100_000]
    with pytest.raises(CanTimeoutError) as caught:
        send(0, 3, 0.01)
    assert caught.value.sent == 1
    bus.shutdown()
    with pytest.raises(CanOperationError, match="closed bus"):
        send(3, 4, 0.01)


@pytest.mark.parametrize("channel", ["can0", "any"])
def test_what_cannot_be_made_ready_says_so_when_it_is_sent(open_bus: Opener, channel: str) -> None:
    bus, _ = open_bus(channel)
    send = bus.prepared(MessageBatch([base(1, channel="can7"), base(2, is_fd=True, channel="can7")]))
    send(0, 1, TIMEOUT)
    with pytest.raises(CanOperationError, match="without CAN FD"):
        send(1, 2, TIMEOUT)


def test_can_fd_needs_a_bus_that_was_opened_for_it(open_bus: Opener) -> None:
    message = base(1, is_fd=True, data=bytes(12))
    bus, fake = open_bus()
    with pytest.raises(CanOperationError, match="without CAN FD"):
        bus.send_batch(MessageBatch([base(1), message]))
    assert not select.select([fake.wire], [], [], 0)[0]  # nothing of it was sent
    assert bus.protocol is CanProtocol.CAN_20


def test_can_fd_on_a_classic_interface_is_said_plainly(
    open_bus: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "mtu", lambda name: 16)
    bus, fake = open_bus(fd=True)
    fake.failures["send"] = [errno.EINVAL]
    with pytest.raises(CanOperationError, match="can0: the interface does not carry CAN FD frames"):
        bus.send(base(1, is_fd=True, data=bytes(12)))
    assert bus.protocol is CanProtocol.CAN_FD


def test_a_bus_of_all_interfaces_sends_where_the_message_says(open_bus: Opener) -> None:
    bus, fake = open_bus("any")
    bus.send(base(0x123, channel="can7", data=b"\1\2\xab"))
    assert fake.sent_to == [(RECORD, ("can7",))]
    for channel in (None, 0, "any", ""):
        with pytest.raises(CanOperationError, match="a bus of all CAN interfaces"):
            bus.send(base(1, channel=channel))
    fake.wire.send(RECORD)
    got = bus.recv(TIMEOUT)
    assert got is not None
    assert got.channel == "can1"


# --- interfaces that go -------------------------------------------------------------------------------


def test_an_interface_that_is_down_is_an_error_each_time(open_bus: Opener) -> None:
    bus, fake = open_bus()
    fake.failures = {"recv": [errno.ENETDOWN], "send": [errno.ENETDOWN]}
    for action in (lambda: bus.recv(TIMEOUT), lambda: bus.send(base(1))):
        with pytest.raises(CanOperationError, match="can0: the interface is down") as caught:
            action()
        assert caught.value.hint == "ip link set can0 up"
    bus.send(base(1))  # up again


def test_frames_before_a_failure_are_not_lost(open_bus: Opener) -> None:
    bus, fake = open_bus()
    fake.wire.send(RECORD)
    recvmsg, calls = fake.recvmsg, iter([True, False])

    def fail_second(*arguments: Any) -> Any:
        if next(calls, True):
            return recvmsg(*arguments)
        raise OSError(errno.ENETDOWN, "down")

    fake.recvmsg = fail_second  # type: ignore[method-assign]  # fails after a first success
    assert bus.recv(TIMEOUT) is not None
    with pytest.raises(CanOperationError, match="down"):
        bus.recv(TIMEOUT)


def test_an_interface_that_is_gone_is_one_error_and_then_a_closed_bus(open_bus: Opener) -> None:
    bus, fake = open_bus()
    fake.failures["recv"] = [errno.ENODEV]
    with pytest.raises(CanOperationError, match="can0: the interface is gone"):
        bus.recv(TIMEOUT)
    with pytest.raises(CanOperationError, match="closed bus"):
        bus.recv(TIMEOUT)


@pytest.mark.parametrize(("number", "how"), [(errno.ENETDOWN, "down"), (errno.ENODEV, "gone")])
def test_a_bus_that_waits_tells_and_goes_on(
    open_bus: Opener, monkeypatch: pytest.MonkeyPatch, number: int, how: str
) -> None:
    notes: list[str] = []
    bus, fake = open_bus(down="wait", on_note=notes.append)
    up: list[bool | None] = [None, False, True]
    monkeypatch.setattr(links, "is_up", lambda name: up.pop(0))
    monkeypatch.setattr(socketcan, "_LOOK_AGAIN", 0.001)
    fake.failures["recv"] = [number]
    monkeypatch.setattr(
        bus,
        "on_note",
        lambda text: (notes.append(text), "again" in text and fake.wire.send(RECORD)),
    )
    assert bus.recv(TIMEOUT) is not None
    assert notes == [
        f"socketcan:can0: the interface is {how}; waiting for it",
        "socketcan:can0: the interface is up again",
    ]
    assert fake.bound == [("can0",)] * (2 if how == "gone" else 1)
