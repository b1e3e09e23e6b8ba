"""python-can's scripts, run as users of python-can run them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cantools_cli import Bus, LogReader, Message
from cantools_cli.python_can import cli, viewer

SCRIPTS = ("logger", "player", "viewer", "logconvert", "bridge")
LOG = "".join(f"(1700000000.{number:06d}) can0 {0x100 + number:03X}#{number:02X}\n" for number in range(5))


def command(script: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "cantools_cli.compat", "-m", f"can.{script}", *arguments]


@contextmanager
def running(script: str, *arguments: str, cwd: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command(script, *arguments), stderr=subprocess.PIPE, cwd=cwd) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def run(script: str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(script, *arguments), capture_output=True, text=True, timeout=60, check=False, cwd=cwd
    )


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_has_help_and_shows_it_to_who_gives_nothing(script: str) -> None:
    shown, nothing = run(script, "--help"), run(script)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith(f"usage: can.{script} [-h]")
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (22, "", shown.stdout)


# The options of the manual, and what a parser makes of them.
MANUAL = [
    (["-c", "can0"], {"channel": "can0"}),
    (["-i", "virtual", "--channel", "0"], {"interface": "virtual", "channel": "0"}),
    (["-b", "500000"], {"bitrate": 500_000}),
    (["--fd", "--data_bitrate", "2000000"], {"fd": True, "data_bitrate": 2_000_000}),
    (["--data-bitrate", "2000000"], {"data_bitrate": 2_000_000}),
    (
        ["--filter", "100:7FC", "200~7F0"],
        {
            "can_filters": [
                {"can_id": 0x100, "can_mask": 0x7FC},
                {"can_id": 0x20000200, "can_mask": 0x7F0},
            ]
        },
    ),
    (["--bus-kwargs", "app_name=x", "serial=5"], {"bus_kwargs": {"app_name": "x", "serial": 5}}),
]


@pytest.mark.parametrize(("given", "wanted"), MANUAL)
def test_the_manual_s_options_describe_a_bus(given: list[str], wanted: dict[str, object]) -> None:
    parser = cli.ScriptParser()
    cli.add_bus_arguments(parser, filter_arg=True)
    assert vars(parser.parse_args(given)) == wanted
    prefixed = cli.ScriptParser()
    cli.add_bus_arguments(prefixed, filter_arg=True, prefix="bus1")
    if given[0].startswith("--") and "_" not in given[0] and "--data_bitrate" not in given:
        texts = [f"--bus1-{text[2:]}" if text.startswith("--") else text for text in given]
        assert vars(prefixed.parse_args(texts)) == {f"bus1_{key}": value for key, value in wanted.items()}


def test_a_timing_is_complete_or_refused(capsys: pytest.CaptureFixture[str]) -> None:
    parser = cli.ScriptParser("x")
    cli.add_bus_arguments(parser)
    words = ["brp=2", "tseg1=5", "tseg2=2", "sjw=2", "nof_samples=1"]
    timing = parser.parse_args(["--timing", "f_clock=8_000_000", *words]).timing
    assert (timing.f_clock, timing.bitrate) == (8_000_000, 500_000)
    with pytest.raises(SystemExit):
        parser.parse_args(["--timing", *words])
    assert "no complete bit timing" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["--wrong", "-wrong=1", "--wrong=1 2", "wrong="])
def test_further_settings_have_one_form(text: str) -> None:
    assert cli._parse_additional_config(["--app-name=x", "--serial=5"]) == {"app_name": "x", "serial": 5}
    with pytest.raises(ValueError, match=r"further settings are --key=value"):
        cli._parse_additional_config([text])


def test_filters_with_a_tilde_pass_what_does_not_match() -> None:
    parser = cli.ScriptParser()
    cli.add_bus_arguments(parser, filter_arg=True)
    options = parser.parse_args(["-i", "virtual", "-c", "tilde", "--filter", "100~7FF"])
    with cli.create_bus_from_namespace(options) as bus, Bus("tilde", "virtual", ignore_config=True) as peer:
        for identifier in (0x100, 0x101):
            peer.send(Message(arbitration_id=identifier, is_extended_id=False))
        assert [message.arbitration_id for message in (bus.recv(1),) if message] == [0x101]
        assert bus.recv(0) is None


def test_logconvert_converts_and_rotates(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LOG * 100)
    assert run("logconvert", "a.log", "b.asc", cwd=tmp_path).stderr == ""
    with LogReader(tmp_path / "b.asc") as reader:
        assert len(list(reader)) == 500
    assert run("logconvert", "-s", "8000", "a.log", "c.log", cwd=tmp_path).returncode == 0
    parts = sorted(tmp_path.glob("c*.log"))
    assert len(parts) > 1
    assert sum(len(part.read_text().splitlines()) for part in parts) == 500


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["missing.log", "b.asc"], "canx: missing.log: No such file or directory\n"),
        (["a.log", "b.unknown"], 'canx: No write support for unknown log format ".unknown"\n'),
    ],
)
def test_an_error_is_a_line_and_status_2(arguments: list[str], text: str, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LOG)
    done = run("logconvert", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(text)


def test_a_bus_that_does_not_open_is_a_line(tmp_path: Path) -> None:
    done = run("logger", "-i", "socketcand", "-c", "can0", "--host=127.0.0.1", "--port=1", cwd=tmp_path)
    assert done.returncode == 3
    assert done.stderr.startswith("canx: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_the_logger_records_until_a_signal_and_closes_its_file(by: signal.Signals, tmp_path: Path) -> None:
    settings = ["-i", "virtual", "-c", "log", "--scope=host", f"--net=s{os.getpid()}"]
    arguments = [*settings, "-f", "out.asc", "--filter", "100:7F0"]
    log = tmp_path / "out.asc"
    with running("logger", *arguments, cwd=tmp_path) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith(b"Connected to VirtualBus")
        process.stderr.readline()
        with Bus("log", "virtual", ignore_config=True, scope="host", net=f"s{os.getpid()}") as bus:
            for identifier in (0x100, 0x200, 0x101):
                bus.send(Message(arbitration_id=identifier, is_extended_id=False, data=b"\x01"))
            while process.poll() is None and not (log.exists() and "101" in log.read_text()):
                bus.send(Message(arbitration_id=0x101, is_extended_id=False, data=b"\x01" * 8))
        process.send_signal(by)
        assert process.wait(30) == (0 if by is signal.SIGINT else 143)
    assert log.read_text().rstrip().endswith("End TriggerBlock")
    with LogReader(log) as reader:
        assert {message.arbitration_id for message in reader} == {0x100, 0x101}


def test_the_player_prints_with_v_and_leaves_error_frames_out(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LOG + "(1700000001.000000) can0 20000080#0000000000000000\n")
    plain = ["-i", "virtual", "-c", "play", "--ignore-timestamps", "a.log"]
    silent, printed = run("player", *plain, cwd=tmp_path), run("player", "-v", *plain, cwd=tmp_path)
    assert (silent.returncode, silent.stdout) == (0, "")
    assert [line.split("ID:")[1].split()[0] for line in printed.stdout.splitlines()] == [
        *("100", "101", "102", "103", "104")
    ]
    with_errors = run("player", "-v", "--error-frames", "-l", "2", *plain, cwd=tmp_path)
    assert len(with_errors.stdout.splitlines()) == 12


@pytest.mark.parametrize("text", ["0", "many"])
def test_a_loop_is_a_count(text: str, tmp_path: Path) -> None:
    assert run("player", "-l", text, "a.log", cwd=tmp_path).returncode == 2


def test_the_viewer_is_canx_sniff() -> None:
    given = ["-i", "virtual", "-c", "v", "--fd", "--data_bitrate", "2000000", "-d", "100:<B", "101:<H:10"]
    given += ["-f", "100:7FC", "200~7F0", "--bus-kwargs", "net=x"]
    wanted = "sniff --interface virtual --data-bitrate 2000000 --fd --option net=x --filter 100:7FC"
    wanted += " --filter 200~7F0 --decode 100:<B --decode 101:<H:10"
    wanted += " --columns count,time,period,id,flags,length,data,values -- v"
    assert " ".join(viewer.sniff_arguments(given)) == wanted


def test_the_viewer_takes_socketcan_where_nothing_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert viewer.sniff_arguments(["-c", "can0"])[:3] == ["sniff", "--interface", "socketcan"]
    monkeypatch.setenv("CAN_INTERFACE", "virtual")
    assert "--interface" not in viewer.sniff_arguments(["-c", "can0"])


def test_the_bridge_forwards_both_ways() -> None:
    arguments = []
    for prefix, channel in (("bus1", "one"), ("bus2", "two")):
        arguments += [f"--{prefix}-interface", "virtual", f"--{prefix}-channel", channel]
        arguments += [f"--{prefix}-bus-kwargs", "scope=host", f"net=b{os.getpid()}"]
    settings = {"ignore_config": True, "scope": "host", "net": f"b{os.getpid()}"}
    with (
        running("bridge", *arguments) as process,
        Bus("one", "virtual", **settings) as one,
        Bus("two", "virtual", **settings) as two,
    ):
        assert process.stderr is not None
        assert process.stderr.readline().startswith(b"CAN Bridge")
        for sender, receiver in ((one, two), (two, one)):
            sender.send(Message(arbitration_id=0x123, data=b"\x01"))
            found = receiver.recv(10)
            assert found is not None
            assert found.arbitration_id == 0x123
        process.terminate()
        assert process.wait(30) == 143
