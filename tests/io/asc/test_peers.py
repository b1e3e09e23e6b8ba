"""ASC between canx, python-can and can-utils."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import can
import pytest

from tests.io.asc.asc_text import KINDS, SECONDS, frame, read, shown, write
from tests.named import ASCReader
from tests.strategies import facts


@pytest.fixture
def utc(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("utc")
def test_python_can_reads_what_is_written(tmp_path):
    path = tmp_path / "log.asc"
    path.write_bytes(write([*KINDS, frame(10 * SECONDS, arbitration_id=0x080, is_error_frame=True)])[0])
    with can.ASCReader(path, relative_timestamp=False) as peer:
        *found, error = list(peer)
    for ours, theirs in zip(KINDS, found, strict=True):
        assert theirs.timestamp == pytest.approx(ours.timestamp, abs=1e-6)
        assert (theirs.arbitration_id, theirs.is_extended_id) == (ours.arbitration_id, ours.is_extended_id)
        assert (theirs.dlc, theirs.data, theirs.is_rx) == (ours.dlc, ours.data, ours.is_rx)
        assert (theirs.is_fd, theirs.bitrate_switch) == (ours.is_fd, ours.bitrate_switch)
        assert f"can{theirs.channel}" == ours.channel
        assert theirs.is_remote_frame == ours.is_remote_frame
    assert error.is_error_frame


@pytest.mark.usefixtures("utc")
def test_what_python_can_writes_is_read(tmp_path):
    path = tmp_path / "log.asc"
    with can.ASCWriter(path) as peer:
        for message in KINDS:
            peer(
                can.Message(
                    timestamp=message.timestamp,
                    arbitration_id=message.arbitration_id,
                    is_extended_id=message.is_extended_id,
                    is_remote_frame=message.is_remote_frame,
                    is_fd=message.is_fd,
                    bitrate_switch=message.bitrate_switch,
                    is_rx=message.is_rx,
                    dlc=message.dlc,
                    data=message.data,
                    channel=int(str(message.channel)[3:]),
                )
            )
    with ASCReader(path, relative_timestamp=False, tz="UTC") as source:
        for ours, theirs in zip(KINDS, source, strict=True):
            # python-can writes the start to the millisecond, but counts from the frame's exact time
            assert abs(ours.timestamp_ns - theirs.timestamp_ns) < 1_000_000
            assert facts(theirs)[1:] == facts(ours)[1:]
        assert source.notes == []


def run(program: str, text: bytes, *arguments: str, **environment: str) -> str:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    done = subprocess.run(
        [program, *arguments],
        input=text,
        capture_output=True,
        check=True,
        timeout=20,
        env={**os.environ, **environment},
    )
    return done.stdout.decode()


@pytest.fixture(scope="session")
def locales(tmp_path_factory):
    """Return a folder with the locales that asc2log reads dates in."""
    folder = tmp_path_factory.mktemp("locales")
    for name in ("en_US", "de_DE"):
        if shutil.which("localedef") is None:
            pytest.skip("localedef is not installed")
        made = subprocess.run(
            ["localedef", "-i", name, "-f", "UTF-8", folder / name], capture_output=True, check=False
        )
        if not (folder / name).exists():
            pytest.skip(f"locale {name} cannot be made: {made.stderr.decode()}")
    return str(folder)


@pytest.mark.parametrize("hour", range(0, 24, 5))
def test_asc2log_reads_what_is_written(locales, hour):
    sent = [message.__copy__() for message in KINDS]
    for message in sent:
        message.timestamp_ns += hour * 3600 * SECONDS
    lines = run("asc2log", write(sent)[0], LOCPATH=locales, TZ="UTC").splitlines()
    without_fdf = str.maketrans("45", "01")  # newer ones set a flag more
    assert [
        re.sub("##.", lambda mark: mark[0].translate(without_fdf), line).split()[1:3] for line in lines
    ] == [
        ["can0", "064#0001"],
        ["can1", "000000C8#0001020304050607"],
        ["can0", "7FF#R4"],
        ["can0", "055##0" + "AA" * 12],
        ["can0", "1FFFFFFF##1" + "BB" * 64],
    ]
    for message, line in zip(sent, lines, strict=True):
        seconds, micro = line[1 : line.index(")")].split(".")
        behind = message.timestamp_ns // 1000 - (int(seconds) * 1_000_000 + int(micro))
        assert behind in (0, 3_600_000_000)  # asc2log 2020.11 sometimes takes UTC for daylight saving time


def test_what_log2asc_writes_is_read():
    log = (
        "(1700000000.123456) can0 064#0001 T\n(1700000000.200000) can1 000000C8#0001020304050607\n"
        "(1700000000.200001) can0 7FF#R4\n(1700000000.300000) can0 055##0" + "AA" * 12 + "\n"
        "(1700000001.300000) can0 20000088#0000000000000000\n"
    )
    found = read(run("log2asc", log.encode(), "can0", "can1", TZ="UTC").encode(), relative_timestamp=True)
    assert [shown(message).split(" ", 1)[1] for message in found] == [
        "can0 S 064 [2] Tx 0001",
        "can1 X 000000C8 [8] 0001020304050607",
        "can0 S 7FF RTR [4]",
        "can0 S 055 FD [12] " + "aa" * 12,
        "can0 ERR 080 [8] 0000000000000000",
    ]
    assert found[-1].timestamp_ns - found[0].timestamp_ns == 1_176_544_000
