"""Channels of what readers give: numbers or None as python-can documents them, names for the commands."""

from __future__ import annotations

from pathlib import Path

import pytest

import cantools_cli as can
from cantools_cli.frame.message import Message
from cantools_cli.io.formats import open_reader

CHANNELS = ("can0", 1, None, "vcan3")

#: suffix -> the channels read back, of python-can's interface and of the commands
READ = {
    ".asc": ([0, 1, 0, 3], ["can0", "can1", "can0", "can3"]),
    ".blf": ([0, 1, 0, 3], ["can0", "can1", "can0", "can3"]),
    ".mf4": ([0, 1, 0, 3], ["can0", "can1", "can0", "can3"]),
    ".trc": ([1, 2, 1, 4], ["can0", "can1", "can0", "can3"]),
    ".csv": ([None] * 4, ["can0"] * 4),
    ".db": ([None] * 4, ["can0"] * 4),
    ".log": (["can0", "can1", "vcan0", "vcan3"],) * 2,
    ".txt": (["can0", 1, None, "vcan3"],) * 2,
    ".jsonl": (["can0", 1, None, "vcan3"],) * 2,
}


@pytest.fixture(params=READ)
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"a{request.param}"
    with can.Logger(path) as logger:
        for second, channel in enumerate(CHANNELS, 1):
            logger(Message(timestamp=second, arbitration_id=second, channel=channel))
    return path


def test_channels_are_those_of_the_documentation(written: Path) -> None:
    with can.LogReader(written) as reader:
        assert [message.channel for message in reader] == READ[written.suffix][0]
    with can.LogReader(written) as reader:
        batches = list(reader.batches())
    assert [message.channel for batch in batches for message in batch] == READ[written.suffix][0]


def test_commands_have_names(written: Path) -> None:
    with open_reader(written, as_command=True) as reader:
        assert [message.channel for message in reader] == READ[written.suffix][1]


@pytest.mark.parametrize(
    ("cell", "channel"), [("", None), ("5", 5), ('"5"', "5"), ("can1", "can1"), ("body", "body")]
)
def test_a_column_of_channels_is_kept(tmp_path: Path, cell: str, channel: can.typechecking.Channel) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "timestamp,arbitration_id,extended,remote,error,dlc,data,channel,is_fd,bitrate_switch,"
        f"error_state_indicator,is_rx\n1.0,0x1,0,0,0,0,,{cell},0,0,0,1\n"
    )
    with can.CSVReader(path) as reader:
        assert [message.channel for message in reader] == [channel]
