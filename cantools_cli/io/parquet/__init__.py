"""Apache Parquet: the columns of frames, for DuckDB, Polars, pandas and Spark.

::

    PAR1 | row group | footer | its size, 4 | PAR1 | where this part begins, 8 | CANXPART     a part
    PAR1 | row group | footer | its size, 4 | PAR1 | where this part begins, 8 | CANXPART     another one
    ...
    footer of all row groups | its size, 4 | PAR1

Parquet has its one footer at the end, and without it is lost. So each flush writes a part, which is a Parquet
file of its own: a log whose writer was killed is read up to its last part, along the places where the parts
begin. Closing the file adds the footer that counts, after which the others are bytes that no reader looks at.
A file that is not closed yet is refused by other programs, rather than being taken for its last part alone.

The columns are those of ``cantools_cli.frame.arrow``.

Loses: characters of a channel's name that are not Unicode, which are escaped.

Source: Apache Parquet, "File Format" and parquet.thrift.
"""
