"""The line that shows progress: on a terminal alone, and true."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cantools_cli import plugins
from cantools_cli.console import progress
from cantools_cli.console.chain import FilterChain
from cantools_cli.console.inputs import Inputs
from cantools_cli.console.interruption import Interruption
from cantools_cli.console.playback import Log
from cantools_cli.console.progress import Progress, line, spoken
from cantools_cli.console.report import Report, say, status_line
from cantools_cli.console.sources import ReadOptions
from cantools_cli.filtering.selection import Selection
from cantools_cli.filtering.window import Moment, Window
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.formats import format_for_output, open_writer
from cantools_cli.streams.routes import Routes

PATIENCE = 60
LINE = b"(1700000000.000000) can0 123#1122334455667788\n"
FORMATS = [form.suffixes[0] for form in plugins.writable().values()]
COMPRESSED = [".log.gz", ".log.zst", ".asc.gz", ".pcapng.gz"]


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (
            (2.0, 4_500_000, 83_800_000, 186_100_000),
            "[#########-----------]  45 %, 83.8 of 186.1 MB, 4,500,000 frames, 2,250,000 frames/s, 2 s left",
        ),
        ((4.0, 1000, 2_000_000, None), "2.0 MB, 1,000 frames, 250 frames/s"),
        (
            (10.0, 50, 1_000_000, None, 0.5),
            "[##########----------]  50 %, 1.0 MB, 50 frames, 5 frames/s, 10 s left",
        ),
        (
            (10.0, 50, 10, 1000, 0.25),
            "[#####---------------]  25 %, 0.0 of 0.0 MB, 50 frames, 5 frames/s, 30 s left",
        ),
        (
            (1.0, 5, 2000, 1000),  # the file grew
            "[####################] 100 %, 0.0 of 0.0 MB, 5 frames, 5 frames/s, 0 s left",
        ),
        ((0.0, 0, 0, 0), "0.0 MB, 0 frames, 0 frames/s"),
    ],
)
def test_the_line(arguments: Any, shown: str) -> None:
    assert line(*arguments) == shown


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")]
)
def test_times_are_spoken_as_people_do(seconds: float, text: str) -> None:
    assert spoken(seconds) == text


def frames(count: int) -> MessageBatch:
    batch = MessageBatch()
    for number in range(count):
        message = Message(arbitration_id=number % 2048, is_extended_id=False, channel="can0")
        message.data = bytearray(number.to_bytes(8, "little"))
        message.dlc = 8
        message.timestamp_ns = 1_700_000_000_000_000_000 + number * 1_000_000
        batch.append(message)
    return batch


def writer_of(path: Path) -> Any:
    return open_writer(str(path), format_for_output(str(path)), {})


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that makes a log of several chunks with a suffix."""
    folder = tmp_path_factory.mktemp("logs")
    batch = frames(40_000)

    def write(suffix: str) -> Path:
        path = folder / f"trace{suffix}"
        if not path.exists():
            with writer_of(path) as writer:
                for first in range(0, len(batch), 4000):
                    writer.write(batch.part(first, first + 4000))
        return path

    return write


@contextmanager
def opened(*paths: Path) -> Iterator[Inputs]:
    names = [str(path) for path in paths]
    with (
        Interruption() as interruption,
        Inputs(names, interruption, Report(), ReadOptions()) as inputs,
    ):
        yield inputs


@pytest.mark.parametrize("suffix", FORMATS + COMPRESSED)
def test_bytes_grow_to_the_size_of_the_file(suffix: str, written: Callable[[str], Path]) -> None:
    path = written(suffix)
    with opened(path) as inputs:
        assert inputs.size == path.stat().st_size
        seen = []
        for _ in inputs.batches():
            seen.append(inputs.consumed)
        seen.append(inputs.consumed)
    assert seen == sorted(seen)
    assert 0.95 * inputs.size <= seen[-1] <= inputs.size
    if path.stat().st_size > 1 << 20:
        assert seen[0] < 0.75 * inputs.size


def test_bytes_of_several_inputs_are_added(written: Callable[[str], Path]) -> None:
    paths = [written(suffix) for suffix in (".log", ".blf", ".asc.gz")]
    with (
        Interruption() as interruption,
        Inputs([str(path) for path in paths], interruption, Report(), ReadOptions()) as inputs,
    ):
        assert inputs.size == sum(path.stat().st_size for path in paths)
        *_, last = (inputs.consumed for _ in inputs.batches())
        assert 0.95 * inputs.size <= last <= inputs.size


def test_the_end_of_a_window_is_known_beforehand() -> None:
    window = Window(Moment.parse("10s"), Moment.parse("20s"))
    assert window.share_at(0) == 0
    batch = frames(2)
    begin = batch.timestamp_ns[0]
    window.select(batch)
    for seconds, share in ((5, 0), (15, 0.5), (30, 1)):
        assert window.share_at(begin + seconds * 1_000_000_000) == share
    assert Window(Moment.parse("10s")).share_at(begin) == 0


def replayed(path: Path, start: Moment | None = None) -> Iterator[tuple[Log, list[int]]]:
    """Yield the log and a list of what was sent, which the caller fills, at each part that is read."""
    sent = [0]
    with Interruption() as interruption:
        chain = FilterChain(Selection(), start)
        log = Log(str(path), chain, Routes([], "x"), Report(), interruption, reading=ReadOptions())
        log.sent = lambda: sent[0]
        for part in log.parts(1024):
            if part is not None:
                for _ in range(len(part)):
                    sent[0] += 1
                    yield log, sent


