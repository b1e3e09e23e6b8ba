"""The interface ``usb2can``: USB2CAN adapters of 8devices, by the CANAL library of the vendor."""
