"""Commands on emulated slcan adapters."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.emulators.line import Mute, plugged
from tests.emulators.slcan import Slcan

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., "subprocess.Popen[bytes]"]

#: a line of the adapter, an argument of canx send, and the end of a line of canx dump -L
KINDS = [
    (b"t12330102AB", "123#0102AB"),
    (b"T12ABCDEF2DEAD", "12ABCDEF#DEAD"),
    (b"t0070", "007#"),
    (b"r7FF4", "7FF#R4"),
    (b"R1FFFFFFF0", "1FFFFFFF#R"),
]
FD_KINDS = [
    (b"d1239" + b"11" * 12, "123##0" + "11" * 12),
    (b"B12345678F" + b"22" * 64, "12345678##1" + "22" * 64),
]
ERRORS = [(b"e1o", "2000008C#0001000000000000"), (b"sw098033", "20000204#0004000000002162")]


def texts(output: str) -> list[str]:
    return [line.split()[2] for line in output.splitlines()]


@pytest.mark.parametrize("kind", ["pty", "tcp"])
@pytest.mark.parametrize("profile", ["lawicel", "canable2", "nakakiyo"])
def test_dump_shows_all_kinds_of_frames(canx: Run, profile: str, kind: str) -> None:
    rows = [*KINDS, *ERRORS, *(FD_KINDS if profile != "lawicel" else [])]
    device = Slcan(profile)
    device.arrivals = [line for line, _ in rows]
    fd = ",data_bitrate=2M" if profile != "lawicel" else ""
    with plugged(device, kind) as line:
        result = canx("dump", "-L", f"slcan:{line.channel},bitrate=500000{fd}", "-n", len(rows))
        assert (result.returncode, result.stderr) == (0, "")
        assert texts(result.stdout) == [text for _, text in rows]


@pytest.mark.parametrize("profile", ["lawicel", "canable2", "weact"])
def test_send_sends_all_kinds_of_frames(canx: Run, profile: str) -> None:
    rows = [*KINDS, *(FD_KINDS if profile != "lawicel" else [])]
    fd = ",fd=true" if profile != "lawicel" else ""
    device = Slcan(profile)
    with plugged(device) as line:
        result = canx("send", f"slcan:{line.channel},bitrate=500000{fd}", *(text for _, text in rows))
        assert (result.returncode, result.stderr) == (0, "")
        line.wait_for(b"C\r" if profile != "lawicel" else b"R1FFFFFFF0\r")
        line.wait_for(rows[-1][0] + b"\r")
        assert device.frames == [line for line, _ in rows]


def test_replay(canx: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("".join(f"(1.{number:06}) can0 {number:03X}#\n" for number in range(300)))
    device = Slcan()
    with plugged(device) as line:
        result = canx("replay", "a.log", f"slcan:{line.channel},bitrate=1M", "--speed", "max")
        assert (result.returncode, result.stderr) == (0, "")
        assert [int(text[1:4], 16) for text in device.frames] == [*range(300)]


def test_bridge_between_two_adapters(start: Start) -> None:
    here, there = Slcan(), Slcan("canable2")
    here.arrivals = [line for line, _ in KINDS]
    with plugged(here) as one, plugged(there, "tcp") as other:
        process = start(
            *("bridge", f"slcan:{one.channel},bitrate=500000"),
            *(f"slcan:{other.channel},bitrate=500000", "-n", len(KINDS)),
        )
        for line, _ in KINDS:
            other.wait_for(line + b"\r")
        assert process.wait(30) == 0
        assert there.frames == [line for line, _ in KINDS]


def test_error_frames_are_not_sent(canx: Run) -> None:
    with plugged(Slcan()) as line:
        result = canx(
            "send", f"slcan:{line.channel},bitrate=500000", "20000004#0001000000000000", "--error-frames"
        )
    assert result.returncode == 3
    assert "slcan adapters do not send error frames" in result.stderr


def test_a_refused_frame_is_status_3(canx: Run) -> None:
    device = Slcan()
    device.listens = True
    with plugged(device) as line:
        result = canx("send", f"slcan:{line.channel},bitrate=500000", "123#")
    assert result.returncode == 3
    assert "the adapter refused 1 frame" in result.stderr


def test_malformed_lines_are_reported(canx: Run) -> None:
    device = Slcan()
    device.arrivals = [b"t12", b"t1230"]
    with plugged(device) as line:
        result = canx("dump", "-L", f"slcan:{line.channel},bitrate=500000", "-n", "1")
    assert texts(result.stdout) == ["123#"]
    assert "1 malformed lines skipped" in result.stderr or "malformed line" in result.stderr


def test_unplugging_is_status_3_after_all_frames(start: Start) -> None:
    device = Slcan()
    device.arrivals = [b"t1230", b"t1240"]
    with plugged(device) as line:
        process = start("dump", "-L", f"slcan:{line.channel},bitrate=500000")
        assert process.stdout is not None
        lines = [process.stdout.readline(), process.stdout.readline()]
        line.unplug()
        out, error = process.communicate(timeout=30)
        assert process.returncode == 3
        assert [text.split()[2] for text in lines] == [b"123#", b"124#"]
        assert out == b""
        assert (
            error.decode()
            == f"canx: slcan:{line.channel}: the connection is lost: the device was unplugged\n"
        )


def test_a_port_that_another_command_has(canx: Run, start: Start) -> None:
    device = Slcan()
    with plugged(device) as line:
        start("dump", f"slcan:{line.channel},bitrate=500000")
        line.wait_for(b"O\r")
        result = canx("dump", f"slcan:{line.channel},bitrate=500000")
        assert result.returncode == 3
        assert result.stderr == (
            f"canx: slcan:{line.channel}: another program has the port open\n"
            f"hint: fuser -v {line.channel} shows which\n"
        )


@pytest.mark.parametrize("channel", ["/dev/no-such-port", "/dev/null"])
def test_no_port(canx: Run, channel: str) -> None:
    result = canx("dump", f"slcan:{channel}")
    assert result.returncode == 3
    assert len(result.stderr.splitlines()) == 2


def test_nothing_answers(canx: Run) -> None:
    with plugged(Mute()) as line:
        result = canx("dump", f"slcan:{line.channel},sleep_after_open=0")
        assert result.returncode == 3
        assert result.stderr == (
            f"canx: slcan:{line.channel}: the adapter does not answer\n"
            "hint: wrong port or baud rate? dialect=silent opens an adapter that never answers\n"
        )


PORTS = """
import sys
sys.path.append({root!r})
from serial.tools import list_ports
from tests.backends.transport.test_serial import device
list_ports.comports = lambda: [
    device("/dev/ttyACM0", vid=0x16D0, pid=0x117E, serial_number="00430028", product="CANable2"),
    device("/dev/ttyUSB0", vid=0x0403, pid=0xFFA8),
    device("/dev/ttyS0"),
]
"""


def test_the_list_shows_addresses_to_paste(canx: Run, tmp_path: Path, environment: dict[str, Any]) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(PORTS.format(root=str(Path(__file__).parents[2])))
    result = canx("list", "-i", "slcan", "--json", PYTHONPATH=str(folder))
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["bus"] for row in rows] == ["slcan:/dev/ttyACM0", "slcan:/dev/ttyUSB0"]
    assert (rows[0]["product"], rows[0]["serial"]) == ("CANable2", "00430028")
    assert rows[1]["product"] == "LAWICEL CANUSB"


def test_the_interface_is_ready(canx: Run) -> None:
    rows = dict(line.split("\t")[:2] for line in canx("list", "interfaces").stdout.splitlines())
    assert rows["slcan"] == "ready"
