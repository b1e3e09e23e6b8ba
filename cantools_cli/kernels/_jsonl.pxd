# The functions of _jsonl.py inline, for compiled kernels. Written by: python -m tests.kernels.inline
cimport cantools_cli.kernels._lines as lines
cimport cantools_cli.kernels._words as words

cdef inline long long after_key(const unsigned char[::1] text, long long pos, long long end, const unsigned char[::1] keys, const unsigned int[::1] ends, long long key) noexcept nogil:
    if pos < 0 or text[pos] != ord(','):
        return -1
    return words.behind(text, lines.after_spaces(text, pos + 1), end, keys, ends, key)

cdef inline long long exact_time(const unsigned char[::1] text, long long pos, long long[::1] timestamp_ns, long long row) noexcept nogil:
    cdef long long begin
    cdef unsigned long long value
    if text[pos] != ord('"'):
        return -1
    pos += 1
    begin = pos
    value = 0
    while ord('0') <= text[pos] <= ord('9') and pos - begin < 19:
        value = value * 10 + text[pos] - ord('0')
        pos += 1
    if pos == begin or text[pos] != ord('"') or value >> 63:
        return -1
    timestamp_ns[row] = value
    return pos + 1

cdef inline long long after_name(const unsigned char[::1] text, long long pos) noexcept nogil:
    if text[pos] == ord('"'):
        pos += 1
        while text[pos] != ord('"') and text[pos] >= ord(' '):
            if text[pos] == ord('\\') and text[pos + 1] >= ord(' '):
                pos += 1
            pos += 1
        if text[pos] != ord('"'):
            return -1
        pos += 1
    else:
        while text[pos] > ord(' ') and text[pos] != ord(','):
            pos += 1
    return pos if text[pos] == ord(',') else -1

cdef inline long long after_boolean(const unsigned char[::1] text, long long pos) noexcept nogil:
    if text[pos] == ord('t') and text[pos + 1] == ord('r'):
        return pos + 4 if text[pos + 2] == ord('u') and text[pos + 3] == ord('e') else -1
    if text[pos] == ord('f') and text[pos + 1] == ord('a') and (text[pos + 2] == ord('l')):
        return pos + 5 if text[pos + 3] == ord('s') and text[pos + 4] == ord('e') else -1
    return -1

cdef inline long long rest(const unsigned char[::1] text, long long pos, long long end, const unsigned char[::1] keys, const unsigned int[::1] ends, long long extended, long long row, unsigned int[::1] can_id, unsigned char[::1] flags, unsigned char[::1] dlc_code, unsigned int[::1] offset, unsigned char[::1] payload) noexcept nogil:
    cdef long long used
    cdef long long begin
    cdef long long length
    cdef long long size
    cdef long long marks
    cdef long long raw
    cdef long long key
    cdef long long code
    used = offset[row]
    begin = after_key(text, pos, end, keys, ends, 5)
    if begin < 0:
        return -1
    pos = lines.decimal(text, begin, 2, offset, row + 1)
    length = offset[row + 1]
    if pos == begin or (pos - begin == 2 and text[begin] == ord('0')):
        return -1
    pos = after_key(text, pos, end, keys, ends, 6)
    if pos < 0 or text[pos] != ord('"'):
        return -1
    size = lines.hex_data(text, pos + 1, end, payload, used, 64)
    if size < 0 or text[pos + 1 + 2 * size] != ord('"'):
        return -1
    pos += 2 + 2 * size
    marks = raw = 0
    key = 7
    while text[pos] == ord(','):
        begin = -1
        while begin < 0 and key < 14:
            begin = after_key(text, pos, end, keys, ends, key)
            key += 1
        if begin < 0:
            return -1
        marks |= 1 << key - 8
        if key == 14:
            pos = lines.decimal(text, begin, 2, offset, row + 1)
            raw = offset[row + 1]
            if raw < 9 or raw > 15 or text[begin] == ord('0'):
                return -1
        else:
            pos = after_boolean(text, begin)
            if pos < 0 or (text[begin] == ord('f')) != (key == 13):
                return -1
    if text[pos] != ord('}'):
        return -1
    code = size
    if marks & 4:
        code = words.fd_code(size)
        if marks & 67 or size != length or code > 15:
            return -1
    elif marks & 24 or length > 8 or size != (0 if marks & 1 else length) or (marks & 3 == 3):
        return -1
    elif marks & 1:
        code = length
    if marks & 64:
        if code != 8:
            return -1
        code = raw
    if marks & 2:
        can_id[row] |= 536870912
    elif extended:
        can_id[row] |= extended << 31
    elif can_id[row] > 2047:
        return -1
    if marks & 1:
        can_id[row] |= 1073741824
    flags[row] = marks >> 2 & 15
    dlc_code[row] = code
    offset[row + 1] = used + size
    return lines.after_line(text, pos + 1)

cdef inline long long put_piece(const unsigned char[::1] pieces, const unsigned int[::1] ends, long long piece, unsigned char[::1] out, long long to) noexcept nogil:
    cdef long long index
    cdef long long stop
    cdef long long behind
    index = ends[piece - 1] if piece > 0 else 0
    stop = ends[piece]
    behind = to + stop - index
    while index < stop:
        words.store8(out, to, words.load8(pieces, index))
        to += 8
        index += 8
    return behind
