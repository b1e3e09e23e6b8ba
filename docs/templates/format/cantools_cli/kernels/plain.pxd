# C types of plain.py
cimport cython

@cython.locals(nibble="const unsigned char[::1]", done=cython.int, full=cython.int, strange=cython.int,
               latest=cython.longlong, extended_bit=cython.uint, room=cython.Py_ssize_t,
               payload_room=cython.Py_ssize_t, row=cython.Py_ssize_t, used=cython.Py_ssize_t,
               reason=cython.int, pos=cython.Py_ssize_t, time=cython.longlong, value=cython.int,
               begin=cython.Py_ssize_t, identifier=cython.uint, size=cython.Py_ssize_t, low=cython.int)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(digit="const unsigned char[::1]", line_room=cython.Py_ssize_t, rows=cython.Py_ssize_t,
               room=cython.Py_ssize_t, row=cython.Py_ssize_t, to=cython.Py_ssize_t, time=cython.longlong,
               begin=cython.Py_ssize_t, end=cython.Py_ssize_t, number=cython.longlong,
               count=cython.Py_ssize_t, pos=cython.Py_ssize_t, word=cython.uint, shift=cython.int)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel,
    const unsigned char[::1] dlc_code, const unsigned int[::1] offset,
    const unsigned char[::1] payload, unsigned char[::1] out)
