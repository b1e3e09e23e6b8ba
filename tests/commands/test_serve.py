"""``canx serve``, with real processes on loopback."""

from __future__ import annotations

import re
import signal
import socket

import pytest


@pytest.fixture
def serving(start):
    """Return a function that serves virtual:s on a free port, and returns the process and its port."""

    def launch(*options):
        process = start("serve", "virtual:s", "--port", 0, *options)
        found = re.search(rb"serving s, listening on 127\.0\.0\.1:(\d+)", process.stderr.readline())
        assert found is not None
        return process, int(found[1])

    return launch


def test_dump_and_send_work_over_a_server(serving, start, canx, until_listening):
    _, port = serving()
    dump = start("dump", "virtual:s")
    until_listening("s", 2)
    bus = f"socketcand:s,host=127.0.0.1,port={port}"
    assert canx("send", bus, "123#DEADBEEF", "00000123#").returncode == 0
    assert dump.stdout.readline().split()[1:] == [b"s", b"123#DEADBEEF"]
    assert dump.stdout.readline().split()[1:] == [b"s", b"00000123#"]
    with socket.create_connection(("127.0.0.1", port), 20) as end:
        for command in (b"", b"< open s >", b"< rawmode >"):
            end.sendall(command)
            assert end.recv(99) in (b"< hi >", b"< ok >")
        sent = canx("send", bus, "123#01")
        assert (sent.returncode, sent.stderr) == (0, "")
        assert re.fullmatch(rb"< frame 123 \d+\.\d{6} 01 >", end.recv(99))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_closes_every_session(serving, number):
    process, port = serving()
    with socket.create_connection(("127.0.0.1", port), 20) as end:
        assert end.recv(99) == b"< hi >"
        process.send_signal(number)
        assert end.recv(99) == b""
    out, error = process.communicate(timeout=20)
    assert (process.returncode, out, error) == (-number, b"", b"")


def test_read_only_lets_nothing_through_and_tells_it(serving, start, canx, until_listening):
    process, port = serving("--read-only")
    dump = start("dump", "virtual:s", "-n", 1)
    until_listening("s", 2)
    canx("send", f"socketcand:s@127.0.0.1:{port}", "123#")
    assert b"1 frame refused because of --read-only" in process.stderr.readline()
    canx("send", "virtual:s", "456#")
    assert dump.communicate(timeout=20)[0].split()[2] == b"456#"


@pytest.mark.parametrize(
    ("options", "status", "text"),
    [
        (["virtual:s", "--listen", "0.0.0.0"], 2, "the protocol has no passwords"),
        (["virtual:s", "--listen", "127.0.0.1:x"], 2, "is not ADDRESS:PORT"),
        (["virtual:s", "--port", "70000"], 2, "is not ADDRESS:PORT"),
        (["virtual:s", "--allow", "everybody"], 2, "neither an address nor a network"),
        (["virtual:s", "--queue", "0"], 2, "--queue 0 must be greater than 0"),
        (["virtual:s", "--listen", "192.0.2.1", "--allow", "192.0.2.0/24"], 3, "cannot listen on 192.0.2.1"),
        (["nonsense"], 3, "nonsense: "),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line_and_a_hint(canx, options, status, text):
    result = canx("serve", *options)
    assert (result.returncode, result.stdout) == (status, "")
    first, second = result.stderr.splitlines()
    assert first.startswith("canx: ")
    assert text in first
    assert second.startswith("hint: ")
