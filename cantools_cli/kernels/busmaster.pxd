cimport cython
cimport cantools_cli.kernels._gil as gil
cimport cantools_cli.kernels._words as words

@cython.locals(thread="void *", nibble="const unsigned char[::1]", codes="const unsigned char[::1]", lengths="const unsigned char[::1]",
               done=cython.int, full=cython.int, strange=cython.int, unknown=cython.int, no_channel=cython.uint,
               extended_bit=cython.ulonglong, extended_mask=cython.ulonglong, base_mask=cython.ulonglong,
               remote_bit=cython.ulonglong, only_extended=cython.ulonglong,
               room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, row=cython.Py_ssize_t,
               used=cython.Py_ssize_t, reason=cython.int, usual=cython.Py_ssize_t,
               fixed=cython.ulonglong, fixed_mask=cython.ulonglong, lower=cython.ulonglong, kinds=cython.ulonglong,
               kinds_mask=cython.ulonglong, prefix=cython.ulonglong, most=cython.longlong, half_day=cython.longlong,
               billion=cython.longlong, four_digits=cython.longlong, fewer_digits=cython.longlong,
               of_the_day=cython.int, every_bit=cython.ulonglong, every_id_bit=cython.ulonglong,
               sum_mask=cython.ulonglong, last=cython.longlong, stamp_size=cython.Py_ssize_t,
               stamp_ns=cython.longlong, stamp=cython.ulonglong, stamp_mask=cython.ulonglong,
               stamp_end=cython.ulonglong, end_mask=cython.ulonglong, usual_head=cython.int,
               stop=cython.Py_ssize_t, pos=cython.Py_ssize_t, word=cython.ulonglong, digits=cython.int,
               time=cython.longlong, letter=cython.int, number=cython.int, mark=cython.int,
               identifier=cython.ulonglong, extended=cython.int, length=cython.int, index=cython.Py_ssize_t,
               size=cython.Py_ssize_t, known=cython.uint, hours=cython.longlong, minutes=cython.longlong,
               seconds=cython.longlong, value=cython.int, begin=cython.Py_ssize_t, is_hex=cython.int,
               is_remote=cython.int, code=cython.int, limit=cython.Py_ssize_t, low=cython.int)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    const unsigned short[::1] numbers, bint decimal, int mode, int second, long long shift_ns,
    long long last_ns, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)
