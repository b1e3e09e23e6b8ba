"""``canx sniff`` without a screen: a table of a bus, a stream or a log."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest

LOG = """\
(1.000000) can0 123#1122
(1.100000) can0 123#1123
(1.300000) can0 00000123#R4
(1.400000) can1 123##1AABB
(1.500000) can0 20000004#0001000000000000
"""


@pytest.fixture
def log(tmp_path):
    (tmp_path / "a.log").write_text(LOG)
    return "a.log"


def rows(text):
    return [line.split() for line in text.splitlines()]


def test_a_log_is_a_table_with_a_row_for_each_identifier(canx, log):
    result = canx("sniff", log, "--columns", "channel,id,count,rate,period,length,flags,data,changed,ascii")
    assert result.stdout == (
        "channel        id  count  rate/s   period  len  flags   data   changed  ascii\n"
        "can0          123      2    10.0  100.000    2          11 23  .. 01    .#\n"
        "can1          123      1     0.0             2  FD BRS  AA BB  .. ..    ..\n"
        "can0     00000123      1     0.0             4  R\n"
        "can0        error      1     0.0             8          "
        "controller-problem{rx-overflow}  .. .. .. .. .. .. .. ..\n"
    )
    assert result.returncode == 0
    assert "canx: can0: 4 frames in 0.500 s, 8.0 frames/s, 1 error frame\n" in result.stderr


def test_a_stream_gives_the_same_table(canx, log):
    assert canx("sniff", "-", stdin=LOG).stdout == canx("sniff", log).stdout


def test_json_has_every_figure(canx, log):
    found = json.loads(canx("sniff", log, "--json", "--bitrate", "500k").stdout)
    assert (found["duration"], found["frames"], found["errors"]) == (0.5, 5, 1)
    assert [one["channel"] for one in found["channels"]] == ["can0", "can1"]
    assert 0 < found["channels"][0]["load"] < 1
    first, _, remote, error = found["rows"]
    assert first == {
        "channel": "can0",
        "arbitration_id": 0x123,
        "is_extended_id": False,
        "count": 2,
        "rate": 10.0,
        "first_ns": "1000000000",
        "last_ns": "1100000000",
        "period_ns": 100000000,
        "shortest_ns": 100000000,
        "longest_ns": 100000000,
        "jitter_ns": 0,
        "dlc": 2,
        "data": "1123",
        "changed_bits": "0001",
        "lowest": "1122",
        "highest": "1123",
    }
    assert (remote["is_remote_frame"], remote["dlc"], remote["period_ns"]) == (True, 4, None)
    assert (error["is_error_frame"], error["meaning"]) == (True, "controller-problem{rx-overflow}")


def test_columns_and_order_are_chosen(canx, log):
    result = canx("sniff", log, "--columns", "count,id", "--sort", "-count")
    assert rows(result.stdout)[:2] == [["count", "id"], ["2", "123"]]
    by_channel = canx("sniff", log, "--columns", "channel", "--by-channel").stdout.split()
    assert by_channel == ["channel", "can0", "can0", "can0", "can1"]
    in_order = canx("sniff", log, "--columns", "id", "--sort", "none").stdout.split()
    assert in_order == ["id", "123", "00000123", "123", "error"]


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["-f", "00000123"], ["00000123", "error"]),
        (["--where", "id eq 123 and data[0] eq 170"], ["123"]),
        (["--duration", "350ms"], ["123", "00000123"]),
    ],
)
def test_frames_are_chosen_as_in_other_commands(canx, log, options, ids):
    assert canx("sniff", log, "--columns", "id", *options).stdout.split()[1:] == ids


def test_a_bus_is_looked_at_for_a_while(canx, start, until_listening):
    process = start("sniff", "vcan0", "--once", "--duration", "3s", "--json")
    until_listening("vcan0")
    canx("gen", "virtual:vcan0", "-n", "2000", "-g", "0", "--seed", "1", "-L", "8")
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    found = json.loads(out)
    assert found["frames"] == sum(row["count"] for row in found["rows"]) == 2000
    assert found["duration"] >= 3


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, -2), (signal.SIGTERM, -15)])
def test_a_signal_ends_it_with_the_table(canx, start, until_listening, signum, status):
    process = start("sniff", "vcan0", "--columns", "id,count", "--duration", "1h")
    until_listening("vcan0")
    canx("send", "virtual:vcan0", "123#11", "123#22")
    process.send_signal(signum)
    out, _ = process.communicate(timeout=30)
    assert (rows(out.decode())[1], process.returncode) == (["123", "2"], status)


def test_a_bus_that_dies_keeps_the_table(start, tmp_path):
    """A server of socketcand's protocol that sends one frame and hangs up."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        port = listener.getsockname()[1]
        address = f"socketcand:can0,host=127.0.0.1,port={port}"
        process = start("sniff", address, "--columns", "id,data", "--duration", "1h")
        peer, _ = listener.accept()
        peer.settimeout(30)
        with peer:
            peer.sendall(b"< hi >")
            assert b"open" in peer.recv(1000)
            peer.sendall(b"< ok >")
            assert b"rawmode" in peer.recv(1000)
            peer.sendall(b"< ok >< frame 123 1.5 AABB >")
        out, err = process.communicate(timeout=30)
    assert rows(out.decode())[1] == ["123", "AA", "BB"]
    assert process.returncode == 3
    assert b"Traceback" not in err
    assert err.splitlines()[-1].startswith((b"canx: socketcand:", b"hint:"))


