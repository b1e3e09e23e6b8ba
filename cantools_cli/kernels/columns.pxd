cimport cython
cimport cantools_cli.kernels._words as words

@cython.locals(limit=cython.Py_ssize_t, size=cython.Py_ssize_t, index=cython.Py_ssize_t, row=cython.Py_ssize_t)
cpdef Py_ssize_t payload_of(const unsigned int[::1] rows, const unsigned int[::1] offset) except -1

@cython.locals(count=cython.Py_ssize_t, limit=cython.Py_ssize_t, room=cython.Py_ssize_t,
               used=cython.Py_ssize_t, to=cython.Py_ssize_t, row=cython.Py_ssize_t,
               at=cython.Py_ssize_t, end=cython.Py_ssize_t, size=cython.Py_ssize_t)
cpdef Py_ssize_t gather(const unsigned int[::1] rows,
    const long long[::1] from_timestamp_ns, const unsigned int[::1] from_can_id,
    const unsigned char[::1] from_flags, const unsigned short[::1] from_channel,
    const unsigned char[::1] from_dlc_code, const unsigned int[::1] from_offset,
    const unsigned char[::1] from_payload,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload) except -1

@cython.locals(row=cython.Py_ssize_t)
cpdef shift(unsigned int[::1] column, Py_ssize_t first, long long by)

@cython.locals(limit=cython.Py_ssize_t, row=cython.Py_ssize_t, old=cython.uint)
cpdef translate(unsigned short[::1] column, Py_ssize_t first, const unsigned short[::1] table)

@cython.locals(row=cython.Py_ssize_t, count=cython.uint)
cpdef Py_ssize_t count_bits(const unsigned char[::1] flags, unsigned int mask) except -1

@cython.locals(row=cython.Py_ssize_t, count=cython.uint)
cpdef Py_ssize_t count_entries(const unsigned short[::1] column, unsigned int entry) except -1

@cython.locals(row=cython.Py_ssize_t, count=cython.Py_ssize_t)
cpdef Py_ssize_t count_words(const unsigned int[::1] can_id, unsigned int mask) except -1

@cython.locals(row=cython.Py_ssize_t, count=cython.uint)
cpdef Py_ssize_t count_raw_dlc(const unsigned char[::1] dlc_code, const unsigned char[::1] flags) except -1

@cython.locals(row=cython.Py_ssize_t)
cpdef clear_raw_dlc(unsigned char[::1] dlc_code, const unsigned char[::1] flags)

@cython.locals(row=cython.Py_ssize_t, count=cython.Py_ssize_t)
cpdef Py_ssize_t rows_without(const unsigned int[::1] can_id, unsigned int mask, unsigned int[::1] rows) except -1

@cython.locals(row=cython.Py_ssize_t, count=cython.Py_ssize_t)
cpdef Py_ssize_t rows_without_fd(const unsigned char[::1] dlc_code, const unsigned char[::1] flags, int above,
    unsigned int[::1] rows) except -1
