"""The reader and the writer of plain."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.cli import run
from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.plain import PlainReader, PlainWriter
from tests.strategies import ALL_KINDS, MICROSECONDS, facts, messages

# Every row is read and written.
CASES = [
    (b"1700000000123456 123 DEADBEEF\n", Message(1700000000.123456, 0x123, False, data=b"\xde\xad\xbe\xef")),
    (b"0 00000123\n", Message(arbitration_id=0x123, is_extended_id=True)),
]
TEXT = b"".join(text for text, _ in CASES)
CARRIED = messages(kinds=("classic",), channels=st.just("can0"), times=MICROSECONDS, directions=st.just(True))


def read(text: bytes) -> list[object]:
    return [facts(message) for message in PlainReader(io.BytesIO(text))]


def written(*frames: Message) -> tuple[bytes, dict[str, int]]:
    file = io.BytesIO()
    with PlainWriter(file) as writer:
        writer.write(MessageBatch(frames))
    return file.getvalue(), dict(writer.losses)


@pytest.mark.parametrize(("text", "message"), CASES)
def test_known_lines(text: bytes, message: Message) -> None:
    message.channel = "can0"
    assert read(text) == [facts(message)]
    assert written(message) == (text, {})


@given(st.lists(CARRIED))
def test_round_trip(frames: list[Message]) -> None:
    text, losses = written(*frames)
    assert read(text) == [facts(message) for message in frames]
    assert losses == {}


@given(st.lists(messages(kinds=ALL_KINDS)))
def test_every_frame_is_written_or_counted_as_left_out(frames: list[Message]) -> None:
    text, losses = written(*frames)
    left_out = sum(count for kind, count in losses.items() if kind.endswith("(left out)"))
    assert len(read(text)) + left_out == len(frames)


@pytest.mark.parametrize("cut", range(len(TEXT)))
def test_a_truncated_file_gives_the_frames_before_the_cut(cut: int) -> None:
    frames = list(PlainReader(io.BytesIO(TEXT[:cut]), on_error="skip"))
    assert len(frames) >= TEXT[:cut].count(b"\n")


def test_a_malformed_line_is_quoted_with_its_number_and_can_be_skipped() -> None:
    text = CASES[0][0] + b"garbage\n" + CASES[1][0]
    with pytest.raises(FormatError, match=r'2: not a plain line: "garbage"'):
        read(text)
    assert len(list(PlainReader(io.BytesIO(text), on_error="skip"))) == 2


def test_convert_finds_the_format_by_suffix_and_by_content(tmp_path: Path) -> None:
    source, unnamed = tmp_path / "a.plain", tmp_path / "a"
    source.write_bytes(TEXT)
    unnamed.write_bytes(TEXT)
    for path in (source, unnamed):
        log, back = tmp_path / "a.log", tmp_path / "b.plain"
        assert run(["convert", str(path), "-o", str(log), "--force"]) == 0
        assert run(["convert", str(log), "-o", str(back), "--force"]) == 0
        assert back.read_bytes() == TEXT
