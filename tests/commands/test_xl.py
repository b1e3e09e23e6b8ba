"""CAN XL in the commands."""

from __future__ import annotations

import pytest

LOG = (
    "(1700000000.134456) can0 45123#81:01:12345678#11223344556677\n"
    "(1700000000.135456) can0 123#01\n"
    "(1700000000.136456) can0 007FF#82:FF:00000000#" + "5A" * 2048 + " T\n"
)


def test_a_log_survives_the_way_to_json_and_back(canx):
    result = canx("convert", "--json", stdin=LOG)
    assert (result.returncode, result.stderr, result.stdout.count('"is_xl":true')) == (0, "", 2)
    assert canx("convert", stdin=result.stdout).stdout == LOG


def test_where_chooses_them(canx):
    assert canx("convert", "--where", "xl and rx", stdin=LOG).stdout == LOG.splitlines(keepends=True)[0]
    assert canx("convert", "--where", "not xl", stdin=LOG).stdout == LOG.splitlines(keepends=True)[1]


def test_a_format_without_them_says_how_many_it_lost(canx):
    result = canx("convert", "-o", "t.csv", "--strict", stdin=LOG)
    assert result.returncode == 2
    assert "lost 2 CAN XL frames (left out)" in result.stderr
    assert canx("convert", "t.csv").stdout == LOG.splitlines(keepends=True)[1]


@pytest.mark.parametrize("suffix", ["asc", "asc.gz", "blf"])
def test_vectors_formats_carry_them(canx, suffix):
    result = canx("convert", "-o", f"t.{suffix}", "--tz", "UTC", "--strict", stdin=LOG)
    assert (result.returncode, result.stderr) == (0, "")
    assert canx("convert", f"t.{suffix}", "--tz", "UTC").stdout == LOG


def test_they_go_over_the_virtual_bus(canx, start, until_listening):
    dump = start("dump", "virtual:xl", "-n", 2, "-T", "20s", "-L", stdout=-1, text=True)
    until_listening("xl")
    text = "45123#81:01:12345678#11223344"
    assert canx("send", "virtual:xl", text, "123#01").returncode == 0
    assert [line.split()[2] for line in dump.communicate(timeout=30)[0].splitlines()] == [text, "123#01"]


def test_gen_makes_them(canx):
    rules = ("-L", "2", "-I", "123", "-F", "1", "-S", "1", "-A", "12345678", "-V", "45", "-D", "1122")
    result = canx("gen", "-X", "-n", 2, "--seed", 1, *rules)
    assert [line.split()[2] for line in result.stdout.splitlines()] == ["45123#81:01:12345678#1122"] * 2


def test_gen_refuses_what_makes_no_sense(canx):
    assert "cannot be combined with another kind" in canx("gen", "-X", "-e", "-n", 1).stderr
    result = canx("gen", "-V", "45", "-n", 1)
    assert (result.returncode, "-X generates these" in result.stderr) == (2, True)
