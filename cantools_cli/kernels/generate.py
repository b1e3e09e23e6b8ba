"""Frames by rule into columns: the loop of the traffic generator.

Randomness is xoshiro128++, which needs 32-bit words only and no overflow, so that both forms of this file
give the same frames. Source: David Blackman and Sebastiano Vigna, "Scrambled Linear Pseudorandom Number
Generators", 2021.
"""

from __future__ import annotations

from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

# Kinds of frames, bits of ``kinds``.
EXTENDED = 1
REMOTE = 2
FD = 4
BRS = 8
ESI = 16
RAW = 32  #: a classic frame may have a DLC code above 8
MIX = 64  #: each of the other bits holds for a random part of the frames

# Modes of identifiers, length codes and data.
FIXED = 0
INCREMENT = 1
RANDOM = 2
EVEN = 3
ODD = 4


def seeded(seed: int) -> tuple[int, int, int, int]:
    """Return four words of state derived from the lowest 64 bits of ``seed`` by SplitMix64."""
    words: list[int] = []
    for _ in range(2):
        seed = (seed + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        mixed = ((seed ^ seed >> 30) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        mixed = ((mixed ^ mixed >> 27) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        mixed ^= mixed >> 31
        words += (mixed & 0xFFFFFFFF, mixed >> 32)
    return words[0], words[1], words[2], words[3]


def _draw(state: UInt32s) -> int:
    """Return 32 random bits; ``state`` is four words."""
    s0 = state[0]
    s1 = state[1]
    s2 = state[2] ^ s0
    s3 = state[3]
    word_mask = 0xFFFFFFFF
    total = (s0 + s3) & word_mask
    result = ((total << 7 | total >> 25) + s0) & word_mask
    s3 ^= s1
    state[0] = s0 ^ s3
    state[1] = s1 ^ s2
    state[2] = s2 ^ (s1 << 9 & word_mask)
    state[3] = (s3 << 11 | s3 >> 21) & word_mask
    return result


def fill(
    state: UInt32s,
    number: int,
    time: int,
    step: int,
    rest: int,
    extra: int,
    per: int,
    kinds: int,
    id_mode: int,
    identifier: int,
    length_mode: int,
    length: int,
    data_mode: int,
    pattern: ReadBuffer,
    mask: ReadBuffer,
    timestamp_ns: Int64s,
    can_id: UInt32s,
    flags: WriteBuffer,
    channel: UInt16s,
    dlc_code: WriteBuffer,
    offset: UInt32s,
    payload: WriteBuffer,
) -> int:
    """Fill all rows of a batch with frames of channel 0; return the size of the payload.

    ``state`` holds the four words of the random generator and is updated for the next batch. ``number`` is
    the number of the first frame, from 0, ``time`` its timestamp. Each further frame is ``step + extra /
    per`` nanoseconds later; ``rest / per`` is the fraction accumulated so far. The timestamp after the last
    row has to fit int64. The data bits are random if set in ``mask``, else those of ``pattern``.

    Raises:
        ValueError: a column is too short; every row needs room for a frame of maximum length.
    """
    word_mask = 0xFFFFFFFF
    extended_bit = 0x80000000
    count = len(timestamp_ns)
    room = len(payload)
    if len(state) != 4 or len(pattern) < 64 or len(mask) < 64 or per <= 0:
        raise ValueError("four words of state, and 64 bytes of pattern and of mask, are needed")
    lines.check_columns(0, timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    if not 0 <= length < 16 or number < 0:
        raise ValueError("a length code is 0 to 15, and frames are counted from 0")
    if room > word_mask:
        raise ValueError("the offsets do not fit")
    row = 0
    used = 0
    counter = number
    offset[0] = 0
    while row < count:
        kind = kinds
        if kinds & 64:
            # one random word for all choices: one bit each, and two for remote frames, which are a quarter
            draw = _draw(state)
            kind = kinds & (draw >> 8) & 29
            kind |= kinds & 32
            if kinds & 2 and not kind & 4 and not draw & 3:
                kind |= 2
        kind &= 29 if kind & 4 else 35
        # identifier
        word = 0x1FFFFFFF if kind & 1 else 0x7FF
        if id_mode >= 2:
            draw = _draw(state)
            word &= draw
            if id_mode == 3:
                word &= 0x1FFFFFFE
            elif id_mode == 4:
                word |= 1
        elif id_mode == 1:
            word &= counter
        else:
            word &= identifier
        if kind & 1:
            word |= extended_bit
        if kind & 2:
            word |= 0x40000000
        can_id[row] = word
        # length code
        limit = 16 if kind & 36 else 9
        if length_mode == 2:
            draw = _draw(state)
            code = (draw * limit) >> 32
        elif length_mode == 1:
            code = counter % limit
        else:
            code = min(length, limit - 1)
        if data_mode == 1 and code == 0 and not kind & 2:
            code = 1
        dlc_code[row] = code
        flags[row] = kind >> 2 & 7
        channel[row] = 0
        timestamp_ns[row] = time
        # data
        size = 0 if kind & 2 else words.fd_length(code) if kind & 4 else min(code, 8)
        if used + size > room:
            raise ValueError("no room for the payload")
        at = 0
        if data_mode == 2:
            while at < size:
                draw = _draw(state)
                stop = min(at + 4, size)
                while at < stop:
                    payload[used + at] = pattern[at] | (draw & mask[at])
                    draw >>= 8
                    at += 1
        elif data_mode == 1:
            rising = counter
            while at < size:
                payload[used + at] = rising & 255
                rising >>= 8
                at += 1
        else:
            while at < size:
                payload[used + at] = pattern[at]
                at += 1
        used += size
        row += 1
        offset[row] = used
        counter += 1
        rest += extra
        time += step
        if rest >= per:
            rest -= per
            time += 1
    return used
