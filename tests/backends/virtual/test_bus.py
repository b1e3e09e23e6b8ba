"""The virtual bus within a program: what is documented, most of it asked of python-can's own as well."""

from __future__ import annotations

import gc
import queue
import select
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from can.interfaces.virtual import VirtualBus as DocumentedBus

from cantools_cli.backends.virtual import bus as virtual
from cantools_cli.backends.virtual.bus import VirtualBus
from cantools_cli.bus.base import CanProtocol
from cantools_cli.errors import CanOperationError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

Opener = Callable[..., Any]
STAMP = 1639740470.051948
_numbers = count()


@pytest.fixture(autouse=True)
def place_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANX_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def channel() -> str:
    return f"t{next(_numbers)}"


def opener(bus_class: Any, channel: str) -> Iterator[Opener]:
    buses = []

    def open_bus(name: Any = channel, **settings: Any) -> Any:
        buses.append(bus_class(name, **settings))
        return buses[-1]

    yield open_bus
    for bus in buses:
        bus.shutdown()


@pytest.fixture(params=[VirtualBus, DocumentedBus], ids=["canx", "python-can"])
def open_any(request: pytest.FixtureRequest, channel: str) -> Iterator[Opener]:
    yield from opener(request.param, channel)


@pytest.fixture
def open_bus(channel: str) -> Iterator[Opener]:
    yield from opener(VirtualBus, channel)


# --- both ours and python-can's ---------------------------------------------------------------------------


def test_others_receive_with_the_time_of_now_and_the_sender_nothing(open_any: Opener, channel: str) -> None:
    a, b = open_any(), open_any()
    a.send(Message(timestamp=5.0, arbitration_id=0xABCDE, data=b"\1\2\3", is_rx=False))
    message = b.recv(1)
    assert (message.arbitration_id, bytes(message.data), message.channel) == (0xABCDE, b"\1\2\3", channel)
    assert message.is_rx
    assert message.timestamp == pytest.approx(time.time(), abs=10)
    assert a.recv(0) is None


def test_timestamps_are_kept_by_the_senders_setting(open_any: Opener) -> None:
    keeps, stamps = open_any(preserve_timestamps=True), open_any()
    keeps.send(Message(timestamp=STAMP))
    assert stamps.recv(1).timestamp == STAMP
    stamps.send(Message(timestamp=STAMP))
    assert keeps.recv(1).timestamp != STAMP


def test_own_messages_are_received_as_sent_ones(open_any: Opener) -> None:
    a, b = open_any(receive_own_messages=True), open_any()
    a.send(Message(arbitration_id=1))
    assert (a.recv(1).is_rx, b.recv(1).is_rx) == (False, True)


def test_each_receiver_has_its_own_copy(open_any: Opener) -> None:
    a, b, c = open_any(), open_any(), open_any()
    original = Message(data=b"abc")
    a.send(original)
    first, second = b.recv(1), c.recv(1)
    first.data[0] = 0
    assert (bytes(second.data), bytes(original.data)) == (b"abc", b"abc")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [("x", "x", True), ("x", "y", False), (1, 1, True), (1, "1", False), ((1, "a"), (1, "a"), True)],
)
def test_equal_channels_are_joined(open_any: Opener, one: object, other: object, is_same: bool) -> None:
    a, b = open_any(one), open_any(other)
    a.send(Message())
    message = b.recv(0)
    assert (message is not None) is is_same
    assert message is None or message.channel == one


def test_a_full_queue_blocks_up_to_the_timeout_and_then_raises(open_any: Opener) -> None:
    a, full, free = open_any(), open_any(rx_queue_size=1), open_any()
    a.send(Message(arbitration_id=1))
    begin = time.monotonic()
    with pytest.raises(Exception, match="Could not send message to one or more recipients"):
        a.send(Message(arbitration_id=2), timeout=0.1)
    assert time.monotonic() - begin >= 0.1
    assert [bus.recv(0).arbitration_id for bus in (full, free, free)] == [1, 1, 2]
    assert full.recv(0) is None


def test_a_closed_bus_neither_sends_nor_receives(open_any: Opener) -> None:
    bus = open_any()
    bus.shutdown()
    bus.shutdown()
    for use in (lambda: bus.send(Message()), lambda: bus.recv(0)):
        with pytest.raises(Exception, match="closed bus") as caught:
            use()
        assert type(caught.value).__name__ == "CanOperationError"


def test_a_negative_timeout_is_refused(open_any: Opener) -> None:
    with pytest.raises(ValueError, match="'timeout' must be a non-negative number"):
        open_any().recv(-1)


