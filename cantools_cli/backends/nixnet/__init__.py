"""Interface ``nixnet``: the CAN interfaces of National Instruments, by NI-XNET."""
