"""python-can's bus on the same emulated library, under the same module.

Where canx differs, the manual page canx-vendors says why.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from cantools_cli.backends.neovi import devices
from tests.backends.neovi.conftest import Opened
from tests.vendor import kit

can = pytest.importorskip("can")

PATIENCE = 20.0
SENT: list[dict[str, Any]] = [
    {"arbitration_id": 0x123, "is_extended_id": False, "data": b"\1\2\3"},
    {"arbitration_id": 0x12ABCDEF, "data": bytes(range(8))},
    {"arbitration_id": 0x7FF, "is_extended_id": False},
    {"arbitration_id": 0x7FF, "is_extended_id": False, "is_fd": True, "data": bytes(range(64))},
    {"arbitration_id": 1, "is_fd": True, "bitrate_switch": True, "data": bytes(12)},
]


@pytest.fixture
def judge_module(ics: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """python-can's module, imported anew: it keeps the module ``ics`` of its import."""
    for name in ("can.interfaces.ics_neovi", "can.interfaces.ics_neovi.neovi_bus"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("can.interfaces.ics_neovi.neovi_bus")


@pytest.fixture
def theirs(stub: kit.Stub, judge_module: Any) -> Iterator[Callable[..., Any]]:
    devices.load()  # which names the library
    with ExitStack() as stack:

        def open_bus(channel: Any = 1, **settings: Any) -> Any:
            bus = judge_module.NeoViBus(channel, serial="123456", **settings)
            stack.callback(lambda: None if bus._is_shutdown else bus.shutdown())
            return bus

        yield open_bus


def facts(message: Any) -> tuple[object, ...]:
    kinds = message.is_extended_id, message.is_remote_frame, message.is_error_frame, message.is_fd
    content = message.bitrate_switch, message.dlc, bytes(message.data), message.channel
    return message.arbitration_id, *kinds, *content


@pytest.mark.parametrize("network", [1, 534])
def test_each_receives_what_the_other_sends(theirs: Any, opened: Opened, network: int) -> None:
    sent = [can.Message(channel=network, **fields) for fields in SENT]
    expected = [facts(message) for message in sent]
    judge = theirs(network, fd=True, receive_own_messages=False)
    bus = opened(network, fd=True, receive_own_messages=False)
    for message in sent:
        judge.send(message)
    assert [facts(bus.recv(PATIENCE)) for _ in sent] == expected
    for message in sent:
        bus.send(message)
    assert [facts(judge.recv(PATIENCE)) for _ in sent] == expected


def test_both_receive_their_own_messages(theirs: Any, opened: Opened) -> None:
    found = []
    for open_bus in (theirs, opened):
        bus = open_bus()
        bus.send(can.Message(**SENT[0]))
        message = bus.recv(PATIENCE)
        found.append((facts(message), message.is_rx))
        bus.shutdown()
    assert found[0] == found[1]
    assert found[0][1] is False


def test_both_give_the_same_time(stub: kit.Stub, theirs: Any, opened: Opened) -> None:
    judge, bus = theirs(), opened()
    for device in (1, 2):
        stub.inject(device, arbitration_id=1, time_ns=1_796_060_000_123_456_700)
    bus._opened_ns = 1_796_060_000_000_000_000
    assert judge.recv(PATIENCE).timestamp == pytest.approx(bus.recv(PATIENCE).timestamp, abs=1e-6)


def test_both_wait_for_the_echo(stub: kit.Stub, theirs: Any, opened: Opened) -> None:
    """python-can needs another thread that receives."""
    stub.set("echo_ms", 10)
    for open_bus in (theirs, opened):
        bus = open_bus()
        thread = threading.Thread(target=bus.recv, args=(PATIENCE,))
        thread.start()
        bus.send(can.Message(**SENT[0]), PATIENCE)
        thread.join(PATIENCE)
        bus.shutdown()


def test_both_name_devices_and_networks_alike(theirs: Any, opened: Opened, judge_module: Any) -> None:
    judge = theirs("HSCAN,42")
    described = judge.channel_info, judge.channels
    judge.shutdown()
    bus = opened("HSCAN,42", serial="123456")
    assert (bus.channel_info, [*bus.channels]) == described
    for device in devices.load().find_devices():
        assert judge_module.NeoViBus.get_serial_number(device) == bus.get_serial_number(device)


def test_detection_finds_the_same_devices(stub: kit.Stub, theirs: Any, judge_module: Any) -> None:
    from cantools_cli.backends.neovi.bus import NeoViBus

    found = NeoViBus._detect_available_configs()
    assert [{key: config[key] for key in ("interface", "serial")} for config in found] == (
        judge_module.NeoViBus._detect_available_configs()
    )


def test_both_refuse_a_bit_rate_with_the_same_values(
    stub: kit.Stub, theirs: Any, opened: Opened, judge_module: Any
) -> None:
    from cantools_cli.backends.neovi.errors import ICSInitializationError

    stub.fail("icsneoSetBitRate", 203)
    with pytest.raises(ICSInitializationError) as ours:
        opened(bitrate=500_000)
    stub.fail("icsneoSetBitRate", 203)
    with pytest.raises(Exception, match="bit rate") as judged:
        theirs(bitrate=500_000)
    for name in ("error_code", "description_short", "description_long", "severity", "restart_needed"):
        assert getattr(ours.value, name) == getattr(judged.value, name)
    assert ours.value.is_critical == judged.value.is_critical  # type: ignore[attr-defined]
