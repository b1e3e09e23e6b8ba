"""cannelloni, CAN frames over UDP and TCP: both buses, and the packets."""
