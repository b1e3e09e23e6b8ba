"""python-can's bus on the emulated library, and that of canx, understand each other and agree on facts."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.backends.vector import xlclass, xldefine
from cantools_cli.backends.vector.bus import VectorBus
from cantools_cli.backends.vector.channels import get_channel_configs
from cantools_cli.frame.message import Message
from tests.backends.vector.python_can import layout, row_of
from tests.vendor.kit import Stub

pytest.importorskip("can")

pytestmark = pytest.mark.long

PROGRAM = Path(__file__).parent / "python_can.py"

Row = dict[str, Any]
CLASSIC: list[Row] = [
    {"arbitration_id": 0x123, "is_extended_id": False, "dlc": 4, "data": "01020304"},
    {"arbitration_id": 0x123, "is_extended_id": True, "dlc": 8, "data": "0102030405060708"},
    {"arbitration_id": 0x1FFFFFFF, "is_extended_id": True, "dlc": 0, "data": ""},
    {"arbitration_id": 0x5, "is_extended_id": False, "is_remote_frame": True, "dlc": 3, "data": ""},
]
LAST: Row = {"arbitration_id": 0x7FF, "is_extended_id": False, "dlc": 0, "data": ""}
FD: list[Row] = [
    {"arbitration_id": 0x1, "is_extended_id": False, "is_fd": True, "dlc": 12, "data": "aa" * 12},
    {"arbitration_id": 0x2, "is_fd": True, "bitrate_switch": True, "dlc": 64, "data": "bb" * 64},
]
SETTINGS = {"bitrate": 500_000}
FD_SETTINGS = {"fd": True, "bitrate": 500_000, "data_bitrate": 2_000_000}

#: fields without a meaning, whose names or places differ
PADDING = {"reserved"}
#: the header packs this structure, python-can does not
DIFFERENT = {"s_xl_sync_pulse"}


def program(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(PROGRAM), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def complete(row: Row, channel: int) -> Row:
    return row_of(Message(is_rx=True, **{**row, "data": bytes.fromhex(row["data"]), "channel": channel}))


@pytest.mark.parametrize(
    ("settings", "rows"), [(SETTINGS, CLASSIC), (FD_SETTINGS, CLASSIC + FD)], ids=["classic", "fd"]
)
def test_frames_both_ways(stub: Stub, settings: Row, rows: list[Row]) -> None:
    rows = [*rows, LAST]
    with VectorBus(0, **settings) as bus:
        theirs = program("exchange", "1", json.dumps(settings), json.dumps(rows))
        assert theirs.stdout is not None
        opened = theirs.stdout.readline()
        found: list[Row] = []
        while opened and len(found) < len(rows):
            message = bus.recv(30)
            assert message is not None
            found.append(row_of(message))
        for row in rows:
            bus.send(Message(**{**row, "data": bytes.fromhex(row["data"])}))
        output, errors = theirs.communicate(timeout=60)
        assert (theirs.returncode, opened) == (0, "open\n"), errors
        assert found == [complete(row, 0) for row in rows]
        assert [json.loads(line) for line in output.splitlines()] == [complete(row, 1) for row in rows]


def test_the_facts(stub: Stub) -> None:
    output, errors = program("facts").communicate(timeout=60)
    assert output, errors
    enumerations, structures, configs, application, parameters = json.loads(output)
    for name, members in enumerations.items():
        ours = getattr(xldefine, name).__members__
        missing = {member: value for member, value in members.items() if ours.get(member) != value}
        assert not missing, name
    for name in {*structures} - DIFFERENT:
        skipped = PADDING if name.startswith("XL") else {*PADDING, "size"}  # members of unions are padded
        offsets = {key: value for key, value in structures[name].items() if key not in skipped}
        ours = layout(getattr(xlclass, name))
        assert {key: ours.get(key) for key in offsets} == offsets, name
    assert [repr(config) for config in get_channel_configs()] == configs
    assert repr(VectorBus.get_application_config("CANalyzer", 1)) == application
    assert {*parameters} - {"kwargs"} <= {*inspect.signature(VectorBus).parameters}
