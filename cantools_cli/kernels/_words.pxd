from libc.string cimport memcmp

# The functions of _words.py for compiled kernels, from words.h.
cdef extern from "words.h":
    unsigned long long canx_load8(const unsigned char *at) noexcept nogil
    double real "canx_real"(unsigned long long word) noexcept nogil
    long long whole "canx_whole"(double value) noexcept nogil
    unsigned int canx_load4(const unsigned char *at) noexcept nogil
    Py_ssize_t canx_behind(const unsigned char *text, Py_ssize_t at, Py_ssize_t end, const unsigned char *key,
                           Py_ssize_t size) noexcept nogil
    void canx_store8(unsigned char *to, unsigned long long word) noexcept nogil
    void canx_store4(unsigned char *to, unsigned int word) noexcept nogil
    void canx_copy4(const unsigned char *at, unsigned char *to) noexcept nogil
    void canx_copy2(const unsigned char *at, unsigned char *to) noexcept nogil
    void canx_repeat32(const unsigned char *at, unsigned char *to) noexcept nogil
    int canx_newline_at(const unsigned char *at) noexcept nogil
    int canx_same_start(const unsigned char *at, const unsigned char *other, int count) noexcept nogil
    int canx_blank_run(const unsigned char *at) noexcept nogil
    int canx_unhex(const unsigned char *at, unsigned char *to) noexcept nogil
    int canx_unhex_spaced(const unsigned char *at, unsigned char *to) noexcept nogil
    int canx_unhex_commas(const unsigned char *at, unsigned char *to) noexcept nogil
    int canx_unbase64(const unsigned char *at, int count, unsigned char *to) noexcept nogil
    void canx_hex8_spaced(const unsigned char *at, unsigned char *to, int letters) noexcept nogil
    void canx_hex_commas(unsigned long long word, unsigned char *to) noexcept nogil
    void canx_hex8(const unsigned char *at, unsigned char *to, int letters) noexcept nogil
    unsigned long long first_bytes "canx_first_bytes"(unsigned long long word, int count) noexcept nogil
    unsigned long long swapped "canx_swapped"(unsigned long long word) noexcept nogil
    int until "canx_until"(unsigned long long word, int byte) noexcept nogil
    unsigned long long hexadecimal8 "canx_hexadecimal8"(unsigned int value) noexcept nogil
    int fd_code "canx_fd_code"(int size) noexcept nogil
    int fd_code_for "canx_fd_code_for"(int size) noexcept nogil
    int fd_length "canx_fd_length"(int code) noexcept nogil
    int nibble "canx_nibble"(unsigned char byte) noexcept nogil
    int blanks "canx_leading_blanks"(unsigned long long word) noexcept nogil
    long long decimal "canx_decimal"(unsigned long long word, int count) noexcept nogil
    long long padded_decimal "canx_padded_decimal"(unsigned long long word, int count) noexcept nogil
    unsigned long long padded_digits "canx_padded_digits"(unsigned long long number) noexcept nogil
    unsigned long long canx_decimal_run(unsigned long long word, int last) noexcept nogil
    unsigned long long hex_run "canx_hex_run"(unsigned long long word) noexcept nogil
    unsigned long long decimal8 "canx_decimal8"(unsigned int value) noexcept nogil
    unsigned long long decimal6 "canx_decimal6"(unsigned int value) noexcept nogil
    int significant "canx_significant"(unsigned long long word) noexcept nogil
    int hex_width "canx_hex_width"(unsigned int value) noexcept nogil
    int alphanumeric_run "canx_alphanumeric_run"(unsigned long long word) noexcept nogil
    unsigned long long padded_hex "canx_padded_hex"(unsigned int value, int width) noexcept nogil
    int decimal_width "canx_decimal_width"(unsigned int value) noexcept nogil
    long long hexadecimal "canx_hexadecimal"(unsigned long long word, int count) noexcept nogil

cdef inline unsigned long long load8(const unsigned char[::1] text, Py_ssize_t at) noexcept nogil:
    return canx_load8(&text[at])

cdef inline unsigned long long decimal_run(unsigned long long word) noexcept nogil:
    return canx_decimal_run(word, 1)

cdef inline unsigned long long fraction_run(unsigned long long word) noexcept nogil:
    return canx_decimal_run(word, 0)

