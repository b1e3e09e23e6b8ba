"""python-can's robotell bus on the same emulated adapters and bytes.

Where canx differs, the manual page canx-adapters says why.
"""

from __future__ import annotations

from typing import Any

import pytest

from cantools_cli.frame.message import Message
from tests.backends.judging import facts, judged
from tests.emulators.line import plugged
from tests.emulators.robotell import Robotell, frame

can = pytest.importorskip("can")
pytest.importorskip("pty", reason="needs pseudo-terminals")

KEYWORDS = [
    {"arbitration_id": 0x123, "is_extended_id": False, "data": b"\xaa\x55\xa5"},
    {"arbitration_id": 0x12ABCDEF, "data": bytes(range(8))},
    {"arbitration_id": 0x7FF, "is_extended_id": False},
    {"arbitration_id": 0x123, "is_extended_id": False, "is_remote_frame": True, "dlc": 4},
    {"arbitration_id": 0x1FFFFFFF, "is_remote_frame": True, "dlc": 0},
]


@pytest.mark.parametrize("kind", ["pty", "tcp"])
def test_python_can_works_with_the_emulator(kind: str) -> None:
    adapter = Robotell()
    adapter.answer = lambda message: frame(
        message[0], message[4], extended=message[1], remote=message[3] if message[2] else None
    )
    with plugged(adapter, kind) as line, can.Bus(line.channel, interface="robotell", bitrate=500000) as bus:
        assert str(bus) == f"Robotell USB-CAN s/n 53FF-6A06-4972-4855-4060-1787 on {line.channel}"
        assert adapter.bitrate == 500000
        for keywords in KEYWORDS:
            bus.send(can.Message(**keywords))
        assert [facts(bus.recv(20)) for _ in KEYWORDS] == [
            facts(can.Message(**keywords)) for keywords in KEYWORDS
        ]
        bus.set_hw_filter(2, True, 0x1234, 0x1FFFFFFF, True)
        bus.set_auto_retransmit(True)
        assert adapter.filters() == {2: (0x1234, 0x1FFFFFFF, True)}
        assert adapter.settings[0x01FFFEA0] == b"\1" + bytes(7)
    assert adapter.faults == 0
    assert [message[:4] for message in adapter.frames] == [
        (0x123, False, False, 3),
        (0x12ABCDEF, True, False, 8),
        (0x7FF, False, False, 0),
        (0x123, False, True, 4),
        (0x1FFFFFFF, True, True, 0),
    ]


LAST = facts(Message(arbitration_id=0x7EE, is_extended_id=False))
ID_123 = facts(Message(arbitration_id=0x123, is_extended_id=False, data=b"\1"))
GOOD = frame(0x123, b"\1")
BYTES, PACKETS = "malformed bytes skipped", "malformed packets skipped"


def changed(at: int) -> bytes:
    text = bytearray(GOOD)
    text[at] ^= 1
    return bytes(text)


@pytest.mark.parametrize(
    ("stream", "theirs", "ours", "losses"),
    [
        pytest.param(b"\0\xff" + GOOD, [ID_123], [ID_123], {BYTES: 2}, id="garbage"),
        pytest.param(
            frame(0x100, b"\x53"),
            [facts(Message(arbitration_id=0x100, is_extended_id=False, data=b"\x53"))],
            [facts(Message(arbitration_id=0x100, is_extended_id=False, data=b"\x53"))],
            {},
            id="checksum-55",
        ),
        pytest.param(changed(-3) + GOOD, [None, ID_123], [ID_123], {PACKETS: 1}, id="wrong-checksum"),
        # the frame after it is lost as well, and the next one is kept until more arrives
        pytest.param(GOOD[:-1] + GOOD + GOOD, [None, ID_123], [ID_123, ID_123], {BYTES: 20}, id="merged"),
        pytest.param(GOOD[:9] + GOOD + GOOD, [None, ID_123], [ID_123, ID_123], {BYTES: 9}, id="cut"),
        pytest.param(
            frame(0x123, bytes(7))[:14] + b"\x09" + b"\0\0\0\x2d\x55\x55",
            [(0x123, False, False, False, 9, bytes(8) + b"\x09")],
            [],
            {PACKETS: 1},
            id="length-9",
        ),
        pytest.param(
            frame(0xFFF, b"\1"),
            [(0xFFF, False, False, False, 1, b"\1")],
            [],
            {PACKETS: 1},
            id="standard-of-12-bits",
        ),
    ],
)
def test_side_by_side(stream: bytes, theirs: list[Any], ours: list[Any], losses: dict[str, int]) -> None:
    assert judged("robotell", Robotell, stream + frame(0x7EE), LAST) == (theirs, ours, losses)


def test_python_can_opens_a_device_that_does_not_answer() -> None:
    with plugged() as line, can.Bus(line.channel, interface="robotell") as bus:
        assert str(bus) == f"Robotell USB-CAN s/n None on {line.channel}"
