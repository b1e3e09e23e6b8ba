cimport cython
cimport cantools_cli.kernels._lines as lines
cimport cantools_cli.kernels._words as words

@cython.locals(count=cython.longlong, whole=cython.longlong, fraction=cython.double)
cdef long long _nanoseconds(double seconds) noexcept

@cython.locals(reason=cython.int,
               room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, row=cython.Py_ssize_t, used=cython.Py_ssize_t,
               begin=cython.Py_ssize_t, stop=cython.Py_ssize_t, size=cython.Py_ssize_t, length=cython.Py_ssize_t,
               identifier=cython.uint, code=cython.uint, mark=cython.uint, time=cython.longlong)
cpdef tuple parse(Py_ssize_t at, Py_ssize_t end, const double[::1] seconds, const unsigned int[::1] identifiers,
    const unsigned char[::1] extended, const unsigned char[::1] remote, const unsigned char[::1] error,
    const unsigned char[::1] dlc, const unsigned int[::1] ends, const unsigned char[::1] data, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(size=cython.int, value=cython.longlong, index=cython.int)
cdef long long _number(const unsigned char[::1] data, Py_ssize_t at, unsigned int kind) noexcept

@cython.locals(damaged=cython.int, slack=cython.Py_ssize_t, ignored=cython.uint,
               reason=cython.int, room=cython.Py_ssize_t, blob_room=cython.Py_ssize_t, count=cython.Py_ssize_t,
               limit=cython.Py_ssize_t, row=cython.Py_ssize_t, used=cython.Py_ssize_t, cells=cython.Py_ssize_t,
               at=cython.Py_ssize_t, size=cython.longlong, index=cython.Py_ssize_t, octet=cython.uint,
               rowid=cython.longlong, stop=cython.Py_ssize_t, body=cython.Py_ssize_t, head_end=cython.Py_ssize_t,
               found=cython.int, kind=cython.uint, width=cython.Py_ssize_t, is_whole=cython.int,
               length=cython.longlong, identifier=cython.longlong, state=cython.longlong,
               request=cython.longlong, fault=cython.longlong, whole=cython.longlong)
cpdef tuple extract(const unsigned char[::1] data, Py_ssize_t base, Py_ssize_t usable, Py_ssize_t cell,
    long long last, const unsigned char[::1] places, unsigned int[::1] kinds, unsigned int[::1] spots,
    int swap, Py_ssize_t first, long long[::1] rowids, double[::1] seconds, unsigned char[::1] octets,
    unsigned int[::1] identifiers, unsigned char[::1] extended, unsigned char[::1] remote,
    unsigned char[::1] error, unsigned char[::1] dlc, unsigned int[::1] ends, unsigned char[::1] blob)
