"""The libraries of vendors: processor time per received frame, of canx's bus and of python-can's.

Both read the same frames from the queue of the same emulated library, in alternation in one process.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[1]))

FRAMES = 30_000  #: queued at once, fewer than the libraries hold
ROUNDS = 5


class Adapter(NamedTuple):
    """A bus of each library on an emulated channel.

    Attributes:
        name: in the table.
        stub: the emulated library.
        channel: its number of the channel.
        is_fd: whether the frames are CAN FD.
        ours, theirs: open a bus on the library at a path.
    """

    name: str
    stub: str
    channel: int
    is_fd: bool
    ours: Callable[[Path], Any]
    theirs: Callable[[Path], Any]


def _pcan(is_fd: bool) -> Adapter:
    segments = {"nom_brp": 2, "nom_tseg1": 63, "nom_tseg2": 16, "nom_sjw": 16}
    segments |= {"data_brp": 2, "data_tseg1": 15, "data_tseg2": 4, "data_sjw": 4}
    settings: dict[str, Any] = {"fd": True, "f_clock_mhz": 80, **segments} if is_fd else {}

    def ours(path: Path) -> Any:
        from cantools_cli.backends.pcan.bus import PcanBus

        return PcanBus("PCAN_USBBUS1", library=path, **settings)

    def theirs(path: Path) -> Any:
        from can.interfaces.pcan import basic, pcan

        basic.find_library = lambda _: str(path)
        return pcan.PcanBus("PCAN_USBBUS1", **settings)

    return Adapter("pcan, CAN FD" if is_fd else "pcan", "pcan", 0x51, is_fd, ours, theirs)


def _kvaser(is_fd: bool) -> Adapter:
    settings: dict[str, Any] = {"fd": True, "data_bitrate": 2_000_000} if is_fd else {}

    def ours(path: Path) -> Any:
        from cantools_cli.backends.kvaser.bus import KvaserBus

        return KvaserBus(0, library=path, **settings)

    def theirs(path: Path) -> Any:
        library = ctypes.CDLL(str(path))
        library.stub_set(b"local_txack_length", ctypes.c_int64(1))  # as python-can passes it
        with mock.patch.object(ctypes.cdll, "LoadLibrary", return_value=library):
            from can.interfaces.kvaser import canlib
        canlib.canInitializeLibrary()
        return canlib.KvaserBus(0, **settings)

    return Adapter("kvaser, CAN FD" if is_fd else "kvaser", "kvaser", 0, is_fd, ours, theirs)


ADAPTERS = (_pcan(False), _pcan(True), _kvaser(False), _kvaser(True))


def one_by_one(bus: Any) -> None:
    """Receive all frames as messages."""
    receive = bus.recv
    for _ in range(FRAMES):
        assert receive(1.0) is not None


def in_batches(bus: Any) -> None:
    """Receive all frames as batches."""
    count = 0
    while count < FRAMES:
        count += len(bus.recv_batch(1.0))


def measure(adapter: Adapter) -> dict[str, float]:
    """Return the processor time per frame in microseconds, in the best round of each way of receiving."""
    from tests.vendor.kit import FLAG_FD, KIND_FRAME, Record, compiled, loaded

    path = compiled(adapter.stub)
    times: dict[str, list[float]] = {"python-can": [], "recv": [], "recv_batch": []}
    frame = Record(magic=0x464B4358, kind=KIND_FRAME, id=0x123, length=8, time_ns=time.time_ns())
    frame.flags = FLAG_FD if adapter.is_fd else 0
    with loaded(path, may_violate=True) as stub:
        stub.set("log", 0)
        ways = {
            "python-can": (adapter.theirs, one_by_one),
            "recv": (adapter.ours, one_by_one),
            "recv_batch": (adapter.ours, in_batches),
        }
        for _ in range(ROUNDS):
            for name, (opened, receive) in ways.items():
                with opened(path) as bus:
                    for _ in range(FRAMES):
                        stub.functions.stub_inject(adapter.channel, ctypes.byref(frame))
                    start = time.process_time()
                    receive(bus)
                    times[name].append(1e6 * (time.process_time() - start) / FRAMES)
    return {name: min(values) for name, values in times.items()}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hide the warnings of python-can, which are about optional packages."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def report() -> list[str]:
    """Return the lines of the table."""
    lines = [
        "| emulated library | python-can | canx, `recv` | ratio | canx, `recv_batch` | ratio |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    with _quiet():
        for adapter in ADAPTERS:
            found = measure(adapter)
            base = found["python-can"]
            cells = [f"{base:.2f} µs"]
            for name in ("recv", "recv_batch"):
                cells += (f"{found[name]:.2f} µs", f"{found[name] / base:.2f}")
            lines.append(f"| {adapter.name} | {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    print("\n".join(report()))
