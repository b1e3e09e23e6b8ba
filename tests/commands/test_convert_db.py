"""SQLite databases on the command line: files with a name, never a stream."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest

COUNT = 1000
LOG = "".join(f"({1_700_000_000 + n}.{n:06d}) can0 {n:03X}#0102030405060708\n" for n in range(COUNT))


@pytest.fixture
def made(canx, tmp_path):
    """Make ``a.db`` of the log."""
    assert canx("convert", "-o", "a.db", stdin=LOG).stderr == ""
    return tmp_path / "a.db"


def test_a_log_comes_back_as_it_was(canx, made):
    result = canx("convert", "a.db")
    assert (result.returncode, result.stdout, result.stderr) == (0, LOG, "")
    assert [name for name in os.listdir(made.parent) if name.startswith("a.db")] == ["a.db"]


def test_table_and_index_are_options_of_the_format(canx, tmp_path):
    assert canx("convert", "-o", "b.db", "--to", "db,table=drive,index", stdin=LOG).returncode == 0
    with closing(sqlite3.connect(tmp_path / "b.db")) as connection:
        assert connection.execute("SELECT count(*) FROM drive").fetchone() == (COUNT,)
        assert len(connection.execute("PRAGMA index_list(drive)").fetchall()) == 2
    assert canx("convert", "b.db", "--from", "db,table=drive").stdout == LOG
    result = canx("convert", "b.db", "--from", "db,table=other")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        'canx: b.db: no table "other" of frames; its tables: "drive"\nhint: --from db,table=drive\n'
    )


def test_pipes_are_refused_on_both_sides(shell, made):
    for command in ("cat a.db | canx convert", "canx convert a.db --to db | cat; exit ${PIPESTATUS[0]}"):
        result = shell(command)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.startswith("canx: -: a SQLite database must be a regular file and cannot ")
        assert result.stderr.count("\n") == 2


def test_a_malformed_row_stops_there_and_keeps_what_was_before(canx, made, tmp_path):
    with closing(sqlite3.connect(made)) as connection, connection:
        connection.execute("UPDATE messages SET dlc = 3 WHERE rowid = 500")
    result = canx("convert", "a.db", "-o", "out.log")
    assert result.returncode == 2
    assert result.stderr == (
        "canx: a.db:row 500: dlc is 3, but there are 8 data bytes\n"
        "canx: out.log holds the 499 frames before the error\n"
        "hint: --on-error skip continues after it\n"
    )
    assert (tmp_path / "out.log").read_text() == "".join(LOG.splitlines(keepends=True)[:499])
    result = canx("convert", "a.db", "--on-error", "skip")
    assert (result.returncode, result.stdout.count("\n")) == (0, COUNT - 1)


def test_a_full_disk_is_status_3_and_keeps_what_was_flushed(shell, tmp_path):
    result = shell(
        "ulimit -f 2048; trap '' XFSZ; canx gen -n 99999 --seed 1 | canx convert -o full.db --flush-every 1ms"
    )
    assert (result.returncode, result.stderr) == (3, "canx: full.db: disk I/O error\n")
    with closing(sqlite3.connect(tmp_path / "full.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        ((count,),) = connection.execute("SELECT count(*) FROM messages")
    assert 0 < count < 99_999
