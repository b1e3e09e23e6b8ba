"""asammdf and python-can read what we write, and the reverse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cantools_cli.frame.message import Message
from cantools_cli.io.mf4.writer import MF4Writer
from tests.named import MF4Reader
from tests.strategies import facts

asammdf = pytest.importorskip("asammdf", reason="asammdf is not installed (pip install 'canx[mf4]')")
can = pytest.importorskip("can")
pytestmark = pytest.mark.filterwarnings("default")  # of asammdf and what it imports

FIELDS = (
    "arbitration_id",
    "is_extended_id",
    "is_remote_frame",
    "is_error_frame",
    "dlc",
    "is_fd",
    "is_rx",
    "bitrate_switch",
    "error_state_indicator",
    "data",
)
START_NS = 1_700_000_000_000_000_000
DBC = """VERSION ""
NS_ :
BS_:
BU_: A
BO_ 264 Eight: 8 A
 SG_ Speed : 0|8@1+ (1,0) [0|255] "" A
"""


def mixed(first: int = 0) -> list[Message]:
    """Every kind of frame, on two channels, in both directions."""
    found = []
    for number in range(first, first + 200):
        message = Message(
            arbitration_id=0x100 + number if number % 2 == 0 else 0x1ABCD000 + number,
            is_extended_id=bool(number % 2),
            channel=f"can{number % 3 % 2}",
            is_rx=number % 5 != 0,
            data=bytes(byte & 0xFF for byte in range(number, number + number % 9)),
        )
        message.timestamp_ns = START_NS + number * 1_000_000
        if number % 7 == 3:
            message.is_remote_frame, message.data = True, bytearray()
        elif number % 7 == 5:
            message.is_fd, message.bitrate_switch = True, number % 4 == 0
            message.error_state_indicator = number % 3 == 0
            message.data = bytearray(range((8, 12, 48, 64)[number % 4]))
            message.dlc = len(message.data)
        elif number % 11 == 7:
            message.is_error_frame, message.is_extended_id = True, False
            message.arbitration_id, message.data, message.dlc = 0x088, bytearray(range(8)), 8
        found.append(message)
    return found


def said(message: Any, first_channel: int) -> tuple[object, ...]:
    """Return what a message of python-can says, times to the microsecond."""
    return (
        round(message.timestamp * 1e6),
        f"can{message.channel - first_channel}",
        message.arbitration_id,
        message.is_error_frame or message.is_extended_id,
        message.is_remote_frame,
        message.is_error_frame,
        message.is_fd,
        message.bitrate_switch,
        message.error_state_indicator,
        message.is_rx,
        message.dlc,
        bytes(message.data),
    )


def same(message: Message) -> tuple[object, ...]:
    time, channel, number, extended, *rest = facts(message)
    del rest[7]  # dlc_code
    return (round(int(str(time)) / 1000), channel, number, message.is_error_frame or extended, *rest)


@pytest.fixture(params=["finished", "unfinished", "cut"])
def ours(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, list[Message]]:
    path, frames = tmp_path / "ours.mf4", mixed()
    writer = MF4Writer(path)
    for message in frames:
        writer.on_message_received(message)
    writer.flush()
    data = path.read_bytes()
    writer.stop()
    if request.param == "finished":
        return path, frames
    path.write_bytes(data if request.param == "unfinished" else data[:-1])
    return path, frames if request.param == "unfinished" else frames[:-1]


def test_python_can_reads_ours(ours: tuple[Path, list[Message]]) -> None:
    path, frames = ours
    with can.MF4Reader(path) as reader:
        found = [said(message, 1) for message in reader]
    assert found == [same(message) for message in frames]


def test_asammdf_finds_the_frames_by_itself(ours: tuple[Path, list[Message]], tmp_path: Path) -> None:
    path, frames = ours
    (tmp_path / "bus.dbc").write_text(DBC)
    with asammdf.MDF(path) as file:
        assert sum(group.channel_group.cycles_nr for group in file.groups) == len(frames)
        known = {int(number) for numbers in file.bus_logging_map["CAN"].values() for number in numbers}
        decoded = file.extract_bus_logging({"CAN": [(str(tmp_path / "bus.dbc"), 0)]})
        assert list(decoded.get("Speed").samples) == [8]
    assert known == {
        message.arbitration_id
        for message in frames
        if not message.is_remote_frame and not message.is_error_frame
    }


@pytest.mark.parametrize("level", [0, 1, 2])
def test_we_read_python_can(tmp_path: Path, level: int) -> None:
    path, frames = tmp_path / "theirs.mf4", mixed()
    writer = can.MF4Writer(path, compression_level=level)
    start = writer._start_time
    for message in frames:
        values = {name: getattr(message, name) for name in FIELDS}
        channel = int(str(message.channel)[3:])
        writer.on_message_received(
            can.Message(timestamp=start + (message.timestamp_ns - START_NS) / 1e9, channel=channel, **values)
        )
    writer.stop()
    with MF4Reader(path, tz="local") as reader:
        found = [facts(message)[1:11] for message in reader]
    expected = [facts(message)[1:11] for message in frames]
    assert found == expected
    assert reader.notes == []


@pytest.mark.parametrize("level", [0, 1, 2])
def test_we_read_what_asammdf_saves_again(tmp_path: Path, level: int) -> None:
    path, frames = tmp_path / "ours.mf4", mixed()
    with MF4Writer(path) as writer:
        for message in frames:
            writer.on_message_received(message)
    with asammdf.MDF(path) as file:
        file.save(tmp_path / "again.mf4", compression=level)
    with MF4Reader(tmp_path / "again.mf4") as reader:
        assert [facts(message) for message in reader] == [facts(message) for message in frames]
    assert reader.notes == []


def test_what_we_do_not_know_asammdf_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cantools_cli.io.mf4 import records
    from cantools_cli.io.mf4.blocks import UnknownLayoutError

    def unknown(*arguments: object) -> None:
        raise UnknownLayoutError("a layout for this test", position=0, unit="byte")

    path, frames = tmp_path / "ours.mf4", mixed()
    with MF4Writer(path) as writer:
        for message in frames:
            writer.on_message_received(message)
    monkeypatch.setattr(records, "plan_of", unknown)
    with MF4Reader(path) as reader:
        assert [facts(message)[:12] for message in reader] == [facts(message)[:12] for message in frames]
    assert reader.notes == [f"{path}: read by asammdf, in memory, because of a layout for this test"]
