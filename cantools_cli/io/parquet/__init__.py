"""Apache Parquet: the columns of frames, for DuckDB, Polars, pandas and Spark.

::

    PAR1 | row group | footer | its size, 4 | PAR1 | start of this part, 8 | CANXPART     a part
    PAR1 | row group | footer | its size, 4 | PAR1 | start of this part, 8 | CANXPART     another part
    ...
    footer of all row groups | its size, 4 | PAR1

A Parquet file has one footer, at its end, and cannot be read without it. So each flush writes a part, which
is a Parquet file of its own: if the writer is killed, the log can be read up to its last part. Closing the
file adds the footer of all row groups; readers then ignore the footers of the parts. Other programs refuse a
file that is not closed, instead of taking its last part for the whole.

The columns are those of ``cantools_cli.frame.arrow``.

``footer`` and ``parts`` work on bytes alone; only the reader and the writer import pyarrow.

Loses: characters of channel names that are not Unicode, which are escaped.

Source: Apache Parquet, "File Format" and parquet.thrift.
"""
