cimport cython
cimport cantools_cli.kernels._lines as lines
cimport cantools_cli.kernels._words as words

@cython.locals(s0=cython.ulonglong, s1=cython.ulonglong, s2=cython.ulonglong, s3=cython.ulonglong,
               word_mask=cython.ulonglong, total=cython.ulonglong, result=cython.ulonglong)
cdef unsigned long long _draw(unsigned int[::1] state) noexcept

@cython.locals(word_mask=cython.ulonglong, extended_bit=cython.ulonglong,
               count=cython.Py_ssize_t, room=cython.Py_ssize_t, row=cython.Py_ssize_t, used=cython.Py_ssize_t,
               counter=cython.ulonglong, kind=cython.uint, draw=cython.ulonglong, word=cython.ulonglong,
               limit=cython.uint, code=cython.uint, size=cython.Py_ssize_t, at=cython.Py_ssize_t,
               stop=cython.Py_ssize_t, rising=cython.ulonglong)
cpdef Py_ssize_t fill(unsigned int[::1] state, long long number, long long time, long long step, long long rest,
    long long extra, long long per, unsigned int kinds, int id_mode, unsigned int identifier, int length_mode,
    int length, int data_mode, const unsigned char[::1] pattern, const unsigned char[::1] mask,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload) except -1
