cimport cython

@cython.locals(rows=cython.Py_ssize_t, row=cython.Py_ssize_t, word=cython.uint, value=cython.uint, hit=cython.uchar)
cpdef words(const unsigned int[::1] can_id, unsigned int bits, unsigned int low, unsigned int high,
    unsigned char inverted, unsigned char errors, unsigned char[::1] mask)

@cython.locals(rows=cython.Py_ssize_t, row=cython.Py_ssize_t, value=cython.uint)
cpdef octets(const unsigned char[::1] column, unsigned int bits, unsigned int low, unsigned int high,
    unsigned char inverted, unsigned char[::1] mask)

@cython.locals(rows=cython.Py_ssize_t, row=cython.Py_ssize_t, size=cython.uint)
cpdef lengths(const unsigned int[::1] can_id, const unsigned char[::1] dlc_code, const unsigned int[::1] offset,
    unsigned int low, unsigned int high, unsigned char inverted, unsigned char[::1] mask)

@cython.locals(rows=cython.Py_ssize_t, row=cython.Py_ssize_t, at=cython.Py_ssize_t, stop=cython.Py_ssize_t,
               value=cython.ulonglong, hit=cython.uchar)
cpdef data(const unsigned int[::1] offset, const unsigned char[::1] payload, Py_ssize_t begin, Py_ssize_t end,
    bint little, unsigned long long bits, unsigned long long low, unsigned long long high,
    unsigned char outside, unsigned char inverted, unsigned char[::1] mask)

@cython.locals(rows=cython.Py_ssize_t, size=cython.Py_ssize_t, row=cython.Py_ssize_t, at=cython.Py_ssize_t,
               last=cython.Py_ssize_t, index=cython.Py_ssize_t, hit=cython.uchar)
cpdef payloads(const unsigned int[::1] can_id, const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned char[::1] pattern, bint anywhere, unsigned char outside, unsigned char inverted,
    unsigned char[::1] mask)

@cython.locals(rows=cython.Py_ssize_t, row=cython.Py_ssize_t, time=cython.longlong)
cpdef times(const long long[::1] timestamp_ns, long long low, long long high, unsigned char inverted,
    unsigned char[::1] mask)

@cython.locals(rows=cython.Py_ssize_t, limit=cython.Py_ssize_t, row=cython.Py_ssize_t, index=cython.Py_ssize_t)
cpdef channels(const unsigned short[::1] channel, const unsigned char[::1] verdicts, unsigned char[::1] mask)

@cython.locals(row=cython.Py_ssize_t)
cpdef long long every(long long step, long long count, unsigned char inverted, unsigned char[::1] mask) except -1

@cython.locals(rows=cython.Py_ssize_t, row=cython.Py_ssize_t)
cpdef marked(const unsigned char[::1] marks, unsigned char inverted, unsigned char[::1] mask)

@cython.locals(count=cython.Py_ssize_t, limit=cython.Py_ssize_t, index=cython.Py_ssize_t, row=cython.Py_ssize_t)
cpdef scatter(const unsigned int[::1] rows, Py_ssize_t begin, Py_ssize_t end, const unsigned char[::1] passed,
    unsigned char[::1] marks)

@cython.locals(rows=cython.Py_ssize_t, row=cython.Py_ssize_t, hit=cython.uchar)
cpdef settle(const unsigned char[::1] passed, unsigned char[::1] found, unsigned char[::1] left)

@cython.locals(size=cython.Py_ssize_t, count=cython.Py_ssize_t, row=cython.Py_ssize_t)
cpdef Py_ssize_t chosen(const unsigned char[::1] mask, unsigned int[::1] rows) except -1

@cython.locals(rows=cython.Py_ssize_t, slots=cython.Py_ssize_t, limit=cython.Py_ssize_t, around=cython.Py_ssize_t,
               row=cython.Py_ssize_t, begin=cython.Py_ssize_t, size=cython.Py_ssize_t, word=cython.ulonglong,
               number=cython.ulonglong, key=cython.longlong, slot=cython.Py_ssize_t, length=cython.uint,
               at=cython.Py_ssize_t, changed=cython.bint, index=cython.Py_ssize_t)
cpdef tuple changes(Py_ssize_t first, const unsigned int[::1] can_id, const unsigned short[::1] channel,
    const unsigned char[::1] dlc_code, const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned short[::1] numbers, long long[::1] keys, unsigned int[::1] sizes, unsigned char[::1] last,
    Py_ssize_t width, Py_ssize_t used, unsigned char[::1] marks)

@cython.locals(slots=cython.Py_ssize_t, around=cython.Py_ssize_t, before=cython.Py_ssize_t, old=cython.Py_ssize_t,
               low_half=cython.longlong, key=cython.longlong, word=cython.ulonglong, number=cython.ulonglong,
               slot=cython.Py_ssize_t, at=cython.Py_ssize_t, index=cython.Py_ssize_t)
cpdef resettle(const long long[::1] old_keys, const unsigned int[::1] old_sizes, const unsigned char[::1] old_last,
    Py_ssize_t old_width, long long[::1] keys, unsigned int[::1] sizes, unsigned char[::1] last, Py_ssize_t width)

@cython.locals(rows=cython.Py_ssize_t, slots=cython.Py_ssize_t, limit=cython.Py_ssize_t, around=cython.Py_ssize_t,
               latest=cython.longlong, longest=cython.longlong, row=cython.Py_ssize_t, word=cython.ulonglong,
               number=cython.ulonglong, key=cython.longlong, slot=cython.Py_ssize_t, time=cython.longlong,
               gap=cython.longlong, period=cython.longlong, mean=cython.longlong)
cpdef tuple gaps(Py_ssize_t first, const unsigned int[::1] can_id, const unsigned short[::1] channel,
    const long long[::1] timestamp_ns, const unsigned short[::1] numbers, long long[::1] keys,
    long long[::1] last_ns, long long[::1] means, Py_ssize_t used, long long[::1] gap_ns, long long[::1] period_ns)
