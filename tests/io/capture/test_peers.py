"""Wireshark's tools read what we write, and write what we read."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.capture.pcapng import PcapngReader
from cantools_cli.io.formats import open_reader, open_writer
from tests.io.blf.test_peers import mixed
from tests.io.capture.capture_bytes import classic
from tests.strategies import facts

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

FIELDS = [
    *("frame.interface_name", "frame.packet_flags_direction", "frame.time_epoch"),
    *("can.id", "can.flags.xtd", "can.flags.rtr", "can.flags.err", "can.len"),
    *("canfd.flags.brs", "canfd.flags.esi", "data.data"),
]
COMMON = FIELDS[2:]


def tshark(path: Path | str, fields: list[str], content: bytes | None = None) -> list[list[str]]:
    """Return what tshark says of each packet."""
    command = ["tshark", "-r", str(path), "-T", "fields", *(word for name in fields for word in ("-e", name))]
    result = subprocess.run(command, input=content, capture_output=True, timeout=60, check=True)
    return [line.split("\t") for line in result.stdout.decode().splitlines()]


def said(message: Message) -> list[str]:
    """Return what tshark should say of ``message``, by FIELDS."""
    name = message.channel if isinstance(message.channel, str) else f"can{message.channel}"
    seconds, part = divmod(message.timestamp_ns, 1_000_000_000)
    marks = [message.bitrate_switch, message.error_state_indicator] if message.is_fd else []
    data = "" if message.is_error_frame else message.data.hex() or "00" * message.dlc
    return [
        name,
        "0x00000001" if message.is_rx else "0x00000002",
        f"{seconds}.{part:09d}",
        *([""] * 3 if message.is_error_frame else said_of_identifier(message)),
        "" if message.is_fd else "1" if message.is_error_frame else "0",
        str(message.dlc),
        *(["1" if bit else "0" for bit in marks] or ["", ""]),
        data,
    ]


def said_of_identifier(message: Message) -> list[str]:
    remote = "" if message.is_fd else "1" if message.is_remote_frame else "0"
    return [str(message.arbitration_id), "1" if message.is_extended_id else "0", remote]


@pytest.fixture(scope="module")
def frames() -> list[Message]:
    return mixed()[:600]


def written(path: Path, form: str, frames: list[Message]) -> Path:
    with open_writer(path, form) as writer:
        writer.write(MessageBatch(frames))
    return path


def read(path: Path) -> list[tuple[object, ...]]:
    with open_reader(path) as reader:
        return [facts(message) for message in reader]


def comparable(rows: list[list[str]], errors: list[bool]) -> list[list[str]]:
    """Drop the data of error frames, which tshark takes apart; that of remote frames it has as zeros."""
    return [[*row[:-1], ""] if error else row for row, error in zip(rows, errors, strict=True)]


def test_tshark_reads_our_pcapng_down_to_names_and_directions(tmp_path: Path, frames: list[Message]) -> None:
    rows = tshark(written(tmp_path / "a.pcapng", "pcapng", frames), FIELDS)
    assert comparable(rows, [frame.is_error_frame for frame in frames]) == [said(frame) for frame in frames]


def test_tshark_reads_our_pcap(tmp_path: Path, frames: list[Message]) -> None:
    rows = tshark(written(tmp_path / "a.pcap", "pcap", frames), COMMON)
    errors = [frame.is_error_frame for frame in frames]
    assert comparable(rows, errors) == [said(frame)[2:] for frame in frames]


def test_tshark_reads_a_file_that_was_continued(tmp_path: Path, frames: list[Message]) -> None:
    for form in ("pcap", "pcapng"):
        path = written(tmp_path / f"a.{form}", form, frames[:50])
        with open_writer(path, form, append=True) as writer:
            writer.write(MessageBatch(frames[50:90]))
        assert len(tshark(path, ["frame.number"])) == 90


@pytest.mark.parametrize("form", ["pcap", "nsecpcap", "pcapng"])
def test_we_read_what_editcap_makes_of_our_files(tmp_path: Path, frames: list[Message], form: str) -> None:
    ours = written(tmp_path / "a.pcapng", "pcapng", [frame for frame in frames if frame.channel == 0])
    theirs = tmp_path / "b.pcap"
    subprocess.run(["editcap", "-F", form, ours, theirs], check=True, timeout=60, capture_output=True)
    lost = slice(0, 9) if form != "pcapng" else slice(0, None)  # the direction, which is the tenth fact
    found = [fact[lost] for fact in read(theirs)]
    expected = [fact[lost] for fact in read(ours)]
    assert found == expected
    assert len(found) > 200


def test_we_read_what_mergecap_joins(tmp_path: Path, frames: list[Message]) -> None:
    paths = []
    for number in (0, 1):
        some = [frame for frame in frames if frame.channel == number]
        paths.append(written(tmp_path / f"{number}.pcapng", "pcapng", some))
    command = ["mergecap", "-w", tmp_path / "all.pcapng", *paths]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    whole = written(tmp_path / "whole.pcapng", "pcapng", frames)
    assert sorted(map(repr, read(tmp_path / "all.pcapng"))) == sorted(map(repr, read(whole)))


def test_we_read_what_text2pcap_makes(tmp_path: Path) -> None:
    packet = classic(0x123, b"\1\2\3")
    dump = "000000 " + packet.hex(" ") + "\n"
    command = ["text2pcap", "-l", "227", "-", tmp_path / "a.pcapng"]
    subprocess.run(command, input=dump.encode(), check=True, timeout=60, capture_output=True)
    with open_reader(tmp_path / "a.pcapng") as reader:
        (message,) = reader
    assert (message.arbitration_id, bytes(message.data)) == (0x123, b"\1\2\3")


def test_we_read_what_editcap_makes_of_a_log(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(
        "(1700000000.123456) can0 123#0102\n(1700000001.000000) can0 12345678#R\n"
        "(1700000002.000000) can0 123##1AABB\n"
    )
    for form in ("pcap", "pcapng"):
        command = ["editcap", "-F", form, tmp_path / "a.log", tmp_path / "b.pcap"]
        subprocess.run(command, check=True, timeout=60, capture_output=True)
        found = [fact[:1] + fact[2:9] + fact[10:] for fact in read(tmp_path / "b.pcap")]
        expected = [fact[:1] + fact[2:9] + fact[10:] for fact in read(tmp_path / "a.log")]
        assert found == expected


def test_captures_flow_through_pipes(tmp_path: Path, frames: list[Message]) -> None:
    path = written(tmp_path / "a.pcapng", "pcapng", frames)
    theirs = ["tshark", "-r", path, "-w", "-"]
    captured = subprocess.run(theirs, capture_output=True, timeout=60, check=True).stdout
    assert [facts(message) for message in PcapngReader(io.BytesIO(captured))] == read(path)
    canx = [sys.executable, "-m", "cantools_cli", "convert", "--from", "pcapng", "--to", "pcapng", "-o", "-"]
    ours = subprocess.run(canx, input=captured, capture_output=True, timeout=60, check=True)
    assert ours.stderr == b""
    assert len(tshark("-", ["frame.number"], ours.stdout)) == len(frames)
