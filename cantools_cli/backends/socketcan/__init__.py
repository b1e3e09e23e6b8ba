"""Interface ``socketcan``: the CAN sockets of the Linux kernel, and its broadcast manager."""