def test_malformed_input_keeps_the_table_before_it(canx):
    result = canx("sniff", "-", "--columns", "id", stdin=LOG + "(17000\n(2.0) can0 456#11\n")
    assert result.returncode == 2
    assert "456" not in result.stdout
    assert "canx: -:6: " in result.stderr
    result = canx(
        "sniff", "-", "--columns", "id", "--on-error", "skip", stdin=LOG + "(17000\n(2.0) can0 456#11\n"
    )
    assert (result.returncode, "456" in result.stdout) == (0, True)
    assert "1 malformed record skipped" in result.stderr
    assert canx("sniff", "-", "--on-error", "skip", "--strict", stdin=LOG + "(17000\n").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.log", "--sort", "speed"], "no column"),
        (["a.log", "--columns", "id,speed"], "no column"),
        (["a.log", "virtual:vcan0"], "is a log, the others are buses"),
        (["a.log", "--duration", "soon"], "bad duration"),
        (["-", "-"], "stdin can be read only once"),
    ],
)
def test_what_makes_no_sense_is_refused(canx, log, arguments, said):
    result = canx("sniff", *arguments, stdin="")
    assert result.returncode == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_identifiers_without_a_row_are_said(canx):
    stream = "".join(f"({n}.0) can0 {n:08X}#\n" for n in range(4100))
    result = canx("sniff", "-", "--strict", stdin=stream)
    assert "4 frames of further identifiers have no row" in result.stderr
    assert (result.returncode, len(result.stdout.splitlines())) == (2, 4097)


def test_a_reader_that_is_closed_early_is_no_error(shell):
    result = shell("canx gen -n 20000 | canx sniff - -q | head -1; echo ${PIPESTATUS[1]}")
    assert result.stdout.splitlines()[1] in ("0", "141")
    assert result.stderr == ""


def test_a_name_without_a_dot_or_slash_is_a_bus_whatever_files_there_are(canx, tmp_path):
    (tmp_path / "vcan0").write_text(LOG)
    result = canx("sniff", "virtual:vcan0", "--duration", "10ms", "--columns", "id")
    assert result.stdout == "id\n"
    assert isinstance(result, subprocess.CompletedProcess)


def test_values_are_decoded(canx, log):
    result = canx("sniff", log, "-d", "123:>H:10.0", "--columns", "id,values", "-f", "123", "-f", "#0")
    assert rows(result.stdout) == [["id", "values"], ["123", "438.7"], ["123", "4370.7"]]
    found = json.loads(canx("sniff", log, "-d", "123:>H", "--json").stdout)
    assert found["rows"][0]["values"] == [0x1123]
    assert canx("sniff", log, "-d", "123:>K").returncode == 2
