"""Streams of batches: generating, replaying, merging, splitting, routing and bridging them.

Nothing here opens a file or an interface; batches and buses are passed in. May import ``bus``,
``filtering``, ``periodic``, ``frame``, ``kernels`` and the modules at the top of ``cantools_cli``.
"""
