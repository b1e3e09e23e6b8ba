"""The messages of the VCI libraries as batches, and frames as messages.

::

    10270000           23010000 00 00 03 FF 0102030000000000   vcinpl, 20 bytes: std 123, 3 bytes
    10270000 00000000  23010000 00 0C 09 FF 000102...          vcinpl2, 80 bytes: CAN FD with bit rate switch
    time     reserved  id       |  |  |  |  data
                                |  |  |  accept code
                                |  |  DLC code; 10 overrun, 20 own, 40 remote, 80 extended
                                |  01 single shot, 02 high priority, 04 FD, 08 BRS, 10 ESI
                                type: 0 frame, 1 information, 2 error, 3 status, 5 overrun of the time

All numbers are little-endian.

Loses: single shot, high priority and the accept code.

Source: HMS Networks, VCI 3 and 4 headers ``cantype.h``.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, groupby
from operator import or_
from typing import NamedTuple

from cantools_cli.backends.ixxat import constants
from cantools_cli.errors import InvalidMessageError
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

_CLASSIC = struct.Struct("<IIBBBx8s")
_FD = struct.Struct("<I4xIBBBx64s")
_CLASSIC_OUT = struct.Struct("<4xIBBBx8s")
_FD_OUT = struct.Struct("<8xIBBBx64s")
_CYCLIC = struct.Struct("<H2xIBBBx8s")
_FD_CYCLIC = struct.Struct("<H2xIBBBx64s")

#: third byte of the information word -> bits of ``can_id``, DLC code, bits of ``flags``
_ID_BITS = tuple(
    (bits.CAN_EFF_FLAG if flags & constants.CAN_MSGFLAGS_EXT else 0)
    | (bits.CAN_RTR_FLAG if flags & constants.CAN_MSGFLAGS_RTR else 0)
    for flags in range(256)
)
_CODE = bytes(flags & constants.CAN_MSGFLAGS_DLC for flags in range(256))
_OWN = bytes(bits.TX if flags & constants.CAN_MSGFLAGS_SRR else 0 for flags in range(256))
_OVERRUN = bytes(flags & constants.CAN_MSGFLAGS_OVR for flags in range(256))
#: the same -> length of the data of a classic and of a CAN FD frame
_LENGTH = bytes(
    0 if flags & constants.CAN_MSGFLAGS_RTR else min(flags & constants.CAN_MSGFLAGS_DLC, 8)
    for flags in range(256)
)
_FD_LENGTH = bytes(
    0 if flags & constants.CAN_MSGFLAGS_RTR else bits.FD_LENGTHS[flags & constants.CAN_MSGFLAGS_DLC]
    for flags in range(256)
)
#: second byte -> bits of ``flags``; ESI and BRS belong to CAN FD frames
_KIND = bytes(
    bits.FD
    | (bits.BRS if flags & constants.CAN_MSGFLAGS2_FDR else 0)
    | (bits.ESI if flags & constants.CAN_MSGFLAGS2_ESI else 0)
    if flags & constants.CAN_MSGFLAGS2_EDL
    else 0
    for flags in range(256)
)


class Received(NamedTuple):
    """A message of the queue."""

    ticks: int
    identifier: int
    kind: int
    flags2: int
    flags: int
    data: bytes

    @property
    def is_overrun(self) -> bool:
        """Whether messages before this one were lost."""
        return bool(self.flags & constants.CAN_MSGFLAGS_OVR)


Messages = Sequence[tuple[int, int, int, int, int, bytes]]


def parse(
    data: bytes | bytearray | memoryview, *, is_fd: bool
) -> list[tuple[int, int, int, int, int, bytes]]:
    """Return the fields of the messages in ``data``, as those of ``Received``."""
    return [*(_FD if is_fd else _CLASSIC).iter_unpack(data)]


def runs(messages: Messages) -> Iterator[tuple[bool, Messages]]:
    """Yield the messages in runs: frames that follow each other, and each other message alone.

    The flag tells which. A frame with the mark of an overrun begins a run.
    """
    ordinary = not any(message[2] or message[4] & constants.CAN_MSGFLAGS_OVR for message in messages)
    if ordinary:
        yield True, messages
        return
    number = 0

    def group(message: tuple[int, int, int, int, int, bytes]) -> tuple[int, bool]:
        nonlocal number
        is_frame = message[2] == constants.CAN_MSGTYPE_DATA
        number += not is_frame or bool(message[4] & constants.CAN_MSGFLAGS_OVR)
        return number if is_frame else -number, is_frame

    for (_, is_frame), run in groupby(messages, key=group):
        yield is_frame, [*run]


def frames(
    messages: Messages, channel: Channel, times_ns: Callable[[Sequence[int]], array[int]]
) -> MessageBatch:
    """Return the batch of a run of frames; ``times_ns`` maps the tick counts."""
    counts, identifiers, _, seconds, thirds, contents = zip(*messages, strict=True)
    flags, kinds = bytes(thirds), bytes(seconds)
    batch = MessageBatch(channels=(channel,))
    batch.timestamp_ns = times_ns(counts)
    batch.can_id = array("I", map(or_, identifiers, map(_ID_BITS.__getitem__, flags)))
    batch.channel = array("H", bytes(2 * len(flags)))
    batch.dlc_code = bytearray(flags.translate(_CODE))
    if any(kinds):
        batch.flags = bytearray(map(or_, flags.translate(_OWN), kinds.translate(_KIND)))
        lengths = bytes(
            _FD_LENGTH[flag] if kind & constants.CAN_MSGFLAGS2_EDL else _LENGTH[flag]
            for flag, kind in zip(flags, kinds, strict=True)
        )
    else:
        batch.flags = bytearray(flags.translate(_OWN))
        lengths = flags.translate(_LENGTH)
    batch.offset = array("I", accumulate(lengths, initial=0))
    batch.payload = bytearray().join([data[:length] for data, length in zip(contents, lengths, strict=True)])
    return batch


def check(batch: MessageBatch, *, is_fd: bool) -> None:
    """Refuse frames that the controller cannot send.

    Raises:
        InvalidMessageError: the batch contains an error frame, or a CAN FD frame for a classic bus; ``sent``
            is 0.
    """
    for can_id, flags in zip(batch.can_id, batch.flags, strict=True):
        if can_id & bits.CAN_ERR_FLAG:
            raise InvalidMessageError("a controller cannot send error frames", sent=0)
        if flags & bits.FD and not is_fd:
            raise InvalidMessageError(
                "cannot send FD message over bus with CAN FD disabled",
                hint="open the bus with fd=true",
                sent=0,
            )


def encode(batch: MessageBatch, *, is_fd: bool, own: bool, fast: bool) -> bytearray:
    """Return the messages that send the frames of a checked batch.

    With ``own`` the library returns each frame once it was sent. Without ``fast`` no frame switches the bit
    rate.
    """
    layout = _FD_OUT if is_fd else _CLASSIC_OUT
    found = bytearray(layout.size * len(batch))
    for row, fields in enumerate(_fields(batch, own, fast)):
        layout.pack_into(found, row * layout.size, *fields)
    return found


def encode_cyclic(batch: MessageBatch, cycle: int, *, is_fd: bool, own: bool, fast: bool) -> bytes:
    """Return the entry of the cyclic transmit list for the only frame of a checked batch.

    ``cycle`` is in ticks of the scheduler.
    """
    [fields] = _fields(batch, own, fast)
    return (_FD_CYCLIC if is_fd else _CYCLIC).pack(cycle, *fields)


def _fields(batch: MessageBatch, own: bool, fast: bool) -> Iterator[tuple[int, int, int, int, bytearray]]:
    """Yield identifier, type, the second and third byte of the information word, and data."""
    always = constants.CAN_MSGFLAGS_SRR if own else 0
    for row, (can_id, kind) in enumerate(zip(batch.can_id, batch.flags, strict=True)):
        code = batch.dlc_code[row]
        flags2, flags = 0, always
        if kind & bits.FD:
            flags2 = constants.CAN_MSGFLAGS2_EDL
            if kind & bits.BRS and fast:
                flags2 |= constants.CAN_MSGFLAGS2_FDR
            if kind & bits.ESI:
                flags2 |= constants.CAN_MSGFLAGS2_ESI
        else:
            code = min(code, 8)
        if can_id & bits.CAN_EFF_FLAG:
            flags |= constants.CAN_MSGFLAGS_EXT
        data = batch.payload[batch.offset[row] : batch.offset[row + 1]]
        if can_id & bits.CAN_RTR_FLAG:
            flags |= constants.CAN_MSGFLAGS_RTR
            data = bytearray()
        yield can_id & bits.CAN_EFF_MASK, constants.CAN_MSGTYPE_DATA, flags2, flags | code, data
