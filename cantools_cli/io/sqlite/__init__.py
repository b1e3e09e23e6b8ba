"""python-can's SQLite databases: a table with one row per frame.

::

    CREATE TABLE messages (ts REAL, arbitration_id INTEGER, extended INTEGER, remote INTEGER,
                           error INTEGER, dlc INTEGER, data BLOB)
    1700000000.123456 | 291 | 0 | 0 | 0 | 3 | x'010203'

Rows are appended in one transaction per batch, with SQLite's write-ahead log: other programs can read at the
same time, and a killed process loses only frames that it had not flushed. Closing the writer removes the log.
A database needs a file name, so it cannot be a pipe.

The reader takes rows directly from the pages of the file (``page_rows``). SQLite itself reads the rows if
there is a write-ahead log, if the file is cut or damaged, and if a row is unusual.

Loses: CAN XL frames, channels other than can0, directions, raw DLC codes, CAN FD flags (frames of up to 8
bytes become classic), and times below the resolution of a double, currently 0.24 us.

Sources: python-can's documentation, "SqliteWriter"; SQLite, "Database File Format" (header).
"""

from __future__ import annotations

from cantools_cli.io import documented

__getattr__ = documented(__name__)
