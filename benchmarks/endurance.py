"""Long runs of the embedded bus: a steady load into rotating logs, a stopped reader, many opens and closes.

::

    python benchmarks/endurance.py steady --duration 600 --rate 20000
    python benchmarks/endurance.py crowd --frames 500000 --stop 20
    python benchmarks/endurance.py cycles --count 1000

Each prints its figures; the exit status is 1 if frames were lost, memory grew, or resources were leaked.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cantools_cli import Bus, Message
from cantools_cli.io.formats import open_reader
from cantools_cli.io.logger import Logger
from cantools_cli.serve.server import SocketcandServer

CANX = str(Path(sys.executable).with_name("canx"))
CHANNEL = "virtual:endurance"
SETTLED = 0.2  #: the share of a steady run after which memory should stay constant
GROWTH = 8 << 20  #: bytes by which it may still grow: caches, fragmentation
IDLE = "5s"  #: a reader ends after this long without a frame
SENDERS, READERS = 4, 6


def memory(process: int | str = "self") -> int:
    """Return the resident memory of a process in bytes."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) << 10


def start(*arguments: str, folder: str) -> subprocess.Popen[str]:
    return subprocess.Popen([CANX, *arguments], cwd=folder, stderr=subprocess.PIPE, text=True)


def wait_for_readers(count: int) -> None:
    from cantools_cli.backends.virtual.line import HostLine

    line = HostLine(os.environ["CANX_NET"], CHANNEL.partition(":")[2])
    while len(line.readers()) < count:
        time.sleep(0.01)
    line.close()


def report(**figures: object) -> None:
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):28} {value}", flush=True)


# --- a steady load ----------------------------------------------------------------------------------------


def steady(duration: float, rate: int, max_size: str) -> bool:
    """Record ``rate`` numbered frames/s for ``duration`` seconds into rotating BLF files."""
    count = int(duration * rate)
    with tempfile.TemporaryDirectory() as folder:
        record = ["dump", CHANNEL, "-n", str(count), "-T", IDLE, "-o", "r.blf", "--max-size", max_size, "-q"]
        recorder = start(*record, folder=folder)
        wait_for_readers(1)
        numbered = ["-I", "123", "-L", "8", "-D", "i"]
        source = start("gen", CHANNEL, "--rate", str(rate), "-n", str(count), *numbered, folder=folder)
        begin = time.monotonic()
        sizes = []
        while recorder.poll() is None:
            try:
                sizes.append(memory(recorder.pid))
            except (FileNotFoundError, IndexError):  # it has just ended
                break
            time.sleep(min(1.0, duration / 100))
        took = time.monotonic() - begin
        said = (recorder.communicate()[1] + source.communicate()[1]).strip()
        logs = sorted(Path(folder).glob("r*.blf"), key=lambda path: path.stat().st_mtime_ns)
        found, gaps = numbers_in(logs)
        settled = sizes[int(len(sizes) * SETTLED)] if sizes else 0
        growth = max(sizes[int(len(sizes) * SETTLED) :], default=0) - settled
        report(
            frames_sent=count,
            frames_recorded=found,
            gaps_in_their_numbers=gaps,
            files=len(logs),
            seconds=f"{took:.1f}",
            frames_per_second=f"{found / took:.0f}",
            memory_MB=f"{settled / 2**20:.1f} after {SETTLED:.0%}, then {growth / 2**20:+.1f} at most",
            said=said or "nothing",
        )
        ended_well = recorder.returncode == 0 and source.returncode == 0
        return ended_well and found == count and not gaps and growth < GROWTH


def numbers_in(logs: list[Path]) -> tuple[int, int]:
    """Return the number of frames in the logs, and the number of gaps in their numbering."""
    found = gaps = 0
    for log in logs:
        with open_reader(str(log)) as reader:
            for batch in reader.batches():
                numbers = memoryview(bytes(batch.payload)).cast("Q")
                for number in numbers:
                    gaps += number != found
                    found += 1
    return found, gaps


# --- a crowd ----------------------------------------------------------------------------------------------


