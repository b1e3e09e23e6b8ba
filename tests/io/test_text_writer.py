"""The loop of text writers, with a kernel written in Python."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.errors import UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel, Message
from cantools_cli.io.text_writer import TextWriter

REFUSED, LOST = 0x100, 0x200  #: identifiers that the kernel refuses, and that no line can hold


class Writer(TextWriter):
    """Writes ``k`` and the identifier for a row of the kernel, ``p`` for a row of plain Python."""

    padding = b""
    _header = b"head\n"

    def _check_header(self, head: bytes) -> None:
        if not head.startswith(b"head\n"):
            raise UsageError("another head")

    def _format(self, batch: MessageBatch, row: int) -> tuple[int, int]:
        used = 0
        for done in range(row, len(batch)):
            if batch.can_id[done] in (REFUSED, LOST):
                return done, used
            index = batch.channel[done]
            name = self._names[self._name_ends[index - 1] if index else 0 : self._name_ends[index]]
            line = b"k%d %b%b\n" % (batch.can_id[done], name, self.padding)
            if used + len(line) > len(self._out):
                return done, used
            self._out[used : used + len(line)] = line
            used += len(line)
        return len(batch), used

    def _line(self, batch: MessageBatch, row: int) -> bytes:
        if batch.can_id[row] == LOST:
            self._count("frames (left out)", 1)
            return b""
        return b"p%d\n" % batch.can_id[row]

    def _spelt(self, channel: Channel) -> str:
        return f"<{channel}>"


class Chunks(io.BytesIO):
    """Keeps what each call of ``write`` was given."""

    def __init__(self) -> None:
        super().__init__()
        self.chunks: list[bytes] = []

    def write(self, data: Any, /) -> int:
        self.chunks.append(bytes(data))
        return super().write(data)


def message(identifier: int, channel: Channel) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, channel=channel)


def batch_of(*identifiers: int) -> MessageBatch:
    return MessageBatch([message(identifier, f"can{identifier % 2}") for identifier in identifiers])


def test_refused_rows_keep_their_place_among_those_of_the_kernel() -> None:
    file = io.BytesIO()
    with Writer(file) as writer:
        writer.write(batch_of(REFUSED, 1, 2, REFUSED, REFUSED, LOST, 3, LOST))
        assert file.getvalue() == b"head\np256\nk1 <can1>\nk2 <can0>\np256\np256\nk3 <can1>\n"
        assert writer.losses == {"frames (left out)": 2}


def test_a_full_output_buffer_refuses_no_row() -> None:
    file = io.BytesIO()
    writer = Writer(file)
    writer.padding = bytes(10_000)
    writer.write(batch_of(*range(200)))
    assert file.getvalue().count(b"\nk") == 200
    assert b"p" not in file.getvalue()


def test_consecutive_refused_rows_are_one_write() -> None:
    file = Chunks()
    writer = Writer(file)
    writer.write(batch_of(1, REFUSED, REFUSED, REFUSED, 2))
    assert file.chunks == [b"head\n", b"k1 <can1>\n", b"p256\n" * 3, b"k2 <can0>\n"]


def test_names_are_spelt_again_for_other_channels() -> None:
    file = io.BytesIO()
    writer = Writer(file)
    writer.write(MessageBatch([message(1, None)]))
    writer.write(MessageBatch([message(1, 7)]))
    assert file.getvalue() == b"head\nk1 <None>\nk1 <7>\n"


def test_a_file_to_append_to_has_its_header_checked_and_its_last_line_ended(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"head\nk1 <ca")
    with Writer(str(path), append=True) as writer:
        writer.write(batch_of(2))
    assert path.read_bytes() == b"head\nk1 <ca\nk2 <can0>\n"
    path.write_bytes(b"other\n")
    with pytest.raises(UsageError, match="another head"):
        Writer(str(path), append=True)
    assert path.read_bytes() == b"other\n"
