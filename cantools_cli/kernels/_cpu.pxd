cdef extern from *:
    """
    static inline int canx_has_avx2(void) {
    #if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi")
            && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("lzcnt");
    #else
        return 0;
    #endif
    }
    """
    int has_avx2 "canx_has_avx2"() noexcept nogil