@pytest.mark.parametrize("suffix", [".log", ".blf", ".mf4"])
def test_a_replay_is_as_far_as_what_was_sent(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"short{suffix}"
    with writer_of(path) as writer:
        writer.write(frames(400))  # read at once
    shares = [log.consumed / (log.size or 1) for log, _ in replayed(path)]
    assert shares[199] == pytest.approx(0.5, abs=0.05)
    assert shares == sorted(shares)


def test_a_replay_does_not_count_what_start_leaves_out(written: Callable[[str], Path]) -> None:
    shares = []
    for log, _ in replayed(written(".log"), start=Moment.parse("30s")):
        shares.append(log.consumed / (log.size or 1))
    assert shares[0] < 0.4
    assert shares[-1] == 1


class _Terminal:
    """A terminal of 80 columns, and what came to it so far."""

    def __init__(self) -> None:
        self.fd, self.other = pty.openpty()
        self.shown = b""

    def until(self, pattern: bytes, feed: Callable[[], None] = lambda: None) -> bytes:
        """Wait until ``pattern`` was shown, doing ``feed`` meanwhile; return the line that it is on."""
        end = time.monotonic() + PATIENCE
        os.set_blocking(self.fd, False)
        while True:
            found = re.search(rb"[^\r\n]*" + pattern + rb"[^\r\n]*", self.shown)
            if found:
                return found[0]
            assert time.monotonic() < end, self.shown
            feed()
            try:
                self.shown += os.read(self.fd, 4096)
            except BlockingIOError:
                continue

    def rest(self) -> bytes:
        """Return all, once everybody has closed it."""
        os.close(self.other)
        self.other = -1
        os.set_blocking(self.fd, True)
        try:
            while data := os.read(self.fd, 4096):
                self.shown += data
        except OSError:  # EIO: that is its end
            pass
        return self.shown

    def close(self) -> None:
        os.close(self.fd)
        if self.other >= 0:
            os.close(self.other)


@pytest.fixture
def terminal() -> Iterator[_Terminal]:
    terminal = _Terminal()
    yield terminal
    terminal.close()


def test_a_conversion_shows_its_progress(start: Any, terminal: _Terminal, tmp_path: Path) -> None:
    process = start(
        "convert", "-", "-o", "out.log", stdin=subprocess.PIPE, stdout=terminal.other, stderr=terminal.other
    )

    def feed() -> None:
        process.stdin.write(LINE)
        process.stdin.flush()

    shown = terminal.until(rb"frames/s", feed)
    assert re.search(rb"[\d.]+ MB, [\d,]+ frames, [\d,]+ frames/s", shown)
    process.stdin.close()
    assert process.wait(PATIENCE) == 0
    assert terminal.rest().endswith(b"\r\x1b[K")  # it leaves nothing behind


def test_a_replay_shows_its_progress(start: Any, terminal: _Terminal, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(LINE + LINE.replace(b"1700000000", b"1700003600"))
    process = start("replay", "a.log", "virtual:x", stdout=terminal.other, stderr=terminal.other)
    assert b" 50 %" in terminal.until(rb"s left")
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == -signal.SIGTERM
    assert b"\r\x1b[Kcanx: stopped after 1 frame," in terminal.rest()


def test_a_quiet_bus_shows_what_was_logged(
    start: Any, terminal: _Terminal, canx: Any, until_listening: Any
) -> None:
    process = start("dump", "vcan0", "-o", "a.log", "-n", "4", stdout=terminal.other, stderr=terminal.other)
    until_listening("vcan0")
    assert canx("send", "vcan0", "123#1122").returncode == 0
    assert b" 25 %" in terminal.until(rb" 1 frame,")
    assert canx("send", "vcan0", "123#1122", "124#", "125#").returncode == 0
    assert process.wait(PATIENCE) == 0
    terminal.rest()


@pytest.mark.parametrize("where", ["pipe", "quiet", "stdout is a pipe"])
def test_nothing_is_shown_elsewhere(where: str, start: Any, terminal: _Terminal, tmp_path: Path) -> None:
    arguments = ["convert", "-", "-o", "out.log"] if where != "stdout is a pipe" else ["convert", "-"]
    if where == "quiet":
        arguments.append("-q")
    process = start(
        *arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if where == "stdout is a pipe" else terminal.other,
        stderr=subprocess.PIPE if where == "pipe" else terminal.other,
    )
    # read at once: a pipe that fills up would hold up all three
    reader = threading.Thread(target=lambda: process.stdout.read() if process.stdout is not None else None)
    reader.start()
    end = time.monotonic() + 2 * progress._FIRST_AFTER
    while time.monotonic() < end:
        process.stdin.write(LINE)
        process.stdin.flush()
    process.stdin.close()
    reader.join()
    assert process.wait(PATIENCE) == 0
    assert b"frames/s" not in terminal.rest()


def test_what_is_said_does_not_run_into_the_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_FIRST_AFTER", 0.0)
    monkeypatch.setattr(os, "isatty", lambda fd: True)
    monkeypatch.setattr(os, "get_terminal_size", lambda fd: os.terminal_size((18, 24)))
    with Progress(lambda: (1_000_000, None), lambda: 7) as shown:
        shown.update()
        say("a note")
    assert capfd.readouterr().err == "\r\x1b[K1.0 MB, 7 frames,\r\x1b[Kcanx: a note\n"
    status_line.clear()
    assert capfd.readouterr().err == ""
