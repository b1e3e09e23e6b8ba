"""Filters on the identifier word of the rows of a batch.

A test is four words: ``mask, low, high, inverted``. A frame passes it if ``low <= can_id & mask <= high``;
with ``inverted`` 1 the result is reversed. Error frames are not tested: they pass if they have a class bit of
``error_mask``.
"""

from __future__ import annotations

from cantools_cli.kernels.buffers import UInt32s

WORDS = 4  #: words of one test


def select(can_id: UInt32s, tests: UInt32s, join: bool, error_mask: int, rows: UInt32s) -> int:
    """Write the rows that pass into ``rows``, in order; return their number.

    A frame has to pass one test, or with ``join`` all of them; without tests all data frames pass.

    Raises:
        ValueError: ``rows`` is shorter than ``can_id``, or the length of ``tests`` is not a multiple of four.
    """
    size = len(can_id)
    words = len(tests)
    if len(rows) < size:
        raise ValueError("no room for the rows")
    if words % 4:
        raise ValueError("a test is four words")
    count = 0
    if words == 4:  # the common case, with a branch for error frames only
        mask = tests[0]
        low = tests[1]
        high = tests[2]
        inverted = tests[3] != 0
        for row in range(size):
            word = can_id[row]
            value = word & mask
            hit = ((low <= value) & (value <= high)) != inverted
            if word & 0x20000000:
                hit = (word & error_mask) != 0
            rows[count] = row
            count += hit
        return count
    wanted = not join  # the result of one test that decides
    for row in range(size):
        word = can_id[row]
        if word & 0x20000000:
            hit = (word & error_mask) != 0
        else:
            hit = words == 0 or join
            at = 0
            while at < words:
                value = word & tests[at]
                inverted = tests[at + 3] != 0
                if (((tests[at + 1] <= value) & (value <= tests[at + 2])) != inverted) == wanted:
                    hit = wanted
                    break
                at += 4
        rows[count] = row
        count += hit
    return count
