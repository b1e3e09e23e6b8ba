"""Runs of canx without its start-up: each is forked from a process that has imported the commands.

A run is a process of its own, with the descriptors, environment, folder and exit status that it would have
otherwise. The interpreter and the imports, 0.2 s of processor time, are there already. Run as a program, this
module is the process that forks; the path of its socket is the argument.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import socket
import subprocess
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

#: what most runs import; nothing here may start a thread, which a fork would lose
_IMPORTED = (
    *(f"commands.{name}" for name in ("dump", "send", "convert", "replay", "bridge", "serve", "gen", "list")),
    *(f"io.{name}" for name in ("asc", "blf", "candump.log", "csv", "jsonl", "printer", "trc")),
    "backends.virtual.bus",
)


class Forking:
    """Starts the process that forks, and runs commands through it."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._path = str(folder / "fork")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self._path)
            listener.listen(64)
            descriptor = listener.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.commands.forking", str(descriptor)],
                cwd=Path(__file__).parents[2],
                env=environment,
                pass_fds=[descriptor],
            )

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def run(
        self, arguments: list[str], data: bytes, cwd: Path, environment: dict[str, str], timeout: float
    ) -> subprocess.CompletedProcess[bytes]:
        """Return the status and the output of ``canx ARGUMENTS``, which gets ``data`` from a pipe."""
        pipes = [os.pipe(), os.pipe(), os.pipe()]
        theirs = [pipes[0][0], pipes[1][1], pipes[2][1]]
        ours = [pipes[0][1], pipes[1][0], pipes[2][0]]
        with socket.socket(socket.AF_UNIX) as end:
            end.connect(self._path)
            request = json.dumps([arguments, str(cwd), environment]).encode() + b"\n"
            socket.send_fds(end, [b"\0"], theirs)
            for descriptor in theirs:
                os.close(descriptor)
            end.sendall(request)
            with end.makefile("rb") as answers:
                pid = int(answers.readline())
                try:
                    out, error = _exchange(ours, data, timeout)
                    end.settimeout(timeout)
                    status = int(answers.readline())
                except TimeoutError:
                    with suppress(ProcessLookupError):
                        os.kill(pid, 9)
                    raise subprocess.TimeoutExpired(["canx", *arguments], timeout) from None
        return subprocess.CompletedProcess(["canx", *arguments], status, out, error)


def _exchange(ends: list[int], data: bytes, timeout: float) -> tuple[bytes, bytes]:
    """Write ``data`` to the first of ``ends`` and read the others to their end; close all."""
    deadline = time.monotonic() + timeout
    writing, *reading = ends
    read: dict[int, bytearray] = {end: bytearray() for end in reading}
    left = memoryview(data)
    with selectors.DefaultSelector() as selector:
        for end in reading:
            selector.register(end, selectors.EVENT_READ)
        os.set_blocking(writing, False)
        selector.register(writing, selectors.EVENT_WRITE)
        try:
            while selector.get_map():
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready and time.monotonic() >= deadline:
                    raise TimeoutError
                for key, _ in ready:
                    end = key.fd
                    if end == writing:
                        try:
                            left = left[os.write(end, left[:65536]) :] if left else left
                        except BrokenPipeError:
                            left = left[:0]
                        is_over = not left
                    else:
                        piece = os.read(end, 65536)
                        read[end] += piece
                        is_over = not piece
                    if is_over:
                        selector.unregister(end)
                        os.close(end)
        finally:
            for end in list(selector.get_map() or {}):
                os.close(end)
    return bytes(read[reading[0]]), bytes(read[reading[1]])


def _serve(listener: socket.socket) -> tuple[socket.socket, list[int], list[Any]]:
    """Fork for each request; return in the new process, with its connection, descriptors and request."""
    runs: dict[int, tuple[int, socket.socket]] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd in runs:
                    pid, end = runs.pop(key.fd)
                    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    with suppress(OSError), end:
                        end.sendall(b"%d\n" % status)
                    continue
                end, _ = listener.accept()
                _, descriptors, _, _ = socket.recv_fds(end, 1, 3)
                with end.makefile("rb") as requests:
                    request = json.loads(requests.readline())
                pid = os.fork()
                if pid == 0:
                    for other in runs:
                        os.close(other)
                    return end, descriptors, request
                for descriptor in descriptors:
                    os.close(descriptor)
                watched = os.pidfd_open(pid)
                runs[watched] = pid, end
                selector.register(watched, selectors.EVENT_READ)
                with suppress(OSError):
                    end.sendall(b"%d\n" % pid)


def _become(descriptors: list[int], cwd: str, environment: dict[str, str]) -> None:
    """Give this process its standard streams, folder and environment, as an interpreter starts with them."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = open(0, encoding=sys.stdin.encoding, errors=sys.stdin.errors, closefd=False)  # noqa: SIM115  # for good
    sys.stdout = open(1, "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors, closefd=False)  # noqa: SIM115  # for good
    sys.stderr = open(2, "w", 1, sys.stderr.encoding, "backslashreplace", closefd=False)  # noqa: SIM115  # for good
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()


def _main() -> None:
    for name in ("cli", *_IMPORTED):
        import_module(f"cantools_cli.{name}")
    from cantools_cli.cli import main

    gc.collect()
    gc.freeze()  # what is there stays shared between the processes
    listener = socket.socket(fileno=int(sys.argv[1]))
    end, descriptors, (arguments, cwd, environment) = _serve(listener)
    listener.close()
    end.close()
    _become(descriptors, cwd, environment)
    sys.argv = ["canx", *arguments]
    del sys.path[0]  # the folder of this tree, which is on the path of a program only if it is installed so
    main()


if __name__ == "__main__":
    _main()