def test_an_unhashable_channel_is_refused(open_any: Opener) -> None:
    with pytest.raises(TypeError):
        open_any(["list"])


def test_unknown_settings_are_ignored(open_any: Opener) -> None:
    assert open_any(bitrate=500000, app_name="x").recv(0) is None


def test_filters_apply_to_what_is_received(open_any: Opener) -> None:
    a, b = open_any(), open_any(can_filters=[{"can_id": 0x10, "can_mask": 0xFF, "extended": False}])
    for identifier in (0x10, 0x20, 0x110):
        a.send(Message(arbitration_id=identifier, is_extended_id=False))
    assert [b.recv(1).arbitration_id for _ in range(2)] == [0x10, 0x110]
    assert b.recv(0) is None


def test_detection_offers_what_is_used_and_one_that_is_not(open_any: Opener, channel: str) -> None:
    bus = open_any()
    *used, free = bus._detect_available_configs()
    assert {"interface": "virtual", "channel": channel} in used
    assert free["interface"] == "virtual"
    assert free["channel"] not in [config["channel"] for config in used]


def test_the_bus_names_itself(open_any: Opener, channel: str) -> None:
    assert str(open_any()) == f"Virtual bus channel {channel}"


# --- ours alone ------------------------------------------------------------------------------------------


def test_the_default_channel_has_a_name(open_bus: Opener) -> None:
    a, b = open_bus(None), open_bus("channel-0")
    a.send(Message())
    assert b.recv(0).channel == "channel-0"


FRAMES = [
    Message(arbitration_id=0x7FF, is_extended_id=False, data=b"\0" * 8),
    Message(arbitration_id=0x123),
    Message(arbitration_id=0x1, is_remote_frame=True, dlc=5),
    Message(arbitration_id=0x4, is_extended_id=False, is_error_frame=True, data=b"\0\1"),
    Message(is_fd=True, bitrate_switch=True, error_state_indicator=True, data=bytes(range(64))),
]


@pytest.mark.parametrize("message", FRAMES, ids=["base", "extended", "remote", "error", "fd"])
def test_every_kind_of_frame_passes(open_bus: Opener, message: Message) -> None:
    a, b = open_bus(), open_bus()
    a.send(message)
    assert b.recv(0).equals(message, timestamp_delta=None, check_channel=False)


@pytest.mark.parametrize("scope", ["process", "host"])
@pytest.mark.parametrize("is_extended_id", [False, True])
def test_error_frames_keep_the_kind_of_their_identifier(
    open_bus: Opener, scope: str, is_extended_id: bool
) -> None:
    a, b = open_bus(scope=scope), open_bus(scope=scope)
    message = Message(arbitration_id=4, is_extended_id=is_extended_id, is_error_frame=True, data=b"\0\1")
    a.send(message)
    assert b.recv(5).equals(message, timestamp_delta=None, check_channel=False)


@pytest.mark.parametrize("scope", ["process", "host"])
def test_the_queue_shows_what_waits(open_bus: Opener, scope: str) -> None:
    a, b = open_bus(scope=scope), open_bus(scope=scope, rx_queue_size=3)
    assert (b.queue.qsize(), b.queue.empty(), b.queue.full(), b.queue.maxsize) == (0, True, False, 3)
    for identifier in (1, 2, 3):
        a.send(Message(arbitration_id=identifier))
    assert (b.queue.qsize(), b.queue.empty(), b.queue.full()) == (3, False, True)
    assert b.recv(5).arbitration_id == 1
    assert b.queue.get().arbitration_id == 2
    assert b.queue.qsize() == 1
    assert b.queue.get_nowait().arbitration_id == 3
    with pytest.raises(queue.Empty):
        b.queue.get(timeout=0)
    a.send_batch(MessageBatch(Message(arbitration_id=row) for row in range(3)))
    assert b.recv(5).arbitration_id == 0
    assert b.queue.qsize() == 2
    b.shutdown()
    assert b.queue.empty()


def test_a_raw_dlc_passes(open_bus: Opener) -> None:
    a, b = open_bus(), open_bus()
    message = Message(data=bytes(8))
    message.dlc_code = 12
    a.send(message)
    assert b.recv(0).dlc_code == 12


def test_a_batch_arrives_as_a_batch(open_bus: Opener) -> None:
    a, b = open_bus(preserve_timestamps=True), open_bus()
    sent = MessageBatch(Message(arbitration_id=row, timestamp=row, channel=f"c{row}") for row in range(5))
    a.send_batch(sent)
    a.send_batch(sent)
    received = b.recv_batch(0)
    assert list(received.can_id) == [*sent.can_id, *sent.can_id]
    assert list(received.timestamp_ns[:5]) == list(sent.timestamp_ns)
    assert {message.channel for message in received} == {b.channel_id}
    assert list(sent.channel) == [0, 1, 2, 3, 4]


