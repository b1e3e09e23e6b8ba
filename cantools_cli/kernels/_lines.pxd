# The functions of _lines.py inline, for compiled kernels. Written by: python -m tests.kernels.inline
cimport cantools_cli.kernels._words as words

cdef enum:
    DONE = 0
    FULL = 1
    STRANGE = 2
    NAME = 3
    BILLION = 1000000000
    UPPER = 55
    LOWER = 87
    NUMBERS = 256
    NO_CHANNEL = 65535
    SLOTS = 64

cdef inline int check_text(const unsigned char[::1] text, long long at, long long end) except -1:
    if at < end and (end > len(text) or text[end - 1] != ord('\n')):
        raise ValueError('the text must end with a newline')

cdef inline int check_columns(long long row, const long long[::1] timestamp_ns, const unsigned int[::1] can_id, const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code, const unsigned int[::1] offset, const unsigned char[::1] payload) except -1:
    cdef long long rows
    rows = len(timestamp_ns)
    if len(can_id) < rows or len(flags) < rows or len(channel) < rows or (len(dlc_code) < rows):
        raise ValueError('the columns differ in length')
    if row < 0 or row > rows or len(offset) <= rows or (offset[row] > len(payload)):
        raise ValueError('the offsets do not fit')

cdef inline int check_names(const unsigned char[::1] names, const unsigned int[::1] name_ends) except -1:
    cdef long long count
    count = len(name_ends)
    if count > 65536 or (count > 0 and name_ends[count - 1] > len(names)):
        raise ValueError('the names do not fit')

cdef inline int check_numbers(const unsigned short[::1] numbers) except -1:
    if len(numbers) < NUMBERS:
        raise ValueError('the table of channels is too short')

cdef inline unsigned long long load(const unsigned char[::1] text, long long at, long long end) noexcept nogil:
    cdef unsigned long long word
    if at + 8 <= end:
        return words.load8(text, at)
    word = 0
    while end > at:
        end -= 1
        word = word << 8 | text[end]
    return word

cdef inline long long int64(const unsigned char[::1] text, long long at) noexcept nogil:
    cdef long long high
    high = words.load4(text, at + 4)
    return (high - (high >> 31 << 32) << 32) + words.load4(text, at)

cdef inline long long after_spaces(const unsigned char[::1] text, long long pos) noexcept nogil:
    while text[pos] == ord(' '):
        pos += 1
    return pos

cdef inline long long after_many_spaces(const unsigned char[::1] text, long long pos, long long end) noexcept nogil:
    while pos + 8 <= end and words.blanks(words.load8(text, pos)) == 8:
        pos += 8
    return after_spaces(text, pos)

cdef inline long long after_line(const unsigned char[::1] text, long long pos) noexcept nogil:
    if text[pos] == ord('\r'):
        pos += 1
    return pos + 1 if text[pos] == ord('\n') else -1

cdef inline long long seconds(const unsigned char[::1] text, long long pos, long long end, long long[::1] timestamp_ns, long long row) noexcept nogil:
    cdef unsigned long long run
    cdef long long digits
    cdef long long value
    if pos + 8 > end:
        return -1
    run = words.decimal_run(words.load8(text, pos))
    digits = run >> 32
    value = run - (digits << 32)
    pos += digits
    if digits == 8:
        while digits <= 10 and ord('0') <= text[pos] <= ord('9'):
            value = value * 10 + text[pos] - ord('0')
            digits += 1
            pos += 1
    if digits == 0 or digits > 10 or value // BILLION > 8:
        return -1
    timestamp_ns[row] = value * BILLION
    return pos

cdef inline long long fraction(const unsigned char[::1] text, long long pos, long long end, long long[::1] timestamp_ns, long long row) noexcept nogil:
    cdef unsigned long long run
    cdef long long digits
    cdef long long value
    if pos + 8 > end:
        return -1
    run = words.fraction_run(words.load8(text, pos))
    digits = run >> 32
    value = (run - (digits << 32)) * 10
    pos += digits
    if digits == 8 and ord('0') <= text[pos] <= ord('9'):
        value += text[pos] - ord('0')
        pos += 1
    timestamp_ns[row] += value
    return pos if digits > 0 else -1

cdef inline long long decimal(const unsigned char[::1] text, long long pos, long long most, unsigned int[::1] column, long long row) noexcept nogil:
    column[row], pos = number(text, pos, most)
    return pos

