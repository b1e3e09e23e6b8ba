"""Short notation for frames: ``log("1.5 can0 123#11 R")``."""

from __future__ import annotations

import io

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.candump.log import CanutilsLogReader

SECOND = 1_000_000_000


def log(*lines: str) -> MessageBatch:
    """Return frames: each line has a time in seconds, a channel and a frame of cansend's grammar."""
    text = "".join(f"({time}) {rest}\n" for time, _, rest in (line.partition(" ") for line in lines))
    whole = MessageBatch()
    for batch in CanutilsLogReader(io.BytesIO(text.encode())).batches():
        whole.extend(batch)
    assert len(whole) == len(lines)
    return whole
