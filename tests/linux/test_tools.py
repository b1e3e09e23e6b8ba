"""canx beside candump, cansend, cangen and canplayer, on virtual interfaces and on two controllers."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

CANX = str(Path(sys.executable).with_name("canx"))
TIMEOUT = 120.0

Start = Callable[..., "subprocess.Popen[str]"]

CLASSIC = ["123#DEADBEEF", "7FF#", "12345678#0102030405060708", "00000123#11", "456#R", "456#R5"]
FD = ["123##0AABBCC", "12345678##1" + "5A" * 64, "321##2" + "01" * 12, *CLASSIC]


def listeners(interface: str) -> int:
    """Return how many sockets receive from ``interface``, as the kernel lists them."""
    found = set()
    for file in Path("/proc/net/can").glob("rcvlist_*"):
        for line in file.read_text().splitlines():
            fields = line.split()
            if len(fields) == 7 and fields[0] == interface:
                found.add(fields[4])
    return len(found)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a program; one that receives is listening when it returns."""
    started: list[subprocess.Popen[str]] = []

    def run(*command: str, receives: str | None = None) -> subprocess.Popen[str]:
        before = listeners(receives) if receives else 0
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        started.append(process)
        end = time.monotonic() + TIMEOUT
        while receives and listeners(receives) == before:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end
            time.sleep(0.02)  # polls the kernel's list
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def run(*command: str, status: int = 0) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert done.returncode == status, done
    return done.stdout


def ended(process: subprocess.Popen[str]) -> str:
    out, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, (process.args, errors)
    return out


def frames_of(text: str) -> list[str]:
    """Return the frames of log lines, with FD flags as all versions of can-utils write them."""
    frames = []
    for line in text.splitlines():
        frame = line.split()[2]
        parts = re.fullmatch(r"(\w+#)(#\w)?(.*)", frame)
        assert parts is not None
        kind, flags, data = parts.groups()
        frames.append(kind + (f"#{int(flags[1], 16) & 3}" if flags else "") + data)
    return frames


def frames_on(text: str) -> list[str]:
    return [
        line.split()[1] + " " + frame for line, frame in zip(text.splitlines(), frames_of(text), strict=True)
    ]


@pytest.mark.parametrize(("interface", "frames"), [("vcan0", CLASSIC), ("vcan1", FD)])
def test_dump_shows_what_cansend_sends_as_candump_does(
    start: Start, interface: str, frames: list[str]
) -> None:
    candump = start("candump", "-L", "-n", str(len(frames)), interface, receives=interface)
    dump = start(CANX, "dump", interface, "--fd", "-n", str(len(frames)), receives=interface)
    for frame in frames:
        run("cansend", interface, frame)
    theirs, ours = ended(candump), ended(dump)
    assert frames_of(ours) == frames_of(theirs)
    stamps = [[float(line[1 : line.index(")")]) for line in text.splitlines()] for text in (theirs, ours)]
    assert all(abs(one - other) <= 2e-6 for one, other in zip(*stamps, strict=True))


@pytest.mark.parametrize(("interface", "frames"), [("vcan0", CLASSIC), ("vcan1", FD)])
def test_candump_shows_what_send_sends(start: Start, interface: str, frames: list[str]) -> None:
    candump = start("candump", "-L", "-n", str(len(frames)), interface, receives=interface)
    run(CANX, "send", interface, *frames, "--fd")
    assert frames_of(ended(candump)) == [frame.replace("R0", "R") for frame in frames]


def test_two_controllers_exchange_frames_both_ways(start: Start) -> None:
    dump = start(CANX, "dump", "can1", "-n", "3", receives="can1")
    for frame in ("123#01", "12345678#0203", "123#R2"):
        run("cansend", "can0", frame)
    assert frames_on(ended(dump)) == ["can1 123#01", "can1 12345678#0203", "can1 123#R2"]
    candump = start("candump", "-L", "-n", "2", "can0", receives="can0")
    run(CANX, "send", "can1", "321#AABB", "00000321#CC")
    assert frames_on(ended(candump)) == ["can0 321#AABB", "can0 00000321#CC"]


def test_no_frame_of_a_burst_is_lost(start: Start, tmp_path: Path) -> None:
    dump = start(CANX, "dump", "vcan0", "-n", "20000", "-o", "burst.log", receives="vcan0")
    run("cangen", "vcan0", "-g", "0", "-n", "20000", "-I", "i", "-L", "8", "-D", "i")
    ended(dump)
    frames = frames_of((tmp_path / "burst.log").read_text())
    counters = [int.from_bytes(bytes.fromhex(frame.split("#")[1]), "little") for frame in frames]
    assert counters == list(range(20000))


