"""Vector's binary logging format.

::

    LOGG 144 bytes     the head: sizes, counts, start of the measurement     blf_header
    LOBJ container     holds objects, usually compressed                     blf_containers, blf_stream
        LOBJ object    a frame, or something else                            blf_objects
        LOBJ object
    LOBJ container ...

    4c4f424a 2000 0100 30000000 01000000     LOBJ, header 32, version 1, size 48, CAN_MESSAGE
    02000000 00000000 40f5060000000000       ns, 456 us after the start of the measurement
    0100 00 03 23010000 0102030000000000     channel 1, received, 3 bytes, identifier 123, data

Loses: names of channels, which are numbers from 1 here, ``can0`` being 1; the direction of error frames, and
classes of theirs that SocketCAN does not have. A frame earlier than the start of the file, which is the
earliest of the first container, is written with that time.

Source: files of Vector's tools, python-can and Wireshark, and what these tools read.
"""
