"""Every option is checked when it is parsed: before a bus is opened, and before a file is touched."""

from __future__ import annotations

import pytest

from cantools_cli.bus import interface
from cantools_cli.cli import run
from cantools_cli.errors import UsageError
from cantools_cli.io.asc.reader import ASCReader
from cantools_cli.io.formats import parse_format

LINE = "(1700000000.000000) can0 123#11\n"
BUS = "virtual:q"
ZONE = ["--tz", "Mars/Olympus"]
BUS_OPTIONS = [
    ["--bitrate", "zz"],
    ["--data-bitrate", "zz"],
    ["-O", "zz"],
    ["--interface", "zz"],
]
FORMS = [
    (["--to", "nosuch"], "unknown format"),
    (["--to", "blf,level=99"], "level 99"),
    (["--to", "blf,level=x"], 'blf,level "x" is not a whole number'),
    (["--to", "csv,columns=zz"], "unknown columns"),
    (["--to", "trc,version=9.9"], "unknown version"),
    (["--to", "asc,tz=Mars/Olympus"], "unknown time zone"),
    (["--to", "asc,crlf=7"], "neither true nor false"),
    (["--to", "db,index=maybe"], 'db,index "maybe" is neither true nor false'),
    (["--to", "mf4,database=nosuch.dbc"], "nosuch.dbc"),
    (["--to", "log,nope=1"], "has no option"),
]
CASES = [
    *(
        (command, *form)
        for command in (["convert", "t.log"], ["dump", BUS], ["gen", "-n", "1"])
        for form in FORMS
    ),
    *(
        ([name, *rest], ["--trc-version", "9", "--to", "trc"], "unknown version")
        for name, *rest in (["convert", "t.log"], ["dump", BUS])
    ),
    *(
        ([name, *rest], option, "")
        for name, *rest in (["convert", "t.log"], ["dump", BUS])
        for option in (
            [*ZONE],
            ["--flush-every", "zz"],
            ["--max-size", "zz"],
            ["--max-time", "zz"],
            ["--max-files", "0"],
            ["-n", "-1"],
            ["--where", "zz"],
            ["-f", "zz"],
        )
    ),
    *((["convert", "t.log"], [name, "zz"], "") for name in ("--shift", "--map", "--split-by", "--on-error")),
    *((["convert", "t.log"], [name, "zz"], "") for name in ("--from", "--start", "--end")),
    (["convert", "t.log"], ["--from", "asc,base=zz"], "unknown base"),
    (["convert", "t.log"], ["--from", "asc,tz=Mars/Olympus"], "unknown time zone"),
    *((["dump", BUS], [name, "zz"], "") for name in ("--color", "-t", "-T", "--duration")),
    *((["dump", BUS], option, "") for option in BUS_OPTIONS),
    *(
        (["gen", "-n", "1"], [name, "zz"], "")
        for name in ("-g", "--rate", "--duration", "--start", "-I", "-L")
    ),
]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Work in a folder with a log and a file that must stay, where no bus may be opened."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.log").write_text(LINE)
    (tmp_path / "kept.log").write_text("kept")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a bus is opened")

    monkeypatch.setattr(interface, "Bus", refuse)
    return tmp_path


@pytest.mark.parametrize(("command", "option", "message"), CASES, ids=" ".join)
def test_a_bad_value_is_refused_and_an_existing_file_stays(here, capsys, command, option, message):
    assert run([*command, *option, "-o", "kept.log", "--force"]) == 2
    assert (here / "kept.log").read_text() == "kept"
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(("option", "message"), FORMS, ids=str)
def test_a_bad_value_leaves_no_new_file(here, option, message):
    assert run(["convert", "t.log", *option, "-o", "new.log"]) == 2
    assert not (here / "new.log").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        *(
            ["replay", "t.log", BUS, *one]
            for one in (ZONE, ["--from", "zz"], ["--timeout", "zz"], *BUS_OPTIONS)
        ),
        *(["sniff", BUS, "--once", *one] for one in (ZONE, ["--from", "zz"], *BUS_OPTIONS)),
        *(["send", BUS, "123#", *one] for one in (["--on-error", "zz"], ["--from", "zz"], *BUS_OPTIONS)),
        *(["bridge", BUS, "virtual:r", *one] for one in (["--timeout", "zz"], *BUS_OPTIONS)),
        *(["serve", BUS, *one] for one in (["--port", "zz"], ["--queue", "0"], *BUS_OPTIONS)),
        *(["gen", BUS, *one] for one in BUS_OPTIONS),
        ["xcom", "decode", "t.log", *ZONE],
        ["xcom", "decode", "t.log", "--from", "zz"],
    ],
    ids=" ".join,
)
def test_a_bad_value_is_refused_before_anything_is_opened(here, arguments):
    assert run(arguments) in (2, 3)  # 3: an interface that there is not


def test_a_reader_of_the_library_refuses_a_zone_that_there_is_not(tmp_path):
    with pytest.raises(UsageError, match="unknown time zone"):
        ASCReader(tmp_path / "t.asc", tz="Mars/Olympus")


def test_a_value_keeps_the_type_of_its_option():
    assert parse_format("db,table=123", writing=True)[1] == {"table_name": "123"}
    assert parse_format("blf,level=6", writing=True)[1] == {"compression_level": 6}
    assert parse_format("asc,crlf", writing=True)[1] == {"crlf": True}
    assert parse_format("asc,crlf=off", writing=True)[1] == {"crlf": False}
