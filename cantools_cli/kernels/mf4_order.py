"""Checks whether the records of an MDF 4 data group are in the order of their times, without decoding them.

Plans are described in ``kernels/mf4.py``.
"""

from __future__ import annotations

from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Float64s, Int64s, ReadBuffer, UInt16s

DONE = 0  #: the end of the bytes is reached
CUT = 1  #: the record continues after the end of the bytes
BACK = 2  #: the record is earlier than a previous one
STRANGE = 3  #: a record whose time or length is unusual
LOST = 4  #: an unknown record number

PLAN = 112


def scan(
    text: ReadBuffer,
    at: int,
    end: int,
    id_size: int,
    kinds: UInt16s,
    plan: Int64s,
    scales: Float64s,
    latest_ns: int,
) -> tuple[int, int, int]:
    """Check the records of ``text[at:end]``; return (position, reason, latest time so far).

    ``latest_ns`` is the latest time of the previous records; times count from the start of the file. At least
    8 bytes of any value follow ``end``.
    """
    done, cut, back, strange, lost = DONE, CUT, BACK, STRANGE, LOST
    stride, unknown = PLAN, 0xFFFF
    numbers = len(kinds)
    every_bit = 0xFFFFFFFFFFFFFFFF
    number_bits = words.first_bytes(every_bit, id_size)
    largest = 9.0e18
    if end + 8 > len(text) or at < 0 or id_size > 8:
        raise ValueError("the text is shorter than that")
    if len(scales) * stride > len(plan):
        raise ValueError("the plans differ in length")
    for index in range(numbers):
        if kinds[index] != unknown and kinds[index] >= len(scales):
            raise ValueError("a kind of record has no plan")
    reason = done
    while at < end:
        if end - at < id_size:
            reason = cut
            break
        number = words.load8(text, at) & number_bits
        if number >= numbers or kinds[number] == unknown:
            reason = lost
            break
        index = kinds[number]
        base = index * stride
        pos = at + id_size
        length = plan[base]
        kind = plan[base + 1]
        if kind == 5:  # VARIABLE: preceded by its length
            if end - pos < 4:
                reason = cut
                break
            length = 4 + words.load4(text, pos)
        if length < 0 or length > 65536:
            reason = strange
            break
        if end - pos < length:
            reason = cut
            break
        if kind not in (0, 5):
            mode = plan[base + 2]
            if plan[base + 11] != 2 or mode not in (0, 3):  # a word, little-endian
                reason = strange
                break
            bits = words.member(text, pos, plan, base + 11)
            if mode == 0:
                if bits >> 63 or bits > plan[base + 4]:  # beyond the latest time
                    reason = strange
                    break
                time = bits * plan[base + 3]
            else:
                real = words.real(bits) * scales[index]
                if not 0 <= real <= largest:
                    reason = strange
                    break
                time = words.whole(real + 0.5)
            if time < latest_ns:
                reason = back
                break
            latest_ns = time
        at = pos + length
    return at, reason, latest_ns


def latest(stamps: Int64s, latest_ns: int) -> int:
    """Return the last of ``stamps`` if they ascend from ``latest_ns`` on, -1 if one is earlier than the last.

    Times are not negative.
    """
    for row in range(len(stamps)):
        if stamps[row] < latest_ns:
            return -1
        latest_ns = stamps[row]
    return latest_ns
