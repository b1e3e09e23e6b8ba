# The functions of _candump.py inline, for compiled kernels. Written by: python -m tests.kernels.inline
cimport cantools_cli.kernels._lines as lines
cimport cantools_cli.kernels._words as words

cdef inline long long data(const unsigned char[::1] text, long long pos, long long end, long long row, unsigned int[::1] can_id, unsigned char[::1] flags, unsigned char[::1] dlc_code, unsigned int[::1] offset, unsigned char[::1] payload, long long used) noexcept nogil:
    cdef long long mark
    cdef long long size
    cdef long long code
    cdef long long is_error
    mark = size = code = 0
    is_error = can_id[row] >> 29 == 1
    if text[pos] in (ord('R'), ord('r')):
        if is_error:
            return -1
        can_id[row] |= 1073741824
        pos += 1
        if ord('0') <= text[pos] <= ord('8'):
            code = text[pos] - ord('0')
            pos += 1
    else:
        if text[pos] == ord('#'):
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
    if text[pos] == ord('_') and mark == 0 and (code == 8):
        code = lines.nibble(text[pos + 1])
        if code < 9 or code > 15:
            return -1
        pos += 2
    if text[pos] == ord(' '):
        pos = lines.after_spaces(text, pos)
        if text[pos] in (ord('R'), ord('r'), ord('T'), ord('t')):
            mark |= 8 * (text[pos] in (ord('T'), ord('t')))
            pos = lines.after_spaces(text, pos + 1)
    flags[row] = mark
    dlc_code[row] = code
    offset[row + 1] = used + size
    return lines.after_line(text, pos)
