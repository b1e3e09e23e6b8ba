"""Runs of the real program, with the pipes and signals of a shell."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.backends.virtual.line import Line

CANX = str(Path(sys.executable).with_name("canx"))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment with a bus network, a home and a runtime folder of the test's own."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if key == "PYTHONPATH" or not key.startswith(("CAN_", "CANX_", "PYTHON"))
    }
    home = tmp_path / "home"
    home.mkdir()
    # a socket's path is limited to 108 bytes, so the runtime folder stays the usual one
    return kept | {"HOME": str(home), "CANX_NET": f"test-{os.getpid()}-{tmp_path.name}"[-40:], "TZ": "UTC"}


@pytest.fixture
def canx(environment: dict[str, str], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs canx with arguments in the test's folder."""

    def run(*arguments: object, stdin: str | bytes | None = None, **extra: str) -> Any:
        raw = isinstance(stdin, bytes)
        return subprocess.run(
            [CANX, *map(str, arguments)],
            input="" if stdin is None else stdin,
            capture_output=True,
            text=not raw,
            cwd=tmp_path,
            env=environment | extra,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def shell(environment: dict[str, str], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs a bash script in the test's folder, with canx on its PATH."""

    def run(script: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        path = f"{Path(CANX).parent}:{environment.get('PATH', '')}"
        return subprocess.run(
            ["bash", "-c", script],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment | {"PATH": path},
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Return a function that starts canx and hands out the process; what still runs at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []

    def launch(*arguments: object, **streams: Any) -> subprocess.Popen[bytes]:
        streams = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
        } | streams
        process = subprocess.Popen([CANX, *map(str, arguments)], cwd=tmp_path, env=environment, **streams)
        started.append(process)
        return process

    yield launch
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def until_listening(environment: dict[str, str]) -> Callable[..., None]:
    """Return a function that waits until so many buses listen on a channel of the embedded bus."""

    def wait(channel: str, readers: int = 1) -> None:
        deadline = time.monotonic() + 30
        line = Line(environment["CANX_NET"], channel)
        try:
            while len(line.readers()) < readers:
                assert time.monotonic() < deadline, f"{readers} readers never came to {channel}"
                time.sleep(0.005)
        finally:
            line.close()

    return wait
