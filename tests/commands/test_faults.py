"""The fault matrix: every format that can be written, times every way to be hurt.

Nothing that was flushed may be lost when the writer is killed or the disk full, and nothing before the
damage when a file is cut or a bit of it flipped. A table at the end of the run shows what was tried.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.commands.conftest import CANX
from tests.commands.faults import (
    COUNT,
    STEP,
    SUFFIXES,
    Disk,
    Whole,
    batches,
    bounded,
    frames,
    identities,
    log_line,
    read,
    whole_file,
    writer_of,
)

pytestmark = pytest.mark.long

CUTS = 20
FLIPS = 40
ROOMS = 12
FED = 50  # frames before and behind what is known to be flushed
ON_DISK = 60_000  # frames, more than fit
#: formats whose files are not a sequence of what was written: nothing is promised where a page is damaged
IN_PAGES = ("db",)
PCAP = b"M<\xb2\xa1"  # then 20 more bytes of head, and 32 of each frame
TEXT = ("jsonl", "gvret.csv", "csv", "txt", "asc", "trc", "log")

Record = Callable[[str, object], None]

every_format = pytest.mark.parametrize("suffix", SUFFIXES)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Whole]:
    """Return a function that gives the undamaged file with a suffix."""
    folder = tmp_path_factory.mktemp("whole")
    return cache(lambda suffix: whole_file(folder / f"whole.{suffix}"))


@pytest.fixture
def cell(record_property: Record) -> Callable[[str], None]:
    """Return a function that says what the matrix shows for this format and fault."""
    return lambda text: record_property("kept", text)


@every_format
def test_killed(environment, tmp_path, whole, cell, suffix):
    path = tmp_path / f"out.{suffix}"
    lines = [log_line(message) for message in frames(2 * FED)]
    command = [CANX, "convert", "-o", path.name, "--flush-every", "20ms", "--tz", "UTC"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        try:
            process.stdin.write(b"".join(lines[:FED]))
            process.stdin.flush()
            _wait_for(path, FED, process)
            process.stdin.write(b"".join(lines[FED:]))
            process.stdin.flush()
        finally:
            process.send_signal(signal.SIGKILL)
    found = read(path)
    assert found.frames == whole(suffix).frames[: len(found.frames)]
    assert FED <= len(found.frames) <= 2 * FED
    assert found.error is None
    cell(f"{FED} flushed, {len(found.frames)} read")


def _wait_for(path: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a reader finds ``count`` frames in a file that is being written."""
    deadline = time.monotonic() + 30
    while not (path.exists() and path.stat().st_size and len(read(path).frames) >= count):
        assert process.poll() is None
        assert time.monotonic() < deadline, f"{count} frames are never flushed"
        time.sleep(0.01)


@pytest.mark.parametrize("suffix", [suffix for suffix in SUFFIXES if suffix not in IN_PAGES])
def test_torn(tmp_path, whole, cell, suffix):
    """A kill between any two writes, and in the midst of any write."""
    disk = Disk(tmp_path / f"written.{suffix}", keep=True)
    torn = tmp_path / f"torn.{suffix}"
    with writer_of(torn, disk) as writer:
        for batch in batches(frames()):
            writer.write(batch)
            writer.flush()
            disk.flushed += STEP
    expected = whole(suffix).frames
    for data, flushed in disk.states:
        torn.write_bytes(data)
        found = read(torn)
        _assert_prefix(found, expected, suffix)
        assert flushed <= len(found.frames)
        assert found.error is None or not flushed, (len(data), found.error)
    assert disk.flushed == COUNT
    cell(f"{len(disk.states)} places")