cdef inline (long long, long long) number(const unsigned char[::1] text, long long pos, long long most) noexcept nogil:
    cdef long long end
    cdef long long value
    end = pos + most
    value = 0
    while pos < end and ord('0') <= text[pos] <= ord('9'):
        value = value * 10 + text[pos] - ord('0')
        pos += 1
    return (value, pos)

cdef inline (long long, long long) long_decimal(const unsigned char[::1] text, long long pos, long long end) noexcept nogil:
    cdef unsigned long long run
    cdef long long value
    cdef long long last
    run = words.decimal_run(load(text, pos, end))
    value = words.first_bytes(run, 4)
    pos += run >> 32
    if run >> 32 == 8:
        last = pos + 8
        while pos < last and ord('0') <= text[pos] <= ord('9'):
            value = value * 10 + text[pos] - ord('0')
            pos += 1
    return (value, pos)

cdef inline long long hexadecimal(const unsigned char[::1] text, long long pos, long long end, unsigned int[::1] column, long long row) noexcept nogil:
    cdef unsigned long long run
    cdef long long digits
    if pos + 8 <= end:
        run = words.hex_run(words.load8(text, pos))
        digits = run >> 32
        column[row] = run - (digits << 32)
        return pos + digits
    column[row] = 0
    while nibble(text[pos]) <= 15:
        column[row] = column[row] << 4 | nibble(text[pos])
        pos += 1
    return pos

cdef inline long long nibble(long long byte) noexcept nogil:
    return words.nibble(byte)

cdef inline (long long, long long) hex_number(const unsigned char[::1] text, long long pos, long long end) noexcept nogil:
    cdef unsigned long long run
    run = words.hex_run(load(text, pos, end))
    return (words.first_bytes(run, 4), pos + (run >> 32))

cdef inline long long octet(const unsigned char[::1] text, long long pos) noexcept nogil:
    cdef long long high
    cdef long long low
    high = nibble(text[pos])
    if high > 15:
        return -1
    low = nibble(text[pos + 1])
    return high << 4 | low if low <= 15 else -1

cdef inline long long direction(const unsigned char[::1] text, long long pos) noexcept nogil:
    cdef long long letter
    letter = text[pos]
    if letter not in (ord('R'), ord('T')) or text[pos + 1] != ord('x'):
        return -1
    return 8 * (letter == ord('T'))

cdef inline (long long, long long) switches(const unsigned char[::1] text, long long pos, long long count) noexcept nogil:
    cdef long long bits
    cdef long long index
    bits = 0
    for index in range(count):
        if text[pos] != ord(',') or text[pos + 1] not in (ord('0'), ord('1')):
            return (bits, -1)
        bits |= (text[pos + 1] & 1) << index
        pos += 2
    return (bits, pos)

cdef inline long long hex_data(const unsigned char[::1] text, long long pos, long long end, unsigned char[::1] payload, long long at, long long most) noexcept nogil:
    cdef long long size
    cdef long long digits
    cdef long long high
    cdef long long low
    size = 0
    digits = 16
    while digits == 16 and size + 8 <= most and (pos + 16 <= end):
        digits = words.unhex(text, pos, payload, at + size)
        size += digits >> 1
        pos += digits & 30
    high = nibble(text[pos])
    while high <= 15:
        low = nibble(text[pos + 1])
        if low > 15 or size >= most:
            return -1
        payload[at + size] = high << 4 | low
        size += 1
        pos += 2
        high = nibble(text[pos])
    return size

cdef inline long long spaced_data(const unsigned char[::1] text, long long pos, long long end, unsigned char[::1] payload, long long at, long long size) noexcept nogil:
    cdef long long done
    cdef long long count
    cdef long long value
    if size <= 8 and pos + 26 <= end:
        return pos + 3 * size if words.unhex_spaced(text, pos, payload, at) >= size else -1
    done = 0
    while done < size and pos + 26 <= end:
        count = words.unhex_spaced(text, pos, payload, at + done)
        if count < 8 and count < size - done:
            return -1
        count = min(size - done, 8)
        done += count
        pos += 3 * count
    while done < size:
        value = octet(text, pos + 1) if text[pos] == ord(' ') else -1
        if value < 0:
            return -1
        payload[at + done] = value
        done += 1
        pos += 3
    return pos

