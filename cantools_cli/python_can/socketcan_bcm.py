"""Message heads of the kernel's broadcast manager, as in ``can.interfaces.socketcan.socketcan``.

Not documented there, but imported by third parties, with the numbers of ``linux/can/bcm.h``.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from cantools_cli.backends.socketcan import bcm_codec as codec

__all__ = [
    "CAN_BCM_TX_DELETE",
    "CAN_BCM_TX_SETUP",
    "SETTIMER",
    "STARTTIMER",
    "TX_COUNTEVT",
    "BcmMsgHead",
    "bcm_header_factory",
    "build_bcm_header",
    "build_bcm_transmit_header",
    "build_bcm_tx_delete_header",
    "build_bcm_update_header",
]

CAN_BCM_TX_SETUP, CAN_BCM_TX_DELETE = codec.TX_SETUP, codec.TX_DELETE
SETTIMER, STARTTIMER, TX_COUNTEVT = codec.SETTIMER, codec.STARTTIMER, codec.TX_COUNTEVT


def bcm_header_factory(fields: Sequence[tuple[str, Any]], alignment: int = 8) -> type[ctypes.Structure]:
    """Return a structure of ``fields`` and padding fields, whose size is a multiple of ``alignment``."""
    padded: list[tuple[str, Any]] = []
    size = 0

    def pad(to: int) -> None:
        nonlocal size
        while size % to:
            count = sum(name.startswith("pad_") for name, _ in padded)
            padded.append((f"pad_{count}", ctypes.c_uint8))
            size += 1

    for name, kind in fields:
        pad(ctypes.alignment(kind))
        padded.append((name, kind))
        size += ctypes.sizeof(kind)
    pad(alignment)
    return type("BcmMsgHead", (ctypes.Structure,), {"_fields_": padded})


BcmMsgHead = bcm_header_factory(
    [
        *((name, ctypes.c_uint32) for name in ("opcode", "flags", "count")),
        *((f"ival{number}_tv_{unit}", ctypes.c_long) for number in (1, 2) for unit in ("sec", "usec")),
        *((name, ctypes.c_uint32) for name in ("can_id", "nframes")),
    ]
)


def build_bcm_header(
    opcode: int,
    flags: int,
    count: int,
    ival1_seconds: int,
    ival1_usec: int,
    ival2_seconds: int,
    ival2_usec: int,
    can_id: int,
    nframes: int,
) -> bytes:
    """Return the head of a message to the broadcast manager."""
    first, second = ival1_seconds * 1_000_000 + ival1_usec, ival2_seconds * 1_000_000 + ival2_usec
    return codec.encode_head(codec.BcmHead(opcode, flags, count, first, second, can_id, nframes))


def build_bcm_tx_delete_header(can_id: int, flags: int) -> bytes:
    """Return the message that ends a transmission."""
    return codec.encode_head(codec.BcmHead(codec.TX_DELETE, flags, handle=can_id))


def build_bcm_transmit_header(
    can_id: int, count: int, initial_period: float, subsequent_period: float, msg_flags: int, nframes: int = 1
) -> bytes:
    """Return the head that starts a transmission; ``count`` frames use the first period, in seconds."""
    flags = msg_flags | SETTIMER | STARTTIMER | (TX_COUNTEVT if initial_period > 0 else 0)
    first, second = round(initial_period * 1_000_000), round(subsequent_period * 1_000_000)
    return codec.encode_head(codec.BcmHead(codec.TX_SETUP, flags, count, first, second, can_id, nframes))


def build_bcm_update_header(can_id: int, msg_flags: int, nframes: int = 1) -> bytes:
    """Return the head that replaces the frames of a transmission."""
    return codec.encode_head(codec.BcmHead(codec.TX_SETUP, msg_flags, handle=can_id, number=nframes))
