"""The SocketCAN bus on a socket pair in place of a CAN socket: its settings, and those of the interface."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from cantools_cli.backends.socketcan import link as links
from cantools_cli.backends.socketcan import raw
from cantools_cli.backends.socketcan import records as codec
from cantools_cli.backends.socketcan.bus import SocketcanBus
from cantools_cli.backends.socketcan.finder import kernel_has_socketcan
from cantools_cli.bus.base import BusABC, BusState
from cantools_cli.errors import (
    CanInitializationError,
    CanOperationError,
    UsageError,
)
from cantools_cli.filtering.filters import FrameFilter
from tests.backends.fake_can import FakeCan, Opener, base, fake_socket, opener

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or sys.byteorder != "little", reason="Linux's socket options, little-endian"
)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCan]:
    with fake_socket(monkeypatch) as end:
        yield end


@pytest.fixture
def open_bus(fake: FakeCan) -> Iterator[Opener]:
    with opener(fake) as open_it:
        yield open_it


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

    monkeypatch.setattr(raw, "new_socket", refuse)
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
    with pytest.raises(UsageError, match='unknown down="later" of a socketcan bus'):
        SocketcanBus("can0", down="later")


# --- the link -----------------------------------------------------------------------------------------

CAN0 = links.NetworkLink(
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
    monkeypatch.setattr(links, "link", lambda name: links.NetworkLink("can0", modes=("LISTEN-ONLY",)))
    bus, _ = open_bus(listen_only=True)
    with pytest.raises(CanOperationError, match="was opened with listen_only"):
        bus.send(base(1))


@pytest.mark.usefixtures("link")
def test_state_and_error_counters_are_those_of_the_controller(open_bus: Opener) -> None:
    bus, _ = open_bus()
    assert bus.state is BusState.PASSIVE
    assert bus.error_counters == (9, 7)
    with pytest.raises(NotImplementedError, match="ip link"):
        bus.state = BusState.ACTIVE
