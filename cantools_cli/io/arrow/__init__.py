"""Apache Arrow: the columns of frames, for pipes and files.

::

    stream (.arrows, pipes)    schema | record batch | record batch | ... | end
    file   (.arrow)            ARROW1 and 2 zeros | stream | footer: where each record batch is | ARROW1

A message is ffffffff, the size of its description, the description, and its columns, each at a multiple of 8
bytes. The columns are those of ``cantools_cli.frame.arrow``.

A file is read as the stream in it, so that a pipe can have it, and so that one without a footer, as a killed
writer leaves it, is as good as any.

Loses: characters of a channel's name that are not Unicode, which are escaped.

Source: Apache Arrow, "Arrow Columnar Format", Serialization and Interprocess Communication.
"""
