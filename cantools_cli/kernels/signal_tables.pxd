cimport cython

@cython.locals(rows=cython.Py_ssize_t, limit=cython.Py_ssize_t, index=cython.Py_ssize_t, frame=cython.Py_ssize_t)
cpdef count(const unsigned int[::1] frames, const unsigned char[::1] valid, unsigned int[::1] counts)

@cython.locals(total=cython.uint, number=cython.uint, frame=cython.Py_ssize_t)
cpdef Py_ssize_t begins(unsigned int[::1] counts) except -1

@cython.locals(rows=cython.Py_ssize_t, limit=cython.Py_ssize_t, room=cython.Py_ssize_t, named=cython.bint,
               nameless=cython.uint, index=cython.Py_ssize_t, frame=cython.Py_ssize_t, at=cython.Py_ssize_t)
cpdef place(const unsigned int[::1] frames, const unsigned char[::1] valid, const double[::1] values,
    const unsigned int[::1] names, unsigned int number, unsigned int[::1] places, double[::1] out_values,
    unsigned int[::1] out_names, unsigned int[::1] out_numbers, unsigned int[::1] out_frames)

@cython.locals(rows=cython.Py_ssize_t, limit=cython.Py_ssize_t, index=cython.Py_ssize_t, frame=cython.Py_ssize_t)
cpdef spread(const unsigned int[::1] frames, const unsigned char[::1] valid, const long long[::1] values,
    long long[::1] out, unsigned char[::1] out_valid)

@cython.locals(rows=cython.Py_ssize_t, known=cython.Py_ssize_t, nameless=cython.uint, index=cython.Py_ssize_t,
               value=cython.longlong, low=cython.Py_ssize_t, high=cython.Py_ssize_t, middle=cython.Py_ssize_t)
cpdef name(const long long[::1] raw, const long long[::1] keys, const unsigned int[::1] numbers,
    unsigned int[::1] out)

@cython.locals(rows=cython.Py_ssize_t, limit=cython.Py_ssize_t, index=cython.Py_ssize_t, at=cython.Py_ssize_t)
cpdef take(const unsigned int[::1] indices, const unsigned int[::1] source, unsigned int[::1] out)

@cython.locals(rows=cython.Py_ssize_t, limit=cython.Py_ssize_t, index=cython.Py_ssize_t, at=cython.Py_ssize_t)
cpdef take_short(const unsigned int[::1] indices, const unsigned short[::1] source, unsigned int[::1] out)

@cython.locals(rows=cython.Py_ssize_t, limit=cython.Py_ssize_t, index=cython.Py_ssize_t, at=cython.Py_ssize_t)
cpdef identifiers(const unsigned int[::1] indices, const unsigned int[::1] can_id, long long[::1] out)

@cython.locals(count=cython.Py_ssize_t, row=cython.Py_ssize_t)
cpdef Py_ssize_t present(const unsigned char[::1] valid) except -1

@cython.locals(rows=cython.Py_ssize_t, absent=cython.Py_ssize_t, row=cython.Py_ssize_t, bit=cython.int)
cpdef Py_ssize_t bitmap(const unsigned char[::1] valid, unsigned char[::1] out) except -1

@cython.locals(rows=cython.Py_ssize_t, nameless=cython.uint, absent=cython.Py_ssize_t, row=cython.Py_ssize_t,
               bit=cython.int)
cpdef Py_ssize_t named(const unsigned int[::1] names, unsigned char[::1] out) except -1

@cython.locals(rows=cython.Py_ssize_t, begin=cython.Py_ssize_t, row=cython.Py_ssize_t, value=cython.ulonglong,
               octet=cython.int)
cpdef store(const long long[::1] values, int size, Py_ssize_t at, Py_ssize_t stride, unsigned char[::1] out)

@cython.locals(rows=cython.Py_ssize_t, begin=cython.Py_ssize_t, row=cython.Py_ssize_t)
cpdef store_absent(const unsigned char[::1] valid, int bit, Py_ssize_t at, Py_ssize_t stride,
    unsigned char[::1] out)
