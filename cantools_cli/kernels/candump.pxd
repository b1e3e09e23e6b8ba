cimport cython
cimport cantools_cli.kernels._gil as gil
cimport cantools_cli.kernels._words as words

@cython.locals(thread="void *", nibble="const unsigned char[::1]", codes="const unsigned char[::1]", lengths="const unsigned char[::1]",
               room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, name_count=cython.Py_ssize_t,
               row=cython.Py_ssize_t, used=cython.Py_ssize_t, done=cython.int, full=cython.int, strange=cython.int,
               name=cython.int, reason=cython.int, last=cython.Py_ssize_t, usual=cython.Py_ssize_t,
               most_seconds=cython.longlong, stamp_size=cython.Py_ssize_t, stamp_ns=cython.longlong,
               stamp=cython.ulonglong, stamp_mask=cython.ulonglong, stamp_end=cython.ulonglong,
               end_mask=cython.ulonglong, every_bit=cython.ulonglong, after_fraction=cython.ulonglong,
               first_key=cython.ulonglong, second_key=cython.ulonglong,
               first_mask=cython.ulonglong, second_mask=cython.ulonglong, first_size=cython.Py_ssize_t,
               second_size=cython.Py_ssize_t, first_name=cython.Py_ssize_t, stop=cython.Py_ssize_t,
               second_name=cython.Py_ssize_t, usual_head=cython.int, pos=cython.Py_ssize_t, key=cython.ulonglong,
               time=cython.longlong, length=cython.Py_ssize_t, is_first=cython.int, is_second=cython.int,
               is_base=cython.ulonglong, digits=cython.int, number=cython.longlong, seconds=cython.longlong,
               fraction=cython.longlong, value=cython.int, begin=cython.Py_ssize_t, start=cython.Py_ssize_t,
               index=cython.Py_ssize_t, identifier=cython.ulonglong, mark=cython.int, limit=cython.Py_ssize_t,
               low=cython.int, code=cython.int)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    const unsigned char[::1] names, const unsigned int[::1] name_ends, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(thread="void *", hexadecimal="const unsigned char[::1]", decimal="const unsigned char[::1]", left_micro=cython.uint,
               line_room=cython.Py_ssize_t, payload_size=cython.Py_ssize_t, names_size=cython.Py_ssize_t,
               rows=cython.Py_ssize_t, room=cython.Py_ssize_t, name_count=cython.Py_ssize_t,
               half=cython.longlong, billion=cython.longlong, latest=cython.longlong,
               to=cython.Py_ssize_t, row=cython.Py_ssize_t, stamp_size=cython.Py_ssize_t, stamp_ns=cython.longlong,
               stamp=cython.ulonglong, stamp_end=cython.ulonglong, since=cython.longlong,
               index=cython.Py_ssize_t, start=cython.Py_ssize_t, stop=cython.Py_ssize_t, begin=cython.Py_ssize_t,
               end=cython.Py_ssize_t, time=cython.longlong, seconds=cython.longlong, rest=cython.uint,
               count=cython.Py_ssize_t, left=cython.longlong, micro=cython.uint, word=cython.ulonglong, every_bit=cython.ulonglong, shifted=cython.ulonglong,
               wide=cython.Py_ssize_t, width=cython.Py_ssize_t, octet=cython.uint,
               kind=cython.ulonglong, mark=cython.uint, code=cython.uint)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned char[::1] names, const unsigned int[::1] name_ends, int digits, bint plain,
    unsigned char[::1] out)
