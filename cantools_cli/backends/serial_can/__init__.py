"""Interface ``serial``: python-can's frames on a serial line, for a computer or a microcontroller there."""

from cantools_cli.backends.serial_can.bus import SerialBus as SerialBus