def crowd(frames: int, stop: float) -> bool:
    """Send ``frames`` from each of 4 senders to 6 readers, one of them stopped for ``stop`` seconds."""
    total = SENDERS * frames
    with tempfile.TemporaryDirectory() as folder:
        readers = [
            start(
                "dump",
                CHANNEL,
                "-T",
                f"{stop + 30}s",
                "-n",
                str(total),
                "-o",
                f"{n}.log",
                "-v",
                folder=folder,
            )
            for n in range(READERS)
        ]
        wait_for_readers(READERS)
        begin = time.monotonic()
        senders = [
            start("gen", CHANNEL, "-g", "0", "-n", str(frames), "-I", f"10{n}", folder=folder)
            for n in range(SENDERS)
        ]
        readers[-1].send_signal(signal.SIGSTOP)
        time.sleep(stop)
        readers[-1].send_signal(signal.SIGCONT)
        for sender in senders:
            sender.wait()
        took = time.monotonic() - begin
        counts, said = [], []
        for number, reader in enumerate(readers):
            said.append(reader.communicate()[1])
            counts.append(Path(folder, f"{number}.log").read_bytes().count(b"\n"))
        lost = [line for line in said[-1].splitlines() if "lost" in line]
        report(
            frames_sent=total,
            seconds=f"{took:.1f}",
            frames_per_second=f"{total / took:.0f}",
            frames_of_each_reader=" ".join(map(str, counts)),
            stopped_reader=lost or "nothing lost",
        )
        whole = all(count == total for count in counts[:-1])
        return whole and (counts[-1] >= total or bool(lost))


# --- opens and closes -------------------------------------------------------------------------------------


def open_bus() -> None:
    with Bus("endurance", interface="virtual", scope="host", ignore_config=True) as bus:
        bus.send(Message(arbitration_id=1))
        bus.recv(0)


def write_log() -> None:
    for name in ("a.blf", "a.log.gz", "a.db", "a.mf4"):
        with Logger(name) as log:
            log.on_message_received(Message(timestamp=1.0, arbitration_id=1))
        os.remove(name)


def open_client() -> None:
    with (
        Bus("endurance", interface="virtual", scope="host", ignore_config=True) as bus,
        SocketcandServer({"can0": bus}, port=0) as server,
    ):
        thread = threading.Thread(target=server.serve)
        thread.start()
        host, port = server.address
        with Bus("can0", interface="socketcand", host=host, port=port, ignore_config=True) as client:
            client.send(Message(arbitration_id=1))
        server.stop()
        thread.join()


def send_cyclically() -> None:
    with Bus("endurance", interface="virtual", scope="host", ignore_config=True) as bus:
        bus.send_periodic(Message(arbitration_id=1), 0.001)


ACTIONS: dict[str, Callable[[], None]] = {
    "bus": open_bus,
    "logs": write_log,
    "server and client": open_client,
    "cyclic task": send_cyclically,
}


def left_behind() -> dict[str, int]:
    from cantools_cli.backends.virtual.line import HostLine

    gc.collect()
    line = HostLine(os.environ["CANX_NET"], "endurance")
    try:
        shared = len(os.listdir(os.path.dirname(line.file("wire"))))
    finally:
        line.close()
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
        "files here": len(os.listdir(".")),
        "files of the bus": shared,
    }


def cycles(count: int) -> bool:
    """Open and close everything ``count`` times, and check that no resources are leaked."""
    good = True
    with tempfile.TemporaryDirectory() as folder:
        before = os.getcwd()
        os.chdir(folder)
        try:
            for name, action in ACTIONS.items():
                for _ in range(3):  # fill caches, import modules
                    action()
                first, size = left_behind(), memory()
                for _ in range(count):
                    action()
                last = left_behind()
                grown = memory() - size
                report(**{name: f"{count} times: {last}, memory {grown / 2**20:+.1f} MB"})
                leaks = [what for what, left in last.items() if left > first[what]]
                good = good and not leaks and grown < GROWTH
        finally:
            os.chdir(before)
    return good


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    one = kinds.add_parser("steady")
    one.add_argument("--duration", type=float, default=600.0, help="seconds")
    one.add_argument("--rate", type=int, default=20_000, help="frames/s")
    one.add_argument("--max-size", default="20MB", help="of a log")
    one = kinds.add_parser("crowd")
    one.add_argument("--frames", type=int, default=500_000, help="of each sender")
    one.add_argument("--stop", type=float, default=20.0, help="seconds")
    one = kinds.add_parser("cycles")
    one.add_argument("--count", type=int, default=1000)
    given = vars(parser.parse_args())
    os.environ["CANX_NET"] = f"endurance-{os.getpid()}"
    run: dict[str, Callable[..., bool]] = {"steady": steady, "crowd": crowd, "cycles": cycles}
    sys.exit(0 if run[given.pop("kind")](**given) else 1)


if __name__ == "__main__":
    main()
