cimport cython

@cython.locals(index=cython.Py_ssize_t, stop=cython.Py_ssize_t)
cdef Py_ssize_t behind(const unsigned char[::1] text, Py_ssize_t at, const unsigned char[::1] keys,
    const unsigned int[::1] ends, Py_ssize_t key) noexcept

@cython.locals(nibble="const unsigned char[::1]", codes="const unsigned char[::1]", lengths="const unsigned char[::1]",
               keys="const unsigned char[::1]", ends="const unsigned int[::1]",
               most_seconds=cython.longlong, most_nanoseconds=cython.ulonglong,
               done=cython.int, full=cython.int, strange=cython.int, name=cython.int, reason=cython.int,
               room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, name_count=cython.Py_ssize_t,
               row=cython.Py_ssize_t, used=cython.Py_ssize_t, last=cython.Py_ssize_t,
               pos=cython.Py_ssize_t, begin=cython.Py_ssize_t, digits=cython.Py_ssize_t, value=cython.int,
               seconds=cython.longlong, fraction=cython.longlong, time=cython.longlong, exact=cython.ulonglong,
               length=cython.Py_ssize_t, tried=cython.Py_ssize_t, start=cython.Py_ssize_t,
               index=cython.Py_ssize_t, identifier=cython.uint, extended=cython.int,
               size=cython.Py_ssize_t, low=cython.int, marks=cython.uint, raw=cython.int,
               key=cython.Py_ssize_t, code=cython.Py_ssize_t)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    const unsigned char[::1] names, const unsigned int[::1] name_ends, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(index=cython.Py_ssize_t, stop=cython.Py_ssize_t)
cdef Py_ssize_t copied(const unsigned char[::1] pieces, const unsigned int[::1] ends, Py_ssize_t piece,
    unsigned char[::1] out, Py_ssize_t to) noexcept

@cython.locals(count=cython.Py_ssize_t, rest=cython.ulonglong, index=cython.Py_ssize_t)
cdef Py_ssize_t number(unsigned long long value, unsigned char[::1] out, Py_ssize_t to) noexcept

@cython.locals(hexadecimal="const unsigned char[::1]", decimal="const unsigned char[::1]",
               pieces="const unsigned char[::1]", ends="const unsigned int[::1]",
               line_room=cython.Py_ssize_t, rows=cython.Py_ssize_t, room=cython.Py_ssize_t, name_count=cython.Py_ssize_t,
               to=cython.Py_ssize_t, row=cython.Py_ssize_t, second=cython.longlong, second_at=cython.Py_ssize_t,
               second_digits=cython.Py_ssize_t, index=cython.Py_ssize_t, start=cython.Py_ssize_t,
               stop=cython.Py_ssize_t, begin=cython.Py_ssize_t, end=cython.Py_ssize_t, time=cython.longlong,
               seconds=cython.longlong, rest=cython.uint, micro=cython.uint, nano=cython.uint,
               word=cython.uint, kind=cython.uint, mark=cython.uint, code=cython.uint, size=cython.Py_ssize_t)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned char[::1] names, const unsigned int[::1] name_ends, unsigned char[::1] out)
