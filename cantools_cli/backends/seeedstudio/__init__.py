"""Interface ``seeedstudio``: Seeed Studio's USB-CAN Analyzer."""

from cantools_cli.backends.seeedstudio.bus import SeeedBus as SeeedBus
