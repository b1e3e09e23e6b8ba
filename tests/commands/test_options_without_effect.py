"""An option that would do nothing is refused: whoever gave it expects something else."""

from __future__ import annotations

import pytest

from cantools_cli.bus import interface
from cantools_cli.cli import run

LINE = "(1700000000.000000) can0 123#11\n"
A, B = "virtual:a", "virtual:b"
NONE = "has no effect"
CASES = [
    *((["dump", A, "-t", form], NONE) for form in "dzA"),  # in a pipe, which pytest's capture is as well
    (["dump", A, "-x"], NONE),
    (["dump", A, "-e"], NONE),
    (["dump", A, "--color", "always"], NONE),
    (["dump", A, "-o", "new.log", "-t", "z"], NONE),
    (["dump", A, "-L", "-e"], NONE),
    (["dump", A, "--json", "-x"], NONE),
    (["dump", A, "-L", "--json"], "contradict"),
    (["dump", A, "-L", "-o", "new.blf"], "contradict"),
    (["dump", A, "--candump", "-o", "new.log"], "--to candump"),
    (["dump", A, "--candump", "-L"], "--to candump"),
    (["dump", A, "--force"], "--force needs a file"),
    (["convert", "t.log", "--force"], "--force needs a file"),
    (["convert", "t.log", "-o", "-", "--force"], "--force needs a file"),
    (["gen", "-n", "1", "--force"], "--force needs a file"),
    *(
        (["gen", "-n", "1", *option], NONE)
        for option in (["-i", "virtual"], ["--bitrate", "500k"], ["--fd"], ["-O", "a=1"], ["--context", "x"])
    ),
    (["gen", "-n", "1", "--channel", ""], "--channel is empty"),
    *(
        (["gen", A, "-n", "1", *one], NONE)
        for one in (["--ns"], ["--force"], ["--channel", "b"], ["--start", "1"])
    ),
    (["send", A, "123#", "--from", "log"], NONE),
    (["send", A, "123#", "--on-error", "skip"], NONE),
    (["replay", "t.log", A, "-t", "--skip", "1s"], NONE),
    (["replay", "t.log", A, "--speed", "max", "--skip", "1s"], NONE),
    (["replay", "t.log", A, "-t", "--speed", "2"], "contradict"),
    (["bridge", A, B, "--one-way", "--rewrite", "b>a:123=456"], NONE),
    (["bridge", A, B, "--one-way", "--rewrite", "*>a:123=456"], NONE),
    (["sniff", A, "--once", "--speed", "2"], NONE),
    (["sniff", A, "--once", "--from", "log"], NONE),
    (["sniff", A, "--once", "--on-error", "skip"], NONE),
    (["sniff", "t.log", "--once", "--passive"], NONE),
    (["sniff", "t.log", "--once", "-i", "virtual"], NONE),
    (["sniff", "t.log", "--json", "--columns", "id"], NONE),
    (["serve", A, "--listen", "127.0.0.1:4000", "--port", "4001"], "both name a port"),
    (["list", "formats", "-i", "virtual"], NONE),
    (["--json"], NONE),
    (["--json", "list", "formats"], NONE),
    (["xcom", "list", "1286", "--json", "-v"], NONE),
    (["xcom", "export", "xt1", "--force"], NONE),
    (["xcom", "monitor", "3000", "--json", "-o", "new.csv"], NONE),
    (["xcom", "monitor", "3000", "--force"], "need a file"),
    (["xcom", "messages", "--follow", "--duration", "1s"], "contradict"),
    (["xcom", "simulate", A, "--still", "--seed", "2"], NONE),
    (["xcom", "simulate", A, "--still", "--clock", "12:00"], NONE),
    (["xcom", "write-param", "1286", "230", "--journal", "j"], NONE),
    (["xcom", "apply", "t.toml", "--journal", "j"], NONE),
]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.log").write_text(LINE)
    return tmp_path


@pytest.mark.parametrize(("arguments", "message"), CASES, ids="-".join)
def test_an_option_without_effect_is_refused(here, monkeypatch, capsys, arguments, message):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a bus is opened")

    if message != "need a file":  # which is found when the file would be opened
        monkeypatch.setattr(interface, "Bus", refuse)
    monkeypatch.setenv("CAN_INTERFACE", "virtual")
    monkeypatch.setenv("CAN_CHANNEL", "options-without-effect")
    assert run(arguments) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["t.log"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["dump", A, "-T", "1ms", "-t", "a"],  # as logs have it
        ["dump", A, "-T", "1ms", "--candump", "-t", "z", "-x", "-e", "--color", "always"],
        ["dump", A, "-T", "1ms", "--color", "never"],
        ["dump", A, "-T", "1ms", "-L", "-o", "new.log"],
        ["gen", "-n", "1", "--channel", "b", "--start", "1"],
        ["serve", A, "--listen", "127.0.0.1", "--port", "zz"],
    ],
    ids=" ".join,
)
def test_options_with_an_effect_are_taken(canx, arguments):
    assert NONE not in canx(*arguments).stderr


def test_a_map_that_meets_nothing_says_which_channels_there_are(canx, tmp_path):
    (tmp_path / "t.log").write_text(LINE + LINE.replace("can0", "can5"))
    canx("convert", "t.log", "-o", "t.blf")
    result = canx("convert", "t.blf", "--map", "1=can3")
    assert result.stdout == (tmp_path / "t.log").read_text()
    assert result.stderr == "canx: --map 1=can3: the input has no channel 1, only can0, can5\n"


def test_a_map_of_replay_that_meets_nothing_does_so_too(canx):
    arguments = ["replay", "-", A, "--map", "can7=virtual:b", "-t"]
    assert "no selected frame is on channel can7, only can0\n" in canx(*arguments, stdin=LINE).stderr


def test_a_rewrite_that_meets_nothing_is_noted(start, canx, until_listening):
    bridge = start("bridge", A, B, "--rewrite", "7FF=123", "-n", 1)
    until_listening("a")
    until_listening("b")
    canx("send", A, "123#")
    assert b"--rewrite changed nothing" in bridge.communicate(timeout=30)[1]
