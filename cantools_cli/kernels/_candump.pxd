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

cdef inline long long directions(const unsigned char[::1] text, long long pos, long long row, unsigned char[::1] flags) noexcept nogil:
    cdef long long mark
    mark = 0
    if text[pos] in (ord('R'), ord('T')) and text[pos + 1] == ord('X'):
        mark = 8 * (text[pos] == ord('T'))
        pos += 2
        if text[pos] != ord(' ') or text[pos + 1] not in (ord('-'), ord('B')) or text[pos + 2] != ord(' '):
            return -1
        if text[pos + 3] not in (ord('-'), ord('E')) or text[pos + 4] != ord(' '):
            return -1
        mark |= 2 * (text[pos + 1] == ord('B')) | 4 * (text[pos + 3] == ord('E'))
        pos = lines.after_spaces(text, pos + 4)
    flags[row] = mark
    return pos

cdef inline long long length(const unsigned char[::1] text, long long pos, long long row, unsigned char[::1] flags, unsigned char[::1] dlc_code, unsigned int[::1] lengths) noexcept nogil:
    cdef long long is_fd
    cdef long long begin
    is_fd = 0
    begin = pos + 1
    if text[pos] == ord('['):
        pos = lines.decimal(text, begin, 2, lengths, row)
        is_fd = pos - begin == 2
        if pos == begin or text[pos] != ord(']') or lengths[row] > (64 if is_fd else 8):
            return -1
        dlc_code[row] = words.fd_code(lengths[row])
    elif text[pos] == ord('{') and lines.nibble(text[begin]) <= 15 and (text[begin + 1] == ord('}')):
        dlc_code[row] = lines.nibble(text[begin])
        lengths[row] = min(dlc_code[row], 8)
        pos = begin + 1
    else:
        return -1
    flags[row] = flags[row] & (14 if is_fd else 8) | is_fd
    begin = lines.after_spaces(text, pos + 1)
    return max(begin - 1, pos + 1)

cdef inline long long screen_data(const unsigned char[::1] text, long long pos, long long end, long long row, long long length, long long size, long long code, long long is_fd, unsigned int[::1] can_id, unsigned char[::1] payload, long long used, const unsigned char[::1] remote, const unsigned char[::1] error) noexcept nogil:
    cdef long long index
    cdef long long begin
    if is_fd and code > 15:
        return -1
    index = lines.after_spaces(text, pos)
    if size == 0 and index > pos and (text[index] == ord('r')):
        if is_fd or can_id[row] >> 29 == 1 or index + len(remote) > end:
            return -1
        if not words.same(text, index, remote, len(remote)):
            return -1
        can_id[row] |= 1073741824
        return lines.after_line(text, lines.after_spaces(text, index + len(remote)))
    pos = lines.spaced_data(text, pos, end, payload, used + size, length - size)
    if pos < 0 or text[pos] not in (ord(' '), ord('\n'), ord('\r')):
        return -1
    if pos + 32 <= end:
        pos += words.blank_run(text, pos)
    pos = lines.after_spaces(text, pos)
    if text[pos] == ord('E') and pos + len(error) <= end and words.same(text, pos, error, len(error)):
        pos = lines.after_spaces(text, pos + len(error))
    if text[pos] == ord("'"):
        begin = pos
        while text[pos] >= ord(' '):
            pos += 1
        index = pos - 1
        while text[index] == ord(' '):
            index -= 1
        if index == begin or text[index] != ord("'"):
            return -1
    return lines.after_line(text, pos)
