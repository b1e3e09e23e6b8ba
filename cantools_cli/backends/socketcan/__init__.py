"""SocketCAN, the CAN sockets of the Linux kernel: the bus, its records, the broadcast manager."""
