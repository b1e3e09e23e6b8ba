cimport cython

@cython.locals(nibble="const unsigned char[::1]", lengths="const unsigned char[::1]", kinds="const unsigned char[::1]",
               done=cython.int, full=cython.int, strange=cython.int, reason=cython.int,
               room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, row=cython.Py_ssize_t, used=cython.Py_ssize_t,
               extended=cython.uint, remote=cython.uint, kind=cython.uint, pos=cython.Py_ssize_t,
               stop=cython.Py_ssize_t, number=cython.uint, value=cython.uint, low=cython.uint, code=cython.uint,
               size=cython.Py_ssize_t, to=cython.Py_ssize_t, count=cython.longlong, identifier=cython.uint)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end, Py_ssize_t digits, long long time_ns,
    Py_ssize_t first, long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)
