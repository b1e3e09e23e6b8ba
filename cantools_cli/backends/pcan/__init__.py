"""Interface ``pcan``: adapters of PEAK-System through their library PCAN-Basic."""
