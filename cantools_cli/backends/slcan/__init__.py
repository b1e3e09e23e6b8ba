"""slcan adapters: LAWICEL's line protocol on a serial port, and its dialects."""
