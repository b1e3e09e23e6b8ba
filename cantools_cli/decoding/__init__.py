"""Databases of signals, and the values in frames.

``model``
    ``Database``, ``MessageSpec``, ``SignalSpec``: what a file describes, whatever its format.
``dbc``
    The reader of DBC files, which skips a bad entry and goes on.
``encode``, ``naming``, ``rules``, ``traffic``
    Values to the data of frames: exactly, by name, with counters and checksums, at cycle times.
``columns``
    Batches of frames to columns of values, message by message.

May import ``bus``, ``frame``, ``kernels`` and the modules at the top of ``cantools_cli``.
"""
