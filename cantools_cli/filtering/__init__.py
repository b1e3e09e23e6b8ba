"""The selection of frames: candump's filters, ``--where`` expressions, time windows.

Imports ``frame`` and below.
"""
