# The numbers of _plan.py for compiled kernels.
cdef enum:
    TIME = 11
    BUS = 17
    ID = 23
    IDE = 29
    DLC = 35
    SIZE = 41
    DIR = 47
    EDL = 53
    BRS = 59
    ESI = 65
    POINTER = 71
