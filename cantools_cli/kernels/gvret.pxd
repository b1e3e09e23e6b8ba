cimport cython

@cython.locals(nibble="const unsigned char[::1]", most=cython.longlong, extended_bit=cython.uint,
               done=cython.int, full=cython.int, strange=cython.int, unknown=cython.int, no_channel=cython.uint,
               reason=cython.int, room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, row=cython.Py_ssize_t,
               used=cython.Py_ssize_t, pos=cython.Py_ssize_t, begin=cython.Py_ssize_t, time=cython.longlong,
               value=cython.int, identifier=cython.uint, high=cython.uint, low=cython.uint, mark=cython.uint,
               number=cython.uint, length=cython.int, size=cython.int, index=cython.uint)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    const unsigned short[::1] numbers, bint directions, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(hexadecimal="const unsigned char[::1]", line_room=cython.Py_ssize_t, rows=cython.Py_ssize_t,
               room=cython.Py_ssize_t, count=cython.Py_ssize_t, to=cython.Py_ssize_t, row=cython.Py_ssize_t,
               begin=cython.Py_ssize_t, size=cython.Py_ssize_t, time=cython.longlong, rest=cython.longlong,
               digits=cython.int, index=cython.Py_ssize_t, word=cython.uint, identifier=cython.uint,
               shift=cython.int, octet=cython.uint, number=cython.uint, divisor=cython.uint)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned short[::1] numbers, unsigned char[::1] out)
