cimport cython

@cython.locals(fields=cython.Py_ssize_t, planes=cython.Py_ssize_t, wide=cython.Py_ssize_t, kept=cython.Py_ssize_t,
               sums=cython.Py_ssize_t, never=cython.longlong, rows=cython.Py_ssize_t, capacity=cython.Py_ssize_t,
               around=cython.Py_ssize_t, longest=cython.longlong, xl_key=cython.longlong,
               extended=cython.ulonglong, no_remote=cython.ulonglong, channels=cython.Py_ssize_t, row=cython.Py_ssize_t,
               number=cython.longlong, total=cython.Py_ssize_t, begin=cython.Py_ssize_t, size=cython.Py_ssize_t,
               length=cython.Py_ssize_t, mark=cython.uint, word=cython.ulonglong, remote=cython.int,
               time=cython.longlong, seen=cython.longlong, key=cython.longlong, slot=cython.Py_ssize_t,
               at=cython.Py_ssize_t, base=cython.Py_ssize_t, data=cython.Py_ssize_t, is_first=cython.bint,
               field=cython.Py_ssize_t, byte=cython.Py_ssize_t, index=cython.Py_ssize_t, period=cython.longlong,
               step=cython.longlong, ring=cython.Py_ssize_t, plane=cython.Py_ssize_t, before=cython.Py_ssize_t,
               value=cython.uint, place=cython.Py_ssize_t, bits=cython.uint, since=cython.longlong)
cpdef tuple absorb(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload, const unsigned short[::1] numbers,
    long long now, long long hold, Py_ssize_t limit, Py_ssize_t used, unsigned int[::1] slots,
    long long[::1] figures, long long[::1] changed, unsigned char[::1] octets, long long[::1] past_ns,
    unsigned short[::1] past_size, unsigned char[::1] past, long long[::1] totals)
