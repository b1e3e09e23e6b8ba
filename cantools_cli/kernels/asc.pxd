cimport cython
cimport cantools_cli.kernels._gil as gil
cimport cantools_cli.kernels._lines as lines
cimport cantools_cli.kernels._words as words

# Functions really are inlined: a view passed by value has 200 bytes.
cdef extern from *:
    """
    #ifdef __GNUC__
    #undef CYTHON_INLINE
    #define CYTHON_INLINE inline __attribute__((always_inline))
    #endif
    """

@cython.locals(thread="void *", room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t,
               extended_mask=cython.ulonglong, base_mask=cython.ulonglong, every_bit=cython.ulonglong,
               low_half=cython.ulonglong, usual=cython.Py_ssize_t, usual_fd=cython.Py_ssize_t, blanks=cython.ulonglong,
               received=cython.ulonglong, canfd=cython.ulonglong, fixed=cython.ulonglong, fixed_mask=cython.ulonglong,
               before_flags="const unsigned char[::1]", behind_flags="const unsigned char[::1]",
               before_size=cython.Py_ssize_t, tail_size=cython.Py_ssize_t, most_ns=cython.longlong,
               row=cython.Py_ssize_t, used=cython.Py_ssize_t, reason=cython.int, stamp=cython.ulonglong,
               stamp_mask=cython.ulonglong, stamp_size=cython.int, stamp_ns=cython.longlong, is_usual=cython.int, is_fd=cython.int,
               pos=cython.Py_ssize_t, word=cython.ulonglong, fraction=cython.longlong, time=cython.longlong,
               number=cython.int, digits=cython.Py_ssize_t, identifier=cython.ulonglong, extended=cython.ulonglong,
               mark=cython.int, code=cython.int, length=cython.Py_ssize_t, value=cython.int, begin=cython.Py_ssize_t,
               index=cython.Py_ssize_t, bits=cython.ulonglong, kind=cython.int, known=cython.uint)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    const unsigned short[::1] numbers, long long start_ns, long long most_seconds, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(is_fd=cython.int, number=cython.int, word=cython.ulonglong, mark=cython.int, index=cython.int,
               identifier=cython.longlong, extended=cython.longlong, tens=cython.int, code=cython.int,
               length=cython.Py_ssize_t)
cdef inline (Py_ssize_t, int, unsigned int, int, int, Py_ssize_t) _fd_columns(const unsigned char[::1] text,
    Py_ssize_t pos, unsigned long long blanks, unsigned long long canfd, unsigned long long fixed, unsigned long long fixed_mask) noexcept nogil

cdef inline int _fd_kind(unsigned long long bits, int mark, int code, Py_ssize_t length) noexcept nogil

@cython.locals(malformed=(cython.Py_ssize_t, cython.int, cython.uint, cython.int, cython.int, cython.Py_ssize_t, cython.int),
               is_fd=cython.int, number=cython.longlong, begin=cython.Py_ssize_t, mark=cython.int,
               identifier=cython.ulonglong, extended=cython.ulonglong, code=cython.int, length=cython.Py_ssize_t,
               value=cython.int)
cdef inline (Py_ssize_t, int, unsigned int, int, int, Py_ssize_t, int) _head(const unsigned char[::1] text, Py_ssize_t pos,
    Py_ssize_t end, unsigned long long canfd) noexcept nogil

@cython.locals(value=cython.int)
cdef inline int _switch(const unsigned char[::1] text, Py_ssize_t pos) noexcept nogil

@cython.locals(bits=cython.ulonglong, tokens=cython.int)
cdef inline (Py_ssize_t, unsigned long long) _tail(const unsigned char[::1] text, Py_ssize_t pos, Py_ssize_t end) noexcept nogil

@cython.locals(thread="void *", rows=cython.Py_ssize_t, room=cython.Py_ssize_t, number_count=cython.Py_ssize_t,
               line_room=cython.Py_ssize_t, before_size=cython.Py_ssize_t, behind_size=cython.Py_ssize_t,
               before_flags="const unsigned char[::1]", behind_flags="const unsigned char[::1]",
               received=cython.ulonglong, blanks=cython.ulonglong, canfd=cython.ulonglong, remote=cython.ulonglong,
               every_bit=cython.ulonglong, zero_to_blank=cython.ulonglong, latest=cython.longlong,
               billion=cython.longlong, to=cython.Py_ssize_t, row=cython.Py_ssize_t, stamp_at=cython.Py_ssize_t,
               stamp_size=cython.Py_ssize_t, stamp_ns=cython.longlong, index=cython.Py_ssize_t, number=cython.uint,
               begin=cython.Py_ssize_t, end=cython.Py_ssize_t, word=cython.uint, mark=cython.uint,
               time=cython.longlong, since=cython.longlong, rest=cython.uint, seconds=cython.longlong,
               micro=cython.uint, nano=cython.uint, identifier=cython.ulonglong, extended=cython.uint,
               width=cython.Py_ssize_t, code=cython.uint, bits=cython.ulonglong)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned short[::1] numbers, long long start_ns, bint crlf, unsigned char[::1] out)
