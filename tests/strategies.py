"""Hypothesis strategies: all frames that CAN allows."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from cantools_cli.frame.bits import CAN_EFF_MASK, CAN_SFF_MASK, FD_LENGTHS
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage

#: nanoseconds from the epoch to the year 2200
TIMES = st.integers(0, 7_258_118_400_000_000_000)
MICROSECONDS = st.integers(0, 7_258_118_400_000_000).map(lambda time: time * 1000)
NAMES = st.sampled_from(["can0", "can1", "vcan0", "slcan0", "eth-can", "can12"])
CHANNELS = NAMES | st.integers(0, 15) | st.none()
DIRECTIONS = st.booleans()
KINDS = ("classic", "raw", "remote", "fd", "error")
NEVER = st.just(False)
ALL_KINDS = (*KINDS, "xl")


@st.composite
def messages(
    draw: st.DrawFn,
    *,
    kinds: tuple[str, ...] = KINDS,
    channels: st.SearchStrategy[Any] = NAMES,
    times: st.SearchStrategy[int] = TIMES,
    directions: st.SearchStrategy[bool] = DIRECTIONS,
    extended_errors: st.SearchStrategy[bool] = NEVER,
) -> Message:
    """Draw one legal frame of one of ``kinds``; ``raw`` is a classic or remote one with a DLC of 9 to 15.

    ``extended_errors`` draws whether an error frame has an extended identifier, which few formats can say.
    """
    kind = draw(st.sampled_from(kinds))
    if kind == "xl":
        return draw(xl_messages(channels=channels, times=times, directions=directions))
    extended = draw(extended_errors if kind == "error" else st.booleans())
    message = Message(
        arbitration_id=draw(st.integers(0, CAN_EFF_MASK if extended or kind == "error" else CAN_SFF_MASK)),
        is_extended_id=extended,
        channel=draw(channels),
        is_rx=draw(directions),
    )
    message.timestamp_ns = draw(times)
    if kind == "remote" or (kind == "raw" and draw(st.booleans())):
        message.is_remote_frame = True
        message.dlc = 8 if kind == "raw" else draw(st.integers(0, 8))
    elif kind == "fd":
        message.is_fd = True
        message.bitrate_switch = draw(st.booleans())
        message.error_state_indicator = draw(st.booleans())
        size = draw(st.sampled_from(FD_LENGTHS))
        message.data = bytearray(draw(st.binary(min_size=size, max_size=size)))
    else:
        size = draw(st.integers(0, 8)) if kind == "classic" else 8
        message.is_error_frame = kind == "error"
        message.data = bytearray(draw(st.binary(min_size=size, max_size=size)))
    if not message.is_remote_frame:
        message.dlc = len(message.data)
    if kind == "raw":
        message.dlc_code = draw(st.integers(9, 15))
    return message


@st.composite
def xl_messages(
    draw: st.DrawFn,
    *,
    channels: st.SearchStrategy[Any] = NAMES,
    times: st.SearchStrategy[int] = TIMES,
    directions: st.SearchStrategy[bool] = DIRECTIONS,
) -> XlMessage:
    """Draw one legal CAN XL frame."""
    message = XlMessage(
        arbitration_id=draw(st.integers(0, CAN_SFF_MASK)),
        data=draw(st.binary(min_size=1, max_size=70)) * draw(st.sampled_from([1, 1, 29])),
        vcid=draw(st.integers(0, 0xFF)),
        sdt=draw(st.integers(0, 0xFF)),
        sec=draw(st.booleans()),
        rrs=draw(st.booleans()),
        acceptance_field=draw(st.integers(0, 0xFFFFFFFF)),
        channel=draw(channels),
        is_rx=draw(directions),
    )
    message.timestamp_ns = draw(times)
    return message


def facts(message: Message) -> tuple[object, ...]:
    """Return everything that a frame says, fit for comparing with ``==``."""
    more: tuple[object, ...] = ()
    if isinstance(message, XlMessage):
        more = (message.vcid, message.sdt, message.sec, message.rrs, message.acceptance_field)
    return (
        message.timestamp_ns,
        message.channel,
        message.arbitration_id,
        message.is_extended_id,
        message.is_remote_frame,
        message.is_error_frame,
        message.is_fd,
        message.bitrate_switch,
        message.error_state_indicator,
        message.is_rx,
        message.dlc,
        message.dlc_code,
        bytes(message.data),
        *more,
    )
