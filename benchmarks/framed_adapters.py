"""serial, robotell, seeedstudio: frames per second of processor time, received through a pseudo-terminal."""

from __future__ import annotations

import logging
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

FRAMES = 20_000  #: for canx; python-can gets a tenth
PIECE = 1024  # bytes of a write to the terminal


def received(open_bus: Callable[[str], Any], device: Any, stream: bytes, frames: int) -> float:
    """Return the frames per second of the processor time of a bus that receives ``stream``."""
    from tests.emulators.line import plugged

    with plugged(device) as line:
        bus = open_bus(line.channel)

        def feed() -> None:
            os.set_blocking(line._end, True)
            for at in range(0, len(stream), PIECE):
                os.write(line._end, stream[at : at + PIECE])

        feeder = threading.Thread(target=feed)
        take = getattr(bus, "recv_batch", None)
        begin, count = time.thread_time(), 0
        feeder.start()
        while count < frames:
            count += len(take(10)) if take is not None else bus.recv(10) is not None
        seconds = time.thread_time() - begin
        feeder.join()
        bus.shutdown()
    return frames / seconds


def report() -> list[str]:
    """Return the lines of the table."""
    import can

    from cantools_cli.bus.interface import Bus
    from tests.emulators import robotell, seeedstudio, serial_can

    kinds: dict[str, tuple[Callable[[], Any], Callable[[int, bytes], bytes]]] = {
        "serial": (serial_can.SerialCan, lambda identifier, data: serial_can.frame(identifier, data, 1)),
        "robotell": (robotell.Robotell, robotell.frame),
        "seeedstudio": (seeedstudio.Seeed, seeedstudio.frame),
    }
    lines = [
        "| 8 bytes of data, frames/s of processor time | canx | python-can | ratio |",
        "| --- | --- | --- | --- |",
    ]
    logging.disable(logging.WARNING)  # python-can's bus warns of each escaped checksum
    generator = random.Random(1)
    for name, (device, frame) in kinds.items():
        frames = [frame(generator.randrange(0x800), generator.randbytes(8)) for _ in range(FRAMES)]
        few = FRAMES // 10

        def ours(channel: str, name: str = name) -> Any:
            return Bus(channel, interface=name, ignore_config=True)

        def theirs(channel: str, name: str = name) -> Any:
            return can.Bus(channel, interface=name)

        fast = received(ours, device(), b"".join(frames), FRAMES)
        slow = received(theirs, device(), b"".join(frames[:few]), few)
        lines.append(f"| {name} | {fast:,.0f} | {slow:,.0f} | {fast / slow:.0f} |")
    logging.disable(logging.NOTSET)
    return lines


if __name__ == "__main__":
    print("\n".join(report()))
