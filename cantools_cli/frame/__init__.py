"""CAN frames: ``Message``, ``MessageBatch`` with many frames as columns, CAN XL, error frames, Arrow export.

Imports ``kernels``, ``errors`` and ``units``.
"""
