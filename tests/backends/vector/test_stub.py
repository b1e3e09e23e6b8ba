"""The emulated library is as strict as the tables of the interface say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ctypes import byref, c_char_p, c_int32, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.backends.vector import xlclass
from cantools_cli.backends.vector.library import XL_DRIVER
from tests.vendor.kit import Stub, loaded

Calls = Callable[..., int]


@pytest.fixture
def stub(path: Path) -> Iterator[Stub]:
    with loaded(path, may_violate=True) as stub:
        yield stub


@pytest.fixture
def xl(stub: Stub, path: Path) -> Iterator[Any]:
    functions = XL_DRIVER.load(path)
    assert functions.xlOpenDriver() == 0
    yield functions
    assert functions.xlCloseDriver() == 0


def port_of(xl: Any, mask: int = 1, *, version: int = 3, queue: int = 8192, claims: bool = True) -> int:
    handle, permission = c_int32(-1), c_uint64(mask if claims else 0)
    assert xl.xlOpenPort(byref(handle), b"test", mask, byref(permission), queue, version, 1) == 0
    return handle.value


def sent(xl: Any, port: int, event: Any) -> int:
    count = c_uint32(1)
    if isinstance(event, xlclass.XLevent):
        return int(xl.xlCanTransmit(port, 1, byref(count), byref(event)))
    return int(xl.xlCanTransmitEx(port, 1, 1, byref(count), byref(event)))


def classic(**fields: Any) -> xlclass.XLevent:
    event = xlclass.XLevent(tag=10)
    for name, value in fields.items():
        setattr(event if name in ("tag", "chanIndex") else event.tagData.msg, name, value)
    return event


def fd(**fields: Any) -> xlclass.XLcanTxEvent:
    event = xlclass.XLcanTxEvent(tag=0x440, transId=0xFFFF)
    for name, value in fields.items():
        setattr(event if hasattr(event, name) else event.tagData.canMsg, name, value)
    return event


def test_nothing_works_before_the_driver_is_open(stub: Stub, path: Path) -> None:
    functions = XL_DRIVER.load(path)
    config = xlclass.XLdriverConfig()
    assert functions.xlGetDriverConfig(byref(config)) == 201
    assert functions.xlCloseDriver() == 201
    assert functions.xlGetChannelIndex(1, 0, 0) == -1
    assert functions.xlGetChannelMask(1, 0, 0) == 0
    assert functions.xlGetErrorString(118) == b"XL_ERR_INVALID_PORT"
    assert "before xlOpenDriver" in stub.violations()


@pytest.mark.parametrize(
    ("mask", "queue", "version", "bus_type", "status"),
    [
        (1, 8192, 2, 1, 160),
        (1, 8192, 3, 2, 202),
        (0, 8192, 3, 1, 204),
        (1 << 20, 8192, 3, 1, 204),
        (1, 8191, 3, 1, 101),
        (1, 65536, 3, 1, 101),
        (1, 4096, 4, 1, 101),
    ],
)
def test_refused_ports(
    xl: Any, stub: Stub, mask: int, queue: int, version: int, bus_type: int, status: int
) -> None:
    handle, permission = c_int32(-1), c_uint64(0)
    arguments = byref(handle), c_char_p(b"test"), mask, byref(permission), queue, version, bus_type
    assert xl.xlOpenPort(*arguments) == status
    assert stub.leaks() == 1  # the driver


def test_wrong_use_of_a_port(xl: Any, stub: Stub) -> None:
    assert xl.xlClosePort(5) == 118
    port, second = port_of(xl), port_of(xl)
    assert sent(xl, port, classic()) == 113  # not active
    assert sent(xl, port, fd()) == 160
    assert xl.xlCanReceive(port, byref(xlclass.XLcanRxEvent())) == 160
    assert xl.xlCanSetChannelBitrate(second, 1, 500_000) == 158  # the first has the right
    assert xl.xlCanSetChannelBitrate(port, 2, 500_000) == 204
    assert xl.xlCanFdSetConfiguration(port, 1, byref(xlclass.XLcanFdConf())) == 160
    event = c_void_p()
    assert xl.xlSetNotification(port, byref(event), 1) == 0
    assert event.value == 0x1000 + port
    assert xl.xlSetNotification(port, byref(event), 1) == 131
    assert xl.xlActivateChannel(port, 1, 1, 0) == 0
    assert xl.xlReceive(port, byref(c_uint32(1)), byref(xlclass.XLevent())) == 10
    for one in (port, second):
        assert xl.xlClosePort(one) == 0
        assert xl.xlClosePort(one) == 118
    violations = stub.violations().splitlines()
    assert "xlClosePort of port 5, which is not open" in violations
    assert f"xlClosePort of port {port} while it is active" in violations


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (classic(), 0),
        (classic(tag=1), 132),
        (classic(chanIndex=1), 157),
        (classic(res2=1), 157),
        (classic(id=0x800), 514),
        (classic(id=0x80000800), 0),
        (classic(dlc=16), 513),
        (classic(flags=0x20), 518),
        (fd(msgFlags=3, dlc=15), 0),
        (fd(tag=1), 132),
        (fd(chanIndex=1), 157),
        (fd(dlc=16), 513),
        (fd(canId=0x20000000), 514),
        (fd(msgFlags=2), 517),
        (fd(msgFlags=0x11), 516),
        (fd(msgFlags=4), 518),
    ],
)
def test_events_to_send(xl: Any, event: Any, status: int) -> None:
    is_fd = isinstance(event, xlclass.XLcanTxEvent)
    port = port_of(xl, version=4 if is_fd else 3)
    if is_fd:
        configuration = xlclass.XLcanFdConf(500_000, 2, 6, 3, 500_000, 2, 6, 3)
        assert xl.xlCanFdSetConfiguration(port, 1, byref(configuration)) == 0
    assert xl.xlActivateChannel(port, 1, 1, 0) == 0
    assert sent(xl, port, event) == status
    assert xl.xlDeactivateChannel(port, 1) == 0
    assert xl.xlClosePort(port) == 0


@pytest.mark.parametrize(
    ("words", "more", "status"),
    [
        ((500_000, 2, 6, 3, 2_000_000, 2, 6, 3), {}, 0),
        ((83_333, 2, 6, 3, 83_333, 2, 6, 3), {}, 0),  # 80 MHz / 960, rounded
        ((500_000, 2, 6, 3, 5_000_000, 2, 6, 3), {}, 101),
        ((500_000, 4, 6, 3, 2_000_000, 2, 6, 3), {}, 101),
        ((500_000, 2, 6, 3, 250_000, 2, 6, 3), {}, 101),
        ((500_000, 2, 6, 3, 2_000_000, 2, 6, 3), {"reserved": 1}, 157),
        ((500_000, 2, 6, 3, 2_000_000, 2, 6, 3), {"reserved2": 1}, 157),
        ((500_000, 2, 6, 3, 2_000_000, 2, 6, 3), {"options": 8}, 0),
    ],
)
def test_settings_of_can_fd(xl: Any, words: tuple[int, ...], more: dict[str, int], status: int) -> None:
    port = port_of(xl, version=4)
    assert xl.xlCanFdSetConfiguration(port, 1, byref(xlclass.XLcanFdConf(*words, **more))) == status
    assert xl.xlClosePort(port) == 0


def test_acceptance_of_the_device(xl: Any, stub: Stub) -> None:
    """A code and a mask for each kind of identifier, ranges for standard ones, and closing with all ones."""
    port = port_of(xl)
    assert xl.xlActivateChannel(port, 1, 1, 0) == 0
    assert xl.xlCanSetChannelAcceptance(port, 1, 0xFFFFFFFF, 0xFFFFFFFF, 2) == 0
    assert xl.xlCanSetChannelAcceptance(port, 1, 0xFFFFFFFF, 0xFFFFFFFF, 1) == 0
    assert xl.xlCanAddAcceptanceRange(port, 1, 0x100, 0x102) == 0
    assert xl.xlCanRemoveAcceptanceRange(port, 1, 0x101, 0x101) == 0
    assert xl.xlCanAddAcceptanceRange(port, 1, 0x100, 0x800) == 101
    for identifier in (0x0FF, 0x100, 0x101, 0x102, 0x103):
        for flags in (0, 1):
            stub.inject(0, arbitration_id=identifier, flags=flags)
    events, count = (xlclass.XLevent * 20)(), c_uint32(20)
    assert xl.xlReceive(port, byref(count), events) == 0
    assert [events[number].tagData.msg.id for number in range(count.value)] == [0x100, 0x102]
    assert xl.xlCanResetAcceptance(port, 1, 2) == 0
    stub.inject(0, arbitration_id=1, flags=1)
    assert xl.xlReceive(port, byref(c_uint32(20)), events) == 0
    assert events[0].tagData.msg.id == 0x80000001
    assert xl.xlDeactivateChannel(port, 1) == 0
    assert xl.xlClosePort(port) == 0
