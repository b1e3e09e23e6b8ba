cimport cython

@cython.locals(size=cython.Py_ssize_t, pgn_size=cython.Py_ssize_t, rows=cython.Py_ssize_t, row=cython.Py_ssize_t,
               channels=cython.Py_ssize_t, empty=cython.uint, unknown=cython.Py_ssize_t, factor=cython.ulonglong,
               every_bit=cython.ulonglong, with_source=cython.uint, last=cython.ulonglong, pgn_last=cython.ulonglong,
               found=cython.int, step=cython.int, word=cython.uint, key=cython.uint, at=cython.ulonglong,
               group=cython.uint)
cpdef Py_ssize_t match(const unsigned int[::1] can_id, const unsigned char[::1] flags,
    const unsigned short[::1] channel, const unsigned char[::1] wanted,
    const unsigned int[::1] keys, const unsigned short[::1] values, const unsigned int[::1] pgn_keys,
    const unsigned short[::1] pgn_values, unsigned short[::1] numbers) except -1

@cython.locals(count=cython.Py_ssize_t, messages=cython.Py_ssize_t, unknown=cython.uint, total=cython.Py_ssize_t,
               row=cython.Py_ssize_t, number=cython.Py_ssize_t)
cpdef Py_ssize_t group(Py_ssize_t first, const unsigned short[::1] numbers, unsigned int[::1] starts,
    unsigned int[::1] rows) except -1

@cython.locals(count=cython.Py_ssize_t, limit=cython.Py_ssize_t, room=cython.Py_ssize_t, first=cython.Py_ssize_t,
               lead=cython.int, width=cython.Py_ssize_t, rest=cython.int, every_bit=cython.ulonglong,
               mask=cython.ulonglong, top=cython.ulonglong, sign=cython.ulonglong, short=cython.Py_ssize_t, index=cython.Py_ssize_t,
               row=cython.Py_ssize_t, at=cython.Py_ssize_t, value=cython.ulonglong, place=cython.Py_ssize_t,
               octet=cython.ulonglong)
cpdef Py_ssize_t extract(const unsigned int[::1] rows, Py_ssize_t begin, Py_ssize_t end,
    const unsigned int[::1] offset, const unsigned char[::1] payload, Py_ssize_t start, int size,
    int is_big_endian, int is_signed, long long[::1] raw, unsigned char[::1] valid) except -1

@cython.locals(count=cython.Py_ssize_t, ranges=cython.Py_ssize_t, index=cython.Py_ssize_t, found=cython.int,
               value=cython.longlong, number=cython.Py_ssize_t)
cpdef select(const long long[::1] selector, const unsigned char[::1] known, const long long[::1] lows,
    const long long[::1] highs, unsigned char[::1] valid)

@cython.locals(index=cython.Py_ssize_t, whole=cython.longlong, low_bits=cython.longlong, value=cython.double)
cpdef scale(const long long[::1] raw, Py_ssize_t count, int is_signed, double factor, double shift,
    double[::1] out)

@cython.locals(index=cython.Py_ssize_t)
cpdef scale_whole(const long long[::1] raw, Py_ssize_t count, long long factor, long long shift,
    long long[::1] out)

@cython.locals(count=cython.Py_ssize_t, limit=cython.Py_ssize_t, index=cython.Py_ssize_t, row=cython.Py_ssize_t)
cpdef times(const unsigned int[::1] rows, Py_ssize_t begin, Py_ssize_t end, const long long[::1] timestamp_ns,
    long long[::1] out)
