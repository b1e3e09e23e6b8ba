"""python-can's seeedstudio bus on the same emulated adapters and bytes.

Where canx differs, the manual page canx-adapters says why.
"""

from __future__ import annotations

from typing import Any

import pytest

from cantools_cli.frame.message import Message
from tests.backends.judging import facts, judged
from tests.emulators.line import plugged
from tests.emulators.seeedstudio import Seeed, Setup, frame, status

can = pytest.importorskip("can")
pytest.importorskip("pty", reason="needs pseudo-terminals")

KEYWORDS = [
    {"arbitration_id": 0x123, "is_extended_id": False, "data": b"\xaa\x55"},
    {"arbitration_id": 0x12ABCDEF, "data": bytes(range(8))},
    {"arbitration_id": 0x7FF, "is_extended_id": False},
    {"arbitration_id": 0x123, "is_extended_id": False, "is_remote_frame": True, "dlc": 0},
    {"arbitration_id": 0x1FFFFFFF, "is_remote_frame": True, "dlc": 0},
]


def test_python_can_works_with_the_emulator() -> None:
    settings = {
        "interface": "seeedstudio",
        "bitrate": 250000,
        "operation_mode": "loopback",
        "frame_type": "EXT",
    }
    with plugged(adapter := Seeed()) as line, can.Bus(line.channel, **settings) as bus:
        for keywords in KEYWORDS:
            bus.send(can.Message(**keywords))
        assert [facts(bus.recv(20)) for _ in KEYWORDS] == [
            facts(can.Message(**keywords)) for keywords in KEYWORDS
        ]
        bus.status_frame()
    assert adapter.setups == [Setup(5, 2, 0, 0, 1, 1)]
    assert adapter.faults == 0
    assert [message[:4] for message in adapter.frames] == [
        (0x123, False, False, 2),
        (0x12ABCDEF, True, False, 8),
        (0x7FF, False, False, 0),
        (0x123, False, True, 0),
        (0x1FFFFFFF, True, True, 0),
    ]


LAST = facts(Message(arbitration_id=0x7EE, is_extended_id=False))
ID_123 = facts(Message(arbitration_id=0x123, is_extended_id=False, data=b"\1"))
REMOTE_123 = facts(Message(arbitration_id=0x123, is_extended_id=False, is_remote_frame=True, dlc=4))
COUNTERS = facts(
    Message(arbitration_id=0x200, is_extended_id=False, is_error_frame=True, data=bytes(6) + b"\6\5")
)
GOOD = frame(0x123, b"\1")
BYTES = "malformed bytes skipped"


@pytest.mark.parametrize(
    ("stream", "theirs", "ours", "losses"),
    [
        pytest.param(b"\0\xff" + GOOD, [ID_123], [ID_123], {BYTES: 2}, id="garbage"),
        pytest.param(
            # the frame after it is lost as well
            frame(0x123, remote=4) + GOOD,
            [],
            [REMOTE_123, ID_123],
            {},
            id="remote-without-data",
        ),
        pytest.param(frame(0x123, bytes(4), remote=4), [REMOTE_123], [REMOTE_123], {}, id="remote-with-data"),
        pytest.param(GOOD[:-1] + b"\0" + GOOD, [ID_123], [ID_123], {BYTES: 6}, id="wrong-end"),
        pytest.param(GOOD[:-1] + GOOD + GOOD, [ID_123], [ID_123, ID_123], {BYTES: 5}, id="byte-lost"),
        pytest.param(status(5, 6), [], [COUNTERS], {}, id="status"),
        pytest.param(
            b"\xaa\xc0\xff\x0f\x55",
            [(0xFFF, False, False, False, 0, b"")],
            [],
            {BYTES: 5},
            id="standard-of-12-bits",
        ),
    ],
)
def test_side_by_side(stream: bytes, theirs: list[Any], ours: list[Any], losses: dict[str, int]) -> None:
    assert judged("seeedstudio", Seeed, stream + frame(0x7EE), LAST) == (theirs, ours, losses)


def test_python_can_does_not_notice_that_the_adapter_is_gone() -> None:
    with plugged(Seeed()) as line, can.Bus(line.channel, interface="seeedstudio") as bus:
        line.unplug()
        assert bus.recv(0.2) is None
        assert bus.recv(0.2) is None
