"""ASAM MDF 4, bus logging.

::

    MDF     4.10    a block tells the start, blocks behind it what      mf4_blocks, mf4_layout
                    each kind of record holds, and where the records are
    records         frames, by their kinds                              mf4_records, mf4_head for ours

A reader follows what a file says of its records; what it does not know, asammdf reads where that is
installed. The writer puts all records into one block at the end of the file, which says that it is not
finished until it is closed: readers then take what is there.

Loses: CAN XL frames; names of channels, which are numbers from 1 here, ``can0`` being 1. A frame earlier than
the start of the file, which is the earliest of the first ones, is written with that time.

Source: ASAM MDF 4.1 and its associated standard for bus logging; files of CANedge loggers, asammdf and
python-can.
"""
