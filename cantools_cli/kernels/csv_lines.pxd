cimport cython
cimport cantools_cli.kernels._gil as gil
cimport cantools_cli.kernels._lines as lines
cimport cantools_cli.kernels._words as words

@cython.locals(thread="void *", room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, usual=cython.Py_ssize_t,
               kinds=cython.ulonglong, kinds_mask=cython.ulonglong, sextet="const unsigned char[::1]",
               data_digits="const unsigned char[::1]", data_pads="const unsigned char[::1]", low_half=cython.ulonglong,
               base_mask=cython.uint, extended_mask=cython.uint, before_id=cython.uint, both_pads=cython.uint,
               last=cython.longlong, recent="long long[::1]", row=cython.Py_ssize_t, used=cython.Py_ssize_t, reason=cython.int,
               stamp_at=cython.Py_ssize_t, stamp_size=cython.int, stamp_ns=cython.longlong, is_usual=cython.int,
               usual_head=cython.int, stop=cython.Py_ssize_t, pos=cython.Py_ssize_t, word=cython.ulonglong,
               digits=cython.Py_ssize_t, time=cython.longlong, identifier=cython.uint, kind=cython.uint,
               value=cython.Py_ssize_t, length=cython.Py_ssize_t, begin=cython.Py_ssize_t, size=cython.Py_ssize_t,
               code=cython.int, mark=cython.uint, left=cython.Py_ssize_t)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    const unsigned char[::1] names, const unsigned int[::1] name_ends, bint full_rows, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(thread="void *", rows=cython.Py_ssize_t, room=cython.Py_ssize_t, payload_size=cython.Py_ssize_t,
               name_count=cython.Py_ssize_t, alphabet="const unsigned char[::1]", pairs="const unsigned char[::1]",
               kinds=cython.ulonglong, line_room=cython.Py_ssize_t, data_digits="const unsigned char[::1]",
               data_pads="const unsigned char[::1]", before_id=cython.uint, pads=cython.uint, lower=cython.ulonglong,
               billion=cython.longlong, every_bit=cython.ulonglong, to=cython.Py_ssize_t, row=cython.Py_ssize_t,
               stamp_at=cython.Py_ssize_t, stamp_size=cython.Py_ssize_t, stamp_ns=cython.longlong,
               since=cython.longlong, width=cython.Py_ssize_t, digits=cython.ulonglong, bits=cython.ulonglong,
               index=cython.Py_ssize_t, start=cython.Py_ssize_t, stop=cython.Py_ssize_t, begin=cython.Py_ssize_t,
               end=cython.Py_ssize_t, time=cython.longlong, seconds=cython.longlong, rest=cython.uint,
               high=cython.uint, low=cython.uint, word=cython.uint, identifier=cython.ulonglong, kind=cython.uint,
               size=cython.Py_ssize_t)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned char[::1] names, const unsigned int[::1] name_ends, bint full_rows, unsigned char[::1] out)
