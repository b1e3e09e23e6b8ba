"""The model of the live view: the table of identifiers, its columns and its rates, without screen or clock.

A ``Table`` is fed with batches; ``Row`` gives access to its rows, ``Rates`` to bus load, and a ``View``
filters and sorts. May import ``filtering``, ``frame``, ``kernels`` and the modules at the top of
``cantools_cli``.
"""
