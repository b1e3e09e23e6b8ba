cimport cython
cimport cantools_cli.kernels._gil as gil
cimport cantools_cli.kernels._words as words

@cython.locals(thread="void *", nibble="const unsigned char[::1]", codes="const unsigned char[::1]", lengths="const unsigned char[::1]",
               most=cython.longlong, extended_bit=cython.ulonglong, extended_mask=cython.ulonglong,
               base_mask=cython.ulonglong, only_extended=cython.ulonglong,
               done=cython.int, full=cython.int, strange=cython.int, unknown=cython.int, no_channel=cython.uint,
               reason=cython.int, room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, row=cython.Py_ssize_t,
               used=cython.Py_ssize_t, usual=cython.Py_ssize_t, every_bit=cython.ulonglong,
               every_id_bit=cython.ulonglong, false=cython.ulonglong, false_mask=cython.ulonglong,
               true=cython.ulonglong, true_mask=cython.ulonglong, fixed=cython.ulonglong, fixed_mask=cython.ulonglong,
               skipped=cython.Py_ssize_t, put=cython.ulonglong, kept=cython.ulonglong, million=cython.longlong,
               billion=cython.longlong, stamp_size=cython.Py_ssize_t, stamp_ns=cython.longlong,
               stamp=cython.ulonglong, stamp_mask=cython.ulonglong, stamp_end=cython.ulonglong,
               end_mask=cython.ulonglong, stop=cython.Py_ssize_t, pos=cython.Py_ssize_t, word=cython.ulonglong,
               time=cython.longlong, is_usual=cython.int, identifier=cython.ulonglong, extended=cython.uint,
               mark=cython.int, number=cython.int, length=cython.int, size=cython.int, index=cython.Py_ssize_t,
               begin=cython.Py_ssize_t, value=cython.int, high=cython.uint, low=cython.uint, code=cython.int,
               columns=cython.int)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    const unsigned short[::1] numbers, bint directions, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(thread="void *", hexadecimal="const unsigned char[::1]", decimal="const unsigned char[::1]",
               line_room=cython.Py_ssize_t, false=cython.ulonglong, true=cython.ulonglong, received=cython.ulonglong,
               extended_mask=cython.uint, million=cython.longlong, billion=cython.longlong, rows=cython.Py_ssize_t,
               room=cython.Py_ssize_t, payload_size=cython.Py_ssize_t, count=cython.Py_ssize_t,
               to=cython.Py_ssize_t, row=cython.Py_ssize_t, stamp_size=cython.Py_ssize_t, stamp_ns=cython.longlong,
               stamp=cython.ulonglong, stamp_end=cython.ulonglong, half=cython.longlong, begin=cython.Py_ssize_t,
               size=cython.Py_ssize_t, time=cython.longlong, since=cython.longlong, micro=cython.uint,
               digits=cython.Py_ssize_t, seconds=cython.longlong, rest=cython.longlong, index=cython.Py_ssize_t,
               word=cython.uint, extended=cython.uint, identifier=cython.uint, number=cython.uint,
               divisor=cython.uint, data=cython.ulonglong)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned short[::1] numbers, unsigned char[::1] out)
