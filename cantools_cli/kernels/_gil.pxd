# The functions of _gil.py for compiled kernels.
cdef extern from *:
    """
    #define canx_release() ((void *)PyEval_SaveThread())
    #define canx_acquire(state) PyEval_RestoreThread((PyThreadState *)(state))
    """
    void *release "canx_release"() noexcept
    void acquire "canx_acquire"(void *state) noexcept
