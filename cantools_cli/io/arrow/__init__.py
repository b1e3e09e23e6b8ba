"""Apache Arrow: the columns of frames, for pipes and files.

::

    stream (.arrows, pipes)    schema | record batch | record batch | ... | end
    file   (.arrow)            ARROW1 and 2 zeros | stream | footer: place of each record batch | ARROW1

A message is ffffffff, the size of its metadata, the metadata, and its columns, each at a multiple of 8 bytes.
The columns are those of ``cantools_cli.frame.arrow``.

A file is read as the stream that it contains: so it may come through a pipe, and may lack its footer after
its writer was killed.

``table`` holds the bases that ``io.parquet`` shares; pyarrow is imported only when a reader or writer is
made.

Loses: characters of channel names that are not Unicode, which are escaped.

Source: Apache Arrow, "Arrow Columnar Format", Serialization and Interprocess Communication.
"""
