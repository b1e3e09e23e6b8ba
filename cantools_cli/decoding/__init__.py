"""Databases of signals, and the values in frames.

``model``
    ``Database``, ``MessageSpec``, ``SignalSpec``: what a file describes, whatever its format.
``dbc``
    The reader of DBC files, which skips a bad entry and goes on.
``others``, ``load``
    KCD, SYM, ARXML and CDD files through cantools, and the reader for a file.
``databases``
    Which database describes the frames of which channel.
``checks``, ``layout``, ``differences``
    Likely mistakes of a database, the bits of a message as a drawing, and what two databases do not share.
``containers``
    The messages in AUTOSAR containers.
``encode``, ``naming``, ``rules``, ``traffic``
    Values to the data of frames: exactly, by name, with counters and checksums, at cycle times.
``columns``
    Batches of frames to columns of values, message by message.

May import ``bus``, ``frame``, ``kernels`` and the modules at the top of ``cantools_cli``.
"""
