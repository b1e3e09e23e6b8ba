"""Vector's ASC: text, one event per line, times from the start of the measurement.

::

    date Tue Nov 14 22:13:20.123 2023
    base hex  timestamps absolute
    internal events logged
    // version 9.0.0
    Begin Triggerblock Tue Nov 14 22:13:20.123 2023
       0.000000 Start of measurement
       2.500900 1  64              Tx   d 8 00 01 02 03 04 05 06 07
    End TriggerBlock

Channels are numbers from 1: ``can0`` is 1. The date is local time, without a zone.

Loses: the direction of error frames, and all details of a bus error but its cause and place. Times keep their
nanoseconds: if a time has any, its line has nine digits. CAN XL frames are events of a CAN XL channel
(``xl_lines.py``).

Source: Vector's ASC as its tools write it; if those differ, the form that python-can and can-utils read, too.
"""

from __future__ import annotations

from cantools_cli.io import documented

__getattr__ = documented(__name__)
