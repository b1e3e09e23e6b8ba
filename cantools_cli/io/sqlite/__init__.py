"""python-can's SQLite databases: a table with a row a frame.

::

    CREATE TABLE messages (ts REAL, arbitration_id INTEGER, extended INTEGER, remote INTEGER,
                           error INTEGER, dlc INTEGER, data BLOB)
    1700000000.123456 | 291 | 0 | 0 | 0 | 3 | x'010203'

Written behind what the table holds already, in one transaction a batch, with SQLite's write-ahead log: other
programs read meanwhile, and a process that is killed loses what it had not flushed. That log is gone when
the writer is closed. A database is a file with a name: neither pipes nor ``.gz``.

Rows are read out of the file's pages (``sqlite_page_rows``), and by SQLite itself where there is a log beside
the file, where the file is cut or damaged, and where a row is unusual.

Loses: CAN XL frames, channels other than can0, directions, raw DLC codes, what CAN FD is marked by: frames of
up to 8 bytes become classic ones; of times what is finer than a double, 0.24 us in these decades.

Sources: python-can's documentation, "SqliteWriter"; SQLite, "Database File Format" (header).
"""
