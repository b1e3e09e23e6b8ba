"""CAN XL through a socket of SocketCAN: a pair of sockets in place of the kernel's."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import pytest

from cantools_cli.backends.socketcan import records as codec
from cantools_cli.bus.base import CanProtocol
from cantools_cli.errors import CanOperationError
from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.xl import XlMessage
from tests.backends.fake_can import FakeCan, Opener, base, fake_socket, numbered, opener
from tests.backends.socketcan.test_records import XL_CASES
from tests.strategies import facts

TIMEOUT = 10.0
TAGGED = XlMessage(arbitration_id=0x123, vcid=0x45, data=b"a")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCan]:
    with fake_socket(monkeypatch) as end:
        yield end


@pytest.fixture
def open_bus(fake: FakeCan) -> Iterator[Opener]:
    with opener(fake) as open_it:
        yield open_it


@pytest.mark.parametrize(("message", "record"), XL_CASES)
def test_frames_come_between_others(open_bus: Opener, message: XlMessage, record: bytes) -> None:
    bus, fake = open_bus(xl=True)
    for sent in (codec.encode(base(1)), record, codec.encode(base(2, is_fd=True))):
        fake.wire.send(sent)
    batch = bus.recv_batch(TIMEOUT)
    assert batch is not None
    assert facts(batch[1])[2:] == facts(message)[2:]
    assert [one.arbitration_id for one in batch] == [1, message.arbitration_id, 2]


def test_many_frames_are_sent_and_received_in_order(open_bus: Opener) -> None:
    bus, fake = open_bus(xl=True)
    batch = numbered(40)
    batch.extend(MessageBatch(message for message, _ in XL_CASES))
    bus.send_batch(batch, TIMEOUT)
    for message in batch:
        record = fake.wire.recv(codec.XL_SIZE + 1)
        assert record == codec.encode(message)
        fake.wire.send(record)
    received = [bus.recv(TIMEOUT) for _ in batch]
    assert [facts(one)[2:9] for one in received if one] == [facts(one)[2:9] for one in batch]


def test_it_is_asked_for_when_the_bus_is_opened(open_bus: Opener) -> None:
    bus, fake = open_bus(xl=True)
    assert (bus.protocol, bus.carries_xl) == (CanProtocol.CAN_XL, True)
    assert fake.options[codec.RAW_XL_FRAMES] == [1]
    bus, _ = open_bus(fd=True)
    with pytest.raises(CanOperationError, match="CAN XL"):
        bus.send(XL_CASES[0][0])
    with pytest.raises(CanOperationError, match="CAN XL"):
        bus.send_periodic(XL_CASES[0][0], 1.0)


def test_frames_of_every_vcid_are_asked_for(open_bus: Opener) -> None:
    _, fake = open_bus(xl=True)
    assert fake.options[codec.RAW_XL_VCID_OPTS] == [b"\x06\0\0\0"]


def test_a_classic_bus_asks_for_no_vcid(open_bus: Opener) -> None:
    _, fake = open_bus(fd=True)
    assert codec.RAW_XL_VCID_OPTS not in fake.options


def test_an_older_kernel_passes_the_vcid_as_it_is(open_bus: Opener, fake: FakeCan) -> None:
    fake.failures[f"option {codec.RAW_XL_VCID_OPTS}"] = [errno.ENOPROTOOPT]
    bus, _ = open_bus(xl=True)
    bus.send(TAGGED, TIMEOUT)
    assert fake.wire.recv(codec.XL_SIZE) == codec.encode(TAGGED)


def test_a_vcid_that_the_kernel_would_clear_is_refused(open_bus: Opener, fake: FakeCan) -> None:
    fake.failures[f"option {codec.RAW_XL_VCID_OPTS}"] = [errno.EPERM]
    bus, _ = open_bus(xl=True)
    for send in (bus.send, lambda message: bus.send_periodic(message, 1.0)):
        with pytest.raises(CanOperationError, match="can0: a CAN XL frame with a VCID, which this kernel"):
            send(TAGGED)
    plain = XlMessage(arbitration_id=1, data=b"a")
    bus.send(plain, TIMEOUT)
    assert fake.wire.recv(codec.XL_SIZE) == codec.encode(plain)


def test_filters_of_a_can_xl_bus_ignore_the_vcid(open_bus: Opener) -> None:
    bus, fake = open_bus(xl=True)
    bus.push_filter(FrameFilter.parse(["123:1FFFFFFF"]))
    assert fake.options[codec.RAW_FILTER][-1] == bytes.fromhex("23010000 FFFF001F")


@pytest.mark.parametrize("many", [False, True])
def test_what_was_not_asked_for_is_counted(open_bus: Opener, many: bool) -> None:
    bus, fake = open_bus(fd=True, many=many)
    fake.wire.send(XL_CASES[0][1])
    fake.wire.send(codec.encode(base(1)))
    batch = bus.recv_batch(TIMEOUT)
    assert batch is not None
    assert [message.arbitration_id for message in batch] == [1]
    assert (bus.losses["malformed records of the kernel skipped"], str(bus.first_fault)[:14]) == (
        1,
        "a CAN XL frame",
    )
