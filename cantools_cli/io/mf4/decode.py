"""Decodes single records of an MDF 4 file: those that the kernel leaves as rare or malformed."""

from __future__ import annotations

import struct

from cantools_cli.errors import FormatError
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.message import Message
from cantools_cli.io.mf4.layout import MAX_NS, Numbers
from cantools_cli.kernels import mf4 as kernel

#: by the number of an error's cause: other, bit, form, stuff, CRC, acknowledge
_CAUSES = (
    error_frames.CODE_OTHER,
    error_frames.CODE_BIT,
    error_frames.CODE_FORM,
    error_frames.CODE_STUFF,
    error_frames.CODE_CRC,
    error_frames.CODE_NO_ACK,
)


def decode(
    record: bytes, plan: memoryview, scale: float, start_ns: int, data: bytes, error_type: Numbers | None
) -> Message:
    """Return the frame of ``record``, as the kernel would; its channel is the number of the bus.

    ``error_type`` is the field with the cause of an error, None for an overload.
    """
    message = Message(is_extended_id=False)
    message.timestamp_ns = start_ns + _time(record, plan, scale)
    if not -MAX_NS <= message.timestamp_ns <= MAX_NS:
        raise FormatError("the time is out of range")
    message.channel = value_of(record, plan, kernel.BUS)
    message.is_rx = not value_of(record, plan, kernel.DIR) & 1
    if plan[kernel.KIND] == kernel.RARE:
        return _rare_error(record, error_type, message)
    word, code = value_of(record, plan, kernel.ID), value_of(record, plan, kernel.DLC)
    message.arbitration_id = word & bits.CAN_EFF_MASK
    size = value_of(record, plan, kernel.SIZE) if _has(plan, kernel.SIZE) else -1
    if code > 15:
        raise FormatError(f"invalid DLC {code}")
    if plan[kernel.KIND] == kernel.ERROR:
        message.is_error_frame = True
        message.is_extended_id = bool(word >> 31 or value_of(record, plan, kernel.IDE) & 1)
        return _with_data(message, min(code, 8) if size < 0 else size, data)
    is_extended = word >> 31 or value_of(record, plan, kernel.IDE) & 1
    if not _has(plan, kernel.IDE):
        is_extended = is_extended or message.arbitration_id > bits.CAN_SFF_MASK
    message.is_extended_id = bool(is_extended)
    if not is_extended and message.arbitration_id > bits.CAN_SFF_MASK:
        raise FormatError(f"the identifier {message.arbitration_id:#x} has more than 11 bits")
    if plan[kernel.KIND] == kernel.REMOTE:
        message.is_remote_frame = True
        code = code if _has(plan, kernel.DLC) else max(size, 0)
        message.dlc, message.dlc_code = min(code, 8), code
        return message
    message.is_fd = bool(value_of(record, plan, kernel.EDL) & 1)
    if size < 0:
        size = len(data) if not _has(plan, kernel.DLC) else code
        if _has(plan, kernel.DLC):
            size = bits.FD_LENGTHS[code] if message.is_fd else min(code, 8)
    if not _has(plan, kernel.EDL):
        message.is_fd = size > 8
    return _with_kind(message, size, code if _has(plan, kernel.DLC) else min(size, 8), data, record, plan)


def _rare_error(record: bytes, error_type: Numbers | None, message: Message) -> Message:
    """Return the error frame of ``record``: an overload frame, or an error with a cause."""
    code = error_frames.CODE_OVERLOAD
    if error_type is not None:
        cause = _extracted(record, error_type)
        code = _CAUSES[cause] if cause < len(_CAUSES) else error_frames.CODE_OTHER
    message.is_error_frame = True
    message.arbitration_id, data = error_frames.from_code(code, 0, False)
    message.data = bytearray(data)
    message.dlc = len(data)
    return message


def value_of(record: bytes, plan: memoryview, number: int) -> int:
    """Return the field ``number`` of ``record``, 0 if it has no such field."""
    begin = kernel.PLAN_FIELDS + number * kernel.WIDTH
    how, at, shift, count, mask, value = plan[begin : begin + kernel.WIDTH]
    return _extracted(record, (how, at, shift, count, mask, value))


def _has(plan: memoryview, number: int) -> bool:
    return plan[kernel.PLAN_FIELDS + number * kernel.WIDTH] != kernel.ABSENT


def _extracted(record: bytes, numbers: Numbers) -> int:
    how, at, shift, count, mask, value = numbers
    if how in (kernel.ABSENT, kernel.CONSTANT):
        return value
    value = int.from_bytes(record[at : at + count], "little" if how == kernel.LITTLE else "big")
    return value >> shift & mask


def _time(record: bytes, plan: memoryview, scale: float) -> int:
    """Return the nanoseconds since the start of the file."""
    ticks = value_of(record, plan, kernel.TIME)
    mode = plan[kernel.TIME_MODE]
    if mode in (kernel.UNSIGNED, kernel.SIGNED):
        if mode == kernel.SIGNED and ticks >> 63:
            ticks -= 1 << 64
        return ticks * int(plan[kernel.TIME_FACTOR])
    real = float(ticks)
    if mode == kernel.FLOATING:
        real = struct.unpack("<d", ticks.to_bytes(8, "little"))[0]
    if not abs(real * scale) <= kernel.LARGEST_REAL:
        raise FormatError(f"the time {real} is out of range")
    return round(real * scale)


def _with_data(message: Message, size: int, data: bytes) -> Message:
    if size > (64 if message.is_fd else 8):
        raise FormatError(f"{size} data bytes, more than a frame has")
    if size > len(data):
        raise FormatError(f"{size} data bytes, but only {len(data)} are present")
    message.data = bytearray(data[:size])
    message.dlc = size
    return message


def _with_kind(
    message: Message, size: int, code: int, data: bytes, record: bytes, plan: memoryview
) -> Message:
    """Set the fields in which classic and CAN FD frames differ."""
    if not message.is_fd:
        _with_data(message, size, data)
        message.dlc_code = code if code > 8 and size == 8 else size
        return message
    if size == code > 8 and len(data) >= bits.FD_LENGTHS[code]:
        size = bits.FD_LENGTHS[code]  # the writer confused the DLC with the length
    _with_data(message, size, data)
    if size not in bits.FD_LENGTHS:
        raise FormatError(f"{size} is not a CAN FD length")
    message.bitrate_switch = bool(value_of(record, plan, kernel.BRS) & 1)
    message.error_state_indicator = bool(value_of(record, plan, kernel.ESI) & 1)
    return message
