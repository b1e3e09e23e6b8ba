cimport cython
cimport cantools_cli.kernels._lines as lines
cimport cantools_cli.kernels._words as words

@cython.locals(rows=cython.Py_ssize_t, extended=cython.uint, row=cython.Py_ssize_t, word=cython.uint,
               mark=cython.uint, size=cython.uint, code=cython.uint, at=cython.Py_ssize_t, bit=cython.int, index=cython.int)
cpdef split(const unsigned int[::1] can_id, const unsigned char[::1] flags,
    const unsigned char[::1] dlc_code, const unsigned int[::1] offset,
    unsigned int[::1] arbitration_id, unsigned short[::1] dlc, Py_ssize_t stride, unsigned char[::1] bitmaps)

@cython.locals(rows=cython.Py_ssize_t, left=cython.Py_ssize_t, row=cython.Py_ssize_t)
cpdef Py_ssize_t valid(const unsigned short[::1] channel, unsigned int absent, unsigned char[::1] bitmap) except -1

@cython.locals(rows=cython.Py_ssize_t, row=cython.Py_ssize_t, at=cython.Py_ssize_t)
cpdef mark_set(const unsigned char[::1] bitmap, Py_ssize_t first, int invert, unsigned int mark,
    unsigned char[::1] kinds)

@cython.locals(rows=cython.Py_ssize_t, row=cython.Py_ssize_t)
cpdef mark_above(const unsigned int[::1] numbers, unsigned int limit, unsigned int mark,
    unsigned char[::1] kinds)

@cython.locals(dlc_for=cython.uint, absent=cython.uint, rows=cython.Py_ssize_t, room=cython.Py_ssize_t,
               payload_room=cython.Py_ssize_t, size_of_data=cython.Py_ssize_t, extended=cython.uint,
               row=cython.Py_ssize_t, used=cython.Py_ssize_t, kind=cython.uint, word=cython.uint,
               begin=cython.Py_ssize_t, end=cython.Py_ssize_t, size=cython.Py_ssize_t, dlc=cython.uint,
               code=cython.uint, step=cython.Py_ssize_t)
cpdef tuple join(Py_ssize_t at, const unsigned char[::1] kinds, const long long[::1] times,
    const unsigned int[::1] identifiers, const unsigned short[::1] channels,
    const unsigned short[::1] given_dlc, const unsigned char[::1] given_code,
    const unsigned int[::1] begins, const unsigned char[::1] data, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)
