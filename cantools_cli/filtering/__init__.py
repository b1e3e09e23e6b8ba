"""Selection of frames: candump's filters, ``--where`` expressions and time windows.

Everything here decides whether a frame passes; nothing reads a file or a bus. May import ``frame``,
``kernels`` and the modules at the top of ``cantools_cli``.
"""
