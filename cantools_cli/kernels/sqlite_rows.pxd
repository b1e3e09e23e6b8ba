cimport cython

@cython.locals(count=cython.longlong, whole=cython.longlong, fraction=cython.double)
cdef long long _nanoseconds(double seconds) noexcept

@cython.locals(codes="const unsigned char[::1]", lengths="const unsigned char[::1]",
               done=cython.int, full=cython.int, strange=cython.int, reason=cython.int,
               room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, row=cython.Py_ssize_t, used=cython.Py_ssize_t,
               begin=cython.Py_ssize_t, stop=cython.Py_ssize_t, size=cython.Py_ssize_t, length=cython.Py_ssize_t,
               identifier=cython.uint, code=cython.uint, mark=cython.uint, time=cython.longlong)
cpdef tuple parse(Py_ssize_t at, Py_ssize_t end, const double[::1] seconds, const unsigned int[::1] identifiers,
    const unsigned char[::1] extended, const unsigned char[::1] remote, const unsigned char[::1] error,
    const unsigned char[::1] dlc, const unsigned int[::1] ends, const unsigned char[::1] data, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)
