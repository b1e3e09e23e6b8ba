"""Every command that opens a bus reports what the bus lost, on one line at the end."""

from __future__ import annotations

import pytest

PLUG_IN = '''
import os
import signal
import threading

from cantools_cli.bus.base import BusABC
from cantools_cli.bus.losses import MISSED_FRAMES
from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message


class LossyBus(BusABC):
    """Receives one frame, then interrupts the program."""

    carries_xl = False

    def __init__(self, channel, bitrate=None, **kwargs):
        super().__init__(channel)
        self.channel_info = "lossy"
        self.losses.add_fault("malformed messages skipped", FormatError("not a frame"))
        self.losses.add_fault("malformed messages skipped", FormatError("not a frame either"))
        self.losses[MISSED_FRAMES] += 3
        self.received = 0

    def _receive(self, timeout):
        self.received += 1
        if self.received == 1:
            return MessageBatch([Message(arbitration_id=0x123)])
        if self.received == 2:
            os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait(0.1 if timeout is None else min(timeout, 0.1))
        return None

    def _send(self, batch, timeout):
        pass
'''
MALFORMED = "2 malformed messages skipped, the first: not a frame\n"
BOTH = f"3 frames lost because they were not read in time, {MALFORMED}"


@pytest.fixture
def lossy(canx, tmp_path):
    """Return ``canx`` with an interface that loses frames."""
    site = tmp_path / "site"
    (site / "lossy-1.0.dist-info").mkdir(parents=True)
    (site / "lossy.py").write_text(PLUG_IN)
    (site / "lossy-1.0.dist-info" / "METADATA").write_text("Name: lossy\nVersion: 1.0\n")
    (site / "lossy-1.0.dist-info" / "entry_points.txt").write_text(
        "[can.interface]\nlossy = lossy:LossyBus\n"
    )
    (tmp_path / "a.log").write_text("(1.000000) can0 123#01\n")

    def run(*arguments, **options):
        return canx(*arguments, PYTHONPATH=str(site), **options)

    return run


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("dump", "lossy:a"), "a"),
        (("sniff", "lossy:a"), "a"),
        (("bridge", "lossy:a", "lossy:b"), "a"),
        (("bridge", "lossy:a", "lossy:b"), "b"),
        (("serve", "lossy:a", "--listen", "127.0.0.1:0"), "a"),
        (("xcom", "scan", "--bus", "lossy:a"), "lossy:a"),
        (("xcom", "read-param", "--bus", "lossy:a", "1286"), "lossy:a"),
        (("xcom", "monitor", "--bus", "lossy:a", "3000"), "lossy:a"),
        (("xcom", "simulate", "lossy:a"), "lossy:a"),
    ],
)
def test_a_command_that_reads_reports_losses(lossy, arguments, name) -> None:
    assert lossy(*arguments).stderr.count(f"canx: {name}: {BOTH}") == 1


@pytest.mark.parametrize(
    ("arguments", "name", "stdin"),
    [
        (("send", "lossy:a", "123#01"), "a", ""),
        (("send", "lossy:a", "123#01", "--period", "1ms", "--count", "2"), "a", ""),
        (("send", "lossy:a"), "a", "(1.000000) can0 123#01\n"),
        (("gen", "lossy:a", "-n", "1"), "a", ""),
        (("replay", "a.log", "lossy:a"), "a", ""),
    ],
)
def test_a_command_that_only_sends_reports_malformed_messages(lossy, arguments, name, stdin) -> None:
    result = lossy(*arguments, stdin=stdin)
    assert (result.stderr, result.returncode) == (f"canx: {name}: {MALFORMED}", 0)


@pytest.mark.parametrize(
    "arguments", [("dump", "-n", "1", "lossy:a"), ("send", "lossy:a"), ("replay", "a.log", "lossy:a")]
)
def test_strict_makes_losses_a_status(lossy, arguments) -> None:
    stdin = "(1.000000) can0 123#01\n"
    assert (
        lossy(*arguments, stdin=stdin).returncode,
        lossy(*arguments, "--strict", stdin=stdin).returncode,
    ) == (0, 2)
