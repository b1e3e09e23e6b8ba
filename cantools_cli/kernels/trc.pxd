cimport cython

@cython.locals(nibble="const unsigned char[::1]", lengths="const unsigned char[::1]",
               codes="const unsigned char[::1]",
               done=cython.int, full=cython.int, strange=cython.int, unknown=cython.int, no_channel=cython.uint,
               extended_bit=cython.ulonglong, extended_mask=cython.ulonglong, remote_bit=cython.ulonglong,
               room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, count=cython.Py_ssize_t,
               row=cython.Py_ssize_t, used=cython.Py_ssize_t, reason=cython.int, pos=cython.Py_ssize_t,
               whole=cython.longlong, fraction=cython.longlong, identifier=cython.ulonglong, mark=cython.int,
               number=cython.int, size=cython.int, coded=cython.int, letter=cython.int,
               index=cython.Py_ssize_t, begin=cython.Py_ssize_t, value=cython.int, low=cython.int,
               digits=cython.Py_ssize_t, code=cython.int, length=cython.Py_ssize_t, known=cython.uint)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    const unsigned char[::1] columns, const unsigned short[::1] numbers, long long start_ns, long long most_ms,
    Py_ssize_t first, long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(hexadecimal="const unsigned char[::1]", line_room=cython.Py_ssize_t, error_bit=cython.uint,
               extended_mask=cython.uint, latest=cython.longlong, rows=cython.Py_ssize_t,
               room=cython.Py_ssize_t, bus_count=cython.Py_ssize_t, is_new=cython.bint,
               number_width=cython.Py_ssize_t, time_width=cython.Py_ssize_t, unit=cython.longlong,
               units_ms=cython.longlong, decimals=cython.int, to=cython.Py_ssize_t, rounded=cython.longlong,
               row=cython.Py_ssize_t, index=cython.Py_ssize_t, bus=cython.uint, begin=cython.Py_ssize_t,
               end=cython.Py_ssize_t, word=cython.uint, time=cython.longlong, mark=cython.uint,
               left=cython.longlong, width=cython.Py_ssize_t, value=cython.longlong, part=cython.longlong,
               nano=cython.longlong, whole=cython.longlong, first_letter=cython.int,
               second_letter=cython.int, identifier=cython.uint, code=cython.uint, size=cython.uint,
               octet=cython.uint)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned short[::1] numbers, long long start_ns, int version, long long number,
    unsigned char[::1] out)
