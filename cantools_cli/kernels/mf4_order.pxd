cimport cython
cimport cantools_cli.kernels._words as words

@cython.locals(done=cython.int, cut=cython.int, back=cython.int, strange=cython.int, lost=cython.int,
               reason=cython.int, stride=cython.Py_ssize_t, unknown=cython.uint, numbers=cython.Py_ssize_t,
               every_bit=cython.ulonglong, number_bits=cython.ulonglong, largest=cython.double,
               index=cython.Py_ssize_t, number=cython.ulonglong, base=cython.Py_ssize_t,
               pos=cython.Py_ssize_t, length=cython.longlong, kind=cython.longlong, mode=cython.longlong,
               bits=cython.ulonglong, real=cython.double, time=cython.longlong)
cpdef tuple scan(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end, Py_ssize_t id_size,
    const unsigned short[::1] kinds, const long long[::1] plan, const double[::1] scales,
    long long latest_ns)

@cython.locals(row=cython.Py_ssize_t)
cpdef long long latest(const long long[::1] stamps, long long latest_ns)
