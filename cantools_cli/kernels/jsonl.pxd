cimport cython
cimport cantools_cli.kernels._gil as gil
cimport cantools_cli.kernels._jsonl as fields
cimport cantools_cli.kernels._lines as lines
cimport cantools_cli.kernels._words as words

@cython.locals(thread="void *", keys="const unsigned char[::1]", ends="const unsigned int[::1]", room=cython.Py_ssize_t,
               payload_room=cython.Py_ssize_t, row=cython.Py_ssize_t, used=cython.Py_ssize_t, last=cython.longlong,
               extended=cython.longlong, reason=cython.int, usual=cython.Py_ssize_t, channel_key=cython.ulonglong,
               comma_quote=cython.ulonglong, id_key=cython.ulonglong, id_key_end=cython.ulonglong,
               extended_key=cython.ulonglong, extended_key_end=cython.ulonglong, dlc_key=cython.ulonglong,
               data_key=cython.ulonglong, true=cython.uint, false=cython.uint, dlc_mask=cython.ulonglong,
               every_value_bit=cython.ulonglong, stamp_at=cython.Py_ssize_t, stamp_size=cython.int,
               stamp_ns=cython.longlong, recent="long long[::1]", is_usual=cython.int, pos=cython.Py_ssize_t,
               word=cython.ulonglong, fraction=cython.longlong, size=cython.Py_ssize_t, digits=cython.Py_ssize_t,
               value=cython.int, ninth=cython.int, identifier=cython.uint, kind=cython.uint, is_short=cython.int,
               stop=cython.Py_ssize_t, length=cython.Py_ssize_t, begin=cython.Py_ssize_t)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    const unsigned char[::1] names, const unsigned int[::1] name_ends, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(thread="void *", pieces="const unsigned char[::1]", ends="const unsigned int[::1]",
               rows=cython.Py_ssize_t, room=cython.Py_ssize_t, name_count=cython.Py_ssize_t, line_room=cython.Py_ssize_t,
               billion=cython.longlong, latest=cython.longlong, to=cython.Py_ssize_t, row=cython.Py_ssize_t,
               stamp_at=cython.Py_ssize_t, stamp_size=cython.Py_ssize_t, stamp_ns=cython.longlong,
               index=cython.Py_ssize_t, start=cython.Py_ssize_t, stop=cython.Py_ssize_t, begin=cython.Py_ssize_t,
               end=cython.Py_ssize_t, time=cython.longlong, mark=cython.uint, since=cython.longlong, rest=cython.uint,
               seconds=cython.longlong, micro=cython.uint, word=cython.uint, kind=cython.uint, identifier=cython.uint,
               high=cython.uint, code=cython.uint, size=cython.Py_ssize_t)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned char[::1] names, const unsigned int[::1] name_ends, unsigned char[::1] out)
