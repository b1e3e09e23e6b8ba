"""An append-only journal of this user's writes to flash, one line per write.

::

    {"time":"2026-11-28T14:30:00Z","bus":"socketcan:can0","device":"xt1","number":1286,"value":230}

Studer guarantees 1000 writes per parameter. A write is recorded before its frame is sent, so that failed
writes are counted too.

Source: Studer Innotec, documentation of the public Xcom-CAN client, on flash memory.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

ENDURANCE = 1000
#: number of writes from which a warning is printed
WARN_FROM = 100
_NEAR = 900


def default_path() -> str:
    """Return the path of the user's journal, ``$XDG_STATE_HOME/canx/xcom-flash.jsonl``."""
    folder = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(folder):
        folder = os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(folder, "canx", "xcom-flash.jsonl")


class Journal:
    """The journal in the file ``path``, which is created by the first write."""

    def __init__(self, path: str | None = None) -> None:
        self.path = path or default_path()

    def count(self, bus: str, device: str, number: int) -> int:
        """Return how often a parameter of a device was written to flash; malformed lines are ignored."""
        asked = (bus, device, number)
        return sum(
            (line.get("bus"), line.get("device"), line.get("number")) == asked for line in self._lines()
        )

    def record(self, bus: str, device: str, number: int, value: float) -> None:
        """Append a write, before it is sent."""
        os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "bus": bus,
            "device": device,
            "number": number,
            "value": value,
        }
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            size = os.fstat(fd).st_size
            cut = size > 0 and os.pread(fd, 1, size - 1) != b"\n"  # a crash truncated the last line
            text = "\n" * cut + json.dumps(line, separators=(",", ":")) + "\n"
            os.write(fd, text.encode())  # in one call: other processes may append at the same time
            os.fsync(fd)
        finally:
            os.close(fd)

    def _lines(self) -> Iterator[dict[str, Any]]:
        try:
            with open(self.path, encoding="utf-8", errors="replace") as file:
                for text in file:
                    try:
                        line = json.loads(text)
                    except ValueError:
                        continue
                    if isinstance(line, dict):
                        yield line
        except FileNotFoundError:
            return


def warning(count: int) -> str | None:
    """Return a warning about ``count`` writes so far; None if there are few."""
    if count < WARN_FROM:
        return None
    text = f"{count} of {ENDURANCE} guaranteed writes to flash are used"
    return text if count < _NEAR else f"{text}: prefer writing to RAM"
