cimport cython
cimport cantools_cli.kernels._gil as gil
cimport cantools_cli.kernels._words as words

@cython.locals(thread="void *", nibble="const unsigned char[::1]", lengths="const unsigned char[::1]",
               done=cython.int, full=cython.int, strange=cython.int, unknown=cython.int, no_channel=cython.uint,
               extended_bit=cython.ulonglong, extended_mask=cython.ulonglong, base_mask=cython.ulonglong, remote_bit=cython.ulonglong,
               usual_fd=cython.Py_ssize_t, canfd=cython.ulonglong, behind_direction=cython.ulonglong, every_id_bit=cython.ulonglong,
               fixed=cython.ulonglong, fixed_mask=cython.ulonglong,
               stamp_end=cython.Py_ssize_t, usual_head=cython.int, found=cython.longlong, only_extended=cython.ulonglong, before_flags="const unsigned char[::1]",
               behind_flags="const unsigned char[::1]", before_size=cython.Py_ssize_t, behind_size=cython.Py_ssize_t,
               usual=cython.Py_ssize_t, blanks=cython.ulonglong, received=cython.ulonglong, every_bit=cython.ulonglong,
               stamp_size=cython.Py_ssize_t, stamp_ns=cython.longlong, stamp=cython.ulonglong, stamp_mask=cython.ulonglong,
               is_usual=cython.int, word=cython.ulonglong, extended=cython.uint, time=cython.longlong,
               room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, row=cython.Py_ssize_t,
               used=cython.Py_ssize_t, reason=cython.int, pos=cython.Py_ssize_t, seconds=cython.longlong,
               fraction=cython.longlong, value=cython.int, begin=cython.Py_ssize_t, digits=cython.Py_ssize_t,
               is_fd_line=cython.int, number=cython.int, mark=cython.int, identifier=cython.ulonglong,
               code=cython.int, length=cython.Py_ssize_t, index=cython.Py_ssize_t, low=cython.int,
               bits=cython.ulonglong, tokens=cython.int, known=cython.uint)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    const unsigned short[::1] numbers, long long start_ns, long long most_seconds, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(thread="void *", hexadecimal="const unsigned char[::1]", decimal="const unsigned char[::1]",
               before_flags="const unsigned char[::1]", behind_flags="const unsigned char[::1]",
               before_size=cython.Py_ssize_t, behind_size=cython.Py_ssize_t, line_room=cython.Py_ssize_t,
               error_bit=cython.uint, extended_mask=cython.uint, every_bit=cython.ulonglong, extended=cython.uint,
               digits=cython.ulonglong, latest=cython.longlong, rows=cython.Py_ssize_t, room=cython.Py_ssize_t,
               number_count=cython.Py_ssize_t, to=cython.Py_ssize_t, row=cython.Py_ssize_t,
               blanks=cython.ulonglong, received=cython.ulonglong, remote=cython.ulonglong,
               stamp_size=cython.Py_ssize_t, stamp_ns=cython.longlong, stamp=cython.ulonglong,
               stamp_end=cython.ulonglong, since=cython.longlong, billion=cython.longlong,
               index=cython.Py_ssize_t, number=cython.uint, begin=cython.Py_ssize_t, end=cython.Py_ssize_t,
               word=cython.uint, time=cython.longlong, seconds=cython.longlong, rest=cython.uint,
               count=cython.Py_ssize_t, left=cython.longlong, micro=cython.uint, nano=cython.uint,
               identifier=cython.ulonglong, width=cython.Py_ssize_t, payload_size=cython.Py_ssize_t, mark=cython.uint, code=cython.uint)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned short[::1] numbers, long long start_ns, bint crlf, unsigned char[::1] out)
