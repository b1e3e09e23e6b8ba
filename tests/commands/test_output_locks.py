"""Two writers of one log: both logs are kept, or the second writer is refused; they never mix."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cantools_cli import plugins
from cantools_cli.cli import run
from cantools_cli.console.output import Output, OutputFormat, Rotation
from cantools_cli.console.report import Report
from cantools_cli.console.sinks import Sink
from cantools_cli.errors import FileInUseError
from cantools_cli.io.formats import open_reader
from cantools_cli.io.logger import Logger
from tests.commands.conftest import CANX

FIRST = [(1_700_000_000_000_000_000 + n, 0x100 + n) for n in range(3)]
SECOND = [(1_700_000_001_000_000_000 + n, 0x200 + n) for n in range(2)]
SUFFIXES = [form.suffixes[0] for form in plugins.FORMATS.values() if form.writer]
SUFFIXES += [".log.gz", ".json.zst", ".asc.gz", ".pcap.zst"]
SHARED = {form.suffixes[0] for form in plugins.FORMATS.values() if form.is_shared}
REFUSED = ": another writer has this file open\nhint: another -o FILE, or end the other writer first\n"


def line(stamp: int, identifier: int) -> str:
    return f"({stamp // 10**9}.{stamp % 10**9 // 1000:06d}) can0 {identifier:03X}#0102\n"


def batch_of(frames: list[tuple[int, int]], folder: Path) -> Any:
    path = folder / "frames.log"
    path.write_text("".join(line(*frame) for frame in frames))
    with open_reader(str(path)) as reader:
        (batch,) = reader.batches()
    return batch


def identifiers(path: Path) -> list[int]:
    with open_reader(str(path)) as reader:
        return [message.arbitration_id for message in reader]


@pytest.fixture
def second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the log that the second writer adds, in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "second.log").write_text("".join(line(*frame) for frame in SECOND))
    return "second.log"


@pytest.fixture
def first(second: str, tmp_path: Path) -> Any:
    """Return a function that opens a log, writes the first frames, and leaves it open."""

    def begin(name: str, **options: Any) -> Sink:
        output = Output(str(tmp_path / name), OutputFormat.resolve(name), **options)
        sink = output.open(Report(quiet=True))
        sink.write(batch_of(FIRST, tmp_path))
        sink.flush()
        return sink

    return begin


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("option", ["--append", "--force"])
def test_a_log_that_is_written_is_shared_or_refused(
    first: Any, second: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str, option: str
) -> None:
    name = "log" + suffix
    with first(name):
        status = run(["convert", second, "-o", name, option])
        message = capsys.readouterr().err
    found = identifiers(tmp_path / name)
    both = option == "--append" and suffix in SHARED
    assert status == (0 if both else 2)
    assert found == [identifier for _, identifier in [*FIRST, *(SECOND if both else [])]]
    can_append = next(
        form for form in plugins.FORMATS.values() if suffix.startswith(form.suffixes)
    ).can_append
    if not both and (can_append or option == "--force"):
        assert message == f"canx: {name}{REFUSED}"


@pytest.mark.parametrize("suffix", [suffix for suffix in SUFFIXES if suffix not in SHARED])
def test_the_library_refuses_as_well_and_leaves_the_file_alone(
    second: str, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / ("log" + suffix)
    writer = Logger(path)
    writer.write(batch_of(FIRST, tmp_path))
    with pytest.raises(FileInUseError, match="another writer has this file open"):
        Logger(path)
    writer.stop()
    assert identifiers(path) == [identifier for _, identifier in FIRST]
    Logger(path).stop()  # closed, so it may be replaced


def test_a_process_that_was_killed_holds_no_lock(canx, tmp_path) -> None:
    (tmp_path / "a.log").write_text(line(*FIRST[0]))
    with subprocess.Popen([CANX, "convert", "--from", "log", "-o", tmp_path / "w.blf"], stdin=-1) as held:
        assert held.stdin is not None
        while not (tmp_path / "w.blf").exists():
            held.stdin.write(line(*FIRST[1]).encode())
            held.stdin.flush()
        while (result := canx("convert", "a.log", "-o", "w.blf", "--append")).returncode == 0:
            pass  # it created the file, and has not locked it yet
        assert result.stderr == f"canx: w.blf{REFUSED}"
        held.send_signal(signal.SIGKILL)
        held.wait()
    assert canx("convert", "a.log", "-o", "w.blf", "--append").returncode == 0


def test_what_a_shell_appends_to_a_text_is_kept_whole(shell, first, second, tmp_path) -> None:
    script = "for n in 1 2 3 4; do canx convert second.log >> all.log & done; wait"
    assert shell(script).stderr == ""
    assert (tmp_path / "all.log").read_text() == 4 * (tmp_path / "second.log").read_text()
    with first("all.log", append=True):
        result = shell("canx convert second.log >> all.log")
        assert (result.returncode, result.stderr) == (2, f"canx: stdout{REFUSED}")


def test_a_binary_log_on_a_shared_stdout_file_is_refused(shell, first, tmp_path) -> None:
    with first("a.blf"):
        result = shell("canx convert second.log --to blf >> a.blf")
        assert (result.returncode, result.stderr) == (2, f"canx: stdout{REFUSED}")
    assert shell("(canx convert second.log; canx convert second.log) > twice.log").returncode == 0
    assert len(identifiers(tmp_path / "twice.log")) == 2 * len(SECOND)


def test_devices_and_pipes_are_not_locked(shell, second) -> None:
    script = "mkfifo pipe; cat pipe > out.log & canx convert second.log -o pipe --to log; wait; cat out.log"
    assert shell(script).stdout == Path(second).read_text()
    two = "canx convert second.log -o /dev/null --to log"
    assert shell(f"{two} & {two}; wait").stderr == ""


def test_a_rotating_log_is_locked_in_each_of_its_files(first, second, tmp_path, capsys) -> None:
    with first("r.asc", rotation=Rotation(max_bytes=1)) as sink:
        sink.write(batch_of(SECOND, tmp_path))
        assert run(["convert", second, "-o", "r.asc", "--append"]) == 2
        assert len(list(tmp_path.glob("r_*.asc"))) == len(FIRST) + len(SECOND) - 1
        for finished in tmp_path.glob("r_*.asc"):
            assert run(["convert", second, "-o", finished.name, "--append"]) == 0


def test_a_filesystem_without_locks_is_named(second, tmp_path, monkeypatch, capsys) -> None:
    import fcntl

    def no_locks(*_: object) -> None:
        raise OSError(37, os.strerror(37))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    assert run(["convert", second, "-o", "a.log"]) == 0
    assert capsys.readouterr().err == (
        "canx: a.log: this filesystem has no locks, so another program could write to the file as well\n"
    )
