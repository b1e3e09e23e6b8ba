"""Frames that a bus has sent, for a program that wants to receive them."""

from __future__ import annotations

import time
from array import array

from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel


def sent_copy(batch: MessageBatch, channel: Channel) -> MessageBatch:
    """Return a copy of ``batch`` as sent on ``channel`` now."""
    copy = batch.part(0, len(batch))
    count = len(copy)
    copy.timestamp_ns = array("q", (time.time_ns(),)) * count
    copy.flags = bytearray(flags | bits.TX for flags in copy.flags)
    copy.channel, copy.channels = array("H", bytes(2 * count)), (channel,)
    return copy
