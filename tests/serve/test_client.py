"""A client of the server, at the end of a socket pair."""

from __future__ import annotations

import socket

import pytest

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.serve.client import Client
from cantools_cli.serve.session import RAW_DELAY, ClientSession
from tests.serve.conversation import Recorder, frame


def test_a_client_in_raw_mode_gets_its_first_frame_behind_a_pause(stack):
    here, there = (stack.enter_context(end) for end in socket.socketpair())
    there.setblocking(False)
    client = Client(here, "x", ClientSession({"can0": Recorder()}.get), 1000)
    there.sendall(b"< open can0 >< rawmode >")
    client.read(100.0)
    client.deliver(MessageBatch([frame(1)]), {}, 100.0)
    assert there.recv(99) == b"< hi >< ok >< ok >"
    assert not client.is_writing(100.0)
    assert client.due(100.0) == 100.0 + RAW_DELAY
    with pytest.raises(BlockingIOError):
        there.recv(99)
    client.tick(100.0 + RAW_DELAY)
    assert there.recv(99) == b"< frame 001 1.000000  >"


def test_a_client_that_takes_no_answers_is_not_to_be_read(stack):
    here, _ = (stack.enter_context(end) for end in socket.socketpair())
    client = Client(here, "x", ClientSession({"can0": Recorder()}.get), 1000)
    assert client.is_reading
    client._outbox.add_answer(b"< echo >" * 10_000)
    assert not client.is_reading
