"""The SocketCAN bus on a socket pair in place of a CAN socket: same calls, same records, no CAN."""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cantools_cli.address import kernel_has_socketcan
from cantools_cli.backends import socketcan
from cantools_cli.backends import socketcan_link as links
from cantools_cli.backends import socketcan_records as codec
from cantools_cli.backends import socketcan_socket as sockets
from cantools_cli.backends.socketcan import SocketcanBus
from cantools_cli.batch import MessageBatch
from cantools_cli.bus import BusABC, BusState, CanProtocol
from cantools_cli.errors import (
    CanInitializationError,
    CanOperationError,
    CanTimeoutError,
    UsageError,
)
from cantools_cli.filters import FrameFilter
from cantools_cli.message import Message
from tests.backends.test_socketcan_records import BAD, CASES
from tests.strategies import facts

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or sys.byteorder != "little", reason="Linux's socket options, little-endian"
)

TIMEOUT = 10.0
RECORD = CASES[0][1]
#: two ways through the system: a frame a call, and many
WAYS = pytest.mark.parametrize("many", [False, True], ids=["recvmsg", "recvmmsg"])


class FakeCan(socket.socket):
    """One end of a socket pair, with the options of a CAN socket; ``failures`` are raised in turn."""

    def __init__(self) -> None:
        ours, self.wire = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        super().__init__(fileno=ours.detach())
        self.options: dict[int, list[int | bytes]] = {}
        self.bound: list[object] = []
        self.sent_to: list[tuple[bytes, object]] = []
        self.failures: dict[str, list[int]] = {}
        self.told: list[tuple[int, int, bytes]] = []

    def _may_fail(self, name: str) -> None:
        if self.failures.get(name):
            number = self.failures[name].pop(0)
            if number:  # 0 lets a call through
                raise OSError(number, os.strerror(number))

    def setsockopt(self, level: int, option: int, value: Any, *_: Any) -> None:  # type: ignore[override]
        self._may_fail(f"option {option}")
        if level == codec.SOL_CAN_RAW:
            self.options.setdefault(option, []).append(value)
        else:
            super().setsockopt(level, option, value)

    def bind(self, address: Any) -> None:
        self._may_fail("bind")
        self.bound.append(address)

    def recvmsg(self, *arguments: Any) -> Any:  # type: ignore[override]
        self._may_fail("recv")
        record, items, marks, _ = super().recvmsg(*arguments)
        return record, [*items, *self.told], marks, ("can1",)

    def send(self, *arguments: Any) -> int:
        self._may_fail("send")
        return super().send(*arguments)

    def sendto(self, record: Any, flags: Any, address: Any = None) -> int:
        self.sent_to.append((bytes(record), address))
        return len(record)

    def close(self) -> None:
        self.wire.close()
        super().close()


Opener = Callable[..., tuple[SocketcanBus, FakeCan]]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCan]:
    end = FakeCan()
    monkeypatch.setattr(sockets, "new_socket", lambda: end)
    monkeypatch.setattr(links, "links", lambda: [links.Link("can0"), links.Link("vcan0", mtu=72)])
    yield end
    end.close()


@pytest.fixture
def open_bus(fake: FakeCan) -> Iterator[Opener]:
    """Return a function that opens a bus on the socket pair; gives the bus, and the pair."""
    opened: list[SocketcanBus] = []

    def open_it(
        channel: str = "can0", *, many: bool = False, **settings: Any
    ) -> tuple[SocketcanBus, FakeCan]:
        bus = SocketcanBus(channel, **settings)
        opened.append(bus)
        if many:  # as after the first burst
            bus._port._incoming = bus._port._messages(receiving=True)
            assert bus._port._incoming is not None
        return bus, fake

    yield open_it
    for bus in opened:
        bus.shutdown()


def base(identifier: int, **more: Any) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, **more)


def numbered(count: int) -> MessageBatch:
    return MessageBatch(Message(arbitration_id=row, data=row.to_bytes(2, "big")) for row in range(count))


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
    assert bus.bad_records == 1
    assert bus.first_fault is not None


@WAYS
def test_a_record_longer_than_any_is_counted(open_bus: Opener, many: bool) -> None:
    bus, fake = open_bus(many=many)
    fake.wire.send(bytes(80))
    assert bus.recv(0) is None
    assert (bus.bad_records, str(bus.first_fault)[:25]) == (1, "a record of over 72 bytes")


