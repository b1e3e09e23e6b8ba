"""candump's lines as an output format, with what they cannot show."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli import CanutilsLogReader, Message, MessageBatch
from cantools_cli.errors import UsageError
from cantools_cli.frame.xl import XlMessage
from cantools_cli.io.candump.screen_writer import CandumpWriter
from tests.strategies import messages

FRAMES = [
    Message(timestamp=1.5, arbitration_id=0x123, is_extended_id=False, data=b"\1\2", channel="can0"),
    Message(timestamp=1.75, arbitration_id=0x124, is_extended_id=False, channel="can0", is_rx=False),
    Message(
        timestamp=4.0, arbitration_id=0x125, is_extended_id=False, channel="can0", is_fd=True, data=bytes(12)
    ),
]


def written(messages: list[Message], **options: Any) -> tuple[str, dict[str, int]]:
    file = io.BytesIO()
    file.close = lambda: None  # type: ignore[method-assign]  # what was written is read afterwards
    with CandumpWriter(file, tz="UTC", **options) as writer:
        writer.write(MessageBatch(messages))
    return file.getvalue().decode(), dict(writer.losses)


@pytest.mark.parametrize(
    ("form", "times"),
    [
        ("a", ["(0000000001.500000)", "(0000000001.750000)", "(0000000004.000000)"]),
        ("z", ["(000.000000)", "(000.250000)", "(002.500000)"]),
        ("d", ["(000.000000)", "(000.250000)", "(002.250000)"]),
        ("A", [f"(1970-01-01 00:00:0{time})" for time in ("1.500000", "1.750000", "4.000000")]),
        ("none", ["can0", "can0", "can0"]),
    ],
)
def test_each_form_of_time(form: str, times: list[str]) -> None:
    lines = written(FRAMES, timestamps=form)[0].splitlines()
    assert [
        line[: line.index("  12")].split("  ")[-2 if form != "none" else -1].strip() for line in lines
    ] == times


def test_what_the_lines_do_not_show_is_counted() -> None:
    frames = [
        *FRAMES,
        Message(is_fd=True, bitrate_switch=True),
        Message(is_fd=True, error_state_indicator=True),
        Message(data=bytes(8)),
    ]
    batch = MessageBatch(frames)
    batch.dlc_code[5] = 11
    assert written(list(batch))[1] == {"directions": 1, "CAN FD's BRS and ESI": 2, "raw DLC codes": 1}
    assert written(list(batch), direction=True)[1] == {"raw DLC codes": 1}


def test_long_can_xl_frames_are_left_out_and_short_ones_written() -> None:
    frames = [XlMessage(arbitration_id=1, data=bytes(size), channel="can0") for size in (64, 65)]
    text, losses = written([*FRAMES, *frames], direction=True)
    assert (len(text.splitlines()), losses) == (4, {"CAN XL frames of more than 64 bytes (left out)": 1})


def test_an_unknown_form_of_time_is_refused() -> None:
    with pytest.raises(UsageError, match='unknown time form "x"'):
        CandumpWriter(io.BytesIO(), timestamps="x")


@given(st.lists(messages(channels=st.just("can0")), max_size=5))
def test_absolute_times_with_directions_are_read_back(frames: list[Message]) -> None:
    for message in frames:
        message.is_extended_id |= message.is_error_frame  # which is not shown
    text, _ = written(frames, direction=True)
    back = list(CanutilsLogReader(io.BytesIO(text.encode())))
    assert [message.timestamp_ns for message in back] == [
        (message.timestamp_ns + 500) // 1000 * 1000 for message in frames
    ]
    for message, other in zip(frames, back, strict=True):
        assert message.equals(other, timestamp_delta=None)


def test_times_before_1970_are_read_back() -> None:
    frames = [Message(arbitration_id=1, is_extended_id=False, channel="can0") for _ in range(3)]
    for message, time_ns in zip(frames, (-1_500_000_000, -250_000_000, 0), strict=True):
        message.timestamp_ns = time_ns
    text, _ = written(frames)
    back = CanutilsLogReader(io.BytesIO(text.encode()))
    assert [message.timestamp_ns for message in back] == [message.timestamp_ns for message in frames]


@pytest.mark.skipif(shutil.which("log2long") is None, reason="can-utils are not installed")
def test_the_lines_are_those_of_log2long_but_for_its_characters() -> None:
    log = "(1436509052.249713) can0 123#DEADBEEF\n(1436509053.000001) can0 00000123#0102\n"
    theirs = subprocess.run(["log2long"], input=log, capture_output=True, text=True, check=True).stdout
    ours, _ = written(list(CanutilsLogReader(io.BytesIO(log.encode()))))
    assert [line.split("   '")[0].split() for line in theirs.splitlines()] == [
        line.split() for line in ours.splitlines()
    ]


def test_a_channel_with_blanks_in_its_name_stays_one_word(tmp_path: Path) -> None:
    path = tmp_path / "words.candump"
    with CandumpWriter(path) as writer:
        writer(Message(arbitration_id=1, is_extended_id=False, channel="two words", timestamp=1.0))
        writer(Message(arbitration_id=2, is_extended_id=False, channel="b", timestamp=2.0))
    with CanutilsLogReader(path) as reader:
        assert [message.channel for message in reader] == ["two_words", "b"]
