"""Malformed input, every format times every fault: one line, a place, a status, nothing before it lost."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess

import pytest

from cantools_cli.cli import run as main
from tests.commands.conftest import CANX

FORMATS = (
    "log",
    "json",
    "asc",
    "blf",
    "csv",
    "txt",
    "gvret",
    "trc",
    "pcap",
    "pcapng",
    "parquet",
    "arrow",
    "mf4",
)
BINARY = ("blf", "mf4", "pcap", "pcapng", "parquet", "arrow")
TEXT = tuple(form for form in FORMATS if form not in BINARY)
COUNT = 40
LOG = "".join(f"({1_700_000_000 + n}.{n:06d}) can0 {n:03X}#0102030405060708\n" for n in range(COUNT))

JSON = '{"timestamp":1.0,"channel":"can0","arbitration_id":1,"is_extended_id":false,"dlc":%d,"data":"%s"}'
TXT = "Timestamp: 1700000100.000000    ID:      123    S Rx                DL: %2d    %s    Channel: can0"
#: a good record with wrong hexadecimal, or the nearest to it that the format has
BAD_HEX = {
    "log": b"(1700000100.0) can0 123#01G2",
    "json": (JSON % (2, "01G2")).encode(),
    "asc": b"   9.000000 1  123             Rx   d 2 01 G2",
    "csv": b"1700000100.0,0x12g,0,0,0,2,AQI=",
    "gvret": b"1700000100000000,00000123,false,Rx,0,2,01,G2,",
    "txt": (TXT % (2, "01 g2")).encode(),
    "trc": b"     99      9000.000 DT 1      0123 Rx -  2    01 G2",
}
#: a record that says another length than it has
LYING = {
    "log": b"(1700000100.0) can0 123#112233445566778899",
    "json": (JSON % (8, "0102")).encode(),
    "asc": b"   9.000000 1  123             Rx   d 8 01 02",
    "csv": b"1700000100.0,0x123,0,0,0,8,AQI=",
    "gvret": b"1700000100000000,00000123,false,Rx,0,9,01,02,",
    "txt": (TXT % (8, "01 02")).encode(),
    "trc": b"     99      9000.000 DT 1      0123 Rx -  8    01 02",
}


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> dict[str, bytes]:
    """Return the same frames in every format."""
    folder = tmp_path_factory.mktemp("good")
    (folder / "in.log").write_text(LOG)
    made = {}
    for form in FORMATS:
        path = folder / f"good.{form}"
        assert main(["convert", str(folder / "in.log"), "-o", str(path), "--to", form, "--tz", "UTC"]) == 0
        made[form] = path.read_bytes()
    return made


@pytest.fixture
def read(canx, tmp_path):
    """Return a function that converts bytes of a format to a log; gives (status, the frames kept, stderr)."""

    def run(form, data, *arguments, suffix=None):
        (tmp_path / f"bad.{suffix or form}").write_bytes(data)
        result = canx(
            "convert", f"bad.{suffix or form}", "-o", "out.log", "--force", "--tz", "UTC", *arguments
        )
        out = tmp_path / "out.log"
        return result.returncode, out.read_text() if out.exists() else "", result.stderr

    return run


def _is_one_error(stderr, place):
    """Tell whether stderr holds one error with its place, at most a hint behind it, and what was kept."""
    lines = [line for line in stderr.splitlines() if not line.startswith("hint: ")]
    if not lines[0].startswith("canx: bad."):
        return False
    errors = [line for line in lines if re.match(rf"canx: bad\.\w+:{place}: ", line)]
    return len(errors) == 1 and len(lines) <= 2 and "Traceback" not in stderr


def _middle(data):
    """Return the byte at which a record in the middle of a text starts, and the number of its line."""
    at = data.index(b"\n", len(data) // 2) + 1
    return at, data[:at].count(b"\n") + 1


@pytest.mark.parametrize("form", TEXT)
@pytest.mark.parametrize("record", ["garbage", "bad hex", "lying length"])
def test_a_malformed_line_stops_there_and_keeps_what_was_before(good, read, form, record):
    line = {"garbage": b"\x00\xff garbage", "bad hex": BAD_HEX[form], "lying length": LYING[form]}[record]
    at, number = _middle(good[form])
    before = read(form, good[form][:at])[1]
    status, kept, stderr = read(form, good[form][:at] + line + b"\n" + good[form][at:])
    assert (status, kept) == (2, before)
    assert kept
    assert _is_one_error(stderr, number), stderr
    assert f"out.log holds the {len(kept.splitlines())} frames before the error" in stderr


@pytest.mark.parametrize("form", TEXT)
def test_skipping_loses_only_the_malformed_line(good, read, form):
    at, _ = _middle(good[form])
    data = good[form][:at] + BAD_HEX[form] + b"\n" + good[form][at:]
    status, kept, stderr = read(form, data, "--on-error", "skip")
    assert (status, kept.count("\n")) == (0, COUNT)
    assert "1 malformed record skipped" in stderr


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_cut_in_mid_record_gives_the_frames_before_and_says_so(good, read, form):
    whole = read(form, good[form])[1]
    data = good[form].removesuffix(b"End TriggerBlock\n")
    status, kept, stderr = read(form, data[:-8])
    assert status == 0
    assert whole.startswith(kept)
    assert len(kept.splitlines()) == COUNT - 1 if form not in ("blf", "parquet", "arrow") else kept
    assert re.search("drop|ends inside|has no footer", stderr)
    assert stderr.count("\n") == 1


def test_a_log_cut_between_two_bytes_is_suspected(good, read):
    status, kept, stderr = read("log", good["log"][:-7])
    assert (status, kept.count("\n")) == (0, COUNT)
    assert stderr == f"canx: bad.log:{COUNT}: no newline at the end, so this frame may be cut short\n"


@pytest.mark.parametrize("form", FORMATS)
def test_the_wrong_first_bytes_are_said(read, form):
    status, kept, stderr = read(form, b"\x7fELF\x02\x01\x01" + bytes(100))
    assert (status, kept) == (2, "")
    assert stderr.startswith(f"canx: bad.{form}:")
    assert "Traceback" not in stderr


@pytest.mark.parametrize("form", FORMATS)
def test_an_empty_file(read, form):
    status, kept, stderr = read(form, b"")
    if form in BINARY and form not in ("parquet", "arrow"):  # which start with a header
        assert (status, kept) == (2, "")
        assert stderr.startswith(f"canx: bad.{form}:byte 0: empty")
    else:
        assert (status, kept, stderr) == (0, "", "")


@pytest.mark.parametrize("form", FORMATS)
def test_a_directory_and_a_name_that_is_not_there(canx, tmp_path, form):
    (tmp_path / f"folder.{form}").mkdir()
    result = canx("convert", f"folder.{form}")
    assert (result.returncode, result.stderr) == (2, f"canx: folder.{form}: Is a directory\n")
    result = canx("convert", f"nothing.{form}")
    assert (result.returncode, result.stderr) == (2, f"canx: nothing.{form}: No such file or directory\n")


def test_no_permission_to_read_or_to_write(canx, shell, tmp_path):
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root may do everything, and setpriv is not installed")
    (tmp_path / "closed.log").write_text(LOG)
    (tmp_path / "closed.log").chmod(0)
    (tmp_path / "locked").mkdir(mode=0o555)
    bounded = "setpriv --bounding-set -dac_override,-dac_read_search " if os.geteuid() == 0 else ""
    for arguments, name in (("closed.log", "closed.log"), ("-o locked/out.log", "locked/out.log")):
        result = shell(f"{bounded}canx convert {arguments}")
        assert (result.returncode, result.stderr) == (2, f"canx: {name}: Permission denied\n")


@pytest.mark.parametrize("form", FORMATS)
def test_a_full_disk_is_status_3_and_one_line(canx, form):
    result = canx("convert", "-o", "/dev/full", "--to", form, stdin=LOG)
    assert (result.returncode, result.stderr) == (3, "canx: /dev/full: No space left on device\n")


@pytest.mark.parametrize(
    ("at", "what"),
    [
        (144 + 8, "the size of a container"),
        (144 + 24, "its inflated size"),
        (144 + 32 + 8, "the size of an object"),
    ],
)
def test_memory_does_not_follow_a_lying_length(environment, tmp_path, at, what):
    command = [CANX, "convert", "-o", "lying.blf", "--to", "blf,level=0", "--tz", "UTC"]
    subprocess.run(command, cwd=tmp_path, input=LOG, text=True, check=True)
    data = bytearray((tmp_path / "lying.blf").read_bytes())
    data[at : at + 4] = (0x3FFF_FFFF).to_bytes(4, "little")
    (tmp_path / "lying.blf").write_bytes(data)
    limit = 400 << 20  # of address space, which the interpreter alone takes half of
    result = subprocess.run(
        [CANX, "convert", "lying.blf"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        check=False,
    )
    assert result.returncode in (0, 2), what
    assert "Traceback" not in result.stderr
    assert "MemoryError" not in result.stderr
    if what == "its inflated size":  # which a reader need not believe
        assert result.stdout.count("\n") == COUNT
    else:
        assert result.stderr.startswith("canx: lying.blf")


def test_a_line_without_an_end_does_not_fill_the_memory(shell):
    result = shell("ulimit -v 400000; head -c 300M /dev/zero | tr '\\0' 5 | canx convert --from log")
    assert result.returncode == 2
    assert result.stderr.startswith("canx: -:1: a line of more than 1048576 bytes\n")
