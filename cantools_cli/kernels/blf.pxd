cimport cython
cimport cantools_cli.kernels._gil as gil
cimport cantools_cli.kernels._lines as lines
cimport cantools_cli.kernels._words as words

@cython.locals(thread="void *", kinds="const unsigned char[::1]", cut=cython.int,
               lost=cython.int, reason=cython.int,
               classic=cython.int, fd=cython.int, fd64=cython.int, error=cython.int, skip=cython.int,
               kind=cython.int, largest_10us=cython.longlong,
               room=cython.Py_ssize_t, payload_room=cython.Py_ssize_t, channels=cython.Py_ssize_t,
               row=cython.Py_ssize_t, used=cython.Py_ssize_t, pos=cython.Py_ssize_t, index=cython.Py_ssize_t,
               header=cython.Py_ssize_t, version=cython.int, size=cython.Py_ssize_t, number=cython.uint,
               mark=cython.uint, state=cython.uint, identifier=cython.uint, time=cython.longlong,
               body=cython.Py_ssize_t, length=cython.Py_ssize_t, data=cython.Py_ssize_t, sent=cython.uint,
               code=cython.uint, remote=cython.uint, count=cython.Py_ssize_t, present=cython.Py_ssize_t,
               extra=cython.Py_ssize_t)
cpdef tuple parse(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
    long long start_ns, long long earliest, long long latest, const unsigned short[::1] table, Py_ssize_t first,
    long long[::1] timestamp_ns, unsigned int[::1] can_id, unsigned char[::1] flags,
    unsigned short[::1] channel, unsigned char[::1] dlc_code, unsigned int[::1] offset,
    unsigned char[::1] payload)

@cython.locals(thread="void *", heads="const unsigned char[::1]", object_room=cython.Py_ssize_t, identifier_bits=cython.uint,
               rows=cython.Py_ssize_t, room=cython.Py_ssize_t, channels=cython.Py_ssize_t,
               payload_size=cython.Py_ssize_t, to=cython.Py_ssize_t, row=cython.Py_ssize_t,
               index=cython.Py_ssize_t, number=cython.uint, begin=cython.Py_ssize_t, count=cython.Py_ssize_t,
               time=cython.longlong, word=cython.uint, mark=cython.uint, pos=cython.Py_ssize_t,
               data=cython.Py_ssize_t, size=cython.Py_ssize_t)
cpdef tuple format(Py_ssize_t first, const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, const unsigned short[::1] channel, const unsigned char[::1] dlc_code,
    const unsigned int[::1] offset, const unsigned char[::1] payload,
    const unsigned short[::1] numbers, long long start_ns, long long latest, unsigned char[::1] out)

@cython.locals(rows=cython.Py_ssize_t, row=cython.Py_ssize_t, time=cython.longlong,
               smallest=cython.longlong, largest=cython.longlong, early=cython.Py_ssize_t,
               fd=cython.Py_ssize_t, sent_errors=cython.Py_ssize_t)
cpdef tuple survey(const long long[::1] timestamp_ns, const unsigned int[::1] can_id,
    const unsigned char[::1] flags, long long start_ns)
