"""CAN ports of Neousys computers, by the library WDT_DIO."""
