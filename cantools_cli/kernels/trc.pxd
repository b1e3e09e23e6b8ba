cimport cython
cimport cantools_cli.kernels._gil as gil
cimport cantools_cli.kernels._lines as lines
cimport cantools_cli.kernels._words as words

@cython.locals(thread="void *", count=cython.Py_ssize_t, room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t,
               usual=cython.Py_ssize_t, usual_fd=cython.Py_ssize_t, blanks=cython.ulonglong, mask=cython.ulonglong,
               mask_1=cython.ulonglong, mask_2=cython.ulonglong, mask_3=cython.ulonglong, head=cython.ulonglong,
               head_1=cython.ulonglong, head_2=cython.ulonglong, head_3=cython.ulonglong, width=cython.int,
               decimals=cython.int, type_at=cython.Py_ssize_t, bus_at=cython.Py_ssize_t, id_at=cython.Py_ssize_t,
               way_at=cython.Py_ssize_t, size_at=cython.Py_ssize_t, data_at=cython.Py_ssize_t, coded=cython.int,
               index=cython.Py_ssize_t, shift=cython.Py_ssize_t, stamp=cython.ulonglong, stamp_ns=cython.longlong,
               low_digits=cython.ulonglong, high_digits=cython.ulonglong, row=cython.Py_ssize_t,
               used=cython.Py_ssize_t, reason=cython.int, is_usual=cython.int, pos=cython.Py_ssize_t,
               key=cython.ulonglong, word=cython.ulonglong, time=cython.longlong, fraction=cython.longlong,
               whole=cython.longlong, number=cython.int, mark=cython.int, value=cython.int, is_base=cython.ulonglong,
               found=cython.longlong, identifier=cython.ulonglong, size=cython.int, length=cython.int,
               left=cython.int, known=cython.uint)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    const unsigned char[::1] columns, const unsigned char[::1] layout, const unsigned short[::1] numbers, long long start_ns, long long most_ms,
    Py_ssize_t first, long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

cdef inline int _marks(int first, int second) noexcept nogil

cdef inline int _length(int size, int mark, int coded) noexcept nogil

@cython.locals(malformed=(cython.Py_ssize_t, cython.Py_ssize_t, cython.longlong, cython.longlong, cython.uint,
                          cython.int, cython.int, cython.int),
               number_end=cython.Py_ssize_t, whole=cython.longlong, fraction=cython.longlong,
               identifier=cython.ulonglong, mark=cython.int, size=cython.int, number=cython.longlong,
               index=cython.Py_ssize_t, begin=cython.Py_ssize_t, letter=cython.int, whole_number=cython.longlong,
               extended=cython.ulonglong, kind=cython.int)
cdef (Py_ssize_t, Py_ssize_t, long long, long long, unsigned int, int, int, int) _fields(
    const unsigned char[::1] text, Py_ssize_t pos, Py_ssize_t end, const unsigned char[::1] columns,
    long long most_ms) noexcept nogil

@cython.locals(thread="void *", rows=cython.Py_ssize_t, room=cython.Py_ssize_t, bus_count=cython.Py_ssize_t,
               line_room=cython.Py_ssize_t, latest=cython.longlong, is_new=cython.bint, unit=cython.longlong,
               units_ms=cython.longlong, decimals=cython.int, blanks=cython.ulonglong, line_end=cython.uint,
               rtr=cython.uint, zero_to_blank=cython.ulonglong, data_type=cython.uint, fd_type=cython.uint,
               switched_type=cython.uint, passive_type=cython.uint, both_type=cython.uint, remote_type=cython.uint,
               head=cython.ulonglong, head_1=cython.ulonglong, head_2=cython.ulonglong, head_3=cython.ulonglong,
               bus_at=cython.Py_ssize_t, id_at=cython.Py_ssize_t, way_at=cython.Py_ssize_t,
               size_at=cython.Py_ssize_t, data_at=cython.Py_ssize_t, most_number=cython.longlong,
               number_shift=cython.int, number_end=cython.ulonglong, thousandths="const unsigned char[::1]",
               to=cython.Py_ssize_t, rounded=cython.longlong, row=cython.Py_ssize_t, index=cython.Py_ssize_t,
               bus=cython.uint, begin=cython.Py_ssize_t, end=cython.Py_ssize_t, word=cython.uint,
               time=cython.longlong, mark=cython.uint, value=cython.longlong, part=cython.longlong,
               nano=cython.longlong, whole=cython.longlong, begin_columns=cython.Py_ssize_t, kind=cython.uint,
               bits=cython.ulonglong, size=cython.Py_ssize_t)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned short[::1] numbers, long long start_ns, int version,
    const unsigned char[::1] layout, long long number,
    unsigned char[::1] out)
