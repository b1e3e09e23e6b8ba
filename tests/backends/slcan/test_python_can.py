"""python-can's slcan bus: on the same emulated adapters, and on the same lines.

Where canx differs, the manual page canx-adapters says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cantools_cli.backends.slcan.codec import SlcanDecoder
from cantools_cli.bus.losses import Losses
from tests.emulators.line import Line, plugged
from tests.emulators.slcan import Slcan

can = pytest.importorskip("can", reason="needs python-can")
slcan = pytest.importorskip("can.interfaces.slcan", reason="needs python-can")
if not hasattr(slcan.slcanBus, "LINE_TERMINATOR"):
    pytest.skip("this is canx under the name of python-can", allow_module_level=True)

PATIENCE = 30
FRAMES = [
    (b"t12330102AB", {"arbitration_id": 0x123, "is_extended_id": False, "data": b"\x01\x02\xab"}),
    (b"T12ABCDEF2DEAD", {"arbitration_id": 0x12ABCDEF, "data": b"\xde\xad"}),
    (b"t0070", {"arbitration_id": 7, "is_extended_id": False}),
    (b"r7FF4", {"arbitration_id": 0x7FF, "is_extended_id": False, "is_remote_frame": True, "dlc": 4}),
    (b"R1FFFFFFF0", {"arbitration_id": 0x1FFFFFFF, "is_remote_frame": True, "dlc": 0}),
]
FD_FRAMES = [
    (
        b"d1239" + b"11" * 12,
        {"arbitration_id": 0x123, "is_extended_id": False, "is_fd": True, "data": b"\x11" * 12},
    ),
    (
        b"B12345678F" + b"22" * 64,
        {"arbitration_id": 0x12345678, "is_fd": True, "bitrate_switch": True, "data": b"\x22" * 64},
    ),
]


@contextmanager
def adapter(profile: str, kind: str, **settings: Any) -> Iterator[tuple[Any, Slcan, Line]]:
    device = Slcan(profile)
    with plugged(device, kind) as line:
        bus = can.Bus(line.channel, interface="slcan", bitrate=500_000, sleep_after_open=0, **settings)
        try:
            line.wait_for(b"O\r")
            yield bus, device, line
        finally:
            bus.shutdown()


@pytest.mark.parametrize("kind", ["pty", "tcp"])
@pytest.mark.parametrize("profile", ["lawicel", "weact", "nakakiyo", "canable", "canable2"])
def test_python_can_works_with_the_emulator(profile: str, kind: str) -> None:
    frames = [*FRAMES, *(FD_FRAMES if profile in ("weact", "nakakiyo", "canable2") else [])]
    with adapter(profile, kind) as (bus, device, line):
        for text, settings in frames:
            bus.send(can.Message(**settings))
            line.wait_for(text + b"\r")
        assert device.frames == [text for text, _ in frames]
        line.inject(b"".join(device.line(text) for text, _ in frames))
        for _, settings in frames:
            message = received(bus)
            expected = can.Message(**settings)
            assert message.equals(expected, timestamp_delta=None, check_channel=False), (message, expected)


def received(bus: Any) -> Any:
    """Return the next frame; each acknowledgement is a recv() without one in python-can."""
    for _ in range(100):
        message = bus.recv(1)
        if message is not None:
            return message
    raise AssertionError("no frame")


def test_python_can_reads_version_and_serial_number() -> None:
    with adapter("lawicel", "pty") as (bus, _, _line):
        assert bus.get_version(PATIENCE) == (10, 13)
        assert bus.get_serial_number(PATIENCE) == "A123"


def test_python_can_s_empty_line_repeats_a_command_of_canable() -> None:
    with adapter("canable", "pty") as (_, device, _line):
        assert device.commands[:4] == [b"C", b"S6", b"", b"O"]


class Bytes:
    """A serial port of pyserial with received bytes."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._at = 0

    @property
    def in_waiting(self) -> int:
        return len(self._text) - self._at

    def read(self, size: int) -> bytes:
        piece = self._text[self._at : self._at + size]
        self._at += len(piece)
        return piece