@pytest.mark.parametrize("available", [True, False])
def test_a_burst_comes_whole_and_in_order(
    open_bus: Opener, monkeypatch: pytest.MonkeyPatch, available: bool
) -> None:
    from cantools_cli.backends import socketcan_mmsg

    monkeypatch.setattr(socketcan_mmsg, "is_available", lambda: available)
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
        "from tests.backends.test_socketcan import FakeCan, RECORD, codec, socketcan, sockets\n"
        "end = FakeCan(); sockets.new_socket = lambda: end; sys.modules.pop('ctypes', None)\n"
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
    assert bus.missed_frames == 2**32 + 3


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
    assert bus.missed_frames == 7


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

    bus._port.wait = note_wait  # type: ignore[method-assign]
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
    with pytest.raises(CanTimeoutError, match=r"no room to send in time; [1-9]\d* of 5000 frames sent"):
        bus.send_batch(numbered(5000), 0.05)


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
    with pytest.raises(CanOperationError, match="can0: the interface is a classic one"):
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

    fake.recvmsg = fail_second  # type: ignore[method-assign]
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


# --- opening ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "option", "values"),
    [
        ({}, codec.RAW_LOOPBACK, [1]),
        ({"local_loopback": False}, codec.RAW_LOOPBACK, [0]),
        ({}, codec.RAW_RECV_OWN_MSGS, [0]),
        ({"receive_own_messages": True}, codec.RAW_RECV_OWN_MSGS, [1]),
        ({}, codec.RAW_FD_FRAMES, None),
        ({"fd": True}, codec.RAW_FD_FRAMES, [1]),
        ({}, codec.RAW_ERR_FILTER, [bytes.fromhex("ffffff1f")]),
        ({"ignore_rx_error_frames": True}, codec.RAW_ERR_FILTER, [bytes(4)]),
        ({"receive": False}, codec.RAW_ERR_FILTER, [bytes(4)]),
        ({}, codec.RAW_FILTER, [bytes(8)]),
        ({"receive": False}, codec.RAW_FILTER, [b""]),
        (
            {"can_filters": [{"can_id": 0x123, "can_mask": 0x7FF, "extended": False}]},
            codec.RAW_FILTER,
            [bytes.fromhex("23010000ff070080")],
        ),
    ],
)
def test_settings_become_options(
    open_bus: Opener, settings: dict[str, Any], option: int, values: list[int | bytes] | None
) -> None:
    _, fake = open_bus(**settings)
    assert fake.options.get(option, [None])[-1] == (values or [None])[-1]


def test_joined_filters_are_pushed_without_a_moment_that_loses_frames(open_bus: Opener) -> None:
    bus, fake = open_bus()
    fake.options.clear()
    bus.push_filter(FrameFilter.parse(["400~7F0,500~7F0,j,#0"]))
    entries = bytes.fromhex("00040020f007000000050020f0070000")
    assert fake.options[codec.RAW_FILTER] == [bytes(8), entries]
    assert fake.options[codec.RAW_JOIN_FILTERS] == [1]
    assert fake.options[codec.RAW_ERR_FILTER] == [bytes(4)]
    bus.set_filters(None)
    assert fake.options[codec.RAW_FILTER][-1] == bytes(8)
    assert fake.options[codec.RAW_JOIN_FILTERS][-1] == 0


def test_other_interfaces_get_dictionaries_that_pass_at_least_as_much() -> None:
    applied: list[object] = []

    class OtherBus(BusABC):
        def _apply_filters(self, filters: object) -> None:
            applied.append(filters)

    OtherBus("x").push_filter(FrameFilter.parse(["123"]))
    assert applied == [None, [{"can_id": 0x123, "can_mask": 0x1FFFFFFF, "extended": False}]]


def test_an_option_that_the_kernel_does_not_have_is_only_noted(open_bus: Opener, fake: FakeCan) -> None:
    notes: list[str] = []
    fake.failures[f"option {codec.RAW_FD_FRAMES}"] = [errno.ENOPROTOOPT]
    open_bus(fd=True, on_note=notes.append)
    assert notes == ["socketcan:can0: the kernel refuses fd: Protocol not available"]


