cimport cython

@cython.locals(row=cython.Py_ssize_t, later=cython.Py_ssize_t, stamp=cython.longlong)
cpdef Py_ssize_t due_times(const long long[::1] stamps, long long highest, long long[::1] due) except -1

@cython.locals(runs=cython.Py_ssize_t, run=cython.Py_ssize_t, best=cython.Py_ssize_t, to=cython.Py_ssize_t,
               row=cython.Py_ssize_t, count=cython.Py_ssize_t, lowest=cython.longlong)
cpdef interleave(const long long[::1] due, unsigned int[::1] at, const unsigned int[::1] ends,
    unsigned int[::1] rows)
