"""Files in the place of buses, outputs in the place of inputs, and files that do not exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from cantools_cli.cli import run

LINE = "(1700000000.000000) can0 123#01\n"
IS_LOG = (
    "canx: t1.log: a log file, not a bus\n"
    "hint: canx convert t1.log prints its frames, canx replay t1.log BUS sends them\n"
)
NO_FILE = (
    "canx: no.blf: no such file, and not the name of a bus\n"
    "hint: such as can0 or virtual:vcan0; -o names an output\n"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with one log, and a configuration whose interface opens any name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAN_INTERFACE", "virtual")
    (tmp_path / "t1.log").write_text(LINE)
    (tmp_path / "plain").write_text(LINE)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("sniff no.blf --once", "canx: no.blf: No such file or directory\n"),
        ("sniff t1.log no.blf", "canx: no.blf: No such file or directory\n"),
        ("convert no.blf", "canx: no.blf: No such file or directory\n"),
        ("convert t1.log out.asc", "canx: out.asc: no such file\nhint: -o out.asc writes it\n"),
        ("gen out.asc -n 1", "canx: out.asc: a log file, not a bus\nhint: -o out.asc writes it\n"),
        ("dump t1.log -T 1ms", IS_LOG),
        ("dump no.blf -T 1ms", NO_FILE),
        ("send t1.log 123#", IS_LOG),
        ("replay t1.log no.blf", NO_FILE),
        ("bridge t1.log virtual:b", IS_LOG),
        ("serve no.blf", NO_FILE),
        ("xcom read-info 3000 --bus t1.log", IS_LOG),
    ],
)
def test_the_message_names_the_file_and_no_bus_is_opened(
    command: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command.split()) == 2
    assert capsys.readouterr().err == message


def test_a_file_without_a_suffix_is_named_if_no_bus_is_called_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CAN_INTERFACE")
    assert run(["sniff", "plain", "--once"]) == 3
    assert capsys.readouterr().err == (
        "canx: plain: no such bus, but a file has this name\nhint: use ./plain for the file\n"
    )
    assert run(["sniff", "./plain", "--once", "-q"]) == 0


def test_a_bus_with_the_name_of_a_log_can_still_be_named() -> None:
    assert run(["dump", "virtual:t1.log", "-T", "1ms"]) == 0
    assert run(["dump", "t1.log", "-i", "virtual", "-T", "1ms"]) == 0
