"""What commands share: options, buses, inputs and outputs, the report, progress, signals.

Imports everything but ``commands`` and ``cli``.
"""
