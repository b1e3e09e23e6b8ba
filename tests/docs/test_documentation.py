"""What the documents promise is tried: queries, interfaces in examples, pages that help shows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cantools_cli import plugins
from cantools_cli.cli import MANUALS, run
from cantools_cli.console import manual

ROOT = Path(__file__).parents[2]
LOG = "(1700000000.100000) can0 123#01\n(1700000000.300000) can0 124#\n(1700000001.600000) can0 123#02\n"
DBC = 'VERSION ""\nBU_: E\nBO_ 291 Engine: 1 E\n SG_ Speed : 0|8@1+ (1,0) [0|255] "" E\n'
#: interfaces of python-can that canx does not have
FOREIGN = {"slcan", "serial", "pcan", "kvaser", "vector", "ixxat", "gs_usb", "neovi"} - set(
    plugins.INTERFACES
)


def queries() -> list[str]:
    page = (ROOT / "man" / "canx-formats.7").read_text()
    examples = re.findall(r"^\.EX\n(.*?)^\.EE", page, re.DOTALL | re.MULTILINE)
    return [text.replace("\\-", "-") for text in examples if text.startswith("SELECT")]


def test_the_queries_of_the_manual_run_in_duckdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb = pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.log").write_text(LOG)
    assert run(["convert", "a.log", "-o", "trace.parquet"]) == 0
    seconds, gaps = (duckdb.sql(query).fetchall() for query in queries())
    assert [count for _, count in seconds] == [2, 1]
    assert gaps == [(0x123, 1_500_000_000), (0x124, None)]


@pytest.mark.parametrize(
    "page", [*sorted((ROOT / "man").glob("*.?")), ROOT / "README.md"], ids=lambda p: p.name
)
def test_no_example_opens_an_interface_that_is_not_there(page: Path) -> None:
    commands = [line for line in page.read_text().splitlines() if re.match(r"(\$ )?canx ", line)]
    assert not [line for line in commands if FOREIGN & set(re.findall(r"\b(\w+):", line))]


def test_no_help_opens_an_interface_that_is_not_there() -> None:
    for source in (ROOT / "cantools_cli" / "commands").rglob("*.py"):
        examples = re.findall(r"^    canx .*$", source.read_text(), re.MULTILINE)
        assert not [line for line in examples if FOREIGN & set(re.findall(r"\b(\w+):", line))]


def test_a_dump_that_gets_nothing_is_told_by_its_status_as_its_help_shows(tmp_path: Path) -> None:
    assert run(["dump", f"virtual:{tmp_path.name}", "-n", "1", "-T", "10ms"]) == 1
    source = (ROOT / "cantools_cli" / "commands" / "dump.py").read_text()
    assert re.findall(r"canx dump .*\|\|", source) == ["canx dump can0 -n 1 -T 5s ||"]


@pytest.mark.parametrize("topic", MANUALS)
def test_help_shows_the_pages_of_filters_and_formats(topic: str) -> None:
    command = [sys.executable, "-m", "cantools_cli", "help", topic]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0
    assert f"canx-{topic}" in re.sub(r".\x08", "", result.stdout)


def test_a_page_that_is_not_installed_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(manual, "find_page", lambda name: None)
    assert run(["help", "formats"]) == 2
    assert "the page canx-formats.7 is not installed" in capsys.readouterr().err


def test_cantools_decodes_what_convert_writes(tmp_path: Path) -> None:
    pytest.importorskip("cantools")
    (tmp_path / "a.dbc").write_text(DBC)
    command = [sys.executable, "-m", "cantools", "decode", "--single-line", str(tmp_path / "a.dbc")]
    result = subprocess.run(command, input=LOG, capture_output=True, text=True, check=True)
    assert result.stdout.count("Engine(Speed: ") == 2
