cimport cython
cimport cantools_cli.kernels._gil as gil
cimport cantools_cli.kernels._words as words

@cython.locals(thread="void *", nibble="const unsigned char[::1]", sextet="const unsigned char[::1]",
               codes="const unsigned char[::1]", lengths="const unsigned char[::1]", most_seconds=cython.longlong,
               done=cython.int, full=cython.int, strange=cython.int, name=cython.int, reason=cython.int,
               room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, name_count=cython.Py_ssize_t,
               row=cython.Py_ssize_t, used=cython.Py_ssize_t, last=cython.Py_ssize_t,
               pos=cython.Py_ssize_t, begin=cython.Py_ssize_t, digits=cython.Py_ssize_t, value=cython.Py_ssize_t,
               seconds=cython.longlong, fraction=cython.longlong, time=cython.longlong,
               identifier=cython.uint, kind=cython.uint, length=cython.Py_ssize_t, size=cython.Py_ssize_t,
               second=cython.uint, third=cython.uint, fourth=cython.uint, mark=cython.uint, low=cython.int,
               tried=cython.Py_ssize_t, start=cython.Py_ssize_t, index=cython.Py_ssize_t, code=cython.Py_ssize_t,
               data_pads="const unsigned char[::1]", data_digits="const unsigned char[::1]", usual=cython.Py_ssize_t,
               kinds=cython.ulonglong, kinds_mask=cython.ulonglong, every_bit=cython.ulonglong, every_value_bit=cython.ulonglong, extended_mask=cython.uint,
               before_id=cython.uint, both_pads=cython.uint, extended_bit=cython.uint, error_bit=cython.uint,
               stamp_size=cython.Py_ssize_t, stamp_ns=cython.longlong, stamp=cython.ulonglong,
               stamp_mask=cython.ulonglong, stamp_end=cython.ulonglong, end_mask=cython.ulonglong,
               word=cython.ulonglong, is_usual=cython.int, usual_head=cython.int, is_error=cython.uint,
               ten=cython.longlong, stop=cython.Py_ssize_t)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    const unsigned char[::1] names, const unsigned int[::1] name_ends, bint full_rows, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(thread="void *", data_digits="const unsigned char[::1]", data_pads="const unsigned char[::1]", before_id=cython.uint, alphabet="const unsigned char[::1]",
               hexadecimal="const unsigned char[::1]",
               line_room=cython.Py_ssize_t, rows=cython.Py_ssize_t, room=cython.Py_ssize_t, name_count=cython.Py_ssize_t,
               to=cython.Py_ssize_t, row=cython.Py_ssize_t, pairs="const unsigned char[::1]", kinds=cython.ulonglong,
               pads=cython.uint, billion=cython.longlong, every_bit=cython.ulonglong, payload_size=cython.Py_ssize_t,
               stamp_size=cython.Py_ssize_t, stamp_ns=cython.longlong, stamp=cython.ulonglong,
               stamp_end=cython.ulonglong, since=cython.longlong, width=cython.Py_ssize_t, digits=cython.ulonglong,
               bits=cython.ulonglong, index=cython.Py_ssize_t, start=cython.Py_ssize_t,
               stop=cython.Py_ssize_t, begin=cython.Py_ssize_t, end=cython.Py_ssize_t, time=cython.longlong,
               seconds=cython.longlong, rest=cython.uint, count=cython.Py_ssize_t, number=cython.longlong,
               high=cython.uint, low=cython.uint, word=cython.uint, identifier=cython.uint, kind=cython.uint,
               mark=cython.uint, size=cython.Py_ssize_t)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned char[::1] names, const unsigned int[::1] name_ends, bint full_rows, unsigned char[::1] out)