def test_a_bounded_queue_takes_of_a_batch_what_fits(open_bus: Opener) -> None:
    a, b = open_bus(), open_bus(rx_queue_size=3)
    with pytest.raises(CanOperationError):
        a.send_batch(MessageBatch(Message(arbitration_id=row) for row in range(5)), timeout=0)
    assert [b.recv(0).arbitration_id for _ in range(3)] == [0, 1, 2]
    assert b.recv(0) is None


def test_a_sender_without_timeout_waits_for_room(open_bus: Opener) -> None:
    a, b = open_bus(), open_bus(rx_queue_size=2)
    sending = threading.Thread(
        target=a.send_batch, args=(MessageBatch(Message(arbitration_id=row) for row in range(500)),)
    )
    sending.start()
    assert [b.recv(10).arbitration_id for _ in range(500)] == list(range(500))
    sending.join(10)
    assert not sending.is_alive()


def test_closing_a_full_receiver_releases_the_sender(open_bus: Opener) -> None:
    a, b = open_bus(), open_bus(rx_queue_size=1)
    a.send(Message())
    sending = threading.Thread(target=a.send, args=(Message(),))
    sending.start()
    b.shutdown()
    sending.join(10)
    assert not sending.is_alive()


def test_closing_a_bus_ends_a_waiting_recv(open_bus: Opener) -> None:
    bus, errors = open_bus(), []

    def wait() -> None:
        with pytest.raises(CanOperationError, match="closed bus") as caught:
            bus.recv()
        errors.append(caught.value)

    waiting = threading.Thread(target=wait)
    waiting.start()
    bus.shutdown()
    waiting.join(10)
    assert len(errors) == 1


def test_many_senders_give_all_receivers_one_order(open_bus: Opener) -> None:
    senders, receivers = [open_bus() for _ in range(3)], [open_bus() for _ in range(2)]
    threads = [
        threading.Thread(
            target=lambda bus=bus, n=n: [bus.send(Message(arbitration_id=n)) for _ in range(300)]
        )
        for n, bus in enumerate(senders)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    orders = [[bus.recv(0).arbitration_id for _ in range(900)] for bus in receivers]
    assert orders[0] == orders[1]


def test_the_descriptor_is_ready_as_long_as_a_frame_waits(open_bus: Opener) -> None:
    a, b = open_bus(), open_bus()
    a.send(Message())
    a.send_batch(MessageBatch([Message(), Message()]))
    for _ in range(3):
        assert select.select([b], [], [], 0)[0] == [b]
        assert b.recv(0) is not None
    assert select.select([b], [], [], 0)[0] == []
    a.send(Message())
    assert select.select([b], [], [], 0)[0] == [b]


def test_a_closed_bus_has_no_descriptor(open_bus: Opener) -> None:
    bus = open_bus()
    bus.shutdown()
    with pytest.raises(CanOperationError):
        bus.fileno()


def test_channels_are_forgotten_with_their_last_bus(open_bus: Opener, channel: str) -> None:
    a, b = open_bus(), open_bus()
    a.shutdown()
    assert channel in virtual._channels
    b.shutdown()
    assert channel not in virtual._channels


def test_a_forgotten_bus_says_so_and_leaves_its_channel(
    channel: str, caplog: pytest.LogCaptureFixture
) -> None:
    bus = VirtualBus(channel)
    receives = VirtualBus(channel)
    del bus
    gc.collect()
    assert "VirtualBus was not properly shut down" in caplog.text
    assert len(virtual._channels[channel]) == 1
    receives.shutdown()


def test_the_protocol_is_what_was_asked_for(open_bus: Opener) -> None:
    assert open_bus().protocol is CanProtocol.CAN_20
    assert open_bus(protocol=CanProtocol.CAN_FD).protocol is CanProtocol.CAN_FD


def test_an_unknown_scope_is_refused() -> None:
    with pytest.raises(UsageError, match='unknown scope "world"'):
        VirtualBus("x", scope="world")


def test_nothing_is_queued_for_sending(open_any: Opener) -> None:
    bus, receiver = open_any(), open_any()
    bus.send(Message(arbitration_id=1))
    if isinstance(bus, VirtualBus):
        bus.flush_tx_buffer()
    assert receiver.recv(0) is not None
