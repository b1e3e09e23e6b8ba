cimport cython
cimport cantools_cli.kernels._gil as gil
cimport cantools_cli.kernels._lines as lines
cimport cantools_cli.kernels._printed as fields
cimport cantools_cli.kernels._words as words

@cython.locals(thread="void *", begins="const unsigned char[::1]", kinds="const unsigned char[::1]",
               marks="const unsigned char[::1]", lengths="const unsigned char[::1]", begin_size=cython.Py_ssize_t,
               room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, row=cython.Py_ssize_t, used=cython.Py_ssize_t,
               reason=cython.int, usual_head=cython.Py_ssize_t, channel_mark=cython.ulonglong,
               before_id=cython.ulonglong, before_length=cython.ulonglong, blanks=cython.ulonglong,
               two_blanks=cython.ulonglong, four_blanks=cython.ulonglong, length_mask=cython.ulonglong,
               every_bit=cython.ulonglong, stamp_at=cython.Py_ssize_t, stamp_size=cython.int, stamp_ns=cython.longlong,
               recent="long long[::1]", wrong=cython.ulonglong, pos=cython.Py_ssize_t, word=cython.ulonglong,
               time=cython.longlong, index=cython.Py_ssize_t, number=cython.longlong, kind=cython.ulonglong,
               mark=cython.ulonglong, size=cython.Py_ssize_t, begin=cython.Py_ssize_t, is_error=cython.ulonglong,
               is_remote=cython.ulonglong, is_fd=cython.ulonglong, code=cython.ulonglong, length=cython.Py_ssize_t,
               last=cython.longlong, stop=cython.Py_ssize_t)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    const unsigned char[::1] names, const unsigned int[::1] name_ends, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(thread="void *", kinds="const unsigned char[::1]", marks="const unsigned char[::1]",
               lengths="const unsigned char[::1]", begins="const unsigned char[::1]", begin_size=cython.Py_ssize_t,
               line_room=cython.Py_ssize_t, channel_room=cython.Py_ssize_t, before_id=cython.ulonglong,
               before_length=cython.ulonglong, before_text=cython.ulonglong, blanks=cython.ulonglong,
               rows=cython.Py_ssize_t, room=cython.Py_ssize_t, payload_size=cython.Py_ssize_t,
               name_count=cython.Py_ssize_t, names_size=cython.Py_ssize_t, identifier_mask=cython.uint, kept=cython.uint,
               billion=cython.longlong, million=cython.ulonglong, early=cython.longlong, late=cython.longlong,
               never=cython.longlong, one=cython.ulonglong, two_blanks=cython.ulonglong, to=cython.Py_ssize_t,
               row=cython.Py_ssize_t, stamp_ns=cython.longlong, stamp_size=cython.Py_ssize_t, shift=cython.int,
               stamp=cython.ulonglong, stamp_middle=cython.ulonglong, stamp_end=cython.ulonglong,
               index=cython.Py_ssize_t, start=cython.Py_ssize_t, name_size=cython.Py_ssize_t, begin=cython.Py_ssize_t,
               size=cython.Py_ssize_t, time=cython.longlong, mark=cython.uint, word=cython.uint,
               is_remote=cython.Py_ssize_t, since=cython.ulonglong, is_new=cython.int, seconds=cython.longlong,
               micro=cython.uint, rest=cython.uint, scaled=cython.ulonglong, half=cython.ulonglong,
               count=cython.Py_ssize_t, identifier=cython.uint, edge=cython.Py_ssize_t,
               key=cython.ulonglong, has_text=cython.int, value=cython.uint)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned char[::1] names, const unsigned int[::1] name_ends, unsigned char[::1] out)
