"""The timing accuracy of ``canx replay`` and canplayer on a SocketCAN interface.

``tests/linux/boot .venv/bin/python benchmarks/replay.py [SECONDS] [INTERFACE]``: both tools replay the same
log with random gaps, in turn, twice. They first replay one second of it, since code runs slowly the first
time in an emulated machine. Times are the kernel's receive timestamps; lateness is relative to the least late
frame of the run.
"""

from __future__ import annotations

import random
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

CANX = str(Path(sys.executable).with_name("canx"))
SO_TIMESTAMPNS, SO_RCVBUFFORCE = 35, 33
MEAN_GAP = 0.01


def write_log(path: Path, seconds: float, interface: str) -> list[float]:
    """Write a log of frames at random times, one every 10 ms on average; return the times."""
    source, times, now = random.Random(1), [], 0.0
    while now < seconds:
        times.append(round(now, 6))
        now += source.expovariate(1 / MEAN_GAP)
    times.append(seconds)
    start = 1_700_000_000
    lines = [
        f"({start + time:.6f}) {interface} {number & 0x7FF:03X}#0102\n" for number, time in enumerate(times)
    ]
    path.write_text("".join(lines))
    return times


def received(command: list[str], interface: str, count: int) -> list[float]:
    """Run ``command``; return when each of ``count`` frames reached the interface, in seconds."""
    with socket.socket(socket.PF_CAN, socket.SOCK_RAW, socket.CAN_RAW) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
        receiver.bind((interface,))
        receiver.settimeout(5)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times = []
        for _ in range(count):  # all of them are already in the socket's buffer
            _, extra, _, _ = receiver.recvmsg(16, 64)
            whole, fraction = struct.unpack("qq", extra[0][2])
            times.append(whole + fraction / 1e9)
    return times


def figures(times: list[float], planned: list[float]) -> tuple[float, float, float, float]:
    """Return the lateness (median, 99 %, maximum) and the delay of the last frame, in milliseconds."""
    least = min(time - plan for time, plan in zip(times, planned, strict=True))
    late = sorted(1000 * (time - plan - least) for time, plan in zip(times, planned, strict=True))
    took = 1000 * (times[-1] - times[0] - planned[-1])
    return late[len(late) // 2], late[len(late) * 99 // 100], late[-1], took


def main(seconds: float = 60.0, interface: str = "vcan0") -> None:
    print("| tool | lateness, median ms | 99 % | maximum | end, ms |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "in.log")
        tools = {
            "canplayer": ["canplayer", "-I", str(path)],
            "canx replay": [CANX, "replay", str(path), interface],
        }
        for length, is_shown in ((1.0, False), (seconds, True), (seconds, True)):
            planned = write_log(path, length, interface)
            for name, command in tools.items():
                row = figures(received(command, interface, len(planned)), planned)
                if is_shown:
                    print(
                        f"| {name} | {row[0]:.3f} | {row[1]:.3f} | {row[2]:.3f} | {row[3]:+.3f} |", flush=True
                    )


if __name__ == "__main__":
    given = sys.argv[1:]
    main(float(given[0]) if given else 60.0, *given[1:2])
