"""The virtual bus: frames/s between processes, and the latency of a single frame through a pipe."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

CANX = str(Path(sys.executable).with_name("canx"))
RECEIVER = """
import sys, time
from cantools_cli import Bus
with Bus("bench", interface="virtual", scope="host", ignore_config=True) as bus:
    print("ready", flush=True)
    wanted, got, first = int(sys.argv[1]), 0, None
    while got < wanted:
        got += len(bus.recv_batch(30))
        first = first or time.monotonic()
    print(time.monotonic(), flush=True)
"""
SENDER = """
import sys, time
from cantools_cli import Bus, Message, MessageBatch
frames, size = int(sys.argv[1]), int(sys.argv[2])
batch = MessageBatch([Message(arbitration_id=n, data=b"12345678") for n in range(size)])
with Bus("bench", interface="virtual", scope="host", receive=False, ignore_config=True) as bus:
    start = time.monotonic()
    for _ in range(frames // size):
        bus.send_batch(batch)
print(start, flush=True)
"""
PYTHON_CAN = """
import sys, threading, time, can
frames = int(sys.argv[1])
with can.Bus("bench", interface="virtual") as sender, can.Bus("bench", interface="virtual") as receiver:
    def receive():
        for _ in range(frames):
            receiver.recv(30)
    thread = threading.Thread(target=receive)
    message = can.Message(arbitration_id=1, data=b"12345678")
    start = time.monotonic()
    thread.start()
    for _ in range(frames):
        sender.send(message)
    thread.join()
    print(frames / (time.monotonic() - start))
"""


def throughput(readers: int, frames: int, size: int) -> float:
    """Return frames/s from one process to each of ``readers`` others, with ``size`` frames per call."""
    environment = os.environ | {"CANX_NET": f"bench-{os.getpid()}"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", RECEIVER, str(frames)], stdout=subprocess.PIPE, text=True, env=environment
        )
        for _ in range(readers)
    ]
    for process in started:
        assert process.stdout is not None
        process.stdout.readline()
    sender = subprocess.run(
        [sys.executable, "-c", SENDER, str(frames), str(size)],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    ends = [float(process.communicate()[0].split()[-1]) for process in started]
    return frames / (max(ends) - float(sender.stdout))


def python_can(frames: int) -> float:
    """Return frames/s of python-can's virtual bus, between two threads of one process."""
    result = subprocess.run(
        [sys.executable, "-c", PYTHON_CAN, str(frames)], capture_output=True, text=True, check=True
    )
    return float(result.stdout)


def latency(frames: int = 500) -> tuple[float, float]:
    """Return the latency from ``send`` to dump's line in a pipe, (median, 99 %) in milliseconds."""
    os.environ["CANX_NET"] = f"latency-{os.getpid()}"
    from cantools_cli import Bus, Message

    dump = subprocess.Popen([CANX, "dump", "virtual:bench"], stdout=subprocess.PIPE)
    assert dump.stdout is not None
    took = []
    with Bus("bench", interface="virtual", scope="host", receive=False, ignore_config=True) as bus:
        deadline = time.monotonic() + 10
        os.set_blocking(dump.stdout.fileno(), False)
        while time.monotonic() < deadline:  # until it listens
            bus.send(Message(arbitration_id=1))
            if dump.stdout.read(1):
                break
            time.sleep(0.01)
        time.sleep(0.2)
        dump.stdout.read()
        os.set_blocking(dump.stdout.fileno(), True)
        for _ in range(frames):
            start = time.perf_counter()
            bus.send(Message(arbitration_id=2, data=b"12345678"))
            dump.stdout.readline()
            took.append(1000 * (time.perf_counter() - start))
            time.sleep(0.002)
    dump.terminate()
    dump.wait()
    took.sort()
    return statistics.median(took), took[int(0.99 * len(took))]


def report() -> list[str]:
    """Return the lines of the table."""
    lines = ["| embedded bus | figure |", "| --- | --- |"]
    for readers in (1, 3):
        for size, frames in ((1, 50_000), (50, 1_000_000), (1000, 3_000_000)):
            rate = throughput(readers, frames, size)
            to = "another process" if readers == 1 else "three other processes"
            lines.append(f"| to {to}, {size} frames a call | {rate / 1e6:.3f} M frames/s |")
            print(" ", lines[-1], flush=True)
    lines.append(f"| python-can's virtual bus, in one process | {python_can(100_000) / 1e6:.3f} M frames/s |")
    median, worst = latency()
    lines.append(
        f"| a lone frame through `canx dump` into a pipe | median {median:.2f} ms, 99 % {worst:.2f} ms |"
    )
    print(" ", lines[-2], "\n ", lines[-1], flush=True)
    return lines
