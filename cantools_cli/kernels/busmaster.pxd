cimport cython
cimport cantools_cli.kernels._gil as gil
cimport cantools_cli.kernels._lines as lines
cimport cantools_cli.kernels._words as words

@cython.locals(thread="void *", room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, usual=cython.Py_ssize_t,
               prefix=cython.ulonglong, most=cython.longlong, fixed=cython.ulonglong, fixed_mask=cython.ulonglong,
               lower=cython.ulonglong, kinds=cython.ulonglong, kinds_mask=cython.ulonglong,
               extended_mask=cython.ulonglong, base_mask=cython.ulonglong, low_half=cython.ulonglong,
               half_day=cython.longlong, four_digits=cython.longlong, fewer_digits=cython.longlong,
               of_the_day=cython.int, is_sum=cython.int, last=cython.longlong, row=cython.Py_ssize_t,
               used=cython.Py_ssize_t, reason=cython.int, stamp_at=cython.Py_ssize_t, stamp_size=cython.int,
               stamp_ns=cython.longlong, is_usual=cython.int, usual_head=cython.int, stop=cython.Py_ssize_t,
               pos=cython.Py_ssize_t, word=cython.ulonglong, digits=cython.int, time=cython.longlong,
               letter=cython.int, number=cython.int, mark=cython.int, identifier=cython.ulonglong,
               extended=cython.ulonglong, length=cython.int, index=cython.Py_ssize_t, size=cython.int,
               code=cython.int, hours=cython.longlong, minutes=cython.longlong, seconds=cython.longlong,
               begin=cython.Py_ssize_t, is_hex=cython.int, is_remote=cython.int, value=cython.int, known=cython.uint)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    const unsigned short[::1] numbers, bint decimal, int mode, int second, long long shift_ns,
    long long last_ns, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)
