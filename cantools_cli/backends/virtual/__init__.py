"""The virtual bus: between the buses of a process, and between all processes of a user on this host."""
