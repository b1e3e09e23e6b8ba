cimport cython
cimport cantools_cli.kernels._lines as lines
cimport cantools_cli.kernels._words as words

@cython.locals(seconds=cython.longlong)
cdef long long _time(const unsigned char[::1] text, Py_ssize_t at) noexcept

@cython.locals(bad=cython.int, lost=cython.int, strange=cython.int, room=cython.Py_ssize_t,
               payload_room=cython.Py_ssize_t, interfaces=cython.Py_ssize_t, extended=cython.uint,
               row=cython.Py_ssize_t, used=cython.Py_ssize_t, reason=cython.int, pos=cython.Py_ssize_t,
               extra=cython.uint, stop=cython.Py_ssize_t, time=cython.longlong, raw_time=cython.longlong,
               drops=cython.uint, length=cython.Py_ssize_t, given=cython.Py_ssize_t, kind=cython.uint, value=cython.longlong,
               place=cython.Py_ssize_t, index=cython.uint, marks=cython.uint, size=cython.Py_ssize_t,
               word=cython.uint, mark=cython.uint, code=cython.uint, step=cython.Py_ssize_t)
cpdef tuple parse(Py_ssize_t at, Py_ssize_t end, const unsigned char[::1] headers,
    const unsigned char[::1] names, const unsigned char[::1] records, const unsigned char[::1] control,
    const unsigned int[::1] indexes, long long now, unsigned int dropped, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(rows=cython.Py_ssize_t, room=cython.Py_ssize_t, payload_size=cython.Py_ssize_t,
               row=cython.Py_ssize_t, at=cython.Py_ssize_t, begin=cython.Py_ssize_t, length=cython.Py_ssize_t,
               mark=cython.uint, size=cython.Py_ssize_t, word=cython.uint, code=cython.uint,
               pos=cython.Py_ssize_t, step=cython.Py_ssize_t)
cpdef Py_ssize_t format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    unsigned char[::1] records, unsigned char[::1] vectors) except -1
