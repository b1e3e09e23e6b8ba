"""python-can's bus on the same emulated library, under the same package of National Instruments.

Where canx differs, the manual page canx-vendors says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from cantools_cli.backends.nixnet import library as xnet
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from tests.backends.nixnet.conftest import Opened
from tests.vendor import kit

can = pytest.importorskip("can")

PATIENCE = 20.0
SENT: list[dict[str, Any]] = [
    {"arbitration_id": 0x123, "is_extended_id": False, "data": b"\1\2\3"},
    {"arbitration_id": 0x12ABCDEF, "data": bytes(range(8))},
    {"arbitration_id": 0x7FF, "is_extended_id": False},
]
SENT_FD: list[dict[str, Any]] = [
    {"arbitration_id": 0x7FF, "is_extended_id": False, "is_fd": True, "data": bytes(range(64))},
    {"arbitration_id": 1, "is_fd": True, "bitrate_switch": True, "data": bytes(12)},
]


@pytest.fixture
def theirs(stub: kit.Stub) -> Iterator[Callable[..., Any]]:
    """Open python-can's buses; its class refuses Linux unless it is told to be in a test."""
    xnet.load()
    from can.interfaces.nixnet import NiXNETcanBus

    with ExitStack() as stack:

        def open_bus(channel: str, **settings: Any) -> Any:
            bus = NiXNETcanBus(channel, _testing=True, **settings)
            stack.callback(lambda: None if bus._is_shutdown else bus.shutdown())  # a second call fails
            return bus

        yield open_bus


def facts(message: Any) -> tuple[object, ...]:
    kinds = message.is_extended_id, message.is_remote_frame, message.is_error_frame, message.is_fd
    return (
        message.arbitration_id,
        *kinds,
        message.bitrate_switch,
        message.dlc,
        bytes(message.data),
        message.is_rx,
    )


def drained(bus: Any, count: int) -> list[Any]:
    return [facts(bus.recv(PATIENCE)) for _ in range(count)]


@pytest.mark.parametrize("is_fd", [False, True])
def test_each_receives_what_the_other_sends(theirs: Any, opened: Opened, is_fd: bool) -> None:
    sent = [can.Message(**fields) for fields in (SENT_FD if is_fd else SENT)]
    expected = [facts(message) for message in sent]
    judge, bus = theirs("CAN1", fd=is_fd), opened("CAN2", fd=is_fd)
    for message in sent:
        judge.send(message)
    assert drained(bus, len(sent)) == expected
    for message in sent:
        bus.send(message)
    assert drained(judge, len(sent)) == expected


def test_both_give_the_same_time(stub: kit.Stub, theirs: Any, opened: Opened) -> None:
    judge, bus = theirs("CAN1"), opened("CAN2")
    for channel in (1, 2):
        stub.inject(channel, arbitration_id=1, time_ns=1_700_000_000_123_456_700)
    message = bus.recv(PATIENCE)
    assert message.timestamp_ns == 1_700_000_000_123_456_700
    # its steps are 2 us: it divides before it subtracts the years since 1601
    assert judge.recv(PATIENCE).timestamp == pytest.approx(message.timestamp, abs=2e-6)


@pytest.mark.parametrize("is_fd", [False, True])
def test_both_mark_own_messages(theirs: Any, opened: Opened, is_fd: bool) -> None:
    found = []
    for open_bus in (theirs, opened):
        bus = open_bus("CAN1", fd=is_fd, receive_own_messages=True)
        bus.send(can.Message(**SENT_FD[0] if is_fd else SENT[0]))
        found.append(bus.recv(PATIENCE))
        bus.shutdown()
    assert [message.is_rx for message in found] == [False, False]


def test_both_configure_the_interface_alike(stub: kit.Stub, theirs: Any, opened: Opened) -> None:
    """All properties but two: canx has auto start off and a queue of its own."""

    def properties() -> dict[str, str]:
        calls = [call.split() for call in stub.calls() if call.startswith("nxSetProperty")]
        return {call[2]: call[4] for call in calls if call[2] not in ("0x02100001", "0x0010000c")}

    timing = (40_000_000, 1, 63, 16, 16, 1, 14, 5, 5)
    for settings, equal in (
        ({"bitrate": 250_000}, {"bitrate": 250_000}),
        ({"fd": True, "fd_bitrate": 2_000_000}, {"fd": True, "fd_bitrate": 2_000_000}),
        ({"can_termination": True}, {"can_termination": True}),
        (
            {"timing": can.BitTiming(40_000_000, 5, 12, 3, 2)},
            {"timing": BitTiming(f_clock=40_000_000, brp=5, tseg1=12, tseg2=3, sjw=2)},
        ),
        ({"timing": can.BitTimingFd(*timing)}, {"timing": BitTimingFd(*timing)}),
        ({"timing": can.BitTimingFd(*timing)}, {"timing": can.BitTimingFd(*timing)}),
    ):
        stub.clear_calls()
        theirs("CAN1", **settings).shutdown()
        judged = properties()
        stub.clear_calls()
        opened("CAN1", **equal).shutdown()
        assert properties() == judged


def test_both_detect_the_same_interfaces(stub: kit.Stub, theirs: Any) -> None:
    from can.interfaces.nixnet import NiXNETcanBus as Judge

    from cantools_cli.backends.nixnet.bus import NiXNETcanBus

    assert NiXNETcanBus._detect_available_configs() == Judge._detect_available_configs()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("channel", ["CAN9", "CAN1"])
def test_both_report_the_same_code(stub: kit.Stub, theirs: Any, opened: Opened, channel: str) -> None:
    codes = []
    for open_bus in (theirs, opened):
        with pytest.raises(Exception, match="Error Code") as raised:
            open_bus(channel, bitrate=123)
        codes.append(raised.value.error_code)  # type: ignore[attr-defined]
        stub.reset()  # python-can leaves its sessions open
    assert codes[0] == codes[1]
