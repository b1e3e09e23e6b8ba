"""Tables of signals: Parquet, CSV and Arrow, long or wide, and MDF 4.

``base``
    ``SignalWriter``: decodes frames, many at a time.
``columns``
    Arrow's types and columns of signals.
``tables``
    ``LongTable``, ``WideTable`` and ``MessageTables``: the layouts.
``files``
    The formats of the files.
``mf4``
    ``SignalMF4Writer``: a channel group for each message.
"""
