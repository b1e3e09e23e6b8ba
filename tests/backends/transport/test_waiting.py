from __future__ import annotations

import os
import select
import socket
import threading
from typing import TYPE_CHECKING

from cantools_cli.backends.transport.waiting import Wakeup

if TYPE_CHECKING:
    import pytest

TIMEOUT = 30


def test_several_threads_wait_at_once() -> None:
    wakeup, woken = Wakeup(), []
    threads = [threading.Thread(target=lambda: woken.append(wakeup.wait(TIMEOUT))) for _ in range(4)]
    for thread in threads:
        thread.start()
    while wakeup._waits < sum(thread.is_alive() for thread in threads):
        pass
    wakeup.set()
    for thread in threads:
        thread.join(TIMEOUT)
    wakeup.close()
    assert woken == [True] * 4


def test_a_closed_one_is_not_waited_for() -> None:
    wakeup = Wakeup()
    wakeup.close()
    assert wakeup.wait(None)


def test_an_event_of_another_descriptor_ends_a_wait() -> None:
    near, far = socket.socketpair()
    with near, far:
        wakeup = Wakeup()
        assert not wakeup.wait(0, near, select.POLLIN)
        far.send(b"x")
        assert wakeup.wait(TIMEOUT, near, select.POLLIN)
        wakeup.close()


def test_the_last_of_several_waits_releases() -> None:
    near, far = socket.socketpair()
    wakeup = Wakeup(near.close)
    thread = threading.Thread(target=lambda: wakeup.wait(TIMEOUT, near, select.POLLIN))
    thread.start()
    while not wakeup._waits and thread.is_alive():
        pass
    wakeup.close()
    thread.join(TIMEOUT)
    with far:
        assert near.fileno() == -1
    wakeup.close()
    assert wakeup.fileno() == -1


def test_a_system_with_neither_event_counters_nor_non_blocking_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "eventfd", raising=False)
    monkeypatch.delattr(os, "set_blocking")
    wakeup = Wakeup()
    for _ in range(2):
        wakeup.set()
        assert wakeup.wait(0)
        wakeup.clear()
        assert not wakeup.wait(0)
    wakeup.close()
