from __future__ import annotations

import threading

from cantools_cli.backends.transport.wakeup import Wakeup

TIMEOUT = 30


def test_several_threads_wait_at_once() -> None:
    wakeup, woken = Wakeup(), []
    threads = [threading.Thread(target=lambda: woken.append(wakeup.wait(TIMEOUT))) for _ in range(4)]
    for thread in threads:
        thread.start()
    while wakeup._waits < sum(thread.is_alive() for thread in threads):
        pass
    wakeup.ring()
    for thread in threads:
        thread.join(TIMEOUT)
    wakeup.close()
    assert woken == [True] * 4


def test_a_closed_one_is_not_waited_for() -> None:
    wakeup = Wakeup()
    wakeup.close()
    assert wakeup.wait(None)
