cimport cython
cimport cantools_cli.kernels._lines as lines
cimport cantools_cli.kernels._words as words

@cython.locals(high=cython.uint)
cdef unsigned int _word(const unsigned char[::1] text, Py_ssize_t at, int big) noexcept

cdef unsigned int _short(const unsigned char[::1] text, Py_ssize_t at, int big) noexcept

@cython.locals(cut=cython.int, unknown=cython.uint, reason=cython.int,
               largest_packet=cython.Py_ssize_t, largest_record=cython.Py_ssize_t, billion=cython.longlong,
               interfaces=cython.Py_ssize_t, devices_known=cython.Py_ssize_t, room=cython.Py_ssize_t,
               payload_room=cython.Py_ssize_t, row=cython.Py_ssize_t, used=cython.Py_ssize_t,
               left=cython.Py_ssize_t, sent=cython.uint, size=cython.Py_ssize_t, index=cython.Py_ssize_t,
               captured=cython.Py_ssize_t, high=cython.uint, scale=cython.longlong, time=cython.longlong,
               data=cython.Py_ssize_t, pos=cython.Py_ssize_t, stop=cython.Py_ssize_t, number=cython.Py_ssize_t,
               length=cython.Py_ssize_t, place=cython.uint, protocol=cython.uint, order=cython.int,
               word=cython.uint, mark=cython.uint, fd=cython.bint, given=cython.Py_ssize_t, code=cython.uint,
               step=cython.Py_ssize_t, swapped=cython.Py_ssize_t)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end, int blocks, int big,
    const unsigned short[::1] links, const long long[::1] scales, const long long[::1] starts,
    const long long[::1] largest, const unsigned short[::1] channels, const unsigned short[::1] devices,
    Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(record_room=cython.Py_ssize_t, low_half=cython.longlong, billion=cython.longlong, last=cython.longlong,
               half=cython.longlong, rows=cython.Py_ssize_t, room=cython.Py_ssize_t,
               channels=cython.Py_ssize_t, payload_size=cython.Py_ssize_t, to=cython.Py_ssize_t,
               moved=cython.Py_ssize_t, row=cython.Py_ssize_t, index=cython.Py_ssize_t,
               begin=cython.Py_ssize_t, mark=cython.uint, word=cython.uint, count=cython.Py_ssize_t,
               length=cython.Py_ssize_t, time=cython.longlong, size=cython.Py_ssize_t, number=cython.uint,
               pos=cython.Py_ssize_t, part=cython.longlong, step=cython.Py_ssize_t)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned short[::1] interfaces, int blocks, long long unit, unsigned char[::1] out)

@cython.locals(cut=cython.int, reason=cython.int,
               largest_packet=cython.Py_ssize_t, largest_record=cython.Py_ssize_t, section=cython.uint,
               size=cython.Py_ssize_t)
cpdef tuple walk(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end, int blocks, int big)
