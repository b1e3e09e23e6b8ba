cimport cython
cimport cantools_cli.kernels._lines as lines
cimport cantools_cli.kernels._words as words

@cython.locals(missed=cython.int, bad=cython.int, is_xl=cython.int, version=cython.uint,
               header=cython.Py_ssize_t, room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t,
               row=cython.Py_ssize_t, used=cython.Py_ssize_t, reason=cython.int,
               size=cython.Py_ssize_t, count=cython.Py_ssize_t, timed=cython.uint, sent=cython.uint,
               index=cython.Py_ssize_t, pos=cython.Py_ssize_t, time=cython.longlong, stop=cython.Py_ssize_t, last=cython.Py_ssize_t,
               to=cython.Py_ssize_t, taken=cython.Py_ssize_t, fixed=cython.Py_ssize_t, word=cython.uint,
               mark=cython.uint, code=cython.uint, length=cython.Py_ssize_t)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end, unsigned long long own,
    Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(header=cython.Py_ssize_t, record_room=cython.Py_ssize_t, rows=cython.Py_ssize_t,
               room=cython.Py_ssize_t, payload_size=cython.Py_ssize_t, to=cython.Py_ssize_t,
               row=cython.Py_ssize_t, begin=cython.Py_ssize_t, end=cython.Py_ssize_t, every_bit=cython.ulonglong, kind=cython.uint)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    long long now, bint timed, unsigned long long sender, unsigned char[::1] out)
