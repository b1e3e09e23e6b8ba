cimport cython
cimport cantools_cli.kernels._gil as gil
cimport cantools_cli.kernels._lines as lines
cimport cantools_cli.kernels._words as words

@cython.locals(thread="void *", room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, usual=cython.Py_ssize_t,
               most=cython.longlong, false=cython.ulonglong, false_mask=cython.ulonglong, true=cython.ulonglong,
               true_mask=cython.ulonglong, fixed=cython.ulonglong, fixed_mask=cython.ulonglong,
               every_bit=cython.ulonglong, low_half=cython.ulonglong, extended_mask=cython.ulonglong,
               base_mask=cython.ulonglong, lower=cython.ulonglong, skipped=cython.Py_ssize_t, put=cython.ulonglong,
               kept=cython.ulonglong, row=cython.Py_ssize_t, used=cython.Py_ssize_t, reason=cython.int,
               stamp_at=cython.Py_ssize_t, stamp_size=cython.int, stamp_ns=cython.longlong, is_usual=cython.int,
               stop=cython.Py_ssize_t, pos=cython.Py_ssize_t, word=cython.ulonglong, time=cython.longlong,
               identifier=cython.ulonglong, extended=cython.longlong, mark=cython.int, number=cython.int,
               length=cython.int, code=cython.int, size=cython.int, letter=cython.int, count=cython.int, begin=cython.Py_ssize_t, columns=cython.int,
               value=cython.int, known=cython.uint)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    const unsigned short[::1] numbers, bint directions, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(thread="void *", rows=cython.Py_ssize_t, room=cython.Py_ssize_t, payload_size=cython.Py_ssize_t,
               count=cython.Py_ssize_t, line_room=cython.Py_ssize_t, false=cython.ulonglong, true=cython.ulonglong,
               received=cython.ulonglong, billion=cython.longlong, half=cython.longlong, to=cython.Py_ssize_t,
               row=cython.Py_ssize_t, stamp_at=cython.Py_ssize_t, stamp_size=cython.Py_ssize_t,
               stamp_ns=cython.longlong, begin=cython.Py_ssize_t, size=cython.Py_ssize_t, time=cython.longlong,
               since=cython.longlong, seconds=cython.longlong, word=cython.uint, extended=cython.uint, number=cython.uint,
               index=cython.Py_ssize_t)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned short[::1] numbers, unsigned char[::1] out)