def test_a_burst_from_send_reaches_candump_whole(start: Start, tmp_path: Path) -> None:
    run(CANX, "gen", "-n", "20000", "-I", "i", "-L", "8", "-D", "i", "-o", str(tmp_path / "burst.log"))
    candump = start("candump", "-L", "-r", "8000000", "-n", "20000", "vcan0", receives="vcan0")
    with (tmp_path / "burst.log").open() as file:
        subprocess.run([CANX, "send", "vcan0"], stdin=file, timeout=TIMEOUT, check=True)
    assert frames_of(ended(candump)) == frames_of((tmp_path / "burst.log").read_text())


LOG = "".join(f"(1700000000.{number * 2000:06d}) can7 {number:03X}#{number:04X}\n" for number in range(100))


def test_candump_shows_what_replay_plays(start: Start, tmp_path: Path) -> None:
    (tmp_path / "in.log").write_text(LOG)
    candump = start("candump", "-L", "-n", "100", "vcan0", receives="vcan0")
    ended(start(CANX, "replay", "in.log", "vcan0"))
    played = ended(candump)
    assert frames_of(played) == frames_of(LOG)
    times = [float(line[1 : line.index(")")]) for line in played.splitlines()]
    assert times[-1] - times[0] > 99 * 0.002 / 2  # not as fast as it goes; a busy machine may be late


def test_dump_shows_what_canplayer_plays(start: Start, tmp_path: Path) -> None:
    (tmp_path / "in.log").write_text(LOG)
    dump = start(CANX, "dump", "vcan1", "-n", "100", receives="vcan1")
    ended(start("canplayer", "-I", "in.log", "vcan1=can7"))
    assert frames_of(ended(dump)) == frames_of(LOG)


def test_a_bridge_carries_frames_both_ways(start: Start) -> None:
    start(CANX, "bridge", "vcan0", "vcan1", receives="vcan1")
    there = start("candump", "-L", "-n", "2", "vcan1", receives="vcan1")
    run("cansend", "vcan0", "123#01")
    run("cansend", "vcan0", "456#02")
    assert frames_of(ended(there)) == ["123#01", "456#02"]
    back = start("candump", "-L", "-n", "1", "vcan0", receives="vcan0")
    run("cansend", "vcan1", "321#03")
    assert frames_of(ended(back)) == ["321#03"]


def test_filters_behind_a_bus_are_the_kernels(start: Start) -> None:
    dump = start(CANX, "dump", "vcan0,123:7FF", "-f", "456", "-n", "1", receives="vcan0")
    listed = [
        fields[1:3]
        for file in ("rcvlist_sff", "rcvlist_fil")
        for fields in map(str.split, Path("/proc/net/can", file).read_text().splitlines())
        if fields[:1] == ["vcan0"]
    ]
    assert listed, "no filter in the kernel"
    dump.kill()


def test_interfaces_are_listed_with_state_and_bit_rate() -> None:
    listed = run(CANX, "list", "buses", "-i", "socketcan")
    lines = {line.split("\t")[0]: line for line in listed.splitlines()}
    assert "socketcan:vcan0" in lines
    assert "500000" in lines["socketcan:can0"]


def test_any_shows_each_frame_on_its_own_interface(start: Start) -> None:
    dump = start(CANX, "dump", "any", "-n", "2", receives="any")
    run("cansend", "vcan0", "123#01")
    run("cansend", "vcan1", "124##102")
    assert frames_on(ended(dump)) == ["vcan0 123#01", "vcan1 124##102"]


def test_only_listening_needs_an_interface_that_is_in_this_mode(start: Start) -> None:
    refused = subprocess.run([CANX, "dump", "can1", "--passive"], capture_output=True, text=True, check=False)
    assert refused.returncode == 3
    assert "not in listen-only mode" in refused.stderr


def test_frames_that_found_the_buffer_full_are_told(start: Start, tmp_path: Path) -> None:
    """The program is stopped while a burst comes, and cannot take any of it."""
    dump = start(CANX, "dump", "vcan0,rcvbuf=4096", "-T", "10s", "-o", "some.log", receives="vcan0")
    dump.send_signal(signal.SIGSTOP)
    run("cangen", "vcan0", "-g", "0", "-n", "2000", "-L", "8")
    dump.send_signal(signal.SIGCONT)
    _, said = dump.communicate(timeout=TIMEOUT)
    lost = re.search(r"(\d+) frames lost", said)
    assert lost, said
    assert len((tmp_path / "some.log").read_text().splitlines()) + int(lost[1]) == 2000