@every_format
def test_disk_full(environment, tmp_path, full_log, cell, suffix):
    """A tmpfs of 1 MB, most of which is taken."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "kept").mkdir()
    script = (
        "mount -t tmpfs -o size=1m none disk && head -c 700000 /dev/zero > disk/filler || exit 99\n"
        f'"$0" convert "$1" -o disk/out.{suffix} --flush-every 0s --tz UTC\n'
        "status=$?; cp disk/out.* kept/; exit $status"
    )
    result = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, CANX, full_log],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 3, result.stderr
    lines = [line for line in result.stderr.splitlines() if not line.startswith("hint: ")]
    assert lines == [f"canx: disk/out.{suffix}: No space left on device"]
    found = read(tmp_path / "kept" / f"out.{suffix}")
    expected = identities(frames(ON_DISK))
    whole_ones = found.frames[:-1] if found.notes else found.frames
    assert identities(whole_ones) == expected[: len(whole_ones)]
    assert found.error is None
    assert 2048 <= len(found.frames) < ON_DISK
    cell(f"{len(found.frames)} frames")


@pytest.fixture(scope="module")
def full_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a log of more frames than fit on a full disk, where a disk of the test's own can be mounted."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("no right to mount a disk of the test's own")
    path = tmp_path_factory.mktemp("full") / "in.log"
    path.write_bytes(b"".join(map(log_line, frames(ON_DISK))))
    return path


@pytest.mark.parametrize("suffix", [suffix for suffix in SUFFIXES if suffix not in IN_PAGES])
def test_disk_full_anywhere(tmp_path, whole, cell, suffix):
    """A disk with room for so many bytes: the writer is closed all the same, as a command does."""
    size, expected = len(whole(suffix).data), whole(suffix).frames
    for room in range(size // ROOMS, size, size // ROOMS):
        path = tmp_path / f"room-{room}.{suffix}"
        disk = Disk(path, room)
        with pytest.raises(OSError, match="No space left"):
            _write_until_full(path, disk)
        found = read(path)
        _assert_prefix(found, expected, suffix)
        assert disk.flushed <= len(found.frames)
        assert found.error is None or not disk.flushed, found.error
    cell(f"{ROOMS - 1} sizes")


def _write_until_full(path, disk):
    writer = writer_of(path, disk)
    try:
        for batch in batches(frames()):
            writer.write(batch)
            writer.flush()
            disk.flushed += STEP
    finally:
        writer.close()


@every_format
def test_cut(tmp_path, whole, cell, suffix):
    good = whole(suffix)
    path = tmp_path / f"cut.{suffix}"
    draw = random.Random(suffix)
    sizes = [len(good.data) * part // CUTS + draw.randrange(len(good.data) // CUTS) for part in range(CUTS)]
    for size in (*sizes, len(good.data) - 1):
        path.write_bytes(good.data[:size])
        with bounded():
            found = read(path)
        _assert_prefix(found, good.frames, suffix)
        assert good.kept_before(size) <= len(found.frames), size
        assert found.is_said or _has_all_of(good, size, len(found.frames)), size
        assert found.error is None or not good.kept_before(size), (size, found.error)
    cell(f"{len(sizes) + 1} places")


def _has_all_of(good: Whole, size: int, count: int) -> bool:
    """Tell whether ``count`` frames are all that begin in the first bytes: there is nothing to say."""
    if count == COUNT or _is_between(good.data[:size]):
        return True
    begin = good.data.rfind(b"\n", 0, size) + 1
    line = good.data[begin : good.data.find(b"\n", begin)]
    return good.data[begin:size].rstrip(b" ,") == line.rstrip(b" ,\r")


def _is_between(data: bytes) -> bool:
    if data.startswith(PCAP):
        return (len(data) - 24) % 32 == 0
    last_line = data.replace(b"\r", b"\n").rpartition(b"\n")[2].strip()
    return not last_line or last_line.startswith(b";")


@pytest.fixture(autouse=True)
def _without_asammdf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read damaged MDF files without that library, which cannot even be imported in little memory."""
    monkeypatch.setattr("cantools_cli.io.mf4.asammdf.is_installed", lambda: False)


@every_format
def test_bit_flipped(tmp_path, whole, cell, suffix):
    good = whole(suffix)
    path = tmp_path / f"flipped.{suffix}"
    draw = random.Random(suffix)
    said = 0
    flips = FLIPS // 3 if suffix == "parquet" else FLIPS  # each of its parts is read as a file
    for part in range(flips):
        at = (len(good.data) * part + draw.randrange(len(good.data))) // flips
        data = bytearray(good.data)
        data[at] ^= 1 << draw.randrange(8)
        path.write_bytes(data)
        with bounded():
            found = read(path)
            lenient = read(path, "skip")
        kept = good.kept_before(at)
        assert found.frames[:kept] == good.frames[:kept], at
        assert lenient.frames[:kept] == good.frames[:kept], at
        if suffix == "blf" and kept:
            behind = good.frames[good.first_behind(at) :]
            assert lenient.frames[len(lenient.frames) - len(behind) :] == behind, at
        said += found.is_said
    cell(f"{flips} places, {said} said")


def _assert_prefix(found, expected, suffix):
    """Assert that the frames are the first of ``expected``; a text may end inside a number, which is said."""
    count = len(found.frames)
    if count and found.notes and suffix.removesuffix(".gz") in TEXT and "may be cut" in found.notes[0]:
        count -= 1
    assert found.frames[:count] == expected[:count]
