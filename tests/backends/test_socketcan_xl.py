"""CAN XL through a socket of SocketCAN: a pair of sockets in place of the kernel's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cantools_cli.backends import socketcan_records as codec
from cantools_cli.batch import MessageBatch
from cantools_cli.bus import CanProtocol
from cantools_cli.errors import CanOperationError
from cantools_cli.xl import XlMessage
from tests.backends.fake_can import Opener, base, fake_socket, numbered, opener
from tests.backends.test_socketcan_records import XL_CASES
from tests.strategies import facts

TIMEOUT = 10.0


@pytest.fixture
def open_bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[Opener]:
    with fake_socket(monkeypatch) as fake, opener(fake) as open_it:
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


@pytest.mark.parametrize("many", [False, True])
def test_what_was_not_asked_for_is_counted(open_bus: Opener, many: bool) -> None:
    bus, fake = open_bus(fd=True, many=many)
    fake.wire.send(XL_CASES[0][1])
    fake.wire.send(codec.encode(base(1)))
    batch = bus.recv_batch(TIMEOUT)
    assert batch is not None
    assert [message.arbitration_id for message in batch] == [1]
    assert (bus.bad_records, str(bus.first_fault)[:14]) == (1, "a CAN XL frame")
