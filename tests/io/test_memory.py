"""No format needs memory that grows with the file: the peak of a process that writes and reads logs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cantools_cli import plugins
from tests.kernels.forms import needs_compiled

FRAMES = 50_000  # enough to fill all buffers ...
LARGE_BUFFERS = {".blf": 200_000, ".parquet": 400_000}  # ... of containers unpacked ahead, of row groups
FACTOR = 8
TIMEOUT = 120
#: KiB that the peak may differ by; a single byte kept of each frame more were 342, its time and data 5500
MOST = 3000
MAX_BY_SUFFIX = {".parquet": 15_000}  # its allocator gives back late; a byte of each frame is 2700 here
SUFFIXES = [form.suffixes[0] for form in plugins.writable().values()]
COMPRESSED = [".log.gz", ".log.zst", ".pcapng.zst"]

# Its own account and not getrusage's, which counts the process that it was forked from.
PEAK = """
def peak():
    with open("/proc/self/status") as status:
        return next(line.split()[1] for line in status if line.startswith("VmHWM:"))
"""
WRITE_AND_READ = (
    PEAK
    + """
import sys
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.formats import format_for_output, open_reader, open_writer
from cantools_cli.frame.message import Message
from cantools_cli.filtering.window import shifted

path, frames = sys.argv[1], int(sys.argv[2])
batch = MessageBatch()
for number in range(1000):
    message = Message(
        arbitration_id=number * 7919 % 2048,
        is_extended_id=number % 2 == 0,
        channel=f"can{number % 2}",
        data=(number * 6364136223846793005).to_bytes(10, "little")[:8],
    )
    message.timestamp_ns = 1_700_000_000_000_000_000 + number * 1_000_000
    batch.append(message)
with open_writer(path, format_for_output(path), {}) as writer:
    for _ in range(frames // len(batch)):
        writer.write(batch)
        batch = shifted(batch, 1_000_000_000)
written = peak()
with open_reader(path) as reader:
    assert sum(map(len, reader.batches())) == frames
print(written, peak())
"""
)


def peaks(path: Path, frames: int) -> tuple[int, int]:
    """Return the peak in KiB of writing so many frames to ``path``, and then of reading them as well."""
    done = subprocess.run(
        [sys.executable, "-c", WRITE_AND_READ, str(path), str(frames)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    written, read = done.stdout.split()
    return int(written), int(read)


@pytest.mark.long
@needs_compiled
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is in /proc")
@pytest.mark.parametrize("suffix", SUFFIXES + COMPRESSED)
def test_memory_does_not_grow_with_the_file(suffix: str, tmp_path: Path) -> None:
    frames = LARGE_BUFFERS.get(suffix, FRAMES)
    short = peaks(tmp_path / f"short{suffix}", frames)
    long = peaks(tmp_path / f"long{suffix}", FACTOR * frames)
    most = MAX_BY_SUFFIX.get(suffix, MOST)
    assert long[0] - short[0] < most
    assert long[1] - short[1] < most
