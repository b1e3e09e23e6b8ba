"""Interfaces: one module or package each, a bus class and the codec of its protocol.

May import ``bus``, ``frame``, ``kernels`` and the modules at the top of ``cantools_cli``.
"""
