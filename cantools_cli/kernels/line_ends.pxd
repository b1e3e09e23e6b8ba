cimport cantools_cli.kernels._words as words

cpdef bint has_lone_return(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end) except -1