def by_python_can(text: bytes) -> list[Any]:
    """Return what python-can makes of ``text``: frames, and the name of the exception that ends it."""
    from queue import SimpleQueue

    bus = slcan.slcanBus.__new__(slcan.slcanBus)
    bus.serialPortOrig, bus._queue, bus._buffer = Bytes(text), SimpleQueue(), bytearray()
    bus._is_shutdown = True  # so that its finalizer closes nothing
    found: list[Any] = []
    while bus.serialPortOrig.in_waiting:
        try:
            message, _ = bus._recv_internal(0)
        except (ValueError, IndexError, can.CanError) as error:
            found.append(type(error).__name__)
            break
        if message is not None:
            found.append(
                (message.arbitration_id, message.dlc, message.is_remote_frame, bytes(message.data or b""))
            )
    return found


def by_canx(text: bytes) -> list[Any]:
    decoder = SlcanDecoder(Losses(), lambda digits, counts, time_ns: [*counts])
    frames = decoder.feed(text, 0)
    found: list[Any] = [
        (
            frame.arbitration_id,
            frame.dlc,
            frame.is_remote_frame,
            bytes(frame.data),
        )
        for frame in frames
    ]
    return found + ["malformed"] * sum(decoder.losses.values())


GOOD = (0x456, 1, False, b"\xaa")


@pytest.mark.parametrize(
    ("line", "python_can", "canx"),
    [
        (b"t12321122\r", [(0x123, 2, False, b"\x11\x22"), GOOD], None),
        (b"x12ABCDEF2AA55\r", [(0x12ABCDEF, 2, False, b"\xaa\x55"), GOOD], None),
        (b"r1238\r", [(0x123, 8, True, b""), GOOD], None),
        (b"t12321122AB12\r", [(0x123, 2, False, b"\x11\x22"), GOOD], None),
        (b"z\r\r\aF00\rV1013\r", [GOOD], None),
        (b"r12321122\r", [(0x123, 2, True, b""), GOOD], None),
        (b"t12\r", ["IndexError"], [GOOD, "malformed"]),
        (b"r123\r", ["ValueError"], [(0x123, 0, True, b""), GOOD]),
        (
            b"t123F1122334455667788\r",
            ["ValueError"],
            [(0x123, 8, False, bytes.fromhex("1122334455667788")), GOOD],
        ),
        (b"t1239FF\r", [(0x123, 12, False, b"\xff"), GOOD], [GOOD, "malformed"]),
        (b"t1233FF\r", [(0x123, 3, False, b"\xff"), GOOD], [GOOD, "malformed"]),
        (b"t8FF0\r", [(0x8FF, 0, False, b""), GOOD], [GOOD, "malformed"]),
        (b"TFFFFFFFF0\r", [(0xFFFFFFFF, 0, False, b""), GOOD], [GOOD, "malformed"]),
        (b"t1230xyz\r", [(0x123, 0, False, b""), GOOD], [GOOD, "malformed"]),
        (b"\xff\xfe\r", ["CanOperationError"], [GOOD, "malformed"]),
        (b"garbage\r", [GOOD], [GOOD, "malformed"]),
        (b"\nt1230\r", [GOOD], [(0x123, 0, False, b""), GOOD]),
        (b"e1o\r", [GOOD], [(0x8C, 8, False, b"\0\1\0\0\0\0\0\0"), GOOD]),
        (b"F01\r", [GOOD], [(0x4, 8, False, b"\0\1\0\0\0\0\0\0"), GOOD]),
    ],
)
def test_the_same_lines(line: bytes, python_can: list[Any], canx: list[Any] | None) -> None:
    text = line + b"t4561AA\r"
    assert by_python_can(text) == python_can
    assert by_canx(text) == (python_can if canx is None else canx)
