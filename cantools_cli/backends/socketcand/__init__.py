"""A client of socketcand: its bus, the protocol, the beacons that servers send."""
