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

from cantools_cli.backends.virtual.line import HostLine
from tests.commands.forking import Forking

CANX = str(Path(sys.executable).with_name("canx"))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment with a bus network, a home and a runtime folder of the test's own."""
    home = tmp_path / "home"
    home.mkdir()
    # a socket's path is limited to 108 bytes, so the runtime folder stays the usual one
    net = f"test-{os.getpid()}-{tmp_path.name}"[-40:]
    return _kept_environment() | {"HOME": str(home), "CANX_NET": net, "TZ": "UTC"}


def _kept_environment() -> dict[str, str]:
    return {
        key: value
        for key, value in os.environ.items()
        if key == "PYTHONPATH" or not key.startswith(("CAN_", "CANX_", "PYTHON"))
    }


@pytest.fixture(scope="session")
def forking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forking | None]:
    """Return what forks runs of canx; None where the system cannot."""
    if not hasattr(os, "pidfd_open"):
        yield None
        return
    forking = Forking(tmp_path_factory.mktemp("forking"), _kept_environment())
    yield forking
    forking.close()


@pytest.fixture
def canx(
    environment: dict[str, str], tmp_path: Path, forking: Forking | None
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs canx with arguments in the test's folder.

    The process is forked, unless it gets an environment in which an interpreter may start differently.
    """

    def run(*arguments: object, stdin: str | bytes | None = None, **extra: str) -> Any:
        raw = isinstance(stdin, bytes)
        words = [*map(str, arguments)]
        if forking is not None and all(name.startswith(("CAN_", "CANX_")) for name in extra):
            data = stdin if isinstance(stdin, bytes) else (stdin or "").encode()
            result = forking.run(words, data, tmp_path, environment | extra, timeout=60)
            if raw:
                return result
            out, error = (_text(output) for output in (result.stdout, result.stderr))
            return subprocess.CompletedProcess(result.args, result.returncode, out, error)
        return subprocess.run(
            [CANX, *words],
            input="" if stdin is None else stdin,
            capture_output=True,
            text=not raw,
            cwd=tmp_path,
            env=environment | extra,
            timeout=60,
            check=False,
        )

    return run


def _text(output: bytes) -> str:
    return output.decode().replace("\r\n", "\n").replace("\r", "\n")  # as subprocess does


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
        line = HostLine(environment["CANX_NET"], channel)
        try:
            while len(line.readers()) < readers:
                assert time.monotonic() < deadline, f"{readers} readers never came to {channel}"
                time.sleep(0.005)
        finally:
            line.close()

    return wait
