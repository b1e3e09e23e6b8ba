"""canx convert with several inputs, a part of them, or several outputs; files that are continued."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest
import zstandard

from cantools_cli import plugins

A = (
    "(1700000000.000000) can0 123#01\n"
    "(1700000001.000000) can0 123#02\n"
    "(1700000002.000000) can0 00000123#03\n"
    "(1700000003.000000) can0 124#04\n"
)
B = (
    "(1700000000.500000) can1 223#01\n"
    "(1700000001.000000) can1 223#02\n"
    "(1700000005.000000) can1 20000080#0000000000000000\n"
)
BOTH = "".join(sorted((A + B).splitlines(keepends=True), key=lambda line: line[:19]))
CONTINUED = [name for name, form in plugins.FORMATS.items() if form.can_append and form.writer]
NOT_CONTINUED = [name for name, form in plugins.FORMATS.items() if form.writer and not form.can_append][-1]


@pytest.fixture(autouse=True)
def logs(tmp_path):
    (tmp_path / "a.log").write_text(A)
    (tmp_path / "b.log").write_text(B)


# --- several inputs ---------------------------------------------------------------------------------------


def test_logs_of_different_formats_merge_by_time(canx):
    assert canx("convert", "a.log", "-o", "a.asc").returncode == 0
    assert canx("convert", "b.log", "-o", "b.json.zst").returncode == 0
    result = canx("convert", "b.json.zst", "a.asc", "--map", "can7=can8", "-q")
    swapped = BOTH.splitlines(keepends=True)
    swapped[2:4] = swapped[3:1:-1]  # of the same time, so that the order of the inputs decides
    assert (result.stdout, result.stderr, result.returncode) == ("".join(swapped), "", 0)


def test_stdin_is_merged_with_files(canx):
    assert canx("convert", "a.log", "-", stdin=B).stdout == BOTH
    twice = canx("convert", "-", "-", stdin=B)
    assert (twice.returncode, twice.stderr.splitlines()[0]) == (2, "canx: stdin can be read only once")


def test_times_that_do_not_fit_are_said(canx, tmp_path):
    (tmp_path / "relative.log").write_text("(0.500000) can2 001#\n")
    (tmp_path / "back.log").write_text(B + A)
    result = canx("convert", "a.log", "relative.log", "back.log")
    assert result.stdout.startswith("(0.500000) can2 001#\n")
    assert result.stderr.splitlines() == [
        "canx: relative.log: timestamps do not count from 1970",
        "canx: back.log: timestamps go backwards; the frames keep their order",
    ]


def test_a_malformed_record_of_one_input_names_it_and_keeps_what_was_before(canx, tmp_path):
    (tmp_path / "bad.log").write_text(B + "(1700000009.0) can0 123#G1\n")
    result = canx("convert", "a.log", "bad.log", "-o", "out.log")
    assert result.returncode == 2
    assert 'canx: bad.log:4: bad data byte "G1"' in result.stderr
    assert "out.log holds the 7 frames before the error" in result.stderr
    assert (tmp_path / "out.log").read_text() == BOTH
    skipped = canx("convert", "a.log", "bad.log", "--on-error", "skip", "--strict")
    assert (skipped.stdout, skipped.returncode) == (BOTH, 2)


def test_a_file_cannot_be_read_and_written_at_once(canx, tmp_path):
    os.symlink("a.log", tmp_path / "link.log")
    for option in ("--force", "--append"):
        result = canx("convert", "b.log", "link.log", "-o", "a.log", option)
        assert result.returncode == 2
        assert result.stderr.startswith("canx: a.log is an input")
    assert (tmp_path / "a.log").read_text() == A


# --- a part, elsewhere and at another time -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (["--start", "1s"], [1, 2, 3]),
        (["--end", "1s"], [0]),
        (["--start", "1s", "--end", "2500ms"], [1, 2]),
        (["--start", "2023-11-14T22:13:22Z"], [2, 3]),
        (["--end", "2023-11-14 23:13:21", "--tz", "Europe/Berlin"], [0]),
        (["--start", "@1700000003"], [3]),
        (["--start", "1s", "-f", "123", "-n", "1"], [1]),
        (["--start", "1h"], []),
    ],
)
def test_a_part_by_time(canx, options, kept):
    lines = A.splitlines(keepends=True)
    result = canx("convert", "a.log", *options)
    assert (result.stdout, result.stderr) == ("".join(lines[row] for row in kept), "")


def test_the_start_is_that_of_all_inputs_together(canx):
    assert canx("convert", "b.log", "a.log", "--end", "600ms").stdout == "".join(
        BOTH.splitlines(keepends=True)[:2]
    )


@pytest.mark.parametrize(
    ("shift", "first"),
    [("1h", "1700003600.000000"), ("-2.5", "1699999997.500000"), ("+1ms", "1700000000.001000")],
)
def test_times_are_shifted(canx, shift, first):
    assert canx("convert", "a.log", "--shift", shift, "-n", "1").stdout == f"({first}) can0 123#01\n"


def test_channels_are_renamed_and_rules_without_one_are_said(canx):
    result = canx("convert", "a.log", "--map", "can0=front", "--map", "can9=x", "-n", "9")
    assert result.stdout == A.replace("can0", "front")
    assert result.stderr == "canx: --map can9=x: the input has no channel can9, only can0\n"
    assert '"channel":3,' in canx("convert", "a.log", "--map", "can0=3", "--json").stdout


# --- several outputs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("channel", {"can0": A, "can1": B}),
        ("id", {"123": A[:64], "00000123": A[64:101], "124": A[101:], "223": B[:64], "error": B[64:]}),
        ("time=2s", {"2023-11-14T221320": None, "2023-11-14T221322": None, "2023-11-14T221324": None}),
    ],
)
def test_each_part_gets_a_file_of_its_own(canx, tmp_path, kind, parts):
    result = canx("convert", "a.log", "b.log", "--split-by", kind, "-o", "part.log", "--tz", "UTC")
    assert result.returncode == 0
    found = {path.stem[5:]: path.read_text() for path in tmp_path.glob("part_*.log")}
    assert {*found} == {*parts}
    assert sorted("".join(found.values())) == sorted(BOTH)
    assert all(text is None or found[name] == text for name, text in parts.items())
    assert result.stderr.startswith(f"canx: {len(parts)} files written: part_")


#: batches enough, each with frames of 100 identifiers
MANY = "".join(f"({1_700_000_000 + n}.000000) can0 {n % 100:03X}#{n // 100:02X}\n" for n in range(20_000))


@pytest.mark.parametrize("form", ["log", "blf"])
def test_more_parts_than_files_may_be_open_are_continued(canx, tmp_path, form):
    result = canx("convert", "--split-by", "id", "-o", f"p.{form}", "--flush-every", "0", stdin=MANY)
    names = f"p_000.{form} p_001.{form} p_002.{form} ... p_063.{form}"
    assert (result.returncode, result.stderr) == (0, f"canx: 100 files written: {names}\n")
    assert canx("convert", *sorted(tmp_path.glob(f"p_*.{form}")), "-q").stdout == MANY


def test_parts_that_cannot_be_continued_stay_open_as_far_as_the_system_lets_them(shell, tmp_path):
    pytest.importorskip("pyarrow", reason="the only such format needs pyarrow")
    (tmp_path / "many.log").write_text(MANY)
    form = NOT_CONTINUED
    command = f"canx convert many.log --split-by id -o p.x --to {form} --flush-every 0"
    assert shell(command).returncode == 0
    limited = shell(f"ulimit -n 100; {command} --force")
    assert limited.returncode == 2
    assert "was closed, since more than 36 files are written, and cannot be continued" in limited.stderr


def test_a_channel_s_name_cannot_leave_the_folder(canx, tmp_path):
    result = canx("convert", "-", "--split-by", "channel", "-o", "p.log", stdin=A.replace("can0", "../x"))
    assert result.returncode == 0
    assert (tmp_path / "p_.._x.log").exists()


def test_losses_of_all_parts_are_one_line(canx):
    result = canx("convert", "a.log", "b.log", "--split-by", "id", "-o", "p.csv", "--strict")
    assert result.returncode == 2
    assert [line for line in result.stderr.splitlines() if "lost" in line] == [
        "canx: p_*.csv: lost channels of 3 frames"
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--split-by", "channel"], "--split-by needs names for its files"),
        (["--split-by", "colour", "-o", "x.log"], "unknown --split-by 'colour'"),
        (["--split-by", "id", "-o", "x.log", "--max-size", "1MB"], "--split-by and --max-size"),
        (["--max-size", "1MB"], "--max-size or --max-time needs a file, -o FILE"),
        (["--append"], "--append needs a file, -o FILE"),
        (["--append", "--force", "-o", "x.log"], "--append and --force contradict each other"),
        (["--max-files", "2", "-o", "x.log"], "--max-files needs --max-size or --max-time"),
        (["--max-files", "0", "--max-size", "1k", "-o", "x.log"], "--max-files 0"),
        (["--max-size", "0", "-o", "x.log"], "--max-size 0"),
        (["--max-time", "0", "-o", "x.log"], "--max-time 0"),
        (["--max-time", "1s", "-o", "/dev/null", "--to", "log"], "/dev/null is not a regular file"),
        (["--start", "5s", "--end", "5s"], "--end must be later than --start"),
        (["--start", "2024-01-02", "--end", "@5"], "--end must be later than --start"),
        (["--map", "can0=can1", "--map", "can0=can2"], "--map can0=can1 and --map can0=can2"),
        (["--map", "can0"], "--map can0 does not have the form SRC=DST"),
        (["--shift", "soon"], "bad duration 'soon'"),
        (["-o", "x.blf.zst"], "x.blf.zst: blf compresses its own data"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_written(canx, tmp_path, options, message):
    result = canx("convert", "a.log", *options)
    assert result.returncode == 2
    assert message.replace("'", "") in result.stderr.replace("'", "").replace('"', "")
    assert sorted(os.listdir(tmp_path)) == ["a.log", "b.log", "home"]


# --- files that follow one another, and files that are continued --------------------------------------------


@pytest.mark.parametrize("form", ["log", "blf", "asc", "json", "csv", "txt"])
def test_a_file_of_each_time_is_complete(canx, tmp_path, form):
    assert canx("convert", "a.log", "-o", f"r.{form}", "--max-time", "2s", "--tz", "UTC").returncode == 0
    finished = tmp_path / f"r_2023-11-14T221321_#000.{form}"
    for path, kept in ((finished, A[:64]), (tmp_path / f"r.{form}", A[64:])):
        assert canx("convert", path, "--tz", "UTC").stdout == kept


def test_files_of_a_size_of_which_few_are_kept(canx, tmp_path):
    log = "".join(f"(1700000000.{n:06d}) can0 123#{n:02X}\n" for n in range(100))
    result = canx("convert", "-o", "r.log", "--max-size", 330, "--max-files", 3, stdin=log)
    assert result.returncode == 0
    sizes = {path.name: len(path.read_text()) for path in tmp_path.glob("r*.log")}
    assert sizes == {
        "r.log": 32,
        "r_2023-11-14T221320_#007.log": 352,
        "r_2023-11-14T221320_#008.log": 352,
    }


@pytest.mark.parametrize("form", CONTINUED)
def test_a_file_is_continued(canx, form):
    if form == "parquet":
        pytest.importorskip("pyarrow", reason="parquet needs pyarrow")
    suffix = plugins.FORMATS[form].suffixes[0]
    for name in ("a.log", "b.log"):
        options = ["--to", form, "--append", "--tz", "UTC", "-n", "2"]
        assert canx("convert", name, "-o", f"t{suffix}", *options).returncode == 0
    back = canx("convert", f"t{suffix}", "--from", form, "--tz", "UTC").stdout
    lines = A.splitlines()[:2] + B.splitlines()[:2]
    assert [line.split("#")[1] for line in back.splitlines()] == [line.split("#")[1] for line in lines]


@pytest.mark.parametrize(("suffix", "unpack"), [(".gz", gzip.decompress), (".zst", None)])
def test_a_compressed_file_is_continued(canx, tmp_path, suffix, unpack):
    for name in ("a.log", "b.log"):
        assert canx("convert", name, "-o", f"t.log{suffix}", "--append").returncode == 0
    data = (tmp_path / f"t.log{suffix}").read_bytes()
    if unpack is None:

        def unpack(data):
            return zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()

    assert unpack(data).decode() == A + B
    assert canx("convert", f"t.log{suffix}").stdout == A + B


def test_what_is_cut_or_of_another_kind_is_not_continued(canx, tmp_path):
    (tmp_path / "cut.log.gz").write_bytes(gzip.compress(A.encode())[:-9])
    (tmp_path / "plain.log.gz").write_text(A)
    (tmp_path / "packed.log").write_bytes(gzip.compress(A.encode()))
    (tmp_path / "other.csv").write_text(A)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    for name, message in (
        ("cut.log.gz", "is cut off"),
        ("plain.log.gz", "holds uncompressed data"),
        ("packed.log", "holds gzip data"),
        ("other.csv", "not a file of the format csv"),
    ):
        result = canx("convert", "b.log", "-o", name, "--append")
        assert (result.returncode, message in result.stderr) == (2, True), result.stderr
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}


def test_a_compressed_text_that_ends_inside_a_line_is_ended_first(canx, tmp_path):
    (tmp_path / "t.log.gz").write_bytes(gzip.compress(A.rstrip().encode()))
    assert canx("convert", "b.log", "-o", "t.log.gz", "--append").returncode == 0
    assert canx("convert", "t.log.gz").stdout == A + B


def test_a_format_that_cannot_be_continued_says_which_can(canx, tmp_path):
    form = NOT_CONTINUED
    result = canx("convert", "a.log", "-o", "t", "--to", form, "--append")
    assert result.returncode == 2
    assert result.stderr.startswith(f"canx: {form} files cannot be continued\nhint: formats that can: ")
    assert not (tmp_path / "t").exists()


def test_dump_records_to_files_that_follow_one_another(start, canx, until_listening, tmp_path):
    process = start(*("dump", "virtual:v", "-o", "d.log", "-n", "8", "--max-size", "1", "--max-files", "4"))
    until_listening("v")
    assert canx("send", "virtual:v", *(f"123#0{n}" for n in range(8))).returncode == 0
    assert process.wait(20) == 0
    assert len([*tmp_path.glob("d_*_#00?.log")]) == 3
    kept = canx("convert", *sorted(tmp_path.glob("d_*.log")), "d.log").stdout
    assert [line.split()[2] for line in kept.splitlines()] == [f"123#0{n}" for n in range(4, 8)]


def test_dump_continues_a_file(start, canx, until_listening, tmp_path):
    for n in range(2):
        process = start("dump", "virtual:v", "-o", "d.log", "-n", "1", "--append")
        until_listening("v")
        assert canx("send", "virtual:v", f"123#0{n}").returncode == 0
        assert process.wait(20) == 0
    assert [line.split()[2] for line in (tmp_path / "d.log").read_text().splitlines()] == ["123#00", "123#01"]


def test_the_manual_names_the_formats_that_can_be_continued():
    page = Path(__file__).parents[2].joinpath("man", "canx-formats.7").read_text()
    section = page.split(".SS Appending")[1].split("files; with other")[0]
    assert re.findall(r"^\.BR? ([a-z0-9]+)", section, re.MULTILINE) == sorted(CONTINUED)
