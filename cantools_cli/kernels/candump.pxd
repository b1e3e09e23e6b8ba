cimport cython

@cython.locals(nibble="const unsigned char[::1]", codes="const unsigned char[::1]", digit="const unsigned char[::1]", lengths="const unsigned char[::1]",
               room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, name_count=cython.Py_ssize_t,
               row=cython.Py_ssize_t, used=cython.Py_ssize_t, done=cython.int, full=cython.int, strange=cython.int, name=cython.int,
               reason=cython.int, last=cython.Py_ssize_t,
               pos=cython.Py_ssize_t, seconds=cython.longlong, fraction=cython.longlong, value=cython.int,
               begin=cython.Py_ssize_t, digits=cython.Py_ssize_t, length=cython.Py_ssize_t,
               most_seconds=cython.longlong, upper=cython.int, lower=cython.int, known=cython.int,
               is_base=cython.ulonglong, is_first=cython.Py_ssize_t, is_second=cython.Py_ssize_t,
               key=cython.ulonglong, key_mask=cython.ulonglong, first_key=cython.ulonglong, second_key=cython.ulonglong,
               first_name=cython.Py_ssize_t, second_name=cython.Py_ssize_t, start=cython.Py_ssize_t, index=cython.Py_ssize_t,
               identifier=cython.ulonglong, high=cython.ulonglong, mark=cython.int, limit=cython.Py_ssize_t,
               low=cython.int, code=cython.int)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    const unsigned char[::1] names, const unsigned int[::1] name_ends, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(hexadecimal="const unsigned char[::1]", decimal="const unsigned char[::1]",
               line_room=cython.Py_ssize_t, payload_size=cython.Py_ssize_t, octet=cython.uint, rows=cython.Py_ssize_t, room=cython.Py_ssize_t, name_count=cython.Py_ssize_t,
               to=cython.Py_ssize_t, row=cython.Py_ssize_t, second=cython.longlong, second_at=cython.Py_ssize_t,
               second_digits=cython.Py_ssize_t, index=cython.Py_ssize_t, start=cython.Py_ssize_t,
               stop=cython.Py_ssize_t, begin=cython.Py_ssize_t, end=cython.Py_ssize_t, time=cython.longlong,
               seconds=cython.longlong, rest=cython.uint, count=cython.Py_ssize_t, number=cython.longlong,
               micro=cython.uint, nano=cython.uint, word=cython.ulonglong, every_bit=cython.ulonglong, shifted=cython.ulonglong, wide=cython.Py_ssize_t, width=cython.Py_ssize_t,
               kind=cython.ulonglong, mark=cython.uint, code=cython.uint)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned char[::1] names, const unsigned int[::1] name_ends, int digits, bint plain,
    unsigned char[::1] out)
