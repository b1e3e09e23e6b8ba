"""Options of commands that are for one format: what they mean, and where they are refused."""

from __future__ import annotations

import sqlite3

import pytest

LOG = "(1.000000) can0 123#1122\n(2.000000) can1 00000456#33\n"


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3", "2.0", "2.1"])
@pytest.mark.parametrize("target", [("-o", "x.trc"), ("--to", "trc")])
def test_trc_version_means_the_format_with_its_option(canx, tmp_path, version, target):
    result = canx("convert", *target, "--tz", "UTC", "--trc-version", version, stdin=LOG)
    same = canx("convert", "--to", f"trc,version={version}", "--tz", "UTC", stdin=LOG).stdout
    assert result.returncode == 0
    assert (result.stdout or (tmp_path / "x.trc").read_text()) == same
    assert f"$FILEVERSION={version}" in same or version == "1.0"


def test_trc_version_holds_for_every_file_of_a_split(canx, tmp_path):
    result = canx("convert", "--split-by", "channel", "-o", "x.trc", "--trc-version", "1.1", stdin=LOG)
    assert result.returncode == 0
    found = sorted(tmp_path.glob("x_*.trc"))
    assert len(found) == 2
    assert all(";$FILEVERSION=1.1" in path.read_text() for path in found)


@pytest.mark.parametrize("command", [("convert",), ("dump", "virtual:formats", "-n", "0")])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--trc-version", "1.1"), "--trc-version is for trc files, but the output is log"),
        (("--trc-version", "1.1", "-o", "x.blf"), "--trc-version is for trc files, but the output is blf"),
        (("--trc-version", "1.7", "--to", "trc"), 'unknown version "1.7"'),
        (("--to", "trc,version=1.7", "-o", "x.trc"), 'unknown version "1.7"'),
        (("--trc-version", "1.1", "--to", "trc,version=2.0"), "contradict each other"),
        (("--index", "-o", "x.trc"), "--index is for db files, but the output is trc"),
    ],
)
def test_what_makes_no_sense_is_refused(canx, tmp_path, command, options, said):
    result = canx(*command, *options, stdin=LOG)
    assert (result.returncode, said in result.stderr) == (2, True)
    assert "hint" in result.stderr or "contradict" in said
    assert not list(tmp_path.glob("x.*"))


@pytest.mark.parametrize("options", [("--index",), ("--to", "db,index=true"), ("--to", "db,index")])
def test_index_makes_indexes_of_a_database(canx, tmp_path, options):
    assert canx("convert", "-o", "x.db", *options, stdin=LOG).returncode == 0
    database = sqlite3.connect(tmp_path / "x.db")
    rows = database.execute("SELECT sql FROM sqlite_master WHERE type = 'index' ORDER BY name").fetchall()
    database.close()
    assert [sql.partition(" ON ")[2] for (sql,) in rows] == ['"messages" (arbitration_id)', '"messages" (ts)']


def test_dump_writes_the_version_that_is_asked_for(canx, start, until_listening, tmp_path):
    dump = start("dump", "virtual:version", "-n", 1, "-T", "20s", "-o", "x.trc", "--trc-version", "1.3")
    until_listening("version")
    assert canx("send", "virtual:version", "123#01").returncode == 0
    assert dump.wait(30) == 0
    assert ";$FILEVERSION=1.3" in (tmp_path / "x.trc").read_text()
