"""Fields of printed messages for the general path of ``printed.py``.

``_printed.pxd`` has the same functions inline; ``python -m tests.kernels.inline`` writes it.
"""

from __future__ import annotations

from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import ReadBuffer, WriteBuffer


def marks(text: ReadBuffer, pos: int, row: int, flags: WriteBuffer) -> int:
    """Parse ``S`` or ``X``, then other marks in any order; return the position of the length after them.

    Writes ``flags[row]``: 1 FD, 2 BRS, 4 ESI, 8 error, 16 remote, 32 extended, 64 sent.
    """
    if text[pos] not in (ord("S"), ord("X")):
        return -1
    found = 32 * (text[pos] == ord("X"))
    pos += 1
    while text[pos] == ord(" "):
        pos = lines.after_spaces(text, pos)
        mark = text[pos]
        after = text[pos + 1] if mark > ord(" ") else 0
        if after == ord("x") and mark in (ord("R"), ord("T")):
            found |= 64 * (mark == ord("T"))
            pos += 2
        elif mark == ord("B") and after == ord("S"):
            found |= 2
            pos += 2
        elif mark == ord("E") and after == ord("I"):
            found |= 4
            pos += 2
        elif mark in (ord("E"), ord("R"), ord("F")):
            found |= 8 if mark == ord("E") else 16 if mark == ord("R") else 1
            pos += 1
        elif mark == ord("D") and after == ord("L"):
            pos += 2 + (text[pos + 2] == ord("C"))
            if text[pos] != ord(":"):
                return -1
            flags[row] = found
            return lines.after_spaces(text, pos + 1)
        else:
            return -1
    return -1


def after_text(text: ReadBuffer, pos: int, end: int) -> int:
    """Return the position after spaces and the data as text, any letters and digits between apostrophes."""
    if pos + 32 <= end:
        pos += words.blank_run(text, pos)
    pos = lines.after_spaces(text, pos)
    if text[pos] != ord("'"):
        return pos
    pos += 1
    if pos + 8 <= end:
        pos += words.alphanumeric_run(words.load8(text, pos))
    while ord("0") <= text[pos] <= ord("9") or ord("a") <= text[pos] | 32 <= ord("z"):
        pos += 1
    return lines.after_spaces(text, pos + 1) if text[pos] == ord("'") else -1
