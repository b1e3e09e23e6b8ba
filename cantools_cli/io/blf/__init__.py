"""BLF, Vector's binary logging format.

::

    LOGG 144 bytes     file header: sizes, counts, start of the measurement  header
    LOBJ container     holds objects, usually compressed                     containers, stream
        LOBJ object    a frame, or something else                            objects
        LOBJ object
    LOBJ container ...

    4c4f424a 2000 0100 30000000 01000000     LOBJ, header 32, version 1, size 48, CAN_MESSAGE
    02000000 00000000 40f5060000000000       ns, 456 us after the start of the measurement
    0100 00 03 23010000 0102030000000000     channel 1, received, 3 bytes, identifier 123, data

Loses: channel names, since BLF numbers its channels from 1 (``can0`` is 1); the direction of error frames,
    and error classes that SocketCAN does not have. The file starts at the earliest frame of the first
    container; an earlier frame that follows is written with that time.

Only the reader and the writer know the classes of ``io.base``; the other modules work on bytes.

Source: files of Vector's tools, python-can and Wireshark, and experiments with these readers.
"""

from __future__ import annotations

from cantools_cli.io import documented

__getattr__ = documented(__name__)
