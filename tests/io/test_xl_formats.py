"""CAN XL frames in the formats that write them: their bytes, and the way there and back."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli import plugins
from cantools_cli.errors import UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage
from cantools_cli.io.arrow.reader import ArrowReader
from cantools_cli.io.arrow.writer import ArrowWriter
from cantools_cli.io.asc.writer import ASCWriter
from cantools_cli.io.blf.writer import BLFWriter
from cantools_cli.io.formats import open_reader, open_writer
from cantools_cli.io.frame_text import parse_frame
from cantools_cli.io.parquet.reader import ParquetReader
from cantools_cli.io.parquet.writer import ParquetWriter
from tests.io.blf.blf_bytes import START_NS as START
from tests.io.blf.blf_bytes import container, head
from tests.named import ASCReader, BLFReader
from tests.strategies import facts, messages

KINDS = ("classic", "raw", "remote", "fd", "xl")
NAMED = st.sampled_from(["can0", "can1", "can200"])
FORMATS: dict[str, tuple[Any, Any]] = {"asc": (ASCWriter, ASCReader), "blf": (BLFWriter, BLFReader)}
with contextlib.suppress(ImportError):
    import pyarrow  # noqa: F401 -- the formats import it when they are used

    FORMATS |= {"arrow": (ArrowWriter, ArrowReader), "parquet": (ParquetWriter, ParquetReader)}
MIXED = [
    "123#01",
    "45123#81:01:12345678#11223344556677",
    "12345678##1" + "AA" * 64,
    "FF7FF#83:FF:FFFFFFFF#" + "5A" * 2048,
    "00001#80:00:00000000#00",
    "123#R4",
]


def frames(*texts: str) -> list[Message]:
    found = []
    for index, text in enumerate(texts or MIXED):
        message, _ = parse_frame(text)
        message.timestamp_ns = START + 1000 * index
        message.channel = "can1"
        found.append(message)
    return found


def write(name: str, sent: list[Message], **options: object) -> tuple[bytes, dict[str, int]]:
    file = io.BytesIO()
    zone = {"tz": "UTC"} if name in ("asc", "blf") else {}
    writer = FORMATS[name][0](file, **{**zone, **options})
    for message in sent:
        writer.on_message_received(message)
    writer.flush()
    data = file.getvalue()
    writer.stop()
    return data, dict(writer.losses)


def read(name: str, data: bytes) -> list[Message]:
    options = {"relative_timestamp": False} if name == "asc" else {}
    return list(FORMATS[name][1](io.BytesIO(data), tz="UTC", **options))


@pytest.mark.parametrize("name", FORMATS)
@settings(deadline=None)  # the first use of pyarrow imports it
@given(st.lists(messages(kinds=KINDS, channels=NAMED), max_size=12))
def test_all_frames_come_back(name: str, sent: list[Message]) -> None:
    sent.sort(key=lambda message: message.timestamp_ns)
    data, losses = write(name, sent)
    assert [facts(message) for message in read(name, data)] == [facts(message) for message in sent]
    assert losses == {}


@pytest.mark.parametrize("name", FORMATS)
def test_a_batch_of_many_keeps_its_order(name: str) -> None:
    """Rows of the kernel and rows beside it take turns, over several containers."""
    sent = frames(*MIXED * 300)
    assert [facts(message) for message in read(name, write(name, sent)[0])] == [
        facts(message) for message in sent
    ]


def test_the_line_of_asc() -> None:
    """As Vector's, with 0 for what is not known."""
    message = frames(MIXED[1])[0]
    message.is_rx = False
    line = write("asc", [message])[0].splitlines()[-1]
    head = b"   0.000000 CANXL   2 Tx   XLFF        0      0       123" + b" " * 34
    fields = b"01 1 6 7 0 0 45 12345678 11 22 33 44 55 66 77 0 01403000 00000000"
    assert line == head + fields + b" 0000000000000000" * 6


def test_the_dlc_of_asc_is_hexadecimal_as_in_other_lines() -> None:
    line = write("asc", frames("007FF#82:00:00000000#" + "AA" * 17))[0].splitlines()[-1]
    assert b" 00 0 10 17 0 0 00 00000000 AA " in line
    assert b" 0 00c03000 " in line


def test_lines_of_asc_end_as_the_others() -> None:
    assert write("asc", frames(), crlf=True)[0].count(b"\r\n") == 6 + len(MIXED)


#: priority 123, SDU type 1, 7 bytes, VCID 45, acceptance field, then flags with SEC
BLF_OBJECT = (
    "4c4f424a 2000 0100 90000000 8b000000  02000000 0000 0000 0000000000000000"
    "02 00 01 00 00000000 0000 0000 23010000 01 00 0600 0700 0000 0000 45 00 78563412"
    + "00" * 16 + "00304001 00000000" + "00" * 48 + "11223344556677 00"
)  # fmt: skip


def test_the_object_of_blf() -> None:
    message = frames(MIXED[1])[0]
    message.is_rx = False
    message.timestamp_ns = START // 10**6 * 10**6
    data, _ = write("blf", [message], compression_level=0)
    assert data[144 + 32 :] == bytes.fromhex(BLF_OBJECT)


@pytest.mark.parametrize("cut", range(1, 144))
def test_a_cut_object_of_blf_costs_only_itself(cut: int) -> None:
    data = bytes.fromhex(BLF_OBJECT)
    found = list(BLFReader(io.BytesIO(head() + container(data + data, stored=True)[:-cut]), tz="UTC"))
    assert len(found) == 1
    assert isinstance(found[0], XlMessage)


def test_channels_above_255_have_no_place_beside_can_xl_in_blf() -> None:
    message = frames(MIXED[1])[0]
    message.channel = 255
    with pytest.raises(UsageError, match="exceeds 254"):
        write("blf", [message])


@pytest.mark.parametrize("name", plugins.writable())
def test_no_format_makes_another_frame_of_it(name: str, tmp_path: Path) -> None:
    """It comes back as it was, or is counted as left out."""
    path = tmp_path / f"log{plugins.FORMATS[name].suffixes[0]}"
    sent = frames(*MIXED[:2])
    with open_writer(path, name, {}) as writer:
        writer.write(MessageBatch(sent))
    with open_reader(path) as reader:
        found = list(reader)
    lost = writer.losses["CAN XL frames (left out)"]
    assert [message.is_xl for message in found] == [False, True][: 2 - lost]
