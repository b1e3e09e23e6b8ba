"""ASAM MDF 4, bus logging.

::

    MDF     4.10    blocks: the start of the measurement, the layout    blocks, layout
                    of each kind of record, the position of the records
    records         one kind for each kind of frame                     records, decode; head for canx's own

The reader follows the layout that the file describes. Layouts that it does not know are read by asammdf, if
that is installed. The writer puts all records into one block at the end of the file, and marks the file as
unfinished until it is closed: readers then read up to the end of the file.

Loses: CAN XL frames; channel names, since MDF numbers its channels from 1 (``can0`` is 1). The file starts at
the earliest of the first frames; an earlier frame that follows is written with that time.

Source: ASAM MDF 4.1 and its associated standard for bus logging; files of CANedge loggers, asammdf and
python-can.
"""

from __future__ import annotations

from cantools_cli.io import documented

__getattr__ = documented(__name__)
