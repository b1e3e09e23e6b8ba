"""A client of python-can-remote: the bus, its messages, cyclic tasks that the server runs."""
