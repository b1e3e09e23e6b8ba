"""AUTOSAR containers: several messages in the data of one frame, each after a header.

::

    000123 02 AA BB   000124 01 CC   000000 00 ...
    number, length, data             a number of 0 ends the container

Source: AUTOSAR, "Specification of I-PDU Multiplexer", dynamic container PDUs.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cantools_cli.decoding.model import ContainerHeader, MessageSpec
from cantools_cli.frame.batch import MessageBatch


@dataclass
class Unpacked:
    """The messages in the containers of a batch.

    Attributes:
        parts: a batch of the data of each message, with the rows of the frames that hold it.
        unknown: messages whose number the container does not list.
        short: containers that end within a message, which is left out.
    """

    parts: list[tuple[MessageSpec, array[int], MessageBatch]] = field(default_factory=list)
    unknown: int = 0
    short: int = 0


def unpacked(message: MessageSpec, batch: MessageBatch, rows: Sequence[int]) -> Unpacked:
    """Return the messages in the frames ``rows``, all of which are containers of the form ``message``."""
    found = Unpacked()
    pieces: dict[int, tuple[array[int], MessageBatch]] = {}
    assert message.header is not None
    for row in rows:
        data = bytes(batch.payload[batch.offset[row] : batch.offset[row + 1]])
        end = 0
        for number, begin, end in _headers(message.header, data):
            if end > len(data):
                break
            if number not in message.contained:
                found.unknown += 1
                continue
            places, part = pieces.setdefault(number, (array("I"), MessageBatch(channels=batch.channels)))
            places.append(row)
            part.timestamp_ns.append(batch.timestamp_ns[row])
            part.payload += data[begin:end]
            part.offset.append(len(part.payload))
        found.short += end > len(data)
    found.parts = [(message.contained[number], *pieces[number]) for number in sorted(pieces)]
    return found


def _headers(header: ContainerHeader, data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the number of each message, and where its data begins and ends."""
    order: Literal["big", "little"] = "big" if header.is_big_endian else "little"
    place, size = 0, header.number_bytes + header.length_bytes
    while place + size <= len(data):
        middle = place + header.number_bytes
        number = int.from_bytes(data[place:middle], order)
        if number == 0:
            return
        begin = place + size
        place = begin + int.from_bytes(data[middle:begin], order)
        yield number, begin, place
