"""slcan: frames per second of processor time from a recorded stream, and loss on a saturated line."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

RATE = 100_000  #: short frames/s, twice what 3 Mbit/s carry with start and stop bits
SECONDS = 3.0
#: the streams: name, line, frames for canx, frames for python-can
STREAMS = (
    ("11 bits, no data", b"t1230\r", 1_000_000, 20_000),
    ("11 bits, 8 bytes", b"t12380011223344556677\r", 1_000_000, 10_000),
    ("29 bits, 8 bytes, timestamp", b"T18DB33F180011223344556677EA5F\r", 1_000_000, 10_000),
)


def by_canx(text: bytes) -> tuple[int, float]:
    """Return (frames, processor seconds) of canx's decoder, in pieces as a terminal returns them."""
    from cantools_cli.backends.slcan.codec import SlcanDecoder
    from cantools_cli.backends.slcan.stamps import StampClock
    from cantools_cli.bus.losses import Losses

    decoder = SlcanDecoder(Losses(), StampClock())
    begin = time.process_time()
    count = sum(len(decoder.feed(text[at : at + 4096], 0)) for at in range(0, len(text), 4096))
    return count, time.process_time() - begin


class Bytes:
    """A serial port of pyserial, faster than any: everything is in memory."""

    def __init__(self, text: bytes) -> None:
        self.text, self.at = text, 0

    @property
    def in_waiting(self) -> int:
        return min(4096, len(self.text) - self.at)

    def read(self, size: int) -> bytes:
        at = self.at
        self.at = at + size
        return self.text[at : at + size]


def by_python_can(text: bytes) -> tuple[int, float]:
    """Return (frames, processor seconds) of python-can's bus on the same bytes."""
    from can.interfaces.slcan import slcanBus

    bus: Any = slcanBus.__new__(slcanBus)
    bus.serialPortOrig, bus._queue, bus._buffer = Bytes(text), SimpleQueue(), bytearray()
    bus._is_shutdown, bus._filters = True, None
    begin, count = time.process_time(), 0
    while bus.serialPortOrig.at < len(text):
        count += bus.recv(0) is not None
    return count, time.process_time() - begin


def saturated() -> tuple[float, int, float]:
    """Return (frames/s, lost frames, processor seconds) of a bus on a line with ``RATE`` frames/s."""
    from cantools_cli.backends.slcan.bus import SlcanBus
    from tests.emulators.slcan import Slcan

    frames = int(RATE * SECONDS)
    device = Slcan()
    master, slave = os.openpty()
    used = 0.0

    def serve() -> None:
        nonlocal used
        while not device.is_open or b"F" not in device.commands:
            os.write(master, device.feed(os.read(master, 4096)))
        begin, sent = time.perf_counter(), 0
        while sent < frames:
            due = min(frames, int(RATE * (time.perf_counter() - begin)))
            text = b"t1230\r" * (due - sent)
            while text:
                text = text[os.write(master, text) :]
            sent = due
            time.sleep(0.001)
        used = time.thread_time()

    feeder = threading.Thread(target=serve, daemon=True)
    feeder.start()
    with SlcanBus(os.ttyname(slave), bitrate=1_000_000, status_interval=3600) as bus:
        begin, before, count = time.perf_counter(), time.process_time(), 0
        while count < frames:
            batch = bus.recv_batch(2.0)
            if batch is None:
                break
            count += len(batch)
        took, cpu = time.perf_counter() - begin, time.process_time() - before
        feeder.join()
        lost = frames - count + sum(bus.losses.values())
    os.close(slave)
    os.close(master)
    return count / took, lost, cpu - used


def report() -> list[str]:
    """Return the lines of the tables."""
    lines = [
        "| slcan, per second of processor time | canx | python-can | ratio |",
        "| --- | --- | --- | --- |",
    ]
    for name, line, ours, theirs in STREAMS:
        count, seconds = by_canx(line * ours)
        their_count, their_seconds = by_python_can(line * theirs)
        assert (count, their_count) == (ours, theirs)
        fast, slow = count / seconds, their_count / their_seconds
        lines.append(f"| {name} | {fast:,.0f} | {slow:,.0f} | {fast / slow:.0f} |")
    speed, lost, cpu = saturated()
    lines += [
        "",
        "| slcan on a saturated line | frames/s | lost | processor time per frame |",
        "| --- | --- | --- | --- |",
        f"| {RATE:,} short frames/s | {speed:,.0f} | {lost} | {1e6 * cpu / (RATE * SECONDS):.1f} µs |",
    ]
    return lines


if __name__ == "__main__":
    print("\n".join(report()))
