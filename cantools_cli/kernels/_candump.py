"""Fields of candump's lines for the general paths of ``candump.py`` and ``screen_lines.py``.

``_candump.pxd`` has the same functions inline; ``python -m tests.kernels.inline`` writes it.
"""

from __future__ import annotations

from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import ReadBuffer, UInt32s, WriteBuffer


def data(
    text: ReadBuffer,
    pos: int,
    end: int,
    row: int,
    can_id: UInt32s,
    flags: WriteBuffer,
    dlc_code: WriteBuffer,
    offset: UInt32s,
    payload: WriteBuffer,
    used: int,
) -> int:
    """Parse what follows the first ``#`` of a line; return the position after the line, or -1."""
    mark = size = code = 0
    is_error = can_id[row] >> 29 == 1
    if text[pos] in (ord("R"), ord("r")):
        if is_error:
            return -1
        can_id[row] |= 0x40000000
        pos += 1
        if ord("0") <= text[pos] <= ord("8"):
            code = text[pos] - ord("0")
            pos += 1
    else:
        if text[pos] == ord("#"):
            mark = lines.nibble(text[pos + 1])
            if is_error or mark > 15:
                return -1
            mark = 1 | (mark & 3) << 1
            pos += 2
        size = lines.hex_data(text, pos, end, payload, used, 64 if mark else 8)
        if size < 0:
            return -1
        pos += 2 * size
        code = words.fd_code(size)
        if code > 15:
            return -1
    if text[pos] == ord("_") and mark == 0 and code == 8:
        code = lines.nibble(text[pos + 1])
        if code < 9 or code > 15:
            return -1
        pos += 2
    if text[pos] == ord(" "):
        pos = lines.after_spaces(text, pos)
        if text[pos] in (ord("R"), ord("r"), ord("T"), ord("t")):
            mark |= 8 * (text[pos] in (ord("T"), ord("t")))
            pos = lines.after_spaces(text, pos + 1)
    flags[row] = mark
    dlc_code[row] = code
    offset[row + 1] = used + size
    return lines.after_line(text, pos)