@pytest.mark.parametrize(
    ("channel", "address"), [("can0", "can0"), ("", ""), ("any", ""), (None, ""), ("vcan0", "vcan0")]
)
def test_the_channel_is_what_is_bound(open_bus: Opener, channel: Any, address: str) -> None:
    bus, fake = open_bus(channel)
    assert fake.bound == [(address,)]
    assert str(bus) == f"socketcan channel '{address or 'any'}'"


@pytest.mark.parametrize(
    ("number", "reason", "hint"),
    [
        (errno.ENODEV, "can9: the kernel has no such CAN interface", "CAN interfaces here: can0, vcan0"),
        (errno.EPERM, "can9: cannot open: Operation not permitted", None),
    ],
)
def test_an_interface_that_cannot_be_bound(
    open_bus: Opener, fake: FakeCan, number: int, reason: str, hint: str | None
) -> None:
    fake.failures["bind"] = [number]
    with pytest.raises(CanInitializationError, match=reason) as caught:
        open_bus("can9")
    assert caught.value.hint == hint
    assert fake.fileno() == -1  # closed


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EAFNOSUPPORT, "this kernel has no SocketCAN"),
        (errno.EPROTONOSUPPORT, "this kernel has no SocketCAN"),
        (errno.EPERM, "cannot open a socket: Operation not permitted"),
    ],
)
def test_a_kernel_that_gives_no_socket(monkeypatch: pytest.MonkeyPatch, number: int, reason: str) -> None:
    def refuse() -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(sockets, "new_socket", refuse)
    with pytest.raises(CanInitializationError, match=reason):
        SocketcanBus("can0")


@pytest.mark.skipif(kernel_has_socketcan(), reason="this kernel has SocketCAN")
def test_this_kernel_has_no_socketcan() -> None:
    with pytest.raises(CanInitializationError, match="socketcan:can0: this kernel has no SocketCAN"):
        SocketcanBus("can0")


def test_a_bad_filter_leaves_no_socket_open(open_bus: Opener, fake: FakeCan) -> None:
    with pytest.raises(UsageError, match="bad filter"):
        open_bus(can_filters=[{"can_id": 1}])
    assert fake.fileno() == -1


def test_an_unknown_way_to_go_down_is_refused() -> None:
    with pytest.raises(UsageError, match="down='later'"):
        SocketcanBus("can0", down="later")


# --- the link -----------------------------------------------------------------------------------------

CAN0 = links.Link(
    "can0", kind="can", bitrate=500_000, controller_state="ERROR-PASSIVE", rx_errors=7, tx_errors=9
)


@pytest.fixture
def link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "link", lambda name: CAN0)


@pytest.mark.usefixtures("link")
def test_another_bit_rate_than_the_interface_has_is_noted(open_bus: Opener) -> None:
    notes: list[str] = []
    open_bus(bitrate=250_000, data_bitrate=2_000_000, on_note=notes.append)
    assert notes == ["socketcan:can0: the bit rate is 500000, not 250000: ip link sets it"]


@pytest.mark.usefixtures("link")
def test_without_anybody_to_tell_notes_are_warnings(
    open_bus: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    open_bus(bitrate=250_000)
    assert "the bit rate is 500000, not 250000" in caplog.text


@pytest.mark.usefixtures("link")
def test_listen_only_has_to_be_set_by_the_administrator(open_bus: Opener) -> None:
    with pytest.raises(CanInitializationError, match="not in listen-only mode") as caught:
        open_bus(listen_only=True)
    assert "ip link set can0 type can listen-only on" in str(caught.value.hint)


def test_a_bus_that_listens_only_sends_nothing(open_bus: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "link", lambda name: links.Link("can0", modes=("LISTEN-ONLY",)))
    bus, _ = open_bus(listen_only=True)
    with pytest.raises(CanOperationError, match="listen only"):
        bus.send(base(1))


@pytest.mark.usefixtures("link")
def test_state_and_error_counters_are_those_of_the_controller(open_bus: Opener) -> None:
    bus, _ = open_bus()
    assert bus.state is BusState.PASSIVE
    assert bus.error_counters == (9, 7)
    with pytest.raises(NotImplementedError, match="ip link"):
        bus.state = BusState.ACTIVE
