"""gs_usb: frames/s that arrive from an emulated adapter, all processor time in one process."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

WANTED = 20_000  #: frames/s, more than a bus of 1 Mbit/s carries
SECONDS = 3.0
FIFO = WANTED  #: frames that wait in the adapter, for a second; the next one is lost


def received(rate: int | None, frames: int) -> tuple[float, int, float]:
    """Return (frames/s, lost frames, processor seconds of the reading and decoding threads).

    The adapter gets ``rate`` frames/s from its bus; None queues all of them at once.
    """
    from cantools_cli.backends.gs_usb.bus import GsUsbBus
    from cantools_cli.backends.transport import usb
    from tests.emulators.gs_usb import CLASSIC, FROM_BUS, Frame, GsUsbCore
    from tests.emulators.usb import EmulatedUsb

    core = GsUsbCore(CLASSIC)
    usb.backend = EmulatedUsb(core)
    lost = 0
    used = 0.0

    def feed() -> None:
        nonlocal lost, used
        transfer = core.packed(FROM_BUS, 0, Frame(0x123, 8, bytes(8)))
        start = time.perf_counter()
        sent = 0
        while sent < frames:
            due = frames if rate is None else min(frames, int(rate * (time.perf_counter() - start)))
            room = due - sent if rate is None else max(0, FIFO - len(core.queue))
            core.queue.extend([transfer] * min(room, due - sent))
            lost += max(0, due - sent - room)
            sent = due
            core.notify()
            time.sleep(0.001)
        used = time.thread_time()

    with GsUsbBus(0) as bus:
        feeder = threading.Thread(target=feed)
        start, before = time.perf_counter(), time.process_time()
        feeder.start()
        count = 0
        while count + lost < frames:
            batch = bus.recv_batch(1.0)
            if batch is not None:
                count += len(batch)
        took, cpu = time.perf_counter() - start, time.process_time() - before
        feeder.join()
        lost += sum(bus.losses.values())
    usb.backend = None
    return count / took, lost, cpu - used


def report() -> list[str]:
    """Return the lines of the table."""
    lines = [
        "| gs_usb from an emulated adapter | frames/s | lost | processor time per frame |",
        "| --- | --- | --- | --- |",
    ]
    for name, rate in ((f"a bus with {WANTED:,} frames/s", WANTED), ("a full queue", None)):
        frames = int(WANTED * SECONDS)
        speed, lost, cpu = received(rate, frames)
        lines.append(f"| {name} | {speed:,.0f} | {lost} | {1e6 * cpu / frames:.1f} µs |")
    return lines


if __name__ == "__main__":
    print("\n".join(report()))