cdef inline unsigned long long reload8(unsigned char[::1] out, Py_ssize_t at) noexcept nogil:
    return canx_load8(&out[at])

cdef inline unsigned int load4(const unsigned char[::1] text, Py_ssize_t at) noexcept nogil:
    return canx_load4(&text[at])

cdef inline unsigned long long member(const unsigned char[::1] text, Py_ssize_t at, const long long[::1] plan,
                                      Py_ssize_t base) noexcept nogil:
    return canx_load8(&text[at + plan[base + 1]]) >> plan[base + 2] & plan[base + 4] | plan[base + 5]

cdef inline void store8(unsigned char[::1] out, Py_ssize_t to, unsigned long long word) noexcept nogil:
    canx_store8(&out[to], word)

cdef inline void store4(unsigned char[::1] out, Py_ssize_t to, unsigned int word) noexcept nogil:
    canx_store4(&out[to], word)

cdef inline void copy4(const unsigned char[::1] source, Py_ssize_t at, unsigned char[::1] out,
                       Py_ssize_t to) noexcept nogil:
    canx_copy4(&source[at], &out[to])

cdef inline void copy2(const unsigned char[::1] source, Py_ssize_t at, unsigned char[::1] out,
                       Py_ssize_t to) noexcept nogil:
    canx_copy2(&source[at], &out[to])

cdef inline void repeat32(unsigned char[::1] out, Py_ssize_t at, Py_ssize_t to) noexcept nogil:
    canx_repeat32(&out[at], &out[to])

cdef inline int same(const unsigned char[::1] text, Py_ssize_t at, const unsigned char[::1] other,
                     Py_ssize_t count) noexcept nogil:
    return memcmp(&text[at], &other[0], count) == 0

cdef inline Py_ssize_t behind(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t end,
                              const unsigned char[::1] keys, const unsigned int[::1] ends, Py_ssize_t key) noexcept nogil:
    cdef Py_ssize_t begin = ends[key - 1] if key > 0 else 0
    return canx_behind(&text[0], at, end, &keys[begin], ends[key] - begin)

cdef inline int newline_at(const unsigned char[::1] text, Py_ssize_t at) noexcept nogil:
    return canx_newline_at(&text[at])

cdef inline int same_start(const unsigned char[::1] text, Py_ssize_t at, Py_ssize_t other, int count) noexcept nogil:
    return canx_same_start(&text[at], &text[other], count)

cdef inline int blank_run(const unsigned char[::1] text, Py_ssize_t at) noexcept nogil:
    return canx_blank_run(&text[at])

cdef inline int unhex(const unsigned char[::1] text, Py_ssize_t at, unsigned char[::1] out,
                      Py_ssize_t to) noexcept nogil:
    return canx_unhex(&text[at], &out[to])

cdef inline int unhex_spaced(const unsigned char[::1] text, Py_ssize_t at, unsigned char[::1] out,
                             Py_ssize_t to) noexcept nogil:
    return canx_unhex_spaced(&text[at], &out[to])

cdef inline int unhex_commas(const unsigned char[::1] text, Py_ssize_t at, unsigned char[::1] out,
                             Py_ssize_t to) noexcept nogil:
    return canx_unhex_commas(&text[at], &out[to])

cdef inline void hex8(const unsigned char[::1] payload, Py_ssize_t at, unsigned char[::1] out, Py_ssize_t to,
                      int letters) noexcept nogil:
    canx_hex8(&payload[at], &out[to], letters)

cdef inline void hex8_spaced(const unsigned char[::1] payload, Py_ssize_t at, unsigned char[::1] out,
                             Py_ssize_t to) noexcept nogil:
    canx_hex8_spaced(&payload[at], &out[to], 55)

cdef inline void hex8_spaced_lower(const unsigned char[::1] payload, Py_ssize_t at, unsigned char[::1] out,
                                   Py_ssize_t to) noexcept nogil:
    canx_hex8_spaced(&payload[at], &out[to], 87)

cdef inline void hex_commas(unsigned long long word, unsigned char[::1] out, Py_ssize_t to) noexcept nogil:
    canx_hex_commas(word, &out[to])

cdef inline int unbase64(const unsigned char[::1] text, Py_ssize_t at, int count, unsigned char[::1] out,
                         Py_ssize_t to) noexcept nogil:
    return canx_unbase64(&text[at], count, &out[to])
