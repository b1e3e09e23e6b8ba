"""CAN XL on a real kernel: the virtual network of each frame (VCID), which Linux 6.9 clears by default."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from cantools_cli.backends.socketcan.bus import SocketcanBus
from cantools_cli.backends.socketcan.finder import kernel_has_socketcan
from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage
from tests.strategies import facts

if not kernel_has_socketcan():
    pytest.skip("this kernel has no SocketCAN", allow_module_level=True)

TIMEOUT = 30.0
CHANNEL = "vcanxl"
VCIDS = (0, 1, 0x45, 0xFF)


@pytest.fixture(scope="module", autouse=True)
def interface() -> Iterator[None]:
    subprocess.run(["ip", "link", "add", "dev", CHANNEL, "mtu", "2060", "type", "vcan"], check=True)
    try:
        subprocess.run(["ip", "link", "set", CHANNEL, "up"], check=True)
        yield
    finally:
        subprocess.run(["ip", "link", "del", CHANNEL], check=False)


def frame(vcid: int, priority: int = 0x123) -> XlMessage:
    return XlMessage(arbitration_id=priority, vcid=vcid, sdt=3, acceptance_field=0xDEADBEEF, data=b"\x01\x02")


def fields(message: Message | None) -> Any:
    return None if message is None else facts(message)[2:]


@pytest.mark.parametrize("vcid", VCIDS)
def test_a_frame_arrives_with_its_vcid(vcid: int) -> None:
    with SocketcanBus(CHANNEL, xl=True) as sender, SocketcanBus(CHANNEL, xl=True) as receiver:
        sender.send(frame(vcid), TIMEOUT)
        expected = frame(vcid)
        expected.is_rx = False  # as sent on this host
        assert fields(receiver.recv(TIMEOUT)) == fields(expected)


def test_own_frames_with_a_vcid_are_received() -> None:
    with SocketcanBus(CHANNEL, xl=True, receive_own_messages=True) as bus:
        bus.send(frame(0x45), TIMEOUT)
        assert getattr(bus.recv(TIMEOUT), "vcid", None) == 0x45


@pytest.mark.parametrize(
    "tokens", ["123:7FF", "123:1FFFFFFF", "123:DFFFFFFF", "124~1FFFFFFF", "124~7FF", "120:1FFFFFF0"]
)
def test_filters_pass_a_frame_whatever_its_vcid(tokens: str) -> None:
    with SocketcanBus(CHANNEL, xl=True) as sender, SocketcanBus(CHANNEL, xl=True) as receiver:
        receiver.push_filter(FrameFilter.parse([tokens]))
        for vcid in VCIDS:
            sender.send(frame(vcid), TIMEOUT)
        got = [receiver.recv(TIMEOUT) for _ in VCIDS]
        assert [getattr(one, "vcid", None) for one in got] == [*VCIDS]


def test_dictionaries_pass_a_frame_whatever_its_vcid() -> None:
    filters = [{"can_id": 0x123, "can_mask": 0x1FFFFFFF}]
    with SocketcanBus(CHANNEL, xl=True) as sender, SocketcanBus(CHANNEL, xl=True) as receiver:
        receiver.set_filters(filters)  # type: ignore[arg-type]  # as programs write them
        for one in (frame(1, 0x124), frame(1), frame(0x45)):
            sender.send(one, TIMEOUT)
        assert [getattr(receiver.recv(TIMEOUT), "vcid", None) for _ in range(2)] == [1, 0x45]
