"""python-can's serial bus on the same emulated devices and bytes, and as the other end of the line.

Where canx differs, the manual page canx-adapters says why.
"""

from __future__ import annotations

from typing import Any

import pytest

from cantools_cli.backends.serial_can.bus import SerialBus
from cantools_cli.frame.message import Message
from tests.backends.judging import facts, judged
from tests.emulators.line import cable, plugged
from tests.emulators.serial_can import SerialCan, frame

can = pytest.importorskip("can")
pytest.importorskip("pty", reason="needs pseudo-terminals")

EXTENDED, REMOTE, ERROR = 0x80000000, 0x40000000, 0x20000000
KEYWORDS = [
    {"arbitration_id": 0x123, "is_extended_id": False, "data": b"\xaa\xbb\xcc"},
    {"arbitration_id": 0x12ABCDEF, "data": bytes(range(8))},
    {"arbitration_id": 0x7FF, "is_extended_id": False},
    {"arbitration_id": 0x123, "is_extended_id": False, "is_remote_frame": True, "dlc": 0},
    {"arbitration_id": 0x1FFFFFFF, "is_remote_frame": True, "dlc": 0},
    {"arbitration_id": 4, "is_extended_id": False, "is_error_frame": True, "data": b"\0\1" + bytes(6)},
]


def test_python_can_and_canx_understand_each_other() -> None:
    with cable() as (one, two), can.Bus(one, interface="serial") as theirs, SerialBus(two) as ours:
        for keywords in KEYWORDS:
            theirs.send(can.Message(**keywords))
            ours.send(Message(**keywords))
        for keywords in KEYWORDS:
            expected = facts(Message(**keywords))
            assert facts(ours.recv(20)) == expected
            assert facts(theirs.recv(20)) == expected
        assert not ours.losses


def test_python_can_works_with_the_emulator() -> None:
    with plugged(device := SerialCan(echoes=True)) as line, can.Bus(line.channel, interface="serial") as bus:
        for keywords in KEYWORDS:
            bus.send(can.Message(timestamp=1.5, **keywords))
        assert [facts(bus.recv(20)) for _ in KEYWORDS] == [
            facts(can.Message(**keywords)) for keywords in KEYWORDS
        ]
    assert [(time, word) for time, word, *_ in device.frames] == [
        (1500, word)
        for word in (
            *(0x123, 0x12ABCDEF | EXTENDED, 0x7FF),
            *(0x123 | REMOTE, 0x1FFFFFFF | EXTENDED | REMOTE, 4 | ERROR),
        )
    ]
    assert device.faults == 0


LAST = facts(Message(arbitration_id=0x7EE, is_extended_id=False))
ID_123 = facts(Message(arbitration_id=0x123, is_extended_id=False, data=b"\1"))
REMOTE_123 = facts(Message(arbitration_id=0x123, is_extended_id=False, is_remote_frame=True, dlc=4))
GOOD = frame(0x123, b"\1")
BYTES = "malformed bytes skipped"


@pytest.mark.parametrize(
    ("stream", "theirs", "ours", "losses"),
    [
        pytest.param(b"\0\xff" + GOOD, [ID_123], [ID_123], {BYTES: 2}, id="garbage"),
        pytest.param(
            # the frame after it is lost as well
            frame(0x123 | REMOTE, length=4) + GOOD,
            ["CanOperationError"],
            [REMOTE_123, ID_123],
            {},
            id="remote-with-a-length",
        ),
        pytest.param(
            frame(0x123 | REMOTE, bytes(4)),
            [REMOTE_123],
            [REMOTE_123],
            {},
            id="remote-with-a-length-and-zeros",
        ),
        pytest.param(
            GOOD[:-1] + b"\xcc" + GOOD, ["CanOperationError", ID_123], [ID_123], {BYTES: 12}, id="wrong-end"
        ),
        pytest.param(GOOD[:-2] + GOOD, ["CanOperationError"], [ID_123], {BYTES: 10}, id="bytes-lost"),
        pytest.param(frame(0x123, bytes(9)), ["ValueError"], [], {BYTES: 20}, id="length-9"),
        pytest.param(
            frame(0x12ABCDEF, b"\1"),  # of python-can before 4.6
            [facts(Message(arbitration_id=0x5EF, is_extended_id=False, data=b"\1"))],
            [facts(Message(arbitration_id=0x12ABCDEF, data=b"\1"))],
            {},
            id="extended-without-flag",
        ),
    ],
)
def test_side_by_side(stream: bytes, theirs: list[Any], ours: list[Any], losses: dict[str, int]) -> None:
    found = judged("serial", SerialCan, stream + frame(0x7EE), LAST)
    assert found == (theirs, ours, losses)


def test_a_frame_that_ends_early_raises_an_error_in_python_can() -> None:
    def start(line: Any) -> None:
        line.inject(GOOD[:-2])

    with plugged() as line, can.Bus(line.channel, interface="serial") as bus:
        start(line)
        with pytest.raises(TypeError):
            bus.recv(20)
    with plugged() as line, SerialBus(line.channel) as bus:
        start(line)
        assert bus.recv(0.3) is None


def test_python_can_refuses_the_timestamp_of_a_log() -> None:
    message = {"arbitration_id": 0x123, "timestamp": 1.7e9}
    refused = pytest.raises(ValueError, match="Timestamp is out of range")
    with plugged() as line, can.Bus(line.channel, interface="serial") as bus, refused:
        bus.send(can.Message(**message))
    with plugged() as line, SerialBus(line.channel) as bus:
        bus.send(Message(**message))
