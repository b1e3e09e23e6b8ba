"""Interface ``robotell``: Robotell's USB-CAN adapters."""
