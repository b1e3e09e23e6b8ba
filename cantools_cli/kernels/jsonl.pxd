cimport cython
cimport cantools_cli.kernels._gil as gil
cimport cantools_cli.kernels._words as words

@cython.locals(thread="void *", nibble="const unsigned char[::1]", codes="const unsigned char[::1]", lengths="const unsigned char[::1]",
               keys="const unsigned char[::1]", ends="const unsigned int[::1]",
               most_seconds=cython.longlong, most_nanoseconds=cython.ulonglong,
               done=cython.int, full=cython.int, strange=cython.int, name=cython.int, reason=cython.int,
               room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, name_count=cython.Py_ssize_t,
               row=cython.Py_ssize_t, used=cython.Py_ssize_t, last=cython.Py_ssize_t,
               pos=cython.Py_ssize_t, begin=cython.Py_ssize_t, digits=cython.Py_ssize_t, value=cython.int,
               seconds=cython.longlong, fraction=cython.longlong, time=cython.longlong, exact=cython.ulonglong,
               length=cython.Py_ssize_t, tried=cython.Py_ssize_t, start=cython.Py_ssize_t,
               index=cython.Py_ssize_t, identifier=cython.uint, extended=cython.int,
               size=cython.Py_ssize_t, low=cython.int, marks=cython.uint, raw=cython.int,
               key=cython.Py_ssize_t, code=cython.Py_ssize_t, usual=cython.Py_ssize_t,
               channel_key=cython.ulonglong, comma_quote=cython.ulonglong, id_key=cython.ulonglong,
               id_key_end=cython.ulonglong, extended_key=cython.ulonglong, extended_key_end=cython.ulonglong,
               dlc_key=cython.ulonglong, data_key=cython.ulonglong, true=cython.uint, false=cython.uint,
               dlc_mask=cython.ulonglong, every_bit=cython.ulonglong, every_value_bit=cython.ulonglong, extended_bit=cython.uint,
               stamp_size=cython.Py_ssize_t, stamp_ns=cython.longlong, stamp=cython.ulonglong,
               stamp_middle=cython.ulonglong, stamp_end=cython.ulonglong, end_mask=cython.ulonglong,
               first_key=cython.ulonglong, second_key=cython.ulonglong,
               first_mask=cython.ulonglong, second_mask=cython.ulonglong, first_size=cython.Py_ssize_t,
               second_size=cython.Py_ssize_t, first_name=cython.Py_ssize_t,
               second_name=cython.Py_ssize_t, usual_head=cython.int, is_usual=cython.int, word=cython.ulonglong,
               key_word=cython.ulonglong, is_first=cython.int, is_second=cython.int, ninth=cython.int,
               kind=cython.uint, stop=cython.Py_ssize_t)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    const unsigned char[::1] names, const unsigned int[::1] name_ends, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(index=cython.Py_ssize_t, stop=cython.Py_ssize_t, behind=cython.Py_ssize_t)
cdef Py_ssize_t copied(const unsigned char[::1] pieces, const unsigned int[::1] ends, Py_ssize_t piece,
    unsigned char[::1] out, Py_ssize_t to) noexcept nogil

@cython.locals(count=cython.Py_ssize_t, rest=cython.ulonglong, index=cython.Py_ssize_t)
cdef Py_ssize_t number(unsigned long long value, unsigned char[::1] out, Py_ssize_t to) noexcept nogil

@cython.locals(thread="void *", hexadecimal="const unsigned char[::1]", decimal="const unsigned char[::1]",
               pieces="const unsigned char[::1]", ends="const unsigned int[::1]",
               line_room=cython.Py_ssize_t, rows=cython.Py_ssize_t, room=cython.Py_ssize_t, name_count=cython.Py_ssize_t,
               to=cython.Py_ssize_t, row=cython.Py_ssize_t, names_size=cython.Py_ssize_t, payload_size=cython.Py_ssize_t,
               billion=cython.longlong, latest=cython.longlong, stamp_size=cython.Py_ssize_t, stamp_ns=cython.longlong,
               stamp=cython.ulonglong, stamp_middle=cython.ulonglong, stamp_end=cython.ulonglong, since=cython.longlong,
               identifier=cython.uint, high=cython.uint, index=cython.Py_ssize_t, start=cython.Py_ssize_t,
               stop=cython.Py_ssize_t, begin=cython.Py_ssize_t, end=cython.Py_ssize_t, time=cython.longlong,
               seconds=cython.longlong, rest=cython.uint, micro=cython.uint, nano=cython.uint,
               word=cython.uint, kind=cython.uint, mark=cython.uint, code=cython.uint, size=cython.Py_ssize_t)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned char[::1] names, const unsigned int[::1] name_ends, unsigned char[::1] out)
