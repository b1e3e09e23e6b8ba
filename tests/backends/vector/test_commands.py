"""Commands on the emulated library, each a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import time

from cantools_cli.backends.vector.bus import VectorBus
from cantools_cli.frame.message import Message
from tests.commands.conftest import CANX
from tests.vendor.kit import Stub


def canx(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(
        [CANX, *words], capture_output=True, text=True, env=environment, timeout=60, check=False
    )


def test_dump_and_send(stub: Stub) -> None:
    command = [CANX, "dump", "vector:1,bitrate=500k"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as dump:
        try:
            assert [frame.split()[2] for frame in frames_of(dump)] == ["123#DEADBEEF", "12ABCDEF#R4", "7FF#"]
        finally:
            dump.send_signal(signal.SIGINT)
            dump.communicate(timeout=60)


def frames_of(dump: subprocess.Popen[str]) -> list[str]:
    """Return the lines for three frames that ``canx send`` sends to a bus once it is open."""
    assert dump.stdout is not None
    assert dump.stderr is not None
    with VectorBus(0, bitrate=500_000) as bus:
        task = bus.send_periodic(Message(arbitration_id=0x111, is_extended_id=False), 0.01)
        assert "111#" in dump.stdout.readline(), dump.stderr.read()
        task.stop()
    for frame in ("123#DEADBEEF", "12ABCDEF#R4", "7FF#"):
        sent = canx("send", "vector:0,bitrate=500k", frame)
        assert (sent.returncode, sent.stderr) == (0, "")
    lines: list[str] = []
    while not lines or "7FF#" not in lines[-1]:
        line = dump.stdout.readline()
        assert line, dump.stderr.read()
        if " 111#" not in line:
            lines.append(line)
    return lines


def test_list(stub: Stub) -> None:
    listed = canx("list", "-i", "vector")
    assert listed.returncode == 0, listed.stderr
    rows = [line.split("\t") for line in listed.stdout.splitlines()]
    assert [row[0] for row in rows] == [
        f"vector:{channel},serial={serial},channel_index={index}"
        for index, (channel, serial) in enumerate(((0, 0), (1, 0), (0, 100), (1, 100)))
    ]
    sent = canx("send", rows[3][0] + ",fd=true", "123##1" + "AA" * 16)
    assert (sent.returncode, sent.stderr) == (0, "")


def test_the_driver_is_missing() -> None:
    began = time.monotonic()
    dump = canx("dump", "vector:0", CANX_VECTOR_LIBRARY="/nowhere/vxlapi64.dll")
    assert time.monotonic() - began < 60
    lines = dump.stderr.splitlines()
    assert dump.returncode == 2
    assert [line.partition(" ")[0] for line in lines] == ["canx:", "hint:"]
    assert "/nowhere/vxlapi64.dll" in lines[0]


def test_an_unassigned_channel(stub: Stub) -> None:
    dump = canx("dump", "vector:5,app_name=mine")
    assert dump.returncode == 3
    first, hint = dump.stderr.splitlines()
    assert 'channel 5 of application "mine" is not assigned to a device' in first
    assert hint.startswith("hint: assign it in Vector Hardware Configuration")
