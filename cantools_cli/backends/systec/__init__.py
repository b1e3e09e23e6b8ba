"""The interface ``systec``: USB-CANmodules of SYS TEC electronic, by the library of the vendor."""
