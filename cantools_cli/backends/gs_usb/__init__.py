"""Interface ``gs_usb``: USB adapters with the protocol of Linux's driver of that name."""
