"""Interface ``serial``: python-can's frames on a serial line, for a computer or a microcontroller there."""
