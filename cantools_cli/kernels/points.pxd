cimport cython

@cython.locals(room=cython.Py_ssize_t, endless=cython.Py_ssize_t, value=cython.double, difference=cython.double)
cpdef tuple append(const long long[::1] times, const double[::1] values, const unsigned char[::1] valid,
    Py_ssize_t begin, Py_ssize_t end, long long[::1] out_times, double[::1] out_values, Py_ssize_t at)

@cython.locals(at=cython.Py_ssize_t, kept=cython.Py_ssize_t, begin=cython.Py_ssize_t, end=cython.Py_ssize_t,
               interval=cython.longlong, low=cython.Py_ssize_t, high=cython.Py_ssize_t, lowest=cython.double,
               highest=cython.double, value=cython.double, last=cython.Py_ssize_t)
cpdef Py_ssize_t thin(long long[::1] times, double[::1] values, Py_ssize_t count, int shift) except? -1

@cython.locals(count=cython.Py_ssize_t, no_remote=cython.uint, found=cython.Py_ssize_t, row=cython.Py_ssize_t)
cpdef Py_ssize_t frames_of(const unsigned int[::1] can_id, unsigned int key, unsigned int[::1] rows) except -1

@cython.locals(count=cython.Py_ssize_t, found=cython.Py_ssize_t, row=cython.Py_ssize_t)
cpdef Py_ssize_t rows_of(const unsigned short[::1] channel, unsigned int index, unsigned int[::1] rows) except -1

@cython.locals(count=cython.Py_ssize_t, extended=cython.uint, row=cython.Py_ssize_t, word=cython.uint,
               mark=cython.uint, size=cython.longlong, slow=cython.longlong, fast=cython.longlong,
               data=cython.longlong)
cpdef durations(const unsigned int[::1] can_id, const unsigned char[::1] flags, const unsigned int[::1] offset,
    double bit, double data_bit, double[::1] out)

@cython.locals(start=cython.longlong, so_far=cython.double, half=cython.longlong, at=cython.Py_ssize_t,
               row=cython.Py_ssize_t, time=cython.longlong, passed=cython.longlong)
cpdef Py_ssize_t tally(const long long[::1] times, const double[::1] weights, Py_ssize_t count,
    long long interval, long long[::1] state, double[::1] total, long long[::1] out_times,
    double[::1] out_values) except -1
