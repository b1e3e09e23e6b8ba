"""Interface ``robotell``: Robotell's USB-CAN adapters."""

from cantools_cli.backends.robotell.bus import RobotellBus as RobotellBus
