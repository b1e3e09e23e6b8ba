"""canx convert, as a user types it."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import time
from contextlib import suppress

import pytest

LOG = (
    "(1700000000.123456) can0 123#010203\n"
    "(1700000000.124456) can1 00000123#0102030405060708 T\n"
    "(1700000000.125456) can0 7FF#R4\n"
    "(1700000000.126456) can0 055##3AABBCC\n"
    "(1700000000.127456) can0 20000080#0000000000000000\n"
)
BINARY_OR_NOT = ["log", "json", "asc", "blf", "txt"]  # CSV knows no channels and no CAN FD


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "in.log"
    path.write_text(LOG)
    return path


@pytest.mark.parametrize("form", BINARY_OR_NOT)
def test_a_log_survives_the_way_to_another_format_and_back(canx, log, tmp_path, form):
    assert canx("convert", log, "-o", f"t.{form}", "--tz", "UTC").returncode == 0
    back = canx("convert", f"t.{form}", "--tz", "UTC")
    if form == "asc":  # a receive error of ASC has no cause, as SocketCAN's class 080 without details
        assert back.stdout.splitlines()[:4] == LOG.splitlines()[:4]
    else:
        assert back.stdout == LOG
    assert back.stderr == ""


def test_stdin_to_stdout_is_a_filter_in_a_pipe(canx):
    result = canx("convert", stdin=LOG)
    assert (result.stdout, result.stderr, result.returncode) == (LOG, "", 0)


def test_json_is_recognised_on_stdin(canx):
    lines = canx("convert", "--json", stdin=LOG).stdout
    assert json.loads(lines.splitlines()[0])["arbitration_id"] == 0x123
    assert canx("convert", stdin=lines).stdout == LOG


def test_filters_choose_frames(canx):
    assert canx("convert", "-f", "123", stdin=LOG).stdout.splitlines() == [
        LOG.splitlines()[0],
        LOG.splitlines()[4],
    ]


def test_count_ends_early(canx):
    assert canx("convert", "-n", 2, stdin=LOG).stdout == "".join(LOG.splitlines(keepends=True)[:2])
    assert canx("convert", "-n", 0, stdin=LOG).stdout == ""


def test_gzip_is_peeled_off_and_put_on_by_suffix(canx, log, tmp_path):
    assert canx("convert", log, "-o", "t.log.gz").returncode == 0
    assert gzip.decompress((tmp_path / "t.log.gz").read_bytes()).decode() == LOG
    assert canx("convert", "t.log.gz").stdout == LOG


def test_gzip_is_recognised_on_stdin(canx):
    assert canx("convert", stdin=gzip.compress(LOG.encode())).stdout == LOG.encode()


def test_the_content_beats_a_wrong_suffix(canx, tmp_path):
    (tmp_path / "t.asc").write_text(LOG)
    assert canx("convert", "t.asc").stdout == LOG


def test_an_existing_file_is_refused_and_forced(canx, log, tmp_path):
    (tmp_path / "t.log").write_text("precious")
    refused = canx("convert", log, "-o", "t.log")
    assert (refused.returncode, refused.stderr) == (
        2,
        "canx: t.log: already exists\nhint: --force replaces it, --append continues it\n",
    )
    assert (tmp_path / "t.log").read_text() == "precious"
    assert canx("convert", log, "-o", "t.log", "--force").returncode == 0
    assert (tmp_path / "t.log").read_text() == LOG


def test_losses_are_said_on_one_line_and_strict_makes_them_a_status(canx, log):
    result = canx("convert", log, "--to", "csv")
    assert result.returncode == 0
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("canx: -: lost ")
    assert canx("convert", log, "--to", "csv", "--strict").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("convert", "nothing.log"), "canx: nothing.log: No such file or directory"),
        (("convert", "."), "canx: .: Is a directory"),
        (("convert", "-o", "x.xyz"), 'canx: x.xyz: no format has the suffix ".xyz"'),
        (("convert", "--to", "abc"), 'canx: unknown format "abc"'),
        (("convert", "-o", "x.blf.gz"), "canx: x.blf.gz: blf compresses its own data"),
        (("convert", "--to", "log,level=3"), 'canx: format log has no option "level"'),
        (("convert", "-o", "no/such/folder.log"), "canx: no/such/folder.log: No such file or directory"),
        (
            ("convert", "--from", "blf", "--to", "asc", "--json"),
            "canx: --json and --to asc contradict each other",
        ),
        (("convert", "--on-error", "panic"), 'canx: --on-error "panic" is not one of stop, skip'),
        (("convert", "-n", "-5"), "canx: --count -5 is negative"),
        (("convert", "--frobnicate"), "canx: No such option: --frobnicate"),
        (("convret",), "canx: No such command 'convret'. Did you mean 'convert'?"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(canx, arguments, message):
    result = canx(*arguments)
    assert result.returncode == 2
    assert result.stderr.startswith(message)
    assert "Traceback" not in result.stderr


def test_a_malformed_line_stops_with_its_place_and_keeps_what_was_before(canx, tmp_path):
    (tmp_path / "bad.log").write_text(LOG + "(1700000001.0) can0 123#G1\n" + LOG)
    result = canx("convert", "bad.log", "-o", "out.log")
    assert result.returncode == 2
    assert 'canx: bad.log:6: bad data byte "G1"' in result.stderr
    assert "hint: --on-error skip continues after it" in result.stderr
    assert "out.log holds the 5 frames before the error" in result.stderr
    assert (tmp_path / "out.log").read_text() == LOG


def test_skipping_goes_on_counts_and_reports(canx, tmp_path):
    (tmp_path / "bad.log").write_text("nonsense\n" + LOG + "(1700000001.0) can0 123#G1\n" + LOG)
    result = canx("convert", "bad.log", "--from", "log", "--on-error", "skip")
    assert (result.stdout, result.returncode) == (LOG + LOG, 0)
    assert "2 malformed records skipped, the first: bad.log:1:" in result.stderr
    assert canx("convert", "bad.log", "--from", "log", "--on-error", "skip", "--strict").returncode == 2


def test_a_file_cut_in_mid_record_gives_all_frames_before_and_says_so(canx, tmp_path):
    (tmp_path / "cut.log").write_text(LOG + "(1700000001.0) can0 123#112")
    result = canx("convert", "cut.log")
    assert (result.stdout, result.returncode) == (LOG, 0)
    assert result.stderr == "canx: cut.log:6: ends inside a line, which was dropped\n"


def test_a_cut_gzip_gives_what_inflates(canx, tmp_path):
    whole = gzip.compress((LOG * 500).encode())
    (tmp_path / "cut.log.gz").write_bytes(whole[: len(whole) // 2])
    result = canx("convert", "cut.log.gz")
    assert (LOG * 500).startswith(result.stdout.rsplit("\n", 2)[0])
    assert len(result.stdout) > 100
    assert "cut off" in result.stderr


def test_an_empty_file_is_an_empty_log(canx, tmp_path):
    (tmp_path / "empty.log").write_text("")
    result = canx("convert", "empty.log")
    assert (result.stdout, result.returncode) == ("", 0)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(canx, log):
    log.chmod(0)
    assert canx("convert", log).returncode == 2


def test_garbage_is_not_recognised(canx, tmp_path):
    (tmp_path / "x.bin").write_bytes(bytes(range(256)))
    result = canx("convert", "x.bin")
    assert result.returncode == 2
    assert result.stderr.startswith("canx: x.bin: not a log that canx recognises")


def test_a_full_disk_is_status_3(canx, log):
    for form in ("log", "asc", "json", "csv", "blf", "txt"):
        result = canx("convert", log, "-o", "/dev/full", "--to", form)
        assert (result.returncode, form) == (3, form)
        assert result.stderr.splitlines()[-1] == "canx: /dev/full: No space left on device"


def test_binary_data_is_not_for_a_terminal(shell):
    result = shell("script -qec 'canx convert --to blf < /dev/null' /dev/null")
    assert "blf is binary and not for a terminal" in result.stdout


def test_a_reader_that_leaves_early_ends_its_writer_quietly(shell):
    result = shell("canx gen -n 200000 --seed 1 | head -1 >/dev/null; echo ${PIPESTATUS[@]}")
    assert (result.stdout, result.stderr) == ("141 0\n", "")


def test_closed_standard_streams_are_tolerated(shell, log):
    result = shell(
        "timeout 20 canx convert <&-; timeout 20 canx convert in.log >&-; canx gen -n 1 2>&- | wc -l"
    )
    assert (result.stdout, result.returncode) == ("1\n", 0)
    assert "Traceback" not in result.stderr


def test_output_is_flushed_while_the_source_stays_open(start):
    process = start("convert", "--json", stdin=-1)
    process.stdin.write(LOG.splitlines(keepends=True)[0].encode())
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["data"] == "010203"
    process.stdin.close()
    assert process.wait(10) == 0


def test_an_interrupt_lets_the_end_of_a_pipe_drain_it(start, tmp_path):
    process = start("convert", "-o", "t.log", stdin=-1)
    process.stdin.write(LOG.encode())
    process.stdin.flush()
    _until_size(tmp_path / "t.log", len(LOG))
    process.send_signal(signal.SIGINT)
    process.stdin.write(LOG.encode())
    process.stdin.close()
    assert process.wait(10) == 0
    assert (tmp_path / "t.log").read_text() == LOG * 2


@pytest.mark.parametrize("form", ["log", "asc", "blf", "csv", "json", "txt"])
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_a_complete_file(start, canx, tmp_path, form, signum):
    process = start("convert", "-o", "t", "--to", form, "--tz", "UTC", "--flush-every", "0.01", stdin=-1)
    process.stdin.write(LOG.encode())
    process.stdin.flush()
    _until_size(tmp_path / "t", 1)
    process.send_signal(signum)
    assert process.wait(10) == -signum
    assert len(canx("convert", "t", "--from", form, "--tz", "UTC").stdout.splitlines()) == 5


def test_a_second_interrupt_stops_at_once(start):
    process = start("convert", stdin=-1)
    process.stdin.write(LOG.encode())
    process.stdin.flush()
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    for _ in range(100):
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)  # two signals at once are one
            break
        process.send_signal(signal.SIGINT)
    assert process.returncode == -signal.SIGINT


def _until_size(path, size):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if path.exists() and path.stat().st_size >= size:
            return
        time.sleep(0.01)
    raise AssertionError(f"{path} never had {size} bytes")
