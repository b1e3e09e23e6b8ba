# The functions of _printed.py inline, for compiled kernels. Written by: python -m tests.kernels.inline
cimport cantools_cli.kernels._lines as lines
cimport cantools_cli.kernels._words as words

cdef inline long long marks(const unsigned char[::1] text, long long pos, long long row, unsigned char[::1] flags) noexcept nogil:
    cdef long long found
    cdef long long mark
    cdef long long after
    if text[pos] not in (ord('S'), ord('X')):
        return -1
    found = 32 * (text[pos] == ord('X'))
    pos += 1
    while text[pos] == ord(' '):
        pos = lines.after_spaces(text, pos)
        mark = text[pos]
        after = text[pos + 1] if mark > ord(' ') else 0
        if after == ord('x') and mark in (ord('R'), ord('T')):
            found |= 64 * (mark == ord('T'))
            pos += 2
        elif mark == ord('B') and after == ord('S'):
            found |= 2
            pos += 2
        elif mark == ord('E') and after == ord('I'):
            found |= 4
            pos += 2
        elif mark in (ord('E'), ord('R'), ord('F')):
            found |= 8 if mark == ord('E') else 16 if mark == ord('R') else 1
            pos += 1
        elif mark == ord('D') and after == ord('L'):
            pos += 2 + (text[pos + 2] == ord('C'))
            if text[pos] != ord(':'):
                return -1
            flags[row] = found
            return lines.after_spaces(text, pos + 1)
        else:
            return -1
    return -1

cdef inline long long after_text(const unsigned char[::1] text, long long pos, long long end) noexcept nogil:
    if pos + 32 <= end:
        pos += words.blank_run(text, pos)
    pos = lines.after_spaces(text, pos)
    if text[pos] != ord("'"):
        return pos
    pos += 1
    if pos + 8 <= end:
        pos += words.alphanumeric_run(words.load8(text, pos))
    while ord('0') <= text[pos] <= ord('9') or ord('a') <= text[pos] | 32 <= ord('z'):
        pos += 1
    return lines.after_spaces(text, pos + 1) if text[pos] == ord("'") else -1
