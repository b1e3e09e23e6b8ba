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

TYPE_CHECKING = False  # type checkers take it for true; the typing module alone costs 3 ms
if TYPE_CHECKING:
    from typing import Any


def __getattr__(name: str) -> Any:
    """Import a documented class on first use (PEP 562)."""
    from cantools_cli.io import documented

    return documented(__name__, name)