cdef inline long long slot_of(unsigned long long key) noexcept nogil:
    return (key >> 24 ^ key >> 30 ^ key >> 36) & SLOTS - 1

cdef inline long long recent_channel(const long long[::1] recent, unsigned long long key) noexcept nogil:
    cdef long long slot
    slot = slot_of(key)
    return recent[SLOTS + slot] if recent[slot] == key else -1

cdef inline long long channel_at(const unsigned char[::1] text, long long at, long long stop, long long end, const unsigned char[::1] names, const unsigned int[::1] name_ends, long long[::1] recent) noexcept nogil:
    cdef unsigned long long key
    cdef long long count
    cdef long long number
    cdef long long _
    cdef long long begin
    cdef long long index
    key = 0
    if stop - at < 8 and at + 8 <= end:
        key = words.first_bytes(words.load8(text, at), stop + 1 - at)
        number = recent_channel(recent, key)
        if number >= 0:
            return number
    count = len(name_ends)
    number = recent[2 * SLOTS]
    for _ in range(count):
        begin = name_ends[number - 1] if number > 0 else 0
        index = at
        if name_ends[number] - begin == stop - at:
            while index < stop and names[begin + index - at] == text[index]:
                index += 1
            if index == stop:
                recent[2 * SLOTS] = number
                if key > 0:
                    recent[slot_of(key)] = key
                    recent[SLOTS + slot_of(key)] = number
                return number
        number = number + 1 if number + 1 < count else 0
    return -1

cdef inline long long put(const unsigned char[::1] source, long long begin, long long end, unsigned char[::1] out, long long to) noexcept nogil:
    cdef long long stop
    stop = to + end - begin
    if end - begin <= 8 and begin + 8 <= len(source):
        words.store8(out, to, words.load8(source, begin))
        return stop
    while begin + 8 <= end:
        words.store8(out, to, words.load8(source, begin))
        begin += 8
        to += 8
    while begin < end:
        out[to] = source[begin]
        begin += 1
        to += 1
    return stop

cdef inline long long put_decimal(unsigned long long value, long long least, unsigned char[::1] out, long long to) noexcept nogil:
    cdef long long count
    cdef unsigned long long rest
    cdef long long index
    if value < 10 and least < 2:
        out[to] = ord('0') + value
        return to + 1
    count = 1
    rest = value
    while rest > 9:
        rest //= 10
        count += 1
    count = max(count, least)
    index = to + count
    while index > to:
        index -= 1
        out[index] = ord('0') + value % 10
        value //= 10
    return to + count

cdef inline long long put_right(unsigned long long value, long long width, unsigned char[::1] out, long long to) noexcept nogil:
    cdef long long end
    cdef long long gap
    cdef long long index
    end = put_decimal(value, 1, out, to)
    gap = max(width - (end - to), 0)
    if gap:
        put_decimal(value, 1, out, to + gap)
    for index in range(gap):
        out[to + index] = ord(' ')
    return end + gap

cdef inline long long put_hex(const unsigned char[::1] payload, long long begin, long long end, unsigned char[::1] out, long long to, long long letters) noexcept nogil:
    if end - begin <= 8 and begin + 8 <= len(payload):
        words.hex8(payload, begin, out, to, letters)
        return to + 2 * (end - begin)
    while begin + 8 <= end:
        words.hex8(payload, begin, out, to, letters)
        begin += 8
        to += 16
    while begin < end:
        out[to] = hex_digit(payload[begin] >> 4, letters)
        out[to + 1] = hex_digit(payload[begin] & 15, letters)
        begin += 1
        to += 2
    return to

cdef inline long long put_spaced_hex(const unsigned char[::1] payload, long long begin, long long end, unsigned char[::1] out, long long to) noexcept nogil:
    if end - begin <= 8 and begin + 8 <= len(payload):
        words.hex8_spaced(payload, begin, out, to)
        return to + 3 * (end - begin)
    while begin + 8 <= end:
        words.hex8_spaced(payload, begin, out, to)
        begin += 8
        to += 24
    while begin < end:
        out[to] = ord(' ')
        out[to + 1] = hex_digit(payload[begin] >> 4, UPPER)
        out[to + 2] = hex_digit(payload[begin] & 15, UPPER)
        begin += 1
        to += 3
    return to

cdef inline long long hex_digit(long long value, long long letters) noexcept nogil:
    return value + (ord('0') if value < 10 else letters)
