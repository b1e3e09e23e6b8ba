"""What messages have in common: one status for one mistake, plain words, closed streams, plurals."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import cantools_cli
from cantools_cli.cli import run
from cantools_cli.errors import counted, quoted

JSON = '{"timestamp":1,"channel":%s,"arbitration_id":291,"is_extended_id":false,"dlc":0,"data":""}\n'
#: modules whose messages quote Python's own names for programmers, and none of a user's text
_FOR_PROGRAMMERS = {
    "cli.py",
    "ctypesutil.py",
    "handler.py",
    "keywords.py",
    "util.py",
    "message.py",
    "xl.py",
    "thread_safe_bus.py",
}


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["dump", "nonsense:can0"], {}),
        (["send", "nonsense:can0", "123#"], {}),
        (["dump", "can0", "-i", "nonsense"], {}),
        (["dump", "can0"], {"CAN_INTERFACE": "nonsense"}),
        (["list", "buses", "-i", "nonsense"], {}),
        (["list", "interfaces", "-i", "nonsense"], {}),
        (["xcom", "scan", "--bus", "nonsense:can0"], {}),
    ],
)
def test_an_unknown_interface_is_status_2(monkeypatch, capsys, arguments, variables) -> None:
    monkeypatch.delenv(
        "CAN_INTERFACE", raising=False
    )  # with one, what is in front of a colon may be a channel
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert run(arguments) == 2
    message = capsys.readouterr().err
    assert '"nonsense"' in message
    assert "hint: known: canalystii, " in message


@pytest.mark.parametrize("command", ["convert t1.log", "list formats", "--version", "sniff t1.log --once -q"])
def test_a_closed_stdout_is_an_error(shell, tmp_path, command) -> None:
    (tmp_path / "t1.log").write_text("(1.000000) can0 123#\n")
    result = shell(f"canx {command} >&-")
    assert result.returncode == 3
    assert result.stderr.endswith("Bad file descriptor\n")
    assert result.stderr.count("\n") == 1
    assert shell("canx convert t1.log -o out.log >&-").returncode == 0  # it needs none


def test_a_closed_stdin_is_an_error(shell) -> None:
    result = shell("canx convert <&-")
    assert (result.returncode, result.stderr) == (3, "canx: Bad file descriptor\n")


@pytest.mark.parametrize(
    ("command", "status"), [("convert no.blf", 2), ("dump nonsense:x", 2), ("dump virtual:x -n 1 -T 1ms", 1)]
)
def test_debug_keeps_the_status(canx, command, status) -> None:
    plain, debug = canx(*command.split()), canx("--debug", *command.split())
    assert plain.returncode == debug.returncode == status
    assert debug.stderr.endswith(plain.stderr)
    assert ("Traceback" in debug.stderr) == (status == 2)


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [
        (1, "frames", "1 frame"),
        (2, "frames", "2 frames"),
        (1, "CAN FD frames (left out)", "1 CAN FD frame (left out)"),
        (0, "malformed records", "0 malformed records"),
    ],
)
def test_a_noun_takes_the_number_of_its_count(count, noun, text) -> None:
    assert counted(count, noun) == text


def test_a_loss_says_of_how_many_frames_a_detail_was_lost(canx) -> None:
    lines = JSON % '"can1"' + JSON % '"can1"'
    assert canx("convert", "-o", "a.csv", stdin=lines).stderr == "canx: a.csv: lost channels of 2 frames\n"
    one = canx("convert", "-o", "b.csv", stdin=JSON % '"can1"')
    assert one.stderr == "canx: b.csv: lost channels of 1 frame\n"


def test_a_channel_without_a_name_is_quoted(canx) -> None:
    assert canx("convert", "--to", "asc", stdin=JSON % '""').stderr == 'canx: "" is written as channel 1\n'


def test_a_line_end_in_the_name_of_a_channel_does_not_cut_a_printed_message(canx) -> None:
    printed = canx("convert", "--to", "txt", stdin=JSON % r'"a\nb"').stdout
    assert printed.count("\n") == 1
    assert '"channel":"a b"' in canx("convert", "--json", stdin=printed).stdout


def test_a_virtual_bus_needs_a_channel(capsys) -> None:
    assert run(["dump", "virtual:", "-T", "1ms"]) == 2
    assert capsys.readouterr().err == ("canx: virtual:: no channel given\nhint: such as virtual:vcan0\n")


def test_quoted_text_is_never_a_representation() -> None:
    assert quoted(b"a\xff\n") == '"a\\xff\\n"'
    assert quoted(7) == '"7"'


def test_no_message_has_a_representation_of_python() -> None:
    """``!r`` writes ``'a'``, ``b'a'`` and ``['a']``, which a user never typed."""
    found = []
    root = Path(cantools_cli.__file__).parent
    for path in root.rglob("*.py"):
        if path.name in _FOR_PROGRAMMERS:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and "AttributeError" not in ast.dump(node):
                formatted = [part for part in ast.walk(node) if isinstance(part, ast.FormattedValue)]
                found += [f"{path.name}:{node.lineno}" for part in formatted if part.conversion == ord("r")]
    assert found == []


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch):
    """Return a function that takes SocketCAN, websockets, Unix sockets away from this computer."""
    import importlib.util
    import socket

    from cantools_cli.backends.virtual import line

    kept_socket, kept_spec = socket.socket, importlib.util.find_spec

    def no_can(family: int = -1, *arguments: object, **keywords: object):
        if family == socket.PF_CAN:
            raise OSError(97, "Address family not supported by protocol")
        return kept_socket(family, *arguments, **keywords)

    def no_websockets(name: str, *arguments: object):
        return None if name == "websockets" else kept_spec(name, *arguments)

    def take(what: str) -> None:
        if what == "socketcan":
            monkeypatch.setattr(socket, "socket", no_can)
        elif what == "remote":
            monkeypatch.setattr(importlib.util, "find_spec", no_websockets)
        else:
            monkeypatch.setattr(line, "fcntl", None)

    return take


@pytest.mark.parametrize(
    ("interface", "reason"),
    [
        ("socketcan", "this kernel has no SocketCAN"),
        ("remote", "websockets is not installed: pip install 'canx[remote]'"),
        ("virtual", "the virtual bus between processes needs Unix datagram sockets, which this system lacks"),
    ],
)
def test_an_interface_is_ready_only_where_it_can_be_opened(without, capsys, interface, reason) -> None:
    without(interface)
    assert run(["list", "interfaces", "-i", interface]) == 0
    assert capsys.readouterr().out.split("\t")[:2] == [interface, reason]
