cimport cython

@cython.locals(size=cython.Py_ssize_t, words=cython.Py_ssize_t, count=cython.Py_ssize_t, row=cython.Py_ssize_t,
               at=cython.Py_ssize_t, mask=cython.uint, low=cython.uint, high=cython.uint, word=cython.uint,
               value=cython.uint, inverted=cython.bint, hit=cython.bint, wanted=cython.bint)
cpdef Py_ssize_t select(const unsigned int[::1] can_id, const unsigned int[::1] tests, bint join,
    unsigned int error_mask, unsigned int[::1] rows) except -1
