"""Interface ``seeedstudio``: Seeed Studio's USB-CAN Analyzer."""
