cimport cython
cimport cantools_cli.kernels._gil as gil
cimport cantools_cli.kernels._plan as _plan
cimport cantools_cli.kernels._words as words

@cython.locals(value=cython.ulonglong, index=cython.Py_ssize_t)
cdef unsigned long long _number(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t count) noexcept nogil

@cython.locals(how=cython.longlong, value=cython.ulonglong, index=cython.Py_ssize_t)
cdef unsigned long long _field(const unsigned char[::1] text, Py_ssize_t at, const long long[::1] plan,
    Py_ssize_t base) noexcept nogil

cdef long long _rounded(double value) noexcept nogil

@cython.locals(unknown=cython.uint,
               largest=cython.ulonglong, every_id_bit=cython.ulonglong, mask=cython.ulonglong,
               room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, channels=cython.ulonglong,
               row=cython.Py_ssize_t, used=cython.Py_ssize_t, size=cython.uint, bits=cython.ulonglong,
               word=cython.ulonglong, bus=cython.ulonglong, count=cython.ulonglong, marks=cython.ulonglong,
               code=cython.uint, fd=cython.uint, extended=cython.uint, time=cython.longlong,
               known=cython.uint, length_code=cython.uint, wrong=cython.uint, place=cython.Py_ssize_t)
cpdef unsigned long long parse_own(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    const unsigned char[::1] own, const unsigned char[::1] codes, const unsigned char[::1] lengths, long long limit, long long start_ns, const unsigned short[::1] table,
    Py_ssize_t first, long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload) noexcept nogil

@cython.locals(thread="void *", lengths="const unsigned char[::1]",
               codes="const unsigned char[::1]",
               done=cython.int, full=cython.int, strange=cython.int, new_channel=cython.int, cut=cython.int,
               lost=cython.int, outside=cython.int, reason=cython.int,
               skip=cython.int, remote_kind=cython.int, error_kind=cython.int,
               variable=cython.int, kind=cython.int, unknown=cython.uint,
               stride=cython.Py_ssize_t, masks=cython.Py_ssize_t,
               behind_room=cython.Py_ssize_t, every_bit=cython.ulonglong,
               number_bits=cython.ulonglong, is_usual=cython.int, largest_real=cython.double, own_count=cython.Py_ssize_t, limit=cython.longlong, real=cython.double,
               room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, channels=cython.Py_ssize_t,
               numbers=cython.Py_ssize_t, window_size=cython.Py_ssize_t, row=cython.Py_ssize_t,
               used=cython.Py_ssize_t, number=cython.ulonglong, index=cython.Py_ssize_t,
               base=cython.Py_ssize_t, pos=cython.Py_ssize_t, length=cython.longlong, size=cython.longlong,
               bits=cython.ulonglong, mode=cython.int, time=cython.longlong, word=cython.ulonglong,
               state=cython.ulonglong, sent=cython.uint, mark=cython.uint, after=cython.Py_ssize_t,
               data=cython.Py_ssize_t, present=cython.longlong, from_window=cython.int,
               pointer=cython.ulonglong, group=cython.Py_ssize_t, place=cython.longlong,
               code=cython.ulonglong, fd=cython.uint, count=cython.longlong, bus=cython.ulonglong)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end, Py_ssize_t id_size,
    const unsigned short[::1] kinds, const long long[::1] plan, const double[::1] scales,
    const unsigned char[::1] own,
    long long[::1] running, const unsigned char[::1] window, long long window_at,
    long long start_ns, const unsigned short[::1] table, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(thread="void *", record_room=cython.Py_ssize_t, identifier_bits=cython.uint, rows=cython.Py_ssize_t, row=cython.Py_ssize_t,
               room=cython.Py_ssize_t, channels=cython.Py_ssize_t, payload_size=cython.Py_ssize_t,
               to=cython.Py_ssize_t, index=cython.Py_ssize_t, number=cython.uint, begin=cython.Py_ssize_t,
               count=cython.Py_ssize_t, word=cython.uint, mark=cython.uint, state=cython.uint,
               size=cython.Py_ssize_t, kind=cython.int, time=cython.longlong, early=cython.Py_ssize_t,
               left=cython.int)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned short[::1] numbers, long long start_ns, long long[::1] counts, unsigned char[::1] out)
