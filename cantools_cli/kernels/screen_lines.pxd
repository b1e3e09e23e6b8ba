cimport cython
cimport cantools_cli.kernels._candump as fields
cimport cantools_cli.kernels._gil as gil
cimport cantools_cli.kernels._lines as lines
cimport cantools_cli.kernels._words as words

@cython.locals(date_size=cython.Py_ssize_t, row=cython.Py_ssize_t, used=cython.Py_ssize_t, last=cython.longlong,
               reason=cython.int, unit=cython.longlong, indent=cython.ulonglong, tens_byte=cython.ulonglong,
               after_fraction=cython.ulonglong, stamp_at=cython.Py_ssize_t, stamp_size=cython.Py_ssize_t,
               stamp_ns=cython.longlong, stamp_is_short=cython.int, recent="long long[::1]", thread="void *",
               room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, total=cython.longlong,
               total_high=cython.longlong, latest=cython.longlong, steps=cython.longlong, back=cython.longlong,
               differences=cython.int, second_ns=cython.longlong, timeless=cython.int,
               remote="const unsigned char[::1]", error="const unsigned char[::1]", usual=cython.Py_ssize_t,
               most_stamp=cython.Py_ssize_t, unit_bits=cython.int, blanks=cython.ulonglong,
               direction=cython.ulonglong, usual_length=cython.ulonglong, fd_length=cython.ulonglong,
               length_mask=cython.ulonglong, sent=cython.ulonglong, switched=cython.ulonglong,
               passive=cython.ulonglong, usual_head=cython.int, pos=cython.Py_ssize_t, is_whole=cython.int,
               begin_data=cython.Py_ssize_t, identifier=cython.ulonglong, word=cython.ulonglong,
               time=cython.longlong, is_short=cython.int, begin=cython.Py_ssize_t, is_base=cython.ulonglong,
               is_fd=cython.ulonglong, size=cython.Py_ssize_t, is_back=cython.int, is_difference=cython.int,
               sum_now=cython.longlong, above=cython.longlong, differs=cython.ulonglong, stop=cython.Py_ssize_t,
               mark=cython.ulonglong, is_indented=cython.ulonglong, digits=cython.int, number=cython.longlong,
               tens=cython.Py_ssize_t, code=cython.int, length=cython.Py_ssize_t, is_sent=cython.ulonglong,
               is_switched=cython.ulonglong, is_passive=cython.ulonglong, index=cython.Py_ssize_t)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    const unsigned char[::1] names, const unsigned int[::1] name_ends, const unsigned char[::1] second,
    long long[::1] state, Py_ssize_t first, long long[::1] timestamp_ns, unsigned int[::1] can_id,
    unsigned char[::1] flags, unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(remote_end="const unsigned char[::1]", line_room=cython.Py_ssize_t, every_bit=cython.ulonglong,
               billion=cython.longlong, latest=cython.longlong, half=cython.longlong, least_digits=cython.Py_ssize_t,
               stamp_size=cython.Py_ssize_t, stamp_ns=cython.longlong, stamp=cython.ulonglong,
               stamp_middle=cython.ulonglong, stamp_end=cython.ulonglong, to=cython.Py_ssize_t,
               row=cython.Py_ssize_t, thread="void *", no_time=cython.int, absolute=cython.int, dated=cython.int,
               difference=cython.int, blanks=cython.ulonglong, before_direction=cython.ulonglong,
               usual_length=cython.ulonglong, fd_length=cython.ulonglong, sent=cython.ulonglong,
               switched=cython.ulonglong, passive=cython.ulonglong, rows=cython.Py_ssize_t, room=cython.Py_ssize_t,
               name_count=cython.Py_ssize_t, zero=cython.longlong, has_zero=cython.int, indents=cython.ulonglong,
               index=cython.Py_ssize_t, start=cython.Py_ssize_t, stop=cython.Py_ssize_t, begin=cython.Py_ssize_t,
               end=cython.Py_ssize_t, size=cython.Py_ssize_t, time=cython.longlong, mark=cython.ulonglong,
               kind=cython.ulonglong, word=cython.ulonglong, is_fd=cython.ulonglong, is_remote=cython.ulonglong,
               wide=cython.ulonglong, width=cython.ulonglong, length=cython.Py_ssize_t, tens=cython.Py_ssize_t,
               octets=cython.ulonglong, since=cython.longlong, rest_ns=cython.longlong, rest=cython.uint,
               seconds=cython.longlong)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned char[::1] names, const unsigned int[::1] name_ends, int form, const unsigned char[::1] second,
    bint directions, long long[::1] state, unsigned char[::1] out)
