"""python-can's bus of the package ``gs_usb`` on the same emulated adapters.

Where canx differs, the manual page canx-adapters says so in a table, whose rows are tested here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cantools_cli.backends.transport import usb as transport
from cantools_cli.errors import CanOperationError
from cantools_cli.frame.message import Message
from tests.emulators.gs_usb import (
    CLASSIC,
    FD_80,
    FROM_BUS,
    IS_FD,
    OVERFLOWN,
    RTR,
    TWO_CHANNELS,
    Frame,
    GsUsbCore,
    connect,
)
from tests.emulators.usb import EmulatedUsb

can = pytest.importorskip("can", reason="python-can is not installed")
pytest.importorskip("gs_usb", reason="the package gs_usb, which python-can's bus needs, is not installed")

Connected = Callable[..., None]
LONG = 10.0

KINDS: list[dict[str, Any]] = [
    {"arbitration_id": 0x123, "is_extended_id": False, "data": b"\1\2\3"},
    {"arbitration_id": 0x12ABCDEF, "data": bytes(range(8))},
    {"arbitration_id": 0x7FF, "is_extended_id": False},
    {"arbitration_id": 0x123, "is_extended_id": False, "is_remote_frame": True, "dlc": 4},
    {"arbitration_id": 0x1234, "is_remote_frame": True, "dlc": 0},
]


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Connected:
    def connected(*cores: GsUsbCore) -> None:
        backend = EmulatedUsb(*cores)
        monkeypatch.setattr("usb.backend.libusb1.get_backend", lambda find_library=None: backend)
        monkeypatch.setattr(transport, "backend", None)  # pyusb finds the same one

    return connected


@pytest.fixture
def judge() -> Iterator[Callable[..., Any]]:
    buses: list[Any] = []

    def opened(**settings: Any) -> Any:
        buses.append(can.Bus(**{"interface": "gs_usb", "channel": 0, "bitrate": 500_000, **settings}))
        return buses[-1]

    yield opened
    for bus in buses:
        bus.shutdown()


def facts(message: Any) -> tuple[object, ...]:
    return (
        *(message.arbitration_id, message.is_extended_id, message.is_remote_frame, message.is_error_frame),
        *(message.dlc, bytes(message.data)),
    )


def test_both_get_along_on_one_bus(
    connected: Connected, judge: Callable[..., Any], opened: Callable[..., Any]
) -> None:
    cores = GsUsbCore(CLASSIC, "AAAA1111"), GsUsbCore(CLASSIC, "BBBB2222")
    connect((cores[0], 0), (cores[1], 0))
    connected(*cores)
    theirs, ours = judge(channel=0), opened("BBBB2222")
    for kind in KINDS:
        theirs.send(can.Message(**kind))
        assert not theirs.recv(LONG).is_rx  # the echo
        assert facts(ours.recv(LONG)) == facts(Message(**kind))
        ours.send(Message(**kind))
        assert facts(theirs.recv(LONG)) == facts(can.Message(**kind))


def test_both_send_the_same_frames(
    connected: Connected, judge: Callable[..., Any], opened: Callable[..., Any]
) -> None:
    cores = GsUsbCore(CLASSIC, "AAAA1111"), GsUsbCore(CLASSIC, "BBBB2222")
    connected(*cores)
    theirs, ours = judge(channel=0), opened("BBBB2222")
    for kind in KINDS:
        theirs.send(can.Message(**kind))
        ours.send(Message(**kind))
    assert cores[0].sent == cores[1].sent
    assert cores[0].channels[0].timing == cores[1].channels[0].timing
    assert cores[0].channels[0].flags == cores[1].channels[0].flags


@pytest.mark.parametrize("bitrate", [83_333, 100_000, 125_000, 250_000, 500_000, 1_000_000])
@pytest.mark.parametrize("profile", [CLASSIC, FD_80], ids=["48 MHz", "80 MHz"])
def test_both_set_the_same_bit_rate(
    connected: Connected, judge: Callable[..., Any], opened: Callable[..., Any], bitrate: int, profile: Any
) -> None:
    cores = GsUsbCore(profile, "AAAA1111"), GsUsbCore(profile, "BBBB2222")
    connected(*cores)
    opened("BBBB2222", bitrate=bitrate)
    try:
        judge(channel=0, bitrate=bitrate)
    except ValueError:  # at 80 MHz it has no timing below 250 kbit/s
        assert profile is FD_80
        assert bitrate < 250_000
        return
    rates = []
    for core in cores:
        assert core.channels[0].timing is not None
        prop, phase1, phase2, _, brp = core.channels[0].timing
        rates.append(round(profile.clock / (brp * (1 + prop + phase1 + phase2))))
    assert rates[0] == rates[1]


# --- the table --------------------------------------------------------------------------------------------


@pytest.fixture
def both(
    connected: Connected, judge: Callable[..., Any], opened: Callable[..., Any]
) -> tuple[Any, Any, Callable[..., None], tuple[GsUsbCore, GsUsbCore]]:
    """Return both buses, a function that lets both adapters send the same transfer, and the adapters."""
    cores = GsUsbCore(TWO_CHANNELS, "AAAA1111"), GsUsbCore(TWO_CHANNELS, "BBBB2222")
    connected(*cores)
    theirs, ours = judge(channel=0), opened("BBBB2222")

    def transfer(
        frame: Frame | bytes, channel: int = 0, stamp: int = 1_000_000, echo: int = FROM_BUS
    ) -> None:
        for core in cores:
            core.channels[1].flags = core.channels[0].flags
            data = frame if isinstance(frame, bytes) else core.packed(echo, channel, frame, stamp)
            core.receive_raw(data)

    return theirs, ours, transfer, cores


def test_timestamps(both: tuple[Any, ...]) -> None:
    theirs, ours, transfer, _ = both
    transfer(Frame(1, 0), stamp=0xFFFFFFFF)
    transfer(Frame(1, 0), stamp=9)
    assert [theirs.recv(LONG).timestamp for _ in range(2)] == [4294.967295, 0.000009]
    first, second = ours.recv(LONG), ours.recv(LONG)
    assert first.timestamp > 1_700_000_000
    assert second.timestamp_ns - first.timestamp_ns == 10_000


def test_echoes(both: tuple[Any, ...]) -> None:
    theirs, ours, transfer, _ = both
    transfer(Frame(1, 0), echo=0)
    transfer(Frame(2, 0))
    assert [theirs.recv(LONG).arbitration_id for _ in range(2)] == [1, 2]
    assert ours.recv(LONG).arbitration_id == 2


def test_sending_without_acknowledgement(both: tuple[Any, ...]) -> None:
    theirs, ours, _, cores = both
    for core in cores:
        core.acknowledges = False
    theirs.send(can.Message(arbitration_id=1))
    with pytest.raises(Exception, match="not acknowledged"):
        ours.send(Message(arbitration_id=1), timeout=0.05)


def test_lost_frames(both: tuple[Any, ...]) -> None:
    theirs, ours, transfer, _ = both
    transfer(Frame(1, 0, b"", OVERFLOWN))
    assert not theirs.recv(LONG).is_error_frame
    assert ours.recv(LONG).is_error_frame


def test_a_frame_of_can_fd(
    connected: Connected, judge: Callable[..., Any], opened: Callable[..., Any]
) -> None:
    cores = GsUsbCore(FD_80, "AAAA1111"), GsUsbCore(FD_80, "BBBB2222")
    connected(*cores)
    theirs, ours = judge(channel=0), opened("BBBB2222", fd=True)
    for core in cores:
        core.receive_raw(core.packed(FROM_BUS, 0, Frame(1, 9, bytes(12), IS_FD), 0))
        core.receive(0, Frame(2, 0))
    assert ours.recv(LONG).is_fd
    lost = theirs.recv(0)
    assert lost is None or lost.arbitration_id == 2


def test_a_frame_of_the_other_channel(both: tuple[Any, ...]) -> None:
    theirs, ours, transfer, _ = both
    transfer(Frame(1, 0), channel=1)
    transfer(Frame(2, 0))
    assert theirs.recv(LONG).arbitration_id == 1
    assert ours.recv(LONG).arbitration_id == 2


def test_less_than_a_frame(both: tuple[Any, ...]) -> None:
    theirs, ours, transfer, _ = both
    transfer(b"\1\2\3")
    transfer(Frame(2, 0))
    with pytest.raises(struct.error):
        theirs.recv(LONG)
    assert ours.recv(LONG).arbitration_id == 2
    assert sum(ours.losses.values()) == 1


def test_waiting_for_ever(both: tuple[Any, ...]) -> None:
    theirs, _, _, _ = both
    assert theirs._recv_internal(None) == (None, False)


def test_an_unplugged_adapter(both: tuple[Any, ...]) -> None:
    theirs, ours, _, cores = both
    for core in cores:
        core.unplug()
    assert theirs.recv(0.01) is None
    with pytest.raises(CanOperationError, match="unplugged"):
        ours.recv(LONG)


def test_a_low_bit_rate(connected: Connected, judge: Callable[..., Any], opened: Callable[..., Any]) -> None:
    connected(GsUsbCore(CLASSIC, "AAAA1111"))
    with pytest.raises(ValueError, match="No suitable bit timings found"):
        judge(bitrate=50_000)
    assert opened("AAAA1111", bitrate=50_000).bit_rates == (50_000, None)


def test_a_reset_at_opening(both: tuple[Any, ...]) -> None:
    _, _, _, cores = both
    assert [core.resets for core in cores] == [1, 0]


def test_a_remote_frame(both: tuple[Any, ...]) -> None:
    theirs, ours, transfer, _ = both
    transfer(Frame(RTR | 0x123, 4))
    assert facts(theirs.recv(LONG)) == facts(ours.recv(LONG)) == (0x123, False, True, False, 4, b"")
