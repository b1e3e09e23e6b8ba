"""PEAK's TRC: text, one message per line, times in milliseconds from the start of the trace.

::

    ;$FILEVERSION=2.1
    ;$STARTTIME=45244.925927118056
    ;$COLUMNS=N,O,T,B,I,d,R,L,D
    ;
    ;   Start time: 14.11.2023 22:13:20.103.0
          1         1.000 DT 1  18FEF100 Tx -  8    00 01 02 03 04 05 06 07

Buses are numbers from 1: ``can0`` is 1. The start is local time, without a zone.

Loses: CAN XL frames; of error frames all but the cause, the place and the counters, and those without a
cause that the format knows; one without any class is a bus error there. Versions before 2.1 lose more: 2.0
channels and raw DLC codes; 1.3 and 1.2 raw DLC codes, CAN FD and fractions of a microsecond; 1.1 also
channels and fractions of 0.1 ms, 1.0 directions and fractions of 1 ms.

Source: PEAK-System, "PEAK CAN TRC File Format"; files of python-can are read as well.
"""

from __future__ import annotations

from cantools_cli.io import documented

__getattr__ = documented(__name__)
