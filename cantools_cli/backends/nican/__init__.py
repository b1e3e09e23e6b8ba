"""Interface ``nican``: controllers of National Instruments through NI-CAN."""
